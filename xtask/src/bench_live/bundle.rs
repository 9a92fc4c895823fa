//! How large bundles are, how long they take to write, and what is in them.

use super::goal;
use crate::vm::bench::Answers;
use anyhow::{Context, Result};
use bondwitness_core::bundle::{self, Meta};
use bondwitness_core::collection::v1;
use bondwitness_host::collect;
use bondwitness_host::load::{self, Limits};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Octets that a bundle of a minute may have.
const MOST: f64 = 300.0 * 1024.0;

/// The bundles of a minute.
pub(super) fn sizes(answers: &Answers) -> Result<u32> {
    let mut missed = 0;
    for row in &answers.rows {
        let kib = row.numbers.get("octets").copied().unwrap_or(0) as f64 / 1024.0;
        missed += goal(&format!("{} members, 60 s", row.of), kib, "KiB", "at most 300", kib * 1024.0 <= MOST);
        println!(
            "{:<58} {:>10.2} ms   (instructions: start, two snapshots, bundle)",
            "all but the window",
            (row.wall_ns - 60_000_000_000) as f64 / 1e6
        );
        let files = files(&answers.folder.join(format!("minute-{}.tar.zst", row.of)))?;
        missed += packed("the same files packed on this machine", &files)?;
        for moving in [25, 250, 1000] {
            let files = with_counters(&files, 2500, moving)?;
            missed += packed(&format!("two drivers of 2,500 counters, {moving} of which move"), &files)?;
        }
    }
    Ok(missed)
}

/// Packs files on this machine; the best of five.
fn packed(what: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<u32> {
    let (mut best, mut octets) = (f64::MAX, 0);
    for _ in 0..5 {
        let begun = Instant::now();
        octets = bundle::pack(files, &Meta::default()).context("cannot pack")?.bytes.len();
        best = best.min(begun.elapsed().as_secs_f64() * 1e3);
    }
    let raw: usize = files.values().map(Vec::len).sum();
    println!("{what}: {} KiB of files", raw / 1024);
    let octets = octets as f64;
    let missed = goal("  bundle", octets / 1024.0, "KiB", "at most 300", octets <= MOST);
    Ok(missed + goal("  packed in", best, "ms", "at most 100", best <= 100.0))
}

/// The files of a bundle.
fn files(path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let loaded = load::load(&[path.to_owned()], &Limits::default())
        .with_context(|| format!("cannot load {}", path.display()))?;
    let case = loaded.inputs.iter().find_map(|i| i.path.strip_suffix(v1::FILE)).context("no case.json")?;
    let folder = case.to_owned();
    // Without the folder that the archive has, and without what packing makes anew.
    let plain = loaded
        .inputs
        .into_iter()
        .map(|i| (i.path.strip_prefix(&folder).unwrap_or(&i.path).to_owned(), i.bytes.to_vec()));
    Ok(plain.filter(|(p, _)| !bundle::v1::is_reserved(p)).collect())
}

/// The same files, where each `ethtool -S` shows so many counters, some of which move by some random amount each second.
/// Readings that the collector would not have made of such a driver are left out.
fn with_counters(
    files: &BTreeMap<String, Vec<u8>>,
    counters: usize,
    moving: usize,
) -> Result<BTreeMap<String, Vec<u8>>> {
    const FILE: &str = "state/ethtool-S.txt";
    let old = files.get(FILE).with_context(|| format!("the bundle has no {FILE}"))?;
    let old = String::from_utf8_lossy(old);
    let mut values: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let (mut new, mut state) = (String::new(), 0x9e37_79b9_7f4a_7c15_u64);
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let interval = usize::try_from(collect::interval(counters).as_secs())?.max(1);
    let (mut time, mut seen) = ("", BTreeMap::<String, usize>::new());
    let last = old.lines().filter(|l| l.starts_with("@@ ")).count() / 2;
    for line in old.lines() {
        if line.starts_with("@@ ") {
            time = line;
        }
        if let Some(source) = line.strip_prefix("==> ") {
            let n = seen.entry(source.to_owned()).or_default();
            *n += 1;
            // The first, the last, and every so many in between.
            let kept = (*n - 1) % interval == 0 || *n >= last;
            if kept {
                let _ = writeln!(new, "{time}\n{line}\nNIC statistics:");
            }
            let all = values
                .entry(source.to_owned())
                .or_insert_with(|| (0..counters).map(|_| random(1 << 40)).collect());
            for (i, value) in all.iter_mut().enumerate() {
                // Spread over the list, as queues are.
                if i * moving / counters != (i + 1) * moving / counters {
                    *value += 1 + random(10_000);
                }
                if kept {
                    let _ = writeln!(new, "     rx_queue_{}_counter_{}: {value}", i / 20, i % 20);
                }
            }
        }
    }
    let mut files = files.clone();
    files.insert(FILE.to_owned(), new.into_bytes());
    Ok(files)
}

/// Shows what speaks of the bond in our bundle and in the other's archive.
pub(super) fn evidence(answers: &Answers) -> Result<()> {
    let mut paths: Vec<PathBuf> = fs::read_dir(&answers.folder)?.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_file() && path.to_string_lossy().ends_with("-1.tar.zst") {
            let files = files(&path)?;
            let names: Vec<&str> = files.keys().map(String::as_str).collect();
            println!("  ours, {} files: {}", names.len(), names.join(", "));
        }
        if path.is_dir() {
            let loaded = load::load(std::slice::from_ref(&path), &Limits::default())
                .context("cannot load sos' archive")?;
            let (mut files, mut speaking) = (0, Vec::new());
            for input in &loaded.inputs {
                files += 1;
                let text = String::from_utf8_lossy(&input.bytes);
                if text.contains("bond0") || text.contains("eno1") {
                    speaking.push(input.path.rsplit('/').next().unwrap_or_default().to_owned());
                }
            }
            let some: Vec<&str> = speaking.iter().take(24).map(String::as_str).collect();
            println!(
                "  sos, {files} files, {} name the bond or its first member: {}",
                speaking.len(),
                some.join(", ")
            );
        }
    }
    Ok(())
}
