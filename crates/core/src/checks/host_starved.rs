//! # The host was short of CPU or lost frames in its rings
//!
//! ## What it shows
//! Soft lockups, RCU stalls, hung tasks, dropped softirq backlog, or receive rings that overflowed during the case.
//!
//! ## Why it matters
//! LACP runs in ordinary kernel workers and softirqs. A host that cannot run them is late with LACPDUs or loses them.
//!
//! ## How it can be wrong
//! Ring overflow under load costs data and is not by itself a cause of a LACP outage: it decides only together with LACPDUs that went missing on this host.
//!
//! ## What would settle it
//! `/proc/pressure/cpu`, `softnet_stat` and ring counters sampled every second next to the capture.
//!
//! ## References
//! verdict.md section 1 (rx_missed, softnet drops); kernel-facts.md section 2 (one tick of the bond's workqueue).

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::{KernelKind, Meaning};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::wire::Cause;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "host-starved",
    title: "The host was short of CPU or lost frames in its rings",
    requirements: &["S4-45", "S4-46", "S4-61", "S4-83", "S4-91"],
    page: include_str!("host_starved.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    let trouble = subject.members.iter().any(|m| {
        m.wire.as_ref().is_some_and(|w| {
            w.stories.iter().any(|s| !s.outages.is_empty() || !s.in_late.is_empty() || !s.out_late.is_empty())
        })
    });
    // A hung task waits for its disk as often as for a CPU; lockups and RCU stalls are about CPUs.
    let starved = |t: &str| {
        let t = t.to_ascii_lowercase();
        t.contains("lockup") || t.contains("rcu") && t.contains("stall") || t.contains("starved")
    };
    let lockups: Vec<_> =
        case.kernel().filter(|(_, k)| k.kind == KernelKind::Lockup && starved(&k.text)).collect();
    // A bond that carries in every reading was not hurt by a lockup of an unknown day.
    let carries = subject.members.iter().all(|m| {
        let last = m.states.iter().rev().find(|s| s.actor.is_some());
        last.is_some_and(|s| s.actor.is_some_and(lacp::PortState::carries_traffic)) && m.wire.is_none()
    });
    if let Some((r, k)) = lockups.first() {
        let shown: String = k.text.chars().take(140).collect();
        found.push(
            Finding::new(
                CHECK.id,
                Kind::Log,
                r.at,
                format!("the kernel reports CPU starvation {} time(s): {shown}", lockups.len()),
            )
            .implicates(D::HostStarvation, S::Moderate)
            .severity(if carries && subject.bond { Severity::Warning } else { Severity::Fault })
            .and_all(lockups.iter().skip(1).take(3).map(|(r, _)| r.at)),
        );
    }
    if let Some(s) =
        crate::ledger::grew(case, "", &[Meaning::SoftnetDropped]).into_iter().max_by_key(|s| s.growth())
    {
        let f = Finding::new(
            CHECK.id,
            Kind::Counter,
            s.high.1,
            format!("the softirq backlog overflowed: {} rose by {}", s.name, s.growth().unwrap_or(0)),
        )
        .and(s.low.1);
        // A CPU that is away is away for both directions: where the host's own silence broke LACP, the wire names the way.
        let silent = subject
            .members
            .iter()
            .filter_map(|m| m.wire.as_ref())
            .any(|w| w.stories.iter().flat_map(|s| &s.outages).any(|o| o.cause == Cause::HostSilent));
        found.push(if trouble && s.growth().is_some_and(|g| g >= 50) {
            if silent { f } else { f.way(Way::SwitchToHost) }.implicates(D::HostStarvation, S::Moderate)
        } else {
            f.severity(Severity::Warning)
        });
    }
    for m in &subject.members {
        if let Some(s) =
            crate::ledger::grew(case, &m.name, &[Meaning::RxMissed]).into_iter().max_by_key(|s| s.growth())
        {
            let lost_here = m.wire.as_ref().is_some_and(|w| {
                w.stories.iter().any(|s| {
                    !s.in_late.is_empty() || s.outages.iter().any(|o| o.cause == Cause::LostTowardsHost)
                })
            });
            let f = Finding::new(
                CHECK.id,
                Kind::Counter,
                s.high.1,
                format!(
                    "{}: the receive ring overflowed: {} rose by {}",
                    m.name,
                    s.name,
                    s.growth().unwrap_or(0)
                ),
            )
            .member(&m.name)
            .way(Way::SwitchToHost)
            .and(s.low.1);
            // A few overflows on a busy ring do not explain missing LACPDUs: there must be many, and more than were missing.
            let g = s.growth().unwrap_or(0);
            let packets = crate::ledger::growth(case, &m.name, Meaning::RxPackets).map_or(0, |(g, _)| g);
            let lost_here = lost_here && g >= 20 && g.saturating_mul(100_000) >= packets;
            found.push(if lost_here {
                f.implicates(D::HostStarvation, S::Strong)
            } else {
                f.severity(Severity::Warning)
            });
        }
    }
    Outcome::of(found)
}
