//! `ip stats show ... group xstats_slave subgroup bond suite 802.3ad`, `ip link xstats type bond_slave`, and their JSON.
//!
//! Printed by `bond_print_stats_attr()` in `ip/iplink_bond.c` from `bond_3ad_stats_fill()` in
//! `drivers/net/bonding/bond_3ad.c`. Some versions of iproute2 die with `stack smashing detected` on `ip link xstats`;
//! `ip stats` works. Kept: one [`Counters`] record per interface, named as the JSON names them.
//! `lacpdu_tx` counts attempts: it goes up also where the driver then dropped the frame.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out, ip_link_json, stats64};
use crate::evidence::{Counter, Counters, Fields, Line, Meaning, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

pub(super) const ID: &str = "xstats";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if t.starts_with(['[', '{']) {
        let head = ip_link_json::opening(lines, i);
        return head.starts_with("[{\"ifindex\":")
            && head.contains("\"ifname\":")
            && ["xstats", "xstats_slave", "afstats", "offload", "link"]
                .iter()
                .any(|g| head.contains(&format!("\"group\":\"{g}\"")));
    }
    stats_head(t).is_some()
        || counter(t).is_some()
        || (is_ifname(t) && lines.get(i + 1).is_some_and(|l| counter(l.trimmed()).is_some()))
}

/// `4: h1: group xstats_slave subgroup bond suite 802.3ad`.
fn stats_head(t: &str) -> Option<(&str, &str)> {
    let (index, rest) = t.split_once(": ")?;
    if index.is_empty() || !index.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (name, rest) = rest.split_once(": ")?;
    let rest = rest.trim_start();
    let group = rest.strip_prefix("group ")?.split_whitespace().next()?;
    let known = matches!(group, "xstats" | "xstats_slave" | "link" | "offload" | "afstats");
    (known && is_ifname(name)).then_some((name, rest))
}

/// `LACPDU Rx 11`: the name in JSON, and the value.
fn counter(t: &str) -> Option<(&'static str, u64)> {
    let (label, value) = t.rsplit_once(' ')?;
    let value = value.parse().ok()?;
    if !label.trim_start().starts_with(['L', 'M']) {
        return None;
    }
    let words: Vec<&str> = label.trim_end_matches([' ', ':']).split_whitespace().collect();
    let name = NAMES.iter().find(|(text, _)| text.split(' ').eq(words.iter().copied()))?.1;
    Some((name, value))
}

const NAMES: &[(&str, &str)] = &[
    ("LACPDU Rx", "lacpdu_rx"),
    ("LACPDU Tx", "lacpdu_tx"),
    ("LACPDU Unknown type Rx", "lacpdu_unknown_rx"),
    ("LACPDU Illegal Rx", "lacpdu_illegal_rx"),
    ("Marker Rx", "marker_rx"),
    ("Marker Tx", "marker_tx"),
    ("Marker response Rx", "marker_response_rx"),
    ("Marker response Tx", "marker_response_tx"),
    ("Marker unknown type Rx", "marker_unknown_rx"),
];

/// What a counter of the 802.3ad suite counts.
pub(super) fn meaning(name: &str) -> Meaning {
    match name {
        "lacpdu_rx" => Meaning::LacpduRx,
        "lacpdu_tx" => Meaning::LacpduTx,
        "lacpdu_unknown_rx" | "lacpdu_illegal_rx" => Meaning::LacpduBad,
        "marker_rx" | "marker_tx" | "marker_response_rx" | "marker_response_tx" | "marker_unknown_rx" => {
            Meaning::Marker
        }
        _ => Meaning::Other,
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(first) = cursor.peek() {
        if first.is_blank() {
            cursor.next();
            continue;
        }
        let t = first.trimmed();
        if t.starts_with(['[', '{']) {
            ip_link_json::parse(cursor, out);
            return;
        }
        let mut at = first.cite();
        let mut entries = Vec::new();
        let dev;
        if let Some((name, what)) = stats_head(t) {
            dev = Some(name.to_owned());
            cursor.next();
            out.typed(first);
            let suite = what.contains("suite 802.3ad");
            if !suite {
                let mut fields = Fields::new(ID, dev.clone());
                fields.push("stats", what, first.cite());
                out.record(first.cite(), None, What::Fields(fields));
            }
        } else if counter(t).is_some() {
            dev = out.hints.dev.clone();
        } else if is_ifname(t) && cursor.peek_at(1).is_some_and(|l| counter(l.trimmed()).is_some()) {
            dev = Some(t.to_owned());
            cursor.next();
            out.typed(first);
        } else {
            return;
        }
        let mut columns: Vec<&'static str> = Vec::new();
        while let Some(line) = cursor.peek() {
            let t = line.trimmed();
            if line.is_blank() {
                cursor.next();
                continue;
            }
            if let Some((name, value)) = counter(t) {
                let meaning = meaning(name);
                entries.push(Counter { name: name.to_owned(), value, meaning, at: line.cite() });
            } else if dev.is_some() && (t.starts_with("l3_stats ") || t.starts_with("cpu_hit ")) {
                let mut fields = Fields::new(ID, dev.clone());
                fields.push("stats", t, line.cite());
                out.record(line.cite(), None, What::Fields(fields));
            } else if let Some(names) = table_head(t) {
                columns = names;
            } else if !columns.is_empty()
                && let Some(values) = row(t, columns.len())
            {
                for (name, value) in columns.drain(..).zip(values) {
                    let meaning = stats64::meaning(name);
                    entries.push(Counter { name: name.to_owned(), value, meaning, at: line.cite() });
                }
            } else {
                break;
            }
            cursor.next();
            out.typed(line);
            at = at.to(line.cite());
        }
        if !entries.is_empty() {
            out.record(at, None, What::Counters(Counters { source: ID, dev, entries }));
        }
    }
}

/// `RX:  bytes packets errors dropped  missed   mcast` of `group link`.
fn table_head(t: &str) -> Option<Vec<&'static str>> {
    let (rx, rest) = match t.split_once(':')? {
        ("RX" | "RX errors", rest) => (true, rest),
        ("TX" | "TX errors", rest) => (false, rest),
        _ => return None,
    };
    rest.split_whitespace().map(|w| stats64::ip_column(rx, w)).collect()
}

fn row(t: &str, n: usize) -> Option<Vec<u64>> {
    let values: Vec<u64> = t.split_whitespace().map(stats64::number).collect::<Option<_>>()?;
    (values.len() == n).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::{Parsed, parse_text_with};

    fn read(text: &str) -> Parsed {
        parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT])
    }

    fn get(p: &Parsed, dev: &str, meaning: Meaning) -> Option<u64> {
        p.records.iter().find_map(|r| match &r.what {
            What::Counters(c) if c.dev.as_deref() == Some(dev) && c.source == "xstats" => {
                c.entries.iter().find(|e| e.meaning == meaning).map(|e| e.value)
            }
            _ => None,
        })
    }

    #[test]
    fn text_and_json_say_the_same() {
        let text = read(
            "1: lo: group xstats_slave subgroup bond suite 802.3ad\n\n4: h1: group xstats_slave subgroup bond suite 802.3ad\n                    LACPDU Rx 11\n                    LACPDU Tx 10\n                    LACPDU Unknown type Rx 0\n                    LACPDU Illegal Rx 3\n                    Marker Rx 0\n\n\n8: h2: group xstats_slave subgroup bond suite 802.3ad\n                    LACPDU Rx 12\n",
        );
        assert_eq!((text.typed, text.not_understood.len(), text.unrecognised.len()), (9, 0, 0));
        let json = read(
            "[{\"ifindex\":1,\"ifname\":\"lo\",\"group\":\"xstats_slave\",\"subgroup\":\"bond\",\"suite\":\"802.3ad\"},{\"ifindex\":4,\"ifname\":\"h1\",\"group\":\"xstats_slave\",\"subgroup\":\"bond\",\"suite\":\"802.3ad\",\"802.3ad\":{\"lacpdu_rx\":11,\"lacpdu_tx\":10,\"lacpdu_unknown_rx\":0,\"lacpdu_illegal_rx\":3,\"marker_rx\":0}}]\n",
        );
        assert_eq!(json.recognised, ["xstats"]);
        for p in [&text, &json] {
            assert_eq!(get(p, "h1", Meaning::LacpduRx), Some(11));
            assert_eq!(get(p, "h1", Meaning::LacpduTx), Some(10));
        }
        assert_eq!(get(&text, "h2", Meaning::LacpduRx), Some(12));
    }

    #[test]
    fn old_form() {
        let p = read("h1              \n                    LACPDU Rx 7\n                    LACPDU Tx 9\n");
        assert_eq!(get(&p, "h1", Meaning::LacpduTx), Some(9));
        assert_eq!(p.typed, 3);
    }
}
