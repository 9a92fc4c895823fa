//! The same incident here and on a real kernel: do both ends go through the same states at the same times?
//!
//! What is compared is what both worlds show on the wire: the pair of Actor and Partner state in the LACPDUs that an end
//! sends, each time it changes. An incident does not say where in their ticks of 100 ms, and in the three ticks of the
//! transmit gate, the two ends were when it began; so all phases of both ends are tried, and the best one has to explain
//! every transition.

use crate::incident::Incident;
use crate::recording::Recording;
use crate::world::{self, Phases};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How far apart a transition may be in the two worlds, milliseconds: three ticks of Linux' transmit gate, and one.
pub const TOLERANCE_MS: u64 = 400;
/// Step in which phases are tried, nanoseconds.
const STEP_NS: u64 = 10_000_000;
/// Length of a tick, nanoseconds.
const TICK_NS: u64 = 100_000_000;
/// Linux' transmit gate opens at every third tick.
const GATE: u64 = 3;

/// An end begins to send another pair of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Index of the member.
    pub member: usize,
    /// Sent by the host.
    pub from_host: bool,
    /// Milliseconds after the bond's opening.
    pub at_ms: u64,
    /// Actor state octet.
    pub actor: u8,
    /// Partner state octet.
    pub partner: u8,
}

/// The phases that explain a recording best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// Where in their ticks the ends were.
    pub phases: Phases,
    /// Transitions that were compared.
    pub changes: usize,
    /// The largest distance between the two worlds, milliseconds.
    pub worst_ms: u64,
}

/// Keeps of all frames those with which an end begins to say something else, by member and sender in order of time.
#[must_use]
pub fn changes(mut frames: Vec<Change>) -> Vec<Change> {
    frames.sort_unstable();
    frames.dedup_by(|b, a| {
        (a.member, a.from_host, a.actor, a.partner) == (b.member, b.from_host, b.actor, b.partner)
    });
    frames
}

/// Runs the incident in every phase and compares it with what was recorded on a kernel.
///
/// # Errors
/// No phase gives the same states in the same order within [`TOLERANCE_MS`]: tells how the best one differs.
pub fn fit(incident: &Incident, recorded: &[Change]) -> Result<Fit, String> {
    // Nobody looks at snapshots here.
    let mut incident = incident.clone();
    incident.evidence.snapshots_ms.clear();
    // What one world did just before its end, the other one may not have come to.
    let until = incident.duration_ms.saturating_sub(TOLERANCE_MS);
    let recorded = sequences(recorded, until);
    let mut best: Option<Fit> = None;
    let mut nearest: Option<(usize, String)> = None;
    // Most are explained within one tick of either end; where the gate was matters for few.
    for ticks in 0..GATE {
        for (host, far) in (0..=ticks).flat_map(|h| (0..=ticks).map(move |f| (h, f))) {
            if host.max(far) == ticks {
                try_ticks(&incident, &recorded, until, (host, far), &mut best, &mut nearest);
            }
        }
        if best.is_some_and(|b| b.worst_ms <= TOLERANCE_MS) {
            break;
        }
    }
    match best {
        Some(fit) if fit.worst_ms <= TOLERANCE_MS => Ok(fit),
        Some(fit) => Err(format!("a transition is {} ms apart", fit.worst_ms)),
        None => Err(nearest.map_or_else(|| "nothing to compare".to_owned(), |(_, why)| why)),
    }
}

/// Tries all phases in which the ends are in the given ticks of the gate.
fn try_ticks(
    incident: &Incident,
    recorded: &Sequences,
    until: u64,
    ticks: (u64, u64),
    best: &mut Option<Fit>,
    nearest: &mut Option<(usize, String)>,
) {
    let steps = TICK_NS / STEP_NS;
    for step in 0..steps * steps {
        let phases = Phases {
            host_ns: ticks.0 * TICK_NS + step / steps * STEP_NS,
            far_ns: ticks.1 * TICK_NS + step % steps * STEP_NS,
        };
        let (recording, _) = world::run_in_phase(incident, phases);
        match distance(recorded, &sequences(&of_recording(&recording), until)) {
            Ok((changes, worst_ms)) => {
                if best.is_none_or(|b| worst_ms < b.worst_ms) {
                    *best = Some(Fit { phases, changes, worst_ms });
                }
            }
            Err((same, why)) => {
                if nearest.as_ref().is_none_or(|(n, _)| same > *n) {
                    *nearest = Some((same, why));
                }
            }
        }
    }
}

/// What the ends sent in the simulated world.
fn of_recording(recording: &Recording) -> Vec<Change> {
    let sent = |f: &&crate::view::Frame| f.outgoing;
    let change = |from_host: bool| {
        move |f: &crate::view::Frame| Change {
            member: f.member,
            from_host,
            at_ms: f.at.0 / 1_000_000,
            actor: f.pdu.actor.state.bits(),
            partner: f.pdu.partner.state.bits(),
        }
    };
    let host = recording.frames.iter().filter(sent).map(change(true));
    let far = recording.far_frames.iter().filter(sent).map(change(false));
    changes(host.chain(far).collect())
}

type Sequences = BTreeMap<(usize, bool), Vec<Change>>;

fn sequences(changes: &[Change], until_ms: u64) -> Sequences {
    let mut by_end = Sequences::new();
    for c in changes.iter().filter(|c| c.at_ms <= until_ms) {
        by_end.entry((c.member, c.from_host)).or_default().push(*c);
    }
    by_end
}

/// Number of transitions and the largest distance; or how many were alike, and how the first differs that is not.
fn distance(recorded: &Sequences, simulated: &Sequences) -> Result<(usize, u64), (usize, String)> {
    let (mut same, mut worst) = (0, 0);
    let mut differs = None;
    let ends: std::collections::BTreeSet<_> = recorded.keys().chain(simulated.keys()).collect();
    for end in ends {
        let none = Vec::new();
        let (a, b) = (recorded.get(end).unwrap_or(&none), simulated.get(end).unwrap_or(&none));
        for i in 0..a.len().max(b.len()) {
            match (a.get(i), b.get(i)) {
                (Some(x), Some(y)) if (x.actor, x.partner) == (y.actor, y.partner) => {
                    same += 1;
                    worst = worst.max(x.at_ms.abs_diff(y.at_ms));
                }
                (x, y) => {
                    let who = if end.1 { "host" } else { "far end" };
                    let (x, y) = (said(x), said(y));
                    differs.get_or_insert_with(|| {
                        format!("member {}, {who}, change {i}: the kernel sent {x}, the simulator {y}", end.0)
                    });
                    break;
                }
            }
        }
    }
    match differs {
        None => Ok((same, worst)),
        Some(why) => Err((same, why)),
    }
}

fn said(change: Option<&Change>) -> String {
    change.map_or_else(
        || "nothing more".to_owned(),
        |c| format!("{:#04x} to {:#04x} at {} ms", c.actor, c.partner, c.at_ms),
    )
}

/// A recording as text: the incident as JSON on the first line, then a line for each change.
///
/// # Errors
/// The incident cannot be written as JSON.
pub fn to_text(incident: &Incident, changes: &[Change]) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(incident)?;
    text.push('\n');
    for c in changes {
        let end = if c.from_host { "host" } else { "far" };
        let _ = writeln!(text, "{} {end} {} {:#04x} {:#04x}", c.member, c.at_ms, c.actor, c.partner);
    }
    Ok(text)
}

/// Reads what [`to_text`] wrote.
///
/// # Errors
/// Names the line that cannot be read.
pub fn from_text(text: &str) -> Result<(Incident, Vec<Change>), String> {
    let (first, rest) = text.split_once('\n').ok_or("one line only")?;
    let incident = serde_json::from_str(first).map_err(|e| format!("line 1: {e}"))?;
    let mut changes = Vec::new();
    for (i, line) in rest.lines().enumerate() {
        changes.push(change(line).ok_or_else(|| format!("line {}: {line:?}", i + 2))?);
    }
    Ok((incident, changes))
}

fn change(line: &str) -> Option<Change> {
    let mut words = line.split(' ');
    let member = words.next()?.parse().ok()?;
    let from_host = match words.next()? {
        "host" => true,
        "far" => false,
        _ => return None,
    };
    let at_ms = words.next()?.parse().ok()?;
    let mut octet = || u8::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    Some(Change { member, from_host, at_ms, actor: octet()?, partner: octet()? })
}
