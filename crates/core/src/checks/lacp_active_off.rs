//! # The host is passive and hears nobody
//!
//! ## What it shows
//! `lacp_active` is off on the host and no partner was heard on any member.
//!
//! ## Why it matters
//! A passive host sends nothing until it is asked. With a partner that is passive as well, or that the host cannot hear, LACP never starts. Off is not the default of the kernel.
//!
//! ## How it can be wrong
//! If the partner is active and its LACPDUs are lost, the cause is that loss.
//!
//! ## What would settle it
//! `cat /sys/class/net/BOND/bonding/lacp_active`, the LACP mode of the switch port.
//!
//! ## References
//! kernel-facts.md section 3 (Periodic); Documentation/networking/bonding.rst, lacp_active.

use crate::case::{Case, Mode, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::What;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacp-active-off",
    title: "The host is passive and hears nobody",
    requirements: &["S4-80", "D-06"],
    page: include_str!("lacp_active_off.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    if subject.mode != Mode::Lacp {
        return Outcome::NotApplicable;
    }
    let Some(off) = subject.field("LACP active").filter(|f| f.value.starts_with("off")) else {
        return Outcome::Clear;
    };
    let heard = subject.members.iter().any(|m| {
        m.states.iter().any(|s| {
            s.partner_system.is_some_and(|p| !p.is_zero())
                || s.partner.is_some_and(|p| !p.is_empty() && !s.actor.is_some_and(PortState::deaf))
        }) || m.wire.as_ref().is_some_and(|w| w.parts.iter().any(|p| p.partner().is_some()))
    });
    if heard {
        return Outcome::Found(vec![Finding::new(
            CHECK.id,
            Kind::Config,
            off.at,
            "the host is passive (lacp_active off); it answers, because a partner is active",
        )]);
    }
    let unheard = subject
        .members
        .iter()
        .flat_map(|m| &m.states)
        .find(|s| s.partner_system.is_some_and(|p| p.is_zero()) || s.actor.is_some_and(PortState::deaf));
    let Some(unheard) = unheard else {
        return Outcome::Found(vec![Finding::new(
            CHECK.id,
            Kind::Config,
            off.at,
            "the host is passive (lacp_active off)",
        )]);
    };
    // The switch's own words, if they speak of passive ports only: whichever of them are ours, they are passive.
    let switch: Vec<_> = case
        .records
        .iter()
        .filter_map(|r| if let What::Switch(s) = &r.what { Some(s) } else { None })
        .flat_map(|s| &s.lacp_active)
        .collect();
    if let Some((_, first)) = switch.first()
        && switch.iter().all(|(active, _)| !active)
    {
        return Outcome::Found(vec![
            Finding::new(CHECK.id, Kind::Config, off.at, "the host is passive (lacp_active off, not the default), every port in the switch's output is passive too, and no partner was ever heard: nobody starts the conversation")
                .implicates(D::ConfigBoth, S::Strong)
                .way(Way::Both)
                .and(*first)
                .and(unheard.at)
                .and_all(switch.iter().skip(1).take(7).map(|(_, at)| *at)),
        ]);
    }
    Outcome::Found(vec![
        Finding::new(CHECK.id, Kind::Config, off.at, "the host is passive (lacp_active off, not the default) and no partner was ever heard: nobody starts the conversation")
            .suspects(&[(D::HostConfig, S::Moderate), (D::ConfigBoth, S::Moderate), (D::SwitchConfig, S::Weak)])
            .and(unheard.at),
    ])
}
