//! # The slow-protocols address is missing in a member's filter
//!
//! ## What it shows
//! `ip maddr` of a member does not list 01:80:c2:00:00:02.
//!
//! ## Why it matters
//! The bond joins that group on every member of an 802.3ad bond. Without it the NIC may drop the partner's LACPDUs before anybody sees them.
//!
//! ## How it can be wrong
//! A NIC in promiscuous or all-multicast mode receives them all the same, and some drivers pass link-local multicast always: by itself it is a hint. It decides where the same bond joined the group on another member, no such mode is on, and LACPDUs are missing on this member before the tap: whatever the switch does, they could not be received.
//!
//! ## What would settle it
//! `ip -d link show MEMBER` (promiscuity, allmulti); adding the address by hand and watching.
//!
//! ## References
//! requirements.md S4-47; kernel-facts.md 11.3.

use crate::case::{Case, Member, Mode, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::wire::Cause;

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
        let sister = subject
            .member_names()
            .filter(|n| *n != m.name)
            .find_map(|n| crate::ledger::slow_protocols_joined(case, n));
        // In promiscuous mode no filter eats anything.
        let open = case.links().any(|(_, l)| {
            l.name == m.name
                && (l.fields.int("promiscuity").is_some_and(|n| n > 0)
                    || l.fields.int("allmulti").is_some_and(|n| n > 0)
                    || l.flag("PROMISC")
                    || l.flag("ALLMULTI"))
        });
        for (r, f) in case.settings("ip-maddr", Some(&m.name)) {
            seen = true;
            if !f.entries.iter().any(|e| e.value.contains("01:80:c2:00:00:02")) {
                if let Some(sister) = sister
                    && !open
                    && missing(m)
                {
                    found.push(
                        Finding::new(
                            CHECK.id,
                            Kind::Filter,
                            r.at,
                            format!("{}: 01:80:c2:00:00:02 is not in its multicast list, that of another member has it, and no LACPDU arrives here", m.name),
                        )
                        .implicates(D::HostConfig, S::Strong)
                        .member(&m.name)
                        .way(Way::SwitchToHost)
                        .and(sister),
                    );
                    break;
                }
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

/// LACPDUs of the partner went missing before the tap; without a capture, the bond says that it hears none.
fn missing(m: &Member) -> bool {
    match &m.wire {
        Some(w) => w.stories.iter().flat_map(|s| &s.outages).any(|o| o.cause == Cause::LostTowardsHost),
        None => m.states.iter().any(|s| {
            s.mii.as_deref().is_none_or(|v| v == "up")
                && s.actor.is_some_and(lacp::PortState::deaf)
                && !s.partner.is_some_and(lacp::PortState::deaf)
        }),
    }
}
