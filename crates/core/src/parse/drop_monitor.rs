//! Dropped packets as the kernel's drop monitor reports them: our lab's `dm.py`, and `dropwatch`.
//!
//! Lab: `108 __dev_queue_xmit+0x34f/0xf10 TC_EGRESS ifindex=-1 proto=0x0800 attrs [...] payload ...`, packet mode of
//! `NET_DM` (`net/core/drop_monitor.c`). dropwatch 1.4 and 1.5: `3 drops at icmp_rcv+1f (0xffffffff8a)` and the blocks of its
//! packet mode (`drop at: ...`, `drop reason: ...`). One [`What::Drop`] per line or block; `dev` holds `ifindex N` where only
//! the number is told.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Drop, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "drop-monitor";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    lab(t).is_some()
        || watch(t).is_some()
        || t.starts_with("# NET_DM family")
        || t.starts_with("# start rc ")
        || t.starts_with("# stop rc ")
        || t.starts_with("dropwatch> ")
        || t.starts_with("Kernel monitoring activated")
        || t.starts_with("Initializing kallsyms db")
        || t.starts_with("Initializing null lookup method")
        || (t.starts_with("drop at: ") && t.contains("(0x") || t.starts_with("drop at: ") && t.contains('+'))
}

/// `symbol+0x1f/0x100` without the offset.
pub(super) fn symbol(location: &str) -> String {
    location.split('+').next().unwrap_or(location).to_owned()
}

/// `108 __dev_queue_xmit+0x34f/0xf10 TC_EGRESS ifindex=-1 proto=0x0800 ...`.
fn lab(t: &str) -> Option<Drop> {
    let mut words = t.split_whitespace();
    let count = words.next()?.parse().ok()?;
    let location = words.next()?;
    let mut reason = words.next()?;
    // `nft_do_chain+0x40e/0x630 [nf_tables] NETFILTER_DROP`: the module stands between.
    if reason.starts_with('[') {
        reason = words.next()?;
    }
    let index = words.next()?.strip_prefix("ifindex=")?;
    if !location.contains("+0x") {
        return None;
    }
    let dev = index.parse::<i64>().ok().filter(|n| *n > 0).map(|n| format!("ifindex {n}"));
    Some(Drop { dev, reason: reason.to_owned(), symbol: Some(symbol(location)), rc: None, count })
}

/// `3 drops at icmp_rcv+1f (0xffffffff8a) [software]`.
fn watch(t: &str) -> Option<Drop> {
    let (count, rest) = t.split_once(" drops at ")?;
    let location = rest.split_whitespace().next()?;
    let reason = rest.split_once('[').and_then(|(_, r)| r.split_once(']')).map_or("", |(r, _)| r);
    Some(Drop {
        dev: None,
        reason: if reason.is_empty() { "not told".to_owned() } else { reason.to_owned() },
        symbol: Some(symbol(location)),
        rc: None,
        count: count.parse().ok()?,
    })
}

/// Lines that dropwatch and the lab's script write around.
fn note(t: &str) -> bool {
    const NOTES: &[&str] = &[
        "# NET_DM",
        "# config",
        "# start rc",
        "# stop rc",
        "dropwatch>",
        "Enabling monitoring",
        "Kernel monitoring activated",
        "Issue Ctrl-C",
        "Initializing ",
        "Got a stop message",
        "Shutting down",
        "Alert mode",
        "Setting alert",
        "Truncation",
        "Queue length",
        "Waiting for",
    ];
    NOTES.iter().any(|n| t.starts_with(n))
}

/// Keys of dropwatch's packet mode.
const KEYS: &[&str] = &[
    "origin",
    "input port ifindex",
    "input port name",
    "timestamp",
    "protocol",
    "length",
    "original length",
    "drop reason",
    "group name",
    "trap name",
    "flow action cookie",
    "hw trap",
    "software trap",
    "payload",
];

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut notes = Fields::new(ID, None);
    let mut open: Option<(Citation, Citation, Drop)> = None;
    let close = |open: Option<(Citation, Citation, Drop)>, out: &mut Out| {
        if let Some((first, last, drop)) = open {
            out.record(first.to(last), None, What::Drop(drop));
        }
    };
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if let Some(drop) = lab(t).or_else(|| watch(t)) {
            close(open.take(), out);
            out.record(line.cite(), None, What::Drop(drop));
        } else if let Some(at) = t.strip_prefix("drop at: ") {
            close(open.take(), out);
            let location = at.split_whitespace().next().unwrap_or(at);
            let drop = Drop {
                dev: None,
                reason: "not told".to_owned(),
                symbol: Some(symbol(location)),
                rc: None,
                count: 1,
            };
            open = Some((line.cite(), line.cite(), drop));
        } else if let (Some((_, last, drop)), Some((key, value))) = (open.as_mut(), t.split_once(':')) {
            if !KEYS.contains(&key) {
                break;
            }
            let value = value.trim();
            match key {
                "drop reason" => value.clone_into(&mut drop.reason),
                "input port ifindex" if drop.dev.is_none() => drop.dev = Some(format!("ifindex {value}")),
                "input port name" => drop.dev = Some(value.to_owned()),
                _ => notes.push(key, value, line.cite()),
            }
            *last = line.cite();
        } else if note(t) {
            notes.push("note", t, line.cite());
        } else {
            break;
        }
        out.typed(line);
        cursor.next();
    }
    close(open, out);
    if let (Some(first), Some(last)) =
        (notes.entries.first().map(|f| f.at), notes.entries.last().map(|f| f.at))
    {
        out.record(first.to(last), None, What::Fields(notes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn lab_and_dropwatch() {
        let text = "# NET_DM family 34 groups {'events': 1}\n108 __dev_queue_xmit+0x34f/0xf10 TC_EGRESS ifindex=-1 proto=0x0800 attrs [2, 3] payload a043\n107 nft_do_chain+0x40e/0x630 [nf_tables] NETFILTER_DROP ifindex=-1 proto=0x0800 attrs [2]\n# stop rc 0\ndropwatch> start\n3 drops at icmp_rcv+1f (0xffffffff8a) [software]\ndrop at: tcp_v4_rcv+0x86/0xed0 (0xffffffff8b)\norigin: software\ninput port ifindex: 2\ndrop reason: NO_SOCKET\n";
        let parsed = parse_text_with(FileId(0), "dm.txt", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let drops: Vec<_> = parsed
            .records
            .iter()
            .filter_map(|r| {
                if let What::Drop(d) = &r.what {
                    Some((d.count, d.symbol.as_deref()?, d.reason.as_str(), d.dev.as_deref()))
                } else {
                    None
                }
            })
            .collect();
        assert_eq!(
            drops,
            [
                (108, "__dev_queue_xmit", "TC_EGRESS", None),
                (107, "nft_do_chain", "NETFILTER_DROP", None),
                (3, "icmp_rcv", "software", None),
                (1, "tcp_v4_rcv", "NO_SOCKET", Some("ifindex 2"))
            ]
        );
    }
}
