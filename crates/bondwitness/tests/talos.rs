//! A support bundle of Talos Linux as a user has it: one zip, given as it is.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests fail by panicking")]

use serde_json::Value;
use std::process::{Command, Stdio};

/// CRC-32 as zip has it, bit by bit: the bundle is small.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}

/// A zip archive that stores its members as they are.
fn zip(members: &[(&str, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let short = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
    let long = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    for (name, text) in members {
        let at = out.len();
        // Version, flags, method, time, date; then what both headers have in the same order.
        let common = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &crc32(text.as_bytes()).to_le_bytes(),
            &long(text.len()),
            &long(text.len()),
            &short(name.len()),
            &short(0),
        ]
        .concat();
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), text.as_bytes()].concat());
        directory.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &long(at), name.as_bytes()].concat());
    }
    let (count, from) = (short(members.len()), out.len());
    out.extend_from_slice(&directory);
    out.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &long(directory.len()), &long(from)].concat());
    out.extend([0; 2]);
    out
}

/// The document of one link, as the bundle has it.
fn link(index: u32, name: &str, spec: &str) -> String {
    format!(
        "metadata:\n    namespace: network\n    type: LinkStatuses.net.talos.dev\n    id: {name}\n    version: 4\n    \
         owner: network.LinkStatusController\n    phase: running\n    created: 2026-03-01T09:00:00Z\n    \
         updated: 2026-03-01T10:00:02Z\nspec:\n    index: {index}\n    type: ether\n    linkIndex: 0\n{spec}"
    )
}

#[test]
fn a_support_bundle_names_the_bond_its_members_and_the_one_without_carrier() {
    let member = |flags: &str, perm: &str, rest: &str| {
        format!(
            "    flags: {flags}\n    hardwareAddr: 02:00:5e:00:00:01\n    permanentAddr: {perm}\n    mtu: 1500\n    \
             queueDisc: mq\n    masterIndex: 8\n    kind: \"\"\n    slaveKind: bond\n    driver: ixgbe\n    \
             firmwareVersion: 0x8000095c\n{rest}"
        )
    };
    let links = [
        link(
            2,
            "enp1s0f0",
            &member(
                "UP,BROADCAST,RUNNING,SLAVE,MULTICAST,LOWER_UP",
                "02:00:5e:00:00:01",
                "    operationalState: up\n    linkState: true\n    speedMbit: 10000\n    port: Fibre\n    duplex: Full\n",
            ),
        ),
        link(
            3,
            "enp1s0f1",
            &member(
                "UP,BROADCAST,SLAVE,MULTICAST",
                "02:00:5e:00:00:02",
                "    operationalState: down\n    linkState: false\n    port: Fibre\n    duplex: Unknown\n",
            ),
        ),
        link(
            8,
            "bond0",
            "    flags: UP,BROADCAST,RUNNING,MASTER,MULTICAST,LOWER_UP\n    hardwareAddr: 02:00:5e:00:00:01\n    mtu: 1500\n    \
             operationalState: up\n    kind: bond\n    slaveKind: \"\"\n    linkState: true\n    port: Other\n    \
             duplex: Full\n    bondMaster:\n        mode: 802.3ad\n        xmitHashPolicy: layer3+4\n        \
             lacpRate: fast\n        miimon: 100\n        useCarrier: true\n",
        ),
    ];
    let dmesg = "kern:    info: [2026-03-01T10:00:01.5Z]: ixgbe 0000:01:00.1 enp1s0f1: NIC Link is Down\n\
                 kern: warning: [2026-03-01T10:00:01.6Z]: bond0: (slave enp1s0f1): link status definitely down, \
                 disabling slave\n";
    let bundle = zip(&[
        ("192.0.2.10/dmesg.log", dmesg.to_owned()),
        ("192.0.2.10/resources/linkstatuses.net.talos.dev.yaml", links.join("---\n")),
    ]);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("support.zip");
    std::fs::write(&path, bundle).expect("a bundle");

    let output = Command::new(env!("CARGO_BIN_EXE_bondwitness"))
        .args(["diagnose", "--json", "--from"])
        .arg(&path)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let json: Value = serde_json::from_slice(&output.stdout).expect("standard output is JSON");

    let subject = &json["subjects"][0];
    assert_eq!((&subject["kind"], &subject["name"]), (&"bond".into(), &"bond0".into()), "{json:#}");
    assert_eq!(subject["mode"], "802.3ad");
    let findings = subject["findings"].as_array().expect("findings");
    let down = findings.iter().find(|f| f["check"] == "link-down-now").expect("the member is found");
    assert_eq!(down["member"], "enp1s0f1");
    assert!(findings.iter().all(|f| f["member"] != "enp1s0f0"), "{findings:#?}");
    // The member in order shows in what is missing about it.
    let gaps: Vec<&str> =
        json["gaps"].as_array().unwrap().iter().filter_map(|g| g["what"].as_str()).collect();
    assert!(["enp1s0f0", "enp1s0f1"].iter().all(|m| gaps.iter().any(|g| g.contains(m))), "{gaps:?}");

    let inputs: Vec<_> = json["inputs"].as_array().unwrap().iter().collect();
    let listed: Vec<_> =
        inputs.iter().map(|i| (&i["path"], &i["recognised_as"], &i["lines"]["outside"])).collect();
    let of = |path: &str, id: &str| (Value::from(path), Value::from(id), Value::from(0));
    let expected = [
        of("192.0.2.10/dmesg.log", "kernel-log"),
        of("192.0.2.10/resources/linkstatuses.net.talos.dev.yaml", "talos-link-status"),
    ];
    assert_eq!(listed, expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
}
