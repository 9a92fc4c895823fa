//! Storms of LACPDUs beside other traffic, and the account of every frame: what was sent, and where each counter saw it.
//!
//! The senders are processes of their own, so that they compete with the sensor for the only processor.

use super::world::{World, member, port};
use super::{OUT, PROGRAM, idle, keep, ns};
use anyhow::{Context, Result, bail};
use bondwitness_guest::bench_plan::{Row, Storm};
use bondwitness_host::packet::{self, PacketSocket};
use lacp::{Lacpdu, Mac, PortInfo, PortState};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Members of the bond.
const MEMBERS: usize = 2;
/// The sensor has opened its captures.
const OPENED: Duration = Duration::from_secs(3);
/// Until what was sent has been taken, and the collection is asked to end.
const SETTLE: Duration = Duration::from_secs(3);
/// Frames that are sent at once; the far end's clock ticks for each batch.
const BATCH: u32 = 10;

/// Runs one.
pub(super) fn run(storm: &Storm) -> Result<()> {
    let world = World::new(MEMBERS)?;
    let bundle = format!("{OUT}/storm-{}.tar.zst", storm.name);
    let mut ours = Command::new(PROGRAM)
        .args(["collect", "--for", "3600", "-o", &bundle])
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start the program")?;
    std::thread::sleep(OPENED);
    let before = counters()?;
    let begun = Instant::now();
    let mut senders: Vec<(String, Child)> = Vec::new();
    for i in 1..=MEMBERS {
        let far = |kind, rate| {
            world.far.with(|| start(&port(i), kind, rate, storm.seconds)).map_err(Into::into).and_then(|c| c)
        };
        if storm.received > 0 {
            senders.push((format!("lacpdus to {}", member(i)), far("lacpdu", storm.received)?));
        }
        if storm.sent > 0 {
            senders.push((
                format!("lacpdus from {}", member(i)),
                start(&member(i), "lacpdu", storm.sent, storm.seconds)?,
            ));
        }
        if storm.saturated {
            senders.push((format!("others to {}", member(i)), far("other", 0)?));
        }
    }
    if storm.stopped_ms > 0 {
        std::thread::sleep(Duration::from_secs(storm.seconds) / 3);
        signal("STOP", ours.id());
        std::thread::sleep(Duration::from_millis(storm.stopped_ms));
        signal("CONT", ours.id());
    }
    let mut numbers = BTreeMap::new();
    for (what, child) in senders {
        let out = child.wait_with_output().context("cannot wait for a sender")?;
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        let [sent, refused] = said.split_whitespace().collect::<Vec<_>>()[..] else {
            bail!("a sender said {said:?}");
        };
        numbers.insert(format!("sent {what}"), sent.parse()?);
        numbers.insert(format!("refused {what}"), refused.parse()?);
    }
    let wall = begun.elapsed();
    std::thread::sleep(SETTLE);
    let (sensor, judge) = (ours.id(), idle::children(ours.id()));
    let cpu =
        |ids: &[u32]| ids.iter().map(|i| bondwitness_host::clock::process_cpu_ns(Some(*i))).sum::<i64>();
    numbers.insert("cpu sensor".to_owned(), cpu(&[sensor]));
    numbers.insert("cpu judge".to_owned(), cpu(&judge));
    for (name, after) in counters()? {
        let grown = after - before.get(&name).copied().unwrap_or(0);
        numbers.insert(name, grown);
    }
    signal("TERM", ours.id());
    let status = ours.wait().context("cannot wait for the program")?;
    if !status.success() {
        bail!("the program ended with {status}");
    }
    keep(&Row {
        part: "storm".to_owned(),
        of: storm.name.clone(),
        label: "counted".to_owned(),
        cpu_ns: 0,
        wall_ns: ns(wall.as_secs_f64()),
        numbers,
    })?;
    world.remove()
}

fn signal(name: &str, pid: u32) {
    let _ = Command::new("/bin/busybox").args(["kill", &format!("-{name}"), &pid.to_string()]).status();
}

fn start(dev: &str, kind: &str, rate: u32, seconds: u64) -> Result<Child> {
    Command::new("/proc/self/exe")
        .args(["send", dev, kind, &rate.to_string(), &seconds.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start a sender")
}

/// Sends frames on an interface for some seconds, and prints how many were taken and how many refused. A rate of 0 is as
/// fast as it goes.
#[allow(clippy::print_stdout, reason = "it is a process of its own, whose starter reads this")]
pub(super) fn send(dev: &str, kind: &str, rate: u32, seconds: u64) -> Result<()> {
    let socket = packet::ifindex(dev).and_then(PacketSocket::sender).with_context(|| format!("no {dev}"))?;
    let frame = match kind {
        "lacpdu" => lacpdu(),
        _ => other(),
    };
    let (mut sent, mut refused) = (0u64, 0u64);
    let begun = Instant::now();
    let end = Duration::from_secs(seconds);
    let total = u64::from(rate) * seconds;
    loop {
        let now = begun.elapsed();
        if now >= end && (rate == 0 || sent + refused >= total) {
            break;
        }
        for _ in 0..BATCH {
            match socket.send(&frame) {
                Ok(()) => sent += 1,
                Err(_) => refused += 1,
            }
        }
        if rate > 0 {
            let due = Duration::from_secs_f64((sent + refused) as f64 / f64::from(rate));
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }
    println!("{sent} {refused}");
    Ok(())
}

fn lacpdu() -> Vec<u8> {
    let actor = PortInfo {
        system_priority: 32768,
        system: Mac([0, 0x11, 0x22, 0x33, 0x44, 0x55]),
        key: 17,
        port_priority: 128,
        port: 9,
        state: PortState::from_bits_retain(0x3d),
    };
    let mut frame = Mac::SLOW_PROTOCOLS.0.to_vec();
    frame.extend([0, 0x11, 0x22, 0x33, 0x44, 0x66, 0x88, 0x09]);
    frame.extend(Lacpdu::new(actor, actor).encode());
    frame
}

/// A long frame of a protocol that nobody speaks (the first EtherType for experiments).
fn other() -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([0, 0x11, 0x22, 0x33, 0x44, 0x66, 0x88, 0xb5]);
    frame.resize(1514, 0x5a);
    frame
}

/// What the host's interfaces and its receive backlog counted until now.
fn counters() -> Result<BTreeMap<String, i64>> {
    let mut all = BTreeMap::new();
    for i in 1..=MEMBERS {
        let dev = member(i);
        for name in
            ["rx_packets", "rx_dropped", "rx_missed_errors", "rx_nohandler", "tx_packets", "tx_dropped"]
        {
            let path = format!("/sys/class/net/{dev}/statistics/{name}");
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
            all.insert(format!("{dev} {name}"), text.trim().parse()?);
        }
    }
    // Columns: processed, dropped (both hexadecimal); one line for each processor.
    let text = fs::read_to_string("/proc/net/softnet_stat").context("cannot read softnet_stat")?;
    let dropped = text.lines().filter_map(|l| i64::from_str_radix(l.split_whitespace().nth(1)?, 16).ok());
    all.insert("softnet dropped".to_owned(), dropped.sum());
    Ok(all)
}
