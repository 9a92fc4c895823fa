//! Turns one piece of data after another into inputs, unpacking what is packed.

use std::io::Read;
use std::path::Path;

use bondwitness_core::bundle::compress::{self, Seal};

use super::archive::{self, Kind, Member, Tape, Walk};
use super::compressed::{Compression, Inflated, Packing};
use super::error::{LoadError, Problem, errno_text};
use super::limits::Budget;
use super::map::{self, Bytes, Unread};
use super::zip;
use super::{Input, Loaded, Skipped};

/// Archives that may lie in each other: a support archive in the archive of a case.
const ARCHIVES: usize = 2;
/// Compressions around one file.
const COMPRESSIONS: usize = 2;
/// What recognition needs to see of a file.
const HEAD: usize = 512;
const CHUNK: usize = 32 * 1024;
/// Memory reserved at once on the word of an archive header.
const TRUSTED_SIZE: u64 = 1024 * 1024;

/// How deep in archives and compressions a piece of data lies.
#[derive(Debug, Clone, Copy, Default)]
struct Depth {
    archives: usize,
    compressions: usize,
}

impl Depth {
    const fn in_archive(self) -> Self {
        Self { archives: self.archives + 1, compressions: 0 }
    }

    const fn in_compression(self) -> Self {
        Self { compressions: self.compressions + 1, ..self }
    }
}

/// The inputs found under one of the given paths.
pub(super) struct Collector<'b> {
    pub(super) budget: &'b Budget<'b>,
    inputs: Vec<Input>,
    skipped: Vec<Skipped>,
    failure: Option<LoadError>,
    /// Data in so many archives is taken as it is, whatever may be packed in it.
    unpacked: usize,
    seal: Seal,
}

/// What a [`Collector`] has found.
pub(super) struct Part {
    pub(super) loaded: Loaded,
    /// The first failure, which is an error only when nothing was read at all.
    pub(super) failure: Option<LoadError>,
    /// The seal of the last compressed file that was no member of anything, if a bundle was asked for.
    pub(super) seal: Seal,
}

impl<'b> Collector<'b> {
    pub(super) const fn new(budget: &'b Budget<'b>) -> Self {
        Self {
            budget,
            inputs: Vec::new(),
            skipped: Vec::new(),
            failure: None,
            unpacked: usize::MAX,
            seal: Seal::None,
        }
    }

    /// For a bundle: what is packed in a member is the member's own affair.
    pub(super) fn of_bundle(budget: &'b Budget<'b>) -> Self {
        Self { unpacked: 1, ..Self::new(budget) }
    }

    /// For a bundle's folder: every file is taken as it is.
    pub(super) const fn unpack_nothing(&mut self) {
        self.unpacked = 0;
    }

    pub(super) fn finish(self) -> Part {
        let loaded = Loaded { inputs: self.inputs, skipped: self.skipped };
        Part { loaded, failure: self.failure, seal: self.seal }
    }

    pub(super) fn skip(&mut self, path: &str, why: impl Into<String>) {
        self.skipped.push(Skipped { path: path.to_owned(), why: why.into() });
    }

    /// Remembers the first failure.
    pub(super) fn fail(&mut self, error: LoadError) {
        self.failure.get_or_insert(error);
    }

    /// Whether one more name may be looked at. If not, `path` is listed as the first one that was not.
    pub(super) fn may_look(&mut self, path: &str) -> bool {
        if self.budget.full() {
            return false;
        }
        self.budget.name().map_err(|problem| self.skip(path, problem.to_string())).is_ok()
    }

    /// All of standard input, under the name `label`.
    pub(super) fn stdin(&mut self, label: &str, stdin: &mut dyn Read) -> Result<(), LoadError> {
        let limit = self.budget.limits.total_bytes;
        let mut bytes = Vec::new();
        let mut limited = stdin.take(limit.saturating_add(1));
        limited.read_to_end(&mut bytes).map_err(|source| LoadError::Stdin { source })?;
        self.budget.hold(bytes.len() as u64).map_err(|_| LoadError::StdinTooLarge { limit })?;
        self.take(label, "", bytes.into(), None, Depth::default());
        Ok(())
    }

    /// A file that the user named: it may be a symbolic link, and an archive in it needs no name above its
    /// members.
    pub(super) fn given_file(&mut self, path: &Path, label: &str) {
        self.file(path, label, true);
    }

    /// A file found in a folder.
    pub(super) fn found_file(&mut self, path: &Path, name: &str) {
        self.file(path, name, false);
    }

    fn file(&mut self, path: &Path, name: &str, given: bool) {
        match map::file(path, given, self.budget) {
            Ok((bytes, problem)) => {
                let below = if given { String::new() } else { format!("{name}/") };
                self.take(name, &below, bytes, problem, Depth::default());
            }
            Err(Unread::Problem(problem)) => self.refuse(name, problem),
            Err(Unread::Special(kind)) => self.skip(name, format!("{kind}, not opened")),
            Err(Unread::Io(source)) => {
                self.skip(name, format!("cannot be read: {}", errno_text(&source)));
                self.fail(LoadError::Read { path: path.to_owned(), source });
            }
        }
    }

    /// Turns data into inputs: itself, or what is packed in it.
    ///
    /// `below` is what the paths of members start with, should this be an archive.
    fn take(&mut self, name: &str, below: &str, bytes: Bytes, problem: Option<Problem>, depth: Depth) {
        if depth.archives >= self.unpacked {
            return self.keep(name, bytes, problem);
        }
        if self.unpacked == 1 && depth.compressions == 0 && problem.is_none() {
            self.seal = compress::seal(&bytes);
        }
        match Packing::of(&bytes) {
            Packing::Plain => return self.keep(name, bytes, problem),
            Packing::Tar if depth.archives < ARCHIVES => {
                let found = self.members(Tape::plain(&bytes), below, depth);
                self.report(name, problem.or(found));
            }
            Packing::Zip if depth.archives < ARCHIVES => {
                let found = self.zip_members(&bytes, below, depth);
                self.report(name, problem.or(found));
            }
            Packing::Tar | Packing::Zip => self.skip(name, "archive in an archive in an archive, not opened"),
            Packing::Compressed(compression) if depth.compressions < COMPRESSIONS => {
                self.inflate(name, below, compression, &bytes, problem, depth);
            }
            Packing::Compressed(_) => self.skip(name, "compressed more than twice, not unpacked"),
            Packing::Unsupported(what, tool) => {
                self.skip(name, format!("{what} is not supported: unpack it first, with {tool}"));
            }
        }
        self.let_go(&bytes);
    }

    fn inflate(
        &mut self,
        name: &str,
        below: &str,
        compression: Compression,
        packed: &[u8],
        problem: Option<Problem>,
        depth: Depth,
    ) {
        let budget = self.budget;
        let mut inflated = Inflated::new(compression, packed, budget);
        if depth.archives < ARCHIVES && archive::is_tar(inflated.peek(HEAD)) {
            let found = self.members(Tape::packed(inflated), below, depth);
            return self.report(name, problem.or(found));
        }
        match self.gather(0, &mut |buf| inflated.read(buf)) {
            (bytes, found) if found.as_ref().is_none_or(Problem::leaves_a_beginning) => {
                self.take(name, below, bytes.into(), problem.or(found), depth.in_compression());
            }
            (_, Some(found)) => self.refuse(name, found),
            (_, None) => {}
        }
    }

    /// Takes the members of an archive; returns what ended it before its end mark.
    fn members(&mut self, tape: Tape<'_>, below: &str, depth: Depth) -> Option<Problem> {
        let mut walk = Walk::new(tape);
        while !self.budget.full() {
            match walk.next() {
                Ok(Some(member)) => {
                    if let Some(problem) = self.member(&mut walk, member, below, depth) {
                        return Some(problem);
                    }
                }
                Ok(None) => return None,
                Err(problem) => return Some(problem),
            }
        }
        None
    }

    fn member(&mut self, walk: &mut Walk<'_>, member: Member, below: &str, depth: Depth) -> Option<Problem> {
        let path = self.place(&member.name, member.kind, member.size, below)?;
        let (bytes, mut problem) = self.gather(member.size, &mut |buf| walk.read(buf));
        if problem.is_none() && (bytes.len() as u64) < member.size {
            problem = Some(Problem::EndsEarly { why: format!("{} of {} bytes", bytes.len(), member.size) });
        }
        match problem.clone() {
            Some(problem) if !problem.leaves_a_beginning() => self.refuse(&path, problem),
            problem => {
                self.take(&path, &format!("{path}/"), bytes.into(), problem, depth.in_archive());
            }
        }
        problem.map(|problem| problem.inside(&path))
    }

    /// The path of a member of which the content is to be read. Any other is listed where it must be.
    fn place(&mut self, name: &[u8], kind: Kind, size: u64, below: &str) -> Option<String> {
        let limits = self.budget.limits;
        if matches!(kind, Kind::Folder) {
            return None;
        }
        let path = match archive::member_path(name, limits.depth) {
            Ok(path) => format!("{below}{path}"),
            Err(why) => {
                let shown = format!("{below}{}", String::from_utf8_lossy(name));
                self.skip(&shown, format!("{why}, not unpacked"));
                return None;
            }
        };
        if !self.may_look(&path) {
            return None;
        }
        if let Kind::Other(why) = kind {
            self.skip(&path, why);
            return None;
        }
        if size > limits.member_bytes {
            self.refuse(&path, Problem::TooLarge { limit: limits.member_bytes });
            return None;
        }
        Some(path)
    }

    /// Takes the members of a zip archive; returns what keeps it from being whole.
    fn zip_members(&mut self, archive: &[u8], below: &str, depth: Depth) -> Option<Problem> {
        let budget = self.budget;
        let mut walk = zip::Walk::new(archive, budget);
        while !budget.full() {
            let Some(mut entry) = walk.next() else { return walk.problem() };
            let kind = std::mem::replace(&mut entry.kind, Kind::File);
            let size = entry.size.unwrap_or(0);
            let Some(path) = self.place(&entry.name, kind, size, below) else { continue };
            let mut content = entry.content(budget);
            let (bytes, found) = self.gather(size, &mut |buf| content.read(buf));
            match found.or_else(|| entry.check(&bytes)) {
                // Members stand on their own, but what is left for all of them does not.
                Some(problem @ Problem::TooMuch { .. }) => {
                    self.refuse(&path, problem.clone());
                    return Some(problem);
                }
                Some(problem) if !problem.leaves_a_beginning() => self.refuse(&path, problem),
                problem => {
                    self.take(&path, &format!("{path}/"), bytes.into(), problem, depth.in_archive());
                }
            }
        }
        None
    }

    /// Reads all there is, up to the limit for one member. What is returned is held.
    fn gather(
        &mut self,
        size: u64,
        read: &mut dyn FnMut(&mut [u8]) -> Result<usize, Problem>,
    ) -> (Vec<u8>, Option<Problem>) {
        let limit = self.budget.limits.member_bytes;
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(TRUSTED_SIZE)).unwrap_or(0));
        let mut chunk = vec![0; CHUNK];
        let problem = loop {
            let n = match read(&mut chunk) {
                Ok(0) => break None,
                Ok(n) => n,
                Err(problem) => break Some(problem),
            };
            if (bytes.len() as u64).saturating_add(n as u64) > limit {
                break Some(Problem::TooLarge { limit });
            }
            if let Err(problem) = self.budget.hold(n as u64) {
                break Some(problem);
            }
            bytes.extend_from_slice(chunk.get(..n).unwrap_or_default());
        };
        if problem.as_ref().is_some_and(|problem| !problem.leaves_a_beginning()) {
            self.budget.release(bytes.len() as u64);
            bytes = Vec::new();
        }
        bytes.shrink_to_fit();
        (bytes, problem)
    }

    fn keep(&mut self, path: &str, bytes: Bytes, problem: Option<Problem>) {
        if self.budget.full() {
            return self.let_go(&bytes);
        }
        match self.budget.file() {
            Ok(()) => self.inputs.push(Input { path: path.to_owned(), bytes, problem }),
            Err(full) => {
                self.let_go(&bytes);
                self.skip(path, full.to_string());
            }
        }
    }

    /// Lists a file of which nothing was taken: as an input, so that it shows, and as skipped.
    fn refuse(&mut self, path: &str, problem: Problem) {
        self.skip(path, problem.to_string());
        self.keep(path, Bytes::Empty, Some(problem));
    }

    /// Lists an archive that ended in a problem, beside the members that came before it.
    fn report(&mut self, path: &str, problem: Option<Problem>) {
        if let Some(problem) = problem {
            self.keep(path, Bytes::Empty, Some(problem));
        }
    }

    fn let_go(&self, bytes: &Bytes) {
        if let Bytes::Owned(bytes) = bytes {
            self.budget.release(bytes.len() as u64);
        }
    }
}
