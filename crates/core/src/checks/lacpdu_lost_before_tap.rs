//! # The bond sends LACPDUs that never reach the tap
//!
//! ## What it shows
//! The bond's own counter of LACPDUs sent rose by more than the tap saw in a capture that covers the same time.
//!
//! ## Why it matters
//! The counter counts attempts; the tap stands behind queue and egress hooks. The difference was lost inside the host.
//!
//! ## How it can be wrong
//! If the capture is shorter than the time between the two readings, it cannot have seen all frames: only a member whose outgoing frames stop in the capture is judged.
//!
//! ## What would settle it
//! `tc -s qdisc show dev MEMBER`, `tc -s filter show dev MEMBER egress`, `bpftool net`, `nft list hooks`.
//!
//! ## References
//! kernel-facts.md section 3 (TX) and 11.2 rule 1.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::{KernelKind, Meaning};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacpdu-lost-before-tap",
    title: "The bond sends LACPDUs that never reach the tap",
    requirements: &["S4-58", "E-37"],
    page: include_str!("lacpdu_lost_before_tap.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    let others_out = |name: &str| {
        subject.members.iter().filter(|m| m.name != name).any(|m| {
            m.wire.as_ref().is_some_and(|w| w.parts.iter().any(|p| p.host().is_some_and(|h| h.pdus > 2)))
        })
    };
    for m in &subject.members {
        let Some((attempts, cited)) = crate::ledger::growth(case, &m.name, Meaning::LacpduTx) else {
            continue;
        };
        let Some(w) = &m.wire else { continue };
        let seen: u64 = w.parts.iter().filter_map(|p| p.host()).map(|h| h.pdus + h.repeats).sum();
        let inbound_only = w.parts.iter().any(|p| p.inbound_only);
        let stopped = w.stories.iter().any(|s| !s.out_gaps.is_empty()) || (seen == 0 && others_out(&m.name));
        if inbound_only && seen == 0 && !others_out(&m.name) || !stopped || attempts <= seen + 3 {
            continue;
        }
        let dropped = crate::ledger::growth(case, &m.name, Meaning::TxDropped).map_or(0, |g| g.0);
        let [low, high] = cited.as_slice() else { continue };
        let f = Finding::new(
                CHECK.id,
                Kind::Counter,
                *high,
                format!("{}: the bond tried to send {attempts} LACPDUs, the tap behind its queue saw {seen} (interface drops: {dropped})", m.name),
            )
            .member(&m.name)
            .way(Way::HostToSwitch)
            .and(*low);
        // A transmitter that stands still keeps what follows in the queue before the tap, and its reset drops it there.
        let hung = case
            .kernel_of(&m.name)
            .find(|(_, k)| matches!(k.kind, KernelKind::TxTimeout | KernelKind::TxHang))
            .map(|(r, _)| r.at)
            .or_else(|| {
                let (n, at) = crate::ledger::growth(case, &m.name, Meaning::TxTimeout)?;
                at.get(1).copied().filter(|_| n > 0)
            });
        let paused = crate::ledger::growth(case, &m.name, Meaning::RxPause).filter(|(n, _)| *n >= 10_000);
        found.push(match (hung, paused) {
            // The other end's pause frames make it stand still as well.
            (_, Some((n, at))) => {
                let mut f = f
                    .suspects(&[
                        (D::SwitchConfig, S::Moderate),
                        (D::HostDriverFirmware, S::Weak),
                        (D::HostConfig, S::Weak),
                    ])
                    .and_all(at);
                f.text.push_str(&format!("; {n} pause frames were received meanwhile"));
                f
            }
            (Some(at), None) => {
                let mut f =
                    f.suspects(&[(D::HostDriverFirmware, S::Strong), (D::HostConfig, S::Moderate)]).and(at);
                f.text.push_str("; the transmitter of the NIC hung, so the queue stood still");
                f
            }
            (None, None) => f.implicates(D::HostConfig, S::Strong),
        });
    }
    Outcome::of(found)
}
