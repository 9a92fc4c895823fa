//! The driver: reads the plan, runs it, writes the tar.
#![forbid(unsafe_code)]

mod bench;
mod capture;
mod collector;
mod difflog;
mod driver;
mod fault;
mod incident;
mod kmsg;
mod paths;
mod programs;
mod record;
mod speaker;
mod starve;
mod topology;
mod traffic;

use anyhow::{Context, Result};
use bondwitness_guest::plan::Plan;
use std::fs;
use std::process::ExitCode;

/// Where the first process finds the plan, and the disk that the evidence goes to.
const PLAN: &str = "/plan.json";
const DISK: &str = "/dev/vda";

#[allow(clippy::print_stdout, reason = "the serial console is the only way to tell what went wrong")]
fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("guest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if !args.is_empty() {
        return bench::child(&args);
    }
    let text = fs::read(PLAN).with_context(|| format!("cannot read {PLAN}"))?;
    let plan: Plan = serde_json::from_slice(&text).with_context(|| format!("cannot understand {PLAN}"))?;
    let disk =
        fs::OpenOptions::new().write(true).open(DISK).with_context(|| format!("cannot open {DISK}"))?;
    if let Some(bench) = &plan.bench {
        return bench::run(bench, disk);
    }
    if !plan.paths.is_empty() {
        return paths::run(&plan.paths, disk);
    }
    driver::run(&plan, disk)
}
