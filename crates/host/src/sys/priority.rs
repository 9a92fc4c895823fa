//! The priority of the calling thread.

use std::io;

/// Gives the calling thread real-time priority (`SCHED_FIFO`, 1 to 99): it runs until it sleeps.
///
/// # Errors
///
/// If the kernel refuses: without `CAP_SYS_NICE`, or a number out of range.
#[allow(unsafe_code, reason = "the standard library does not know priorities")]
pub fn real_time(priority: i32) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: 0 is the calling thread; the pointer is to a live local that the kernel only reads.
    let done = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_priority_out_of_range_is_refused() {
        assert!(super::real_time(1000).is_err());
    }
}
