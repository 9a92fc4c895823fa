//! # Both ends are passive
//!
//! ## What it shows
//! Neither end has the Activity bit set: each waits to be asked.
//!
//! ## Why it matters
//! LACP needs at least one active end. With both passive nobody sends unprompted; the link expires every few seconds or never comes up. Neither end is wrong alone.
//!
//! ## How it can be wrong
//! A partner that was never heard has state 0, which also lacks the bit; only a partner with a System ID counts.
//!
//! ## What would settle it
//! `lacp_active` on the host, the LACP mode (active or passive) of the switch port.
//!
//! ## References
//! kernel-facts.md section 3 (Periodic) and 11.1 row "both passive".

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "both-passive",
    title: "Both ends are passive",
    requirements: &["S4-54", "S4-80", "S4-86", "S4-115"],
    page: include_str!("both_passive.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let passive = |s: PortState| !s.contains(PortState::ACTIVITY);
        let wire = m.wire.as_ref().and_then(|w| {
            w.told().find_map(|(part, _)| {
                let (h, p) = (part.host()?, part.partner()?);
                let ours = h.changes.iter().rev().find(|c| passive(c.actor.state))?;
                let theirs = p.at(ours.ns).or_else(|| p.changes.iter().find(|c| c.ns > ours.ns))?;
                let later = p.changes.iter().rev().find(|c| passive(c.actor.state) && c.ns >= theirs.ns);
                let theirs = if passive(theirs.actor.state) { theirs } else { later? };
                // Both at the same time: our state was still passive when theirs was.
                let ours_then = h.at(theirs.ns.max(ours.ns))?;
                passive(ours_then.actor.state).then_some((
                    part.cite(ours.frame),
                    part.cite(theirs.frame),
                    ours.ns.max(theirs.ns),
                ))
            })
        });
        let state = || {
            m.states.iter().find_map(|s| {
                let (a, p) = (s.actor?, s.partner?);
                let known = s.partner_system.is_some_and(|p| !p.is_zero())
                    || (!p.is_empty() && s.partner_system.is_none());
                (passive(a) && passive(p) && known).then_some(s.at)
            })
        };
        let f = if let Some((a, b, ns)) = wire {
            Finding::new(
                CHECK.id,
                Kind::Wire,
                a,
                format!("{}: neither the host nor the partner sets LACP_Activity: both are passive", m.name),
            )
            .and(b)
            .at(ns)
        } else if let Some(at) = state() {
            Finding::new(
                CHECK.id,
                Kind::State,
                at,
                format!("{}: actor and partner state both lack LACP_Activity: both ends are passive", m.name),
            )
        } else {
            continue;
        };
        found.push(f.implicates(D::ConfigBoth, S::Decisive).member(&m.name).way(Way::Both));
    }
    Outcome::of(found)
}
