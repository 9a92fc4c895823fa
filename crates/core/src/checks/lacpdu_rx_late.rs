//! # LACPDUs from the switch come late or with gaps
//!
//! ## What it shows
//! On some members the partner's LACPDUs came with gaps of several periods, while the host's own PDUs left in time and other members received theirs in time.
//!
//! ## Why it matters
//! Gaps short of a timeout are the early sign of what later becomes a flap. A member alone with gaps, with a host that sends on time, is not host starvation.
//!
//! ## How it can be wrong
//! Loss on the wire gives the same gaps as a sender that is late. A slow partner that was never asked for the fast rate is legal.
//!
//! ## What would settle it
//! Error counters of the member (CRC, symbol, FEC) and ring drops over the same time; the switch's control-plane policer and CPU queue counters.
//!
//! ## References
//! requirements.md S4-82; kernel-facts.md 11.2 rule 4.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::Meaning;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::ledger;
use crate::wire::Cause;

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
    let gaps = |s: &crate::wire::Story| s.in_late.len() + s.in_gaps.len();
    let clean_others = subject
        .members
        .iter()
        .filter_map(|m| m.wire.as_ref())
        .filter(|w| w.told().all(|(p, s)| p.partner().is_some() && gaps(s) == 0))
        .count();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            let n = gaps(story);
            let (Some(p), Some(_)) = (part.partner(), part.host()) else { continue };
            // A partner that does not hear us slows down: its cadence is then a consequence.
            if p.changes.iter().any(|c| c.actor.state.deaf() || c.partner.system.is_zero()) {
                continue;
            }
            // A steady slow sender has no short intervals at all: that is `requested-rate-ignored`.
            let steady = p.intervals.2 > 1_700_000_000;
            let explained = story.outages.iter().any(|o| o.cause != Cause::Unclear);
            // Two PDUs in a row lost: no outage, but not healthy either.
            if let Some(g) = story.in_late.iter().chain(&story.in_gaps).max_by_key(|g| g.len_ns())
                && story.asked.0 == Some(1_000_000_000)
                && g.len_ns() >= 2_900_000_000
                && (n < 3 || clean_others == 0)
                && !steady
                && !explained
            {
                let text = format!(
                    "{}: {} without a LACPDU of the partner",
                    m.name,
                    crate::wire::seconds(g.len_ns())
                );
                found.push(
                    Finding::new(CHECK.id, Kind::Wire, part.cite(g.to_frame), text)
                        .suspects(&[
                            (D::SwitchControlPlane, S::Weak),
                            (D::Physical, S::Weak),
                            (D::HostStarvation, S::Weak),
                        ])
                        .severity(Severity::Warning)
                        .member(&m.name)
                        .way(Way::SwitchToHost)
                        .at(g.from_ns)
                        .and(part.cite(g.from_frame)),
                );
            }
            if n < 3
                || steady
                || explained
                || !story.out_late.is_empty()
                || !story.out_gaps.is_empty()
                || clean_others == 0
            {
                continue;
            }
            let Some(worst) = story.in_late.iter().chain(&story.in_gaps).max_by_key(|g| g.len_ns()) else {
                continue;
            };
            let quiet =
                ledger::quiet(case, &m.name, &[Meaning::RxCrc, Meaning::RxSymbol, Meaning::FecUncorrected])
                    .zip(ledger::quiet(case, &m.name, &[Meaning::RxMissed]));
            let f = Finding::new(
                CHECK.id,
                Kind::Wire,
                part.cite(worst.to_frame),
                format!(
                    "{}: {n} gaps in the partner's LACPDUs, the longest {}, while the host sent on time and {clean_others} other member(s) received theirs on time",
                    m.name,
                    crate::wire::seconds(worst.len_ns())
                ),
            )
            .member(&m.name)
            .way(Way::SwitchToHost)
            .at(worst.from_ns)
            .and(part.cite(worst.from_frame));
            found.push(match quiet {
                Some((a, b)) => f.implicates(D::SwitchControlPlane, S::Moderate).and_all(a).and_all(b),
                None => f.suspects(&[
                    (D::SwitchControlPlane, S::Moderate),
                    (D::Physical, S::Moderate),
                    (D::HostStarvation, S::Weak),
                ]),
            });
        }
    }
    Outcome::of(found)
}
