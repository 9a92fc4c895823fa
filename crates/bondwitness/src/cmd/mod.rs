//! One file per command.

mod bypass;
mod diagnose;
mod doctor;
mod explain;
mod judge;
mod lab;
mod live;
mod redact;
mod schema;
mod txpath;
mod verify;

use crate::cli::{Cli, Color, Command};
use anyhow::{Context, Result};
use bondwitness_host::load::LoadError;
use bondwitness_host::lockdown::LockdownError;
use bondwitness_host::save::SaveError;
use bondwitness_host::terminal;

/// Runs the command; the result is the exit code.
pub(crate) fn run(cli: &Cli) -> Result<u8> {
    match &cli.command {
        Command::Bypass(args) => bypass::run(args),
        Command::Diagnose(args) => diagnose::run(args, color(cli.color)),
        Command::Doctor(args) => doctor::run(args, color(cli.color)),
        Command::Collect(args) => live::collect(args),
        Command::Judge => judge::run(),
        Command::Explain(args) => explain::run(args),
        Command::Lab(args) => lab::run(args, color(cli.color)),
        Command::Verify(args) => verify::run(args),
        Command::Redact(args) => redact::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Txpath(args) => txpath::run(args),
    }
}

/// An error with the step that helps, for errors that are made in this crate.
#[derive(Debug)]
pub(crate) struct Helped {
    what: String,
    help: String,
    code: u8,
}

impl Helped {
    pub(crate) fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into(), code: 1 }
    }

    /// With another exit code than 1.
    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }
}

impl std::fmt::Display for Helped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Helped {}

/// The exit code of an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Helped>().map_or(1, |h| h.code)
}

/// Prints an error and its help line on standard error.
#[allow(clippy::print_stderr, reason = "the one place where errors are printed")]
pub(crate) fn complain(error: &anyhow::Error) {
    // Errors of the loader and of this crate say everything themselves; others are told with their causes.
    let whole = error.downcast_ref::<Helped>().is_some()
        || error.downcast_ref::<LoadError>().is_some()
        || error.downcast_ref::<LockdownError>().is_some()
        || error.downcast_ref::<SaveError>().is_some();
    let text = if whole { error.to_string() } else { format!("{error:#}") };
    let text = bondwitness_core::report::printable(&text);
    let help = error.chain().find_map(|e| {
        e.downcast_ref::<Helped>()
            .map(|h| h.help.clone())
            .or_else(|| e.downcast_ref::<LoadError>().map(|l| l.help().to_owned()))
            .or_else(|| e.downcast_ref::<LockdownError>().map(|l| l.help().to_owned()))
            .or_else(|| e.downcast_ref::<SaveError>().map(|s| s.help().to_owned()))
    });
    // Nobody to tell if standard error is closed.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("error: {text}\n").as_bytes());
    if let Some(help) = help {
        let help = bondwitness_core::report::printable(&help);
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("help: {help}\n").as_bytes());
    }
}

/// Writes to standard output; a closed pipe is not an error.
pub(crate) fn print(text: &str) -> Result<()> {
    terminal::write_all_stdout(text.as_bytes()).context("cannot write to standard output")
}

fn color(wish: Color) -> bool {
    match wish {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            terminal::is_terminal_stdout() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        }
    }
}
