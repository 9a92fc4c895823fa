//! # The slow-protocols address is missing in a member's filter
//!
//! ## What it shows
//! `ip maddr` of a member does not list 01:80:c2:00:00:02.
//!
//! ## Why it matters
//! The bond joins that group on every member of an 802.3ad bond. Without it the NIC may drop the partner's LACPDUs before anybody sees them.
//!
//! ## How it can be wrong
//! A NIC in promiscuous or all-multicast mode receives them all the same, and some drivers pass link-local multicast always: it is a hint.
//!
//! ## What would settle it
//! `ip -d link show MEMBER` (promiscuity, allmulti); adding the address by hand and watching.
//!
//! ## References
//! requirements.md S4-47; kernel-facts.md 11.3.

use crate::case::{Case, Mode, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "multicast-filter",
    title: "The slow-protocols address is missing in a member's filter",
    requirements: &["S4-47", "S4-48"],
    page: include_str!("multicast_filter.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    if subject.mode != Mode::Lacp {
        return Outcome::NotApplicable;
    }
    let mut found = Vec::new();
    let mut seen = false;
    for m in &subject.members {
        for (r, f) in case.settings("ip-maddr", Some(&m.name)) {
            seen = true;
            if !f.entries.iter().any(|e| e.value.contains("01:80:c2:00:00:02")) {
                found.push(
                    Finding::new(
                        CHECK.id,
                        Kind::Filter,
                        r.at,
                        format!("{}: 01:80:c2:00:00:02 is not in the multicast list", m.name),
                    )
                    .suspects(&[(D::HostConfig, S::Weak)])
                    .severity(
                        if m.wire.as_ref().is_some_and(|w| w.stories.iter().all(|s| s.carries_at_end)) {
                            Severity::Info
                        } else {
                            Severity::Warning
                        },
                    )
                    .member(&m.name),
                );
            }
        }
    }
    if seen { Outcome::of(found) } else { Outcome::CouldNotSee(Vec::new()) }
}
