//! The kernel log, told apart by the interfaces that its lines name, in the shapes in which people save it.

use bondwitness_lab::incident::LogShape;
use bondwitness_lab::render::kernel_log;
use bondwitness_lab::view::LogLine;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

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
            if line.text.starts_with("bondwitness-guest: begins") {
                written = u64::try_from(line.at_ns / 1_000).ok();
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
    pub(crate) fn drain(&mut self, line: &mut dyn FnMut(LogLine)) {
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
fn parse(record: &[u8]) -> Option<LogLine> {
    let text = std::str::from_utf8(record).ok()?;
    let (head, rest) = text.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let micros: i64 = fields.nth(1)?.parse().ok()?;
    let at_ns = micros.checked_mul(1_000)?;
    Some(LogLine { at_ns, level: u8::try_from(priority & 7).ok()?, text: rest.lines().next()?.to_owned() })
}

/// Does the line name this interface? `bond1` is not named by `bond12`.
pub(crate) fn names(line: &str, interface: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == interface)
}

/// The name of a log's file, and its text; `None` if no log is saved. `booted` is when the machine was booted, in
/// microseconds since 1970.
pub(crate) fn saved(
    lines: &[LogLine],
    shape: LogShape,
    booted: u64,
    host: &str,
) -> Option<(&'static str, String)> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let wall0_ns = i64::try_from(booted.saturating_mul(1_000)).unwrap_or(i64::MAX);
    // Times of the lines are counted from the boot.
    let origin = kernel_log::Origin { hostname: host, kernel: kernel.trim_end(), wall0_ns, boot0_ns: 0 };
    Some(match shape {
        LogShape::None => return None,
        LogShape::Dmesg => ("host-dmesg.txt", kernel_log::dmesg(lines, origin)),
        LogShape::DmesgTime => ("host-dmesg.txt", kernel_log::dmesg_time(lines, origin)),
        LogShape::JournalIso => ("host-journal.txt", kernel_log::journal_iso(lines, origin)),
        LogShape::JournalJson => ("host-journal.json", kernel_log::journal_json(lines, origin)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_and_saved_in_every_shape() {
        let record = b"4,339,5140900,-;bond1: (slave ens1f0): link status definitely down\n SUBSYSTEM=net\n";
        let line = parse(record).unwrap();
        assert_eq!((line.level, line.at_ns), (4, 5_140_900_000));
        assert!(names(&line.text, "bond1") && names(&line.text, "ens1f0"));
        assert!(!names(&line.text, "bond") && !names(&line.text, "ens1"));
        // 2024-02-29 23:59:55 UTC.
        let text =
            |shape| saved(std::slice::from_ref(&line), shape, 1_709_251_195_000_000, "node01").unwrap().1;
        assert_eq!(text(LogShape::Dmesg), format!("[    5.140900] {}\n", line.text));
        assert_eq!(text(LogShape::DmesgTime), format!("[Fri Mar  1 00:00:00 2024] {}\n", line.text));
        assert!(text(LogShape::JournalIso).starts_with("2024-03-01T00:00:00.140900"));
        let json: serde_json::Value = serde_json::from_str(&text(LogShape::JournalJson)).unwrap();
        assert_eq!(json["__REALTIME_TIMESTAMP"], "1709251200140900");
        assert_eq!(saved(&[line], LogShape::None, 0, "x"), None);
    }
}
