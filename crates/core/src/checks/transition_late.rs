//! # An end moves later than its machine may
//!
//! ## What it shows
//! By its own words both ends of a link are in Synchronization, and still an end does not collect, longer than the machines of the standard and of Linux ever wait. Or the host received nothing at its tap for longer than its timeout, and does not say Expired.
//!
//! ## Why it matters
//! With Synchronization on both sides nothing is left to negotiate: the Mux machine moves within Aggregate_Wait_Time (2 s), Linux within its 8 s of aggregator selection. The end that stands still withholds the member.
//!
//! ## How it can be wrong
//! A minimum number of links that is not met holds members back; so an end is accused only while every other member carries. A host that does not expire may have received frames that the tap lost: it accuses nobody. What came late is measured from what the end itself has acknowledged, never from what the tap saw leave.
//!
//! ## What would settle it
//! The port's Mux state, minimum links and any hold timer on the accused end.
//!
//! ## References
//! 802.1AX-2014 6.4.15 (Mux machine), 6.4.4 (timers); kernel-facts.md section 2 (AGGREGATOR_SELECTION_TIMER).

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::twin::{End, Rule};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "transition-late",
    title: "An end moves later than its machine may",
    requirements: &["S4-87", "S4-116"],
    page: include_str!("transition_late.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for (member, part, d) in crate::twin::of(subject).iter().filter(|(_, _, d)| d.rule.late()) {
        if found.iter().any(|f| f.member.as_deref() == Some(*member)) {
            continue;
        }
        let text = format!(
            "{member}: {} {}: {} (state {:#04x})",
            d.end.name(),
            d.rule.words(),
            crate::wire::seconds(d.last.0.saturating_sub(d.first.0)),
            d.said.0.bits()
        );
        let f = Finding::new(CHECK.id, Kind::Wire, part.cite(d.first.1), text)
            .member(member)
            .at(d.first.0)
            .and_all(d.against.map(|f| part.cite(f)))
            .and(part.cite(d.last.1));
        found.push(match (d.end, d.rule, d.explains) {
            (End::Partner, Rule::MuxStands, true) => {
                f.suspects(&[(D::SwitchConfig, S::Moderate), (D::SwitchControlPlane, S::Moderate)])
            }
            (End::Host, Rule::MuxStands, true) => f.implicates(D::HostDriverFirmware, S::Moderate),
            (_, Rule::ExpiredLate, _) => f.way(Way::SwitchToHost).severity(Severity::Info),
            _ => f.severity(Severity::Warning),
        });
    }
    Outcome::of(found)
}
