//! One end of a recording, replayed: the Linux machines get the frames that this end received, at their times, and
//! what they send and become is compared with what the kernel sent and showed.
//!
//! The kernel's ticks are not recorded, but PDUs leave on every third tick only, so each frame that the kernel sent
//! marks one. Between two of them the ticks are spread evenly. That uses the *times* of the kernel's frames as a
//! clock; which PDU leaves when, with what in it, is the machines' own doing.

use crate::recording::{self, Frame, Member, Reading};
use bondwitness_lacp::machine::{AdSelect, ChurnState, Pdu, PortConfig, Profile, System, SystemConfig, Time};
use bondwitness_lacp::{Mac, PortState};
use std::collections::BTreeMap;
use std::path::Path;

/// Three ticks as measured on these kernels (`kernel-facts.md` section 2 and the gaps of the recordings).
const GATE: u64 = 312_800_000;
/// Ticks from the start of the machines to the PDU that says Synchronization first: ATTACHED on tick 22 (BEGIN,
/// WAITING on tick 2, 20 ticks), the next opening of the gate.
const FIRST_SYNC: u64 = 24;
/// A transition may be off by one tick and one opening of the gate.
pub(crate) const TOLERANCE: u64 = 420_000_000;
/// The log of `/proc` is written four times a second, with pauses while the recorder worked.
const POLL: u64 = 250_000_000;

/// What the replayed end is made of.
pub(crate) struct End<'a> {
    pub(crate) name: &'static str,
    /// Capture, interface.
    pub(crate) ports: &'a [(&'static str, &'static str)],
    pub(crate) timeline: Option<&'static str>,
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) frames: usize,
    pub(crate) predicted: usize,
    pub(crate) transitions: usize,
    pub(crate) readings: usize,
    pub(crate) worst: u64,
    pub(crate) faults: Vec<String>,
}

enum Input {
    Pdu(usize, Pdu),
    Link(usize, bool),
    System(Mac),
    Passive,
}

/// What the model showed from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    at: Time,
    members: Vec<(States, Facts)>,
    bond: Facts,
}

/// Actor and Partner state.
type States = (u8, u8);
/// Lines of `/proc/net/bonding` other than the states.
type Facts = BTreeMap<&'static str, String>;

/// What a recording leaves open, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Guess {
    /// A frame passes the tap somewhat after its tick began.
    pub(crate) tap: u64,
    /// A system identifier was changed this long before the first frame with the new one.
    pub(crate) system: u64,
}

/// The replay under the guess that leaves the fewest faults.
pub(crate) fn replay(dir: &Path, end: &End<'_>) -> (Outcome, Guess) {
    let mut best: Option<(Outcome, Guess)> = None;
    for system in [100_000_000, 250_000_000] {
        for tap in [0, 1_000_000, 2_000_000, 3_000_000, 5_000_000] {
            let guess = Guess { tap, system };
            let outcome = replay_with(dir, end, guess);
            if best.as_ref().is_none_or(|(b, _)| outcome.faults.len() < b.faults.len()) {
                best = Some((outcome, guess));
            }
        }
    }
    best.unwrap_or_default()
}

fn replay_with(dir: &Path, end: &End<'_>, guess: Guess) -> Outcome {
    let mut own: Vec<Vec<Frame>> = Vec::new();
    let mut inputs: Vec<(Time, Input)> = Vec::new();
    let mut configs = Vec::new();
    let mut priority_and_system = (0, Mac::ZERO);
    for (port, (capture, interface)) in end.ports.iter().enumerate() {
        let all = recording::frames(&dir.join(capture));
        let far = if interface.starts_with('h') { 0x22 } else { 0x11 };
        let (received, sent): (Vec<Frame>, Vec<Frame>) = all.iter().partition(|f| f.source.0[4] == far);
        let first = sent.first().expect("the end sent something").pdu.actor;
        priority_and_system = (first.system_priority, first.system);
        configs.push(PortConfig {
            number: first.port,
            priority: first.port_priority,
            key: first.key,
            speed_mbps: 10_000,
            active: first.state.contains(PortState::ACTIVITY),
            short_timeout: first.state.contains(PortState::TIMEOUT),
            lacp_enabled: true,
        });
        inputs.extend(received.iter().map(|f| (f.at, Input::Pdu(port, f.pdu))));
        // A system identifier set by the administrator shows in the next PDU.
        for pair in sent.windows(2) {
            if pair[0].pdu.actor.system != pair[1].pdu.actor.system {
                inputs.push((pair[1].at - guess.system, Input::System(pair[1].pdu.actor.system)));
            }
        }
        own.push(sent);
    }
    let ticks: Vec<Time> = ticks(&own).into_iter().map(|t| t - guess.tap).collect();
    let start = ticks[0];
    // What was exchanged before the recording began: the partner was heard from early on.
    for port in 0..own.len() {
        let first = inputs.iter().find_map(|(t, i)| match i {
            Input::Pdu(p, pdu) if *p == port => Some((*t, *pdu)),
            _ => None,
        });
        if let Some((until, mut pdu)) = first {
            pdu.actor.state.remove(PortState::SYNCHRONIZATION | PortState::CARRIES);
            let early = ticks.iter().skip(4).step_by(9).map(|&t| t + 1).take_while(|&t| t < until);
            inputs.extend(early.map(|t| (t, Input::Pdu(port, pdu))).collect::<Vec<_>>());
        }
    }
    if end.name == "host" {
        for (at, member, up) in recording::link_changes(dir) {
            if let Some(port) = end.ports.iter().position(|p| p.1 == member) {
                inputs.push((at, Input::Link(port, up)));
            }
        }
    }
    let passive = if end.name == "host" { "host also passive" } else { "switch goes lacp_active off" };
    for (at, what) in recording::events(dir) {
        if what == passive {
            inputs.push((at + 300_000_000, Input::Passive));
        }
    }
    inputs.sort_by_key(|i| i.0);

    // Ticks are put where they belong; the profile's own length only has to be shorter.
    let profile = Profile { tick: 20_000_000, ..Profile::linux() };
    let (priority, system) = priority_and_system;
    let mut model = System::new(
        SystemConfig { priority, system, profile, ad_select: AdSelect::Stable },
        start - 30_000_000,
    );
    for config in configs {
        model.add_port(start - 30_000_000, config);
    }
    model.open(start - 30_000_000);
    model.stall(start - 30_000_000, start);
    let mut predicted: Vec<Vec<(Time, Pdu)>> = vec![Vec::new(); own.len()];
    let mut shown: Vec<Shown> = Vec::new();
    let mut inputs = inputs.into_iter().peekable();
    for (n, &tick) in ticks.iter().enumerate() {
        while let Some((at, input)) = inputs.next_if(|i| i.0 < tick) {
            match input {
                Input::Pdu(port, pdu) => model.handle_pdu(at, port, &pdu),
                Input::Link(port, up) => model.set_link(at, port, up),
                Input::System(system) => model.set_system(at, system),
                Input::Passive => {
                    model.set_active(at, false);
                    model.open(at);
                }
            }
            remember(&mut shown, at, &model);
        }
        model.handle_timeout(tick);
        if let Some(&next) = ticks.get(n + 1) {
            model.stall(tick, next);
        }
        while let Some((port, pdu)) = model.poll_transmit() {
            predicted[port].push((tick, pdu));
        }
        remember(&mut shown, tick, &model);
    }

    let mut outcome = Outcome::default();
    for (port, sent) in own.iter().enumerate() {
        compare_frames(end.ports[port].1, sent, &predicted[port], &mut outcome);
    }
    if let Some(timeline) = end.timeline {
        let names: Vec<&str> = end.ports.iter().map(|p| p.1).collect();
        let last = ticks.last().copied().unwrap_or_default();
        compare_timeline(&recording::timeline(&dir.join(timeline)), &names, &shown, last, &mut outcome);
    }
    outcome
}

/// The kernel's ticks: each frame that it sent is an opening of the gate.
fn ticks(own: &[Vec<Frame>]) -> Vec<Time> {
    let mut marks: Vec<Time> = own.iter().flatten().map(|f| f.at).collect();
    marks.sort_unstable();
    marks.dedup_by(|b, a| b.since(*a) < 100_000_000);
    let first_sync = own
        .iter()
        .filter_map(|f| f.iter().find(|f| f.pdu.actor.state.contains(PortState::SYNCHRONIZATION)))
        .map(|f| f.at)
        .min()
        .expect("it came up");
    let sync = marks.iter().rposition(|&m| m <= first_sync).expect("a frame of its own");
    let mut ticks: Vec<Time> = (1..=FIRST_SYNC).rev().map(|n| marks[sync] - (n - 1) * GATE / 3).collect();
    for pair in marks[sync..].windows(2) {
        let gap = pair[1].since(pair[0]);
        let count = ((gap + GATE / 2) / GATE).max(1) * 3;
        ticks.extend((1..=count).map(|n| pair[0] + gap * n / count));
    }
    ticks
}

fn remember(shown: &mut Vec<Shown>, at: Time, model: &System) {
    let word = |c: ChurnState| {
        match c {
            ChurnState::Monitor => "monitoring",
            ChurnState::Churn => "churned",
            ChurnState::NoChurn => "none",
        }
        .to_owned()
    };
    let id = |a: Option<usize>| a.and_then(|a| model.aggregators().get(a)).map_or(0, |a| a.id).to_string();
    let members = model
        .ports()
        .iter()
        .map(|p| {
            let (actor, actor_count) = p.actor_churn();
            let (partner, partner_count) = p.partner_churn();
            let facts = BTreeMap::from([
                ("Aggregator ID", id(p.aggregator())),
                ("Actor Churn State", word(actor)),
                ("Partner Churn State", word(partner)),
                ("Actor Churned Count", actor_count.to_string()),
                ("Partner Churned Count", partner_count.to_string()),
            ]);
            ((p.actor().state.bits(), p.partner().state.bits()), facts)
        })
        .collect();
    let mut bond = BTreeMap::new();
    if let Some(a) = model.active_aggregator() {
        let up = a.ports.iter().filter(|&&p| model.port(p).is_some_and(|p| p.enabled())).count();
        bond.insert("Aggregator ID", a.id.to_string());
        bond.insert("Number of ports", up.to_string());
    }
    let new = Shown { at, members, bond };
    if shown.last().is_none_or(|last| (&last.members, &last.bond) != (&new.members, &new.bond)) {
        shown.push(new);
    }
}

fn clock(at: Time) -> String {
    format!("{:.2}", at.as_secs_f64())
}

/// The first of each run of equal states.
fn distinct(pdus: impl Iterator<Item = (Time, Pdu)>) -> Vec<(Time, (u8, u8))> {
    let mut found: Vec<(Time, (u8, u8))> = Vec::new();
    for (at, pdu) in pdus {
        let states = (pdu.actor.state.bits(), pdu.partner.state.bits());
        if found.last().is_none_or(|l| l.1 != states) {
            found.push((at, states));
        }
    }
    found
}

fn compare_frames(name: &str, sent: &[Frame], predicted: &[(Time, Pdu)], outcome: &mut Outcome) {
    // The first frames are those before the machines can be known to stand where the kernel's stood.
    let from = sent
        .iter()
        .find(|f| f.pdu.actor.state.contains(PortState::SYNCHRONIZATION))
        .map_or(Time::ZERO, |f| f.at);
    let real = distinct(sent.iter().map(|f| (f.at, f.pdu)).filter(|f| f.0 >= from));
    let mut model = distinct(predicted.iter().copied());
    model.retain(|f| f.0 + GATE / 2 >= from);
    outcome.frames += sent.iter().filter(|f| f.at >= from).count();
    outcome.predicted += predicted.iter().filter(|f| f.0 + 60_000_000 >= from).count();
    outcome.transitions += real.len();
    let near = |list: &[(Time, (u8, u8))], (at, states): (Time, (u8, u8))| {
        list.iter().filter(|o| o.1 == states).map(|o| o.0.since(at).max(at.since(o.0))).min()
    };
    for &r in &real {
        match near(&model, r) {
            Some(off) if off <= TOLERANCE => outcome.worst = outcome.worst.max(off),
            _ => outcome.faults.push(format!("{} {name} sent {:02x?}, not predicted", clock(r.0), r.1)),
        }
    }
    for &m in &model {
        if near(&real, m).is_none_or(|off| off > TOLERANCE) {
            outcome.faults.push(format!("{} {name} predicted {:02x?}, not sent", clock(m.0), m.1));
        }
    }
}

fn compare_timeline(
    readings: &[Reading],
    names: &[&str],
    shown: &[Shown],
    last: Time,
    outcome: &mut Outcome,
) {
    let ends = readings.iter().skip(1).map(|r| r.at - POLL - 50_000_000).chain([last - TOLERANCE]);
    let mut open: Vec<String> = Vec::new();
    for (reading, until) in readings.iter().zip(ends) {
        // What the log says behind the last frame is the laboratory being taken down.
        if reading.at > last {
            break;
        }
        let mut at = reading.at;
        loop {
            outcome.readings += 1;
            let first = shown.iter().rposition(|s| s.at + TOLERANCE <= at).unwrap_or(0);
            let around: Vec<&Shown> = shown[first..].iter().take_while(|s| s.at <= at + TOLERANCE).collect();
            let mut now = Vec::new();
            for (name, member) in &reading.members {
                differences(name, member, names, &around, &mut now);
            }
            for fault in &now {
                if !open.contains(fault) {
                    outcome.faults.push(format!("{} {fault}", clock(at)));
                }
            }
            open = now;
            at = at + POLL;
            if at >= until {
                break;
            }
        }
    }
}

fn differences(name: &str, member: &Member, names: &[&str], around: &[&Shown], found: &mut Vec<String>) {
    let port = names.iter().position(|n| *n == name);
    for (fact, value) in &member.facts {
        let of = |s: &&Shown| {
            let facts = match port {
                Some(port) => &s.members[port].1,
                None => &s.bond,
            };
            facts.get(fact) == Some(value)
        };
        if !around.iter().any(of) {
            found.push(format!("{name} shows {fact}: {value}"));
        }
    }
    if let Some(port) = port
        && !member.states.is_empty()
        && !around.iter().any(|s| member.states.contains(&s.members[port].0))
    {
        found.push(format!("{name} shows states {:02x?}", member.states));
    }
}
