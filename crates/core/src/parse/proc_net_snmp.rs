//! `/proc/net/snmp`: the kernel's IP, ICMP, TCP and UDP counters as pairs of lines, names above values.
//!
//! Format: `net/ipv4/proc.c`, `snmp_seq_show()`. Names are given as `nstat` writes them: protocol and name run together
//! (`TcpRetransSegs`). A value of -1 (`Tcp: MaxConn`, no limit) is no counter and makes none.

use super::{Cursor, Format, Out};
use crate::evidence::{Counter, Counters, Line, Meaning, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-net-snmp";
const PROTOCOLS: &[&str] = &["Ip", "Icmp", "IcmpMsg", "Tcp", "Udp", "UdpLite"];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    begins(lines, i, PROTOCOLS)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    pairs(cursor, out, ID, PROTOCOLS);
}

/// True if a line of names begins here and its line of values follows.
pub(super) fn begins(lines: &[Line<'_>], i: usize, protocols: &[&str]) -> bool {
    let Some((proto, rest)) = lines.get(i).and_then(|l| row(l.trimmed(), protocols)) else { return false };
    names(rest)
        && (1..=3).any(|n| {
            lines.get(i + n).and_then(|l| row(l.trimmed(), &[proto])).is_some_and(|(_, v)| values(v))
        })
}

fn row<'a>(t: &'a str, protocols: &[&str]) -> Option<(&'a str, &'a str)> {
    let (proto, rest) = t.split_once(": ")?;
    protocols.contains(&proto).then_some((proto, rest))
}

fn names(rest: &str) -> bool {
    let mut words = rest.split_whitespace().peekable();
    words.peek().is_some() && words.all(|w| w.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()))
}

fn is_value(w: &str) -> bool {
    let digits = w.strip_prefix('-').unwrap_or(w);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn values(rest: &str) -> bool {
    let mut words = rest.split_whitespace().peekable();
    words.peek().is_some() && words.all(is_value)
}

/// What a counter with this name counts.
pub(super) fn meaning(name: &str) -> Meaning {
    match name {
        "TcpRetransSegs" => Meaning::Retransmits,
        _ => Meaning::Other,
    }
}

/// Reads pairs of lines. Lines that a mailer broke are put together.
pub(super) fn pairs(cursor: &mut Cursor<'_, '_>, out: &mut Out, id: &'static str, protocols: &[&str]) {
    let mut counters = Counters { source: id, dev: None, entries: Vec::new() };
    let mut cited = None;
    let mut open: Option<(String, Vec<String>)> = None;
    // Position in the names while values come, also over several lines.
    let mut at_value = None;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let known = row(t, protocols);
        match (known, &mut open, at_value) {
            (Some((proto, rest)), _, _) if names(rest) => {
                open = Some((proto.to_owned(), rest.split_whitespace().map(str::to_owned).collect()));
                at_value = None;
            }
            (Some((proto, rest)), Some((p, keys)), None) if proto == p.as_str() && values(rest) => {
                at_value = Some(put(&mut counters, line, p, keys, rest, 0));
            }
            // Broken lines: more names, more values.
            (None, Some((_, keys)), None) if names(t) && t.split_whitespace().all(is_name) => {
                keys.extend(t.split_whitespace().map(str::to_owned));
            }
            (None, Some((p, keys)), Some(from)) if values(t) && from < keys.len() => {
                at_value = Some(put(&mut counters, line, p, keys, t, from));
            }
            (Some(_), _, _) => {
                cursor.next();
                out.not_understood(line);
                continue;
            }
            (None, _, _) => break,
        }
        cursor.next();
        out.typed(line);
        cited = Some(cited.map_or_else(|| line.cite(), |c: crate::evidence::Citation| c.to(line.cite())));
    }
    if let Some(at) = cited {
        out.record(at, None, What::Counters(counters));
    }
}

fn is_name(w: &str) -> bool {
    w.bytes().next().is_some_and(|b| b.is_ascii_uppercase()) && w.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn put(c: &mut Counters, line: &Line<'_>, proto: &str, keys: &[String], rest: &str, from: usize) -> usize {
    let mut n = from;
    for w in rest.split_whitespace() {
        if let (Some(key), Ok(value)) = (keys.get(n), w.parse::<u64>()) {
            let name = format!("{proto}{key}");
            let meaning = meaning(&name);
            c.entries.push(Counter { name, value, meaning, at: line.cite() });
        }
        n += 1;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn names_above_values() {
        let text = "Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoAlgorithm MaxConn InSegs RetransSegs\nTcp: 1 -1 70\n9\nUdp: InDatagrams\nUdp: 3\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (7, 0, 0));
        let What::Counters(c) = &p.records[0].what else { panic!() };
        let retrans = c.entries.iter().find(|e| e.meaning == Meaning::Retransmits);
        assert_eq!(retrans.map(|e| (e.name.as_str(), e.value)), Some(("TcpRetransSegs", 9)));
        assert!(c.entries.iter().all(|e| e.name != "TcpMaxConn"));
    }
}
