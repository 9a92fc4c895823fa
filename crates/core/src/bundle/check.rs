//! Is a bundle what it was when it was packed? Every hash, the signature, and the verdict made anew.
//!
//! A hash in a manifest shows that a file was not changed since the manifest was made; a signature shows who made the
//! manifest. Neither shows when, nor that the host told the truth: [`Check::level`] says in words what holds.

use super::sign::{PublicKey, verify};
use super::v1::{self, Manifest};
use super::{compress::Seal, is_plain, judge, verdict_json, verdict_txt};
use crate::diagnose::sha256_hex;
use crate::verdict::RULESET;
use std::collections::BTreeMap;

/// A file of a bundle as it was found.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its path, with the bundle's folder.
    pub path: &'a str,
    /// Its bytes, as far as they could be read.
    pub bytes: &'a [u8],
    /// What was wrong when it was read.
    pub problem: Option<&'a str>,
}

/// All that was found of a bundle.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The files, twice if they stand there twice.
    pub entries: &'a [Entry<'a>],
    /// What was found and not read (links, devices, paths that leave the folder), with the reason.
    pub refused: &'a [(String, String)],
    /// The seal of the compressed file; none for a folder or a plain archive.
    pub seal: Seal,
}

/// What is wrong with one member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The member.
    pub path: String,
    /// `changed`, `missing`, `extra`, `twice`, `refused`, `damaged`, `tampered`.
    pub kind: &'static str,
    /// What was expected and found.
    pub detail: String,
}

/// The state of the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// The manifest is not signed, and does not say that it is.
    None,
    /// It holds.
    Holds {
        /// The key, as OpenSSH writes it.
        key: String,
        /// `SHA256:...`, as `ssh-keygen -l` shows it.
        fingerprint: String,
        /// Whether it is the key that was expected; none: none was.
        expected: Option<bool>,
    },
    /// It does not hold, is missing, or cannot be read.
    Broken(String),
}

/// What came of making the verdict anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rederived {
    /// No verdict is stored.
    NotStored,
    /// The evidence is damaged: a verdict on it would mean nothing.
    NotTried,
    /// The same bytes.
    Same,
    /// Others under the same ruleset: the stored verdict is not that of this evidence.
    Differs {
        /// The stored verdict in brief.
        stored: String,
        /// The verdict on this evidence in brief.
        now: String,
        /// Which stored file differs.
        file: &'static str,
    },
    /// Another ruleset made the stored verdict: that its words differ says nothing about the bundle.
    OtherRuleset {
        /// The ruleset that made it.
        ruleset: String,
        /// The stored verdict in brief.
        stored: String,
        /// The verdict under this ruleset in brief.
        now: String,
    },
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The manifest, if it can be read.
    pub manifest: Option<Manifest>,
    /// SHA-256 of the manifest's bytes in hex.
    pub manifest_sha256: Option<String>,
    /// What is wrong, by member.
    pub faults: Vec<Fault>,
    /// Members whose hash holds.
    pub intact: usize,
    /// Whether the packing itself is as it was written.
    pub seal: Seal,
    /// The signature.
    pub signature: Signature,
    /// The verdict.
    pub verdict: Rederived,
}

impl Check {
    /// True if nothing speaks against the bundle.
    #[must_use]
    pub fn holds(&self) -> bool {
        let signature = match &self.signature {
            Signature::None => true,
            Signature::Holds { expected, .. } => *expected != Some(false),
            Signature::Broken(_) => false,
        };
        self.faults.is_empty() && signature && !matches!(self.verdict, Rederived::Differs { .. })
    }

    /// What holds, and what that does not show, in words.
    #[must_use]
    pub fn level(&self) -> String {
        if !self.holds() {
            return "not intact: do not rely on this bundle".to_owned();
        }
        match &self.signature {
            Signature::Holds { fingerprint, expected: Some(true), .. } => format!(
                "intact, and signed by the key that was expected ({fingerprint}): whoever holds that key made this \
                 manifest. This does not show when, nor that the host told the truth"
            ),
            Signature::Holds { fingerprint, .. } => format!(
                "intact, and signed by {fingerprint}, which nobody has vouched for here: whoever holds that key made \
                 this manifest; compare the key with --key. This does not show when, nor that the host told the truth"
            ),
            _ => "intact, not signed: no file was changed since the manifest was made. This does not show who made \
                  it, nor when: whoever can write the bundle can make another manifest"
                .to_owned(),
        }
    }
}

/// Checks a bundle. `expected` is the key that must have signed it, if one must.
#[must_use]
pub fn check(found: &Found<'_>, expected: Option<&PublicKey>) -> Check {
    let mut faults = Vec::new();
    let root = match root(found.entries) {
        Ok(root) => root,
        Err(detail) => {
            faults.push(Fault { path: v1::FILE.to_owned(), kind: "missing", detail });
            list_refused(found, "", &mut faults);
            return nothing(faults, found.seal, None);
        }
    };
    let mut files: BTreeMap<&str, Entry<'_>> = BTreeMap::new();
    for entry in found.entries {
        let Some(path) = entry.path.strip_prefix(root.as_str()) else {
            faults.push(match entry.problem {
                Some(problem) => fault(entry.path, "damaged", problem),
                None => fault(entry.path, "extra", "outside the bundle's folder"),
            });
            continue;
        };
        if let Some(before) = files.insert(path, *entry) {
            // The first one stays, as it does for whoever unpacks with a tool that keeps what is there.
            files.insert(path, before);
            faults.push(fault(path, "twice", "the archive holds two files of this name"));
        }
    }
    list_refused(found, &root, &mut faults);
    let bytes = files.get(v1::FILE).map_or(&[][..], |e| e.bytes);
    let manifest_sha256 = Some(sha256_hex(bytes));
    let Some(manifest) = Manifest::read(bytes) else {
        faults.push(fault(v1::FILE, "damaged", "not a manifest of schema bondwitness/manifest/v1"));
        return nothing(faults, found.seal, manifest_sha256);
    };
    let mut intact = 0;
    let mut named: BTreeMap<&str, ()> = BTreeMap::new();
    for member in &manifest.members {
        if !is_plain(&member.path) || matches!(member.path.as_str(), v1::FILE | v1::SIGNATURE) {
            faults.push(fault(&member.path, "refused", "the manifest names a path that no bundle holds"));
            continue;
        }
        if member.what != v1::What::of(&member.path) {
            faults.push(fault(&member.path, "refused", "the manifest calls it what it is not"));
        }
        if named.insert(&member.path, ()).is_some() {
            faults.push(fault(&member.path, "twice", "the manifest names it twice"));
            continue;
        }
        match files.get(member.path.as_str()) {
            None => faults.push(fault(&member.path, "missing", "the manifest names it")),
            Some(entry) => match changed(entry, member) {
                None => intact += 1,
                Some(f) => faults.push(f),
            },
        }
    }
    let signed = manifest.signature.is_some();
    for path in files.keys() {
        let known = named.contains_key(path) || *path == v1::FILE || (*path == v1::SIGNATURE && signed);
        if !known {
            faults.push(fault(path, "extra", "the manifest does not name it"));
        }
    }
    if !root.is_empty() && root.trim_end_matches('/') != manifest.folder && found.seal == Seal::Holds {
        faults.push(fault(v1::FILE, "tampered", "the manifest names another folder than the archive"));
    }
    let signature = signature(&manifest, bytes, files.get(v1::SIGNATURE), expected);
    if found.seal == Seal::Broken && faults.is_empty() {
        faults.push(fault(
            "the archive itself",
            "damaged",
            "the seal of the compressed file does not hold; every member that the manifest names is as it was",
        ));
    }
    faults.sort();
    let verdict = if faults.is_empty() { rederive(&manifest, &files) } else { Rederived::NotTried };
    Check { manifest: Some(manifest), manifest_sha256, faults, intact, seal: found.seal, signature, verdict }
}

fn fault(path: &str, kind: &'static str, detail: impl Into<String>) -> Fault {
    Fault { path: path.to_owned(), kind, detail: detail.into() }
}

fn nothing(mut faults: Vec<Fault>, seal: Seal, manifest_sha256: Option<String>) -> Check {
    faults.sort();
    Check {
        manifest: None,
        manifest_sha256,
        faults,
        intact: 0,
        seal,
        signature: Signature::None,
        verdict: Rederived::NotTried,
    }
}

fn list_refused(found: &Found<'_>, root: &str, faults: &mut Vec<Fault>) {
    for (path, why) in found.refused {
        let path = path.strip_prefix(root).unwrap_or(path);
        faults.push(fault(path, "refused", why.clone()));
    }
}

/// What stands before the members' paths: nothing, or one folder with `/`.
fn root(entries: &[Entry<'_>]) -> Result<String, String> {
    let mut roots: Vec<&str> = entries
        .iter()
        .filter_map(|e| e.path.strip_suffix(v1::FILE))
        .filter(|r| r.is_empty() || (r.ends_with('/') && r.matches('/').count() == 1))
        .collect();
    roots.sort_unstable();
    roots.dedup();
    match roots.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] if entries.is_empty() => Err("nothing could be read".to_owned()),
        [] => Err("there is no manifest: this is no bundle, or its beginning is gone".to_owned()),
        _ => Err("there are several bundles: verify one at a time".to_owned()),
    }
}

fn changed(entry: &Entry<'_>, member: &v1::Member) -> Option<Fault> {
    let size = u64::try_from(entry.bytes.len()).unwrap_or(u64::MAX);
    let detail = if size != member.size {
        format!("{size} octets instead of {}", member.size)
    } else if sha256_hex(entry.bytes) != member.sha256 {
        "another SHA-256 than in the manifest".to_owned()
    } else {
        return None;
    };
    Some(match entry.problem {
        Some(problem) => fault(&member.path, "damaged", format!("{detail}; {problem}")),
        None => fault(&member.path, "changed", detail),
    })
}

fn signature(
    manifest: &Manifest,
    bytes: &[u8],
    file: Option<&Entry<'_>>,
    expected: Option<&PublicKey>,
) -> Signature {
    let Some(said) = &manifest.signature else {
        return match expected {
            Some(_) => Signature::Broken("a signature was expected, and the manifest has none".to_owned()),
            None => Signature::None,
        };
    };
    let Some(file) = file else {
        return Signature::Broken(format!(
            "the manifest says that it is signed, and {} is missing",
            v1::SIGNATURE
        ));
    };
    let key = match verify(file.bytes, bytes) {
        Ok(key) => key,
        Err(e) => return Signature::Broken(e.to_string()),
    };
    if key.to_openssh() != said.key {
        return Signature::Broken("signed by another key than the manifest says".to_owned());
    }
    Signature::Holds {
        fingerprint: key.fingerprint(),
        expected: expected.map(|e| *e == key),
        key: key.to_openssh(),
    }
}

/// Makes the verdict anew, from what the manifest names as evidence.
fn rederive(manifest: &Manifest, files: &BTreeMap<&str, Entry<'_>>) -> Rederived {
    let Some(stored) = files.get(v1::VERDICT_JSON) else { return Rederived::NotStored };
    let value: serde_json::Value = serde_json::from_slice(stored.bytes).unwrap_or_default();
    let tool = |key: &str| value.get("tool")?.get(key)?.as_str();
    let inputs = files.iter().filter(|(path, _)| !v1::is_reserved(path)).map(|(path, e)| (*path, e.bytes));
    let report = judge(inputs, &manifest.bonds);
    let now = verdict_json(&report, tool("version").unwrap_or_default());
    let of_now = || brief(&serde_json::from_slice(&now).unwrap_or_default());
    if let Some(ruleset) = tool("ruleset").filter(|r| *r != RULESET) {
        return Rederived::OtherRuleset { ruleset: ruleset.to_owned(), stored: brief(&value), now: of_now() };
    }
    if now != stored.bytes {
        return Rederived::Differs { stored: brief(&value), now: of_now(), file: v1::VERDICT_JSON };
    }
    // Another version may put the same verdict into other words.
    let own = manifest.tool.version == env!("CARGO_PKG_VERSION");
    if own && files.get(v1::VERDICT_TXT).is_some_and(|t| t.bytes != verdict_txt(&report)) {
        return Rederived::Differs { stored: brief(&value), now: of_now(), file: v1::VERDICT_TXT };
    }
    Rederived::Same
}

/// `switch-control-plane (switch), proven: one sentence`.
fn brief(verdict: &serde_json::Value) -> String {
    let word = |key: &str| {
        verdict.get("verdict").and_then(|v| v.get(key)).and_then(|v| v.as_str()).unwrap_or("?").to_owned()
    };
    format!("{} ({}), {}: {}", word("fault_domain"), word("side"), word("grade"), word("summary"))
}
