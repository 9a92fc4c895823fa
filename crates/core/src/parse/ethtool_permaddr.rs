//! `ethtool -P <dev>`: the permanent hardware address.
//!
//! Source: `do_permaddr()` in `ethtool.c` (`Permanent address: 02:00:00:00:00:01`), `netlink/permaddr.c` (`Permanent address:
//! not set`; with `*`: `Permanent address of eno1: ...`). The key of the field is always `Permanent address`.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool-p";

/// The interface (if named) and the address.
fn split(t: &str) -> Option<(Option<&str>, &str)> {
    let rest = t.strip_prefix("Permanent address")?;
    let (dev, value) = if let Some(named) = rest.strip_prefix(" of ") {
        let (dev, value) = named.split_once(": ").or_else(|| named.split_once(':'))?;
        (Some(dev.trim()), value)
    } else {
        (None, rest.strip_prefix(':')?)
    };
    let value = value.trim();
    let hex = |b: &str| b.len() == 2 && b.bytes().all(|c| c.is_ascii_hexdigit());
    (value == "not set" || value.is_empty() || value.split(':').all(hex)).then_some((dev, value))
}

fn is_error(t: &str) -> bool {
    t.starts_with("Cannot read permanent address")
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| split(l.trimmed()).is_some() || is_error(l.trimmed()))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        let mut fields = Fields::new(ID, out.hints.dev.clone());
        if let Some((dev, value)) = split(t) {
            if let Some(dev) = dev {
                fields.dev = Some(dev.to_owned());
            }
            fields.push("Permanent address", value, line.cite());
        } else if is_error(t) {
            fields.push("error", t, line.cite());
        } else {
            return;
        }
        cursor.next();
        out.typed(line);
        out.record(line.cite(), None, What::Fields(fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn set_unset_and_named() {
        let p = parse_text_with(
            FileId(0),
            "ethtool_-P_ens7",
            b"Permanent address: 02:00:00:00:00:01\nPermanent address: not set\nPermanent address of eno3: 02:00:00:00:00:03\nPermanent address: see below\n",
            &[FORMAT],
        );
        let got: Vec<_> = p
            .records
            .iter()
            .filter_map(|r| if let What::Fields(f) = &r.what { Some(f) } else { None })
            .map(|f| (f.dev.as_deref(), f.text("Permanent address")))
            .collect();
        assert_eq!(
            got,
            [
                (Some("ens7"), Some("02:00:00:00:00:01")),
                (Some("ens7"), Some("not set")),
                (Some("eno3"), Some("02:00:00:00:00:03"))
            ]
        );
        assert_eq!(p.unrecognised.len(), 1);
    }
}
