//! Waiting for several descriptors at once.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

/// Waits until one of the descriptors can be read, has an error, or was closed by its other end, or until the time is
/// over; tells which. An interrupted wait ends early.
///
/// # Errors
///
/// If the kernel refuses.
#[allow(unsafe_code, reason = "the standard library cannot wait for several descriptors")]
pub fn readable(descriptors: &[BorrowedFd<'_>], at_most: Duration) -> io::Result<Vec<bool>> {
    let mut polled: Vec<libc::pollfd> = descriptors
        .iter()
        .map(|d| libc::pollfd { fd: d.as_raw_fd(), events: libc::POLLIN, revents: 0 })
        .collect();
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(at_most.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(at_most.subsec_nanos()),
    };
    let count = libc::nfds_t::try_from(polled.len()).map_err(io::Error::other)?;
    // SAFETY: pointer and count are of the same live vector; the timeout is a live local; no signal mask is given.
    let done = unsafe { libc::ppoll(polled.as_mut_ptr(), count, &raw const timeout, std::ptr::null()) };
    if done < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
        return Ok(vec![false; descriptors.len()]);
    }
    Ok(polled.iter().map(|p| p.revents != 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::fd::AsFd as _;

    #[test]
    fn it_tells_which_one_can_be_read() {
        let (quiet, _keep) = std::io::pipe().unwrap();
        let (ready, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let seen = readable(&[quiet.as_fd(), ready.as_fd()], Duration::from_secs(5)).unwrap();
        assert_eq!(seen, [false, true]);
        let none = readable(&[quiet.as_fd()], Duration::from_millis(1)).unwrap();
        assert_eq!(none, [false]);
    }
}
