//! # Frames wait in a member's queue and are not taken
//!
//! ## What it shows
//! The VLAN counts frames as sent that stand in the backlog of a member's queue at the last reading.
//!
//! ## Why it matters
//! A driver that is busy makes its queue wait; nothing is dropped until the queue is full, and neither VLAN nor bond counts anything (rows o and s).
//!
//! ## How it can be wrong
//! Pause frames of the switch, a slow link or a rate limit look the same for a while: it names suspects and nobody alone.
//!
//! ## What would settle it
//! A second reading a few seconds later: does the backlog drain? `ethtool -S` (pause, queue stops), the kernel log (`NETDEV WATCHDOG`).
//!
//! ## References
//! kernel-facts.md section 8 rows o and s, section 11.6 cases B1 and B2.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::path::{self, Place};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "member-queue-stopped",
    title: "Frames wait in a member's queue and are not taken",
    requirements: &["S0-27", "E-01"],
    page: include_str!("member_queue_stopped.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        for p in report.places.iter().filter(|p| p.place == Place::Busy) {
            let Some((first, rest)) = p.evidence.split_first() else { continue };
            if found.iter().any(|f| f.member.as_deref() == Some(p.device.as_str())) {
                continue;
            }
            found.push(
                Finding::new(CHECK.id, Kind::Counter, *first, p.text.clone())
                    .member(&p.device)
                    .way(Way::HostToSwitch)
                    .and_all(rest.iter().copied())
                    .suspects(&[
                        (D::HostDriverFirmware, S::Weak),
                        (D::NotLacp, S::Weak),
                        (D::VlanTxPath, S::Weak),
                    ]),
            );
        }
    }
    Outcome::of(found)
}
