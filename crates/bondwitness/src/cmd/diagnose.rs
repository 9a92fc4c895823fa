//! `bondwitness diagnose`.

use super::Helped;
use crate::cli::Diagnose;
use anyhow::{Result, bail};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::finding::Need;
use bondwitness_core::report::{json_v1, text};
use bondwitness_host::load::{self, Limits};
use bondwitness_host::terminal;

/// Inputs above this are hashed only on request (contract.md).
const HASH_LIMIT: usize = 16 * 1024 * 1024;

pub(super) fn run(args: &Diagnose, color: bool) -> Result<u8> {
    if args.from.is_empty() {
        bail!(Helped::new(
            "cannot diagnose the running host: this version reads saved evidence only",
            "save it and pass it: bondwitness diagnose --from FOLDER (see `bondwitness diagnose --help`)",
        ));
    }
    let loaded = load::load(&args.from, &Limits::default())?;
    let inputs: Vec<Input<'_>> = loaded
        .inputs
        .iter()
        .map(|i| Input {
            path: &i.path,
            bytes: &i.bytes,
            sha256: (args.hash || i.bytes.len() <= HASH_LIMIT).then(|| diagnose::sha256_hex(&i.bytes)),
            problem: i.problem.as_ref().map(ToString::to_string),
        })
        .collect();
    let mut report = diagnose::diagnose(&inputs);
    for s in &loaded.skipped {
        if !inputs.iter().any(|i| i.path == s.path && i.problem.is_some()) {
            report.needs.push(Need {
                what: s.path.clone(),
                why: "not recognised",
                matters_for: Vec::new(),
                fix: s.why.clone(),
            });
        }
    }
    report.needs.sort();
    if !args.bonds.is_empty() {
        for bond in &args.bonds {
            if !report.case.subjects.iter().any(|s| s.name == *bond) {
                let known: Vec<&str> =
                    report.case.subjects.iter().map(|s| s.name.as_str()).take(20).collect();
                bail!(
                    Helped::new(
                        format!("cannot report on {bond}: the evidence does not show it"),
                        if known.is_empty() {
                            "the evidence shows no bond and no interface".to_owned()
                        } else {
                            format!("the evidence shows: {}", known.join(", "))
                        },
                    )
                    .code(3)
                );
            }
        }
        report.keep(|name| args.bonds.iter().any(|b| b == name));
    }
    let out = if args.json {
        let mut s = serde_json::to_string_pretty(&json_v1::report(&report, env!("CARGO_PKG_VERSION")))?;
        s.push('\n');
        s
    } else {
        let width = terminal::columns().map_or(80, usize::from).clamp(60, 120);
        text::report(&report, text::Options { color, width, verbose: args.verbose })
    };
    super::print(&out)?;
    Ok(report.exit_code())
}
