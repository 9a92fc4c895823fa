//! `ethtool --phy-statistics <dev>`: counters of the PHY driver.
//!
//! Source: `do_gphystats()` in `ethtool.c` (`PHY statistics:`); the names are those of `drivers/net/phy/*.c`
//! (`phy_receive_errors`, `phy_idle_errors`, `phy_local_rcvr_nok`, ...).

use super::counter_meaning::meaning;
use super::ethtool_listing::{colon, dev_after, is_elision, number};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Counter, Counters, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool-phy-statistics";

fn is_title(t: &str) -> bool {
    t == "PHY statistics:" || dev_after("PHY statistics for ", t).is_some()
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| {
        let t = l.trimmed();
        is_title(t)
            || colon(t).is_some_and(|(k, v)| {
                number(v).is_some()
                    && [
                        "phy_receive_errors",
                        "phy_idle_errors",
                        "phy_serdes_",
                        "phy_local_rcvr",
                        "phy_remote_rcv",
                    ]
                    .iter()
                    .any(|p| k.starts_with(p))
            })
    })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut dev = out.hints.dev.clone();
    let mut entries: Vec<Counter> = Vec::new();
    let mut others = Fields::new(ID, None);
    let mut span: Option<(Citation, Citation)> = None;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if is_title(t) {
            if span.is_some() {
                break;
            }
            if let Some(name) = dev_after("PHY statistics for ", t) {
                dev = Some(name.to_owned());
            }
        } else if is_elision(t) {
            others.push("elided", t, line.cite());
        } else if let Some((name, value)) = colon(t).filter(|(k, _)| k.split_whitespace().count() <= 5) {
            match number(value) {
                Some(value) => entries.push(Counter {
                    name: name.to_owned(),
                    value,
                    meaning: meaning(None, name),
                    at: line.cite(),
                }),
                None if !value.is_empty() && !value.contains(' ') => others.push(name, value, line.cite()),
                None => break,
            }
        } else {
            break;
        }
        let at = line.cite();
        span = Some(span.map_or((at, at), |(first, _)| (first, at)));
        cursor.next();
        out.typed(line);
    }
    let Some((first, last)) = span else { return };
    let at = first.to(last);
    let empty = entries.is_empty();
    if !empty {
        out.record(at, None, What::Counters(Counters { source: ID, dev: dev.clone(), entries }));
    }
    if empty || !others.entries.is_empty() {
        others.dev = dev;
        out.record(at, None, What::Fields(others));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Meaning};
    use crate::parse::parse_text_with;

    #[test]
    fn names_of_several_phys() {
        let p = parse_text_with(
            FileId(0),
            "ethtool_--phy-statistics_eno2",
            b"PHY statistics:\n     phy_receive_errors_copper: 12\n     phy_idle_errors: 255\n     phy_remote_rcv_nok: 1\n     Symbol Error During Carrier: 2\n",
            &[FORMAT],
        );
        let [r] = p.records.as_slice() else { panic!() };
        let What::Counters(c) = &r.what else { panic!() };
        assert_eq!(
            c.entries.iter().map(|e| e.meaning).collect::<Vec<_>>(),
            [Meaning::RxSymbol, Meaning::RxSymbol, Meaning::RemoteFault, Meaning::RxSymbol]
        );
        assert_eq!((c.dev.as_deref(), p.typed), (Some("eno2"), 5));
    }
}
