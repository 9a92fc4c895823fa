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
/// The incident begins so long before the host's bond is opened, milliseconds: the far end is opened first.
pub const LEAD_MS: u64 = 500;
/// A tick of Linux bonding on Debian's kernels: 25 jiffies of 4 ms and the re-arming.
const TICK_MS: u64 = 104;
/// The transmit gate opens for the first time at the third tick, and the first tick is at the opening.
const FIRST_PDU_MS: u64 = 2 * TICK_MS;
/// The frame's time is known to the millisecond, and a tick may be two jiffies late.
const SLACK_MS: u64 = 8;

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
    let told = openings(&incident, recorded);
    let recorded = sequences(recorded, until);
    let mut best: Option<Fit> = None;
    let mut nearest: Option<(usize, String)> = None;
    for phases in around(told, incident.topology.switch.mlag) {
        let (recording, _) = world::run_in_phase(&incident, phases);
        match distance(&recorded, &sequences(&of_recording(&recording), until)) {
            Ok((changes, worst_ms)) => {
                if best.is_none_or(|b| worst_ms < b.worst_ms) {
                    best = Some(Fit { phases, changes, worst_ms });
                }
            }
            Err((same, why)) => {
                if nearest.as_ref().is_none_or(|(n, _)| same > *n) {
                    nearest = Some((same, why));
                }
            }
        }
    }
    match best {
        Some(fit) if fit.worst_ms <= TOLERANCE_MS => Ok(fit),
        Some(fit) => Err(format!("a transition is {} ms apart", fit.worst_ms)),
        None => Err(nearest.map_or_else(|| "nothing to compare".to_owned(), |(_, why)| why)),
    }
}

/// What the simulator's ends send in these phases.
#[must_use]
pub fn simulate(incident: &Incident, phases: Phases) -> Vec<Change> {
    of_recording(&world::run_in_phase(incident, phases).0)
}

/// When the ends were opened, in milliseconds: the host, and the halves of the far end.
pub fn openings(incident: &Incident, recorded: &[Change]) -> [u64; 3] {
    let halves = if incident.topology.switch.mlag { 2 } else { 1 };
    let first = |of: &dyn Fn(&Change) -> bool| {
        let first = recorded.iter().filter(|c| of(c)).map(|c| c.at_ms).min();
        first.map_or(LEAD_MS, |at| at.saturating_sub(FIRST_PDU_MS))
    };
    let far = |half: usize| first(&|c| !c.from_host && c.member % halves == half);
    [first(&|c| c.from_host), far(0), far(halves - 1)]
}

/// All phases that are near enough.
fn around([host, left, right]: [u64; 3], mlag: bool) -> Vec<Phases> {
    let step = if mlag { 4 } else { 2 };
    let near = |ms: u64| {
        let from = ms.saturating_sub(SLACK_MS);
        (from..=ms.saturating_add(SLACK_MS)).step_by(step).map(|ms| ms * 1_000_000)
    };
    let mut all = Vec::new();
    for host_ns in near(host) {
        for left_ns in near(left) {
            if mlag {
                all.extend(near(right).map(|right_ns| Phases { host_ns, far_ns: [left_ns, right_ns] }));
            } else {
                all.push(Phases { host_ns, far_ns: [left_ns, left_ns] });
            }
        }
    }
    all
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
