//! The one place with `unsafe`: what the system offers only that way.

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
