//! `cargo xtask new-check <id>`: a new check with its headings, entered in `checks/mod.rs` in the order of the ids.

use crate::generated;
use anyhow::{Context, Result, bail};

const FOLDER: &str = "crates/core/src/checks";

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let [id] = args else { bail!("usage: new-check <id>, where the id is the observed fact: carrier-flap") };
    if !is_id(id) {
        bail!("{id:?} is no id: small letters, digits and single hyphens, a letter first");
    }
    let root = generated::repository();
    let file = format!("{FOLDER}/{}.rs", module(id));
    let table = format!("{FOLDER}/mod.rs");
    if root.join(&file).exists() {
        bail!("{file} exists already");
    }
    let text = std::fs::read_to_string(root.join(&table)).with_context(|| format!("cannot read {table}"))?;
    let text = enter(&text, id).with_context(|| format!("cannot enter {id} in {table}"))?;
    std::fs::write(root.join(&file), template(id)).with_context(|| format!("cannot write {file}"))?;
    std::fs::write(root.join(&table), text).with_context(|| format!("cannot write {table}"))?;
    println!(
        "{file}: write its page, its requirements and `run`, and its two kinds of cases in crates/core/tests/checks\nthen: cargo xtask docs, cargo xtask tidy, and raise RULESET in verdict.rs"
    );
    Ok(())
}

fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// The module of a check.
pub(crate) fn module(id: &str) -> String {
    id.replace('-', "_")
}

/// `checks/mod.rs` with the two lines of a new check. The table is in the order of the ids; so are the modules.
fn enter(text: &str, id: &str) -> Result<String> {
    let module = module(id);
    let text =
        insert(text, &format!("mod {module};"), |l| l.strip_prefix("mod ")?.strip_suffix(';'), &module)?;
    insert(
        &text,
        &format!("    {module}::CHECK,"),
        |l| l.strip_prefix("    ")?.strip_suffix("::CHECK,"),
        &module,
    )
}

/// Puts `line` before the first line of its kind whose name is greater, or after the last of its kind. Names are
/// compared as ids, where a hyphen sorts before letters as it does in the table.
fn insert(text: &str, line: &str, name: fn(&str) -> Option<&str>, new: &str) -> Result<String> {
    let lines: Vec<&str> = text.lines().collect();
    let key = |n: &str| n.replace('_', "-");
    let mut after = None;
    let mut at = None;
    for (i, l) in lines.iter().enumerate() {
        let Some(n) = name(l) else { continue };
        if n == new {
            bail!("it is there already");
        }
        after = Some(i + 1);
        if at.is_none() && key(n) > key(new) {
            at = Some(i);
        }
    }
    let at = at.or(after).context("there is no line of its kind")?;
    let mut out: Vec<&str> = lines;
    out.insert(at, line);
    Ok(out.join("\n") + "\n")
}

/// The empty form of a check.
pub(crate) fn template(id: &str) -> String {
    let module = module(id);
    format!(
        r#"//! # TITLE
//!
//! ## What it shows
//! The fact, and the evidence it is read from.
//!
//! ## Why it matters
//! What follows from it for host, switch and link.
//!
//! ## How it can be wrong
//! What else looks the same.
//!
//! ## What would settle it
//! The command or the question that tells them apart.
//!
//! ## References
//! The clause, the kernel function or the measurement.

use crate::case::{{Case, Subject}};
use crate::finding::{{Check, Outcome}};

/// The check.
pub(super) const CHECK: Check = Check {{
    id: "{id}",
    title: "TITLE",
    // An id of requirements.md; the tests ask for one.
    requirements: &[],
    page: include_str!("{module}.rs"),
    run,
}};

fn run(case: &Case, subject: &Subject) -> Outcome {{
    let _ = (case, subject);
    Outcome::NotApplicable
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
use crate::finding::Check;

mod carrier_flap;
mod nic_fault;

pub const CHECKS: &[Check] = &[
    carrier_flap::CHECK,
    nic_fault::CHECK,
];
";

    #[test]
    fn a_check_is_entered_in_order() {
        let text = enter(TABLE, "half-duplex").unwrap();
        assert!(text.contains("mod carrier_flap;\nmod half_duplex;\nmod nic_fault;\n"), "{text}");
        assert!(
            text.contains("carrier_flap::CHECK,\n    half_duplex::CHECK,\n    nic_fault::CHECK,\n"),
            "{text}"
        );
        let text = enter(TABLE, "a").unwrap();
        assert!(text.contains("\nmod a;\nmod carrier_flap;") && text.contains("[\n    a::CHECK,"), "{text}");
        let text = enter(TABLE, "z").unwrap();
        assert!(
            text.contains("mod nic_fault;\nmod z;\n")
                && text.contains("nic_fault::CHECK,\n    z::CHECK,\n];"),
            "{text}"
        );
        assert!(enter(TABLE, "nic-fault").is_err());
    }

    #[test]
    fn entering_keeps_the_rest_of_the_real_table() {
        let path = generated::repository().join(FOLDER).join("mod.rs");
        let old = std::fs::read_to_string(path).unwrap();
        let new = enter(&old, "m-new-check").unwrap();
        let rest: Vec<&str> = new.lines().filter(|l| !l.contains("m_new_check")).collect();
        assert_eq!(rest, old.lines().collect::<Vec<_>>());
        assert_eq!(new.lines().count(), old.lines().count() + 2);
    }

    #[test]
    fn ids_are_kebab() {
        assert!(is_id("carrier-flap") && is_id("e2e"));
        for bad in ["", "Carrier", "carrier_flap", "-a", "a--b", "a-", "2a", "a/b", "../x"] {
            assert!(!is_id(bad), "{bad}");
        }
    }

    #[test]
    fn the_template_passes_tidy() {
        assert_eq!(crate::tidy::page_complaints("x.rs", &template("half-duplex")), Vec::<String>::new());
    }
}
