//! # The host stopped sending LACPDUs
//!
//! ## What it shows
//! On a member whose link was up, no LACPDU of the host passed the tap for longer than the partner's timeout, and then the partner said that it does not hear the host.
//!
//! ## Why it matters
//! The tap is the last place on the host's stack. What does not pass it was not sent, or was lost in a queue or egress filter on this host: the switch and the wire had no part in it.
//!
//! ## How it can be wrong
//! A capture that cannot see outgoing frames (a socket bound to the slow-protocols type) shows no outgoing frame ever; such captures are recognised and not used. A link that was down explains the silence; then this check does not speak. A tap that lost packets would look the same.
//!
//! ## What would settle it
//! The bond's own counter of LACPDUs sent (`ip stats ... suite 802.3ad`): if it rises while the tap sees nothing, a queue or filter eats them; if it stands still, the bond does not send. `tc -s qdisc`, `tc filter show ... egress`, `bpftool net`.
//!
//! ## References
//! kernel-facts.md 11.1 row "host kernel egress drop" and 11.2 rules 1 and 2; erratum E-37.

use super::carrier_flap;
use crate::case::{Case, Member, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::HookPoint;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::wire::{Cause, Outage, Part, Story, Wire, seconds};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacpdu-tx-silent",
    title: "The host stopped sending LACPDUs",
    requirements: &["S4-14", "S4-58", "S4-60", "S4-73", "S4-114", "E-37"],
    page: include_str!("lacpdu_tx_silent.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    let silent: Vec<&str> = subject
        .members
        .iter()
        .filter(|m| {
            m.wire.iter().flat_map(Wire::told).any(|(p, s)| !silences(case, subject, m, p, s).is_empty())
        })
        .map(|m| m.name.as_str())
        .collect();
    let with_wire = subject.members.iter().filter(|m| m.wire.is_some()).count();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            let outages = silences(case, subject, m, part, story);
            let Some(outage) = outages.first() else { continue };
            // The silence that ended in this outage, not the longest of the file.
            let Some(gap) = outage.gap else { continue };
            let mut text = format!(
                "{}: no LACPDU of the host passed the tap for {} while the link was up",
                m.name,
                seconds(gap.len_ns())
            );
            let proof =
                outage.proof.iter().map(|(f, t)| format!("{t} (frame {f})")).collect::<Vec<_>>().join("; ");
            text = format!("{text}: {proof}");
            let mut f = Finding::new(CHECK.id, Kind::Wire, part.cite(gap.from_frame), text)
                .member(&m.name)
                .way(Way::HostToSwitch)
                .at(gap.from_ns)
                .times(outages.iter().map(|o| o.span.start))
                .and(part.cite(gap.to_frame))
                .and_all(outage.proof.iter().map(|(f, _)| part.cite(*f)));
            // Drops of the default queues under load are everyday; these kinds drop because somebody set them up, and they must
            // have dropped as many as are missing.
            let missing = u64::try_from(gap.len_ns() / 1_000_000_000).unwrap_or(0);
            let queue = case.qdiscs().find(|(_, q)| {
                q.dev == m.name
                    && q.dropped >= missing.max(3)
                    && !matches!(q.kind.as_str(), "fq_codel" | "fq" | "pfifo_fast" | "mq" | "noqueue")
            });
            let hook = case
                .hooks()
                .find(|(_, h)| h.dev.as_deref() == Some(m.name.as_str()) && h.point == HookPoint::Egress);
            // Which host domain: a queue or filter that is seen to drop; all members at once: starvation; else open.
            f = if let Some((r, q)) = queue {
                f.text = format!("{}; queue {} on {} dropped {} packets", f.text, q.kind, q.dev, q.dropped);
                f.implicates(D::HostConfig, S::Strong).and(r.at)
            } else if let Some((r, h)) = hook {
                f.text = format!("{}; {} is attached to its egress", f.text, h.program);
                f.implicates(D::HostConfig, S::Strong).and(r.at)
            } else if silent.len() > 1 && silent.len() == with_wire {
                f.implicates(D::HostStarvation, S::Strong)
            } else {
                f.suspects(&[
                    (D::HostConfig, S::Strong),
                    (D::HostDriverFirmware, S::Moderate),
                    (D::HostStarvation, S::Moderate),
                ])
            };
            found.push(f);
        }
    }
    Outcome::of(found)
}

/// The outages before which the host fell silent with its link up.
fn silences<'a>(
    case: &Case,
    subject: &Subject,
    m: &Member,
    part: &Part,
    story: &'a Story,
) -> Vec<&'a Outage> {
    if part.inbound_only || part.host().is_none() {
        return Vec::new();
    }
    let down = |o: &Outage| {
        o.gap.is_some_and(|g| part.timed && carrier_flap::lost_between(case, subject, m, g.from_ns, g.to_ns))
    };
    story.outages.iter().filter(|o| o.cause == Cause::HostSilent && !down(o)).collect()
}
