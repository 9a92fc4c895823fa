//! `bondwitness txpath`: where do the frames of an interface die on their way to the wire?

use super::{Helped, live};
use crate::cli::TxPath;
use anyhow::{Result, bail};
use bondwitness_core::case::Case;
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::path;
use bondwitness_host::load::{self, Limits};

pub(super) fn run(args: &TxPath) -> Result<u8> {
    if args.from.is_empty() {
        return live::txpath(args);
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
    let (code, out) = judge(&diagnose::case_of(&inputs), &args.iface, args.json)?;
    super::print(&out)?;
    Ok(code)
}

/// What is to be printed of the way of an interface's frames, and the exit code.
pub(super) fn judge(case: &Case, iface: &str, json: bool) -> Result<(u8, String)> {
    let Some(report) = path::analyse(case, iface) else {
        let known = path::known_interfaces(case);
        bail!(
            Helped::new(
                format!("cannot follow the frames of {iface}: the evidence does not show it"),
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
    let out = if json {
        let mut s = serde_json::to_string_pretty(&path::json(case, &report))?;
        s.push('\n');
        s
    } else {
        path::text(case, &report)
    };
    Ok((report.exit_code(), out))
}
