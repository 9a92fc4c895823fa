//! `tc [-s] [-d] qdisc [show]`.
//!
//! Printed by `print_qdisc()` in `tc/tc_qdisc.c` and the `print_opt`/`print_xstats` functions of `tc/q_*.c`, iproute2 3.x
//! to 6.x. With `dev X` on the command line old versions leave the interface out: then it comes from the command.
//! Every word of the header and every statistic is kept as a field under tc's own name (`new_flows_len`,
//! `maxpacket`, `limit`, `parent`, ...); values of several words are joined by blanks.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, Qdisc, What, leading_int};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "tc-qdisc";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| heading(l.trimmed()).is_some())
}

/// `qdisc fq_codel 0: dev eth0 root ...`: kind, handle and the words after them.
fn heading(t: &str) -> Option<(&str, &str, &str)> {
    let rest = t
        .strip_prefix("qdisc ")
        .or_else(|| t.strip_prefix("deleted qdisc "))
        .or_else(|| t.strip_prefix("added qdisc "))
        .or_else(|| t.strip_prefix("replaced qdisc "))?;
    let (kind, rest) = rest.trim_start().split_once(' ')?;
    let rest = rest.trim_start();
    let (handle, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let digits = handle.strip_suffix(':').unwrap_or(handle);
    if digits.is_empty() || !handle.ends_with(':') || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((kind, handle, rest))
}

/// Words that begin a line of options or statistics. A word that is not here may still stand on an indented line
/// of words and numbers.
const WORDS: &[&str] = &[
    "Sent",
    "backlog",
    "rate",
    "maxpacket",
    "new_flows_len",
    "old_flows_len",
    "new_flow_count",
    "drop_overlimit",
    "ecn_mark",
    "memory_used",
    "memory",
    "ce_mark",
    "count",
    "lastcount",
    "ldelay",
    "drop_next",
    "marked",
    "early",
    "prob",
    "delay",
    "pkts_in",
    "flows",
    "gc",
    "throttled",
    "inactive",
    "highprio",
    "latency",
    "requeues",
    "capacity",
    "average",
    "min/max",
    "thresh",
    "target",
    "interval",
    "pk_delay",
    "av_delay",
    "sp_delay",
    "backlog",
    "pkts",
    "bytes",
    "way_inds",
    "way_miss",
    "way_cols",
    "drops",
    "marks",
    "ack_drop",
    "sp_flows",
    "bk_flows",
    "un_flows",
    "max_len",
    "quantum",
    "limit",
    "lended:",
    "tokens:",
    "deficit",
    "period",
    "allot",
    "direct_packets_stat",
    "queues:",
    "mode:",
    "shaper:",
    "clockid",
    "base-time",
    "cycle-time",
    "index",
    "map",
    "overflow",
    "offloaded",
    "overlimits",
    "dropped",
    "refcnt",
    "parent",
    "root",
    "memory_limit",
    "ecn",
    "drop_batch",
    "bands",
    "priomap",
    "burst",
    "lat",
    "loss",
    "limit",
    "buckets",
    "orphan_mask",
    "initial_quantum",
    "low_rate_threshold",
    "refill_delay",
    "timer_slack",
    "horizon",
    "horizon_drop",
    "bandwidth",
    "diffserv3",
    "diffserv4",
    "besteffort",
    "triple-isolate",
    "nonat",
    "nowash",
    "no-ack-filter",
    "split-gso",
    "rtt",
    "raw",
    "overhead",
    "linklayer",
    "r2q",
    "default",
    "direct_qlen",
    "weights",
    "band0_pkts",
    "ce_threshold",
    "tc",
    "weight_update",
    "Tin",
    "Bulk",
    "no_hold",
    "avg_dq_rate",
    "overlimit",
    "tot_hh",
    "cur_hh",
    "hh_overlimit",
    "entries",
    "max",
    "fastpath",
    "Weights:",
    "band_pkts",
    "noqueue",
    "perturb",
    "depth",
    "divisor",
    "min",
    "probability",
    "reorder",
    "corrupt",
    "duplicate",
    "gap",
    "seed",
    "slot",
    "qlen",
    "hw_stats",
    "cycle-time-extension",
    "txtime-delay",
    "flags",
    "max-sdu",
    "fp",
    "preempt",
    "bounded",
    "peakrate",
    "minburst",
    "mtu",
    "mpu",
    "cell",
    "strict",
    "quanta",
];

/// Splits a text into key and value: a word, and all numbers that follow it.
///
/// `10 gc, 2 highprio` (old `fq`) is read the other way round.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '[' | ']'))
        .filter(|w| !w.is_empty() && !w.bytes().all(|b| b == b'-'))
        .collect();
    let number_first = words.first().is_some_and(|w| is_value(w)) && text.contains(',');
    let mut out: Vec<(String, String)> = Vec::new();
    if number_first {
        let mut value = String::new();
        for w in words {
            if is_value(w) {
                w.clone_into(&mut value);
            } else if value.is_empty() {
                if let Some((key, _)) = out.last_mut() {
                    key.push(' ');
                    key.push_str(w);
                }
            } else {
                out.push((w.to_owned(), std::mem::take(&mut value)));
            }
        }
        return out;
    }
    for w in words {
        match out.last_mut() {
            Some((_, value)) if is_value(w) => {
                if !value.is_empty() {
                    value.push(' ');
                }
                value.push_str(w);
            }
            _ if is_value(w) => out.push((String::new(), w.to_owned())),
            _ => out.push((w.trim_end_matches(':').to_owned(), String::new())),
        }
    }
    out
}

/// A value begins with a digit, a sign, a colon, or is a handle such as `ffff:fff1` or `0:3`.
fn is_value(w: &str) -> bool {
    let first = w.bytes().next().unwrap_or(b' ');
    first.is_ascii_digit()
        || matches!(first, b'+' | b'-' | b':' | b'.')
        || w.split_once(':').is_some_and(|(a, b)| {
            !a.is_empty()
                && a.bytes().chain(b.bytes()).all(|c| c.is_ascii_hexdigit())
                && (a.len() <= 4 && b.len() <= 4)
        })
}

/// A line below a heading that consists of known words and numbers.
pub(super) fn statistics(line: &Line<'_>) -> bool {
    let t = line.trimmed();
    let first = t.split_whitespace().next().unwrap_or("");
    let pairs = pairs(t);
    let bare = first.trim_end_matches(':');
    if WORDS.iter().any(|w| w.trim_end_matches(':') == bare) {
        return pairs.iter().filter(|(_, v)| v.is_empty()).count() <= 12;
    }
    let plain = |k: &str| {
        k.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b':' | b'.'))
    };
    line.indent() > 0
        && !pairs.is_empty()
        && pairs.iter().all(|(k, v)| !v.is_empty() && plain(k) && k.split_whitespace().count() <= 3)
}

/// The numbers of a `Sent` line and a `backlog` line.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) sent: u64,
    pub(super) dropped: u64,
    pub(super) requeues: u64,
    pub(super) backlog: u64,
}

impl Totals {
    pub(super) fn of(fields: &Fields) -> Self {
        let number = |key: &str| fields.text(key).and_then(leading_int).unwrap_or(0);
        // `Sent 10 bytes 2 pkt`: the number of packets follows the word `bytes`.
        let backlog = fields.text("backlog").and_then(|v| v.split_whitespace().find(|w| w.ends_with('p')));
        Self {
            sent: number("packets"),
            dropped: number("dropped"),
            requeues: number("requeues"),
            backlog: backlog.and_then(leading_int).unwrap_or(0),
        }
    }
}

/// Keeps the words of a line.
pub(super) fn keep(fields: &mut Fields, text: &str, at: Citation) {
    let sent = text.trim_start().starts_with("Sent ");
    for (key, value) in pairs(text) {
        let key = match key.as_str() {
            "Sent" => "bytes",
            "bytes" if sent => "packets",
            "pkt" | "pkts" if sent => continue,
            k => k,
        };
        if !key.is_empty() || !value.is_empty() {
            fields.push(key, value, at);
        }
    }
}

struct Draft {
    at: Citation,
    last: Citation,
    qdisc: Qdisc,
}

impl Draft {
    fn emit(mut self, out: &mut Out) {
        let t = Totals::of(&self.qdisc.fields);
        let q = &mut self.qdisc;
        (q.sent, q.dropped, q.requeues, q.backlog) = (t.sent, t.dropped, t.requeues, t.backlog);
        out.record(self.at.to(self.last), None, What::Qdisc(self.qdisc));
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut draft: Option<Draft> = None;
    let mut after_blank = false;
    let mut header_done = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        if let Some((kind, handle, rest)) = heading(t) {
            if let Some(d) = draft.take() {
                d.emit(out);
            }
            let mut words = rest.split_whitespace();
            let dev = words.clone().skip_while(|w| *w != "dev").nth(1);
            let dev = dev.map(str::to_owned).or_else(|| out.hints.dev.clone()).unwrap_or_default();
            let mut fields = Fields::new(ID, Some(dev.clone()));
            fields.push("handle", handle, line.cite());
            if t.starts_with("deleted ") {
                fields.push("deleted", "", line.cite());
            }
            // `dev eth0` is a name, which `keep` would take for a flag.
            let options = match rest.strip_prefix("dev ") {
                Some(r) => r.split_once(' ').map_or("", |(_, r)| r),
                None => rest,
            };
            keep(&mut fields, options, line.cite());
            let root = words.any(|w| w == "root");
            let qdisc = Qdisc {
                dev,
                kind: kind.to_owned(),
                root,
                sent: 0,
                dropped: 0,
                requeues: 0,
                backlog: 0,
                fields,
            };
            draft = Some(Draft { at: line.cite(), last: line.cite(), qdisc });
            header_done = false;
            out.typed(line);
        } else if let Some(d) = draft.as_mut() {
            if after_blank && line.indent() == 0 && !t.starts_with("Sent ") && !t.starts_with("backlog ") {
                break;
            }
            // Before `Sent` a line may be the wrapped rest of the header, which begins with any word or number.
            let wrapped = !header_done && pairs(t).iter().any(|(_, v)| !v.is_empty()) && wrapped_options(t);
            let ok = statistics(line) || wrapped;
            if !ok && line.indent() == 0 {
                break;
            }
            header_done |= t.starts_with("Sent ");
            keep(&mut d.qdisc.fields, t, line.cite());
            d.last = line.cite();
            if ok { out.typed(line) } else { out.not_understood(line) }
        } else {
            break;
        }
        after_blank = false;
        cursor.next();
    }
    if let Some(d) = draft {
        d.emit(out);
    }
}

/// The rest of a header that a mail client wrapped: only option words and numbers.
fn wrapped_options(t: &str) -> bool {
    t.split_whitespace().all(|w| {
        let w = w.trim_matches(|c| matches!(c, '(' | ')' | ',' | '[' | ']' | ':'));
        is_value(w) || WORDS.contains(&w) || w.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn qdiscs(path: &str, text: &str) -> Vec<Qdisc> {
        let parsed = parse_text_with(FileId(0), path, text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty(), "{:?}", parsed.not_understood);
        assert!(parsed.unrecognised.is_empty(), "{:?}", parsed.unrecognised);
        parsed
            .records
            .into_iter()
            .filter_map(|r| if let What::Qdisc(q) = r.what { Some(q) } else { None })
            .collect()
    }

    #[test]
    fn statistics_and_options() {
        let got = qdiscs(
            "tc.txt",
            "qdisc fq_codel 8001: dev h1 root refcnt 2 limit 10240p flows 1024 quantum 1514 target 5ms interval 100ms memory_limit 32Mb ecn drop_batch 64 \n Sent 23084 bytes 98 pkt (dropped 3, overlimits 1 requeues 7) \n backlog 12b 2p requeues 7\n  maxpacket 68130 drop_overlimit 0 new_flow_count 122 ecn_mark 0\n  new_flows_len 0 old_flows_len 4\nqdisc pfifo_fast 0: dev eth0 parent :1 bands 3 priomap  1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1\nqdisc clsact ffff: dev bond0 parent ffff:fff1 \nqdisc fq 0: dev eth1 root refcnt 2 limit 10000p\n Sent 1 bytes 1 pkt (dropped 0, overlimits 0 requeues 0)\n backlog 0b 0p requeues 0\n  125 flow, 124 inactive, 1 throttled\n  5 gc, 1 highprio, 30 throttled\n",
        );
        let [a, b, c, d] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((a.dev.as_str(), a.kind.as_str(), a.root), ("h1", "fq_codel", true));
        assert_eq!((a.sent, a.dropped, a.requeues, a.backlog), (98, 3, 7, 2));
        assert_eq!((a.fields.int("old_flows_len"), a.fields.int("maxpacket")), (Some(4), Some(68130)));
        assert_eq!(a.fields.text("ecn"), Some(""));
        assert_eq!((b.root, b.fields.text("parent")), (false, Some(":1")));
        assert_eq!(b.fields.text("priomap"), Some("1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1"));
        assert_eq!((c.kind.as_str(), c.fields.text("parent")), ("clsact", Some("ffff:fff1")));
        assert_eq!(d.fields.int("gc"), Some(5));
    }

    #[test]
    fn interface_from_the_command_and_wrapped_header() {
        let got = qdiscs(
            "x.txt",
            "# tc -s qdisc show dev bond0\nqdisc fq_codel 0: root refcnt 2 limit 10240p flows 1024 quantum 1514\ntarget 5.0ms interval 100.0ms ecn\nSent 5 bytes 1 pkt (dropped 9, overlimits 0 requeues 0)\nbacklog 0b 0p requeues 0\n",
        );
        let [q] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((q.dev.as_str(), q.dropped, q.fields.text("target")), ("bond0", 9, Some("5.0ms")));
    }

    #[test]
    fn text_after_it_is_left_alone() {
        let text = "qdisc noqueue 0: dev lo root refcnt 2\nThis is what I see on 2 hosts.\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((parsed.typed, parsed.unrecognised.len()), (1, 1));
    }
}
