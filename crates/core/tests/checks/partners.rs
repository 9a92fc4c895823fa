//! Who speaks at the other end, and what both ends call themselves: `churn-history`, `own-key-differs`,
//! `own-system-received`, `partner-differs`, `partner-identity-changed`, `partner-not-heard`, `partner-withdrew`,
//! `two-speakers`.

use crate::answers::Evidence;
use crate::conversation::{
    Frame, HEALTHY, healthy, host, host_mac, in_member, lost_towards_host, lost_towards_switch, pcap_of,
    proc, switch, switch_mac, talk, with,
};
use bondwitness_core::domain::{FaultDomain as D, Way};
use bondwitness_core::finding::{Severity, Strength as S};
use lacp::{Mac, PortInfo};
use std::ops::Range;

const OTHER: Mac = Mac([0, 0x1c, 0x73, 0, 0, 7]);
const PARTNER: &str = "system mac address: 00:1c:73:00:00:09";

fn in_order() -> String {
    proc([(HEALTHY, HEALTHY); 2])
}

fn snapshot(text: String) -> Evidence {
    Evidence::none().with("proc/net/bonding/bond0", text)
}

/// The partner of `eno2` is another system.
fn other_system() -> String {
    in_member(&in_order(), "eno2", PARTNER, "system mac address: 00:1c:73:00:00:07")
}

/// In order, and the partner is `system` in these seconds.
fn partner_is(member: u16, system: Mac, seconds: impl Fn(i64) -> bool) -> Vec<Frame> {
    let mut frames = talk(member, 90, |_| healthy(member));
    for (ms, from_host, pdu) in frames.iter_mut().filter(|f| seconds(f.0 / 1000)) {
        // The host echoes what it heard the second before.
        if *from_host {
            if seconds(*ms / 1000 - 1) {
                pdu.partner.system = system;
            }
        } else {
            pdu.actor.system = system;
        }
    }
    frames
}

#[test]
fn members_with_different_partners_have_three_suspects() {
    snapshot(other_system())
        .ask("partner-differs")
        .one()
        .about("", None)
        .suspects(&[(D::Mlag, S::Moderate), (D::Physical, S::Moderate), (D::SwitchConfig, S::Moderate)])
        .says("different systems: eno1: 00:1c:73:00:00:09 key 40, eno2: 00:1c:73:00:00:07 key 40")
        .quotes(&["Slave Interface: eno1", "Slave Interface: eno2"]);
    Evidence::captured(&partner_is(1, OTHER, |_| true))
        .ask("partner-differs")
        .one()
        .about("", None)
        .quotes(&["eno1.pcap 0.1 s switch 0x3f to 0x3f", "eno2.pcap 0.1 s switch 0x3f to 0x3f"]);
}

#[test]
fn members_with_different_keys_of_one_partner_are_more_likely_a_template() {
    snapshot(in_member(&in_order(), "eno2", "oper key: 40", "oper key: 41"))
        .ask("partner-differs")
        .one()
        .suspects(&[(D::SwitchConfig, S::Moderate), (D::Mlag, S::Moderate), (D::Physical, S::Weak)])
        .says("different keys");
}

#[test]
fn a_member_that_hears_nobody_or_whose_partner_changes_is_no_different_partner() {
    let unheard = in_member(&in_order(), "eno2", PARTNER, "system mac address: 00:00:00:00:00:00");
    snapshot(unheard).ask("partner-differs").quiet();
    Evidence::captured(&partner_is(1, OTHER, |s| s >= 40)).ask("partner-differs").quiet();
    snapshot(other_system().replace("IEEE 802.3ad Dynamic link aggregation", "load balancing (xor)"))
        .ask("partner-differs")
        .quiet();
}

#[test]
fn a_system_that_flips_on_one_member_is_mlag() {
    Evidence::captured(&partner_is(1, OTHER, |s| matches!(s, 30..50 | 60..70)))
        .ask("partner-identity-changed")
        .one()
        .about("eno1", None)
        .accuses(D::Mlag, S::Strong)
        .says("the partner's System ID changed 4 times without loss of link")
        .quotes(&[
            "eno1.pcap 0.1 s switch 0x3f to 0x3f",
            "eno1.pcap 30.1 s switch 0x3f to 0x3f",
            "eno1.pcap 50.1 s switch 0x3f to 0x3f",
            "eno1.pcap 60.1 s switch 0x3f to 0x3f",
            "eno1.pcap 70.1 s switch 0x3f to 0x3f",
        ]);
}

#[test]
fn a_key_that_changes_once_is_first_of_all_configuration() {
    let mut frames = talk(1, 90, |_| healthy(1));
    for (_, from_host, pdu) in frames.iter_mut().filter(|f| f.0 > 40_000) {
        if *from_host { pdu.partner.key = 77 } else { pdu.actor.key = 77 }
    }
    Evidence::captured(&frames)
        .ask("partner-identity-changed")
        .one()
        .about("eno1", None)
        .suspects(&[(D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)])
        .says("the partner's key changed once")
        .quotes(&["eno1.pcap 0.1 s switch 0x3f to 0x3f", "eno1.pcap 40.1 s switch 0x3f to 0x3f"]);
}

#[test]
fn all_members_that_change_together_met_a_new_switch_not_a_split() {
    let both =
        Evidence::captured(&partner_is(1, OTHER, |s| s >= 40)).capture(2, &partner_is(2, OTHER, |s| s >= 40));
    for said in both.ask("partner-identity-changed").all(2) {
        said.suspects(&[(D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)]);
    }
}

/// A cable that is moved: the link is down for ten seconds, and then another system speaks.
fn replugged() -> Vec<Frame> {
    let mut frames = talk(1, 90, |s| match s {
        30..40 => (None, None),
        40 => (Some((0xc7, PortInfo::default())), None),
        _ => healthy(1),
    });
    for (_, from_host, pdu) in frames.iter_mut().filter(|f| f.0 > 41_000) {
        if *from_host { pdu.partner.system = OTHER } else { pdu.actor.system = OTHER }
    }
    frames
}

#[test]
fn another_partner_behind_a_link_that_was_down_or_beside_the_first_did_not_change() {
    Evidence::captured(&replugged()).ask("partner-identity-changed").quiet();
    Evidence::bond().with("eno1.pcap", two_speakers(0..90, 0..0)).ask("partner-identity-changed").quiet();
    Evidence::bond().with("eno1.pcap", two_speakers(0..90, 30..60)).ask("partner-identity-changed").quiet();
    Evidence::captured(&talk(1, 90, |_| healthy(1))).ask("partner-identity-changed").quiet();
}

#[test]
fn two_readings_with_two_partners_leave_the_cause_open() {
    let moved = in_member(&in_order(), "eno1", PARTNER, "system mac address: 00:1c:73:00:00:07");
    Evidence::none()
        .with("s1/proc/net/bonding/bond0", in_order())
        .with("s2/proc/net/bonding/bond0", moved)
        .ask("partner-identity-changed")
        .open()
        .about("eno1", None)
        .quotes(&["Slave Interface: eno1", "Slave Interface: eno1"]);
}

/// Beside the switch a second system speaks on the wire of eno1 in these seconds; in others the switch itself changes
/// its key.
fn two_speakers(seconds: Range<i64>, changed: Range<i64>) -> Vec<u8> {
    let second = [0, 0x1c, 0x73, 0, 2, 1];
    let mut frames = Vec::new();
    for (ms, from_host, mut pdu) in talk(1, 90, |_| healthy(1)) {
        let mut other = pdu.clone();
        other.actor.system = OTHER;
        if !from_host && changed.contains(&(ms / 1000)) {
            pdu.actor.key = 77;
        }
        frames.push((ms, if from_host { host_mac(1) } else { switch_mac(1) }, pdu));
        if !from_host && seconds.contains(&(ms / 1000)) {
            frames.push((ms + 400, second, other));
        }
    }
    pcap_of(frames)
}

#[test]
fn two_systems_interleaved_on_one_wire_are_two_speakers() {
    Evidence::bond()
        .with("eno1.pcap", two_speakers(20..40, 0..0))
        .ask("two-speakers")
        .one()
        .about("eno1", None)
        .suspects(&[(D::Physical, S::Moderate), (D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)])
        .says("00:1c:73:00:00:09 from 00:1c:73:00:01:01 and 00:1c:73:00:00:07 from 00:1c:73:00:02:01")
        .quotes(&["eno1.pcap 0.1 s switch 0x3f to 0x3f", "eno1.pcap 20.5 s switch 0x3f to 0x3f"]);
}

/// The switch's port speaks from one address as two systems: as the other in every `odd` second.
fn alternating(odd: impl Fn(i64) -> bool) -> Vec<Frame> {
    partner_is(1, OTHER, odd)
}

#[test]
fn two_systems_that_keep_their_cadence_behind_one_address_are_two_speakers() {
    // Each speaks once a second, half a second apart.
    let mut frames = Vec::new();
    for (ms, from_host, pdu) in talk(1, 90, |_| healthy(1)) {
        let mut other = pdu.clone();
        other.actor.system = OTHER;
        frames.push((ms, from_host, pdu));
        if !from_host && ms > 30_000 {
            frames.push((ms + 500, false, other));
        }
    }
    let evidence = Evidence::captured(&frames);
    evidence.ask("two-speakers").one().about("eno1", None).says("00:1c:73:00:00:07 from 00:1c:73:00:01:01");
    evidence.ask("partner-identity-changed").quiet();
    let report = crate::conversation::judge(&evidence.files());
    let v = &report.subjects[0].judged.verdict;
    assert_eq!(v.side, bondwitness_core::domain::Side::Unknown, "{}", v.summary);
    // One that changes its identity for seconds at a time speaks as one at a time.
    Evidence::captured(&alternating(|s| s / 5 % 2 == 1)).ask("two-speakers").quiet();
}

#[test]
fn one_after_the_other_or_two_addresses_of_one_system_are_not_two_speakers() {
    let moved: Vec<_> = talk(1, 90, |_| healthy(1))
        .into_iter()
        .map(|(ms, from_host, mut pdu)| {
            let late = ms >= 45_000;
            if late && !from_host {
                pdu.actor.system = OTHER;
            }
            let source = match (from_host, late) {
                (true, _) => host_mac(1),
                (false, false) => switch_mac(1),
                (false, true) => [0, 0x1c, 0x73, 0, 2, 1],
            };
            (ms, source, pdu)
        })
        .collect();
    Evidence::bond().with("eno1.pcap", pcap_of(moved)).ask("two-speakers").quiet();
    // An MLAG pair sends one system from the addresses of both switches.
    let pair: Vec<_> = talk(1, 90, |_| healthy(1))
        .into_iter()
        .map(|(ms, from_host, pdu)| {
            let odd = ms / 1000 % 2 == 1;
            let source = if from_host { host_mac(1) } else { switch_mac(if odd { 2 } else { 1 }) };
            (ms, source, pdu)
        })
        .collect();
    Evidence::bond().with("eno1.pcap", pcap_of(pair)).ask("two-speakers").quiet();
}

/// `eno1` hears nobody: Defaulted, the partner all zero.
fn unheard() -> String {
    let text = proc([(0x47, 0), (HEALTHY, HEALTHY)]);
    in_member(&text, "eno1", PARTNER, "system mac address: 00:00:00:00:00:00")
}

#[test]
fn a_member_that_hears_nobody_has_hints_on_every_side() {
    snapshot(unheard())
        .ask("partner-not-heard")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .suspects(&[
            (D::SwitchConfig, S::Weak),
            (D::SwitchControlPlane, S::Weak),
            (D::Physical, S::Weak),
            (D::HostConfig, S::Weak),
            (D::HostDriverFirmware, S::Weak),
        ])
        .says("(actor state 71")
        .says("while other members do")
        .quotes(&["Slave Interface: eno1"]);
}

#[test]
fn where_every_member_is_deaf_and_has_carrier_a_cable_comes_last() {
    let all = unheard()
        .replace(PARTNER, "system mac address: 00:00:00:00:00:00")
        .replace("port state: 63", "port state: 71");
    for said in snapshot(all.clone()).ask("partner-not-heard").all(2) {
        said.suspects(&[
            (D::SwitchConfig, S::Weak),
            (D::SwitchControlPlane, S::Weak),
            (D::HostConfig, S::Weak),
            (D::HostDriverFirmware, S::Weak),
            (D::Physical, S::Faint),
        ]);
    }
    let report = crate::conversation::judge(&snapshot(all).files());
    let suspects = &report.subjects[0].judged.verdict.suspects;
    assert_eq!(suspects.last().map(|s| s.domain), Some(D::Physical), "{suspects:?}");
}

#[test]
fn a_member_without_link_or_with_an_outage_on_the_wire_is_told_elsewhere() {
    let down = in_member(&unheard(), "eno1", "MII Status: up", "MII Status: down");
    snapshot(down).ask("partner-not-heard").quiet();
    snapshot(unheard()).capture(1, &lost_towards_host()).ask("partner-not-heard").quiet();
    Evidence::bond().ask("partner-not-heard").quiet();
}

/// From second 40 to 60 the partner is out of sync although it hears us.
fn withdrawn() -> Vec<Frame> {
    talk(1, 90, |s| match s {
        40 => (Some((HEALTHY, switch(1))), Some((0x07, host(1)))),
        41..60 => (Some((0x0f, with(switch(1), 0x07))), Some((0x07, with(host(1), 0x0f)))),
        _ => healthy(1),
    })
}

#[test]
fn a_partner_that_hears_us_and_leaves_does_so_by_its_own_decision() {
    Evidence::captured(&withdrawn())
        .ask("partner-withdrew")
        .one()
        .about("eno1", None)
        .suspects(&[(D::SwitchConfig, S::Moderate), (D::Mlag, S::Weak)])
        .says("the partner withdraws although it hears us")
        .quotes(&["eno1.pcap 40.1 s switch 0x07 to 0x3f"]);
    snapshot(proc([(0x0f, 0x07), (HEALTHY, HEALTHY)]))
        .ask("partner-withdrew")
        .open()
        .about("eno1", None)
        .quotes(&["Slave Interface: eno1"]);
}

#[test]
fn a_partner_that_follows_us_or_hears_nobody_did_not_withdraw() {
    let we_first = talk(1, 90, |s| match s {
        40..60 => (Some((0x07, with(switch(1), HEALTHY))), Some((0x07, with(host(1), 0x07)))),
        _ => healthy(1),
    });
    Evidence::captured(&we_first).ask("partner-withdrew").quiet();
    Evidence::captured(&lost_towards_switch()).ask("partner-withdrew").quiet();
    snapshot(proc([(0x0f, 0x87), (HEALTHY, HEALTHY)])).ask("partner-withdrew").quiet();
}

/// The partner speaks with the host's own system from second 30 on.
fn own_system() -> Vec<Frame> {
    let mut frames = talk(1, 90, |_| healthy(1));
    for (_, _, pdu) in frames.iter_mut().filter(|f| !f.1 && f.0 >= 30_000) {
        pdu.actor.system = host(1).system;
    }
    frames
}

const LOOPBACK: &str = "2026-01-01T00:00:31.000000+00:00 db01 kernel: bond0: (slave eno1): An illegal loopback occurred on slave";

#[test]
fn a_partner_that_takes_our_system_is_configured_so() {
    Evidence::captured(&own_system())
        .with("kern.log", format!("{LOOPBACK}\n"))
        .ask("own-system-received")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::SwitchConfig, S::Strong)
        .says("a device with address 00:1c:73:00:01:01 speaks with this host's own System 02:00:00:00:11:01")
        .quotes(&["eno1.pcap 30.1 s switch 0x3f to 0x3f", LOOPBACK]);
}

#[test]
fn the_kernels_word_alone_leaves_loop_and_twin_open() {
    Evidence::bond()
        .with("kern.log", format!("{LOOPBACK}\n"))
        .ask("own-system-received")
        .open()
        .about("eno1", None)
        .quotes(&[LOOPBACK]);
}

#[test]
fn our_own_frames_in_a_capture_without_directions_did_not_come_back() {
    Evidence::captured(&talk(1, 90, |_| healthy(1))).ask("own-system-received").quiet();
    Evidence::bond()
        .with("kern.log", format!("{}\n", LOOPBACK.replace("bond0", "bond1").replace("eno1", "eno5")))
        .ask("own-system-received")
        .quiet();
}

#[test]
fn members_at_different_speeds_have_different_keys() {
    let text = in_member(&in_order(), "eno2", "port key: 15", "port key: 9");
    let text = in_member(&text, "eno2", "Speed: 10000 Mbps", "Speed: 1000 Mbps");
    snapshot(text.clone())
        .ask("own-key-differs")
        .open()
        .about("", None)
        .says("eno1: key 15 at 10000 Mb/s, eno2: key 9 at 1000 Mb/s")
        .quotes(&["Slave Interface: eno1", "Slave Interface: eno2"]);
    assert_eq!(snapshot(text).ask("own-key-differs").one().finding.severity, Severity::Fault);
}

#[test]
fn a_member_without_carrier_has_no_key_to_compare() {
    let text = in_member(&in_order(), "eno2", "port key: 15", "port key: 0");
    snapshot(in_member(&text, "eno2", "MII Status: up", "MII Status: down")).ask("own-key-differs").quiet();
    // The switch's keys are not ours.
    snapshot(in_member(&in_order(), "eno2", "oper key: 40", "oper key: 41")).ask("own-key-differs").quiet();
}

fn churned(text: &str, actor: u32, partner: u32) -> String {
    let text = in_member(text, "eno1", "Actor Churned Count: 0", &format!("Actor Churned Count: {actor}"));
    in_member(&text, "eno1", "Partner Churned Count: 0", &format!("Partner Churned Count: {partner}"))
}

#[test]
fn churn_counts_are_history_unless_they_rise() {
    snapshot(churned(&in_order(), 1, 2))
        .ask("churn-history")
        .one()
        .neutral(Severity::Info)
        .about("eno1", None)
        .says("churned counts 1/2); it works in this reading")
        .quotes(&["Slave Interface: eno1"]);
    Evidence::none()
        .with("s1/proc/net/bonding/bond0", churned(&in_order(), 1, 2))
        .with("s2/proc/net/bonding/bond0", churned(&in_order(), 2, 3))
        .ask("churn-history")
        .one()
        .neutral(Severity::Warning)
        .says("during the case (churned counts rose to 2/3")
        .quotes(&["Slave Interface: eno1", "Slave Interface: eno1"]);
}

#[test]
fn the_first_minute_of_monitoring_is_no_churn() {
    let monitoring = in_member(
        &in_order(),
        "eno1",
        "Actor Churned Count: 0",
        "Partner Churn State: monitoring\nActor Churn State: monitoring\nActor Churned Count: 0",
    );
    snapshot(monitoring).ask("churn-history").quiet();
}
