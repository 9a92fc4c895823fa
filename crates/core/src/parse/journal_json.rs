//! `journalctl -o json`, `-o json-pretty`, `-o json-sse` and `-o json-seq`: the journal with all its fields.
//!
//! One object per entry (systemd's `journal-fields(7)`). Kept: `MESSAGE` (a string, or a list of byte values where it
//! is not UTF-8), `_TRANSPORT`, `SYSLOG_IDENTIFIER`, `_COMM`, `_KERNEL_SUBSYSTEM`, `_UDEV_SYSNAME` and the time: the
//! realtime stamp, which is in UTC. Entries of the kernel go through the dictionary of kernel messages; entries
//! of programs are kept as [`KernelKind::Other`] with the program as driver.

use super::kernel_messages::classify;
use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, KernelKind, KernelLine, Line, What};
use crate::units::Stamp;
use serde_json::Value;

/// The format.
pub const FORMAT: Format = Format { id: "journal-json", anchor, parse };

/// Longest object of `json-pretty` that is put together.
const MOST_LINES: usize = 400;

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = unframe(&line.text);
    if t == "{" {
        return (1..=3).any(|n| lines.get(i + n).is_some_and(|l| is_key(l.trimmed())));
    }
    t.starts_with("{\"") && is_entry(t)
}

fn is_key(t: &str) -> bool {
    t.starts_with("\"__CURSOR\"")
        || t.starts_with("\"__REALTIME_TIMESTAMP\"")
        || t.starts_with("\"__MONOTONIC_TIMESTAMP\"")
        || t.starts_with("\"_TRANSPORT\"")
        || t.starts_with("\"_BOOT_ID\"")
        || t.starts_with("\"_MACHINE_ID\"")
        || t.starts_with("\"SYSLOG_IDENTIFIER\"")
}

fn is_entry(t: &str) -> bool {
    t.contains("\"__REALTIME_TIMESTAMP\"")
        || t.contains("\"MESSAGE\"")
            && (t.contains("\"_TRANSPORT\"")
                || t.contains("\"SYSLOG_IDENTIFIER\"")
                || t.contains("\"_BOOT_ID\""))
}

/// Without the framing of `json-sse`.
fn unframe(text: &str) -> &str {
    let t = text.trim_start();
    t.strip_prefix("data: ").unwrap_or(t)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = unframe(&line.text).trim_end_matches(',');
        if t.starts_with("{\"") {
            if !is_entry(t) {
                return;
            }
            cursor.next();
            match serde_json::from_str::<Value>(t).ok().and_then(|v| entry(&v, line.cite(), out)) {
                Some(()) => out.typed(line),
                // Cut off, or an entry without a message.
                None => out.not_understood(line),
            }
        } else if t == "{" {
            if !pretty(cursor, out) {
                return;
            }
        } else {
            return;
        }
    }
}

/// An object over several lines. False if it is none, and nothing was taken.
fn pretty(cursor: &mut Cursor<'_, '_>, out: &mut Out) -> bool {
    let mut text = String::new();
    let mut count = 0;
    let mut complete = false;
    while let Some(line) = cursor.peek_at(count) {
        let t = line.trimmed();
        if count > MOST_LINES || count > 0 && t == "{" {
            break;
        }
        text.push_str(t);
        text.push('\n');
        count += 1;
        if matches!(t, "}" | "},") {
            complete = true;
            break;
        }
    }
    let value =
        complete.then(|| serde_json::from_str::<Value>(text.trim_end().trim_end_matches(',')).ok()).flatten();
    let (Some(first), Some(last)) = (cursor.peek(), count.checked_sub(1).and_then(|n| cursor.peek_at(n)))
    else {
        return false;
    };
    let at = first.cite().to(last.cite());
    let read = value.as_ref().and_then(|v| entry(v, at, out)).is_some();
    for _ in 0..count {
        let Some(line) = cursor.next() else { break };
        if read {
            out.typed(line);
        } else {
            out.not_understood(line);
        }
    }
    count > 0
}

fn entry(v: &Value, at: Citation, out: &mut Out) -> Option<()> {
    let message = text_of(v.get("MESSAGE")?)?;
    let get = |key: &str| v.get(key).and_then(text_of);
    record(&get, &message, at, out);
    Some(())
}

/// A value: a string, a number, a list of bytes, or (for a field that occurs twice) a list of strings.
fn text_of(v: &Value) -> Option<String> {
    match v {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Array(a) => {
            if let Some(Value::String(s)) = a.first() {
                return Some(s.clone());
            }
            let bytes: Option<Vec<u8>> =
                a.iter().map(|b| b.as_u64().and_then(|b| u8::try_from(b).ok())).collect();
            Some(String::from_utf8_lossy(&bytes?).into_owned())
        }
        _ => None,
    }
}

/// Makes the record of one journal entry; `get` reads a field of it.
pub(super) fn record(get: &dyn Fn(&str) -> Option<String>, message: &str, at: Citation, out: &mut Out) {
    let micros = |key: &str| get(key).and_then(|t| t.parse::<i64>().ok()).and_then(|us| us.checked_mul(1000));
    let time = micros("__REALTIME_TIMESTAMP")
        .or_else(|| micros("_SOURCE_REALTIME_TIMESTAMP"))
        .map(Stamp::wall)
        .or_else(|| micros("_SOURCE_MONOTONIC_TIMESTAMP").map(Stamp::boot))
        .or_else(|| micros("__MONOTONIC_TIMESTAMP").map(Stamp::boot));
    let identifier = get("SYSLOG_IDENTIFIER");
    let kernel = match get("_TRANSPORT") {
        Some(t) => t == "kernel",
        None => identifier.as_deref() == Some("kernel"),
    };
    // The kernel's own buffer carries lines of programs too (`SYSLOG_IDENTIFIER=systemd`).
    let kernel = kernel && identifier.as_deref().is_none_or(|i| i == "kernel");
    let text = message.trim().to_owned();
    let host = get("_HOSTNAME").filter(|h| !h.is_empty());
    let line = if kernel {
        let m = classify(&text);
        let net = get("_KERNEL_SUBSYSTEM").as_deref() == Some("net");
        let udev = get("_UDEV_SYSNAME").filter(|n| net && is_ifname(n));
        KernelLine { host, dev: m.dev.or(udev), bond: m.bond, driver: m.driver, kind: m.kind, text }
    } else {
        let driver = identifier.or_else(|| get("_COMM")).or_else(|| get("_SYSTEMD_UNIT"));
        KernelLine { host, dev: None, bond: None, driver, kind: KernelKind::Other, text }
    };
    out.record(at, time, What::Kernel(line));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::{Parsed, parse_text_with};

    fn read(text: &str) -> Parsed {
        parse_text_with(FileId(0), "journal.json", text.as_bytes(), &[FORMAT])
    }

    const LINE: &str = r#"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1795314880035001","__MONOTONIC_TIMESTAMP":"177032515","_HOSTNAME":"db01","_TRANSPORT":"kernel","SYSLOG_IDENTIFIER":"kernel","PRIORITY":"6","MESSAGE":"bond0: (slave h1): link status definitely down, disabling slave"}"#;

    #[test]
    fn one_object_per_line() {
        let other = r#"{"__REALTIME_TIMESTAMP":"1795314880035002","_TRANSPORT":"journal","SYSLOG_IDENTIFIER":"systemd-networkd","MESSAGE":[104,105]}"#;
        let p = read(&format!("{LINE}\n{other}\n"));
        assert_eq!((p.typed, p.records.len()), (2, 2));
        let What::Kernel(k) = &p.records[0].what else { panic!() };
        assert_eq!((k.kind, k.dev.as_deref()), (KernelKind::MemberDown, Some("h1")));
        assert_eq!(k.host.as_deref(), Some("db01"));
        assert_eq!(p.records[0].time, Some(Stamp::wall(1_795_314_880_035_001_000)));
        let What::Kernel(k) = &p.records[1].what else { panic!() };
        assert_eq!((k.driver.as_deref(), k.text.as_str()), (Some("systemd-networkd"), "hi"));
    }

    #[test]
    fn pretty_and_cut() {
        let pretty = LINE.replace("{\"", "{\n\t\"").replace(",\"", ",\n\t\"").replace("\"}", "\"\n}");
        let p = read(&pretty);
        assert_eq!((p.typed, p.not_understood.len(), p.records.len()), (10, 0, 1), "{p:?}");
        let p = read(&LINE[..180]);
        assert_eq!((p.typed, p.not_understood.len(), p.records.len()), (0, 1, 0));
    }
}
