//! The one place with `unsafe`: what the system offers only that way.

pub mod bpf;
pub mod bpf_load;
pub mod clock;
pub mod ethtool;
pub mod interface;
pub mod kmsg;
pub mod namespace;
pub mod netlink;
pub mod packet;
pub mod poll;
pub mod priority;
pub(crate) mod probe;
pub(crate) mod procfs;
pub(crate) mod rtnl_write;
pub(crate) mod sandbox;
pub mod signal;
pub(crate) mod stop;
pub(crate) mod syscall_filter;

use std::fs::File;
use std::io;

use memmap2::{Advice, Mmap, MmapOptions};

/// Up to this size all pages are mapped at once, which saves a fault per 64 KiB; a larger file may not fit into
/// memory next to itself and is paged in as it is read.
const POPULATE_UP_TO: usize = 2 * 1024 * 1024 * 1024;

/// Maps the first `len` bytes of `file` for reading, front to back.
///
/// Only for regular files that have storage behind them: a mapped sysfs resource would be device memory.
/// If another process truncates the file while it is mapped, touching the pages past its new end raises
/// SIGBUS; the loader therefore maps large files only and reads small ones.
#[allow(unsafe_code, reason = "mapping a file is unsafe by nature: nothing stops others from changing it")]
pub(crate) fn map(file: &File, len: usize) -> io::Result<Mmap> {
    let mut options = MmapOptions::new();
    options.len(len);
    // SAFETY: the mapping is read-only and is unmapped only when `Mmap` is dropped, so the bytes stay
    // readable for as long as they are borrowed. What no process can rule out is that another one writes to
    // or truncates the file meanwhile: evidence is at rest while it is examined, and the parsers treat every
    // byte as untrusted and bounds-check each access. That residual risk is accepted for large files.
    let map = unsafe { if len <= POPULATE_UP_TO { options.populate() } else { &mut options }.map(file) }?;
    // Only a hint: a kernel that refuses it serves the same bytes.
    let _ = map.advise(Advice::Sequential);
    Ok(map)
}

/// Waits for a child and returns its CPU time in seconds and its peak resident set in bytes.
#[allow(unsafe_code, reason = "the standard library does not return what wait4 knows")]
pub(crate) fn wait_usage(pid: u32) -> io::Result<(f64, u64)> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    let mut status = 0;
    // SAFETY: `rusage` is plain numbers, for which all zero is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals of the right types, and the child is ours and not yet waited for.
    let got = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    if got < 0 {
        return Err(io::Error::last_os_error());
    }
    if libc::WIFSIGNALED(status) {
        return Err(io::Error::other(format!("ended by signal {}", libc::WTERMSIG(status))));
    }
    #[allow(clippy::cast_precision_loss, reason = "seconds of CPU")]
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    let rss = u64::try_from(usage.ru_maxrss).unwrap_or(0).saturating_mul(1024);
    Ok((seconds(usage.ru_utime) + seconds(usage.ru_stime), rss))
}
