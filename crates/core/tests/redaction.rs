//! Redacted evidence: planted values are gone to the last byte, and the verdict is what it was.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and read files"
)]

use bondwitness_core::bundle;
use bondwitness_core::capture::writer::{ETHERNET, NETLINK, Packet, Writer, cooked_netlink};
use bondwitness_core::diagnose::Report;
use bondwitness_core::redact::redact;
use std::collections::BTreeMap;
use std::path::Path;

type Files = BTreeMap<String, Vec<u8>>;

const KEY: [u8; 32] = [0x5a; 32];

fn judge(files: &Files) -> Report {
    bundle::judge(files.iter().map(|(p, b)| (p.as_str(), b.as_slice())), &[])
}

/// What must not change: domain, side, grade, direction and members of every subject, and what is cleared.
fn claims(report: &Report) -> Vec<String> {
    report
        .subjects
        .iter()
        .zip(&report.case.subjects)
        .map(|(s, subject)| {
            let v = &s.judged.verdict;
            format!(
                "{} {:?} {:?} {:?} {:?} {:?} {:?}",
                subject.name,
                v.domain,
                v.side,
                v.grade,
                v.way,
                v.members,
                v.exonerated.iter().map(|e| e.0).collect::<Vec<_>>()
            )
        })
        .collect()
}

fn folder(path: &Path) -> Files {
    let mut files = Files::new();
    let mut left = vec![path.to_owned()];
    while let Some(at) = left.pop() {
        for entry in std::fs::read_dir(&at).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                left.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(path).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

#[test]
fn recorded_incidents_keep_their_verdict() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut seen = 0;
    for entry in std::fs::read_dir(fixtures).unwrap().map(Result::unwrap) {
        if !entry.file_type().unwrap().is_dir() {
            continue;
        }
        let files = folder(&entry.path());
        let redacted = redact(&files, KEY);
        assert!(redacted.left_out.is_empty(), "{:?}", redacted.left_out);
        let (before, after) = (judge(&files), judge(&redacted.files));
        assert_eq!(claims(&before), claims(&after), "{}", entry.path().display());
        for file in &after.case.files {
            assert!(!file.recognised.is_empty() || !before.nothing, "{}", file.path);
        }
        assert!(redacted.note.replaced.get("mac").is_some_and(|n| *n > 1), "{:?}", redacted.note.replaced);
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}

/// A LACPDU from `source`, whose actor and partner systems are the next two.
fn lacpdu(source: [u8; 6], actor: [u8; 6], partner: [u8; 6]) -> Vec<u8> {
    let mut f = vec![1, 0x80, 0xc2, 0, 0, 2];
    f.extend(source);
    f.extend([0x88, 0x09, 1, 1, 1, 20, 0x80, 0]);
    f.extend(actor);
    f.extend([0, 15, 0, 255, 0, 1, 0x3d, 0, 0, 0, 2, 20, 0x80, 0]);
    f.extend(partner);
    f.extend([0, 15, 0, 255, 0, 2, 0x3d, 0, 0, 0]);
    f.resize(124, 0);
    f
}

fn lldp(source: [u8; 6], chassis: [u8; 6], name: &str, description: &str, address: [u8; 4]) -> Vec<u8> {
    let mut f = vec![1, 0x80, 0xc2, 0, 0, 0x0e];
    f.extend(source);
    f.extend([0x88, 0xcc]);
    let mut tlv = |kind: u8, value: &[u8]| {
        f.extend([kind << 1, value.len() as u8]);
        f.extend(value);
    };
    tlv(1, &[&[4][..], &chassis].concat());
    tlv(2, b"\x05Ethernet1/5");
    tlv(3, &[0, 120]);
    tlv(4, b"uplink to canary-rack-42");
    tlv(5, name.as_bytes());
    tlv(6, description.as_bytes());
    tlv(8, &[&[5, 1][..], &address, &[2, 0, 0, 0, 7, 0]].concat());
    tlv(127, b"\x00\x12\x0f\x01canaryorg");
    tlv(0, b"");
    f
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut a = (value.len() as u16 + 4).to_ne_bytes().to_vec();
    a.extend(kind.to_ne_bytes());
    a.extend(value);
    a.resize(a.len().next_multiple_of(4), 0);
    a
}

fn message(kind: u16, header: &[u8], attributes: &[Vec<u8>]) -> Vec<u8> {
    let body: Vec<u8> = header.iter().copied().chain(attributes.concat()).collect();
    let mut m = (body.len() as u32 + 16).to_ne_bytes().to_vec();
    m.extend(kind.to_ne_bytes());
    m.extend([0; 10]);
    m.extend(body);
    m
}

#[test]
fn forty_planted_values_are_gone() {
    let mac = |n: u8| [0x00, 0x1b, 0x21, 0xca, 0x4a, n];
    let mut text: Vec<String> = Vec::new();
    let mut plant = |value: &str| {
        text.push(value.to_owned());
        value.to_owned()
    };
    let mut files = Files::new();
    let mut w = Writer::new("t", "Linux");
    let ether = w.interface("eno1", ETHERNET, 0, None);
    let net = w.interface("netlink", NETLINK, 0, None);
    let mut add = |interface, data: &[u8]| {
        w.packet(&Packet {
            interface,
            ns: 1_700_000_000_000_000_000,
            data,
            length: data.len() as u32,
            direction: None,
            comment: Some("seen by canaryhost9"),
        });
    };
    // Addresses in frames and datagrams, none of which stands in a text.
    add(ether, &lacpdu(mac(1), mac(2), mac(3)));
    add(ether, &lldp(mac(4), mac(5), "canary-switch-7", "CanaryOS 1.2 built by canarius", [10, 77, 66, 55]));
    let mut arp = vec![0xff; 6];
    arp.extend(mac(6));
    arp.extend([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
    arp.extend(mac(7));
    arp.extend([10, 77, 66, 54, 0, 0, 0, 0, 0, 0, 10, 77, 66, 53]);
    add(ether, &arp);
    let bond = attribute(
        18,
        &[
            attribute(1, b"bond\0"),
            attribute(2, &[attribute(26, &mac(11)), attribute(8, &attribute(0, &[10, 77, 66, 52]))].concat()),
        ]
        .concat(),
    );
    let link = message(
        16,
        &[0; 16],
        &[
            attribute(3, b"eno1\0"),
            attribute(1, &mac(8)),
            attribute(54, &mac(9)),
            attribute(20, b"canary alias\0"),
            bond,
        ],
    );
    let neighbour = message(
        28,
        &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[attribute(1, &[10, 77, 66, 51]), attribute(2, &mac(10))],
    );
    let six = "2001:db8:ca4a::77".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let address = message(20, &[10, 64, 0, 0, 0, 0, 0, 0], &[attribute(1, &six)]);
    add(net, &cooked_netlink(0, &[link, neighbour, address].concat()));
    files.insert("capture/eno1.pcapng".into(), w.into_bytes());

    // The same kinds in text.
    let lines = [
        format!("    link/ether {} brd ff:ff:ff:ff:ff:ff\n", plant("00:1b:21:ca:4a:20")),
        format!("System Identifier: 0x8000,{}\n", plant("00-1B-21-CA-4A-21")),
        format!("  Partner 8000,{}  key 0x1\n", plant("001b.21ca.4a22")),
        format!("  sysid {}\n", plant("001b21ca4a23")),
        format!("  hw {}\n", plant("001B-21CA-4A24")),
        format!("  nxos {}\n", plant("0:1b:21:ca:4a:25")),
        format!("5: {}: <UP>\n", plant("enx001b21ca4a26")),
        format!("  eui {}\n", plant("fe80::21b:21ff:feca:4a27")),
        format!("    inet {}/24 scope global\n", plant("10.77.66.50")),
        format!("    inet6 {}/64 scope global\n", plant("2001:db8:ca4a::42")),
        format!("\"hostname\": \"{}\",\n", plant("canaryhost1")),
        format!("Linux {} 6.12.0-1 #1 SMP x86_64 GNU/Linux\n", plant("canaryhost2")),
        format!("ops@{}:~$ ip link\n", plant("canaryhost3")),
        format!("{}# show lacp neighbor\n", plant("canary-sw4")),
        format!("Nov 23 21:23:52 {} kernel: bond0: link status definitely down\n", plant("canaryhost5")),
        format!("see {} and again\n", plant("canary6.rack.example.com")),
        "nodename: canaryhost9\n".to_owned(),
        "canaryhost1-ilo answers, CANARYHOST2 too\n".to_owned(),
        format!("cat /home/{}/notes.txt\n", plant("canaryuser1")),
        format!("session opened for user {} by (uid=0)\n", plant("canaryuser2")),
        format!("password = {}\n", plant("canary-pass-1")),
        format!("  wpa-psk {}\n", plant("canary-psk-2")),
        format!("Authorization: Bearer {}\n", plant("canary.tok.3")),
        format!("http://x:{}@proxy:3128/\n", plant("canarypw4")),
        format!("snmp-server community {} ro\n", plant("canarycommunity5")),
        format!("ssid=\"{}\"\n", plant("Canary Net 6")),
        format!("cmdline: quiet api_key={} ro\n", plant("canaryapikey7")),
        format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
            plant("Y2FuYXJ5a2V5OA==")
        ),
        format!("default via {} dev bond0\n", plant("192.0.2.77")),
    ];
    files.insert("host/all.txt".into(), lines.concat().into_bytes());
    files.insert("host/canaryhost1.txt".into(), b"127.0.0.1 localhost\n".to_vec());
    files.insert("unknown.bin".into(), [&[0_u8; 64][..], b"canary in the dark"].concat());

    for hidden in
        ["canaryhost9", "canary-switch-7", "canarius", "canary-rack-42", "canaryorg", "canary alias"]
    {
        text.push(hidden.to_owned());
    }
    let binary: Vec<Vec<u8>> = (1..=11)
        .map(|n| mac(n).to_vec())
        .chain((51..=55).map(|n| vec![10, 77, 66, n]))
        .chain([six.to_vec()])
        .collect();
    assert!(text.len() + binary.len() >= 40, "{}", text.len() + binary.len());

    let redacted = redact(&files, KEY);
    assert_eq!(redacted.left_out, ["unknown.bin"]);
    // The manifest holds the note, and the verdict speaks of the same evidence.
    let mut all = redacted.files.clone();
    let report = judge(&redacted.files);
    all.insert(bundle::v1::VERDICT_JSON.into(), bundle::verdict_json(&report, "0"));
    let meta = bundle::Meta { redaction: Some(&redacted.note), ..bundle::Meta::default() };
    all.insert("the manifest".into(), bundle::manifest(&redacted.files, &meta).unwrap().to_bytes());
    for (path, bytes) in &all {
        let lower = [path.as_bytes(), b"\n", bytes].concat().to_ascii_lowercase();
        let shown = String::from_utf8_lossy(&lower);
        let find = |value: &[u8]| lower.windows(value.len()).any(|w| w == value.to_ascii_lowercase());
        for value in &text {
            assert!(!find(value.as_bytes()), "{value} is still in {path}:\n{shown}");
        }
        for value in &binary {
            assert!(!bytes.windows(value.len()).any(|w| w == value), "{value:02x?} is still in {path}");
        }
    }
    // The owner has them all.
    let mapping = String::from_utf8(redacted.mapping).unwrap();
    for value in ["00:1b:21:ca:4a:01", "10.77.66.50", "canaryhost1", "canary-pass-1"] {
        assert!(mapping.contains(value), "{value}");
    }
    assert!(redacted.note.originals.iter().any(|m| m.size == files["host/all.txt"].len() as u64));
}
