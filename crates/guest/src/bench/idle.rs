//! What it costs to look at a bond that is in order and carries nothing: the sensor and the judge, beside captures of the
//! same frames with `tcpdump` and `dumpcap`, which read no state.

use super::world::World;
use super::{PROGRAM, keep};
use anyhow::{Context, Result};
use bondwitness_guest::bench_plan::Row;
use bondwitness_host::clock::process_cpu_ns;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The program has started and read what it reads once.
const STARTED: Duration = Duration::from_secs(20);
/// What is measured.
const WINDOW: Duration = Duration::from_secs(200);

/// Measures a bond of so many members.
pub(super) fn run(members: usize) -> Result<()> {
    let world = World::new(members)?;
    let names = world.members();
    let mut ours = start(PROGRAM, &["collect", "--for", "1000", "-o", "/tmp/idle.tar.zst"])?;
    std::thread::sleep(Duration::from_secs(1));
    let judge = children(ours.id());
    let mut processes = vec![("sensor", vec![ours.id()]), ("judge", judge)];
    watch(members, &mut processes)?;
    end(&mut ours)?;
    let _ = fs::remove_file("/tmp/idle.tar.zst");

    let mut all = Vec::new();
    for dev in &names {
        let file = format!("/tmp/{dev}.pcap");
        let args = ["-p", "-Z", "root", "-U", "-i", dev, "-w", &file, "ether", "proto", "0x8809"];
        all.push(start("/usr/bin/tcpdump", &args)?);
    }
    let ids = all.iter().map(Child::id).collect();
    watch(members, &mut [("tcpdump, one for each member", ids)])?;
    all.iter_mut().try_for_each(end)?;

    let mut args = vec!["-p", "-q", "-f", "ether proto 0x8809", "-w", "/tmp/all.pcapng"];
    for dev in &names {
        args.extend(["-i", dev]);
    }
    let mut dumpcap = start("/usr/bin/dumpcap", &args)?;
    watch(members, &mut [("dumpcap (tshark's capture)", vec![dumpcap.id()])])?;
    end(&mut dumpcap)?;
    world.remove()
}

fn start(program: &str, args: &[&str]) -> Result<Child> {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {program}"))
}

fn end(child: &mut Child) -> Result<()> {
    let _ = Command::new("/bin/busybox").args(["kill", "-TERM", &child.id().to_string()]).status();
    child.wait().map(drop).context("cannot wait for a process")
}

/// Waits, and keeps what each group of processes used in a second.
fn watch(members: usize, groups: &mut [(&str, Vec<u32>)]) -> Result<()> {
    std::thread::sleep(STARTED);
    let used = |ids: &[u32]| ids.iter().map(|id| process_cpu_ns(Some(*id))).sum::<i64>();
    let before: Vec<i64> = groups.iter().map(|(_, ids)| used(ids)).collect();
    std::thread::sleep(WINDOW);
    let seconds = i64::try_from(WINDOW.as_secs()).unwrap_or(1);
    for ((label, ids), before) in groups.iter().zip(before) {
        let kib = |name: &str| ids.iter().map(|id| memory(*id, name)).sum::<i64>();
        let numbers = [
            ("processes", i64::try_from(ids.len()).unwrap_or(0)),
            ("rss_kib", kib("VmRSS:")),
            ("peak_kib", kib("VmHWM:")),
            ("private_kib", kib("RssAnon:")),
        ];
        keep(&Row {
            part: "idle".to_owned(),
            of: members.to_string(),
            label: (*label).to_owned(),
            cpu_ns: (used(ids) - before) / seconds,
            wall_ns: 1_000_000_000,
            numbers: numbers.map(|(k, v)| (k.to_owned(), v)).into(),
        })?;
    }
    Ok(())
}

/// A line of `/proc/PID/status`, KiB.
fn memory(pid: u32, name: &str) -> i64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    text.lines().find_map(|l| l.strip_prefix(name)?.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The processes that this one started.
pub(super) fn children(of: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name may hold anything up to the last bracket; the parent is the second field behind it.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if parent == Some(of) {
            found.push(pid);
        }
    }
    found
}
