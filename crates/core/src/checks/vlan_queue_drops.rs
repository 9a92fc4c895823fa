//! # A queue on the way out drops the VLAN's frames
//!
//! ## What it shows
//! A queueing discipline on the VLAN, the bond or a member dropped as many frames as the VLAN lost, or discarded frames that the VLAN counts as sent.
//!
//! ## Why it matters
//! Queue drops are in no counter of an interface. pfifo, tbf and their like refuse (the sender gets ENOBUFS and the VLAN counts a drop), fq_codel and netem take the frame and discard one without a word.
//!
//! ## How it can be wrong
//! A busy link drops a little by design: below a tenth of what was offered the finding is context.
//!
//! ## What would settle it
//! `tc -s qdisc` twice under traffic of this VLAN only.
//!
//! ## References
//! kernel-facts.md section 8 rows a, k, l, m and section 11.6; requirements.md E-02, E-07.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::path::{self, Place, Standing};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "vlan-queue-drops",
    title: "A queue on the way out drops the VLAN's frames",
    requirements: &["S0-16", "S0-17", "E-02", "E-03", "E-07"],
    page: include_str!("vlan_queue_drops.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        let offered = report.layers.first().and_then(|l| l.ledger.offered()).unwrap_or(0);
        for p in report.places.iter().filter(|p| p.place == Place::Queue && p.standing == Standing::Shown) {
            let (Some((first, rest)), Some(n)) = (p.evidence.split_first(), p.frames) else { continue };
            let f = Finding::new(CHECK.id, Kind::Counter, *first, format!("{}: {}", report.iface, p.text))
                .way(Way::HostToSwitch)
                .and_all(rest.iter().copied());
            // Queues drop a little under load: that is how they work.
            found.push(if n.saturating_mul(10) >= offered {
                f.implicates(
                    D::VlanTxPath,
                    if n.saturating_mul(2) >= offered { S::Strong } else { S::Moderate },
                )
            } else {
                f.severity(Severity::Warning)
            });
        }
    }
    Outcome::of(found)
}
