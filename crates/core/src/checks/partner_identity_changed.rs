//! # The partner of a member changed its identity
//!
//! ## What it shows
//! On one member the partner's System ID, priority or key changed while the link stayed up.
//!
//! ## Why it matters
//! A host cannot change what the other end calls itself. An identity that flips is the mark of an MLAG pair that stopped agreeing, a stack that split, or a switch that was reconfigured.
//!
//! ## How it can be wrong
//! Two speakers on one wire (a hub, a bridge that forwards slow protocols) interleave two identities; then this check does not accuse. A member that was replugged also changes partner: a link that went down in between is taken as that.
//!
//! ## What would settle it
//! MLAG or stack peer-link state and log of the switches at that time; the LACP system ID configured on each peer.
//!
//! ## References
//! verdict.md section 1; kernel-facts.md 11.1 rows "MLAG split", "partner key change"; switch-side.md section 3.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::wire::Cause;
use std::collections::BTreeSet;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "partner-identity-changed",
    title: "The partner of a member changed its identity",
    requirements: &["S4-18", "S4-24", "S4-69", "S4-72", "S4-85", "S4-87", "S4-120", "E-25"],
    page: include_str!("partner_identity_changed.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    // Everyone at once to the same new identity: one switch was replaced or reconfigured, not a split.
    let changed: Vec<&str> = subject
        .members
        .iter()
        .filter(|m| m.wire.as_ref().is_some_and(|w| w.stories.iter().any(|s| !s.identity.is_empty())))
        .map(|m| m.name.as_str())
        .collect();
    let with_wire = subject.members.iter().filter(|m| m.wire.is_some()).count();
    for m in &subject.members {
        for (part, story) in m.wire.iter().flat_map(crate::wire::Wire::told) {
            let own = |c: &crate::capture::Change| {
                part.out.iter().any(|s| s.changes.iter().any(|o| o.actor.system == c.actor.system))
            };
            let changes: Vec<_> = story.identity.iter().filter(|(a, b)| !own(a) && !own(b)).collect();
            let Some((a, b)) = changes.first() else { continue };
            if part.ins.len() > 1
                || story.two_speakers.is_some()
                || story
                    .outages
                    .iter()
                    .any(|o| o.cause == Cause::LinkDown && o.span.start < b.ns && o.span.end > a.ns)
            {
                continue;
            }
            let systems: BTreeSet<_> =
                changes.iter().flat_map(|(a, b)| [a.actor.system, b.actor.system]).collect();
            let keys: BTreeSet<_> = changes.iter().flat_map(|(a, b)| [a.actor.key, b.actor.key]).collect();
            let what = if systems.len() > 1 {
                "System ID"
            } else if keys.len() > 1 {
                "key"
            } else {
                "system priority"
            };
            let text = format!(
                "{}: the partner's {what} changed {} without loss of link: {} key {} (frame {}), then {} key {} (frame {})",
                m.name,
                if changes.len() == 1 { "once".to_owned() } else { format!("{} times", changes.len()) },
                a.actor.system,
                a.actor.key,
                a.frame,
                b.actor.system,
                b.actor.key,
                b.frame
            );
            let f = Finding::new(CHECK.id, Kind::Wire, part.cite(a.frame), text)
                .member(&m.name)
                .at(b.ns)
                .times(changes.iter().map(|(_, b)| b.ns))
                .and_all(changes.iter().take(8).map(|(_, b)| part.cite(b.frame)));
            let everyone = changed.len() == with_wire && with_wire > 1;
            found.push(if systems.len() > 1 && !everyone {
                f.implicates(D::Mlag, if changes.len() > 1 { S::Strong } else { S::Moderate })
            } else if systems.len() > 1 || everyone {
                f.suspects(&[(D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)])
            } else if changes.len() > 1 {
                // A key that flips back and forth: two switches that disagree. Once: somebody changed the port.
                f.suspects(&[(D::Mlag, S::Moderate), (D::SwitchConfig, S::Weak)])
            } else {
                f.suspects(&[(D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)])
            });
        }
        if m.wire.is_none() {
            // Snapshots only: two different partners on one member at different times.
            let mut seen: Vec<(&crate::case::MemberState, lacp::Mac)> = Vec::new();
            for s in &m.states {
                if let Some(p) = s.partner_system.filter(|p| !p.is_zero())
                    && seen.last().is_none_or(|(_, q)| *q != p)
                {
                    seen.push((s, p));
                }
            }
            if let [(first, a), (second, b), ..] = seen.as_slice() {
                found.push(
                    Finding::new(
                        CHECK.id,
                        Kind::State,
                        first.at,
                        format!("{}: the partner was {a} in one reading and {b} in another", m.name),
                    )
                    .suspects(&[
                        (D::Mlag, S::Moderate),
                        (D::SwitchConfig, S::Moderate),
                        (D::Physical, S::Weak),
                    ])
                    .member(&m.name)
                    .and(second.at),
                );
            }
        }
    }
    Outcome::of(found)
}
