//! # A filter on the way out drops the VLAN's frames
//!
//! ## What it shows
//! A tc filter, BPF program or nft rule on the egress of the VLAN, of the bond or of a member counted as many drops as frames of the VLAN are missing, or the kernel named its hook for the frames it freed.
//!
//! ## Why it matters
//! The frames die on this host before any wire is involved. The interface that drops does not count them: the VLAN does, and the bond shows nothing, which looks like a bug of the bonding driver and is none (errata E-03, E-04).
//!
//! ## How it can be wrong
//! The filter may count frames of other VLANs: one whose text names other tags only is left out, and one that counted fewer than half of what is missing is not accused.
//!
//! ## What would settle it
//! The filter's counter, read twice under traffic of this VLAN only; the drop reason of one frame (`TC_EGRESS`, `NETFILTER_DROP`).
//!
//! ## References
//! kernel-facts.md section 8 rows a, c, d, e, j; `net/core/dev.c` `sch_handle_egress`, `nf_hook_egress`. `bondwitness txpath` draws the whole way.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::path::{self, Place, Standing};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "egress-filter-drops",
    title: "A filter on the way out drops the VLAN's frames",
    requirements: &["S0-13", "E-02", "E-03", "E-04"],
    page: include_str!("egress_filter_drops.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        for p in report.places.iter().filter(|p| p.place == Place::Filter && p.standing == Standing::Shown) {
            let Some((first, rest)) = p.evidence.split_first() else { continue };
            let owner = p.owner.map_or(String::new(), |o| format!(" (owner: {})", o.name()));
            found.push(
                Finding::new(CHECK.id, Kind::Filter, *first, format!("{}{owner}", p.text))
                    .implicates(D::VlanTxPath, S::Strong)
                    .way(Way::HostToSwitch)
                    .and_all(rest.iter().copied()),
            );
        }
    }
    Outcome::of(found)
}
