//! `manifest.json`, schema `bondwitness/manifest/v1`: what a bundle holds, with the hash of every member.
//!
//! Frozen once released: fields are added, never renamed; a reader ignores what it does not know.

use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "bondwitness/manifest/v1";
/// The name of the manifest in the bundle's folder.
pub const FILE: &str = "manifest.json";
/// The name of its signature.
pub const SIGNATURE: &str = "manifest.json.sig";
/// The stored verdict, as `--json` prints it.
pub const VERDICT_JSON: &str = "verdict.json";
/// The stored verdict for readers.
pub const VERDICT_TXT: &str = "verdict.txt";

/// What a bundle holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that packed the bundle.
    pub tool: Tool,
    /// When the collection ended: RFC 3339, UTC.
    pub created: String,
    /// The one folder that all members lie in.
    pub folder: String,
    /// The bonds that the stored verdict was asked for; empty: all.
    #[serde(default)]
    pub bonds: Vec<String>,
    /// Every member but the manifest and its signature, sorted by path.
    pub members: Vec<Member>,
    /// What was replaced before packing; null: nothing.
    #[serde(default)]
    pub redaction: Option<Redaction>,
    /// Who signed the manifest; null: nobody. A manifest that names a signer and has no signature was tampered with.
    #[serde(default)]
    pub signature: Option<Signature>,
}

/// The program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its version.
    pub version: String,
    /// Its ruleset: the same evidence under the same ruleset gives the same verdict.
    pub ruleset: String,
}

/// What a member is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Raw evidence: an input of every diagnosis.
    #[default]
    Evidence,
    /// What no file says of itself (`case.json`, `readings.txt`): an input as well.
    Collection,
    /// A verdict that was made from the evidence: never an input.
    Verdict,
}

impl What {
    /// What the member at `path` is.
    #[must_use]
    pub fn of(path: &str) -> Self {
        match path {
            VERDICT_JSON | VERDICT_TXT => Self::Verdict,
            crate::collection::v1::FILE | crate::collection::spool::READINGS => Self::Collection,
            _ => Self::Evidence,
        }
    }
}

/// One member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its path below the folder, with `/`.
    pub path: String,
    /// Octets.
    pub size: u64,
    /// SHA-256 in hex, lower case.
    pub sha256: String,
    /// What it is.
    pub what: What,
}

/// What was replaced before packing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// In words: what stands for what.
    pub note: String,
    /// How many different values of each kind were replaced: `mac`, `ipv4`, `host-name`, ...
    pub replaced: std::collections::BTreeMap<String, u64>,
    /// Size and hash of each member before: whoever keeps the original can show that it is the same evidence.
    pub originals: Vec<Member>,
    /// Hash of the manifest of the bundle that was redacted, if it was one.
    #[serde(default)]
    pub manifest: Option<String>,
}

/// Who signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The member that holds it: [`SIGNATURE`].
    pub file: String,
    /// `SSHSIG`, as `ssh-keygen -Y verify` reads it.
    pub format: String,
    /// The namespace that it was made for.
    pub namespace: String,
    /// The public key as OpenSSH writes it, without a remark.
    pub key: String,
}

impl Manifest {
    /// Reads a manifest; none if the bytes are no manifest of this schema.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        // A manifest names its members in a line or so each: what is larger than this is none.
        if bytes.len() > 16 * 1024 * 1024 {
            return None;
        }
        let manifest: Self = serde_json::from_slice(bytes).ok()?;
        (manifest.schema == SCHEMA).then_some(manifest)
    }

    /// [`Self::created`] as nanoseconds since 1970; 0 if it is no time.
    #[must_use]
    pub fn created_ns(&self) -> i64 {
        let number = |from: usize, to: usize| self.created.get(from..to).and_then(|d| d.parse::<u32>().ok());
        let small = |from: usize, to: usize| number(from, to).and_then(|n| u8::try_from(n).ok());
        let read = || {
            crate::units::civil_ns(
                i32::try_from(number(0, 4)?).ok()?,
                small(5, 7)?,
                small(8, 10)?,
                small(11, 13)?,
                small(14, 16)?,
                small(17, 19)?,
                number(20, 23).unwrap_or(0).checked_mul(1_000_000)?,
            )
        };
        read().unwrap_or(0)
    }

    /// As it is written.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers only: this cannot fail; an empty manifest would be noticed by whoever reads it.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// True for the names in a bundle's folder that are never evidence.
#[must_use]
pub fn is_reserved(path: &str) -> bool {
    matches!(path, FILE | SIGNATURE | VERDICT_JSON | VERDICT_TXT)
}
