//! # Kernel and configuration file disagree
//!
//! ## What it shows
//! A setting of the bond in a configuration file differs from what the kernel runs with.
//!
//! ## Why it matters
//! The kernel is the truth. A file that says otherwise was not applied, or something else changed the bond afterwards; the next reload will change it again.
//!
//! ## How it can be wrong
//! Files of another host or an old copy.
//!
//! ## What would settle it
//! Reloading the configuration in a maintenance window and comparing again.
//!
//! ## References
//! requirements.md S4-31.

use crate::case::{Case, Mode, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "config-drift",
    title: "Kernel and configuration file disagree",
    requirements: &["S4-31", "D-06"],
    page: include_str!("config_drift.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    if !subject.bond {
        return Outcome::NotApplicable;
    }
    let mut found = Vec::new();
    for (_, f) in case.configs() {
        let here = f.dev.as_deref() == Some(subject.name.as_str());
        for e in &f.entries {
            // `bonds.bond0.parameters.mode`, `bond-mode`, `BONDING_OPTS.mode`, `Mode`, `mode`.
            let key = e.key.to_ascii_lowercase();
            if !here && !key.contains(&format!(".{}.", subject.name.to_ascii_lowercase())) {
                continue;
            }
            let last = key.rsplit(['.', '-', '_']).next().unwrap_or("");
            if last == "mode" && (key.contains("bond") || key == "mode") {
                let want = Mode::from_text(&e.value);
                if want != Mode::Unknown
                    && subject.mode != Mode::Unknown
                    && want != subject.mode
                    && let Some(at) = subject.mode_at
                {
                    found.push(
                        Finding::new(
                            CHECK.id,
                            Kind::Config,
                            e.at,
                            format!(
                                "{}: the file says mode {}, the kernel runs {}",
                                subject.name,
                                e.value,
                                subject.mode_text.as_deref().unwrap_or("another")
                            ),
                        )
                        .implicates(D::HostConfig, S::Moderate)
                        .and(at),
                    );
                }
            }
            if (key.ends_with("lacp_rate") || key.ends_with("lacp-rate") || key.ends_with("lacptransmitrate"))
                && let Some(now) = subject.field("LACP rate")
            {
                let fast = |v: &str| v.starts_with("fast") || v.starts_with('1');
                if fast(&e.value.to_ascii_lowercase()) != fast(&now.value.to_ascii_lowercase()) {
                    found.push(
                        Finding::new(
                            CHECK.id,
                            Kind::Config,
                            e.at,
                            format!(
                                "{}: the file says LACP rate {}, the kernel runs {}",
                                subject.name, e.value, now.value
                            ),
                        )
                        .and(now.at)
                        .severity(Severity::Warning),
                    );
                }
            }
        }
    }
    Outcome::of(found)
}
