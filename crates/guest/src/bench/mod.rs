//! What the program costs on a running bond, beside what people use instead (`cargo xtask bench live`).
//!
//! The guest's processor executes one instruction in one nanosecond of its clock and skips idle time: CPU times here are
//! counts of instructions, and the same in each run whatever the machine outside does.

mod idle;
mod snapshot;
mod storm;
mod whole;
mod world;

use anyhow::{Context, Result, bail};
use bondwitness_guest::bench_plan::{Bench, ROWS, Row};
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Where answers and bundles are put.
const OUT: &str = "/out";
/// The program that is measured.
const PROGRAM: &str = "/bondwitness";

/// Measures, and writes the answers to `disk` as one tar.
#[allow(clippy::print_stdout, reason = "the serial console shows how far the guest is")]
pub(crate) fn run(bench: &Bench, disk: File) -> Result<()> {
    fs::create_dir_all(OUT).context("cannot make a folder")?;
    for members in &bench.snapshots {
        snapshot::run(*members)?;
    }
    for members in &bench.idle {
        idle::run(*members)?;
    }
    for members in &bench.bundles {
        whole::bundle(*members)?;
    }
    for storm in &bench.storms {
        storm::run(storm)?;
    }
    for members in &bench.sos {
        whole::sos(*members)?;
    }
    let mut tar = tar::Builder::new(BufWriter::with_capacity(1 << 20, disk));
    tar.mode(tar::HeaderMode::Deterministic);
    tar.append_dir_all("bench", OUT).context("cannot write the answers")?;
    tar.into_inner()?.into_inner().context("cannot write the answers")?.sync_all()?;
    println!("guest: measured");
    std::io::stdout().flush().context("cannot write to the console")
}

/// A part that needs a process of its own: the guest's driver starts itself with these arguments.
pub(crate) fn child(args: &[String]) -> Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["send", dev, kind, rate, seconds] => storm::send(dev, kind, rate.parse()?, seconds.parse()?),
        other => bail!("nothing is called {other:?}"),
    }
}

/// Keeps an answer, and shows it.
#[allow(clippy::print_stdout, reason = "the serial console shows how far the guest is")]
fn keep(row: &Row) -> Result<()> {
    let line = serde_json::to_string(row).context("cannot print a row")?;
    println!("bench: {line}");
    let path = Path::new(OUT).join(ROWS);
    let mut file =
        fs::OpenOptions::new().create(true).append(true).open(path).context("cannot open the answers")?;
    writeln!(file, "{line}").context("cannot write an answer")
}

/// Nanoseconds of the guest's clock.
fn ns(seconds: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "far below 2^53")]
    let ns = (seconds * 1e9).round() as i64;
    ns
}
