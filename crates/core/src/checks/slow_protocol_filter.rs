//! # A filter on the host drops slow-protocol frames
//!
//! ## What it shows
//! A tc, nft or XDP rule on a member drops frames with EtherType 0x8809 or to 01:80:c2:00:00:02, or drops everything.
//!
//! ## Why it matters
//! LACP cannot work through it, whatever the switch does.
//!
//! ## How it can be wrong
//! The rule may stand before or behind another that lets these frames pass.
//!
//! ## What would settle it
//! The rule's own counter; removing it for one LACP period.
//!
//! ## References
//! kernel-facts.md section 11.3 (where the tap stands).

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::HookPoint;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "slow-protocol-filter",
    title: "A filter on the host drops slow-protocol frames",
    requirements: &["S4-48", "S4-52", "E-37"],
    page: include_str!("slow_protocol_filter.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for (r, h) in case.hooks().filter(|(_, h)| h.drops_lacp) {
        let Some(dev) = h.dev.as_deref() else { continue };
        if !subject.member_names().any(|m| m == dev) {
            continue;
        }
        let way = if h.point == HookPoint::Egress { Way::HostToSwitch } else { Way::SwitchToHost };
        let count = h.dropped.map_or(String::new(), |n| format!(", {n} packets so far"));
        found.push(
            Finding::new(
                CHECK.id,
                Kind::Filter,
                r.at,
                format!("{dev}: {} drops slow-protocol frames on the host{count}", h.program),
            )
            .implicates(D::HostConfig, S::Strong)
            .member(dev)
            .way(way),
        );
    }
    Outcome::of(found)
}
