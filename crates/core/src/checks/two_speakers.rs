//! # Two partners speak on one wire
//!
//! ## What it shows
//! LACPDUs of two different systems arrive interleaved on one member: from two source addresses, or from one address while each keeps its own cadence.
//!
//! ## Why it matters
//! Something between host and switch forwards slow-protocol frames (a bridge, a media converter, a hypervisor), or two switches share the wire. While this lasts nothing can be said about the switch's configuration.
//!
//! ## How it can be wrong
//! A port that was moved from one switch to another shows two speakers one after the other, not interleaved. The two switches of an MLAG pair may speak for one port from two addresses. A partner that changes its identity and back within a period, again and again, looks the same; then nothing is decided either.
//!
//! ## What would settle it
//! LLDP neighbours on the member; following the cable.
//!
//! ## References
//! verdict.md section 1 ("two speakers").

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "two-speakers",
    title: "Two partners speak on one wire",
    requirements: &["S4-18", "S4-24"],
    page: include_str!("two_speakers.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            let Some([a, b]) = story.two_speakers else { continue };
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Wire,
                    part.cite(a.frame.1),
                    format!(
                        "{}: two partners speak at the same time, {} from {} and {} from {}",
                        m.name, a.system, a.source, b.system, b.source
                    ),
                )
                .suspects(&[(D::Physical, S::Moderate), (D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)])
                .member(&m.name)
                .and(part.cite(b.frame.1)),
            );
        }
    }
    Outcome::of(found)
}
