//! `/proc/net/snmp6` and `/proc/net/dev_snmp6/<interface>`: IPv6 counters, a name and a value per line.
//!
//! Format: `net/ipv6/proc.c`. Only the file of an interface begins with `ifIndex`; its interface comes from the file's
//! name.

use super::{Cursor, Format, Out, proc_net_snmp};
use crate::evidence::{Counter, Counters, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-net-snmp6";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some((name, _)) = lines.get(i).and_then(|l| row(l.trimmed())) else { return false };
    name != "ifIndex" || lines.get(i + 1).is_some_and(|l| row(l.trimmed()).is_some())
}

fn row(t: &str) -> Option<(&str, u64)> {
    let mut words = t.split_whitespace();
    let (name, value) = (words.next()?, words.next()?);
    let known = name == "ifIndex"
        || ["Ip6", "Icmp6", "Udp6", "UdpLite6"].iter().any(|p| {
            name.strip_prefix(p).is_some_and(|r| r.bytes().next().is_some_and(|b| b.is_ascii_uppercase()))
        });
    (known && words.next().is_none()).then_some((name, value.parse().ok()?))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut c = Counters { source: ID, dev: None, entries: Vec::new() };
    let mut cited: Option<crate::evidence::Citation> = None;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some((name, value)) = row(line.trimmed()) else { break };
        // A second interface is a record of its own.
        if name == "ifIndex" && cited.is_some() {
            break;
        }
        cursor.next();
        out.typed(line);
        cited = Some(cited.map_or_else(|| line.cite(), |a| a.to(line.cite())));
        if name == "ifIndex" {
            c.dev.clone_from(&out.hints.dev);
        }
        let meaning = proc_net_snmp::meaning(name);
        c.entries.push(Counter { name: name.to_owned(), value, meaning, at: line.cite() });
    }
    if let Some(at) = cited {
        out.record(at, None, What::Counters(c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn of_an_interface() {
        let text =
            "ifIndex                         \t3\nIp6InReceives                   \t12\nIcmp6OutErrors \t0\n";
        let p = parse_text_with(FileId(0), "proc/net/dev_snmp6/eth0", text.as_bytes(), &[FORMAT]);
        let What::Counters(c) = &p.records[0].what else { panic!() };
        assert_eq!((c.dev.as_deref(), c.entries.len(), p.typed), (Some("eth0"), 3, 3));
    }
}
