//! `cargo xtask docs [--check]`: the generated part of the documentation: `docs/checks/`, `docs/formats.md`,
//! `docs/coverage.md`. With `--check` nothing is written and a stale file is an error.

use crate::coverage::{self, Status};
use crate::formats::{self, Share};
use crate::generated::{self, Generated};
use anyhow::{Context, Result, bail};
use bondwitness_core::checks::{self, CHECKS};
use bondwitness_core::evidence::{KernelKind, What};
use bondwitness_core::parse::FORMATS;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const PARSERS: &str = "crates/core/src/parse";

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let check = match args {
        [] => false,
        [a] if a == "--check" => true,
        _ => bail!("usage: docs [--check]"),
    };
    let root = generated::repository();
    let mut out = Generated::new(root.clone(), check);
    let mut names = vec!["README.md".to_owned()];
    for c in CHECKS {
        let page = checks::page(c);
        let text = format!(
            "{}{}\n## Requirements\n{}\n",
            generated::banner("docs"),
            page,
            c.requirements.join(", ")
        );
        out.file(&format!("docs/checks/{}.md", c.id), &text)?;
        names.push(format!("{}.md", c.id));
    }
    out.file("docs/checks/README.md", &check_index())?;
    out.only("docs/checks", &names)?;
    let committed = out.committed("docs/formats.md").unwrap_or_default();
    out.file("docs/formats.md", &format_page(&root, &committed)?)?;
    out.file("docs/coverage.md", &coverage_page(&root)?)?;
    out.finish("docs")
}

fn check_index() -> String {
    let mut t = format!(
        "{}# Checks\n\nOne page per check; `bondwitness explain <id>` prints the same text. {} checks.\n\n| check | fact |\n|---|---|\n",
        generated::banner("docs"),
        CHECKS.len()
    );
    for c in CHECKS {
        let _ = writeln!(t, "| [{0}]({0}.md) | {1} |", c.id, c.title);
    }
    t
}

/// The module of each format in the order of the table, from the table's own source: `FORMATS[i]` is line i.
pub(crate) fn modules(table: &str) -> Vec<String> {
    table
        .lines()
        .filter_map(|l| l.trim().strip_prefix("super::")?.strip_suffix("::FORMAT,").map(str::to_owned))
        .collect()
}

/// The first paragraph of a module's documentation, as one line of Markdown.
fn title(source: &str) -> String {
    source
        .lines()
        .map_while(|l| l.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn format_page(root: &Path, committed: &str) -> Result<String> {
    let read = |name: &str| {
        std::fs::read_to_string(root.join(PARSERS).join(name))
            .with_context(|| format!("cannot read {PARSERS}/{name}"))
    };
    let modules = modules(&read("table.rs")?);
    if modules.len() != FORMATS.len() {
        bail!("{PARSERS}/table.rs:1: {} lines name a format, the table has {}", modules.len(), FORMATS.len());
    }
    let mut t = format!(
        "{}# Formats\n\nEvidence is recognised by its content. Every line of a text is either typed or listed as not understood.\n\n\
         ## What is read\n\n| format | what it is |\n|---|---|\n",
        generated::banner("docs")
    );
    for (f, module) in FORMATS.iter().zip(&modules) {
        // Several formats may share a title (sysfs), none may be without one.
        let title = title(&read(&format!("{module}.rs"))?);
        let _ = writeln!(t, "| `{}` | {title} |", f.id);
    }
    t.push_str(
        "| `pcap`, `pcapng` | Captures: only slow-protocol frames are kept, folded while they are read. |\n",
    );
    t.push_str("\n## How much of the corpus is typed\n\n\
        Measured on a corpus of real output that is not part of this repository. A share is rounded down. Lines that belong to\n\
        no format count as not typed for their folder and for no format. Typed is not always understood: switch output is recognised\n\
        and listed line by line, not read further (later issue), and register dumps are kept as they are.\n\n");
    let measured = if formats::corpus().is_dir() {
        Some(measure()?)
    } else {
        println!("docs/formats.md: no format corpus at ../shared/corpus/formats; the committed figures stay");
        generated::kept(committed, "formats")
    };
    t.push_str(&generated::section("formats", &measured.unwrap_or_else(|| "Not measured yet.".to_owned())));
    Ok(t)
}

fn measure() -> Result<String> {
    let corpus = formats::corpus();
    let mut folders: BTreeMap<String, Share> = BTreeMap::new();
    let mut per_format: BTreeMap<&str, Share> = FORMATS.iter().map(|f| (f.id, Share::default())).collect();
    let mut all = Share::default();
    let mut read_further = Share::default();
    let (mut messages, mut unknown_messages) = (0u64, 0u64);
    formats::read(std::slice::from_ref(&corpus), &mut |path, _, parsed| {
        let folder = path.strip_prefix(&corpus).ok().and_then(Path::parent);
        let folder = folder.map(|f| f.to_string_lossy().into_owned()).filter(|f| !f.is_empty());
        // Files beside the folders are the corpus's own lists, not evidence.
        let Some(folder) = folder else { return };
        let share = formats::share(parsed);
        all += share;
        if !folder.starts_with("switch/") {
            read_further += share;
        }
        for r in &parsed.records {
            if let What::Kernel(k) = &r.what {
                messages += 1;
                unknown_messages += u64::from(k.kind == KernelKind::Other);
            }
        }
        *folders.entry(folder).or_default() += share;
        for (id, (typed, untyped)) in &parsed.per_format {
            *per_format.entry(id).or_default() += Share { files: 1, typed: *typed, untyped: *untyped };
        }
    })?;
    let mut t = String::from("| folder | files | lines | typed | typed % |\n|---|---|---|---|---|\n");
    let sums = [("all", &all), ("all but switch", &read_further)];
    for (folder, s) in folders.iter().map(|(f, s)| (f.as_str(), s)).chain(sums) {
        let _ = writeln!(t, "| {folder} | {} | {} | {} | {} |", s.files, s.lines(), s.typed, s.percent());
    }
    let _ = writeln!(
        t,
        "\nOf {messages} kernel messages the dictionary knows {}; the others are typed as lines with time and text, without a meaning.",
        messages - unknown_messages
    );
    t.push_str("\n| format | files | lines | typed | typed % |\n|---|---|---|---|---|\n");
    for (id, s) in &per_format {
        let _ = writeln!(t, "| `{id}` | {} | {} | {} | {} |", s.files, s.lines(), s.typed, s.percent());
    }
    Ok(t)
}

/// How many `#[test]` functions a source has.
fn tests_in(source: &str) -> usize {
    source.lines().filter(|l| l.trim() == "#[test]").count()
}

/// The test files (below `crates/*/tests`) with their text, by path.
fn test_files(root: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join("crates")).context("cannot list crates")? {
        let tests = entry?.path().join("tests");
        let mut files = Vec::new();
        if tests.is_dir() {
            formats::walk(&tests, &mut files)?;
        }
        for file in files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs")) {
            let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
            found.push((name, text));
        }
    }
    found.sort();
    Ok(found)
}

/// The tests of a check: in its own file, and in test files that name its id.
fn tests_of(root: &Path, id: &str, tests: &[(String, String)]) -> Result<Vec<String>> {
    let file = format!("crates/core/src/checks/{}.rs", id.replace('-', "_"));
    let source = std::fs::read_to_string(root.join(&file)).with_context(|| format!("cannot read {file}"))?;
    let mut found = Vec::new();
    if tests_in(&source) > 0 {
        found.push(format!("`{file}`"));
    }
    let quoted = format!("\"{id}\"");
    found
        .extend(tests.iter().filter(|(_, text)| text.contains(&quoted)).map(|(name, _)| format!("`{name}`")));
    Ok(found)
}

fn coverage_page(root: &Path) -> Result<String> {
    let tests = test_files(root)?;
    let mut rows = String::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut untested: Vec<&str> = Vec::new();
    for c in CHECKS {
        if tests_of(root, c.id, &tests)?.is_empty() {
            untested.push(c.id);
        }
    }
    for id in coverage::all_ids() {
        let by = coverage::checks_for(CHECKS, &id);
        if by.is_empty() {
            let Some(reason) = coverage::reason_for(&id) else {
                bail!("{id} has neither a check nor a reason; add one to xtask/src/coverage.rs");
            };
            *counts.entry(reason.status.name()).or_default() += 1;
            let mut proof = Vec::new();
            for file in reason.files {
                let source = std::fs::read_to_string(root.join(file))
                    .with_context(|| format!("{id} rests on {file}, which cannot be read"))?;
                proof.push(format!("`{file}` ({})", tests_in(&source)));
            }
            let command = match reason.status {
                Status::Met | Status::Partly => "`diagnose --from`",
                Status::Later | Status::NoCode => "-",
            };
            let proof = if proof.is_empty() { "-".to_owned() } else { proof.join(", ") };
            let _ =
                writeln!(rows, "| {id} | {}: {} | {command} | {proof} |", reason.status.name(), reason.why);
        } else {
            *counts.entry("check").or_default() += 1;
            let names: Vec<String> = by.iter().map(|c| format!("[{0}](checks/{0}.md)", c.id)).collect();
            let mut proof = std::collections::BTreeSet::new();
            for c in &by {
                proof.extend(tests_of(root, c.id, &tests)?);
            }
            let proof = if proof.is_empty() {
                "none of its own".to_owned()
            } else {
                proof.into_iter().collect::<Vec<_>>().join(", ")
            };
            let _ = writeln!(rows, "| {id} | check: {} | `diagnose --from` | {proof} |", names.join(", "));
        }
    }
    let count = |word: &str| counts.get(word).copied().unwrap_or(0);
    let untested = if untested.is_empty() {
        String::new()
    } else {
        format!(
            "\nChecks without a test of their own ({}): {}. They run in `cargo xtask accuracy`; what they find there is only seen in\nits figures.\n",
            untested.len(),
            untested.join(", ")
        )
    };
    Ok(format!(
        "{}# Requirements and what meets them\n\n\
         Every numbered requirement, with the checks that name it; for the rest, what was done and what was not. \"check\" means\n\
         that a check names the requirement and looks for the fact in saved evidence; live collection comes with a later issue.\n\
         The last column names tests: of a check, the files that test it; of other code, the files that do it with the number\n\
         of their unit tests.\n\n\
         | | requirements |\n|---|---|\n| named by a check | {} |\n| met otherwise | {} |\n| partly | {} |\n| later | {} |\n| no code needed | {} |\n{untested}\n\
         | id | met by | command | test |\n|---|---|---|---|\n{rows}",
        generated::banner("docs"),
        count("check"),
        count(Status::Met.name()),
        count(Status::Partly.name()),
        count(Status::Later.name()),
        count(Status::NoCode.name()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_formats_names_its_modules_in_order() {
        let table = "pub const FORMATS: &[Format] = &[\n    super::proc_bonding::FORMAT,\n    super::ip_link::FORMAT,\n];\n";
        assert_eq!(modules(table), ["proc_bonding", "ip_link"]);
    }

    #[test]
    fn every_format_is_told_by_its_own_module() {
        let root = generated::repository();
        let table = std::fs::read_to_string(root.join(PARSERS).join("table.rs")).unwrap();
        let modules = modules(&table);
        assert_eq!(modules.len(), FORMATS.len());
        for (f, m) in FORMATS.iter().zip(&modules) {
            let source = std::fs::read_to_string(root.join(PARSERS).join(format!("{m}.rs"))).unwrap();
            assert!(!title(&source).is_empty(), "{m}");
            // sysfs_bonding takes its format from sysfs_net, under its own name.
            let named = source.contains(&format!("\"{}\"", f.id)) || f.id == m.replace('_', "-");
            assert!(named, "{m}.rs does not name its format {}: the order of the table was misread", f.id);
        }
    }

    #[test]
    fn titles_are_the_first_paragraph() {
        assert_eq!(title("//! One `a|b`,\n//! two.\n//!\n//! Three.\n"), "One `a\\|b`, two.");
    }
}
