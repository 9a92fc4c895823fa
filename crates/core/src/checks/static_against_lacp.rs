//! # One end speaks LACP, the other is static
//!
//! ## What it shows
//! LACPDUs arrive on members of a bond whose mode does not speak LACP.
//!
//! ## Why it matters
//! The switch waits for answers that never come and keeps its ports suspended or individual, while the host sends on all members.
//!
//! ## How it can be wrong
//! A switch port that offers LACP although nobody asked is harmless in active-backup mode.
//!
//! ## What would settle it
//! Agree on one: mode 802.3ad on the host, or a static port-channel on the switch.
//!
//! ## References
//! Documentation/networking/bonding.rst (switch configuration per mode).

use crate::case::{Case, Mode, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "static-against-lacp",
    title: "One end speaks LACP, the other is static",
    requirements: &["S4-80", "S4-86"],
    page: include_str!("static_against_lacp.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    if subject.mode != Mode::Static {
        return Outcome::NotApplicable;
    }
    let mut found = Vec::new();
    for m in &subject.members {
        let Some((part, p)) = m.wire.as_ref().and_then(|w| {
            w.told().find_map(|(part, _)| Some((part, part.ins.first().or_else(|| part.unknown.first())?)))
        }) else {
            continue;
        };
        found.push(
            Finding::new(
                CHECK.id,
                Kind::Wire,
                part.cite(p.first.1),
                format!("{}: the switch speaks LACP, the bond runs a mode without LACP", m.name),
            )
            .implicates(D::ConfigBoth, S::Strong)
            .member(&m.name)
            .and_all(subject.mode_at),
        );
    }
    Outcome::of(found)
}
