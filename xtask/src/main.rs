//! Project chores that need logic: `cargo xtask <verb>`. One file per verb; here is only the dispatch.
#![forbid(unsafe_code)]

mod accuracy;
mod coverage;
mod docs;
mod formats;
mod generated;
mod truth;

use anyhow::{Result, bail};

const VERBS: &str = "\
accuracy [--check] [--root DIR]   measure the verdict, write docs/accuracy.md
docs [--check]                     write docs/checks, docs/formats.md, docs/coverage.md
formats [-v] [PATH...]            how much of each text file is typed";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("accuracy") => accuracy::run(rest),
        Some("docs") => docs::run(rest),
        Some("formats") => formats::run(rest),
        other => bail!("unknown verb {:?}; verbs:\n{VERBS}", other.unwrap_or_default()),
    }
}
