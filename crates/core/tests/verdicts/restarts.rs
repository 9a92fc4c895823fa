//! A host that restarts is silent, loses its links and begins anew: nobody's fault is shown by that.

use super::*;

/// Both members fall silent from second 30 to 60; the partner expires.
fn away(member: u16, fresh: bool) -> Vec<Frame> {
    let back = if fresh { 0xc7 } else { 0x8f };
    talk(member, 90, |s| match s {
        30..33 => (None, Some((HEALTHY, host(member)))),
        33..36 => (None, Some((0x8f, with(host(member), 0x37)))),
        36..60 => (None, Some((0x47, PortInfo::default()))),
        60 => (Some((back, PortInfo::default())), None),
        _ => healthy(member),
    })
}

fn both_away(fresh: bool, more: &[(&str, String)]) -> Report {
    let mut files = vec![
        ("bond0.txt".to_owned(), proc([(63, 63), (63, 63)]).into_bytes()),
        ("eno1.pcap".to_owned(), pcap(1, &away(1, fresh))),
        ("eno2.pcap".to_owned(), pcap(2, &away(2, fresh))),
    ];
    files.extend(more.iter().map(|(n, t)| ((*n).to_owned(), t.clone().into_bytes())));
    judge(&files)
}

fn boots() -> [(&'static str, String); 3] {
    let line = |at: &str, text: &str| format!("2026-01-01T00:00:{at}.000000+00:00 db01 kernel: {text}\n");
    [
        ("stat.txt", format!("btime {}\n", T0 + 45)),
        (
            "journal.txt",
            line("29", "bond0: (slave eno1): Releasing backup interface")
                + &line("46", "Linux version 6.12.107+deb13-amd64 (debian-kernel@lists.debian.org)"),
        ),
        (
            "journal.txt",
            line("29", "systemd-shutdown: Syncing filesystems")
                + "-- Boot 0123456789abcdef0123456789abcdef --\n"
                + &line(
                    "47",
                    "igc 0000:02:00.0 eno1: NIC Link is Up 2500 Mbps Full Duplex, Flow Control: RX/TX",
                ),
        ),
    ]
}

#[test]
fn a_restart_in_the_outage_accuses_nobody_and_is_said() {
    for fresh in [true, false] {
        let without = both_away(fresh, &[]);
        if !fresh {
            assert_eq!(verdict(&without).side, Side::Host, "{}", verdict(&without).summary);
        }
        assert!(!checks(&without).contains(&"host-rebooted"));
        for (name, text) in boots() {
            let report = both_away(fresh, &[(name, text.clone())]);
            let v = verdict(&report);
            assert_eq!((v.side, v.domain), (Side::Unknown, D::Inconclusive), "{text}: {}", v.summary);
            assert!(v.summary.contains("the host booted at 2026-01-01T00:00:4"), "{}", v.summary);
            assert!(v.exonerated.is_empty() && v.members.is_empty(), "{text}");
        }
    }
}

/// Counters of both members before and after second 30 to 60.
fn counters(after: u64) -> Vec<(&'static str, String)> {
    let read = |second: i64, n: u64| {
        let member = |m: u8| {
            format!(
                "{m}: eno{m}: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 1500 qdisc mq master bond0 state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n    RX:  bytes packets errors dropped  missed   mcast           \n    {n}      {n}      0       0       0       0 \n    TX:  bytes packets errors dropped carrier collsns           \n    {n}      {n}      0       0       0       0 \n"
            )
        };
        format!("@@ {}.000000000\n{}{}", T0 + second, member(1), member(2))
    };
    vec![("s1/ip-link.txt", read(20, 50_000)), ("s2/ip-link.txt", read(80, after))]
}

#[test]
fn a_restart_of_which_no_sign_survived_accuses_nobody_either() {
    let report = both_away(true, &[]);
    let v = verdict(&report);
    assert_eq!((v.side, v.domain), (Side::Unknown, D::Inconclusive), "{}", v.summary);
    assert!(v.exonerated.is_empty() && v.members.is_empty(), "{}", v.summary);
    // Nothing in the bond went on: neither words of the partner nor the host's links.
    let dark = |member: u16| {
        talk(member, 90, |s| match s {
            30..60 => (None, None),
            60 => (Some((0xc7, PortInfo::default())), Some((0xc7, PortInfo::default()))),
            _ => healthy(member),
        })
    };
    let mut files = vec![
        ("bond0.txt".to_owned(), proc([(63, 63), (63, 63)]).into_bytes()),
        ("eno1.pcap".to_owned(), pcap(1, &dark(1))),
        ("eno2.pcap".to_owned(), pcap(2, &dark(2))),
    ];
    assert_eq!(verdict(&judge(&files)).side, Side::Unknown, "{}", verdict(&judge(&files)).summary);
    // Counters that begin anew are no proof of the contrary.
    files.extend(counters(900).into_iter().map(|(n, t)| (n.to_owned(), t.into_bytes())));
    assert_eq!(verdict(&judge(&files)).side, Side::Unknown, "{}", verdict(&judge(&files)).summary);
}

#[test]
fn counters_that_went_on_tell_that_it_was_the_same_boot() {
    let said = |more: &[(&str, String)]| {
        let report = both_away(true, more);
        let text: Vec<_> =
            report.subjects.iter().flat_map(|s| &s.judged.findings).map(|f| f.text.clone()).collect();
        text.iter().any(|t| t.contains("may have been restarted"))
    };
    assert!(said(&[]) && said(&counters(900)));
    assert!(!said(&counters(60_000)));
}

#[test]
fn a_restart_of_another_day_explains_nothing() {
    let report = both_away(false, &[("stat.txt", format!("btime {}\n", T0 - 86_400))]);
    assert_eq!(verdict(&report).side, Side::Host, "{}", verdict(&report).summary);
    assert!(!checks(&report).contains(&"host-rebooted"));
}

#[test]
fn a_restart_after_an_outage_leaves_that_outage_as_it_is() {
    // eno1 loses what it sends from second 30 to 60; the host is restarted at second 80.
    let mut frames = lost_towards_switch();
    frames.retain(|(ms, ..)| *ms < 75_000);
    frames.extend(talk(1, 100, |s| match s {
        ..75 => (None, None),
        75..78 => (None, Some((HEALTHY, host(1)))),
        78..90 => (None, Some((0x8f, with(host(1), 0x37)))),
        90 => (Some((0xc7, PortInfo::default())), None),
        _ => healthy(1),
    }));
    let report = case(&frames, &[("stat.txt", format!("btime {}\n", T0 + 84))]);
    let v = verdict(&report);
    assert_eq!(v.side, Side::Unknown, "{}", v.summary);
    assert_eq!(v.members, ["eno1"]);
    assert!(
        checks(&report).contains(&"lacp-lost-towards-switch") && checks(&report).contains(&"host-rebooted")
    );
}

#[test]
fn readings_of_two_boots_are_said_to_be_that() {
    let read = |at: i64| format!("btime {}\n", T0 - at);
    let two = [("a/stat.txt", read(90_000)), ("b/stat.txt", read(600))];
    let report = case(&talk(1, 90, |_| healthy(1)), &two);
    assert!(checks(&report).contains(&"host-rebooted"), "{:?}", checks(&report));
    assert_eq!(verdict(&report).domain, D::Healthy, "{}", verdict(&report).summary);
    // The kernel's own second is not exact.
    let one = [("a/stat.txt", read(600)), ("b/stat.txt", read(599))];
    let report = case(&talk(1, 90, |_| healthy(1)), &one);
    assert!(!checks(&report).contains(&"host-rebooted"), "{:?}", checks(&report));
}
