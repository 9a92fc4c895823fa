//! `ip rule` as text: the policy routing rules, one per line.
//!
//! Printed by `print_rule()` in `ip/iprule.c`. One [`Fields`] record per block: the key is the priority, the value the
//! rule.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ip-rule";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| rule(l.trimmed()).is_some())
}

/// `32766: from all lookup main` as priority and rule.
pub(super) fn rule(t: &str) -> Option<(&str, &str)> {
    let (priority, rest) = t.split_once(':')?;
    if priority.is_empty() || priority.len() > 10 || !priority.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let from = rest.strip_prefix("not ").unwrap_or(rest).starts_with("from ");
    let acts = ["lookup ", "blackhole", "prohibit", "unreachable", "goto ", "nop", "[detached]", "map-to "];
    (from && acts.iter().any(|a| rest.contains(a))).then_some((priority, rest))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    let Some(first) = cursor.peek() else { return };
    let mut at = first.cite();
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some((priority, text)) = rule(line.trimmed()) else { break };
        cursor.next();
        out.typed(line);
        at = at.to(line.cite());
        fields.push(priority, text, line.cite());
    }
    out.record(at, None, What::Fields(fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn rules() {
        let text = "0:\tfrom all lookup local\n1000:\tfrom all lookup [l3mdev-table]\n32000: not from all fwmark 0x1 lookup 100\n32766:\tfrom all lookup main\n12: from here to there\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.unrecognised.len(), p.records.len()), (4, 1, 1));
        let What::Fields(f) = &p.records[0].what else { panic!() };
        assert_eq!(f.text("32766"), Some("from all lookup main"));
    }
}
