//! What can go wrong: errors that end a load, and problems that one input is listed with.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// Why nothing could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A path does not exist, or it cannot be read and nothing else could.
    #[error("cannot read {}: {}", path.display(), errno_text(source))]
    Read {
        /// The path as given, or the file below it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path is a pipe, socket or device, and nothing else could be read.
    #[error("cannot read {}: it is a {kind}", path.display())]
    Special {
        /// The path as given.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Reading standard input failed.
    #[error("cannot read standard input: {}", errno_text(source))]
    Stdin {
        /// What the system said.
        source: io::Error,
    },
    /// Standard input is larger than may be held in memory.
    #[error("cannot read standard input: it is larger than {limit} bytes")]
    StdinTooLarge {
        /// The limit.
        limit: u64,
    },
}

impl LoadError {
    /// The next step for the person who sees the message.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Read { source, .. } => match source.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => {
                    "check the path: a relative one starts at the current folder"
                }
                ErrorKind::PermissionDenied => {
                    "run this as a user who may read it, or give that user a copy of the file"
                }
                ErrorKind::Interrupted | ErrorKind::ResourceBusy | ErrorKind::WouldBlock => "try again",
                _ => "copy it to a local file system and give the path of the copy",
            },
            Self::Special { .. } => "give a regular file, or `-` with the data on standard input",
            Self::Stdin { .. } => "write the data to a file and give its path",
            Self::StdinTooLarge { .. } => {
                "write the data to a file and give its path: files are mapped, not held in memory"
            }
        }
    }
}

/// Why an input holds less than its name promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The data stops before its format says it may. What came before is there.
    #[error("ends early: {why}")]
    EndsEarly {
        /// What is missing.
        why: String,
    },
    /// The data contradicts its own format or checksum. What came before is there.
    #[error("damaged after {after} bytes: {why}")]
    Damaged {
        /// Good bytes before it: decompressed where the format is a compression, else of the archive.
        after: u64,
        /// What contradicts.
        why: String,
    },
    /// A file of holes. Nothing of it was read.
    #[error("sparse file: {size} bytes, of which {there} are there")]
    Sparse {
        /// Its size.
        size: u64,
        /// The bytes that have storage.
        there: u64,
    },
    /// A file without a size that has more bytes than are read of one. The first ones are there.
    #[error("only the first {limit} bytes were read: it does not tell its size")]
    Cut {
        /// How many were read.
        limit: u64,
    },
    /// Decompression yields out of all proportion. Nothing of the file is there.
    #[error("looks like a decompression bomb: {out} bytes out of {taken}")]
    Bomb {
        /// Bytes out of the decompressor when it was stopped.
        out: u64,
        /// Bytes into it.
        taken: u64,
    },
    /// Decompression would take more memory than allowed. Nothing of the file is there.
    #[error("takes too much memory to unpack: unpack it and give the path of the result")]
    Memory,
    /// A file inside an archive or compression is larger than the limit for one. Nothing of it is there.
    #[error("larger than {limit} bytes when unpacked: unpack it and give the path of the result")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// All inputs together reach the limit. Nothing of this one is there.
    #[error("all inputs together are larger than {limit} bytes when unpacked: give fewer at a time")]
    TooMuch {
        /// The limit.
        limit: u64,
    },
    /// The number of inputs reaches the limit. Neither this one nor any after it was read.
    #[error("more than {limit} {what}: neither this nor anything after it was read")]
    TooMany {
        /// The limit.
        limit: usize,
        /// What was counted.
        what: &'static str,
    },
}

impl Problem {
    /// The problem of an archive that ended inside its member `path`.
    pub(super) fn inside(self, path: &str) -> Self {
        match self {
            Self::EndsEarly { why } => Self::EndsEarly { why: format!("inside {path}: {why}") },
            Self::Damaged { after, why } => Self::Damaged { after, why: format!("inside {path}: {why}") },
            whole => whole,
        }
    }

    /// Whether the bytes before the problem are the true beginning of the file and worth reading.
    pub(super) const fn leaves_a_beginning(&self) -> bool {
        match self {
            Self::EndsEarly { .. } | Self::Damaged { .. } | Self::Cut { .. } => true,
            Self::Sparse { .. }
            | Self::Bomb { .. }
            | Self::Memory
            | Self::TooLarge { .. }
            | Self::TooMuch { .. }
            | Self::TooMany { .. } => false,
        }
    }
}

/// The text of a system error as it stands in our sentences: lower case, without the number.
pub(crate) fn errno_text(error: &io::Error) -> String {
    let text = error.to_string();
    sentence(text.split(" (os error ").next().unwrap_or(&text))
}

/// Foreign text as the end of one of our sentences: lower case unless it starts with a name, no final dot.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), second) if !second.is_some_and(|c| c.is_uppercase() || c.is_ascii_digit()) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_operation_and_object() {
        let error = LoadError::Read { path: "case.tar".into(), source: io::Error::from_raw_os_error(2) };
        assert_eq!(error.to_string(), "cannot read case.tar: no such file or directory");
        assert_eq!(error.help(), "check the path: a relative one starts at the current folder");
        let special = LoadError::Special { path: "/dev/null".into(), kind: "character device" };
        assert_eq!(special.to_string(), "cannot read /dev/null: it is a character device");
    }

    #[test]
    fn foreign_text_becomes_the_end_of_a_sentence() {
        assert_eq!(sentence("Corrupt deflate stream."), "corrupt deflate stream");
        assert_eq!(sentence("XZ stream already failed"), "XZ stream already failed");
        assert_eq!(sentence(""), "");
    }
}
