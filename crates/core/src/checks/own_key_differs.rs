//! # Members of the bond have different keys of their own
//!
//! ## What it shows
//! The host itself gives its members different keys. With Linux the key follows speed and duplex, so the members run at different speeds or one runs at half duplex.
//!
//! ## Why it matters
//! Ports with different keys can never be in one aggregator, whatever the switch does.
//!
//! ## How it can be wrong
//! A member that fell back to a lower speed because of a bad cable or a switch port setting has another key too: the key shows the mismatch, not who caused it. A member without carrier has key 0 and is not counted.
//!
//! ## What would settle it
//! `ethtool` of each member (advertised, partner-advertised and actual speed).
//!
//! ## References
//! kernel-facts.md sections 2 and 3; errata E-23, E-35.

use crate::case::{Case, Mode, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::Citation;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "own-key-differs",
    title: "Members of the bond have different keys of their own",
    requirements: &["S4-74", "S4-109", "E-23", "E-35"],
    page: include_str!("own_key_differs.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    if subject.mode != Mode::Lacp {
        return Outcome::NotApplicable;
    }
    let mut keys: Vec<(&str, u64, Option<u64>, Citation)> = Vec::new();
    for m in &subject.members {
        if let Some(s) = m
            .states
            .iter()
            .rev()
            .find(|s| s.mii.as_deref() == Some("up") && s.actor_key.is_some_and(|k| k != 0))
        {
            keys.push((&m.name, s.actor_key.unwrap_or(0), s.speed, s.at));
        }
    }
    let Some(first) = keys.first() else { return Outcome::NotApplicable };
    if keys.iter().all(|k| k.1 == first.1) {
        return Outcome::Clear;
    }
    let list = keys
        .iter()
        .map(|(n, k, s, _)| format!("{n}: key {k}{}", s.map_or(String::new(), |s| format!(" at {s} Mb/s"))))
        .collect::<Vec<_>>()
        .join(", ");
    let f = Finding::new(
        CHECK.id,
        Kind::State,
        first.3,
        format!("the host's own keys differ, so these members cannot share an aggregator: {list}"),
    )
    .and_all(keys.iter().map(|k| k.3));
    // The slower one is where to look, if it is one.
    let best = keys.iter().filter_map(|k| k.2).max();
    let slower: Vec<&str> = keys.iter().filter(|k| k.2.is_some() && k.2 < best).map(|k| k.0).collect();
    let f = if let [one] = slower.as_slice() { f.member(one) } else { f };
    // The speeds differ; a downshift by a bad cable, a port setting or a card that cannot do more look alike from here.
    Outcome::Found(vec![f.suspects(&[
        (D::HostConfig, S::Moderate),
        (D::Physical, S::Moderate),
        (D::SwitchConfig, S::Moderate),
    ])])
}
