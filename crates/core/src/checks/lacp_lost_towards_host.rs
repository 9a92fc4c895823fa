//! # LACPDUs from the switch do not reach the host
//!
//! ## What it shows
//! The partner's LACPDUs stopped arriving at the tap, and the host's Receive machine expired. Where the first PDU after the silence echoes the host's latest state, the partner had been hearing the host all along.
//!
//! ## Why it matters
//! The direction switch to host is broken: the switch stopped sending, the wire lost the frames, or the NIC ate them before the tap.
//!
//! ## How it can be wrong
//! A capture that starts late, a tap that lost frames, a NIC filter or firmware agent (LLDP or LACP in firmware), SR-IOV or a hypervisor between wire and tap look the same. With readings at the time of the silence most of that can be struck out: no damaged or missed frame, no XDP program, the slow-protocols address joined, the host's own LACPDUs in time, and data that keeps arriving. Then only the sender of LACPDUs is left, and the switch's control plane is named: `strong` if data was counted within the silence and the partner shows that it heard the host throughout, else `indicative`. It is never proven from here: firmware that takes LACPDUs out, or a device between the two ends that does, leaves no trace on the host. Where data was only counted from before the silence to some time in it or behind it, a device between the ends may have lost the data as well. A partner that went Defaulted sends only every 31 s; that is why a silence that follows the partner's own Expired is not counted here.
//!
//! ## What would settle it
//! Transmit counters for LACPDUs of the switch port over the same time; receive MAC counters, ring drops and XDP programs on the host; whether other frames kept arriving on the member.
//!
//! ## References
//! verdict.md section 1; kernel-facts.md 11.1 row "loss switch→host" and 11.2 rule 4.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Side, Way};
use crate::evidence::Meaning;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::ledger;
use crate::receive_path::{self, Silence};
use crate::wire::{Cause, Outage, Part, Story};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacp-lost-towards-host",
    title: "LACPDUs from the switch do not reach the host",
    requirements: &["S4-16", "S4-57", "S4-60", "S4-61", "S4-82", "S4-116", "E-13", "E-36"],
    page: include_str!("lacp_lost_towards_host.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            let outages: Vec<_> = story
                .outages
                .iter()
                .filter(|o| o.cause == Cause::LostTowardsHost && !slow(story, o))
                .collect();
            let Some(first) = outages.first() else { continue };
            let clear = ledger::receive_clear(case, &m.name);
            let pdus = part.partner().map_or(0, |p| p.pdus);
            let data = ledger::data_arrives(case, &m.name, pdus);
            let counters_clean =
                ledger::quiet(case, &m.name, &[Meaning::RxCrc, Meaning::RxSymbol, Meaning::FecUncorrected])
                    .filter(|_| ledger::quiet(case, &m.name, &[Meaning::RxMissed]).is_some());
            let proof =
                first.proof.iter().map(|(f, t)| format!("{t} (frame {f})")).collect::<Vec<_>>().join("; ");
            let text = format!(
                "{}: the partner's LACPDUs stopped arriving {}: {proof}",
                m.name,
                if outages.len() == 1 { "once".to_owned() } else { format!("{} times", outages.len()) }
            );
            let frames: Vec<_> =
                outages.iter().flat_map(|o| o.proof.iter().map(|(f, _)| part.cite(*f))).take(8).collect();
            let mut f = Finding::new(CHECK.id, Kind::Wire, part.cite(first.span.first), text)
                .member(&m.name)
                .way(Way::SwitchToHost)
                .at(first.span.start)
                .times(outages.iter().map(|o| o.span.start))
                .and_all(frames);
            f = match (&clear, &counters_clean, &data) {
                // Data arrives, coding is clean, nothing overflows, yet LACPDUs are missing: that points to the sender's control
                // plane. It does not decide: these readings are not tied to the silence (`sender` below looks at those that
                // are).
                (_, Some(clean), Some(data)) => {
                    let clean = clean.clone();
                    f.suspects(&[
                        (D::SwitchControlPlane, S::Moderate),
                        (D::Physical, S::Weak),
                        (D::HostDriverFirmware, S::Weak),
                    ])
                    .and_all(clean)
                    .and_all(data.clone())
                }
                (Some(_), _, _) => {
                    f.suspects(&[(D::SwitchControlPlane, S::Moderate), (D::Physical, S::Moderate)])
                }
                _ => f.suspects(&[
                    (D::SwitchControlPlane, S::Moderate),
                    (D::Physical, S::Moderate),
                    (D::HostDriverFirmware, S::Weak),
                ]),
            };
            found.push(f);
            found.extend(sender(case, m, part, story, &outages));
            if let Some(cited) = clear {
                let mut it = cited.into_iter();
                if let Some(first) = it.next() {
                    found.push(
                        Finding::new(
                            CHECK.id,
                            Kind::Counter,
                            first,
                            format!("{}: a virtual interface without receive drops, errors or XDP, which takes the slow-protocols address: nothing on the host lies between wire and tap", m.name),
                        )
                        .exonerates(Side::Host)
                        .member(&m.name)
                        .way(Way::SwitchToHost)
                        .and_all(it),
                    );
                }
            }
        }
    }
    Outcome::of(found)
}

/// A partner that keeps the slow rate is `requested-rate-ignored`: nothing was lost.
fn slow(story: &Story, o: &Outage) -> bool {
    let at = o.gap.map_or(o.span.start, |g| g.from_ns);
    story.rate_ignored.is_some_and(|r| at >= r.span.0 && at <= r.span.1)
}

/// Where the readings clear every segment from the wire to the tap at the time of a silence, the sender is left.
fn sender(
    case: &Case,
    m: &crate::case::Member,
    part: &Part,
    story: &Story,
    outages: &[&Outage],
) -> Option<Finding> {
    let host = part.host()?;
    let mut best: Option<(&Outage, receive_path::Cleared)> = None;
    for o in outages {
        let Some(gap) = o.gap else { continue };
        let Some(expired) =
            host.changes.iter().find(|c| c.ns > gap.from_ns && c.actor.state.deaf()).map(|c| c.ns)
        else {
            continue;
        };
        let period = if host.at(gap.from_ns).is_some_and(|c| c.actor.state.contains(PortState::TIMEOUT)) {
            1_000_000_000
        } else {
            30_000_000_000
        };
        let silence = Silence {
            from: gap.from_ns,
            to: gap.to_ns,
            expired,
            // Linux is Defaulted one short timeout after it expired, and does not say so at once.
            data_until: expired.saturating_add(3_000_000_000),
            period,
        };
        if let Ok(c) = receive_path::cleared(case, m, part, story, &silence)
            && best.as_ref().is_none_or(|(_, b)| c.data_within && !b.data_within)
        {
            best = Some((*o, c));
        }
    }
    let (o, cleared) = best?;
    let (frames, ns) = cleared.data;
    let text = format!(
        "{}: {frames} frames arrived in {} {} the silence of the partner's LACPDUs, none damaged or missed; no XDP program, the slow-protocols address is joined, the host sent in time: only LACPDUs are missing",
        m.name,
        crate::wire::seconds(ns),
        if cleared.data_within { "within" } else { "around" },
    );
    let strength = if cleared.data_within && o.heard_all_along { S::Strong } else { S::Moderate };
    let mut cited = cleared.cited.into_iter().rev();
    let finding = Finding::new(CHECK.id, Kind::Counter, cited.next()?, text)
        .implicates(D::SwitchControlPlane, strength)
        .member(&m.name)
        .way(Way::SwitchToHost)
        .at(o.span.start)
        .times(outages.iter().map(|o| o.span.start))
        .and_all(cited)
        .and_all(o.proof.iter().map(|(f, _)| part.cite(*f)));
    Some(finding)
}
