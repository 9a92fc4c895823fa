//! `ping` (iputils, busybox, inetutils), `arping`, and lines that quote a ping's result.
//!
//! One [`What::Probe`] per run: `text` is the first line and the statistics, `errno` the error of the send call where one was
//! printed (`ping: sendmsg: No buffer space available` is `ENOBUFS`). Single replies are counted by the statistics and not
//! kept one by one.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Line, Probe, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ping";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| {
        let t = l.trimmed();
        begins(t) || statistics(t).is_some() || heading(t) || error(t).is_some() || arping(t).is_some()
    })
}

fn begins(t: &str) -> bool {
    (t.starts_with("PING ")
        && (t.contains(" bytes of data") || t.contains(" data bytes") || t.contains(" bytes")))
        || (t.starts_with("ARPING ") && t.contains(" from "))
}

/// `--- 10.0.0.1 ping statistics ---`.
fn heading(t: &str) -> bool {
    t.starts_with("--- ") && t.ends_with(" ping statistics ---")
}

fn reply(t: &str) -> bool {
    (t.contains(" bytes from ") && (t.contains("seq=") || t.contains("icmp_seq")))
        || (t.starts_with("From ") && t.contains("icmp_seq="))
        || t.starts_with("Unicast reply from ")
        || t.starts_with("Broadcast reply from ")
        || t.starts_with("no answer yet for icmp_seq=")
        || t.starts_with("Request timeout for icmp_seq")
        || t.starts_with("wrong data byte ")
        || t.starts_with("rtt min/avg/max")
        || t.starts_with("round-trip min/avg/max")
        || t.starts_with("WARNING: ") && t.contains("time of day")
        || (t.starts_with('^') && t.len() <= 3)
}

/// Sent and received of `3 packets transmitted, 2 received, 33% packet loss`.
fn statistics(t: &str) -> Option<(u64, u64)> {
    let (before, after) = t.split_once(" packets transmitted, ")?;
    if !after.contains("packet loss") && !after.contains("received") {
        return None;
    }
    let sent = before.rsplit([' ', ':']).next()?.parse().ok()?;
    let received = after.split_whitespace().next()?.parse().ok()?;
    Some((sent, received))
}

fn arping(t: &str) -> Option<(bool, u64)> {
    if let Some(rest) = t.strip_prefix("Sent ")
        && rest.contains(" probes (")
    {
        return rest.split_whitespace().next()?.parse().ok().map(|n| (true, n));
    }
    let rest = t.strip_prefix("Received ")?;
    if !rest.contains(" response") {
        return None;
    }
    rest.split_whitespace().next()?.parse().ok().map(|n| (false, n))
}

/// `ping: sendmsg: No buffer space available`: the name of the error.
fn error(t: &str) -> Option<String> {
    let rest = t
        .strip_prefix("ping: ")
        .or_else(|| t.strip_prefix("ping6: "))
        .or_else(|| t.strip_prefix("arping: "))?;
    let message = rest.rsplit(": ").next().unwrap_or(rest);
    const NAMES: &[(&str, &str)] = &[
        ("No buffer space available", "ENOBUFS"),
        ("Network is unreachable", "ENETUNREACH"),
        ("No route to host", "EHOSTUNREACH"),
        ("Network is down", "ENETDOWN"),
        ("Message too long", "EMSGSIZE"),
        ("Operation not permitted", "EPERM"),
        ("Invalid argument", "EINVAL"),
        ("No such device", "ENODEV"),
        ("Cannot assign requested address", "EADDRNOTAVAIL"),
        ("Resource temporarily unavailable", "EAGAIN"),
        ("Host is down", "EHOSTDOWN"),
        ("Permission denied", "EACCES"),
    ];
    let name = NAMES.iter().find(|(text, _)| message.starts_with(text)).map(|(_, name)| *name);
    Some(name.unwrap_or(message).to_owned())
}

struct Draft {
    at: Citation,
    last: Citation,
    probe: Probe,
    /// The statistics were read: what follows is another run.
    done: bool,
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut open: Option<Draft> = None;
    let emit = |open: Option<Draft>, out: &mut Out| {
        if let Some(d) = open {
            out.record(d.at.to(d.last), None, What::Probe(d.probe));
        }
    };
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        let counts = statistics(t);
        let err = error(t);
        let arp = arping(t);
        if !begins(t) && !heading(t) && !reply(t) && counts.is_none() && err.is_none() && arp.is_none() {
            break;
        }
        let tail = t.starts_with("rtt ") || t.starts_with("round-trip ") || arp.is_some();
        if begins(t) || (open.as_ref().is_some_and(|d| d.done) && !tail) {
            emit(open.take(), out);
        }
        let d = open.get_or_insert_with(|| Draft {
            at: line.cite(),
            last: line.cite(),
            probe: Probe { text: String::new(), sent: None, received: None, errno: None },
            done: false,
        });
        d.last = line.cite();
        if begins(t) || counts.is_some() || tail || err.is_some() && d.probe.errno.is_none() {
            if !d.probe.text.is_empty() {
                d.probe.text.push_str("; ");
            }
            d.probe.text.push_str(t);
        }
        if let Some((sent, received)) = counts {
            (d.probe.sent, d.probe.received, d.done) = (Some(sent), Some(received), true);
        }
        match arp {
            Some((true, n)) => d.probe.sent = Some(n),
            Some((false, n)) => (d.probe.received, d.done) = (Some(n), true),
            None => {}
        }
        if let Some(err) = err {
            d.probe.errno.get_or_insert(err);
        }
        out.typed(line);
        cursor.next();
    }
    emit(open, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn probes(text: &str) -> Vec<Probe> {
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let probe = |w| if let What::Probe(p) = w { Some(p) } else { None };
        parsed.records.into_iter().filter_map(|r| probe(r.what)).collect()
    }

    #[test]
    fn runs_with_and_without_errors() {
        let got = probes(
            "PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.\n64 bytes from 10.0.0.1: icmp_seq=1 ttl=64 time=0.237 ms\nping: sendmsg: No buffer space available\n\n--- 10.0.0.1 ping statistics ---\n3 packets transmitted, 1 received, 66% packet loss, time 608ms\nrtt min/avg/max/mdev = 0.227/0.247/0.277/0.021 ms\nPING 10.0.0.2 (10.0.0.2): 56 data bytes\n64 bytes from 10.0.0.2: seq=0 ttl=64 time=0.1 ms\n\n--- 10.0.0.2 ping statistics ---\n1 packets transmitted, 1 packets received, 0% packet loss\nbond0 untagged: 5 packets transmitted, 0 received, 100% packet loss, time 404ms\n",
        );
        let [a, b, c] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((a.sent, a.received, a.errno.as_deref()), (Some(3), Some(1), Some("ENOBUFS")));
        assert_eq!((b.sent, b.received, b.errno.as_deref()), (Some(1), Some(1), None));
        assert_eq!((c.sent, c.received), (Some(5), Some(0)));
    }
}
