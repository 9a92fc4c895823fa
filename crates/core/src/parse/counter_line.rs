//! One line of counters per interface, as small scripts print them: `bond0.70  tx_packets=2 tx_dropped=0 rx_packets=5`.
//!
//! The names are those of `/sys/class/net/*/statistics`.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out, stats64};
use crate::evidence::{Counter, Counters, Line, Meaning, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "counter-line";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| read(l.trimmed()).is_some())
}

type Pairs<'a> = Vec<(&'a str, u64)>;

fn read(t: &str) -> Option<(&str, Pairs<'_>)> {
    let mut words = t.split_whitespace();
    let dev = words.next()?.trim_end_matches(':');
    if !is_ifname(dev) {
        return None;
    }
    let pairs = words
        .map(|w| {
            let (name, value) = w.trim_end_matches(',').split_once('=')?;
            let counter = name.starts_with("rx_")
                || name.starts_with("tx_")
                || matches!(name, "multicast" | "collisions" | "carrier_changes");
            counter.then_some((name, value.parse().ok()?))
        })
        .collect::<Option<Pairs<'_>>>()?;
    (!pairs.is_empty() && pairs.iter().any(|(n, _)| stats64::meaning(n) != Meaning::Other))
        .then_some((dev, pairs))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some((dev, pairs)) = read(line.trimmed()) else { return };
        cursor.next();
        out.typed(line);
        let at = line.cite();
        let entries = pairs
            .into_iter()
            .map(|(name, value)| Counter {
                name: name.to_owned(),
                value,
                meaning: stats64::meaning(name),
                at,
            })
            .collect();
        out.record(at, None, What::Counters(Counters { source: ID, dev: Some(dev.to_owned()), entries }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn one_record_per_line() {
        let text = "--- after\nbond0.70  tx_packets=18 tx_dropped=82 tx_errors=0 rx_packets=20 rx_dropped=0\nh1        tx_packets=18 tx_dropped=0\n     82 net_dev_xmit: dev=bond0   rc=1\n++ printf 'tx_packets=%s' h1\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        let got: Vec<_> = p
            .records
            .iter()
            .map(|r| {
                let What::Counters(c) = &r.what else { panic!() };
                let dropped = c.entries.iter().find(|e| e.meaning == Meaning::TxDropped).map(|e| e.value);
                (c.dev.clone().unwrap_or_default(), dropped)
            })
            .collect();
        assert_eq!(got, [("bond0.70".to_owned(), Some(82)), ("h1".to_owned(), Some(0))]);
    }
}
