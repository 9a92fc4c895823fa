//! Hand-made conversations of a host and a switch, and the files that are read beside them.
//!
//! A bond of two members, `eno1` and `eno2`, for 90 seconds from 2026-01-01T00:00:00Z. `eno2` is in order; a test says
//! what happens on `eno1`.
#![allow(dead_code, reason = "every test crate that includes this uses a part of it")]

use bondwitness_core::diagnose::{Input, Report, diagnose};
use lacp::{Lacpdu, Mac, PortInfo, PortState};

/// 2026-01-01T00:00:00Z.
pub(crate) const T0: i64 = 1_767_225_600;
pub(crate) const HEALTHY: u8 = 0x3f;

pub(crate) fn host(member: u16) -> PortInfo {
    PortInfo {
        system_priority: 65535,
        system: Mac([2, 0, 0, 0, 0x11, 1]),
        key: 15,
        port_priority: 255,
        port: member,
        state: PortState::from_bits_retain(HEALTHY),
    }
}

pub(crate) fn switch(member: u16) -> PortInfo {
    PortInfo {
        system_priority: 32768,
        system: Mac([0, 0x1c, 0x73, 0, 0, 9]),
        key: 40,
        port_priority: 128,
        port: 16 + member,
        ..host(member)
    }
}

pub(crate) fn host_mac(member: u16) -> [u8; 6] {
    [2, 0, 0, 0, 0x11, member as u8]
}

/// A frame: when (ms), from the host, the PDU.
pub(crate) type Frame = (i64, bool, Lacpdu);

/// One second of conversation: what each end says, or nothing.
pub(crate) type Second = (Option<(u8, PortInfo)>, Option<(u8, PortInfo)>);

pub(crate) fn talk(member: u16, seconds: i64, at: impl Fn(i64) -> Second) -> Vec<Frame> {
    let mut frames = Vec::new();
    for s in 0..seconds {
        let (ours, theirs) = at(s);
        if let Some((state, echo)) = ours {
            let actor = PortInfo { state: PortState::from_bits_retain(state), ..host(member) };
            frames.push((s * 1000, true, Lacpdu::new(actor, echo)));
        }
        if let Some((state, echo)) = theirs {
            let actor = PortInfo { state: PortState::from_bits_retain(state), ..switch(member) };
            frames.push((s * 1000 + 100, false, Lacpdu::new(actor, echo)));
        }
    }
    frames
}

pub(crate) fn with(info: PortInfo, state: u8) -> PortInfo {
    PortInfo { state: PortState::from_bits_retain(state), ..info }
}

pub(crate) fn healthy(member: u16) -> Second {
    (Some((HEALTHY, switch(member))), Some((HEALTHY, host(member))))
}

pub(crate) fn switch_mac(member: u16) -> [u8; 6] {
    [0, 0x1c, 0x73, 0, 1, member as u8]
}

/// A classic pcap, Ethernet, microseconds.
pub(crate) fn pcap(member: u16, frames: &[Frame]) -> Vec<u8> {
    pcap_of(frames.iter().map(|(ms, from_host, pdu)| {
        (*ms, if *from_host { host_mac(member) } else { switch_mac(member) }, pdu.clone())
    }))
}

/// The same with a source address for every frame: when (ms), from where, the PDU.
pub(crate) fn pcap_of(frames: impl IntoIterator<Item = (i64, [u8; 6], Lacpdu)>) -> Vec<u8> {
    let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for (ms, source, pdu) in frames {
        let mut frame = Mac::SLOW_PROTOCOLS.0.to_vec();
        frame.extend(source);
        frame.extend([0x88, 0x09]);
        frame.extend(pdu.encode());
        let n = frame.len() as u32;
        for v in [(T0 + ms / 1000) as u32, (ms % 1000 * 1000) as u32, n, n] {
            out.extend(v.to_le_bytes());
        }
        out.extend(frame);
    }
    out
}

pub(crate) fn proc(states: [(u8, u8); 2]) -> String {
    let mut text = String::from(
        "Ethernet Channel Bonding Driver: v6.12.107+deb13-amd64\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\nTransmit Hash Policy: layer2 (0)\nMII Status: up\nMII Polling Interval (ms): 100\n\n802.3ad info\nLACP active: on\nLACP rate: fast\nSystem MAC address: 02:00:00:00:11:01\nActive Aggregator Info:\n\tAggregator ID: 1\n\tNumber of ports: 2\n",
    );
    for (i, (actor, partner)) in states.iter().enumerate() {
        let n = i + 1;
        text.push_str(&format!(
            "\nSlave Interface: eno{n}\nMII Status: up\nSpeed: 10000 Mbps\nDuplex: full\nLink Failure Count: 0\nPermanent HW addr: 02:00:00:00:11:0{n}\nAggregator ID: 1\nActor Churned Count: 0\nPartner Churned Count: 0\ndetails actor lacp pdu:\n    system mac address: 02:00:00:00:11:01\n    port key: 15\n    port number: {n}\n    port state: {actor}\ndetails partner lacp pdu:\n    system mac address: 00:1c:73:00:00:09\n    oper key: 40\n    port number: {}\n    port state: {partner}\n",
            16 + n
        ));
    }
    text
}

/// `/proc/net/bonding/bond0` with other words in the part of one member. The words must be there.
#[track_caller]
pub(crate) fn in_member(proc: &str, member: &str, from: &str, to: &str) -> String {
    let at = proc.find(&format!("Slave Interface: {member}\n")).expect("the member");
    let end = proc[at + 1..].find("Slave Interface: ").map_or(proc.len(), |n| at + 1 + n);
    let part = &proc[at..end];
    assert!(part.contains(from), "{member} has no {from:?}");
    format!("{}{}{}", &proc[..at], part.replacen(from, to, 1), &proc[end..])
}

/// A bond of two members: the frames of eno1 as given, eno2 healthy, and more files.
pub(crate) fn case(eno1: &[Frame], more: &[(&str, String)]) -> Report {
    let other = talk(2, 90, |_| healthy(2));
    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("proc/net/bonding/bond0".to_owned(), proc([(63, 63), (63, 63)]).into_bytes()),
        ("eno1.pcap".to_owned(), pcap(1, eno1)),
        ("eno2.pcap".to_owned(), pcap(2, &other)),
    ];
    files.extend(more.iter().map(|(n, t)| ((*n).to_owned(), t.clone().into_bytes())));
    judge(&files)
}

pub(crate) fn judge(files: &[(String, Vec<u8>)]) -> Report {
    let inputs: Vec<Input<'_>> =
        files.iter().map(|(path, bytes)| Input { path, bytes, sha256: None, problem: None }).collect();
    diagnose(&inputs)
}

/// From second 30 to 60 the switch does not hear the host: Expired after three seconds, Defaulted after six.
pub(crate) fn lost_towards_switch() -> Vec<Frame> {
    talk(1, 90, |s| match s {
        33..36 => (Some((HEALTHY, with(switch(1), 0x8f))), Some((0x8f, with(host(1), 0x37)))),
        36 => (Some((0x0f, with(switch(1), 0x47))), Some((0x47, PortInfo::default()))),
        37..60 => (Some((0x0f, with(switch(1), 0x47))), None),
        _ => healthy(1),
    })
}

/// From second 30 to 60 nothing arrives from the switch; it hears us all along.
pub(crate) fn lost_towards_host() -> Vec<Frame> {
    talk(1, 90, |s| match s {
        30..33 => (Some((HEALTHY, switch(1))), None),
        33..36 => (Some((0x8f, with(switch(1), 0x37))), None),
        36..45 => (Some((0x47, PortInfo::default())), None),
        45 => (None, Some((0x07, with(host(1), 0x47)))),
        _ => healthy(1),
    })
}

pub(crate) fn stats(member: u8, crc: u64, packets: u64) -> String {
    format!(
        "# ethtool -S eno{member}\nNIC statistics:\n     rx_packets: {packets}\n     tx_packets: {packets}\n     rx_crc_errors: {crc}\n     rx_missed_errors: 0\n"
    )
}
