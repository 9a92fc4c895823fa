//! Carrier and what watches it: `admin-down`, `arp-monitor`, `carrier-flap`, `half-duplex`, `link-down-now`,
//! `monitoring-missing`.

use crate::answers::Evidence;
use crate::conversation::{HEALTHY, healthy, in_member, proc, talk};
use bondwitness_core::domain::{FaultDomain as D, Way};
use bondwitness_core::finding::Strength as S;
use lacp::PortInfo;

/// `ip link show` of a member with these flags.
fn link(index: u8, name: &str, flags: &str, state: &str) -> String {
    format!(
        "{index}: {name}: <{flags}> mtu 1500 qdisc mq master bond0 state {state} mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:0{} brd ff:ff:ff:ff:ff:ff\n",
        index - 1
    )
}

const UP: &str = "BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP";
const NO_CARRIER: &str = "NO-CARRIER,BROADCAST,MULTICAST,SLAVE,UP";
const ADMIN_DOWN: &str = "BROADCAST,MULTICAST,SLAVE";

/// The bond with `eno1` down in its own view.
fn eno1_down() -> String {
    in_member(&proc([(HEALTHY, HEALTHY); 2]), "eno1", "MII Status: up", "MII Status: down")
}

/// The bond when it has counted link failures of `eno1`.
fn failures(n: u32) -> String {
    in_member(
        &proc([(HEALTHY, HEALTHY); 2]),
        "eno1",
        "Link Failure Count: 0",
        &format!("Link Failure Count: {n}"),
    )
}

/// A line of the kernel log at a second of 2026-01-01T00:00.
fn log(second: f64, text: &str) -> String {
    format!("2026-01-01T00:00:{second:09.6}+00:00 db01 kernel: {text}\n")
}

#[test]
fn admin_down_is_the_host() {
    Evidence::none()
        .with("proc/net/bonding/bond0", eno1_down())
        .with("ip-link.txt", link(2, "eno1", ADMIN_DOWN, "DOWN") + &link(3, "eno2", UP, "UP"))
        .ask("admin-down")
        .one()
        .about("eno1", None)
        .accuses(D::HostConfig, S::Moderate)
        .quotes(&[
            "2: eno1: <BROADCAST,MULTICAST,SLAVE> mtu 1500 qdisc mq master bond0 state DOWN mode DEFAULT group default qlen 1000",
        ]);
}

#[test]
fn an_interface_without_carrier_or_outside_of_the_bond_is_not_admin_down() {
    let spare = "4: eno3: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:03 brd ff:ff:ff:ff:ff:ff\n";
    let links = link(2, "eno1", NO_CARRIER, "DOWN") + &link(3, "eno2", UP, "UP") + spare;
    Evidence::none()
        .with("proc/net/bonding/bond0", eno1_down())
        .with("ip-link.txt", links)
        .ask("admin-down")
        .quiet();
}

#[test]
fn a_member_that_speaks_lacp_was_not_admin_down_then() {
    Evidence::captured(&talk(1, 90, |_| healthy(1)))
        .with("ip-link.txt", link(2, "eno1", ADMIN_DOWN, "DOWN"))
        .ask("admin-down")
        .context()
        .about("eno1", None)
        .says("another moment");
}

/// Three short losses of carrier on `eno1`, as igb reports them.
fn flaps() -> String {
    [3.0, 11.0, 24.0]
        .iter()
        .map(|t| {
            log(*t, "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down")
                + &log(t + 0.6, "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: RX/TX")
        })
        .collect()
}

#[test]
fn short_repeated_losses_on_one_member_are_the_link() {
    Evidence::none()
        .with("proc/net/bonding/bond0", failures(3))
        .with("kern.log", flaps())
        .ask("carrier-flap")
        .one()
        .about("eno1", Some(Way::Both))
        .accuses(D::Physical, S::Moderate)
        .says("lost carrier 3 time(s), 3 of them for less than 1 s; 1 other member(s)")
        .quotes(&[
            "2026-01-01T00:00:03.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down",
            "2026-01-01T00:00:11.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down",
            "2026-01-01T00:00:24.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down",
        ]);
}

/// Losses of carrier on `eno1`: when, and for how long.
fn losses(list: &[(f64, f64)]) -> String {
    list.iter()
        .map(|(t, n)| {
            log(*t, "ixgbe 0000:17:00.0 eno1: NIC Link is Down")
                + &log(t + n, "ixgbe 0000:17:00.0 eno1: NIC Link is Up 10 Gbps, Flow Control: RX/TX")
        })
        .collect()
}

#[test]
fn losses_of_some_seconds_again_and_again_are_the_link_and_long_ones_are_not() {
    let flaps = |list: &[(f64, f64)]| {
        Evidence::none()
            .with("proc/net/bonding/bond0", failures(3))
            .with("kern.log", losses(list))
            .ask("carrier-flap")
    };
    flaps(&[(3.0, 4.8), (14.0, 2.2), (24.0, 5.7)]).one().accuses(D::Physical, S::Moderate);
    // Somebody, or a switch that starts anew, takes longer; and twice is not again and again.
    flaps(&[(3.0, 4.8), (10.0, 35.0), (50.0, 5.7)]).open();
    flaps(&[(3.0, 4.8), (14.0, 2.2)]).open();
}

#[test]
fn where_a_log_counts_in_seconds_the_order_of_its_lines_tells_cause_from_effect() {
    let lines = |first: &str, second: &str| {
        let at = "[Thu Jan  1 00:00:03 2026]";
        format!("{at} ixgbe 0000:17:00.0 eno1: {first}\n{at} ixgbe 0000:17:00.0 eno1: {second}\n")
    };
    let ask = |text: String, check| {
        Evidence::none().with("proc/net/bonding/bond0", failures(1)).with("dmesg-T.txt", text).ask(check)
    };
    let reset = || lines("Reset adapter", "NIC Link is Down");
    ask(reset(), "carrier-flap")
        .open()
        .suspects(&[(D::HostDriverFirmware, S::Moderate), (D::Physical, S::Weak)]);
    ask(reset(), "nic-fault").one().accuses(D::HostDriverFirmware, S::Moderate);
    // A driver that resets what has lost its link.
    let after = || lines("NIC Link is Down", "Reset adapter");
    let first = ask(after(), "carrier-flap").open().finding.bearing;
    assert!(matches!(first, bondwitness_core::finding::Bearing::Implicates(d) if d[0].0 == D::Physical));
    ask(after(), "nic-fault").quiet();
}

#[test]
fn a_link_in_training_has_not_lost_carrier() {
    let text = log(3.0, "e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Half Duplex, Flow Control: None")
        + &log(3.1, "e1000e 0000:00:1f.6 eno1: NIC Link is Down");
    let up = log(5.9, "e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: None");
    let evidence =
        |text: String| Evidence::none().with("proc/net/bonding/bond0", failures(1)).with("kern.log", text);
    evidence(text.clone() + &up).ask("carrier-flap").quiet();
    // Down without a word about half duplex: that one was lost.
    evidence(text.replace("Half", "Full") + &up).ask("carrier-flap").open();
}

#[test]
fn losses_that_the_bond_never_counted_are_older_than_it() {
    Evidence::bond().with("kern.log", flaps()).ask("carrier-flap").quiet();
    let joined = log(40.0, "bond0: (slave eno1): Enslaving as a backup interface with an up link");
    Evidence::none()
        .with("proc/net/bonding/bond0", failures(3))
        .with("kern.log", flaps() + &joined)
        .ask("carrier-flap")
        .quiet();
}

#[test]
fn carrier_lost_by_ip_link_set_down_accuses_nobody() {
    Evidence::none()
        .with("proc/net/bonding/bond0", failures(3))
        .with("kern.log", flaps())
        .with("ip-link.txt", link(2, "eno1", ADMIN_DOWN, "DOWN"))
        .ask("carrier-flap")
        .context()
        .about("eno1", None)
        .says("taken down administratively");
}

#[test]
fn one_long_loss_may_be_a_switch_that_restarts() {
    let text = log(3.0, "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down")
        + &log(
            44.0,
            "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: RX/TX",
        );
    Evidence::none()
        .with("proc/net/bonding/bond0", failures(1))
        .with("kern.log", text)
        .ask("carrier-flap")
        .open()
        .about("eno1", Some(Way::Both));
}

#[test]
fn a_reset_of_the_nic_before_the_loss_comes_first_among_the_suspects() {
    let text = log(1.0, "igb 0000:02:00.0 eno1: Reset adapter") + &flaps();
    Evidence::none()
        .with("proc/net/bonding/bond0", failures(3))
        .with("kern.log", text)
        .ask("carrier-flap")
        .open()
        .suspects(&[(D::HostDriverFirmware, S::Moderate), (D::Physical, S::Weak)])
        .quotes(&[
            "2026-01-01T00:00:03.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down",
            "2026-01-01T00:00:11.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down",
            "2026-01-01T00:00:24.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down",
            "2026-01-01T00:00:01.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: Reset adapter",
        ]);
}

#[test]
fn lacpdus_show_a_port_that_was_disabled() {
    let frames = talk(1, 90, |s| match s {
        30..40 => (None, None),
        40 => (Some((0xc7, PortInfo::default())), None),
        _ => healthy(1),
    });
    Evidence::captured(&frames)
        .with("proc/net/bonding/bond0", failures(1))
        .ask("carrier-flap")
        .open()
        .about("eno1", Some(Way::Both))
        .quotes(&["eno1.pcap 40.0 s host 0xc7 to 0x00"]);
}

/// `ip -ts monitor link`: eno1 goes from one set of flags to another.
fn monitor(from: &str, to: &str) -> String {
    [("10.000001", from), ("12.500000", to)]
        .map(|(t, flags)| {
            format!("[2026-01-01T00:00:{t}] 2: eno1: <{flags}> mtu 1500 qdisc mq master bond0 state DOWN group default \n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n")
        })
        .concat()
}

#[test]
fn link_events_tell_a_loss_of_carrier_from_an_interface_that_was_taken_down() {
    let evidence = Evidence::none().with("proc/net/bonding/bond0", failures(1));
    evidence
        .clone()
        .with("monitor.txt", monitor(UP, NO_CARRIER))
        .ask("carrier-flap")
        .open()
        .about("eno1", Some(Way::Both))
        .quotes(&["[2026-01-01T00:00:12.500000] 2: eno1: <NO-CARRIER,BROADCAST,MULTICAST,SLAVE,UP> mtu 1500 qdisc mq master bond0 state DOWN group default"]);
    evidence.with("monitor.txt", monitor(UP, ADMIN_DOWN)).ask("carrier-flap").quiet();
}

#[test]
fn the_first_link_event_may_be_the_one_that_takes_the_member_down() {
    let frames = talk(1, 90, |s| match s {
        30..60 => (None, None),
        60 => (Some((0xc7, PortInfo::default())), None),
        _ => healthy(1),
    });
    let events = |at: &str, flags: &str| {
        format!(
            "[2026-01-01T00:00:{at}] 2: eno1: <{flags}> mtu 1500 qdisc mq master bond0 state DOWN group default \n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n"
        )
    };
    let evidence = Evidence::captured(&frames).with("proc/net/bonding/bond0", failures(1));
    evidence
        .clone()
        .with("monitor.txt", events("30.200000", ADMIN_DOWN) + &events("59.000000", UP))
        .ask("admin-down")
        .one()
        .about("eno1", None)
        .accuses(D::HostConfig, S::Moderate);
    // It may stay down to the end.
    let ends: Vec<_> = frames.iter().filter(|(ms, ..)| *ms < 30_000).cloned().collect();
    evidence
        .clone()
        .capture(1, &ends)
        .with("monitor.txt", events("29.700000", ADMIN_DOWN))
        .ask("admin-down")
        .one()
        .accuses(D::HostConfig, S::Moderate);
    // Long after LACP broke, it was taken down for that.
    evidence
        .clone()
        .capture(1, &ends)
        .with("monitor.txt", events("50.200000", ADMIN_DOWN))
        .ask("admin-down")
        .context();
    evidence
        .with("monitor.txt", events("50.200000", ADMIN_DOWN) + &events("59.000000", UP))
        .ask("admin-down")
        .context();
}

#[test]
fn a_port_that_is_defaulted_before_any_timeout_was_disabled() {
    // Silent for ten seconds in both directions, then Defaulted without ever having been Expired.
    let anew = |state: u8| {
        talk(1, 90, move |s| match s {
            30..40 => (None, None),
            40 => (Some((state, PortInfo::default())), None),
            _ => healthy(1),
        })
    };
    Evidence::captured(&anew(0x47))
        .with("proc/net/bonding/bond0", failures(1))
        .ask("carrier-flap")
        .open()
        .quotes(&["eno1.pcap 40.0 s host 0x47 to 0x00"]);
    // Expired, as a timeout makes it: nothing tells of the link.
    Evidence::captured(&anew(0x8f)).with("proc/net/bonding/bond0", failures(1)).ask("carrier-flap").quiet();
}

#[test]
fn a_member_without_link_is_listed_and_left_open() {
    Evidence::none()
        .with("proc/net/bonding/bond0", eno1_down())
        .with("ip-link.txt", link(2, "eno1", NO_CARRIER, "DOWN") + &link(3, "eno2", UP, "UP"))
        .ask("link-down-now")
        .one()
        .about("eno1", Some(Way::Both))
        .suspects(&[
            (D::Physical, S::Moderate),
            (D::SwitchConfig, S::Weak),
            (D::HostDriverFirmware, S::Weak),
            (D::HostConfig, S::Weak),
        ])
        .quotes(&[
            "2: eno1: <NO-CARRIER,BROADCAST,MULTICAST,SLAVE,UP> mtu 1500 qdisc mq master bond0 state DOWN mode DEFAULT group default qlen 1000",
        ]);
}

#[test]
fn a_link_that_the_host_took_down_or_that_came_back_is_not_down_now() {
    Evidence::none()
        .with("proc/net/bonding/bond0", eno1_down())
        .with("ip-link.txt", link(2, "eno1", ADMIN_DOWN, "DOWN"))
        .ask("link-down-now")
        .quiet();
    Evidence::none()
        .with("before/proc/net/bonding/bond0", eno1_down())
        .with("after/proc/net/bonding/bond0", proc([(HEALTHY, HEALTHY); 2]))
        .ask("link-down-now")
        .quiet();
}

fn half(mii: &str) -> String {
    let text = in_member(&proc([(HEALTHY, HEALTHY); 2]), "eno2", "Duplex: full", "Duplex: half");
    in_member(&text, "eno2", "MII Status: up", &format!("MII Status: {mii}"))
}

const ETHTOOL: &str = "Settings for eno2:\n\tSupported ports: [ TP ]\n\tSpeed: 100Mb/s\n\tDuplex: Half\n\tAuto-negotiation: off\n\tPort: Twisted Pair\n\tLink detected: yes\n";

#[test]
fn half_duplex_names_the_host_only_if_the_host_fixed_it() {
    let evidence = Evidence::none().with("proc/net/bonding/bond0", half("up"));
    evidence.ask("half-duplex").open().about("eno2", None).quotes(&["Slave Interface: eno2"]);
    evidence
        .with("ethtool.txt", ETHTOOL)
        .ask("half-duplex")
        .one()
        .about("eno2", None)
        .accuses(D::HostConfig, S::Moderate)
        .quotes(&["Slave Interface: eno2", "Auto-negotiation: off"]);
}

#[test]
fn half_duplex_of_a_link_that_is_down_or_of_another_interface_says_nothing() {
    Evidence::none().with("proc/net/bonding/bond0", half("down")).ask("half-duplex").quiet();
    Evidence::bond().with("ethtool.txt", ETHTOOL.replace("eno2", "eno3")).ask("half-duplex").quiet();
}

/// active-backup as the kernel prints it, with what watches the links.
fn backup(watch: &str) -> String {
    let mut text = format!(
        "Ethernet Channel Bonding Driver: v6.12.107+deb13-amd64\n\nBonding Mode: fault-tolerance (active-backup)\nPrimary Slave: None\nCurrently Active Slave: eno1\nMII Status: up\n{watch}"
    );
    for n in 1..=2 {
        text.push_str(&format!(
            "\nSlave Interface: eno{n}\nMII Status: up\nSpeed: 10000 Mbps\nDuplex: full\nLink Failure Count: 0\nPermanent HW addr: 02:00:00:00:11:0{n}\nSlave queue ID: 0\n"
        ));
    }
    text
}

const NO_MIIMON: &str =
    "MII Polling Interval (ms): 0\nUp Delay (ms): 0\nDown Delay (ms): 0\nPeer Notification Delay (ms): 0\n";
const ARP: &str = "MII Polling Interval (ms): 0\nUp Delay (ms): 0\nDown Delay (ms): 0\nPeer Notification Delay (ms): 0\nARP Polling Interval (ms): 1000\nARP Missed Max: 2\nARP IP target/s (n.n.n.n form): 192.0.2.1\n";

#[test]
fn a_bond_that_calls_a_dead_link_up_is_the_host() {
    let evidence = Evidence::none().with("proc/net/bonding/bond0", backup(NO_MIIMON));
    evidence
        .ask("monitoring-missing")
        .one()
        .about("", None)
        .accuses(D::HostConfig, S::Moderate)
        .quotes(&["MII Polling Interval (ms): 0"]);
    evidence
        .with("ip-link.txt", link(2, "eno1", NO_CARRIER, "DOWN"))
        .ask("monitoring-missing")
        .one()
        .about("eno1", None)
        .accuses(D::HostConfig, S::Strong)
        .quotes(&[
            "MII Polling Interval (ms): 0",
            "2: eno1: <NO-CARRIER,BROADCAST,MULTICAST,SLAVE,UP> mtu 1500 qdisc mq master bond0 state DOWN mode DEFAULT group default qlen 1000",
            "Slave Interface: eno1",
        ]);
}

#[test]
fn an_arp_monitor_watches_too() {
    Evidence::none()
        .with("proc/net/bonding/bond0", backup(ARP))
        .with("ip-link.txt", link(2, "eno1", NO_CARRIER, "DOWN"))
        .ask("monitoring-missing")
        .quiet();
    Evidence::bond().ask("monitoring-missing").quiet();
}

/// What the bond says of `eno1` three times.
fn called_down() -> [String; 3] {
    [5.0, 15.0, 25.0].map(|t| log(t, "bond0: (slave eno1): link status definitely down, disabling slave"))
}

#[test]
fn members_down_without_a_loss_of_carrier_are_missing_arp_replies() {
    let lines = called_down();
    Evidence::none()
        .with("proc/net/bonding/bond0", backup(ARP))
        .with("kern.log", lines.concat())
        .ask("arp-monitor")
        .one()
        .about("eno1", None)
        .suspects(&[(D::SwitchConfig, S::Weak), (D::HostConfig, S::Weak), (D::NotLacp, S::Weak)])
        .says("called it down 3 times, the driver reported 0 loss(es) of carrier")
        .quotes(&[lines[0].trim(), "ARP Polling Interval (ms): 1000", lines[1].trim(), lines[2].trim()]);
}

#[test]
fn an_arp_monitor_that_follows_carrier_is_only_mentioned() {
    let text: String = [4.0, 14.0, 24.0]
        .iter()
        .zip(called_down())
        .map(|(t, bond)| log(*t, "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down") + &bond)
        .collect();
    Evidence::none()
        .with("proc/net/bonding/bond0", backup(ARP))
        .with("kern.log", text)
        .ask("arp-monitor")
        .context()
        .about("", None)
        .quotes(&["ARP Polling Interval (ms): 1000"]);
    Evidence::none()
        .with("proc/net/bonding/bond0", backup(NO_MIIMON))
        .with("kern.log", called_down().concat())
        .ask("arp-monitor")
        .quiet();
}
