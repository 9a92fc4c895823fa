//! `bondwitness lab`: faults with a known culprit, for practice and for doubt.

use super::Helped;
use crate::cli::{Lab, LabCommand, LabRun};
use anyhow::{Context, Result, bail};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::report::{json_v1, text};
use bondwitness_host::{save, terminal};
use bondwitness_lab::incident::{Decidable, Incident, Truth};
use bondwitness_lab::{catalog, scenario::Scenario};
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) fn run(args: &Lab, color: bool) -> Result<u8> {
    match &args.command {
        LabCommand::List { json } => list(*json),
        LabCommand::Run(args) => one(args, color),
    }
}

fn list(json: bool) -> Result<u8> {
    let all = catalog::all()?;
    let text = if json {
        let rows: Vec<Value> = all
            .iter()
            .map(|s| {
                json!({
                    "name": s.name,
                    "family": s.family,
                    "fault_domain": s.fault_domain,
                    "decidable": decidable(s.decidable),
                })
            })
            .collect();
        format!("{:#}\n", Value::Array(rows))
    } else {
        let width = all.iter().map(|s| s.name.len()).max().unwrap_or(0);
        all.iter().fold(String::new(), |mut t, s| {
            let _ = writeln!(t, "{:<width$}  {}", s.name, s.title);
            t
        })
    };
    super::print(&text)?;
    Ok(0)
}

const fn decidable(d: Decidable) -> &'static str {
    match d {
        Decidable::Side => "side",
        Decidable::Exoneration => "exoneration",
        Decidable::Nothing => "nothing",
    }
}

fn one(args: &LabRun, color: bool) -> Result<u8> {
    let Some(scenario) = catalog::find(&args.scenario)? else {
        let near: Vec<&str> = catalog::names()
            .into_iter()
            .filter(|n| args.scenario.split('-').any(|w| w.len() > 3 && n.contains(w)))
            .take(6)
            .collect();
        bail!(
            Helped::new(
                format!("cannot run {}: there is no such scenario", args.scenario),
                if near.is_empty() {
                    "`bondwitness lab list` lists all scenarios".to_owned()
                } else {
                    format!("did you mean: {}", near.join(", "))
                },
            )
            .code(2)
        );
    };
    let incident = scenario.draw(args.seed).context("cannot draw the incident")?;
    let run = bondwitness_lab::run(&incident);
    if let Some(folder) = &args.output {
        save::folder(folder, &run.files)?;
    }
    let inputs: Vec<Input<'_>> = run
        .files
        .iter()
        .map(|(path, bytes)| Input { path, bytes, sha256: Some(diagnose::sha256_hex(bytes)), problem: None })
        .collect();
    let report = diagnose::diagnose(&inputs);
    let verdict = json_v1::report(&report, env!("CARGO_PKG_VERSION"));
    if args.json {
        let out = json!({
            "scenario": scenario.name,
            "seed": args.seed,
            "truth": truth_json(&incident.truth),
            "verdict": serde_json::to_value(&verdict)?,
        });
        super::print(&format!("{out:#}\n"))?;
        return Ok(0);
    }
    let width = terminal::columns().map_or(80, usize::from).clamp(60, 120);
    let mut out = heading(&scenario, &incident, args);
    out.push('\n');
    out.push_str(&text::report(&report, text::Options { color, width, verbose: args.verbose }));
    super::print(&out)?;
    Ok(0)
}

fn truth_json(t: &Truth) -> Value {
    json!({
        "fault_domain": t.fault_domain,
        "side": t.side,
        "members": t.members,
        "direction": t.direction,
        "decidable": decidable(t.decidable),
    })
}

/// What was done, and what is true.
fn heading(scenario: &Scenario, incident: &Incident, args: &LabRun) -> String {
    let mut t = format!("SCENARIO  {} (seed {})\n          {}\n", scenario.name, args.seed, scenario.title);
    let topology = &incident.topology;
    let members: Vec<&str> = topology.members.iter().map(|m| m.name.as_str()).collect();
    let _ = writeln!(
        t,
        "          {} of {} members ({}), {}",
        topology.host.bond,
        members.len(),
        members.join(", "),
        if topology.switch.mlag { "an MLAG pair" } else { "one switch" },
    );
    let truth = &incident.truth;
    let mut line = format!("TRUTH     {} (side {})", truth.fault_domain, truth.side);
    if !truth.members.is_empty() {
        let _ = write!(line, ", member {}", truth.members.join(", "));
    }
    if let Some(way) = truth.direction {
        let way = match way {
            bondwitness_lab::fault::Way::HostToSwitch => "host to switch",
            bondwitness_lab::fault::Way::SwitchToHost => "switch to host",
            bondwitness_lab::fault::Way::Both => "both directions",
        };
        let _ = write!(line, ", {way}");
    }
    let _ = writeln!(t, "{line}");
    let _ = writeln!(
        t,
        "          what survives of the evidence can decide: {}",
        match truth.decidable {
            Decidable::Side => "the side".to_owned(),
            Decidable::Exoneration => format!("only that the {} is clear", truth.cleared.join(" and the ")),
            Decidable::Nothing => "nothing".to_owned(),
        }
    );
    t.push_str(&injected(incident));
    match &args.output {
        Some(folder) => {
            let _ = writeln!(t, "EVIDENCE  {} (without this truth)", folder.display());
        }
        None => {
            t.push_str("EVIDENCE  kept in memory; `-o DIR` writes the folder that the verdict is given on\n")
        }
    }
    t
}

/// What happened, in order of time: faults and harmless oddities alike.
fn injected(incident: &Incident) -> String {
    let topology = &incident.topology;
    let name = |i: usize| topology.members.get(i).map_or("", |m| m.name.as_str());
    let mut t = String::new();
    for fault in &incident.faults {
        let Ok(Value::Object(mut what)) = serde_json::to_value(&fault.fault) else { continue };
        let kind = what.remove("kind").and_then(|k| k.as_str().map(str::to_owned)).unwrap_or_default();
        let member = match what.remove("member").as_ref().and_then(Value::as_str) {
            Some("victim") => format!(" {}", name(topology.victim)),
            Some("other") => format!(" {}", name(topology.other)),
            Some(_) => " every member".to_owned(),
            None => String::new(),
        };
        let rest: Vec<String> = what
            .iter()
            .map(|(k, v)| match v {
                Value::String(word) => format!("{k} {word}"),
                Value::Number(n) if n.is_f64() => format!("{k} {:.2}", n.as_f64().unwrap_or(0.0)),
                v => format!("{k} {v}"),
            })
            .collect();
        let at = incident.topology.host.wall_s as i64 * 1_000 + i64::try_from(fault.at_ms).unwrap_or(0);
        let when = if fault.at_ms == 0 {
            "from the start".to_owned()
        } else {
            let clock = bondwitness_core::units::rfc3339(at.saturating_mul(1_000_000)).unwrap_or_default();
            match fault.for_ms {
                Some(ms) => format!("{clock} for {:.1} s", ms as f64 / 1000.0),
                None => format!("{clock} for good"),
            }
        };
        let rest = if rest.is_empty() { String::new() } else { format!(" ({})", rest.join(", ")) };
        let head = if t.is_empty() { "INJECTED" } else { "" };
        let _ = writeln!(t, "{head:<10}{when}: {kind}{member}{rest}");
    }
    t
}
