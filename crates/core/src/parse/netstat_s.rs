//! `netstat -s` (net-tools, BusyBox has none): the counters of `/proc/net/snmp` and `/proc/net/netstat` as sentences.
//!
//! Format: net-tools `statistics.c`. A section (`Tcp:`), then `12 segments retransmitted`, `InType3: 107`,
//! `destination unreachable: 107` or a sentence with the number inside. The counter's name is section and sentence without
//! the number (`Tcp: segments retransmitted`).

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Counter, Counters, Fields, Line, Meaning, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "netstat-s";

const SECTIONS: &[&str] = &[
    "Ip:",
    "Icmp:",
    "IcmpMsg:",
    "Tcp:",
    "Udp:",
    "UdpLite:",
    "TcpExt:",
    "IpExt:",
    "MPTcpExt:",
    "Ip6:",
    "Icmp6:",
    "Udp6:",
    "UdpLite6:",
    "Sctp:",
    "DCCP:",
    "Dccp:",
    "Xfrm:",
    "Tls:",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if SECTIONS.contains(&t) {
        return lines.get(i + 1).is_some_and(|l| {
            !l.is_blank() && counter(l.trimmed()).is_some() || {
                let next = l.trimmed();
                SECTIONS.contains(&next) || histogram(next)
            }
        });
    }
    is_error(t)
        || t.ends_with(" total packets received")
        || t.ends_with(" active connection openings")
        || t.ends_with(" active connections openings")
}

fn is_error(t: &str) -> bool {
    t.starts_with("error parsing /proc/net/")
        || t.contains("netstat")
            && (t.ends_with("command not found") || t.ends_with("No such file or directory"))
        || t.starts_with("netstat: no support for")
}

fn histogram(t: &str) -> bool {
    t == "ICMP input histogram:" || t == "ICMP output histogram:" || t.ends_with(" histogram:")
}

/// The number of a sentence and the sentence without it. A sentence has one number that stands alone, first, last or
/// within.
fn counter(t: &str) -> Option<(String, u64)> {
    if let Some((name, value)) = t.rsplit_once(": ")
        && let Ok(value) = value.trim().parse::<u64>()
    {
        return Some((name.trim().to_owned(), value));
    }
    let is_number = |w: &&str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit());
    let word = t.split_whitespace().find(is_number)?;
    let value = word.parse().ok()?;
    let mut seen = false;
    let rest: Vec<&str> = t
        .split_whitespace()
        .filter(|w| {
            let this = !seen && *w == word;
            seen |= this;
            !this
        })
        .collect();
    (!rest.is_empty()).then(|| (rest.join(" "), value))
}

fn meaning(name: &str) -> Meaning {
    // Until net-tools 1.60 the word had one t less.
    if matches!(name, "segments retransmitted" | "segments retransmited") {
        Meaning::Retransmits
    } else {
        Meaning::Other
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut c = Counters { source: ID, dev: None, entries: Vec::new() };
    let mut section = String::new();
    let mut cited: Option<Citation> = None;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if is_error(t) {
            let mut f = Fields::new(ID, None);
            f.push("error", t, line.cite());
            out.record(line.cite(), None, What::Fields(f));
        } else if SECTIONS.contains(&t) {
            section = t.to_owned();
            cited = Some(cited.map_or_else(|| line.cite(), |a| a.to(line.cite())));
        } else if histogram(t) {
            // Part of the name of the lines below.
            let top = section.split_whitespace().next().unwrap_or("").to_owned();
            section = format!("{top} {t}");
        } else if let Some((name, value)) = counter(t) {
            if section.is_empty() {
                section = "Ip:".to_owned();
            }
            // The histogram ends where sentences go on.
            if section.ends_with("histogram:") && !t.contains(": ") {
                section = section.split_whitespace().next().unwrap_or("").to_owned();
            }
            let meaning = meaning(&name);
            let name = format!("{section} {name}");
            c.entries.push(Counter { name, value, meaning, at: line.cite() });
            cited = Some(cited.map_or_else(|| line.cite(), |a| a.to(line.cite())));
        } else {
            cursor.next();
            out.not_understood(line);
            continue;
        }
        cursor.next();
        out.typed(line);
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
    fn sentences() {
        let text = "Ip:\n    10 total packets received\nIcmp:\n    1 ICMP messages received\n    ICMP input histogram:\n        destination unreachable: 7\n    4 ICMP messages sent\nTcp:\n    12 segments retransmitted\nTcpExt:\n    Quick ack mode was activated 3 times\n    TCPSackShifted: 9\n    no number here\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.not_understood.len(), p.unrecognised.len()), (1, 0));
        let What::Counters(c) = &p.records[0].what else { panic!() };
        let got: Vec<_> = c.entries.iter().map(|e| (e.name.as_str(), e.value)).collect();
        assert_eq!(
            got,
            [
                ("Ip: total packets received", 10),
                ("Icmp: ICMP messages received", 1),
                ("Icmp: ICMP input histogram: destination unreachable", 7),
                ("Icmp: ICMP messages sent", 4),
                ("Tcp: segments retransmitted", 12),
                ("TcpExt: Quick ack mode was activated times", 3),
                ("TcpExt: TCPSackShifted", 9),
            ]
        );
        assert_eq!(c.entries[4].meaning, Meaning::Retransmits);
    }

    #[test]
    fn errors_are_kept() {
        let p = parse_text_with(
            FileId(0),
            "x",
            b"exec of \"netstat\" failed: No such file or directory\n",
            &[FORMAT],
        );
        assert_eq!((p.typed, p.records.len()), (1, 1));
    }
}
