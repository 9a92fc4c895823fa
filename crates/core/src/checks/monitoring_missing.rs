//! # The bond does not watch its links
//!
//! ## What it shows
//! MII monitoring is off (miimon 0) and no ARP monitor is configured, in a mode that needs one.
//!
//! ## Why it matters
//! Without monitoring the bond keeps sending into a member whose link is dead.
//!
//! ## How it can be wrong
//! In 802.3ad mode the kernel sets miimon to 100 when it is unset, so 0 there is rare and read from an odd source.
//!
//! ## What would settle it
//! `cat /sys/class/net/BOND/bonding/{miimon,arp_interval}`.
//!
//! ## References
//! Documentation/networking/bonding.rst (miimon); erratum E-29.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::Aggregator;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "monitoring-missing",
    title: "The bond does not watch its links",
    requirements: &["S4-32", "S4-83", "E-29"],
    page: include_str!("monitoring_missing.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    if !subject.bond || subject.members.is_empty() || subject.aggregator != Aggregator::Bonding {
        return Outcome::NotApplicable;
    }
    let Some(miimon) = subject.field("MII Polling Interval (ms)") else {
        return Outcome::CouldNotSee(Vec::new());
    };
    let arp = subject.field("ARP Polling Interval (ms)").is_some_and(|f| f.value != "0");
    if miimon.value.split_whitespace().next() != Some("0") || arp {
        return Outcome::Clear;
    }
    // The proof that it matters: a member without carrier that the bond still calls up.
    for m in &subject.members {
        let dead = case.links().find(|(_, l)| l.name == m.name && l.flag("NO-CARRIER"));
        let called_up =
            m.states.iter().find(|s| s.source == "proc-net-bonding" && s.mii.as_deref() == Some("up"));
        if let (Some((r, _)), Some(s)) = (dead, called_up) {
            return Outcome::Found(vec![
                Finding::new(CHECK.id, Kind::Config, miimon.at, format!("{} has no carrier, but the bond calls it up: link monitoring is off (miimon 0, no ARP monitor)", m.name))
                    .implicates(D::HostConfig, S::Strong)
                    .member(&m.name)
                    .and(r.at)
                    .and(s.at),
            ]);
        }
    }
    Outcome::Found(vec![
        Finding::new(
            CHECK.id,
            Kind::Config,
            miimon.at,
            format!(
                "{}: link monitoring is off (miimon 0 and no ARP monitor): a dead link would not be noticed",
                subject.name
            ),
        )
        .implicates(D::HostConfig, S::Moderate)
        .severity(Severity::Warning),
    ])
}
