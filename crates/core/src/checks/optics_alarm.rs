//! # The transceiver raises an alarm
//!
//! ## What it shows
//! `ethtool -m` shows alarm or warning flags set for receive power, transmit power, bias or temperature.
//!
//! ## Why it matters
//! A receiver without light, or a laser at its end, loses frames before it loses the link.
//!
//! ## How it can be wrong
//! Modules without diagnostics print nothing; thresholds of third-party modules are not always right. A member whose LACP is in order has lost nothing to it yet: a warning, no fault.
//!
//! ## What would settle it
//! Power levels at both ends; another transceiver, then another cable.
//!
//! ## References
//! SFF-8472 and SFF-8636 as printed by ethtool.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "optics-alarm",
    title: "The transceiver raises an alarm",
    requirements: &["S4-65", "S4-79", "S4-89", "S4-105"],
    page: include_str!("optics_alarm.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        for (_, f) in case.settings("ethtool-m", Some(&m.name)) {
            for e in f.entries.iter().filter(|e| {
                let key = e.key.to_ascii_lowercase();
                (key.contains("alarm") || key.contains("warning"))
                    && !key.contains("threshold")
                    && e.value.eq_ignore_ascii_case("on")
            }) {
                let key = e.key.to_ascii_lowercase();
                let alarm = key.contains("alarm");
                // Too high and too low at once: the module has no diagnostics.
                let twin = if key.contains("high") {
                    key.replace("high", "low")
                } else {
                    key.replace("low", "high")
                };
                if twin != key
                    && f.entries
                        .iter()
                        .any(|o| o.key.to_ascii_lowercase() == twin && o.value.eq_ignore_ascii_case("on"))
                {
                    continue;
                }
                let in_order = super::in_order(m);
                // Transmit light leaves this host; receive light comes from the other end.
                let way = if key.contains("rx") || key.contains("rcvr") || key.contains("receiv") {
                    Way::SwitchToHost
                } else {
                    Way::HostToSwitch
                };
                let finding = Finding::new(CHECK.id, Kind::Counter, e.at, format!("{}: {}", m.name, e.key))
                    .member(&m.name)
                    .way(way);
                found.push(if alarm && !in_order {
                    finding.implicates(D::Physical, S::Moderate)
                } else if in_order {
                    // Worth a look before it harms; it harmed nobody in this evidence.
                    finding.severity(Severity::Warning)
                } else {
                    finding.suspects(&[(D::Physical, S::Weak)]).severity(Severity::Warning)
                });
            }
        }
    }
    Outcome::of(found)
}
