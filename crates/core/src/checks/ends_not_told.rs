//! # Which end is the host is not told
//!
//! ## What it shows
//! LACPDUs were captured, but nothing in the evidence says which of the two ends is this host; or it was only guessed from the defaults of Linux.
//!
//! ## Why it matters
//! Every accusation from a capture needs to know whose words are whose. What one end says about the other can still be read.
//!
//! ## How it can be wrong
//! The guess (system priority 65535 and port priority 255 are the defaults of Linux bonding) fails for a switch that runs Linux bonding itself, or a host with changed priorities; nothing that rests on it is graded above indicative. An end that withdraws while it still describes its partner does so by its own decision, a deaf one may be the victim of anything in between; which end it is stays open either way.
//!
//! ## What would settle it
//! `cat /proc/net/bonding/BOND` as root, or a capture that keeps the direction (`tcpdump -i any -w FILE`, which writes the packet type).
//!
//! ## References
//! errata E-12 and E-13; kernel-facts.md 11.3.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "ends-not-told",
    title: "Which end is the host is not told",
    requirements: &["E-12", "E-13", "S4-115"],
    page: include_str!("ends_not_told.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, _) in w.told() {
            if case.own_assumed
                && let Some(h) = part.host()
            {
                let system = h.changes.last().map(|c| c.actor.system.to_string()).unwrap_or_default();
                found.push(Finding::new(CHECK.id, Kind::Wire, part.cite(h.first.1), format!("{}: {system} is taken for this host because it has the priorities of Linux and the other end has not", m.name)).member(&m.name));
            }
            for s in &part.unknown {
                let Some(last) = s.changes.last() else { continue };
                let deaf = s.changes.iter().find(|c| c.actor.state.deaf());
                let gone = !last.actor.state.contains(PortState::AGGREGATION) || last.actor.state.is_empty();
                let (c, text) = match deaf {
                    Some(c) => (
                        c,
                        format!(
                            "{} says {} (state {:#04x}): it does not hear its partner",
                            c.actor.system,
                            crate::wire::deaf_words(c.actor.state),
                            c.actor.state.bits()
                        ),
                    ),
                    None if gone && !last.partner.system.is_zero() => (
                        last,
                        format!(
                            "{} withdraws by itself (state {:#04x}, no Aggregation) while it describes its partner {} as {}",
                            last.actor.system,
                            last.actor.state.bits(),
                            last.partner.system,
                            last.partner.state
                        ),
                    ),
                    None if !last.partner.system.is_zero() && last.actor.state.carries_traffic() => (
                        last,
                        format!(
                            "{} collects and distributes towards {}",
                            last.actor.system, last.partner.system
                        ),
                    ),
                    None => (
                        last,
                        format!(
                            "{} speaks (state {}) and knows {} as its partner",
                            last.actor.system, last.actor.state, last.partner.system
                        ),
                    ),
                };
                let f = Finding::new(
                    CHECK.id,
                    Kind::Wire,
                    part.cite(c.frame),
                    format!("{}: {text}; which end is this host is not told", m.name),
                )
                .member(&m.name);
                // One that leaves while it hears its partner decides so itself: no cable does that.
                let leaves = deaf.is_none() && gone && !last.partner.system.is_zero();
                found.push(if leaves {
                    f.suspects(&[
                        (D::SwitchConfig, S::Weak),
                        (D::HostConfig, S::Weak),
                        (D::SwitchControlPlane, S::Weak),
                    ])
                } else if deaf.is_some() || gone {
                    f.suspects(&[
                        (D::SwitchControlPlane, S::Weak),
                        (D::SwitchConfig, S::Weak),
                        (D::Physical, S::Weak),
                        (D::HostConfig, S::Weak),
                        (D::HostDriverFirmware, S::Weak),
                    ])
                } else {
                    f
                });
            }
        }
    }
    Outcome::of(found)
}
