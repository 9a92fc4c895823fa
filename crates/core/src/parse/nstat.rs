//! `nstat`: the kernel's network counters, or what they grew by since the last call.
//!
//! Format: iproute2 `misc/nstat.c`, `dump_kern_db()` and `dump_incr_db()`: `#kernel` or
//! `#123.456 sampling_interval=60 time_const=60`, then name, value and rate (`*` behind the value: it wrapped). With `-j`
//! one JSON object. Old names of the same tool: `rtacct`, `lnstat` print other things and are not read here.

use super::{Cursor, Format, Out, proc_net_snmp};
use crate::evidence::{Citation, Counter, Counters, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "nstat";

const PREFIXES: &[&str] = &[
    "Ip", "Icmp", "IcmpMsg", "Tcp", "Udp", "UdpLite", "Ip6", "Icmp6", "Udp6", "UdpLite6", "TcpExt", "IpExt",
    "MPTcpExt", "Sctp", "Tls", "Xfrm", "Dccp",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| {
        let t = l.trimmed();
        is_head(t) || row(t).is_some() || is_json(t)
    })
}

fn is_head(t: &str) -> bool {
    t == "#kernel" || t.starts_with('#') && t.contains(" sampling_interval=")
}

fn is_json(t: &str) -> bool {
    (t.starts_with("{\"kernel\":{") || t.starts_with("{\"nstat\":{")) && t.ends_with('}')
}

/// `TcpRetransSegs   12   0.0`.
fn row(t: &str) -> Option<(&str, u64)> {
    let mut words = t.split_whitespace();
    let (name, value) = (words.next()?, words.next()?);
    let known = PREFIXES.iter().any(|p| {
        name.strip_prefix(p).is_some_and(|r| r.bytes().next().is_some_and(|b| b.is_ascii_uppercase()))
    });
    // A value of sixteen digits leaves no blank before the mark of a wrap.
    let (value, glued) = value.split_once('*').unwrap_or((value, ""));
    let rate = if glued.is_empty() { words.next()? } else { glued };
    let number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (known && words.next().is_none() && number(rate) && rate.contains('.'))
        .then_some((name, value.parse().ok()?))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut c = Counters { source: ID, dev: None, entries: Vec::new() };
    let mut fields = Fields::new(ID, None);
    let mut cited: Option<Citation> = None;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if is_head(t) {
            if cited.is_some() || !fields.entries.is_empty() {
                break;
            }
            fields.push("head", t.trim_start_matches('#'), line.cite());
        } else if let Some((name, value)) = row(t) {
            cited = Some(cited.map_or_else(|| line.cite(), |a| a.to(line.cite())));
            push(&mut c, name, value, line.cite());
        } else if is_json(t) {
            let value: Option<serde_json::Value> = serde_json::from_str(t).ok();
            let Some(map) = value.as_ref().and_then(|v| v.as_object()?.values().next()?.as_object()) else {
                cursor.next();
                out.not_understood(line);
                continue;
            };
            for (name, value) in map {
                if let Some(value) = value.as_u64() {
                    push(&mut c, name, value, line.cite());
                }
            }
            cited = Some(cited.map_or_else(|| line.cite(), |a| a.to(line.cite())));
        } else {
            break;
        }
        cursor.next();
        out.typed(line);
    }
    if let Some(f) = fields.entries.first() {
        out.record(f.at, None, What::Fields(fields));
    }
    if let Some(at) = cited {
        out.record(at, None, What::Counters(c));
    }
}

fn push(c: &mut Counters, name: &str, value: u64, at: Citation) {
    let meaning = proc_net_snmp::meaning(name);
    c.entries.push(Counter { name: name.to_owned(), value, meaning, at });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Meaning};
    use crate::parse::parse_text_with;

    fn retransmits(text: &str) -> Option<u64> {
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(p.not_understood.is_empty() && p.unrecognised.is_empty(), "{p:?}");
        p.records.iter().find_map(|r| match &r.what {
            What::Counters(c) => {
                c.entries.iter().find(|e| e.meaning == Meaning::Retransmits).map(|e| e.value)
            }
            _ => None,
        })
    }

    #[test]
    fn rows_and_json() {
        assert_eq!(
            retransmits(
                "#kernel\nIpInReceives                    5                  0.0\nTcpRetransSegs                  12                 0.0\n"
            ),
            Some(12)
        );
        assert_eq!(
            retransmits("#1234.56 sampling_interval=60 time_const=60\nTcpRetransSegs  7  0.1\n"),
            Some(7)
        );
        assert_eq!(retransmits(r#"{"kernel":{"TcpInSegs":4,"TcpRetransSegs":3}}"#), Some(3));
    }
}
