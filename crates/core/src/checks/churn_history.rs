//! # The churn counters, read correctly
//!
//! ## What it shows
//! What the churn states and counts of a member mean: a count is one outage of LACP of at least a minute since the member was enslaved; `monitoring` is the normal first minute; `churned` can persist long after repair.
//!
//! ## Why it matters
//! They are the most misread lines of `/proc/net/bonding`. They prove that something was broken for a minute at some time. They do not prove that it is broken now, nor who broke it; and short flaps never move them.
//!
//! ## How it can be wrong
//! The counts restart when a member is enslaved again.
//!
//! ## What would settle it
//! A capture during the fault; two readings a minute apart.
//!
//! ## References
//! kernel-facts.md section 4; errata E-15, E-17.

use crate::case::{Case, Subject};
use crate::finding::{Check, Finding, Kind, Outcome, Severity};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "churn-history",
    title: "The churn counters, read correctly",
    requirements: &["S4-08", "S4-09", "S4-37", "E-15", "E-17"],
    page: include_str!("churn_history.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let counts: Vec<_> =
            m.states.iter().filter_map(|s| Some((s.churn.2?, s.churn.3.unwrap_or(0), s))).collect();
        let (Some(low), Some(high)) =
            (counts.iter().min_by_key(|c| c.0 + c.1), counts.iter().max_by_key(|c| c.0 + c.1))
        else {
            continue;
        };
        if high.0 + high.1 == 0 {
            continue;
        }
        let state = format!(
            "{}/{}",
            high.2.churn.0.as_deref().unwrap_or("?"),
            high.2.churn.1.as_deref().unwrap_or("?")
        );
        let carries = high.2.actor.is_some_and(PortState::carries_traffic)
            && high.2.partner.is_some_and(PortState::carries_traffic);
        let rose = high.0 + high.1 > low.0 + low.1;
        let text = if rose {
            format!(
                "{}: LACP was out of sync for at least a minute during the case (churned counts rose to {}/{}, states {state})",
                m.name, high.0, high.1
            )
        } else if carries {
            format!(
                "{}: LACP was out of sync for at least a minute at some time since the member joined (churned counts {}/{}); it works in this reading",
                m.name, high.0, high.1
            )
        } else {
            format!(
                "{}: churned counts {}/{}, states {state}: out of sync for at least a minute at some time since the member joined",
                m.name, high.0, high.1
            )
        };
        found.push(
            Finding::new(CHECK.id, Kind::State, high.2.at, text)
                .member(&m.name)
                .and(low.2.at)
                .severity(if rose || !carries { Severity::Warning } else { Severity::Info }),
        );
    }
    Outcome::of(found)
}
