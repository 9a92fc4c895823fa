//! LACPDUs that go missing, and where: `ends-not-told`, `lacp-in-order`, `lacp-lost-both-ways`,
//! `lacp-lost-towards-host`, `lacp-lost-towards-switch`, `lacpdu-lost-before-tap`, `lacpdu-lost-inside-host`,
//! `lacpdu-tx-silent`, `outage-unexplained`, `partner-restarted`.

use crate::answers::Evidence;
use crate::conversation::{
    Frame, HEALTHY, T0, healthy, host, in_member, lost_towards_host, lost_towards_switch, proc, stats,
    switch, talk, with,
};
use bondwitness_core::domain::{FaultDomain as D, Side, Way};
use bondwitness_core::finding::{Severity, Strength as S};
use lacp::{Mac, PortInfo};

/// From second 30 to `end` nothing passes in either direction, and the host's frames pass the tap.
fn lost_both_ways(end: i64) -> Vec<Frame> {
    talk(1, 90, |s| match s {
        30..33 => (Some((HEALTHY, switch(1))), None),
        33..36 => (Some((0x8f, with(switch(1), 0x37))), None),
        36 => (Some((0x47, PortInfo::default())), None),
        s if (37..end).contains(&s) => (None, None),
        s if s == end => (Some((0x47, PortInfo::default())), Some((0x47, PortInfo::default()))),
        _ => healthy(1),
    })
}

/// From second 30 to 60 the host sends nothing, and its partner says so.
fn host_silent() -> Vec<Frame> {
    talk(1, 90, |s| match s {
        30..33 => (None, Some((HEALTHY, host(1)))),
        33..36 => (None, Some((0x8f, with(host(1), 0x37)))),
        36..60 => (None, None),
        _ => healthy(1),
    })
}

/// From second 33 to 60 the host's words say that it hears nobody, while the partner's frames pass the tap.
fn lost_inside() -> Vec<Frame> {
    talk(1, 90, |s| match s {
        33..36 => (Some((0x8f, with(switch(1), 0x37))), Some((HEALTHY, with(host(1), 0x8f)))),
        36..60 => (Some((0x47, PortInfo::default())), Some((0x07, with(host(1), 0x47)))),
        _ => healthy(1),
    })
}

fn calm() -> Vec<Frame> {
    talk(1, 90, |_| healthy(1))
}

/// `ip -s -d link show eno1`, a veth that tcpdump holds in promiscuous mode.
fn veth(packets: u64) -> String {
    format!(
        "22: eno1@if21: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 1500 qdisc noqueue master bond0 state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff promiscuity 1 allmulti 0 minmtu 68 maxmtu 65535 \n    veth \n    bond_slave state ACTIVE mii_status UP link_failure_count 0 perm_hwaddr 02:00:00:00:11:01 queue_id 0 prio 0 ad_aggregator_id 1\n    RX:  bytes packets errors dropped  missed   mcast           \n          1736      {packets}      0       0       0       0 \n    RX errors:  length    crc   frame    fifo overrun\n                     0      0       0       0       0 \n    TX:  bytes packets errors dropped carrier collsns           \n          1612      {packets}      0       0       0       0 \n    TX errors: aborted   fifo  window heartbt transns\n                     0      0       0       0       2 \n"
    )
}

/// `ip stats show group xstats_slave subgroup bond suite 802.3ad` of eno1.
fn xstats(sent: u64) -> String {
    format!(
        "22: eno1: group xstats_slave subgroup bond suite 802.3ad\n                    LACPDU Rx {sent}\n                    LACPDU Tx {sent}\n                    LACPDU Unknown type Rx 0\n                    LACPDU Illegal Rx 0\n"
    )
}

fn sent(evidence: Evidence, low: u64, high: u64) -> Evidence {
    evidence.with("s1/xstats.txt", xstats(low)).with("s2/xstats.txt", xstats(high))
}

fn on_veth(evidence: Evidence) -> Evidence {
    evidence.with("s1/ip-link.txt", veth(14)).with("s2/ip-link.txt", veth(140))
}

const TOWARDS_SWITCH: [&str; 2] =
    ["eno1.pcap 33.1 s switch 0x8f to 0x37", "eno1.pcap 33.0 s host 0x3f to 0x8f"];

#[test]
fn a_partner_that_stops_hearing_us_names_the_direction_to_the_switch() {
    Evidence::captured(&lost_towards_switch())
        .ask("lacp-lost-towards-switch")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .suspects(&[
            (D::SwitchControlPlane, S::Moderate),
            (D::Physical, S::Moderate),
            (D::HostDriverFirmware, S::Weak),
        ])
        .says("once although the host's LACPDUs passed the tap")
        .quotes(&TOWARDS_SWITCH);
}

#[test]
fn counters_that_account_for_every_lacpdu_clear_the_host() {
    let said = sent(on_veth(Evidence::captured(&lost_towards_switch())), 14, 104)
        .ask("lacp-lost-towards-switch")
        .all(2);
    let mut said = said.into_iter();
    said.next()
        .unwrap()
        .about("eno1", Some(Way::HostToSwitch))
        .suspects(&[(D::SwitchControlPlane, S::Moderate), (D::Physical, S::Moderate)])
        .quotes(&TOWARDS_SWITCH);
    said.next().unwrap().about("eno1", Some(Way::HostToSwitch)).clears(Side::Host).quotes(&[
        "LACPDU Tx 14",
        "LACPDU Tx 104",
        "1612      14      0       0       0       0",
        "1612      140      0       0       0       0",
    ]);
}

#[test]
fn a_netdev_counter_of_a_real_nic_does_not_clear_the_host() {
    let text = |packets| format!("{}     multicast: 0\n", stats(1, 0, packets));
    sent(Evidence::captured(&lost_towards_switch()), 14, 104)
        .with("s1/ethtool.txt", text(10_000))
        .with("s2/ethtool.txt", text(10_200))
        .ask("lacp-lost-towards-switch")
        .open()
        .about("eno1", Some(Way::HostToSwitch));
}

#[test]
fn a_partner_that_complains_because_we_were_silent_or_deaf_first_is_not_a_loss_towards_the_switch() {
    Evidence::captured(&host_silent()).ask("lacp-lost-towards-switch").quiet();
    Evidence::captured(&lost_towards_host()).ask("lacp-lost-towards-switch").quiet();
    Evidence::captured(&calm()).ask("lacp-lost-towards-switch").quiet();
}

#[test]
fn a_snapshot_with_an_expired_partner_is_a_hint() {
    Evidence::none()
        .with("proc/net/bonding/bond0", proc([(HEALTHY, 0x87), (HEALTHY, HEALTHY)]))
        .ask("lacp-lost-towards-switch")
        .open()
        .about("eno1", Some(Way::HostToSwitch))
        .says("the partner says Expired (state 135)")
        .quotes(&["Slave Interface: eno1"]);
    // Deaf on both ends: which came first is not told.
    Evidence::none()
        .with("proc/net/bonding/bond0", proc([(0x87, 0x87), (HEALTHY, HEALTHY)]))
        .ask("lacp-lost-towards-switch")
        .quiet();
}

const TOWARDS_HOST: [&str; 3] = [
    "eno1.pcap 33.0 s host 0x8f to 0x37",
    "eno1.pcap 29.1 s switch 0x3f to 0x3f",
    "eno1.pcap 45.1 s switch 0x07 to 0x47",
];

#[test]
fn a_partner_that_falls_silent_and_heard_us_all_along_names_the_direction_to_the_host() {
    Evidence::captured(&lost_towards_host())
        .ask("lacp-lost-towards-host")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .suspects(&[
            (D::SwitchControlPlane, S::Moderate),
            (D::Physical, S::Moderate),
            (D::HostDriverFirmware, S::Weak),
        ])
        .says("the partner had heard us all along")
        .quotes(&TOWARDS_HOST);
}

#[test]
fn a_receive_path_without_a_place_to_lose_frames_clears_the_host() {
    let said = on_veth(Evidence::captured(&lost_towards_host())).ask("lacp-lost-towards-host").all(2);
    let mut said = said.into_iter();
    said.next().unwrap().quotes(&TOWARDS_HOST);
    said.next().unwrap().about("eno1", Some(Way::SwitchToHost)).clears(Side::Host).quotes(&[
        "22: eno1@if21: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 1500 qdisc noqueue master bond0 state UP mode DEFAULT group default qlen 1000",
        "0      0       0       0       0",
        "0      0       0       0       0",
        "1736      14      0       0       0       0",
        "1736      140      0       0       0       0",
    ]);
    // An XDP program stands between wire and tap.
    on_veth(Evidence::captured(&lost_towards_host()))
        .with("bpftool.txt", "xdp:\neno1(22) driver id 35\n\ntc:\n\nflow_dissector:\n\nnetfilter:\n")
        .ask("lacp-lost-towards-host")
        .open();
}

#[test]
fn a_silence_that_follows_the_partners_own_complaint_is_not_a_second_fault() {
    Evidence::captured(&lost_towards_switch()).ask("lacp-lost-towards-host").quiet();
    Evidence::captured(&lost_inside()).ask("lacp-lost-towards-host").quiet();
}

#[test]
fn a_partner_that_comes_back_deaf_shows_a_loss_in_both_directions() {
    Evidence::captured(&lost_both_ways(37))
        .ask("lacp-lost-both-ways")
        .one()
        .about("eno1", Some(Way::Both))
        .suspects(&[
            (D::Physical, S::Moderate),
            (D::SwitchControlPlane, S::Moderate),
            (D::HostDriverFirmware, S::Weak),
        ])
        .quotes(&[
            "eno1.pcap 33.0 s host 0x8f to 0x37",
            "eno1.pcap 29.1 s switch 0x3f to 0x3f",
            "eno1.pcap 37.1 s switch 0x47 to 0x00",
        ]);
}

#[test]
fn after_a_long_silence_our_own_slow_cadence_has_made_the_partner_deaf() {
    let frames = lost_both_ways(50);
    Evidence::captured(&frames).ask("lacp-lost-both-ways").quiet();
    Evidence::captured(&frames).ask("lacp-lost-towards-host").open();
    Evidence::captured(&lost_towards_host()).ask("lacp-lost-both-ways").quiet();
    Evidence::captured(&lost_towards_switch()).ask("lacp-lost-both-ways").quiet();
}

#[test]
fn frames_between_tap_and_bond_are_the_host() {
    let proof = ["eno1.pcap 33.0 s host 0x8f to 0x37", "eno1.pcap 32.1 s switch 0x3f to 0x3f"];
    Evidence::captured(&lost_inside())
        .ask("lacpdu-lost-inside-host")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::HostConfig, S::Strong)
        .quotes(&proof);
    Evidence::captured(&lost_inside())
        .with(
            "bpftool.txt",
            "xdp:\n\ntc:\neno1(22) clsact/ingress guard.o:[cls] id 3\n\nflow_dissector:\n\nnetfilter:\n",
        )
        .ask("lacpdu-lost-inside-host")
        .one()
        .says("guard.o:[cls] id 3 is attached to its ingress")
        .quotes(&[proof[0], proof[1], "eno1(22) clsact/ingress guard.o:[cls] id 3"]);
}

#[test]
fn half_duplex_our_own_system_and_a_silence_on_the_wire_are_not_lost_inside_the_host() {
    let half = in_member(&proc([(HEALTHY, HEALTHY); 2]), "eno1", "Duplex: full", "Duplex: half");
    Evidence::captured(&lost_inside())
        .with("proc/net/bonding/bond0", half)
        .ask("lacpdu-lost-inside-host")
        .quiet();
    let mut ours = lost_inside();
    for (ms, from_host, pdu) in &mut ours {
        if !*from_host && *ms >= 30_000 {
            pdu.actor.system = host(1).system;
        }
    }
    Evidence::captured(&ours).ask("lacpdu-lost-inside-host").quiet();
    Evidence::captured(&lost_towards_host()).ask("lacpdu-lost-inside-host").quiet();
}

const SILENT: [&str; 3] = [
    "eno1.pcap 29.0 s host 0x3f to 0x3f",
    "eno1.pcap 60.0 s host 0x3f to 0x3f",
    "eno1.pcap 33.1 s switch 0x8f to 0x37",
];

#[test]
fn a_host_that_falls_silent_on_one_member_is_the_host_and_its_domain_is_open() {
    Evidence::captured(&host_silent())
        .ask("lacpdu-tx-silent")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .suspects(&[
            (D::HostConfig, S::Strong),
            (D::HostDriverFirmware, S::Moderate),
            (D::HostStarvation, S::Moderate),
        ])
        .says("no LACPDU of the host passed the tap for 31.0 s")
        .quotes(&SILENT);
}

fn queue(kind: &str, dropped: u32) -> String {
    format!(
        "qdisc {kind} 8001: dev eno1 root refcnt 2 limit 1000\n Sent 23084 bytes 98 pkt (dropped {dropped}, overlimits 1 requeues 7) \n backlog 0b 0p requeues 7\n"
    )
}

#[test]
fn a_queue_that_dropped_as_many_is_what_silenced_the_host() {
    Evidence::captured(&host_silent())
        .with("tc.txt", queue("netem", 40))
        .ask("lacpdu-tx-silent")
        .one()
        .accuses(D::HostConfig, S::Strong)
        .says("queue netem on eno1 dropped 40 packets")
        .quotes(&[SILENT[0], SILENT[1], SILENT[2], "qdisc netem 8001: dev eno1 root refcnt 2 limit 1000"]);
    // The default queue drops under load every day, and two drops do not explain thirty missing LACPDUs.
    for (kind, dropped) in [("fq_codel", 40), ("netem", 2)] {
        let said = Evidence::captured(&host_silent())
            .with("tc.txt", queue(kind, dropped))
            .ask("lacpdu-tx-silent")
            .one();
        assert_eq!(said.finding.accuses(), None, "{}", said.finding.text);
    }
}

#[test]
fn all_members_silent_at_once_is_starvation() {
    let eno2 = talk(2, 90, |s| match s {
        30..33 => (None, Some((HEALTHY, host(2)))),
        33..36 => (None, Some((0x8f, with(host(2), 0x37)))),
        36..60 => (None, None),
        _ => healthy(2),
    });
    for said in Evidence::captured(&host_silent()).capture(2, &eno2).ask("lacpdu-tx-silent").all(2) {
        said.accuses(D::HostStarvation, S::Strong);
    }
}

#[test]
fn a_silence_without_a_link_or_of_a_tap_that_sees_one_direction_is_not_a_silent_host() {
    let down = talk(1, 90, |s| match s {
        30..40 => (None, None),
        40 => (Some((0xc7, PortInfo::default())), None),
        _ => healthy(1),
    });
    Evidence::captured(&down).ask("lacpdu-tx-silent").quiet();
    let inbound: Vec<Frame> = host_silent().into_iter().filter(|(_, from_host, _)| !from_host).collect();
    Evidence::bond().capture(1, &inbound).ask("lacpdu-tx-silent").quiet();
    Evidence::captured(&lost_towards_switch()).ask("lacpdu-tx-silent").quiet();
}

/// As two kernels showed it: carrier is gone for 2.8 s, both ends send to the last moment, and a partner whose port was
/// disabled comes back Defaulted, which no silence of 4 s leads to.
#[test]
fn a_partner_that_is_defaulted_too_soon_was_not_left_by_a_silent_host() {
    let flap = talk(1, 90, |s| match s {
        30..33 => (None, None),
        33 => (Some((0x07, with(switch(1), 0x47))), Some((0x47, PortInfo::default()))),
        _ => healthy(1),
    });
    Evidence::captured(&flap).ask("lacpdu-tx-silent").quiet();
}

/// As Linux 6.12 showed it after `lacp_rate slow`: the partner obeys at once, and the timeout of the fast rate runs out.
#[test]
fn a_silence_that_the_host_asked_for_is_no_loss() {
    let asked = talk(1, 90, |s| match s {
        30..33 => (Some((0x3d, switch(1))), None),
        33 => (Some((0x8d, with(switch(1), 0x37))), Some((HEALTHY, with(host(1), 0x8d)))),
        34..90 if s % 30 == 3 => (Some((0x3d, switch(1))), Some((HEALTHY, with(host(1), 0x3d)))),
        34..90 => (Some((0x3d, switch(1))), None),
        _ => healthy(1),
    });
    Evidence::captured(&asked).ask("lacp-lost-towards-host").quiet();
    Evidence::captured(&lost_towards_host()).ask("lacp-lost-towards-host").one();
}

#[test]
fn a_loss_of_carrier_in_the_silence_explains_it() {
    let line = |second: u32, what: &str| {
        format!(
            "2026-01-01T00:00:{second}.200000+00:00 db01 kernel: bond0: (slave eno1): link status definitely {what}\n"
        )
    };
    let down = |second: u32| {
        Evidence::captured(&host_silent()).with("kern.log", line(second, "down, disabling slave"))
    };
    down(30).ask("lacpdu-tx-silent").quiet();
    // Of another time it explains nothing.
    down(12).ask("lacpdu-tx-silent").one();
}

#[test]
fn attempts_of_the_bond_that_no_tap_saw_are_the_host() {
    // 60 frames passed the tap, the bond tried 90.
    sent(Evidence::captured(&host_silent()), 14, 104)
        .ask("lacpdu-lost-before-tap")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .accuses(D::HostConfig, S::Strong)
        .says("the bond tried to send 90 LACPDUs, the tap behind its queue saw 60")
        .quotes(&["LACPDU Tx 104", "LACPDU Tx 14"]);
}

#[test]
fn a_transmitter_that_hung_explains_what_the_tap_did_not_see() {
    let hang = "2026-01-01T00:00:36.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: NETDEV WATCHDOG: CPU: 3: transmit queue 2 timed out 5600 ms\n";
    sent(Evidence::captured(&host_silent()), 14, 104)
        .with("kern.log", hang)
        .ask("lacpdu-lost-before-tap")
        .one()
        .suspects(&[(D::HostDriverFirmware, S::Strong), (D::HostConfig, S::Moderate)]);
    let pause = |n: u32| {
        format!(
            "# ethtool -S eno1\nNIC statistics:\n     rx_packets: {}\n     rx_flow_control_xoff: {n}\n",
            1000 + n
        )
    };
    sent(Evidence::captured(&host_silent()), 14, 104)
        .with("kern.log", hang)
        .with("s1/ethtool.txt", pause(0))
        .with("s2/ethtool.txt", pause(60_000))
        .ask("lacpdu-lost-before-tap")
        .open();
}

/// LACPDUs tried by the bond and multicast frames sent by the MAC of both members, in two readings.
fn accounts(evidence: Evidence, eno1: (u64, u64), eno2: (u64, u64)) -> Evidence {
    let both = |f: &dyn Fn(&str, u64, u64) -> String, n: u64| {
        f("eno1", n * eno1.0, n * eno1.1) + &f("eno2", n * eno2.0, n * eno2.1)
    };
    let tried = |dev: &str, tried: u64, _: u64| {
        format!(
            "22: {dev}: group xstats_slave subgroup bond suite 802.3ad\n                    LACPDU Rx {tried}\n                    LACPDU Tx {tried}\n                    LACPDU Unknown type Rx 0\n                    LACPDU Illegal Rx 0\n"
        )
    };
    let mac = |dev: &str, _: u64, sent: u64| {
        format!(
            "# ethtool -S {dev}\nNIC statistics:\n     rx_packets: {}\n     tx_multicast_phy: {}\n     tx_errors_phy: 0\n",
            1000 + sent,
            500 + sent
        )
    };
    evidence
        .with("s1/xstats.txt", both(&tried, 0))
        .with("s2/xstats.txt", both(&tried, 1))
        .with("s1/ethtool.txt", both(&mac, 0))
        .with("s2/ethtool.txt", both(&mac, 1))
}

#[test]
fn a_mac_that_sent_less_than_it_was_given_is_the_host() {
    let ask = |eno1, eno2| {
        accounts(Evidence::captured(&lost_towards_switch()), eno1, eno2).ask("lacp-lost-towards-switch")
    };
    let said = ask((90, 60), (90, 93)).all(2);
    let said = said.into_iter().find(|s| s.finding.kind == bondwitness_core::finding::Kind::Counter);
    said.expect("a finding from counters")
        .about("eno1", Some(Way::HostToSwitch))
        .accuses(D::HostDriverFirmware, S::Strong)
        .says("handed 90 LACPDUs to the NIC and they passed the tap, its MAC sent 60 multicast frames");
    // The counter does not count LACPDUs on the other member either, or the last ones are not in it yet.
    ask((90, 0), (90, 0)).open();
    ask((90, 86), (90, 93)).open();
}

#[test]
fn a_bond_that_did_not_try_or_a_capture_that_was_shorter_lost_nothing_before_the_tap() {
    sent(Evidence::captured(&host_silent()), 14, 74).ask("lacpdu-lost-before-tap").quiet();
    sent(Evidence::captured(&calm()), 14, 1014).ask("lacpdu-lost-before-tap").quiet();
    // The counter is of before: it stands still.
    sent(Evidence::captured(&host_silent()), 5000, 5000).ask("lacpdu-lost-before-tap").quiet();
}

#[test]
fn a_member_whose_words_end_while_the_others_go_on_is_an_outage_without_a_cause() {
    let frames: Vec<Frame> = calm().into_iter().filter(|(ms, ..)| *ms < 30_000).collect();
    Evidence::captured(&frames)
        .ask("outage-unexplained")
        .one()
        .about("eno1", None)
        .suspects(&[
            (D::Physical, S::Weak),
            (D::SwitchControlPlane, S::Weak),
            (D::HostDriverFirmware, S::Weak),
            (D::HostConfig, S::Weak),
        ])
        .says("the last LACPDU of either end; the capture went on for 60.0 s")
        .quotes(&["eno1.pcap 29.1 s switch 0x3f to 0x3f"]);
    Evidence::captured(&[])
        .ask("outage-unexplained")
        .one()
        .about("eno1", None)
        .quotes(&["eno1.pcap as a whole"]);
}

#[test]
fn a_host_that_leaves_for_a_reason_that_is_not_seen_is_cited_where_it_left() {
    let frames = talk(1, 90, |s| match s {
        40..60 => (Some((0x07, with(switch(1), HEALTHY))), Some((0x07, with(host(1), 0x07)))),
        _ => healthy(1),
    });
    Evidence::captured(&frames)
        .ask("outage-unexplained")
        .open()
        .about("eno1", None)
        .says("our PDU withdraws")
        .quotes(&["eno1.pcap 40.0 s host 0x07 to 0x3f"]);
}

#[test]
fn an_outage_whose_cause_is_seen_and_captures_stopped_within_a_period_are_not_unexplained() {
    for frames in [lost_towards_switch(), lost_towards_host(), host_silent(), lost_inside(), calm()] {
        Evidence::captured(&frames).ask("outage-unexplained").quiet();
    }
    let shorter: Vec<Frame> = calm().into_iter().filter(|(ms, ..)| *ms < 88_000).collect();
    Evidence::captured(&shorter).ask("outage-unexplained").quiet();
}

/// The same frames between ends of which neither looks like Linux.
fn unlike_linux(mut frames: Vec<Frame>) -> Vec<Frame> {
    for (_, from_host, pdu) in &mut frames {
        let end = if *from_host { &mut pdu.actor } else { &mut pdu.partner };
        if end.system != Mac::default() {
            (end.system_priority, end.port_priority) = (32768, 32768);
        }
    }
    frames
}

#[test]
fn a_complaint_of_an_unknown_end_has_suspects_on_every_side() {
    let said = Evidence::none().capture(1, &unlike_linux(lost_towards_switch())).ask("ends-not-told").all(2);
    let mut complaint = false;
    for s in said {
        assert!(s.finding.text.contains("which end is this host is not told"), "{}", s.finding.text);
        if s.finding.text.contains("it does not hear its partner") {
            complaint = true;
            s.about("eno1", None)
                .suspects(&[
                    (D::SwitchControlPlane, S::Weak),
                    (D::SwitchConfig, S::Weak),
                    (D::Physical, S::Weak),
                    (D::HostConfig, S::Weak),
                    (D::HostDriverFirmware, S::Weak),
                ])
                .quotes(&["eno1.pcap 33.1 s switch 0x8f to 0x37"]);
        }
    }
    assert!(complaint);
}

#[test]
fn whoever_leaves_while_it_hears_its_partner_was_not_cut_off_by_a_cable() {
    let left = talk(1, 60, |s| match s {
        40 => (Some((HEALTHY, switch(1))), Some((0x03, host(1)))),
        41.. => (Some((0x0f, with(switch(1), 0x03))), None),
        _ => healthy(1),
    });
    let said = Evidence::none().capture(1, &unlike_linux(left)).ask("ends-not-told").all(2);
    let leaving: Vec<_> =
        said.into_iter().filter(|s| s.finding.text.contains("withdraws by itself")).collect();
    assert_eq!(leaving.len(), 1);
    for s in leaving {
        s.suspects(&[(D::SwitchConfig, S::Weak), (D::HostConfig, S::Weak), (D::SwitchControlPlane, S::Weak)])
            .quotes(&["eno1.pcap 40.1 s switch 0x03 to 0x3f"]);
    }
}

#[test]
fn a_guess_from_the_priorities_of_linux_is_said() {
    Evidence::none()
        .capture(1, &lost_towards_switch())
        .ask("ends-not-told")
        .one()
        .neutral(Severity::Info)
        .about("eno1", None)
        .quotes(&["eno1.pcap 0.0 s host 0x3f to 0x3f"]);
}

#[test]
fn with_the_bonds_own_state_both_ends_are_told() {
    Evidence::captured(&unlike_linux(lost_towards_switch())).ask("ends-not-told").quiet();
}

#[test]
fn a_capture_in_order_and_a_snapshot_in_order_are_said_of_each_member() {
    let mut said = Evidence::captured(&calm()).ask("lacp-in-order").all(2).into_iter();
    said.next()
        .unwrap()
        .neutral(Severity::Info)
        .about("eno1", None)
        .says("both ends collected and distributed for 89.1 s (90 LACPDUs out, 90 in)")
        .quotes(&["eno1.pcap 89.0 s host 0x3f to 0x3f", "eno1.pcap 89.1 s switch 0x3f to 0x3f"]);
    let mut said = Evidence::bond().ask("lacp-in-order").all(2).into_iter();
    said.next_back()
        .unwrap()
        .neutral(Severity::Info)
        .about("eno2", None)
        .says("(states 63/63)")
        .quotes(&["Slave Interface: eno2"]);
}

#[test]
fn a_member_that_does_not_carry_is_not_in_order() {
    // Expired and Defaulted on one, out of sync on the other.
    Evidence::none()
        .with("proc/net/bonding/bond0", proc([(0x47, 0), (HEALTHY, 0x07)]))
        .ask("lacp-in-order")
        .quiet();
    // A healthy snapshot does not contradict the flap that the capture shows: only eno2 is in order.
    Evidence::none()
        .with("proc/net/bonding/bond0", proc([(0x47, 0), (HEALTHY, HEALTHY)]))
        .capture(1, &lost_towards_switch())
        .ask("lacp-in-order")
        .context()
        .about("eno2", None);
}

/// A reading at a second of the capture.
fn at(second: i64, text: &str) -> String {
    format!("@@ {}.000000000\n{text}", T0 + second)
}

/// `ip -s -d link show eno1`, a NIC of which nobody asks for promiscuous mode.
fn nic() -> String {
    veth(14).replace("eno1@if21", "eno1").replace("    veth \n", "").replace("promiscuity 1", "promiscuity 0")
}

/// `ip maddr show dev eno1`.
fn maddr(slow: &str) -> String {
    format!("2:\teno1\n\tlink  33:33:00:00:00:01\n{slow}\tinet  224.0.0.1\n")
}

const JOINED: &str = "\tlink  01:80:c2:00:00:02\n";

/// `ethtool -S`, without its command line: the file's name tells the interface.
fn counters(member: u8, crc: u64, packets: u64) -> String {
    stats(member, crc, packets).split_once('\n').unwrap().1.to_owned()
}

/// The switch is silent from second 30 to 45; everything on the host was read in that time.
fn looked_at() -> Evidence {
    Evidence::captured(&lost_towards_host())
        .with("s1/ethtool_-S_eno1.txt", at(25, &counters(1, 7, 10_000)))
        .with("s2/ethtool_-S_eno1.txt", at(31, &counters(1, 7, 16_000)))
        .with("s3/ethtool_-S_eno1.txt", at(34, &counters(1, 7, 19_000)))
        .with("s4/ethtool_-S_eno1.txt", at(70, &counters(1, 7, 40_000)))
        .with("s3/ip-link.txt", at(34, &nic()))
        .with("s3/ip-maddr.txt", at(34, &maddr(JOINED)))
}

const ALL_OPEN: [(D, S); 3] =
    [(D::SwitchControlPlane, S::Moderate), (D::Physical, S::Weak), (D::HostDriverFirmware, S::Weak)];

#[test]
fn data_that_arrives_in_the_silence_on_a_clear_path_leaves_the_sender_of_lacpdus() {
    let mut said = looked_at().ask("lacp-lost-towards-host").all(2).into_iter();
    said.next().unwrap().about("eno1", Some(Way::SwitchToHost)).suspects(&ALL_OPEN);
    said.next()
        .unwrap()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::SwitchControlPlane, S::Strong)
        .says("3000 frames arrived in 3.0 s within the silence");
}

#[test]
fn data_that_was_counted_around_the_silence_says_less() {
    let mut said = looked_at()
        .with("s2/ethtool_-S_eno1.txt", at(27, &counters(1, 7, 12_000)))
        .ask("lacp-lost-towards-host")
        .all(2)
        .into_iter();
    said.next().unwrap().suspects(&ALL_OPEN);
    said.next()
        .unwrap()
        .accuses(D::SwitchControlPlane, S::Moderate)
        .says("7000 frames arrived in 7.0 s around the silence");
}

#[test]
fn a_segment_that_was_not_seen_clear_in_the_silence_leaves_it_open() {
    let name = "s3/ethtool_-S_eno1.txt";
    let twins = [
        ("damage", looked_at().with(name, at(34, &counters(1, 9, 19_000)))),
        (
            "counters read far from it",
            looked_at()
                .with("s2/ethtool_-S_eno1.txt", at(26, &counters(1, 7, 11_000)))
                .with(name, at(180, &counters(1, 7, 155_000)))
                .with("s4/ethtool_-S_eno1.txt", at(181, &counters(1, 7, 156_000))),
        ),
        ("no counter before", looked_at().with("s1/ethtool_-S_eno1.txt", at(50, &counters(1, 7, 26_000)))),
        (
            "nothing read apart from it",
            looked_at().with("s1/ethtool_-S_eno1.txt", at(26, &counters(1, 7, 11_000))).with(
                "s2/ethtool_-S_eno1.txt",
                at(26, &counters(1, 7, 11_000)),
            ).with("s4/ethtool_-S_eno1.txt", at(37, &counters(1, 7, 22_000))),
        ),
        (
            "as many as may have come before it",
            looked_at()
                .with("s2/ethtool_-S_eno1.txt", at(27, &counters(1, 7, 12_000)))
                .with(name, at(34, &counters(1, 7, 15_500))),
        ),
        ("no data", looked_at().with(name, at(34, &counters(1, 7, 16_009)))),
        ("no time", looked_at().with(name, counters(1, 7, 19_000)).with("s4/ethtool_-S_eno1.txt", counters(1, 7, 40_000))),
        ("XDP", looked_at().with("s3/ip-link.txt", at(34, &nic().replace("mtu 1500 ", "mtu 1500 xdp/id:64 ")))),
        ("links before it only", looked_at().with("s3/ip-link.txt", at(20, &nic()))),
        ("not joined", looked_at().with("s3/ip-maddr.txt", at(34, &maddr("")))),
        ("joined before it", looked_at().with("s3/ip-maddr.txt", at(20, &maddr(JOINED)))),
        (
            "a virtual machine",
            looked_at().with("ethtool-i.txt", "# ethtool -i eno1\ndriver: virtio_net\nversion: 1.0.0\nfirmware-version: \nexpansion-rom-version: \nbus-info: 0000:01:00.0\nsupports-statistics: yes\nsupports-test: no\nsupports-eeprom-access: no\nsupports-register-dump: no\nsupports-priv-flags: no\n"),
        ),
    ];
    for (what, evidence) in twins {
        let said = evidence.ask("lacp-lost-towards-host").all(1);
        let sides: Vec<bool> = said.iter().map(|s| s.finding.accuses().is_some()).collect();
        assert_eq!(sides, [false], "{what}");
    }
}

/// From second 30 to 40 the partner says nothing; then it begins anew.
fn restarted(member: u16, first: u8) -> Vec<Frame> {
    talk(member, 90, |s| match s {
        30..33 => (Some((HEALTHY, switch(member))), None),
        33..36 => (Some((0x8f, with(switch(member), 0x37))), None),
        36..40 => (Some((0x47, PortInfo::default())), None),
        40 => (Some((0x47, PortInfo::default())), Some((first, PortInfo::default()))),
        _ => healthy(member),
    })
}

#[test]
fn a_partner_that_begins_anew_on_several_members_at_once_has_restarted() {
    for said in Evidence::captured(&restarted(1, 0xc7))
        .capture(2, &restarted(2, 0xc7))
        .ask("partner-restarted")
        .all(2)
    {
        said.accuses(D::SwitchControlPlane, S::Strong).says("like 1 other member(s) at the same moment");
    }
}

#[test]
fn on_one_member_alone_its_receiver_may_have_lost_the_light() {
    Evidence::captured(&restarted(1, 0xc7)).ask("partner-restarted").open().about("eno1", None).suspects(&[
        (D::SwitchControlPlane, S::Moderate),
        (D::Physical, S::Moderate),
        (D::SwitchConfig, S::Weak),
    ]);
}

#[test]
fn a_partner_that_timed_out_or_a_link_that_was_down_is_no_restart() {
    Evidence::captured(&restarted(1, 0x47)).capture(2, &restarted(2, 0x47)).ask("partner-restarted").quiet();
    // Our own first PDU after the silence says that our port was disabled too.
    let down = |member: u16| {
        talk(member, 90, |s| match s {
            30..40 => (None, None),
            40 => (Some((0xc7, PortInfo::default())), Some((0xc7, PortInfo::default()))),
            _ => healthy(member),
        })
    };
    Evidence::captured(&down(1)).capture(2, &down(2)).ask("partner-restarted").quiet();
}
