//! # Frames arrive damaged
//!
//! ## What it shows
//! Counters of the receiver for damaged frames: FCS/CRC, alignment, symbol, PCS and uncorrectable FEC errors; local and remote fault of the PHY.
//!
//! ## Why it matters
//! Damage is counted by the receiver, so the path from the other end's transmitter to this receiver is at fault: cable, connector, transceiver, port. It also explains lost LACPDUs without any loss of link.
//!
//! ## How it can be wrong
//! A counter that does not grow during the incident is history. A switch that forwards frames which were damaged elsewhere (cut-through) makes the receiver count errors of another link; stomped CRCs tell. Remote fault means that the other end complains: the direction is host to switch.
//!
//! ## What would settle it
//! The same counters at the start and end of the incident; the counters of the switch port; replacing cable, then transceiver, then port, one at a time.
//!
//! ## References
//! verdict.md section 1 ("errors are counted by the receiver"); 802.3 clause 46 (local and remote fault).

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::{KernelKind, Meaning};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "coding-errors",
    title: "Frames arrive damaged",
    requirements: &[
        "S4-13", "S4-14", "S4-15", "S4-27", "S4-41", "S4-42", "S4-65", "S4-71", "S4-79", "S4-89", "S4-117",
    ],
    page: include_str!("coding_errors.rs"),
    run,
};

const BAD: [Meaning; 4] = [Meaning::RxCrc, Meaning::RxSymbol, Meaning::FecUncorrected, Meaning::LocalFault];

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let packets = case.series(&m.name, Meaning::RxPackets).map(|s| s.high.0).max().unwrap_or(0);
        // One physical event is often counted under several names: the largest stands for all.
        let grown = crate::ledger::grew(case, &m.name, &BAD).into_iter().max_by_key(|s| s.growth());
        if let Some(s) = grown {
            let g = s.growth().unwrap_or(0);
            let rx = crate::ledger::growth(case, &m.name, Meaning::RxPackets).map_or(0, |(g, _)| g);
            // A link that goes down damages a few frames as it goes; and one frame in ten million is no fault.
            let downs =
                case.kernel_of(&m.name).filter(|(_, k)| k.kind == KernelKind::LinkDown).count() as u64;
            let real = g > downs.saturating_mul(20) && g.saturating_mul(1_000_000) >= rx;
            let f = Finding::new(
                CHECK.id,
                Kind::Counter,
                s.high.1,
                format!("{}: {} rose by {g} (from {} to {})", m.name, s.name, s.low.0, s.high.0),
            )
            .member(&m.name)
            .way(Way::SwitchToHost)
            .and(s.low.1);
            let everywhere = subject.members.len() > 1
                && subject.members.iter().all(|m| !crate::ledger::grew(case, &m.name, &BAD).is_empty());
            found.push(if !real || g < 3 {
                f.suspects(&[(D::Physical, S::Weak)]).severity(Severity::Warning)
            } else if everywhere {
                // All members at once: what they share is not a cable.
                f.suspects(&[
                    (D::Physical, S::Moderate),
                    (D::SwitchControlPlane, S::Weak),
                    (D::HostDriverFirmware, S::Weak),
                ])
            } else {
                f.implicates(D::Physical, if g >= 10 { S::Strong } else { S::Moderate })
            });
        } else if let Some(s) = case
            .counters
            .get(&m.name)
            .into_iter()
            .flatten()
            .filter(|s| BAD.contains(&s.meaning) && s.readings == 1 && s.high.0 > 0)
            .max_by_key(|s| s.high.0)
        {
            // One reading: only a rate that no healthy link has (more than one damaged frame in 100,000) says something.
            let n = s.high.0;
            // And a bond that was captured in order has no fault, whatever happened since boot.
            let in_order = m
                .wire
                .as_ref()
                .is_some_and(|w| w.stories.iter().all(|s| s.carries_at_end && s.outages.is_empty()));
            let many = n >= 100 && !in_order && (packets == 0 || n.saturating_mul(100_000) >= packets);
            let f = Finding::new(
                CHECK.id,
                Kind::Counter,
                s.high.1,
                format!("{}: {} is {n} (one reading: when they were counted is not known)", m.name, s.name),
            )
            .member(&m.name)
            .way(Way::SwitchToHost);
            found.push(if many {
                f.implicates(D::Physical, S::Moderate)
            } else {
                f.severity(Severity::Info)
            });
        }
        if let Some(s) = crate::ledger::grew(case, &m.name, &[Meaning::RemoteFault])
            .into_iter()
            .filter(|s| s.growth().is_some_and(|g| g > 20))
            .max_by_key(|s| s.growth())
        {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Counter,
                    s.high.1,
                    format!(
                        "{}: {} rose by {}: the other end receives no clean signal from this host",
                        m.name,
                        s.name,
                        s.growth().unwrap_or(0)
                    ),
                )
                .implicates(D::Physical, S::Moderate)
                .member(&m.name)
                .way(Way::HostToSwitch)
                .and(s.low.1),
            );
        }
    }
    Outcome::of(found)
}
