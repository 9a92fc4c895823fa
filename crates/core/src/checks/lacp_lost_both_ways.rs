//! # LACP went silent in both directions
//!
//! ## What it shows
//! LACPDUs were lost in both directions at once while the link stayed up as far as the evidence shows: the partner came back from the silence saying that it had not heard the host either.
//!
//! ## Why it matters
//! One cause for both directions is most often on the link or in a device between the two ends.
//!
//! ## How it can be wrong
//! A switch that restarted its LACP process looks the same from the host. Carrier events that were not collected would make this a plain link failure.
//!
//! ## What would settle it
//! Carrier counters and kernel log for the same seconds; the switch's log and port counters.
//!
//! ## References
//! requirements.md, two-way hearing matrix (last row); kernel-facts.md 11.1 row "loss both".

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Side, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::ledger;
use crate::wire::Cause;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacp-lost-both-ways",
    title: "LACP went silent in both directions",
    requirements: &["S4-87", "E-36"],
    page: include_str!("lacp_lost_both_ways.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            let Some(o) = story.outages.iter().find(|o| o.cause == Cause::LostBothWays) else { continue };
            let proof =
                o.proof.iter().map(|(f, t)| format!("{t} (frame {f})")).collect::<Vec<_>>().join("; ");
            let tx = ledger::transmit_accounted(case, &m.name);
            let rx = ledger::receive_clear(case, &m.name);
            let suspects: &[(D, S)] = if tx.is_some() && rx.is_some() {
                &[(D::Physical, S::Moderate), (D::SwitchControlPlane, S::Moderate)]
            } else {
                &[
                    (D::Physical, S::Moderate),
                    (D::SwitchControlPlane, S::Moderate),
                    (D::HostDriverFirmware, S::Weak),
                ]
            };
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Wire,
                    part.cite(o.span.first),
                    format!("{}: LACPDUs were lost in both directions: {proof}", m.name),
                )
                .suspects(suspects)
                .member(&m.name)
                .way(Way::Both)
                .at(o.span.start)
                .times(story.outages.iter().filter(|x| x.cause == Cause::LostBothWays).map(|x| x.span.start))
                .and_all(o.proof.iter().map(|(f, _)| part.cite(*f))),
            );
            if let (Some(tx), Some(rx)) = (tx, rx) {
                let mut cited = tx.into_iter().chain(rx);
                if let Some(first) = cited.next() {
                    found.push(
                        Finding::new(CHECK.id, Kind::Counter, first, format!("{}: the host's counters account for everything it sent, and nothing on its receive path dropped a frame", m.name))
                            .exonerates(Side::Host)
                            .member(&m.name)
                            .way(Way::Both)
                            .and_all(cited),
                    );
                }
            }
        }
    }
    Outcome::of(found)
}
