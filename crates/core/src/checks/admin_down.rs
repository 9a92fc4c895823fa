//! # A member is administratively down
//!
//! ## What it shows
//! The interface does not have the UP flag in any reading: somebody or something on this host took it down or never brought it up.
//!
//! ## Why it matters
//! An interface that is down on the host cannot have a link; neither switch nor cable is needed to explain it.
//!
//! ## How it can be wrong
//! A standby interface may be down on purpose. A failed driver can leave an interface that cannot be brought up.
//!
//! ## What would settle it
//! `ip link set DEV up` and its error message; the network manager's log.
//!
//! ## References
//! `ip link` flags (IFF_UP); erratum E-16.

use crate::case::{Case, Member, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::Record;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::units::Clock;
use crate::wire::{Cause, seconds};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "admin-down",
    title: "A member is administratively down",
    requirements: &["E-16"],
    page: include_str!("admin_down.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let readings: Vec<_> =
            case.links().filter(|(_, k)| k.name == m.name && !k.flags.is_empty()).collect();
        let Some((r, _)) = readings.first() else { continue };
        if readings.iter().all(|(_, k)| !k.flag("UP")) {
            let hardware =
                case.settings("ethtool", Some(&m.name)).any(|(_, f)| f.text("Link detected").is_some())
                    || case.driver(&m.name).is_some();
            if !subject.bond && !hardware {
                continue;
            }
            // It spoke LACP in the capture: the reading is of another moment.
            if m.wire.as_ref().is_some_and(|w| w.stories.iter().any(|s| s.carried)) {
                if let Some(f) = in_an_outage(case, subject, m) {
                    found.push(f);
                    continue;
                }
                let text = format!(
                    "{}: administratively down on this host in a reading of another moment than the capture",
                    m.name
                );
                found.push(
                    Finding::new(CHECK.id, Kind::State, r.at, text).member(&m.name).severity(Severity::Info),
                );
                continue;
            }
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::State,
                    r.at,
                    format!(
                        "{}: administratively down on this host (no UP flag), so it cannot have a link",
                        m.name
                    ),
                )
                .implicates(D::HostConfig, S::Moderate)
                .member(&m.name),
            );
        } else if let Some(f) = in_an_outage(case, subject, m) {
            found.push(f);
        } else if let Some((d, _)) = readings.iter().find(|(_, k)| !k.flag("UP")) {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::State,
                    d.at,
                    format!("{}: was administratively down on this host at one time", m.name),
                )
                .member(&m.name)
                .severity(Severity::Info),
            );
        }
    }
    Outcome::of(found)
}

/// An outage of the member in the capture in which link events show it administratively down. The cause comes first: a
/// member that is taken down when it had been out for a while was taken down for that.
fn in_an_outage(case: &Case, subject: &Subject, m: &Member) -> Option<Finding> {
    // Each event tells of a change: that the first one shows the interface down means that it went down just then, where
    // LACP broke at the same moment.
    let mut was_up = true;
    let mut downs = Vec::new();
    for (r, k) in
        case.links().filter(|(_, k)| k.name == m.name && k.source == "ip-monitor" && !k.flags.is_empty())
    {
        let up = k.flag("UP");
        if was_up && !up {
            downs.push(r);
        }
        was_up = up;
    }
    if downs.is_empty() {
        return None;
    }
    let alignments = crate::timeline::alignments(case, subject);
    let wall = |r: &Record| {
        let t = r.time?;
        match t.clock {
            Clock::Wall => Some((t.ns, 0)),
            c => alignments.iter().find(|a| a.clock == c).map(|a| (t.ns.saturating_add(a.offset), a.error)),
        }
    };
    let downs: Vec<_> = downs.into_iter().filter_map(|r| wall(r).map(|(ns, error)| (r, ns, error))).collect();
    let told = || m.wire.iter().flat_map(crate::wire::Wire::told).filter(|(p, _)| p.timed);
    let hits: Vec<_> = told()
        .flat_map(|(part, story)| story.outages.iter().map(move |o| (part, o)))
        .filter(|(_, o)| matches!(o.cause, Cause::LinkDown | Cause::HostSilent | Cause::Unclear))
        .filter_map(|(part, o)| {
            // The last LACPDU before may be a period old.
            let start = o.gap.map_or(o.span.start, |g| g.from_ns.min(o.span.start));
            let from = start.saturating_sub(2_000_000_000);
            let to = start.saturating_add(5_000_000_000);
            downs
                .iter()
                .find(|(_, ns, error)| *ns >= from.saturating_sub(*error) && *ns <= to.saturating_add(*error))
                .map(|(r, ns, _)| (part, o, *r, *ns))
        })
        .collect();
    let (part, o, r, ns) = hits.first()?;
    let text = format!(
        "{}: taken down administratively on this host (no UP flag), and LACP was out from then on for {}",
        m.name,
        seconds(o.span.end.saturating_sub(o.span.start))
    );
    Some(
        Finding::new(CHECK.id, Kind::State, r.at, text)
            .implicates(D::HostConfig, S::Moderate)
            .member(&m.name)
            .at(*ns)
            .times(hits.iter().skip(1).map(|h| h.3))
            .and(part.cite(o.span.last)),
    )
}
