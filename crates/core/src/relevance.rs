//! Does a finding speak about *this* trouble: its time, its member, its direction.
//!
//! A NIC that hung three days ago, another member's reset, receive errors where the direction host to switch is broken:
//! true facts, and no explanation. They stay in the report as context and lose their vote.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::{Citation, Record};
use crate::finding::{Bearing, Finding, Kind, Severity};
use crate::timeline::Alignment;
use crate::units::Clock;
use crate::wire::Cause;
use std::collections::{BTreeMap, BTreeSet};

/// How long before the trouble a log line may stand and still explain it.
const BEFORE: i64 = 120_000_000_000;
/// The largest zone offset.
const ZONE: i64 = 14 * 3_600_000_000_000;

/// What the wire says went wrong, and when.
pub struct Trouble {
    /// First and last instant that was captured.
    pub seen: Option<(i64, i64)>,
    /// From the start of the first outage to the end of the last.
    pub span: Option<(i64, i64)>,
    /// Members with an outage or with late LACPDUs, and the directions that broke.
    pub members: BTreeMap<String, BTreeSet<Option<Way>>>,
    /// Start of every outage, and the last instant before it at which LACP was seen in order, if any.
    starts: Vec<(i64, Option<i64>)>,
    /// Every outage: start, end, and whether it began with the release of a member by the host.
    outages: Vec<(i64, i64, bool)>,
    /// Members where it is not told which end is the host.
    blind: BTreeSet<String>,
    /// Members that lost LACPDUs of the partner just when the partner stopped hearing us.
    holes: BTreeSet<String>,
    /// LACPDUs that went missing per member, estimated from the silences.
    missing: BTreeMap<String, u64>,
    alignments: Vec<Alignment>,
}

/// Where an instant lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Within the trouble, or shortly before it.
    During,
    /// Outside.
    Elsewhere,
    /// The clocks cannot be tied together.
    Unknown,
}

impl Trouble {
    /// Reads the trouble of a subject off its wires.
    #[must_use]
    pub fn of(case: &Case, subject: &Subject) -> Self {
        let mut trouble = Self {
            seen: None,
            span: None,
            members: BTreeMap::new(),
            starts: Vec::new(),
            outages: Vec::new(),
            blind: BTreeSet::new(),
            holes: BTreeSet::new(),
            missing: BTreeMap::new(),
            alignments: crate::timeline::alignments(case, subject),
        };
        let widen = |slot: &mut Option<(i64, i64)>, a: i64, b: i64| {
            *slot = Some(slot.map_or((a, b), |(x, y)| (x.min(a), y.max(b))));
        };
        for m in &subject.members {
            for (part, story) in m.wire.iter().flat_map(crate::wire::Wire::told).filter(|(p, _)| p.timed) {
                widen(&mut trouble.seen, part.span.0, part.span.1);
                let deaf_unknown =
                    part.unknown.iter().any(|s| s.changes.iter().any(|c| c.actor.state.deaf()));
                if deaf_unknown {
                    widen(&mut trouble.span, part.span.0, part.span.1);
                    trouble.members.entry(m.name.clone()).or_default().insert(None);
                    trouble.blind.insert(m.name.clone());
                }
                let mut in_order = story.carried.then_some(part.span.0);
                for o in &story.outages {
                    let start = o.gap.map_or(o.span.start, |g| g.from_ns.min(o.span.start));
                    widen(&mut trouble.span, start, o.span.end);
                    trouble.starts.push((start, in_order.filter(|t| *t + 15_000_000_000 < start)));
                    in_order = Some(o.span.end);
                    trouble.outages.push((start, o.span.end, o.cause == Cause::HostReleased));
                    let silence = o.gap.map_or(0, |g| g.len_ns());
                    *trouble.missing.entry(m.name.clone()).or_default() +=
                        u64::try_from(silence.max(o.span.end.saturating_sub(o.span.start)) / 1_000_000_000)
                            .unwrap_or(0);
                    // A partner that expires says so at once, and goes on every second: one that falls silent for two periods
                    // around that moment was not heard either.
                    let period = story.asked.0.unwrap_or(30_000_000_000);
                    let hole = part.partner().is_some_and(|p| {
                        p.gaps.iter().any(|g| {
                            g.len_ns() > period * 17 / 10
                                && g.from_ns < o.span.start.saturating_add(1_000_000_000)
                                && g.to_ns > o.span.start.saturating_sub(4_000_000_000)
                        })
                    });
                    if o.cause == Cause::LostTowardsSwitch && hole {
                        trouble.holes.insert(m.name.clone());
                    }
                    let way = match o.cause {
                        Cause::HostSilent | Cause::LostTowardsSwitch => Some(Way::HostToSwitch),
                        Cause::LostTowardsHost | Cause::LostInsideHost => Some(Way::SwitchToHost),
                        Cause::LostBothWays => Some(Way::Both),
                        Cause::LinkDown
                        | Cause::PartnerChanged
                        | Cause::PartnerWithdrew
                        | Cause::PartnerRestarted
                        | Cause::HostWithdrew
                        | Cause::HostReleased
                        | Cause::Unclear => None,
                    };
                    trouble.members.entry(m.name.clone()).or_default().insert(way);
                }
                for (gaps, way) in [(&story.in_late, Way::SwitchToHost), (&story.out_late, Way::HostToSwitch)]
                {
                    if gaps.iter().any(|g| g.len_ns() >= 2_500_000_000) {
                        trouble.members.entry(m.name.clone()).or_default().insert(Some(way));
                    }
                }
            }
        }
        // A bond without a capture of its own is judged in the time of the others'.
        if trouble.seen.is_none() {
            for m in case.subjects.iter().flat_map(|s| &s.members) {
                for part in m.wire.iter().flat_map(|w| &w.parts).filter(|p| p.timed) {
                    widen(&mut trouble.seen, part.span.0, part.span.1);
                }
            }
        }
        trouble
    }

    /// True if what the host did to a member at these instants explains the first and the longest outage. Else it is what
    /// somebody did about another one.
    fn leads(&self, f: &Finding) -> bool {
        let at = |start: i64, end: i64| {
            f.ns.iter().chain(&f.times).any(|t| *t >= start.saturating_sub(3_000_000_000) && *t <= end)
        };
        let by_release = f.check == "host-released";
        let (own, other): (Vec<_>, Vec<_>) = self
            .outages
            .iter()
            // The members of one bond may be released one after the other.
            .partition(|(start, end, released)| if by_release { *released } else { at(*start, *end) });
        let first = |list: &[&(i64, i64, bool)]| list.iter().map(|o| o.0).min();
        let longest = |list: &[&(i64, i64, bool)]| list.iter().map(|o| o.1.saturating_sub(o.0)).max();
        match (first(&other), first(&own)) {
            (Some(other_at), Some(own_at)) => other_at >= own_at && longest(&other) <= longest(&own),
            _ => true,
        }
    }

    /// The time of a record on the wall clock, with its error bound.
    fn wall(&self, record: &Record) -> Option<(i64, i64)> {
        let t = record.time?;
        if t.clock == Clock::Wall {
            return Some((t.ns, 0));
        }
        let tied = self.alignments.iter().find(|a| a.clock == t.clock)?;
        Some((t.ns.saturating_add(tied.offset), tied.error))
    }

    /// Where a record lies with respect to the trouble (or, if nothing broke, to what was captured).
    #[must_use]
    pub fn when(&self, record: &Record) -> When {
        let Some((start, end)) = self.span.or(self.seen) else { return When::Unknown };
        let Some(t) = record.time else { return When::Unknown };
        if let Some((ns, error)) = self.wall(record) {
            // Inside at every instant that the clocks leave open, outside at every one, or not known.
            let place = |ranges: &[(i64, i64)]| {
                let (from, to) = (ns.saturating_sub(error), ns.saturating_add(error));
                if ranges.iter().any(|r| from >= r.0 && to <= r.1) {
                    When::During
                } else if ranges.iter().all(|r| to < r.0 || from > r.1) {
                    When::Elsewhere
                } else {
                    When::Unknown
                }
            };
            if self.starts.is_empty() {
                return place(&[(start.saturating_sub(BEFORE), end.saturating_add(10_000_000_000))]);
            }
            // A cause precedes its effect, by no more than the watchdogs of the kernel need to notice; and what was followed by
            // LACP in order for a while was no cause.
            let near: Vec<(i64, i64)> = self
                .starts
                .iter()
                .map(|(start, in_order)| {
                    let before = if in_order.is_some() { 15_000_000_000 } else { BEFORE };
                    (start.saturating_sub(before), start.saturating_add(15_000_000_000))
                })
                .collect();
            return place(&near);
        }
        // A civil time lies within a zone offset of the truth; a missing year was read as 1970.
        if t.clock == Clock::Local {
            let day = 86_400_000_000_000;
            let ns = if t.ns < 366 * day { in_year_of(t.ns, start) } else { t.ns };
            if ns < start.saturating_sub(ZONE + BEFORE) || ns > end.saturating_add(ZONE) {
                return When::Elsewhere;
            }
        }
        When::Unknown
    }
}

/// A date without a year, put into the year of `near`.
fn in_year_of(ns: i64, near: i64) -> i64 {
    let year = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(near))
        .map_or(1970, time::OffsetDateTime::year);
    crate::units::civil_ns(year, 1, 1, 0, 0, 0, 0).map_or(ns, |jan| jan.saturating_add(ns))
}

/// Takes the vote from findings that speak about something else.
pub fn weigh(case: &Case, subject: &Subject, findings: &mut [Finding]) {
    let trouble = Trouble::of(case, subject);
    crate::boots::weigh(case, subject, &trouble.alignments, findings);
    let by_place: BTreeMap<Citation, &Record> = case.kernel().map(|(r, _)| (r.at, r)).collect();
    let broke = trouble.span.is_some();
    let troubled = troubled(&trouble, &by_place, findings);
    two_speakers(findings);
    for f in findings.iter_mut() {
        let Bearing::Implicates(domains) = &f.bearing else { continue };
        let log = f.kind == Kind::Log;
        if log {
            let whens: Vec<When> =
                f.evidence.iter().filter_map(|c| by_place.get(c)).map(|r| trouble.when(r)).collect();
            let all = |w: When| !whens.is_empty() && whens.iter().all(|x| *x == w);
            if all(When::Elsewhere) {
                context(f, "; from another time than the captured one");
                continue;
            }
            // The bond was captured and nothing broke: a log line without a time in it is no fault of this case.
            let captured = f
                .member
                .as_deref()
                .is_none_or(|m| subject.members.iter().any(|x| x.name == m && x.wire.is_some()));
            if trouble.seen.is_some()
                && captured
                && trouble.members.is_empty()
                && !whens.contains(&When::During)
            {
                context(f, "");
                continue;
            }
            // It happened while the bond was captured, and LACP did not notice: worth a look, no verdict.
            if trouble.seen.is_some() && captured && trouble.members.is_empty() && subject.bond {
                f.severity = Severity::Warning;
                continue;
            }
            if broke && !whens.is_empty() && !whens.contains(&When::During) {
                // It may or may not be of this time: it can no longer decide between sides.
                let mut domains = domains.clone();
                if domains.len() == 1 {
                    domains.push((D::Physical, crate::finding::Strength::Weak));
                    domains.push((D::SwitchControlPlane, crate::finding::Strength::Weak));
                }
                f.text.push_str("; whether at the time of the trouble is not known");
                f.bearing = Bearing::Implicates(domains);
            }
        }
        // A member released long after the outage began is a repair or another step, not the cause.
        if f.check == "host-released"
            && f.kind == Kind::Wire
            && let Some(t) = f.ns
            && !trouble.starts.is_empty()
            && !trouble.starts.iter().any(|(start, _)| (t - start).abs() < 3_000_000_000)
        {
            context(f, "; not where the outage began");
            continue;
        }
        // Where members broke before, or for longer, in a way that this does not explain, it is what somebody did about it.
        if f.ns.is_some()
            && (f.check == "host-released" && f.kind == Kind::Wire || f.check == "admin-down")
            && !trouble.leads(f)
        {
            context(f, "; another outage, which this does not explain, came first or lasted longer");
            continue;
        }
        if !broke || f.kind == Kind::Wire {
            continue;
        }
        // Another member's evidence explains nothing.
        // Where members do not fit together, the one that is left out is not the one that differs.
        let of_all = matches!(f.check, "own-key-differs" | "link-modes-withheld");
        if let Some(m) = &f.member
            && !of_all
            && !trouble.members.contains_key(m)
            && (f.kind != Kind::State || subject.members.iter().any(|x| x.name == *m && x.wire.is_some()))
        {
            context(f, "; this member had no trouble in the capture");
            continue;
        }
        // Starvation hits every member; one that was captured in order while another broke speaks against it.
        if f.member.is_none()
            && f.accuses().is_some_and(|(d, _)| d == D::HostStarvation)
            && subject.members.iter().any(|m| m.wire.is_some() && !trouble.members.contains_key(&m.name))
        {
            context(f, "; another member was in order at the same time");
            continue;
        }
        // Too few damaged or dropped frames to have killed the LACPDUs that are missing.
        if f.check != "nic-fault"
            && let (Kind::Counter, Some(m)) = (f.kind, f.member.clone())
            && let Some(missing) = trouble.missing.get(&m).filter(|n| **n > 0)
            && let [a, b] = f.evidence.as_slice()
            && let Some(s) = case
                .counters
                .get(&m)
                .into_iter()
                .flatten()
                .find(|s| (s.high.1 == *a && s.low.1 == *b) || (s.high.1 == *b && s.low.1 == *a))
            && s.source.starts_with("ethtool")
        {
            let errors = s.growth().unwrap_or(0);
            let packets =
                crate::ledger::growth(case, &m, crate::evidence::Meaning::RxPackets).map_or(0, |g| g.0);
            let thin = errors.saturating_mul(1000) < packets.saturating_add(errors);
            if errors < *missing || thin {
                context(f, "; too few to explain the missing LACPDUs");
                continue;
            }
        }
        // Where it is not told which end is the host, a direction cannot be compared with anything.
        if let (Some(_), Some(m)) = (f.way, &f.member)
            && trouble.blind.contains(m)
            && let Bearing::Implicates(d) = &mut f.bearing
            && d.len() == 1
        {
            d.push((D::Physical, crate::finding::Strength::Weak));
            d.push((D::SwitchControlPlane, crate::finding::Strength::Weak));
            continue;
        }
        // Nor does the other direction's.
        if let (Kind::Counter | Kind::Filter | Kind::Log, Some(way)) = (f.kind, f.way)
            && way != Way::Both
        {
            let ways: BTreeSet<Option<Way>> = match &f.member {
                Some(m) => trouble.members.get(m).cloned().unwrap_or_default(),
                None => trouble.members.values().flatten().copied().collect(),
            };
            let fits = ways.iter().any(|w| w.is_none_or(|w| w == way || w == Way::Both));
            // Frames are damaged on their way in, and the partner's LACPDUs went missing too when it stopped hearing us: both
            // directions lost frames at one time, though only one long enough for a timeout.
            let hole = f.member.as_ref().is_some_and(|m| trouble.holes.contains(m));
            if !ways.is_empty() && !fits && f.check == "coding-errors" && hole && badly_damaged(case, f) {
                if let Bearing::Implicates(d) = &mut f.bearing {
                    for (_, s) in d.iter_mut() {
                        *s = (*s).min(crate::finding::Strength::Moderate);
                    }
                }
                f.way = Some(Way::Both);
                f.text.push_str("; LACPDUs went missing in both directions");
                continue;
            }
            if !ways.is_empty() && !fits {
                context(f, "; the other direction broke");
                continue;
            }
        }
        // With members out of the aggregate a VLAN above them may drop as well. It may also be a fault of its own: it no
        // longer decides, but it keeps the host from being cleared.
        if let Bearing::Implicates(d) = &mut f.bearing
            && d.iter().any(|(x, _)| *x == D::VlanTxPath)
            // A filter that drops is nobody's consequence.
            && !["TC_EGRESS", "NETFILTER_DROP"].iter().any(|r| f.text.contains(r))
            && f.check != "egress-filter-drops"
        {
            d.push((D::Physical, crate::finding::Strength::Weak));
            d.push((D::SwitchControlPlane, crate::finding::Strength::Weak));
            f.text.push_str("; members of the bond were out of the aggregate in this case");
        }
    }
    for f in findings.iter_mut().filter(|f| is_open(f) && is_reaction(f)) {
        if troubled.iter().any(|m| f.member.as_ref() != Some(m)) {
            context(f, "; another member was in trouble that this does not explain");
        }
    }
}

/// A member that was released or taken down at a known time: whoever works on a bond that fails does such things.
fn is_reaction(f: &Finding) -> bool {
    f.ns.is_some() && (f.check == "admin-down" || f.check == "host-released" && f.kind == Kind::Wire)
}

fn is_open(f: &Finding) -> bool {
    f.severity == Severity::Fault && matches!(f.bearing, Bearing::Implicates(_))
}

/// Members that were in trouble in the captured time, or shortly before it, other than by such a deed of the host.
fn troubled(
    trouble: &Trouble,
    by_place: &BTreeMap<Citation, &Record>,
    findings: &[Finding],
) -> BTreeSet<String> {
    let near = |r: &&Record| {
        trouble.wall(r).zip(trouble.seen).is_some_and(|((ns, error), (start, end))| {
            ns >= start.saturating_sub(BEFORE + error) && ns <= end.saturating_add(error)
        })
    };
    findings
        .iter()
        .filter(|f| is_open(f) && !is_reaction(f))
        .filter(|f| f.kind != Kind::Log || f.evidence.iter().filter_map(|c| by_place.get(c)).any(near))
        .filter_map(|f| f.member.clone())
        .collect()
}

/// Of the frames that arrived between the readings, more than one in a hundred was damaged.
fn badly_damaged(case: &Case, f: &Finding) -> bool {
    let (Some(m), [high, low]) = (&f.member, f.evidence.as_slice()) else { return false };
    let damaged = case
        .counters
        .get(m)
        .into_iter()
        .flatten()
        .find(|s| s.high.1 == *high && s.low.1 == *low)
        .and_then(crate::series::Series::growth);
    let good = crate::ledger::growth(case, m, crate::evidence::Meaning::RxPackets).map_or(0, |g| g.0);
    damaged.is_some_and(|n| n >= 100 && n.saturating_mul(100) > good.saturating_add(n))
}

/// While two partners speak on one wire, whose words are the switch's is not known: nothing that they say, nor what the
/// member's state became by it, decides against the switch (verdict.md section 1).
fn two_speakers(findings: &mut [Finding]) {
    let members: BTreeSet<String> =
        findings.iter().filter(|f| f.check == "two-speakers").filter_map(|f| f.member.clone()).collect();
    for f in findings.iter_mut() {
        if f.check == "two-speakers"
            || members.is_empty()
            || f.member.as_ref().is_some_and(|m| !members.contains(m))
        {
            continue;
        }
        if let Bearing::Implicates(d) = &mut f.bearing
            && d.iter().all(|(x, _)| x.side() == crate::domain::Side::Switch)
        {
            d.push((D::Physical, crate::finding::Strength::Weak));
            f.text.push_str("; two partners speak on this wire");
        }
    }
}

fn context(f: &mut Finding, why: &str) {
    f.bearing = Bearing::Context;
    f.severity = f.severity.min(Severity::Warning);
    f.text.push_str(why);
}
