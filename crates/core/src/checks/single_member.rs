//! # The bond has a single member
//!
//! ## What it shows
//! Only one interface is a member of the bond.
//!
//! ## Why it matters
//! There is no redundancy, and the bond adds a layer without a benefit. It is no fault by itself.
//!
//! ## How it can be wrong
//! Other members may be missing from the evidence or have been removed for maintenance.
//!
//! ## What would settle it
//! The configuration that names the intended members.
//!
//! ## References
//! requirements.md S0-42.

use crate::case::{Case, Subject};
use crate::finding::{Check, Finding, Kind, Outcome, Severity};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "single-member",
    title: "The bond has a single member",
    requirements: &["S0-06", "S0-42"],
    page: include_str!("single_member.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let [only] = subject.members.as_slice() else { return Outcome::Clear };
    if !subject.bond {
        return Outcome::NotApplicable;
    }
    match subject.states.iter().find(|s| s.members.len() == 1) {
        Some(s) => Outcome::Found(vec![
            Finding::new(
                CHECK.id,
                Kind::State,
                s.at,
                format!("{} has a single member, {}", subject.name, only.name),
            )
            .severity(Severity::Warning),
        ]),
        None => Outcome::Clear,
    }
}
