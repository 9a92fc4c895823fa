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
    /// The partner withdrew Synchronization (or Aggregation) although it hears us.
    PartnerWithdrew,
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
    /// Incoming gaps longer than our timeout allows.
    pub in_gaps: Vec<Gap>,
    /// Outgoing gaps that are late (over 1.7 periods).
    pub out_late: Vec<Gap>,
    /// Incoming gaps that are late (over 1.7 periods).
    pub in_late: Vec<Gap>,
    /// The period we asked for and the partner asked for, in nanoseconds, at the end.
    pub asked: (Option<i64>, Option<i64>),
    /// Number of intervals seen: out, in.
    pub intervals: (u64, u64),
    /// Changes of the partner's identity (system, key, priority): from, to.
    pub identity: Vec<(Change, Change)>,
    /// Incoming PDUs that carry our own system as Actor: how many changes, first frame.
    pub own_system_in: Option<u64>,
    /// Length of what was seen, in nanoseconds.
    pub seen: i64,
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
                let fast = asked_by_partner(g.from_ns).unwrap_or(false);
                if g.len_ns() > limit(fast) && !down_at(&g) {
                    story.out_gaps.push(g);
                } else if g.len_ns() > period(fast) * 17 / 10 && !down_at(&g) {
                    story.out_late.push(g);
                }
            }
        }
        if let Some(p) = partner {
            for g in self.gaps_of(p, host) {
                let fast = asked_by_us(g.from_ns).unwrap_or(false);
                if g.len_ns() > limit(fast) && !down_at(&g) {
                    story.in_gaps.push(g);
                } else if g.len_ns() > period(fast) * 17 / 10 && !down_at(&g) {
                    story.in_late.push(g);
                }
            }
        }
        self.outages(&mut story, &link_down);
        story
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
    /// rate.
    fn asked_by_partner(&self, t: i64) -> Option<bool> {
        let ours = self.host().and_then(|h| h.at(t)).map(|c| {
            let unknown = c.actor.state.contains(PortState::DEFAULTED) || c.partner.system.is_zero();
            !unknown && c.partner.state.contains(PortState::TIMEOUT)
        });
        ours.or_else(|| {
            self.partner().and_then(|p| p.at(t)).map(|c| c.actor.state.contains(PortState::TIMEOUT))
        })
    }

    /// True if a speaker kept its cadence from three and a half periods before `ns` until two periods after it.
    fn in_time_around(s: &Speaker, ns: i64, period: i64) -> bool {
        let (from, to) = (ns.saturating_sub(period * 7 / 2), ns.saturating_add(2 * period));
        s.first.0 < ns
            && s.last.0 >= ns.saturating_add(period / 2)
            && !s.gaps.iter().any(|g| g.len_ns() > period * 17 / 10 && g.from_ns < to && g.to_ns > from)
    }

    /// The gaps of a speaker, with the silence before its first and behind its last PDU while the other spoke.
    fn gaps_of(&self, s: &Speaker, other: Option<&Speaker>) -> Vec<Gap> {
        let mut gaps = s.gaps.clone();
        if let Some(o) = other {
            if o.first.0 < s.first.0 {
                gaps.insert(
                    0,
                    Gap { from_ns: o.first.0, to_ns: s.first.0, from_frame: o.first.1, to_frame: s.first.1 },
                );
            }
            if o.last.0 > s.last.0 {
                gaps.push(Gap {
                    from_ns: s.last.0,
                    to_ns: o.last.0,
                    from_frame: s.last.1,
                    to_frame: o.last.1,
                });
            }
        }
        gaps
    }

    /// Times in which the link was down: our first PDU after a silence carries Expired and Defaulted together,
    /// which Linux sends only after PORT_DISABLED (kernel-facts section 2: 199 = just after carrier-up).
    fn link_downs(&self) -> Vec<Span> {
        let both = PortState::EXPIRED.union(PortState::DEFAULTED);
        let Some(h) = self.host() else { return Vec::new() };
        let mut spans = Vec::new();
        for (i, c) in h.changes.iter().enumerate() {
            if !c.actor.state.contains(both) || i == 0 {
                continue;
            }
            let gap = h.gaps.iter().find(|g| g.to_ns == c.ns);
            let start = gap.map_or(c.ns, |g| g.from_ns);
            spans.push(Span {
                start,
                end: c.ns.saturating_add(1),
                first: gap.map_or(c.frame, |g| g.from_frame),
                last: c.frame,
                open: false,
            });
        }
        spans
    }

    fn outages(&self, story: &mut Story, link_down: &[Span]) {
        // One line of time: every change of either end.
        let mut points: Vec<(i64, u64, bool, Change)> = Vec::new();
        for (ours, s) in self.host().map(|s| (true, s)).into_iter().chain(self.partner().map(|s| (false, s)))
        {
            points.extend(s.changes.iter().map(|c| (c.ns, c.frame, ours, *c)));
        }
        points.sort_by_key(|p| (p.0, p.1));
        let (mut ours, mut theirs): (Option<Change>, Option<Change>) = (None, None);
        let mut open: Option<(i64, u64)> = None;
        let start = points.first().map_or((self.span.0, 0), |p| (p.0, p.1));
        let carrying = |c: Option<&Change>| c.is_none_or(|c| c.actor.state.carries_traffic());
        let fresh = PortState::EXPIRED.union(PortState::DEFAULTED);
        let mut negotiating = true;
        for (ns, frame, is_ours, change) in &points {
            if *is_ours {
                ours = Some(*change);
            } else {
                theirs = Some(*change);
            }
            let up =
                carrying(ours.as_ref()) && carrying(theirs.as_ref()) && (ours.is_some() || theirs.is_some());
            if up {
                // A capture may begin in the middle of an outage. The first seconds after link-up look different: no
                // end complains yet, or our own first PDU carries Expired and Defaulted together.
                if !story.carried && (!negotiating || ns.saturating_sub(start.0) > 10 * SECOND) {
                    self.outage(
                        story,
                        Span { start: start.0, end: *ns, first: start.1, last: *frame, open: false },
                        link_down,
                    );
                }
                story.carried = true;
                if let Some((from, first)) = open.take() {
                    let span = Span { start: from, end: *ns, first, last: *frame, open: false };
                    self.outage(story, span, link_down);
                }
            } else if open.is_none() && story.carried {
                open = Some((*ns, *frame));
            }
            let state = change.actor.state;
            negotiating &= story.carried || !state.deaf() || (*is_ours && state.contains(fresh));
        }
        let last = points.last().map_or(0, |p| p.1);
        if let Some((from, first)) = open {
            self.outage(story, Span { start: from, end: self.span.1, first, last, open: true }, link_down);
        } else if !story.carried && !points.is_empty() {
            // Never came up within the capture.
            self.outage(
                story,
                Span { start: start.0, end: self.span.1, first: start.1, last, open: true },
                link_down,
            );
        } else {
            story.carries_at_end = story.carried;
        }
        // A speaker that fell silent for good while the other goes on may leave the last words "all is well".
        let dead_in = story.in_gaps.iter().any(|g| self.partner().is_some_and(|p| g.from_ns == p.last.0));
        let dead_out = story.out_gaps.iter().any(|g| self.host().is_some_and(|h| g.from_ns == h.last.0));
        if dead_in || dead_out {
            story.carries_at_end = false;
        }
        // Neither end spoke here while other members were captured already.
        let fast =
            self.asked_by_us(start.0).unwrap_or(true) || self.asked_by_partner(start.0).unwrap_or(true);
        if !points.is_empty() && start.0.saturating_sub(self.span.0) > limit(fast).max(15 * SECOND) {
            let span = Span { start: self.span.0, end: start.0, first: start.1, last: start.1, open: false };
            let text = format!(
                "the first LACPDU of either end, {} after other members were captured",
                seconds(start.0 - self.span.0)
            );
            story.outages.insert(
                0,
                Outage {
                    span,
                    cause: Cause::Unclear,
                    proof: vec![(start.1, text)],
                    heard_all_along: false,
                    gap: None,
                },
            );
        }
        // Both fell silent although the capture went on: the last words say nothing about what came after.
        let last_words = self.out.iter().chain(&self.ins).map(|s| (s.last.0, s.last.1)).max();
        if let Some((ns, frame)) = last_words
            && story.carries_at_end
        {
            let fast = self.asked_by_us(ns).unwrap_or(true) || self.asked_by_partner(ns).unwrap_or(true);
            if self.span.1.saturating_sub(ns) > limit(fast) {
                story.carries_at_end = false;
                let span = Span { start: ns, end: self.span.1, first: frame, last: frame, open: true };
                let text = format!(
                    "the last LACPDU of either end; the capture went on for {}",
                    seconds(self.span.1 - ns)
                );
                story.outages.push(Outage {
                    span,
                    cause: Cause::Unclear,
                    proof: vec![(frame, text)],
                    heard_all_along: false,
                    gap: None,
                });
            }
        }
    }

    /// Finds out how an outage came about.
    fn outage(&self, story: &mut Story, span: Span, link_down: &[Span]) {
        let within = |t: i64| t >= span.start.saturating_sub(SECOND) && t <= span.end.saturating_add(SECOND);
        let host_changes: Vec<&Change> =
            self.host().into_iter().flat_map(|s| &s.changes).filter(|c| within(c.ns)).collect();
        let partner_changes: Vec<&Change> =
            self.partner().into_iter().flat_map(|s| &s.changes).filter(|c| within(c.ns)).collect();
        let host_deaf = host_changes.iter().find(|c| c.actor.state.deaf()).copied();
        let partner_deaf = partner_changes.iter().find(|c| c.actor.state.deaf()).copied();
        let mut proof: Vec<(u64, String)> = Vec::new();
        let mut heard_all_along = false;
        let mut used: Option<Gap> = None;
        // Periods that were asked for just before the trouble.
        let before = span.start.saturating_sub(4 * SECOND);
        let out_period = period(self.asked_by_partner(before).unwrap_or(false));
        let in_period = period(self.asked_by_us(before).unwrap_or(false));
        // Our own frames had stopped, or came too late, before the partner complained.
        let out_gap = partner_deaf.and_then(|d| {
            let all = self.host().into_iter().flat_map(|h| self.gaps_of(h, self.partner()));
            all.filter(|g| {
                g.len_ns() > out_period * 5 / 2
                    && g.from_ns < d.ns.saturating_sub(out_period * 3 / 2)
                    && g.to_ns > d.ns.saturating_sub(2 * out_period)
            })
            .max_by_key(Gap::len_ns)
        });
        // The silence that made us expire began well before our state says so, and lasted until then.
        let in_gap = host_deaf.and_then(|d| {
            let all = self.partner().into_iter().flat_map(|p| self.gaps_of(p, self.host()));
            all.filter(|g| {
                g.len_ns() > in_period * 5 / 2
                    && g.from_ns < d.ns.saturating_sub(in_period * 3 / 2)
                    && g.to_ns >= d.ns.saturating_sub(in_period / 2)
            })
            .max_by_key(Gap::len_ns)
        });
        let heard_in_time = self.partner().zip(host_deaf).is_some_and(|(p, d)| {
            // One late PDU ends an Expired at once: a host that stays deaf while PDUs arrive does not get them.
            let until = self
                .host()
                .and_then(|h| h.changes.iter().find(|c| c.ns > d.ns && !c.actor.state.deaf()))
                .map_or(self.span.1, |c| c.ns);
            until.saturating_sub(d.ns) > 2 * in_period && Self::in_time_around(p, d.ns, in_period)
        });
        // We were deaf before the partner was: once Defaulted, Linux sends every 31 s, and a partner with a short timeout
        // expires on that. Its complaint is then a consequence.
        let deaf_first = partner_deaf.is_some_and(|p| {
            self.host()
                .and_then(|h| h.at(p.ns.saturating_sub(SECOND / 2)))
                .is_some_and(|c| c.actor.state.deaf())
                || host_deaf.is_some_and(|h| h.ns < p.ns)
        });
        let identity = story.identity.iter().find(|(_, b)| within(b.ns)).copied();
        let first_deaf = host_deaf.map(|c| c.ns).into_iter().chain(partner_deaf.map(|c| c.ns)).min();
        // A partner that leaves says so: Aggregation cleared, while it still hears us.
        let left = partner_changes.iter().find(|c| {
            !c.actor.state.contains(PortState::AGGREGATION)
                && !c.actor.state.deaf()
                && !c.partner.system.is_zero()
                && story.carried
                && first_deaf.is_none_or(|d| c.ns <= d)
        });
        // With both ends passive nobody keeps a cadence: the silences are the rule, not a cause.
        let passive = |s: Option<&Speaker>| {
            s.is_some_and(|s| {
                let then = s.at(span.start).into_iter().chain(s.changes.iter().filter(|c| within(c.ns)));
                then.into_iter().all(|c| !c.actor.state.contains(PortState::ACTIVITY))
            })
        };
        let both_passive = passive(self.host()) && passive(self.partner());
        let cause = if both_passive {
            proof.push((span.first, "neither end is active".to_owned()));
            Cause::Unclear
        } else if let Some(d) = link_down
            .iter()
            .find(|d| d.start < span.end.saturating_add(SECOND) && d.end > span.start.saturating_sub(SECOND))
        {
            proof.push((d.last, "our first PDU after the silence carries Expired and Defaulted: the port had been disabled, the link was down".to_owned()));
            Cause::LinkDown
        } else if let Some((a, b)) = identity {
            proof.push((
                a.frame,
                format!(
                    "partner {} key {} priority {}",
                    a.actor.system, a.actor.key, a.actor.system_priority
                ),
            ));
            proof.push((
                b.frame,
                format!(
                    "then partner {} key {} priority {}",
                    b.actor.system, b.actor.key, b.actor.system_priority
                ),
            ));
            Cause::PartnerChanged
        } else if let Some(c) = left {
            proof.push((
                c.frame,
                format!(
                    "the partner leaves by itself: it clears Aggregation while it hears us ({})",
                    c.actor.state
                ),
            ));
            Cause::PartnerWithdrew
        } else if let (Some(d), false) = (partner_deaf, deaf_first) {
            if let Some(g) = out_gap {
                proof.push((
                    g.from_frame,
                    format!("our last PDU at the tap before a silence of {}", seconds(g.len_ns())),
                ));
                proof.push((d.frame, format!("then the partner says {}", deaf_words(d.actor.state))));
                used = Some(g);
                Cause::HostSilent
            } else {
                if let Some((ns, frame)) = d.answered {
                    proof.push((
                        frame,
                        format!("our last PDU before it passed the tap {} earlier", seconds(d.ns - ns)),
                    ));
                }
                proof.push((
                    d.frame,
                    format!(
                        "the partner says {} (state {:#04x})",
                        deaf_words(d.actor.state),
                        d.actor.state.bits()
                    ),
                ));
                let silent_first = self.partner().is_some_and(|p| {
                    p.gaps.iter().any(|g| g.to_ns == d.ns && g.len_ns() > in_period * 5 / 2)
                });
                // That our frames passed the tap must have been seen, for as long as the partner's timeout: a capture that
                // began in the middle of the outage has not seen it.
                let seen = self.host().is_some_and(|h| h.first.0 <= d.ns.saturating_sub(3 * out_period))
                    && d.answered.is_some_and(|(ns, _)| d.ns.saturating_sub(ns) <= out_period * 5 / 2);
                match (seen, silent_first) {
                    (false, _) => Cause::Unclear,
                    (true, true) => Cause::LostBothWays,
                    (true, false) => Cause::LostTowardsSwitch,
                }
            }
        } else if let Some(d) = host_deaf {
            if let Some(g) = in_gap {
                used = Some(g);
                proof.push((
                    g.from_frame,
                    format!("the partner's last PDU before a silence of {}", seconds(g.len_ns())),
                ));
                proof.push((d.frame, format!("then our own PDU says {}", deaf_words(d.actor.state))));
                let resumed = self.partner().is_some_and(|p| p.last.0 >= g.to_ns && p.last.0 > g.from_ns);
                let back = if resumed { self.partner().and_then(|p| p.at(g.to_ns)) } else { None };
                match back {
                    // After a long silence our own slow cadence has made the partner deaf: no proof of a second loss.
                    Some(b)
                        if (b.actor.state.deaf() || b.partner.system.is_zero())
                            && g.len_ns() < 3 * in_period + 6 * SECOND =>
                    {
                        proof.push((
                            g.to_frame,
                            "the first PDU after it is from a partner that did not hear us either".to_owned(),
                        ));
                        Cause::LostBothWays
                    }
                    Some(b) if b.partner.state.deaf() && !b.actor.state.deaf() => {
                        heard_all_along = true;
                        proof.push((g.to_frame, format!("the first PDU after it echoes our state {:#04x}: the partner had heard us all along", b.partner.state.bits())));
                        Cause::LostTowardsHost
                    }
                    _ => Cause::LostTowardsHost,
                }
            } else if heard_in_time {
                if let Some((ns, frame)) = d.answered {
                    proof.push((
                        frame,
                        format!("the partner's PDU passed the tap {} before", seconds(d.ns - ns)),
                    ));
                }
                proof.push((
                    d.frame,
                    format!(
                        "our PDU says {} while the partner's PDUs pass the tap in time",
                        deaf_words(d.actor.state)
                    ),
                ));
                Cause::LostInsideHost
            } else if self.partner().is_none() && self.unknown.is_empty() {
                proof.push((
                    d.frame,
                    format!(
                        "our PDU says {} and no PDU of a partner was captured",
                        deaf_words(d.actor.state)
                    ),
                ));
                Cause::LostTowardsHost
            } else {
                proof.push((d.frame, format!("our PDU says {}", deaf_words(d.actor.state))));
                Cause::Unclear
            }
        } else {
            let withdrew = |c: &&&Change| {
                !c.actor.state.contains(PortState::SYNCHRONIZATION)
                    || !c.actor.state.contains(PortState::AGGREGATION)
            };
            let p = partner_changes.iter().find(withdrew);
            let h = host_changes.iter().find(withdrew);
            // After a silence it is renegotiation, not a decision; and it must show that it hears us.
            let deliberate = |c: &Change| {
                let after_silence = self.partner().is_some_and(|p| {
                    p.gaps.iter().any(|g| {
                        let patient = !c.actor.state.contains(PortState::TIMEOUT);
                        g.to_ns == c.ns && g.len_ns() > if patient { LONG_LIMIT } else { 3 * SECOND }
                    }) || p.first.0 == c.ns
                });
                let hears = self
                    .host()
                    .and_then(|h| h.at(c.ns))
                    .is_some_and(|ours| c.partner.same_identity(&ours.actor));
                !after_silence && hears
            };
            match (h, p) {
                (Some(h), Some(p)) if h.ns <= p.ns => {
                    proof.push((h.frame, format!("our PDU withdraws: {}", h.actor.state)));
                    Cause::HostWithdrew
                }
                (_, Some(p)) if deliberate(p) => {
                    proof.push((
                        p.frame,
                        format!("the partner withdraws although it hears us: {}", p.actor.state),
                    ));
                    Cause::PartnerWithdrew
                }
                (Some(h), None) => {
                    proof.push((h.frame, format!("our PDU withdraws: {}", h.actor.state)));
                    Cause::HostWithdrew
                }
                (_, Some(p)) => {
                    proof.push((
                        p.frame,
                        format!("the partner is out of sync after a silence: {}", p.actor.state),
                    ));
                    Cause::Unclear
                }
                (None, None) => Cause::Unclear,
            }
        };
        proof.sort_by_key(|p| p.0);
        story.outages.push(Outage { span, cause, proof, heard_all_along, gap: used });
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
