//! `/proc/net` of the calling thread's network namespace, through a folder that is kept open: the way there leads over two
//! links and costs as much as reading a small file.

use super::namespace;
use std::cell::RefCell;
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _};

/// `/proc/net` is `/proc/self/net`: the namespace of the process' first thread, and it is not there at all where
/// `ProcSubset=pid` is in force.
const FOLDER: &str = "/proc/thread-self/net";

thread_local! {
    /// The folder, and [`namespace::entered`] when it was opened.
    static KEPT: RefCell<Option<(u64, File)>> = const { RefCell::new(None) };
}

/// Opens a file of `/proc/net` (`bonding/bond0`) for reading.
///
/// # Errors
///
/// If it is not there, or may not be read.
#[allow(unsafe_code, reason = "the standard library opens nothing relative to a folder")]
pub(crate) fn open_net(name: &str) -> io::Result<File> {
    let name = CString::new(name)?;
    KEPT.with_borrow_mut(|kept| {
        let entered = namespace::entered();
        let folder = match kept {
            Some((when, folder)) if *when == entered => folder,
            _ => &mut kept.insert((entered, File::open(FOLDER)?)).1,
        };
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        // SAFETY: the descriptor is open, and the pointer is to a live string that ends in zero.
        let raw = unsafe { libc::openat(folder.as_raw_fd(), name.as_ptr(), flags) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just opened and nobody else has it.
        Ok(unsafe { File::from_raw_fd(raw) })
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    #[test]
    fn it_reads_what_stands_under_proc_net() {
        let read = || {
            let mut text = String::new();
            super::open_net("protocols").map(|mut f| f.read_to_string(&mut text).map(|_| text))
        };
        let Ok(first) = read() else {
            assert!(!std::path::Path::new("/proc/thread-self/net/protocols").exists());
            return;
        };
        assert!(first.unwrap().starts_with("protocol "));
        // Through the kept folder, and in another thread through its own.
        assert!(read().unwrap().is_ok());
        assert!(std::thread::scope(|s| s.spawn(|| super::open_net("dev").is_ok()).join().unwrap()));
        assert_eq!(super::open_net("no-such-file").unwrap_err().kind(), std::io::ErrorKind::NotFound);
        assert!(super::open_net("a\0b").is_err());
    }
}
