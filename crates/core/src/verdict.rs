//! From findings to a verdict: exclusion first, weighing second (verdict.md section 2).
//!
//! 1. A finding that names *one* domain speaks for it with its weight in log-odds. A finding that names several shows
//!    that something is wrong, which direction and which member, but not whose fault: it orders suspects and never
//!    decides between sides.
//! 2. A side that every needed segment clears is exonerated; its domains leave the list of suspects.
//! 3. The case decides for a domain if a single-domain finding of at least [`Strength::Moderate`] speaks for it, or if
//!    all the heaviest suspects lie on one side, and no other side has as much evidence.
//! 4. The grade follows from what the decision rests on, not from the number: `proven` needs a strong finding, a second
//!    independent kind of evidence for the same side, and every other side cleared or ruled out.

use crate::case::{Case, Mode, Subject};
use crate::checks::CHECKS;
use crate::domain::{FaultDomain as D, Grade, Side, Way};
use crate::finding::{Bearing, Finding, Kind, Need, Outcome, Severity, Strength};
use crate::wire::Cause;
use lacp::PortState;
use std::collections::{BTreeMap, BTreeSet};

/// Changes when a check or a weight changes.
pub const RULESET: &str = "2026-11-24.2";

/// How well a domain fits what was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suspect {
    /// The domain.
    pub domain: D,
    /// Probability that domain and side are both right.
    pub confidence: f64,
}

/// A command that would help, and what its answer would mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// A command.
    pub run: String,
    /// What either answer would mean.
    pub expect: String,
}

/// A verdict. Findings are given by their index in [`Judged::findings`].
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The domain.
    pub domain: D,
    /// The side.
    pub side: Side,
    /// Members at fault.
    pub members: Vec<String>,
    /// How hard.
    pub grade: Grade,
    /// Probability that side and domain are both right.
    pub confidence: f64,
    /// One plain sentence.
    pub summary: String,
    /// The direction that is broken.
    pub way: Option<Way>,
    /// Suspects, most likely first.
    pub suspects: Vec<Suspect>,
    /// Sides cleared, with the findings that clear them.
    pub exonerated: Vec<(Side, Vec<usize>)>,
    /// Findings that speak for it, with their log-odds.
    pub because: Vec<(usize, f64)>,
    /// Findings that speak for something else.
    pub against: Vec<usize>,
    /// Domains ruled out.
    pub ruled_out: Vec<(D, Vec<usize>)>,
    /// What would overturn it.
    pub would_change: Vec<String>,
    /// What to do next.
    pub next: Vec<Next>,
}

/// What the subject is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Everything carries.
    Healthy,
    /// Some members do not carry.
    Degraded,
    /// Members came and went during the case.
    Flapping,
    /// No member carries.
    Down,
    /// Not told.
    Unknown,
}

impl State {
    /// The contract's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Flapping => "flapping",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// A time of trouble, with its own verdict.
#[derive(Debug, Clone)]
pub struct Episode {
    /// Start and end on the capture's clock.
    pub span: (i64, i64),
    /// Members concerned.
    pub members: Vec<String>,
    /// The verdict of this episode.
    pub verdict: Verdict,
}

/// A subject with everything that was found about it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Findings, in a fixed order.
    pub findings: Vec<Finding>,
    /// What could not be seen.
    pub needs: Vec<Need>,
    /// The state.
    pub state: State,
    /// The verdict.
    pub verdict: Verdict,
    /// Episodes in time order.
    pub episodes: Vec<Episode>,
}

/// Runs every check on a subject and judges it.
#[must_use]
pub fn judge(case: &Case, subject: &Subject) -> Judged {
    let mut findings = Vec::new();
    let mut needs = Vec::new();
    for check in CHECKS {
        match (check.run)(case, subject) {
            Outcome::Found(f) => findings.extend(f),
            Outcome::CouldNotSee(n) => needs.extend(n),
            Outcome::Clear | Outcome::NotApplicable => {}
        }
    }
    crate::relevance::weigh(case, subject, &mut findings);
    crate::hosts::weigh(case, subject, &mut findings);
    needs.extend(gaps(case, subject));
    needs.sort();
    needs.dedup();
    let mut state = state(subject);
    // A log that shows links going and coming is a flap, whatever the last reading says.
    let flapped = findings.iter().any(|f| f.check == "carrier-flap" && f.severity == Severity::Fault);
    if flapped && matches!(state, State::Healthy | State::Unknown) {
        let down = state == State::Unknown
            && !subject.members.is_empty()
            && subject.member_names().all(|m| crate::checks::ends_down(case, m));
        state = if down { State::Down } else { State::Flapping };
    }
    let verdict = decide(case, subject, &findings, state, None);
    let episodes = episodes(case, subject, &findings, state);
    Judged { findings, needs, state, verdict, episodes }
}

fn state(subject: &Subject) -> State {
    let mut carrying = 0;
    let mut dark = 0;
    let mut flapped = false;
    for m in &subject.members {
        let wire = m.wire.as_ref().and_then(|w| w.told().filter(|(p, _)| p.timed).last());
        if let Some((_, story)) = wire {
            // A member that came up while the capture ran has not flapped; one that went down after carrying has.
            flapped |= story.outages.iter().any(|o| story.carried && !o.span.open);
            if story.carries_at_end {
                carrying += 1;
            } else if !story.outages.is_empty() || story.carried {
                dark += 1;
            }
            continue;
        }
        let last = m.states.iter().rev().find(|s| s.actor.is_some() && s.partner.is_some());
        let mii = m.states.iter().rev().find_map(|s| s.mii.as_deref());
        match (last, mii) {
            (_, Some("down")) => dark += 1,
            (Some(s), _) => {
                let ok = s.actor.is_some_and(PortState::carries_traffic)
                    && s.partner.is_some_and(|p| p.carries_traffic() && !p.deaf());
                if ok { carrying += 1 } else { dark += 1 }
            }
            (None, Some("up")) if subject.mode != Mode::Lacp => carrying += 1,
            _ => {}
        }
    }
    match (carrying, dark) {
        _ if flapped => State::Flapping,
        (0, 0) => State::Unknown,
        (_, 0) => State::Healthy,
        (0, _) => State::Down,
        _ => State::Degraded,
    }
}

fn side_cleared(findings: &[Finding], only: Option<&[&str]>) -> BTreeMap<Side, Vec<usize>> {
    let mut cleared: BTreeMap<Side, Vec<usize>> = BTreeMap::new();
    // Trouble that was found: the members and directions that need clearing.
    let trouble: Vec<(&Option<String>, Option<Way>)> = findings
        .iter()
        .filter(|f| f.severity == Severity::Fault && matches!(f.bearing, Bearing::Implicates(_)))
        .map(|f| (&f.member, f.way))
        .collect();
    for (i, f) in findings.iter().enumerate() {
        if let Bearing::Exonerates(side) = f.bearing
            && only.is_none_or(|m| f.member.as_deref().is_some_and(|n| m.contains(&n)))
        {
            cleared.entry(side).or_default().push(i);
        }
    }
    // A side is clear only if every trouble is covered, and nothing speaks against that side alone.
    cleared.retain(|side, by| {
        let covered = trouble.iter().all(|(member, way)| {
            by.iter()
                .filter_map(|i| findings.get(*i))
                .any(|f| &&f.member == member && (f.way == *way || f.way == Some(Way::Both) || way.is_none()))
        });
        let accused = findings
            .iter()
            .any(|f| f.accuses().is_some_and(|(d, s)| d.side() == *side && s >= Strength::Moderate));
        covered && !accused
    });
    cleared
}

#[allow(clippy::too_many_lines, reason = "the steps of one decision, in order")]
fn decide(
    case: &Case,
    subject: &Subject,
    findings: &[Finding],
    state: State,
    episode: Option<&[&str]>,
) -> Verdict {
    let cleared = side_cleared(findings, episode);
    let ruled: BTreeSet<D> = findings
        .iter()
        .filter_map(|f| if let Bearing::RulesOut(d) = f.bearing { Some(d) } else { None })
        .collect();

    // Evidence for single domains, and the order of the suspects.
    let mut direct: BTreeMap<D, f64> = BTreeMap::new();
    let mut score: BTreeMap<D, f64> = BTreeMap::new();
    let mut strongest: BTreeMap<D, Strength> = BTreeMap::new();
    for f in findings {
        let Bearing::Implicates(domains) = &f.bearing else { continue };
        // Findings of one check about one member speak once; a second kind of evidence adds.
        for (d, s) in domains {
            if ruled.contains(d) || cleared.contains_key(&d.side()) {
                continue;
            }
            *score.entry(*d).or_default() += s.weight();
        }
        let sides: BTreeSet<Side> = domains.iter().map(|(d, _)| d.side()).collect();
        // What is only worth a warning orders suspects and never decides.
        if f.severity < Severity::Fault {
            continue;
        }
        if let [(d, s)] = domains.as_slice() {
            *direct.entry(*d).or_default() += s.weight();
            let e = strongest.entry(*d).or_insert(*s);
            *e = (*e).max(*s);
        } else if sides.len() == 1
            && let Some((d, s)) = domains.iter().rev().max_by_key(|(_, s)| *s)
        {
            // Several domains of one side: the side is shown, the domain is a guess, so it is never more than indicative.
            *direct.entry(*d).or_default() += s.weight();
            let capped = (*s).min(Strength::Moderate);
            let e = strongest.entry(*d).or_insert(capped);
            *e = (*e).max(capped);
        }
    }
    let mut suspects = normalise(&score);
    let by_side = |side: Side| direct.iter().filter(|(d, _)| d.side() == side).map(|(_, w)| *w).sum::<f64>();
    // The heaviest accused domain of the heaviest accused side.
    let best = direct
        .iter()
        .filter(|(d, _)| {
            strongest.get(d).is_some_and(|s| *s >= Strength::Moderate)
                && !ruled.contains(d)
                && !cleared.contains_key(&d.side())
        })
        .max_by(|a, b| {
            (by_side(a.0.side()) + host_first(*a.0))
                .total_cmp(&(by_side(b.0.side()) + host_first(*b.0)))
                .then(a.1.total_cmp(b.1))
                .then(b.0.cmp(a.0))
        })
        .map(|(d, w)| (*d, *w));
    // Not-LACP never outweighs a fault that was seen.
    let best = match best {
        Some((D::NotLacp, _)) => direct
            .iter()
            .filter(|(d, _)| **d != D::NotLacp && strongest.get(d).is_some_and(|s| *s >= Strength::Moderate))
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map(|(d, w)| (*d, *w))
            .or(best),
        b => b,
    };
    let rival = best.and_then(|(d, _)| {
        [Side::Host, Side::Switch, Side::Link, Side::Both]
            .into_iter()
            .filter(|s| *s != d.side())
            .map(by_side)
            .filter(|w| *w > 0.0)
            .max_by(f64::total_cmp)
    });

    let because_of = |pick: &dyn Fn(&Finding) -> bool| -> Vec<(usize, f64)> {
        findings
            .iter()
            .enumerate()
            .filter(|(_, f)| pick(f))
            .map(|(i, f)| {
                let w = match &f.bearing {
                    Bearing::Implicates(d) => d.iter().map(|(_, s)| s.weight()).fold(0.0, f64::max),
                    _ => 0.0,
                };
                (i, w)
            })
            .collect()
    };

    let decided = best.filter(|(d, _)| rival.is_none_or(|r| by_side(d.side()) + host_first(*d) > r + 0.4));
    let exonerated: Vec<(Side, Vec<usize>)> = cleared.iter().map(|(s, f)| (*s, f.clone())).collect();
    let ruled_out: Vec<(D, Vec<usize>)> = D::ALL
        .into_iter()
        .filter(|d| ruled.contains(d) || cleared.contains_key(&d.side()))
        .map(|d| {
            let by = findings
                .iter()
                .enumerate()
                .filter(|(_, f)| matches!(f.bearing, Bearing::RulesOut(x) if x == d))
                .map(|(i, _)| i)
                .chain(cleared.get(&d.side()).into_iter().flatten().copied())
                .collect();
            (d, by)
        })
        .collect();

    let fault_seen =
        findings.iter().any(|f| f.severity == Severity::Fault && matches!(f.bearing, Bearing::Implicates(_)));
    let mut verdict = Verdict {
        domain: D::Inconclusive,
        side: Side::Unknown,
        members: Vec::new(),
        grade: Grade::Insufficient,
        confidence: 0.0,
        summary: String::new(),
        way: None,
        suspects: Vec::new(),
        exonerated,
        because: Vec::new(),
        against: Vec::new(),
        ruled_out,
        would_change: Vec::new(),
        next: Vec::new(),
    };
    if let Some((domain, _)) = decided {
        let side = domain.side();
        verdict.domain = domain;
        verdict.side = side;
        let speaks = |f: &Finding| match &f.bearing {
            Bearing::Implicates(d) => {
                d.iter().any(|(x, _)| x.side() == side) && d.iter().all(|(x, _)| x.side() == side)
            }
            _ => false,
        };
        verdict.because = because_of(&speaks);
        // What speaks for one other side; findings that leave several open speak for nobody.
        verdict.against = findings
            .iter()
            .enumerate()
            .filter(|(_, f)| match &f.bearing {
                Bearing::Implicates(d) => {
                    let sides: BTreeSet<Side> = d.iter().map(|(x, _)| x.side()).collect();
                    sides.len() == 1 && !sides.contains(&side)
                }
                _ => false,
            })
            .map(|(i, _)| i)
            .collect();
        let kinds: BTreeSet<Kind> =
            verdict.because.iter().filter_map(|(i, _)| findings.get(*i)).map(|f| f.kind).collect();
        let strength = strongest.get(&domain).copied().unwrap_or(Strength::Weak);
        let rivals: Vec<Side> = [Side::Host, Side::Switch, Side::Link]
            .into_iter()
            .filter(|s| *s != side && side != Side::Both && !verdict.exonerated.iter().any(|(e, _)| e == s))
            .collect();
        verdict.grade = if strength >= Strength::Strong
            && kinds.len() >= 2
            && rivals.is_empty()
            && verdict.against.is_empty()
        {
            Grade::Proven
        } else if strength >= Strength::Strong && verdict.against.is_empty() {
            Grade::Strong
        } else {
            Grade::Indicative
        };
        if case.own_assumed
            && verdict.because.iter().filter_map(|(i, _)| findings.get(*i)).all(|f| f.kind == Kind::Wire)
        {
            verdict.grade = verdict.grade.min(Grade::Indicative);
        }
        suspects = calibrated(suspects_of(&direct, &score, domain), domain);
        verdict.confidence = suspects.iter().find(|s| s.domain == domain).map_or(0.5, |s| s.confidence);
        pick_members(&mut verdict, findings);
    } else if fault_seen {
        verdict.because =
            because_of(&|f| matches!(f.bearing, Bearing::Implicates(_)) && f.severity >= Severity::Warning);
        verdict.confidence = suspects.first().map_or(0.0, |s| s.confidence);
        pick_members(&mut verdict, findings);
    } else if healthy(case, subject, findings, state) {
        verdict.domain = D::Healthy;
        verdict.side = Side::None;
        verdict.because = because_of(&|f| f.check == "lacp-in-order");
        // Strong only if every member was captured in order: a reading of an unknown moment is no capture.
        let wire = subject.members.iter().all(|m| {
            findings.iter().any(|f| {
                f.check == "lacp-in-order"
                    && f.kind == Kind::Wire
                    && f.member.as_deref() == Some(m.name.as_str())
            })
        });
        verdict.grade = if wire { Grade::Strong } else { Grade::Indicative };
        verdict.confidence = if wire { 0.97 } else { 0.85 };
        suspects = vec![Suspect { domain: D::Healthy, confidence: verdict.confidence }];
    } else {
        verdict.because = because_of(&|f| matches!(f.bearing, Bearing::Implicates(_)));
        verdict.confidence = suspects.first().map_or(0.0, |s| s.confidence);
    }
    verdict.suspects = suspects;
    verdict.summary = crate::advice::summary(subject, findings, &verdict, state);
    verdict.would_change = crate::advice::would_change(findings, &verdict);
    verdict.next = crate::advice::next(subject, findings, &verdict);
    verdict
}

/// Evidence of the host's own hardware outranks what follows from it (S4-12): a tie between sides goes to it.
fn host_first(d: D) -> f64 {
    if d == D::HostDriverFirmware { 0.9 } else { 0.0 }
}

fn pick_members(verdict: &mut Verdict, findings: &[Finding]) {
    let mut members: BTreeSet<String> = BTreeSet::new();
    let mut ways: BTreeSet<Way> = BTreeSet::new();
    let heaviest = verdict.because.iter().map(|b| b.1).fold(0.0, f64::max);
    for (i, w) in &verdict.because {
        let Some(f) = findings.get(*i) else { continue };
        // A hint does not put a member on the list when stronger findings name others.
        if *w + 1.5 < heaviest {
            continue;
        }
        members.extend(f.member.clone());
        ways.extend(f.way);
    }
    verdict.members = members.into_iter().collect();
    verdict.way = match ways.iter().collect::<Vec<_>>().as_slice() {
        [] => None,
        [one] => Some(**one),
        _ => Some(Way::Both),
    };
}

fn normalise(score: &BTreeMap<D, f64>) -> Vec<Suspect> {
    if score.is_empty() {
        return Vec::new();
    }
    // Room for what no check thought of.
    let rest = 1.0;
    let total: f64 = score.values().map(|s| s.exp()).sum::<f64>() + rest;
    sorted(score.iter().map(|(d, s)| Suspect { domain: *d, confidence: s.exp() / total }).collect())
}

/// Suspects once a domain is decided: the direct evidence counts in full, the hints of many-domain findings by half.
fn suspects_of(direct: &BTreeMap<D, f64>, score: &BTreeMap<D, f64>, decided: D) -> Vec<Suspect> {
    let weight = |d: D| {
        let straight = direct.get(&d).copied().unwrap_or(0.0);
        let hints = (score.get(&d).copied().unwrap_or(0.0) - straight).max(0.0);
        // Two independent strong findings are as sure as it gets here; more of the same adds nothing.
        (straight + if d == decided { hints * 0.25 } else { hints * 0.1 }).min(4.6)
    };
    let domains: BTreeSet<D> = direct.keys().chain(score.keys()).copied().collect();
    let total: f64 = domains.iter().map(|d| weight(*d)).filter(|w| *w > 0.0).map(f64::exp).sum::<f64>();
    // A domain with hints only keeps little; what no check thought of keeps the rest.
    let total = total.max(1.0) + 1.2;
    sorted(
        domains
            .iter()
            .map(|d| Suspect { domain: *d, confidence: (weight(*d).exp() / total).min(0.99) })
            .collect(),
    )
}

/// What remains of the doubt that the weights leave, once a domain is decided.
///
/// Deciding takes more than a weight: a finding of its own for one domain, no rival of the same weight, no side that the
/// evidence clears. So decided verdicts are right more often than their weights alone say. The factor was fitted on
/// simulated incidents (families that are not held out, `lab-check`), where nearly all decided ones were right; it
/// stays short of what they would allow, because a simulated world is kinder than the real one.
const DOUBT_LEFT: f64 = 0.35;

/// The probabilities of a decided verdict: the doubt shrinks, for the decided domain and for its rivals alike.
fn calibrated(suspects: Vec<Suspect>, decided: D) -> Vec<Suspect> {
    sorted(
        suspects
            .into_iter()
            .map(|s| Suspect {
                confidence: if s.domain == decided {
                    1.0 - DOUBT_LEFT * (1.0 - s.confidence)
                } else {
                    DOUBT_LEFT * s.confidence
                },
                ..s
            })
            .collect(),
    )
}

fn sorted(mut suspects: Vec<Suspect>) -> Vec<Suspect> {
    suspects.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.domain.cmp(&b.domain)));
    suspects
}

/// Healthy is a claim too: it needs evidence that looked at LACP itself (or at every link, in modes without LACP) and
/// no sign of past trouble that the evidence does not explain.
fn healthy(case: &Case, subject: &Subject, findings: &[Finding], state: State) -> bool {
    if !subject.bond
        || subject.two_hosts.is_some()
        || subject.members.is_empty()
        || !matches!(state, State::Healthy)
    {
        return false;
    }
    let past = findings.iter().any(|f| f.check == "churn-history")
        || subject.members.iter().any(|m| {
            m.states.iter().any(|s| s.failures.is_some_and(|n| n > 1))
                && !case.links().any(|(_, l)| l.name == m.name && !l.flags.is_empty() && !l.flag("UP"))
        });
    let hinted = findings
        .iter()
        .any(|f| f.severity >= Severity::Warning && matches!(f.bearing, Bearing::Implicates(_)));
    // A dump that was cut off shows fewer members than the aggregator counts.
    let ports =
        subject.fields("Number of ports").filter_map(|f| crate::evidence::leading_int(&f.value)).max();
    if ports.is_some_and(|n| n > subject.members.len() as u64) {
        return false;
    }
    // An incoming-only capture in which the partner describes us as deaf.
    let echoed = subject.members.iter().filter_map(|m| m.wire.as_ref()).flat_map(|w| &w.parts).any(|p| {
        p.host().is_none()
            && p.partner()
                .is_some_and(|s| s.changes.iter().any(|c| c.partner.state.deaf() || c.actor.state.deaf()))
    });
    if echoed {
        return false;
    }
    // A capture in order on every member speaks for its own time, whatever happened since boot.
    let captured = subject.members.iter().all(|m| {
        m.wire
            .as_ref()
            .is_some_and(|w| w.told().any(|(p, s)| p.timed && s.carries_at_end && s.outages.is_empty()))
    });
    // An outage that fell between two readings is of this case, captured or not.
    let rose = findings.iter().any(|f| {
        (f.check == "churn-history" && f.severity >= Severity::Warning)
            || (f.check == "carrier-flap" && f.kind == Kind::State)
    });
    if past && !captured || hinted || rose {
        return false;
    }
    if subject.mode == Mode::Lacp {
        // Every member was looked at.
        subject.members.iter().all(|m| {
            findings
                .iter()
                .any(|f| f.check == "lacp-in-order" && f.member.as_deref() == Some(m.name.as_str()))
        })
    } else {
        // One interface proves no bond: the members that are missing may be the fault.
        subject.mode != Mode::Unknown
            && subject.members.len() > 1
            && subject.members.iter().all(|m| m.states.iter().any(|s| s.mii.as_deref() == Some("up")))
    }
}

/// Most episodes per subject that get a verdict of their own; the findings count all of them.
pub const MAX_EPISODES: usize = 64;

/// One episode per outage; outages of several members that overlap are one.
fn episodes(case: &Case, subject: &Subject, findings: &[Finding], state: State) -> Vec<Episode> {
    let mut raw: Vec<((i64, i64), String, Cause)> = Vec::new();
    for m in &subject.members {
        for (part, story) in m.wire.iter().flat_map(crate::wire::Wire::told) {
            if !part.timed {
                continue;
            }
            raw.extend(story.outages.iter().map(|o| ((o.span.start, o.span.end), m.name.clone(), o.cause)));
        }
    }
    raw.sort();
    let mut groups: Vec<((i64, i64), BTreeSet<String>)> = Vec::new();
    for (span, member, _) in raw {
        match groups.last_mut() {
            Some((g, members)) if span.0 <= g.1 => {
                g.1 = g.1.max(span.1);
                members.insert(member);
            }
            _ => groups.push((span, BTreeSet::from([member]))),
        }
    }
    groups
        .into_iter()
        .take(MAX_EPISODES)
        .map(|(span, members)| {
            let names: Vec<&str> = members.iter().map(String::as_str).collect();
            // The findings that concern these members (or the whole bond) and this time.
            let near = |f: &&Finding| {
                // A fact without a time, or one that leaves no room for a rival, holds for every episode.
                f.accuses().is_some_and(|(_, s)| s == Strength::Decisive)
                    || f.member.as_deref().is_none_or(|m| names.contains(&m))
                        && (f.ns.is_none()
                            || f.ns.iter().chain(&f.times).any(|&t| {
                                f.kind != Kind::Wire
                                    || (t >= span.0 - 120_000_000_000 && t <= span.1 + 5_000_000_000)
                            }))
            };
            let subset: Vec<Finding> = findings.iter().filter(near).cloned().collect();
            let index: Vec<usize> =
                findings.iter().enumerate().filter(|(_, f)| near(f)).map(|(i, _)| i).collect();
            let mut verdict = decide(case, subject, &subset, state, Some(&names));
            let map = |i: &usize| index.get(*i).copied().unwrap_or(0);
            verdict.because = verdict.because.iter().map(|(i, w)| (map(i), *w)).collect();
            verdict.against = verdict.against.iter().map(map).collect();
            for (_, v) in &mut verdict.exonerated {
                *v = v.iter().map(map).collect();
            }
            for (_, v) in &mut verdict.ruled_out {
                *v = v.iter().map(map).collect();
            }
            Episode { span, members: members.into_iter().collect(), verdict }
        })
        .collect()
}

/// What was not there to be looked at, and how to get it.
fn gaps(case: &Case, subject: &Subject) -> Vec<Need> {
    let mut needs = Vec::new();
    let name =
        if subject.name == "bond" || subject.name.contains(' ') { "BOND" } else { subject.name.as_str() };
    let lacp = subject.mode == Mode::Lacp;
    needs.extend(crate::hosts::need(subject));
    if lacp && subject.bond {
        for m in &subject.members {
            match &m.wire {
                None => needs.push(Need::absent(
                    format!("LACPDUs on {}", m.name),
                    &[D::SwitchControlPlane, D::Physical, D::HostConfig, D::HostStarvation],
                    format!("timeout 90 tcpdump -p -i {} -w {}.pcap ether proto 0x8809", m.name, m.name),
                )),
                Some(w) => {
                    let lost: u64 =
                        w.parts.iter().flat_map(|p| p.out.iter().chain(&p.ins)).map(|s| s.not_kept).sum();
                    if lost > 0 {
                        needs.push(Need {
                            what: format!("{lost} later changes and gaps on {}", m.name),
                            why: "lost",
                            matters_for: vec![D::SwitchControlPlane, D::Physical],
                            fix: "too many to keep: cut the capture to the time of the trouble (editcap -A, -B)".to_owned(),
                        });
                    }
                    let holes: usize = w.stories.iter().map(|s| s.tap_lost.len()).sum();
                    if holes > 0 {
                        needs.push(Need {
                            what: format!("LACPDUs that the host sends on {}: the partner heard what the capture does not show ({holes} time(s))", m.name),
                            why: "lost",
                            matters_for: vec![D::HostConfig, D::HostStarvation, D::SwitchControlPlane],
                            fix: format!("timeout 90 tcpdump -p -B 16384 -i {} -w {}.pcap ether proto 0x8809", m.name, m.name),
                        });
                    }
                    if w.parts.iter().any(|p| p.inbound_only) {
                        needs.push(Need::absent(
                            format!("LACPDUs that the host sends on {}", m.name),
                            &[D::HostConfig, D::HostStarvation, D::SwitchControlPlane],
                            format!(
                                "capture on {} with a socket that sees outgoing frames (tcpdump, or SLL2)",
                                m.name
                            ),
                        ));
                    }
                    if w.stories.iter().any(|s| s.asked.0.or(s.asked.1).is_some_and(|p| s.seen < 4 * p)) {
                        needs.push(Need {
                            what: format!("a capture on {} of at least four LACP periods", m.name),
                            why: "absent",
                            matters_for: vec![D::SwitchControlPlane, D::Physical],
                            fix: format!(
                                "timeout 150 tcpdump -p -i {} -w {}.pcap ether proto 0x8809",
                                m.name, m.name
                            ),
                        });
                    }
                }
            }
        }
        let full = subject.states.iter().any(|s| s.fields.get("System MAC address").is_some());
        if !full && subject.aggregator == crate::evidence::Aggregator::Bonding {
            let seen = subject.states.iter().any(|s| s.full);
            needs.push(Need {
                what: format!("the LACP details of {name} (partner and port states)"),
                why: if seen { "no privilege" } else { "absent" },
                matters_for: vec![D::SwitchConfig, D::Mlag, D::Physical],
                fix: format!("sudo cat /proc/net/bonding/{name}"),
            });
        }
    }
    if !case.files.iter().any(|f| f.recognised.iter().any(|r| r.contains("kernel") || r.contains("journal")))
    {
        needs.push(Need::absent(
            "the kernel log",
            &[D::HostDriverFirmware, D::Physical],
            "journalctl -k -o short-iso-precise --since -1h",
        ));
    }
    for m in &subject.members {
        let counters =
            case.counters.get(&m.name).is_some_and(|c| c.iter().any(|s| s.source.starts_with("ethtool")));
        if !counters && !case.virtual_devs.contains(&m.name) {
            needs.push(Need::absent(
                format!("the NIC counters of {}, twice", m.name),
                &[D::Physical, D::HostDriverFirmware, D::HostStarvation],
                format!("ethtool -S {0}; sleep 60; ethtool -S {0}", m.name),
            ));
        }
    }
    if !case.records.iter().any(|r| matches!(r.what, crate::evidence::What::Switch(_))) && lacp {
        needs.push(Need::absent(
            "the switch's own view of its member ports (state, reason, LACP counters, log)",
            &[D::SwitchConfig, D::SwitchControlPlane, D::Mlag],
            "ask the network team for the port-channel member detail, LACP counters and log of the same minutes",
        ));
    }
    needs
}
