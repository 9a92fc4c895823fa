//! The same incident here and on a real kernel: do both ends go through the same states at the same times?
//!
//! What is compared is what both worlds show on the wire: the pair of Actor and Partner state in the LACPDUs that an end
//! sends, each time it changes. An incident does not say when the work items of the two kernels ran; the times at which
//! they sent do, and both ends get that clock here ([`Clocks`]). It tells the machines when, never what: a PDU that the
//! kernel sent is sent here only if the machines want it.

use crate::incident::Incident;
use crate::recording::Recording;
use crate::world::{self, Clock, Clocks};
use lacp::machine::Time;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How far apart a transition may be in the two worlds, milliseconds: three ticks of Linux' transmit gate, and one.
pub const TOLERANCE_MS: u64 = 400;
/// The incident begins so long before the host's bond is opened, milliseconds: the far end is opened first.
pub const LEAD_MS: u64 = 500;
/// The transmit gate opens for the first time at the third tick, and the first tick is at the opening.
const FIRST_PDU_NS: u64 = 2 * lacp::machine::TICK_HZ_250;
/// A first PDU that comes later after the opening than this, milliseconds, is not that of the first gate.
const FIRST_PDU_MS: u64 = 350;
/// PDUs of one tick leave within this time, microseconds.
const TICK_US: u64 = 30_000;
/// From one end to the other, nanoseconds: the captures of both ends show 2 to 4 microseconds, rarely more.
const LATENCY_NS: u64 = 2_000;
/// Which of two work items that ran within so many microseconds was the first is not recorded, nor whether a PDU of the one
/// was received before the other ran: both orders are possible.
const RACE_US: i64 = 100;
/// A transition this far off, milliseconds, had another cause than jitter: an opening of the gate was taken or missed.
const GATE_MISSED_MS: u64 = 100;
/// A race shows in the PDUs sent within these milliseconds after it: a timeout of three seconds, and an opening of the gate.
const SHOWS_WITHIN_MS: u64 = 3_600;
/// More races than any recording has needed; each is one step nearer.
const MOST_RACES: usize = 60;

/// What was recorded of an incident on a kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// What the ends sent, each time it changed.
    pub changes: Vec<Change>,
    /// When they sent at all, in order of time.
    pub sent: Vec<Sent>,
    /// When they found that a link had changed, in order of time.
    pub looked: Vec<Sent>,
}

/// An end sends a LACPDU, or finds that a link has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// Microseconds after the beginning.
    pub at_us: u64,
    /// Index of the member.
    pub member: usize,
    /// It is the host.
    pub from_host: bool,
}

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

/// How well a recording is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// How many times a work item was moved by [`RACE_US`] to get ahead of the one of the other end, or behind it.
    pub races: usize,
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

/// Runs the incident with the recorded clocks and compares it with what was recorded on a kernel. Where the two worlds part,
/// each race shortly before is decided the other way, and what brings them furthest along together is kept.
///
/// # Errors
/// It does not give the same states in the same order within [`TOLERANCE_MS`]: tells how it differs.
pub fn fit(incident: &Incident, recorded: &Recorded) -> Result<Fit, String> {
    // What one world did just before its end, the other one may not have come to.
    let until = incident.duration_ms.saturating_sub(TOLERANCE_MS);
    let theirs = sequences(&recorded.changes, until);
    let parted = |r: &Recorded| parting(&theirs, &sequences(&simulate(incident, r), until));
    let mut best = recorded.clone();
    let mut races = 0;
    let mut at = parted(&best);
    while let Some(parted_ms) = at.filter(|_| races < MOST_RACES) {
        let from = parted_ms.saturating_sub(SHOWS_WITHIN_MS) * 1_000;
        let mut next: Option<(Option<u64>, Recorded)> = None;
        let near = |s: &Sent| (from..=(parted_ms + TOLERANCE_MS) * 1_000).contains(&s.at_us);
        for i in (0..best.sent.len()).filter(|&i| best.sent.get(i).is_some_and(near)) {
            for by in [-RACE_US, RACE_US] {
                let other = raced(&best, recorded, i, by);
                let when = parted(&other);
                if next.as_ref().is_none_or(|n| later(when, n.0)) {
                    next = Some((when, other));
                }
            }
        }
        let Some((when, other)) = next.filter(|n| later(n.0, at)) else { break };
        (at, best) = (when, other);
        races += 1;
    }
    match distance(&theirs, &sequences(&simulate(incident, &best), until)) {
        Ok((changes, worst_ms)) if worst_ms <= TOLERANCE_MS => Ok(Fit { races, changes, worst_ms }),
        Ok((_, worst_ms)) => Err(format!("a transition is {worst_ms} ms apart")),
        Err(why) => Err(why),
    }
}

/// Is parting at `a` later than at `b`? Never parting is latest.
fn later(a: Option<u64>, b: Option<u64>) -> bool {
    b.is_some_and(|b| a.is_none_or(|a| a > b))
}

/// The recording with one tick, given by one of its PDUs, put earlier or later than recorded.
fn raced(of: &Recorded, recorded: &Recorded, i: usize, by_us: i64) -> Recorded {
    let mut other = of.clone();
    let Some(tick) = recorded.sent.get(i) else { return other };
    for (s, known) in other.sent.iter_mut().zip(&recorded.sent) {
        if known.from_host == tick.from_host && known.at_us.abs_diff(tick.at_us) < TICK_US {
            s.at_us = known.at_us.saturating_add_signed(by_us);
        }
    }
    other
}

/// What the simulator's ends send with the clocks of a recording.
#[must_use]
pub fn simulate(incident: &Incident, recorded: &Recorded) -> Vec<Change> {
    // Nobody looks at snapshots here.
    let mut incident = incident.clone();
    incident.evidence.snapshots_ms.clear();
    let halves = if incident.topology.switch.mlag { 2 } else { 1 };
    let clocks = Clocks {
        host: clock(recorded, &|s| s.from_host),
        far: (0..halves)
            .map(|half| clock(recorded, &|s| !s.from_host && s.member % halves == half))
            .collect(),
        latency_ns: LATENCY_NS,
    };
    of_recording(&world::run_with_clocks(&incident, &clocks).0)
}

/// The clock of one end.
fn clock(recorded: &Recorded, of: &dyn Fn(&Sent) -> bool) -> Clock {
    let mut sent: Vec<(Time, usize)> = Vec::new();
    for s in recorded.sent.iter().filter(|s| of(s)) {
        let at = Time(s.at_us.saturating_mul(1_000));
        if sent.last().is_none_or(|l| at.since(l.0) > TICK_US * 1_000) {
            sent.push((at, s.member));
        }
    }
    let opened = Time::from_millis(LEAD_MS);
    let first = sent.first().map(|s| s.0).filter(|at| at.since(opened) < FIRST_PDU_MS * 1_000_000);
    let looked =
        recorded.looked.iter().filter(|l| of(l)).map(|l| (Time(l.at_us.saturating_mul(1_000)), l.member));
    Clock { opened: first.map_or(opened, |at| at - FIRST_PDU_NS), sent, looked: looked.collect() }
}

/// When the first transition is sent in one world that the other one does not send, or sends at another opening of the gate;
/// milliseconds, `None` if that never is so.
fn parting(recorded: &Sequences, simulated: &Sequences) -> Option<u64> {
    let none = Vec::new();
    let of = |end: &(usize, bool)| {
        let (a, b) = (recorded.get(end).unwrap_or(&none), simulated.get(end).unwrap_or(&none));
        (0..a.len().max(b.len())).find_map(|i| match (a.get(i), b.get(i)) {
            (Some(x), Some(y)) => {
                let alike = (x.actor, x.partner) == (y.actor, y.partner);
                let near = x.at_ms.abs_diff(y.at_ms) <= GATE_MISSED_MS;
                (!alike || !near).then_some(x.at_ms.min(y.at_ms))
            }
            (x, y) => x.or(y).map(|c| c.at_ms),
        })
    };
    recorded.keys().chain(simulated.keys()).filter_map(of).min()
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

/// Number of transitions and the largest distance; or how the first differs that is not alike.
fn distance(recorded: &Sequences, simulated: &Sequences) -> Result<(usize, u64), String> {
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
        Some(why) => Err(why),
    }
}

fn said(change: Option<&Change>) -> String {
    change.map_or_else(
        || "nothing more".to_owned(),
        |c| format!("{:#04x} to {:#04x} at {} ms", c.actor, c.partner, c.at_ms),
    )
}

/// A recording as text: the incident as JSON on the first line, a line for each change, and for each member and end one
/// with the microseconds between its LACPDUs and one with those between its looks at a link that changed.
///
/// # Errors
/// The incident cannot be written as JSON.
pub fn to_text(incident: &Incident, recorded: &Recorded) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string(incident)?;
    text.push('\n');
    for c in &recorded.changes {
        let end = end_name(c.from_host);
        let _ = writeln!(text, "{} {end} {} {:#04x} {:#04x}", c.member, c.at_ms, c.actor, c.partner);
    }
    for (what, all) in [("sent", &recorded.sent), ("looked", &recorded.looked)] {
        let mut by_end: BTreeMap<(usize, bool), Vec<u64>> = BTreeMap::new();
        for s in all {
            by_end.entry((s.member, s.from_host)).or_default().push(s.at_us);
        }
        for ((member, from_host), times) in by_end {
            let _ = write!(text, "{member} {} {what}", end_name(from_host));
            let mut last = 0;
            for at in times {
                let _ = write!(text, " {}", at.saturating_sub(last));
                last = at;
            }
            text.push('\n');
        }
    }
    Ok(text)
}

const fn end_name(from_host: bool) -> &'static str {
    if from_host { "host" } else { "far" }
}

/// Reads what [`to_text`] wrote.
///
/// # Errors
/// Names the line that cannot be read.
pub fn from_text(text: &str) -> Result<(Incident, Recorded), String> {
    let (first, rest) = text.split_once('\n').ok_or("one line only")?;
    let incident = serde_json::from_str(first).map_err(|e| format!("line 1: {e}"))?;
    let mut recorded = Recorded::default();
    for (i, line) in rest.lines().enumerate() {
        read_line(line, &mut recorded).ok_or_else(|| format!("line {}: {line:?}", i + 2))?;
    }
    recorded.sent.sort_unstable();
    recorded.looked.sort_unstable();
    Ok((incident, recorded))
}

fn read_line(line: &str, to: &mut Recorded) -> Option<()> {
    let mut words = line.split(' ');
    let member = words.next()?.parse().ok()?;
    let from_host = match words.next()? {
        "host" => true,
        "far" => false,
        _ => return None,
    };
    let third = words.next()?;
    let times = match third {
        "sent" => Some(&mut to.sent),
        "looked" => Some(&mut to.looked),
        _ => None,
    };
    if let Some(times) = times {
        let mut at_us: u64 = 0;
        for word in words {
            at_us = at_us.checked_add(word.parse().ok()?)?;
            times.push(Sent { at_us, member, from_host });
        }
        return Some(());
    }
    let at_ms = third.parse().ok()?;
    let mut octet = || u8::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    to.changes.push(Change { member, from_host, at_ms, actor: octet()?, partner: octet()? });
    Some(())
}
