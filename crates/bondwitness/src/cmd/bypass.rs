//! `bondwitness bypass`: the VLAN interface that stands on a member instead of on the bond.

use super::Helped;
use crate::cli::{Bypass, BypassApply, BypassCommand, BypassPlan, BypassRemove, BypassRun};
use anyhow::{Result, bail};
use bondwitness_core::plan::bypass::{Planned, Stand, plan_removal};
use bondwitness_core::plan::contest::Paused;
use bondwitness_core::plan::desired::{self, Entry};
use bondwitness_core::plan::execute::{OnFailure, Outcome, execute};
use bondwitness_core::plan::{as_json, as_text};
use bondwitness_host::apply::{self, ApplyError, Host, Keeper};
use bondwitness_host::reconcile::{self, Pass, Told};
use bondwitness_host::{notify, rival};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Refused by a guard rail.
const REFUSED: u8 = 5;
/// Nothing to work on yet: no such bond here.
const NOTHING: u8 = 3;
/// Another instance holds the lock.
const LOCKED: u8 = 6;

pub(super) fn run(args: &Bypass) -> Result<u8> {
    match &args.command {
        BypassCommand::Plan(args) => plan(args),
        BypassCommand::Apply(args) => apply(args),
        BypassCommand::Run(args) => keep(args),
        BypassCommand::Remove(args) => remove(args),
    }
}

fn helped(error: ApplyError) -> anyhow::Error {
    let code = if matches!(error, ApplyError::Locked(_)) { LOCKED } else { 1 };
    Helped::new(error.to_string(), error.help()).code(code).into()
}

fn plan(args: &BypassPlan) -> Result<u8> {
    let wanted = configuration(&args.place.file).map_err(wrong)?;
    let state = apply::state(&args.place.state).map_err(helped)?;
    let planned = reconcile::plan(&wanted, &state).map_err(helped)?;
    show(&planned, None, args.json)?;
    if args.ready && !planned.ready() {
        return Ok(1);
    }
    Ok(code(&planned, None))
}

fn apply(args: &BypassApply) -> Result<u8> {
    if args.dry_run {
        return plan(&BypassPlan { place: args.place.clone(), ready: false, json: args.json });
    }
    let wanted = configuration(&args.place.file).map_err(wrong)?;
    let keeper = lock(&args.place.state, "apply")?;
    let mut state = keeper.state().map_err(helped)?;
    let planned = reconcile::plan(&wanted, &state).map_err(helped)?;
    let mut host = Host::new(&keeper).map_err(helped)?;
    let outcome = execute(&planned.plan, &planned.bookkeeping, &mut state, OnFailure::UndoAll, &mut host);
    show(&planned, Some(&outcome), args.json)?;
    Ok(code(&planned, Some(&outcome)))
}

fn remove(args: &BypassRemove) -> Result<u8> {
    let planned = |state| -> Result<Planned> {
        let world = apply::look().map_err(helped)?;
        Ok(plan_removal(&args.name, args.in_use, &world, state))
    };
    if args.dry_run {
        let planned = planned(&apply::state(&args.state).map_err(helped)?)?;
        show(&planned, None, args.json)?;
        return Ok(code(&planned, None));
    }
    let keeper = lock(&args.state, "remove")?;
    let mut state = keeper.state().map_err(helped)?;
    let planned = planned(&state)?;
    let mut host = Host::new(&keeper).map_err(helped)?;
    let outcome = execute(&planned.plan, &planned.bookkeeping, &mut state, OnFailure::UndoAll, &mut host);
    show(&planned, Some(&outcome), args.json)?;
    Ok(code(&planned, Some(&outcome)))
}

fn lock(folder: &Path, verb: &str) -> Result<Keeper> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let who = format!("`bondwitness bypass {verb}` (process {} on {})", std::process::id(), host.trim());
    Keeper::lock(folder, &who).map_err(helped)
}

fn show(planned: &Planned, outcome: Option<&Outcome>, json: bool) -> Result<()> {
    if json {
        super::print(&format!("{:#}\n", as_json(planned, outcome, &[])))
    } else {
        super::print(&as_text(planned, outcome, &[]))
    }
}

fn code(planned: &Planned, outcome: Option<&Outcome>) -> u8 {
    if outcome.is_some_and(|o| !o.failed.is_empty()) {
        1
    } else if !planned.refused.is_empty() {
        REFUSED
    } else if planned.entries.iter().any(|e| matches!(e.stand, Stand::Waiting(_))) {
        NOTHING
    } else {
        0
    }
}

fn wrong(what: String) -> anyhow::Error {
    let help = "docs/bypass.md has the reference of the file; `bondwitness bypass plan FILE` tries it \
        without changing anything";
    Helped::new(what, help).code(2).into()
}

/// Reads a file, or all `.yaml` and `.yml` files of a folder in the order of their names.
fn configuration(path: &Path) -> Result<Vec<Entry>, String> {
    let cannot = |path: &Path, e: std::io::Error| format!("cannot read {}: {e}", path.display());
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let listed = std::fs::read_dir(path).map_err(|e| cannot(path, e))?;
        let listed = listed.map(|e| e.map(|e| e.path())).collect::<Result<Vec<PathBuf>, _>>();
        files = listed.map_err(|e| cannot(path, e))?;
        files.retain(|f| f.is_file() && f.extension().is_some_and(|e| e == "yaml" || e == "yml"));
        files.sort();
        if files.is_empty() {
            return Err(format!("cannot read {}: it has no file that ends in .yaml", path.display()));
        }
    }
    let mut entries: Vec<(Entry, PathBuf)> = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| cannot(&file, e))?;
        let new = desired::read(&text).map_err(|e| format!("cannot understand {}: {e}", file.display()))?;
        for entry in new {
            if let Some((what, other)) =
                entries.iter().find_map(|(e, f)| Some((desired::conflict(e, &entry)?, f)))
            {
                return Err(format!(
                    "cannot understand {}: {what}; the other is in {}",
                    file.display(),
                    other.display()
                ));
            }
            entries.push((entry, file.clone()));
        }
    }
    Ok(entries.into_iter().map(|(e, _)| e).collect())
}

fn keep(args: &BypassRun) -> Result<u8> {
    let wanted = configuration(&args.place.file).map_err(wrong)?;
    if args.resync == 0 {
        bail!(Helped::new("cannot look at everything every 0 seconds", "--resync takes 1 or more").code(2));
    }
    let keeper = lock(&args.place.state, "run")?;
    let mut teller = Teller { args, last: Vec::new(), ready: None, failed: None };
    let mut read = || configuration(&args.place.file);
    let result = reconcile::run(&keeper, wanted, Duration::from_secs(args.resync), &mut read, &mut |told| {
        teller.tell(told)
    });
    teller.set_ready(false);
    notify::service("STOPPING=1");
    result.map_err(helped)?;
    match teller.failed {
        Some(e) => Err(e),
        None => Ok(0),
    }
}

/// Tells what happens, line by line: only what is new.
struct Teller<'a> {
    args: &'a BypassRun,
    /// How each entry stood when it was last told.
    last: Vec<(String, String)>,
    ready: Option<bool>,
    failed: Option<anyhow::Error>,
}

impl Teller<'_> {
    fn tell(&mut self, told: &Told<'_>) {
        match told {
            Told::Pass(pass) => self.pass(pass),
            Told::Configuration(e) => self.line(&json!({"event": "configuration", "text": format!("{e}; the last one that was right stays in force")})),
            Told::Blind(e) => {
                self.line(&json!({"event": "blind", "text": e}));
                self.set_ready(false);
            }
        }
    }

    fn pass(&mut self, pass: &Pass) {
        let mut ready =
            pass.planned.refused.is_empty() && pass.outcome.failed.is_empty() && pass.paused.is_empty();
        let mut now = Vec::new();
        for entry in &pass.planned.entries {
            let failed = pass.outcome.failed.iter().find(|f| f.entry == entry.name);
            let paused = pass.paused.iter().find(|p| p.entry == entry.name);
            let index = pass.indices.iter().find(|(n, _)| *n == entry.name).map(|(_, i)| *i);
            let (event, text) = if let Some(p) = paused {
                ready = false;
                (if p.failing { "failing" } else { "contested" }, contested(p, index, &entry.stand))
            } else if let Some(f) = failed {
                ready = false;
                (
                    "failed",
                    format!("{}; taken back: {}; left: {}", f.what, f.undone.join(", "), f.left.join(", ")),
                )
            } else {
                match &entry.stand {
                    Stand::Ready => ("ready", "as wanted".to_owned()),
                    Stand::Change { because, .. } => ("changed", because.join("; ")),
                    Stand::Waiting(why) => {
                        ready = false;
                        ("waiting", why.clone())
                    }
                    Stand::Refused => {
                        ready = false;
                        let refusals = pass.planned.refused.iter().filter(|r| r.entry == entry.name);
                        let all: Vec<String> =
                            refusals.map(|r| format!("{}; instead: {}", r.why, r.instead)).collect();
                        ("refused", all.join("; "))
                    }
                }
            };
            let key = (entry.name.clone(), format!("{event} {}", if paused.is_some() { "" } else { &text }));
            // A repair is told each time; a lasting state once.
            if event == "changed" || !self.last.contains(&key) {
                let steps: Vec<String> = pass
                    .planned
                    .plan
                    .steps
                    .iter()
                    .enumerate()
                    .filter(|(i, s)| s.entry == entry.name && pass.outcome.done.contains(i))
                    .map(|(_, s)| s.action.to_string())
                    .collect();
                let notes: Vec<&String> =
                    pass.planned.notes.iter().filter(|(n, _)| *n == entry.name).map(|(_, t)| t).collect();
                self.line(&json!({
                    "event": event, "entry": entry.name, "what": entry.what, "text": text, "done": steps, "notes": notes,
                }));
            }
            now.push(key);
        }
        self.last = now;
        self.set_ready(ready);
    }

    fn line(&mut self, value: &Value) {
        let result = if self.args.json {
            super::print(&format!("{value}\n"))
        } else {
            let part = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
            let list = |key: &str| -> Vec<&str> {
                value
                    .get(key)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect()
            };
            let mut line = format!("{} {}: {}", part("event"), part("entry"), part("text"));
            if !list("done").is_empty() {
                line = format!("{line}; done: {}", list("done").join(", "));
            }
            for note in list("notes") {
                line = format!("{line}\n  note: {note}");
            }
            super::print(&format!("{}\n", line.trim_end()))
        };
        // Nobody listens any more: the work goes on, and how it ended is told at the end.
        if let Err(e) = result {
            self.failed.get_or_insert(e);
        }
    }

    /// Tells whoever waits for it that all is as wanted, or not any more.
    fn set_ready(&mut self, ready: bool) {
        if self.ready == Some(ready) {
            return;
        }
        // A service has started when it has looked once; that something waits or is refused is its status.
        if self.ready.is_none() {
            notify::service("READY=1");
        }
        notify::service(if ready {
            "STATUS=all interfaces are as wanted"
        } else {
            "STATUS=not all interfaces are as wanted"
        });
        self.ready = Some(ready);
        if let Some(path) = &self.args.ready_file {
            let done = if ready { std::fs::write(path, b"ready\n") } else { std::fs::remove_file(path) };
            if let Err(e) = done
                && (e.kind() != std::io::ErrorKind::NotFound || ready)
            {
                self.line(
                    &json!({"event": "failed", "text": format!("cannot write {}: {e}", path.display())}),
                );
            }
        }
    }
}

fn contested(paused: &Paused, index: Option<u32>, stand: &Stand) -> String {
    let because = if let Stand::Change { because, .. } = stand { because.join("; ") } else { String::new() };
    if paused.failing {
        return format!("{because}; the kernel refused, it is tried again later");
    }
    let who = rival::suspects(index);
    let who = if who.is_empty() {
        "nothing that can be seen from here tells who".to_owned()
    } else {
        who.join("; ")
    };
    format!("our work is undone again and again, so it is left alone for now: {because}; {who}")
}
