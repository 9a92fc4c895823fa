//! The `bondwitness` program: arguments in, exit code out.
#![forbid(unsafe_code)]

mod cli;
mod cmd;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cmd::run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            cmd::complain(&error);
            ExitCode::from(cmd::exit_code(&error))
        }
    }
}
