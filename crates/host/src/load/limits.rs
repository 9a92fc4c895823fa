//! How much one load may take, and the account of what it took.

use std::cell::Cell;

use super::error::Problem;

const MIB: u64 = 1024 * 1024;

/// What one load may take at most. A limit that is reached ends with a reason, never in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Input files, in all paths together.
    pub files: usize,
    /// Names looked at, whether they become inputs or not: bounds folders full of symbolic links.
    pub names: usize,
    /// Folders below one path, and folders in the path of an archive member.
    pub depth: usize,
    /// Bytes of one decompressed file or archive member.
    pub member_bytes: u64,
    /// Bytes that decompression may yield in all, and bytes of files and members held in memory at a time
    /// (mapped files not counted, as the kernel can drop their pages). Standard input is held to it as well.
    pub total_bytes: u64,
    /// Bytes out of a decompressor for each byte into it, judged from `ratio_from` bytes on.
    pub ratio: u64,
    /// Bytes out of a decompressor before its ratio says anything: short runs compress arbitrarily well.
    pub ratio_from: u64,
    /// Bytes of a file that does not tell its size, as in `/proc`.
    pub unsized_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 20_000,
            names: 200_000,
            depth: 32,
            member_bytes: 256 * MIB,
            total_bytes: 1024 * MIB,
            ratio: 1000,
            ratio_from: 16 * MIB,
            unsized_bytes: 16 * MIB,
        }
    }
}

/// What a load has taken so far. Shared by the nested readers of one load, hence the cells.
#[derive(Debug)]
pub(super) struct Budget<'l> {
    pub(super) limits: &'l Limits,
    files: Cell<usize>,
    names: Cell<usize>,
    held: Cell<u64>,
    inflated: Cell<u64>,
    full: Cell<bool>,
}

impl<'l> Budget<'l> {
    pub(super) const fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            files: Cell::new(0),
            names: Cell::new(0),
            held: Cell::new(0),
            inflated: Cell::new(0),
            full: Cell::new(false),
        }
    }

    /// Whether the number of files or names is used up, so that nothing more can be taken.
    pub(super) const fn full(&self) -> bool {
        self.full.get()
    }

    /// One more input file.
    pub(super) fn file(&self) -> Result<(), Problem> {
        self.count(&self.files, self.limits.files, "files")
    }

    /// One more name looked at.
    pub(super) fn name(&self) -> Result<(), Problem> {
        self.count(&self.names, self.limits.names, "names")
    }

    /// How many more names may be looked at.
    pub(super) const fn names_left(&self) -> usize {
        self.limits.names.saturating_sub(self.names.get())
    }

    fn count(&self, counter: &Cell<usize>, limit: usize, what: &'static str) -> Result<(), Problem> {
        if counter.get() >= limit {
            self.full.set(true);
            return Err(Problem::TooMany { limit, what });
        }
        counter.set(counter.get() + 1);
        Ok(())
    }

    /// Whether `bytes` more may be held in memory.
    pub(super) const fn fits(&self, bytes: u64) -> bool {
        self.held.get().saturating_add(bytes) <= self.limits.total_bytes
    }

    /// Takes `bytes` more into memory.
    pub(super) fn hold(&self, bytes: u64) -> Result<(), Problem> {
        if !self.fits(bytes) {
            return Err(Problem::TooMuch { limit: self.limits.total_bytes });
        }
        self.held.set(self.held.get().saturating_add(bytes));
        Ok(())
    }

    /// Gives `bytes` back that were held.
    pub(super) fn release(&self, bytes: u64) {
        self.held.set(self.held.get().saturating_sub(bytes));
    }

    /// `bytes` more came out of a decompressor that has yielded `out` bytes for `taken` bytes so far.
    pub(super) fn inflate(&self, bytes: u64, out: u64, taken: u64) -> Result<(), Problem> {
        if out > self.limits.ratio_from && out / taken.max(1) > self.limits.ratio {
            return Err(Problem::Bomb { out, taken });
        }
        let inflated = self.inflated.get().saturating_add(bytes);
        self.inflated.set(inflated);
        if inflated > self.limits.total_bytes {
            return Err(Problem::TooMuch { limit: self.limits.total_bytes });
        }
        Ok(())
    }
}
