//! # A mode or MAC policy with side effects
//!
//! ## What it shows
//! The bond runs with fail_over_mac, or VLAN interfaces sit on members instead of the bond.
//!
//! ## Why it matters
//! With fail_over_mac the bond's address changes on failover and neighbours must learn it anew. A VLAN on a member takes its frames away from the bond and has no failover.
//!
//! ## How it can be wrong
//! Both may be deliberate.
//!
//! ## What would settle it
//! The configuration's author; ARP tables after a failover.
//!
//! ## References
//! kernel-facts.md sections 10 and 11.7.

use crate::case::{Case, Subject};
use crate::finding::{Check, Finding, Kind, Outcome, Severity};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "fail-over-mac",
    title: "A mode or MAC policy with side effects",
    requirements: &["S4-34", "S4-48"],
    page: include_str!("fail_over_mac.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    if let Some(f) = subject.field("Bonding Mode").filter(|f| f.value.contains("fail_over_mac")) {
        found.push(Finding::new(CHECK.id, Kind::Config, f.at, format!("{}: {}", subject.name, f.value)));
    }
    if subject.bond {
        for (r, l) in case.links() {
            let parent = l.fields.text("vlan_parent").or(l.parent.as_deref());
            if l.fields.text("kind") == Some("vlan")
                && parent.is_some_and(|p| subject.member_names().any(|m| m == p))
            {
                found.push(
                    Finding::new(CHECK.id, Kind::Config, r.at, format!("{}: a VLAN on the member {} instead of {}: it takes these frames from the bond and has no failover", l.name, parent.unwrap_or("?"), subject.name))
                        .severity(Severity::Warning),
                );
                break;
            }
        }
    }
    Outcome::of(found)
}
