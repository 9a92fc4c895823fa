//! `/proc/net/dev`: the statistics of all interfaces, in one table.
//!
//! Printed by `dev_seq_show()` in `net/core/net-procfs.c`, unchanged since 2.2: `drop` is `rx_dropped + rx_missed_errors`,
//! `frame` the sum of length, overrun, CRC and frame errors, `carrier` the sum of carrier, aborted, window and
//! heartbeat errors. Kept: one [`Counters`] record per interface.

use super::prompt::looks_like_ifname;
use super::{Cursor, Format, Out, stats64};
use crate::evidence::{Counter, Counters, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-net-dev";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| {
        // `/proc/softirqs` of a host with 16 processors, and `/proc/net/netstat`, have rows of this shape.
        let named = |name: &str| {
            name == "lo" || name.starts_with(|c: char| c.is_ascii_lowercase()) && looks_like_ifname(name)
        };
        heading(l.trimmed()) || row(l.trimmed()).is_some_and(|(name, _)| named(name))
    })
}

fn heading(t: &str) -> bool {
    t.starts_with("Inter-|") || (t.starts_with("face |bytes") && t.contains("|bytes"))
}

const COLUMNS: [&str; 16] = [
    "rx_bytes",
    "rx_packets",
    "rx_errors",
    "rx_dropped",
    "rx_fifo_errors",
    "rx_frame_errors",
    "rx_compressed",
    "multicast",
    "tx_bytes",
    "tx_packets",
    "tx_errors",
    "tx_dropped",
    "tx_fifo_errors",
    "collisions",
    "tx_carrier_errors",
    "tx_compressed",
];

fn row(t: &str) -> Option<(&str, Vec<u64>)> {
    // The value may stand right behind the colon, and an alias has a colon of its own.
    let (name, rest) = t.rsplit_once(':')?;
    if name.is_empty() || name.len() > 15 || name.contains([' ', '\t', '|']) {
        return None;
    }
    let mut values = Vec::with_capacity(16);
    for word in rest.split_whitespace() {
        values.push(word.parse().ok()?);
        if values.len() > 16 {
            return None;
        }
    }
    (values.len() == 16).then_some((name, values))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if heading(t) {
            cursor.next();
            out.typed(line);
            continue;
        }
        let Some((name, values)) = row(t) else { return };
        cursor.next();
        out.typed(line);
        let at = line.cite();
        let entries = COLUMNS
            .iter()
            .zip(values)
            .map(|(name, value)| Counter {
                name: (*name).to_owned(),
                value,
                meaning: stats64::meaning(name),
                at,
            })
            .collect();
        out.record(at, None, What::Counters(Counters { source: ID, dev: Some(name.to_owned()), entries }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Meaning};
    use crate::parse::parse_text_with;

    #[test]
    fn rows_with_and_without_blank() {
        let text = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0\n  eth0:1429674 7727 1 2 3 4 0 5 521985 4862 6 7 0 8 9 0\n";
        let p = parse_text_with(FileId(0), "proc/net/dev", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.records.len()), (4, 2));
        let softirqs = "NET_RX: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
        assert_eq!(parse_text_with(FileId(0), "x", softirqs.as_bytes(), &[FORMAT]).typed, 0);
        let What::Counters(c) = &p.records[1].what else { panic!() };
        let get = |m| c.entries.iter().find(|e| e.meaning == m).map(|e| e.value);
        assert_eq!(c.dev.as_deref(), Some("eth0"));
        assert_eq!(
            (get(Meaning::RxCrc), get(Meaning::TxCarrier), get(Meaning::TxDropped)),
            (Some(4), Some(9), Some(7))
        );
    }
}
