//! One snapshot of a bond: the collectors in one process, against the commands of the field guide in a shell.

use super::world::World;
use super::{PROGRAM, keep, ns};
use anyhow::{Context, Result};
use bondwitness_guest::bench_plan::Row;
use bondwitness_host::clock::process_cpu_ns;
use bondwitness_host::collect::{self, COLLECTORS, Collector, Form, Pace, Reading, Sink, Target};
use bondwitness_host::sensor::bonds;
use bondwitness_host::usage::{Usage, run_measured};
use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::time::Instant;

/// The collectors that read what the guide's commands print. The options of the bond (`bonding/*` of sysfs) and the
/// carrier stand in the listing of `links`.
const SAME: [&str; 8] = [
    "links",
    "proc-bonding",
    "ethtool-stats",
    "snmp",
    "netstat",
    "ethtool-settings",
    "ethtool-phy",
    "ethtool-driver",
];
/// The collectors that count.
const COUNTERS: [&str; 6] = ["links", "stats", "proc-bonding", "ethtool-stats", "softnet", "snmp"];
/// Snapshots over which ours is measured.
const REPEAT: usize = 20;
/// Members whose commands are timed where there are more; the rest costs the same.
const TIMED: usize = 8;

/// The guide's commands for the bond, as they stand there, but without the journal.
const FOR_BOND: [&str; 7] = [
    "ip -br link show",
    "cat /proc/net/bonding/bond0",
    "grep -H . /sys/class/net/bond0/bonding/*",
    "ip -d link show bond0",
    "ip -br link show master bond0",
    "nstat -az | grep -E -i 'TcpRetransSegs|IpInDiscards|IpInDelivers|UdpInErrors'",
    "cat /proc/net/bonding/bond0 | grep -E -A3 'Active Aggregator Info|Number of ports|Slave Interface|MII Status' | head -n 20",
];
/// For each member.
const FOR_MEMBER: [&str; 8] = [
    "ethtool -S DEV | grep -E -i 'err|drop|crc|fcs|miss|timeout|reset|align|symbol|disc|over'",
    "ethtool DEV | grep -E -i 'Speed|Duplex|Auto-negotiation|Link detected'",
    "ethtool --phy-statistics DEV 2>/dev/null | head",
    "ethtool -S DEV | grep -E -i 'crc|fcs|symbol|fec|align|jabber|code|pcs' | head -n 20",
    "ethtool -i DEV",
    "ip -s link show DEV | sed -n '1,6p'",
    "ip -d link show DEV | grep -E -i 'mtu|vf|vlan|state'",
    "ethtool -k DEV | grep -E -i 'rx-vlan|tx-vlan|gro|gso|tso' | head -n 12",
];

/// Counts what is handed over, and when it was read.
#[derive(Default)]
struct Counting {
    readings: i64,
    failed: i64,
    octets: i64,
    first_ns: Option<i64>,
    last_ns: i64,
}

impl Sink for Counting {
    fn take(&mut self, reading: Reading<'_>) -> io::Result<()> {
        self.readings += 1;
        let octets = match &reading.form {
            Form::Text(bytes) => bytes.len(),
            Form::Netlink { datagram, .. } => datagram.len(),
            Form::Frame { bytes, .. } => bytes.len(),
            Form::Failed { .. } => {
                self.failed += 1;
                0
            }
        };
        self.octets += i64::try_from(octets).unwrap_or(0);
        self.first_ns =
            Some(self.first_ns.map_or(reading.window.begin_ns, |n| n.min(reading.window.begin_ns)));
        self.last_ns = self.last_ns.max(reading.window.end_ns);
        Ok(())
    }
}

/// Measures a bond of so many members.
pub(super) fn run(members: usize) -> Result<()> {
    let world = World::new(members)?;
    let target = bonds::target(&[]).context("cannot list the bonds")?;
    ours(members, "ours: the guide's values", &target, REPEAT, |c| SAME.contains(&c.id))?;
    ours(members, "ours: counters", &target, REPEAT, |c| COUNTERS.contains(&c.id))?;
    ours(members, "ours: a sample", &target, REPEAT, |c| c.pace == Pace::Sample)?;
    ours(members, "ours: everything", &target, 4, |_| true)?;
    for collector in COLLECTORS {
        ours(members, &format!("collector {}", collector.id), &target, 4, |c| c.id == collector.id)?;
    }
    let whole = measure(3, || {
        let _ = std::fs::remove_file("/tmp/snapshot.tar.zst");
        let mut c = Command::new(PROGRAM);
        c.args(["collect", "--for", "0", "-o", "/tmp/snapshot.tar.zst"]);
        c
    })?;
    row(members, "ours: collect --for 0, two processes and a bundle", whole, 1)?;
    for command in FOR_BOND {
        row(members, &format!("shell: {command}"), shell(command)?, 1)?;
    }
    let names = world.members();
    let step = names.len().div_ceil(TIMED).max(1);
    for command in FOR_MEMBER {
        let mut all = Vec::new();
        for dev in names.iter().step_by(step) {
            all.push(shell(&command.replace("DEV", dev))?);
        }
        let count = all.len().max(1);
        #[allow(clippy::cast_precision_loss, reason = "a handful")]
        let mean = |of: fn(&Usage) -> f64| all.iter().map(of).sum::<f64>() / count as f64;
        let usage = Usage {
            cpu_seconds: mean(|u| u.cpu_seconds),
            wall_seconds: mean(|u| u.wall_seconds),
            max_rss_bytes: all.iter().map(|u| u.max_rss_bytes).max().unwrap_or(0),
        };
        row(members, &format!("shell, each member: {command}"), usage, names.len())?;
    }
    world.remove()
}

/// Runs some of the collectors `repeat` times and keeps the mean.
fn ours(
    members: usize,
    label: &str,
    target: &Target,
    repeat: usize,
    which: impl Fn(&Collector) -> bool,
) -> Result<()> {
    let all = COLLECTORS.iter().all(&which);
    let once = || -> Result<Counting> {
        let mut sink = Counting::default();
        if all {
            collect::run(Pace::Once, target, &mut sink).context("cannot collect")?;
        } else {
            for collector in COLLECTORS.iter().filter(|c| which(c)) {
                (collector.run)(target, &mut sink).context("cannot collect")?;
            }
        }
        Ok(sink)
    };
    once()?;
    let (cpu, wall) = (process_cpu_ns(None), Instant::now());
    let mut last = Counting::default();
    let mut spread = 0;
    for _ in 0..repeat {
        last = once()?;
        spread = spread.max(last.last_ns - last.first_ns.unwrap_or(last.last_ns));
    }
    let each = i64::try_from(repeat.max(1)).unwrap_or(1);
    let numbers = [
        ("readings", last.readings),
        ("failed", last.failed),
        ("octets", last.octets),
        ("spread_ns", spread),
    ];
    keep(&Row {
        part: "snapshot".to_owned(),
        of: members.to_string(),
        label: label.to_owned(),
        cpu_ns: (process_cpu_ns(None) - cpu) / each,
        wall_ns: ns(wall.elapsed().as_secs_f64()) / each,
        numbers: numbers.map(|(k, v)| (k.to_owned(), v)).into(),
    })
}

/// A line of the guide in a shell of its own.
fn shell(line: &str) -> Result<Usage> {
    measure(2, || {
        let mut c = Command::new("/usr/bin/dash");
        c.args(["-c", line]);
        c
    })
}

/// The median by CPU of `runs` runs after one that is not counted.
fn measure(runs: usize, make: impl Fn() -> Command) -> Result<Usage> {
    let mut all = Vec::new();
    for i in 0..=runs {
        let mut command = make();
        let usage = run_measured(&mut command).with_context(|| format!("cannot run {command:?}"))?;
        if i > 0 {
            all.push(usage);
        }
    }
    all.sort_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds));
    all.get(all.len() / 2).copied().context("not measured")
}

fn row(members: usize, label: &str, usage: Usage, times: usize) -> Result<()> {
    let numbers = BTreeMap::from([
        ("times".to_owned(), i64::try_from(times).unwrap_or(1)),
        ("max_rss".to_owned(), i64::try_from(usage.max_rss_bytes).unwrap_or(0)),
    ]);
    keep(&Row {
        part: "snapshot".to_owned(),
        of: members.to_string(),
        label: label.to_owned(),
        cpu_ns: ns(usage.cpu_seconds),
        wall_ns: ns(usage.wall_seconds),
        numbers,
    })
}
