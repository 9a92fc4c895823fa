//! # The partner's port began anew
//!
//! ## What it shows
//! After a silence the partner's first LACPDU carries Expired and Defaulted together, while the host's own port was never disabled.
//!
//! ## Why it matters
//! No timeout leads there: a partner that merely stops hearing says Expired, then Defaulted, never both. Both together are what a port says that was disabled or whose LACP process was started anew (802.1AX Receive machine, INITIALIZE and PORT_DISABLED record the defaults, EXPIRED follows). Seen on several members at the same moment, with links that stayed up, it is the partner's control plane that restarted.
//!
//! ## How it can be wrong
//! On one member alone the partner's receiver may have lost its light without ours noticing, or somebody set the port down and up on the switch; a carrier loss shorter than the bond's monitoring interval is noticed by one end only. Then the link stays a suspect. Several cables do not break at the same moment for seconds without either end of the host noticing.
//!
//! ## What would settle it
//! The switch's log of these seconds: restart of a process, switchover of a supervisor, port events.
//!
//! ## References
//! 802.1AX Receive machine; kernel-facts.md section 3 (RX) and 11.1 (row "carrier down": 0x47 and 0xc7); requirements.md S4-120.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::wire::Cause;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "partner-restarted",
    title: "The partner's port began anew",
    requirements: &["S4-120", "S4-87"],
    page: include_str!("partner_restarted.rs"),
    run,
};

/// Restarts so close are one.
const TOGETHER: i64 = 5_000_000_000;
/// A carrier loss as long as this would be seen by the bond's link monitoring.
const SILENT: i64 = 2_500_000_000;

fn run(_: &Case, subject: &Subject) -> Outcome {
    // Member, part, outage: where the partner began anew.
    let restarts: Vec<_> = subject
        .members
        .iter()
        .flat_map(|m| m.wire.iter().flat_map(crate::wire::Wire::told).map(move |(p, s)| (m, p, s)))
        .flat_map(|(m, p, s)| {
            s.outages.iter().filter(|o| o.cause == Cause::PartnerRestarted).map(move |o| (m, p, o))
        })
        .collect();
    // When it spoke again is told by the last frame of the proof.
    let back = |o: &crate::wire::Outage| o.gap.map_or(o.span.start, |g| g.to_ns);
    let silent = |o: &crate::wire::Outage| o.gap.is_some_and(|g| g.len_ns() >= SILENT);
    let mut found = Vec::new();
    for m in &subject.members {
        let own: Vec<_> = restarts.iter().filter(|r| r.0.name == m.name).collect();
        let Some((_, part, first)) = own.first() else { continue };
        let others = |o: &crate::wire::Outage| {
            restarts
                .iter()
                .filter(|r| r.0.name != m.name && silent(r.2) && (back(r.2) - back(o)).abs() <= TOGETHER)
                .map(|r| &r.0.name)
                .collect::<std::collections::BTreeSet<_>>()
                .len()
        };
        let together = own.iter().filter(|(_, _, o)| silent(o)).map(|(_, _, o)| others(o)).max().unwrap_or(0);
        let proof =
            first.proof.iter().map(|(f, t)| format!("{t} (frame {f})")).collect::<Vec<_>>().join("; ");
        let also = match together {
            0 => String::new(),
            n => format!(", like {n} other member(s) at the same moment"),
        };
        let f = Finding::new(
            CHECK.id,
            Kind::Wire,
            part.cite(first.span.first),
            format!("{}: the partner began anew {} time(s){also}: {proof}", m.name, own.len()),
        )
        .member(&m.name)
        .at(first.span.start)
        .times(own.iter().map(|(_, _, o)| o.span.start))
        .and_all(first.proof.iter().map(|(f, _)| part.cite(*f)));
        found.push(if together > 0 {
            f.implicates(D::SwitchControlPlane, S::Strong)
        } else {
            f.suspects(&[
                (D::SwitchControlPlane, S::Moderate),
                (D::Physical, S::Moderate),
                (D::SwitchConfig, S::Weak),
            ])
        });
    }
    Outcome::of(found)
}
