//! `/proc/modules`, and the same list as `lsmod` prints it.
//!
//! `bonding 258048 0 - Live 0xffffffffc08e3000 (OE)` (`m_show()` in `kernel/module/procfs.c`, Linux 6.12), and below the head
//! `Module Size Used by` of `lsmod` (kmod): `bonding 258048 1 tls`. Fields: `module`, `size` (octets), `refs` (`-`: cannot be
//! unloaded), `used_by` (names with commas), and from the file itself `state` (`Live`, `Loading`, `Unloading`) and `taint`
//! (letters: `O` out of tree, `E` not signed, `P` proprietary, `F` forced).

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-modules";
const STATES: [&str; 3] = ["Live", "Loading", "Unloading"];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| is_head(l.trimmed()) || row(l.trimmed()).is_some_and(|r| r.state.is_some()))
}

/// The head of `lsmod`.
fn is_head(t: &str) -> bool {
    t.split_whitespace().eq(["Module", "Size", "Used", "by"])
}

#[derive(Debug)]
struct Row<'a> {
    name: &'a str,
    size: &'a str,
    refs: &'a str,
    used_by: Option<&'a str>,
    state: Option<&'a str>,
    taint: Option<&'a str>,
}

fn row(t: &str) -> Option<Row<'_>> {
    let digits = |w: &&str| w.bytes().all(|b| b.is_ascii_digit());
    let mut words = t.split_whitespace();
    let name =
        words.next().filter(|w| w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'))?;
    let size = words.next().filter(digits)?;
    let refs = words.next().filter(|w| *w == "-" || digits(w))?;
    let used_by = words.next();
    let mut row = Row { name, size, refs, used_by: used_by.filter(|u| *u != "-"), state: None, taint: None };
    let Some(state) = words.next() else { return Some(row) };
    let address = words.next()?;
    let hex = address.strip_prefix("0x")?;
    if !STATES.contains(&state) || hex.is_empty() || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    row.state = Some(state);
    row.taint = match words.next() {
        None => None,
        Some(w) => Some(w.strip_prefix('(')?.strip_suffix(')')?),
    };
    words.next().is_none().then_some(row)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut listed = false;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if is_head(t) {
            listed = true;
            cursor.next();
            out.typed(line);
            continue;
        }
        // Without the head, three words with two numbers could be anything.
        let Some(row) = row(t).filter(|r| r.state.is_some() || listed) else { return };
        cursor.next();
        out.typed(line);
        let mut f = Fields::new(ID, None);
        f.push("module", row.name, line.cite());
        f.push("size", row.size, line.cite());
        f.push("refs", row.refs, line.cite());
        for (key, value) in [("used_by", row.used_by), ("state", row.state), ("taint", row.taint)] {
            if let Some(value) = value {
                f.push(key, value.trim_end_matches(','), line.cite());
            }
        }
        out.record(line.cite(), None, What::Fields(f));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::{Parsed, parse_text, parse_text_with};

    fn field(p: &Parsed, i: usize, key: &str) -> Option<String> {
        let What::Fields(f) = &p.records.get(i)?.what else { return None };
        f.text(key).map(str::to_owned)
    }

    #[test]
    fn the_file_with_its_taints() {
        let text = "bonding 258048 0 - Live 0xffffffffc08e3000 (OE)\ntls 155648 1 bonding, Live 0x0000000000000000\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (2, 0, 0));
        assert_eq!(field(&p, 0, "taint").as_deref(), Some("OE"));
        assert_eq!((field(&p, 0, "size").as_deref(), field(&p, 0, "used_by")), (Some("258048"), None));
        assert_eq!((field(&p, 1, "used_by").as_deref(), field(&p, 1, "taint")), (Some("bonding"), None));
    }

    #[test]
    fn lsmod_below_its_head() {
        let text = "Module                  Size  Used by\nbonding               258048  0\ntls                   155648  2 bonding,mlx5_core\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.unrecognised.len()), (3, 0));
        assert_eq!(field(&p, 1, "used_by").as_deref(), Some("bonding,mlx5_core"));
    }

    #[test]
    fn live_evidence_has_it_between_other_files() {
        let text = "@@ 1795313330.000000000\n==> /sys/module/bonding/srcversion <==\nABCDEF0123456789\n\
                    @@ 1795313330.000000000\n$ grep ^bonding /proc/modules\nbonding 258048 0 - Live 0x0000000000000000\n";
        let p = parse_text(FileId(0), "host/bonding-module.txt", text.as_bytes());
        assert_eq!((p.unrecognised.len(), p.not_understood.len()), (0, 0), "{p:?}");
        assert_eq!(p.recognised, ["one-value", "proc-modules"]);
    }

    #[test]
    fn numbers_alone_are_not_taken() {
        for text in ["eno1 1500 0\n", "bonding 258048 0\n", "a 1 2 - Live here\n", "a 1 2 - Live 0xzz\n"] {
            assert!(parse_text(FileId(0), "x", text.as_bytes()).recognised.is_empty(), "{text}");
        }
    }
}
