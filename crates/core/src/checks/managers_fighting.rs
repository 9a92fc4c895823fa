//! # Two network managers are active
//!
//! ## What it shows
//! More than one network manager is active, or more than one configures this bond.
//!
//! ## Why it matters
//! Two managers undo each other's work: members are released and enslaved again, and the switch sees flaps that are reconfigurations.
//!
//! ## How it can be wrong
//! A manager can be active without touching the bond (NetworkManager with the device unmanaged).
//!
//! ## What would settle it
//! `networkctl list`, `nmcli device status`, and the managers' logs around a flap.
//!
//! ## References
//! requirements.md S4-30.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::{Citation, KernelKind};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use std::collections::BTreeMap;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "managers-fighting",
    title: "Two network managers are active",
    requirements: &["S4-29", "S4-30", "E-31"],
    page: include_str!("managers_fighting.rs"),
    run,
};

const MANAGERS: [&str; 6] =
    ["systemd-networkd", "NetworkManager", "networking", "wicked", "connman", "network"];

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut active: BTreeMap<&str, Citation> = BTreeMap::new();
    for (_, f) in case.settings("systemctl", None) {
        // The record is of one unit: `Active: active (running) since ...` of `status`, `active` of a list.
        let unit = f.dev.as_deref().unwrap_or("").trim_end_matches(".service");
        let on = f
            .get("Active")
            .or_else(|| f.get("active"))
            .filter(|e| e.value.split_whitespace().next() == Some("active"));
        if let (Some(e), Some(m)) = (on, MANAGERS.iter().find(|m| **m == unit)) {
            active.entry(m).or_insert(e.at);
        }
    }
    let mut writes: BTreeMap<&str, Citation> = BTreeMap::new();
    for (r, f) in case.configs() {
        let about = f.dev.as_deref() == Some(subject.name.as_str())
            || f.entries
                .iter()
                .any(|e| e.key.split('.').any(|k| k == subject.name) || e.value == subject.name);
        if subject.bond && about {
            writes.entry(f.source).or_insert(r.at);
        }
    }
    let mut found = Vec::new();
    // One release is a change of somebody; again and again is a fight.
    let churned = subject
        .members
        .iter()
        .any(|m| case.kernel_of(&m.name).filter(|(_, k)| k.kind == KernelKind::Released).count() > 1);
    if active.len() > 1 {
        let list = active.keys().copied().collect::<Vec<_>>().join(", ");
        let mut cited = active.values().copied();
        if let Some(first) = cited.next() {
            let f = Finding::new(
                CHECK.id,
                Kind::Config,
                first,
                format!("more than one network manager is active: {list}"),
            )
            .and_all(cited);
            found.push(if churned {
                f.implicates(D::HostConfig, S::Strong)
            } else {
                f.severity(Severity::Warning)
            });
        }
    }
    if writes.len() > 1 {
        let list = writes.keys().copied().collect::<Vec<_>>().join(", ");
        let mut cited = writes.values().copied();
        if let Some(first) = cited.next() {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Config,
                    first,
                    format!("{} is configured in more than one place: {list}", subject.name),
                )
                .and_all(cited)
                .severity(Severity::Warning),
            );
        }
    }
    Outcome::of(found)
}
