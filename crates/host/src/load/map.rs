//! One plain file as bytes: mapped when large, read when small, refused when it is made of holes.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::ops::Deref;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use memmap2::Mmap;

use super::error::Problem;
use super::limits::Budget;
use crate::sys;

/// Files from this size on are mapped. Below it, copying is cheap and safe from truncation by others.
const MAP_FROM: u64 = 1024 * 1024;
/// Files up to this size are never called sparse: reading their holes costs little.
const SPARSE_FROM: u64 = 64 * 1024 * 1024;
/// A file is called sparse when less than one part in so many has storage.
const SPARSE_SHARE: u64 = 64;
/// The unit of `st_blocks`, whatever the block size of the file system.
const STAT_BLOCK: u64 = 512;

/// The content of an input.
#[derive(Default)]
pub enum Bytes {
    /// A large plain file, mapped.
    Mapped(Mmap),
    /// A small plain file, or anything that came out of an archive, a compression or standard input.
    Owned(Vec<u8>),
    /// An empty file, or one that is not there: then the input has a problem.
    #[default]
    Empty,
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
            Self::Empty => &[],
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Owned(bytes) }
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::Mapped(_) => "Mapped",
            Self::Owned(_) => "Owned",
            Self::Empty => "Empty",
        };
        write!(f, "{kind}({} bytes)", self.len())
    }
}

/// Why a file has no bytes for us.
#[derive(Debug)]
pub(super) enum Unread {
    /// Neither file nor folder.
    Special(&'static str),
    /// The system refused.
    Io(io::Error),
    /// It was not worth or not possible to take it.
    Problem(Problem),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Problem> for Unread {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What a thing is called that is neither a file, a folder nor a symbolic link.
pub(super) fn special(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "named pipe"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_char_device() {
        "character device"
    } else if kind.is_block_device() {
        "block device"
    } else {
        "special file"
    }
}

/// The bytes of the regular file at `path`, which the caller has found to be one.
///
/// `follow` is for paths that the user named; files found in folders are opened without following links.
pub(super) fn file(
    path: &Path,
    follow: bool,
    budget: &Budget<'_>,
) -> Result<(Bytes, Option<Problem>), Unread> {
    let file = open(path, follow)?;
    let meta = file.metadata()?;
    // It was a regular file a moment ago; whoever replaced it must not make us read a device.
    if !meta.is_file() {
        return Err(Unread::Special(special(meta.file_type())));
    }
    let size = meta.len();
    if size == 0 {
        return read_unsized(&file, budget);
    }
    if let Some(problem) = holes(&meta) {
        return Err(problem.into());
    }
    // No storage behind it: sysfs and friends, where mapping could mean device memory.
    let mappable = meta.blocks() > 0;
    if mappable && (size >= MAP_FROM || !budget.fits(size)) {
        let len = usize::try_from(size).map_err(|_| Problem::TooLarge { limit: usize::MAX as u64 })?;
        return Ok((Bytes::Mapped(sys::map(&file, len)?), None));
    }
    budget.hold(size)?;
    let bytes = read(&file, size).inspect_err(|_| budget.release(size))?;
    budget.release(size.saturating_sub(bytes.len() as u64));
    Ok((bytes.into(), None))
}

/// Opens without waiting: a pipe or a `/proc` file that would block fails instead.
fn open(path: &Path, follow: bool) -> io::Result<File> {
    let no_follow = if follow { 0 } else { libc::O_NOFOLLOW };
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | no_follow).open(path)
}

fn holes(meta: &Metadata) -> Option<Problem> {
    let (size, there) = (meta.len(), meta.blocks().saturating_mul(STAT_BLOCK));
    (size > SPARSE_FROM && there < size / SPARSE_SHARE).then_some(Problem::Sparse { size, there })
}

fn read(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(limit.min(MAP_FROM)).unwrap_or(0));
    file.take(limit).read_to_end(&mut bytes)?;
    // sysfs announces a page and delivers a word.
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// Files of `/proc` have size 0 and content all the same.
fn read_unsized(file: &File, budget: &Budget<'_>) -> Result<(Bytes, Option<Problem>), Unread> {
    let limit = budget.limits.unsized_bytes;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let cut = bytes.len() as u64 > limit;
    bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    budget.hold(bytes.len() as u64)?;
    Ok((bytes.into(), cut.then_some(Problem::Cut { limit })))
}
