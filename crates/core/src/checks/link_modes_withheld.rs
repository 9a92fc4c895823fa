//! # One end of the link withholds a better mode
//!
//! ## What it shows
//! A member runs slower than the others (or at half duplex), and `ethtool` shows why: a link mode that the NIC can do and the partner offers is not advertised by the host; or the host advertises one that the partner does not offer.
//!
//! ## Why it matters
//! Autonegotiation takes the best mode that both ends advertise. The end that leaves a mode out decides the speed. What the host advertises is a setting of the host (`ethtool -s`, a network manager's profile): members of different speed get different keys and cannot share an aggregator.
//!
//! ## How it can be wrong
//! A mode that the partner does not offer may be missing by its configuration, because its port or module cannot do it, or because its PHY gave the mode up on a bad cable (downshift): from the host these look alike, so the partner's end orders suspects and decides nothing. Where all members run at the same speed, the limit is meant. Where the partner's modes are not told, the host is named only for a mode that it leaves out on this member and uses on another one with the same abilities: then it could not come up here whatever the partner offers.
//!
//! ## What would settle it
//! `ethtool` on the members that run at full speed; the port's speed setting and its transceiver on the switch; a swap of the cable.
//!
//! ## References
//! IEEE 802.3 clause 28 (priority resolution, Annex 28B.3); ethtool(8), `advertise`; kernel-facts.md section 2 on keys.

use crate::case::{Case, Member, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::{Citation, Fields};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use std::collections::BTreeSet;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "link-modes-withheld",
    title: "One end of the link withholds a better mode",
    requirements: &["S4-40", "S4-107", "E-35"],
    page: include_str!("link_modes_withheld.rs"),
    run,
};

/// Speed in Mb/s and full duplex: greater is better.
type Mode = (u64, bool);

fn run(case: &Case, subject: &Subject) -> Outcome {
    let fastest = subject.members.iter().filter_map(|m| mode_of(case, m)).max();
    let mut found = Vec::new();
    let mut seen = false;
    for m in &subject.members {
        let Some(f) = case
            .settings("ethtool", Some(&m.name))
            .map(|(_, f)| f)
            .filter(|f| f.text("Link detected").is_none_or(|l| l.starts_with("yes")))
            .last()
        else {
            continue;
        };
        let (Some(now), Some(ours)) = (mode_in(f), f.get("Advertised link modes")) else { continue };
        seen = true;
        let limited = !now.1 || fastest.is_some_and(|best| best > now);
        let negotiates = f.text("Auto-negotiation").is_none_or(|a| a.eq_ignore_ascii_case("on"));
        if !limited || !negotiates {
            continue;
        }
        let can = modes(f.text("Supported link modes"));
        let offered = modes(Some(&ours.value));
        let Some(theirs) = f.get("Link partner advertised link modes") else {
            // What the partner offers is not told. A mode in which another member runs with the same settings but for this
            // one, and which only this one does not advertise, is left out by the host.
            let speed = f.get("Speed").map_or(ours.at, |s| s.at);
            let sister = subject.members.iter().filter(|o| o.name != m.name).find_map(|o| {
                let (_, s) = case.settings("ethtool", Some(&o.name)).last()?;
                let runs = mode_in(s).filter(|v| *v > now)?;
                let (can_too, offers) =
                    (modes(s.text("Supported link modes")), s.get("Advertised link modes")?);
                let mode = modes(Some(&offers.value)).into_iter().find(|w| value(w) == Some(runs))?;
                (can_too == can && can.contains(mode) && !offered.contains(mode))
                    .then(|| (o.name.clone(), mode.to_owned(), offers.at))
            });
            if let Some((other, mode, at)) = sister.filter(|_| !offered.is_empty()) {
                let text = format!(
                    "{}: runs at {}; this host does not advertise {mode} on it, which its NIC supports and in which {other} runs",
                    m.name,
                    name(now)
                );
                found.push(
                    finding(&m.name, text, [speed, ours.at, at]).implicates(D::HostConfig, S::Moderate),
                );
            }
            continue;
        };
        let wanted = modes(Some(&theirs.value));
        let better = |mode: &&&str| value(mode).is_some_and(|v| v > now);
        let withheld = can.intersection(&wanted).filter(|m| !offered.contains(**m)).filter(better);
        let refused = offered.difference(&wanted).filter(better);
        let speed = f.get("Speed").map_or(ours.at, |s| s.at);
        if let Some(mode) = withheld.max_by_key(|m| value(m)) {
            let text = format!(
                "{}: runs at {}, because this host does not advertise {mode}, which its NIC supports and the partner offers",
                m.name,
                name(now)
            );
            found.push(
                finding(&m.name, text, [speed, ours.at, theirs.at]).implicates(D::HostConfig, S::Moderate),
            );
        } else if !wanted.is_empty()
            && !wanted.iter().any(|m| value(m).is_some_and(|v| v > now))
            && let Some(mode) = refused.max_by_key(|m| value(m))
        {
            let text = format!(
                "{}: runs at {}, because the partner does not offer {mode}, which this host advertises",
                m.name,
                name(now)
            );
            found.push(
                finding(&m.name, text, [speed, theirs.at, ours.at])
                    .suspects(&[(D::SwitchConfig, S::Moderate), (D::Physical, S::Weak)]),
            );
        }
    }
    if seen { Outcome::of(found) } else { Outcome::NotApplicable }
}

fn finding(member: &str, text: String, at: [Citation; 3]) -> Finding {
    let [first, rest @ ..] = at;
    Finding::new(CHECK.id, Kind::Config, first, text).member(member).and_all(rest)
}

/// How a member runs: by `ethtool`, or by what the bond says of it.
fn mode_of(case: &Case, m: &Member) -> Option<Mode> {
    case.settings("ethtool", Some(&m.name)).filter_map(|(_, f)| mode_in(f)).last().or_else(|| {
        let s = m.states.iter().rev().find(|s| s.mii.as_deref() == Some("up") && s.speed.is_some())?;
        Some((s.speed?, s.duplex.as_deref() != Some("half")))
    })
}

fn mode_in(f: &Fields) -> Option<Mode> {
    Some((f.int("Speed")?, !f.text("Duplex")?.eq_ignore_ascii_case("half")))
}

/// `1000baseT/Full 10000baseT/Full`; `Not reported` names none.
fn modes(text: Option<&str>) -> BTreeSet<&str> {
    text.unwrap_or_default().split_whitespace().filter(|w| value(w).is_some()).collect()
}

fn value(mode: &str) -> Option<Mode> {
    let (kind, duplex) = mode.split_once('/')?;
    let speed = crate::evidence::leading_int(kind)?;
    kind.contains("base").then_some((speed, duplex == "Full"))
}

fn name((speed, full): Mode) -> String {
    format!("{speed} Mb/s {} duplex", if full { "full" } else { "half" })
}
