//! A concrete incident: a scenario with nothing random left in it. The simulator and the kernel lab run the same one.

use crate::fault::{Fault, Way};
use serde::{Deserialize, Serialize};

/// A concrete incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Name of the scenario it was drawn from.
    pub scenario: String,
    /// Family of the scenario.
    pub family: String,
    /// The seed it was drawn with.
    pub seed: u64,
    /// Who is connected to whom.
    pub topology: Topology,
    /// Milliseconds from the bond's opening to the end.
    pub duration_ms: u64,
    /// What happens, in order of time.
    pub faults: Vec<TimedFault>,
    /// What is recorded, and survives.
    pub evidence: Evidence,
    /// What is true.
    pub truth: Truth,
}

/// A fault with its times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedFault {
    /// When it begins, in milliseconds after the bond's opening. Zero: it has always been so.
    pub at_ms: u64,
    /// How long it lasts; for good, if absent.
    pub for_ms: Option<u64>,
    /// What.
    pub fault: Fault,
}

/// Both ends and what lies between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Topology {
    /// The host.
    pub host: Host,
    /// The other end.
    pub switch: Switch,
    /// Members, in the order in which they were enslaved.
    pub members: Vec<MemberSpec>,
    /// Index of the member that faults call the victim.
    pub victim: usize,
    /// Index of a member that faults call the other.
    pub other: usize,
}

/// The host's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Host name.
    pub name: String,
    /// Name of the bond.
    pub bond: String,
    /// Kernel release, as `uname -r` prints it.
    pub kernel: String,
    /// `lacp_rate fast`.
    pub fast: bool,
    /// `lacp_active on`.
    pub active: bool,
    /// Milliseconds between two looks at carrier.
    pub miimon_ms: u64,
    /// `min_links`.
    pub min_links: u32,
    /// Seconds since boot when the bond is opened.
    pub uptime_s: u64,
    /// Unix time, in seconds, when the bond is opened.
    pub wall_s: u64,
    /// A VLAN on the bond, if any.
    pub vlan: Option<u16>,
}

/// The other end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Switch {
    /// Linux bonding (a switch with a Linux kernel that runs it, or another host), else the standard's machines.
    pub linux: bool,
    /// Asks for the fast rate.
    pub fast: bool,
    /// LACP active.
    pub active: bool,
    /// Key of the port-channel.
    pub key: u16,
    /// Two chassis that pose as one system (MLAG): members alternate between them.
    pub mlag: bool,
    /// The switch's clock is ahead of the host's by so many milliseconds.
    pub clock_ahead_ms: i64,
}

/// A member and its NIC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberSpec {
    /// Interface name.
    pub name: String,
    /// Driver name, as `ethtool -i` prints it; `veth` in the kernel lab.
    pub driver: String,
    /// Mb/s.
    pub speed_mbps: u32,
    /// MTU.
    pub mtu: u32,
    /// Frames in a second that arrive besides LACPDUs.
    pub rx_pps: u64,
    /// Frames in a second that leave besides LACPDUs.
    pub tx_pps: u64,
}

/// How LACPDUs were captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capture {
    /// Not at all.
    None,
    /// One pcapng for each member, with directions.
    Directed,
    /// One pcap of `-i any` (LINUX_SLL2), with directions.
    Any,
    /// One plain Ethernet pcap for each member: no direction in the file.
    Plain,
    /// Incoming frames only (a socket bound to the slow-protocols type).
    Incoming,
}

/// In which shape the kernel log was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogShape {
    /// Not at all.
    None,
    /// `dmesg`: seconds since boot.
    Dmesg,
    /// `dmesg -T`: civil time of the host.
    DmesgTime,
    /// `journalctl -k -o short-iso-precise`.
    JournalIso,
    /// `journalctl -k -o json`.
    JournalJson,
}

/// What is recorded and survives. Each file that is listed here is in the evidence folder; nothing else is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// LACPDUs.
    pub capture: Capture,
    /// The capture begins so many milliseconds after the bond's opening ...
    pub capture_from_ms: u64,
    /// ... and ends so many before the end of the incident.
    pub capture_until_ms: u64,
    /// `/proc/net/bonding/BOND` at the snapshots.
    pub proc: bool,
    /// ... as root (with the actor's and partner's details).
    pub privileged: bool,
    /// `ip -s -d link` at the snapshots.
    pub links: bool,
    /// LACPDU counters of the bond (`ip -j stats ... xstats_slave`) at the snapshots.
    pub xstats: bool,
    /// `ethtool -S` of each member at the snapshots.
    pub nic_counters: bool,
    /// `ethtool`, `ethtool -i`, `ethtool -m` of each member.
    pub nic_settings: bool,
    /// `tc -s qdisc`, filters and `nft list ruleset`.
    pub filters: bool,
    /// `ip maddr`.
    pub multicast: bool,
    /// `softnet_stat`, PSI.
    pub load: bool,
    /// `nstat -a`.
    pub protocol_counters: bool,
    /// bonding sysfs.
    pub sysfs: bool,
    /// `ip monitor link`.
    pub monitor: bool,
    /// The kernel log.
    pub log: LogShape,
    /// The far end's own evidence (of a Linux switch).
    pub far_end: bool,
    /// When state and counters are read, in milliseconds after the bond's opening.
    pub snapshots_ms: Vec<u64>,
}

/// What the surviving evidence can decide. Declared by the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decidable {
    /// The side.
    Side,
    /// That some side is clear, and no more.
    Exoneration,
    /// Nothing.
    Nothing,
}

/// What is true of an incident, in the words of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// `verdict.fault_domain`.
    pub fault_domain: String,
    /// `verdict.side`.
    pub side: String,
    /// Names of the members at fault.
    pub members: Vec<String>,
    /// The direction that is broken.
    pub direction: Option<Way>,
    /// What can be decided.
    pub decidable: Decidable,
    /// Sides that the evidence clears, if only that can be decided.
    pub cleared: Vec<String>,
    /// Fault domains that an honest verdict may name instead (where a mechanism lies on the border).
    pub also: Vec<String>,
    /// What can be decided where nothing of the host was lost, if that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<Collected>,
}

/// What can be decided from all that the program's own collectors read on the host, and from nothing of the far end.
/// Declared where [`Evidence`] withholds something of the host, or gives something of the far end, and the declaration
/// rests on that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collected {
    /// What can be decided.
    pub decidable: Decidable,
    /// Sides that the evidence clears, if only that can be decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleared: Vec<String>,
}

impl Truth {
    /// The truth for evidence that was collected whole: [`Truth::collected`] in place of what was declared for less.
    #[must_use]
    pub fn of_all_collected(&self) -> Self {
        let mut truth = self.clone();
        if let Some(collected) = truth.collected.take() {
            truth.decidable = collected.decidable;
            truth.cleared = collected.cleared;
        }
        truth
    }
}
