//! The whole evidence folder.

use crate::host_state::hooked;
use crate::round_trip::{frames, read};
use crate::views::{WALL, split74};
use bondwitness_core::diagnose::{Input, diagnose};
use bondwitness_core::units::Stamp;
use bondwitness_lab::incident::{
    Capture, Decidable, Evidence, Host, Incident, LogShape, MemberSpec, Switch, Topology, Truth,
};
use bondwitness_lab::recording::Recording;
use bondwitness_lab::render::evidence;
use bondwitness_lab::view::{HostView, LinkEvent, LogLine};
use lacp::machine::Time;
use std::collections::{BTreeMap, BTreeSet};

const NOTHING: Evidence = Evidence {
    capture: Capture::None,
    capture_from_ms: 0,
    capture_until_ms: 0,
    proc: false,
    privileged: false,
    links: false,
    xstats: false,
    nic_counters: false,
    nic_settings: false,
    filters: false,
    multicast: false,
    load: false,
    protocol_counters: false,
    sysfs: false,
    monitor: false,
    log: LogShape::None,
    far_end: false,
    snapshots_ms: Vec::new(),
};

fn everything() -> Evidence {
    Evidence {
        capture: Capture::Directed,
        proc: true,
        privileged: true,
        links: true,
        xstats: true,
        nic_counters: true,
        nic_settings: true,
        filters: true,
        multicast: true,
        load: true,
        protocol_counters: true,
        sysfs: true,
        monitor: true,
        log: LogShape::Dmesg,
        far_end: true,
        ..NOTHING
    }
}

fn incident(evidence: Evidence, seed: u64) -> Incident {
    let member = |name: &str| MemberSpec {
        name: name.to_owned(),
        driver: "ixgbe".to_owned(),
        speed_mbps: 10_000,
        mtu: 1500,
        rx_pps: 1,
        tx_pps: 1,
    };
    Incident {
        scenario: "hidden-scenario-name".to_owned(),
        family: "hidden-family-name".to_owned(),
        seed,
        topology: Topology {
            host: Host {
                name: "db01".to_owned(),
                bond: "bond0".to_owned(),
                kernel: "6.12.107+deb13-amd64".to_owned(),
                fast: true,
                active: true,
                miimon_ms: 100,
                min_links: 0,
                uptime_s: 177,
                wall_s: 1_795_313_316,
                vlan: Some(70),
            },
            switch: Switch {
                linux: true,
                fast: true,
                active: true,
                key: 335,
                mlag: false,
                clock_ahead_ms: 250,
            },
            members: vec![member("eno1"), member("eno2")],
            victim: 1,
            other: 0,
        },
        duration_ms: 20_000,
        faults: Vec::new(),
        evidence,
        truth: Truth {
            fault_domain: "mlag".to_owned(),
            side: "switch".to_owned(),
            members: vec!["eno2".to_owned()],
            direction: None,
            decidable: Decidable::Side,
            cleared: Vec::new(),
            also: Vec::new(),
            collected: None,
        },
    }
}

fn recording() -> Recording {
    let at = |label: &str, seconds: u64| HostView {
        label: label.to_owned(),
        at: Time::from_secs(seconds),
        wall_ns: WALL + i64::try_from(seconds).unwrap() * 1_000_000_000,
        ..hooked()
    };
    let mut far = split74();
    "before".clone_into(&mut far.label);
    "leaf".clone_into(&mut far.hostname);
    for (n, m) in far.members.iter_mut().enumerate() {
        m.name = format!("swp{}", n + 1);
    }
    let view = at("before", 1);
    Recording {
        link_events: vec![LinkEvent {
            at: Time::from_secs(2),
            member: 1,
            member_view: Box::new(view.members[1].clone()),
        }],
        // The same label twice: no file may hide another.
        views: vec![view, at("during-1", 9), at("during-1", 12)],
        far_views: vec![far],
        frames: frames(),
        far_frames: frames(),
        log: vec![LogLine {
            at_ns: 1_000_000_000,
            level: 6,
            text: "bond0: (slave eno2): link status definitely down, disabling slave".to_owned(),
        }],
        wall0_ns: WALL,
        boot0_ns: 177_000_000_000,
    }
}

type Files = BTreeMap<String, Vec<u8>>;

fn is_binary(name: &str) -> bool {
    name.ends_with(".pcap") || name.ends_with(".pcapng")
}

#[test]
fn every_line_of_every_file_is_understood() {
    for seed in [1, 3] {
        for log in [LogShape::Dmesg, LogShape::DmesgTime, LogShape::JournalIso, LogShape::JournalJson] {
            for privileged in [true, false] {
                let e = Evidence { log, privileged, ..everything() };
                let files: Files = evidence(&recording(), &incident(e, seed));
                for (name, bytes) in files.iter().filter(|(n, _)| !is_binary(n)) {
                    let p = read(name, std::str::from_utf8(bytes).unwrap());
                    if name.contains('/') {
                        // Snapshots know their time.
                        assert!(
                            p.records.iter().all(|r| r.time.is_some_and(|t| t.clock == Stamp::wall(0).clock)),
                            "{name}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn only_what_is_listed_is_written() {
    assert!(evidence(&recording(), &incident(NOTHING, 1)).is_empty());
    let names =
        |e: Evidence| -> BTreeSet<String> { evidence(&recording(), &incident(e, 1)).into_keys().collect() };
    let all = names(everything());
    let parts = [
        Evidence { capture: Capture::Directed, ..NOTHING },
        Evidence { proc: true, ..NOTHING },
        Evidence { links: true, ..NOTHING },
        Evidence { xstats: true, ..NOTHING },
        Evidence { nic_counters: true, ..NOTHING },
        Evidence { nic_settings: true, ..NOTHING },
        Evidence { filters: true, ..NOTHING },
        Evidence { multicast: true, ..NOTHING },
        Evidence { load: true, ..NOTHING },
        Evidence { protocol_counters: true, ..NOTHING },
        Evidence { sysfs: true, ..NOTHING },
        Evidence { monitor: true, ..NOTHING },
        Evidence { log: LogShape::Dmesg, ..NOTHING },
        Evidence { far_end: true, ..NOTHING },
    ];
    // Each flag writes something, no two write the same file, and together they write all.
    let mut seen = BTreeSet::new();
    for e in parts {
        let written = names(e.clone());
        assert!(!written.is_empty(), "{e:?}");
        for name in written {
            assert!(seen.insert(name.clone()), "{name} twice");
        }
    }
    assert_eq!(seen, all);
    assert!(all.contains("during-1/proc-net-bonding-bond0.txt"), "{all:?}");
    assert!(all.contains("during-1-2/proc-net-bonding-bond0.txt"), "{all:?}");
}

#[test]
fn names_and_texts_do_not_tell_the_truth() {
    for (name, bytes) in evidence(&recording(), &incident(everything(), 1)) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("hidden-") && !name.contains("hidden-"), "{name}");
        assert!(!name.contains("switch") && !name.contains("mlag") && !name.contains("fault"), "{name}");
    }
}

#[test]
fn the_window_of_a_capture_is_kept() {
    let e = Evidence { capture: Capture::Any, capture_from_ms: 1_000, capture_until_ms: 17_000, ..NOTHING };
    let files = evidence(&recording(), &incident(e, 1));
    let mut at = Vec::new();
    bondwitness_core::capture::reader::read(&files["any.pcap"], &mut |f| at.push(f.ns - WALL));
    // Frames at 0, 1.05, 2.10, 3.15 ... seconds; the window is from 1 to 3.
    assert_eq!(at.len(), 2);
    assert!(at.iter().all(|ns| (1_000_000_000 - 1_000..3_000_000_000).contains(ns)), "{at:?}");
}

#[test]
fn incoming_only_has_no_own_frames() {
    let e = Evidence { capture: Capture::Incoming, ..NOTHING };
    let files = evidence(&recording(), &incident(e, 1));
    assert_eq!(files.keys().collect::<Vec<_>>(), ["eno1.pcap", "eno2.pcap"]);
    let mut sources = BTreeSet::new();
    for bytes in files.values() {
        bondwitness_core::capture::reader::read(bytes, &mut |f| {
            sources.insert(f.mac().to_string());
        });
    }
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["02:00:00:00:20:00"]);
}

/// The far end's capture is stamped by its own clock, which is 250 ms ahead.
#[test]
fn the_far_end_has_its_own_clock() {
    let e = Evidence { far_end: true, ..NOTHING };
    let files = evidence(&recording(), &incident(e, 1));
    let mut first = None;
    bondwitness_core::capture::reader::read(&files["sw-swp1.pcapng"], &mut |f| {
        first = first.or(Some(f.ns));
    });
    assert_eq!(first, Some(WALL + 250_000_000));
    assert!(files.keys().all(|k| bondwitness_core::case::far_end_hint(k)), "{:?}", files.keys());
}

/// Two far ends, each with a folder of its own.
#[test]
fn an_mlag_pair_is_told_apart() {
    let mut recording = recording();
    let mut second = recording.far_views[0].clone();
    "leaf2".clone_into(&mut second.hostname);
    recording.far_views.push(second);
    let files = evidence(&recording, &incident(Evidence { far_end: true, ..NOTHING }, 1));
    for name in [
        "sw-leaf-before/proc-net-bonding-bond0.txt",
        "sw-leaf2-before/proc-net-bonding-bond0.txt",
        "sw-eno1.pcapng",
    ] {
        assert!(files.contains_key(name), "{name}: {:?}", files.keys());
    }
}

/// Tools that a host's kernel is too old for printed nothing there.
#[test]
fn old_hosts_have_old_tools() {
    for (kernel, json, text) in
        [("3.10.0-1160.el7.x86_64", false, false), ("5.10.0-30-amd64", false, true), ("6.1.0", true, false)]
    {
        let mut recording = recording();
        for v in &mut recording.views {
            kernel.clone_into(&mut v.kernel);
        }
        let e = Evidence { far_end: false, ..everything() };
        let files = evidence(&recording, &incident(e, 3));
        assert_eq!(files.contains_key("before/ip_-j_stats_xstats_slave.json"), json, "{kernel}");
        assert_eq!(files.contains_key("before/ip_link_xstats_bond_slave.txt"), text, "{kernel}");
        assert_eq!(files.contains_key("before/ip_-j_-s_-d_link.json"), json || text, "{kernel}");
        for (name, bytes) in files.iter().filter(|(n, _)| !is_binary(n)) {
            read(name, std::str::from_utf8(bytes).unwrap());
        }
    }
}

/// The folder goes through the whole pipeline; what is not recognised says nothing at all.
#[test]
fn the_folder_is_a_case() {
    for (seed, capture) in [(1, Capture::Directed), (3, Capture::Any), (1, Capture::Plain)] {
        let e = Evidence { capture, far_end: false, ..everything() };
        let files = evidence(&recording(), &incident(e, seed));
        let inputs: Vec<Input<'_>> =
            files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
        let report = diagnose(&inputs);
        let bond = report.case.subjects.iter().find(|s| s.name == "bond0").unwrap();
        assert_eq!(bond.members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["eno1", "eno2"]);
        assert!(bond.members.iter().any(|m| m.wire.is_some()), "{capture:?}");
        for f in report.case.files.iter().filter(|f| f.recognised.is_empty()) {
            let content = String::from_utf8_lossy(&files[&f.path]);
            assert!(content.lines().all(|l| l.starts_with("@@ ")), "{}: {content}", f.path);
        }
    }
}
