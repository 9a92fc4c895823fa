//! One member with its NIC, its cable and the switch port behind it.

use crate::fault::{Echo, Hook};
use crate::incident::MemberSpec;
use crate::view::{HookView, NetCounters, NicCounters, OpticsView};
use lacp::machine::{Pdu, Time};
use lacp::{Mac, PortInfo};

/// Who is at the other end of the cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// A port of the switch (chassis, port).
    Switch(usize, usize),
    /// A port of a foreign switch.
    Foreign(usize),
}

/// How the switch port misbehaves.
#[derive(Debug, Clone, Default)]
pub(super) struct Misbehaviour {
    /// Sends nothing.
    pub(super) silent: bool,
    /// Share of the host's PDUs that its process never sees.
    pub(super) deaf: f64,
    /// Sends late, by up to so many milliseconds.
    pub(super) late_ms: u64,
    /// Takes the host's Timeout bit for long.
    pub(super) ignores_rate: bool,
    /// Puts something else into the Partner fields.
    pub(super) echo: Option<(Echo, PortInfo)>,
    /// Never claims Synchronization.
    pub(super) suspends: bool,
    /// Forwards without LACP.
    pub(super) forwards_anyway: bool,
    /// Does not forward whatever LACP says.
    pub(super) blocks: bool,
}

/// One member.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) spec: MemberSpec,
    pub(super) ifindex: u32,
    pub(super) bus: String,
    pub(super) permanent: Mac,
    /// MAC of the switch port.
    pub(super) peer_mac: Mac,
    /// Index of the port in the host's system; changes when the member is enslaved anew.
    pub(super) port: Option<usize>,
    pub(super) peer: Peer,
    /// A second speaker on the wire: port of the foreign system.
    pub(super) intruder: Option<usize>,

    // ---- the wire
    /// Reasons why there is no carrier; carrier is there while it is 0.
    pub(super) dark: u32,
    /// Share of LACPDUs lost on the wire: to the switch, to the host.
    pub(super) pdu_loss: [f64; 2],
    /// No frame reaches the host.
    pub(super) mute: bool,
    /// Share of frames damaged: to the switch, to the host.
    pub(super) damage: [f64; 2],
    /// Additional delay in milliseconds: to the switch, to the host.
    pub(super) delay_ms: [u64; 2],

    // ---- the host's port
    pub(super) admin_up: bool,
    pub(super) carrier: bool,
    pub(super) mii_up: bool,
    pub(super) mtu: u32,
    pub(super) speed_mbps: u32,
    /// The host advertises no mode above this.
    pub(super) advertises_mbps: Option<u32>,
    pub(super) link_failures: u32,
    pub(super) carrier_counts: (u32, u32),
    /// The transmitter hangs: since when.
    pub(super) hung_since: Option<Time>,
    /// Frames that wait in the queueing discipline.
    pub(super) backlog: u64,
    /// Firmware keeps PDUs: outgoing, incoming.
    pub(super) eaten: [bool; 2],
    pub(super) joined: bool,
    pub(super) ring_loss: f64,
    pub(super) qdisc_loss: bool,
    pub(super) hooks: Vec<HookView>,
    pub(super) paused: bool,
    pub(super) optics: Option<OpticsView>,

    // ---- counters
    pub(super) counters: NetCounters,
    pub(super) nic: NicCounters,
    pub(super) qdisc_sent: u64,
    pub(super) qdisc_dropped: u64,
    pub(super) counted_until: Time,
    /// The switch and the host forwarded on this member since then.
    pub(super) forwards: (bool, bool),
    /// Fractions of frames not yet counted.
    pub(super) rest: [f64; 4],

    pub(super) switch: Misbehaviour,
    /// What the switch port heard last from the host.
    pub(super) heard: Option<Pdu>,
    /// LACPDUs counted before the member was last enslaved do not show; this is what shows.
    pub(super) switch_crc: u64,
}

impl Member {
    /// Frames pass in both directions as far as the wire is concerned.
    pub(super) const fn lit(&self) -> bool {
        self.dark == 0 && self.admin_up
    }

    pub(super) fn hook(&mut self, matching: &[Hook]) -> Option<&mut HookView> {
        self.hooks.iter_mut().find(|h| matching.contains(&h.hook))
    }
}
