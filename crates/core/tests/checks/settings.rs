//! Settings of the bond and who makes them: `bond-without-members`, `both-passive`, `config-drift`, `fail-over-mac`,
//! `host-released`, `lacp-active-off`, `managers-fighting`, `member-asymmetry`, `single-member`,
//! `static-against-lacp`.

use crate::answers::Evidence;
use crate::conversation::{HEALTHY, T0, healthy, host, in_member, proc, switch, talk, with};
use bondwitness_core::domain::{FaultDomain as D, Way};
use bondwitness_core::finding::{Severity, Strength as S};

fn in_order() -> String {
    proc([(HEALTHY, HEALTHY); 2])
}

fn snapshot(text: impl Into<Vec<u8>>) -> Evidence {
    Evidence::none().with("proc/net/bonding/bond0", text)
}

/// A bond without members as the kernel prints it.
fn empty(mode: &str, miimon: u32) -> String {
    format!(
        "Ethernet Channel Bonding Driver: v6.12.107+deb13-amd64\n\nBonding Mode: {mode}\nMII Status: down\nMII Polling Interval (ms): {miimon}\nUp Delay (ms): 0\nDown Delay (ms): 0\nPeer Notification Delay (ms): 0\n"
    )
}

#[test]
fn a_bond_without_members_is_the_host() {
    snapshot(empty("fault-tolerance (active-backup)", 100))
        .ask("bond-without-members")
        .one()
        .about("", None)
        .accuses(D::HostConfig, S::Strong)
        .quotes(&["Ethernet Channel Bonding Driver: v6.12.107+deb13-amd64"]);
}

#[test]
fn what_modprobe_leaves_and_the_head_of_a_cut_dump_accuse_nobody() {
    snapshot(empty("load balancing (round-robin)", 0)).ask("bond-without-members").context();
    for n in [6, 14] {
        let head: String = in_order().lines().take(n).map(|l| format!("{l}\n")).collect();
        snapshot(head).ask("bond-without-members").quiet();
    }
}

#[test]
fn two_passive_ends_are_both_at_fault() {
    let frames = talk(1, 90, |_| (Some((0x3e, with(switch(1), 0x3e))), Some((0x3e, with(host(1), 0x3e)))));
    Evidence::captured(&frames)
        .ask("both-passive")
        .one()
        .about("eno1", Some(Way::Both))
        .accuses(D::ConfigBoth, S::Decisive)
        .quotes(&["eno1.pcap 0.0 s host 0x3e to 0x3e", "eno1.pcap 0.1 s switch 0x3e to 0x3e"]);
    snapshot(proc([(0x3e, 0x3e), (HEALTHY, HEALTHY)]))
        .ask("both-passive")
        .one()
        .about("eno1", Some(Way::Both))
        .accuses(D::ConfigBoth, S::Decisive)
        .quotes(&["Slave Interface: eno1"]);
}

#[test]
fn one_active_end_is_enough_and_a_partner_never_heard_is_not_passive() {
    let frames = talk(1, 90, |_| (Some((0x3e, switch(1))), Some((HEALTHY, with(host(1), 0x3e)))));
    Evidence::captured(&frames).ask("both-passive").quiet();
    let unheard = in_member(
        &proc([(0x46, 0), (HEALTHY, HEALTHY)]),
        "eno1",
        "system mac address: 00:1c:73:00:00:09",
        "system mac address: 00:00:00:00:00:00",
    );
    snapshot(unheard).ask("both-passive").quiet();
}

fn netplan(bond: &str, mode: &str, rate: &str) -> String {
    format!(
        "network:\n  version: 2\n  ethernets:\n    eno1: {{}}\n    eno2: {{}}\n  bonds:\n    {bond}:\n      interfaces:\n        - eno1\n        - eno2\n      parameters:\n        mode: {mode}\n        lacp-rate: {rate}\n"
    )
}

#[test]
fn a_file_that_says_another_mode_was_not_applied() {
    Evidence::bond()
        .with("etc/netplan/01.yaml", netplan("bond0", "active-backup", "fast"))
        .ask("config-drift")
        .one()
        .about("", None)
        .accuses(D::HostConfig, S::Moderate)
        .says("the file says mode active-backup, the kernel runs IEEE 802.3ad Dynamic link aggregation")
        .quotes(&["mode: active-backup", "Bonding Mode: IEEE 802.3ad Dynamic link aggregation"]);
    Evidence::bond()
        .with("etc/netplan/01.yaml", netplan("bond0", "802.3ad", "slow"))
        .ask("config-drift")
        .one()
        .neutral(Severity::Warning)
        .says("the file says LACP rate slow, the kernel runs fast")
        .quotes(&["lacp-rate: slow", "LACP rate: fast"]);
}

#[test]
fn other_words_for_the_same_and_files_of_another_bond_are_no_drift() {
    for mode in ["802.3ad", "4"] {
        Evidence::bond()
            .with("etc/netplan/01.yaml", netplan("bond0", mode, "fast"))
            .ask("config-drift")
            .quiet();
    }
    Evidence::bond()
        .with("etc/netplan/01.yaml", netplan("bond1", "active-backup", "slow"))
        .ask("config-drift")
        .quiet();
    let networkd = "[NetDev]\nName=bond0\nKind=bond\n\n[Bond]\nMode=802.3ad\nLACPTransmitRate=fast\n";
    Evidence::bond().with("10-bond0.netdev", networkd).ask("config-drift").quiet();
}

/// `ip -d link show` of a VLAN interface.
fn vlan(parent: &str) -> String {
    format!(
        "7: v70@{parent}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 allmulti 0 minmtu 0 maxmtu 65535 \n    vlan protocol 802.1Q id 70 <REORDER_HDR> addrgenmode eui64 numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 \n"
    )
}

#[test]
fn fail_over_mac_and_a_vlan_on_a_member_are_mentioned() {
    snapshot(empty("fault-tolerance (active-backup) (fail_over_mac active)", 100))
        .ask("fail-over-mac")
        .one()
        .neutral(Severity::Info)
        .quotes(&["Bonding Mode: fault-tolerance (active-backup) (fail_over_mac active)"]);
    Evidence::bond()
        .with("ip-link.txt", vlan("eno1"))
        .ask("fail-over-mac")
        .one()
        .neutral(Severity::Warning)
        .says("v70: a VLAN on the member eno1 instead of bond0")
        .quotes(&[vlan("eno1").lines().next().unwrap()]);
}

#[test]
fn a_vlan_on_the_bond_or_on_an_interface_outside_of_it_is_as_it_should_be() {
    Evidence::bond().with("ip-link.txt", vlan("bond0")).ask("fail-over-mac").quiet();
    Evidence::bond().with("ip-link.txt", vlan("eno3")).ask("fail-over-mac").quiet();
}

fn log(second: u32, text: &str) -> String {
    format!("2026-01-01T00:00:{second:02}.000000+00:00 db01 kernel: {text}\n")
}

const RELEASED: &str = "bond0: (slave eno1): Releasing backup interface";
const ENSLAVED: &str = "bond0: (slave eno1): Enslaving as a backup interface with an up link";

#[test]
fn a_lacpdu_without_aggregation_is_the_hosts_own_act() {
    let frames = talk(1, 90, |s| match s {
        40 => (Some((0x3b, switch(1))), Some((HEALTHY, host(1)))),
        41..60 => (None, Some((0x07, with(host(1), 0x3b)))),
        _ => healthy(1),
    });
    Evidence::captured(&frames)
        .ask("host-released")
        .one()
        .about("eno1", None)
        .accuses(D::HostConfig, S::Moderate)
        .quotes(&["eno1.pcap 40.0 s host 0x3b to 0x3f"]);
}

#[test]
fn members_that_are_released_again_and_again_are_the_host() {
    let text =
        [(5, RELEASED), (7, ENSLAVED), (25, RELEASED), (27, ENSLAVED)].map(|(s, t)| log(s, t)).concat();
    Evidence::bond()
        .with("kern.log", text)
        .ask("host-released")
        .one()
        .about("eno1", None)
        .accuses(D::HostConfig, S::Strong)
        .quotes(&[log(5, RELEASED).trim(), log(25, RELEASED).trim()]);
}

#[test]
fn one_release_is_a_change_and_a_partner_that_leaves_is_not_the_host() {
    Evidence::bond().with("kern.log", log(5, RELEASED) + &log(7, ENSLAVED)).ask("host-released").quiet();
    let partner_leaves = talk(1, 90, |s| match s {
        40 => (Some((HEALTHY, switch(1))), Some((0x3b, host(1)))),
        41..60 => (Some((0x07, with(switch(1), 0x3b))), None),
        _ => healthy(1),
    });
    Evidence::captured(&partner_leaves).ask("host-released").quiet();
}

/// A passive host. `heard`: whether it has a partner.
fn passive(heard: bool) -> String {
    let text = proc(if heard { [(0x3e, HEALTHY); 2] } else { [(0x46, 0); 2] })
        .replace("LACP active: on", "LACP active: off");
    if heard { text } else { text.replace("00:1c:73:00:00:09", "00:00:00:00:00:00") }
}

#[test]
fn a_passive_host_that_hears_nobody_waits_perhaps_for_a_passive_switch() {
    snapshot(passive(false))
        .ask("lacp-active-off")
        .one()
        .about("", None)
        .suspects(&[(D::HostConfig, S::Moderate), (D::ConfigBoth, S::Moderate), (D::SwitchConfig, S::Weak)])
        .quotes(&["LACP active: off", "Slave Interface: eno1"]);
}

#[test]
fn a_passive_host_with_an_active_partner_is_only_mentioned() {
    snapshot(passive(true)).ask("lacp-active-off").context().says("it answers").quotes(&["LACP active: off"]);
    snapshot(in_order()).ask("lacp-active-off").quiet();
}

/// `systemctl list-units --all` of two managers.
fn units(second: &str) -> String {
    format!(
        "  UNIT                     LOAD   ACTIVE   SUB     DESCRIPTION\n  NetworkManager.service   loaded active   running Network Manager\n  systemd-networkd.service loaded {second} Network Configuration\n"
    )
}

#[test]
fn two_active_managers_and_members_that_come_and_go_are_the_host() {
    let evidence = Evidence::bond().with("systemctl.txt", units("active   running"));
    let quotes = [
        "NetworkManager.service   loaded active   running Network Manager",
        "systemd-networkd.service loaded active   running Network Configuration",
    ];
    evidence
        .clone()
        .with("kern.log", log(5, RELEASED) + &log(7, ENSLAVED) + &log(25, RELEASED) + &log(27, ENSLAVED))
        .ask("managers-fighting")
        .one()
        .about("", None)
        .accuses(D::HostConfig, S::Strong)
        .says("NetworkManager, systemd-networkd")
        .quotes(&quotes);
    evidence.ask("managers-fighting").one().neutral(Severity::Warning).quotes(&quotes);
    // One release is a change of somebody, not a fight.
    evidence.with("kern.log", log(5, RELEASED) + &log(7, ENSLAVED)).ask("managers-fighting").context();
}

#[test]
fn the_status_of_units_is_read_like_their_list() {
    let status = "\u{25cf} networking.service - Raise network interfaces\n     Loaded: loaded (/lib/systemd/system/networking.service; enabled)\n     Active: active (exited) since Mon 2024-01-01 00:00:00 UTC\n\n\u{25cf} systemd-networkd.service - Network Configuration\n     Loaded: loaded (/lib/systemd/system/systemd-networkd.service; enabled)\n     Active: active (running) since Mon 2024-01-01 00:00:00 UTC\n";
    Evidence::bond()
        .with("systemctl.txt", status)
        .ask("managers-fighting")
        .one()
        .neutral(Severity::Warning)
        .says("networking, systemd-networkd");
}

#[test]
fn a_second_manager_that_is_installed_and_not_active_fights_nobody() {
    let log = log(5, RELEASED) + &log(7, ENSLAVED) + &log(25, RELEASED);
    Evidence::bond()
        .with("systemctl.txt", units("inactive dead   "))
        .with("kern.log", log.clone())
        .ask("managers-fighting")
        .quiet();
    // One manager with its waiting and dispatching units is one manager.
    let one = "NetworkManager.service              loaded active running Network Manager\nNetworkManager-wait-online.service  loaded active exited  Network Manager Wait Online\n";
    Evidence::bond().with("systemctl.txt", one).with("kern.log", log).ask("managers-fighting").quiet();
}

#[test]
fn a_bond_that_two_files_configure_is_said() {
    let networkd = "[NetDev]\nName=bond0\nKind=bond\n\n[Bond]\nMode=802.3ad\n";
    Evidence::bond()
        .with("etc/netplan/01.yaml", netplan("bond0", "802.3ad", "fast"))
        .with("etc/systemd/network/10-bond0.netdev", networkd)
        .ask("managers-fighting")
        .one()
        .neutral(Severity::Warning)
        .says("bond0 is configured in more than one place");
    // The second file is about a bond whose name only begins alike.
    Evidence::bond()
        .with("etc/netplan/01.yaml", netplan("bond01", "802.3ad", "fast"))
        .with("etc/systemd/network/10-bond0.netdev", networkd)
        .ask("managers-fighting")
        .quiet();
}

fn mtu(index: u8, name: &str, mtu: u32) -> String {
    format!(
        "{index}: {name}: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu {mtu} qdisc mq master bond0 state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n"
    )
}

#[test]
fn members_that_differ_are_listed() {
    Evidence::bond()
        .with("ip-link.txt", mtu(2, "eno1", 9000) + &mtu(3, "eno2", 1500))
        .ask("member-asymmetry")
        .one()
        .neutral(Severity::Warning)
        .says("MTU differs: eno1 9000, eno2 1500")
        .quotes(&[
            mtu(2, "eno1", 9000).lines().next().unwrap(),
            mtu(3, "eno2", 1500).lines().next().unwrap(),
        ]);
    let driver = |dev: &str, firmware: &str| {
        format!(
            "# ethtool -i {dev}\ndriver: igb\nversion: 6.12.107\nfirmware-version: {firmware}\nbus-info: 0000:02:00.0\nsupports-statistics: yes\n"
        )
    };
    Evidence::bond()
        .with("eno1.txt", driver("eno1", "1.63"))
        .with("eno2.txt", driver("eno2", "3.25"))
        .ask("member-asymmetry")
        .one()
        .neutral(Severity::Warning)
        .quotes(&["firmware-version: 1.63", "firmware-version: 3.25"]);
    snapshot(in_member(&in_order(), "eno2", "Speed: 10000 Mbps", "Speed: 1000 Mbps"))
        .ask("member-asymmetry")
        .one()
        .says("speed differs: eno1 10000, eno2 1000")
        .quotes(&["Slave Interface: eno1", "Slave Interface: eno2"]);
}

#[test]
fn an_interface_outside_of_the_bond_and_a_member_without_link_do_not_differ() {
    Evidence::bond()
        .with(
            "ip-link.txt",
            mtu(2, "eno1", 1500) + &mtu(3, "eno2", 1500) + &mtu(4, "eno3", 9000).replace(" master bond0", ""),
        )
        .ask("member-asymmetry")
        .quiet();
    let down = in_member(&in_order(), "eno2", "Speed: 10000 Mbps", "Speed: 100 Mbps");
    snapshot(in_member(&down, "eno2", "MII Status: up", "MII Status: down")).ask("member-asymmetry").quiet();
}

#[test]
fn a_single_member_is_said() {
    let whole = in_order();
    let one = &whole[..whole.find("\nSlave Interface: eno2").unwrap()];
    snapshot(one)
        .ask("single-member")
        .one()
        .neutral(Severity::Warning)
        .says("bond0 has a single member, eno1")
        .quotes(&["Ethernet Channel Bonding Driver: v6.12.107+deb13-amd64"]);
    // Another reading shows the second member.
    Evidence::none()
        .with("s1/proc/net/bonding/bond0", one)
        .with("s2/proc/net/bonding/bond0", in_order())
        .ask("single-member")
        .quiet();
}

#[test]
fn a_bond_of_two_of_which_one_is_down_has_two() {
    snapshot(in_member(&in_order(), "eno2", "MII Status: up", "MII Status: down"))
        .ask("single-member")
        .quiet();
}

/// A bond of two members in a mode without LACP.
fn without_lacp(mode: &str) -> String {
    let mut text = format!(
        "Ethernet Channel Bonding Driver: v6.12.107+deb13-amd64\n\nBonding Mode: {mode}\nMII Status: up\nMII Polling Interval (ms): 100\n"
    );
    for n in 1..=2 {
        text.push_str(&format!(
            "\nSlave Interface: eno{n}\nMII Status: up\nSpeed: 10000 Mbps\nDuplex: full\nLink Failure Count: 0\nPermanent HW addr: 02:00:00:00:11:0{n}\nSlave queue ID: 0\n"
        ));
    }
    text
}

#[test]
fn a_switch_that_speaks_lacp_to_a_static_bond_is_a_matter_of_both() {
    let switch_alone = talk(1, 90, |s| (None, (s % 30 == 0).then(|| (0x45, lacp::PortInfo::default()))));
    let evidence = snapshot(without_lacp("load balancing (xor)")).capture(1, &switch_alone);
    evidence
        .ask("static-against-lacp")
        .one()
        .about("eno1", None)
        .accuses(D::ConfigBoth, S::Strong)
        .quotes(&["eno1.pcap 0.1 s switch 0x45 to 0x00", "Bonding Mode: load balancing (xor)"]);
    evidence
        .with("proc/net/bonding/bond0", without_lacp("fault-tolerance (active-backup)"))
        .ask("static-against-lacp")
        .quiet();
}

#[test]
fn a_static_bond_without_lacpdus_and_a_bond_with_lacp_agree_with_their_switch() {
    snapshot(without_lacp("load balancing (xor)")).ask("static-against-lacp").quiet();
    Evidence::captured(&talk(1, 90, |_| healthy(1))).ask("static-against-lacp").quiet();
}

/// `ethtool eno2`: a NIC that can do 10 Gb/s and runs at 1 Gb/s.
fn modes(advertised: &str, partner: &str) -> String {
    format!(
        "Settings for eno2:\n\tSupported ports: [ TP ]\n\tSupported link modes:   1000baseT/Full\n\t                        10000baseT/Full\n\tSupports auto-negotiation: Yes\n\tAdvertised link modes:  {advertised}\n\tAdvertised auto-negotiation: Yes\n\tLink partner advertised link modes:  {partner}\n\tSpeed: 1000Mb/s\n\tDuplex: Full\n\tAuto-negotiation: on\n\tPort: Twisted Pair\n\tLink detected: yes\n"
    )
}

#[test]
fn the_end_that_leaves_a_mode_out_decides_the_speed() {
    let both = "1000baseT/Full 10000baseT/Full";
    Evidence::bond()
        .with("ethtool_eno2.txt", modes("1000baseT/Full", both))
        .ask("link-modes-withheld")
        .one()
        .about("eno2", None)
        .accuses(D::HostConfig, S::Moderate)
        .says("this host does not advertise 10000baseT/Full");
    Evidence::bond()
        .with("ethtool_eno2.txt", modes(both, "1000baseT/Full"))
        .ask("link-modes-withheld")
        .open()
        .says("the partner does not offer 10000baseT/Full");
    Evidence::bond().with("ethtool_eno2.txt", modes(both, "Not reported")).ask("link-modes-withheld").quiet();
}

#[test]
fn a_restart_within_an_outage_is_said_and_one_of_another_day_is_not() {
    let silent = |member: u16| {
        talk(member, 90, |s| if (30..60).contains(&s) { (None, None) } else { healthy(member) })
    };
    Evidence::bond()
        .capture(1, &silent(1))
        .capture(2, &silent(2))
        .with("stat.txt", format!("btime {}\n", T0 - 86_400))
        .ask("host-rebooted")
        .quiet();
    let deaf = |member: u16| {
        talk(member, 90, |s| match s {
            30..33 => (None, Some((HEALTHY, host(member)))),
            33..36 => (None, Some((0x8f, with(host(member), 0x37)))),
            36..60 => (None, Some((0x47, lacp::PortInfo::default()))),
            _ => healthy(member),
        })
    };
    Evidence::bond()
        .capture(1, &deaf(1))
        .capture(2, &deaf(2))
        .with("stat.txt", format!("btime {}\n", T0 + 45))
        .ask("host-rebooted")
        .one()
        .neutral(Severity::Warning)
        .says("the host booted at 2026-01-01T00:00:45")
        .quotes(&[&format!("btime {}", T0 + 45)]);
}
