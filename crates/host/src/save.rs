//! Writing a folder of files, or one file: all of it, or nothing.

use crate::load::errno_text;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Why a folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is something at this place already.
    #[error("cannot write {}: it exists already", .0.display())]
    Exists(PathBuf),
    /// A path of a file would leave the folder.
    #[error("cannot write {0}: the path leaves the folder")]
    Outside(String),
    /// The system refused.
    #[error("cannot {what} {}: {}", path.display(), errno_text(source))]
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
    pub fn help(&self) -> &'static str {
        match self {
            Self::Exists(_) => "name one that does not exist yet, or remove that one",
            Self::Outside(_) => "this is a defect of the program; please report it",
            Self::System { source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    "free some space, name a place on another file system, or write to standard output (-o -) \
                     and store it elsewhere"
                }
                ErrorKind::ReadOnlyFilesystem => {
                    "name a place on another file system (/run, /dev/shm), or write to standard output (-o -)"
                }
                ErrorKind::PermissionDenied => {
                    "name a place that this user may write to, or run as another one"
                }
                ErrorKind::NotFound | ErrorKind::NotADirectory => {
                    "make the folder first, or name another one"
                }
                _ => "check the permissions and the free space of the place, or name another one",
            },
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

/// Writes `bytes` as the new file `path`, readable by its owner only. It appears under this name when it is written and
/// flushed, so that a process that is killed leaves the whole file or none; until then it stands beside it under a name
/// that ends in `.partial`, which is removed if anything fails.
///
/// # Errors
///
/// If there is something at `path`, or the system refuses.
pub fn file(path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
    let system = |what, at: &Path| {
        let at = at.to_owned();
        move |source| SaveError::System { what, path: at, source }
    };
    if path.symlink_metadata().is_ok() {
        return Err(SaveError::Exists(path.to_owned()));
    }
    let Some(name) = path.file_name() else {
        return Err(SaveError::Exists(path.to_owned()));
    };
    let partial = path.with_file_name(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
    // Of a process with the same number that was killed here; nobody else may write into it meanwhile.
    let _ = std::fs::remove_file(&partial);
    let written = write_new(&partial, bytes).map_err(system("write", path)).and_then(|()| {
        appear(&partial, path).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => SaveError::Exists(path.to_owned()),
            _ => system("create", path)(source),
        })
    });
    if written.is_err() {
        // What is left behind is of no use; if it cannot be removed either, the first error says more.
        let _ = std::fs::remove_file(&partial);
    }
    written?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Some file systems cannot flush a folder; the file itself is flushed.
    let _ = File::open(folder).and_then(|f| f.sync_all());
    Ok(())
}

/// Finds out whether [`file()`] will be able to write at `path`, before minutes are spent on what is to be written there.
/// Nothing is left behind.
///
/// # Errors
///
/// As for [`file()`].
pub fn may_be_written(path: &Path) -> Result<(), SaveError> {
    if path.symlink_metadata().is_ok() || path.file_name().is_none() {
        return Err(SaveError::Exists(path.to_owned()));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let trial = path.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    let _ = std::fs::remove_file(&trial);
    let result = write_new(&trial, b"");
    let _ = std::fs::remove_file(&trial);
    result.map_err(|source| SaveError::System { what: "write", path: path.to_owned(), source })
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives `partial` its final name, unless something has that name by now.
fn appear(partial: &Path, path: &Path) -> io::Result<()> {
    match std::fs::hard_link(partial, path) {
        Ok(()) => std::fs::remove_file(partial),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(e),
        // A file system without hard links.
        Err(_) => std::fs::rename(partial, path),
    }
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
    fn a_file_is_whole_private_and_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("case.tar.zst");
        file(&target, b"bundle").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"bundle");
        assert_eq!(target.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
        let error = file(&target, b"other").unwrap_err();
        assert!(matches!(error, SaveError::Exists(_)), "{error}");
        assert_eq!(std::fs::read(&target).unwrap(), b"bundle");
        let error = file(&place.path().join("none/case"), b"x").unwrap_err();
        assert!(error.to_string().ends_with("no such file or directory"), "{error}");
        assert!(error.help().starts_with("make the folder"), "{}", error.help());
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
