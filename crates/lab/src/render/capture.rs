//! Captures of LACPDUs: pcapng with directions, `-i any` as LINUX_SLL2, and plain Ethernet pcap.
//!
//! Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, and the page of LINKTYPE_LINUX_SLL2. pcapng has
//! nanoseconds, pcap microseconds (what tcpdump writes by default).

use crate::view::Frame;
use lacp::wire::{ETHERTYPE_SLOW, Lacpdu};
use lacp::{Mac, machine::Time};

/// `if_filter` of a capture that only wants slow protocols.
const FILTER: &str = "ether proto 0x8809";
/// What tcpdump asks for by default.
const SNAPLEN: u32 = 262_144;

/// A frame from destination address to the end, without FCS.
#[must_use]
pub fn ethernet(frame: &Frame) -> Vec<u8> {
    let mut out = Vec::with_capacity(124);
    out.extend(Mac::SLOW_PROTOCOLS.0);
    out.extend(frame.source.0);
    out.extend(ETHERTYPE_SLOW.to_be_bytes());
    out.extend(Lacpdu::new(frame.pdu.actor, frame.pdu.partner).encode());
    out
}

/// pcapng of one interface: each packet carries its direction (`epb_flags`).
#[must_use]
pub fn pcapng(frames: &[&Frame], interface: &str, kernel: &str, wall0_ns: i64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut section = Vec::new();
    section.extend(0x1a2b_3c4d_u32.to_le_bytes());
    section.extend(1_u16.to_le_bytes());
    section.extend(0_u16.to_le_bytes());
    section.extend(u64::MAX.to_le_bytes());
    let os = format!("Linux {kernel}");
    option(&mut section, 3, os.as_bytes());
    option(&mut section, 0, &[]);
    block(&mut out, 0x0a0d_0d0a, &section);

    let mut description = Vec::new();
    description.extend(1_u16.to_le_bytes());
    description.extend(0_u16.to_le_bytes());
    description.extend(SNAPLEN.to_le_bytes());
    option(&mut description, 2, interface.as_bytes());
    // Nanoseconds: 10^-9.
    option(&mut description, 9, &[9]);
    // The first octet says that the filter is libpcap's text.
    let filter: Vec<u8> = std::iter::once(0).chain(FILTER.bytes()).collect();
    option(&mut description, 11, &filter);
    option(&mut description, 12, os.as_bytes());
    option(&mut description, 0, &[]);
    block(&mut out, 1, &description);

    for frame in frames {
        let data = ethernet(frame);
        let ticks = unsigned(super::wall(wall0_ns, frame.at));
        let mut packet = Vec::with_capacity(data.len() + 40);
        packet.extend(0_u32.to_le_bytes());
        packet.extend(low(ticks >> 32).to_le_bytes());
        packet.extend(low(ticks).to_le_bytes());
        packet.extend(length(&data).to_le_bytes());
        packet.extend(length(&data).to_le_bytes());
        packet.extend(&data);
        pad(&mut packet);
        option(&mut packet, 2, &if frame.outgoing { 2_u32 } else { 1_u32 }.to_le_bytes());
        option(&mut packet, 0, &[]);
        block(&mut out, 6, &packet);
    }
    out
}

/// `tcpdump -i any -y LINUX_SLL2`: the interface by its index, the direction by the kernel's packet type.
#[must_use]
pub fn any(frames: &[&Frame], ifindex: impl Fn(usize) -> u32, wall0_ns: i64) -> Vec<u8> {
    let mut out = file(276);
    for frame in frames {
        let mut data = Vec::with_capacity(130);
        data.extend(ETHERTYPE_SLOW.to_be_bytes());
        data.extend([0, 0]);
        data.extend(ifindex(frame.member).to_be_bytes());
        // ARPHRD_ETHER; PACKET_OUTGOING or PACKET_MULTICAST; length of the address, padded to eight octets.
        data.extend([0, 1, if frame.outgoing { 4 } else { 2 }, 6]);
        data.extend(frame.source.0);
        data.extend([0, 0]);
        data.extend(ethernet(frame).iter().skip(14));
        record(&mut out, super::wall(wall0_ns, frame.at), &data);
    }
    out
}

/// `tcpdump -i eno1`: Ethernet frames without a direction.
#[must_use]
pub fn plain(frames: &[&Frame], wall0_ns: i64) -> Vec<u8> {
    let mut out = file(1);
    for frame in frames {
        record(&mut out, super::wall(wall0_ns, frame.at), &ethernet(frame));
    }
    out
}

/// The frames of a window in the order of time. The window is closed at both ends.
#[must_use]
pub fn window(frames: &[Frame], from: Time, until: Time) -> Vec<&Frame> {
    let mut kept: Vec<&Frame> = frames.iter().filter(|f| f.at >= from && f.at <= until).collect();
    kept.sort_by_key(|f| f.at);
    kept
}

fn file(link_type: u32) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(0xa1b2_c3d4_u32.to_le_bytes());
    out.extend(2_u16.to_le_bytes());
    out.extend(4_u16.to_le_bytes());
    out.extend([0; 8]);
    out.extend(SNAPLEN.to_le_bytes());
    out.extend(link_type.to_le_bytes());
    out
}

fn record(out: &mut Vec<u8>, wall_ns: i64, data: &[u8]) {
    let ns = unsigned(wall_ns);
    out.extend(low(ns / 1_000_000_000).to_le_bytes());
    out.extend(low(ns % 1_000_000_000 / 1000).to_le_bytes());
    out.extend(length(data).to_le_bytes());
    out.extend(length(data).to_le_bytes());
    out.extend(data);
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let total = length(body).saturating_add(12);
    out.extend(kind.to_le_bytes());
    out.extend(total.to_le_bytes());
    out.extend(body);
    out.extend(total.to_le_bytes());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(value);
    pad(out);
}

/// Everything in pcapng stands at a multiple of four octets.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

fn unsigned(ns: i64) -> u64 {
    u64::try_from(ns).unwrap_or(0)
}

/// The low 32 bits.
const fn low(n: u64) -> u32 {
    (n & 0xffff_ffff) as u32
}

fn length(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap_or(u32::MAX)
}
