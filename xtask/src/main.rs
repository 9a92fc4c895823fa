//! Project chores that need logic: `cargo xtask <verb>`.

mod formats;
mod fuzz_seeds;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("formats") => formats::run(rest),
        Some("fuzz-seeds") => fuzz_seeds::run(),
        other => bail!("unknown verb {other:?}; verbs: formats [-v] [PATH...], fuzz-seeds"),
    }
}
