//! `bondwitness doctor`: what this user can see on this host, what stays blind, and how to change that.
//!
//! The facts come from the host crate; `text` and `json` only tell them, so that what is told can be tested on facts of
//! hosts that are not here. The judge's lock-down is not described but tried: a child of this process takes every step
//! and says what came of it.

mod grant;
mod json;
mod text;

use super::Helped;
use crate::cli::Doctor;
use anyhow::{Context, Result, bail};
use bondwitness_host::doctor::{self, Facts};
use bondwitness_host::lockdown::{self, State};
use bondwitness_host::namespace::Namespace;
use bondwitness_host::terminal;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One step of the judge's lock-down as the child reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    id: String,
    takes: String,
    done: bool,
    how: String,
}

/// What is told.
struct View {
    facts: Facts,
    /// The steps of the lock-down, or why the child could not take them.
    judge: Result<Vec<Step>, String>,
    /// The program's path, for what is to be typed.
    program: String,
    /// The bond that was asked for.
    asked: Option<String>,
    /// The namespace that was asked for, as it was typed.
    netns: Option<String>,
}

impl View {
    /// Whether there is something to examine.
    fn found(&self) -> bool {
        match &self.asked {
            Some(name) => self.facts.bonds.iter().any(|b| b.name == *name),
            None => !self.facts.bonds.is_empty(),
        }
    }
}

pub(super) fn run(args: &Doctor, color: bool) -> Result<u8> {
    if args.try_lockdown {
        return try_lockdown();
    }
    let mut facts = match &args.netns {
        None => doctor::facts(),
        Some(name) => inside(name)?,
    };
    if let Some(bond) = &args.bond
        && facts.bonds.iter().any(|b| b.name == *bond)
    {
        facts.bonds.retain(|b| b.name == *bond);
    }
    let view = View {
        facts,
        judge: judge(),
        program: std::env::current_exe()
            .map_or_else(|_| "bondwitness".to_owned(), |p| p.to_string_lossy().into_owned()),
        asked: args.bond.clone(),
        netns: args.netns.clone(),
    };
    let out = if args.json {
        format!("{:#}\n", json::page(&view))
    } else {
        let width = terminal::columns().map_or(80, usize::from).clamp(60, 120);
        text::page(&view, width, color)
    };
    super::print(&out)?;
    Ok(if view.found() { 0 } else { 3 })
}

/// The facts of another network namespace: of a process, or of a name that `ip netns` knows.
fn inside(name: &str) -> Result<Facts> {
    let is_process = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    if !is_process && (name.is_empty() || name.contains('/') || name == "." || name == "..") {
        bail!(
            Helped::new(
                format!("cannot enter network namespace {name}: this is no name"),
                "pass a name that `ip netns list` shows, or the id of a process",
            )
            .code(2)
        );
    }
    let path = if is_process {
        PathBuf::from(format!("/proc/{name}/ns/net"))
    } else {
        PathBuf::from("/run/netns").join(name)
    };
    let refused = |e: std::io::Error| {
        let help = if e.kind() == std::io::ErrorKind::NotFound {
            "`ip netns list` shows the names; the namespace of a container is reached by the id of one of its processes"
        } else {
            "run as root: entering a namespace needs CAP_SYS_ADMIN"
        };
        Helped::new(format!("cannot enter network namespace {name}: {}", words(&e)), help)
    };
    let facts = Namespace::at(&path).and_then(|namespace| namespace.with(doctor::facts)).map_err(refused)?;
    Ok(facts)
}

/// The system's words, in lower case and without the number.
fn words(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// In the child: takes every step of the judge and reports.
fn try_lockdown() -> Result<u8> {
    let lockdown = lockdown::judge()?;
    let steps: Vec<Value> = lockdown
        .steps
        .iter()
        .map(|s| {
            let (done, how) = match &s.state {
                State::Done(how) => (true, how),
                State::NotHere(why) => (false, why),
            };
            json!({"id": s.id, "takes": s.takes, "done": done, "how": how})
        })
        .collect();
    super::print(&format!("{}\n", Value::Array(steps)))?;
    Ok(0)
}

/// Has a child take the steps of the judge.
fn judge() -> Result<Vec<Step>, String> {
    let steps = || -> Result<Vec<Step>> {
        let child = Command::new("/proc/self/exe")
            .args(["doctor", "--try-lockdown"])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .context("cannot start a child process")?;
        if !child.status.success() {
            let said = String::from_utf8_lossy(&child.stderr);
            let said = said.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            bail!(if said.is_empty() { format!("the child ended with {}", child.status) } else { said });
        }
        let steps: Value = serde_json::from_slice(&child.stdout).context("cannot read the child's answer")?;
        let word =
            |step: &Value, key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(steps
            .as_array()
            .into_iter()
            .flatten()
            .map(|s| Step {
                id: word(s, "id"),
                takes: word(s, "takes"),
                done: s.get("done").and_then(Value::as_bool).unwrap_or(false),
                how: word(s, "how"),
            })
            .collect())
    };
    steps().map_err(|e| format!("{e:#}"))
}

#[cfg(test)]
mod tests;
