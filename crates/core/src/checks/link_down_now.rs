//! # A member has no link
//!
//! ## What it shows
//! A member is down in the latest reading, without having been taken down on the host.
//!
//! ## Why it matters
//! The bond works on what is left; what took the link away is below LACP.
//!
//! ## How it can be wrong
//! The switch may have shut the port on purpose; from the host that looks like a pulled cable.
//!
//! ## What would settle it
//! The switch port's administrative state and log; `ethtool` of the member with its extended link state; another cable.
//!
//! ## References
//! kernel-facts.md section 1 ("MII Status").

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "link-down-now",
    title: "A member has no link",
    requirements: &["S4-05", "S4-39", "S4-79"],
    page: include_str!("link_down_now.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    if !subject.bond {
        return Outcome::NotApplicable;
    }
    let mut found = Vec::new();
    for m in &subject.members {
        let admin = case.links().any(|(_, k)| k.name == m.name && !k.flags.is_empty() && !k.flag("UP"));
        let Some(last) = m
            .states
            .iter()
            .rev()
            .find(|s| s.mii.is_some() && s.time.is_some())
            .or_else(|| m.states.iter().rev().find(|s| s.mii.is_some()))
        else {
            continue;
        };
        let always = m.states.iter().filter(|s| s.mii.is_some()).all(|s| s.mii.as_deref() == Some("down"));
        if last.mii.as_deref() != Some("down") || admin || !always {
            continue;
        }
        found.push(
            Finding::new(
                CHECK.id,
                Kind::State,
                last.at,
                format!(
                    "{}: no link, and the host did not take it down as far as the evidence shows",
                    m.name
                ),
            )
            .suspects(&[
                (D::Physical, S::Moderate),
                (D::SwitchConfig, S::Weak),
                (D::HostDriverFirmware, S::Weak),
                (D::HostConfig, S::Weak),
            ])
            .member(&m.name)
            .way(Way::Both),
        );
    }
    Outcome::of(found)
}
