//! `tc [-s] class show dev X`.
//!
//! Printed by `print_class()` in `tc/tc_class.c` and the `print_copt`/`print_xstats` functions of `tc/q_*.c`. Kept as
//! fields: `kind`, `classid`, the options and the statistics under tc's own names. One record per class.

use super::tc_qdisc::{keep, statistics};
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "tc-class";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| heading(l.trimmed()).is_some())
}

/// `class htb 1:10 parent 1:1 ...`.
fn heading(t: &str) -> Option<(&str, &str, &str)> {
    let rest = t.strip_prefix("class ").or_else(|| t.strip_prefix("deleted class "))?;
    let (kind, rest) = rest.split_once(' ')?;
    let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (major, minor) = id.split_once(':')?;
    let hex = |s: &str| s.bytes().all(|b| b.is_ascii_hexdigit()) && s.len() <= 4;
    let follows = rest.starts_with("root") || rest.starts_with("parent") || rest.starts_with("dev ");
    (hex(major) && hex(minor) && follows).then_some((kind, id, rest))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut open: Option<Fields> = None;
    let flush = |fields: Option<Fields>, out: &mut Out| {
        if let Some(f) = fields
            && let (Some(first), Some(last)) =
                (f.entries.first().map(|e| e.at), f.entries.last().map(|e| e.at))
        {
            out.record(first.to(last), None, What::Fields(f));
        }
    };
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if let Some((kind, id, rest)) = heading(t) {
            flush(open.take(), out);
            let dev = rest.strip_prefix("dev ").and_then(|r| r.split_whitespace().next()).map(str::to_owned);
            let mut fields = Fields::new(ID, dev.or_else(|| out.hints.dev.clone()));
            fields.push("kind", kind, line.cite());
            fields.push("classid", id, line.cite());
            keep(&mut fields, rest, line.cite());
            open = Some(fields);
        } else if let Some(f) = open.as_mut().filter(|_| statistics(line)) {
            keep(f, t, line.cite());
        } else {
            break;
        }
        out.typed(line);
        cursor.next();
    }
    flush(open, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn classes() {
        let text = "class htb 1:10 parent 1:1 leaf 10: prio 0 rate 1Mbit ceil 1Mbit burst 1600b cburst 1600b \n Sent 10 bytes 2 pkt (dropped 4, overlimits 0 requeues 0) \n backlog 0b 0p requeues 0\n lended: 5 borrowed: 0 giants: 0\n tokens: 200000 ctokens: 200000\n\nclass mq :1 root \n";
        let parsed = parse_text_with(FileId(0), "tc_-s_class_show_dev_eth0", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let Some(What::Fields(f)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!(
            (f.dev.as_deref(), f.text("classid"), f.int("dropped")),
            (Some("eth0"), Some("1:10"), Some(4))
        );
        assert_eq!(f.int("lended"), Some(5));
        assert_eq!(parsed.records.len(), 2);
    }
}
