//! What kernels did against what the simulator does with the same incident: recordings of boots with two Linux ends.

use super::catalogue::Trial;
use super::kept;
use anyhow::{Context, Result};
use bondwitness_core::capture::reader;
use bondwitness_core::evidence::Direction;
use bondwitness_guest::{plan, support};
use bondwitness_lab::compare::{self, Change, Fit};
use bondwitness_lab::incident::Incident;
use lacp::wire::{self, SlowPdu};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// How the incidents of one scenario compare.
#[derive(Default)]
struct Tally {
    alike: usize,
    all: usize,
    changes: usize,
    worst_ms: u64,
    first: Option<String>,
}

/// Compares all incidents of finished boots below `keep` whose both ends are Linux, and writes the recordings of those that
/// are alike to `excerpts`. Returns a table.
pub(super) fn compare(keep: &Path, only: Option<&str>, excerpts: Option<&Path>) -> Result<String> {
    let mut by_scenario: BTreeMap<(String, String), Tally> = BTreeMap::new();
    for folder in kept::finished(keep)? {
        let kernel = kept::kernel_of(&folder);
        for (n, trial) in kept::trials(&folder)?.into_iter().enumerate() {
            if only.is_some_and(|o| !trial.name.starts_with(o)) {
                continue;
            }
            let Some((incident, recorded)) = recorded(&folder.join(&trial.name), n, &trial, &kernel)? else {
                continue;
            };
            let tally = by_scenario.entry((trial.incident.scenario.clone(), kernel.clone())).or_default();
            tally.all += 1;
            match compare::fit(&incident, &recorded) {
                Ok(Fit { changes, worst_ms, .. }) => {
                    tally.alike += 1;
                    tally.changes += changes;
                    tally.worst_ms = tally.worst_ms.max(worst_ms);
                    if let Some(to) = excerpts {
                        let text =
                            compare::to_text(&incident, &recorded).context("cannot write an excerpt")?;
                        let name = format!("{kernel}-{}.txt", trial.name);
                        fs::write(to.join(name), text).context("cannot write an excerpt")?;
                    }
                }
                Err(why) => {
                    tally.first.get_or_insert_with(|| format!("{}: {why}", trial.name));
                }
            }
        }
    }
    Ok(table(&by_scenario))
}

fn table(by_scenario: &BTreeMap<(String, String), Tally>) -> String {
    let mut text = String::from(
        "| scenario | kernel | incidents | alike | transitions | farthest apart, ms |\n|---|---|---|---|---|---|\n",
    );
    for ((scenario, kernel), t) in by_scenario {
        let _ = writeln!(
            text,
            "| {scenario} | {kernel} | {} | {} | {} | {} |",
            t.all, t.alike, t.changes, t.worst_ms
        );
    }
    let (alike, all) = by_scenario.values().fold((0, 0), |(a, b), t| (a + t.alike, b + t.all));
    let _ = writeln!(text, "\n{alike} of {all} incidents are alike.\n");
    for why in by_scenario.values().filter_map(|t| t.first.as_ref()) {
        let _ = writeln!(text, "differs: {why}");
    }
    text
}

/// The incident with its faults at the times at which the guest injected them, and what the ends sent; `None` if it is no
/// incident to compare.
fn recorded(folder: &Path, n: usize, trial: &Trial, kernel: &str) -> Result<Option<(Incident, Vec<Change>)>> {
    // Linux changes these settings of a bond that is down only: the guest takes it down and up again, the simulator does not.
    let restarts = trial.incident.faults.iter().any(|f| {
        use bondwitness_lab::fault::Fault::{HostPassive, HostRate, SwitchPassive, SwitchRate};
        f.at_ms > 0
            && matches!(f.fault, HostRate { .. } | HostPassive {} | SwitchRate { .. } | SwitchPassive {})
    });
    if restarts || support::needs_speaker(&trial.incident) || !folder.join("events.txt").is_file() {
        return Ok(None);
    }
    let events = fs::read_to_string(folder.join("events.txt")).context("cannot read the events")?;
    let Some((incident, opened_ns)) = as_injected(&trial.incident, &events, kernel) else { return Ok(None) };
    let mut frames = Vec::new();
    for member in 0..incident.topology.members.len() {
        let half = if incident.topology.switch.mlag && member % 2 == 1 { "swB" } else { "sw" };
        for (from_host, name) in [
            (true, format!("host-{}", plan::member_name(n, member))),
            (false, format!("{half}-swp{n}s{member}")),
        ] {
            let path = folder.join("extra").join(format!("{name}.pcapng"));
            let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            reader::read(&bytes, &mut |f| {
                let sent = f.direction == Some(Direction::Out);
                let at_ms = u64::try_from((f.ns - opened_ns) / 1_000_000);
                if let (true, Ok(at_ms), SlowPdu::Lacpdu(pdu)) = (sent, at_ms, wire::decode(f.payload).0) {
                    let (actor, partner) = (pdu.actor.state.bits(), pdu.partner.state.bits());
                    frames.push(Change { member, from_host, at_ms, actor, partner });
                }
            });
        }
    }
    Ok(Some((incident, compare::changes(frames))))
}

/// The incident as it went on this kernel, and when the bond was opened. `None` if an injection failed or is not listed.
fn as_injected(planned: &Incident, events: &str, kernel: &str) -> Option<(Incident, i64)> {
    let mut lines: Vec<(i64, &str)> = events
        .lines()
        .filter_map(|l| {
            let (seconds, what) = l.split_once(' ')?;
            let (s, ms) = seconds.split_once('.')?;
            Some((s.parse::<i64>().ok()? * 1000 + ms.parse::<i64>().ok()?, what))
        })
        .collect();
    let opened = lines.iter().find(|(_, what)| *what == "bond opened")?.0;
    if lines.iter().any(|(_, what)| what.starts_with("FAILED")) {
        return None;
    }
    let mut incident = planned.clone();
    incident.topology.host.kernel = format!("{kernel}.0-amd64");
    for member in &mut incident.topology.members {
        // What the guest has: no link training, and it says 10 Gb/s.
        "veth".clone_into(&mut member.driver);
        member.speed_mbps = 10_000;
    }
    // Times of the same fault are used up in order.
    let mut take = |what: String| {
        let at = lines.iter().position(|(at, w)| *at >= opened && *w == what)?;
        u64::try_from(lines.remove(at).0 - opened).ok()
    };
    for f in incident.faults.iter_mut().filter(|f| f.at_ms > 0 && !support::is_noise(&f.fault)) {
        let begun = take(format!("BEGIN {:?}", f.fault))?;
        if let Some(length) = f.for_ms
            && f.at_ms + length < planned.duration_ms
        {
            f.for_ms = Some(take(format!("END {:?}", f.fault))?.saturating_sub(begun));
        }
        f.at_ms = begun.max(1);
    }
    Some((incident, opened * 1_000_000))
}
