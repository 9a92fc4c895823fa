//! `cargo xtask formats [-v] [PATH...]`: how much of each text file is typed, per folder.
//!
//! Without a path it reads the format corpus in `../shared`. `-v` lists every line that was not typed.
//! `cargo xtask docs` uses the same measurement for `docs/formats.md`.

use crate::generated;
use anyhow::{Context, Result};
use bondwitness_core::evidence::{FileId, Place, Text, lines};
use bondwitness_core::parse::{self, Parsed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Lines of one folder.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// Text files.
    pub(crate) files: u64,
    /// Lines that were understood.
    pub(crate) typed: u64,
    /// Lines that were not.
    pub(crate) untyped: u64,
}

impl Share {
    /// All lines.
    pub(crate) const fn lines(self) -> u64 {
        self.typed + self.untyped
    }

    /// Typed lines in per cent; `-` where there is no line. Rounded down, so that 100 means all.
    pub(crate) fn percent(self) -> String {
        if self.lines() == 0 {
            return "-".to_owned();
        }
        let hundredths = self.typed * 10_000 / self.lines();
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

/// The format corpus.
pub(crate) fn corpus() -> PathBuf {
    generated::repository().join("../shared/corpus/formats")
}

/// Parses every text file below the roots, in the order of their paths, and hands each to `each`.
pub(crate) fn read(roots: &[PathBuf], each: &mut dyn FnMut(&Path, &[u8], &Parsed)) -> Result<()> {
    let mut files = Vec::new();
    for root in roots {
        walk(root, &mut files).with_context(|| format!("cannot list {}", root.display()))?;
    }
    files.sort();
    for path in &files {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if lines::looks_like_text(&bytes) {
            each(path, &bytes, &parse::parse_text(FileId(0), &path.to_string_lossy(), &bytes));
        }
    }
    Ok(())
}

/// What one file adds to its folder.
pub(crate) fn share(parsed: &Parsed) -> Share {
    Share {
        files: 1,
        typed: parsed.typed,
        untyped: (parsed.not_understood.len() + parsed.unrecognised.len()) as u64,
    }
}

impl std::ops::AddAssign for Share {
    fn add_assign(&mut self, more: Self) {
        self.files += more.files;
        self.typed += more.typed;
        self.untyped += more.untyped;
    }
}

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let verbose = args.iter().any(|a| a == "-v");
    let mut roots: Vec<PathBuf> = args.iter().filter(|a| *a != "-v").map(PathBuf::from).collect();
    if roots.is_empty() {
        if !corpus().is_dir() {
            println!("skipped: no format corpus at ../shared/corpus/formats; give a path");
            return Ok(());
        }
        roots.push(corpus());
    }
    let mut folders: BTreeMap<String, Share> = BTreeMap::new();
    read(&roots, &mut |path, bytes, parsed| {
        let folder = path.parent().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
        *folders.entry(folder).or_default() += share(parsed);
        if verbose {
            list(path, bytes, parsed);
        }
    })?;
    for (folder, s) in folders {
        println!("{:>6} %  {:4} files  {:7} lines  {folder}", s.percent(), s.files, s.lines());
    }
    Ok(())
}

/// Prints what became of one file, and each line that was not typed: `?` in a known block, `!` outside.
fn list(path: &Path, bytes: &[u8], parsed: &Parsed) {
    println!(
        "{}: {:?} typed {} not-understood {} unrecognised {} records {}",
        path.display(),
        parsed.recognised,
        parsed.typed,
        parsed.not_understood.len(),
        parsed.unrecognised.len(),
        parsed.records.len()
    );
    let text = Text::new(FileId(0), bytes);
    for (mark, c) in
        parsed.not_understood.iter().map(|c| ('?', c)).chain(parsed.unrecognised.iter().map(|c| ('!', c)))
    {
        if let Place::Lines { first, .. } = c.place
            && let Some(line) = text.lines.get(first as usize - 1)
        {
            println!("  {mark} {first}: {}", line.text);
        }
    }
}

/// Every file below a path.
pub(crate) fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            walk(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        let s = |typed, untyped| Share { files: 1, typed, untyped }.percent();
        assert_eq!(s(99_999, 1), "99.99");
        assert_eq!(s(3, 0), "100.00");
        assert_eq!(s(1, 2), "33.33");
        assert_eq!(s(0, 0), "-");
    }
}
