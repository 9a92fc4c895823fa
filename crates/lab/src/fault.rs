//! What can go wrong, as scenarios name it. The kinds are mechanisms, not verdicts: which domain a mechanism belongs
//! to, and what the surviving evidence can decide, is declared by the scenario.

use serde::{Deserialize, Serialize};

/// Which way a LACPDU travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the host to the switch.
    HostToSwitch,
    /// From the switch to the host.
    SwitchToHost,
    /// Both directions.
    Both,
}

impl Way {
    /// Frames from the host are concerned.
    #[must_use]
    pub const fn outgoing(self) -> bool {
        matches!(self, Self::HostToSwitch | Self::Both)
    }
    /// Frames to the host are concerned.
    #[must_use]
    pub const fn incoming(self) -> bool {
        matches!(self, Self::SwitchToHost | Self::Both)
    }
}

/// Where on the host a program or rule sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// tc clsact, egress of the member: before the tap.
    TcEgress,
    /// nft netdev family, egress of the member: before the tap.
    NftEgress,
    /// tc clsact, ingress of the member: after the tap.
    TcIngress,
    /// nft netdev family, ingress of the member: after the tap.
    NftIngress,
    /// A native XDP program: before the tap.
    Xdp,
}

/// What a misbehaving partner puts into the Partner fields of its PDUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Echo {
    /// What it last heard before the fault began.
    Stale,
    /// Zeros.
    Zero,
    /// Somebody else's port number.
    Corrupt,
}

/// Where a frame of a VLAN over the bond is lost (`kernel-facts.md` section 8, by its letters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VlanLoss {
    /// c: nft egress hook on the bond.
    NftBond,
    /// d: tc clsact egress on the bond.
    TcBond,
    /// e: a tcx program on the bond: no counter of its own.
    TcxBond,
    /// k: the member's queue is full.
    MemberQueue,
}

/// A mechanism. `member` is a place in the topology: an index into the members, or all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    // ---- the wire
    /// Carrier is lost at both ends.
    CarrierDown {
        /// Member concerned.
        member: Member,
    },
    /// LACPDUs, and only they, vanish on the wire.
    LacpduLoss {
        /// Member concerned.
        member: Member,
        /// Direction.
        way: Way,
        /// Share of the LACPDUs that is lost, 0 to 1.
        #[serde(default = "all_of_it")]
        share: f64,
    },
    /// Frames of every kind vanish on the wire, and neither end counts them: a device in the middle of the line fails.
    FrameLoss {
        /// Member concerned.
        member: Member,
        /// Direction.
        way: Way,
    },
    /// LACPDUs take longer.
    LacpduDelay {
        /// Member concerned.
        member: Member,
        /// Direction.
        way: Way,
        /// Milliseconds.
        ms: u64,
    },
    /// Frames of every kind arrive damaged and are dropped by the receiver's MAC, which counts them.
    FrameDamage {
        /// Member concerned.
        member: Member,
        /// Direction.
        way: Way,
        /// Share of all frames, 0 to 1.
        share: f64,
    },
    /// The receiver's optical power is low; with `FrameDamage` beside it the link suffers.
    OpticsWeak {
        /// Member concerned.
        member: Member,
        /// Received power, dBm.
        rx_dbm: f64,
    },
    /// The member is plugged into a foreign switch (its own system and key).
    Miswired {
        /// Member concerned.
        member: Member,
    },
    /// A second speaker answers on the same wire.
    TwoSpeakers {
        /// Member concerned.
        member: Member,
    },
    /// The link comes up at another speed.
    LowSpeed {
        /// Member concerned.
        member: Member,
        /// Mb/s.
        mbps: u32,
        /// Because the host advertises no more than that (`ethtool -s MEMBER advertise ...`).
        #[serde(default)]
        set_on_host: bool,
    },

    // ---- the host: NIC, driver, bus
    /// The driver resets the adapter and says so; carrier is gone meanwhile.
    NicReset {
        /// Member concerned.
        member: Member,
    },
    /// The transmitter hangs: frames pass the tap and go nowhere, until the watchdog resets the NIC.
    TxHang {
        /// Member concerned.
        member: Member,
    },
    /// PCIe errors; the device stops answering if they are fatal.
    PcieError {
        /// Member concerned.
        member: Member,
        /// Uncorrectable and fatal.
        fatal: bool,
    },
    /// The NIC's firmware keeps slow-protocol frames for itself, without a trace.
    NicEatsLacpdus {
        /// Member concerned.
        member: Member,
        /// Direction.
        way: Way,
    },
    /// 01:80:c2:00:00:02 is missing in the device's multicast list.
    MulticastFilterMissing {
        /// Member concerned.
        member: Member,
    },
    /// The receive ring overflows.
    RingOverflow {
        /// Member concerned.
        member: Member,
        /// Share of the frames that is lost, 0 to 1.
        share: f64,
    },

    // ---- the host: configuration and load
    /// A filter drops slow-protocol frames.
    HostFilter {
        /// Member concerned.
        member: Member,
        /// Where it sits.
        hook: Hook,
    },
    /// The member's queueing discipline drops what it is given.
    QdiscLoss {
        /// Member concerned.
        member: Member,
    },
    /// The CPU that runs the bond's work item and the receive softirq is taken away, again and again.
    Starvation {
        /// Milliseconds without CPU.
        stall_ms: u64,
        /// Milliseconds with CPU in between.
        run_ms: u64,
    },
    /// `ip link set MEMBER down`.
    AdminDown {
        /// Member concerned.
        member: Member,
    },
    /// Somebody takes the member out of the bond and puts it back when the fault ends.
    Release {
        /// Member concerned.
        member: Member,
        /// Who: a program name for the log, or none.
        #[serde(default)]
        by: Option<String>,
    },
    /// `lacp_rate` is changed.
    HostRate {
        /// Fast.
        fast: bool,
    },
    /// `lacp_active off`.
    HostPassive {},
    /// The bond runs in a mode without LACP (`balance-xor`) against a switch that speaks it.
    HostStatic {},
    /// A member with another MTU.
    MtuDiffers {
        /// Member concerned.
        member: Member,
        /// Octets.
        mtu: u32,
    },

    // ---- the switch
    /// The switch stops sending LACPDUs; it still hears, and data flows.
    SwitchSilent {
        /// Member concerned.
        member: Member,
    },
    /// The switch sends late.
    SwitchLate {
        /// Member concerned.
        member: Member,
        /// Up to so many milliseconds late, at random.
        up_to_ms: u64,
    },
    /// LACPDUs of the host do not reach the switch's LACP process (policer, full queue).
    SwitchDeaf {
        /// Member concerned.
        member: Member,
        /// Share that is lost, 0 to 1.
        #[serde(default = "all_of_it")]
        share: f64,
    },
    /// The switch sends at the slow rate although it is asked for the fast one.
    SwitchIgnoresRate {
        /// Member concerned.
        member: Member,
    },
    /// The switch puts something else into the Partner fields.
    SwitchEcho {
        /// Member concerned.
        member: Member,
        /// What.
        echo: Echo,
    },
    /// The switch's process starts anew: silence, then everything from the beginning.
    SwitchRestart {},
    /// The port has another key.
    SwitchKey {
        /// Member concerned.
        member: Member,
        /// Key.
        key: u16,
    },
    /// The switch of this member takes another system identifier (an MLAG pair that fell apart).
    SwitchSystem {
        /// Member concerned.
        member: Member,
    },
    /// The switch of this member takes the *host's* system identifier.
    SwitchTakesHostSystem {
        /// Member concerned.
        member: Member,
    },
    /// The switch is passive.
    SwitchPassive {},
    /// The port speaks no LACP, and forwards.
    SwitchStatic {
        /// Member concerned.
        member: Member,
    },
    /// The switch keeps the port out of the aggregate although it hears the host.
    SwitchSuspends {
        /// Member concerned.
        member: Member,
    },
    /// The port is taken out of the port-channel: a PDU without Aggregation, then silence.
    SwitchReleases {
        /// Member concerned.
        member: Member,
    },
    /// The port is shut down on the switch: carrier is lost.
    SwitchPortDown {
        /// Member concerned.
        member: Member,
    },
    /// The rate that the switch asks for is changed.
    SwitchRate {
        /// Fast.
        fast: bool,
    },

    // ---- above the bond, and elsewhere
    /// Frames of a VLAN over the bond are lost.
    VlanLoss {
        /// Where.
        place: VlanLoss,
    },
    /// The path is congested: queue drops and retransmissions, LACP untouched.
    Congestion {},
    /// Pause frames stop the transmitter for long times.
    PauseStorm {
        /// Member concerned.
        member: Member,
    },
    /// One member carries nearly all traffic.
    HashImbalance {},
    /// Errors that were counted before the recording began, and do not grow.
    OldErrors {
        /// Member concerned.
        member: Member,
        /// How many.
        count: u64,
    },
    /// The log complains about an interface that is not in the bond.
    OtherNicTrouble {},
}

const fn all_of_it() -> f64 {
    1.0
}

/// A place in the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Member {
    /// The member that was drawn as the victim.
    Victim,
    /// A member that is not the victim.
    Other,
    /// Every member.
    All,
}
