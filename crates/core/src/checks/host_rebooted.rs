//! # The host was restarted
//!
//! ## What it shows
//! The host booted while members of the bond were out of the aggregate in the capture, or between two readings.
//!
//! ## Why it matters
//! A host that restarts sends no LACPDUs, loses its links and comes back as one that has never heard its partner. That explains the outage without a fault of host, link or switch; a silence that is explained so accuses nobody.
//!
//! ## How it can be wrong
//! A restart may itself be the consequence of a fault (a panic, a watchdog): the end of the log before the boot tells. The time of boot follows the wall clock, so a clock that was set moves it.
//!
//! ## What would settle it
//! `journalctl --list-boots`, `last -x reboot shutdown`, and the last lines of the boot before (`journalctl -b -1 -e`).
//!
//! ## References
//! proc_stat(5), `btime`; journalctl(1), `-- Boot ... --`; verdict.md section 1.

use crate::case::{Case, Subject};
use crate::finding::{Check, Finding, Kind, Outcome, Severity};
use crate::units::rfc3339;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "host-rebooted",
    title: "The host was restarted",
    requirements: &["S4-60", "S4-87"],
    page: include_str!("host_rebooted.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    if !subject.bond {
        return Outcome::NotApplicable;
    }
    let alignments = crate::timeline::alignments(case, subject);
    let boots = crate::boots::boots(case, &alignments);
    let mut found = Vec::new();
    let outages = crate::boots::outages(subject, &boots);
    let mut told = Vec::new();
    for (_, boot) in &outages {
        if told.contains(boot) {
            continue;
        }
        told.push(*boot);
        let at = rfc3339(boot.ns).unwrap_or_default();
        let text = format!(
            "the host booted at {at}, while members were out of the aggregate: it was restarted, and the outage follows from that"
        );
        found
            .push(Finding::new(CHECK.id, Kind::State, boot.at, text).severity(Severity::Warning).at(boot.ns));
    }
    let ids = crate::boots::ids(case);
    let between = ids.values().next().zip(ids.values().nth(1)).map(|(a, b)| (*a, *b));
    let between = between.or_else(|| boots.first().zip(boots.get(1)).map(|(a, b)| (a.at, b.at)));
    if found.is_empty()
        && let Some((a, b)) = between
    {
        let text = "the readings are of different boots: the host was restarted between them";
        found.push(Finding::new(CHECK.id, Kind::State, a, text).and(b).severity(Severity::Info));
    }
    Outcome::of(found)
}
