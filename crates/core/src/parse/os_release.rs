//! `/etc/os-release`, `lsb_release -a` and one-line release files (`/etc/redhat-release`, `/etc/debian_version` by name).
//!
//! Keys as in the file; quotes are taken away.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "os-release";

const STRICT: &[&str] = &[
    "PRETTY_NAME",
    "VERSION_ID",
    "ID_LIKE",
    "VERSION_CODENAME",
    "CPE_NAME",
    "BUG_REPORT_URL",
    "HOME_URL",
    "PLATFORM_ID",
    "SUPPORT_URL",
    "ANSI_COLOR",
    "DISTRIB_ID",
];

fn key(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once('=')?;
    let plain =
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    plain.then(|| (key, value.trim().trim_matches(['"', '\''])))
}

fn lsb(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once(':')?;
    ["Distributor ID", "Description", "Release", "Codename", "LSB Version"]
        .contains(&key)
        .then(|| (key, value.trim()))
}

fn one_line(t: &str) -> bool {
    t.contains(" release ")
        && ["CentOS", "Red Hat", "Fedora", "Rocky", "AlmaLinux", "Oracle", "Scientific"]
            .iter()
            .any(|d| t.starts_with(d))
        && t.split_whitespace().count() <= 10
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let at = |n: usize| lines.get(i + n).map_or("", |l| l.trimmed());
    let strict = |n: usize| key(at(n)).is_some_and(|(k, _)| STRICT.contains(&k));
    strict(0)
        || (key(at(0)).is_some_and(|(k, _)| matches!(k, "NAME" | "VERSION" | "ID")) && (1..=3).any(strict))
        || one_line(at(0))
        || (at(0).starts_with("Distributor ID:")
            || (at(0).starts_with("No LSB modules") && at(1).starts_with("Distributor")))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if let Some((k, v)) = key(t).or_else(|| lsb(t)) {
            if fields.get(k).is_some() {
                break;
            }
            fields.push(k, v, line.cite());
        } else if one_line(t) {
            fields.push("PRETTY_NAME", t, line.cite());
        } else if t.starts_with("No LSB modules") {
            fields.push("note", t, line.cite());
        } else {
            break;
        }
        out.typed(line);
        cursor.next();
    }
    out.fields(fields);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    #[test]
    fn debian() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nID=debian\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        let Some(What::Fields(f)) = parsed.records.first().map(|r| r.what.clone()) else {
            panic!("{parsed:?}")
        };
        assert_eq!((f.text("ID"), f.text("VERSION_ID"), parsed.typed), (Some("debian"), Some("13"), 4));
    }
}
