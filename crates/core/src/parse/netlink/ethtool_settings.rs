//! Features, rings, channels, coalescing, pause, FEC and time stamps.
//!
//! Words: `netlink/features.c`, `rings.c`, `channels.c`, `coalesce.c`, `pause.c`, `fec.c`, `tsinfo.c` of ethtool 6.14; numbers:
//! `include/uapi/linux/ethtool_netlink.h` (Linux 6.12).

use super::bitset::Bits;
use super::ethtool::Strings;
use super::ethtool_link::mode_name;
use super::{Context, damaged, unknown};
use crate::evidence::{Counter, Counters, Fields, Meaning, Record, What};
use crate::netlink::{Attr, Message, names};
use crate::parse::counter_meaning::meaning;

const ON_OFF: [&str; 2] = ["off", "on"];

/// Attributes with one number each: attribute, key, and whether it is a switch.
type Row = (u16, &'static str, bool);

fn table(m: &Message<'_>, mut fields: Fields, rows: &[Row], context: &Context<'_>) -> Fields {
    for attr in m.attrs(4) {
        match (rows.iter().find(|r| r.0 == attr.kind), attr.number()) {
            _ if attr.kind == 1 => {}
            (Some((_, key, true)), Some(n)) => fields.push(*key, names::of(&ON_OFF, n), context.at),
            (Some((_, key, false)), Some(n)) => fields.push(*key, n.to_string(), context.at),
            _ => unknown(&mut fields, "", &attr, context.at),
        }
    }
    damaged(&mut fields, m.attrs(4), context.at);
    fields
}

/// A message of which the attributes are kept as octets.
pub(super) fn kept(m: &Message<'_>, fields: Fields, context: &Context<'_>) -> Fields {
    table(m, fields, &[], context)
}

/// `ethtool -g`.
pub(super) fn rings(m: &Message<'_>, fields: Fields, context: &Context<'_>) -> Fields {
    const ROWS: [Row; 17] = [
        (2, "Pre-set maximums: RX", false),
        (3, "Pre-set maximums: RX Mini", false),
        (4, "Pre-set maximums: RX Jumbo", false),
        (5, "Pre-set maximums: TX", false),
        (6, "RX", false),
        (7, "RX Mini", false),
        (8, "RX Jumbo", false),
        (9, "TX", false),
        (10, "RX Buf Len", false),
        (11, "TCP data split", false),
        (12, "CQE Size", false),
        (13, "TX Push", true),
        (14, "RX Push", true),
        (15, "TX push buff len", false),
        (16, "Pre-set maximums: TX push buff len", false),
        (17, "HDS thresh", false),
        (18, "Pre-set maximums: HDS thresh", false),
    ];
    let mut fields = table(m, fields, &ROWS, context);
    if let Some(f) = fields.entries.iter_mut().find(|f| f.key == "TCP data split") {
        f.value = match f.value.as_str() {
            "1" => "off",
            "2" => "on",
            _ => "n/a",
        }
        .to_owned();
    }
    fields
}

/// `ethtool -l`.
pub(super) fn channels(m: &Message<'_>, fields: Fields, context: &Context<'_>) -> Fields {
    const ROWS: [Row; 8] = [
        (2, "Pre-set maximums: RX", false),
        (3, "Pre-set maximums: TX", false),
        (4, "Pre-set maximums: Other", false),
        (5, "Pre-set maximums: Combined", false),
        (6, "RX", false),
        (7, "TX", false),
        (8, "Other", false),
        (9, "Combined", false),
    ];
    table(m, fields, &ROWS, context)
}

/// `ethtool -c`.
pub(super) fn coalescing(m: &Message<'_>, fields: Fields, context: &Context<'_>) -> Fields {
    const ROWS: [Row; 27] = [
        (2, "rx-usecs", false),
        (3, "rx-frames", false),
        (4, "rx-usecs-irq", false),
        (5, "rx-frames-irq", false),
        (6, "tx-usecs", false),
        (7, "tx-frames", false),
        (8, "tx-usecs-irq", false),
        (9, "tx-frames-irq", false),
        (10, "stats-block-usecs", false),
        (11, "Adaptive RX", true),
        (12, "Adaptive TX", true),
        (13, "pkt-rate-low", false),
        (14, "rx-usecs-low", false),
        (15, "rx-frame-low", false),
        (16, "tx-usecs-low", false),
        (17, "tx-frame-low", false),
        (18, "pkt-rate-high", false),
        (19, "rx-usecs-high", false),
        (20, "rx-frame-high", false),
        (21, "tx-usecs-high", false),
        (22, "tx-frame-high", false),
        (23, "sample-interval", false),
        (24, "CQE mode TX", true),
        (25, "CQE mode RX", true),
        (26, "tx-aggr-max-bytes", false),
        (27, "tx-aggr-max-frames", false),
        (28, "tx-aggr-time-usecs", false),
    ];
    table(m, fields, &ROWS, context)
}

/// `ethtool -I -a`.
pub(super) fn pause(m: &Message<'_>, mut fields: Fields, context: &Context<'_>, out: &mut Vec<Record>) {
    let mut entries = Vec::new();
    for attr in m.attrs(4) {
        let n = attr.number().unwrap_or(0);
        match attr.kind {
            1 => {}
            2 => fields.push("Autonegotiate", names::of(&ON_OFF, n), context.at),
            3 => fields.push("RX", names::of(&ON_OFF, n), context.at),
            4 => fields.push("TX", names::of(&ON_OFF, n), context.at),
            5 => {
                for (kind, name) in [(2, "tx_pause_frames"), (3, "rx_pause_frames")] {
                    if let Some(value) = attr.attrs().find(kind).and_then(|a| a.u64()) {
                        let meaning = meaning(None, name);
                        entries.push(Counter { name: name.to_owned(), value, meaning, at: context.at });
                    }
                }
            }
            6 => fields.push("Statistics source", n.to_string(), context.at),
            _ => unknown(&mut fields, "", &attr, context.at),
        }
    }
    finish(m, fields, entries, context, out);
}

/// Counters first, as the listings lead to them.
fn finish(
    m: &Message<'_>,
    mut fields: Fields,
    entries: Vec<Counter>,
    context: &Context<'_>,
    out: &mut Vec<Record>,
) {
    damaged(&mut fields, m.attrs(4), context.at);
    if !entries.is_empty() {
        let counters = Counters { source: fields.source, dev: fields.dev.clone(), entries };
        context.record(out, What::Counters(counters));
    }
    context.record(out, What::Fields(fields));
}

/// `ethtool -I --show-fec`.
pub(super) fn fec(m: &Message<'_>, mut fields: Fields, context: &Context<'_>, out: &mut Vec<Record>) {
    let mut entries = Vec::new();
    let auto = m.attrs(4).find(3).and_then(|a| a.u8()).is_some_and(|n| n != 0);
    for attr in m.attrs(4) {
        match attr.kind {
            1 | 3 => {}
            2 => {
                let bits = Bits::read(&attr);
                let mut list: Vec<String> = if auto { vec!["Auto".to_owned()] } else { Vec::new() };
                list.extend(bits.chosen(false).map(|(n, own)| mode_name(n, own, context.strings)));
                let text = if list.is_empty() { "None".to_owned() } else { list.join(" ") };
                fields.push("Supported/Configured FEC encodings", text, context.at);
            }
            4 => {
                let text = mode_name(attr.u32().unwrap_or(u32::MAX), None, context.strings);
                fields.push("Active FEC encoding", text, context.at);
            }
            5 => fec_counters(&mut entries, &attr, context),
            _ => unknown(&mut fields, "", &attr, context.at),
        }
    }
    finish(m, fields, entries, context, out);
}

/// `ETHTOOL_A_FEC_STAT_*`: each an array, of which the first is the sum and the rest are the lanes.
fn fec_counters(entries: &mut Vec<Counter>, attr: &Attr<'_>, context: &Context<'_>) {
    for (kind, name) in [(2, "corrected_blocks"), (3, "uncorrectable_blocks"), (4, "corrected_bits")] {
        let Some(array) = attr.attrs().find(kind) else { continue };
        for n in 0..array.value.len() / 8 {
            let Some(value) = array.order.u64_at(array.value, n * 8) else { break };
            let (name, meaning) = match n.checked_sub(1) {
                None => (name.to_owned(), meaning(None, name)),
                // The lanes add up to the sum: no meaning of their own.
                Some(lane) => (format!("{name} lane {lane}"), Meaning::Other),
            };
            entries.push(Counter { name, value, meaning, at: context.at });
        }
    }
}

/// `ethtool -T`.
pub(super) fn time_stamps(m: &Message<'_>, mut fields: Fields, context: &Context<'_>) -> Fields {
    const CAPABILITIES: [&str; 7] = [
        "hardware-transmit",
        "software-transmit",
        "hardware-receive",
        "software-receive",
        "software-system-clock",
        "hardware-legacy-clock",
        "hardware-raw-clock",
    ];
    const TRANSMIT: [&str; 4] = ["off", "on", "onestep-sync", "onestep-p2p"];
    const RECEIVE: [&str; 15] = [
        "none",
        "all",
        "some",
        "ptpv1-l4-event",
        "ptpv1-l4-sync",
        "ptpv1-l4-delay-req",
        "ptpv2-l4-event",
        "ptpv2-l4-sync",
        "ptpv2-l4-delay-req",
        "ptpv2-l2-event",
        "ptpv2-l2-sync",
        "ptpv2-l2-delay-req",
        "ptpv2-event",
        "ptpv2-sync",
        "ptpv2-delay-req",
    ];
    let all = m.attrs(4);
    let list = |kind: u16, set: u32, words: &[&str]| {
        let names: Vec<String> = all.find(kind).map_or_else(Vec::new, |a| {
            Bits::read(&a)
                .chosen(false)
                .map(|(n, own)| {
                    own.or_else(|| context.strings.name(set, n))
                        .map_or_else(|| names::of(words, u64::from(n)), str::to_owned)
                })
                .collect()
        });
        if names.is_empty() { "none".to_owned() } else { names.join(" ") }
    };
    let at = context.at;
    fields.push("Capabilities", list(2, 12, &CAPABILITIES), at);
    let clock = all.find(5).and_then(|a| a.u32()).map_or_else(|| "none".to_owned(), |n| n.to_string());
    fields.push("PTP Hardware Clock", clock, at);
    fields.push("Hardware Transmit Timestamp Modes", list(3, 13, &TRANSMIT), at);
    fields.push("Hardware Receive Filter Modes", list(4, 14, &RECEIVE), at);
    for attr in all.filter(|a| a.kind > 5) {
        unknown(&mut fields, "", &attr, at);
    }
    damaged(&mut fields, all, at);
    fields
}

/// Old names of `ethtool -k`, and the features of the kernel that each stands for (`off_flag_def` in `ethtool.c`). A star
/// stands for any text.
const GROUPS: [(&str, &str); 12] = [
    ("rx-checksumming", "rx-checksum"),
    ("tx-checksumming", "tx-checksum-*"),
    ("scatter-gather", "tx-scatter-gather*"),
    ("tcp-segmentation-offload", "tx-tcp*-segmentation"),
    ("udp-fragmentation-offload", "tx-udp-fragmentation"),
    ("generic-segmentation-offload", "tx-generic-segmentation"),
    ("generic-receive-offload", "rx-gro"),
    ("large-receive-offload", "rx-lro"),
    ("rx-vlan-offload", "rx-vlan-hw-parse"),
    ("tx-vlan-offload", "tx-vlan-hw-insert"),
    ("ntuple-filters", "rx-ntuple-filter"),
    ("receive-hashing", "rx-hashing"),
];

fn fits(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((begin, end)) => {
            name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
        }
    }
}

/// `ethtool -k`: what the hardware can change, what is wanted, what is on, what never changes.
pub(super) fn features(m: &Message<'_>, mut fields: Fields, context: &Context<'_>) -> Fields {
    let at = context.at;
    let set = |kind: u16| m.attrs(4).find(kind).map(|a| Bits::read(&a)).unwrap_or_default();
    let (hardware, wanted, active, fixed) = (set(2), set(3), set(4), set(5));
    // Names stand in the reply, or in the list that was asked for beside it.
    let mut all: std::collections::BTreeMap<u32, String> =
        context.strings.all(Strings::FEATURES).map(|(n, s)| (n, s.to_owned())).collect();
    for bits in [&hardware, &wanted, &active, &fixed] {
        for (n, own) in bits.chosen(true) {
            if let Some(name) = own {
                all.insert(n, name.to_owned());
            } else {
                all.entry(n).or_insert_with(|| format!("bit {n}"));
            }
        }
    }
    all.retain(|_, name| !name.is_empty());
    let value = |n: u32| {
        let word = if active.set(n) { "on" } else { "off" };
        let suffix = if fixed.set(n) || !hardware.set(n) {
            " [fixed]"
        } else if active.set(n) == wanted.set(n) {
            ""
        } else if wanted.set(n) {
            " [requested on]"
        } else {
            " [requested off]"
        };
        format!("{word}{suffix}")
    };
    let mut shown = std::collections::BTreeSet::new();
    for (group, pattern) in GROUPS {
        let members: Vec<(u32, &String)> =
            all.iter().filter(|(_, name)| fits(name, pattern)).map(|(n, s)| (*n, s)).collect();
        match members.as_slice() {
            [] => {}
            [(n, _)] => {
                fields.push(group, value(*n), at);
                shown.insert(*n);
            }
            several => {
                let on = several.iter().any(|(n, _)| active.set(*n));
                fields.push(group, if on { "on" } else { "off" }, at);
                for (n, name) in several {
                    fields.push(name.as_str(), value(*n), at);
                    shown.insert(*n);
                }
            }
        }
    }
    for (n, name) in all.iter().filter(|(n, _)| !shown.contains(n)) {
        fields.push(name.as_str(), value(*n), at);
    }
    for attr in m.attrs(4).filter(|a| a.kind > 5) {
        unknown(&mut fields, "", &attr, at);
    }
    damaged(&mut fields, m.attrs(4), at);
    fields
}
