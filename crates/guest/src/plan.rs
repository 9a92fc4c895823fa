//! What one boot of the guest does: incidents, each with its two ends, its timed faults and its snapshots.
//!
//! Written by `cargo xtask vm`, read by the guest; nothing else reads it. Times are milliseconds of the guest's clock
//! since the incident's recorders started. The plan says what is done, never who is to blame: that stays with the
//! program that judges.

use serde::{Deserialize, Serialize};

/// One boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Wall clock of the guest between the starts of two incidents: their snapshots must not fall together.
    pub stagger_ms: u64,
    /// Side by side, in namespaces of their own.
    pub incidents: Vec<Incident>,
}

/// One host, one far end, and what goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The name of its folder.
    pub name: String,
    /// How many members the bond has.
    pub members: usize,
    /// The bond of the host.
    pub host: End,
    /// What stands at the other end of the wires.
    pub far: Far,
    /// Snapshots of the host's state.
    pub snapshots: Vec<Snapshot>,
    /// What is done, and undone.
    pub faults: Vec<Timed>,
    /// When the recorders stop.
    pub duration_ms: u64,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When.
    pub at_ms: u64,
    /// The last part of its folder's name.
    pub label: String,
}

/// How an LACP end is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The rate that it asks its partner for.
    pub rate: Rate,
    /// Does it send without being spoken to?
    pub active: bool,
}

/// `lacp_rate` of Linux bonding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rate {
    /// A LACPDU every second, timeout after three.
    Fast,
    /// A LACPDU every 30 s, timeout after 90.
    Slow,
}

impl Rate {
    /// The word of `ip link`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Slow => "slow",
        }
    }
}

/// The far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Far {
    /// One Linux bond in mode 802.3ad holds all ports.
    Bond(End),
    /// Two Linux bonds with the same system and key: the first holds the first port, the second the others.
    Mlag(End),
    /// Port group without LACP (Linux bond in mode balance-xor).
    Static,
}

/// A fault and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    /// When it begins.
    pub from_ms: u64,
    /// When it ends; never, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// What happens.
    pub fault: Fault,
}

/// A direction on a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the host to the switch.
    HostToSwitch,
    /// From the switch to the host.
    SwitchToHost,
    /// Both.
    Both,
}

impl Way {
    /// Is the direction from the host to the switch meant?
    #[must_use]
    pub const fn to_switch(self) -> bool {
        matches!(self, Self::HostToSwitch | Self::Both)
    }
    /// Is the direction from the switch to the host meant?
    #[must_use]
    pub const fn to_host(self) -> bool {
        matches!(self, Self::SwitchToHost | Self::Both)
    }
}

/// Where in the host's stack frames are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// A filter at clsact.
    Tc,
    /// A chain of family netdev.
    Nft,
}

/// What happens. `member` counts from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fault {
    /// The host loses its carrier; the switch too, if so wanted.
    CarrierDown {
        /// Which.
        member: usize,
        /// The switch's end of the wire as well.
        both_ends: bool,
    },
    /// LACPDUs are dropped on the wire, other frames pass.
    LacpduLoss {
        /// Which.
        member: usize,
        /// Where to.
        way: Way,
        /// Of a hundred.
        percent: u8,
    },
    /// Frames of every kind are dropped on the wire.
    FrameLoss {
        /// Which.
        member: usize,
        /// Where to.
        way: Way,
        /// Of a hundred.
        percent: u8,
    },
    /// Frames are held back on the wire.
    FrameDelay {
        /// Which.
        member: usize,
        /// Where to.
        way: Way,
        /// By how much.
        delay_ms: u32,
        /// Give or take.
        jitter_ms: u32,
    },
    /// The port of this member comes up in another port group of the far end.
    KeyChange {
        /// Which; the far end must be an MLAG pair, and this one of its second half.
        member: usize,
    },
    /// The second half of an MLAG pair shows a system of its own.
    MlagSplit,
    /// The whole far end changes its system.
    SystemChange,
    /// The second half of an MLAG pair takes the host's own system.
    OwnSystem,
    /// The far end stops speaking first.
    FarPassive,
    /// The host stops speaking first.
    HostPassive,
    /// The host asks for another rate.
    HostRate {
        /// For which.
        rate: Rate,
    },
    /// The far end asks for another rate.
    FarRate {
        /// For which.
        rate: Rate,
    },
    /// LACPDUs are dropped in the host before they pass the tap.
    HostEgressDrop {
        /// Which.
        member: usize,
        /// By what.
        hook: Hook,
    },
    /// LACPDUs are dropped in the host after they passed the tap.
    HostIngressDrop {
        /// Which.
        member: usize,
        /// By what.
        hook: Hook,
    },
    /// The member's queueing discipline in the host loses frames.
    HostQdiscLoss {
        /// Which.
        member: usize,
        /// Of a hundred.
        percent: u8,
    },
    /// The member is set down by the administrator.
    AdminDown {
        /// Which.
        member: usize,
    },
    /// The port at the far end is set down by its administrator: the host loses its carrier if the wire carries that on.
    FarAdminDown {
        /// Which.
        member: usize,
    },
    /// A manager takes the member out of the bond; at the end it is put back.
    Release {
        /// Which.
        member: usize,
    },
    /// A loop of real-time priority holds the only processor; the far end runs on that processor too.
    CpuStarvation,
}
