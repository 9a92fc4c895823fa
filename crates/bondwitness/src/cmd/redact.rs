//! `bondwitness redact`: the same evidence under pseudonyms, as a bundle of its own.

use super::{Helped, verify};
use crate::cli::Redact;
use anyhow::{Context as _, Result};
use bondwitness_core::bundle::{self, Meta, check::Rederived, v1};
use bondwitness_core::collection::v1::{Collection, FILE};
use bondwitness_core::redact;
use bondwitness_core::report::printable;
use bondwitness_host::load::{self, Limits};
use bondwitness_host::{random, save};
use std::collections::BTreeMap;
use std::path::Path;

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
    let mut redacted = redact::redact(&files, seed);
    redacted.note.manifest.clone_from(&check.manifest_sha256);
    let version = env!("CARGO_PKG_VERSION");
    let mut files = redacted.files;
    if !matches!(check.verdict, Rederived::NotStored) {
        let report = bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &manifest.bonds);
        files.insert(v1::VERDICT_JSON.to_owned(), bundle::verdict_json(&report, version));
        files.insert(v1::VERDICT_TXT.to_owned(), bundle::verdict_txt(&report));
    }
    let hostname = files
        .get(FILE)
        .and_then(|bytes| serde_json::from_slice::<Collection>(bytes).ok())
        .map_or_else(|| "redacted".to_owned(), |c| c.host.hostname);
    let meta = Meta {
        version,
        created_ns: manifest.created_ns(),
        hostname: &hostname,
        bonds: &manifest.bonds,
        redaction: Some(&redacted.note),
        key: key.as_ref(),
    };
    let packed = bundle::pack(&files, &meta).map_err(|e| Helped::new(e.to_string(), e.help()))?;
    let mut map = args.output.as_os_str().to_owned();
    map.push(".map.json");
    save::file(&args.output, &packed.bytes)?;
    save::file(Path::new(&map), &redacted.mapping)?;
    super::print(&format!(
        "bundle   {} (manifest sha256 {})\nmapping  {} (keep it: it says what stands for what)\n{}",
        printable(&args.output.display().to_string()),
        packed.manifest_sha256,
        printable(&Path::new(&map).display().to_string()),
        redacted.left_out.iter().fold(String::new(), |t, path| t + &format!(
            "left out {}: neither text nor capture\n",
            printable(path)
        )),
    ))?;
    Ok(0)
}
