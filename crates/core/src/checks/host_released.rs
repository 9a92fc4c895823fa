//! # The host took a member out itself
//!
//! ## What it shows
//! The host sent a LACPDU without Aggregation, which Linux sends when a member is released from the bond, or the kernel log shows members being released and enslaved again and again.
//!
//! ## Why it matters
//! Nothing outside the host can release a member: an administrator, a script or a network manager did.
//!
//! ## How it can be wrong
//! A deliberate change during the window (a drill, maintenance) is not a fault.
//!
//! ## What would settle it
//! The log of the network manager and the shell history for that minute.
//!
//! ## References
//! kernel-facts.md section 3 (bond_3ad_unbind_slave) and 11.2 rule 9.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::KernelKind;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "host-released",
    title: "The host took a member out itself",
    requirements: &["S4-30", "E-16"],
    page: include_str!("host_released.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        if let Some(w) = &m.wire {
            for (part, _) in w.told() {
                if let Some(c) = part.host().and_then(|h| {
                    h.changes.iter().skip(1).find(|c| {
                        !c.actor.state.contains(PortState::AGGREGATION)
                            && c.actor.state.contains(PortState::ACTIVITY)
                            && !c.actor.state.deaf()
                    })
                }) {
                    found.push(
                        Finding::new(CHECK.id, Kind::Wire, part.cite(c.frame), format!("{}: the host sent a LACPDU without Aggregation: it released the member itself", m.name))
                            .implicates(D::HostConfig, S::Moderate)
                            .member(&m.name)
                            .at(c.ns),
                    );
                }
            }
        }
        let released: Vec<_> = case
            .kernel_of(&m.name)
            .filter(|(_, k)| k.kind == KernelKind::Released)
            .map(|(r, _)| r.at)
            .collect();
        if released.len() >= 2
            && let Some(first) = released.first()
        {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Log,
                    *first,
                    format!(
                        "{}: released from the bond {} times: something on this host reconfigures it",
                        m.name,
                        released.len()
                    ),
                )
                .implicates(D::HostConfig, S::Strong)
                .member(&m.name)
                .and_all(released.iter().take(4).copied()),
            );
        }
    }
    Outcome::of(found)
}
