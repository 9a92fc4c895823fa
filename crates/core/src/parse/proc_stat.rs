//! `/proc/stat`: CPU times, interrupts, context switches, boot time.
//!
//! Format: `fs/proc/stat.c`, `show_stat()`. A key and numbers per line; kept as fields (`cpu0` = `1234 0 55 ...`).

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-stat";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).and_then(|l| row(l.trimmed())).is_some_and(|(key, rest)| {
        // `btime 1795313330` and the like stand alone after a grep.
        key.starts_with("cpu") && rest.split_whitespace().count() >= 7
            || key == "btime" && rest.len() >= 9
            || matches!(key, "procs_running" | "procs_blocked")
    })
}

fn row(t: &str) -> Option<(&str, &str)> {
    let (key, rest) = t.split_once(' ')?;
    let rest = rest.trim();
    let cpu = key.strip_prefix("cpu").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let known = cpu
        || matches!(
            key,
            "page"
                | "swap"
                | "intr"
                | "ctxt"
                | "btime"
                | "processes"
                | "procs_running"
                | "procs_blocked"
                | "softirq"
        );
    (known && !rest.is_empty() && rest.split_whitespace().all(|w| w.bytes().all(|b| b.is_ascii_digit())))
        .then_some((key, rest))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut f = Fields::new(ID, None);
    let mut cited: Option<Citation> = None;
    while let Some(line) = cursor.peek() {
        let Some((key, rest)) = row(line.trimmed()) else { break };
        if key == "cpu" && f.get("cpu").is_some() {
            break;
        }
        cursor.next();
        out.typed(line);
        cited = Some(cited.map_or_else(|| line.cite(), |a| a.to(line.cite())));
        f.push(key, rest, line.cite());
    }
    if let Some(at) = cited {
        out.record(at, None, What::Fields(f));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn whole_file() {
        let text = "cpu  10 0 20 3000 4 0 1 0 0 0\ncpu0 10 0 20 3000 4 0 1 0 0 0\nintr 500 1 2\nctxt 900\nbtime 1795313330\nprocesses 12\nprocs_running 1\nprocs_blocked 0\nsoftirq 5 1 2\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.records.len()), (9, 1));
        let What::Fields(f) = &p.records[0].what else { panic!() };
        assert_eq!(f.int("btime"), Some(1_795_313_330));
    }
}
