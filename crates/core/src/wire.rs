//! What the captures say about one member: who spoke, who heard whom, and when it broke.
//!
//! The reasoning is the two-way hearing matrix of `verdict.md` section 1 and `kernel-facts.md` section 11: a
//! PDU from the partner is the partner's own testimony about what it hears. Direction comes from the kernel's packet
//! type where the capture has it; else a frame is ours if its Actor System is ours and its source is the
//! permanent address of a member (errata E-12, E-13).

use crate::capture::{Change, Gap, Speaker};
use crate::evidence::{Citation, FileId};
use crate::units::Mac;
use lacp::PortState;
use std::collections::BTreeSet;
use std::sync::Arc;

mod cadence;
mod outages;

pub use cadence::RateIgnored;

const SECOND: i64 = 1_000_000_000;
/// Fast_Periodic_Time and Slow_Periodic_Time (802.1AX).
const FAST: i64 = SECOND;
const SLOW: i64 = 30 * SECOND;
/// Three periods, plus what Linux' 100 ms ticks and its 300 ms transmit grid stretch it by (kernel-facts section 2: fast
/// intervals 0.93 to 1.31 s, slow 31.4 s, short timeout 3.1 s, long 94.6 s).
const SHORT_LIMIT: i64 = 3 * SECOND + 600_000_000;
const LONG_LIMIT: i64 = 100 * SECOND;

/// A stretch of one capture on one member.
#[derive(Debug, Clone)]
pub struct Part {
    /// The capture file.
    pub file: FileId,
    /// False for pasted text without times.
    pub timed: bool,
    /// First and last packet of the capture on this link.
    pub span: (i64, i64),
    /// What the host sent.
    pub out: Vec<Arc<Speaker>>,
    /// What the host received, the busiest speaker first.
    pub ins: Vec<Arc<Speaker>>,
    /// Speakers whose side cannot be told.
    pub unknown: Vec<Arc<Speaker>>,
    /// The direction came from the kernel's packet type, not from addresses.
    pub tagged: bool,
    /// True if the capture shows no outgoing frame at all on any link although it would be expected: a socket
    /// bound to the slow-protocols type sees only what comes in.
    pub inbound_only: bool,
}

/// All captures of one member, without overlap, in time order.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    /// The parts.
    pub parts: Vec<Part>,
    /// The reading of each part, in the same order.
    pub stories: Vec<Story>,
    /// Further captures of the same link and time, not used.
    pub also: Vec<FileId>,
}

impl Wire {
    /// Parts with their stories.
    pub fn told(&self) -> impl Iterator<Item = (&Part, &Story)> {
        self.parts.iter().zip(&self.stories)
    }
}

/// A stretch of time with the frames that bound it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Start.
    pub start: i64,
    /// End; the end of the capture if it never ended.
    pub end: i64,
    /// Frame at the start.
    pub first: u64,
    /// Frame at the end.
    pub last: u64,
    /// True if it lasted until the capture ended.
    pub open: bool,
}

/// How an outage of LACP on a member came about, as far as the wire shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The host's own frames stopped or came too late at the tap; then the partner said that it hears nothing.
    HostSilent,
    /// The host's frames passed the tap in time, yet the partner says that it does not hear them.
    LostTowardsSwitch,
    /// The partner's frames stopped arriving; where it can be seen, the partner heard us all along.
    LostTowardsHost,
    /// Both directions went silent or deaf together.
    LostBothWays,
    /// The partner's frames passed the tap in time, yet the bond's own state says that it does not hear them.
    LostInsideHost,
    /// The link went down and came up again: the first PDU after it carries Expired and Defaulted.
    LinkDown,
    /// The partner's system, key or port changed.
    PartnerChanged,
    /// The partner's port began anew (its first PDU carries Expired and Defaulted together) while our link stayed up.
    PartnerRestarted,
    /// The partner withdrew Synchronization (or Aggregation) although it hears us.
    PartnerWithdrew,
    /// The host released the member: it cleared Aggregation and then fell silent, or began anew.
    HostReleased,
    /// We withdrew Synchronization (or Aggregation) although we hear the partner.
    HostWithdrew,
    /// Something else.
    Unclear,
}

/// A time in which a member did not carry traffic although it did before, or never did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// When.
    pub span: Span,
    /// Why, as the wire shows it.
    pub cause: Cause,
    /// The frame that shows it best, and what it says.
    pub proof: Vec<(u64, String)>,
    /// For [`Cause::LostTowardsHost`]: the first frame after the silence echoed our latest state.
    pub heard_all_along: bool,
    /// The silence that caused it.
    pub gap: Option<Gap>,
}

/// The reading of one part.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// Both ends were collecting and distributing at some time.
    pub carried: bool,
    /// Both ends were at the end.
    pub carries_at_end: bool,
    /// Outages, in order.
    pub outages: Vec<Outage>,
    /// Outgoing gaps longer than the partner's timeout allows, while the link was not down.
    pub out_gaps: Vec<Gap>,
    /// Outgoing gaps in which the partner went on hearing us: the capture lost our frames.
    pub tap_lost: Vec<Gap>,
    /// Incoming gaps longer than our timeout allows.
    pub in_gaps: Vec<Gap>,
    /// Outgoing gaps that are late (over 1.7 periods).
    pub out_late: Vec<Gap>,
    /// Incoming gaps that are late (over 1.7 periods).
    pub in_late: Vec<Gap>,
    /// The partner keeps the slow rate although it knows that it was asked for the fast one.
    pub rate_ignored: Option<RateIgnored>,
    /// The period we asked for and the partner asked for, in nanoseconds, at the end.
    pub asked: (Option<i64>, Option<i64>),
    /// Number of intervals seen: out, in.
    pub intervals: (u64, u64),
    /// Changes of the partner's identity (system, key, priority): from, to.
    pub identity: Vec<(Change, Change)>,
    /// Incoming PDUs that carry our own system as Actor: how many changes, first frame.
    pub own_system_in: Option<u64>,
    /// Two partners speak here at the same time: the first frame of either.
    pub two_speakers: Option<[Spoke; 2]>,
    /// Length of what was seen, in nanoseconds.
    pub seen: i64,
}

/// How a partner speaks: its address, what it calls itself, and a frame of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoke {
    /// Ethernet source.
    pub source: Mac,
    /// System ID.
    pub system: Mac,
    /// Time and number of a frame.
    pub frame: (i64, u64),
}

impl Spoke {
    const fn of(s: &Speaker, c: &Change) -> Self {
        Self { source: s.source, system: c.actor.system, frame: (c.ns, c.frame) }
    }
}

impl Part {
    /// The host's speaker.
    #[must_use]
    pub fn host(&self) -> Option<&Speaker> {
        self.out.iter().max_by_key(|s| s.pdus).map(Arc::as_ref)
    }
    /// The partner's speaker.
    #[must_use]
    pub fn partner(&self) -> Option<&Speaker> {
        self.ins.first().map(Arc::as_ref)
    }
    /// Cites a frame.
    #[must_use]
    pub const fn cite(&self, frame: u64) -> Citation {
        Citation::frame(self.file, frame)
    }

    /// Reads the story. `rate_fast` is the host's configured rate, for a capture without our own frames.
    #[must_use]
    pub fn story(&self, rate_fast: Option<bool>) -> Story {
        let mut story = Story { seen: self.span.1.saturating_sub(self.span.0), ..Story::default() };
        let (host, partner) = (self.host(), self.partner());
        if host.is_none() && partner.is_none() && self.unknown.len() >= 2 && self.timed {
            // Whose words are whose is not told; that both ends are content can be read all the same.
            let content = |s: &Arc<Speaker>| {
                let fast = self.unknown.iter().any(|o| {
                    o.source != s.source
                        && o.changes.iter().any(|c| c.actor.state.contains(PortState::TIMEOUT))
                });
                s.changes.last().is_some_and(|c| c.actor.state.carries_traffic())
                    && s.changes.iter().all(|c| !c.actor.state.deaf())
                    // A gap that comes close to the timeout is no fault yet, and not in order either.
                    && s.gaps.iter().all(|g| g.len_ns() <= if fast { 2 * SECOND + SECOND / 2 } else { LONG_LIMIT })
                    && self.span.1.saturating_sub(s.last.0) <= limit(fast)
            };
            story.carried =
                self.unknown.iter().any(|s| s.changes.iter().any(|c| c.actor.state.carries_traffic()));
            story.carries_at_end = self.unknown.iter().all(content);
            return story;
        }
        let asked_by_us = |t: i64| self.asked_by_us(t).or(rate_fast);
        let asked_by_partner = |t: i64| self.asked_by_partner(t);
        story.asked = (asked_by_us(self.span.1).map(period), asked_by_partner(self.span.1).map(period));
        story.intervals = (host.map_or(0, |h| h.intervals.0), partner.map_or(0, |p| p.intervals.0));
        if let Some(p) = partner {
            for pair in p.changes.windows(2) {
                let [a, b] = pair else { continue };
                if a.actor.system != b.actor.system
                    || a.actor.system_priority != b.actor.system_priority
                    || (a.actor.key != b.actor.key && a.actor.key != 0 && b.actor.key != 0)
                {
                    story.identity.push((*a, *b));
                }
            }
        }
        let own: BTreeSet<Mac> =
            self.out.iter().flat_map(|s| s.changes.iter().map(|c| c.actor.system)).collect();
        story.own_system_in = self
            .ins
            .iter()
            .flat_map(|s| &s.changes)
            .find(|c| !c.actor.system.is_zero() && own.contains(&c.actor.system))
            .map(|c| c.frame);
        story.two_speakers = self.two_speakers();
        if !self.timed {
            story.carried = host
                .into_iter()
                .chain(partner)
                .any(|s| s.changes.iter().any(|c| c.actor.state.carries_traffic()));
            return story;
        }
        let link_down = self.link_downs();
        // With both ends passive nobody sends unprompted (Periodic machine in NO_PERIODIC): silence is then the rule.
        let passive = |s: Option<&Speaker>, t: i64| {
            s.and_then(|s| s.at(t)).is_some_and(|c| !c.actor.state.contains(PortState::ACTIVITY))
        };
        let down_at = |g: &Gap| {
            link_down.iter().any(|d| g.from_ns < d.end && d.start < g.to_ns)
                || (passive(host, g.to_ns - 1) && passive(partner, g.to_ns - 1))
        };
        if let Some(h) = host {
            for g in self.gaps_of(h, partner) {
                let (overdue, fast) = self.overdue(&g, &asked_by_partner);
                if self.heard_through(&g) {
                    story.tap_lost.push(g);
                } else if overdue > limit(fast) && !down_at(&g) {
                    story.out_gaps.push(g.last(overdue));
                } else if overdue > period(fast) * 17 / 10 && !down_at(&g) {
                    story.out_late.push(g.last(overdue));
                }
            }
        }
        if let Some(p) = partner {
            for g in self.gaps_of(p, host) {
                let (overdue, fast) = self.overdue(&g, &asked_by_us);
                if overdue > limit(fast) && !down_at(&g) {
                    story.in_gaps.push(g.last(overdue));
                } else if overdue > period(fast) * 17 / 10 && !down_at(&g) {
                    story.in_late.push(g.last(overdue));
                }
            }
        }
        story.rate_ignored = self.rate_ignored(&down_at);
        self.outages(&mut story, &link_down);
        story
    }

    /// Two systems that speak on this wire at the same time. From two addresses: their times overlap (the two switches of
    /// an MLAG port speak as one system). From one address: one of them keeps its cadence, as if nothing had happened, while the
    /// other speaks in between; a port that changes its identity stops speaking as what it was.
    fn two_speakers(&self) -> Option<[Spoke; 2]> {
        if !self.timed {
            return None;
        }
        let foreign: Vec<&Speaker> = self.ins.iter().map(Arc::as_ref).filter(|s| s.pdus > 1).collect();
        if let [a, b, ..] = foreign.as_slice()
            && a.first.0 < b.last.0
            && b.first.0 < a.last.0
            && let (Some(x), Some(y)) = (a.changes.last(), b.changes.last())
            && x.actor.system != y.actor.system
            && let (Some(x), Some(y)) = (a.changes.first(), b.changes.first())
        {
            return Some([Spoke::of(a, x), Spoke::of(b, y)]);
        }
        for s in foreign {
            let mut between = 0;
            for triple in s.changes.windows(3) {
                let [a, b, c] = triple else { continue };
                let fast = self.asked_by_us(a.ns).unwrap_or(false);
                let kept = c.ns.saturating_sub(a.until.0) <= period(fast) * 17 / 10;
                if a.actor.system == c.actor.system && a.actor.system != b.actor.system && kept {
                    between += 1;
                } else {
                    between = 0;
                }
                if between >= 4 {
                    return Some([Spoke::of(s, a), Spoke::of(s, b)]);
                }
            }
        }
        None
    }

    /// Whether we ask the partner for the fast rate at an instant: our own Timeout bit, or the partner's echo of it.
    fn asked_by_us(&self, t: i64) -> Option<bool> {
        let ours = self.host().and_then(|h| h.at(t)).map(|c| c.actor.state);
        let echo = || {
            self.partner()
                .and_then(|p| p.at(t))
                .filter(|c| !c.partner.system.is_zero())
                .map(|c| c.partner.state)
        };
        ours.or_else(echo).map(|s| s.contains(PortState::TIMEOUT))
    }

    /// Whether the partner asks us for the fast rate. While the partner is unknown (Defaulted) Linux sends at the slow
    /// rate; and a partner that has just asked for the slow rate is obeyed before our next PDU shows it.
    fn asked_by_partner(&self, t: i64) -> Option<bool> {
        let ours = self.host().and_then(|h| h.at(t)).map(|c| {
            let unknown = c.actor.state.contains(PortState::DEFAULTED) || c.partner.system.is_zero();
            !unknown && c.partner.state.contains(PortState::TIMEOUT)
        });
        let theirs = self.partner().and_then(|p| p.at(t)).map(|c| c.actor.state.contains(PortState::TIMEOUT));
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => Some(ours && theirs),
            (ours, theirs) => ours.or(theirs),
        }
    }
}

const fn period(fast: bool) -> i64 {
    if fast { FAST } else { SLOW }
}

const fn limit(fast: bool) -> i64 {
    if fast { SHORT_LIMIT } else { LONG_LIMIT }
}

/// `3.2 s` for texts.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a text with one decimal")]
pub fn seconds(ns: i64) -> String {
    format!("{:.1} s", ns as f64 / 1e9)
}

/// What Expired and Defaulted mean, for texts.
#[must_use]
pub fn deaf_words(state: PortState) -> &'static str {
    match (state.contains(PortState::EXPIRED), state.contains(PortState::DEFAULTED)) {
        (true, true) => "Expired and Defaulted",
        (true, false) => "Expired",
        (false, true) => "Defaulted",
        (false, false) => "all is well",
    }
}
