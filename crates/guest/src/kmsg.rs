//! The kernel log, told apart by the interfaces that its lines name, in the shapes in which people save it.

use bondwitness_lab::incident::LogShape;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// A line of the kernel log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Severity, 0 to 7.
    pub(crate) level: u8,
    /// Microseconds since boot.
    pub(crate) micros: u64,
    /// The text.
    pub(crate) message: String,
}

/// The kernel log from the boot on.
pub(crate) struct Kmsg {
    file: File,
    /// Microseconds since 1970 when the machine was booted.
    booted: u64,
}

impl Kmsg {
    /// Opens the log, and finds out when the boot was by writing a line and reading its time.
    pub(crate) fn open() -> io::Result<Self> {
        // The end of the log is then "would block", not a wait.
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/kmsg")?;
        let mut this = Self { file, booted: 0 };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_micros();
        this.file.write_all(b"<6>bondwitness-guest: begins\n")?;
        let mut written = None;
        this.drain(&mut |line| {
            if line.message.starts_with("bondwitness-guest: begins") {
                written = Some(line.micros);
            }
        });
        let since_boot =
            written.ok_or_else(|| io::Error::other("the line just written is not in the kernel log"))?;
        this.booted = u64::try_from(now).unwrap_or(0).saturating_sub(since_boot);
        Ok(this)
    }

    /// Microseconds since 1970 when the machine was booted.
    pub(crate) const fn booted(&self) -> u64 {
        self.booted
    }

    /// Every new line.
    pub(crate) fn drain(&mut self, line: &mut dyn FnMut(Line)) {
        let mut record = [0; 2048];
        loop {
            match self.file.read(&mut record) {
                Ok(n) => {
                    if let Some(l) = record.get(..n).and_then(parse) {
                        line(l);
                    }
                }
                // Records were overwritten before they were read: go on with the oldest there is.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
                Err(_) => return,
            }
        }
    }
}

/// `priority,sequence,microseconds,flags;text`, and continuation lines that are left out.
fn parse(record: &[u8]) -> Option<Line> {
    let text = std::str::from_utf8(record).ok()?;
    let (head, rest) = text.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let micros = fields.nth(1)?.parse().ok()?;
    Some(Line { level: u8::try_from(priority & 7).ok()?, micros, message: rest.lines().next()?.to_owned() })
}

/// Does the line name this interface? `bond1` is not named by `bond12`.
pub(crate) fn names(line: &str, interface: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == interface)
}

/// The name of a log's file, and its text; `None` if no log is saved.
pub(crate) fn saved(
    lines: &[Line],
    shape: LogShape,
    booted: u64,
    host: &str,
) -> Option<(&'static str, String)> {
    let mut text = String::new();
    for l in lines {
        let civil = Civil::of(booted + l.micros);
        let (m, micros) = (&l.message, (booted + l.micros) % 1_000_000);
        let _ = match shape {
            LogShape::None => return None,
            LogShape::Dmesg => writeln!(text, "[{:5}.{:06}] {m}", l.micros / 1_000_000, l.micros % 1_000_000),
            LogShape::DmesgTime => writeln!(
                text,
                "[{} {} {:2} {:02}:{:02}:{:02} {}] {m}",
                civil.weekday,
                civil.month_name(),
                civil.day,
                civil.hour,
                civil.minute,
                civil.second,
                civil.year
            ),
            LogShape::JournalIso => writeln!(
                text,
                "{}-{:02}-{:02}T{:02}:{:02}:{:02}.{micros:06}+00:00 {host} kernel: {m}",
                civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
            ),
            LogShape::JournalJson => {
                let line = serde_json::json!({
                    "__REALTIME_TIMESTAMP": (booted + l.micros).to_string(),
                    "__MONOTONIC_TIMESTAMP": l.micros.to_string(),
                    "_TRANSPORT": "kernel",
                    "SYSLOG_IDENTIFIER": "kernel",
                    "PRIORITY": l.level.to_string(),
                    "_HOSTNAME": host,
                    "MESSAGE": m,
                });
                writeln!(text, "{line}")
            }
        };
    }
    let name = match shape {
        LogShape::None => return None,
        LogShape::Dmesg | LogShape::DmesgTime => "host-dmesg.txt",
        LogShape::JournalIso => "host-journal.txt",
        LogShape::JournalJson => "host-journal.json",
    };
    Some((name, text))
}

/// Civil time, UTC.
struct Civil {
    year: u64,
    month: usize,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    weekday: &'static str,
}

impl Civil {
    /// From microseconds since 1970. The calendar repeats every 400 years; counting from March puts the leap day at
    /// the end of the year.
    fn of(micros: u64) -> Self {
        let seconds = micros / 1_000_000;
        let (days, of_day) = (seconds / 86_400, seconds % 86_400);
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
            .get(usize::try_from(days % 7).unwrap_or(0))
            .copied()
            .unwrap_or("Thu");
        let shifted = days + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month: usize::try_from(month).unwrap_or(1),
            day,
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            weekday,
        }
    }

    fn month_name(&self) -> &'static str {
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            .get(self.month - 1)
            .copied()
            .unwrap_or("Jan")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_and_saved_in_every_shape() {
        let record = b"4,339,5140900,-;bond1: (slave ens1f0): link status definitely down\n SUBSYSTEM=net\n";
        let line = parse(record).unwrap();
        assert_eq!((line.level, line.micros), (4, 5_140_900));
        assert!(names(&line.message, "bond1") && names(&line.message, "ens1f0"));
        assert!(!names(&line.message, "bond") && !names(&line.message, "ens1"));
        // 2024-02-29 23:59:55 UTC.
        let text =
            |shape| saved(std::slice::from_ref(&line), shape, 1_709_251_195_000_000, "node01").unwrap().1;
        let m = "bond1: (slave ens1f0): link status definitely down";
        assert_eq!(text(LogShape::Dmesg), format!("[    5.140900] {m}\n"));
        assert_eq!(text(LogShape::DmesgTime), format!("[Fri Mar  1 00:00:00 2024] {m}\n"));
        assert_eq!(
            text(LogShape::JournalIso),
            format!("2024-03-01T00:00:00.140900+00:00 node01 kernel: {m}\n")
        );
        let json: serde_json::Value = serde_json::from_str(&text(LogShape::JournalJson)).unwrap();
        assert_eq!(json["__REALTIME_TIMESTAMP"], "1709251200140900");
        assert_eq!(saved(&[line], LogShape::None, 0, "x"), None);
    }
}
