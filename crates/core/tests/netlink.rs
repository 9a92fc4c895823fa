//! What netlink said against what `ip`, `tc` and `ethtool` printed of it, on recordings of real kernels
//! (`netlink_recordings/PROVENANCE.md`): the records must be those of the text, field by field.
#![allow(clippy::disallowed_methods, reason = "a test reads its recordings")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use bondwitness_core::evidence::{FileId, HookPoint, Place, Record, What};
use bondwitness_core::parse::{self, Parsed};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

#[path = "netlink_recordings/built.rs"]
mod built;
#[path = "netlink_recordings/damage.rs"]
mod damage;
#[path = "netlink_recordings/drivers.rs"]
mod drivers;
#[path = "netlink_recordings/numbers.rs"]
mod numbers;

pub(crate) fn recording(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/netlink_recordings").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn capture(name: &str) -> Parsed {
    parse::netlink::read(FileId(0), &recording(name))
}

fn text(name: &str) -> Parsed {
    let p = parse::parse_text(FileId(1), name, &recording(name));
    assert!(p.not_understood.is_empty(), "{name}: the text itself is not understood: {:?}", p.not_understood);
    p
}

/// What a record is about: kind, source, interface (and handle).
type About = (&'static str, String, String);
type Facts = BTreeMap<About, BTreeSet<(String, String)>>;

/// All facts of a file, without order, times and places.
fn facts(records: &[Record]) -> Facts {
    let mut out = Facts::new();
    let squash = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
    for r in records {
        let (about, entries): (About, Vec<(String, String)>) = match &r.what {
            What::Link(l) => {
                let mut e: Vec<_> =
                    l.fields.entries.iter().map(|f| (f.key.clone(), squash(&f.value))).collect();
                e.extend(l.flags.iter().map(|f| ("flag".to_owned(), f.clone())));
                e.extend(l.parent.iter().map(|p| ("parent".to_owned(), p.clone())));
                e.push(("deleted".to_owned(), l.deleted.to_string()));
                (("link", String::new(), l.name.clone()), e)
            }
            What::Counters(c) => {
                let e = c.entries.iter();
                let e = e.map(|c| (c.name.clone(), format!("{} {:?}", c.value, c.meaning))).collect();
                let source = if c.source.starts_with("ip-link") { "ip-link" } else { c.source };
                (("counters", source.to_owned(), c.dev.clone().unwrap_or_default()), e)
            }
            What::Qdisc(q) => {
                let handle = q.fields.text("handle").unwrap_or("").to_owned();
                let mut e: Vec<_> =
                    q.fields.entries.iter().map(|f| (f.key.clone(), squash(&f.value))).collect();
                let numbers = (q.root, q.sent, q.dropped, q.requeues, q.backlog);
                e.push(("numbers".to_owned(), format!("{numbers:?}")));
                (("qdisc", q.kind.clone(), format!("{} {handle}", q.dev)), e)
            }
            What::Hook(h) => {
                let e = vec![
                    ("drops_lacp".to_owned(), h.drops_lacp.to_string()),
                    ("dropped".to_owned(), format!("{:?}", h.dropped)),
                ];
                (("hook", format!("{:?} {}", h.point, h.program), h.dev.clone().unwrap_or_default()), e)
            }
            What::Fields(f) => {
                let e = f.entries.iter().map(|f| (f.key.clone(), squash(&f.value))).collect();
                (("fields", f.source.to_owned(), f.dev.clone().unwrap_or_default()), e)
            }
            other => panic!("{other:?}"),
        };
        out.entry(about).or_default().extend(entries);
    }
    out
}

/// Fields of the text that netlink cannot or need not match: recording, source or kind (a star for any), key, why.
const EXCUSED: &[(&str, &str, &str, &str)] = &[
    (
        "",
        "link",
        "link-netns",
        "the name is that of a file in /run/netns; netlink has the number (link-netnsid)",
    ),
    ("", "link", "bridge_slave.group_fwd_mask_str", "the mask in words; the mask itself is compared"),
    (
        "filter.txt",
        "tc-filter",
        "filter",
        "the first line: wording of the hash table of u32; its parts are compared",
    ),
    ("filter.txt", "tc-filter", "random", "a setting of gact that nobody uses, printed always"),
    ("filter.txt", "tc-filter", "Action", "a heading"),
    ("drivers.json.txt", "ethtool", "Supports Wake-on", "is not collected"),
    ("drivers.json.txt", "ethtool", "Wake-on", "is not collected"),
    ("drivers.json.txt", "ethtool", "current-message-level", "is not collected"),
    ("filter.txt", "tc-filter", "output", "an empty list is no message: the dump's end stands for it"),
];

fn excused(recording: &str, about: &About, key: &str, value: &str) -> bool {
    value == "n/a"
        || EXCUSED.iter().any(|(name, source, k, _)| {
            recording.ends_with(name)
                && (*source == "*" || *source == about.0 || *source == about.1)
                && key == *k
        })
}

/// Every fact of the text must be among those of netlink. Returns how many were compared.
fn compare(name: &str, twin: &Parsed, ours: &Parsed) -> usize {
    let (twin, ours) = (facts(&twin.records), facts(&ours.records));
    let mut missing = Vec::new();
    let mut compared = 0;
    for (about, entries) in &twin {
        for (key, value) in entries {
            if excused(name, about, key, value) {
                continue;
            }
            compared += 1;
            let found = ours.get(about);
            if !found.is_some_and(|f| f.contains(&(key.clone(), value.clone()))) {
                let instead: Vec<_> =
                    found.into_iter().flatten().filter(|(k, _)| k == key).map(|(_, v)| v).collect();
                missing.push(format!("{about:?}: {key} = {value:?}, netlink: {instead:?}"));
            }
        }
    }
    assert!(missing.is_empty(), "{name}: {} of {compared}:\n{}", missing.len(), missing.join("\n"));
    compared
}

fn twins(capture_name: &str, text_name: &str, at_least: usize) {
    let ours = capture(capture_name);
    assert_eq!(ours.recognised, ["netlink"]);
    let compared = compare(text_name, &text(text_name), &ours);
    assert!(compared >= at_least, "{text_name}: only {compared} facts");
}

#[test]
fn links() {
    twins("6.12/link.pcap", "6.12/link.txt", 300);
    twins("6.1/link.pcap", "6.1/link.txt", 300);
}

#[test]
fn addresses() {
    twins("6.12/addr.pcap", "6.12/addr.txt", 100);
}

#[test]
fn neighbours() {
    twins("6.12/neigh.pcap", "6.12/neigh.txt", 8);
}

#[test]
fn queueing_disciplines() {
    twins("6.12/qdisc.pcap", "6.12/qdisc.txt", 100);
    twins("6.1/qdisc.pcap", "6.1/qdisc.txt", 100);
}

#[test]
fn filters() {
    twins("6.12/filter.pcap", "6.12/filter.txt", 30);
    let drops = capture("6.12/filter.pcap")
        .records
        .iter()
        .filter(|r| {
            matches!(&r.what, What::Hook(h) if h.drops_lacp && h.point == HookPoint::Egress
                && h.dev.as_deref() == Some("h1") && h.dropped.is_some_and(|n| n > 0))
        })
        .count();
    assert_eq!(drops, 1, "the one filter that drops LACPDUs");
}

#[test]
fn counters_of_lacpdus() {
    twins("6.12/xstats.pcap", "6.12/xstats.txt", 27);
    twins("6.1/xstats.pcap", "6.1/xstats.txt", 27);
}

#[test]
fn settings() {
    twins("6.12/ethtool-h1.pcap", "6.12/ethtool-h1.txt", 60);
    twins("6.12/ethtool-eth0.pcap", "6.12/ethtool-eth0.txt", 80);
}

#[test]
fn events_in_their_order() {
    let changes = |p: &Parsed| {
        let mut last = BTreeMap::new();
        let mut out = Vec::new();
        for r in &p.records {
            let What::Link(l) = &r.what else { continue };
            if l.source != "ip-monitor" || l.flags.is_empty() {
                continue;
            }
            let state = (
                l.deleted,
                l.flag("LOWER_UP"),
                l.fields.text("state").map(str::to_owned),
                l.fields.text("bond_state").map(str::to_owned),
                l.fields.text("actor_state").map(str::to_owned),
                l.fields.text("partner_state").map(str::to_owned),
            );
            if last.insert(l.name.clone(), state.clone()).as_ref() != Some(&state) {
                out.push((l.name.clone(), state));
            }
        }
        out
    };
    let ours = capture("6.12/events.pcap");
    let (told, printed) = (changes(&ours), changes(&text("6.12/events.txt")));
    assert!(printed.iter().any(|(name, s)| name == "h1" && !s.1), "{printed:?}");
    assert!(printed.iter().any(|(name, s)| name == "d9" && s.0), "{printed:?}");
    assert_eq!(told, printed);
    let frames: Vec<u64> = ours
        .records
        .iter()
        .map(|r| match r.at.place {
            Place::Frame(n) => n,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(frames.windows(2).all(|w| w[0] <= w[1]), "records stand in the order of frames");
    assert!(ours.records.iter().all(|r| r.time.is_some()));
}

#[test]
fn everything_is_understood() {
    for name in ["link", "addr", "neigh", "qdisc", "filter", "xstats", "events"] {
        let p = capture(&format!("6.12/{name}.pcap"));
        let odd: Vec<_> = p
            .records
            .iter()
            .filter(|r| matches!(&r.what, What::Fields(f) if f.source == "netlink"))
            .collect();
        assert!(p.not_understood.is_empty(), "{name}: {} frames: {odd:?}", p.not_understood.len());
    }
}

#[test]
fn lists_of_multicast_addresses_of_proc_are_those_of_ip_maddr() {
    let lists = |p: &Parsed| {
        let mut out = BTreeMap::<String, BTreeSet<String>>::new();
        for r in &p.records {
            if let What::Fields(f) = &r.what
                && f.source == "ip-maddr"
            {
                let links = f.entries.iter().filter(|e| e.key == "link").map(|e| e.value.clone());
                out.entry(f.dev.clone().unwrap_or_default()).or_default().extend(links);
            }
        }
        out.retain(|_, links| !links.is_empty());
        out
    };
    let (proc, ip) = (text("6.12/dev_mcast.txt"), text("6.12/maddr.txt"));
    assert_eq!(proc.recognised, ["proc-net-dev-mcast"]);
    assert_eq!(lists(&proc), lists(&ip));
    assert!(lists(&proc).get("h1").is_some_and(|l| l.contains("01:80:c2:00:00:02")));
    for name in ["6.12/igmp.txt", "6.12/igmp6.txt"] {
        let p = text(name);
        assert_eq!((p.recognised.as_slice(), p.unrecognised.len()), (&["proc-net-igmp"][..], 0), "{name}");
    }
}
