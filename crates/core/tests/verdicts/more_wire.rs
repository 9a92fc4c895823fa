//! What a host does about a fault, and what a capture loses, is not the fault.

use super::*;

/// The host clears Aggregation, as it does when it releases a member, says so for a moment, and is silent from then on.
fn with_release(frames: Vec<Frame>, at: i64) -> Vec<Frame> {
    let mut out: Vec<Frame> = frames.into_iter().filter(|(ms, ..)| *ms < at * 1000).collect();
    out.extend(talk(1, 90, |s| match s {
        s if s < at => (None, None),
        s if s == at => (Some((0x03, switch(1))), Some((0x0f, with(host(1), 0x03)))),
        s if s < at + 4 => (None, Some((0x0f, with(host(1), 0x03)))),
        s if s < at + 7 => (None, Some((0x8f, with(host(1), 0x03)))),
        _ => (None, None),
    }));
    out
}

fn shorter_loss() -> Vec<Frame> {
    talk(1, 90, |s| match s {
        23..26 => (Some((HEALTHY, with(switch(1), 0x8f))), Some((0x8f, with(host(1), 0x37)))),
        26..60 => (Some((0x0f, with(switch(1), 0x47))), Some((0x47, PortInfo::default()))),
        _ => healthy(1),
    })
}

#[test]
fn a_release_after_an_outage_is_the_reaction_to_it() {
    for frames in [with_release(lost_towards_switch(), 75), with_release(shorter_loss(), 80)] {
        let report = case(&frames, &[]);
        let v = verdict(&report);
        assert_eq!(v.side, Side::Unknown, "{}", v.summary);
        assert_eq!(v.members, ["eno1"]);
        assert!(checks(&report).contains(&"lacp-lost-towards-switch"));
        assert!(!checks(&report).contains(&"lacpdu-tx-silent"), "the silence follows from the release");
    }
}

#[test]
fn a_release_that_nothing_came_before_is_the_host() {
    let report = case(&with_release(talk(1, 90, |_| healthy(1)), 40), &[]);
    let v = verdict(&report);
    assert_eq!((v.domain, v.side), (D::HostConfig, Side::Host), "{}", v.summary);
    assert!(checks(&report).contains(&"host-released"));
    assert!(!checks(&report).contains(&"lacpdu-tx-silent"), "the silence follows from the release");
}

#[test]
fn a_host_that_goes_silent_without_a_word_and_a_later_release_stay_the_host() {
    let silent = talk(1, 90, |s| match s {
        20..23 => (None, Some((HEALTHY, host(1)))),
        23..26 => (None, Some((0x8f, with(host(1), 0x37)))),
        26..50 => (None, None),
        _ => healthy(1),
    });
    let report = case(&with_release(silent, 75), &[]);
    assert_eq!(verdict(&report).side, Side::Host, "{}", verdict(&report).summary);
    assert!(checks(&report).contains(&"lacpdu-tx-silent"));
}

/// The tap loses what the host sends from second `from` until second `to`.
fn tap_loses(frames: Vec<Frame>, from: i64, to: i64) -> Vec<Frame> {
    frames.into_iter().filter(|(ms, ours, _)| !(*ours && (from * 1000..to * 1000).contains(ms))).collect()
}

#[test]
fn a_partner_that_goes_on_hearing_us_proves_that_the_tap_lost_frames() {
    // It says Expired at 33, so it still heard us at 30; the tap shows nothing after 26.
    let report = case(&tap_loses(lost_towards_switch(), 27, 34), &[]);
    let v = verdict(&report);
    assert_eq!(v.side, Side::Unknown, "{}", v.summary);
    assert!(!checks(&report).contains(&"lacpdu-tx-silent"));
    assert!(v.exonerated.is_empty(), "what the tap did not see clears nobody");
    let needs = &report.subjects[0].judged.needs;
    assert!(needs.iter().any(|n| n.why == "lost" && n.what.contains("the partner heard")), "{needs:?}");
}

#[test]
fn a_tap_that_lost_frames_of_a_bond_in_order_is_no_outage() {
    let report = case(&tap_loses(talk(1, 90, |_| healthy(1)), 30, 60), &[]);
    let v = verdict(&report);
    assert_ne!(v.side, Side::Host, "{}", v.summary);
    assert!(report.subjects[0].judged.episodes.is_empty());
}

#[test]
fn a_partner_that_expires_in_time_confirms_the_silence() {
    // The same silence, and the partner complains when three seconds have run out: nothing was lost by the tap.
    let frames = talk(1, 90, |s| match s {
        27..30 => (None, Some((HEALTHY, host(1)))),
        30..33 => (None, Some((0x8f, with(host(1), 0x37)))),
        33..50 => (None, Some((0x47, PortInfo::default()))),
        _ => healthy(1),
    });
    let report = case(&frames, &[]);
    assert_eq!(verdict(&report).side, Side::Host, "{}", verdict(&report).summary);
}
