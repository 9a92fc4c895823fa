//! Options and statistics of single kinds of queueing disciplines: `fq_codel`, `fq`, `pfifo_fast`, `pfifo`, `bfifo`, `tbf`.
//!
//! Layouts: `include/uapi/linux/pkt_sched.h` (Linux 6.12); words: `tc/q_*.c` (iproute2 6.15). Other kinds, whose options no
//! check asks for, are kept as octets.

use super::qdiscs::size;
use super::unknown;
use crate::evidence::{Citation, Fields};
use crate::netlink::Attr;

/// `TCA_OPTIONS`.
pub(super) fn options(kind: &str, fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    match kind {
        "fq_codel" => fq_codel(fields, attr, at),
        "pfifo_fast" | "prio" => bands(fields, attr, at),
        "pfifo" | "pfifo_head_drop" => {
            fields.push("limit", format!("{}p", attr.u32().unwrap_or(0)), at);
        }
        "bfifo" => fields.push("limit", size(attr.u32().unwrap_or(0)), at),
        // No options, but an empty attribute.
        _ if attr.value.is_empty() => {}
        _ => fields.push("options", attr.hex(), at),
    }
}

/// `struct tc_prio_qopt`: bands, and the band of each of 16 priorities.
fn bands(fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    let Some(bands) = attr.u32() else { return };
    fields.push("bands", bands.to_string(), at);
    let map: Vec<String> = attr.value.iter().skip(4).take(16).map(u8::to_string).collect();
    fields.push("priomap", map.join(" "), at);
}

fn fq_codel(fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    for a in attr.attrs() {
        let Some(n) = a.u32() else { continue };
        match a.kind {
            1 => fields.push("target", time(n), at),
            2 => fields.push("limit", format!("{n}p"), at),
            3 => fields.push("interval", time(n), at),
            4 => {
                if n != 0 {
                    fields.push("ecn", "", at);
                }
            }
            5 => fields.push("flows", n.to_string(), at),
            6 => fields.push("quantum", n.to_string(), at),
            7 => fields.push("ce_threshold", time(n), at),
            8 => fields.push("drop_batch", n.to_string(), at),
            9 => fields.push("memory_limit", size(n), at),
            _ => unknown(fields, "options.", &a, at),
        }
    }
}

/// Microseconds as `tc` prints them (`sprint_time()`).
fn time(microseconds: u32) -> String {
    let value = f64::from(microseconds);
    if value >= 1e6 {
        short(value / 1e6, "s")
    } else if value >= 1e3 {
        short(value / 1e3, "ms")
    } else {
        format!("{microseconds}us")
    }
}

/// A number with at most three significant digits (`%.3g`), which is what is left of these values.
fn short(value: f64, unit: &str) -> String {
    let text = format!("{value:.2}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Statistics of a kind (`TCA_XSTATS`, or `TCA_STATS_APP`).
pub(super) fn statistics(kind: &str, fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    // struct tc_fq_codel_xstats: a type, 0 for the qdisc, then the numbers.
    const FQ_CODEL: [&str; 9] = [
        "maxpacket",
        "drop_overlimit",
        "ecn_mark",
        "new_flow_count",
        "new_flows_len",
        "old_flows_len",
        "ce_mark",
        "memory_used",
        "drop_overmemory",
    ];
    if kind == "fq_codel" && attr.u32() == Some(0) {
        for (n, name) in FQ_CODEL.iter().enumerate() {
            let Some(value) = attr.order.u32_at(attr.value, n * 4 + 4) else { break };
            // These three are printed where they are not 0.
            if value != 0 || !matches!(*name, "ce_mark" | "memory_used" | "drop_overmemory") {
                fields.push(*name, value.to_string(), at);
            }
        }
    } else if !attr.value.is_empty() {
        fields.push("statistics", attr.hex(), at);
    }
}
