//! # The bond has no member
//!
//! ## What it shows
//! A reading of the bond lists no member at all.
//!
//! ## Why it matters
//! A bond without members offers nothing to the switch: whatever is wrong is in the configuration of this host or in what should have applied it.
//!
//! ## How it can be wrong
//! A reading taken while the bond was being set up.
//!
//! ## What would settle it
//! The network manager's log and configuration for this bond; `ip link` of the interfaces that should be members.
//!
//! ## References
//! kernel-facts.md section 1.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "bond-without-members",
    title: "The bond has no member",
    requirements: &["S4-29", "S4-33"],
    page: include_str!("bond_without_members.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    if !subject.bond {
        return Outcome::NotApplicable;
    }
    // A whole dump has the bond's own MII line; a cut one proves nothing.
    let Some(empty) = subject.states.iter().find(|s| {
        s.full
            && s.members.is_empty()
            && s.fields.get("MII Status").is_some()
            && s.fields.get("Bonding Mode").is_some()
    }) else {
        return Outcome::Clear;
    };
    // `modprobe bonding` leaves an empty bond0 in its default mode, which nobody configured.
    let left_over = subject.mode_text.as_deref().is_some_and(|m| m.contains("round-robin"))
        && empty.fields.text("MII Polling Interval (ms)").is_none_or(|v| v == "0")
        && !case.configs().any(|(_, f)| f.dev.as_deref() == Some(subject.name.as_str()))
        && case.kernel().all(|(_, k)| k.bond.as_deref() != Some(subject.name.as_str()));
    if left_over {
        return Outcome::Found(vec![Finding::new(
            CHECK.id,
            Kind::State,
            empty.at,
            format!("{} is empty and in its default mode, as `modprobe bonding` leaves it", subject.name),
        )]);
    }
    // The heading of a dump that was cut off also lists no member: an empty bond is down and has no ports.
    let down = empty.fields.text("MII Status") == Some("down");
    let ports = subject.fields("Number of ports").any(|f| f.value != "0");
    let heard = subject.members.iter().any(|m| m.wire.is_some());
    if !down || ports || heard {
        return Outcome::Clear;
    }
    Outcome::Found(vec![
        Finding::new(
            CHECK.id,
            Kind::State,
            empty.at,
            format!("{} has no member: nothing is offered to the switch", subject.name),
        )
        .implicates(D::HostConfig, S::Strong),
    ])
}
