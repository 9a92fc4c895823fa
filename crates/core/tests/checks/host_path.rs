//! The path of frames through the host: `congestion`, `host-starved`, `multicast-filter`, `slow-protocol-filter`,
//! `vlan-tx-drop`.

use crate::answers::Evidence;
use crate::conversation::{
    Frame, HEALTHY, healthy, host, in_member, lost_towards_host, lost_towards_switch, proc, talk, with,
};
use bondwitness_core::domain::{FaultDomain as D, Way};
use bondwitness_core::finding::{Severity, Strength as S};

fn calm() -> Vec<Frame> {
    talk(1, 90, |_| healthy(1))
}

fn in_order() -> String {
    proc([(HEALTHY, HEALTHY); 2])
}

/// Two readings.
fn twice(evidence: Evidence, name: &str, low: String, high: String) -> Evidence {
    evidence.with(&format!("s1/{name}"), low).with(&format!("s2/{name}"), high)
}

fn nstat(retransmits: u32) -> String {
    format!(
        "#kernel\nIpInReceives                    50000              0.0\nTcpInSegs                       40000              0.0\nTcpRetransSegs                  {retransmits}                 0.0\n"
    )
}

/// `ethtool -S eno1` with pause frames, missed frames and traffic.
fn nic(pause: u64, missed: u64, packets: u64) -> String {
    format!(
        "# ethtool -S eno1\nNIC statistics:\n     rx_packets: {packets}\n     tx_packets: {packets}\n     rx_missed_errors: {missed}\n     rx_flow_control_xoff: {pause}\n"
    )
}

#[test]
fn a_stable_bond_with_pause_and_retransmits_has_another_trouble() {
    let evidence = twice(Evidence::bond(), "nstat.txt", nstat(100), nstat(9000));
    let said =
        twice(evidence, "ethtool.txt", nic(7, 0, 10_000), nic(50_007, 0, 20_000)).ask("congestion").all(2);
    let mut said = said.into_iter();
    said.next()
        .unwrap()
        .about("", None)
        .accuses(D::NotLacp, S::Moderate)
        .says("TCP retransmits rose by 8900")
        .quotes(&[
            "TcpRetransSegs                  100                 0.0",
            "TcpRetransSegs                  9000                 0.0",
        ]);
    said.next()
        .unwrap()
        .accuses(D::NotLacp, S::Moderate)
        .says("eno1: pause frames received rose by 50000")
        .quotes(&["rx_flow_control_xoff: 7", "rx_flow_control_xoff: 50007"]);
}

#[test]
fn a_queue_counts_by_what_it_dropped_between_two_readings() {
    let queue = |dropped: u32| {
        format!(
            "qdisc fq_codel 8001: dev eno1 root refcnt 2 limit 10240p\n Sent 23084 bytes 98 pkt (dropped {dropped}, overlimits 1 requeues 7) \n backlog 0b 0p requeues 7\n"
        )
    };
    twice(Evidence::bond(), "tc.txt", queue(5), queue(700))
        .ask("congestion")
        .one()
        .accuses(D::NotLacp, S::Moderate)
        .says("eno1: queue fq_codel dropped 695 more")
        .quotes(&[
            "qdisc fq_codel 8001: dev eno1 root refcnt 2 limit 10240p",
            "qdisc fq_codel 8001: dev eno1 root refcnt 2 limit 10240p",
        ]);
    twice(Evidence::bond(), "tc.txt", queue(70_000), queue(70_000)).ask("congestion").quiet();
    // The folder `after` comes first: what was sent tells the order.
    let sent = |n: u32, dropped: u32| queue(dropped).replace("98 pkt", &format!("{n} pkt"));
    let ordered = |after: String, before: String| {
        Evidence::bond().with("after/tc.txt", after).with("before/tc.txt", before).ask("congestion")
    };
    ordered(sent(9000, 700), sent(98, 5)).one().says("dropped 695 more");
    // It dropped less when it had sent more: the queue was made anew.
    ordered(sent(9000, 5), sent(98, 700)).quiet();
}

#[test]
fn retransmits_alone_or_beside_a_bond_with_trouble_are_not_congestion() {
    twice(Evidence::bond(), "nstat.txt", nstat(100), nstat(9000))
        .ask("congestion")
        .context()
        .says("TCP retransmits");
    let trouble = twice(Evidence::captured(&lost_towards_switch()), "nstat.txt", nstat(100), nstat(9000));
    twice(trouble, "ethtool.txt", nic(7, 0, 10_000), nic(50_007, 0, 20_000)).ask("congestion").quiet();
    twice(Evidence::bond(), "ethtool.txt", nic(900_000, 0, 10_000), nic(900_000, 0, 20_000))
        .ask("congestion")
        .quiet();
}

fn log(second: u32, text: &str) -> String {
    format!("2026-01-01T00:00:{second:02}.000000+00:00 db01 kernel: {text}\n")
}

const LOCKUP: &str = "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:123]";

#[test]
fn a_lockup_is_starvation() {
    Evidence::captured(&calm())
        .with("kern.log", log(30, LOCKUP))
        .ask("host-starved")
        .one()
        .about("", None)
        .accuses(D::HostStarvation, S::Moderate)
        .quotes(&[log(30, LOCKUP).trim()]);
}

#[test]
fn a_task_that_waits_for_its_disk_is_not() {
    Evidence::captured(&calm())
        .with("kern.log", log(30, "INFO: task kworker/u8:2:77 blocked for more than 120 seconds."))
        .ask("host-starved")
        .quiet();
}

#[test]
fn a_ring_that_overflowed_while_lacpdus_went_missing_is_the_host() {
    twice(Evidence::captured(&lost_towards_host()), "ethtool.txt", nic(0, 5, 10_000), nic(0, 4005, 20_000))
        .ask("host-starved")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::HostStarvation, S::Strong)
        .says("the receive ring overflowed: rx_missed_errors rose by 4000")
        .quotes(&["rx_missed_errors: 4005", "rx_missed_errors: 5"]);
}

#[test]
fn a_ring_that_overflowed_under_load_long_ago_or_in_the_other_direction_explains_nothing() {
    twice(Evidence::captured(&calm()), "ethtool.txt", nic(0, 5, 10_000), nic(0, 4005, 20_000))
        .ask("host-starved")
        .context()
        .about("eno1", Some(Way::SwitchToHost));
    twice(Evidence::captured(&lost_towards_switch()), "ethtool.txt", nic(0, 5, 10_000), nic(0, 4005, 20_000))
        .ask("host-starved")
        .context();
    twice(
        Evidence::captured(&lost_towards_host()),
        "ethtool.txt",
        nic(0, 4005, 10_000),
        nic(0, 4005, 20_000),
    )
    .ask("host-starved")
    .quiet();
    twice(Evidence::captured(&lost_towards_host()), "ethtool.txt", nic(0, 5, 10_000), nic(0, 9, 20_000))
        .ask("host-starved")
        .context();
}

/// `/proc/net/softnet_stat` of one CPU.
fn softnet(processed: u32, dropped: u32) -> String {
    let z = "00000000";
    format!("{processed:08x} {dropped:08x} 00000003 {z} {z} {z} {z} {z} {z} {z} {z} {z} {z}\n")
}

#[test]
fn a_backlog_that_overflowed_counts_only_with_trouble_on_the_wire() {
    let name = "proc/net/softnet_stat";
    twice(Evidence::captured(&lost_towards_host()), name, softnet(1000, 2), softnet(9000, 802))
        .ask("host-starved")
        .one()
        .about("", Some(Way::SwitchToHost))
        .accuses(D::HostStarvation, S::Moderate)
        .quotes(&[softnet(9000, 802).trim(), softnet(1000, 2).trim()]);
    twice(Evidence::captured(&calm()), name, softnet(1000, 2), softnet(9000, 802))
        .ask("host-starved")
        .context();
    twice(Evidence::captured(&lost_towards_host()), name, softnet(1000, 802), softnet(9000, 802))
        .ask("host-starved")
        .quiet();
}

#[test]
fn a_backlog_that_overflowed_while_the_host_was_silent_leaves_the_direction_to_the_wire() {
    let name = "proc/net/softnet_stat";
    let silent = talk(1, 90, |s| match s {
        30..33 => (None, Some((HEALTHY, host(1)))),
        33..36 => (None, Some((0x8f, with(host(1), 0x37)))),
        36..60 => (None, None),
        _ => healthy(1),
    });
    twice(Evidence::captured(&silent), name, softnet(1000, 2), softnet(9000, 802))
        .ask("host-starved")
        .one()
        .about("", None)
        .accuses(D::HostStarvation, S::Moderate);
}

fn maddr(eno1: &str) -> String {
    format!(
        "2:\teno1\n\tlink  33:33:00:00:00:01\n{eno1}\tinet  224.0.0.1\n\tinet6 ff02::1\n3:\teno2\n\tlink  33:33:00:00:00:01\n\tlink  01:80:c2:00:00:02\n\tinet  224.0.0.1\n4:\teno3\n\tlink  33:33:00:00:00:01\n\tinet  224.0.0.1\n"
    )
}

#[test]
fn a_member_without_the_slow_protocols_address_is_a_hint() {
    Evidence::bond()
        .with("ip-maddr.txt", maddr(""))
        .ask("multicast-filter")
        .one()
        .about("eno1", None)
        .suspects(&[(D::HostConfig, S::Weak)])
        .quotes(&["2:\teno1"]);
}

#[test]
fn a_missing_address_decides_where_lacpdus_are_missing_and_the_other_member_has_it() {
    Evidence::captured(&lost_towards_host())
        .with("ip-maddr.txt", maddr(""))
        .ask("multicast-filter")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::HostConfig, S::Strong)
        .quotes(&["2:\teno1", "link  01:80:c2:00:00:02"]);
    // In promiscuous mode no filter eats anything.
    let link = "2: eno1: <BROADCAST,MULTICAST,PROMISC,SLAVE,UP,LOWER_UP> mtu 1500 qdisc mq master bond0 state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n";
    Evidence::captured(&lost_towards_host())
        .with("ip-maddr.txt", maddr(""))
        .with("ip-link.txt", link)
        .ask("multicast-filter")
        .open();
}

#[test]
fn an_xdp_program_that_dropped_no_more_than_the_missing_lacpdus_is_the_host() {
    let evidence = |frames: &[Frame], dropped: u32| {
        let stats = |n: u32| {
            format!(
                "# ethtool -S eno1\nNIC statistics:\n     rx_packets: {}\n     rx_xdp_drop: {n}\n",
                1000 + n
            )
        };
        twice(Evidence::captured(frames), "ethtool.txt", stats(7), stats(7 + dropped))
            .with("bpftool.txt", "xdp:\neno1(2) driver id 68\n\ntc:\n\nflow_dissector:\n\n")
            .ask("slow-protocol-filter")
    };
    evidence(&lost_towards_host(), 12)
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::HostConfig, S::Strong)
        .quotes(&["eno1(2) driver id 68", "rx_xdp_drop: 19", "rx_xdp_drop: 7"]);
    // It drops something else, or nothing: one suspect among others.
    evidence(&lost_towards_host(), 0).open();
    evidence(&lost_towards_host(), 900).open();
    evidence(&calm(), 12).quiet();
}

#[test]
fn members_that_list_it_and_modes_that_need_it_not_are_in_order() {
    let listed = maddr("\tlink  01:80:c2:00:00:02\n");
    Evidence::bond().with("ip-maddr.txt", listed).ask("multicast-filter").quiet();
    Evidence::none()
        .with(
            "proc/net/bonding/bond0",
            in_order().replace("IEEE 802.3ad Dynamic link aggregation", "load balancing (xor)"),
        )
        .with("ip-maddr.txt", maddr(""))
        .ask("multicast-filter")
        .quiet();
}

/// `tc -s filter show dev DEV egress` with one rule.
fn filter(dev: &str, hook: &str, rule: &str, dropped: u32) -> String {
    format!(
        "# tc -s filter show dev {dev} {hook}\nfilter protocol {rule}\n  not_in_hw\n\taction order 1: gact action drop\n\t random type none pass val 0\n\t index 1 ref 1 bind 1 installed 5 sec used 5 sec\n\tAction statistics:\n\tSent 1240 bytes {dropped} pkt (dropped {dropped}, overlimits 0 requeues 0) \n\tbacklog 0b 0p requeues 0\n\n"
    )
}

const SLOW: &str = "[34825] pref 1 flower chain 0 handle 0x1 \n  eth_type 8809";
const ARP: &str = "arp pref 1 flower chain 0 handle 0x1 \n  eth_type arp";

/// The host's frames stop at the tap, as an egress filter makes them.
fn silent() -> Vec<Frame> {
    talk(1, 90, |s| match s {
        30..33 => (None, Some((HEALTHY, host(1)))),
        33..36 => (None, Some((0x8f, with(host(1), 0x37)))),
        36..60 => (None, None),
        _ => healthy(1),
    })
}

#[test]
fn an_egress_filter_for_slow_protocols_explains_a_silent_tap() {
    Evidence::captured(&silent())
        .with("tc.txt", filter("eno1", "egress", SLOW, 30))
        .ask("slow-protocol-filter")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .accuses(D::HostConfig, S::Strong)
        .says("drops slow-protocol frames on the host, 30 packets so far")
        .quotes(&["filter protocol [34825] pref 1 flower chain 0 handle 0x1"]);
    let unheard = Evidence::none().with("proc/net/bonding/bond0", proc([(0x47, 0), (HEALTHY, HEALTHY)]));
    unheard
        .with("tc.txt", filter("eno1", "ingress", SLOW, 30))
        .ask("slow-protocol-filter")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::HostConfig, S::Strong);
}

#[test]
fn a_filter_that_dropped_nothing_or_stands_elsewhere_explains_nothing() {
    Evidence::captured(&silent())
        .with("tc.txt", filter("eno1", "egress", SLOW, 0))
        .ask("slow-protocol-filter")
        .context()
        .says("it does not explain what is seen");
    // The frames passed the tap, which stands behind the filter.
    Evidence::captured(&lost_towards_switch())
        .with("tc.txt", filter("eno1", "egress", SLOW, 30))
        .ask("slow-protocol-filter")
        .context();
    Evidence::bond().with("tc.txt", filter("eno1", "egress", SLOW, 30)).ask("slow-protocol-filter").context();
    Evidence::captured(&silent())
        .with("tc.txt", filter("eno1", "egress", ARP, 30) + &filter("eno3", "egress", SLOW, 30))
        .ask("slow-protocol-filter")
        .quiet();
}

/// `ip -s -d link show` of the VLAN and of the bond: sent and dropped.
fn stack(vlan: (u64, u64), bond: (u64, u64)) -> String {
    let one = |head: &str, kind: &str, (sent, dropped): (u64, u64)| {
        format!(
            "{head} mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 allmulti 0 minmtu 0 maxmtu 65535 \n    {kind} \n    RX:  bytes packets errors dropped  missed   mcast           \n          1736    {sent}      0       0       0       0 \n    TX:  bytes packets errors dropped carrier collsns           \n          1612     {sent}      0     {dropped}       0       0 \n"
        )
    };
    one(
        "9: bond0.70@bond0: <BROADCAST,MULTICAST,UP,LOWER_UP>",
        "vlan protocol 802.1Q id 70 <REORDER_HDR>",
        vlan,
    ) + &one("8: bond0: <BROADCAST,MULTICAST,MASTER,UP,LOWER_UP>", "bond mode 802.3ad miimon 100", bond)
}

#[test]
fn a_vlan_that_drops_above_a_bond_that_does_not_is_the_path_inside_the_host() {
    twice(Evidence::bond(), "ip-link.txt", stack((20, 0), (20, 0)), stack((22, 112), (22, 0)))
        .ask("vlan-tx-drop")
        .one()
        .about("", Some(Way::HostToSwitch))
        .accuses(D::VlanTxPath, S::Strong)
        .says("bond0.70: 112 transmissions were dropped before they reached a member, while bond0 dropped 0")
        .quotes(&[
            "1612     22      0     112       0       0",
            "1612     20      0     0       0       0",
            "1612     22      0     0       0       0",
        ]);
}

/// From a recording of our lab (V5): a clsact program on the bond's egress.
const DROPS: &str = "# NET_DM family 34 groups {'events': 1}\n108 __dev_queue_xmit+0x34f/0xf10 TC_EGRESS ifindex=-1 proto=0x0800 attrs [2, 3, 4, 5, 6, 7, 10, 14, 23] payload a043\n1 ip6_rcv_core+0x38c/0x520 IPV6DISABLED ifindex=25 proto=0x86dd attrs [2, 3] payload 0002\n# stop rc 0\n";

#[test]
fn the_kernels_reason_names_the_place_if_the_vlan_is_in_play() {
    let said = twice(Evidence::bond(), "ip-link.txt", stack((20, 0), (20, 0)), stack((22, 112), (22, 0)))
        .with("dm.txt", DROPS)
        .ask("vlan-tx-drop")
        .all(2);
    said.into_iter()
        .next_back()
        .unwrap()
        .accuses(D::VlanTxPath, S::Strong)
        .about("", Some(Way::HostToSwitch))
        .says("108 packets with reason TC_EGRESS: a tc or BPF egress program")
        .quotes(&[
            "108 __dev_queue_xmit+0x34f/0xf10 TC_EGRESS ifindex=-1 proto=0x0800 attrs [2, 3, 4, 5, 6, 7, 10, 14, 23] payload a043",
        ]);
    // The same drops, and the VLAN lost nothing.
    twice(Evidence::bond(), "ip-link.txt", stack((20, 0), (20, 0)), stack((2200, 0), (2200, 0)))
        .with("dm.txt", DROPS)
        .ask("vlan-tx-drop")
        .quiet();
}

#[test]
fn an_old_counter_a_few_drops_among_millions_and_a_bond_without_carrier_are_no_broken_path() {
    let old = (Evidence::bond(), stack((2000, 1500), (2000, 0)), stack((3000, 1500), (3000, 0)));
    twice(old.0, "ip-link.txt", old.1, old.2).ask("vlan-tx-drop").quiet();
    twice(Evidence::bond(), "ip-link.txt", stack((2000, 0), (2000, 0)), stack((902_000, 12), (902_000, 0)))
        .ask("vlan-tx-drop")
        .quiet();
    let text = in_member(&in_order(), "eno1", "MII Status: up", "MII Status: down");
    let text = in_member(&text, "eno2", "MII Status: up", "MII Status: down");
    let down = Evidence::none().with("proc/net/bonding/bond0", text);
    twice(down, "ip-link.txt", stack((20, 0), (20, 0)), stack((22, 112), (22, 0)))
        .ask("vlan-tx-drop")
        .quiet();
    // A VLAN over another bond.
    let other = |t: String| t.replace("bond0", "bond1");
    twice(Evidence::bond(), "ip-link.txt", other(stack((20, 0), (20, 0))), other(stack((22, 112), (22, 0))))
        .ask("vlan-tx-drop")
        .quiet();
}

#[test]
fn starvation_of_a_bond_that_carries_is_a_warning() {
    let said = Evidence::bond().with("kern.log", log(30, LOCKUP)).ask("host-starved").one();
    assert_eq!(said.finding.severity, Severity::Warning);
}
