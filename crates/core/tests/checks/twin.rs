//! What an end says against what its machine could have said: `transition-illegal`, `transition-late`.

use crate::answers::Evidence;
use crate::conversation::{Frame, HEALTHY, Second, healthy, host, switch, talk, with};
use bondwitness_core::domain::{FaultDomain as D, Side, Way};
use bondwitness_core::finding::{Severity, Strength as S};
use lacp::{Mac, PortInfo};

/// From second 30 to 50 the switch says `state` and describes its partner as `echo`; the host, out of sync by it, waits.
fn echoes(state: u8, echo: PortInfo) -> Vec<Frame> {
    echoes_for(30..50, state, echo)
}

fn echoes_for(seconds: std::ops::Range<i64>, state: u8, echo: PortInfo) -> Vec<Frame> {
    talk(1, 90, |s| {
        if !seconds.contains(&s) {
            return healthy(1);
        }
        let ours = if s == seconds.start { healthy(1).0 } else { Some((0x0f, with(switch(1), 0x37))) };
        (ours, Some((state, echo)))
    })
}

fn illegal(frames: &[Frame]) -> crate::answers::Answer {
    Evidence::captured(frames).ask("transition-illegal")
}

#[test]
fn a_partner_that_claims_to_hear_and_describes_nobody_is_out_of_its_machine() {
    Evidence::captured(&echoes(HEALTHY, PortInfo::default()))
        .ask("transition-illegal")
        .one()
        .about("eno1", None)
        .accuses(D::SwitchControlPlane, S::Strong)
        .says("the partner is neither Expired nor Defaulted and claims Synchronization, with zeros for its partner")
        .quotes(&[
            "eno1.pcap 30.1 s switch 0x3f to 0x00",
            "eno1.pcap 30.0 s host 0x3f to 0x3f",
            "eno1.pcap 49.1 s switch 0x3f to 0x00",
        ]);
}

#[test]
fn a_port_that_never_spoke_is_nobody_that_can_have_been_heard() {
    illegal(&echoes(HEALTHY, PortInfo { port: 0x41, ..host(1) }))
        .one()
        .about("eno1", None)
        .accuses(D::SwitchControlPlane, S::Strong)
        .says("a port of its partner's system that never spoke");
}

#[test]
fn another_member_or_another_system_may_be_heard_over_crossed_cables() {
    illegal(&echoes(HEALTHY, host(2)))
        .open()
        .about("eno1", None)
        .suspects(&[(D::Physical, S::Moderate), (D::SwitchControlPlane, S::Moderate)]);
    illegal(&echoes(HEALTHY, PortInfo { system: Mac([2, 0, 0, 0, 0x33, 1]), ..host(1) }))
        .open()
        .says("another system");
}

#[test]
fn a_deaf_partner_a_moment_and_a_capture_that_begins_in_the_middle_prove_nothing() {
    // It says Defaulted: zeros are what it has to say then. Nor does a port claim anything that is not in sync.
    illegal(&echoes(HEALTHY | 0x40, PortInfo::default())).quiet();
    illegal(&echoes(0x07, PortInfo::default())).quiet();
    illegal(&echoes_for(30..34, HEALTHY, PortInfo::default())).quiet();
    let late: Vec<Frame> =
        echoes(HEALTHY, PortInfo::default()).into_iter().filter(|f| f.0 > 35_000).collect();
    illegal(&late).quiet();
    // It was deaf before: some vendors do not mark the start.
    let after_expired = talk(1, 90, |s| match s {
        30..33 => (Some((HEALTHY, switch(1))), Some((0x8f, with(host(1), 0x37)))),
        33..50 => (Some((0x0f, with(switch(1), 0x37))), Some((HEALTHY, PortInfo::default()))),
        _ => healthy(1),
    });
    illegal(&after_expired).quiet();
    Evidence::captured(&talk(1, 90, |_| healthy(1))).ask("transition-illegal").quiet();
}

/// The host has another key from second 30 on; the switch takes it over in second `until`.
fn another_key(until: i64, switch_state: impl Fn(i64) -> u8) -> Vec<Frame> {
    let new = PortInfo { key: 9, ..host(1) };
    let mut frames = talk(1, 90, |s| match s {
        30.. if s < until => {
            (Some((0x0f, with(switch(1), 0x37))), Some((switch_state(s), with(host(1), HEALTHY))))
        }
        30.. => (healthy(1).0, Some((HEALTHY, new))),
        _ => healthy(1),
    });
    for (_, _, pdu) in frames.iter_mut().filter(|f| f.1 && f.0 >= 30_000) {
        pdu.actor.key = 9;
    }
    frames
}

#[test]
fn who_neither_expires_nor_takes_over_what_it_hears_is_out_of_its_machine() {
    illegal(&another_key(60, |_| HEALTHY))
        .one()
        .about("eno1", None)
        .accuses(D::SwitchControlPlane, S::Strong)
        .says("describes the partner as it was")
        .quotes(&[
            "eno1.pcap 0.1 s switch 0x3f to 0x3f",
            "eno1.pcap 30.0 s host 0x0f to 0x37",
            "eno1.pcap 59.1 s switch 0x3f to 0x3f",
        ]);
    // It follows in time, or it says that it hears nothing.
    illegal(&another_key(33, |_| HEALTHY)).quiet();
    illegal(&another_key(60, |s| if s < 34 { HEALTHY } else { 0x8f })).quiet();
    // On the long timeout it has 90 seconds.
    let patient = |frames: Vec<Frame>| -> Vec<Frame> {
        frames
            .into_iter()
            .map(|(ms, ours, mut pdu)| {
                if !ours {
                    pdu.actor.state.remove(lacp::PortState::TIMEOUT);
                }
                (ms, ours, pdu)
            })
            .collect()
    };
    illegal(&patient(another_key(60, |_| HEALTHY))).quiet();
}

#[test]
fn bits_that_contradict_each_other_are_the_partners_own() {
    let suspects = [(D::SwitchControlPlane, S::Moderate), (D::SwitchConfig, S::Weak)];
    // Distributing without Collecting; both without Synchronization.
    illegal(&echoes(0x2f, host(1)))
        .one()
        .about("eno1", None)
        .suspects(&suspects)
        .says("distributes without collecting");
    illegal(&echoes(0x37, host(1))).one().suspects(&suspects).says("without its own Synchronization");
    illegal(&echoes_for(30..31, 0x2f, host(1))).quiet();
    let report = crate::conversation::case(&echoes(0x2f, host(1)), &[]);
    let verdict = &report.subjects[0].judged.verdict;
    assert_eq!(
        (verdict.side, verdict.members.as_slice()),
        (Side::Switch, &["eno1".to_owned()][..]),
        "{}",
        verdict.summary
    );
}

#[test]
fn a_partner_that_goes_on_after_we_withdrew_is_not_the_cause() {
    let frames = talk(1, 90, |s| match s {
        30..50 => (Some((0x07, switch(1))), Some((HEALTHY, with(host(1), 0x07)))),
        _ => healthy(1),
    });
    illegal(&frames)
        .one()
        .neutral(Severity::Warning)
        .says("although the partner it describes is out of Synchronization");
}

/// From second 30 on the switch is in sync, hears that the host is, and does not collect.
fn stands(member: u16, seconds: i64) -> Vec<Frame> {
    talk(member, 90, |s| {
        if (30..30 + seconds).contains(&s) {
            (Some((HEALTHY, with(switch(member), 0x0f))), Some((0x0f, host(member))))
        } else {
            healthy(member)
        }
    })
}

fn late(frames: &[Frame]) -> crate::answers::Answer {
    Evidence::captured(frames).ask("transition-late")
}

#[test]
fn both_in_sync_and_no_collecting_is_a_mux_that_stands() {
    late(&stands(1, 30))
        .one()
        .about("eno1", None)
        .suspects(&[(D::SwitchConfig, S::Moderate), (D::SwitchControlPlane, S::Moderate)])
        .says("the partner says that both ends are in Synchronization and does not collect")
        .quotes(&[
            "eno1.pcap 30.1 s switch 0x0f to 0x3f",
            "eno1.pcap 30.0 s host 0x3f to 0x0f",
            "eno1.pcap 59.1 s switch 0x0f to 0x3f",
        ]);
    let host_stands: Vec<Frame> = talk(1, 90, |s| -> Second {
        if (30..60).contains(&s) {
            (Some((0x0f, switch(1))), Some((HEALTHY, with(host(1), 0x0f))))
        } else {
            healthy(1)
        }
    });
    late(&host_stands)
        .one()
        .about("eno1", None)
        .accuses(D::HostDriverFirmware, S::Moderate)
        .says("the host says");
}

#[test]
fn a_mux_may_wait_and_a_minimum_of_links_may_hold_it_back() {
    Evidence::captured(&stands(1, 8)).ask("transition-late").quiet();
    // The other member is out too: nobody is accused.
    Evidence::captured(&stands(1, 30))
        .capture(2, &stands(2, 30))
        .ask("transition-late")
        .all(2)
        .into_iter()
        .for_each(|s| {
            s.neutral(Severity::Warning);
        });
}

#[test]
fn a_host_that_does_not_expire_may_have_received_what_the_tap_lost() {
    let frames = talk(1, 90, |s| match s {
        30..50 => (healthy(1).0, None),
        _ => healthy(1),
    });
    late(&frames)
        .one()
        .neutral(Severity::Info)
        .about("eno1", Some(Way::SwitchToHost))
        .says("received nothing at the tap for longer than its timeout")
        .quotes(&["eno1.pcap 29.1 s switch 0x3f to 0x3f", "eno1.pcap 50.1 s switch 0x3f to 0x3f"]);
}
