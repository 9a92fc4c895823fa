//! Loads the inputs of a case: files, folders, archives and standard input become one sorted list of named
//! bytes.
//!
//! What a file is gets decided by its content, never by its name. Nothing is written to disk, no link is
//! followed below a path that the user gave, nothing is opened that could block, and every limit that is
//! reached leaves a reason behind: an input with a [`Problem`], or an entry in [`Loaded::skipped`].
//!
//! Names do not depend on where the case lies: a file goes by its own name, what a folder holds by its path
//! below the folder, what an archive holds by its path in the archive (below the name of the archive, when
//! that was itself found in a folder or an archive). Only when two of the given paths would yield the same
//! name are all their names prefixed.

mod archive;
mod bundle;
mod collect;
mod compressed;
mod error;
mod folder;
mod limits;
mod map;
mod names;
mod zip;

use std::io::Read;
use std::path::PathBuf;

pub use bundle::{Raw, raw as bundle};
pub(crate) use error::errno_text;
pub use error::{LoadError, Problem};
pub use limits::Limits;
pub use map::Bytes;

use collect::Collector;
use limits::Budget;
use names::Source;

/// One input file of a case.
#[derive(Debug)]
pub struct Input {
    /// Its path relative to the case, with `/` between folders; bytes that are not UTF-8 are replaced. It
    /// may contain control characters: escape it before showing it.
    pub path: String,
    /// Its content, decompressed.
    pub bytes: Bytes,
    /// Why the content is not all there. With [`Bytes::Empty`], none of it is; for an archive, the members
    /// before the problem are inputs of their own.
    pub problem: Option<Problem>,
}

/// Something that was found and is not, or not wholly, among the inputs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its path relative to the case, as for [`Input::path`].
    pub path: String,
    /// The reason, as the end of a sentence.
    pub why: String,
}

/// The outcome of a load.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The inputs, sorted by path; no two have the same.
    pub inputs: Vec<Input>,
    /// What was found and not taken, sorted by path.
    pub skipped: Vec<Skipped>,
}

/// Loads everything that `paths` name; `-` is standard input.
///
/// # Errors
///
/// If a path does not exist, if standard input fails, or if nothing could be read and something should have
/// been. A path without any file in it is not an error.
pub fn load(paths: &[PathBuf], limits: &Limits) -> Result<Loaded, LoadError> {
    load_with_stdin(paths, limits, &mut std::io::stdin().lock())
}

/// Like [`load`], with `stdin` in the place of standard input. It is read only if a path is `-`.
///
/// # Errors
///
/// As for [`load`].
pub fn load_with_stdin(
    paths: &[PathBuf],
    limits: &Limits,
    stdin: &mut dyn Read,
) -> Result<Loaded, LoadError> {
    let roots = names::roots(paths)?;
    let budget = Budget::new(limits);
    let mut failure = None;
    let mut parts = Vec::with_capacity(roots.len());
    for root in &roots {
        let mut collector = Collector::new(&budget);
        match &root.source {
            Source::Stdin => collector.stdin(root.label(), stdin)?,
            Source::Folder(path) => folder::walk(path, root.label(), &mut collector),
            Source::File(path) => collector.given_file(path, root.label()),
            Source::Covered { by } => {
                collector.skip(root.label(), format!("already part of {by}, which is given as well"));
            }
            Source::Special(path, kind) => {
                collector.fail(LoadError::Special { path: path.clone(), kind });
                collector.skip(root.label(), format!("{kind}, not opened"));
            }
        }
        let mut part = collector.finish();
        failure = failure.or(part.failure);
        bundle::unwrap(&mut part.loaded);
        parts.push(part.loaded);
    }
    let loaded = names::merge(&roots, parts);
    match failure {
        Some(error) if loaded.inputs.is_empty() => Err(error),
        _ => Ok(loaded),
    }
}
