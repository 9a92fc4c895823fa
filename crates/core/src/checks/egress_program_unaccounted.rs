//! # A program on the way out may drop the VLAN's frames
//!
//! ## What it shows
//! Frames of a VLAN are lost between the VLAN and the members, and a BPF program (or a rule without a counter) stands on the egress of the bond or of a member.
//!
//! ## Why it matters
//! A program of a container network (Cilium's `cil_to_netdev`) may drop VLANs that it was not told of, and no counter of the kernel shows it (row e of the table).
//!
//! ## How it can be wrong
//! That it stands there is no proof that it drops: unless everything else is excluded the finding is context.
//!
//! ## What would settle it
//! The drop reason of one frame (`TC_EGRESS`); the program's own counters (`cilium-dbg monitor --type drop`); a burst on another VLAN.
//!
//! ## References
//! kernel-facts.md sections 8 and 9; public issues cilium/cilium 30593, 36830, 45719.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::path::{self, Place, Standing};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "egress-program-unaccounted",
    title: "A program on the way out may drop the VLAN's frames",
    requirements: &["S0-13", "E-03", "E-04"],
    page: include_str!("egress_program_unaccounted.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        let Some(lost) = report.lost else { continue };
        for p in &report.places {
            // What nobody has seen is no finding.
            if p.place != Place::Filter || p.standing == Standing::Shown || p.owner.is_none() {
                continue;
            }
            let Some((first, rest)) = p.evidence.split_last() else { continue };
            let text = format!(
                "{}: {lost} frames are lost above the members; {} on {} does not say how many it dropped",
                report.iface, p.what, p.device
            );
            let f = Finding::new(CHECK.id, Kind::Filter, *first, text)
                .way(Way::HostToSwitch)
                .and_all(rest.iter().copied());
            found.push(if p.standing == Standing::Left {
                f.implicates(D::VlanTxPath, S::Moderate)
            } else {
                f.severity(Severity::Warning)
            });
        }
    }
    Outcome::of(found)
}
