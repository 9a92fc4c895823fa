//! The other end's own evidence, laid beside the host's: which port of it a member leads to, how far its clock is off, and
//! what passed the taps at either end.
//!
//! A frame that two taps saw is the same frame if the same end sent it with the same content; the difference of its two
//! times is the difference of the clocks and a few microseconds of wire. Contents repeat, so every pair of equal
//! contents votes for an offset, and only an offset that more pairs share than any other is taken. What is compared then
//! are silences and cadences, not single frames: a capture keeps no frame of a steady cadence.

use crate::capture::{Change, Gap, Speaker};
use crate::case::{Case, Member, Subject};
use crate::wire::{Cause, Outage, Part, Story, Wire};
use lacp::Mac;
use std::collections::BTreeSet;

const SECOND: i64 = 1_000_000_000;
/// Two offsets that differ by less are the same: the wire, both taps, and a softirq in between.
const SAME: i64 = 60_000_000;
/// Most changes of one speaker that vote: a link that flaps for days says no more than its first hundreds.
const MAX_VOTES: usize = 256;

/// How the other end's clock relates to the host's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Add this to an instant of the host to get that of the other end, in nanoseconds.
    pub offset: i64,
    /// How many pairs of frames it rests on.
    pub pairs: usize,
}

/// A member and the port of the other end that it leads to.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The member.
    pub here: &'a Member,
    /// The port at the other end.
    pub there: &'a Member,
}

/// What became of the LACPDUs of one direction in an outage, as both taps show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They passed the sender's tap in time, and nothing passed the receiver's.
    LostBetween {
        /// The silence at the receiver's tap.
        silence: Gap,
    },
    /// They passed both taps in time, and the receiver says that it hears nothing.
    Ignored {
        /// When it said so, on its own tap: time and frame.
        deaf: (i64, u64),
    },
    /// They did not pass the sender's own tap.
    NotSent {
        /// The silence at the sender's tap.
        silence: Gap,
    },
}

/// The fate of one direction in one outage.
#[derive(Debug, Clone)]
pub struct Trace<'a> {
    /// Where the host saw it.
    pub part: &'a Part,
    /// Where the other end did.
    pub far: &'a Part,
    /// The outage.
    pub outage: &'a Outage,
    /// True for host to switch.
    pub outgoing: bool,
    /// What became of them.
    pub fate: Fate,
    /// The clocks.
    pub shift: Shift,
}

/// Systems and ports that an end speaks as on this wire.
fn spoken(speaker: Option<&Speaker>) -> BTreeSet<(Mac, u16)> {
    let ends = speaker.into_iter().flat_map(|s| &s.changes).map(|c| (c.actor.system, c.actor.port));
    ends.filter(|(system, _)| !system.is_zero()).collect()
}

/// The ports of the other end that the members of a bond lead to. A member that fits several, or a port that several
/// fit, is left out.
#[must_use]
pub fn pairs<'a>(case: &'a Case, subject: &'a Subject) -> Vec<Pair<'a>> {
    let Some(other) = case.other_end.as_deref() else { return Vec::new() };
    let mut found: Vec<Pair<'a>> = Vec::new();
    let ports = || {
        let whole = other.subjects.iter().filter(|s| s.bond && s.two_hosts.is_none());
        whole.flat_map(|s| s.members.iter().map(move |m| (s, m)))
    };
    for here in &subject.members {
        let heard: BTreeSet<(Mac, u16)> = parts(here).flat_map(|p| spoken(p.partner())).collect();
        let mut fits = ports().filter(|(s, m)| {
            let told = s.system.zip(m.port).into_iter();
            let said = parts(m).flat_map(|p| spoken(p.host()));
            told.chain(said).any(|end| heard.contains(&end))
        });
        if let (Some((_, there)), None) = (fits.next(), fits.next()) {
            found.push(Pair { here, there });
        }
    }
    let taken = |there: &Member| found.iter().filter(|p| std::ptr::eq(p.there, there)).count();
    let once: Vec<bool> = found.iter().map(|p| taken(p.there) == 1).collect();
    found.into_iter().zip(once).filter_map(|(p, once)| once.then_some(p)).collect()
}

fn parts(m: &Member) -> impl Iterator<Item = &Part> {
    m.wire.iter().flat_map(|w| &w.parts).filter(|p| p.timed)
}

/// The difference of the clocks, if frames of the pairs show one.
#[must_use]
pub fn shift(pairs: &[Pair<'_>]) -> Option<Shift> {
    let mut votes: Vec<i64> = Vec::new();
    for pair in pairs {
        for (here, there) in parts(pair.here).flat_map(|h| parts(pair.there).map(move |t| (h, t))) {
            vote(&mut votes, here.host(), there.partner());
            vote(&mut votes, here.partner(), there.host());
        }
    }
    votes.sort_unstable();
    let within = |at: usize| {
        let from = votes.get(at).copied().unwrap_or(0);
        let n =
            votes.get(at..).map_or(0, |rest| rest.partition_point(|v| *v <= from.saturating_add(2 * SAME)));
        (n, at)
    };
    let (n, at) = (0..votes.len()).map(within).max_by_key(|(n, at)| (*n, std::cmp::Reverse(*at)))?;
    let window = votes.get(at..at + n)?;
    let offset = *window.get(n / 2)?;
    let rival = (0..votes.len())
        .map(within)
        .filter(|(_, i)| votes.get(*i).is_some_and(|v| v.abs_diff(offset) > 4 * SAME.unsigned_abs()))
        .map(|(n, _)| n)
        .max()
        .unwrap_or(0);
    (n >= 2 && n > rival).then_some(Shift { offset, pairs: n })
}

/// Every pair of changes to the same content at both taps. The first content of a capture began before it.
fn vote(votes: &mut Vec<i64>, here: Option<&Speaker>, there: Option<&Speaker>) {
    let (Some(here), Some(there)) = (here, there) else { return };
    let changes =
        |s: &'_ Speaker| -> Vec<Change> { s.changes.iter().skip(1).take(MAX_VOTES).copied().collect() };
    let far = changes(there);
    for a in changes(here) {
        votes.extend(
            far.iter()
                .filter(|b| a.actor == b.actor && a.partner == b.partner)
                .map(|b| b.ns.saturating_sub(a.ns)),
        );
    }
}

/// What became of the LACPDUs in the outages of a member.
#[must_use]
pub fn traces<'a>(pair: &Pair<'a>, shift: Shift) -> Vec<Trace<'a>> {
    let mut found = Vec::new();
    for (part, story) in pair.here.wire.iter().flat_map(Wire::told) {
        for outage in &story.outages {
            for (far, far_story) in pair.there.wire.iter().flat_map(Wire::told) {
                let covers = far.timed
                    && part.timed
                    && far.span.0 <= outage.span.start.saturating_add(shift.offset)
                    && far.span.1 >= outage.span.start.saturating_add(shift.offset);
                if !covers || story.two_speakers.is_some() || link_down(far_story, outage, shift) {
                    continue;
                }
                for (outgoing, fate) in [
                    (true, towards_switch(part, story, outage, far, shift)),
                    (false, towards_host(part, outage, far, shift)),
                ] {
                    if let Some(fate) = fate {
                        found.push(Trace { part, far, outage, outgoing, fate, shift });
                    }
                }
            }
        }
    }
    found
}

/// The far port itself had no link then.
fn link_down(far: &Story, outage: &Outage, shift: Shift) -> bool {
    let (from, to) =
        (outage.span.start.saturating_add(shift.offset), outage.span.end.saturating_add(shift.offset));
    far.outages.iter().any(|o| o.cause == Cause::LinkDown && o.span.start < to && o.span.end > from)
}

/// The first PDU of an end, within the outage, that says that it is deaf.
fn first_deaf<'a>(s: Option<&'a Speaker>, outage: &Outage) -> Option<&'a Change> {
    s?.changes.iter().find(|c| {
        c.actor.state.deaf()
            && c.ns >= outage.span.start.saturating_sub(SECOND)
            && c.ns <= outage.span.end.saturating_add(SECOND)
    })
}

/// Three seconds before an end on the short timeout says so, and 90 on the long one, it received its last PDU.
const fn timeout(c: &Change) -> i64 {
    if c.actor.state.contains(lacp::PortState::TIMEOUT) { 3 * SECOND } else { 90 * SECOND }
}

fn towards_switch(part: &Part, story: &Story, outage: &Outage, far: &Part, shift: Shift) -> Option<Fate> {
    // Only where our own frames were seen to pass the tap in time, and the partner was not deaf because we were silent.
    if !matches!(outage.cause, Cause::LostTowardsSwitch | Cause::LostBothWays) {
        return None;
    }
    let deaf = first_deaf(part.partner(), outage)?;
    let wait = timeout(deaf);
    let host = part.host()?;
    let sent_in_time = |from: i64, to: i64| {
        host.first.0 <= from
            && host.last.0 >= to.saturating_sub(wait / 2)
            && !host.gaps.iter().any(|g| g.len_ns() > wait * 3 / 4 && g.from_ns < to && g.to_ns > from)
    };
    if !sent_in_time(deaf.ns.saturating_sub(wait), deaf.ns) || !story.carried {
        return None;
    }
    let then = deaf.ns.saturating_add(shift.offset);
    match at_tap(far, far.partner()?, far.host(), then, wait) {
        Heard::Nothing(silence) => Some(Fate::LostBetween { silence }),
        Heard::InTime => {
            // Its own words at its own tap.
            let said = far
                .host()?
                .changes
                .iter()
                .find(|c| c.actor.state.deaf() && c.ns.abs_diff(then) < 500_000_000)?;
            Some(Fate::Ignored { deaf: (said.ns, said.frame) })
        }
        Heard::Unclear => None,
    }
}

fn towards_host(part: &Part, outage: &Outage, far: &Part, shift: Shift) -> Option<Fate> {
    if !matches!(outage.cause, Cause::LostTowardsHost | Cause::LostBothWays) {
        return None;
    }
    // A partner that was deaf first sends as it likes.
    let deaf = first_deaf(part.host(), outage)?;
    let wait = timeout(deaf);
    // The whole of the timeout, at our own tap.
    let Heard::Nothing(silence) = at_tap(part, part.partner()?, part.host(), deaf.ns, wait) else {
        return None;
    };
    let then = deaf.ns.saturating_add(shift.offset);
    match at_tap(far, far.host()?, far.partner(), then, wait) {
        Heard::Nothing(silence) => Some(Fate::NotSent { silence }),
        Heard::InTime => Some(Fate::LostBetween { silence }),
        Heard::Unclear => None,
    }
}

/// What a tap saw of a speaker in the time that its listener needs to expire.
enum Heard {
    Nothing(Gap),
    InTime,
    Unclear,
}

fn at_tap(part: &Part, s: &Speaker, other: Option<&Speaker>, then: i64, wait: i64) -> Heard {
    let gaps = part.silences(s, other);
    let from = then.saturating_sub(wait);
    // All but a sixth of it: a frame that the listener received started the timeout.
    let silence = gaps
        .iter()
        .find(|g| g.from_ns <= from.saturating_add(wait / 6) && g.to_ns >= then.saturating_sub(wait / 6));
    if let Some(silence) = silence {
        return Heard::Nothing(*silence);
    }
    let steady = s.first.0 <= from
        && s.last.0 >= then.saturating_sub(wait / 2)
        && !gaps.iter().any(|g| g.len_ns() > wait * 6 / 10 && g.from_ns < then && g.to_ns > from);
    if steady { Heard::InTime } else { Heard::Unclear }
}
