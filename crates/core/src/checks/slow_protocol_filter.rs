//! # A filter on the host drops slow-protocol frames
//!
//! ## What it shows
//! A tc, nft or XDP rule on a member drops frames with EtherType 0x8809 or to 01:80:c2:00:00:02, or drops everything.
//!
//! ## Why it matters
//! LACP cannot work through it, whatever the switch does.
//!
//! ## How it can be wrong
//! The rule may stand before or behind another that lets these frames pass. What an XDP program does cannot be read off its name: it is one suspect among others, unless what XDP dropped on that interface, as its driver counts it, is about as much as the LACPDUs that are missing. A program that drops other traffic counts far more, or nothing.
//!
//! ## What would settle it
//! The rule's own counter; removing it for one LACP period.
//!
//! ## References
//! kernel-facts.md section 11.3 (where the tap stands).

use crate::case::{Case, Member, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::HookPoint;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::wire::Cause;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "slow-protocol-filter",
    title: "A filter on the host drops slow-protocol frames",
    requirements: &["S4-48", "S4-52", "E-37"],
    page: include_str!("slow_protocol_filter.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for (r, h) in case.hooks().filter(|(_, h)| h.drops_lacp) {
        let Some(dev) = h.dev.as_deref() else { continue };
        if !subject.member_names().any(|m| m == dev) {
            continue;
        }
        let way = if h.point == HookPoint::Egress { Way::HostToSwitch } else { Way::SwitchToHost };
        let count = h.dropped.map_or(String::new(), |n| format!(", {n} packets so far"));
        // Where the wire was captured, the filter must stand where the frames went missing: egress before the tap of what we
        // send, ingress behind the tap of what arrives, XDP before it.
        let fits = subject.members.iter().find(|m| m.name == dev).and_then(|m| m.wire.as_ref()).map(|w| {
            w.stories.iter().flat_map(|s| &s.outages).any(|o| match (h.point, o.cause) {
                // A capture that began in the outage cannot say where the frames went.
                (_, Cause::Unclear) => true,
                (HookPoint::Egress, c) => c == Cause::HostSilent,
                (HookPoint::Ingress, c) => c == Cause::LostInsideHost,
                (HookPoint::Xdp, c) => c == Cause::LostTowardsHost,
            })
        });
        let carries = subject
            .members
            .iter()
            .filter(|m| m.name == dev)
            .flat_map(|m| m.states.iter().rev().find(|s| s.actor.is_some()))
            .any(|s| {
                s.actor.is_some_and(lacp::PortState::carries_traffic)
                    && s.partner.is_none_or(|p| p.carries_traffic() && !p.deaf())
            });
        if h.dropped == Some(0) || fits == Some(false) || (fits.is_none() && carries) {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Filter,
                    r.at,
                    format!(
                        "{dev}: {} would drop slow-protocol frames{count}; it does not explain what is seen",
                        h.program
                    ),
                )
                .member(dev)
                .severity(Severity::Warning),
            );
            continue;
        }
        found.push(
            Finding::new(
                CHECK.id,
                Kind::Filter,
                r.at,
                format!("{dev}: {} drops slow-protocol frames on the host{count}", h.program),
            )
            .implicates(D::HostConfig, S::Strong)
            .member(dev)
            .way(way),
        );
    }
    found.extend(subject.members.iter().filter_map(|m| xdp(case, m)));
    Outcome::of(found)
}

/// An XDP program on a member on which LACPDUs go missing before the tap. What it does with them nobody can read off its name;
/// where the driver counts what XDP drops, and that is as much as the LACPDUs that are missing, it is told.
fn xdp(case: &Case, m: &Member) -> Option<Finding> {
    let w = m.wire.as_ref()?;
    let mut missing = 0;
    let mut start = None;
    for story in &w.stories {
        let period = story.asked.0?.max(1);
        for o in story.outages.iter().filter(|o| o.cause == Cause::LostTowardsHost) {
            let silence = o.gap.map_or(o.span.end.saturating_sub(o.span.start), |g| g.len_ns());
            missing += u64::try_from(silence / period).unwrap_or(0);
            start = start.or(Some(o.span.start));
        }
    }
    let start = start?;
    let attached = case
        .hooks()
        .find(|(_, h)| {
            h.dev.as_deref() == Some(m.name.as_str()) && h.point == HookPoint::Xdp && !h.drops_lacp
        })
        .map(|(r, h)| (r.at, h.program.clone()))
        .or_else(|| {
            case.links().filter(|(_, l)| l.name == m.name).find_map(|(r, l)| {
                let mode = l.fields.text("xdp")?;
                Some((r.at, l.fields.text("xdp.prog").map_or_else(|| mode.to_owned(), str::to_owned)))
            })
        });
    let (at, program) = attached?;
    let text =
        format!("{}: an XDP program ({program}) stands before the tap, where LACPDUs go missing", m.name);
    let counted = case
        .counters
        .get(&m.name)
        .into_iter()
        .flatten()
        .filter(|s| s.name.contains("xdp_drop"))
        .filter_map(|s| Some((s.growth()?, s)))
        .max_by_key(|(g, _)| *g)
        .filter(|(g, _)| *g >= 3 && *g * 2 >= missing && *g <= missing * 2 + 5);
    let f = Finding::new(CHECK.id, Kind::Filter, at, text).member(&m.name).way(Way::SwitchToHost).at(start);
    Some(match counted {
        Some((g, s)) => {
            let mut f = f.implicates(D::HostConfig, S::Strong).and(s.high.1).and(s.low.1);
            f.text.push_str(&format!("; {} rose by {g}, about {missing} are missing", s.name));
            f
        }
        None => f.suspects(&[
            (D::HostConfig, S::Moderate),
            (D::SwitchControlPlane, S::Weak),
            (D::Physical, S::Weak),
        ]),
    })
}
