//! `uptime` (procps, BusyBox), the first line of `w` and `top`, and `/proc/uptime`.
//!
//! ` 02:34:40 up 1 day,  3:04,  2 users,  load average: 0.00, 0.01, 0.05`; `/proc/uptime` is two numbers of seconds with two
//! decimals. Fields: `time`, `up`, `users`, `load1`, `load5`, `load15`; or `up_seconds` and `idle_seconds`.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "uptime";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| sentence(l.trimmed()).is_some() || seconds(l.trimmed()).is_some())
}

fn sentence(t: &str) -> Option<Vec<(&'static str, &str)>> {
    let t = t.strip_prefix("top - ").unwrap_or(t);
    let (time, rest) = t.split_once(" up ")?;
    if time.len() != 8 || !time.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let (front, loads) = rest.split_once("load average: ")?;
    let mut fields = vec![("time", time)];
    let front = front.trim_end().trim_end_matches(',');
    match front.rsplit_once(',') {
        Some((up, users)) if users.contains("user") => {
            fields.push(("up", up.trim()));
            fields.push(("users", users.split_whitespace().next()?));
        }
        _ => fields.push(("up", front.trim())),
    }
    fields.extend(["load1", "load5", "load15"].into_iter().zip(loads.split(',').map(str::trim)));
    Some(fields)
}

/// Strict, for there is nothing but two numbers.
fn seconds(t: &str) -> Option<Vec<(&'static str, &str)>> {
    let (up, idle) = t.split_once(' ')?;
    let hundredths = |w: &str| {
        w.split_once('.').is_some_and(|(i, f)| {
            !i.is_empty() && f.len() == 2 && i.bytes().chain(f.bytes()).all(|b| b.is_ascii_digit())
        })
    };
    (hundredths(up) && hundredths(idle)).then(|| vec![("up_seconds", up), ("idle_seconds", idle)])
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        let Some(fields) = sentence(t).or_else(|| seconds(t)) else { return };
        cursor.next();
        out.typed(line);
        let mut f = Fields::new(ID, None);
        for (key, value) in fields {
            f.push(key, value, line.cite());
        }
        out.record(line.cite(), None, What::Fields(f));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn sentences_and_seconds() {
        let text =
            " 02:34:40 up 1 day,  3:04,  2 users,  load average: 0.00, 0.01, 0.05\n350735.47 234388.90\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.records.len()), (2, 2));
        let What::Fields(f) = &p.records[0].what else { panic!() };
        assert_eq!(
            (f.text("up"), f.int("users"), f.text("load15")),
            (Some("1 day,  3:04"), Some(2), Some("0.05"))
        );
    }
}
