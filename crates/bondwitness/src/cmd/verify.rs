//! `bondwitness verify`: is a bundle what it was, who made it, and is its verdict that of its evidence?

use super::Helped;
use crate::cli::Verify;
use anyhow::{Context as _, Result};
use bondwitness_core::bundle::check::{self, Check, Entry, Found, Rederived, Signature};
use bondwitness_core::bundle::compress::Seal;
use bondwitness_core::bundle::sign::{Key, PublicKey};
use bondwitness_core::report::printable;
use bondwitness_host::load::{self, Limits};
use bondwitness_host::{random, save};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// The exit code of a bundle that does not hold.
pub(super) const DAMAGED: u8 = 4;
/// The schema of what `--json` prints.
const SCHEMA: &str = "bondwitness/verify/v1";
/// Faults that are listed; a bundle that was cut off lacks hundreds.
const LISTED: usize = 40;

pub(super) fn run(args: &Verify) -> Result<u8> {
    if let Some(file) = &args.new_key {
        return new_key(file);
    }
    let Some(bundle) = &args.bundle else { return Ok(2) };
    let key = args.key.as_deref().map(public_key).transpose()?;
    let raw = load::bundle(bundle, &Limits::default())?;
    let check = checked(&raw, key.as_ref());
    let out = if args.json { format!("{:#}\n", value(&check)) } else { text(bundle, &check) };
    super::print(&out)?;
    Ok(if check.holds() { 0 } else { DAMAGED })
}

/// Checks what was loaded of a bundle.
pub(super) fn checked(raw: &load::Raw, key: Option<&PublicKey>) -> Check {
    let problems: Vec<Option<String>> =
        raw.files.iter().map(|f| f.problem.as_ref().map(ToString::to_string)).collect();
    let entries: Vec<Entry<'_>> = raw
        .files
        .iter()
        .zip(&problems)
        .map(|(f, problem)| Entry { path: &f.path, bytes: &f.bytes, problem: problem.as_deref() })
        .collect();
    let refused: Vec<(String, String)> =
        raw.refused.iter().map(|s| (s.path.clone(), s.why.clone())).collect();
    check::check(&Found { entries: &entries, refused: &refused, seal: raw.seal }, key)
}

/// Reads a private key for `--sign`.
pub(super) fn private_key(path: &Path) -> Result<Key> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| {
        Helped::new(
            format!("cannot read the private key {shown}: {}", e.to_string().to_lowercase()),
            "make one with: bondwitness verify --new-key FILE",
        )
    })?;
    Key::read(&text).map_err(|e| Helped::new(format!("cannot sign with {shown}: {e}"), e.help()).into())
}

/// Makes a pair of keys.
fn new_key(file: &Path) -> Result<u8> {
    let seed = random::octets::<32>().context("cannot read random octets from /dev/urandom")?;
    let key = Key::from_seed(&seed);
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    save::file(file, key.to_openssh().as_bytes())?;
    let line = format!("{} bondwitness\n", key.public().to_openssh());
    save::file(Path::new(&name), line.as_bytes())?;
    super::print(&format!(
        "private key  {} (keep it: whoever has it can sign)\npublic key   {}\nfingerprint  {}\n",
        printable(&file.display().to_string()),
        printable(&Path::new(&name).display().to_string()),
        key.public().fingerprint(),
    ))?;
    Ok(0)
}

/// A file, or the line itself.
fn public_key(given: &str) -> Result<PublicKey> {
    let text = if given.trim_start().starts_with("ssh-") {
        given.to_owned()
    } else {
        std::fs::read_to_string(given).map_err(|e| {
            Helped::new(
                format!("cannot read the public key {given}: {}", e.to_string().to_lowercase()),
                "give the .pub file, or its line `ssh-ed25519 AAAA...`",
            )
        })?
    };
    PublicKey::read(&text)
        .map_err(|e| Helped::new(format!("cannot use the public key {given}: {e}"), e.help()).into())
}

fn text(bundle: &Path, check: &Check) -> String {
    let mut t = String::new();
    let name = bundle.display().to_string();
    let made = check.manifest.as_ref().map_or_else(String::new, |m| {
        format!(
            ": {}, made {} by bondwitness {} (ruleset {})",
            m.folder, m.created, m.tool.version, m.tool.ruleset
        )
    });
    row(&mut t, "BUNDLE", &format!("{name}{made}"));
    if let Some(manifest) = &check.manifest {
        row(
            &mut t,
            "MEMBERS",
            &format!("{} of {} as the manifest says", check.intact, manifest.members.len()),
        );
    }
    for fault in check.faults.iter().take(LISTED) {
        row(&mut t, &fault.kind.to_uppercase(), &format!("{}: {}", fault.path, fault.detail));
    }
    if check.faults.len() > LISTED {
        row(&mut t, "", &format!("and {} more", check.faults.len() - LISTED));
    }
    if let Some(hash) = &check.manifest_sha256 {
        row(&mut t, "MANIFEST", &format!("sha256 {hash}"));
    }
    if check.seal == Seal::None && check.manifest.is_some() {
        row(
            &mut t,
            "PACKING",
            "not as it was written: unpacked, or packed again; the members are what counts",
        );
    }
    row(&mut t, "SIGNATURE", &signature(&check.signature));
    if let Some(redaction) = check.manifest.as_ref().and_then(|m| m.redaction.as_ref()) {
        let kinds: Vec<String> = redaction.replaced.iter().map(|(k, n)| format!("{n} {k}")).collect();
        row(&mut t, "REDACTED", &format!("{} ({})", redaction.note, kinds.join(", ")));
    }
    for (head, line) in verdict(&check.verdict) {
        row(&mut t, head, &line);
    }
    row(&mut t, "HOLDS", &check.level());
    t
}

fn row(text: &mut String, head: &str, line: &str) {
    let _ = writeln!(text, "{head:<10} {}", printable(line));
}

fn signature(signature: &Signature) -> String {
    match signature {
        Signature::None => "none".to_owned(),
        Signature::Holds { fingerprint, expected: Some(true), .. } => {
            format!("holds, by the expected key {fingerprint}")
        }
        Signature::Holds { fingerprint, expected: Some(false), .. } => {
            format!("by ANOTHER KEY than the expected one: {fingerprint}")
        }
        Signature::Holds { fingerprint, key, expected: None } => {
            format!("holds, by {fingerprint} ({key})")
        }
        Signature::Broken(why) => format!("DOES NOT HOLD: {why}"),
    }
}

fn verdict(verdict: &Rederived) -> Vec<(&'static str, String)> {
    match verdict {
        Rederived::NotStored => vec![("VERDICT", "none is stored".to_owned())],
        Rederived::NotTried => vec![("VERDICT", "not made anew: the evidence is not intact".to_owned())],
        Rederived::Same => {
            vec![("VERDICT", "made anew from the raw evidence: the same, byte for byte".to_owned())]
        }
        Rederived::Differs { stored, now, file } => vec![
            ("VERDICT", format!("DOES NOT RE-DERIVE: {file} is not what this evidence gives")),
            ("", format!("stored: {stored}")),
            ("", format!("now:    {now}")),
        ],
        Rederived::OtherRuleset { ruleset, stored, now } => vec![
            ("VERDICT", format!("made by another ruleset ({ruleset}); the evidence is what counts")),
            ("", format!("stored: {stored}")),
            ("", format!("now:    {now}")),
        ],
    }
}

fn value(check: &Check) -> Value {
    let signature = match &check.signature {
        Signature::None => json!({"state": "none"}),
        Signature::Holds { key, fingerprint, expected } => {
            json!({"state": "holds", "key": key, "fingerprint": fingerprint, "expected": expected})
        }
        Signature::Broken(why) => json!({"state": "broken", "why": why}),
    };
    let verdict = match &check.verdict {
        Rederived::NotStored => json!({"state": "none"}),
        Rederived::NotTried => json!({"state": "not tried"}),
        Rederived::Same => json!({"state": "same"}),
        Rederived::Differs { stored, now, file } => {
            json!({"state": "differs", "file": file, "stored": stored, "now": now})
        }
        Rederived::OtherRuleset { ruleset, stored, now } => {
            json!({"state": "other ruleset", "ruleset": ruleset, "stored": stored, "now": now})
        }
    };
    let faults: Vec<Value> =
        check.faults.iter().map(|f| json!({"path": f.path, "kind": f.kind, "detail": f.detail})).collect();
    json!({
        "schema": SCHEMA,
        "holds": check.holds(),
        "level": check.level(),
        "folder": check.manifest.as_ref().map(|m| &m.folder),
        "created": check.manifest.as_ref().map(|m| &m.created),
        "tool": check.manifest.as_ref().map(|m| json!({"version": m.tool.version, "ruleset": m.tool.ruleset})),
        "manifest_sha256": check.manifest_sha256,
        "members": {"named": check.manifest.as_ref().map(|m| m.members.len()), "intact": check.intact},
        "faults": faults,
        "sealed": check.seal == Seal::Holds,
        "signature": signature,
        "redacted": check.manifest.as_ref().map(|m| m.redaction.is_some()),
        "verdict": verdict,
    })
}
