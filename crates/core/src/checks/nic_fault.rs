//! # The NIC, its driver, firmware or PCIe slot failed
//!
//! ## What it shows
//! The kernel log says so: transmit timeout or hang, adapter reset, firmware error, device gone from the bus, uncorrectable PCIe error, hardware that refuses a filter or an address, a driver that gives up.
//!
//! ## Why it matters
//! These lines come from the host's own hardware. No switch can make a NIC lose its PCIe link or refuse a multicast filter. A reset takes carrier away by itself, so a carrier loss right after it is a consequence.
//!
//! ## How it can be wrong
//! A transmit timeout can be provoked by endless pause frames from the switch. A line from long before the incident proves nothing about it.
//!
//! ## What would settle it
//! The same log around the incident; PCIe AER counters; pause counters; another NIC, driver or firmware in the same slot.
//!
//! ## References
//! kernel-facts.md section 6.1.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::{KernelKind, KernelLine, Meaning, Record};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use std::collections::BTreeMap;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "nic-fault",
    title: "The NIC, its driver, firmware or PCIe slot failed",
    requirements: &["S4-12", "S4-43", "S4-88", "S4-119"],
    page: include_str!("nic_fault.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let mut kinds: BTreeMap<KernelKind, Vec<(&Record, &KernelLine)>> = BTreeMap::new();
        let lines: Vec<_> = case.kernel_of(&m.name).collect();
        for (i, (r, k)) in lines.iter().enumerate() {
            // A driver that resets because the link went down reports a consequence.
            // Between a loss of link and its return everything may be the driver's way of getting the link back.
            let follows_down = k.kind == KernelKind::NicReset && super::carrier_flap::while_down(&lines, i);
            if strength(k).is_some() && !follows_down {
                kinds.entry(k.kind).or_default().push((r, k));
            }
        }
        for lines in kinds.values() {
            let (Some((r, k)), Some((what, strength))) =
                (lines.first(), lines.iter().filter_map(|(_, k)| strength(k)).max_by_key(|s| s.1))
            else {
                continue;
            };
            let shown: String = k.text.chars().take(160).collect();
            let times = if lines.len() == 1 { String::new() } else { format!(" ({} times)", lines.len()) };
            let f = Finding::new(CHECK.id, Kind::Log, r.at, format!("{}: {what}{times}: {shown}", m.name))
                .implicates(D::HostDriverFirmware, strength)
                .member(&m.name)
                .and_all(lines.iter().skip(1).take(4).map(|(r, _)| r.at));
            let f = if k.kind == KernelKind::FilterError { f.way(Way::SwitchToHost) } else { f };
            // Endless pause frames from the other end stop the transmitter until its watchdog barks.
            let paused = crate::ledger::growth(case, &m.name, Meaning::RxPause)
                .filter(|(g, _)| *g >= 100_000)
                .or_else(|| {
                    let once = case
                        .series(&m.name, Meaning::RxPause)
                        .find(|s| s.readings == 1 && s.high.0 >= 1_000_000)?;
                    Some((once.high.0, vec![once.high.1]))
                });
            let pfc = lines.iter().any(|(_, k)| k.text.contains("PFC storm"));
            let stalled = matches!(k.kind, KernelKind::TxTimeout | KernelKind::TxHang | KernelKind::NicReset);
            let f = match paused {
                Some((g, cited)) if stalled => {
                    let mut f = f
                        .suspects(&[
                            (D::SwitchConfig, S::Moderate),
                            (D::NotLacp, S::Moderate),
                            (D::HostDriverFirmware, S::Weak),
                        ])
                        .and_all(cited);
                    f.text.push_str(&format!("; {g} pause frames were received meanwhile"));
                    f
                }
                _ if stalled && pfc => f.suspects(&[
                    (D::SwitchConfig, S::Moderate),
                    (D::NotLacp, S::Moderate),
                    (D::HostDriverFirmware, S::Weak),
                ]),
                _ => f,
            };
            found.push(match crate::case::wall(r.time) {
                Some(ns) => f.at(ns),
                None => f,
            });
        }
        for (name, meaning) in [("transmit timeouts", Meaning::TxTimeout), ("adapter resets", Meaning::Reset)]
        {
            if let Some((g, cited)) = crate::ledger::growth(case, &m.name, meaning).filter(|(g, _)| *g > 0)
                && let [low, high] = cited.as_slice()
            {
                found.push(
                    Finding::new(
                        CHECK.id,
                        Kind::Counter,
                        *high,
                        format!("{}: {g} {name} between the readings", m.name),
                    )
                    .implicates(D::HostDriverFirmware, S::Moderate)
                    .member(&m.name)
                    .and(*low),
                );
            }
        }
    }
    Outcome::of(found)
}

fn strength(k: &KernelLine) -> Option<(&'static str, S)> {
    Some(match k.kind {
        KernelKind::PcieLost => ("the device left the PCIe bus", S::Decisive),
        KernelKind::AerUncorrectable => ("uncorrectable PCIe error", S::Strong),
        KernelKind::TxTimeout => ("transmit queue timed out", S::Strong),
        KernelKind::TxHang => ("transmit unit hung", S::Strong),
        KernelKind::NicReset => ("adapter reset", S::Moderate),
        KernelKind::FirmwareError => ("firmware error", S::Strong),
        KernelKind::FilterError => ("the hardware refused a filter", S::Strong),
        // A driver complains about much that has no effect: one word of it is a hint.
        KernelKind::DriverError => ("driver error", S::Weak),
        KernelKind::BondError if k.text.contains("set_mac_address") => {
            ("the driver refused the bond's address", S::Moderate)
        }
        KernelKind::BondError => ("an operation of the bond on this member failed", S::Weak),
        KernelKind::Oops => ("kernel warning or oops in the driver", S::Moderate),
        _ => return None,
    })
}
