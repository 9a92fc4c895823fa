//! STATS: the standard groups of counters, as `ethtool -S <dev> --groups` prints them.
//!
//! Written by `stats_fill_reply()` in `net/ethtool/stats.c` (Linux 6.12); printed by `parse_grp()` in `netlink/stats.c` of
//! ethtool 6.14 as group, dash, name of the standard (`eth-mac-FrameCheckSequenceErrors`).

use super::{Context, unknown};
use crate::evidence::{Counter, Counters, Fields, Record, What};
use crate::netlink::{Attr, Message};
use crate::parse::counter_meaning::meaning;

const ID: &str = "ethtool-s";

/// Groups by number: name, string set, names of the counters (IEEE 802.3 clause 30, RFC 2819).
const GROUPS: [(&str, u32, &[&str]); 5] = [
    ("eth-phy", 17, &["SymbolErrorDuringCarrier"]),
    (
        "eth-mac",
        18,
        &[
            "FramesTransmittedOK",
            "SingleCollisionFrames",
            "MultipleCollisionFrames",
            "FramesReceivedOK",
            "FrameCheckSequenceErrors",
            "AlignmentErrors",
            "OctetsTransmittedOK",
            "FramesWithDeferredXmissions",
            "LateCollisions",
            "FramesAbortedDueToXSColls",
            "FramesLostDueToIntMACXmitError",
            "CarrierSenseErrors",
            "OctetsReceivedOK",
            "FramesLostDueToIntMACRcvError",
            "MulticastFramesXmittedOK",
            "BroadcastFramesXmittedOK",
            "FramesWithExcessiveDeferral",
            "MulticastFramesReceivedOK",
            "BroadcastFramesReceivedOK",
            "InRangeLengthErrors",
            "OutOfRangeLengthField",
            "FrameTooLongErrors",
        ],
    ),
    (
        "eth-ctrl",
        19,
        &["MACControlFramesTransmitted", "MACControlFramesReceived", "UnsupportedOpcodesReceived"],
    ),
    (
        "rmon",
        20,
        &["etherStatsUndersizePkts", "etherStatsOversizePkts", "etherStatsFragments", "etherStatsJabbers"],
    ),
    ("phydev", 22, &["RxFrames", "RxBytes", "RxErrors", "TxFrames", "TxBytes", "TxErrors"]),
];

/// Reads the groups of a reply. Where a driver counts nothing of a group the reply has no counters.
pub(super) fn groups(m: &Message<'_>, dev: Option<String>, context: &Context<'_>, out: &mut Vec<Record>) {
    let mut entries: Vec<Counter> = Vec::new();
    let mut others = Fields::new(ID, dev.clone());
    for attr in m.attrs(4) {
        match attr.kind {
            // Padding, header, the groups that were asked for; which side of a split MAC counted.
            1..=3 | 5 => {}
            4 => group(&attr, &mut entries, &mut others, context),
            _ => unknown(&mut others, "", &attr, context.at),
        }
    }
    super::damaged(&mut others, m.attrs(4), context.at);
    let empty = entries.is_empty();
    if !empty {
        context.record(out, What::Counters(Counters { source: ID, dev, entries }));
    }
    if empty || !others.entries.is_empty() {
        context.record(out, What::Fields(others));
    }
}

fn group(attr: &Attr<'_>, entries: &mut Vec<Counter>, others: &mut Fields, context: &Context<'_>) {
    let id = attr.attrs().find(2).and_then(|a| a.u32()).unwrap_or(u32::MAX);
    let set = attr.attrs().find(3).and_then(|a| a.u32());
    let known = usize::try_from(id).ok().and_then(|n| GROUPS.get(n));
    let name = known.map_or_else(|| format!("group{id}"), |(name, _, _)| (*name).to_owned());
    let mut push = |name: String, value: u64| {
        entries.push(Counter { meaning: meaning(None, &name), name, value, at: context.at });
    };
    for inner in attr.attrs() {
        match inner.kind {
            1..=3 => {}
            4 => {
                for a in inner.attrs() {
                    let Some(value) = a.u64() else { continue };
                    let n = u32::from(a.kind);
                    let own = set.or_else(|| known.map(|k| k.1)).and_then(|s| context.strings.name(s, n));
                    let word = own
                        .or_else(|| known.and_then(|k| k.2.get(usize::from(a.kind)).copied()))
                        .map_or_else(|| n.to_string(), str::to_owned);
                    push(format!("{name}-{word}"), value);
                }
            }
            // Frames by length: from, to, count.
            5 | 6 => {
                let side = if inner.kind == 5 { "rx" } else { "tx" };
                let number = |kind: u16| inner.attrs().find(kind).and_then(|a| a.u32()).unwrap_or(0);
                let Some(value) = inner.attrs().find(9).and_then(|a| a.u64()) else { continue };
                let range = match (number(7), number(8)) {
                    (0, to) => format!("{to}"),
                    (from, 0) => format!("{from}toMax"),
                    (from, to) => format!("{from}to{to}"),
                };
                push(format!("{side}-{name}-etherStatsPkts{range}Octets"), value);
            }
            _ => unknown(others, "", &inner, context.at),
        }
    }
}
