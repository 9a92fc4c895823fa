//! `/proc/net/softnet_stat`: what each CPU's receive softirq did.
//!
//! Format: `net/core/net-procfs.c`, `softnet_seq_show()`: rows of hexadecimal words. Columns: 0 processed, 1 dropped (backlog
//! full), 2 `time_squeeze`, 3 to 7 always zero, 8 `cpu_collision`, 9 `received_rps`, 10 `flow_limit_count` (3.11), 11 backlog
//! length and 12 the CPU (5.10), 13 and 14 the two backlog queues (6.x). Before 5.10 a row does not say its CPU; rows are of
//! online CPUs in order.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Counter, Counters, Line, Meaning, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "softnet-stat";

const COLUMNS: &[(usize, &str, Meaning)] = &[
    (0, "processed", Meaning::Other),
    (1, "dropped", Meaning::SoftnetDropped),
    (2, "time_squeeze", Meaning::SoftnetSqueezed),
    (8, "cpu_collision", Meaning::Other),
    (9, "received_rps", Meaning::Other),
    (10, "flow_limit_count", Meaning::Other),
    (11, "backlog_len", Meaning::Other),
    (13, "input_qlen", Meaning::Other),
    (14, "process_qlen", Meaning::Other),
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).and_then(|l| words(l.trimmed())).is_some_and(|w| w.len() >= 8)
}

fn words(t: &str) -> Option<Vec<u64>> {
    // Eight digits, or there is no need to look on.
    if t.as_bytes().get(7).is_none_or(|b| !b.is_ascii_hexdigit()) {
        return None;
    }
    let words: Option<Vec<u64>> = t
        .split_whitespace()
        .map(|w| {
            (w.len() == 8 && w.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
                .then(|| u64::from_str_radix(w, 16).ok())
                .flatten()
        })
        .collect();
    words.filter(|w| !w.is_empty())
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut rows: Vec<(Vec<u64>, Citation)> = Vec::new();
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some(w) = words(line.trimmed()) else { break };
        cursor.next();
        out.typed(line);
        match rows.last_mut() {
            // The rest of a row that a mailer broke.
            Some((row, at)) if w.len() < 8 => {
                row.extend(w);
                *at = at.to(line.cite());
            }
            _ => rows.push((w, line.cite())),
        }
    }
    let (Some((_, first)), Some((_, last))) = (rows.first(), rows.last()) else { return };
    let at = first.to(*last);
    let mut c = Counters { source: ID, dev: None, entries: Vec::new() };
    for (n, (row, at)) in rows.iter().enumerate() {
        let cpu = row.get(12).copied().unwrap_or(n as u64);
        for (column, name, meaning) in COLUMNS {
            if let Some(value) = row.get(*column) {
                let name = format!("cpu{cpu}.{name}");
                c.entries.push(Counter { name, value: *value, meaning: *meaning, at: *at });
            }
        }
    }
    out.record(at, None, What::Counters(c));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn read(text: &str) -> Vec<(String, u64, Meaning)> {
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(p.unrecognised.is_empty());
        let What::Counters(c) = &p.records[0].what else { panic!() };
        c.entries.iter().map(|e| (e.name.clone(), e.value, e.meaning)).collect()
    }

    #[test]
    fn old_and_new_rows() {
        let z = "00000000";
        let old = read(
            "00022be3 000000fe 00000012 00000000 00000000 00000000 00000000 00000000 00000000 00000002 00000001\n",
        );
        assert!(old.contains(&("cpu0.dropped".to_owned(), 0xfe, Meaning::SoftnetDropped)));
        assert!(old.contains(&("cpu0.time_squeeze".to_owned(), 0x12, Meaning::SoftnetSqueezed)));
        let new = read(&format!(
            "00000001 00000002 00000003 {z} {z} {z} {z} {z}\n{z} {z} {z} {z} 00000007 {z} {z}\n"
        ));
        assert!(new.contains(&("cpu7.dropped".to_owned(), 2, Meaning::SoftnetDropped)));
    }
}
