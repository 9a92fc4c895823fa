//! Byte for byte against a recording of Linux 6.12.107 with iproute2 6.15 (`fixtures/mlag-split/snap-split74`).

use crate::views::split74;
use bondwitness_lab::render::{
    carrier, ip_link, ip_link_json, kernel_log, maddr, proc_bonding, qdisc, sysfs_bonding, uname, xstats,
};
use bondwitness_lab::view::LogLine;

const PROC: &str = include_str!("../../../../fixtures/mlag-split/snap-split74/host-proc-bonding.txt");
const UNPRIVILEGED: &str = include_str!("proc-unprivileged.txt");
const LINKS: &str = include_str!("../../../../fixtures/mlag-split/snap-split74/host-ip-d-s-link.txt");
const XSTATS: &str = include_str!("../../../../fixtures/mlag-split/snap-split74/host-xstats-slave.json");

#[test]
fn proc_bonding_as_root_and_as_nobody() {
    assert_eq!(proc_bonding::render(&split74(), true), PROC);
    assert_eq!(proc_bonding::render(&split74(), false), UNPRIVILEGED);
}

/// What is not modelled: the guest's `dummy0`, network namespaces of veth peers, and promiscuous mode.
#[test]
fn links_apart_from_what_is_not_modelled() {
    let (before, rest) = LINKS.split_once("2: dummy0:").unwrap();
    let (_, after) = rest.split_once("31: h1").unwrap();
    let recorded = format!("{before}31: h1{after}")
        .replace("@if30", "")
        .replace("@if34", "")
        .replace(" link-netns wire", "")
        .replace("promiscuity 1", "promiscuity 0");
    assert_eq!(ip_link::render(&split74(), 2), recorded);
}

#[test]
fn xstats_apart_from_the_dummy() {
    let dummy =
        r#"{"ifindex":2,"ifname":"dummy0","group":"xstats_slave","subgroup":"bond","suite":"802.3ad"},"#;
    assert!(XSTATS.contains(dummy));
    assert_eq!(xstats::render(&split74()), XSTATS.replace(dummy, ""));
}

/// An entry of the recorded JSON of the same moment, without `link_index` and `link_netnsid`.
#[test]
fn links_as_json() {
    let member = r#""ifname":"h2","flags":["BROADCAST","MULTICAST","SLAVE","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","master":"bond0","operstate":"UP","linkmode":"DEFAULT","group":"default","txqlen":1000,"link_type":"ether","address":"02:00:00:00:11:01","broadcast":"ff:ff:ff:ff:ff:ff","promiscuity":0,"allmulti":0,"min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"veth","info_slave_kind":"bond","info_slave_data":{"state":"BACKUP","mii_status":"UP","link_failure_count":0,"perm_hwaddr":"02:00:00:00:11:02","queue_id":0,"prio":0,"ad_aggregator_id":2,"ad_actor_oper_port_state":7,"ad_actor_oper_port_state_str":["active","short_timeout","aggregating"],"ad_partner_oper_port_state":15,"ad_partner_oper_port_state_str":["active","short_timeout","aggregating","in_sync"]}},"inet6_addr_gen_mode":"eui64","num_tx_queues":1,"num_rx_queues":1,"gso_max_size":65536,"gso_max_segs":65535,"tso_max_size":524280,"tso_max_segs":65535,"gro_max_size":65536,"gso_ipv4_max_size":65536,"gro_ipv4_max_size":65536,"stats64":{"rx":{"bytes":11532,"packets":93,"errors":0,"dropped":0,"over_errors":0,"multicast":0},"tx":{"bytes":11284,"packets":91,"errors":0,"dropped":0,"carrier_errors":0,"collisions":0}}}"#;
    let bond = r#"{"ifindex":38,"ifname":"bond0","flags":["BROADCAST","MULTICAST","MASTER","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","linkmode":"DEFAULT","group":"default","txqlen":1000,"link_type":"ether","address":"02:00:00:00:11:01","broadcast":"ff:ff:ff:ff:ff:ff","promiscuity":0,"allmulti":0,"min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"bond","info_data":{"mode":"802.3ad","miimon":100,"updelay":0,"downdelay":0,"peer_notify_delay":0,"use_carrier":1,"arp_interval":0,"arp_missed_max":2,"arp_validate":null,"arp_all_targets":"any","primary_reselect":"always","fail_over_mac":"none","xmit_hash_policy":"layer2","resend_igmp":1,"num_peer_notif":1,"all_slaves_active":0,"min_links":0,"lp_interval":1,"packets_per_slave":1,"ad_lacp_active":"on","ad_lacp_rate":"fast","coupled_control":true,"ad_select":"stable","ad_info":{"aggregator":1,"num_ports":1,"actor_key":15,"partner_key":335,"partner_mac":"02:00:00:aa:bb:cc"},"ad_actor_sys_prio":65535,"ad_user_port_key":0,"ad_actor_system":"00:00:00:00:00:00","tlb_dynamic_lb":1}}"#;
    let json = ip_link_json::render(&split74());
    assert!(json.contains(member), "{json}");
    assert!(json.contains(bond), "{json}");
}

const SYSFS: &str = include_str!("../../../../fixtures/mlag-split/snap-split74/host-sysfs.txt");
const QDISCS: &str = include_str!("../../../../fixtures/mlag-split/snap-split74/host-tc-s-qdisc.txt");
const CARRIER: &str = include_str!("../../../../fixtures/mlag-split/snap-split74/host-carrier.txt");
const MADDR: &str = include_str!("../../../../fixtures/healthy-fast/ip-maddr-h1.txt");
const SETUP: &str = include_str!("../../../../fixtures/healthy-fast/dmesg-setup.txt");
const UNAME: &str = include_str!("../../../../fixtures/healthy-fast/uname.txt");

#[test]
fn sysfs_as_root() {
    assert_eq!(sysfs_bonding::render(&split74(), true), SYSFS);
}

#[test]
fn sysfs_as_nobody_lacks_what_the_kernel_hides() {
    // `bonding_show_ad_*()` in bond_sysfs.c: these six ask for CAP_NET_ADMIN.
    let hidden =
        ["actor_key", "actor_sys_prio", "actor_system", "partner_key", "partner_mac", "user_port_key"];
    let want: String = SYSFS
        .lines()
        .filter(|l| !hidden.iter().any(|h| l.starts_with(&format!("bonding/ad_{h}:"))))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(sysfs_bonding::render(&split74(), false), want);
}

#[test]
fn qdiscs() {
    assert_eq!(qdisc::render(&split74()), QDISCS);
}

/// The recording printed path and value with a blank between, and the bond's counts of changes.
#[test]
fn carrier_counts() {
    let bond = "/sys/class/net/bond0/carrier_";
    let recorded: String = CARRIER
        .lines()
        .filter(|l| !l.starts_with(bond))
        .map(|l| format!("{}\n", l.replacen(' ', ":", 1)))
        .collect();
    assert_eq!(carrier::render(&split74()), recorded);
}

#[test]
fn multicast_addresses_of_a_member() {
    let mut view = split74();
    view.members[0].ifindex = 4;
    assert!(maddr::render(&view).contains(MADDR), "{}", maddr::render(&view));
}

#[test]
fn kernel_log_lines() {
    let line = |at_ns, text: &str| LogLine { at_ns, level: 6, text: text.to_owned() };
    let log = [
        line(0, "bond0: (slave h1): Enslaving as a backup interface with an up link"),
        line(68_207_000, "bond0: (slave h2): Enslaving as a backup interface with an up link"),
    ];
    let origin = kernel_log::Origin { hostname: "h", kernel: "6.12", wall0_ns: 0, boot0_ns: 93_790_807_000 };
    assert!(SETUP.starts_with(&kernel_log::dmesg(&log, origin)));
}

/// All words of the recorded line, but the build's date and version, which no view has.
#[test]
fn uname_without_the_build() {
    let ours = uname::render("(none)", "6.12.107+deb13-cloud-amd64");
    let mut recorded = UNAME.split_whitespace();
    assert!(ours.split_whitespace().all(|w| recorded.any(|r| r == w)), "{ours}");
}
