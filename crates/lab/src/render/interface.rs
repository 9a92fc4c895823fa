//! The interfaces of a host as rtnetlink describes them: what `ip link` prints as text and as JSON.

use crate::fault::Hook;
use crate::view::{HostView, MemberView, NetCounters};
use lacp::Mac;
use std::borrow::Cow;

/// One interface.
pub(super) struct Interface<'a> {
    pub(super) index: u32,
    pub(super) name: &'a str,
    /// What stands behind `@`.
    pub(super) lower: Option<&'a str>,
    pub(super) flags: Vec<&'static str>,
    pub(super) mtu: u32,
    /// Identifier and name of a native XDP program.
    pub(super) xdp: Option<(u32, &'a str)>,
    pub(super) qdisc: &'a str,
    pub(super) master: Option<&'a str>,
    pub(super) state: &'static str,
    pub(super) link_type: &'static str,
    pub(super) address: Mac,
    pub(super) broadcast: Mac,
    /// The permanent address, where it differs and the driver has one.
    pub(super) permanent: Option<Mac>,
    /// Least and largest MTU.
    pub(super) mtu_range: (u32, u32),
    pub(super) kind: Kind<'a>,
    pub(super) member: Option<Slave<'a>>,
    pub(super) queues: u32,
    pub(super) tso_max: (u32, u32),
    pub(super) bus: &'a str,
    pub(super) counters: NetCounters,
    /// `IFLA_CARRIER_CHANGES`.
    pub(super) carrier_changes: u32,
}

/// `IFLA_INFO_KIND`.
pub(super) enum Kind<'a> {
    /// A driver that sets none.
    None,
    Veth,
    Bond(&'a HostView),
    Vlan(u16),
}

/// `IFLA_INFO_SLAVE_DATA` of bonding.
pub(super) struct Slave<'a> {
    pub(super) member: &'a MemberView,
    /// The bond runs 802.3ad and the port has an aggregator: only then the kernel reports its states.
    pub(super) ad: bool,
}

/// All interfaces in the order of their index.
pub(super) fn all(view: &HostView) -> Vec<Interface<'_>> {
    let bond = &view.bond;
    let mut list = vec![loopback()];
    for m in &view.members {
        list.push(member(m, &bond.name, bond.mac, bond.lacp));
    }
    let carrier = bond.carrier;
    list.push(Interface {
        index: bond.ifindex,
        name: &bond.name,
        lower: None,
        flags: flags(&["BROADCAST", "MULTICAST", "MASTER"], true, carrier),
        mtu: bond.mtu,
        xdp: None,
        qdisc: "noqueue",
        master: None,
        state: state(true, carrier),
        link_type: "ether",
        address: bond.mac,
        broadcast: BROADCAST,
        permanent: None,
        mtu_range: (68, 65535),
        kind: Kind::Bond(view),
        member: None,
        queues: 16,
        tso_max: VIRTUAL_TSO,
        bus: "",
        counters: bond.counters,
        // Down while it was made, up when its first member was: bonds of the recordings show 2.
        carrier_changes: 2,
    });
    if let Some(v) = &view.vlan {
        let mut flags = flags(&["BROADCAST", "MULTICAST"], true, carrier);
        // A VLAN device passes on the lower device's lack of carrier.
        if !carrier {
            flags.retain(|f| *f != "LOWER_UP");
        }
        list.push(Interface {
            index: v.ifindex,
            name: &v.name,
            lower: Some(&bond.name),
            flags,
            mtu: bond.mtu,
            xdp: None,
            qdisc: "noqueue",
            master: None,
            state: if carrier { "UP" } else { "LOWERLAYERDOWN" },
            link_type: "ether",
            address: bond.mac,
            broadcast: BROADCAST,
            permanent: None,
            mtu_range: (0, 65535),
            kind: Kind::Vlan(v.id),
            member: None,
            queues: 1,
            tso_max: VIRTUAL_TSO,
            bus: "",
            counters: v.counters,
            carrier_changes: 2,
        });
    }
    list.sort_by_key(|i| i.index);
    list
}

const BROADCAST: Mac = Mac([0xff; 6]);
const VIRTUAL_TSO: (u32, u32) = (524_280, 65_535);

fn loopback() -> Interface<'static> {
    Interface {
        index: 1,
        name: "lo",
        lower: None,
        flags: vec!["LOOPBACK", "UP", "LOWER_UP"],
        mtu: 65536,
        xdp: None,
        qdisc: "noqueue",
        master: None,
        state: "UNKNOWN",
        link_type: "loopback",
        address: Mac::ZERO,
        broadcast: Mac::ZERO,
        permanent: None,
        mtu_range: (0, 0),
        kind: Kind::None,
        member: None,
        queues: 1,
        tso_max: VIRTUAL_TSO,
        bus: "",
        counters: NetCounters::default(),
        carrier_changes: 0,
    }
}

/// A member (or a former one).
pub(super) fn member<'a>(m: &'a MemberView, bond: &'a str, bond_mac: Mac, lacp: bool) -> Interface<'a> {
    let veth = m.driver == "veth";
    // In 802.3ad every member wears the bond's address; released, it gets its own back.
    let address = if m.enslaved { bond_mac } else { m.permanent };
    let base: &[&'static str] =
        if m.enslaved { &["BROADCAST", "MULTICAST", "SLAVE"] } else { &["BROADCAST", "MULTICAST"] };
    Interface {
        index: m.ifindex,
        name: &m.name,
        lower: None,
        flags: flags(base, m.admin_up, m.carrier),
        mtu: m.mtu,
        xdp: m
            .hooks
            .iter()
            .enumerate()
            .find(|(_, h)| h.hook == Hook::Xdp)
            .map(|(i, h)| (program_id(m.ifindex, i), h.name.as_str())),
        qdisc: m.qdisc.kind,
        master: m.enslaved.then_some(bond),
        state: state(m.admin_up, m.carrier),
        link_type: "ether",
        address,
        broadcast: BROADCAST,
        permanent: (!veth && address != m.permanent).then_some(m.permanent),
        mtu_range: mtu_range(&m.driver),
        kind: if veth { Kind::Veth } else { Kind::None },
        member: m.enslaved.then_some(Slave { member: m, ad: lacp && m.aggregator != 0 }),
        queues: if veth { 1 } else { queues(&m.driver) },
        tso_max: if veth { VIRTUAL_TSO } else { (65_536, 65_535) },
        bus: &m.bus,
        counters: m.counters,
        carrier_changes: m.carrier_counts.0.saturating_add(m.carrier_counts.1),
    }
}

/// Identifier of the nth program on an interface: the same in every listing.
pub(super) const fn program_id(ifindex: u32, nth: usize) -> u32 {
    let nth = if nth < 64 { nth as u32 } else { 64 };
    40u32.saturating_add(ifindex.saturating_mul(7)).saturating_add(nth)
}

fn flags(base: &[&'static str], admin_up: bool, carrier: bool) -> Vec<&'static str> {
    let mut flags = Vec::new();
    if admin_up && !carrier {
        flags.push("NO-CARRIER");
    }
    flags.extend(base);
    if admin_up {
        flags.push("UP");
        if carrier {
            flags.push("LOWER_UP");
        }
    }
    flags
}

const fn state(admin_up: bool, carrier: bool) -> &'static str {
    if admin_up && carrier { "UP" } else { "DOWN" }
}

/// Queues that the driver allocates (`alloc_etherdev_mq`), which is what `numtxqueues` shows.
fn queues(driver: &str) -> u32 {
    match driver {
        "ixgbe" => 63,
        "i40e" | "ice" | "mlx5_core" => 64,
        "bnxt_en" => 74,
        "igb" => 8,
        "igc" => 4,
        "tg3" => 5,
        _ => 1,
    }
}

/// `min_mtu` and `max_mtu` of the driver.
fn mtu_range(driver: &str) -> (u32, u32) {
    match driver {
        "ixgbe" => (68, 9710),
        "i40e" => (68, 9702),
        "ice" => (68, 9702),
        "mlx5_core" => (68, 9978),
        "bnxt_en" => (60, 9500),
        "igb" => (68, 9216),
        "igc" => (68, 9216),
        "tg3" => (60, 9000),
        "e1000e" => (68, 9000),
        _ => (68, 65535),
    }
}

/// iproute2's words for a port state.
pub(super) fn state_words(state: lacp::PortState) -> Vec<&'static str> {
    const WORDS: [&str; 8] = [
        "active",
        "short_timeout",
        "aggregating",
        "in_sync",
        "collecting",
        "distributing",
        "defaulted",
        "expired",
    ];
    WORDS.iter().enumerate().filter(|(i, _)| state.bits() >> i & 1 == 1).map(|(_, w)| *w).collect()
}

/// `eno1@bond0` or `eno1`.
pub(super) fn full_name<'a>(i: &Interface<'a>) -> Cow<'a, str> {
    match i.lower {
        Some(lower) => Cow::Owned(format!("{}@{lower}", i.name)),
        None => Cow::Borrowed(i.name),
    }
}
