//! `bondwitness redact`: the same evidence under pseudonyms, as a bundle of its own.

use super::{Helped, verify};
use crate::cli::Redact;
use anyhow::{Context as _, Result};
use bondwitness_core::bundle::{self, Meta, check::Rederived, v1};
use bondwitness_core::redact;
use bondwitness_core::report::printable;
use bondwitness_host::load::{self, Limits};
use bondwitness_host::{random, save};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) fn run(args: &Redact) -> Result<u8> {
    let key = args.sign.as_deref().map(verify::private_key).transpose()?;
    let raw = load::bundle(&args.bundle, &Limits::default())?;
    let check = verify::checked(&raw, None);
    let Some(manifest) = check.manifest.as_ref().filter(|_| check.holds()) else {
        let why = check.faults.first().map_or_else(String::new, |f| format!(": {} {}", f.path, f.kind));
        return Err(Helped::new(
            format!("cannot redact {}: the bundle is not intact{why}", args.bundle.display()),
            format!("see what is wrong with it: bondwitness verify {}", args.bundle.display()),
        )
        .code(verify::DAMAGED)
        .into());
    };
    // All files lie beside the manifest, or the check had failed.
    let root = raw.files.iter().find_map(|f| f.path.strip_suffix(v1::FILE)).unwrap_or_default();
    let files: BTreeMap<String, Vec<u8>> = raw
        .files
        .iter()
        .filter_map(|f| Some((f.path.strip_prefix(root)?.to_owned(), f.bytes.to_vec())))
        .collect();
    let seed = random::octets::<32>().context("cannot read random octets from /dev/urandom")?;
    let version = env!("CARGO_PKG_VERSION");
    let verdict = (!matches!(check.verdict, Rederived::NotStored)).then_some(version);
    let mut redacted = redact::case(&files, &manifest.bonds, verdict, seed);
    redacted.note.manifest.clone_from(&check.manifest_sha256);
    let meta = Meta {
        version,
        created_ns: manifest.created_ns(),
        hostname: &redacted.hostname,
        bonds: &manifest.bonds,
        redaction: Some(&redacted.note),
        key: key.as_ref().map(|k| k as _),
    };
    let packed = bundle::pack(&redacted.files, &meta).map_err(|e| Helped::new(e.to_string(), e.help()))?;
    let map = mapping(&args.output);
    save::file(&args.output, &packed.bytes)?;
    save::file(&map, &redacted.mapping)?;
    super::print(&format!(
        "bundle   {} (manifest sha256 {})\nmapping  {} (keep it: it says what stands for what)\n{}",
        printable(&args.output.display().to_string()),
        packed.manifest_sha256,
        printable(&map.display().to_string()),
        redacted.left_out.iter().fold(String::new(), |t, path| t + &format!(
            "left out {}: neither text nor capture\n",
            printable(path)
        )),
    ))?;
    Ok(0)
}

/// Where the mapping of a bundle is written: beside it.
pub(super) fn mapping(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(".map.json");
    PathBuf::from(name)
}
