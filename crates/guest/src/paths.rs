//! Runs trials of the transmit path: builds host and switch, puts the fault in, reads, sends a burst, reads again.
//!
//! The burst goes through a packet socket on the VLAN (or on what lies above it): `packet_sendmsg` returns what
//! `dev_queue_xmit` returned, as `net_xmit_errno` maps it, so that the sender's error is the kernel's own word. UDP
//! sockets hide `ENOBUFS` unless they ask for it.

use crate::kmsg::Kmsg;
use crate::programs::{self, Batch, Place, Tool};
use anyhow::{Context, Result, bail};
use bondwitness_guest::path_trial::PathTrial;
use bondwitness_host::bpf_load;
use bondwitness_host::namespace::Namespace;
use bondwitness_host::packet::{self, PacketSocket};
use bondwitness_lab::incident::LogShape;
use bondwitness_lab::view::LogLine;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

/// Frames in a burst.
const BURST: u16 = 120;
/// The host's address of the VLAN, and the switch's.
const HOST: &str = "192.168.70.10";
const FAR: &str = "192.168.70.1";
const FAR_MAC: [u8; 6] = [0x02, 0, 0, 0, 0x22, 0x01];
const HOST_MAC: [u8; 6] = [0x02, 0, 0, 0, 0x11, 0x01];
const TRACING: &str = "/sys/kernel/tracing";

/// Runs all trials and writes what was read to `disk` as one tar.
#[allow(clippy::print_stdout, reason = "the serial console shows how far the guest is")]
pub(crate) fn run(trials: &[PathTrial], disk: File) -> Result<()> {
    let mut kmsg = Kmsg::open().context("cannot open the kernel log")?;
    let mut tar = tar::Builder::new(BufWriter::with_capacity(1 << 20, disk));
    tar.mode(tar::HeaderMode::Deterministic);
    for trial in trials {
        let out = Path::new("/out").join(&trial.name);
        fs::create_dir_all(&out).context("cannot make a trial's folder")?;
        let mut log: Vec<LogLine> = Vec::new();
        kmsg.drain(&mut |_| {});
        let result = one(trial, &out);
        kmsg.drain(&mut |line| log.push(line));
        if let Some((name, text)) = crate::kmsg::saved(&log, LogShape::Dmesg, kmsg.booted(), "host") {
            fs::write(out.join(name), text).context("cannot write the log")?;
        }
        if let Err(error) = result {
            // It goes on with the next; what was recorded of this one is not what was planned.
            println!("guest: {}: {error:#}", trial.name);
            fs::write(out.join("broken.txt"), format!("{error:#}\n")).context("cannot write broken.txt")?;
        }
        remove()?;
        tar.append_dir_all(&trial.name, &out).context("cannot write the evidence")?;
        fs::remove_dir_all(&out).context("cannot remove what was written")?;
    }
    tar.into_inner()?.into_inner().context("cannot write the evidence")?.sync_all()?;
    println!("guest: {} trials of the transmit path", trials.len());
    std::io::stdout().flush().context("cannot write to the console")
}

/// Host and switch.
struct World {
    host: Namespace,
    far: Namespace,
}

fn batch(tool: Tool, text: String) -> Batch {
    Batch { place: Place::Host, tool, text }
}

/// Removes both namespaces, and with them what is in them; the kernel does that a little later.
fn remove() -> Result<()> {
    let root = Namespace::current().context("no namespace")?;
    for name in ["host", "far"] {
        if Path::new("/run/netns").join(name).exists() {
            batch(Tool::Ip, format!("netns del {name}\n")).run(&root)?;
        }
    }
    std::thread::sleep(Duration::from_millis(200));
    Ok(())
}

/// A line of a trial: the tool that its first word names, and the rest.
fn command(line: &str) -> Result<Batch> {
    let (tool, rest) = line.trim().split_once(' ').with_context(|| format!("no command in {line:?}"))?;
    let tool = match tool {
        "ip" => Tool::Ip,
        "tc" => Tool::Tc,
        "nft" => Tool::Nft,
        other => bail!("unknown tool {other:?}"),
    };
    Ok(batch(tool, format!("{rest}\n")))
}

fn each(lines: &[String], word: &str, names: &[&str], at: &Namespace) -> Result<()> {
    for line in lines {
        // `tcx DEVICE VLAN`: a program as a container network attaches it; no tool in the guest can.
        if let Some((dev, vlan)) = line.strip_prefix("tcx ").and_then(|r| r.split_once(' ')) {
            let vlan: u16 = vlan.parse().with_context(|| format!("no tag in {line:?}"))?;
            at.with(|| packet::ifindex(dev).and_then(|i| bpf_load::drop_vlan_at_tcx_egress(i, vlan)))?
                .with_context(|| format!("cannot attach a program to {dev}"))?;
            continue;
        }
        if line.contains(word) {
            for name in names {
                command(&line.replace(word, name))?.run(at)?;
            }
        } else {
            command(line)?.run(at)?;
        }
    }
    Ok(())
}

fn build(trial: &PathTrial) -> Result<World> {
    let root = Namespace::current().context("no namespace")?;
    let mut text = "netns add host\nnetns add far\n".to_owned();
    for (i, (member, port)) in trial.members().iter().zip(trial.ports()).enumerate() {
        let n = i + 1;
        let _ = writeln!(
            text,
            "link add {member} netns host address 02:00:00:00:11:0{n} type veth peer name {port} address 02:00:00:00:22:0{n} netns far"
        );
    }
    batch(Tool::Ip, text).run(&root)?;
    let open =
        |name: &str| Namespace::at(&Path::new("/run/netns").join(name)).context("cannot open a namespace");
    let world = World { host: open("host")?, far: open("far")? };
    let lacp = trial.mode == "802.3ad";
    let mode = if lacp { "802.3ad miimon 100 lacp_rate fast" } else { "active-backup miimon 100" };
    let mut text = format!("link set lo up\nlink add bond0 type bond mode {mode}\n");
    for member in trial.members() {
        let _ = writeln!(text, "link set {member} master bond0");
    }
    let _ = write!(
        text,
        "link set bond0 up\nlink add link bond0 name bond0.70 type vlan id 70\nlink set bond0.70 up\naddr add {HOST}/24 dev bond0.70\n"
    );
    batch(Tool::Ip, text).run(&world.host)?;
    let mut text = String::new();
    let base = if lacp { "po0" } else { "swp1" };
    if lacp {
        let _ = writeln!(text, "link add po0 type bond mode {mode}");
        for port in trial.ports() {
            let _ = writeln!(text, "link set {port} master po0");
        }
    }
    let _ = write!(
        text,
        "link set {base} up\nlink add link {base} name {base}.70 type vlan id 70\nlink set {base}.70 up\naddr add {FAR}/24 dev {base}.70\n"
    );
    batch(Tool::Ip, text).run(&world.far)?;
    // LACP needs three seconds to let a member in.
    std::thread::sleep(Duration::from_millis(if lacp { 6000 } else { 800 }));
    Ok(world)
}

fn one(trial: &PathTrial, out: &Path) -> Result<()> {
    let world = build(trial)?;
    let base = run_program(&world.host, "/bin/busybox", &["ping", "-c", "1", "-W", "2", FAR])?;
    if !base.contains(" 1 packets received") {
        bail!("the way was not open before anything was done: {base}");
    }
    if trial.neighbour {
        let [a, b, c, d, e, f] = FAR_MAC;
        let text = format!(
            "neigh replace {FAR} lladdr {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x} dev bond0.70 nud permanent\n"
        );
        batch(Tool::Ip, text).run(&world.host)?;
    } else {
        batch(Tool::Ip, "neigh flush dev bond0.70\n".to_owned()).run(&world.host)?;
    }
    each(&trial.setup, "{member}", trial.members(), &world.host)?;
    each(&trial.far, "{port}", trial.ports(), &world.far)?;
    std::thread::sleep(Duration::from_millis(1000));
    reading(trial, &world, &out.join("before"))?;
    if trial.trace {
        trace(true)?;
    }
    let mut said = String::new();
    if let Some(other) = &trial.also {
        // Not part of what is recorded: another user of the bond.
        burst(&world.host, other, trial.payload)?;
    }
    for (name, n) in burst(&world.host, &trial.on, trial.payload)? {
        let _ = write!(said, "{}'{name}': {n}", if said.is_empty() { "" } else { ", " });
    }
    fs::write(out.join("burst.txt"), format!("sender: {{{said}}}\n")).context("cannot write burst.txt")?;
    let ping = run_program(&world.host, "/bin/busybox", &["ping", "-c", "3", "-W", "1", FAR])?;
    fs::write(out.join("ping.txt"), ping).context("cannot write ping.txt")?;
    std::thread::sleep(Duration::from_millis(500));
    if trial.trace {
        let text = trace(false)?;
        fs::create_dir_all(out.join("trace")).context("cannot make a folder")?;
        fs::write(out.join("trace/trace.txt"), text).context("cannot write the trace")?;
    }
    reading(trial, &world, &out.join("after"))
}

/// How often sending ended how.
fn burst(at: &Namespace, dev: &str, payload: usize) -> Result<BTreeMap<String, u32>> {
    let mut said = BTreeMap::new();
    let socket = at.with(|| packet::ifindex(dev).and_then(PacketSocket::sender))?;
    let socket = socket.with_context(|| format!("cannot open a socket on {dev}"))?;
    for n in 0..BURST {
        let result = match socket.send(&frame(n, payload)) {
            Ok(()) => "ok".to_owned(),
            Err(e) => name_of(&e),
        };
        *said.entry(result).or_insert(0) += 1;
    }
    Ok(said)
}

fn name_of(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOBUFS) => "ENOBUFS".to_owned(),
        Some(libc::ENETDOWN) => "ENETDOWN".to_owned(),
        Some(libc::ENOMEM) => "ENOMEM".to_owned(),
        Some(libc::EMSGSIZE) => "EMSGSIZE".to_owned(),
        Some(libc::EAGAIN) => "EAGAIN".to_owned(),
        Some(libc::ENXIO) => "ENXIO".to_owned(),
        _ => error.to_string(),
    }
}

/// A UDP datagram to port 9 of the switch; the source port, and with it the member, changes.
fn frame(n: u16, payload: usize) -> Vec<u8> {
    let udp = u16::try_from(payload + 8).unwrap_or(u16::MAX);
    let [ih, il] = udp.saturating_add(20).to_be_bytes();
    let mut ip = vec![0x45, 0, ih, il, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 168, 70, 10, 192, 168, 70, 1];
    let sum = ip
        .chunks(2)
        .fold(0u32, |sum, pair| sum + pair.iter().fold(0, |word, octet| word << 8 | u32::from(*octet)));
    let sum = !((sum & 0xffff) + (sum >> 16));
    ip.splice(10..12, u16::try_from(sum & 0xffff).unwrap_or(0).to_be_bytes());
    let mut frame = Vec::with_capacity(payload + 42);
    frame.extend(FAR_MAC);
    frame.extend(HOST_MAC);
    frame.extend([0x08, 0x00]);
    frame.extend(ip);
    frame.extend((40_000 + n).to_be_bytes());
    frame.extend([0, 9]);
    frame.extend(udp.to_be_bytes());
    frame.extend([0, 0]);
    frame.resize(payload + 42, 0x78);
    frame
}

fn run_program(at: &Namespace, program: &str, args: &[&str]) -> Result<String> {
    let path = Path::new("/out/said.txt");
    let file = File::create(path).context("cannot make a file")?;
    let mut child = programs::start(at, program, args, file)?;
    child.wait().with_context(|| format!("cannot wait for {program}"))?;
    let text = fs::read(path).context("cannot read what was said")?;
    fs::remove_file(path).context("cannot remove a file")?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What an administrator would paste.
fn reading(trial: &PathTrial, world: &World, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).context("cannot make a reading's folder")?;
    let (ip, tc) = ("/usr/bin/ip", "/usr/sbin/tc");
    let mut list: Vec<(String, &str, Vec<&str>)> = vec![
        ("ip-s-d-link.txt".to_owned(), ip, vec!["-s", "-d", "link"]),
        ("ip-s-neigh.txt".to_owned(), ip, vec!["-s", "neigh"]),
        ("ip-addr.txt".to_owned(), ip, vec!["addr"]),
        ("tc-s-qdisc.txt".to_owned(), tc, vec!["-s", "-d", "qdisc", "show"]),
        ("nft-list-ruleset.txt".to_owned(), "/usr/sbin/nft", vec!["list", "ruleset"]),
    ];
    let above = ["bond0.70", "bond0"];
    for dev in above.iter().chain(trial.members()) {
        for way in ["egress", "ingress"] {
            let args = vec!["-s", "filter", "show", "dev", dev, way];
            list.push((format!("tc_-s_filter_show_dev_{dev}_{way}"), tc, args));
        }
    }
    for (name, program, args) in list {
        let text = run_program(&world.host, program, &args)?;
        // A command that prints nothing leaves nothing to paste; what has no clsact answers with an error.
        if !text.is_empty() && !text.starts_with("Error: ") {
            fs::write(folder.join(name), text).context("cannot write a reading")?;
        }
    }
    let bonding = world.host.with(|| fs::read_to_string("/proc/thread-self/net/bonding/bond0"))?;
    fs::write(folder.join("proc-bonding-bond0.txt"), bonding.context("cannot read the bond's state")?)
        .context("cannot write a reading")
}

/// Switches the trace of freed frames and of refused transmissions on, or off: then it is returned.
fn trace(on: bool) -> Result<String> {
    let put = |name: &str, value: &str| {
        fs::write(Path::new(TRACING).join(name), value).with_context(|| format!("cannot write {name}"))
    };
    let switch = if on { "1" } else { "0" };
    if on {
        put("trace", "")?;
        put("events/net/net_dev_xmit/filter", "rc != 0")?;
    }
    put("events/net/net_dev_xmit/enable", switch)?;
    put("events/skb/kfree_skb/enable", switch)?;
    put("tracing_on", switch)?;
    if on {
        return Ok(String::new());
    }
    let text = fs::read_to_string(Path::new(TRACING).join("trace")).context("cannot read the trace")?;
    Ok(text.lines().filter(|l| !l.starts_with('#')).take(2000).fold(String::new(), |mut all, l| {
        let _ = writeln!(all, "{l}");
        all
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_as_long_as_it_says() {
        let f = frame(3, 100);
        assert_eq!(f.len(), 142);
        assert_eq!(u16::from_be_bytes([f[16], f[17]]), 128);
        let sum = f[14..34].chunks(2).fold(0u32, |s, p| s + u32::from(u16::from_be_bytes([p[0], p[1]])));
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }

    #[test]
    fn a_line_names_its_tool() {
        let b = command("tc qdisc add dev bond0 clsact").unwrap();
        assert_eq!((b.tool, b.text.as_str()), (Tool::Tc, "qdisc add dev bond0 clsact\n"));
        assert!(command("rm -r x").is_err());
    }
}
