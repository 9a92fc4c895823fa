//! Questions to the kernel that change nothing and leave nothing open: may this process do X, and what is there.

#![allow(unsafe_code, reason = "the standard library asks none of these")]

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

fn checked(result: i64) -> io::Result<i64> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn owned(result: i64) -> io::Result<OwnedFd> {
    let raw = i32::try_from(checked(result)?).map_err(io::Error::other)?;
    // SAFETY: the descriptor was just opened by the call that returned it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Opens and closes a packet socket that is bound to no protocol, so that it never receives anything.
///
/// # Errors
///
/// `EPERM` without `CAP_NET_RAW`.
pub(crate) fn packet_socket() -> io::Result<()> {
    // SAFETY: no pointers.
    owned(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) }.into()).map(drop)
}

/// Opens and closes a software counter of one CPU that never starts.
///
/// # Errors
///
/// `EACCES` or `EPERM` if this process may not trace, `ENOENT` or `ENOSYS` if the kernel cannot.
pub(crate) fn trace() -> io::Result<()> {
    // struct perf_event_attr, first version (64 bytes): type, size, config, ..., flags at byte 40.
    let mut attributes = [0u64; 8];
    attributes[0] = 1 | (64 << 32); // PERF_TYPE_SOFTWARE, size
    attributes[5] = 1; // disabled
    // SAFETY: the pointer is to live memory of the size that it names.
    owned(unsafe { libc::syscall(libc::SYS_perf_event_open, attributes.as_ptr(), -1, 0, -1, 8) }).map(drop)
}

fn bpf(command: u32, attributes: &[u32; 16]) -> io::Result<()> {
    // SAFETY: the pointer is to live memory of the length that is named; both commands below only look.
    checked(unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), 64u32) }).map(drop)
}

/// Asks for the first BPF program after the last possible id: there is none.
///
/// # Errors
///
/// `ENOENT` if this process may list programs, `EPERM` if not.
pub(crate) fn list_bpf_programs() -> io::Result<()> {
    let mut attributes = [0; 16];
    attributes[0] = 0x7fff_fffe;
    bpf(11, &attributes)
}

/// Asks how many BPF programs look at what the loopback device receives (`BPF_TCX_INGRESS`).
///
/// # Errors
///
/// `EPERM` if this process may not ask, `EINVAL` before Linux 6.6.
pub(crate) fn query_bpf_attachments() -> io::Result<()> {
    let mut attributes = [0; 16];
    attributes[0] = 1; // the loopback device's index in every network namespace
    attributes[1] = 46; // BPF_TCX_INGRESS
    bpf(16, &attributes)
}

/// The size of the kernel log's ring, bytes.
///
/// # Errors
///
/// `EPERM` where the log is restricted and the process lacks `CAP_SYSLOG`.
pub(crate) fn kernel_log_size() -> io::Result<u64> {
    // SYSLOG_ACTION_SIZE_BUFFER uses neither pointer nor length.
    // SAFETY: see above.
    let size = unsafe { libc::klogctl(10, std::ptr::null_mut(), 0) };
    checked(size.into()).map(i64::cast_unsigned)
}

/// What the kernel's clock discipline says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Discipline {
    /// Whether something keeps the clock synchronised (`STA_UNSYNC` is not set).
    pub(crate) synchronised: bool,
    /// The bound of the error, microseconds.
    pub(crate) max_error_us: i64,
}

/// Asks the kernel how the clock is disciplined, and changes nothing.
///
/// # Errors
///
/// Where a filter refuses the call.
pub(crate) fn discipline() -> io::Result<Discipline> {
    // SAFETY: plain numbers, for which all zero is a valid value; `modes` 0 changes nothing.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live local of the right type.
    checked(unsafe { libc::adjtimex(&raw mut state) }.into())?;
    Ok(Discipline { synchronised: state.status & libc::STA_UNSYNC == 0, max_error_us: state.maxerror })
}
