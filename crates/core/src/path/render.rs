//! The report as text and as JSON (schema `bondwitness/txpath/v1`).

use super::decide::{Conclusion, PlaceFound, Standing};
use super::stack::{Layer, Role};
use super::tally::{Amount, Tally, amount};
use super::{PathReport, Place};
use crate::case::Case;
use crate::evidence::Citation;
use crate::report::{printable, source};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// How many citations a line of text shows.
const SHOWN: usize = 4;

fn cites(case: &Case, at: &[Citation]) -> String {
    let mut list: Vec<String> = Vec::new();
    for c in at {
        let s = source(case, *c);
        if !list.contains(&s) {
            list.push(s);
        }
    }
    let more = list.len().saturating_sub(SHOWN);
    list.truncate(SHOWN);
    let mut text = list.join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

fn number(t: Option<&Tally>) -> String {
    match amount(t) {
        Amount::Grew(n, _) => n.to_string(),
        Amount::Still(_) => "0".to_owned(),
        Amount::Since(n, _) => format!("{n} ever"),
        Amount::Unread => "?".to_owned(),
    }
}

fn head(report: &PathReport) -> String {
    let iface = printable(&report.iface);
    match (&report.conclusion, report.places.first()) {
        (Conclusion::Found, Some(p)) => {
            let device = printable(&p.device);
            let what = printable(&p.what);
            match p.place {
                Place::Beyond => format!(
                    "{iface}: every frame left this host; no answer came back. Not this host's transmit path."
                ),
                Place::Receive => format!("{iface}: the frames leave, the answers die on {device}: {what}"),
                Place::AdminDown => format!("{iface}: nothing can leave: {device} is switched off"),
                Place::NoCarrier => format!(
                    "{iface}: nothing can leave: no carrier at {device}; why is a question to cable, port and switch"
                ),
                Place::NoMember => format!("{iface}: nothing can leave: {device} has no member"),
                Place::Bond | Place::Driver | Place::Busy | Place::Queue | Place::Filter => {
                    let owner = p.owner.map_or(String::new(), |o| format!(", owner: {}", o.name()));
                    let sure = if p.standing == Standing::Left { " (all else is excluded)" } else { "" };
                    format!("{iface}: frames die at {device}: {what}{owner}{sure}")
                }
            }
        }
        (Conclusion::Open, Some(p)) if p.place == Place::Beyond => format!(
            "{iface}: no answer came back; no frame is seen to be lost here, and not everything that could swallow one was read"
        ),
        (Conclusion::Open, first) => {
            let lost = report.lost.map_or_else(
                || "frames may be lost inside this host".to_owned(),
                |n| format!("{n} frames are lost inside this host"),
            );
            match (first, report.places.len()) {
                (None, _) => format!("{iface}: {lost}; nothing that was read is the place"),
                (_, 1) => format!("{iface}: {lost}, and one place is left that is not proven"),
                (_, n) => format!("{iface}: {lost}, and {n} places are left"),
            }
        }
        (Conclusion::NothingLost, _) => format!("{iface}: nothing is lost on the way to the wire"),
        _ => format!("{iface}: nothing was sent between the readings, or nothing was counted"),
    }
}

/// The report for people.
#[must_use]
pub fn text(case: &Case, report: &PathReport) -> String {
    let mut out = format!("{}\n\n", head(report));
    draw(report, &mut out);
    if !report.places.is_empty() {
        let title =
            if report.conclusion == Conclusion::Open { "What could be the place" } else { "The place" };
        let _ = writeln!(out, "\n{title}");
        for p in &report.places {
            place(case, p, &mut out);
        }
    }
    if !report.notes.is_empty() {
        out.push_str("\nWorth knowing\n");
        for (text, at) in &report.notes {
            let _ = writeln!(out, "  {}\n      [{}]", printable(text), cites(case, at));
        }
    }
    if !report.ruled_out.is_empty() {
        out.push_str("\nNot the place\n");
        for r in &report.ruled_out {
            let at = cites(case, &r.evidence);
            let at = if at.is_empty() { String::new() } else { format!(" [{at}]") };
            let _ = writeln!(out, "  {}: {}{at}", printable(&r.what), printable(&r.because));
        }
    }
    if !report.settle.is_empty() {
        out.push_str("\nWhat would settle it\n");
        for s in &report.settle {
            let _ = writeln!(out, "  {}\n      {}", printable(&s.run), printable(&s.expect));
        }
    }
    out
}

fn draw(report: &PathReport, out: &mut String) {
    let width = report.layers.iter().map(|l| l.name.chars().count()).max().unwrap_or(8).max(8);
    let _ = writeln!(out, "  {:width$}  {:12} {:>10} {:>10}", "layer", "", "passed", "dropped");
    for l in &report.layers {
        let role = match &l.role {
            Role::Vlan(Some(v)) => format!("vlan {v}"),
            other => other.name().to_owned(),
        };
        let mut state = Vec::new();
        if l.up.is_some_and(|(v, _)| !v) {
            state.push("off".to_owned());
        } else if l.carrier.is_some_and(|(v, _)| !v) {
            state.push("no carrier".to_owned());
        }
        if let Some((mtu, _)) = l.mtu {
            state.push(format!("mtu {mtu}"));
        }
        let _ = writeln!(
            out,
            "  {:width$}  {:12} {:>10} {:>10}  {}",
            printable(&l.name),
            printable(&role),
            number(l.ledger.passed.as_ref()),
            number(l.ledger.dropped.as_ref()),
            state.join(", ")
        );
        for f in l.ledger.filters.iter().filter(|f| f.egress) {
            let here = here(report, l, &f.program);
            let _ = writeln!(
                out,
                "  {:width$}    filter {}  {} dropped{here}",
                "",
                printable(&f.program),
                number(f.dropped.as_ref())
            );
        }
        for q in &l.ledger.queues {
            let what = format!("{} {}", q.kind, q.handle);
            let here = here(report, l, what.trim_end());
            let _ = writeln!(
                out,
                "  {:width$}    queue {}  {} dropped, {} waiting{here}",
                "",
                printable(what.trim_end()),
                number(Some(&q.dropped)),
                q.backlog
            );
        }
    }
}

fn here(report: &PathReport, l: &Layer, what: &str) -> &'static str {
    let is = report
        .places
        .iter()
        .any(|p| p.device == l.name && p.what == what && p.standing != Standing::Possible);
    if is { "   <-- here" } else { "" }
}

fn place(case: &Case, p: &PlaceFound, out: &mut String) {
    let owner = p.owner.map_or(String::new(), |o| format!(", owner: {}", o.name()));
    let _ = writeln!(
        out,
        "  {} at {} ({}; row {}){owner}\n      {}",
        printable(&p.what),
        printable(&p.device),
        p.standing.name(),
        p.rows,
        printable(&p.text)
    );
    let at = cites(case, &p.evidence);
    if !at.is_empty() {
        let _ = writeln!(out, "      [{at}]");
    }
    if !p.remedy.is_empty() {
        let _ = writeln!(out, "      do: {}", printable(&p.remedy));
    }
}

fn tally(t: Option<&Tally>) -> Value {
    match amount(t) {
        Amount::Grew(n, _) => json!({"window": n}),
        Amount::Still(_) => json!({"window": 0}),
        Amount::Since(n, _) => json!({"ever": n}),
        Amount::Unread => Value::Null,
    }
}

/// The report for programs.
#[must_use]
pub fn json(case: &Case, report: &PathReport) -> Value {
    let at = |list: &[Citation]| -> Vec<String> {
        let mut all: Vec<String> = list.iter().map(|c| source(case, *c)).collect();
        all.dedup();
        all
    };
    let layers: Vec<Value> = report
        .layers
        .iter()
        .map(|l| {
            json!({
                "name": printable(&l.name),
                "role": l.role.name(),
                "vlan": if let Role::Vlan(v) = l.role { v } else { None },
                "up": l.up.map(|v| v.0),
                "carrier": l.carrier.map(|v| v.0),
                "mtu": l.mtu.map(|v| v.0),
                "passed": tally(l.ledger.passed.as_ref()),
                "dropped": tally(l.ledger.dropped.as_ref()),
                "errors": tally(l.ledger.errors.as_ref()),
                "received": tally(l.ledger.received.as_ref()),
                "queues": l.ledger.queues.iter().map(|q| json!({
                    "kind": printable(&q.kind), "handle": printable(&q.handle), "root": q.root,
                    "sent": tally(Some(&q.sent)), "dropped": tally(Some(&q.dropped)),
                    "requeues": tally(Some(&q.requeues)), "backlog": q.backlog,
                })).collect::<Vec<_>>(),
                "filters": l.ledger.filters.iter().map(|f| json!({
                    "program": printable(&f.program), "hook": if f.egress { "egress" } else { "ingress" },
                    "owner": f.owner.name(), "dropped": tally(f.dropped.as_ref()), "vlans": f.vlans,
                    "evidence": at(&[f.at]),
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let places: Vec<Value> = report
        .places
        .iter()
        .map(|p| {
            json!({
                "place": p.place.name(), "device": printable(&p.device), "what": printable(&p.what),
                "rows": p.rows, "standing": p.standing.name(), "frames": p.frames, "text": printable(&p.text),
                "owner": p.owner.map(super::Owner::name), "remedy": printable(&p.remedy), "evidence": at(&p.evidence),
            })
        })
        .collect();
    json!({
        "schema": "bondwitness/txpath/v1",
        "interface": printable(&report.iface),
        "conclusion": report.conclusion.name(),
        "lost": report.lost,
        "layers": layers,
        "places": places,
        "ruled_out": report.ruled_out.iter().map(|r| json!({
            "what": printable(&r.what), "because": printable(&r.because), "evidence": at(&r.evidence),
        })).collect::<Vec<_>>(),
        "notes": report.notes.iter().map(|(t, c)| json!({"text": printable(t), "evidence": at(c)})).collect::<Vec<_>>(),
        "settle": report.settle.iter().map(|s| json!({"run": printable(&s.run), "expect": printable(&s.expect)})).collect::<Vec<_>>(),
    })
}
