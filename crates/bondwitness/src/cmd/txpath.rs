//! `bondwitness txpath`: where do the frames of an interface die on their way to the wire?

use super::Helped;
use crate::cli::TxPath;
use anyhow::{Result, bail};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::path;
use bondwitness_host::load::{self, Limits};

pub(super) fn run(args: &TxPath) -> Result<u8> {
    if args.from.is_empty() {
        bail!(Helped::new(
            "cannot follow frames on the running host: this version reads saved evidence only",
            "save two readings with traffic in between and pass them: bondwitness txpath IFACE --from FOLDER (see `bondwitness txpath --help`)",
        ));
    }
    let loaded = load::load(&args.from, &Limits::default())?;
    let inputs: Vec<Input<'_>> = loaded
        .inputs
        .iter()
        .map(|i| Input {
            path: &i.path,
            bytes: &i.bytes,
            sha256: None,
            problem: i.problem.as_ref().map(ToString::to_string),
        })
        .collect();
    judge(args, &inputs)
}

/// Judges inputs wherever they come from: files today, the readings of a live window as (path, bytes) later.
fn judge(args: &TxPath, inputs: &[Input<'_>]) -> Result<u8> {
    let case = diagnose::case_of(inputs);
    let Some(report) = path::analyse(&case, &args.iface) else {
        let known = path::known_interfaces(&case);
        bail!(
            Helped::new(
                format!("cannot follow the frames of {}: the evidence does not show it", args.iface),
                if known.is_empty() {
                    "the evidence shows no interface: save `ip -s -d link` and pass it with --from".to_owned()
                } else {
                    format!(
                        "the evidence shows: {}",
                        known.into_iter().take(20).collect::<Vec<_>>().join(", ")
                    )
                },
            )
            .code(3)
        );
    };
    let out = if args.json {
        let mut s = serde_json::to_string_pretty(&path::json(&case, &report))?;
        s.push('\n');
        s
    } else {
        path::text(&case, &report)
    };
    super::print(&out)?;
    Ok(report.exit_code())
}
