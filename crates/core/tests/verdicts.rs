//! One small, hand-made conversation per rule: what was done to the link, and what may be said of it. Unlike the recordings
//! these can show what must *not* be said: old log lines, another member's errors, captures that see too little.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use bondwitness_core::diagnose::Report;
use bondwitness_core::domain::{FaultDomain as D, Grade, Side};
use bondwitness_core::verdict::Verdict;
use conversation::*;
use lacp::{Lacpdu, Mac, PortInfo};

mod conversation;

#[path = "verdicts/clocks.rs"]
mod clocks;
#[path = "verdicts/more_wire.rs"]
mod more_wire;
#[path = "verdicts/names.rs"]
mod names;
#[path = "verdicts/restarts.rs"]
mod restarts;

fn verdict(report: &Report) -> &Verdict {
    &report.subjects[report.worst().expect("a subject")].judged.verdict
}

fn checks(report: &Report) -> Vec<&'static str> {
    let mut ids: Vec<_> = report.subjects.iter().flat_map(|s| &s.judged.findings).map(|f| f.check).collect();
    ids.dedup();
    ids
}

#[test]
fn healthy_is_said_of_a_capture_in_order() {
    let report = case(&talk(1, 90, |_| healthy(1)), &[]);
    assert_eq!((verdict(&report).domain, verdict(&report).grade), (D::Healthy, Grade::Strong));
}

#[test]
fn lost_towards_the_switch_names_direction_and_member_and_no_side() {
    let report = case(&lost_towards_switch(), &[]);
    let v = verdict(&report);
    assert_eq!(v.side, Side::Unknown, "{}", v.summary);
    assert_eq!(v.members, ["eno1"]);
    assert_eq!(v.way.map(|w| w.name()), Some("host-to-switch"));
    assert!(checks(&report).contains(&"lacp-lost-towards-switch"));
    assert!(v.exonerated.is_empty(), "a tap is not the wire: nothing clears the NIC here");
}

#[test]
fn lost_towards_the_host_is_not_taken_for_a_silent_switch() {
    let report = case(&lost_towards_host(), &[]);
    let v = verdict(&report);
    assert_eq!(v.side, Side::Unknown, "{}", v.summary);
    assert_eq!(v.way.map(|w| w.name()), Some("switch-to-host"));
    let finding = report.subjects[0]
        .judged
        .findings
        .iter()
        .find(|f| f.check == "lacp-lost-towards-host")
        .expect("found");
    assert!(finding.text.contains("heard us all along"), "{}", finding.text);
}

#[test]
fn a_host_that_stops_sending_is_the_host() {
    let frames = talk(1, 90, |s| match s {
        30..33 => (None, Some((HEALTHY, host(1)))),
        33..36 => (None, Some((0x8f, with(host(1), 0x37)))),
        36..60 => (None, None),
        _ => healthy(1),
    });
    let report = case(&frames, &[]);
    let v = verdict(&report);
    assert_eq!((v.side, v.grade), (Side::Host, Grade::Indicative), "{}", v.summary);
    assert!(checks(&report).contains(&"lacpdu-tx-silent"));
}

#[test]
fn frames_that_pass_the_tap_and_do_not_reach_the_bond_are_the_host() {
    let frames = talk(1, 90, |s| match s {
        33..36 => (Some((0x8f, with(switch(1), 0x37))), Some((HEALTHY, with(host(1), 0x8f)))),
        36..60 => (Some((0x47, PortInfo::default())), Some((0x07, with(host(1), 0x47)))),
        _ => healthy(1),
    });
    let report = case(&frames, &[]);
    let v = verdict(&report);
    assert_eq!((v.domain, v.side), (D::HostConfig, Side::Host), "{}", v.summary);
    assert!(checks(&report).contains(&"lacpdu-lost-inside-host"));
}

#[test]
fn a_system_that_flips_is_mlag() {
    let other = |on: bool| if on { Mac([0, 0x1c, 0x73, 0, 0, 7]) } else { switch(1).system };
    let mut frames = talk(1, 90, |_| healthy(1));
    for (ms, from_host, pdu) in &mut frames {
        let changed = matches!(*ms / 1000, 30..50 | 60..70);
        if *from_host { pdu.partner.system = other(changed) } else { pdu.actor.system = other(changed) }
    }
    let report = case(&frames, &[]);
    assert_eq!(
        (verdict(&report).domain, verdict(&report).members.as_slice()),
        (D::Mlag, &["eno1".to_owned()][..])
    );
}

#[test]
fn a_key_that_changes_once_is_switch_configuration() {
    let mut frames = talk(1, 90, |_| healthy(1));
    for (ms, from_host, pdu) in &mut frames {
        if *ms > 40_000 {
            if *from_host { pdu.partner.key = 77 } else { pdu.actor.key = 77 }
        }
    }
    let v_report = case(&frames, &[]);
    assert_eq!(verdict(&v_report).domain, D::SwitchConfig);
}

#[test]
fn a_partner_that_sends_every_two_and_a_half_seconds_ignores_the_rate() {
    let frames: Vec<Frame> = talk(1, 90, |_| healthy(1))
        .into_iter()
        .filter(|(ms, from_host, _)| *from_host || ms / 1000 % 5 == 0 || ms / 1000 % 5 == 2)
        .collect();
    let report = case(&frames, &[]);
    assert_eq!((verdict(&report).domain, verdict(&report).side), (D::SwitchControlPlane, Side::Switch));
    assert!(checks(&report).contains(&"requested-rate-ignored"));
}

#[test]
fn both_passive_is_both() {
    let frames = talk(1, 90, |_| (Some((0x3e, with(switch(1), 0x3e))), Some((0x3e, with(host(1), 0x3e)))));
    let report = case(&frames, &[]);
    assert_eq!((verdict(&report).domain, verdict(&report).side), (D::ConfigBoth, Side::Both));
}

#[test]
fn a_capture_that_begins_in_the_outage_is_neither_healthy_nor_an_accusation() {
    let frames: Vec<Frame> = lost_towards_switch().into_iter().filter(|(ms, ..)| *ms >= 38_000).collect();
    let v_report = case(&frames, &[]);
    let v = verdict(&v_report);
    assert_eq!(v.side, Side::Unknown, "{}", v.summary);
    assert!(v.exonerated.is_empty());
}

#[test]
fn a_member_that_falls_silent_for_good_is_not_healthy() {
    let frames: Vec<Frame> =
        talk(1, 90, |_| healthy(1)).into_iter().filter(|(ms, ..)| *ms < 30_000).collect();
    let report = case(&frames, &[]);
    assert_eq!(verdict(&report).side, Side::Unknown);
    assert!(checks(&report).contains(&"outage-unexplained"));
}

const HANG: &str = "db01 kernel: igc 0000:02:00.0 eno1: Detected Tx Unit Hang\n";

#[test]
fn a_hang_right_before_the_outage_decides_and_one_of_last_week_does_not() {
    let down = talk(1, 90, |s| match s {
        30..40 => (None, None),
        40 => (Some((0xc7, PortInfo::default())), None),
        _ => healthy(1),
    });
    let now = format!(
        "2026-01-01T00:00:28.000000+00:00 {HANG}2026-01-01T00:00:29.500000+00:00 db01 kernel: igc 0000:02:00.0 eno1: NIC Link is Down\n"
    );
    let report = case(&down, &[("kern.log", now.clone())]);
    assert_eq!(verdict(&report).domain, D::HostDriverFirmware, "{}", verdict(&report).summary);
    let report = case(&lost_towards_switch(), &[("kern.log", now.replace("2026-01-01", "2025-12-25"))]);
    assert_eq!(verdict(&report).side, Side::Unknown, "{}", verdict(&report).summary);
    let report = case(&talk(1, 90, |_| healthy(1)), &[("kern.log", now.replace("2026-01-01", "2025-12-25"))]);
    assert_eq!(verdict(&report).domain, D::Healthy, "{}", verdict(&report).summary);
}

#[test]
fn damage_in_one_direction_and_losses_in_both_at_one_time_are_the_link() {
    // The LACPDU of the partner in the second before it expires is lost as well.
    let frames: Vec<Frame> = lost_towards_switch()
        .into_iter()
        .filter(|(ms, from_host, _)| *from_host || !(32_000..33_000).contains(ms))
        .collect();
    let damaged = [("a/s1.txt", stats(1, 0, 10_000)), ("a/s2.txt", stats(1, 900, 20_000))];
    let report = case(&frames, &damaged);
    let v = verdict(&report);
    assert_eq!((v.side, v.grade), (Side::Link, Grade::Indicative), "{}", v.summary);
    assert_eq!(verdict(&case(&frames, &[])).side, Side::Unknown);
}

#[test]
fn damage_explains_only_its_own_member_and_direction() {
    let readings = |member| {
        [("s1/ethtool.txt", stats(member, 0, 10_000)), ("s2/ethtool.txt", stats(member, 900, 20_000))]
    };
    let report = case(&lost_towards_host(), &readings(1));
    assert_eq!(
        (verdict(&report).domain, verdict(&report).side),
        (D::Physical, Side::Link),
        "{}",
        verdict(&report).summary
    );
    for (name, report) in [
        ("the other direction", case(&lost_towards_switch(), &readings(1))),
        ("another member", case(&lost_towards_host(), &readings(2))),
        (
            "too few",
            case(
                &lost_towards_host(),
                &[("s1/ethtool.txt", stats(1, 0, 10_000)), ("s2/ethtool.txt", stats(1, 2, 9_000_000))],
            ),
        ),
    ] {
        assert_eq!(verdict(&report).side, Side::Unknown, "{name}: {}", verdict(&report).summary);
    }
}

#[test]
fn a_counter_that_was_reset_did_not_rise() {
    let report = case(
        &talk(1, 90, |_| healthy(1)),
        &[("s1/ethtool.txt", stats(1, 5000, 90_000_000)), ("s2/ethtool.txt", stats(1, 0, 1_000))],
    );
    assert_eq!(verdict(&report).domain, D::Healthy, "{}", verdict(&report).summary);
}

#[test]
fn captures_without_anything_else_do_not_accuse_by_a_guess_that_is_hidden() {
    // Priorities tell the ends apart here: the verdict may use it, says so, and stays at most indicative.
    let frames = talk(1, 90, |s| match s {
        30..33 => (None, Some((HEALTHY, host(1)))),
        33..36 => (None, Some((0x8f, with(host(1), 0x37)))),
        36..60 => (None, None),
        _ => healthy(1),
    });
    let report = judge(&[("eno1.pcap".to_owned(), pcap(1, &frames))]);
    assert!(verdict(&report).grade <= Grade::Indicative);
    assert!(checks(&report).contains(&"ends-not-told"));
}

#[test]
fn a_cut_dump_accuses_nobody() {
    let whole = proc([(63, 63), (63, 63)]);
    let head: String = whole.lines().take(14).map(|l| format!("{l}\n")).collect();
    let report = judge(&[("proc/net/bonding/bond0".to_owned(), head.into_bytes())]);
    assert_eq!(verdict(&report).side, Side::Unknown, "{}", verdict(&report).summary);
    let two_thirds: String = whole.chars().take(whole.len() * 2 / 3).collect();
    let report = judge(&[("proc/net/bonding/bond0".to_owned(), two_thirds.into_bytes())]);
    assert_ne!(verdict(&report).domain, D::Healthy, "a member that the aggregator counts is missing");
}

#[test]
fn an_empty_capture_of_a_member_is_not_healthy() {
    let report = judge(&[
        ("eno1.pcap".to_owned(), pcap(1, &[])),
        ("eno2.pcap".to_owned(), pcap(2, &talk(2, 90, |_| healthy(2)))),
    ]);
    assert_eq!(verdict(&report).side, Side::Unknown, "{}", verdict(&report).summary);
    assert!(report.case.subjects[0].members.iter().any(|m| m.name == "eno1"));
}
