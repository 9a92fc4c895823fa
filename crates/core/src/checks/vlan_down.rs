//! # The VLAN is switched off
//!
//! ## What it shows
//! A VLAN interface over the bond is administratively down in every reading, while what is below it is up.
//!
//! ## Why it matters
//! Whoever sends through it is told ENETDOWN or finds no route; no counter moves.
//!
//! ## How it can be wrong
//! Interfaces are prepared and left off on purpose: it is a fault only together with a send that failed with ENETDOWN.
//!
//! ## What would settle it
//! `ip link show VLAN`, and the log of whoever manages it.
//!
//! ## References
//! kernel-facts.md section 8; measured on 6.12 and 6.1 (docs/txpath.md).

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::path::{self, Place, Role};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "vlan-down",
    title: "The VLAN is switched off",
    requirements: &["S0-13", "E-03"],
    page: include_str!("vlan_down.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        for p in report.places.iter().filter(|p| p.place == Place::AdminDown) {
            let vlan = report.layer(&p.device).is_some_and(|l| matches!(l.role, Role::Vlan(_)));
            let Some((first, rest)) = p.evidence.split_first().filter(|_| vlan) else { continue };
            let f = Finding::new(CHECK.id, Kind::State, *first, p.text.clone())
                .way(Way::HostToSwitch)
                .and_all(rest.iter().copied());
            // A VLAN that nobody uses may well be off: only somebody who could not send makes it a fault.
            found.push(match report.signs.errors.get("ENETDOWN") {
                Some(at) => f.and(*at).implicates(D::VlanTxPath, S::Moderate),
                None => f.severity(Severity::Warning),
            });
        }
    }
    Outcome::of(found)
}
