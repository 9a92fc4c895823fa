//! Project chores that need logic: `cargo xtask <verb>`.

mod bench;
mod formats;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("bench") => bench::run(rest),
        Some("formats") => formats::run(rest),
        other => bail!("unknown verb {other:?}; verbs: bench [FRAMES], formats [-v] [PATH...]"),
    }
}
