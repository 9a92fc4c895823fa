//! The bundle: one `.tar.zst` with all evidence of a case, the verdict, and a manifest with the hash of every member.
//!
//! All is bytes in, bytes out: who writes the file, and where, is `host`'s job. The layout, and how to check a bundle
//! without this program, is on the page `docs/bundle.md`; a bundle's evidence gives the same verdict as the files that it
//! was packed from, byte for byte, because [`judge`] is the only way from files to a verdict.

mod base64;
pub mod check;
pub mod compress;
pub mod sign;
mod tape;
pub mod v1;

use crate::collection::spool;
use crate::diagnose::{self, Input, Report};
use crate::report::{json_v1, text};
use crate::verdict::RULESET;
use std::collections::BTreeMap;
use v1::{Manifest, Member};

/// Columns of the stored `verdict.txt`.
const WIDTH: usize = 100;

/// What a bundle says of itself beside its files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meta<'a> {
    /// Version of the program that packs.
    pub version: &'a str,
    /// When the collection ended, nanoseconds since 1970 on the wall clock: the time of every member.
    pub created_ns: i64,
    /// The name of the host; empty: not told.
    pub hostname: &'a str,
    /// The bonds that the verdict was asked for; empty: all.
    pub bonds: &'a [String],
    /// What was replaced in the files, if anything was.
    pub redaction: Option<&'a v1::Redaction>,
    /// Who signs, if anybody does.
    pub key: Option<&'a dyn sign::Signer>,
}

/// A bundle, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The file.
    pub bytes: Vec<u8>,
    /// The folder in it; with `.tar.zst` behind it a good name for the file.
    pub folder: String,
    /// SHA-256 of the manifest in hex. Whoever keeps it elsewhere can show later that the bundle was not made anew.
    pub manifest_sha256: String,
}

/// Why a bundle cannot be packed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// A path that is not made of plain names, or too long for an archive.
    #[error("cannot pack {0:?}: not a path that an archive can hold")]
    Path(String),
    /// A name that belongs to the manifest or its signature.
    #[error("cannot pack {0:?}: the name is that of the manifest or its signature")]
    Reserved(String),
    /// A file of more than 8 GiB.
    #[error("cannot pack {0:?}: larger than 8 GiB")]
    Large(String),
    /// The compression failed, which it does for want of memory only.
    #[error("cannot compress the bundle: {0}")]
    Encoder(String),
    /// Whoever keeps the key did not sign.
    #[error("cannot sign the bundle: {0}")]
    Sign(String),
}

impl PackError {
    /// What to do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Path(_) | Self::Reserved(_) => "rename the file and pack again",
            Self::Large(_) => "cut the file to the time of the trouble (editcap -A, -B for captures)",
            Self::Sign(_) => {
                "collect again without --sign, and keep the SHA-256 of the manifest where it cannot be changed"
            }
            Self::Encoder(_) => "free some memory, or collect for a shorter time",
        }
    }
}

/// Packs files (by path, as [`crate::collection::Spool::files`] gives them, with [`v1::VERDICT_JSON`] and
/// [`v1::VERDICT_TXT`] if there is a verdict). The same files and `meta` give the same bytes.
///
/// # Errors
///
/// If a path cannot stand in an archive or is that of the manifest, if a file is too large, or if memory ends.
pub fn pack(files: &BTreeMap<String, Vec<u8>>, meta: &Meta<'_>) -> Result<Packed, PackError> {
    let mut manifest = manifest(files, meta)?;
    manifest.signature = meta.key.map(|key| v1::Signature {
        file: v1::SIGNATURE.to_owned(),
        format: sign::FORMAT.to_owned(),
        namespace: sign::NAMESPACE.to_owned(),
        key: key.public().to_openssh(),
    });
    let folder = manifest.folder.clone();
    let bytes = manifest.to_bytes();
    let seconds = u64::try_from(meta.created_ns.div_euclid(1_000_000_000)).unwrap_or(0);
    let mut tape = Vec::new();
    // The manifest first: what is cut off behind it can then be named.
    tape::file(&mut tape, &format!("{folder}/{}", v1::FILE), &bytes, seconds)?;
    if let Some(key) = meta.key {
        let signature = key.sign(&bytes).map_err(PackError::Sign)?;
        tape::file(&mut tape, &format!("{folder}/{}", v1::SIGNATURE), signature.as_bytes(), seconds)?;
    }
    for (path, bytes) in files {
        tape::file(&mut tape, &format!("{folder}/{path}"), bytes, seconds)?;
    }
    tape::end(&mut tape);
    let manifest_sha256 = diagnose::sha256_hex(&bytes);
    Ok(Packed { bytes: compress::compress(&tape)?, folder, manifest_sha256 })
}

/// The manifest of files, not signed.
///
/// # Errors
///
/// As for [`pack`].
pub fn manifest(files: &BTreeMap<String, Vec<u8>>, meta: &Meta<'_>) -> Result<Manifest, PackError> {
    let mut members = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        if !is_plain(path) {
            return Err(PackError::Path(path.clone()));
        }
        if matches!(path.as_str(), v1::FILE | v1::SIGNATURE) {
            return Err(PackError::Reserved(path.clone()));
        }
        members.push(member(path, bytes));
    }
    Ok(Manifest {
        schema: v1::SCHEMA.to_owned(),
        tool: v1::Tool { version: meta.version.to_owned(), ruleset: RULESET.to_owned() },
        created: crate::units::rfc3339(meta.created_ns).unwrap_or_default(),
        folder: folder(meta.hostname, meta.created_ns),
        bonds: meta.bonds.to_vec(),
        members,
        redaction: meta.redaction.cloned(),
        signature: None,
    })
}

/// A member with its hash.
#[must_use]
pub fn member(path: &str, bytes: &[u8]) -> Member {
    Member {
        path: path.to_owned(),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: diagnose::sha256_hex(bytes),
        what: v1::What::of(path),
    }
}

/// `bondwitness-HOST-20261123T212352Z`.
#[must_use]
pub fn folder(hostname: &str, ns: i64) -> String {
    let host: String = hostname.chars().take(64).collect();
    let host = if host.is_empty() { "unknown".to_owned() } else { spool::safe_name(&host) };
    let time: String = crate::units::rfc3339(ns)
        .unwrap_or_default()
        .split('.')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    format!("bondwitness-{host}-{time}Z")
}

/// True for a path of plain names: what [`spool::safe_path`] leaves alone, not absolute, and not deeper than eight.
#[must_use]
pub fn is_plain(path: &str) -> bool {
    !path.is_empty() && spool::safe_path(path) == path && path.split('/').count() <= 8
}

/// The verdict on the files of a case, of which those that are a verdict themselves are no input. `bonds` are the ones that
/// are reported on; empty: all.
#[must_use]
pub fn judge<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>, bonds: &[String]) -> Report {
    let inputs: Vec<Input<'_>> = files
        .into_iter()
        .filter(|(path, _)| !v1::is_reserved(path))
        .map(|(path, bytes)| Input { path, bytes, sha256: Some(diagnose::sha256_hex(bytes)), problem: None })
        .collect();
    let mut report = diagnose::diagnose(&inputs);
    report.needs.sort();
    if !bonds.is_empty() {
        report.keep(|name| bonds.iter().any(|b| b == name));
    }
    report
}

/// `verdict.json` of a report, for [`pack`].
#[must_use]
pub fn verdict_json(report: &Report, version: &str) -> Vec<u8> {
    // A value of serde_json always prints.
    let mut bytes = serde_json::to_vec_pretty(&json_v1::report(report, version)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// `verdict.txt` of a report, for [`pack`].
#[must_use]
pub fn verdict_txt(report: &Report) -> Vec<u8> {
    text::report(report, text::Options { color: false, width: WIDTH, verbose: true }).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_says_where_and_when() {
        assert_eq!(folder("db01", 1_795_469_032_999_999_999), "bondwitness-db01-20261123T212352Z");
        assert_eq!(folder("", 0), "bondwitness-unknown-19700101T000000Z");
        assert_eq!(folder("../\u{1b}x", 0), "bondwitness-..%2F%1Bx-19700101T000000Z");
    }

    #[test]
    fn the_time_is_read_as_it_was_written() {
        for ns in [0, 1_795_469_032_123_000_000, 951_782_400_000_000_000] {
            let meta = Meta { created_ns: ns, ..Meta::default() };
            assert_eq!(manifest(&BTreeMap::new(), &meta).unwrap().created_ns(), ns);
        }
        assert_eq!(Manifest { created: "soon".into(), ..Manifest::default() }.created_ns(), 0);
    }

    #[test]
    fn what_an_archive_must_not_hold_is_refused() {
        for path in ["/etc/passwd", "a/../b", "..", "a//b", "a\nb", "", "a/b/c/d/e/f/g/h/i"] {
            let files = BTreeMap::from([(path.to_owned(), Vec::new())]);
            assert_eq!(pack(&files, &Meta::default()), Err(PackError::Path(path.to_owned())));
        }
        let files = BTreeMap::from([(v1::FILE.to_owned(), Vec::new())]);
        assert!(matches!(pack(&files, &Meta::default()), Err(PackError::Reserved(_))));
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let files = BTreeMap::from([("a.txt".to_owned(), b"x".to_vec()), ("b/c.txt".to_owned(), Vec::new())]);
        let meta =
            Meta { version: "0", hostname: "h", created_ns: 1_795_469_032_000_000_000, ..Meta::default() };
        assert_eq!(pack(&files, &meta), pack(&files.clone(), &meta));
    }
}
