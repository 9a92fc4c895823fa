//! Captures: addresses in frames and in netlink datagrams, texts of LLDP, and nothing of other protocols.
//!
//! Every packet keeps its length, number and time. Blocks of pcapng that hold no packets, interfaces or counters (names of
//! hosts, secrets of decryption, journals) are left out.

use super::mapper::{Kind, Mapper};
use super::{netlink, text};
use crate::capture::reader::{self, Kind as File};

const ETHERNET: u32 = 1;
const SLL: u32 = 113;
const NETLINK: u32 = 253;
const SLL2: u32 = 276;
/// Where frames end that are no LACPDU or LLDP: what is behind the EtherType is nobody's business.
const ETHERTYPES: [[u8; 2]; 2] = [[0x88, 0x09], [0x88, 0xcc]];

/// Replaces what is to be replaced in a capture; none if the bytes are no capture.
pub(super) fn redact(bytes: &[u8], mapper: &mut Mapper) -> Option<Vec<u8>> {
    Some(match reader::kind(bytes)? {
        File::Pcap { little, .. } => pcap(bytes, little, mapper),
        File::Pcapng => pcapng(bytes, mapper),
    })
}

fn u32_at(bytes: &[u8], at: usize, little: bool) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    Some(if little { u32::from_le_bytes(*four) } else { u32::from_be_bytes(*four) })
}

fn u16_at(bytes: &[u8], at: usize, little: bool) -> Option<u16> {
    let two = bytes.get(at..)?.first_chunk::<2>()?;
    Some(if little { u16::from_le_bytes(*two) } else { u16::from_be_bytes(*two) })
}

fn put32(out: &mut Vec<u8>, value: u32, little: bool) {
    out.extend(if little { value.to_le_bytes() } else { value.to_be_bytes() });
}

fn put16(out: &mut Vec<u8>, value: u16, little: bool) {
    out.extend(if little { value.to_le_bytes() } else { value.to_be_bytes() });
}

fn pcap(bytes: &[u8], little: bool, mapper: &mut Mapper) -> Vec<u8> {
    let link = u32_at(bytes, 20, little).unwrap_or(0) & 0xffff;
    let mut out = bytes.get(..24).unwrap_or(bytes).to_vec();
    let mut at = 24;
    while let Some(length) = u32_at(bytes, at + 8, little) {
        let Some(head) = bytes.get(at..at + 16) else { break };
        let end = (at + 16).saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        // A cut packet at the end of the file is cut here too.
        let data = bytes.get(at + 16..end.min(bytes.len())).unwrap_or_default();
        out.extend(head);
        let mut data = data.to_vec();
        packet(&mut data, link, little, mapper);
        out.extend(data);
        at = end;
    }
    out
}

fn pcapng(bytes: &[u8], mapper: &mut Mapper) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut links: Vec<u32> = Vec::new();
    let (mut little, mut at) = (true, 0);
    while let Some(head) = bytes.get(at..at + 12) {
        let section = head.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]);
        if section {
            little = head.get(8) == Some(&0x4d);
            links.clear();
        }
        let kind = u32_at(bytes, at, little).unwrap_or(0);
        let length = u32_at(bytes, at + 4, little).unwrap_or(0) as usize;
        let Some(body) = (length >= 12).then(|| bytes.get(at + 8..at + length - 4)).flatten() else { break };
        at += length;
        let new = match kind {
            0x0a0d_0d0a => with_options(body, 16, false, little, mapper),
            1 => {
                links.push(u32::from(u16_at(body, 0, little).unwrap_or(0)));
                with_options(body, 8, true, little, mapper)
            }
            5 => with_options(body, 12, false, little, mapper),
            2 | 3 | 6 => {
                let (interface, captured, from) = match kind {
                    6 => (u32_at(body, 0, little).unwrap_or(0), u32_at(body, 12, little).unwrap_or(0), 20),
                    2 => (
                        u32::from(u16_at(body, 0, little).unwrap_or(0)),
                        u32_at(body, 12, little).unwrap_or(0),
                        20,
                    ),
                    _ => (0, u32::try_from(body.len().saturating_sub(4)).unwrap_or(0), 4),
                };
                let end = (from + captured as usize).min(body.len());
                let mut data = body.get(from..end).unwrap_or_default().to_vec();
                let link = links.get(interface as usize).copied().unwrap_or(ETHERNET);
                packet(&mut data, link, little, mapper);
                let mut new = body.get(..from.min(body.len())).unwrap_or_default().to_vec();
                new.extend(data);
                let padded = end.next_multiple_of(4).min(body.len());
                new.resize(new.len() + (padded - end), 0);
                new.extend(options(body.get(padded..).unwrap_or_default(), false, little, mapper));
                new
            }
            // Names, secrets, journals and what only its maker knows.
            _ => continue,
        };
        let total = u32::try_from(new.len() + 12).unwrap_or(u32::MAX);
        put32(&mut out, kind, little);
        put32(&mut out, total, little);
        out.extend(new);
        put32(&mut out, total, little);
    }
    out
}

fn with_options(body: &[u8], fixed: usize, interface: bool, little: bool, mapper: &mut Mapper) -> Vec<u8> {
    let mut new = body.get(..fixed.min(body.len())).unwrap_or_default().to_vec();
    new.extend(options(body.get(fixed..).unwrap_or_default(), interface, little, mapper));
    new
}

/// Options: texts are redacted, the addresses of an interface and what only their maker knows left out.
fn options(mut rest: &[u8], interface: bool, little: bool, mapper: &mut Mapper) -> Vec<u8> {
    let mut out = Vec::new();
    while let (Some(code), Some(length)) = (u16_at(rest, 0, little), u16_at(rest, 2, little)) {
        let length = usize::from(length);
        let Some(value) = rest.get(4..4 + length) else { break };
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        // if_IPv4addr, if_IPv6addr, if_MACaddr, if_EUIaddr.
        if interface && matches!(code, 4..=7) {
            continue;
        }
        let new = match std::str::from_utf8(value) {
            // Flags, numbers and times are not text; texts have letters only.
            Ok(t) if !value.is_empty() && !value.contains(&0) && value.iter().all(|b| *b >= 0x20) => {
                text::redact(t, mapper).into_bytes()
            }
            _ if length <= 8 => value.to_vec(),
            // A capture filter: its kind, and text.
            _ if value.first() == Some(&0) => {
                let text = text::redact(&String::from_utf8_lossy(value.get(1..).unwrap_or_default()), mapper);
                std::iter::once(0).chain(text.bytes()).collect()
            }
            _ => continue,
        };
        let new = new.get(..65_000).unwrap_or(&new);
        put16(&mut out, code, little);
        put16(&mut out, u16::try_from(new.len()).unwrap_or(0), little);
        out.extend(new);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

fn packet(data: &mut [u8], link: u32, little: bool, mapper: &mut Mapper) {
    match link {
        ETHERNET => {
            mac_at(data, 0, mapper);
            mac_at(data, 6, mapper);
            let mut at = 12;
            while data.get(at..at + 2).is_some_and(|t| t == [0x81, 0] || t == [0x88, 0xa8]) {
                at += 4;
            }
            payload(data, at, mapper);
        }
        // Address, its length, and the EtherType at the end of the header.
        SLL => {
            mac_at(data, 6, mapper);
            payload(data, 14, mapper);
        }
        SLL2 => {
            mac_at(data, 12, mapper);
            let ethertype: Option<[u8; 2]> = data.get(..2).and_then(|t| t.try_into().ok());
            body(data, 20, ethertype, mapper);
        }
        NETLINK => {
            if let Some(datagram) = data.get_mut(16..) {
                netlink::redact(datagram, little, mapper);
            }
        }
        // Of an unknown kind nothing can be kept.
        _ => data.fill(0),
    }
}

fn payload(data: &mut [u8], at: usize, mapper: &mut Mapper) {
    let ethertype: Option<[u8; 2]> = data.get(at..at + 2).and_then(|t| t.try_into().ok());
    body(data, at + 2, ethertype, mapper);
}

fn body(data: &mut [u8], from: usize, ethertype: Option<[u8; 2]>, mapper: &mut Mapper) {
    let Some(rest) = data.get_mut(from.min(data.len())..) else { return };
    match ethertype {
        Some(t) if t == ETHERTYPES[0] => slow(rest, mapper),
        Some(t) if t == ETHERTYPES[1] => lldp(rest, mapper),
        _ => rest.fill(0),
    }
}

fn mac_at(data: &mut [u8], at: usize, mapper: &mut Mapper) {
    if let Some(slot) = data.get_mut(at..).and_then(|d| d.first_chunk_mut::<6>()) {
        *slot = mapper.mac(*slot);
    }
}

/// LACPDU and Marker: the systems. What stands behind the end may be a vendor's, with known addresses in it.
fn slow(data: &mut [u8], mapper: &mut Mapper) {
    match data.first() {
        Some(1) => {
            for (tlv, at) in [(2, 6), (22, 26)] {
                // A TLV of another length than the standard's has its fields nobody knows where.
                if data.get(tlv + 1) == Some(&20) {
                    mac_at(data, at, mapper);
                }
            }
        }
        // Requester_Port, Requester_System.
        Some(2) => mac_at(data, 6, mapper),
        _ => {}
    }
    known(data, mapper);
}

/// Known addresses and names, wherever they stand.
pub(super) fn known(data: &mut [u8], mapper: &Mapper) {
    for at in 0..data.len().saturating_sub(5) {
        if let Some(to) = data.get(at..at + 6).and_then(|six| mapper.known_mac(six))
            && let Some(slot) = data.get_mut(at..).and_then(|d| d.first_chunk_mut::<6>())
        {
            *slot = to;
        }
    }
    for (from, to) in mapper.names() {
        for at in 0..data.len().saturating_sub(from.len().saturating_sub(1)) {
            let Some(slot) = data.get_mut(at..at + from.len()) else { break };
            if slot.eq_ignore_ascii_case(from.as_bytes()) {
                fill(slot, &to);
            }
        }
    }
}

/// Writes a pseudonym into the room that is there.
pub(super) fn fill(slot: &mut [u8], with: &str) {
    // Its end differs between values; its beginning says only what kind it is.
    let with: Vec<u8> = with.bytes().rev().cycle().take(slot.len()).collect();
    for (to, from) in slot.iter_mut().rev().zip(with) {
        *to = from;
    }
}

/// LLDP (802.1AB clause 8): addresses are mapped, names replaced in their length, ports' names kept, what is unknown blanked.
fn lldp(data: &mut [u8], mapper: &mut Mapper) {
    let mut at = 0;
    while let Some([a, b]) = data.get(at..).and_then(|d| d.first_chunk::<2>()).copied() {
        let (kind, length) = (a >> 1, usize::from(u16::from_be_bytes([a & 1, b])));
        at += 2;
        let end = (at + length).min(data.len());
        let Some(value) = data.get_mut(at..end) else { break };
        at = end;
        match (kind, value.first().copied()) {
            (0, _) => break,
            // Chassis and port: a subtype, then an address or a name.
            (1, Some(4)) | (2, Some(3)) if value.len() == 7 => mac_at(value, 1, mapper),
            (2, Some(1 | 5 | 7)) | (4, _) if names_a_port(value, kind) => {}
            (1 | 2, _) => mask(value.get_mut(1..).unwrap_or_default(), mapper),
            (4..=6, _) => mask(value, mapper),
            (3 | 7, _) => {}
            // Management addresses and what organisations add: lengths stay, contents go.
            (8, _) => value.iter_mut().skip(2).for_each(|b| *b = 0),
            _ => value.iter_mut().skip(4).for_each(|b| *b = 0),
        }
    }
    let behind = data.get_mut(at..).unwrap_or_default();
    behind.fill(0);
}

/// `Ethernet1/5`, `xe-0/0/3:1`, `eno1`, `swp7`: what the two ends call a port is evidence, and names nobody.
fn names_a_port(value: &[u8], kind: u8) -> bool {
    let name = if kind == 2 { value.get(1..).unwrap_or_default() } else { value };
    let letters = name.iter().take_while(|b| b.is_ascii_alphabetic() || **b == b'-').count();
    let rest = name.get(letters..).unwrap_or_default();
    (1..=24).contains(&letters)
        && (1..=12).contains(&rest.len())
        && rest.iter().all(|b| b.is_ascii_digit() || matches!(b, b'/' | b'.' | b':' | b'-'))
}

fn mask(value: &mut [u8], mapper: &mut Mapper) {
    if value.is_empty() {
        return;
    }
    let from = String::from_utf8_lossy(value).into_owned();
    let to = mapper.opaque(Kind::Lldp, &from);
    fill(value, &to);
}
