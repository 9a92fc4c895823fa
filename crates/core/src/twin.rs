//! The protocol twin: holds what each end says against what its 802.1AX machines could have said.
//!
//! What the tap saw is not what the other end received: a frame may be lost behind the tap. So an end is held to
//! nothing but its own words. In CURRENT (neither Expired nor Defaulted) the Partner fields of a PDU are the Actor fields
//! of a PDU that was received (recordPDU, 802.1AX-2014 6.4.9); and an end that receives nothing leaves CURRENT when
//! current_while runs out (6.4.12). Whether the frames arrived or not, an end that stays CURRENT and describes somebody
//! that never spoke, or what was long replaced, is out of its machine. How long is long is measured on the machines
//! themselves (`bounds`): those of the standard and those of Linux, the slower of them.
//!
//! What the standard leaves open, and vendors do differently (how often a Defaulted port speaks, whether it is
//! suspended, administrative values of the partner), is not judged.

use crate::capture::{Change, Speaker};
use crate::case::Subject;
use crate::wire::{Cause, Outage, Part, Story};
use lacp::{PortInfo, PortState};
use std::collections::BTreeSet;

mod bounds;

use bounds::Bounds;

const SECOND: i64 = 1_000_000_000;

/// Whose machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The host's.
    Host,
    /// The partner's.
    Partner,
}

impl End {
    /// For texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "the host",
            Self::Partner => "the partner",
        }
    }
}

/// What no conforming machine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// CURRENT, in Synchronization, with a Partner of zeros, after it had described its partner rightly.
    EchoOfNobody,
    /// The same with a port of the partner's system that the partner does not have.
    EchoOfNoPort,
    /// The same with the port of another member: the two strands of two cables may be crossed.
    EchoOfAnotherMember,
    /// The same with another system.
    EchoOfAnotherSystem,
    /// CURRENT with an identity of the partner that was replaced longer ago than the timeout.
    EchoOfThePast,
    /// Distributing without Collecting.
    DistributesAlone,
    /// Collecting or Distributing without its own Synchronization.
    CarriesUnsynchronized,
    /// Collecting or Distributing although the partner that it describes is out of Synchronization.
    CarriesWithoutPartner,
    /// Defaulted, and yet it describes its partner as it is now.
    DefaultedThoughItHears,
    /// Both ends are in Synchronization, by its own words, and it does not collect.
    MuxStands,
    /// It received nothing for longer than its timeout and does not say so.
    ExpiredLate,
}

impl Rule {
    /// True for a transition that came late, false for a state that must not be.
    #[must_use]
    pub const fn late(self) -> bool {
        matches!(self, Self::MuxStands | Self::ExpiredLate)
    }
    /// What was seen, for texts.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::EchoOfNobody => {
                "is neither Expired nor Defaulted and claims Synchronization, with zeros for its partner"
            }
            Self::EchoOfNoPort => {
                "is neither Expired nor Defaulted and describes a port of its partner's system that never spoke"
            }
            Self::EchoOfAnotherMember => {
                "is neither Expired nor Defaulted and describes the port of another member"
            }
            Self::EchoOfAnotherSystem => {
                "is neither Expired nor Defaulted and describes another system than the one that speaks to it here"
            }
            Self::EchoOfThePast => {
                "neither expires nor takes over what its partner has long been saying: it describes the partner as it was"
            }
            Self::DistributesAlone => "distributes without collecting",
            Self::CarriesUnsynchronized => "collects or distributes without its own Synchronization",
            Self::CarriesWithoutPartner => {
                "collects or distributes although the partner it describes is out of Synchronization"
            }
            Self::DefaultedThoughItHears => "says Defaulted and describes its partner as it is now",
            Self::MuxStands => {
                "says that both ends are in Synchronization and does not collect, longer than its Mux machine may wait"
            }
            Self::ExpiredLate => {
                "received nothing at the tap for longer than its timeout and does not say Expired"
            }
        }
    }
}

/// A time in which an end did what its machine does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// Whose machine.
    pub end: End,
    /// What.
    pub rule: Rule,
    /// First PDU that shows it: time and frame.
    pub first: (i64, u64),
    /// Last one.
    pub last: (i64, u64),
    /// PDUs that show it.
    pub pdus: u64,
    /// The PDU of the other end that it contradicts, if one does.
    pub against: Option<u64>,
    /// The state and what it said of the partner, of the first PDU.
    pub said: (PortState, PortInfo),
    /// It can be the cause of an outage of this member: the member was out of the aggregate from about then on, and nothing
    /// else is known to have begun that.
    pub explains: bool,
}

/// Every deviation on every member of a bond, with the part of the wire that shows it, in order of time.
#[must_use]
pub fn of(subject: &Subject) -> Vec<(&str, &Part, Deviation)> {
    if !subject.members.iter().any(|m| m.wire.is_some()) {
        return Vec::new();
    }
    let bounds = Bounds::measured();
    let ports: Vec<(&str, Option<u16>)> =
        subject.members.iter().map(|m| (m.name.as_str(), port_of(m))).collect();
    let mut found = Vec::new();
    for m in &subject.members {
        let others: BTreeSet<u16> =
            ports.iter().filter(|(name, _)| *name != m.name).filter_map(|(_, p)| *p).collect();
        let known = Ports { others, all: ports.iter().all(|(_, p)| p.is_some()) };
        for (part, story) in m.wire.iter().flat_map(crate::wire::Wire::told) {
            let (Some(host), Some(partner)) = (part.host(), part.partner()) else { continue };
            // With a third speaker, or with its own system coming back (Linux then stops its Receive machine), an end does
            // not talk to the one that is seen here alone.
            if !part.timed || story.two_speakers.is_some() || story.own_system_in.is_some() {
                continue;
            }
            let mut here = Vec::new();
            for (end, own, other) in [(End::Host, host, partner), (End::Partner, partner, host)] {
                let talk = Talk { end, own, other, bounds: &bounds };
                here.extend(talk.echoes(&known));
                here.extend(talk.bits());
                here.extend(talk.mux());
            }
            here.extend(expired_late(part, story, host, partner, &bounds));
            for d in &mut here {
                d.explains =
                    explains(d, story) && (d.rule != Rule::MuxStands || others_carry(subject, &m.name, d));
            }
            found.extend(here.into_iter().map(|d| (m.name.as_str(), part, d)));
        }
    }
    found.sort_by_key(|(_, _, d)| (d.first, d.end, d.rule));
    found
}

/// The port number that a member speaks as.
fn port_of(m: &crate::case::Member) -> Option<u16> {
    m.port.or_else(|| {
        let part = m.wire.as_ref()?.parts.iter().find(|p| p.host().is_some())?;
        part.host()?.changes.last().map(|c| c.actor.port)
    })
}

/// Port numbers of the host's bond.
struct Ports {
    /// Those of the other members.
    others: BTreeSet<u16>,
    /// True if every member's is known.
    all: bool,
}

/// A run of PDUs of one end that have something in common.
struct Stretch<'a> {
    first: &'a Change,
    last: &'a Change,
    pdus: u64,
    /// What it said before.
    before: Option<&'a Change>,
}

impl Stretch<'_> {
    const fn len(&self) -> i64 {
        self.last.until.0.saturating_sub(self.first.ns)
    }
}

/// One end, and what the other end says to it.
struct Talk<'a> {
    end: End,
    own: &'a Speaker,
    other: &'a Speaker,
    bounds: &'a Bounds,
}

impl<'a> Talk<'a> {
    /// The runs that fit, at least two PDUs each, without a silence of more than the longest period in between.
    fn stretches(&self, fits: impl Fn(&Change) -> bool) -> Vec<Stretch<'a>> {
        let mut found: Vec<Stretch<'a>> = Vec::new();
        let mut open = false;
        let mut before = None;
        for c in &self.own.changes {
            let silent = self.own.gaps.iter().any(|g| g.to_ns == c.ns && g.len_ns() > 40 * SECOND);
            if !fits(c) {
                open = false;
            } else if let Some(s) = found.last_mut().filter(|_| open && !silent) {
                s.last = c;
                s.pdus = s.pdus.saturating_add(c.pdus);
            } else {
                found.push(Stretch { first: c, last: c, pdus: c.pdus, before });
                open = true;
            }
            before = Some(c);
        }
        found.retain(|s| s.pdus >= 2);
        found
    }

    fn deviation(&self, rule: Rule, s: &Stretch<'_>, against: Option<u64>) -> Deviation {
        Deviation {
            end: self.end,
            rule,
            first: (s.first.ns, s.first.frame),
            last: s.last.until,
            pdus: s.pdus,
            against,
            said: (s.first.actor.state, s.first.partner),
            explains: false,
        }
    }

    /// The other end's words at an instant; before its first PDU in the capture, that one.
    fn told(&self, ns: i64) -> Option<&'a Change> {
        self.other.at(ns).or_else(|| self.other.changes.first())
    }

    /// True if the end described its partner rightly, and heard it.
    fn right(&self, c: &Change) -> bool {
        !c.actor.state.deaf() && self.told(c.ns).is_some_and(|o| c.partner.same_identity(&o.actor))
    }

    /// What it says of its partner while it claims to hear it.
    fn echoes(&self, ports: &Ports) -> Vec<Deviation> {
        let claims = PortState::SYNCHRONIZATION.union(PortState::CARRIES);
        let spoke = |e: &PortInfo| self.other.changes.iter().any(|o| o.actor.same_identity(e));
        let strange =
            |c: &Change| !c.actor.state.deaf() && c.actor.state.intersects(claims) && !spoke(&c.partner);
        let mut found = Vec::new();
        for s in self.stretches(strange) {
            // A capture that begins in the middle does not show that it had heard its partner; and what it says right after it
            // was deaf may be a start that a vendor does not mark.
            let Some(before) = s.before.filter(|b| self.right(b)) else { continue };
            if s.len() < self.bounds.expired.0 {
                continue;
            }
            let Some(told) = self.told(s.first.ns) else { continue };
            let echo = &s.first.partner;
            let rule = if echo.system.is_zero() {
                Rule::EchoOfNobody
            } else if echo.system != told.actor.system {
                Rule::EchoOfAnotherSystem
            } else if self.end == End::Partner && (!ports.all || ports.others.contains(&echo.port)) {
                Rule::EchoOfAnotherMember
            } else {
                Rule::EchoOfNoPort
            };
            let against = s.first.answered.map_or(before.frame, |(_, frame)| frame);
            found.push(self.deviation(rule, &s, Some(against)));
        }
        // What was replaced: the partner's identity changed, and this end has neither followed nor expired in time.
        for pair in self.other.changes.windows(2) {
            let [old, new] = pair else { continue };
            if old.actor.same_identity(&new.actor) {
                continue;
            }
            let Some(then) = self.own.at(new.ns) else { continue };
            // The period that the new block asks for, twice: one PDU may be under way, one may be lost.
            let period = if new.actor.state.contains(PortState::TIMEOUT) { 2 * SECOND } else { 62 * SECOND };
            let due = new.ns.saturating_add(self.bounds.timeout(then.actor.state)).saturating_add(period);
            let identity_until = self
                .other
                .changes
                .iter()
                .filter(|c| c.ns >= new.ns)
                .take_while(|c| c.actor.same_identity(&new.actor))
                .last()
                .map_or(new.ns, |c| c.until.0);
            let past = |c: &Change| !c.actor.state.deaf() && c.partner.same_identity(&old.actor);
            let stretch = self
                .stretches(past)
                .into_iter()
                .find(|s| s.first.ns <= new.ns && s.last.until.0 > due && identity_until > due);
            if let Some(s) = stretch {
                found.push(self.deviation(Rule::EchoOfThePast, &s, Some(new.frame)));
            }
        }
        found
    }

    /// States that contradict themselves.
    fn bits(&self) -> Vec<Deviation> {
        use PortState as P;
        let mut found = Vec::new();
        let mut look = |rule: Rule, at_least: i64, fits: &dyn Fn(&Change) -> bool| {
            for s in self.stretches(fits).into_iter().filter(|s| s.len() >= at_least) {
                found.push(self.deviation(rule, &s, s.first.answered.map(|a| a.1)));
            }
        };
        // A PDU that was built while the machines were moving may say anything once.
        let moment = 2 * SECOND;
        let heard_in_sync = |c: &Change| self.right(c) && c.partner.state.contains(P::SYNCHRONIZATION);
        look(Rule::DistributesAlone, moment, &|c| {
            heard_in_sync(c)
                && c.actor.state.contains(P::DISTRIBUTING)
                && !c.actor.state.contains(P::COLLECTING)
        });
        look(Rule::CarriesUnsynchronized, moment, &|c| {
            heard_in_sync(c)
                && c.actor.state.intersects(P::CARRIES)
                && !c.actor.state.contains(P::SYNCHRONIZATION)
        });
        look(Rule::CarriesWithoutPartner, self.bounds.expired.0, &|c| {
            self.right(c)
                && c.actor.state.intersects(P::CARRIES)
                && !c.partner.state.contains(P::SYNCHRONIZATION)
        });
        look(Rule::DefaultedThoughItHears, self.bounds.expired.0, &|c| {
            c.actor.state.contains(P::DEFAULTED)
                && self.told(c.ns).is_some_and(|o| c.partner == o.actor && o.ns < c.ns)
        });
        found
    }

    /// Both are in Synchronization, and it does not collect.
    fn mux(&self) -> Vec<Deviation> {
        use PortState as P;
        let waits = |c: &Change| {
            self.right(c)
                && c.actor.state.contains(P::SYNCHRONIZATION | P::AGGREGATION)
                && !c.actor.state.contains(P::COLLECTING)
                && c.partner.state.contains(P::SYNCHRONIZATION)
                // The other end describes it rightly too, so that there is no mismatch to wait for.
                && self.told(c.ns).is_some_and(|o| {
                    !o.actor.state.deaf()
                        && o.actor.state.contains(P::SYNCHRONIZATION)
                        && o.partner.same_identity(&c.actor)
                })
        };
        self.stretches(waits)
            .into_iter()
            .filter(|s| s.len() > self.bounds.collecting)
            .map(|s| self.deviation(Rule::MuxStands, &s, s.first.answered.map(|a| a.1)))
            .collect()
    }
}

/// The host's Receive machine, against what its own tap received.
fn expired_late(
    part: &Part,
    story: &Story,
    host: &Speaker,
    partner: &Speaker,
    bounds: &Bounds,
) -> Option<Deviation> {
    let gaps = story.in_gaps.iter().filter(|g| g.to_ns <= partner.last.0);
    for g in gaps {
        let Some(then) = host.at(g.from_ns).filter(|c| !c.actor.state.deaf()) else { continue };
        let due = g.from_ns.saturating_add(bounds.timeout(then.actor.state));
        if due >= g.to_ns || part.inbound_only {
            continue;
        }
        // A rate that is changed meanwhile changes the timeout.
        let changed = |c: &&Change| {
            (g.from_ns.saturating_sub(2 * SECOND)..=due).contains(&c.ns)
                && c.actor.state.contains(PortState::TIMEOUT) != then.actor.state.contains(PortState::TIMEOUT)
        };
        if host.changes.iter().any(|c| changed(&c)) {
            continue;
        }
        // It spoke after that, within the silence, and was content.
        let content = host.changes.iter().rev().find(|c| c.ns <= g.to_ns)?;
        if content.actor.state.deaf() || content.until.0 < due {
            continue;
        }
        return Some(Deviation {
            end: End::Host,
            rule: Rule::ExpiredLate,
            first: (g.from_ns, g.from_frame),
            last: (g.to_ns, g.to_frame),
            pdus: content.pdus,
            against: None,
            said: (content.actor.state, content.partner),
            explains: false,
        });
    }
    None
}

/// An outage that this may have begun: it lies in the outage or right before it, and what begins there has no other cause.
fn explains(d: &Deviation, story: &Story) -> bool {
    let open = |o: &Outage| {
        matches!(o.cause, Cause::Unclear | Cause::PartnerWithdrew | Cause::HostWithdrew)
            && d.first.0 <= o.span.start.saturating_add(SECOND)
            && d.last.0 > o.span.start
    };
    let begins = story.outages.iter().any(open);
    // A Mux machine that stands may do so after any outage; it is the cause of the part that is its own.
    let after = d.rule == Rule::MuxStands
        && story
            .outages
            .iter()
            .any(|o| d.first.0 >= o.span.start && d.last.0 <= o.span.end.saturating_add(SECOND));
    begins || after
}

/// Every other member that was captured carried at that time: no minimum of links, and no other trouble, held this one back.
fn others_carry(subject: &Subject, member: &str, d: &Deviation) -> bool {
    subject.members.iter().filter(|m| m.name != member).all(|m| {
        m.wire.as_ref().is_some_and(|w| {
            w.told().any(|(p, s)| {
                p.span.0 <= d.first.0
                    && p.span.1 >= d.last.0
                    && s.carried
                    && !s.outages.iter().any(|o| o.span.start < d.last.0 && o.span.end > d.first.0)
            })
        })
    })
}
