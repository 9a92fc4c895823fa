//! The kernel's clocks, and acquisition windows on them.

use bondwitness_core::collection::{Window, v1::Clocks};
use std::io;

#[allow(
    unsafe_code,
    reason = "the standard library shows no boot time, and the monotonic clock only as differences"
)]
fn read(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live local of the right type.
    let done = unsafe { libc::clock_gettime(clock, &raw mut time) };
    if done < 0 { 0 } else { time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec) }
}

/// `CLOCK_MONOTONIC`, nanoseconds: the clock of acquisition windows.
#[must_use]
pub fn monotonic_ns() -> i64 {
    read(libc::CLOCK_MONOTONIC)
}

/// `CLOCK_REALTIME`, nanoseconds since 1970.
#[must_use]
pub fn real_ns() -> i64 {
    read(libc::CLOCK_REALTIME)
}

/// User and system time of a process (none: this one) since its start, all its threads together, nanoseconds; 0 if there
/// is no such process.
///
/// The clock of a process is a number made of its id (`include/linux/posix-timers_types.h`, `CPUCLOCK_SCHED`).
#[must_use]
pub fn process_cpu_ns(pid: Option<u32>) -> i64 {
    let clock = pid.map_or(libc::CLOCK_PROCESS_CPUTIME_ID, |pid| {
        libc::clockid_t::try_from(pid).map_or(-1, |pid| (!pid << 3) | 2)
    });
    read(clock)
}

/// The three clocks, read one right after another.
#[must_use]
pub fn clocks() -> Clocks {
    let begin = monotonic_ns();
    let (real_ns, boot_ns) = (real_ns(), read(libc::CLOCK_BOOTTIME));
    let end = monotonic_ns();
    Clocks { real_ns, monotonic_ns: begin + (end - begin) / 2, boot_ns, within_ns: end - begin }
}

/// A window that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun(i64);

/// Begins a window: to be called right before the first system call of a reading.
#[must_use]
pub fn begin() -> Begun {
    Begun(monotonic_ns())
}

impl Begun {
    /// Ends the window: to be called right after the last system call.
    #[must_use]
    pub fn end(self) -> Window {
        let (end_ns, real) = (monotonic_ns(), real_ns());
        Window { begin_ns: self.0, end_ns, real_ns: real - (end_ns - self.0) / 2 }
    }
}

/// What steers the kernel's wall clock (`adjtimex`), without changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discipline {
    /// True if something keeps the clock synchronised (`STA_UNSYNC` is not set).
    pub synchronised: bool,
    /// The status bits (`STA_*`).
    pub status: i32,
    /// The largest error that the clock may have, microseconds; grows by half a millisecond per second while nobody
    /// steers.
    pub max_error_us: i64,
    /// The error that the steering program estimates, microseconds.
    pub estimated_error_us: i64,
    /// Correction of the clock's rate, parts per million times 65536.
    pub frequency: i64,
}

/// How the wall clock is steered.
///
/// # Errors
///
/// If the kernel refuses: in a sandbox that forbids the call.
#[allow(unsafe_code, reason = "the standard library does not know how clocks are steered")]
pub fn discipline() -> io::Result<Discipline> {
    const STA_UNSYNC: i32 = 0x40;
    // SAFETY: plain numbers, for which all zero is a valid value; `modes` of zero only reads.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live local of the right type.
    if unsafe { libc::adjtimex(&raw mut state) } < 0 {
        return Err(io::Error::last_os_error());
    }
    #[allow(clippy::useless_conversion, reason = "the fields are narrower on other machines")]
    Ok(Discipline {
        synchronised: state.status & STA_UNSYNC == 0,
        status: state.status,
        max_error_us: state.maxerror.into(),
        estimated_error_us: state.esterror.into(),
        frequency: state.freq.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_clock_is_steered_can_be_read() {
        let discipline = discipline().unwrap();
        assert!(discipline.max_error_us >= 0, "{discipline:?}");
        assert_eq!(discipline.synchronised, discipline.status & 0x40 == 0);
    }

    #[test]
    fn a_window_holds_what_happened_in_it() {
        let begun = begin();
        let middle = clocks();
        let window = begun.end();
        assert!(window.begin_ns <= middle.monotonic_ns && middle.monotonic_ns <= window.end_ns);
        assert!(middle.boot_ns >= middle.monotonic_ns - 1_000_000, "boot time includes sleep: {middle:?}");
        assert!((window.real_ns - middle.real_ns).abs() < 1_000_000_000);
    }
}
