//! Walks a folder in the order of names, without following links or opening anything but regular files.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType};
use std::io;
use std::path::Path;

use super::collect::Collector;
use super::error::{LoadError, errno_text};
use super::map::special;

/// Takes all files below `root`. `label` stands for the folder itself where a reason is given for it.
pub(super) fn walk(root: &Path, label: &str, collector: &mut Collector<'_>) {
    Walker { label, collector }.folder(root, "", 0);
}

struct Walker<'c, 'b> {
    label: &'c str,
    collector: &'c mut Collector<'b>,
}

/// The names of a folder: the first ones in their order, as many as may be looked at.
struct Listing {
    names: BTreeMap<OsString, FileType>,
    /// How reading the folder ended, if not at its end.
    failed: Option<io::Error>,
}

impl Walker<'_, '_> {
    fn folder(&mut self, path: &Path, relative: &str, depth: usize) {
        // One more than the limit, so that whoever comes next finds the limit reached and says so.
        let listing = list(path, self.collector.budget.names_left().saturating_add(1));
        let Listing { names, failed } = listing;
        for (name, kind) in names {
            let relative = join(relative, &name);
            if !self.collector.may_look(&relative) {
                return;
            }
            self.entry(&path.join(&name), &relative, kind, depth);
        }
        if let Some(source) = failed {
            let shown = if relative.is_empty() { self.label } else { relative };
            self.collector.skip(shown, format!("cannot be read: {}", errno_text(&source)));
            self.collector.fail(LoadError::Read { path: path.to_owned(), source });
        }
    }

    fn entry(&mut self, path: &Path, relative: &str, kind: FileType, depth: usize) {
        let limit = self.collector.budget.limits.depth;
        if kind.is_symlink() {
            self.collector.skip(relative, "symbolic link, not followed");
        } else if kind.is_file() {
            self.collector.found_file(path, relative);
        } else if !kind.is_dir() {
            self.collector.skip(relative, format!("{}, not opened", special(kind)));
        } else if depth < limit {
            self.folder(path, relative, depth + 1);
        } else {
            self.collector.skip(relative, format!("more than {limit} folders deep, not entered"));
        }
    }
}

fn list(path: &Path, most: usize) -> Listing {
    let mut listing = Listing { names: BTreeMap::new(), failed: None };
    match fs::read_dir(path) {
        Ok(entries) => {
            for entry in entries {
                match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                    Ok((name, kind)) => listing.names.insert(name, kind),
                    // The file went away since the folder was read: as if it had never been there.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => {
                        listing.failed = Some(error);
                        break;
                    }
                };
                if listing.names.len() > most {
                    listing.names.pop_last();
                }
            }
        }
        Err(error) => listing.failed = Some(error),
    }
    listing
}

fn join(folder: &str, name: &OsStr) -> String {
    let name = name.to_string_lossy();
    if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") }
}
