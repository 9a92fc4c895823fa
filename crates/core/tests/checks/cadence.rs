//! How often LACPDUs come: `lacpdu-rx-late`, `lacpdu-tx-late`, `rate-asymmetric`, `requested-rate-ignored`.

use crate::answers::Evidence;
use crate::conversation::{
    Frame, HEALTHY, healthy, host, lost_towards_switch, proc, stats, switch, talk, with,
};
use bondwitness_core::domain::{FaultDomain as D, Way};
use bondwitness_core::finding::{Severity, Strength as S};
use lacp::{PortInfo, PortState};

/// In order but for the seconds in which one end says nothing.
fn without(member: u16, from_host: bool, seconds: &[i64]) -> Vec<Frame> {
    talk(member, 90, |_| healthy(member))
        .into_iter()
        .filter(|(ms, ours, _)| *ours != from_host || !seconds.contains(&(ms / 1000)))
        .collect()
}

/// Healthy, and legal: the host asks for the fast rate, the partner for the slow one.
fn unequal(member: u16) -> Vec<Frame> {
    talk(member, 150, |s| {
        let ours = (s % 30 == 0).then(|| (HEALTHY, with(switch(member), 0x3d)));
        (ours, Some((0x3d, host(member))))
    })
}

/// `/proc/net/bonding/bond0` with a third member.
fn three() -> String {
    let two = proc([(HEALTHY, HEALTHY); 2]);
    let second = &two[two.find("\nSlave Interface: eno2").unwrap()..];
    let third = [
        ("eno2", "eno3"),
        ("11:02", "11:03"),
        ("number: 2\n", "number: 3\n"),
        ("number: 18\n", "number: 19\n"),
    ]
    .iter()
    .fold(second.to_owned(), |text, (from, to)| text.replace(from, to));
    two + &third
}

#[test]
fn gaps_of_the_partner_on_one_member_alone_have_suspects_beyond_the_host_first() {
    Evidence::captured(&without(1, false, &[20, 40, 60]))
        .ask("lacpdu-rx-late")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .suspects(&[
            (D::SwitchControlPlane, S::Moderate),
            (D::Physical, S::Moderate),
            (D::HostStarvation, S::Weak),
        ])
        .says("3 gaps in the partner's LACPDUs, the longest 2.0 s")
        .quotes(&["eno1.pcap 61.1 s switch 0x3f to 0x3f", "eno1.pcap 59.1 s switch 0x3f to 0x3f"]);
}

#[test]
fn with_clean_counters_such_gaps_are_the_sender() {
    Evidence::captured(&without(1, false, &[20, 40, 60]))
        .with("s1/ethtool.txt", stats(1, 7, 10_000))
        .with("s2/ethtool.txt", stats(1, 7, 20_000))
        .ask("lacpdu-rx-late")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::SwitchControlPlane, S::Moderate)
        .quotes(&[
            "eno1.pcap 61.1 s switch 0x3f to 0x3f",
            "eno1.pcap 59.1 s switch 0x3f to 0x3f",
            "rx_crc_errors: 7",
            "rx_crc_errors: 7",
            "rx_missed_errors: 0",
            "rx_missed_errors: 0",
        ]);
    // Damaged frames explain them as well.
    Evidence::captured(&without(1, false, &[20, 40, 60]))
        .with("s1/ethtool.txt", stats(1, 7, 10_000))
        .with("s2/ethtool.txt", stats(1, 90, 20_000))
        .ask("lacpdu-rx-late")
        .open();
}

#[test]
fn two_lacpdus_lost_in_a_row_are_a_hint() {
    Evidence::captured(&without(1, false, &[40, 41]))
        .ask("lacpdu-rx-late")
        .open()
        .about("eno1", Some(Way::SwitchToHost))
        .quotes(&["eno1.pcap 42.1 s switch 0x3f to 0x3f", "eno1.pcap 39.1 s switch 0x3f to 0x3f"]);
}

#[test]
fn a_partner_that_does_not_hear_us_or_was_asked_for_the_slow_rate_is_not_late() {
    Evidence::captured(&lost_towards_switch()).ask("lacpdu-rx-late").quiet();
    let mut defaulted = without(1, false, &[20, 40, 60]);
    for (_, from_host, pdu) in &mut defaulted {
        let ours = if *from_host { &mut pdu.partner } else { &mut pdu.actor };
        ours.state = PortState::from_bits_retain(0x47);
    }
    Evidence::captured(&defaulted).ask("lacpdu-rx-late").quiet();
    let slow = |member: u16| {
        talk(member, 150, |s| {
            if s % 30 == 0 {
                (Some((0x3d, with(switch(member), 0x3d))), Some((0x3d, with(host(member), 0x3d))))
            } else {
                (None, None)
            }
        })
    };
    Evidence::bond().capture(1, &slow(1)).capture(2, &slow(2)).ask("lacpdu-rx-late").quiet();
    Evidence::bond().capture(1, &unequal(1)).capture(2, &unequal(2)).ask("lacpdu-rx-late").quiet();
}

#[test]
fn gaps_on_every_member_or_while_the_host_is_late_itself_do_not_point_beyond_the_host() {
    Evidence::captured(&without(1, false, &[20, 40, 60]))
        .capture(2, &without(2, false, &[20, 40, 60]))
        .ask("lacpdu-rx-late")
        .quiet();
    let both: Vec<Frame> = talk(1, 90, |_| healthy(1))
        .into_iter()
        .filter(|(ms, ..)| ![20, 40, 60].contains(&(ms / 1000)))
        .collect();
    Evidence::captured(&both).ask("lacpdu-rx-late").quiet();
}

#[test]
fn a_host_late_on_all_members_at_the_same_moments_is_starved() {
    Evidence::captured(&without(1, true, &[20, 21, 50, 51]))
        .capture(2, &without(2, true, &[20, 21, 50, 51]))
        .ask("lacpdu-tx-late")
        .one()
        .about("", Some(Way::HostToSwitch))
        .accuses(D::HostStarvation, S::Moderate)
        .says("up to 3.0 s instead of 1 s")
        .quotes(&["eno2.pcap 52.0 s host 0x3f to 0x3f", "eno1.pcap 52.0 s host 0x3f to 0x3f"]);
}

#[test]
fn a_host_late_once_on_all_members_is_worth_a_look() {
    Evidence::captured(&without(1, true, &[50, 51]))
        .capture(2, &without(2, true, &[50, 51]))
        .ask("lacpdu-tx-late")
        .context();
}

#[test]
fn one_member_alone_or_members_at_different_moments_do_not_show_a_starved_host() {
    Evidence::captured(&without(1, true, &[20, 21, 50, 51]))
        .ask("lacpdu-tx-late")
        .open()
        .about("eno1", Some(Way::HostToSwitch))
        .suspects(&[(D::HostStarvation, S::Weak), (D::HostConfig, S::Weak)])
        .quotes(&["eno1.pcap 52.0 s host 0x3f to 0x3f"]);
    Evidence::captured(&without(1, true, &[20, 21, 50, 51]))
        .capture(2, &without(2, true, &[30, 31, 70, 71]))
        .ask("lacpdu-tx-late")
        .open();
    // Two of three members together: the third had the same host.
    Evidence::captured(&without(1, true, &[20, 21, 50, 51]))
        .capture(2, &without(2, true, &[20, 21, 50, 51]))
        .with("proc/net/bonding/bond0", three())
        .capture(3, &talk(3, 90, |_| healthy(3)))
        .ask("lacpdu-tx-late")
        .open();
    Evidence::captured(&without(1, true, &[20])).ask("lacpdu-tx-late").quiet();
}

#[test]
fn the_grid_of_linux_and_a_partner_that_asked_for_the_slow_rate_are_not_late() {
    // 0.93 to 1.31 s between fast LACPDUs is normal (kernel-facts.md section 2).
    let jitter = |member: u16| {
        let mut frames = talk(member, 90, |_| healthy(member));
        for (ms, _, _) in frames.iter_mut().filter(|f| f.1) {
            *ms += if *ms / 1000 % 2 == 0 { 0 } else { 310 };
        }
        frames.sort_by_key(|f| f.0);
        frames
    };
    Evidence::bond().capture(1, &jitter(1)).capture(2, &jitter(2)).ask("lacpdu-tx-late").quiet();
    Evidence::bond().capture(1, &unequal(1)).capture(2, &unequal(2)).ask("lacpdu-tx-late").quiet();
}

#[test]
fn unequal_rates_are_said_and_nobodys_fault() {
    let mut said = Evidence::bond()
        .capture(1, &unequal(1))
        .capture(2, &unequal(2))
        .ask("rate-asymmetric")
        .all(2)
        .into_iter();
    said.next()
        .unwrap()
        .neutral(Severity::Info)
        .about("eno1", None)
        .says("the host asks for the fast rate, the partner for the slow rate; that is legal")
        .quotes(&["eno1.pcap 0.1 s switch 0x3d to 0x3f"]);
    Evidence::none()
        .with("proc/net/bonding/bond0", proc([(61, 63), (HEALTHY, HEALTHY)]))
        .ask("rate-asymmetric")
        .one()
        .neutral(Severity::Info)
        .about("eno1", None)
        .says("the host asks for the slow rate, the partner for the fast rate")
        .quotes(&["Slave Interface: eno1"]);
}

#[test]
fn equal_rates_and_words_of_an_end_that_hears_nobody_are_no_asymmetry() {
    Evidence::bond().ask("rate-asymmetric").quiet();
    Evidence::none()
        .with("proc/net/bonding/bond0", proc([(0x47, 0), (61, 61)]))
        .ask("rate-asymmetric")
        .quiet();
}

/// The partner's LACPDUs in some seconds only.
fn partner_in(seconds: impl Fn(i64) -> bool) -> Vec<Frame> {
    talk(1, 90, |_| healthy(1)).into_iter().filter(|(ms, ours, _)| *ours || seconds(ms / 1000)).collect()
}

#[test]
fn a_partner_without_a_single_interval_near_a_second_ignores_the_rate() {
    Evidence::captured(&partner_in(|s| s % 5 == 0 || s % 5 == 2))
        .ask("requested-rate-ignored")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::SwitchControlPlane, S::Strong)
        .says("its 35 intervals are 2.0 s to 3.0 s")
        .quotes(&["eno1.pcap 0.1 s switch 0x3f to 0x3f", "eno1.pcap 87.1 s switch 0x3f to 0x3f"]);
}

#[test]
fn a_partner_that_keeps_to_the_slow_rate_is_configured_so() {
    // The host expires three seconds after each of the partner's LACPDUs.
    let frames = talk(1, 150, |s| match s % 30 {
        0 => (None, Some((0x3d, host(1)))),
        1 => (Some((HEALTHY, with(switch(1), 0x3d))), None),
        4 => (Some((0x8f, with(switch(1), 0x35))), None),
        7 => (Some((0x47, PortInfo::default())), None),
        _ => (None, None),
    });
    Evidence::captured(&frames)
        .ask("requested-rate-ignored")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::SwitchConfig, S::Strong)
        .quotes(&["eno1.pcap 0.1 s switch 0x3d to 0x3f", "eno1.pcap 120.1 s switch 0x3d to 0x3f"]);
}

#[test]
fn loss_a_deaf_partner_and_legal_slowness_ignore_nothing() {
    // Every second LACPDU lost, but one interval is as it should be.
    Evidence::captured(&partner_in(|s| s % 2 == 0 || s == 41)).ask("requested-rate-ignored").quiet();
    let mut deaf = partner_in(|s| s % 5 == 0 || s % 5 == 2);
    for (_, _, pdu) in deaf.iter_mut().filter(|f| !f.1) {
        pdu.actor.state = PortState::from_bits_retain(0x8f);
    }
    Evidence::captured(&deaf).ask("requested-rate-ignored").quiet();
    Evidence::bond().capture(1, &unequal(1)).capture(2, &unequal(2)).ask("requested-rate-ignored").quiet();
    let slow = talk(1, 150, |s| {
        if s % 30 == 0 {
            (Some((0x3d, with(switch(1), 0x3d))), Some((0x3d, with(host(1), 0x3d))))
        } else {
            (None, None)
        }
    });
    Evidence::bond().capture(1, &slow).ask("requested-rate-ignored").quiet();
}
