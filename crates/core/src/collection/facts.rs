//! What `case.json` tells the case: the host, the clocks, what a capture lost, and what could not be read.
//!
//! The file is evidence like every other: it is recognised by its content, cited by line, and believed as far as it goes.
//! A tap that lost frames, or that did not look at one direction, must not make a silence out of it.

use super::spool;
use super::v1::{self, Cause, Collection, SCHEMA};
use crate::case::Case;
use crate::domain::FaultDomain as D;
use crate::evidence::{Citation, Fields, FileId, Record, Text, What};
use crate::finding::Need;
use crate::parse::Parsed;
use std::collections::BTreeMap;

/// The format id of `case.json`.
pub const COLLECTION: &str = "bondwitness-collection";
/// The format id of `readings.txt`.
pub const READINGS_FORMAT: &str = "bondwitness-readings";

/// Files that are larger than this are none of ours.
const MAX: usize = 16 * 1024 * 1024;
/// Sources that are named in one gap.
const NAMED: usize = 4;

/// Reads `case.json` or `readings.txt`; none if the bytes are neither.
#[must_use]
pub fn read(file: FileId, bytes: &[u8]) -> Option<(Parsed, Option<Collection>)> {
    if bytes.starts_with(spool::READINGS_HEAD.as_bytes()) {
        // An index of what the other files hold: nothing in it is a fact of its own.
        let lines = Text::new(file, bytes).lines.iter().filter(|l| !l.is_blank()).count() as u64;
        return Some((parsed(READINGS_FORMAT, lines, Vec::new()), None));
    }
    if bytes.len() > MAX || bytes.first() != Some(&b'{') {
        return None;
    }
    let collection: Collection =
        serde_json::from_slice(bytes).ok().filter(|c: &Collection| c.schema == SCHEMA)?;
    let text = Text::new(file, bytes);
    let lines = text.lines.iter().filter(|l| !l.is_blank()).count() as u64;
    let place = |key: &str| {
        let key = format!("\"{key}\":");
        let line = text.lines.iter().find(|l| l.trimmed().starts_with(&key));
        line.map_or(Citation::whole(file), crate::evidence::Line::cite)
    };
    let mut fields = Fields::new(COLLECTION, None);
    let host = &collection.host;
    for (key, value) in [("hostname", &host.hostname), ("kernel", &host.kernel), ("boot_id", &host.boot_id)] {
        if !value.is_empty() {
            fields.push(key, value.as_str(), place(key));
        }
    }
    let records = vec![Record { at: place("host"), time: None, what: What::Fields(fields) }];
    Some((parsed(COLLECTION, lines, records), Some(collection)))
}

fn parsed(format: &'static str, typed: u64, records: Vec<Record>) -> Parsed {
    Parsed {
        recognised: vec![format],
        records,
        typed,
        per_format: BTreeMap::from([(format, (typed, 0))]),
        ..Parsed::default()
    }
}

/// What is known of the capture that a file holds. Several captures of an interface that came and went share a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tap {
    /// When the first one began and the last one ended, if there was one only: between two nothing was seen.
    pub span: Option<(i64, i64)>,
    /// Frames lost.
    pub lost: u64,
    /// Whether sent frames were captured.
    pub outgoing: bool,
}

/// What the collection that a capture file belongs to says of it.
#[must_use]
pub fn tap(case: &Case, file: FileId) -> Option<Tap> {
    let path = case.path(file);
    case.collections.iter().find_map(|(at, collection)| {
        let folder = case.path(*at).strip_suffix(v1::FILE)?;
        let path = path.strip_prefix(folder)?;
        let captures: Vec<&v1::Capture> =
            collection.captures.iter().filter(|c| spool::safe_path(&c.file) == path).collect();
        let first = captures.first()?;
        let span = (first.from_ns, first.to_ns);
        Some(Tap {
            span: (captures.len() == 1 && span.0 > 0 && span.1 > span.0).then_some(span),
            lost: captures.iter().map(|c| c.lost).fold(0, u64::saturating_add),
            outgoing: captures.iter().all(|c| c.outgoing),
        })
    })
}

/// The wall clock less the clock of the kernel log, and how wrong that may be, in nanoseconds.
///
/// `printk` stamps with `local_clock()`, which counts like `CLOCK_MONOTONIC` from boot without sleep, but is not
/// disciplined (kernel/printk/printk.c, kernel/sched/clock.c): since boot it may have drifted by some 50 parts in a
/// million.
#[must_use]
pub fn boot_offset(case: &Case) -> Option<(i64, i64, usize)> {
    let [(_, collection)] = case.collections.as_slice() else { return None };
    let offsets = || collection.clocks.iter().map(|c| c.real_ns.saturating_sub(c.monotonic_ns));
    let (low, high) = (offsets().min()?, offsets().max()?);
    // The wall clock was set meanwhile: which of the two a line belongs to cannot be told.
    if high.saturating_sub(low) > 5_000_000_000 {
        return None;
    }
    let within = collection.clocks.iter().map(|c| c.within_ns.max(0)).max()?;
    let up = collection.clocks.iter().map(|c| c.monotonic_ns).max()?;
    let slept = collection.clocks.iter().map(|c| c.boot_ns.saturating_sub(c.monotonic_ns)).max()?.max(0);
    // Lines from before a sleep are that much older than they seem.
    let error = (high - low) / 2 + within + slept + up.max(0) / 20_000 + 1_000_000;
    Some((low + (high - low) / 2, error, collection.clocks.len()))
}

/// What a collector's failure matters for, and how its evidence is had.
struct Row {
    /// Collectors, as the first words of their names.
    collectors: &'static [&'static str],
    matters_for: &'static [D],
    /// What has to be granted.
    grant: &'static str,
    /// How to get it another way.
    else_by: &'static str,
}

const CAPTURE_DOMAINS: &[D] =
    &[D::SwitchControlPlane, D::HostStarvation, D::HostConfig, D::Physical, D::Mlag];

/// The first row that fits counts.
const ROWS: &[Row] = &[
    Row {
        collectors: &["capture"],
        matters_for: CAPTURE_DOMAINS,
        grant: "CAP_NET_RAW",
        else_by: "timeout 150 tcpdump -p -i MEMBER -w MEMBER.pcap ether proto 0x8809, on each member",
    },
    Row {
        collectors: &["kernel-log", "kmsg", "journal"],
        matters_for: &[D::HostDriverFirmware, D::HostConfig, D::Physical],
        grant: "CAP_SYSLOG",
        else_by: "journalctl -k -b -o short-iso-precise, or dmesg",
    },
    Row {
        collectors: &["stats", "xstats"],
        matters_for: &[D::SwitchControlPlane, D::HostStarvation, D::HostDriverFirmware],
        grant: "CAP_NET_ADMIN",
        else_by: "ip stats show, at the begin and the end",
    },
    Row {
        collectors: &["ethtool-stats", "ethtool-phy", "carrier"],
        matters_for: &[D::Physical, D::HostDriverFirmware, D::HostStarvation],
        grant: "CAP_NET_ADMIN",
        else_by: "ethtool -S MEMBER, at the begin and the end",
    },
    Row {
        collectors: &["module"],
        matters_for: &[D::Physical],
        grant: "CAP_NET_ADMIN",
        else_by: "ethtool -m MEMBER; the switch shows the other end's optical power",
    },
    Row {
        collectors: &["pcie"],
        matters_for: &[D::HostDriverFirmware],
        grant: "CAP_SYS_ADMIN",
        else_by: "lspci -vvv as root",
    },
    Row {
        collectors: &["ethtool"],
        matters_for: &[D::Physical, D::HostConfig, D::HostDriverFirmware],
        grant: "CAP_NET_ADMIN",
        else_by: "ethtool MEMBER, ethtool -i MEMBER",
    },
    Row {
        collectors: &["softnet", "softirq", "interrupts", "psi", "cpu", "proc-stat", "load"],
        matters_for: &[D::HostStarvation],
        grant: "nothing but a readable /proc",
        else_by: "cat /proc/net/softnet_stat /proc/pressure/cpu /proc/stat, at the begin and the end",
    },
    Row {
        collectors: &["filters", "chains", "programs", "nft", "xdp", "bpf", "qdisc"],
        matters_for: &[D::HostConfig, D::VlanTxPath],
        grant: "CAP_NET_ADMIN (and CAP_BPF for programs)",
        else_by: "tc -s qdisc; tc -s filter show dev MEMBER ingress; nft list ruleset; bpftool net",
    },
    Row {
        collectors: &["multicast"],
        matters_for: &[D::HostConfig, D::HostDriverFirmware],
        grant: "nothing but a readable /proc",
        else_by: "ip maddr show",
    },
    Row {
        collectors: &["managers", "config"],
        matters_for: &[D::HostConfig],
        grant: "CAP_DAC_READ_SEARCH",
        else_by: "the network configuration of the host, as files",
    },
    Row {
        collectors: &["proc-bonding", "sysfs-bonding", "links", "bonds"],
        matters_for: &[D::HostConfig, D::SwitchConfig, D::SwitchControlPlane, D::Mlag],
        grant: "CAP_NET_ADMIN",
        else_by: "cat /proc/net/bonding/BOND as root",
    },
];

/// For a collector that no row knows: what a missing reading can always matter for.
const ANY: Row = Row {
    collectors: &[],
    matters_for: &[D::HostConfig, D::HostDriverFirmware],
    grant: "root",
    else_by: "the same reading by hand",
};

fn row(collector: &str) -> &'static Row {
    ROWS.iter().find(|r| r.collectors.iter().any(|c| collector.starts_with(c))).unwrap_or(&ANY)
}

/// What collections say that they could not see.
pub(crate) fn needs(case: &Case) -> Vec<Need> {
    let mut needs = Vec::new();
    for c in case.captures.iter().filter(|c| c.capture.totals.lost > 0 && tap(case, c.file).is_none()) {
        needs.push(Need {
            what: format!(
                "{} packets that the capture {} lost, so its silences show nothing",
                c.capture.totals.lost,
                case.path(c.file)
            ),
            why: "lost",
            matters_for: CAPTURE_DOMAINS.to_vec(),
            fix: "capture slow protocols only, with a larger buffer: tcpdump -p -B 16384 -i MEMBER ether proto 0x8809"
                .to_owned(),
        });
    }
    for (_, collection) in &case.collections {
        failures(collection, &mut needs);
        for loss in &collection.losses {
            let count = loss.count.map_or_else(|| "some".to_owned(), |n| n.to_string());
            needs.push(Need {
                what: format!("{count} records of the {}: {}", loss.stream, loss.detail),
                why: "lost",
                matters_for: if loss.stream.contains("log") {
                    vec![D::HostDriverFirmware, D::HostConfig, D::Physical]
                } else {
                    vec![D::HostConfig, D::Physical]
                },
                fix: "collect again while it is quieter; what was lost is gone from the kernel".to_owned(),
            });
        }
        for capture in collection.captures.iter().filter(|c| c.lost > 0) {
            needs.push(Need {
                what: format!(
                    "{} of {} frames on {}: the capture lost them, so its silences show nothing",
                    capture.lost, capture.seen, capture.dev
                ),
                why: "lost",
                matters_for: CAPTURE_DOMAINS.to_vec(),
                fix: "collect again; if it repeats, something floods this wire with slow-protocol frames"
                    .to_owned(),
            });
        }
    }
    needs
}

fn failures(collection: &Collection, needs: &mut Vec<Need>) {
    let mut by: BTreeMap<(&str, Cause, &str), Vec<&str>> = BTreeMap::new();
    for f in &collection.failures {
        by.entry((&f.collector, f.why, &f.detail)).or_default().push(&f.source);
    }
    for ((collector, why, detail), mut sources) in by {
        sources.sort_unstable();
        sources.dedup();
        let row = row(collector);
        let more = sources.len().saturating_sub(NAMED);
        let mut what = sources.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        if more > 0 {
            what = format!("{what} and {more} more");
        }
        needs.push(Need {
            what: format!("{what} ({detail})"),
            why: why.words(),
            matters_for: row.matters_for.to_vec(),
            fix: match why {
                Cause::NoPrivilege => {
                    format!("run it as root, or with {}; by hand: {}", row.grant, row.else_by)
                }
                Cause::Absent => format!("this host does not have it; another way: {}", row.else_by),
                Cause::Timeout => {
                    format!("the driver or firmware did not answer in time; by hand: {}", row.else_by)
                }
                Cause::Lost => format!("collect again; by hand: {}", row.else_by),
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_tells_the_host_and_what_it_could_not_see() {
        let collection = Collection {
            schema: SCHEMA.to_owned(),
            host: v1::Host { hostname: "db01".into(), kernel: "6.12".into(), ..v1::Host::default() },
            failures: ["eno1", "eno2", "eno3", "eno4", "eno5"]
                .map(|dev| v1::Failure {
                    source: format!("ethtool -m {dev}"),
                    collector: "module-eeprom".into(),
                    why: Cause::NoPrivilege,
                    detail: "operation not permitted".into(),
                    times: 2,
                })
                .to_vec(),
            ..Collection::default()
        };
        let bytes = serde_json::to_vec_pretty(&collection).unwrap();
        let (parsed, read) = read(FileId(0), &bytes).unwrap();
        assert_eq!(read.as_ref(), Some(&collection));
        assert_eq!(parsed.recognised, [COLLECTION]);
        let What::Fields(fields) = &parsed.records[0].what else { panic!("no fields") };
        assert_eq!(fields.text("hostname"), Some("db01"));
        assert_eq!(fields.text("boot_id"), None);
        let case = Case { collections: vec![(FileId(0), collection)], ..Case::default() };
        let [need] = needs(&case).try_into().unwrap();
        assert_eq!(need.why, "no privilege");
        assert_eq!(need.matters_for, [D::Physical]);
        assert!(need.what.contains("ethtool -m eno1") && need.what.contains("and 1 more"), "{}", need.what);
        assert!(need.fix.contains("CAP_NET_ADMIN"), "{}", need.fix);
    }

    #[test]
    fn what_is_no_collection_is_left_to_others() {
        for text in
            ["", "{", "{}", "{\"schema\": \"bondwitness/verdict/v1\"}", "Ethernet Channel Bonding Driver"]
        {
            assert!(read(FileId(0), text.as_bytes()).is_none(), "{text}");
        }
    }
}
