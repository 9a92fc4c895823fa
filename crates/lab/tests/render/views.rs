//! Hand-built views.

use bondwitness_lab::view::{
    AggregatorView, BondView, HostView, LoadView, MemberView, NetCounters, NicCounters, QdiscView,
};
use lacp::machine::{ChurnState, Time};
use lacp::{Mac, PortInfo, PortState};

/// 2026-11-22T02:08:36.175108Z.
pub(crate) const WALL: i64 = 1_795_313_316_175_108_421;

pub(crate) fn port(system: [u8; 6], key: u16, port: u16, state: u8) -> PortInfo {
    PortInfo {
        system_priority: 65535,
        system: Mac(system),
        key,
        port_priority: 255,
        port,
        state: PortState::from_bits_retain(state),
    }
}

pub(crate) const BOND: [u8; 6] = [2, 0, 0, 0, 0x11, 1];

/// The state of `fixtures/mlag-split/snap-split74`, as far as a view has it.
pub(crate) fn split74() -> HostView {
    let net = |rx, tx, dropped| NetCounters {
        rx_packets: rx,
        rx_bytes: rx * 124,
        tx_packets: tx,
        tx_bytes: tx * 124,
        rx_dropped: dropped,
        ..NetCounters::default()
    };
    let member = |n: u8, ifindex: u32| MemberView {
        name: format!("h{n}"),
        ifindex,
        driver: "veth".to_owned(),
        versions: ("1.0".to_owned(), String::new()),
        bus: String::new(),
        permanent: Mac([2, 0, 0, 0, 0x11, n]),
        enslaved: true,
        admin_up: true,
        carrier: true,
        mii_up: true,
        speed_mbps: Some(10_000),
        nominal_mbps: 10_000,
        advertises_mbps: None,
        mtu: 1500,
        link_failures: 0,
        carrier_counts: (1, 1),
        aggregator: u16::from(n),
        actor: port(BOND, 15, u16::from(n), 63),
        partner: port([2, 0, 0, 0xaa, 0xbb, 0xcc], 335, 1, 63),
        actor_churn: (ChurnState::NoChurn, 0),
        partner_churn: (ChurnState::NoChurn, 0),
        forwarding: true,
        lacpdus: (90, 90),
        counters: net(91, 90, 1),
        nic: NicCounters::default(),
        qdisc: QdiscView { kind: "noqueue", sent: 0, dropped: 0, requeues: 0, backlog: 0 },
        hooks: Vec::new(),
        slow_protocols_joined: true,
        optics: None,
    };
    let first = member(1, 31);
    let second = MemberView {
        actor: port(BOND, 15, 2, 7),
        partner: port([2, 0, 0, 0xdd, 0xee, 0xff], 335, 1, 15),
        actor_churn: (ChurnState::Churn, 1),
        forwarding: false,
        lacpdus: (93, 91),
        counters: net(93, 91, 0),
        ..member(2, 35)
    };
    HostView {
        at: Time::from_secs(74),
        label: "split74".to_owned(),
        hostname: "db01".to_owned(),
        kernel: "6.12.107+deb13-cloud-amd64".to_owned(),
        wall_ns: WALL,
        boot_ns: 177_032_515_000,
        bond: BondView {
            name: "bond0".to_owned(),
            ifindex: 38,
            lacp: true,
            fast: true,
            active: true,
            miimon_ms: 100,
            min_links: 0,
            mac: Mac(BOND),
            system_priority: 65535,
            carrier: true,
            mtu: 1500,
            active_aggregator: Some(AggregatorView {
                id: 1,
                ports: 1,
                actor_key: 15,
                partner_key: 335,
                partner: Mac([2, 0, 0, 0xaa, 0xbb, 0xcc]),
            }),
            counters: net(184, 181, 1),
            hooks: Vec::new(),
        },
        members: vec![first, second],
        vlan: None,
        load: LoadView::default(),
        protocol: Vec::new(),
    }
}

/// A host with two physical NICs of a driver, everything counted a little.
pub(crate) fn physical(driver: &str) -> HostView {
    let mut view = split74();
    for (n, m) in view.members.iter_mut().enumerate() {
        let k = n as u64 + 1;
        m.name = format!("eno{k}");
        m.driver = driver.to_owned();
        m.versions = ("6.12.107".to_owned(), "9.20 0x8000d8c5 22.0.9".to_owned());
        m.bus = format!("0000:3b:00.{n}");
        m.ifindex = 1 + u32::try_from(k).unwrap();
        m.nic = NicCounters {
            rx_packets: 1_000_003 * k,
            tx_packets: 900_001 * k,
            rx_bytes: 700_000_111 * k,
            tx_bytes: 600_000_333 * k,
            rx_multicast: 4_321 * k,
            tx_multicast: 1_234 * k,
            rx_crc: 17 * k,
            rx_symbol: 23 * k,
            fec_uncorrectable: 5 * k,
            fec_corrected: 11 * k,
            rx_missed: 29 * k,
            tx_timeout: 2 * k,
            resets: 3 * k,
            rx_pause: 41 * k,
            tx_pause: 43 * k,
            link_down: 7 * k,
            xdp_drop: 47 * k,
        };
        m.counters = NetCounters {
            rx_packets: 999_000 * k,
            tx_packets: 899_000 * k,
            rx_bytes: 12_345_678_901 * k,
            tx_bytes: 98_765_432 * k,
            rx_errors: 17 * k,
            tx_errors: 1,
            rx_dropped: 3,
            tx_dropped: 4,
            multicast: 4_321 * k,
            rx_crc_errors: 17 * k,
            rx_missed_errors: 29 * k,
            tx_carrier_errors: 6,
        };
        m.qdisc = QdiscView { kind: "mq", sent: 899_000 * k, dropped: 13, requeues: 5, backlog: 2 };
    }
    view.bond.ifindex = 4;
    view
}
