//! # LACPDUs from the switch come late or with gaps
//!
//! ## What it shows
//! On some members the partner's LACPDUs came with gaps of several periods, while the host's own PDUs left in time and other members received theirs in time. One PDU missing now and then is what three periods of timeout are for: such gaps are not counted.
//!
//! ## Why it matters
//! Gaps short of a timeout are the early sign of what later becomes a flap. A member alone with gaps, with a host that sends on time, is not host starvation.
//!
//! ## How it can be wrong
//! Loss on the wire gives gaps as a sender that is late does; but what is lost never comes. Only where the missing PDUs came after all, bunched behind the gap, and gaps went beyond the timeout, is the sender named, and only with counters of damaged and missed frames that stood still around it. A device with a queue between both ends can bunch frames as well: never more than indicative. A slow partner that was never asked for the fast rate is legal.
//!
//! ## What would settle it
//! Error counters of the member (CRC, symbol, FEC) and ring drops over the same time; the switch's control-plane policer and CPU queue counters.
//!
//! ## References
//! requirements.md S4-82; kernel-facts.md 11.2 rule 4.

use crate::capture::Gap;
use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::receive_path::{self, Silence};
use crate::wire::{Cause, Part, Story};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacpdu-rx-late",
    title: "LACPDUs from the switch come late or with gaps",
    requirements: &["S4-60", "S4-61", "S4-82", "S4-87", "S4-114"],
    page: include_str!("lacpdu_rx_late.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    let clean_others = subject
        .members
        .iter()
        .filter_map(|m| m.wire.as_ref())
        .filter(|w| w.told().all(|(p, s)| p.partner().is_some() && long(s).is_empty()))
        .count();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            let gaps = long(story);
            let n = gaps.len();
            let (Some(p), Some(_)) = (part.partner(), part.host()) else { continue };
            // A partner that does not hear us slows down: its cadence is then a consequence.
            if p.changes.iter().any(|c| c.actor.state.deaf() || c.partner.system.is_zero()) {
                continue;
            }
            // A steady slow sender has no short intervals at all: that is `requested-rate-ignored`.
            let steady = p.intervals.2 > 1_700_000_000;
            // That nothing arrives is what is looked at here: whether it came late instead of never.
            let explained = story.rate_ignored.is_some()
                || story.outages.iter().any(|o| !matches!(o.cause, Cause::Unclear | Cause::LostTowardsHost));
            let lost = story.outages.iter().any(|o| o.cause == Cause::LostTowardsHost);
            // What was late comes bunched behind the gap; what was lost does not come.
            let bunched = p.hurried >= 3 && p.hurried.saturating_mul(2) >= n as u64;
            let beyond = lost || !story.in_gaps.is_empty();
            let one_sided = n >= 3
                && !steady
                && !explained
                && story.out_late.is_empty()
                && story.out_gaps.is_empty()
                && clean_others > 0
                // Lost and not late: `lacp-lost-towards-host` tells.
                && (!lost || bunched);
            if !one_sided {
                if !steady && !explained && !lost && story.asked.0 == Some(1_000_000_000) {
                    found.extend(uneasy(part, story, &m.name, bunched));
                }
                continue;
            }
            let (Some(first), Some(last)) = (gaps.first(), gaps.last()) else { continue };
            let Some(worst) = gaps.iter().max_by_key(|g| g.len_ns()) else { continue };
            let all = Silence {
                from: first.from_ns,
                to: last.to_ns,
                expired: last.to_ns,
                data_until: last.to_ns,
                period: 1_000_000_000,
            };
            let quiet = receive_path::undamaged(case, &m.name, &all).ok().filter(|_| beyond && bunched);
            let f = Finding::new(
                CHECK.id,
                Kind::Wire,
                part.cite(worst.to_frame),
                format!(
                    "{}: {n} gaps in the partner's LACPDUs, the longest {}, {}while the host sent on time and {clean_others} other member(s) received theirs on time",
                    m.name,
                    crate::wire::seconds(worst.len_ns()),
                    if bunched {
                        format!("and {} that came in a bunch with another, ", p.hurried)
                    } else {
                        String::new()
                    },
                ),
            )
            .member(&m.name)
            .way(Way::SwitchToHost)
            .at(worst.from_ns)
            .times(gaps.iter().map(|g| g.from_ns))
            .and(part.cite(worst.from_frame));
            found.push(match quiet {
                Some(cited) => f.implicates(D::SwitchControlPlane, S::Moderate).and_all(cited),
                None => {
                    let f = f.suspects(&[
                        (D::SwitchControlPlane, S::Moderate),
                        (D::Physical, S::Moderate),
                        (D::HostStarvation, S::Weak),
                    ]);
                    if beyond { f } else { f.severity(Severity::Warning) }
                }
            });
        }
    }
    Outcome::of(found)
}

/// Two PDUs in a row lost, or PDUs that come in bunches: no outage, and not in order either.
fn uneasy(part: &Part, story: &Story, member: &str, bunched: bool) -> Option<Finding> {
    let all = || story.in_late.iter().chain(&story.in_gaps);
    let g = all().max_by_key(|g| g.len_ns())?;
    if g.len_ns() < 2_900_000_000 && !(bunched && all().count() >= 3) {
        return None;
    }
    let text = format!("{member}: {} without a LACPDU of the partner", crate::wire::seconds(g.len_ns()));
    let finding = Finding::new(CHECK.id, Kind::Wire, part.cite(g.to_frame), text)
        .suspects(&[(D::SwitchControlPlane, S::Weak), (D::Physical, S::Weak), (D::HostStarvation, S::Weak)])
        .severity(Severity::Warning)
        .member(member)
        .way(Way::SwitchToHost)
        .at(g.from_ns)
        .and(part.cite(g.from_frame));
    Some(finding)
}

/// Gaps in which more than one PDU was missing or late, in order of time.
fn long(story: &Story) -> Vec<Gap> {
    let fast = story.asked.0.is_none_or(|p| p <= 1_000_000_000);
    let enough = if fast { 2_600_000_000 } else { 78_000_000_000 };
    let mut gaps: Vec<Gap> =
        story.in_late.iter().chain(&story.in_gaps).filter(|g| g.len_ns() >= enough).copied().collect();
    gaps.sort_by_key(|g| g.from_ns);
    gaps
}
