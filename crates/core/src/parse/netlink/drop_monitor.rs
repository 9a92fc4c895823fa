//! Alerts of the drop monitor (generic netlink family `NET_DM`): packets that the kernel freed.
//!
//! Written by `net_dm_packet_report_fill()` and `reset_per_cpu_data()` in `net/core/drop_monitor.c` (Linux 6.12); numbers:
//! `include/uapi/linux/net_dropmon.h`.

use super::{Context, damaged, unknown};
use crate::evidence::{Drop, Fields, Record, What};
use crate::netlink::Message;
use crate::parse::drop_monitor::symbol;

/// `NET_DM_CMD_ALERT`: counts by place.
const ALERT: u8 = 1;
/// `NET_DM_CMD_PACKET_ALERT`: one packet.
const PACKET: u8 = 5;
/// `NET_DM_CMD_STATS_NEW`: how many alerts were lost.
const STATISTICS: u8 = 9;

pub(super) fn read(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    match m.payload.first() {
        Some(&PACKET) => packet(m, context, out),
        Some(&ALERT) => summary(m, context, out),
        Some(&STATISTICS) => {
            let mut fields = Fields::new("drop-monitor", None);
            for (kind, side) in [(12, "software"), (13, "hardware")] {
                if let Some(lost) =
                    m.attrs(4).find(kind).and_then(|a| a.attrs().find(0)).and_then(|a| a.u64())
                {
                    fields.push(format!("{side} alerts lost"), lost.to_string(), context.at);
                }
            }
            context.record(out, What::Fields(fields));
        }
        _ => return super::other(m, context, out),
    }
    true
}

fn packet(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) {
    let at = context.at;
    let mut notes = Fields::new("drop-monitor", None);
    let mut drop = Drop { dev: None, reason: "not told".to_owned(), symbol: None, rc: None, count: 1 };
    for attr in m.attrs(4) {
        match attr.kind {
            3 => drop.symbol = Some(symbol(&attr.text())),
            4 => {
                let index = attr.attrs().find(0).and_then(|a| a.u32()).filter(|n| *n != 0);
                let name = attr.attrs().find(1).map(|a| a.text());
                drop.dev = name.or_else(|| {
                    let index = index?;
                    let known = context.interfaces.flags(index).is_some();
                    Some(if known { context.interfaces.name(index) } else { format!("ifindex {index}") })
                });
            }
            // The place in memory, padding; when it was freed, which the frame's time says well enough.
            2 | 5 | 8 => {}
            6 => notes.push("protocol", format!("0x{:04x}", attr.u16().unwrap_or(0)), at),
            7 => notes.push("payload", attr.hex(), at),
            9 => notes.push("length", attr.u32().unwrap_or(0).to_string(), at),
            10 => notes.push("original length", attr.u32().unwrap_or(0).to_string(), at),
            14 => {
                let origin = if attr.u16() == Some(1) { "hardware" } else { "software" };
                notes.push("origin", origin, at);
            }
            15 => notes.push("group name", attr.text(), at),
            16 => notes.push("trap name", attr.text(), at),
            23 => drop.reason = attr.text(),
            _ => unknown(&mut notes, "", &attr, at),
        }
    }
    notes.dev.clone_from(&drop.dev);
    damaged(&mut notes, m.attrs(4), at);
    context.record(out, What::Drop(drop));
    if !notes.entries.is_empty() {
        context.record(out, What::Fields(notes));
    }
}

/// `struct net_dm_alert_msg`: places in memory with counts; without the kernel's symbols they have no names.
fn summary(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) {
    for attr in m.attrs(4) {
        let entries = attr.u32().unwrap_or(0);
        let points = attr.value.get(4..).unwrap_or_default().chunks_exact(12);
        for point in points.take(usize::try_from(entries).unwrap_or(0)) {
            let (Some(place), Some(count)) = (attr.order.u64_at(point, 0), attr.order.u32_at(point, 8))
            else {
                break;
            };
            let drop = Drop {
                dev: None,
                reason: "not told".to_owned(),
                symbol: Some(format!("0x{place:x}")),
                rc: None,
                count: u64::from(count),
            };
            context.record(out, What::Drop(drop));
        }
    }
}
