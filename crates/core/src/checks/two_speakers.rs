//! # Two partners speak on one wire
//!
//! ## What it shows
//! LACPDUs of two different systems from two source addresses arrive interleaved on one member.
//!
//! ## Why it matters
//! Something between host and switch forwards slow-protocol frames (a bridge, a media converter, a hypervisor), or two switches share the wire. While this lasts nothing can be said about the switch's configuration.
//!
//! ## How it can be wrong
//! A port that was moved from one switch to another shows two speakers one after the other, not interleaved.
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
        for (part, _) in w.told() {
            let foreign: Vec<_> = part.ins.iter().filter(|s| s.pdus > 1).collect();
            let [a, b, ..] = foreign.as_slice() else { continue };
            let system = |s: &crate::capture::Speaker| s.changes.last().map(|c| c.actor.system);
            let interleaved = a.first.0 < b.last.0 && b.first.0 < a.last.0;
            if system(a) == system(b) || !interleaved || !part.timed {
                continue;
            }
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Wire,
                    part.cite(a.first.1),
                    format!(
                        "{}: two partners speak at the same time, {} from {} and {} from {}",
                        m.name,
                        show(system(a)),
                        a.source,
                        show(system(b)),
                        b.source
                    ),
                )
                .suspects(&[(D::Physical, S::Moderate), (D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)])
                .member(&m.name)
                .and(part.cite(b.first.1)),
            );
        }
    }
    Outcome::of(found)
}

fn show(system: Option<lacp::Mac>) -> String {
    system.map_or_else(|| "?".to_owned(), |s| s.to_string())
}
