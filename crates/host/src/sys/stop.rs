//! Being asked to stop: SIGTERM and SIGINT as a descriptor. Needed because the first process of a container ignores both
//! unless it handles them.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::time::Duration;

/// A descriptor that becomes readable when the process is asked to stop.
#[derive(Debug)]
pub(crate) struct Stop(OwnedFd);

#[allow(unsafe_code, reason = "the standard library does not know signals")]
impl Stop {
    /// From now on the calling thread, and those it starts, do not die of SIGTERM and SIGINT: they are told here.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: plain numbers, for which all zero is a valid value; every function gets pointers to live locals.
        let fd = unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGTERM);
            libc::sigaddset(&raw mut set, libc::SIGINT);
            if libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of the descriptors can be read, or until the time is over; which of them can.
///
/// # Errors
///
/// If the kernel refuses; an interrupted wait is no error.
#[allow(unsafe_code, reason = "the standard library cannot wait for several descriptors")]
pub(crate) fn wait<const N: usize>(fds: [BorrowedFd<'_>; N], at_most: Duration) -> io::Result<[bool; N]> {
    let mut polled = fds.map(|f| libc::pollfd { fd: f.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(at_most.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(at_most.subsec_nanos()),
    };
    let count = libc::nfds_t::try_from(N).map_err(io::Error::other)?;
    // SAFETY: pointer and count are of the same live array; the timeout is a live local; no signal mask is given.
    let done = unsafe { libc::ppoll(polled.as_mut_ptr(), count, &raw const timeout, std::ptr::null()) };
    if done < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
        return Ok([false; N]);
    }
    Ok(polled.map(|p| p.revents != 0))
}
