//! `bondwitness diagnose`: saved evidence; on a running host see [`live`].

use super::{Helped, live};
use crate::cli::Diagnose;
use anyhow::{Result, bail};
use bondwitness_core::bundle::v1;
use bondwitness_core::diagnose::{self, Input, Report};
use bondwitness_core::finding::Need;
use bondwitness_core::report::{json_v1, text};
use bondwitness_host::load::{self, Limits};
use bondwitness_host::terminal;

/// Inputs above this are hashed only on request (contract.md).
const HASH_LIMIT: usize = 16 * 1024 * 1024;

pub(super) fn run(args: &Diagnose, color: bool) -> Result<u8> {
    if args.from.is_empty() {
        return live::diagnose(args, color);
    }
    let loaded = load::load(&args.from, &Limits::default())?;
    // What is in a bundle was hashed when it was written, and is told with its hash again.
    let bundled =
        loaded.inputs.iter().any(|i| i.path.ends_with(v1::FILE) && v1::Manifest::read(&i.bytes).is_some());
    let hash = args.hash || bundled;
    let inputs: Vec<Input<'_>> = loaded
        .inputs
        .iter()
        .map(|i| input(&i.path, &i.bytes, hash, i.problem.as_ref().map(ToString::to_string)))
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
    keep(&mut report, &args.bonds)?;
    let width = terminal::columns().map_or(80, usize::from).clamp(60, 120);
    super::print(&print(&report, args.json, text::Options { color, width, verbose: args.verbose })?)?;
    Ok(report.exit_code())
}

/// A file as the diagnosis takes it. Large ones are hashed only on request (contract.md).
fn input<'a>(path: &'a str, bytes: &'a [u8], hash: bool, problem: Option<String>) -> Input<'a> {
    let sha256 = (hash || bytes.len() <= HASH_LIMIT).then(|| diagnose::sha256_hex(bytes));
    Input { path, bytes, sha256, problem }
}

/// Leaves the subjects that were asked for.
fn keep(report: &mut Report, bonds: &[String]) -> Result<()> {
    if bonds.is_empty() {
        return Ok(());
    }
    for bond in bonds {
        if !report.case.subjects.iter().any(|s| s.name == *bond) {
            let known: Vec<&str> = report.case.subjects.iter().map(|s| s.name.as_str()).take(20).collect();
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
    report.keep(|name| bonds.iter().any(|b| b == name));
    Ok(())
}

/// The report as it is printed.
pub(super) fn print(report: &Report, json: bool, options: text::Options) -> Result<String> {
    if !json {
        return Ok(text::report(report, options));
    }
    let mut s = serde_json::to_string_pretty(&json_v1::report(report, env!("CARGO_PKG_VERSION")))?;
    s.push('\n');
    Ok(s)
}
