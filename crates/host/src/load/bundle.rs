//! Bundles: the folder's name is left out of the paths, and the stored verdict is no evidence.
//!
//! A bundle, the folder that it was unpacked into, and the files that it was packed from must give the same inputs, or
//! the verdicts on them would differ. What a manifest says is not trusted further than that: it can hide the four files
//! by their names in a bundle's folder, and nothing else.

use super::collect::{Collector, Part};
use super::limits::Budget;
use super::names::{self, Source};
use super::{Input, Limits, LoadError, Loaded, Skipped, folder};
use bondwitness_core::bundle::compress::Seal;
use bondwitness_core::bundle::v1;
use std::path::Path;

/// The files of a bundle as they lie in it: nothing is left out, renamed or unpacked any further.
#[derive(Debug)]
pub struct Raw {
    /// The files in the order they were found; a path that stands there twice is here twice. An archive that ended in a
    /// problem is itself here, without bytes.
    pub files: Vec<Input>,
    /// What is no file that can be read: links, devices, paths that leave the folder.
    pub refused: Vec<Skipped>,
    /// The seal of the compressed file.
    pub seal: Seal,
}

/// Reads one bundle: an archive, a folder that one was unpacked into, or standard input (`-`).
///
/// # Errors
///
/// If it does not exist, or nothing of it can be read.
pub fn raw(path: &Path, limits: &Limits) -> Result<Raw, LoadError> {
    let roots = names::roots(&[path.to_owned()])?;
    let budget = Budget::new(limits);
    let mut collector = Collector::of_bundle(&budget);
    for root in &roots {
        match &root.source {
            Source::Stdin => collector.stdin(root.label(), &mut std::io::stdin().lock())?,
            Source::Folder(path) => {
                collector.unpack_nothing();
                folder::walk(path, root.label(), &mut collector);
            }
            Source::File(path) => collector.given_file(path, root.label()),
            Source::Covered { .. } => {}
            Source::Special(path, kind) => {
                return Err(LoadError::Special { path: path.clone(), kind });
            }
        }
    }
    let Part { loaded, failure, seal } = collector.finish();
    match failure {
        Some(error) if loaded.inputs.is_empty() => Err(error),
        _ => Ok(Raw { files: loaded.inputs, refused: loaded.skipped, seal }),
    }
}

/// Takes what is no evidence from the inputs of one path, and the bundle's folder from their names if all lie in it.
pub(super) fn unwrap(loaded: &mut Loaded) {
    let bundles: Vec<(String, v1::Manifest)> = loaded
        .inputs
        .iter()
        .filter_map(|input| {
            let root = input.path.strip_suffix(v1::FILE)?;
            let whole = root.is_empty() || root.ends_with('/');
            Some((root.to_owned(), whole.then(|| v1::Manifest::read(&input.bytes))??))
        })
        .collect();
    loaded.inputs.retain(|input| {
        !bundles.iter().any(|(root, manifest)| {
            input.path.strip_prefix(root.as_str()).is_some_and(|path| match path {
                v1::FILE => true,
                v1::SIGNATURE => manifest.signature.is_some(),
                v1::VERDICT_JSON | v1::VERDICT_TXT => manifest.members.iter().any(|m| m.path == path),
                _ => false,
            })
        })
    });
    let [(root, _)] = bundles.as_slice() else { return };
    // An archive that ended in a problem stands beside its members, without bytes.
    let inside = |path: &str, there: bool| path.starts_with(root.as_str()) || !there;
    if !root.is_empty() && loaded.inputs.iter().all(|i| inside(&i.path, !i.bytes.is_empty())) {
        let strip = |path: &mut String| {
            if let Some(rest) = path.strip_prefix(root.as_str()) {
                *path = rest.to_owned();
            }
        };
        loaded.inputs.iter_mut().for_each(|i| strip(&mut i.path));
        loaded.skipped.iter_mut().for_each(|s| strip(&mut s.path));
    }
}
