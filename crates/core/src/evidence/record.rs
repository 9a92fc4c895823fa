//! What parsers produce: facts, each with the place it was read from.
//!
//! A record says what the source said, in the source's own words (keys are normalised only where several
//! sources name one thing differently); it never judges.

use super::citation::Citation;
use crate::units::{Mac, Stamp};

/// One fact, or one block of facts, read from one place.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it was read.
    pub at: Citation,
    /// When it was true, if the source says so.
    pub time: Option<Stamp>,
    /// What was read.
    pub what: What,
}

/// The kinds of facts.
#[derive(Debug, Clone)]
pub enum What {
    /// The state of a bond (kernel bonding, team or Open vSwitch) with its members.
    Bond(Bond),
    /// One network interface at one moment.
    Link(Link),
    /// Counters of an interface, a queue or the host.
    Counters(Counters),
    /// One line of the kernel log.
    Kernel(KernelLine),
    /// Settings of an interface or the host as key and value (`ethtool`, sysfs, `systemctl`, ...).
    Fields(Fields),
    /// Configuration as written in a file: what somebody wanted.
    Config(Fields),
    /// A queueing discipline with its counters.
    Qdisc(Qdisc),
    /// A program or filter attached to an interface (XDP, tc, tcx, nft).
    Hook(Hook),
    /// A LACPDU that somebody pasted as text.
    Pdu(TextPdu),
    /// Packets that the kernel freed, or a transmit return code (drop monitor, tracefs).
    Drop(Drop),
    /// The result of a reachability test (ping, a test sender).
    Probe(Probe),
    /// Output of a switch: recognised and listed; parsed by a later issue.
    Switch(SwitchOutput),
}

/// A key and its value at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The key, as the source writes it or as the parser's documentation normalises it.
    pub key: String,
    /// The value, trimmed.
    pub value: String,
    /// Where.
    pub at: Citation,
}

/// An ordered list of fields about one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// Which source: a format id, such as `ethtool-k`.
    pub source: &'static str,
    /// The interface (or unit, connection, file section) they are about.
    pub dev: Option<String>,
    /// The fields in the order of the source.
    pub entries: Vec<Field>,
}

impl Fields {
    /// An empty list.
    #[must_use]
    pub const fn new(source: &'static str, dev: Option<String>) -> Self {
        Self { source, dev, entries: Vec::new() }
    }
    /// Appends a field.
    pub fn push(&mut self, key: impl Into<String>, value: impl Into<String>, at: Citation) {
        self.entries.push(Field { key: key.into(), value: value.into(), at });
    }
    /// The first field with this key (ASCII case is ignored).
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Field> {
        self.entries.iter().find(|f| f.key.eq_ignore_ascii_case(key))
    }
    /// The value of the first field with this key.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(|f| f.value.as_str())
    }
    /// The value as a decimal number (leading digits: `1000 Mbps` gives 1000).
    #[must_use]
    pub fn int(&self, key: &str) -> Option<u64> {
        leading_int(self.text(key)?)
    }
    /// The value as a MAC address.
    #[must_use]
    pub fn mac(&self, key: &str) -> Option<Mac> {
        self.text(key)?.parse().ok()
    }
}

/// The number at the start of a text: `1000Mb/s` gives 1000.
#[must_use]
pub fn leading_int(text: &str) -> Option<u64> {
    let t = text.trim_start();
    let digits = t.len() - t.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    t.get(..digits)?.parse().ok()
}

/// Which software aggregates the links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aggregator {
    /// The kernel's bonding driver.
    Bonding,
    /// teamd (libteam).
    Team,
    /// Open vSwitch.
    Ovs,
}

/// The state of a bond with its members.
///
/// Bond-wide keys are those of `/proc/net/bonding` (`Bonding Mode`, `MII Status`, `LACP rate`, `Number of ports`,
/// `Aggregator ID`, `Actor Key`, `Partner Key`, `Partner Mac Address`, `System MAC address`, ...); parsers of
/// other sources map their words to these.
#[derive(Debug, Clone)]
pub struct Bond {
    /// The format it was read from.
    pub source: &'static str,
    /// The bond's name; `/proc/net/bonding` does not print it, so it may come from the file name.
    pub name: Option<String>,
    /// Which software.
    pub aggregator: Aggregator,
    /// Bond-wide fields.
    pub fields: Fields,
    /// The members in the order of the source.
    pub members: Vec<BondMember>,
}

/// One member of a bond.
///
/// Keys are those of `/proc/net/bonding`: `MII Status`, `Speed`, `Duplex`, `Link Failure Count`,
/// `Permanent HW addr`, `Aggregator ID`, `Actor Churn State`, `Partner Churn State`, `Actor Churned Count`,
/// `Partner Churned Count`. `actor` and `partner` hold `system priority`, `system mac address`, `port key`
/// (partner: `oper key`), `port priority`, `port number`, `port state` (decimal octet).
#[derive(Debug, Clone)]
pub struct BondMember {
    /// The interface.
    pub name: String,
    /// The line that names it.
    pub at: Citation,
    /// Fields of the member.
    pub fields: Fields,
    /// `details actor lacp pdu`.
    pub actor: Fields,
    /// `details partner lacp pdu`.
    pub partner: Fields,
}

/// One interface at one moment.
///
/// Keys in `fields`: `mtu`, `state` (operstate, upper case), `qdisc`, `master`, `mac`, `permaddr`, `kind` (`bond`, `vlan`,
/// `veth`, ...), `slave_kind`, `promiscuity`, `txqlen`, `vlan_id`, `vlan_parent`, `xdp`, `carrier`, `carrier_changes`,
/// `carrier_up_count`, `carrier_down_count`, `addr` (one field per address), `altname`; of a bond's member:
/// `bond_state`, `mii_status`, `link_failure_count`, `aggregator_id`, `actor_state`, `partner_state` (decimal octets),
/// `queue_id`; of a bond: `bond.` + the name `ip -d link` prints (`bond.mode`, `bond.miimon`, `bond.lacp_rate`,
/// `bond.ad_aggregator`, `bond.ad_num_ports`, `bond.ad_partner_mac`, ...). Other words are kept under their own name.
#[derive(Debug, Clone)]
pub struct Link {
    /// The format it was read from.
    pub source: &'static str,
    /// The interface.
    pub name: String,
    /// What is after `@` in `ip link`: the lower device, or the peer.
    pub parent: Option<String>,
    /// Flags between `<` and `>`; empty where the source has none.
    pub flags: Vec<String>,
    /// True for a `Deleted` line of `ip monitor`.
    pub deleted: bool,
    /// Everything else.
    pub fields: Fields,
}

impl Link {
    /// True if the flag is set.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.flags.iter().any(|f| f == name)
    }
}

/// Counters read at one moment.
#[derive(Debug, Clone)]
pub struct Counters {
    /// The format they were read from.
    pub source: &'static str,
    /// The interface; none for host-wide counters, or where the source does not name it.
    pub dev: Option<String>,
    /// The counters.
    pub entries: Vec<Counter>,
}

/// One counter.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Its name in the source.
    pub name: String,
    /// Its value.
    pub value: u64,
    /// What it counts.
    pub meaning: Meaning,
    /// Where.
    pub at: Citation,
}

/// What a counter counts, whatever the driver calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// Frames received.
    RxPackets,
    /// Frames sent.
    TxPackets,
    /// Octets received.
    RxBytes,
    /// Octets sent.
    TxBytes,
    /// Multicast frames received.
    RxMulticast,
    /// Multicast frames sent.
    TxMulticast,
    /// Receive errors, not further told apart.
    RxErrors,
    /// Transmit errors, not further told apart.
    TxErrors,
    /// Frames with a wrong FCS, alignment or frame errors.
    RxCrc,
    /// Symbol or coding errors (8b/10b, 64b/66b), PCS errors, bad blocks.
    RxSymbol,
    /// FEC blocks that could be corrected: a worn margin, no loss.
    FecCorrected,
    /// FEC blocks that could not be corrected: loss.
    FecUncorrected,
    /// Local fault: this receiver has no clean signal.
    LocalFault,
    /// Remote fault: the other end says that it has no clean signal.
    RemoteFault,
    /// Too short, too long or malformed frames.
    RxLength,
    /// Frames lost because the ring or the FIFO was full (`rx_missed`, `rx_no_buffer`, `rx_fifo`, out of buffer).
    RxMissed,
    /// Frames the kernel or the driver discarded after reception.
    RxDropped,
    /// Frames discarded before transmission.
    TxDropped,
    /// Loss of carrier during transmission.
    TxCarrier,
    /// Late or excessive collisions: a duplex mismatch.
    Collisions,
    /// Transmit timeouts or hangs.
    TxTimeout,
    /// Resets of the adapter.
    Reset,
    /// Link-down or link-change events counted by driver or PHY.
    LinkDown,
    /// Pause frames received.
    RxPause,
    /// Pause frames sent.
    TxPause,
    /// Frames dropped by the NIC's own filter or policer, or by firmware.
    RxFiltered,
    /// LACPDUs that reached the bond (`BOND_3AD_STAT_LACPDU_RX`).
    LacpduRx,
    /// LACPDUs the bond tried to send (`BOND_3AD_STAT_LACPDU_TX`: attempts).
    LacpduTx,
    /// Illegal or unknown slow-protocol PDUs.
    LacpduBad,
    /// Marker PDUs.
    Marker,
    /// TCP segments sent again.
    Retransmits,
    /// Packets dropped because the softirq backlog was full (`softnet_stat`, column 2).
    SoftnetDropped,
    /// Softirq budget used up with work left (`softnet_stat`, column 3).
    SoftnetSqueezed,
    /// Anything else; it is kept.
    Other,
}

/// A line of the kernel log.
#[derive(Debug, Clone)]
pub struct KernelLine {
    /// The host the line names as its own, as it is written there (syslog, `_HOSTNAME` of the journal).
    pub host: Option<String>,
    /// The interface it names, if any (member, not bond, where it names both).
    pub dev: Option<String>,
    /// The bond it names, if any.
    pub bond: Option<String>,
    /// The driver that speaks, if it can be told.
    pub driver: Option<String>,
    /// What it means.
    pub kind: KernelKind,
    /// The message without time, host and facility.
    pub text: String,
}

/// The dictionary of kernel messages that matter here (`kernel-facts.md` section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KernelKind {
    /// A driver says that the link came up.
    LinkUp,
    /// A driver says that the link came up in half duplex.
    LinkUpHalf,
    /// A driver says that the link went down.
    LinkDown,
    /// bonding: `link status definitely up`, `link status up`.
    MemberUp,
    /// bonding: `link status definitely down`, `link status down`.
    MemberDown,
    /// bonding: `Enslaving as`.
    Enslaved,
    /// bonding: `Releasing`.
    Released,
    /// bonding: `making interface ... the new active one`.
    NewActive,
    /// bonding: `now running without any active interface`.
    NoActive,
    /// bonding: `An illegal loopback occurred on slave`.
    Loopback,
    /// bonding: `No 802.3ad response from the link partner`.
    NoPartner,
    /// bonding: an operation on a member failed (`Error -13 calling set_mac_address`, ...).
    BondError,
    /// bonding: the permanent address is still in use.
    HwaddrInUse,
    /// bonding: anything else.
    BondOther,
    /// `NETDEV WATCHDOG`: transmit queue timed out.
    TxTimeout,
    /// A driver detected a hang of its transmit unit.
    TxHang,
    /// A driver resets the adapter.
    NicReset,
    /// Firmware error, health compromised, command timeout.
    FirmwareError,
    /// The device left the PCIe bus (`PCIe link lost`, `Adapter removed`, register reads failing).
    PcieLost,
    /// PCIe AER, correctable.
    AerCorrectable,
    /// PCIe AER, uncorrectable.
    AerUncorrectable,
    /// The hardware refused a filter, promiscuous mode, or ran out of table space.
    FilterError,
    /// The driver failed otherwise (probe failed, DMA error, cannot allocate, illegal descriptor ...).
    DriverError,
    /// Optical module or cable event (plugged, unplugged, error, unsupported).
    ModuleEvent,
    /// `entered` or `left promiscuous mode`.
    Promiscuous,
    /// Interface renamed or registered.
    Renamed,
    /// Soft lockup, hard lockup, RCU stall, hung task.
    Lockup,
    /// Out of memory, page allocation failure.
    Memory,
    /// `net_ratelimit: N callbacks suppressed`: lines are missing.
    Suppressed,
    /// `Virtual device ... asks to queue packet!`.
    AsksToQueue,
    /// Carrier up or down as `IPv6: ADDRCONF(NETDEV_CHANGE)` and the like see it: `link becomes ready`.
    LinkReady,
    /// A kernel `WARNING:`, `BUG:` or oops.
    Oops,
    /// First lines of a boot (`Linux version`).
    Boot,
    /// A log line without a bearing on the network.
    Other,
}

/// A queueing discipline.
#[derive(Debug, Clone)]
pub struct Qdisc {
    /// The interface.
    pub dev: String,
    /// `fq_codel`, `pfifo_fast`, `noqueue`, `clsact`, ...
    pub kind: String,
    /// True for the root.
    pub root: bool,
    /// Packets sent.
    pub sent: u64,
    /// Packets dropped.
    pub dropped: u64,
    /// Packets put back because the driver was busy.
    pub requeues: u64,
    /// Packets waiting.
    pub backlog: u64,
    /// Everything else that was printed.
    pub fields: Fields,
}

/// Where a program or filter is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookPoint {
    /// XDP: before the tap on receive.
    Xdp,
    /// tc, tcx or nft ingress: after the tap on receive.
    Ingress,
    /// tc, tcx or nft egress: before the tap on transmit.
    Egress,
}

/// A program or filter attached to an interface.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The interface; none where the source does not say.
    pub dev: Option<String>,
    /// Where in the path.
    pub point: HookPoint,
    /// Its name or kind.
    pub program: String,
    /// True if the text shows that it drops slow-protocol frames (EtherType 0x8809 or 01:80:c2:00:00:02), or
    /// drops everything.
    pub drops_lacp: bool,
    /// Packets it dropped, if it counts.
    pub dropped: Option<u64>,
}

/// Which way a frame went, seen from the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Sent by the host.
    Out,
    /// Received by the host.
    In,
}

/// A LACPDU pasted as text (tcpdump, tshark, a list of fields).
#[derive(Debug, Clone)]
pub struct TextPdu {
    /// The interface, if it is told.
    pub dev: Option<String>,
    /// The direction, if it is told.
    pub direction: Option<Direction>,
    /// Ethernet source address, if it is told.
    pub source: Option<Mac>,
    /// The PDU; fields that the text does not show are zero.
    pub pdu: lacp::Lacpdu,
    /// False if the text has no partner block.
    pub has_partner: bool,
}

/// Packets the kernel freed, or a transmit return code.
#[derive(Debug, Clone)]
pub struct Drop {
    /// The device, if told.
    pub dev: Option<String>,
    /// `TC_EGRESS`, `QDISC_DROP`, `NETFILTER_DROP`, ...; `xmit` for a return code.
    pub reason: String,
    /// The kernel symbol, if told.
    pub symbol: Option<String>,
    /// The return code of `net_dev_xmit`, if this is one.
    pub rc: Option<i64>,
    /// How many packets.
    pub count: u64,
}

/// The result of a reachability test.
#[derive(Debug, Clone)]
pub struct Probe {
    /// What was printed.
    pub text: String,
    /// Packets sent, if told.
    pub sent: Option<u64>,
    /// Replies, if told.
    pub received: Option<u64>,
    /// The error of the send call (`ENOBUFS`, ...), if told.
    pub errno: Option<String>,
}

/// Output of a switch.
#[derive(Debug, Clone)]
pub struct SwitchOutput {
    /// The best guess at the network operating system.
    pub vendor: &'static str,
    /// The command or kind of output, if it can be told.
    pub command: String,
    /// Lines that set or show whether a member port starts LACP itself: true for active.
    pub lacp_active: Vec<(bool, Citation)>,
}
