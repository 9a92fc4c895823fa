//! # The VLAN's frames left the host and were not answered
//!
//! ## What it shows
//! Everything that a VLAN sent is counted as sent by the members, nothing was dropped on the way, and nobody answered.
//!
//! ## Why it matters
//! The transmit path of this host did its part. What is missing is an answer: the VLAN may not be allowed on the switch's ports, the neighbour may be off, or the answers are lost on the way back.
//!
//! ## How it can be wrong
//! A counter of the driver is not the wire, and answers may be dropped on this host: it rules out the way out of the host, nothing else, and accuses nobody.
//!
//! ## What would settle it
//! A capture of the VLAN on the member, and the switch's list of VLANs and of learned addresses on these ports.
//!
//! ## References
//! requirements.md E-06, E-10; kernel-facts.md section 9.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome};
use crate::path::{self, Place, Standing};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "sent-not-answered",
    title: "The VLAN's frames left the host and were not answered",
    requirements: &["S0-10", "E-06", "E-10"],
    page: include_str!("sent_not_answered.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        for p in report.places.iter().filter(|p| p.place == Place::Beyond && p.standing == Standing::Left) {
            let Some((first, rest)) = p.evidence.split_first() else { continue };
            found.push(
                Finding::new(CHECK.id, Kind::Counter, *first, p.text.clone())
                    .way(Way::HostToSwitch)
                    .and_all(rest.iter().copied())
                    .rules_out(D::VlanTxPath),
            );
        }
    }
    Outcome::of(found)
}
