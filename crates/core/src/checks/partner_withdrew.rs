//! # The partner took a member out although it hears the host
//!
//! ## What it shows
//! The partner cleared Synchronization (or Aggregation) in its own PDUs while it was neither Expired nor Defaulted.
//!
//! ## Why it matters
//! A partner that hears the host and still refuses the port does so by its own decision: configuration, key, minimum links, another aggregator, a port taken out by hand.
//!
//! ## How it can be wrong
//! If the host withdrew first, the partner only follows; then this check does not speak. A changed identity is reported by its own check.
//!
//! ## What would settle it
//! The reason code the switch shows for the member port (suspended, individual, out of sync) at that time.
//!
//! ## References
//! switch-side.md section 3; kernel-facts.md 11.2 rule 9.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::wire::Cause;
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "partner-withdrew",
    title: "The partner took a member out although it hears the host",
    requirements: &["S4-63", "S4-80", "S4-86", "S4-87"],
    page: include_str!("partner_withdrew.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        if let Some(w) = &m.wire {
            for (part, story) in w.told() {
                if !story.identity.is_empty() || story.own_system_in.is_some() {
                    continue;
                }
                let outages: Vec<_> =
                    story.outages.iter().filter(|o| o.cause == Cause::PartnerWithdrew).collect();
                let Some(o) = outages.first() else { continue };
                let proof =
                    o.proof.iter().map(|(f, t)| format!("{t} (frame {f})")).collect::<Vec<_>>().join("; ");
                // A first negotiation that was simply not finished when the capture ended is no refusal.
                if !story.carried && story.seen < 10_000_000_000 {
                    continue;
                }
                found.push(
                    Finding::new(
                        CHECK.id,
                        Kind::Wire,
                        part.cite(o.span.first),
                        format!("{}: {proof}", m.name),
                    )
                    .suspects(&[(D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)])
                    .member(&m.name)
                    .at(o.span.start)
                    .times(outages.iter().map(|o| o.span.start))
                    .and_all(o.proof.iter().map(|(f, _)| part.cite(*f))),
                );
            }
        } else if let Some(s) = m.states.iter().find(|s| refused(s)) {
            let partner = s.partner.unwrap_or_default();
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::State,
                    s.at,
                    format!(
                        "{}: the partner (state {} {partner}) is not in sync although it is neither Expired nor Defaulted; the kernel also says so when the partner echoes stale data",
                        m.name,
                        partner.bits()
                    ),
                )
                .suspects(&[(D::SwitchConfig, S::Weak), (D::SwitchControlPlane, S::Weak), (D::Mlag, S::Weak), (D::HostConfig, S::Weak)])
                .member(&m.name),
            );
        }
    }
    Outcome::of(found)
}

fn refused(s: &crate::case::MemberState) -> bool {
    let (Some(a), Some(p)) = (s.actor, s.partner) else { return false };
    a.contains(PortState::SYNCHRONIZATION)
        && !a.deaf()
        && !p.deaf()
        && p.contains(PortState::AGGREGATION)
        && !p.contains(PortState::SYNCHRONIZATION)
        && s.partner_system.is_none_or(|x| !x.is_zero())
        && s.mii.as_deref() != Some("down")
}
