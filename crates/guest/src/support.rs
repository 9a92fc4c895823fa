//! Which incidents the guest can run: what a virtual cable and a Linux kernel can really do.

use bondwitness_lab::fault::{Fault, Hook};
use bondwitness_lab::incident::{Incident, TimedFault};

/// Harmless oddities that a virtual interface cannot show. They are no part of the truth, so an incident goes without.
#[must_use]
pub const fn is_noise(fault: &Fault) -> bool {
    matches!(fault, Fault::OldErrors { .. } | Fault::OtherNicTrouble {})
}

/// Does the far end have to be our own speaker? Linux bonding does not misbehave on demand, and is no other vendor.
#[must_use]
pub fn needs_speaker(incident: &Incident) -> bool {
    !incident.topology.switch.linux || incident.faults.iter().any(|f| misbehaves(&f.fault))
}

const fn misbehaves(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::SwitchSilent { .. }
            | Fault::SwitchLate { .. }
            | Fault::SwitchDeaf { .. }
            | Fault::SwitchIgnoresRate { .. }
            | Fault::SwitchEcho { .. }
            | Fault::SwitchRestart {}
            | Fault::SwitchKey { .. }
            | Fault::SwitchStatic { .. }
            | Fault::SwitchSuspends { .. }
            | Fault::SwitchReleases { .. }
            | Fault::Miswired { .. }
            | Fault::TwoSpeakers { .. }
    )
}

/// Must the incident have the guest for itself? What takes the processor takes it from all of them.
#[must_use]
pub fn alone(incident: &Incident) -> bool {
    incident.faults.iter().any(|f| matches!(f.fault, Fault::Starvation { .. }))
}

/// Why the guest cannot run an incident; `None` if it can.
#[must_use]
pub fn refusal(incident: &Incident) -> Option<&'static str> {
    incident.faults.iter().find_map(of_fault)
}

fn of_fault(timed: &TimedFault) -> Option<&'static str> {
    match &timed.fault {
        Fault::FrameDamage { .. } => Some("a virtual interface counts no damaged frames"),
        Fault::OpticsWeak { .. } => Some("a virtual interface has no transceiver"),
        Fault::LowSpeed { .. } => Some("a virtual interface has one speed"),
        Fault::NicReset { .. }
        | Fault::TxHang { .. }
        | Fault::PcieError { .. }
        | Fault::NicEatsLacpdus { .. } => Some("a virtual interface has no hardware that fails"),
        Fault::MulticastFilterMissing { .. } => Some("a virtual interface filters no addresses"),
        Fault::RingOverflow { .. } => Some("a virtual interface has no ring"),
        Fault::HostFilter { hook: Hook::Xdp, .. } => Some("no XDP program is at hand in the guest"),
        Fault::HostStatic {} if timed.at_ms > 0 => {
            Some("Linux bonding changes its mode only without members")
        }
        Fault::VlanLoss { .. } => Some("no VLAN traffic in the guest yet"),
        Fault::Congestion {} | Fault::PauseStorm { .. } | Fault::HashImbalance {} => {
            Some("no traffic of that kind in the guest")
        }
        _ => None,
    }
}
