//! The kernel log: `dmesg`, `dmesg -T`, `journalctl -k -o short-iso-precise`, `journalctl -k -o json`.
//!
//! A line of a program (`NetworkManager[812]: ...`) is the program's own in the journal; in the kernel's buffer, to
//! which programs may write too, it is text like any other.

use super::civil::Civil;
use super::kernel::Kernel;
use crate::view::LogLine;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Whose log, and when its times begin.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Host name.
    pub hostname: &'a str,
    /// `uname -r`.
    pub kernel: &'a str,
    /// Unix nanoseconds at the bond's opening.
    pub wall0_ns: i64,
    /// Nanoseconds since boot at the bond's opening.
    pub boot0_ns: u64,
}

impl Origin<'_> {
    /// Nanoseconds since boot; lines from before the boot stand at its beginning.
    fn boot(&self, line: &LogLine) -> u64 {
        self.boot0_ns.checked_add_signed(line.at_ns).unwrap_or(0)
    }
    fn wall(&self, line: &LogLine) -> i64 {
        self.wall0_ns.saturating_add(line.at_ns)
    }
}

fn ordered(log: &[LogLine]) -> Vec<&LogLine> {
    let mut lines: Vec<&LogLine> = log.iter().collect();
    lines.sort_by_key(|l| l.at_ns);
    lines
}

/// `dmesg`: seconds and microseconds since boot.
#[must_use]
pub fn dmesg(log: &[LogLine], origin: Origin<'_>) -> String {
    let mut out = String::new();
    for line in ordered(log) {
        let micros = origin.boot(line) / 1000;
        let head = format!("[{:5}.{:06}] ", micros / 1_000_000, micros % 1_000_000);
        // The kernel repeats the stamp before each line of a message.
        for text in line.text.lines() {
            let _ = writeln!(out, "{head}{text}");
        }
    }
    out
}

/// `dmesg -T`: civil time, in seconds.
#[must_use]
pub fn dmesg_time(log: &[LogLine], origin: Origin<'_>) -> String {
    let mut out = String::new();
    for line in ordered(log) {
        let time = Civil::of(origin.wall(line)).ctime();
        for text in line.text.lines() {
            let _ = writeln!(out, "[{time}] {text}");
        }
    }
    out
}

/// `journalctl -k -o short-iso-precise`. The colon in the zone is systemd 255's.
#[must_use]
pub fn journal_iso(log: &[LogLine], origin: Origin<'_>) -> String {
    let zone = if Kernel::of(origin.kernel).since(6, 8) { "+00:00" } else { "+0000" };
    let mut out = String::new();
    for line in ordered(log) {
        let time = Civil::of(origin.wall(line)).iso_micros();
        let head = format!("{time}{zone} {} ", origin.hostname);
        let (program, text) = match program(&line.text) {
            Some((name, pid, text)) => (format!("{name}[{pid}]"), text),
            None => ("kernel".to_owned(), line.text.as_str()),
        };
        // Further lines of a message stand below the first, indented by the length of its head.
        let indent = head.len() + program.len() + 2;
        for (n, text) in text.lines().enumerate() {
            if n == 0 {
                let _ = writeln!(out, "{head}{program}: {text}");
            } else {
                let _ = writeln!(out, "{:indent$}{text}", "");
            }
        }
    }
    out
}

/// `journalctl -k -o json`: one object on each line.
#[must_use]
pub fn journal_json(log: &[LogLine], origin: Origin<'_>) -> String {
    // A boot has a random identifier; here it follows from the moment of the boot.
    let booted = origin.wall0_ns.unsigned_abs().wrapping_sub(origin.boot0_ns);
    let boot = format!("{:016x}{:016x}", mix(booted), mix(booted ^ 1));
    let machine = origin.hostname.bytes().fold(7_u64, |h, b| mix(h ^ u64::from(b)));
    let mut out = String::new();
    for (n, line) in ordered(log).into_iter().enumerate() {
        let (wall, mono) = (origin.wall(line) / 1000, origin.boot(line) / 1000);
        let program = program(&line.text);
        let mut o = Map::new();
        let mut put = |key: &str, value: Value| {
            o.insert(key.to_owned(), value);
        };
        put(
            "__CURSOR",
            json!(format!(
                "s={:016x}{:016x};i={:x};b={boot};m={mono:x};t={wall:x};x=0",
                machine,
                booted,
                n + 1
            )),
        );
        put("__REALTIME_TIMESTAMP", json!(wall.to_string()));
        put("__MONOTONIC_TIMESTAMP", json!(mono.to_string()));
        put("_BOOT_ID", json!(boot));
        put("_MACHINE_ID", json!(format!("{:016x}{:016x}", machine, mix(machine))));
        put("_HOSTNAME", json!(origin.hostname));
        put("PRIORITY", json!(line.level.to_string()));
        match program {
            Some((name, pid, text)) => {
                put("_TRANSPORT", json!("syslog"));
                put("SYSLOG_FACILITY", json!("3"));
                put("SYSLOG_IDENTIFIER", json!(name));
                put("SYSLOG_PID", json!(pid));
                put("_PID", json!(pid));
                put("MESSAGE", json!(text));
            }
            None => {
                put("_TRANSPORT", json!("kernel"));
                put("SYSLOG_FACILITY", json!("0"));
                put("SYSLOG_IDENTIFIER", json!("kernel"));
                put("_SOURCE_MONOTONIC_TIMESTAMP", json!(mono.to_string()));
                put("MESSAGE", json!(line.text));
            }
        }
        let _ = writeln!(out, "{}", Value::Object(o));
    }
    out
}

/// splitmix64: spreads the bits of a number.
const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Name, process and text of a program's line: `NetworkManager[812]: ...`.
fn program(text: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = text.split_once("]: ")?;
    let (name, pid) = head.split_once('[')?;
    let named = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    (named && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit())).then_some((name, pid, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_the_width_of_dmesg() {
        let origin = Origin { hostname: "h", kernel: "6.1.0", wall0_ns: 0, boot0_ns: 177_032_515_000 };
        let line = |at_ns, text: &str| LogLine { at_ns, level: 6, text: text.to_owned() };
        let log = [line(0, "a\nb"), line(-200_000_000_000, "early"), line(123_456_000_000_000, "late")];
        assert_eq!(
            dmesg(&log, origin),
            "[    0.000000] early\n[  177.032515] a\n[  177.032515] b\n[123633.032515] late\n"
        );
    }

    #[test]
    fn programs_speak_for_themselves_in_the_journal() {
        assert_eq!(program("NetworkManager[812]: <info> x"), Some(("NetworkManager", "812", "<info> x")));
        assert_eq!(program("bond0: (slave eno1): x"), None);
        assert_eq!(program("RIP: [<ffff>]: x"), None);
    }
}
