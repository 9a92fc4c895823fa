//! `chronyc tracking` and `timedatectl`: how far the clock of this host is from the truth.
//!
//! Keys as printed: `System time`, `Last offset`, `Leap status`; `System clock synchronized`, `NTP service`.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "chrony";

const KEYS: &[&str] = &[
    "Reference ID",
    "Stratum",
    "Ref time (UTC)",
    "System time",
    "Last offset",
    "RMS offset",
    "Frequency",
    "Residual freq",
    "Skew",
    "Root delay",
    "Root dispersion",
    "Update interval",
    "Leap status",
    "Local time",
    "Universal time",
    "RTC time",
    "Time zone",
    "System clock synchronized",
    "NTP service",
    "NTP enabled",
    "NTP synchronized",
    "RTC in local TZ",
    "DST active",
    "Network time on",
    "systemd-timesyncd.service active",
    "Timezone",
    "Last DST change",
    "Next DST change",
];

fn pair(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once(':')?;
    let key = key.trim();
    KEYS.contains(&key).then(|| (key, value.trim()))
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let key = |n: usize| lines.get(i + n).and_then(|l| pair(l.trimmed())).map(|(k, _)| k);
    match key(0) {
        Some("Reference ID") => key(1) == Some("Stratum"),
        Some("Stratum") => key(1) == Some("Ref time (UTC)"),
        Some("Local time") => key(1) == Some("Universal time"),
        Some("System clock synchronized" | "NTP synchronized") => true,
        _ => lines.get(i).is_some_and(|l| l.trimmed().starts_with("506 Cannot talk to daemon")),
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if let Some((key, value)) = pair(t) {
            fields.push(key, value, line.cite());
        } else if t.starts_with("506 Cannot talk to daemon") {
            fields.push("error", t, line.cite());
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
    fn tracking() {
        let text = "Reference ID    : A9FEA97B (169.254.169.123)\nStratum         : 4\nRef time (UTC)  : Mon Jan 01 00:00:00 2024\nSystem time     : 0.000001 seconds fast of NTP time\nLeap status     : Normal\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        let Some(What::Fields(f)) = parsed.records.first().map(|r| r.what.clone()) else {
            panic!("{parsed:?}")
        };
        assert_eq!((f.text("Leap status"), parsed.typed), (Some("Normal"), 5));
    }
}
