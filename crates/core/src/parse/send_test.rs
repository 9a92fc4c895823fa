//! The lab's send test: how often a send call gave which result, `sender: {'ok': 94, 'ECONNREFUSED': 6}`.
//!
//! `sent` is the number of calls; `errno` the most frequent error that a send buffer or a driver causes (an answer of
//! the peer, `ECONNREFUSED`, only if there is no other).

use super::{Cursor, Format, Out};
use crate::evidence::{Line, Probe, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "send-test";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| read(l.trimmed()).is_some())
}

fn read(t: &str) -> Option<Probe> {
    let (before, rest) = t.split_once('{')?;
    let before = before.trim_end();
    if !(before.ends_with("sender:") || before.ends_with("send:")) {
        return None;
    }
    let (inside, _) = rest.split_once('}')?;
    let mut sent = 0_u64;
    let mut worst: Option<(bool, u64, String)> = None;
    for pair in inside.split(',').filter(|p| !p.trim().is_empty()) {
        let (name, count) = pair.split_once(':')?;
        let name = name.trim().trim_matches(['\'', '"']);
        let count: u64 = count.trim().parse().ok()?;
        sent = sent.saturating_add(count);
        if name == "ok" {
            continue;
        }
        let local = name != "ECONNREFUSED";
        if worst.as_ref().is_none_or(|(l, n, _)| (local, count) > (*l, *n)) {
            worst = Some((local, count, name.to_owned()));
        }
    }
    Some(Probe {
        text: t.to_owned(),
        sent: Some(sent),
        received: None,
        errno: worst.map(|(_, _, name)| name),
    })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        let Some(probe) = read(line.trimmed()) else { break };
        cursor.next();
        out.typed(line);
        out.record(line.cite(), None, What::Probe(probe));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_errors_count_more_than_answers() {
        let p = read("sender: {'ok': 12, 'ECONNREFUSED': 60, 'ENOBUFS': 28}").unwrap();
        assert_eq!((p.sent, p.errno.as_deref()), (Some(100), Some("ENOBUFS")));
        assert_eq!(read("t=1 bond send: {'ok': 20} states 71").unwrap().errno, None);
        assert!(read("config: {'a': 1}").is_none());
    }
}
