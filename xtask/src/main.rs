//! Project chores that need logic: `cargo xtask <verb>`. One file per verb; here is only the dispatch.
#![forbid(unsafe_code)]

mod accuracy;
mod bench;
mod bench_bypass;
mod bench_live;
mod coverage;
mod docs;
mod formats;
mod fuzz_seeds;
mod generated;
mod new_check;
mod tidy;
mod truth;
mod vm;

use anyhow::{Result, bail};
use std::process::ExitCode;

const VERBS: &str = "\
accuracy [--check] [--root DIR]   measure the verdict, write docs/accuracy.md
bench bypass [FAULTS]             how long a fault of a bypass interface lasts
bench live [PART...]              snapshots, captures and bundles on real bonds, against shell, tcpdump and sos
bench [FRAMES]                    our analysis against tshark, tcpdump and plain reading
docs [--check]                    write docs/checks, docs/formats.md, docs/coverage.md
formats [-v] [PATH...]            how much of each text file is typed
fuzz-seeds                        fill the fuzzer's corpus from seeds, unit tests and recordings
lab-check [--seeds N] [--only X]  simulated incidents against the verdict, for work on a rule
new-check <id>                    a new check with its page, entered in the table
tidy                              the rules that the compiler does not hold
vm [--help]                       real kernels, injected faults: verdicts compared with the truth";

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without a backtrace: what went wrong is in the words.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("accuracy") => accuracy::run(rest),
        Some("bench") if rest.first().is_some_and(|a| a == "bypass") => {
            bench_bypass::run(rest.get(1..).unwrap_or_default())
        }
        Some("bench") if rest.first().is_some_and(|a| a == "live") => {
            bench_live::run(rest.get(1..).unwrap_or_default())
        }
        Some("bench") => bench::run(rest),
        Some("docs") => docs::run(rest),
        Some("formats") => formats::run(rest),
        Some("fuzz-seeds") => fuzz_seeds::run(),
        Some("lab-check") => accuracy::simulated::check(rest),
        Some("new-check") => new_check::run(rest),
        Some("tidy") => tidy::run(rest),
        Some("vm") => vm::run(rest),
        other => bail!("unknown verb {:?}; verbs:\n{VERBS}", other.unwrap_or_default()),
    }
}
