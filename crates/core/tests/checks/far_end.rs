//! Evidence of both ends: `far-port-errors`, `lacpdu-ignored-by-switch`, `lacpdu-lost-between-taps`,
//! `lacpdu-not-sent-by-switch`.

use crate::answers::Evidence;
use crate::conversation::{
    Frame, HEALTHY, healthy, host, host_mac, lost_towards_host, lost_towards_switch, pcap_of, proc,
    switch_mac, talk, with,
};
use bondwitness_core::domain::{FaultDomain as D, Side, Way};
use bondwitness_core::finding::{Severity, Strength as S};

/// The clock of the other end is so far ahead, in milliseconds.
const AHEAD: i64 = 7_250;

/// `/proc/net/bonding/bond0` of the switch, which runs Linux: ports swp1 and swp2.
fn far_proc() -> String {
    proc([(HEALTHY, HEALTHY); 2])
        .replace("02:00:00:00:11:01\n", "AA\n")
        .replace("00:1c:73:00:00:09", "02:00:00:00:11:01")
        .replace("AA\n", "00:1c:73:00:00:09\n")
        .replace("Permanent HW addr: 00:1c:73:00:00:09", "Permanent HW addr: 00:1c:73:00:01:01")
        .replace("Permanent HW addr: 02:00:00:00:11:02", "Permanent HW addr: 00:1c:73:00:01:02")
        .replace("port number: 1\n", "port number: A\n")
        .replace("port number: 2\n", "port number: B\n")
        .replace("port number: 17", "port number: 1")
        .replace("port number: 18", "port number: 2")
        .replace("port number: A", "port number: 17")
        .replace("port number: B", "port number: 18")
        .replace("eno", "swp")
}

/// A capture at the switch's end of a member.
fn far(evidence: Evidence, member: u16, frames: &[Frame]) -> Evidence {
    let shifted = frames.iter().map(|(ms, from_host, pdu)| {
        (*ms + AHEAD, if *from_host { host_mac(member) } else { switch_mac(member) }, pdu.clone())
    });
    evidence.with(&format!("sw-swp{member}.pcap"), pcap_of(shifted))
}

/// Both ends: what the host saw of eno1, and what the switch saw of swp1.
fn both(here: &[Frame], there: &[Frame]) -> Evidence {
    let evidence = Evidence::captured(here).with("sw-before/proc-net-bonding-bond0.txt", far_proc());
    far(far(evidence, 1, there), 2, &talk(2, 90, |_| healthy(2)))
}

fn without(frames: Vec<Frame>, from_host: bool, seconds: std::ops::Range<i64>) -> Vec<Frame> {
    frames.into_iter().filter(|f| f.1 != from_host || !seconds.contains(&(f.0 / 1000))).collect()
}

/// The host's frames do not reach the tap of the switch from second 30 to 60.
fn lost_on_the_way() -> Evidence {
    both(&lost_towards_switch(), &without(lost_towards_switch(), true, 30..60))
}

/// A conversation in which the switch sends on from second 30 to 45, and nothing of it arrives.
fn sent_and_lost() -> Evidence {
    let there = talk(1, 90, |s| match s {
        30..33 => healthy(1),
        33..36 => (Some((0x8f, with(lacp_switch(), 0x37))), Some((0x07, with(host(1), 0x8f)))),
        36..45 => (Some((0x47, Default::default())), Some((0x07, with(host(1), 0x47)))),
        45 => (None, Some((0x07, with(host(1), 0x47)))),
        _ => healthy(1),
    });
    both(&lost_towards_host(), &there)
}

fn lacp_switch() -> lacp::PortInfo {
    crate::conversation::switch(1)
}

/// A veth that counts what it sends, and the bond's count of LACPDUs.
fn counted(evidence: Evidence) -> Evidence {
    let link = |packets: u64| {
        format!(
            "22: eno1@if21: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 1500 qdisc noqueue master bond0 state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff promiscuity 1 allmulti 0 minmtu 68 maxmtu 65535 \n    veth \n    bond_slave state ACTIVE mii_status UP link_failure_count 0 perm_hwaddr 02:00:00:00:11:01 queue_id 0 prio 0 ad_aggregator_id 1\n    RX:  bytes packets errors dropped  missed   mcast           \n          1736      {packets}      0       0       0       0 \n    RX errors:  length    crc   frame    fifo overrun\n                     0      0       0       0       0 \n    TX:  bytes packets errors dropped carrier collsns           \n          1612      {packets}      0       0       0       0 \n    TX errors: aborted   fifo  window heartbt transns\n                     0      0       0       0       2 \n"
        )
    };
    let xstats = |sent: u64| {
        format!(
            "22: eno1: group xstats_slave subgroup bond suite 802.3ad\n                    LACPDU Rx {sent}\n                    LACPDU Tx {sent}\n                    LACPDU Unknown type Rx 0\n                    LACPDU Illegal Rx 0\n"
        )
    };
    evidence
        .with("s1/ip-link.txt", link(14))
        .with("s2/ip-link.txt", link(140))
        .with("s1/xstats.txt", xstats(14))
        .with("s2/xstats.txt", xstats(104))
}

#[test]
fn what_passes_one_tap_and_not_the_other_was_lost_between_them() {
    counted(lost_on_the_way())
        .ask("lacpdu-lost-between-taps")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .accuses(D::Physical, S::Moderate)
        .says("there was a silence of 31.0 s")
        .says("clocks tied by 3 pairs of frames")
        .quotes(&[
            "sw-swp1.pcap 36.2 s host 0x3f to 0x3f",
            "sw-swp1.pcap 67.2 s host 0x3f to 0x3f",
            "eno1.pcap 33.0 s host 0x3f to 0x8f",
            "LACPDU Tx 14",
            "LACPDU Tx 104",
            "1612      14      0       0       0       0",
            "1612      140      0       0       0       0",
        ]);
    counted(sent_and_lost())
        .ask("lacpdu-lost-between-taps")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::Physical, S::Moderate);
    // Without counters the host's NIC, which lies between the taps too, is not excluded.
    lost_on_the_way().ask("lacpdu-lost-between-taps").open().about("eno1", Some(Way::HostToSwitch));
}

#[test]
fn without_the_other_tap_or_its_clock_nothing_is_compared() {
    Evidence::captured(&lost_towards_switch()).ask("lacpdu-lost-between-taps").quiet();
    // A capture of the other end from another hour has no frame in common.
    let elsewhere =
        Evidence::captured(&lost_towards_switch()).with("sw-before/proc-net-bonding-bond0.txt", far_proc());
    far(elsewhere, 1, &talk(1, 90, |_| healthy(1))).ask("lacpdu-lost-between-taps").quiet();
    // The same at both taps: nothing was lost.
    both(&lost_towards_switch(), &lost_towards_switch()).ask("lacpdu-lost-between-taps").quiet();
    both(&talk(1, 90, |_| healthy(1)), &talk(1, 90, |_| healthy(1))).ask("lacpdu-lost-between-taps").quiet();
}

#[test]
fn what_passes_both_taps_and_is_not_heard_was_ignored() {
    both(&lost_towards_switch(), &lost_towards_switch())
        .ask("lacpdu-ignored-by-switch")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .accuses(D::SwitchControlPlane, S::Strong)
        .quotes(&["sw-swp1.pcap 40.4 s switch 0x8f to 0x37", "sw-swp1.pcap 40.2 s host 0x3f to 0x8f"]);
    lost_on_the_way().ask("lacpdu-ignored-by-switch").quiet();
    both(&talk(1, 90, |_| healthy(1)), &talk(1, 90, |_| healthy(1))).ask("lacpdu-ignored-by-switch").quiet();
}

#[test]
fn what_does_not_pass_the_senders_own_tap_was_not_sent() {
    both(&lost_towards_host(), &lost_towards_host())
        .ask("lacpdu-not-sent-by-switch")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::SwitchControlPlane, S::Strong)
        .says("swp1 at the other end sent nothing for 16.0 s by its own tap");
    sent_and_lost().ask("lacpdu-not-sent-by-switch").quiet();
    lost_on_the_way().ask("lacpdu-not-sent-by-switch").quiet();
}

#[test]
fn both_ends_together_give_a_verdict_and_the_host_alone_does_not() {
    let side = |files: &[(String, Vec<u8>)]| {
        let report = crate::conversation::judge(files);
        assert_eq!(report.case.subjects.len(), 1, "the other end's bond is no subject of this host");
        let v = &report.subjects[0].judged.verdict;
        (v.side, v.members.clone())
    };
    let eno1 = vec!["eno1".to_owned()];
    assert_eq!(side(&counted(lost_on_the_way()).files()), (Side::Link, eno1.clone()));
    assert_eq!(
        side(&counted(both(&lost_towards_switch(), &lost_towards_switch())).files()),
        (Side::Switch, eno1.clone())
    );
    assert_eq!(side(&counted(Evidence::captured(&lost_towards_switch())).files()), (Side::Unknown, eno1));
}

/// `ethtool -S swp1` at the switch.
fn far_stats(port: u8, crc: u64, packets: u64) -> String {
    format!(
        "# ethtool -S swp{port}\nNIC statistics:\n     rx_packets: {packets}\n     rx_crc_errors: {crc}\n"
    )
}

fn far_counted(low: u64, high: u64) -> Evidence {
    lost_on_the_way()
        .with("sw-before/ethtool.txt", far_stats(1, low, 1_000))
        .with("sw-after/ethtool.txt", far_stats(1, high, 5_000))
}

#[test]
fn damage_that_the_other_end_counts_is_on_the_way_to_it() {
    far_counted(3, 203)
        .ask("far-port-errors")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .accuses(D::Physical, S::Strong)
        .says("rx_crc_errors of swp1 at the other end rose by 200")
        .quotes(&["rx_crc_errors: 203", "rx_crc_errors: 3"]);
    assert_eq!(far_counted(3, 6).ask("far-port-errors").open().finding.severity, Severity::Warning);
    far_counted(203, 203).ask("far-port-errors").quiet();
    Evidence::captured(&lost_towards_switch()).ask("far-port-errors").quiet();
}
