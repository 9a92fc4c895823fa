//! A plan and what came of it, for people and for programs (schema `bondwitness/bypass/v1`).

use super::Step;
use super::bypass::{Outlook, Planned, Stand};
use super::contest::Paused;
use super::execute::Outcome;
use serde_json::{Value, json};
use std::fmt::Write as _;

fn lines<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// For people. `outcome` is there if the plan was carried out.
#[must_use]
pub fn as_text(planned: &Planned, outcome: Option<&Outcome>, paused: &[Paused]) -> String {
    let mut out = String::new();
    if planned.entries.is_empty() {
        out.push_str("nothing is wanted, and nothing is there\n");
    }
    let mut told: Vec<&str> = Vec::new();
    for entry in &planned.entries {
        // A removal may be told of more than once, when something half made goes too.
        if told.contains(&entry.name.as_str()) {
            continue;
        }
        told.push(&entry.name);
        let _ = writeln!(out, "{}: {}", entry.name, entry.what);
        let _ = writeln!(out, "  {}", standing(entry));
        for p in paused.iter().filter(|p| p.entry == entry.name) {
            let why = if p.failing { "the kernel refuses" } else { "somebody undoes our work" };
            let _ = writeln!(out, "  left alone for now: {why}");
        }
        for refusal in planned.refused.iter().filter(|r| r.entry == entry.name) {
            let _ = writeln!(out, "  refused: {}", refusal.why);
            let _ = writeln!(out, "  instead: {}", refusal.instead);
        }
        for (at, step) in planned.plan.steps.iter().enumerate().filter(|(_, s)| s.entry == entry.name) {
            let _ = writeln!(out, "  {:>2}. {}{}", at + 1, step.action, done(at, outcome));
            let _ = writeln!(out, "      undo:   {}", undo(step));
            let _ = writeln!(out, "      before: {}", lines(&step.needs).join("; "));
            let _ = writeln!(out, "      after:  {}", lines(&step.verify).join("; "));
        }
        for failed in outcome.into_iter().flat_map(|o| &o.failed).filter(|f| f.entry == entry.name) {
            let _ = writeln!(out, "  step {} failed: {}", failed.step + 1, failed.what);
            for line in &failed.undone {
                let _ = writeln!(out, "  taken back: {line}");
            }
            for line in &failed.left {
                let _ = writeln!(out, "  NOT taken back: {line}");
            }
        }
        for (_, note) in planned.notes.iter().filter(|(e, _)| *e == entry.name) {
            let _ = writeln!(out, "  note: {note}");
        }
    }
    let _ = match outcome {
        None => writeln!(out, "{} steps, {} refused", planned.plan.steps.len(), planned.refused.len()),
        Some(o) => writeln!(
            out,
            "{} of {} steps done, {} changes sent to the kernel, {} failed, {} refused",
            o.done.len(),
            planned.plan.steps.len(),
            o.writes,
            o.failed.len(),
            planned.refused.len()
        ),
    };
    out
}

fn done(at: usize, outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        Some(o) if o.done.contains(&at) => "  (done)",
        Some(_) => "  (not done)",
        None => "",
    }
}

fn undo(step: &Step) -> String {
    if step.undo.is_empty() {
        "goes with the undoing of an earlier step, or needs none".to_owned()
    } else {
        lines(&step.undo).join("; ")
    }
}

fn standing(entry: &Outlook) -> String {
    match &entry.stand {
        Stand::Ready => "as wanted".to_owned(),
        Stand::Change { because, .. } => because.join("; "),
        Stand::Waiting(why) => format!("waiting: {why}"),
        Stand::Refused => "held back".to_owned(),
    }
}

/// For programs.
#[must_use]
pub fn as_json(planned: &Planned, outcome: Option<&Outcome>, paused: &[Paused]) -> Value {
    let entries: Vec<Value> = planned
        .entries
        .iter()
        .map(|e| {
            let (stand, because) = match &e.stand {
                Stand::Ready => ("ready", Vec::new()),
                Stand::Change { because, .. } => ("change", because.clone()),
                Stand::Waiting(why) => ("waiting", vec![why.clone()]),
                Stand::Refused => ("refused", Vec::new()),
            };
            let paused = paused.iter().find(|p| p.entry == e.name);
            let notes: Vec<&String> =
                planned.notes.iter().filter(|(n, _)| *n == e.name).map(|(_, t)| t).collect();
            json!({
                "name": e.name, "what": e.what, "stand": stand, "because": because, "notes": notes,
                "contested": paused.is_some_and(|p| !p.failing), "paused": paused.is_some(),
            })
        })
        .collect();
    let steps: Vec<Value> = planned
        .plan
        .steps
        .iter()
        .enumerate()
        .map(|(at, s)| {
            json!({
                "entry": s.entry, "action": s.action.to_string(), "undo": lines(&s.undo),
                "before": lines(&s.needs), "after": lines(&s.verify),
                "done": outcome.map(|o| o.done.contains(&at)),
            })
        })
        .collect();
    let refused: Vec<Value> = planned
        .refused
        .iter()
        .map(|r| json!({"entry": r.entry, "why": r.why, "instead": r.instead}))
        .collect();
    let failed: Vec<Value> = outcome
        .into_iter()
        .flat_map(|o| &o.failed)
        .map(|f| json!({"entry": f.entry, "step": f.step + 1, "what": f.what, "undone": f.undone, "left": f.left}))
        .collect();
    json!({
        "schema": "bondwitness/bypass/v1", "ready": planned.ready(), "entries": entries, "steps": steps,
        "refused": refused, "failed": failed, "writes": outcome.map(|o| o.writes),
    })
}
