//! The vocabulary of a verdict: fault domains, sides, grades (contract.md "Fault domains and sides").

use std::fmt;

/// Where a fault lies. Order is the order of the contract's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultDomain {
    /// No fault in the evidence.
    Healthy,
    /// Cable, optics, connector, port hardware, miswiring.
    Physical,
    /// NIC reset, hang, firmware or PCIe error, driver bug.
    HostDriverFirmware,
    /// Misconfiguration on the host, asymmetry, fighting managers, a host filter that eats LACPDUs.
    HostConfig,
    /// CPU, softirq or ring starvation that delays or loses LACPDUs on the host.
    HostStarvation,
    /// Mode, rate, key, VLAN, MTU, speed mismatch on the switch, port not in the port-channel.
    SwitchConfig,
    /// The switch stops sending, sends late, or does not process LACPDUs that reached it.
    SwitchControlPlane,
    /// MLAG or stack inconsistency.
    Mlag,
    /// Neither end is wrong alone.
    ConfigBoth,
    /// Frames of a VLAN over the bond are lost inside the host.
    VlanTxPath,
    /// The bond is stable; the trouble has another cause.
    NotLacp,
    /// The evidence fits more than one of these.
    Inconclusive,
}

/// A party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// This host.
    Host,
    /// The switch, or whatever terminates the other end of LACP.
    Switch,
    /// The cable and what is plugged into it.
    Link,
    /// Host and switch together.
    Both,
    /// Nobody.
    None,
    /// Not decided.
    Unknown,
}

impl FaultDomain {
    /// All domains.
    pub const ALL: [Self; 12] = [
        Self::Healthy,
        Self::Physical,
        Self::HostDriverFirmware,
        Self::HostConfig,
        Self::HostStarvation,
        Self::SwitchConfig,
        Self::SwitchControlPlane,
        Self::Mlag,
        Self::ConfigBoth,
        Self::VlanTxPath,
        Self::NotLacp,
        Self::Inconclusive,
    ];

    /// The contract's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Physical => "physical",
            Self::HostDriverFirmware => "host-driver-firmware",
            Self::HostConfig => "host-config",
            Self::HostStarvation => "host-starvation",
            Self::SwitchConfig => "switch-config",
            Self::SwitchControlPlane => "switch-control-plane",
            Self::Mlag => "mlag",
            Self::ConfigBoth => "config-both",
            Self::VlanTxPath => "vlan-tx-path",
            Self::NotLacp => "not-lacp",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The party of this domain.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::Healthy | Self::NotLacp => Side::None,
            Self::Physical => Side::Link,
            Self::HostDriverFirmware | Self::HostConfig | Self::HostStarvation | Self::VlanTxPath => {
                Side::Host
            }
            Self::SwitchConfig | Self::SwitchControlPlane | Self::Mlag => Side::Switch,
            Self::ConfigBoth => Side::Both,
            Self::Inconclusive => Side::Unknown,
        }
    }

    /// The exit code of a verdict of this domain.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Inconclusive => 10,
            Self::NotLacp => 14,
            _ => match self.side() {
                Side::Host => 11,
                Side::Switch => 12,
                Side::Link => 13,
                _ => 15,
            },
        }
    }

    /// How bad, for the worst of several subjects: the contract's order 12, 11, 13, 15, 10, 14, 0.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self.exit_code() {
            12 => 0,
            11 => 1,
            13 => 2,
            15 => 3,
            10 => 4,
            14 => 5,
            _ => 6,
        }
    }

    /// What it means, for people.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Healthy => "no fault in the evidence",
            Self::Physical => "physical link: cable, optics, connector, port hardware or wiring",
            Self::HostDriverFirmware => "host: NIC, driver, firmware or PCIe",
            Self::HostConfig => "host: configuration or a filter on the host",
            Self::HostStarvation => "host: CPU, softirq or ring starvation",
            Self::SwitchConfig => "switch: configuration",
            Self::SwitchControlPlane => "switch: control plane",
            Self::Mlag => "switch: MLAG or stack inconsistency",
            Self::ConfigBoth => "both ends together: settings that cannot work with each other",
            Self::VlanTxPath => "host: frames of a VLAN over the bond are lost inside the host",
            Self::NotLacp => "not a bond or LACP problem",
            Self::Inconclusive => "the evidence does not decide",
        }
    }
}

impl fmt::Display for FaultDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Side {
    /// The contract's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Switch => "switch",
            Self::Link => "link",
            Self::Both => "both",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How hard a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Goes with `inconclusive`.
    Insufficient,
    /// Fits best, rivals not excluded.
    Indicative,
    /// One direct observation, rivals unlikely.
    Strong,
    /// Two independent kinds of evidence, every rival excluded by a citation.
    Proven,
}

impl Grade {
    /// The contract's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Insufficient => "insufficient",
            Self::Indicative => "indicative",
            Self::Strong => "strong",
            Self::Proven => "proven",
        }
    }
}

/// Which way LACPDUs go, for findings and verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// Host to switch.
    HostToSwitch,
    /// Switch to host.
    SwitchToHost,
    /// Both ways.
    Both,
}

impl Way {
    /// The contract's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HostToSwitch => "host-to-switch",
            Self::SwitchToHost => "switch-to-host",
            Self::Both => "both",
        }
    }
}
