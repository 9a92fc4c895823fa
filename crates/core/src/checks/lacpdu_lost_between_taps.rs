//! # LACPDUs leave one end and do not arrive at the other
//!
//! ## What it shows
//! Captures of both ends over the same time: one end's LACPDUs pass its own tap in time, and none of them passes the tap of the other end, which then expires.
//!
//! ## Why it matters
//! With a tap at both ends, what was sent and what arrived is seen, not inferred. What is left is what lies between the taps: the two NICs, and the wire with whatever stands in it.
//!
//! ## How it can be wrong
//! A tap is not the wire. A NIC can eat a frame behind the sender's tap, or before the receiver's. So the host's NIC must be cleared by its own counters (or be a virtual interface); else it stays a suspect and nothing is decided. The receiving port of the other end counts as part of the link. A wrong offset between the clocks would compare different times: the offset must be shared by more pairs of equal frames than any other.
//!
//! ## What would settle it
//! MAC-level transmit counters of the sending NIC and receive counters of the receiving one over the outage; another cable.
//!
//! ## References
//! verdict.md section 1 (the path of one LACPDU); kernel-facts.md 11.3 (where the taps sit).

use crate::case::{Case, Member, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::{Citation, HookPoint, Meaning};
use crate::far::{self, Fate, Trace};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::ledger;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacpdu-lost-between-taps",
    title: "LACPDUs leave one end and do not arrive at the other",
    requirements: &["S4-98", "S4-121", "E-37"],
    page: include_str!("lacpdu_lost_between_taps.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let pairs = far::pairs(case, subject);
    let Some(shift) = far::shift(&pairs) else { return Outcome::NotApplicable };
    let mut found = Vec::new();
    for pair in &pairs {
        let traces = far::traces(pair, shift);
        for outgoing in [true, false] {
            let lost: Vec<&Trace<'_>> = traces
                .iter()
                .filter(|t| t.outgoing == outgoing && matches!(t.fate, Fate::LostBetween { .. }))
                .collect();
            let Some(first) = lost.first() else { continue };
            let Fate::LostBetween { silence } = first.fate else { continue };
            let far_end = format!("{} of the other end", pair.there.name);
            let (from, to, way, at) = if outgoing {
                ("this host", far_end.as_str(), Way::HostToSwitch, first.far)
            } else {
                (far_end.as_str(), pair.here.name.as_str(), Way::SwitchToHost, first.part)
            };
            let text = format!(
                "{}: {from} sent its LACPDUs in time by its own tap, and at the tap of {to} there was a silence of {} (clocks tied by {} pairs of frames): they were lost in between",
                pair.here.name,
                crate::wire::seconds(silence.len_ns()),
                shift.pairs
            );
            let mut f = Finding::new(CHECK.id, Kind::Wire, at.cite(silence.from_frame), text)
                .member(&pair.here.name)
                .way(way)
                .at(first.outage.span.start)
                .times(lost.iter().map(|t| t.outage.span.start))
                .and(at.cite(silence.to_frame))
                .and_all(sent(first, outgoing));
            let nic = if outgoing {
                ledger::transmit_accounted(case, &pair.here.name)
            } else {
                received_clean(case, pair.here)
            };
            f = match nic {
                Some(cited) => f.implicates(D::Physical, S::Moderate).and_all(cited),
                None => f.suspects(&[(D::Physical, S::Moderate), (D::HostDriverFirmware, S::Weak)]),
            };
            found.push(f);
        }
    }
    Outcome::of(found)
}

/// A frame of the sender at its own tap, about when the other expired.
fn sent(t: &Trace<'_>, outgoing: bool) -> Option<Citation> {
    let (part, speaker, ns) = if outgoing {
        (t.part, t.part.host()?, t.outage.span.start)
    } else {
        (t.far, t.far.host()?, t.outage.span.start.saturating_add(t.shift.offset))
    };
    speaker.at(ns).map(|c| part.cite(if c.until.0 <= ns { c.until.1 } else { c.frame }))
}

/// Nothing on the host's side of the wire can have eaten them: no hardware, no program below the tap, and the address in
/// the device's list or the device in promiscuous mode.
fn received_clean(case: &Case, m: &Member) -> Option<Vec<Citation>> {
    let virtual_clear = || {
        if !ledger::is_virtual(case, &m.name)
            || case
                .hooks()
                .any(|(_, h)| h.dev.as_deref() == Some(m.name.as_str()) && h.point == HookPoint::Xdp)
            || !ledger::grew(case, &m.name, &[Meaning::RxDropped]).is_empty()
        {
            return None;
        }
        let (listed, _) = case
            .settings("ip-maddr", Some(&m.name))
            .find(|(_, f)| f.entries.iter().any(|e| e.value.contains("01:80:c2:00:00:02")))?;
        Some(vec![listed.at])
    };
    ledger::receive_clear(case, &m.name).or_else(virtual_clear)
}
