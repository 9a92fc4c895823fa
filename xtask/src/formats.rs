//! `cargo xtask formats [-v] [PATH...]`: how much of each text file is typed, per folder.
//!
//! Without a path it reads the format corpus in `../shared`. `-v` lists every line that was not typed.

use anyhow::{Context, Result};
use bondwitness_core::evidence::{FileId, Place};
use bondwitness_core::parse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let verbose = args.iter().any(|a| a == "-v");
    let mut roots: Vec<PathBuf> = args.iter().filter(|a| *a != "-v").map(PathBuf::from).collect();
    if roots.is_empty() {
        roots.push(PathBuf::from("../shared/corpus/formats"));
    }
    let mut files = Vec::new();
    for root in &roots {
        walk(root, &mut files).with_context(|| format!("cannot list {}", root.display()))?;
    }
    files.sort();
    let mut folders: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    for path in &files {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if !bondwitness_core::evidence::lines::looks_like_text(&bytes) {
            continue;
        }
        let parsed = parse::parse_text(FileId(0), &path.to_string_lossy(), &bytes);
        let untyped = (parsed.not_understood.len() + parsed.unrecognised.len()) as u64;
        let folder = path.parent().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
        let row = folders.entry(folder).or_default();
        row.0 += 1;
        row.1 += parsed.typed;
        row.2 += untyped;
        if verbose {
            println!(
                "{}: {:?} typed {} not-understood {} unrecognised {} records {}",
                path.display(),
                parsed.recognised,
                parsed.typed,
                parsed.not_understood.len(),
                parsed.unrecognised.len(),
                parsed.records.len()
            );
            let text = bondwitness_core::evidence::Text::new(FileId(0), &bytes);
            for (mark, c) in parsed
                .not_understood
                .iter()
                .map(|c| ('?', c))
                .chain(parsed.unrecognised.iter().map(|c| ('!', c)))
            {
                if let Place::Lines { first, .. } = c.place
                    && let Some(line) = text.lines.get(first as usize - 1)
                {
                    println!("  {mark} {first}: {}", line.text);
                }
            }
        }
    }
    for (folder, (n, typed, untyped)) in folders {
        let total = typed + untyped;
        let share = if total == 0 { 100.0 } else { typed as f64 * 100.0 / total as f64 };
        println!("{share:6.2} %  {n:4} files  {total:7} lines  {folder}");
    }
    Ok(())
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            walk(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}
