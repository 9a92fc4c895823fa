//! # The bond drops frames that no member dropped
//!
//! ## What it shows
//! The bond's own `tx_dropped` rises by more than its members' counters.
//!
//! ## Why it matters
//! bonding drops by itself when no member may send (`bond_tx_drop`), or when a frame cannot be made to fit. It tells that the loss is in the bond, not in a filter or queue, which the bond does not count.
//!
//! ## How it can be wrong
//! Counters of bond and members read at different moments differ; members that joined in between bring their own drops.
//!
//! ## What would settle it
//! `/proc/net/bonding/BOND` during the drops: which members were usable, and why not the others.
//!
//! ## References
//! kernel-facts.md section 8 rows f to i; `bond_get_stats`, `bond_tx_drop` (drivers/net/bonding).

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::path::{self, Place};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "bond-discards-itself",
    title: "The bond drops frames that no member dropped",
    requirements: &["S0-13", "E-03"],
    page: include_str!("bond_discards_itself.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        let offered = report.layers.first().and_then(|l| l.ledger.offered()).unwrap_or(0);
        for p in report.places.iter().filter(|p| p.place == Place::Bond) {
            let (Some((first, rest)), Some(n)) = (p.evidence.split_first(), p.frames) else { continue };
            let f = Finding::new(CHECK.id, Kind::Counter, *first, p.text.clone())
                .way(Way::HostToSwitch)
                .and_all(rest.iter().copied());
            // Why no member could be used is for others to say: the reason may lie beyond this host.
            found.push(if n.saturating_mul(10) >= offered && offered > 0 {
                f.suspects(&[
                    (D::VlanTxPath, S::Weak),
                    (D::SwitchControlPlane, S::Weak),
                    (D::Physical, S::Weak),
                ])
            } else {
                f.severity(Severity::Warning)
            });
            break;
        }
        if !found.is_empty() {
            break;
        }
    }
    Outcome::of(found)
}
