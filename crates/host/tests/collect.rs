//! All collectors on this machine, in a network namespace of their own with virtual interfaces: they run with and without
//! privilege, what cannot be read is a reading, and what they write is what `core` reads and what `ip` and `tc` say.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot set up its namespace must fail, and says what was skipped or measured"
)]

use bondwitness_core::collection::{Form, Reading, Spool, v1};
use bondwitness_core::evidence::{Counters, FileId, HookPoint, Record, What};
use bondwitness_core::parse::{netlink, parse_text};
use bondwitness_host::collect::{self, COLLECTORS, Collector, Pace, Sink, Target};
use bondwitness_host::sensor::events::Events;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

/// Set in the process that runs inside the namespace.
const INSIDE: &str = "BONDWITNESS_TEST_INSIDE";

/// Runs one of the ignored tests of this file inside a fresh user and network namespace that `script` has furnished.
/// Without the right to make one, the test is skipped.
fn inside(test: &str, script: &str, before: &str) {
    let this = std::env::current_exe().unwrap();
    let script = format!(
        "set -e; mount -t sysfs none /sys 2>/dev/null || true; ip link set lo up; {script}\nexec {before} '{}' --exact {test} --ignored --nocapture",
        this.display()
    );
    let can = Command::new("unshare").args(["-rnm", "true"]).output().is_ok_and(|o| o.status.success());
    let has_ip = Command::new("ip").arg("-V").output().is_ok_and(|o| o.status.success());
    if !can || !has_ip {
        eprintln!("skipped: needs unshare, ip and user namespaces");
        return;
    }
    let output =
        Command::new("unshare").args(["-rnm", "sh", "-c", &script]).env(INSIDE, "1").output().unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    for line in said.lines().filter(|l| l.starts_with("measured:")) {
        eprintln!("{line}");
    }
}

/// Interfaces of several kinds, an address and a neighbour, filters and a queueing discipline.
const FURNITURE: &str = "
ip link add m0 type veth peer name m0p
ip link add m1 type veth peer name m1p
ip link add link m1 name mac1 type macvlan
for i in m0 m0p m1 m1p mac1; do ip link set $i up; done
ip addr add 192.0.2.1/24 dev m0
ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev m0
tc qdisc add dev m0 root pfifo limit 7
tc qdisc add dev m0 clsact
tc filter add dev m0 egress protocol 0x8809 u32 match u32 0 0
tc qdisc add dev m1 ingress
tc filter add dev m1 ingress protocol ip u32 match u32 0 0
";

#[derive(Default)]
struct Taken {
    spool: Option<Spool>,
    failures: Vec<(String, String, v1::Cause, String)>,
    sources: BTreeSet<(String, String)>,
    windows: Vec<(i64, i64)>,
}

impl Sink for Taken {
    fn take(&mut self, reading: Reading<'_>) -> std::io::Result<()> {
        self.spool.get_or_insert_with(|| Spool::new("test", "test")).take(&reading);
        assert!(
            reading.window.begin_ns > 0 && reading.window.end_ns >= reading.window.begin_ns,
            "{reading:?}"
        );
        assert!(reading.window.real_ns > 1_600_000_000_000_000_000, "{reading:?}");
        if let Form::Failed { collector, why, detail } = &reading.form {
            self.failures.push((collector.to_string(), reading.source.to_string(), *why, detail.to_string()));
        } else {
            self.sources.insert((reading.file.to_string(), reading.source.to_string()));
            self.windows.push((reading.window.begin_ns, reading.window.end_ns));
        }
        Ok(())
    }
}

impl Taken {
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.spool.as_ref().unwrap().files(&v1::Collection::default())
    }
    fn has(&self, file: &str, source: &str) -> bool {
        self.sources.contains(&(file.to_owned(), source.to_owned()))
    }
}

fn target() -> Target {
    // There is no bonding in most kernels that tests run on: veth ends stand in as members.
    Target {
        bonds: Vec::new(),
        members: vec!["m0".to_owned(), "m1".to_owned(), "mac1".to_owned()],
        path: None,
    }
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    let bytes = files.get(name).unwrap_or_else(|| panic!("{name} is missing: {:?}", files.keys()));
    String::from_utf8_lossy(bytes).into_owned()
}

/// The records of a text file of the case, of which every line must have been understood.
fn records(files: &BTreeMap<String, Vec<u8>>, name: &str, format: &str) -> Vec<Record> {
    let bytes = files.get(name).unwrap_or_else(|| panic!("{name} is missing: {:?}", files.keys()));
    let parsed = parse_text(FileId(0), name, bytes);
    let text = String::from_utf8_lossy(bytes);
    assert!(parsed.recognised.contains(&format), "{name}: {:?}\n{text}", parsed.recognised);
    assert!(parsed.not_understood.is_empty(), "{name}: {:?}\n{text}", parsed.not_understood);
    assert!(parsed.unrecognised.is_empty(), "{name}: {:?}\n{text}", parsed.unrecognised);
    parsed.records
}

fn counters<'a>(records: &'a [Record], dev: &str) -> &'a Counters {
    records
        .iter()
        .find_map(|r| match &r.what {
            What::Counters(c) if c.dev.as_deref() == Some(dev) => Some(c),
            _ => None,
        })
        .unwrap_or_else(|| panic!("no counters of {dev}: {records:?}"))
}

#[test]
fn with_privilege_in_a_namespace() {
    inside("privileged", FURNITURE, "");
}

#[test]
fn without_privilege_in_a_namespace() {
    inside("unprivileged", FURNITURE, "setpriv --inh-caps=-all --bounding-set=-all --no-new-privs");
}

#[test]
fn events_are_heard_in_a_namespace() {
    inside("heard", "", "");
}

#[test]
#[ignore = "runs inside the namespace of events_are_heard_in_a_namespace"]
fn heard() {
    let mut taken = Taken::default();
    let mut events = Events::open(&mut taken).unwrap();
    assert!(!events.drain(&mut taken).unwrap(), "nothing has happened yet");
    for mtu in ["1400", "1500"] {
        assert!(Command::new("ip").args(["link", "set", "lo", "mtu", mtu]).status().unwrap().success());
        assert!(events.drain(&mut taken).unwrap(), "the change to {mtu} was not heard");
    }
    assert_eq!((taken.failures.len(), events.losses()), (0, None));
    let files = taken.files();
    let bytes = files.get("state/events.pcapng").unwrap();
    let told: Vec<String> = netlink::read(FileId(0), bytes)
        .records
        .iter()
        .filter_map(|r| match &r.what {
            What::Link(l) if l.name == "lo" && l.source == "ip-monitor" => {
                Some(l.fields.text("mtu").unwrap_or_default().to_owned())
            }
            _ => None,
        })
        .collect();
    assert_eq!(told.first().map(String::as_str), Some("1400"), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("1500"), "{told:?}");
}

#[test]
fn a_sample_of_many_members_is_quick() {
    let many = "for i in $(seq 0 31); do ip link add s$i type veth peer name p$i; done";
    inside("many", many, "");
}

/// Text files that `core` reads today, with the format that it must recognise; every line must be understood.
const TEXTS: &[(&str, &str)] = &[
    ("state/ethtool-S.txt", "ethtool-s"),
    ("state/carrier.txt", "sysfs-net"),
    ("state/softnet_stat.txt", "softnet-stat"),
    ("state/snmp.txt", "proc-net-snmp"),
    ("state/netstat.txt", "proc-net-netstat"),
    ("state/stat.txt", "proc-stat"),
    ("state/loadavg.txt", "loadavg"),
    ("state/softirqs.txt", "proc-interrupts"),
    ("host/version.txt", "uname"),
    ("host/os-release.txt", "os-release"),
    ("host/ethtool-i.txt", "ethtool-i"),
    ("host/ethtool-P.txt", "ethtool-p"),
    ("host/clock.txt", "chrony"),
];

#[test]
#[ignore = "runs inside a namespace, started by another test"]
fn privileged() {
    assert!(std::env::var_os(INSIDE).is_some(), "only inside a namespace");
    let mut taken = Taken::default();
    collect::run(Pace::Once, &target(), &mut taken).unwrap();
    let files = taken.files();
    if let Ok(folder) = std::env::var("BONDWITNESS_TEST_KEEP") {
        for (name, bytes) in &files {
            let path = std::path::Path::new(&folder).join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
    for name in ["links", "stats", "qdiscs", "filters", "addresses", "neighbours", "ethtool"] {
        let name = format!("state/{name}.pcapng");
        let bytes = files.get(&name).unwrap_or_else(|| panic!("{name}: {:?}", taken.failures));
        assert!(bondwitness_core::capture::is_capture(bytes), "{name}");
    }
    assert!(taken.has("state/ethtool.pcapng", "CTRL_CMD_GETFAMILY ethtool"));
    assert!(taken.has("state/ethtool.pcapng", "ETHTOOL_MSG_LINKMODES_GET m0"), "{:?}", taken.failures);
    assert!(taken.has("state/ethtool.pcapng", "ETHTOOL_MSG_LINKSTATE_GET m1"), "{:?}", taken.failures);
    assert!(taken.has("state/filters.pcapng", "RTM_GETTFILTER m0 clsact egress"), "{:?}", taken.sources);
    assert!(taken.has("state/filters.pcapng", "RTM_GETTFILTER m1 ingress"), "{:?}", taken.sources);
    // An `ingress` discipline with filters would answer for clsact as well: it must not be asked.
    assert!(!taken.has("state/filters.pcapng", "RTM_GETTFILTER m1 clsact egress"), "{:?}", taken.sources);
    // The MACVLAN stands on a member of the target: it is asked about too.
    assert!(taken.has("state/filters.pcapng", "RTM_GETTFILTER mac1 root"), "{:?}", taken.sources);
    for (name, format) in TEXTS {
        if *name == "host/os-release.txt" && !files.contains_key(*name) {
            continue;
        }
        let records = records(&files, name, format);
        assert!(records.iter().all(|r| r.time.is_some()), "{name}: without a time");
    }
    values(&files);
    datagrams(&files);
    // What a veth and a privileged process in a namespace must be able to read.
    const NEVER: &[&str] = &[
        "links",
        "stats",
        "qdiscs",
        "filters",
        "chains",
        "multicast",
        "addresses",
        "neighbours",
        "carrier",
        "softnet",
        "snmp",
        "netstat",
        "cpu",
        "softirqs",
        "interrupts",
        "ethtool-driver",
        "host-facts",
        "clock",
    ];
    let unexpected: Vec<_> = taken.failures.iter().filter(|f| NEVER.contains(&f.0.as_str())).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    for f in &taken.failures {
        eprintln!("not read: {f:?}");
    }
    // A sample holds only what is due in each of them, and starts no process (see `COLLECTORS`).
    let mut sample = Taken::default();
    collect::run(Pace::Sample, &target(), &mut sample).unwrap();
    assert!(sample.has("state/links.pcapng", "RTM_GETLINK dump"));
    assert!(sample.has("state/dev_mcast.txt", "/proc/net/dev_mcast"));
    assert!(
        sample.sources.iter().all(|(file, _)| !file.starts_with("host/") && !file.starts_with("config/"))
    );
}

/// The datagrams are what `core` reads as netlink, and say what was furnished.
fn datagrams(files: &BTreeMap<String, Vec<u8>>) {
    let read = |name: &str| {
        let parsed = netlink::read(FileId(0), files.get(name).unwrap());
        assert!(parsed.recognised.contains(&"netlink"), "{name}: {:?}", parsed.recognised);
        parsed.records
    };
    let links = read("state/links.pcapng");
    let up = links.iter().find_map(|r| match &r.what {
        What::Link(l) if l.name == "m1" => Some(l.flags.iter().any(|f| f == "UP")),
        _ => None,
    });
    assert_eq!(up, Some(true), "{links:?}");
    let qdiscs = read("state/qdiscs.pcapng");
    let kinds: BTreeSet<(&str, &str)> = qdiscs
        .iter()
        .filter_map(|r| match &r.what {
            What::Qdisc(q) => Some((q.dev.as_str(), q.kind.as_str())),
            _ => None,
        })
        .collect();
    // The name of an interface is not in these messages: `core` takes it from the links, in another file.
    assert!(
        kinds.iter().any(|(_, k)| *k == "pfifo") && kinds.iter().any(|(_, k)| *k == "clsact"),
        "{qdiscs:?}"
    );
    let filters = read("state/filters.pcapng");
    assert!(
        filters.iter().any(|r| matches!(&r.what, What::Hook(h) if h.point == HookPoint::Egress)),
        "{filters:?}"
    );
    assert!(
        filters.iter().any(|r| matches!(&r.what, What::Hook(h) if h.point == HookPoint::Ingress)),
        "{filters:?}"
    );
    assert!(!read("state/ethtool.pcapng").is_empty());
    assert!(!read("state/addresses.pcapng").is_empty());
    assert!(!read("state/neighbours.pcapng").is_empty());
}

/// Values against those that `ip` prints.
fn values(files: &BTreeMap<String, Vec<u8>>) {
    let ip = |arguments: &[&str]| {
        let out = Command::new("ip").args(arguments).output().unwrap();
        assert!(out.status.success());
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let index = ip(&["-o", "link", "show", "dev", "m0p"]).split(':').next().unwrap().to_owned();
    let stat = records(files, "state/ethtool-S.txt", "ethtool-s");
    // A veth counts the index of its peer.
    let peer = counters(&stat, "m0").entries.iter().find(|c| c.name == "peer_ifindex").unwrap();
    assert_eq!(peer.value.to_string(), index);
    let address = ip(&["-o", "link", "show", "dev", "m1"]);
    let address = address.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let permanent = text(files, "host/ethtool-P.txt");
    let told = permanent.split("==> ethtool -P m1 ").nth(1).unwrap().lines().nth(1).unwrap();
    // A veth has no permanent address; others print theirs.
    assert!(told == "Permanent address: not set" || told.ends_with(&address), "{permanent}");
    let driver = text(files, "host/ethtool-i.txt");
    assert!(
        driver.contains("==> ethtool -i mac1 (ETHTOOL_GDRVINFO) <==\ndriver: macvlan\nversion: "),
        "{driver}"
    );
    let carrier = text(files, "state/carrier.txt");
    assert!(carrier.contains("/sys/class/net/m0/carrier:1\n"), "{carrier}");
    let groups = ip(&["maddr", "show", "dev", "m0"]);
    for group in groups.lines().filter_map(|l| l.trim().strip_prefix("link ")) {
        let group = group.split(' ').next().unwrap().replace(':', "");
        assert!(text(files, "state/dev_mcast.txt").contains(&group), "{group}: {groups}");
    }
}

#[test]
#[ignore = "runs inside a namespace, started by another test"]
fn unprivileged() {
    assert!(std::env::var_os(INSIDE).is_some(), "only inside a namespace");
    let mut taken = Taken::default();
    collect::run(Pace::Once, &target(), &mut taken).unwrap();
    collect::run(Pace::Snapshot, &target(), &mut taken).unwrap();
    // Links, counters and settings are for everyone to read.
    assert!(taken.has("state/links.pcapng", "RTM_GETLINK dump"));
    assert!(taken.has("state/ethtool-S.txt", "ethtool -S m0 (ETHTOOL_GSTATS)"));
    assert!(taken.has("state/ethtool.pcapng", "ETHTOOL_MSG_LINKMODES_GET m0"), "{:?}", taken.failures);
    // What is not is said, with the reason.
    let causes: BTreeMap<&str, v1::Cause> = taken.failures.iter().map(|f| (f.0.as_str(), f.2)).collect();
    assert_eq!(causes.get("nftables"), Some(&v1::Cause::NoPrivilege), "{:?}", taken.failures);
    for (collector, source, why, detail) in &taken.failures {
        assert!(!detail.is_empty() && !source.is_empty(), "{collector}: {why:?}");
        eprintln!("not read: {collector}: {source}: {why:?}: {detail}");
    }
}

#[test]
fn a_sysfs_of_another_namespace_is_not_believed() {
    // No fresh sysfs is mounted here: the one that is there shows the namespace of the test.
    let script = "umount /sys 2>/dev/null || true; ip link add m0 type veth peer name m0p; \
                  ip link add m1 type veth peer name m1p; ip link add mac1 link m0 type macvlan";
    inside("foreign_sysfs", script, "");
}

#[test]
#[ignore = "runs inside a namespace, started by another test"]
fn foreign_sysfs() {
    assert!(std::env::var_os(INSIDE).is_some(), "only inside a namespace");
    assert!(!bondwitness_host::interface::sysfs_is_ours());
    let mut taken = Taken::default();
    collect::run(Pace::Once, &target(), &mut taken).unwrap();
    assert!(!taken.files().contains_key("state/carrier.txt"));
    let said =
        |collector: &str| taken.failures.iter().any(|f| f.0 == collector && f.3.contains("another network"));
    assert!(said("carrier") && said("pcie"), "{:?}", taken.failures);
}

#[test]
#[ignore = "runs inside a namespace, started by another test"]
fn many() {
    assert!(std::env::var_os(INSIDE).is_some(), "only inside a namespace");
    let target =
        Target { bonds: Vec::new(), members: (0..32).map(|n| format!("s{n}")).collect(), path: None };
    let mut spans = Vec::new();
    let mut walls = Vec::new();
    let mut each: BTreeMap<&str, Duration> = BTreeMap::new();
    for _ in 0..20 {
        for collector in COLLECTORS.iter().filter(|c| c.pace == Pace::Sample) {
            let begin = Instant::now();
            (collector.run)(&target, &mut Taken::default()).unwrap();
            let least = each.entry(collector.id).or_insert(Duration::MAX);
            *least = (*least).min(begin.elapsed());
        }
        let mut taken = Taken::default();
        let begin = Instant::now();
        collect::run(Pace::Sample, &target, &mut taken).unwrap();
        walls.push(begin.elapsed());
        let first = taken.windows.iter().map(|w| w.0).min().unwrap();
        let last = taken.windows.iter().map(|w| w.1).max().unwrap();
        spans.push(Duration::from_nanos(u64::try_from(last - first).unwrap()));
    }
    spans.sort();
    walls.sort();
    eprintln!(
        "measured: 32 members, a sample takes {:?} (median), {:?} (least); counters within {:?} (median)",
        walls[10], walls[0], spans[10]
    );
    eprintln!("measured: least of each collector: {each:?}");
    // The machine that runs tests is busy: the best of twenty must keep the goal.
    assert!(spans[0] <= Duration::from_millis(5), "{spans:?}");
}

#[test]
fn collectors_are_told_apart() {
    let mut ids = BTreeSet::new();
    for Collector { id, .. } in COLLECTORS {
        assert!(ids.insert(*id), "{id} twice");
        assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{id}");
    }
    // The most volatile first.
    assert!(COLLECTORS.is_sorted_by_key(|c| c.pace), "{COLLECTORS:?}");
}
