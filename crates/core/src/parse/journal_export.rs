//! `journalctl -o export` and `-o verbose`: blocks of `KEY=value` lines, one block per entry.
//!
//! Format: systemd's `JOURNAL_EXPORT_FORMATS`. A blank line ends an entry. A field that is not plain text is a line
//! with its key alone, a length and the bytes; the bytes are on the line below and are taken as one value. `-o verbose`
//! begins an entry with its time and cursor (`Sun 2026-11-22 02:34:40.035001 UTC [s=...;i=...]`) and indents the fields.

use super::{Cursor, Format, Out, journal_json};
use crate::evidence::Line;
use crate::units::civil_ns;
use std::collections::BTreeMap;

/// The format.
pub const FORMAT: Format = Format { id: "journal-export", anchor, parse };

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    t.starts_with("__CURSOR=s=")
        || stamp_of(t, "__REALTIME_TIMESTAMP=")
        || stamp_of(t, "__MONOTONIC_TIMESTAMP=")
        || verbose_head(t).is_some()
}

fn stamp_of(t: &str, key: &str) -> bool {
    t.strip_prefix(key).is_some_and(|v| v.len() >= 6 && v.bytes().all(|b| b.is_ascii_digit()))
}

/// `Sun 2026-11-22 02:34:40.035001 UTC [s=...;i=...]`: the time in microseconds if it is UTC.
fn verbose_head(t: &str) -> Option<Option<i64>> {
    let (front, cursor) = t.split_once(" [s=")?;
    if !cursor.ends_with(']') || !cursor.contains(";i=") {
        return None;
    }
    let mut words = front.split_whitespace();
    let (_, date, clock, zone) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let mut d = date.split('-');
    let (y, m, day) = (d.next()?.parse().ok()?, d.next()?.parse().ok()?, d.next()?.parse().ok()?);
    let (hms, frac) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut c = hms.split(':');
    let (h, min, s) = (c.next()?.parse().ok()?, c.next()?.parse().ok()?, c.next()?.parse().ok()?);
    let ns = civil_ns(y, m, day, h, min, s, 0)?;
    let frac: i64 = format!("{frac:0<6}").get(..6)?.parse().ok()?;
    Some(matches!(zone, "UTC" | "GMT").then(|| (ns / 1000).saturating_add(frac)))
}

/// `KEY=value` with a key of the journal: capitals, digits and underscores.
fn field(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once('=')?;
    is_key(key).then_some((key, value))
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 64
        && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && key.bytes().any(|b| b.is_ascii_uppercase())
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    loop {
        cursor.skip_blank();
        let Some(first) = cursor.peek() else { return };
        let head = verbose_head(first.trimmed());
        if head.is_none() && field(first.trimmed()).is_none() {
            return;
        }
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        let mut taken: Vec<&Line<'_>> = Vec::new();
        if let Some(micros) = head {
            if let Some(us) = micros {
                fields.insert("__REALTIME_TIMESTAMP".to_owned(), us.to_string());
            }
            taken.extend(cursor.next());
        }
        let mut open: Option<String> = None;
        while let Some(line) = cursor.peek() {
            let t = line.trimmed();
            // A blank line, or the next entry of `-o verbose`, ends this one.
            if line.is_blank() || verbose_head(t).is_some() {
                break;
            }
            if let Some((key, value)) = field(t) {
                if key == "__CURSOR" && fields.contains_key("__CURSOR") {
                    break;
                }
                fields.entry(key.to_owned()).or_insert_with(|| value.to_owned());
                open = Some(key.to_owned());
            } else if is_key(t) {
                open = Some(t.to_owned());
            } else if let Some(key) = &open {
                // The bytes of a binary field, or a message of several lines.
                let value = fields.entry(key.clone()).or_default();
                if !value.is_empty() {
                    value.push('\n');
                }
                value.push_str(t.trim_start_matches(|c: char| c.is_control() || c == '\u{fffd}'));
            } else {
                break;
            }
            taken.extend(cursor.next());
        }
        let (Some(a), Some(z)) = (taken.first(), taken.last()) else { return };
        let at = a.cite().to(z.cite());
        let get = |key: &str| fields.get(key).cloned();
        let Some(message) = get("MESSAGE") else {
            for line in &taken {
                out.not_understood(line);
            }
            continue;
        };
        journal_json::record(&get, &message, at, out);
        for line in &taken {
            out.typed(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, KernelKind, What};
    use crate::parse::parse_text_with;
    use crate::units::Stamp;

    #[test]
    fn export_blocks() {
        let text = "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1795314880035001\n_HOSTNAME=db01\n_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel\nMESSAGE=bond0: (slave h1): link status definitely up, 10000 Mbps full duplex\n\n__CURSOR=s=1;i=3\n__REALTIME_TIMESTAMP=1795314880035002\n_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=lldpd\nMESSAGE=hello\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.records.len()), (11, 0, 2));
        let What::Kernel(k) = &p.records[0].what else { panic!() };
        assert_eq!((k.kind, k.dev.as_deref()), (KernelKind::MemberUp, Some("h1")));
        assert_eq!(k.host.as_deref(), Some("db01"));
    }

    #[test]
    fn verbose_blocks() {
        let text = "Sun 2026-11-22 02:34:40.035001 UTC [s=ab;i=2;b=cd]\n    _TRANSPORT=kernel\n    MESSAGE=h1: entered promiscuous mode\nSun 2026-11-22 02:34:41.000000 UTC [s=ab;i=3;b=cd]\n    _TRANSPORT=kernel\n    MESSAGE=h1: left promiscuous mode\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.records.len()), (6, 2), "{p:?}");
        assert_eq!(p.records[0].time, Some(Stamp::wall(1_795_314_880_035_001_000)));
    }
}
