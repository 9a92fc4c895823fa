//! # Members have different partners
//!
//! ## What it shows
//! Members of one bond hear partners with different System IDs or keys at the same time.
//!
//! ## Why it matters
//! Linux puts them into different aggregators, of which only one is active; the switch sees the other members out of sync and suspends them. The cause is a cable in the wrong port, a port with another template, or an MLAG pair that does not present one system.
//!
//! ## How it can be wrong
//! Which of the three it is cannot be told from the host without a baseline of how it was.
//!
//! ## What would settle it
//! The port-channel membership and LACP system ID of both switch ports; LLDP neighbours on each member.
//!
//! ## References
//! verdict.md section 1; kernel-facts.md section 3 (Selection) and 11.2 rule 7.

use crate::case::{Case, Mode, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::Citation;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use lacp::Mac;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "partner-differs",
    title: "Members have different partners",
    requirements: &["S4-18", "S4-24", "S4-84", "S4-110", "E-17"],
    page: include_str!("partner_differs.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    if subject.mode != Mode::Lacp {
        return Outcome::NotApplicable;
    }
    // The partner of each member that was constant through the case.
    let mut partners: Vec<(&str, Mac, u64, Citation)> = Vec::new();
    for m in &subject.members {
        let from_wire =
            m.wire.as_ref().and_then(|w| {
                let (part, story) = w.told().last()?;
                let c = part.partner()?.changes.last()?;
                (story.identity.is_empty() && story.own_system_in.is_none() && part.ins.len() == 1)
                    .then_some((c.actor.system, u64::from(c.actor.key), part.cite(c.frame)))
            });
        let from_state = || {
            let readings: Vec<_> = m
                .states
                .iter()
                .filter_map(|s| Some((s.partner_system?, s.partner_key.unwrap_or(0), s.at)))
                .filter(|r| !r.0.is_zero())
                .collect();
            let first = readings.first()?;
            readings.iter().all(|r| r.0 == first.0).then_some(*first)
        };
        let found = if m.wire.is_some() { from_wire } else { from_state() };
        if let Some((system, key, at)) = found.filter(|f| !f.0.is_zero()) {
            partners.push((&m.name, system, key, at));
        }
    }
    let Some(first) = partners.first() else { return Outcome::NotApplicable };
    let Some(other) = partners.iter().find(|p| p.1 != first.1 || p.2 != first.2) else {
        return Outcome::Clear;
    };
    let what = if other.1 == first.1 { "keys" } else { "systems" };
    let list = partners.iter().map(|(n, s, k, _)| format!("{n}: {s} key {k}")).collect::<Vec<_>>().join(", ");
    let f = Finding::new(
        CHECK.id,
        Kind::State,
        first.3,
        format!("members hear partners with different {what}: {list}"),
    )
    .suspects(if what == "systems" {
        &[(D::Mlag, S::Moderate), (D::Physical, S::Moderate), (D::SwitchConfig, S::Moderate)]
    } else {
        &[(D::SwitchConfig, S::Moderate), (D::Mlag, S::Moderate), (D::Physical, S::Weak)]
    })
    .and_all(partners.iter().map(|p| p.3));
    // The odd one out, if there is one.
    let odd: Vec<_> = partners
        .iter()
        .filter(|p| partners.iter().filter(|q| q.1 == p.1 && q.2 == p.2).count() == 1)
        .collect();
    let f = match odd.as_slice() {
        [one] if partners.len() > 2 => f.member(one.0),
        _ => f,
    };
    Outcome::Found(vec![f])
}
