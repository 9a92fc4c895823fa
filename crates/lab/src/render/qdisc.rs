//! `tc -s qdisc show`: queueing disciplines with their counters (`tc/tc_qdisc.c`, `tc/q_*.c`).

use super::interface;
use crate::fault::Hook;
use crate::view::{HookView, HostView, MemberView, QdiscView};
use std::fmt::Write as _;

/// How traffic spreads over the queues of `mq`, in per cent; the first queue has the rest.
const QUEUES: [u64; 4] = [0, 21, 29, 13];

/// Renders the listing.
#[must_use]
pub fn render(view: &HostView) -> String {
    let mut out = String::new();
    for i in interface::all(view) {
        match view.members.iter().find(|m| m.name == i.name) {
            Some(m) => {
                member(&mut out, m);
                clsact(&mut out, &m.name, &m.hooks);
            }
            None => {
                let _ = writeln!(out, "qdisc noqueue 0: dev {} root refcnt 2 ", i.name);
                statistics(
                    &mut out,
                    0,
                    &QdiscView { kind: "noqueue", sent: 0, dropped: 0, requeues: 0, backlog: 0 },
                );
                if i.name == view.bond.name {
                    clsact(&mut out, i.name, &view.bond.hooks);
                }
            }
        }
    }
    out
}

/// Mean size of the frames sent, for the bytes that a queueing discipline counts beside packets.
fn mean_size(m: &MemberView) -> u64 {
    m.counters.tx_bytes.checked_div(m.counters.tx_packets).unwrap_or(0)
}

fn member(out: &mut String, m: &MemberView) {
    let q = m.qdisc;
    let size = mean_size(m);
    match q.kind {
        "mq" => {
            let _ = writeln!(out, "qdisc mq 0: dev {} root ", m.name);
            statistics(out, size, &q);
            let mut rest = q;
            let mut parts: Vec<(usize, QdiscView)> = Vec::new();
            for (n, percent) in QUEUES.iter().enumerate().skip(1) {
                let sent = q.sent / 100 * percent;
                rest.sent = rest.sent.saturating_sub(sent);
                parts
                    .push((n + 1, QdiscView { kind: "fq_codel", sent, dropped: 0, requeues: 0, backlog: 0 }));
            }
            // Drops and backlog stand in one queue: it is the one that does not get rid of its frames.
            parts.insert(0, (1, rest));
            for (n, part) in parts.iter().rev() {
                let _ = writeln!(out, "qdisc fq_codel 0: dev {} parent :{n:x} {FQ_CODEL}", m.name);
                statistics(out, size, part);
                fq_codel(out, size, part);
            }
        }
        "fq_codel" => {
            let _ = writeln!(out, "qdisc fq_codel 0: dev {} root refcnt 2 {FQ_CODEL}", m.name);
            statistics(out, size, &q);
            fq_codel(out, size, &q);
        }
        kind => {
            let options = match kind {
                "pfifo_fast" => "bands 3 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1",
                "netem" => "limit 1000 loss 100%",
                "pfifo" => "limit 1000p",
                _ => "",
            };
            // What somebody attached has a handle of its own; what the kernel made has none.
            let handle = if matches!(kind, "noqueue" | "pfifo_fast") { "0" } else { "8001" };
            let _ = writeln!(out, "qdisc {kind} {handle}: dev {} root refcnt 2 {options}", m.name);
            statistics(out, size, &q);
        }
    }
}

const FQ_CODEL: &str =
    "limit 10240p flows 1024 quantum 1514 target 5ms interval 100ms memory_limit 32Mb ecn drop_batch 64 ";

/// The two lines of every queueing discipline.
fn statistics(out: &mut String, size: u64, q: &QdiscView) {
    let _ = write!(
        out,
        " Sent {} bytes {} pkt (dropped {}, overlimits 0 requeues {}) \n backlog {} {}p requeues {}\n",
        q.sent.saturating_mul(size),
        q.sent,
        q.dropped,
        q.requeues,
        bytes(q.backlog.saturating_mul(size)),
        q.backlog,
        q.requeues
    );
}

/// `print_size()`: bytes, then Kb and Mb of 1024.
fn bytes(n: u64) -> String {
    if n >= 1024 * 1024 && n.is_multiple_of(1024 * 1024) {
        format!("{}Mb", n / (1024 * 1024))
    } else if n >= 1024 && n.is_multiple_of(1024) {
        format!("{}Kb", n / 1024)
    } else {
        format!("{n}b")
    }
}

fn fq_codel(out: &mut String, size: u64, q: &QdiscView) {
    let _ = write!(
        out,
        "  maxpacket {} drop_overlimit 0 new_flow_count {} ecn_mark 0\n  new_flows_len 0 old_flows_len {}\n",
        if q.sent == 0 { 0 } else { size.max(1514) },
        q.sent / 100,
        u8::from(q.backlog > 0)
    );
}

/// Classic filters hang below `clsact`, which counts what they drop.
fn clsact(out: &mut String, dev: &str, hooks: &[HookView]) {
    let classic: Vec<&HookView> =
        hooks.iter().filter(|h| !h.tcx && matches!(h.hook, Hook::TcEgress | Hook::TcIngress)).collect();
    if classic.is_empty() {
        return;
    }
    let dropped = classic.iter().fold(0_u64, |n, h| n.saturating_add(h.dropped));
    let _ = writeln!(out, "qdisc clsact ffff: dev {dev} parent ffff:fff1 ");
    statistics(out, 0, &QdiscView { kind: "clsact", sent: 0, dropped, requeues: 0, backlog: 0 });
}
