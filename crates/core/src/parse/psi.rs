//! `/proc/pressure/{cpu,memory,io}`: pressure stall information.
//!
//! Format: `kernel/sched/psi.c`, `psi_show()`: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and `full` likewise. Fields are
//! named `some.avg10`; `resource` is the file's name where the path or the command tells it.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "psi";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| row(l.trimmed()).is_some())
}

fn row(t: &str) -> Option<(&str, &str)> {
    // `grep . /proc/pressure/*` puts the path in front.
    let t = t.strip_prefix("/proc/pressure/").and_then(|r| r.split_once(':')).map_or(t, |(_, r)| r);
    let (kind, rest) = t.split_once(' ')?;
    (matches!(kind, "some" | "full") && rest.starts_with("avg10=") && rest.contains(" total="))
        .then_some((kind, rest))
}

fn resource(t: &str) -> Option<&'static str> {
    let after = t.rsplit_once("pressure")?.1;
    ["cpu", "memory", "io", "irq"].into_iter().find(|r| after.get(1..).is_some_and(|a| a.starts_with(r)))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut f = Fields::new(ID, None);
    let mut cited: Option<Citation> = None;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            break;
        }
        let Some((kind, rest)) = row(t) else { break };
        if kind == "some" && cited.is_some() {
            break;
        }
        cursor.next();
        out.typed(line);
        if cited.is_none() {
            let told = resource(t.split(':').next().unwrap_or(""))
                .or_else(|| out.hints.command.as_deref().and_then(resource))
                .or_else(|| resource(&out.hints.path));
            if let Some(told) = told {
                f.push("resource", told, line.cite());
            }
        }
        cited = Some(cited.map_or_else(|| line.cite(), |a| a.to(line.cite())));
        for (key, value) in rest.split_whitespace().filter_map(|w| w.split_once('=')) {
            f.push(format!("{kind}.{key}"), value, line.cite());
        }
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
    fn two_files() {
        let text = "some avg10=1.50 avg60=0.00 avg300=0.00 total=77\nfull avg10=0.10 avg60=0.00 avg300=0.00 total=5\nsome avg10=0.00 avg60=0.00 avg300=0.00 total=1\n";
        let p = parse_text_with(FileId(0), "proc/pressure/io", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.records.len()), (3, 2));
        let What::Fields(f) = &p.records[0].what else { panic!() };
        assert_eq!(
            (f.text("some.avg10"), f.text("full.total"), f.text("resource")),
            (Some("1.50"), Some("5"), Some("io"))
        );
    }
}
