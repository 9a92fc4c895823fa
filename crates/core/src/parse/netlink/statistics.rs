//! `IFLA_STATS64` and `RTM_NEWSTATS`: counters of interfaces, of bonds and of their members.
//!
//! Layouts: `struct rtnl_link_stats64`, `enum IFLA_STATS_*`, `BOND_3AD_STAT_*` in `include/uapi/linux/if_link.h`,
//! `if_bonding.h` (Linux 6.12). The names are those of [`crate::parse::stats64`] and [`crate::parse::xstats`]. A bond's own
//! counters are the sums of its members' (`bond_3ad_stats_fill()`); both stand under the interface that they are of.

use super::{Context, unknown};
use crate::evidence::{Citation, Counter, Counters, Fields, Meaning, Record, What};
use crate::netlink::{Attr, Message};
use crate::parse::{stats64 as named, xstats};

/// The members of `struct rtnl_link_stats64` in order, named as in sysfs. Older kernels have fewer.
const STATS64: [&str; 25] = [
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_errors",
    "tx_errors",
    "rx_dropped",
    "tx_dropped",
    "multicast",
    "collisions",
    "rx_length_errors",
    "rx_over_errors",
    "rx_crc_errors",
    "rx_frame_errors",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_window_errors",
    "rx_compressed",
    "tx_compressed",
    "rx_nohandler",
    "rx_otherhost_dropped",
];

/// The counters of a `struct rtnl_link_stats64`. With a prefix they are parts of others and get no meaning.
pub(super) fn stats64(attr: &Attr<'_>, prefix: &str, at: Citation) -> Vec<Counter> {
    STATS64
        .iter()
        .enumerate()
        .map_while(|(n, name)| Some((name, attr.order.u64_at(attr.value, n * 8)?)))
        .map(|(name, value)| Counter {
            name: format!("{prefix}{name}"),
            value,
            meaning: if prefix.is_empty() { named::meaning(name) } else { Meaning::Other },
            at,
        })
        .collect()
}

/// `IFLA_CARRIER_CHANGES` stands among the counters in `ip -s -s link`.
pub(super) fn carrier_changes(value: u64, at: Citation) -> Counter {
    Counter { name: "carrier_changes".to_owned(), value, meaning: Meaning::Other, at }
}

/// `BOND_3AD_STAT_*` in order.
const BOND_3AD: [&str; 9] = [
    "lacpdu_rx",
    "lacpdu_tx",
    "lacpdu_unknown_rx",
    "lacpdu_illegal_rx",
    "marker_rx",
    "marker_tx",
    "marker_response_rx",
    "marker_response_tx",
    "marker_unknown_rx",
];

/// `RTM_NEWSTATS`.
pub(super) fn read(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    // struct if_stats_msg: family, padding, index, filter mask.
    let Some(index) = m.u32_at(4) else { return false };
    let at = context.at;
    let dev = context.interfaces.name(index);
    let mut fields = Fields::new(xstats::ID, Some(dev.clone()));
    fields.push("ifindex", index.to_string(), at);
    let counters = |out: &mut Vec<Record>, entries: Vec<Counter>| {
        if !entries.is_empty() {
            let dev = Some(dev.clone());
            context.record(out, What::Counters(Counters { source: xstats::ID, dev, entries }));
        }
    };
    for attr in m.attrs(12) {
        match attr.kind {
            // IFLA_STATS_LINK_64
            1 => counters(out, stats64(&attr, "", at)),
            // IFLA_STATS_LINK_XSTATS, of the interface; _XSTATS_SLAVE, of what it is a port of.
            2 | 3 => {
                for kind in attr.attrs() {
                    match kind.kind {
                        // LINK_XSTATS_TYPE_BOND
                        2 => counters(out, bond(&kind, &mut fields, at)),
                        _ => unknown(&mut fields, "xstats.", &kind, at),
                    }
                }
            }
            // IFLA_STATS_LINK_OFFLOAD_XSTATS
            4 => {
                for kind in attr.attrs() {
                    match kind.kind {
                        1 => counters(out, stats64(&kind, "cpu_hit_", at)),
                        _ => unknown(&mut fields, "offload.", &kind, at),
                    }
                }
            }
            5 => unknown(&mut fields, "afstats.", &attr, at),
            _ => unknown(&mut fields, "", &attr, at),
        }
    }
    super::damaged(&mut fields, m.attrs(12), at);
    context.record(out, What::Fields(fields));
    true
}

/// The counters of `BOND_XSTATS_3AD`.
fn bond(attr: &Attr<'_>, fields: &mut Fields, at: Citation) -> Vec<Counter> {
    let mut entries = Vec::new();
    for suite in attr.attrs() {
        if suite.kind != 1 {
            unknown(fields, "bond.", &suite, at);
            continue;
        }
        for a in suite.attrs() {
            match (BOND_3AD.get(usize::from(a.kind)), a.u64()) {
                (Some(name), Some(value)) => {
                    entries.push(Counter {
                        name: (*name).to_owned(),
                        value,
                        meaning: xstats::meaning(name),
                        at,
                    });
                }
                // Padding (BOND_3AD_STAT_PAD) has no value.
                (None, None) => {}
                _ => unknown(fields, "bond.3ad.", &a, at),
            }
        }
    }
    entries
}
