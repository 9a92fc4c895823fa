//! `lspci`, `lspci -nn` and the excerpts of `lspci -vv` that matter for a NIC: link state, ASPM, L1 substates, errors.
//!
//! One record per device; the key is the word before the colon (`LnkSta`, `LnkCtl`, `L1SubCtl1`, `UESta`, `Kernel driver in
//! use`), `dev` is the address, or what the prompt names. pciutils 3.5 to 3.13.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "lspci";

const KEYS: &[&str] = &[
    "LnkCap",
    "LnkCtl",
    "LnkSta",
    "LnkCap2",
    "LnkCtl2",
    "LnkSta2",
    "LnkCap3",
    "DevCap",
    "DevCtl",
    "DevSta",
    "DevCap2",
    "DevCtl2",
    "DevCtl3",
    "RootCap",
    "RootCtl",
    "RootSta",
    "SltCap",
    "SltCtl",
    "SltSta",
    "L1SubCap",
    "L1SubCtl1",
    "L1SubCtl2",
    "UESta",
    "UEMsk",
    "UESvrt",
    "CESta",
    "CEMsk",
    "AERCap",
    "HeaderLog",
    "Kernel driver in use",
    "Kernel modules",
    "Subsystem",
    "Control",
    "Status",
    "Capabilities",
    "Interrupt",
    "Latency",
    "IOMMU group",
    "NUMA node",
    "Physical Slot",
    "Expansion ROM at",
    "DeviceName",
    "Flags",
    "Region 0",
    "Region 1",
    "Region 2",
    "Region 3",
    "Region 4",
    "Region 5",
    "Address",
    "Masking",
    "Vector table",
    "PBA",
    "Product Name",
    "IOVCap",
    "IOVCtl",
    "IOVSta",
    "Initial VFs",
    "VF offset",
    "Supported Page Size",
    "ARICap",
    "ARICtl",
    "LaneErrStat",
    "LnkCtl3",
    "ACSCap",
    "ACSCtl",
    "Max snoop latency",
    "Max no snoop latency",
    "PTM",
    "AtomicOpsCap",
    "AtomicOpsCtl",
    "Bus",
    "Secondary status",
    "BridgeCtl",
    "I/O behind bridge",
    "Memory behind bridge",
    "Prefetchable memory behind bridge",
    "Memory at",
    "RootCmd",
    "ErrorSrc",
    "Read-only fields",
    "PTMCap",
    "PTMControl",
    "PTMStatus",
    "PTMClockGranularity",
    "Manufacture ID",
    "Part number",
    "EqualizationComplete",
    "Retimer",
    "Compliance Preset/De-emphasis",
    "Transmit Margin",
];

/// Beginnings of lines that go on with the key before.
const MORE: &[&str] = &[
    "ClockPM",
    "ExtSynch",
    "TrErr",
    "PortCommonModeRestoreTime",
    "T_CommonMode",
    "T_PwrOn",
    "ExtTag",
    "RlxdOrd",
    "MaxPayload",
    "Changed",
    "EqualizationPhase",
    "Compliance",
    "Transmit Margin",
    "PME",
    "MSI",
    "Vital Product Data",
    "Arbitration",
    "VC",
    "Not readable",
    "First Error",
    "MultHdrRecCap",
    "10BitTagComp",
    "EmergencyPowerReduction",
    "FRS",
    "AtomicOps",
    "ExtFmt",
    "Number of",
    "End",
    "Extended",
    "Power Management",
    "Express",
    "Advanced Error",
    "VF stride",
    "Region",
    "Caps",
    "Ctrl",
    "Arb",
    "Status",
    "pciutils",
    "Port",
    "ARI",
    "SR-IOV",
    "[",
    "Memory at",
    "I/O ports at",
    "bus master",
    "LTR",
    "Ext Tag",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if device(t).is_some() {
        return true;
    }
    let key = t.split_once(':').map(|(k, _)| k);
    matches!(
        key,
        Some(
            "LnkSta"
                | "LnkCap"
                | "LnkCtl"
                | "L1SubCap"
                | "L1SubCtl1"
                | "L1SubCtl2"
                | "UESta"
                | "CESta"
                | "DevSta"
        )
    ) || (t.starts_with("Capabilities: [") && t.contains(']'))
        || t.starts_with("Kernel driver in use: ")
        || t.starts_with("Kernel modules: ")
}

/// `0000:01:00.0 Ethernet controller: Intel ...`, `01:00.0 Ethernet controller [0200]: ...`.
fn device(t: &str) -> Option<(&str, &str)> {
    let (address, rest) = t.split_once(' ')?;
    let (slot, function) = address.rsplit_once('.')?;
    let hex = |s: &str| !s.is_empty() && s.len() <= 4 && s.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = slot.split(':').collect();
    let ok = (2..=3).contains(&parts.len())
        && parts.iter().all(|p| hex(p))
        && function.len() == 1
        && hex(function);
    let class = [
        "controller",
        "bridge",
        "device",
        "accelerator",
        "interface",
        "System peripheral",
        "processor",
        "Interface",
    ];
    (ok && rest.contains(':') && class.iter().any(|c| rest.contains(c))).then_some((address, rest))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut open: Option<(Citation, Fields)> = None;
    let emit = |open: Option<(Citation, Fields)>, out: &mut Out| {
        if let Some((at, fields)) = open {
            let last = fields.entries.last().map_or(at, |f| f.at);
            out.record(at.to(last), None, What::Fields(fields));
        }
    };
    let mut after_blank = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        if let Some((address, what)) = device(t) {
            emit(open.take(), out);
            let mut fields = Fields::new(ID, Some(address.to_owned()));
            fields.push("device", what, line.cite());
            open = Some((line.cite(), fields));
        } else {
            let (_, fields) =
                open.get_or_insert_with(|| (line.cite(), Fields::new(ID, out.hints.dev.clone())));
            let pair = t.split_once(':').map(|(k, v)| (k.trim(), v.trim()));
            let known = pair.filter(|(k, _)| KEYS.contains(k));
            let more = !fields.entries.is_empty()
                && (MORE.iter().any(|m| t.starts_with(m))
                    || flags(t)
                    || (line.indent() > 0 && t.bytes().all(|b| b.is_ascii_hexdigit() || b == b' ')));
            if let Some((key, value)) = known {
                fields.push(key, value, line.cite());
            } else if more {
                let key = fields.entries.last().map_or_else(String::new, |f| f.key.clone());
                fields.push(key, t, line.cite());
            } else if line.indent() >= 2 && !after_blank && !fields.entries.is_empty() {
                fields.push("other", t, line.cite());
                out.not_understood(line);
                cursor.next();
                continue;
            } else {
                break;
            }
        }
        after_blank = false;
        out.typed(line);
        cursor.next();
    }
    emit(open.filter(|(_, f)| !f.entries.is_empty()), out);
}

/// A line of flags such as `ASPM_L1.2+ ASPM_L1.1-` or `Disabled- CommClk+`.
fn flags(t: &str) -> bool {
    t.split_whitespace().all(|w| w.ends_with(['+', '-', ',']) || w.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn device_and_excerpt() {
        let text = "0000:02:00.0 Ethernet controller: Intel Corporation Ethernet Controller I226-V (rev 04)\n\tSubsystem: Intel Corporation Device 0000\n\tLnkSta:\tSpeed 5GT/s, Width x1 (downgraded)\n\t\tTrErr- Train- SlotClk+ DLActive- BWMgmt- ABWMgmt-\n\tL1SubCtl1: PCI-PM_L1.2- PCI-PM_L1.1- ASPM_L1.2- ASPM_L1.1-\n\t\t  T_CommonMode=0us LTR1.2_Threshold=0ns\n\tKernel driver in use: igc\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let Some(What::Fields(f)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!((f.dev.as_deref(), f.text("Kernel driver in use")), (Some("0000:02:00.0"), Some("igc")));
        assert!(f.text("LnkSta").is_some_and(|v| v.contains("downgraded")));
    }
}
