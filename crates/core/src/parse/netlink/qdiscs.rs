//! `RTM_NEWQDISC`, `RTM_DELQDISC`: queueing disciplines, as `tc -s -d qdisc` prints them.
//!
//! Filled by `tc_fill_qdisc()` in `net/sched/sch_api.c` (Linux 6.12); printed by `print_qdisc()` in `tc/tc_qdisc.c` and
//! `print_tcstats2_attr()` in `tc/tc_util.c` (iproute2 6.15).

use super::{Context, qdisc_options, unknown};
use crate::evidence::{Citation, Fields, Qdisc, Record, What};
use crate::netlink::{Attr, Message};

const ID: &str = "tc-qdisc";

/// `TC_H_ROOT`.
const ROOT: u32 = u32::MAX;

pub(super) fn read(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    // struct tcmsg: family, padding, index, handle, parent, info.
    let (Some(index), Some(handle), Some(parent), Some(info)) =
        (m.u32_at(4), m.u32_at(8), m.u32_at(12), m.u32_at(16))
    else {
        return false;
    };
    let at = context.at;
    let dev = context.interfaces.name(index);
    let kind = m.attrs(20).find(1).map(|a| a.text()).unwrap_or_default();
    let mut fields = Fields::new(ID, Some(dev.clone()));
    fields.push("handle", format!("{:x}:", handle >> 16), at);
    if context.deleted {
        fields.push("deleted", "", at);
    }
    if parent == ROOT {
        fields.push("root", "", at);
    } else if parent != 0 {
        fields.push("parent", class_id(parent), at);
    }
    // Ingress and clsact have one user; the count of others is printed if it is not 1.
    if info != 1 {
        fields.push("refcnt", info.to_string(), at);
    }
    let mut totals = Totals::default();
    let whole = m.attrs(20);
    for attr in whole {
        match attr.kind {
            // The kind; struct tc_stats, which STATS2 repeats; padding; a mark without a value.
            1 | 3 | 9 | 10 => {}
            2 => qdisc_options::options(&kind, &mut fields, &attr, at),
            4 => {
                // STATS2 repeats it as its APP part.
                if whole.find(7).is_none() {
                    qdisc_options::statistics(&kind, &mut fields, &attr, at);
                }
            }
            7 => totals = stats2(&kind, &mut fields, &attr, at),
            12 => {
                if attr.u8() != Some(0) {
                    fields.push("offloaded", "", at);
                }
            }
            13 => block(&mut fields, "ingress_block", &attr, at),
            14 => block(&mut fields, "egress_block", &attr, at),
            _ => unknown(&mut fields, "", &attr, at),
        }
    }
    super::damaged(&mut fields, whole, at);
    context.record(
        out,
        What::Qdisc(Qdisc {
            dev,
            kind,
            root: parent == ROOT,
            sent: totals.packets,
            dropped: totals.dropped,
            requeues: totals.requeues,
            backlog: totals.backlog,
            fields,
        }),
    );
    true
}

fn block(fields: &mut Fields, key: &str, attr: &Attr<'_>, at: Citation) {
    fields.push(key, attr.u32().unwrap_or(0).to_string(), at);
}

/// A class or the parent of a qdisc as `tc` prints it: `:1`, `ffff:fff1`, `8001:`.
pub(super) fn class_id(id: u32) -> String {
    match (id >> 16, id & 0xffff) {
        (0, minor) => format!(":{minor:x}"),
        (major, 0) => format!("{major:x}:"),
        (major, minor) => format!("{major:x}:{minor:x}"),
    }
}

/// What `TCA_STATS2` counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) packets: u64,
    pub(super) dropped: u64,
    pub(super) requeues: u64,
    pub(super) backlog: u64,
}

/// `TCA_STATS2` and the like of an action: the lines `Sent` and `backlog`.
pub(super) fn stats2(kind: &str, fields: &mut Fields, attr: &Attr<'_>, at: Citation) -> Totals {
    let mut totals = Totals::default();
    let inside = attr.attrs();
    // TCA_STATS_BASIC: octets (8), packets (4); TCA_STATS_PKT64 has more digits.
    if let Some(basic) = inside.find(1) {
        let octets = basic.u64().unwrap_or(0);
        let narrow = basic.order.u32_at(basic.value, 8).map(u64::from);
        totals.packets = inside.find(8).and_then(|a| a.u64()).or(narrow).unwrap_or(0);
        fields.push("bytes", octets.to_string(), at);
        fields.push("packets", totals.packets.to_string(), at);
    }
    // TCA_STATS_QUEUE: length, octets waiting, drops, requeues, overlimits.
    if let Some(queue) = inside.find(3) {
        let number = |n: usize| queue.order.u32_at(queue.value, n * 4).unwrap_or(0);
        totals.backlog = u64::from(number(0));
        totals.dropped = u64::from(number(2));
        totals.requeues = u64::from(number(3));
        fields.push("dropped", number(2).to_string(), at);
        fields.push("overlimits", number(4).to_string(), at);
        fields.push("requeues", number(3).to_string(), at);
        fields.push("backlog", format!("{} {}p", size(number(1)), number(0)), at);
    }
    for a in inside {
        match a.kind {
            // Read above; the estimated rates are those of a class; padding.
            1 | 3 | 6 | 8 => {}
            4 => qdisc_options::statistics(kind, fields, &a, at),
            7 => fields.push("hardware bytes", a.u64().unwrap_or(0).to_string(), at),
            _ => unknown(fields, "stats.", &a, at),
        }
    }
    totals
}

/// A number of octets as `tc` prints it (`sprint_size()`): in units of 1,024 where that comes out almost even.
pub(super) fn size(octets: u32) -> String {
    let value = f64::from(octets);
    for (unit, name, off) in [(1024.0 * 1024.0, "Mb", 1024.0), (1024.0, "Kb", 16.0)] {
        let whole = (value / unit + 0.5).floor();
        if value >= unit && (unit * whole - value).abs() < off {
            return format!("{whole}{name}");
        }
    }
    format!("{octets}b")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_is_rounded_only_where_it_is_almost_even() {
        let sizes = [0, 1514, 64_000, 65_530, 65_536, 33_554_432, 33_556_000].map(size);
        assert_eq!(sizes, ["0b", "1514b", "64000b", "64Kb", "64Kb", "32Mb", "33556000b"]);
    }
}
