//! Network namespaces: entering one for the length of a call, and a view of its `/sys`.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

thread_local! {
    static ENTERED: Cell<u64> = const { Cell::new(0) };
}

/// How often the calling thread moved to another network namespace: what was opened before the last time belongs
/// elsewhere.
pub(crate) fn entered() -> u64 {
    ENTERED.get()
}

/// A handle on a network namespace; it keeps the namespace alive.
#[derive(Debug)]
pub struct Namespace(File);

impl Namespace {
    /// The namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// If `/proc` is not there.
    pub fn current() -> io::Result<Self> {
        File::open("/proc/thread-self/ns/net").map(Self)
    }

    /// The namespace that a file stands for, such as those that `ip netns add` makes.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn at(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self)
    }

    /// Calls `f` with the calling thread in this namespace, and brings the thread back.
    ///
    /// # Errors
    ///
    /// If the thread may not enter (it needs `CAP_SYS_ADMIN`), or could not be brought back: then it must not go on
    /// as if it were where it was.
    pub fn with<T>(&self, f: impl FnOnce() -> T) -> io::Result<T> {
        let home = Self::current()?;
        self.enter()?;
        let result = f();
        home.enter()?;
        Ok(result)
    }

    /// Moves the calling thread here for good, with a `/sys` that shows this namespace to it alone. To be called before
    /// other threads are started.
    ///
    /// # Errors
    ///
    /// If the thread may not enter or mount (it needs `CAP_SYS_ADMIN`).
    pub fn enter_for_good(&self) -> io::Result<()> {
        self.enter()?;
        own_mounts()?;
        mount_sysfs(Path::new("/sys"))
    }

    #[allow(unsafe_code, reason = "the standard library does not know namespaces")]
    fn enter(&self) -> io::Result<()> {
        // SAFETY: no pointers; the descriptor is ours and open. Only the calling thread moves, and nothing of Rust
        // depends on its network namespace.
        let done = unsafe { libc::setns(self.0.as_raw_fd(), libc::CLONE_NEWNET) };
        ENTERED.set(ENTERED.get().wrapping_add(1));
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// Gives the calling thread mounts of its own: what it mounts from now on is seen by nobody else.
#[allow(unsafe_code, reason = "the standard library does not mount")]
fn own_mounts() -> io::Result<()> {
    // SAFETY: no pointers. The thread leaves the file system attributes that it shared with others.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: the pointers are to strings that live for the whole program, or null where the kernel ignores them.
    let done =
        unsafe { libc::mount(c"none".as_ptr(), c"/".as_ptr(), std::ptr::null(), flags, std::ptr::null()) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Mounts a fresh sysfs: its `class/net` shows the interfaces of the network namespace it is mounted from, for whoever
/// reads it later.
///
/// # Errors
///
/// If the kernel refuses: without `CAP_SYS_ADMIN`, or where `at` is no folder.
#[allow(unsafe_code, reason = "the standard library does not mount")]
pub fn mount_sysfs(at: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    let at = std::ffi::CString::new(at.as_os_str().as_bytes())?;
    let flags = libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    // SAFETY: all pointers are to live strings that end in zero; sysfs takes no data.
    let done =
        unsafe { libc::mount(c"sysfs".as_ptr(), at.as_ptr(), c"sysfs".as_ptr(), flags, std::ptr::null()) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_comes_back_from_where_it_was_sent() {
        let here = Namespace::current().unwrap();
        let name = || std::fs::read_link("/proc/thread-self/ns/net").unwrap();
        let before = name();
        match here.with(name) {
            Ok(inside) => assert_eq!(inside, before),
            Err(e) => {
                assert_eq!(e.kind(), io::ErrorKind::PermissionDenied, "{e}");
                eprintln!("skipped: entering a namespace needs CAP_SYS_ADMIN");
            }
        }
        assert_eq!(name(), before);
        assert!(Namespace::at(Path::new("/proc/self/ns/no-such")).is_err());
    }
}
