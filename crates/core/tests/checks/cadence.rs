//! How often LACPDUs come: `lacpdu-rx-late`, `lacpdu-tx-late`, `rate-asymmetric`, `requested-rate-ignored`.

use crate::answers::Evidence;
use crate::conversation::{
    Frame, HEALTHY, T0, healthy, host, lost_towards_switch, proc, stats, switch, talk, with,
};
use bondwitness_core::domain::{FaultDomain as D, Way};
use bondwitness_core::finding::{Severity, Strength as S};
use lacp::{Lacpdu, PortInfo, PortState};

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

/// Three times what the partner should have said within three seconds comes a second later, all at once: 3.9 s of silence.
fn bunched() -> Vec<Frame> {
    let mut frames = talk(1, 90, |_| healthy(1));
    for (ms, ours, _) in &mut frames {
        let s = *ms / 1000;
        if let (false, Some(start)) =
            (*ours, [20, 40, 60].iter().find(|start| (**start..**start + 3).contains(&s)))
        {
            *ms = (start + 3) * 1000 + 20 * (s - start + 1);
        }
    }
    frames.sort_by_key(|f| f.0);
    frames
}

/// `ethtool -S eno1` at a second of the capture.
fn stats_at(second: i64, crc: u64, packets: u64) -> String {
    let text = stats(1, crc, packets);
    format!("@@ {}.000000000\n{}", T0 + second, text.split_once('\n').unwrap().1)
}

const ONE_SIDED: [(D, S); 3] =
    [(D::SwitchControlPlane, S::Moderate), (D::Physical, S::Moderate), (D::HostStarvation, S::Weak)];

#[test]
fn gaps_of_the_partner_on_one_member_alone_have_suspects_beyond_the_host_first() {
    let said = Evidence::captured(&without(1, false, &[20, 21, 40, 41, 60, 61])).ask("lacpdu-rx-late").one();
    // Short of a timeout it is a warning.
    assert_eq!(said.finding.severity, Severity::Warning);
    said.about("eno1", Some(Way::SwitchToHost))
        .suspects(&ONE_SIDED)
        .says("3 gaps in the partner's LACPDUs, the longest 3.0 s")
        .quotes(&["eno1.pcap 62.1 s switch 0x3f to 0x3f", "eno1.pcap 59.1 s switch 0x3f to 0x3f"]);
}

#[test]
fn one_lacpdu_lost_now_and_then_is_what_the_timeout_is_for() {
    Evidence::captured(&without(1, false, &[20, 30, 40, 50, 60]))
        .with("s1/ethtool_-S_eno1.txt", stats_at(10, 7, 10_000))
        .with("s2/ethtool_-S_eno1.txt", stats_at(80, 7, 20_000))
        .ask("lacpdu-rx-late")
        .quiet();
}

#[test]
fn lacpdus_that_come_after_all_in_bunches_are_late_at_the_sender() {
    let with = |crc, first| {
        Evidence::captured(&bunched())
            .with("s1/ethtool_-S_eno1.txt", stats_at(first, 7, 10_000))
            .with("s2/ethtool_-S_eno1.txt", stats_at(80, crc, 20_000))
    };
    with(7, 10)
        .ask("lacpdu-rx-late")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::SwitchControlPlane, S::Moderate)
        .says("3 gaps in the partner's LACPDUs, the longest 3.9 s")
        .quotes(&[
            "eno1.pcap 63.0 s switch 0x3f to 0x3f",
            "eno1.pcap 59.1 s switch 0x3f to 0x3f",
            "rx_crc_errors: 7",
            "rx_crc_errors: 7",
            "rx_missed_errors: 0",
            "rx_missed_errors: 0",
        ]);
    // Damaged frames explain gaps as well, and readings that lie behind the first gap do not tell.
    with(90, 10).ask("lacpdu-rx-late").one().suspects(&ONE_SIDED);
    with(7, 30).ask("lacpdu-rx-late").one().suspects(&ONE_SIDED);
    // What was lost never came.
    Evidence::captured(&without(1, false, &[20, 21, 22, 40, 41, 42, 60, 61, 62]))
        .with("s1/ethtool_-S_eno1.txt", stats_at(10, 7, 10_000))
        .with("s2/ethtool_-S_eno1.txt", stats_at(80, 7, 20_000))
        .ask("lacpdu-rx-late")
        .one()
        .suspects(&ONE_SIDED);
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
    let said = Evidence::captured(&without(1, false, &[20, 21, 40, 41, 60, 61]))
        .capture(2, &without(2, false, &[20, 21, 40, 41, 60, 61]))
        .ask("lacpdu-rx-late")
        .all(2);
    for one in said {
        // A hint: nobody's PDUs were late beyond a timeout.
        assert_eq!(one.finding.severity, Severity::Warning);
        one.suspects(&[
            (D::SwitchControlPlane, S::Weak),
            (D::Physical, S::Weak),
            (D::HostStarvation, S::Weak),
        ]);
    }
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

/// The partner keeps its seconds until 30; from then on it speaks only when the host, expired after three seconds, makes it
/// answer after so many milliseconds.
fn answers_only(after: i64) -> Vec<Frame> {
    let mut frames = talk(1, 30, |_| healthy(1));
    for n in 0..15 {
        let start = 33_000 + n * 4000;
        let mut ours = |ms: i64, state: u8, echo: u8| {
            let actor = with(host(1), state);
            frames.push((ms, true, Lacpdu::new(actor, with(switch(1), echo))));
        };
        ours(start, 0x8f, 0x37);
        ours(start + 1000, HEALTHY, HEALTHY);
        ours(start + 2000, HEALTHY, HEALTHY);
        ours(start + 3000, HEALTHY, HEALTHY);
        frames.push((start + after, false, Lacpdu::new(switch(1), with(host(1), 0x8f))));
    }
    frames.sort_by_key(|f| f.0);
    frames
}

#[test]
fn a_partner_that_only_answers_ignores_the_rate_and_loses_nothing() {
    Evidence::captured(&answers_only(20))
        .ask("requested-rate-ignored")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::SwitchControlPlane, S::Strong)
        .says("it was silent 15 times for up to 4.0 s; 15 of the silences ended because it answered");
    // The outages that follow from it are no loss.
    Evidence::captured(&answers_only(20)).ask("lacp-lost-towards-host").quiet();
    // A PDU that comes at any time is no answer: its forerunners may have been lost.
    Evidence::captured(&answers_only(700)).ask("requested-rate-ignored").quiet();
}

#[test]
fn a_change_of_the_rate_does_not_make_what_was_due_before_late() {
    // Fast until 30, then the host asks for the slow rate.
    let to_slow = talk(1, 90, |s| match s {
        0..30 => healthy(1),
        30 => (Some((0x3d, switch(1))), Some((HEALTHY, with(host(1), 0x3d)))),
        60 => (Some((0x3d, switch(1))), Some((HEALTHY, with(host(1), 0x3d)))),
        _ => (Some((0x3d, switch(1))), None),
    });
    Evidence::captured(&to_slow).ask("lacpdu-rx-late").quiet();
    Evidence::captured(&to_slow).ask("outage-unexplained").quiet();
    // Slow until 60, then fast.
    let to_fast = talk(1, 150, |s| match s {
        0 | 30 => (Some((0x3d, switch(1))), Some((HEALTHY, with(host(1), 0x3d)))),
        1..59 => (Some((0x3d, switch(1))), None),
        59 => (Some((HEALTHY, switch(1))), None),
        _ => healthy(1),
    });
    Evidence::captured(&to_fast).ask("lacpdu-rx-late").quiet();
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
