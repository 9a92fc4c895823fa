//! # LACP works on a member
//!
//! ## What it shows
//! Both ends of a member collect and distribute: in the kernel's state, or on the wire for the whole capture.
//!
//! ## Why it matters
//! It is what a healthy member looks like, and the baseline for the others.
//!
//! ## How it can be wrong
//! A snapshot shows one moment; a healthy snapshot does not contradict a flap at another time.
//!
//! ## What would settle it
//! A capture over the time of the complaint.
//!
//! ## References
//! kernel-facts.md section 2 (healthy fast 63, healthy slow 61).

use crate::case::{Case, Subject};
use crate::finding::{Check, Finding, Kind, Outcome};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacp-in-order",
    title: "LACP works on a member",
    requirements: &["S4-36", "S4-56", "S4-112", "S4-113"],
    page: include_str!("lacp_in_order.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        if let Some((part, story)) = m.wire.as_ref().and_then(|w| {
            w.told().find(|(p, s)| {
                p.timed
                    && s.carries_at_end
                    && s.outages.is_empty()
                    && p.host().is_some()
                    && p.partner().is_some()
            })
        }) && let (Some(h), Some(p)) = (part.host(), part.partner())
        {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Wire,
                    part.cite(h.last.1),
                    format!(
                        "{}: both ends collected and distributed for {} ({} LACPDUs out, {} in)",
                        m.name,
                        crate::wire::seconds(story.seen),
                        h.pdus,
                        p.pdus
                    ),
                )
                .member(&m.name)
                .and(part.cite(p.last.1)),
            );
        } else if let Some((part, story)) = m.wire.as_ref().and_then(|w| {
            w.told()
                .find(|(p, s)| p.timed && s.carries_at_end && s.outages.is_empty() && p.unknown.len() >= 2)
        }) && let [a, b, ..] = part.unknown.as_slice()
        {
            let text = format!(
                "{}: both ends, {} and {}, collected and distributed for {}; which of them is this host is not told",
                m.name,
                a.source,
                b.source,
                crate::wire::seconds(story.seen)
            );
            found.push(
                Finding::new(CHECK.id, Kind::Wire, part.cite(a.last.1), text)
                    .member(&m.name)
                    .and(part.cite(b.last.1)),
            );
        } else if let Some(s) = m.states.iter().rev().find(|s| s.actor.is_some())
            && s.actor.is_some_and(PortState::carries_traffic)
            && s.partner.is_some_and(|p| p.carries_traffic() && !p.deaf())
        {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::State,
                    s.at,
                    format!(
                        "{}: both ends collect and distribute in this reading (states {}/{})",
                        m.name,
                        s.actor.unwrap_or_default().bits(),
                        s.partner.unwrap_or_default().bits()
                    ),
                )
                .member(&m.name),
            );
        }
    }
    Outcome::of(found)
}
