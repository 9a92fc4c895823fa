//! The kernel log as `/dev/kmsg` gives it: one record per read, numbered by the kernel without gaps.
//!
//! Records are kept as read (`priority,sequence,microseconds,flags;text`, then lines with device properties that begin
//! with a space). Which of them the kernel wrote and which a program (the facility is part of the priority) is for the
//! parser to see. Source: `kernel/printk/printk.c`, `devkmsg_read()`; `Documentation/ABI/testing/dev-kmsg`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Longer than any record (`PRINTK_MESSAGE_MAX`, 2048 until 6.x, at most 8192).
const RECORD: usize = 16 * 1024;

/// A reader of the kernel log that remembers where it is.
#[derive(Debug)]
pub struct KernelLog {
    file: File,
    next: Option<u64>,
}

/// What was read at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// The records, one after another.
    pub bytes: Vec<u8>,
    /// How many.
    pub records: u64,
    /// How many records were overwritten between the one read last and these. In the first call: how many of this boot
    /// were overwritten before it was opened.
    pub missing: u64,
    /// True if there is more: the limit was reached.
    pub more: bool,
}

impl KernelLog {
    /// Opens the log at its oldest record.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` without `CAP_SYSLOG` where `kernel.dmesg_restrict` is set; `NotFound` in a container without
    /// the device.
    pub fn open() -> io::Result<Self> {
        Self::at(Path::new("/dev/kmsg"))
    }

    fn at(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        Ok(Self { file, next: None })
    }

    /// True until the first record was read.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.next.is_none()
    }

    /// Reads what there is, up to about `most` octets. Does not wait.
    ///
    /// # Errors
    ///
    /// If the kernel refuses; what was read before in the same call is then in the next one's place, so that nothing is
    /// skipped without being counted.
    pub fn take(&mut self, most: usize) -> io::Result<Taken> {
        let mut taken = Taken::default();
        let mut record = vec![0; RECORD];
        loop {
            if taken.bytes.len() >= most {
                taken.more = true;
                return Ok(taken);
            }
            match self.file.read(&mut record) {
                Ok(0) => return Ok(taken),
                Ok(length) => {
                    let bytes = record.get(..length).unwrap_or_default();
                    if let Some(sequence) = sequence(bytes) {
                        // Records are numbered from 0 at boot.
                        let expected = self.next.unwrap_or(0);
                        taken.missing = taken.missing.saturating_add(sequence.saturating_sub(expected));
                        self.next = Some(sequence.saturating_add(1));
                    }
                    taken.records += 1;
                    taken.bytes.extend_from_slice(bytes);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(taken),
                // What came next was overwritten; reading goes on with the oldest that is left, and its number tells
                // how many are missing.
                Err(e) if e.raw_os_error() == Some(libc::EPIPE) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if taken.records > 0 => return Ok(taken),
                Err(e) => return Err(e),
            }
        }
    }
}

/// The number of a record: what stands between its first and second comma.
fn sequence(record: &[u8]) -> Option<u64> {
    let head = record.split(|b| *b == b';').next()?;
    std::str::from_utf8(head.split(|b| *b == b',').nth(1)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_of_this_machine_has_no_gaps() {
        let mut log = match KernelLog::open() {
            Ok(log) => log,
            Err(e) => {
                assert!(matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound), "{e}");
                eprintln!("skipped: {e}");
                return;
            }
        };
        assert!(log.is_fresh());
        let first = log.take(2000).unwrap();
        assert!(first.records > 0 && !log.is_fresh(), "{first:?}");
        let rest = log.take(64 << 20).unwrap();
        assert!(!rest.more);
        // The second part goes on where the first ended.
        assert!(rest.missing == 0 || rest.missing > 1000, "{}", rest.missing);
        let all = [first.bytes, rest.bytes].concat();
        let numbers: Vec<u64> =
            all.split(|b| *b == b'\n').filter(|l| !l.starts_with(b" ")).filter_map(sequence).collect();
        assert_eq!(numbers.len() as u64, first.records + rest.records);
        assert!(numbers.is_sorted());
    }

    #[test]
    fn numbers() {
        assert_eq!(sequence(b"6,1234,177032515,-;bond0: text, with comma\n SUBSYSTEM=net\n"), Some(1234));
        assert_eq!(sequence(b"6,x,1,-;text"), None);
        assert_eq!(sequence(b""), None);
    }
}
