//! # A member runs at half duplex
//!
//! ## What it shows
//! A member of an 802.3ad bond has half duplex in a settled reading.
//!
//! ## Why it matters
//! Linux clears the duplex bit of the key and disables LACP on such a port. Half duplex at gigabit and above means that autonegotiation failed on one side.
//!
//! ## How it can be wrong
//! A momentary half duplex while the link comes up is not counted: only a state reading is.
//!
//! ## What would settle it
//! Autonegotiation settings of both ends (`ethtool`, the switch port), another cable.
//!
//! ## References
//! kernel-facts.md section 2 (default actor).

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "half-duplex",
    title: "A member runs at half duplex",
    requirements: &["S4-40", "S4-107"],
    page: include_str!("half_duplex.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let state = m.states.iter().rev().find(|s| s.duplex.is_some() && s.mii.as_deref() == Some("up"));
        let at = match state {
            Some(s) => (s.duplex.as_deref() == Some("half")).then_some(s.at),
            None => case.settings("ethtool", Some(&m.name)).find_map(|(_, f)| {
                let linked = f.text("Link detected").is_none_or(|l| l.starts_with("yes"));
                f.get("Duplex").filter(|d| linked && d.value.eq_ignore_ascii_case("half")).map(|d| d.at)
            }),
        };
        let Some(at) = at else { continue };
        // A fixed setting on one side is the classic cause, and it can be seen if it is this side.
        let fixed = case
            .settings("ethtool", Some(&m.name))
            .find_map(|(_, f)| f.get("Auto-negotiation").filter(|a| a.value.eq_ignore_ascii_case("off")));
        let f = Finding::new(
            CHECK.id,
            Kind::State,
            at,
            format!(
                "{}: half duplex{}",
                m.name,
                if fixed.is_some() { ", with autonegotiation off on this host" } else { "" }
            ),
        )
        .member(&m.name);
        found.push(match fixed {
            Some(a) => f.implicates(D::HostConfig, S::Moderate).and(a.at),
            None => f.suspects(&[
                (D::SwitchConfig, S::Moderate),
                (D::Physical, S::Moderate),
                (D::HostConfig, S::Weak),
            ]),
        });
    }
    Outcome::of(found)
}
