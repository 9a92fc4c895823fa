//! `/proc/loadavg`: `0.00 0.01 0.05 1/123 4567`.
//!
//! Format: `fs/proc/loadavg.c`. Fields: `load1`, `load5`, `load15`, `running`, `tasks`, `last_pid`.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "loadavg";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| row(l.trimmed()).is_some())
}

fn row(t: &str) -> Option<[&str; 6]> {
    let mut words = t.split_whitespace();
    let mut next = || words.next();
    let (a, b, c, tasks, pid) = (next()?, next()?, next()?, next()?, next()?);
    if next().is_some() {
        return None;
    }
    let load = |w: &str| {
        w.split_once('.').is_some_and(|(i, f)| {
            !i.is_empty() && f.len() == 2 && i.bytes().chain(f.bytes()).all(|b| b.is_ascii_digit())
        })
    };
    let digits = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit());
    let (running, all) = tasks.split_once('/')?;
    ([a, b, c].into_iter().all(load) && [running, all, pid].into_iter().all(digits))
        .then_some([a, b, c, running, all, pid])
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        let Some(values) = row(line.trimmed()) else { return };
        cursor.next();
        out.typed(line);
        let mut f = Fields::new(ID, None);
        for (key, value) in
            ["load1", "load5", "load15", "running", "tasks", "last_pid"].into_iter().zip(values)
        {
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
    fn one_line() {
        let p = parse_text_with(FileId(0), "x", b"0.50 0.01 0.05 1/123 4567\n1.00 2.00 3.00\n", &[FORMAT]);
        assert_eq!((p.typed, p.unrecognised.len()), (1, 1));
        let What::Fields(f) = &p.records[0].what else { panic!() };
        assert_eq!((f.text("load1"), f.int("tasks")), (Some("0.50"), Some(123)));
    }
}
