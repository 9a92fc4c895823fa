//! `cargo xtask fuzz-seeds`: fills `fuzz/corpus/<target>/`, from where the fuzzer starts.
//!
//! Sources: the committed seeds in `fuzz/seeds/<target>/`, the samples in the unit tests of the parsers, and, where
//! they are present beside the repository, the kernel recordings and the format corpus. The corpus is ignored by
//! git, so nothing that is not ours gets committed.

#[path = "../../crates/core/tests/literals/mod.rs"]
mod literals;

use anyhow::{Context, Result};
use bondwitness_core::capture;
use bondwitness_core::diagnose::sha256_hex;
use bondwitness_core::evidence::{FileId, lines};
use bondwitness_core::parse::{self, FORMATS};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Larger files slow the fuzzer down more than they help it.
const LARGEST: usize = 16 * 1024;
/// Seeds per format: many recordings are nearly the same.
const PER_FORMAT: usize = 12;

/// Runs the verb.
pub(crate) fn run() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let corpus = root.join("fuzz/corpus");
    let mut seeds = Seeds { corpus, counts: BTreeMap::new(), formats: BTreeMap::new() };
    for path in files(&root.join("fuzz/seeds")) {
        let bytes = read(&path)?;
        if let Some(target) = path.parent().and_then(Path::file_name) {
            seeds.add(&target.to_string_lossy(), &bytes)?;
        }
        seeds.file(&path, &bytes)?;
    }
    for path in files(&root.join("crates/core/src/parse")) {
        let source = String::from_utf8(read(&path)?).context("sources are UTF-8")?;
        for sample in literals::samples(&source) {
            seeds.file(Path::new("sample.txt"), sample.as_bytes())?;
            seeds.add("state", sample.as_bytes())?;
        }
    }
    for place in ["../shared/kernel-recordings", "../shared/corpus/formats"] {
        let found = files(&root.join(place));
        if found.is_empty() {
            println!("skipped: {place} absent");
        }
        for path in found {
            seeds.file(&path, &read(&path)?)?;
        }
    }
    for (target, n) in seeds.counts {
        println!("{n:6} seeds  {target}");
    }
    Ok(())
}

struct Seeds {
    corpus: PathBuf,
    counts: BTreeMap<String, usize>,
    formats: BTreeMap<usize, usize>,
}

impl Seeds {
    /// A file of evidence, to every target that reads such.
    fn file(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        if let Some(head) = capture::format_id(bytes).and_then(|_| bytes.get(..bytes.len().min(2048))) {
            // The first byte of the input chooses the head: 7 stands for none.
            self.add("capture", &[&[7], head].concat())?;
            return self.add("diagnose", &[b"host-eth0.pcap\n", head].concat());
        }
        let bytes = bytes.get(..LARGEST).unwrap_or(bytes);
        if !lines::looks_like_text(bytes) {
            return Ok(());
        }
        let mut fresh = false;
        for id in parse::parse_text(FileId(0), &path.to_string_lossy(), bytes).recognised {
            let Some(at) = FORMATS.iter().position(|f| f.id == id) else { continue };
            let n = self.formats.entry(at).or_default();
            *n += 1;
            if *n <= PER_FORMAT {
                fresh = true;
                let first = u8::try_from(at).context("the target chooses by one byte")?;
                self.add("formats", &[&[first], bytes].concat())?;
            }
        }
        if fresh {
            self.add("text", bytes)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            self.add("diagnose", &[format!("host/{name}\n").as_bytes(), bytes].concat())?;
        }
        Ok(())
    }

    fn add(&mut self, target: &str, bytes: &[u8]) -> Result<()> {
        let folder = self.corpus.join(target);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let name: String = sha256_hex(bytes).chars().take(16).collect();
        let path = folder.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        *self.counts.entry(target.to_owned()).or_default() += 1;
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The files below a folder, sorted; none if it is absent.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}
