//! Signals as something to read: the wish to stop arrives between two readings, never in one.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

/// The signals that ask the program to come to an end: interrupt (Ctrl-C), termination and hang-up.
#[derive(Debug)]
pub struct StopSignals(OwnedFd);

#[allow(unsafe_code, reason = "the standard library knows no signals")]
impl StopSignals {
    /// From now on these signals are not delivered to this thread, and to threads and children that it starts, but can
    /// be read here. A signal that the program was started with as ignored (`nohup`) stays ignored.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn take() -> io::Result<Self> {
        // SAFETY: a signal set is plain memory that `sigemptyset` fills.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a live local; the signals are valid numbers.
        unsafe {
            libc::sigemptyset(&raw mut set);
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
                let mut before: libc::sigaction = std::mem::zeroed();
                libc::sigaction(signal, std::ptr::null(), &raw mut before);
                if before.sa_sigaction != libc::SIG_IGN {
                    libc::sigaddset(&raw mut set, signal);
                }
            }
        }
        // SAFETY: the pointer is to a live, filled set; the old mask is not asked for.
        let done = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        if done != 0 {
            return Err(io::Error::from_raw_os_error(done));
        }
        // SAFETY: as above; the result is checked.
        let raw = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just opened and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(raw) }))
    }

    /// Takes one signal, if one has come.
    pub fn came(&self) -> bool {
        let mut record = [0u8; size_of::<libc::signalfd_siginfo>()];
        // SAFETY: pointer and length are of the same live local.
        let got = unsafe { libc::read(self.0.as_raw_fd(), record.as_mut_ptr().cast(), record.len()) };
        got > 0
    }
}

impl AsFd for StopSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
