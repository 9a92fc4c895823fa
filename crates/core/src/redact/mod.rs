//! Redaction: the same evidence under pseudonyms, so that it can be given away.
//!
//! Names of hosts and users, addresses and secrets are replaced by pseudonyms of a random key, the same one for the same
//! value in every file and spelling; the vendor's half of MAC addresses, interfaces, ports of switches, times and counters
//! stay, and so does the verdict. What is neither text nor a capture cannot be looked into and is left out. What stands for
//! what is written into a mapping that stays with the owner.
//!
//! A name is only replaced where it is known to be one: from `hostname` and its like, prompts, logs, paths, domain names.

mod frames;
mod mapper;
mod netlink;
mod secrets;
mod text;

pub use mapper::Mapper;

use crate::bundle::{self, v1};
use crate::case::far_end_hint;
use crate::evidence::{FileId, What, lines};
use crate::{capture, collection, parse};
use std::collections::BTreeMap;

/// What came of it.
#[derive(Debug)]
pub struct Redacted {
    /// The files under pseudonyms, without the ones that could not be looked into and without a stored verdict.
    pub files: BTreeMap<String, Vec<u8>>,
    /// For the manifest: what was replaced, and the hashes before.
    pub note: v1::Redaction,
    /// Files that were left out.
    pub left_out: Vec<String>,
    /// The mapping: JSON with the key and every value, for the owner alone.
    pub mapping: Vec<u8>,
}

/// A case under pseudonyms, with its verdict made anew.
#[derive(Debug)]
pub struct Case {
    /// The files, with the verdict if one was asked for.
    pub files: BTreeMap<String, Vec<u8>>,
    /// [`Redacted::note`].
    pub note: v1::Redaction,
    /// [`Redacted::left_out`].
    pub left_out: Vec<String>,
    /// [`Redacted::mapping`].
    pub mapping: Vec<u8>,
    /// What the host is called now.
    pub hostname: String,
}

/// Puts the files of a case under pseudonyms: [`redact`], and the verdict that the new files give, if `verdict` names
/// the version of the program that is to say so. `bonds` are the ones that the verdict is asked for; empty: all.
#[must_use]
pub fn case(
    files: &BTreeMap<String, Vec<u8>>,
    bonds: &[String],
    verdict: Option<&str>,
    key: [u8; 32],
) -> Case {
    let Redacted { mut files, note, left_out, mapping } = redact(files, key);
    if let Some(version) = verdict {
        let report = bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), bonds);
        files.insert(v1::VERDICT_JSON.to_owned(), bundle::verdict_json(&report, version));
        files.insert(v1::VERDICT_TXT.to_owned(), bundle::verdict_txt(&report));
    }
    let hostname = files
        .get(collection::v1::FILE)
        .and_then(|bytes| serde_json::from_slice::<collection::v1::Collection>(bytes).ok())
        .map_or_else(|| "redacted".to_owned(), |c| c.host.hostname);
    Case { files, note, left_out, mapping, hostname }
}

/// Replaces what is to be replaced in the files of a case. `key` must be random: who knows it can test guesses.
#[must_use]
pub fn redact(files: &BTreeMap<String, Vec<u8>>, key: [u8; 32]) -> Redacted {
    let mut mapper = Mapper::new(key);
    let evidence: Vec<(&String, &Vec<u8>)> = files.iter().filter(|(p, _)| !v1::is_reserved(p)).collect();
    for (path, bytes) in &evidence {
        learn(path, bytes, &mut mapper);
    }
    // Once to meet every value, once to replace it: an address that a file spells doubtfully is known from another.
    let mut out = BTreeMap::new();
    let mut left_out = Vec::new();
    for last in [false, true] {
        for (path, bytes) in &evidence {
            let new = one(bytes, &mut mapper);
            if last {
                match new {
                    Some(new) => {
                        out.insert(rename(path, &out, &mut mapper), new);
                    }
                    None => left_out.push(text::redact(path, &mut mapper)),
                }
            }
        }
    }
    let originals = evidence
        .iter()
        .map(|(path, bytes)| v1::Member {
            path: text::redact(path, &mut mapper),
            ..bundle::member(path, bytes)
        })
        .collect();
    let mut words = "MAC addresses keep the vendor's half, IP addresses their networks' relations; names, addresses and \
                     secrets are pseudonyms of a random key; interfaces, ports, times and counters are as they were"
        .to_owned();
    if !left_out.is_empty() {
        words = format!("{words}; left out, being neither text nor capture: {}", left_out.join(", "));
    }
    Redacted {
        files: out,
        note: v1::Redaction { note: words, replaced: mapper.counts(), originals, manifest: None },
        left_out,
        mapping: mapper.mapping(),
    }
}

/// The host's name under its pseudonym, for the name of the bundle.
#[must_use]
pub fn hostname(name: &str, key: [u8; 32]) -> String {
    let mut mapper = Mapper::new(key);
    mapper.learn(mapper::Kind::Host, name);
    mapper.names().into_iter().next().map_or_else(|| "host".to_owned(), |(_, to)| to)
}

/// Takes note of the names that a file gives.
fn learn(path: &str, bytes: &[u8], mapper: &mut Mapper) {
    if capture::is_capture(bytes) || !lines::looks_like_text(bytes) {
        return;
    }
    if let Some((_, Some(collection))) = collection::facts::read(FileId(0), bytes) {
        mapper.learn(mapper::Kind::Host, &collection.host.hostname);
    }
    let text = decode(bytes);
    secrets::learn(&text, mapper);
    for record in parse::parse_text(FileId(0), path, bytes).records {
        match record.what {
            What::Kernel(line) => {
                if let Some(host) = line.host {
                    mapper.learn(mapper::Kind::Host, &host);
                }
            }
            What::Fields(fields) => {
                if let Some(host) = crate::hosts::name_in(&fields) {
                    mapper.learn(mapper::Kind::Host, host);
                }
            }
            _ => {}
        }
    }
}

fn one(bytes: &[u8], mapper: &mut Mapper) -> Option<Vec<u8>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    if let Some(new) = frames::redact(bytes, mapper) {
        return Some(new);
    }
    lines::looks_like_text(bytes).then(|| text::redact(&decode(bytes), mapper).into_bytes())
}

/// Text of any encoding as UTF-8.
fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let encoding =
                encoding_rs::Encoding::for_bom(bytes).map_or(encoding_rs::WINDOWS_1252, |(e, _)| e);
            encoding.decode(bytes).0.into_owned()
        }
    }
}

/// The path of a file under pseudonyms. What it says of the end that it comes from stays said.
fn rename(path: &str, taken: &BTreeMap<String, Vec<u8>>, mapper: &mut Mapper) -> String {
    let mut new = collection::spool::safe_path(&text::redact(path, mapper));
    if far_end_hint(path) != far_end_hint(&new) {
        new = format!("switch/{new}");
    }
    let plain = new.clone();
    for n in 2_u32.. {
        if !taken.contains_key(&new) {
            break;
        }
        new = format!("{n}-{plain}");
    }
    new
}
