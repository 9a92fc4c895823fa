//! # A member is administratively down
//!
//! ## What it shows
//! The interface does not have the UP flag in any reading: somebody or something on this host took it down or never brought it up.
//!
//! ## Why it matters
//! An interface that is down on the host cannot have a link; neither switch nor cable is needed to explain it.
//!
//! ## How it can be wrong
//! A standby interface may be down on purpose. A failed driver can leave an interface that cannot be brought up.
//!
//! ## What would settle it
//! `ip link set DEV up` and its error message; the network manager's log.
//!
//! ## References
//! `ip link` flags (IFF_UP); erratum E-16.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "admin-down",
    title: "A member is administratively down",
    requirements: &["E-16"],
    page: include_str!("admin_down.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let readings: Vec<_> =
            case.links().filter(|(_, k)| k.name == m.name && !k.flags.is_empty()).collect();
        let Some((r, _)) = readings.first() else { continue };
        if readings.iter().all(|(_, k)| !k.flag("UP")) {
            let hardware =
                case.settings("ethtool", Some(&m.name)).any(|(_, f)| f.text("Link detected").is_some())
                    || case.driver(&m.name).is_some();
            if !subject.bond && !hardware {
                continue;
            }
            // It spoke LACP in the capture: the reading is of another moment.
            if m.wire.as_ref().is_some_and(|w| w.stories.iter().any(|s| s.carried)) {
                let text = format!(
                    "{}: administratively down on this host in a reading of another moment than the capture",
                    m.name
                );
                found.push(
                    Finding::new(CHECK.id, Kind::State, r.at, text).member(&m.name).severity(Severity::Info),
                );
                continue;
            }
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::State,
                    r.at,
                    format!(
                        "{}: administratively down on this host (no UP flag), so it cannot have a link",
                        m.name
                    ),
                )
                .implicates(D::HostConfig, S::Moderate)
                .member(&m.name),
            );
        } else if let Some((d, _)) = readings.iter().find(|(_, k)| !k.flag("UP")) {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::State,
                    d.at,
                    format!("{}: was administratively down on this host at one time", m.name),
                )
                .member(&m.name)
                .severity(Severity::Info),
            );
        }
    }
    Outcome::of(found)
}
