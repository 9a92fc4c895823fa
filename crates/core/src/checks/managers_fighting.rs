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
    for (r, f) in case.settings("systemctl", None) {
        for e in &f.entries {
            let unit = e.key.trim_end_matches(".service");
            let on = e.value.split_whitespace().any(|w| w == "active" || w == "running");
            if on && let Some(m) = MANAGERS.iter().find(|m| **m == unit) {
                active.entry(m).or_insert(r.at);
            }
        }
    }
    let mut writes: BTreeMap<&str, Citation> = BTreeMap::new();
    for (r, f) in case.configs() {
        let about = f.dev.as_deref() == Some(subject.name.as_str())
            || f.entries.iter().any(|e| e.key.contains(&subject.name) || e.value == subject.name);
        if subject.bond && about {
            writes.entry(f.source).or_insert(r.at);
        }
    }
    let mut found = Vec::new();
    let churned = subject
        .members
        .iter()
        .any(|m| case.kernel_of(&m.name).filter(|(_, k)| k.kind == KernelKind::Released).count() > 0);
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
