//! What the host would show of itself at one moment: the input of every renderer.

use lacp::machine::{ChurnState, Time};
use lacp::{Mac, PortInfo};

/// State and counters of the host at one moment.
#[derive(Debug, Clone)]
pub struct HostView {
    /// When, since the bond was opened.
    pub at: Time,
    /// Label of the snapshot: `before`, `during-1`, `after`.
    pub label: String,
    /// Host name.
    pub hostname: String,
    /// `uname -r`.
    pub kernel: String,
    /// Unix nanoseconds.
    pub wall_ns: i64,
    /// Nanoseconds since boot.
    pub boot_ns: u64,
    /// The bond.
    pub bond: BondView,
    /// Its members in the order of enslavement.
    pub members: Vec<MemberView>,
    /// A VLAN device on the bond.
    pub vlan: Option<VlanView>,
    /// CPU and softirq load.
    pub load: LoadView,
    /// Protocol counters (`nstat` names) since boot.
    pub protocol: Vec<(&'static str, u64)>,
}

/// The bond.
#[derive(Debug, Clone)]
pub struct BondView {
    /// Name.
    pub name: String,
    /// Interface index.
    pub ifindex: u32,
    /// 802.3ad; false: `balance-xor`.
    pub lacp: bool,
    /// `lacp_rate fast`.
    pub fast: bool,
    /// `lacp_active on`.
    pub active: bool,
    /// `miimon`, milliseconds.
    pub miimon_ms: u64,
    /// `min_links`.
    pub min_links: u32,
    /// MAC address of the bond: the Actor_System.
    pub mac: Mac,
    /// System priority.
    pub system_priority: u16,
    /// Carrier.
    pub carrier: bool,
    /// MTU.
    pub mtu: u32,
    /// The active aggregator, if any.
    pub active_aggregator: Option<AggregatorView>,
    /// netdev counters.
    pub counters: NetCounters,
    /// What sits on it.
    pub hooks: Vec<HookView>,
}

/// The active aggregator.
#[derive(Debug, Clone, Copy)]
pub struct AggregatorView {
    /// Identifier.
    pub id: u16,
    /// Ports whose link is up.
    pub ports: u32,
    /// Actor key.
    pub actor_key: u16,
    /// Partner key.
    pub partner_key: u16,
    /// Partner system.
    pub partner: Mac,
}

/// A member.
#[derive(Debug, Clone)]
pub struct MemberView {
    /// Name.
    pub name: String,
    /// Interface index.
    pub ifindex: u32,
    /// Driver.
    pub driver: String,
    /// Driver version and firmware version, as `ethtool -i` prints them.
    pub versions: (String, String),
    /// Bus address (`0000:3b:00.0`); empty for a virtual device.
    pub bus: String,
    /// Permanent MAC address.
    pub permanent: Mac,
    /// False while it is out of the bond.
    pub enslaved: bool,
    /// IFF_UP.
    pub admin_up: bool,
    /// Carrier as the NIC has it.
    pub carrier: bool,
    /// Link as the bond has it (miimon).
    pub mii_up: bool,
    /// Mb/s; `None` while there is no link.
    pub speed_mbps: Option<u32>,
    /// Speed of the port when it has a link.
    pub nominal_mbps: u32,
    /// The host advertises no mode above this, Mb/s; `None`: all that the NIC can do.
    pub advertises_mbps: Option<u32>,
    /// MTU.
    pub mtu: u32,
    /// Link Failure Count.
    pub link_failures: u32,
    /// `carrier_up_count`, `carrier_down_count`.
    pub carrier_counts: (u32, u32),
    /// Aggregator identifier.
    pub aggregator: u16,
    /// Actor.
    pub actor: PortInfo,
    /// Partner.
    pub partner: PortInfo,
    /// Actor Churn State and count.
    pub actor_churn: (ChurnState, u32),
    /// Partner Churn State and count.
    pub partner_churn: (ChurnState, u32),
    /// `bond_slave state ACTIVE`.
    pub forwarding: bool,
    /// LACPDUs received and (attempted) sent by the bond on this member.
    pub lacpdus: (u64, u64),
    /// netdev counters.
    pub counters: NetCounters,
    /// Counters of the NIC's MAC, by meaning; the driver's renderer knows their names.
    pub nic: NicCounters,
    /// The root queueing discipline.
    pub qdisc: QdiscView,
    /// Programs and rules on it.
    pub hooks: Vec<HookView>,
    /// 01:80:c2:00:00:02 is in the device's multicast list.
    pub slow_protocols_joined: bool,
    /// The transceiver, if it has one.
    pub optics: Option<OpticsView>,
}

/// `rtnl_link_stats64`, as far as it is modelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the kernel's own names")]
pub struct NetCounters {
    pub rx_packets: u64,
    pub tx_packets: u64,
    pub rx_bytes: u64,
    pub tx_bytes: u64,
    pub rx_errors: u64,
    pub tx_errors: u64,
    pub rx_dropped: u64,
    pub tx_dropped: u64,
    pub multicast: u64,
    pub rx_crc_errors: u64,
    pub rx_missed_errors: u64,
    pub tx_carrier_errors: u64,
}

/// What the NIC's MAC counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NicCounters {
    /// Good frames received.
    pub rx_packets: u64,
    /// Good frames sent.
    pub tx_packets: u64,
    /// Octets received.
    pub rx_bytes: u64,
    /// Octets sent.
    pub tx_bytes: u64,
    /// Multicast frames received.
    pub rx_multicast: u64,
    /// Multicast frames sent.
    pub tx_multicast: u64,
    /// Frames with a bad checksum.
    pub rx_crc: u64,
    /// Symbol errors.
    pub rx_symbol: u64,
    /// FEC blocks that could not be corrected.
    pub fec_uncorrectable: u64,
    /// FEC blocks that were corrected.
    pub fec_corrected: u64,
    /// Frames dropped for want of a buffer in the ring.
    pub rx_missed: u64,
    /// Transmit timeouts.
    pub tx_timeout: u64,
    /// Adapter resets.
    pub resets: u64,
    /// Pause frames received.
    pub rx_pause: u64,
    /// Pause frames sent.
    pub tx_pause: u64,
    /// Times the link went down, where the driver counts it.
    pub link_down: u64,
    /// Frames dropped by an XDP program.
    pub xdp_drop: u64,
}

/// A root queueing discipline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QdiscView {
    /// `mq` with `fq_codel`, `pfifo_fast`, `netem`, `noqueue`.
    pub kind: &'static str,
    /// Packets sent.
    pub sent: u64,
    /// Packets dropped.
    pub dropped: u64,
    /// Packets requeued.
    pub requeues: u64,
    /// Packets waiting.
    pub backlog: u64,
}

/// A program or rule on an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookView {
    /// Where.
    pub hook: crate::fault::Hook,
    /// On egress of the bond it concerns a VLAN; on a member, slow protocols.
    pub vlan: Option<u16>,
    /// Name of the program, table or filter.
    pub name: String,
    /// Frames dropped so far, where it counts them.
    pub dropped: u64,
    /// Attached as a tcx link (a BPF link of kernel 6.6 and later): neither `tc` nor any counter shows it, only
    /// `bpftool net` does. Its side is that of `hook`. False: a classic filter or rule.
    pub tcx: bool,
}

/// A transceiver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpticsView {
    /// Received power, dBm.
    pub rx_dbm: f64,
    /// Sent power, dBm.
    pub tx_dbm: f64,
    /// Laser bias, mA.
    pub bias_ma: f64,
    /// Temperature, degrees Celsius.
    pub celsius: f64,
}

/// A VLAN device on the bond.
#[derive(Debug, Clone)]
pub struct VlanView {
    /// Name.
    pub name: String,
    /// Interface index.
    pub ifindex: u32,
    /// VLAN identifier.
    pub id: u16,
    /// netdev counters.
    pub counters: NetCounters,
}

/// CPU and softirq load.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadView {
    /// One row for each CPU: processed, dropped, time_squeeze.
    pub softnet: Vec<(u64, u64, u64)>,
    /// PSI `some` of the CPU: avg10, avg60, avg300 in percent, total in microseconds.
    pub cpu_some: (f64, f64, f64, u64),
}

/// A line of the kernel log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When, since the bond was opened; negative times lie before it.
    pub at_ns: i64,
    /// syslog severity, 0 to 7.
    pub level: u8,
    /// Text without time.
    pub text: String,
}

/// A frame that a tap on a member saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When.
    pub at: Time,
    /// Index of the member.
    pub member: usize,
    /// Sent by the host.
    pub outgoing: bool,
    /// Source address.
    pub source: Mac,
    /// The PDU.
    pub pdu: lacp::machine::Pdu,
}

/// A change that `ip monitor link` printed.
#[derive(Debug, Clone)]
pub struct LinkEvent {
    /// When.
    pub at: Time,
    /// Index of the member.
    pub member: usize,
    /// The member after the change.
    pub member_view: Box<MemberView>,
}
