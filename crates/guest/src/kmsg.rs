//! The kernel log, told apart by the interfaces that its lines name.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;

/// The kernel log from now on.
pub(crate) struct Kmsg(File);

impl Kmsg {
    /// Opens the log. Records made before are skipped if nobody can want them: the boot names no incident.
    pub(crate) fn open() -> io::Result<Self> {
        // The end of the log is then "would block", not a wait.
        std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg").map(Self)
    }

    /// Every new line as `dmesg` prints it.
    pub(crate) fn drain(&mut self, line: &mut dyn FnMut(&str)) {
        let mut record = [0; 2048];
        loop {
            match self.0.read(&mut record) {
                Ok(n) => {
                    if let Some(text) = record.get(..n).and_then(as_dmesg) {
                        line(&text);
                    }
                }
                // Records were overwritten before they were read: go on with the oldest there is.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
                Err(_) => return,
            }
        }
    }
}

/// `priority,sequence,microseconds,flags;text` as `[seconds.microseconds] text`.
fn as_dmesg(record: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(record).ok()?;
    let (head, rest) = text.split_once(';')?;
    let micros: u64 = head.split(',').nth(2)?.parse().ok()?;
    let message = rest.lines().next()?;
    Some(format!("[{:5}.{:06}] {message}", micros / 1_000_000, micros % 1_000_000))
}

/// Does the line name this interface? `bond1` is not named by `bond12`.
pub(crate) fn names(line: &str, interface: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_like_dmesg() {
        let record = b"4,339,5140900,-;bond1: (slave ens1f0): link status definitely down\n SUBSYSTEM=net\n";
        let line = as_dmesg(record).unwrap();
        assert_eq!(line, "[    5.140900] bond1: (slave ens1f0): link status definitely down");
        assert!(
            names(&line, "bond1") && names(&line, "ens1f0") && !names(&line, "bond") && !names(&line, "ens1")
        );
    }
}
