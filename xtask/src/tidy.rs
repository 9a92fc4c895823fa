//! `cargo xtask tidy`: the rules of this repository that the compiler does not hold, as `file:line: message`.

use crate::docs;
use crate::generated;
use crate::new_check;
use anyhow::{Context, Result, bail};
use bondwitness_core::checks::CHECKS;
use std::path::{Path, PathBuf};

/// Above this many lines a file is worth splitting: a warning.
const LONG: usize = 900;

/// The headings that every page of a check has.
const HEADINGS: [&str; 6] = [
    "# ",
    "## What it shows",
    "## Why it matters",
    "## How it can be wrong",
    "## What would settle it",
    "## References",
];

/// Where `Serialize` and `Deserialize` may be derived: the frozen outer schemas, and what scenario files are read into
/// (rule 5 of the architecture).
const SERIALIZED: [&str; 10] = [
    "crates/core/src/bundle/v1.rs",
    "crates/core/src/collection/v1.rs",
    "crates/core/src/evidence/v1.rs",
    "crates/core/src/report/json_v1.rs",
    "crates/lab/src/fault.rs",
    "crates/lab/src/incident.rs",
    "crates/lab/src/scenario.rs",
    // What `cargo xtask vm` tells its guest; both are built from the same source.
    "crates/guest/src/plan.rs",
    "crates/guest/src/bench_plan.rs",
    "crates/guest/src/path_trial.rs",
];

/// Pages of `docs` that quote the kernel's own words without marks, so that the word may stand there. None does today.
const KERNEL_WORDS: [&str; 0] = [];

/// Words that no document may have outside code and quotes.
const MACHINE_PATHS: [&str; 3] = ["/work/", "/root/", "/home/"];

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    if !args.is_empty() {
        bail!("usage: tidy");
    }
    let root = generated::repository();
    let mut complaints = Vec::new();
    let mut warnings = Vec::new();
    let mut sources = Vec::new();
    for folder in ["crates", "xtask", "fuzz"] {
        files(&root, &root.join(folder), "rs", &mut sources)?;
    }
    for (name, text) in &sources {
        complaints.extend(source_complaints(name, text));
        let lines = text.lines().count();
        if lines > LONG {
            warnings.push(format!("{name}:{LONG}: warning: {lines} lines, more than {LONG}"));
        }
    }
    complaints.extend(check_complaints(&sources));
    complaints.extend(parser_complaints(&sources));
    let mut pages = Vec::new();
    files(&root, &root.join("docs"), "md", &mut pages)?;
    for (name, text) in &pages {
        complaints.extend(page_words(name, text));
    }
    if !root.join("CHANGELOG.md").is_file() {
        complaints.push("CHANGELOG.md:1: is missing".to_owned());
    }
    if let Ok(text) = std::fs::read_to_string(root.join("ARCHITECTURE.md")) {
        complaints.extend(unnamed_crates(&text, &crates(&root)?));
    }
    for w in &warnings {
        println!("{w}");
    }
    if complaints.is_empty() {
        println!("tidy: {} sources and {} pages, {} warnings", sources.len(), pages.len(), warnings.len());
        return Ok(());
    }
    for c in &complaints {
        println!("{c}");
    }
    bail!("tidy: {} complaints", complaints.len())
}

/// Files of one kind below a folder, by their path from the root, with their text. Build output is not looked into.
fn files(root: &Path, folder: &Path, kind: &str, found: &mut Vec<(String, String)>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|e| e.map(|e| e.path()))
        .collect::<std::io::Result<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if path.file_name().is_none_or(|n| n != "target") {
                files(root, &path, kind, found)?;
            }
        } else if path.extension().is_some_and(|e| e == kind) {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
            found.push((name, text));
        }
    }
    Ok(())
}

/// A line of Rust without its comment and without what stands in double quotes, as far as one line tells.
fn code_of(line: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => {
                chars.next();
            }
            // The quote character itself, as a literal, opens nothing.
            '\'' if !quoted && chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' => quoted = !quoted,
            '/' if !quoted && chars.peek() == Some(&'/') => break,
            c if !quoted => out.push(c),
            _ => {}
        }
    }
    out
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w == word)
}

/// What is wrong with one source by itself.
fn source_complaints(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let first =
        text.lines().find(|l| !l.trim().is_empty() && !l.starts_with("#![") && !l.starts_with("//  "));
    if !first.is_some_and(|l| l.starts_with("//!")) {
        found.push(format!("{name}:1: no module documentation (`//!`)"));
    }
    let stem = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".rs");
    let folder = name.rsplit('/').nth(1).unwrap_or("");
    for bad in ["utils", "util", "common", "helpers", "helper"] {
        if stem == bad || (stem == "mod" && folder == bad) {
            found.push(format!("{name}:1: a module named {bad} says nothing about what is in it"));
        }
    }
    let serialized = SERIALIZED.contains(&name);
    let may_be_unsafe = name.starts_with("crates/host/src/sys/");
    // A `derive` may span lines: it is read until its bracket closes.
    let mut derive: Option<String> = None;
    for (i, line) in text.lines().enumerate() {
        let code = code_of(line);
        let at = i + 1;
        if !serialized {
            if code.contains("derive(") {
                derive = Some(String::new());
            }
            if let Some(sofar) = &mut derive {
                sofar.push_str(&code);
                if has_word(&code, "Serialize") || has_word(&code, "Deserialize") {
                    found.push(format!(
                        "{name}:{at}: serde is derived only in {}: internal types must stay free to change",
                        SERIALIZED.join(", ")
                    ));
                }
                if sofar.contains(")]") || sofar.contains("))") {
                    derive = None;
                }
            }
        }
        if has_word(&code, "unsafe") && !may_be_unsafe {
            found.push(format!("{name}:{at}: `unsafe` outside crates/host/src/sys"));
        }
        for bad in ["utils", "common", "helpers"] {
            if code.trim_start().trim_start_matches("pub ").starts_with(&format!("mod {bad} ")) {
                found.push(format!("{name}:{at}: a module named {bad} says nothing about what is in it"));
            }
        }
    }
    found
}

/// What is missing on the page of a check.
pub(crate) fn page_complaints(name: &str, text: &str) -> Vec<String> {
    let page: Vec<&str> =
        text.lines().map_while(|l| l.strip_prefix("//!")).map(|l| l.strip_prefix(' ').unwrap_or(l)).collect();
    let mut found = Vec::new();
    for heading in HEADINGS {
        let exact = heading.starts_with("## ");
        let Some(at) = page.iter().position(|l| if exact { *l == heading } else { l.starts_with(heading) })
        else {
            found.push(format!("{name}:1: the page has no heading {:?}", heading.trim()));
            continue;
        };
        let empty =
            exact && page.iter().skip(at + 1).find(|l| !l.is_empty()).is_none_or(|l| l.starts_with('#'));
        if empty {
            found.push(format!("{name}:{}: nothing stands below {heading:?}", at + 1));
        }
    }
    found
}

/// The folder of checks, its modules and its table say the same.
fn check_complaints(sources: &[(String, String)]) -> Vec<String> {
    const FOLDER: &str = "crates/core/src/checks/";
    let mut found = Vec::new();
    let table = sources.iter().find(|(n, _)| n == &format!("{FOLDER}mod.rs")).map_or("", |(_, t)| t.as_str());
    let line_of = |what: &str| table.lines().position(|l| l.trim() == what).map(|i| i + 1);
    let mut on_disk = Vec::new();
    for (name, text) in sources {
        let Some(stem) = name.strip_prefix(FOLDER).and_then(|n| n.strip_suffix(".rs")) else { continue };
        if stem == "mod" || stem.contains('/') {
            continue;
        }
        on_disk.push(stem.to_owned());
        if line_of(&format!("{stem}::CHECK,")).is_none() {
            found.push(format!("{name}:1: not in the table of {FOLDER}mod.rs"));
        }
        found.extend(page_complaints(name, text));
        if text.contains("title: \"TITLE\"") {
            found.push(format!("{name}:1: the page is still the empty form of new-check"));
        }
        if !text.contains(&format!("id: \"{}\"", stem.replace('_', "-"))) {
            found.push(format!("{name}:1: the id of the check is not the name of its file"));
        }
    }
    for (i, line) in table.lines().enumerate() {
        if let Some(module) = line.trim().strip_suffix("::CHECK,")
            && !on_disk.iter().any(|s| s == module)
        {
            found.push(format!("{FOLDER}mod.rs:{}: {module} has no file", i + 1));
        }
    }
    // The program that runs was built from the same table.
    for c in CHECKS {
        if !on_disk.contains(&new_check::module(c.id)) {
            found.push(format!("{FOLDER}mod.rs:1: the check {} has no file", c.id));
        }
    }
    found
}

/// Every parser that declares a format is in the table of formats.
fn parser_complaints(sources: &[(String, String)]) -> Vec<String> {
    const FOLDER: &str = "crates/core/src/parse/";
    let table =
        sources.iter().find(|(n, _)| n == &format!("{FOLDER}table.rs")).map_or("", |(_, t)| t.as_str());
    let listed = docs::modules(table);
    sources
        .iter()
        .filter_map(|(name, text)| {
            let stem = name.strip_prefix(FOLDER)?.strip_suffix(".rs")?.replace('/', "::");
            let at = text.lines().position(|l| l.starts_with("pub const FORMAT:"))?;
            (!listed.contains(&stem))
                .then(|| format!("{name}:{}: its format is not in {FOLDER}table.rs", at + 1))
        })
        .collect()
}

/// Words of a page that stand outside code blocks, code spans and quotes.
fn page_words(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        // Paths of the machine that built something are wrong even in code.
        for path in MACHINE_PATHS {
            if line.contains(path) && !fenced {
                found.push(format!("{name}:{}: a path of some machine: {path}", i + 1));
            }
        }
        if fenced || line.trim_start().starts_with('>') || KERNEL_WORDS.contains(&name) {
            continue;
        }
        let plain: String = outside(line, &['`', '"']);
        if has_word(&plain.to_ascii_lowercase(), "slave") || has_word(&plain.to_ascii_lowercase(), "slaves") {
            found.push(format!("{name}:{}: say \"member\", unless the kernel is quoted", i + 1));
        }
    }
    found
}

/// The text outside pairs of these marks.
fn outside(line: &str, marks: &[char]) -> String {
    let mut out = String::new();
    let mut inside = None;
    for c in line.chars() {
        match inside {
            Some(mark) if c == mark => inside = None,
            None if marks.contains(&c) => inside = Some(c),
            None => out.push(c),
            Some(_) => {}
        }
    }
    out
}

/// The folders and package names of all crates.
fn crates(root: &Path) -> Result<Vec<String>> {
    let mut names = vec!["xtask".to_owned()];
    for entry in std::fs::read_dir(root.join("crates")).context("cannot list crates")? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(format!("crates/{}", entry.file_name().to_string_lossy()));
        }
    }
    names.sort();
    Ok(names)
}

fn unnamed_crates(architecture: &str, crates: &[String]) -> Vec<String> {
    crates
        .iter()
        .filter(|c| {
            let folder = c.rsplit('/').next().unwrap_or(c);
            // By its path, or by its folder in a tree or a code span.
            !architecture.contains(c.as_str())
                && !architecture.contains(&format!("`{folder}`"))
                && !architecture.contains(&format!("{folder}/"))
        })
        .map(|c| format!("ARCHITECTURE.md:1: {c} is not named"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(name: &str, text: &str) -> Vec<String> {
        source_complaints(name, text)
    }

    #[test]
    fn a_source_needs_documentation_and_a_name() {
        assert!(complaints("a.rs", "//! Doc.\nfn f() {}\n").is_empty());
        assert!(complaints("a.rs", "#![forbid(unsafe_code)]\n//! Doc.\n").is_empty());
        assert_eq!(complaints("a.rs", "use x;\n"), ["a.rs:1: no module documentation (`//!`)"]);
        assert_eq!(complaints("crates/a/src/utils.rs", "//! Doc.\n").len(), 1);
        assert_eq!(complaints("crates/a/src/helpers/mod.rs", "//! Doc.\n").len(), 1);
        assert_eq!(complaints("a.rs", "//! Doc.\nmod common {\n}\n").len(), 1);
    }

    #[test]
    fn serde_is_derived_in_the_schemas_only() {
        let text = "//! D.\n#[derive(\n    Debug,\n    serde::Serialize,\n)]\nstruct A;\n";
        assert_eq!(complaints("crates/core/src/case.rs", text).len(), 1);
        assert!(complaints("crates/core/src/case.rs", text)[0].starts_with("crates/core/src/case.rs:4:"));
        assert!(complaints("crates/core/src/report/json_v1.rs", text).is_empty());
        // Talking about it is no derive.
        assert!(
            complaints("a.rs", "//! D.\n// derive(Serialize)\nfn f(s: \"derive(Serialize)\") {}\n")
                .is_empty()
        );
    }

    #[test]
    fn unsafe_is_for_one_folder() {
        let text = "//! D.\nfn f() { unsafe { g() } }\n";
        assert_eq!(complaints("crates/core/src/a.rs", text).len(), 1);
        assert!(complaints("crates/host/src/sys/a.rs", text).is_empty());
        assert!(
            complaints("a.rs", "//! D.\n#![deny(unsafe_code)]\n// unsafe\nlet a = \"unsafe\";\n").is_empty()
        );
        assert!(complaints("a.rs", "//! D.\nlet q = '\"'; // unsafe \"\n").is_empty());
    }

    #[test]
    fn pages_keep_their_headings() {
        let full = "//! # T\n//!\n//! ## What it shows\n//! a\n//! ## Why it matters\n//! a\n//! ## How it can be wrong\n//! a\n//! ## What would settle it\n//! a\n//! ## References\n//! a\n";
        assert!(page_complaints("a.rs", full).is_empty());
        let without = full.replace("//! ## Why it matters\n", "");
        assert_eq!(
            page_complaints("a.rs", &without),
            ["a.rs:1: the page has no heading \"## Why it matters\""]
        );
        let hollow = full.replace("//! ## References\n//! a\n", "//! ## References\n");
        assert_eq!(page_complaints("a.rs", &hollow), ["a.rs:11: nothing stands below \"## References\""]);
    }

    #[test]
    fn checks_and_parsers_are_in_their_tables() {
        let s = |n: &str, t: &str| (n.to_owned(), t.to_owned());
        let sources = [
            s("crates/core/src/checks/mod.rs", "    gone::CHECK,\n"),
            s("crates/core/src/checks/lonely.rs", &new_check::template("lonely")),
            s("crates/core/src/parse/table.rs", "    super::known::FORMAT,\n"),
            s("crates/core/src/parse/known.rs", "pub const FORMAT: Format = x;\n"),
            s("crates/core/src/parse/forgotten.rs", "//! D.\npub const FORMAT: Format = x;\n"),
            s("crates/core/src/parse/prompt.rs", "//! D.\n"),
        ];
        let found = check_complaints(&sources);
        assert!(
            found.iter().any(|c| c.starts_with("crates/core/src/checks/lonely.rs:1: not in the table")),
            "{found:?}"
        );
        assert!(found.iter().any(|c| c == "crates/core/src/checks/mod.rs:1: gone has no file"), "{found:?}");
        assert!(found.iter().any(|c| c.contains("empty form")), "{found:?}");
        assert_eq!(
            parser_complaints(&sources),
            ["crates/core/src/parse/forgotten.rs:2: its format is not in crates/core/src/parse/table.rs"]
        );
    }

    #[test]
    fn words_are_looked_for_outside_quotes() {
        assert_eq!(page_words("docs/a.md", "A slave.\n").len(), 1);
        assert!(
            page_words("docs/a.md", "`bonding_slave/*` and \"slave eth0\"\n> slave\n```\nslave\n```\n")
                .is_empty()
        );
        assert_eq!(
            page_words("docs/a.md", "see /home/me\n"),
            ["docs/a.md:1: a path of some machine: /home/"]
        );
        assert_eq!(page_words("docs/a.md", "`/work/x`\n").len(), 1);
    }

    #[test]
    fn the_map_names_every_crate() {
        let crates = ["crates/core".to_owned(), "crates/lab".to_owned(), "xtask".to_owned()];
        assert_eq!(
            unnamed_crates("The `core` crate; xtask/ has chores.", &crates),
            ["ARCHITECTURE.md:1: crates/lab is not named"]
        );
    }
}
