//! # No partner is heard
//!
//! ## What it shows
//! The kernel's view of a member: its Receive machine is Defaulted or Expired, or the partner's System ID is all zero. The host hears nobody there.
//!
//! ## Why it matters
//! It is the commonest snapshot of a dead LAG. It shows one direction only: what does not arrive. It does not show who failed to send, or where it was lost.
//!
//! ## How it can be wrong
//! In the first seconds after link-up it is normal. A host that is itself silent makes many switches stop; a capture tells. NIC firmware with an LLDP or LACP agent may keep the frames for itself. Where every member is deaf and every link is up, a cable is the least likely cause.
//!
//! ## What would settle it
//! A capture of LACPDUs on each member (60 s fast, 120 s slow): it shows whether the switch sends, and what it says it hears.
//!
//! ## References
//! kernel-facts.md section 1 (defaults of the partner block) and 11.8 (nothing else shows a partner-less aggregator).

use crate::case::{Case, Mode, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "partner-not-heard",
    title: "No partner is heard",
    requirements: &["S4-08", "S4-87", "S4-116", "E-36"],
    page: include_str!("partner_not_heard.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    if subject.mode != Mode::Lacp {
        return Outcome::NotApplicable;
    }
    let mut deaf = Vec::new();
    let mut hearing = Vec::new();
    for m in &subject.members {
        let zero = |s: &&crate::case::MemberState| {
            let none = s.partner_system.is_some_and(|p| p.is_zero());
            let down = s.mii.as_deref().is_some_and(|v| v != "up");
            !down && (none || s.actor.is_some_and(PortState::deaf))
        };
        // The wire tells the same story in more detail, with causes; and a member that carries on the wire has a
        // partner now, whatever was read of it while it came up.
        if m.wire.as_ref().is_some_and(|w| {
            w.stories.iter().any(|s| !s.outages.is_empty()) || w.told().any(|(_, s)| s.carried)
        }) {
            hearing.push(m);
            continue;
        }
        match m.states.iter().find(zero) {
            Some(s) => deaf.push((m, s)),
            None if m.states.iter().any(|s| s.partner_system.is_some() || s.partner.is_some()) => {
                hearing.push(m)
            }
            None => {}
        }
    }
    let zero_partner = subject.field("Partner Mac Address").filter(|f| f.value == "00:00:00:00:00:00");
    if deaf.is_empty() {
        return match zero_partner {
            Some(f) if subject.members.iter().all(|m| m.wire.is_none()) => Outcome::Found(vec![
                Finding::new(CHECK.id, Kind::State, f.at, "the active aggregator has no partner (Partner Mac Address all zero): no LACPDU was heard")
                    .suspects(&SUSPECTS)
                    .way(Way::SwitchToHost),
            ]),
            _ => Outcome::Clear,
        };
    }
    let all = hearing.is_empty();
    // Several links at once, each with carrier: what they share is not a cable.
    let lit = |m: &&crate::case::Member| m.states.iter().rev().find_map(|s| s.mii.as_deref()) == Some("up");
    let shared = all && deaf.len() > 1 && deaf.iter().map(|(m, _)| *m).all(|m| lit(&m));
    let suspects: &[(D, S)] = if shared { &SHARED } else { &SUSPECTS };
    let found = deaf
        .iter()
        .map(|(m, s)| {
            let state = s.actor.map_or(String::new(), |a| format!(" (actor state {} {a})", a.bits()));
            let scope = if all { "like every other member" } else { "while other members do" };
            Finding::new(
                CHECK.id,
                Kind::State,
                s.at,
                format!("{}: no LACPDU of a partner is heard{state}, {scope}", m.name),
            )
            .suspects(suspects)
            .member(&m.name)
            .way(Way::SwitchToHost)
            .and_all(zero_partner.map(|f| f.at))
        })
        .collect();
    Outcome::Found(found)
}

/// All weak: the order says where to look first, nothing more. Firmware that keeps LACPDUs for itself is the host's until
/// it is excluded.
const SUSPECTS: [(D, S); 5] = [
    (D::SwitchConfig, S::Weak),
    (D::SwitchControlPlane, S::Weak),
    (D::Physical, S::Weak),
    (D::HostConfig, S::Weak),
    (D::HostDriverFirmware, S::Weak),
];

/// Every member deaf while every link is up.
const SHARED: [(D, S); 5] = [
    (D::SwitchConfig, S::Weak),
    (D::SwitchControlPlane, S::Weak),
    (D::HostConfig, S::Weak),
    (D::HostDriverFirmware, S::Weak),
    (D::Physical, S::Faint),
];
