//! # The driver of a member discards what it is given
//!
//! ## What it shows
//! `tx_dropped` of a member rises while frames of a VLAN over the bond are sent.
//!
//! ## Why it matters
//! The frames passed filters and queues and died in the driver: too large for it, no ring, link lost, or busy without a queue.
//!
//! ## How it can be wrong
//! The counter has all frames of the member, not of one VLAN: below a tenth of what the VLAN offered the finding is context.
//!
//! ## What would settle it
//! `ethtool -S MEMBER`, the MTU of member and switch port, the kernel log (`asks to queue packet`).
//!
//! ## References
//! kernel-facts.md section 8 rows n, p, q, r; requirements.md E-01.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::path::{self, Place};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "member-discards-on-transmit",
    title: "The driver of a member discards what it is given",
    requirements: &["S0-13", "E-01", "E-03"],
    page: include_str!("member_discards_on_transmit.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        let offered = report.layers.first().and_then(|l| l.ledger.offered()).unwrap_or(0);
        for p in report.places.iter().filter(|p| p.place == Place::Driver) {
            let (Some((first, rest)), Some(n)) = (p.evidence.split_first(), p.frames) else { continue };
            if found.iter().any(|f| f.member.as_deref() == Some(p.device.as_str())) {
                continue;
            }
            let f = Finding::new(CHECK.id, Kind::Counter, *first, p.text.clone())
                .member(&p.device)
                .way(Way::HostToSwitch)
                .and_all(rest.iter().copied());
            found.push(if n.saturating_mul(10) >= offered && offered > 0 {
                f.suspects(&[(D::VlanTxPath, S::Moderate), (D::HostDriverFirmware, S::Weak)])
            } else {
                f.severity(Severity::Warning)
            });
        }
    }
    Outcome::of(found)
}
