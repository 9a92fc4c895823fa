//! Log lines whose clock is not the capture's: tied together where two sources saw the same thing, else kept apart.

use super::*;
use bondwitness_core::timeline::Alignment;
use bondwitness_core::units::Clock;

/// The host booted this many seconds before the capture began.
const UP: i64 = 345_600;

/// Carrier lost from second 30 to 40: the tap sees nothing, and our first LACPDU after it carries Expired and Defaulted.
fn carrier_lost() -> Vec<Frame> {
    talk(1, 90, |s| match s {
        31..40 => (None, None),
        40 => (Some((0xc7, PortInfo::default())), None),
        _ => healthy(1),
    })
}

fn line(second: f64, text: &str) -> String {
    format!("[{:13.6}] {text}\n", UP as f64 + second)
}

/// A NIC that hung and was reset, and the loss of carrier that came of it, `late` seconds into the capture.
fn hang(late: f64, length: f64) -> String {
    [
        line(
            late - 2.0,
            "igc 0000:02:00.0 eno1: NETDEV WATCHDOG: CPU: 3: transmit queue 3 timed out 5012 ms",
        ),
        line(late - 1.5, "igc 0000:02:00.0 eno1: Reset adapter"),
        line(late, "igc 0000:02:00.0 eno1: NIC Link is Down"),
        line(late + 0.1, "bond0: (slave eno1): link status definitely down, disabling slave"),
        line(
            late + length,
            "igc 0000:02:00.0 eno1: NIC Link is Up 2500 Mbps Full Duplex, Flow Control: RX/TX",
        ),
        line(late + length + 0.1, "bond0: (slave eno1): link status definitely up, 2500 Mbps full duplex"),
    ]
    .concat()
}

fn boot_clock(report: &Report) -> Option<Alignment> {
    report.subjects[0].alignments.iter().find(|a| a.clock == Clock::Boot).copied()
}

fn assert_tied(report: &Report, within: i64) {
    let a = boot_clock(report).expect("tied to the wall clock");
    let truth = (T0 - UP) * 1_000_000_000;
    assert!((a.offset - truth).abs() <= a.error, "off by {} ns, bound {}", a.offset - truth, a.error);
    assert!(a.error <= within * 1_000_000_000, "bound {}", a.error);
}

#[test]
fn one_loss_of_carrier_in_log_and_capture_ties_the_boot_clock() {
    let report = case(&carrier_lost(), &[("dmesg.txt", hang(30.4, 9.0))]);
    assert_tied(&report, 2);
    assert_eq!(verdict(&report).domain, D::HostDriverFirmware, "{}", verdict(&report).summary);
}

#[test]
fn a_loss_of_another_length_is_another_loss() {
    let report = case(&carrier_lost(), &[("dmesg.txt", hang(30.4, 3.0))]);
    assert_eq!(boot_clock(&report), None);
    assert_eq!(verdict(&report).side, Side::Unknown, "{}", verdict(&report).summary);
}

#[test]
fn losses_that_fit_in_two_ways_tie_nothing() {
    let twice = hang(-90_000.0, 9.0) + &hang(30.4, 9.0);
    let report = case(&carrier_lost(), &[("dmesg.txt", twice)]);
    assert_eq!(boot_clock(&report), None);
    assert_eq!(verdict(&report).side, Side::Unknown, "{}", verdict(&report).summary);
}

#[test]
fn a_loss_that_would_lie_in_a_healthy_stretch_contradicts() {
    let other = line(50.0, "igc 0000:03:00.0 eno2: NIC Link is Down")
        + &line(58.0, "igc 0000:03:00.0 eno2: NIC Link is Up 2500 Mbps Full Duplex, Flow Control: RX/TX");
    let report = case(&carrier_lost(), &[("dmesg.txt", hang(30.4, 9.0) + &other)]);
    assert_eq!(boot_clock(&report), None);
}

#[test]
fn the_same_lines_in_the_journal_tie_the_boot_clock_closely() {
    // The silence on the wire is another one, so carrier cannot do it.
    let log = hang(30.4, 9.0);
    let journal: String = log
        .lines()
        .zip(["28.401", "28.901", "30.401", "30.501", "39.401", "39.501"])
        .map(|(l, at)| {
            format!("2026-01-01T00:00:{at}000+00:00 db01 kernel: {}\n", l.split_once("] ").unwrap().1)
        })
        .collect();
    let files =
        [("dmesg.txt", log), ("journal.txt", journal.lines().take(4).map(|l| format!("{l}\n")).collect())];
    let report = case(&talk(1, 90, |_| healthy(1)), &files);
    assert_tied(&report, 1);
    assert_eq!(boot_clock(&report).expect("tied").pairs, 4);
}

#[test]
fn the_time_of_boot_ties_with_a_bound_that_grows_with_the_uptime() {
    let btime = |wrong: i64| ("stat.txt", format!("btime {}\n", T0 - UP + wrong));
    let report = case(&carrier_lost(), &[("dmesg.txt", hang(30.4, 3.0)), btime(0)]);
    let a = boot_clock(&report).expect("tied");
    assert!(a.error > 15_000_000_000, "four days of drift cannot be bound by {} ns", a.error);
    assert_ne!(
        verdict(&report).side,
        Side::Host,
        "the bound is wider than the trouble: {}",
        verdict(&report).summary
    );
    // Two roads that contradict each other.
    let report = case(&carrier_lost(), &[("dmesg.txt", hang(30.4, 9.0)), btime(7200)]);
    assert_eq!(boot_clock(&report), None);
}

#[test]
fn a_log_of_two_boots_is_not_tied() {
    let two = hang(30.4, 9.0)
        + "[    0.000000] Linux version 6.12.107+deb13-amd64\n[    5.000000] igc 0000:02:00.0 eno1: NIC Link is Up 2500 Mbps Full Duplex, Flow Control: RX/TX\n";
    let report = case(&carrier_lost(), &[("dmesg.txt", two)]);
    assert_eq!(boot_clock(&report), None);
}

/// `ip monitor` of eno1, in civil time of a zone: flags and mii state at these seconds.
fn monitor(zone_hours: i64, events: &[(i64, &str, &str)]) -> String {
    events
        .iter()
        .map(|(s, flags, mii)| {
            format!("[2026-01-01T{:02}:00:{s:02}.100000] 2: eno1: <BROADCAST,MULTICAST,SLAVE{flags}> mtu 1500 qdisc mq master bond0 state UP group default \n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n    bond_slave state ACTIVE mii_status {mii} link_failure_count 0 perm_hwaddr 02:00:00:00:11:01 queue_id 0 prio 0\n", zone_hours)
        })
        .collect()
}

#[test]
fn taken_down_on_the_host_when_the_outage_began_is_the_host() {
    for zone in [0, 2] {
        let up = ",UP,LOWER_UP";
        let text = monitor(zone, &[(5, up, "UP"), (30, "", "DOWN"), (39, up, "UP")]);
        let report = case(&carrier_lost(), &[("ip-monitor-link.txt", text)]);
        let v = verdict(&report);
        assert_eq!(
            (v.domain, v.members.as_slice()),
            (D::HostConfig, &["eno1".to_owned()][..]),
            "{}",
            v.summary
        );
        // The cable pulled: UP stays, LOWER_UP goes.
        let text = monitor(zone, &[(5, up, "UP"), (30, ",UP", "DOWN"), (39, up, "UP")]);
        let report = case(&carrier_lost(), &[("ip-monitor-link.txt", text)]);
        assert_ne!(verdict(&report).side, Side::Host, "{}", verdict(&report).summary);
    }
}

#[test]
fn taken_down_on_the_host_long_after_the_outage_began_is_a_reaction() {
    let up = ",UP,LOWER_UP";
    let text = monitor(0, &[(5, up, "UP"), (50, "", "DOWN"), (59, up, "UP")]);
    let report = case(&lost_towards_switch(), &[("ip-monitor-link.txt", text)]);
    assert_eq!(verdict(&report).side, Side::Unknown, "{}", verdict(&report).summary);
}

#[test]
fn taken_down_on_the_host_while_another_member_loses_carrier_is_not_the_fault() {
    let up = ",UP,LOWER_UP";
    let down = monitor(0, &[(5, up, "UP"), (30, "", "DOWN"), (39, up, "UP")]);
    // The log of the other member, without a capture of it.
    let flaps: String = (10..16)
        .map(|s| {
            let at = |ms: u32, text: &str| {
                format!("2026-01-01T00:00:{s:02}.{ms}000+00:00 db01 kernel: igc 0000:03:00.0 eno2: {text}\n")
            };
            at(100, "NIC Link is Down")
                + &at(400, "NIC Link is Up 2500 Mbps Full Duplex, Flow Control: RX/TX")
        })
        .collect();
    let report = judge(&[
        (
            "bond0.txt".to_owned(),
            proc([(63, 63), (63, 63)]).replace("Failure Count: 0", "Failure Count: 6").into_bytes(),
        ),
        ("eno1.pcap".to_owned(), pcap(1, &carrier_lost())),
        ("ip-monitor-link.txt".to_owned(), down.into_bytes()),
        ("kern.log".to_owned(), flaps.into_bytes()),
    ]);
    assert_ne!(verdict(&report).side, Side::Host, "{}", verdict(&report).summary);
    let told = &report.subjects[0].judged.findings;
    assert!(told.iter().any(|f| f.check == "admin-down" && f.accuses().is_none()), "{told:?}");
}
