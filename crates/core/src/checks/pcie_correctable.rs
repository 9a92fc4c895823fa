//! # Correctable PCIe errors
//!
//! ## What it shows
//! The kernel log reports corrected PCIe errors of the NIC.
//!
//! ## Why it matters
//! They are repaired by the hardware; many of them point to a bad slot, riser or power management, and precede uncorrectable ones.
//!
//! ## How it can be wrong
//! Some platforms report a steady trickle without any effect: while LACP is in order and the NIC says nothing else, it is a note and no trouble.
//!
//! ## What would settle it
//! `aer_dev_correctable` in sysfs before and after; `lspci -vv` (LnkSta, ASPM).
//!
//! ## References
//! kernel-facts.md section 6.1 (PCIe AER).

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::KernelKind;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "pcie-correctable",
    title: "Correctable PCIe errors",
    requirements: &["S4-88"],
    page: include_str!("pcie_correctable.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let lines: Vec<_> =
            case.kernel_of(&m.name).filter(|(_, k)| k.kind == KernelKind::AerCorrectable).collect();
        if let Some((r, _)) = lines.first() {
            let finding = Finding::new(
                CHECK.id,
                Kind::Log,
                r.at,
                format!("{}: {} corrected PCIe error line(s)", m.name, lines.len()),
            )
            .member(&m.name);
            // What the bus repaired harmed nobody. Beside trouble of the same member it is a hint.
            let trouble = !super::in_order(m)
                || case.kernel_of(&m.name).any(|(_, k)| {
                    matches!(
                        k.kind,
                        KernelKind::LinkDown
                            | KernelKind::TxTimeout
                            | KernelKind::TxHang
                            | KernelKind::NicReset
                            | KernelKind::AerUncorrectable
                            | KernelKind::PcieLost
                            | KernelKind::FirmwareError
                    )
                });
            found.push(if trouble {
                finding.suspects(&[(D::HostDriverFirmware, S::Weak)]).severity(Severity::Warning)
            } else {
                finding
            });
        }
    }
    Outcome::of(found)
}
