//! Questions to the kernel that change nothing and leave nothing open: may this process do X, and what is there.

#![allow(unsafe_code, reason = "the standard library asks none of these")]

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::Duration;

fn checked(result: i64) -> io::Result<i64> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn owned(result: i64) -> io::Result<OwnedFd> {
    let raw = i32::try_from(checked(result)?).map_err(io::Error::other)?;
    // SAFETY: the descriptor was just opened by the call that returned it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

fn socket(family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    owned(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) }.into())
}

/// Opens and closes a packet socket that is bound to no protocol, so that it never receives anything.
///
/// # Errors
///
/// `EPERM` without `CAP_NET_RAW`.
pub(crate) fn packet_socket() -> io::Result<()> {
    socket(libc::AF_PACKET, libc::SOCK_RAW, 0).map(drop)
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

/// One request of the `ethtool` ioctl (`SIOCETHTOOL`, 0x8946) on an interface. `data` begins with the command and has room for the answer.
///
/// # Errors
///
/// What kernel and driver answer; `EPERM` for commands that need `CAP_NET_ADMIN`.
pub(crate) fn ethtool(interface: &str, data: &mut [u32]) -> io::Result<()> {
    let socket = socket(libc::AF_INET, libc::SOCK_DGRAM, 0).or_else(|_| socket_netlink())?;
    // SAFETY: plain numbers and pointers, for which all zero is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    request.ifr_ifru.ifru_data = data.as_mut_ptr().cast();
    // SAFETY: `request` is live and points to `data`, which has room for the answer by the caller's promise; the commands
    // used here name their own length, or are of a fixed length that the callers below provide.
    checked(unsafe { libc::ioctl(socket.as_raw_fd(), 0x8946, &raw mut request) }.into()).map(drop)
}

fn socket_netlink() -> io::Result<OwnedFd> {
    socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE)
}

/// Sends one request to rtnetlink and returns the first datagram of the answer.
///
/// # Errors
///
/// What the kernel answers, `ETIMEDOUT` after a second without one.
pub(crate) fn route_request(request: &[u8]) -> io::Result<Vec<u8>> {
    let socket = socket_netlink()?;
    // SAFETY: pointer and length are of the same slice, which the kernel only reads.
    checked(unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) } as i64)?;
    let mut ready = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let wait = i32::try_from(Duration::from_secs(1).as_millis()).unwrap_or(1000);
    // SAFETY: one live structure.
    if checked(unsafe { libc::poll(&raw mut ready, 1, wait) }.into())? == 0 {
        return Err(io::Error::from_raw_os_error(libc::ETIMEDOUT));
    }
    let mut answer = vec![0; 64 * 1024];
    // SAFETY: pointer and length are of the same live vector.
    let got = checked(
        unsafe { libc::recv(socket.as_raw_fd(), answer.as_mut_ptr().cast(), answer.len(), 0) } as i64,
    )?;
    answer.truncate(usize::try_from(got).unwrap_or(0));
    Ok(answer)
}
