//! Files of sections and keys (`[Bond]`, `Mode=802.3ad`), as systemd-networkd and NetworkManager write them.

use super::{Cursor, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// What one family of such files looks like.
pub struct Dialect {
    /// The format id.
    pub id: &'static str,
    /// Section names.
    pub sections: &'static [&'static str],
    /// Sections that begin a new file where several are pasted behind each other, if they were seen already.
    pub begins: &'static [&'static str],
    /// Keys that name the interface, in order of preference, as `Section.Key`.
    pub names: &'static [&'static str],
}

/// The section of a `[Section]` line, if the dialect has it.
#[must_use]
pub fn section<'t>(dialect: &Dialect, t: &'t str) -> Option<&'t str> {
    let name = t.strip_prefix('[')?.strip_suffix(']')?;
    dialect.sections.contains(&name).then_some(name)
}

/// `Key=Value`, with or without blanks around the sign.
#[must_use]
pub fn pair(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once('=')?;
    let key = key.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'[' | b']');
    (!key.is_empty() && key.bytes().all(plain)).then_some((key, value.trim()))
}

/// Reads files of a dialect; each becomes one [`What::Config`] with keys `Section.Key`.
pub fn read(dialect: &Dialect, cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(dialect.id, None);
    let mut now = String::new();
    let mut seen: Vec<String> = Vec::new();
    let mut span: Option<(Citation, Citation)> = None;
    let mut continued = false;
    let mut after_blank = false;
    let flush = |fields: &mut Fields, span: &mut Option<(Citation, Citation)>, out: &mut Out| {
        let mut done = std::mem::replace(fields, Fields::new(dialect.id, None));
        if let Some((first, last)) = span.take()
            && !done.entries.is_empty()
        {
            let name =
                dialect.names.iter().find_map(|n| done.text(n)).filter(|n| !n.contains(char::is_whitespace));
            done.dev = name.map(str::to_owned).or_else(|| out.hints.dev.clone());
            out.record(first.to(last), None, What::Config(done));
        }
    };
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        if let Some(name) = section(dialect, t) {
            if dialect.begins.contains(&name) && seen.iter().any(|s| s == name) {
                flush(&mut fields, &mut span, out);
                seen.clear();
            }
            name.clone_into(&mut now);
            seen.push(now.clone());
            fields.push("section", name, line.cite());
        } else if continued {
            if let Some(f) = fields.entries.last_mut() {
                f.value = format!("{} {t}", f.value.trim_end_matches('\\').trim_end());
                f.at = f.at.to(line.cite());
            }
        } else if t.starts_with(['#', ';']) {
            fields.push("comment", t, line.cite());
        } else if let Some((key, value)) = pair(t) {
            let key = if now.is_empty() { key.to_owned() } else { format!("{now}.{key}") };
            fields.push(key, value, line.cite());
        } else if !after_blank && !t.starts_with('[') && wrapped(line, &fields) {
            if let Some(f) = fields.entries.last_mut() {
                f.value = format!("{} {t}", f.value);
                f.at = f.at.to(line.cite());
            }
        } else {
            break;
        }
        let at = line.cite();
        span = Some(span.map_or((at, at), |(first, _)| (first, at)));
        continued = t.ends_with('\\');
        after_blank = false;
        out.typed(line);
        cursor.next();
    }
    flush(&mut fields, &mut span, out);
}

/// An indented line without a key continues the value before it (a mail wrapped it).
fn wrapped(line: &Line<'_>, fields: &Fields) -> bool {
    line.indent() > 0 && fields.entries.last().is_some_and(|f| f.key.contains('.') && !f.value.is_empty())
}
