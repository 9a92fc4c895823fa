//! Writing a folder of files: all of it, or nothing.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Why a folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is something at this place already.
    #[error("cannot write {0}: it exists already")]
    Exists(PathBuf),
    /// A path of a file would leave the folder.
    #[error("cannot write {0}: the path leaves the folder")]
    Outside(String),
    /// The system refused.
    #[error("cannot {what} {path}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl SaveError {
    /// What to do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Exists(_) => "name a folder that does not exist yet, or remove that one",
            Self::Outside(_) => "this is a defect of the program; please report it",
            Self::System { .. } => {
                "check the permissions and the free space of the place, or name another one"
            }
        }
    }
}

/// Writes `files` (by their paths below it) as the new folder `folder`. It appears when everything is written and
/// flushed; until then the files stand in a folder beside it whose name ends in `.partial`, which is removed if
/// anything fails.
///
/// # Errors
/// If `folder` exists, or the system refuses.
pub fn folder(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), SaveError> {
    if folder.symlink_metadata().is_ok() {
        return Err(SaveError::Exists(folder.to_owned()));
    }
    let name = folder.file_name().map_or_else(|| "evidence".into(), |n| n.to_string_lossy().into_owned());
    let partial = folder.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let result = fill(&partial, files).and_then(|()| {
        std::fs::rename(&partial, folder).map_err(|source| SaveError::System {
            what: "create",
            path: folder.to_owned(),
            source,
        })
    });
    if result.is_err() {
        // What is left behind is of no use; if it cannot be removed either, the first error says more.
        let _ = std::fs::remove_dir_all(&partial);
    }
    result
}

fn fill(partial: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), SaveError> {
    let system = |what, path: &Path| {
        let path = path.to_owned();
        move |source| SaveError::System { what, path, source }
    };
    std::fs::create_dir_all(partial).map_err(system("create", partial))?;
    for (name, bytes) in files {
        let plain = Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
        if !plain || name.is_empty() {
            return Err(SaveError::Outside(name.clone()));
        }
        let path = partial.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(system("create", parent))?;
        }
        let mut file = std::fs::File::create_new(&path).map_err(system("create", &path))?;
        file.write_all(bytes).map_err(system("write", &path))?;
        file.sync_all().map_err(system("write", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
        names.iter().map(|n| ((*n).to_owned(), b"x\n".to_vec())).collect()
    }

    #[test]
    fn the_folder_holds_every_file_and_nothing_else_is_left() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("case");
        folder(&target, &files(&["a.txt", "before/b.txt"])).unwrap();
        assert_eq!(std::fs::read(target.join("before/b.txt")).unwrap(), b"x\n");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_existing_folder_is_not_touched() {
        let place = tempfile::tempdir().unwrap();
        let error = folder(place.path(), &files(&["a.txt"])).unwrap_err();
        assert!(matches!(error, SaveError::Exists(_)), "{error}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_left_of_a_folder_that_could_not_be_written() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("case");
        let error = folder(&target, &files(&["a.txt", "z/../../b.txt"])).unwrap_err();
        assert!(matches!(error, SaveError::Outside(_)), "{error}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
