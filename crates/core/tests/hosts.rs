//! Evidence of several hosts in one folder makes no verdict about one of them.
#![allow(clippy::expect_used, clippy::disallowed_methods, reason = "tests fail by panicking, and read files")]

use bondwitness_core::diagnose::{Input, Report, diagnose};
use bondwitness_core::domain::Side;
use bondwitness_core::verdict::Judged;

/// `/proc/net/bonding/bond0` of a host whose addresses end in `n`, with members that carry, or with one that does not.
fn proc_of(n: u8, members: &[&str], broken: bool) -> String {
    let mut text = format!(
        "Ethernet Channel Bonding Driver: v6.12.107+deb13-amd64\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\n\
         MII Status: up\n\n802.3ad info\nLACP active: on\nLACP rate: fast\nSystem priority: 65535\n\
         System MAC address: 02:00:00:00:{n:02x}:00\nActive Aggregator Info:\n\tAggregator ID: 1\n\
         \tNumber of ports: 2\n\tActor Key: 21\n\tPartner Key: 32\n\tPartner Mac Address: 02:00:00:00:ff:01\n"
    );
    for (i, m) in members.iter().enumerate() {
        let state = if broken && i == 0 { 7 } else { 63 };
        text.push_str(&format!(
            "\nSlave Interface: {m}\nMII Status: up\nSpeed: 10000 Mbps\nDuplex: full\nLink Failure Count: 0\n\
             Permanent HW addr: 02:00:00:00:{n:02x}:{i:02x}\nAggregator ID: 1\ndetails actor lacp pdu:\n\
             \x20   system priority: 65535\n    system mac address: 02:00:00:00:{n:02x}:00\n    port key: 21\n\
             \x20   port priority: 255\n    port number: {}\n    port state: 63\ndetails partner lacp pdu:\n\
             \x20   system priority: 32768\n    system mac address: 02:00:00:00:ff:01\n    oper key: 32\n\
             \x20   port priority: 255\n    port number: {}\n    port state: {state}\n",
            i + 1,
            i + 101
        ));
    }
    text
}

const BOTH: [&str; 2] = ["eno1", "eno2"];

fn hang(host: &str) -> String {
    format!(
        "2025-11-23T12:13:49.000000+00:00 {host} kernel: igc 0000:02:00.0 eno1: Detected Tx Unit Hang\n\
         2025-11-23T12:13:49.500000+00:00 {host} kernel: igc 0000:02:00.0 eno1: Reset adapter\n"
    )
}

fn enslave(host: &str, members: &[&str]) -> String {
    members
        .iter()
        .map(|m| {
            format!(
                "2025-11-19T12:13:23.000000+00:00 {host} kernel: bond0: (slave {m}): Enslaving as a backup interface with an up link\n"
            )
        })
        .collect()
}

fn uname(host: &str) -> String {
    format!("Linux {host} 6.12.107+deb13-amd64 #1 SMP x86_64 GNU/Linux\n")
}

fn run(files: &[(&str, String)]) -> Report {
    let inputs: Vec<Input<'_>> = files
        .iter()
        .map(|(path, text)| Input { path, bytes: text.as_bytes(), sha256: None, problem: None })
        .collect();
    diagnose(&inputs)
}

fn judged(report: &Report) -> &Judged {
    &report.worst().and_then(|i| report.subjects.get(i)).expect("a subject").judged
}

fn side(report: &Report) -> Side {
    judged(report).verdict.side
}

fn needs(report: &Report, word: &str) -> bool {
    report.needs.iter().chain(&judged(report).needs).any(|n| n.what.contains(word))
}

#[test]
fn one_host_is_accused_by_its_own_log() {
    let r = run(&[("proc.txt", proc_of(1, &BOTH, true)), ("kern.log", hang("db01"))]);
    assert_eq!((side(&r), r.case.host.0.as_deref()), (Side::Host, Some("db01")));
    assert!(r.case.mixed_hosts.is_empty() && r.case.other_hosts.is_empty());
}

#[test]
fn a_log_of_another_host_accuses_nobody() {
    let proc = || proc_of(1, &BOTH, true);
    let other = || ("b.log", hang("db02"));
    let owners = [
        // The path of the bond's evidence.
        vec![("db01/proc.txt", proc()), ("a.log", enslave("db01", &["eno1"])), other()],
        // `uname`, with its domain.
        vec![
            ("proc.txt", proc()),
            ("uname", uname("DB01.example.net")),
            ("a.log", enslave("db01", &["eno1"])),
            other(),
        ],
        // The only log that ties the members to the bond.
        vec![("proc.txt", proc()), ("a.log", enslave("db01", &BOTH)), other()],
        // All in one log.
        vec![("proc.txt", proc()), ("all.log", enslave("db01", &BOTH) + &hang("db02"))],
    ];
    for files in owners {
        let r = run(&files);
        assert_eq!(side(&r), Side::Unknown, "{files:?}");
        assert_eq!(r.case.other_hosts, [("db02".to_owned(), 2)], "{files:?}");
        assert!(
            r.case
                .host
                .0
                .as_deref()
                .is_some_and(|h| h.eq_ignore_ascii_case("db01") || h == "DB01.example.net")
        );
        assert!(needs(&r, "kernel log lines of db02 (2 lines)"));
        assert!(r.case.kernel().all(|(_, k)| k.host.as_deref() == Some("db01")));
    }
}

#[test]
fn the_owners_own_log_still_counts() {
    let r = run(&[
        ("db01-proc.txt", proc_of(1, &BOTH, true)),
        ("a.log", hang("db01")),
        ("b.log", enslave("db02", &BOTH)),
    ]);
    assert_eq!((side(&r), r.case.host.0.as_deref()), (Side::Host, Some("db01")));
    assert!(needs(&r, "of db02 (2 lines)"));
}

#[test]
fn without_an_owner_no_log_line_decides() {
    for files in [
        // Nobody names the bond.
        vec![("proc.txt", proc_of(1, &BOTH, true)), ("a.log", hang("db01")), ("b.log", hang("db02"))],
        // Both do.
        vec![
            ("proc.txt", proc_of(1, &BOTH, true)),
            ("a.log", enslave("db01", &BOTH)),
            ("b.log", enslave("db02", &BOTH) + &hang("db02")),
        ],
        // One does for a part of the members: its log may only reach further back.
        vec![
            ("proc.txt", proc_of(1, &BOTH, true)),
            ("a.log", hang("db01")),
            ("b.log", enslave("db02", &["eno1"]) + &hang("db02")),
        ],
        // Path and `uname` disagree.
        vec![
            ("db01/proc.txt", proc_of(1, &BOTH, true)),
            ("uname", uname("db02")),
            ("a.log", enslave("db01", &BOTH)),
            ("b.log", hang("db02")),
        ],
        // Settings of one, the log of the other.
        vec![("proc.txt", proc_of(1, &BOTH, true)), ("uname", uname("db01")), ("b.log", hang("db02"))],
    ] {
        let r = run(&files);
        assert_eq!(side(&r), Side::Unknown, "{files:?}");
        assert_eq!(r.case.mixed_hosts, ["db01", "db02"], "{files:?}");
        assert!(r.case.host.0.is_none() && r.case.other_hosts.is_empty(), "{files:?}");
        assert!(needs(&r, "the owner of the kernel log lines of db01 and db02"));
    }
}

#[test]
fn names_of_one_host() {
    for other in ["localhost", "(none)", "db01.example.net", "DB01", "debian"] {
        let r = run(&[
            ("proc.txt", proc_of(1, &BOTH, true)),
            ("a.log", enslave("db01", &BOTH)),
            ("b.log", hang(other)),
        ]);
        assert_eq!(side(&r), Side::Host, "{other}");
        assert!(r.case.mixed_hosts.is_empty() && r.case.other_hosts.is_empty(), "{other}");
        assert_eq!(r.case.host.0.as_deref(), Some("db01"));
    }
}

#[test]
fn lines_without_a_name_follow_their_path() {
    let dmesg = "[ 1138.649269] igc 0000:02:00.0 eno1: Detected Tx Unit Hang\n".to_owned();
    let files = |path| {
        [
            ("db01/proc.txt", proc_of(1, &BOTH, true)),
            ("a.log", enslave("db01", &BOTH)),
            ("b.log", enslave("db02", &BOTH)),
            (path, dmesg.clone()),
        ]
    };
    let r = run(&files("db02/dmesg.txt"));
    assert_eq!((side(&r), r.case.other_hosts), (Side::Unknown, vec![("db02".to_owned(), 3)]));
    assert_eq!(side(&run(&files("dmesg.txt"))), Side::Host);
}

#[test]
fn neighbours_that_only_chat_do_no_harm() {
    let chat = "2025-11-23T12:13:49.000000+00:00 db02 sshd[12]: Connection closed\n".to_owned();
    let r = run(&[("proc.txt", proc_of(1, &BOTH, true)), ("all.log", hang("db01") + &chat)]);
    assert_eq!(side(&r), Side::Host);
    assert!(r.case.mixed_hosts.is_empty());
}

#[test]
fn readings_of_two_hosts_decide_nothing() {
    let alone = run(&[("a.txt", proc_of(1, &BOTH, false))]);
    assert_eq!(side(&alone), Side::None);
    // The same names with other addresses; other members with another System ID.
    for other in [proc_of(2, &BOTH, false), proc_of(2, &["ens1", "ens2"], false)] {
        let r = run(&[
            ("hostA/proc/net/bonding/bond0", proc_of(1, &BOTH, false)),
            ("hostB/proc/net/bonding/bond0", other),
            ("kern.log", hang("db01")),
        ]);
        assert_eq!(side(&r), Side::Unknown);
        assert!(needs(&r, "readings of two hosts in bond0"));
        assert!(judged(&r).verdict.exonerated.is_empty());
    }
    // Two readings of one host, one of them cut.
    let r = run(&[("a.txt", proc_of(1, &BOTH, false)), ("b.txt", proc_of(1, &["eno1"], false))]);
    assert!(!needs(&r, "two hosts"));
}

#[test]
fn a_hang_of_nobody_knows_whom_keeps_the_host_from_being_cleared() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/loss-h2s");
    let mut files: Vec<(&str, Vec<u8>)> = [
        "host-h1.pcap",
        "host-h2.pcap",
        "snap-before/host-proc-bonding.txt",
        "snap-before/host-xstats-slave.json",
        "snap-before/host-ip-d-s-link.txt",
        "snap-after72/host-xstats-slave.json",
        "snap-after72/host-ip-d-s-link.txt",
    ]
    .into_iter()
    .map(|name| (name, std::fs::read(dir.join(name)).expect("a fixture")))
    .collect();
    let run = |files: &[(&str, Vec<u8>)]| {
        let inputs: Vec<Input<'_>> =
            files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
        diagnose(&inputs)
    };
    let cleared =
        |r: &Report| judged(r).verdict.exonerated.iter().any(|(s, by)| *s == Side::Host && !by.is_empty());
    let r = run(&files);
    assert!(cleared(&r));
    let start = judged(&r).episodes.first().expect("an outage").span.0 / 1_000_000_000;
    for host in ["db01", "db02"] {
        let line = format!("{start}.000000 {host} kernel: igc 0000:02:00.0 h1: Detected Tx Unit Hang\n");
        files.push((if host == "db01" { "a.log" } else { "b.log" }, line.into_bytes()));
    }
    let r = run(&files);
    assert_eq!((side(&r), r.case.mixed_hosts.len()), (Side::Unknown, 2));
    assert!(!cleared(&r));
}

/// The link status of a bond of one node with two members, the second without carrier if it is broken.
fn talos(node: Option<&str>, n: u8, members: [&str; 2], broken: bool) -> String {
    let head = node.map_or(String::new(), |n| format!("node: {n}\n"));
    let link = |index: u32, name: &str, spec: &str| {
        format!(
            "{head}metadata:\n    namespace: network\n    type: LinkStatuses.net.talos.dev\n    id: {name}\n    version: 1\nspec:\n    index: {index}\n    type: ether\n    mtu: 1500\n{spec}"
        )
    };
    let member = |i: usize, up: bool| {
        let flags =
            if up { "UP,BROADCAST,RUNNING,SLAVE,MULTICAST,LOWER_UP" } else { "UP,BROADCAST,SLAVE,MULTICAST" };
        link(
            i as u32 + 2,
            members[i],
            &format!(
                "    flags: {flags}\n    hardwareAddr: 02:00:5e:00:{n:02x}:01\n    masterIndex: 8\n    operationalState: {}\n    slaveKind: bond\n    linkState: {up}\n",
                if up { "up" } else { "down" }
            ),
        )
    };
    let bond = link(
        8,
        "bond0",
        "    flags: UP,BROADCAST,RUNNING,MASTER,MULTICAST,LOWER_UP\n    operationalState: up\n    kind: bond\n    linkState: true\n    bondMaster:\n        mode: 802.3ad\n        lacpRate: fast\n",
    );
    [member(0, true), member(1, !broken), bond].join("---\n")
}

fn talos_hang() -> String {
    "kern: warning: [2026-03-01T10:00:01.6Z]: igc 0000:02:00.0 eno1: Detected Tx Unit Hang\n\
     kern: warning: [2026-03-01T10:00:02.6Z]: igc 0000:02:00.0 eno1: Reset adapter\n"
        .to_owned()
}

#[test]
fn a_node_without_a_bond_says_nothing_about_the_bond_of_another() {
    let own = "192.0.2.10/resources/linkstatuses.net.talos.dev.yaml";
    for (log, accused) in [("192.0.2.10/dmesg.log", true), ("192.0.2.11/dmesg.log", false)] {
        let r = run(&[(own, talos(None, 1, BOTH, true)), (log, talos_hang())]);
        assert_eq!(side(&r) == Side::Host, accused, "{log}: {}", judged(&r).verdict.summary);
        assert_eq!(needs(&r, "kernel log lines of 192.0.2.11 (2 lines)"), !accused, "{:?}", r.needs);
    }
}

#[test]
fn the_bonds_of_two_nodes_are_not_one() {
    let at = |n: u8| format!("192.0.2.{n}/resources/linkstatuses.net.talos.dev.yaml");
    let (a, b) = (at(10), at(11));
    let names = ["enp1s0", "enp2s0"];
    // In folders of a bundle, and in one listing of two nodes.
    let folders = run(&[(&a, talos(None, 1, BOTH, false)), (&b, talos(None, 2, names, true))]);
    let listing =
        talos(Some("192.0.2.10"), 1, BOTH, false) + "---\n" + &talos(Some("192.0.2.11"), 2, names, true);
    let listing = run(&[("links.yaml", listing)]);
    for r in [folders, listing] {
        assert_eq!(side(&r), Side::Unknown, "{}", judged(&r).verdict.summary);
        let why = r.case.subjects.iter().find_map(|s| s.two_hosts.clone()).expect("it is said");
        assert!(why.contains("192.0.2.10 and 192.0.2.11"), "{why}");
        assert!(needs(&r, "readings of two hosts in bond0"));
    }
    // One node alone is itself.
    let r = run(&[(&a, talos(None, 1, BOTH, true))]);
    assert!(r.case.subjects.iter().all(|s| s.two_hosts.is_none()));
}

/// A NIC in this slot that hangs.
fn hang_in(slot: &str) -> String {
    format!(
        "[  100.000000] igc {slot} eno1: Detected Tx Unit Hang\n[  100.500000] igc {slot} eno1: Reset adapter\n"
    )
}

#[test]
fn one_name_in_two_slots_is_two_hosts() {
    let proc = || proc_of(1, &BOTH, true);
    let driver = |slot: &str| {
        format!(
            "# ethtool -i eno1\ndriver: igc\nversion: 6.12.107\nfirmware-version: 2017:888d\nexpansion-rom-version: \nbus-info: {slot}\nsupports-statistics: yes\n"
        )
    };
    // Nobody knows which of them is ours.
    let logs = || [("a.log", hang_in("0000:02:00.0")), ("b.log", hang_in("0000:3b:00.0"))];
    let r = run(&[&[("proc.txt", proc())][..], &logs()[..]].concat());
    assert_eq!((side(&r), r.case.mixed_hosts.len()), (Side::Unknown, 2));
    // Ours hung.
    let r = run(&[&[("proc.txt", proc()), ("i.txt", driver("0000:3b:00.0"))][..], &logs()[..]].concat());
    assert_eq!((side(&r), r.case.other_hosts.len()), (Side::Host, 1));
    // A stranger's hung.
    let r = run(&[
        ("proc.txt", proc()),
        ("i.txt", driver("0000:3b:00.0")),
        ("a.log", hang_in("0000:02:00.0")),
        ("b.log", "[  100.000000] igc 0000:3b:00.0 eno1: NIC Link is Up 1000 Mbps Full Duplex\n".to_owned()),
    ]);
    assert_eq!(side(&r), Side::Unknown);
    // Names that pass from one device to the next while a host boots.
    let boot = "[    1.000000] igc 0000:02:00.0 eth0: NIC Link is Down\n[    1.100000] igc 0000:02:00.0 eno1: renamed from eth0\n[    1.200000] igc 0000:3b:00.0 eth0: NIC Link is Down\n";
    let r = run(&[("proc.txt", proc()), ("a.log", boot.to_owned() + &hang_in("0000:02:00.0"))]);
    assert!(r.case.mixed_hosts.is_empty());
    assert_eq!(side(&r), Side::Host);
}

#[test]
fn an_interface_whose_link_comes_and_goes_is_not_called_healthy() {
    let line =
        |t: u32, what: &str| format!("[{t:5}.000000] igb 0000:02:00.0 eno1: igb: eno1 NIC Link is {what}\n");
    let up = "Up 1000 Mbps Full Duplex, Flow Control: RX/TX";
    let log: String =
        [line(100, "Down"), line(104, up), line(200, "Down"), line(203, up), line(300, "Down")].concat();
    let link = "2: eno1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP mode DEFAULT group default qlen 1000\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n";
    let r = run(&[("kern.log", log.clone())]);
    assert_eq!(judged(&r).state.name(), "down");
    let r = run(&[("kern.log", log), ("ip-link.txt", link.to_owned())]);
    assert_eq!(judged(&r).state.name(), "flapping");
}
