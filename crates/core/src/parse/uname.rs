//! `uname -a`, `/proc/version` and a bare `uname -r`.
//!
//! Fields `sysname`, `nodename`, `release`, `version` (the rest of the line).

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "uname";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| read(l.trimmed()).is_some())
}

/// `6.12.107+deb13-cloud-amd64`, `5.14.0-362.13.1.el9_3.x86_64`.
fn release(w: &str) -> bool {
    let mut parts = w.splitn(3, '.');
    let number = |p: Option<&str>| {
        p.is_some_and(|p| !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit()))
    };
    number(parts.next())
        && number(parts.next())
        && parts.next().is_some_and(|p| p.bytes().next().is_some_and(|b| b.is_ascii_digit()))
}

fn read(t: &str) -> Option<Vec<(&'static str, String)>> {
    let words: Vec<&str> = t.split_whitespace().collect();
    match words.as_slice() {
        ["Linux", "version", r, ..] if release(r) => Some(vec![
            ("sysname", "Linux".to_owned()),
            ("release", (*r).to_owned()),
            ("version", t.to_owned()),
        ]),
        ["Linux", node, r, rest @ ..]
            if release(r)
                && rest.iter().any(|w| {
                    w.starts_with('#') || w.contains("86_64") || *w == "GNU/Linux" || *w == "aarch64"
                }) =>
        {
            Some(vec![
                ("sysname", "Linux".to_owned()),
                ("nodename", (*node).to_owned()),
                ("release", (*r).to_owned()),
                ("version", rest.join(" ")),
            ])
        }
        [r] if release(r)
            && [
                "-generic",
                "-amd64",
                "-arm64",
                ".x86_64",
                ".aarch64",
                "-pve",
                "-default",
                "-cloud-amd64",
                "-aws",
                "-azure",
                "-lts",
                "-arch1",
                "-talos",
                "-rpi",
            ]
            .iter()
            .any(|s| r.contains(s)) =>
        {
            Some(vec![("release", (*r).to_owned())])
        }
        _ => None,
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(line) = cursor.next() else { return };
    let Some(pairs) = read(line.trimmed()) else {
        out.not_understood(line);
        return;
    };
    let mut fields = Fields::new(ID, None);
    let mut at = line.cite();
    for (key, value) in pairs {
        fields.push(key, value, at);
    }
    out.typed(line);
    // `GNU/Linux` ends the line; a mail may have wrapped it.
    if fields.get("nodename").is_some()
        && !line.text.ends_with("GNU/Linux")
        && let Some(rest) =
            cursor.peek().filter(|l| l.text.ends_with("GNU/Linux") && !l.trimmed().starts_with("Linux "))
    {
        cursor.next();
        out.typed(rest);
        at = at.to(rest.cite());
        if let Some(f) = fields.entries.last_mut() {
            f.value = format!("{} {}", f.value, rest.trimmed());
            f.at = at;
        }
    }
    out.record(at, None, What::Fields(fields));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms() {
        let get =
            |t: &str| read(t).and_then(|p| p.into_iter().find(|(k, _)| *k == "release").map(|(_, v)| v));
        assert_eq!(
            get("Linux h1 6.12.107+deb13-amd64 #1 SMP Debian x86_64 GNU/Linux").as_deref(),
            Some("6.12.107+deb13-amd64")
        );
        assert_eq!(
            get("Linux version 5.14.0-362.el9.x86_64 (gcc)").as_deref(),
            Some("5.14.0-362.el9.x86_64")
        );
        assert_eq!(get("6.8.0-45-generic").as_deref(), Some("6.8.0-45-generic"));
        assert_eq!(get("Linux is fine 6.1"), None);
        assert_eq!(get("10.0.0.1"), None);
    }
}
