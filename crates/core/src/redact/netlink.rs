//! Netlink datagrams: link addresses, neighbours, addresses, routes, targets of the bond's monitors, aliases.
//!
//! Attributes are walked by their lengths, at every depth that holds together; numbers of types are those of
//! `include/uapi/linux/{if_link,if_addr,neighbour,rtnetlink}.h`. No length changes.

use super::frames::{fill, known};
use super::mapper::{Kind, Mapper};
use std::net::{Ipv4Addr, Ipv6Addr};

const NEWLINK: u16 = 16;
const GETLINK: u16 = 18;
const NEWADDR: u16 = 20;
const DELADDR: u16 = 21;
const NEWROUTE: u16 = 24;
const DELROUTE: u16 = 25;
const NEWNEIGH: u16 = 28;
const DELNEIGH: u16 = 29;
const IFLA_IFALIAS: u16 = 20;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_BOND_ARP_IP_TARGET: u16 = 8;
const IFLA_BOND_NS_IP6_TARGET: u16 = 31;
/// Attributes lie in each other this deep at most.
const DEEP: usize = 8;

/// Replaces what is to be replaced in a datagram of one or more messages, in the byte order of the host that wrote it.
pub(super) fn redact(datagram: &mut [u8], little: bool, mapper: &mut Mapper) {
    let mut at = 0;
    while let Some(head) = datagram.get(at..at + 16) {
        let length = number(head, 4, little);
        let kind = u16::try_from(number(head.get(4..).unwrap_or_default(), 2, little)).unwrap_or(0);
        if length < 16 {
            break;
        }
        let end = (at + length).min(datagram.len());
        if let Some(message) = datagram.get_mut(at + 16..end) {
            one(message, kind, little, mapper);
        }
        at += length.next_multiple_of(4);
    }
    known(datagram, mapper);
}

fn number(bytes: &[u8], width: usize, little: bool) -> usize {
    let bytes = bytes.get(..width).unwrap_or_default();
    let fold = |n: usize, b: &u8| n << 8 | usize::from(*b);
    if little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
}

fn one(message: &mut [u8], kind: u16, little: bool, mapper: &mut Mapper) {
    let family = message.first().copied().unwrap_or(0);
    let (header, addresses): (usize, &[u16]) = match kind {
        NEWLINK..=GETLINK => (16, &[]),
        NEWADDR | DELADDR => (8, &[1, 2, 4, 5, 7]),
        NEWROUTE | DELROUTE => (12, &[1, 2, 5, 7]),
        NEWNEIGH | DELNEIGH => (12, &[1]),
        // Generic netlink: a command and a version, and statistics: an interface.
        _ => (if kind == 92 || kind == 94 { 12 } else { 4 }, &[]),
    };
    let Some(body) = message.get_mut(header..) else { return };
    attributes(body, little, 0, &mut Vec::new(), &mut |path, value| {
        if let [first] = path
            && addresses.contains(first)
        {
            return address(value, family, mapper);
        }
        match path {
            [IFLA_IFALIAS] if (NEWLINK..=GETLINK).contains(&kind) => {
                let length = value.iter().position(|b| *b == 0).unwrap_or(value.len());
                if let Some(text) = value.get_mut(..length).filter(|t| !t.is_empty()) {
                    let to = mapper.opaque(Kind::Host, &String::from_utf8_lossy(text));
                    fill(text, &to);
                }
            }
            [IFLA_LINKINFO, IFLA_INFO_DATA, IFLA_BOND_ARP_IP_TARGET, _] => address(value, 2, mapper),
            [IFLA_LINKINFO, IFLA_INFO_DATA, IFLA_BOND_NS_IP6_TARGET, _] => address(value, 10, mapper),
            _ => link_address(value, mapper),
        }
    });
}

/// Six octets that are no name of five letters are a link address: nothing else in these messages has that length.
fn link_address(value: &mut [u8], mapper: &mut Mapper) {
    let name = matches!(value, [text @ .., 0] if text.iter().all(u8::is_ascii_graphic));
    if let (Ok(mac), false) = (<[u8; 6]>::try_from(&*value), name) {
        for (slot, new) in value.iter_mut().zip(mapper.mac(mac)) {
            *slot = new;
        }
    }
}

fn address(value: &mut [u8], family: u8, mapper: &mut Mapper) {
    let new: Vec<u8> = if let (Ok(four), 2) = (<[u8; 4]>::try_from(&*value), family) {
        mapper.ipv4(Ipv4Addr::from(four)).octets().to_vec()
    } else if let Ok(sixteen) = <[u8; 16]>::try_from(&*value) {
        mapper.ipv6(Ipv6Addr::from(sixteen)).octets().to_vec()
    } else {
        return link_address(value, mapper);
    };
    for (slot, new) in value.iter_mut().zip(new) {
        *slot = new;
    }
}

/// Calls `each` with the types on the way to an attribute and its value, for every attribute that holds no others.
fn attributes(
    mut rest: &mut [u8],
    little: bool,
    depth: usize,
    path: &mut Vec<u16>,
    each: &mut impl FnMut(&[u16], &mut [u8]),
) {
    while rest.len() >= 4 {
        let length = number(rest, 2, little);
        let kind = u16::try_from(number(rest.get(2..).unwrap_or_default(), 2, little)).unwrap_or(0) & 0x3fff;
        if length < 4 || length > rest.len() {
            return;
        }
        let next = length.next_multiple_of(4).min(rest.len());
        let (this, behind) = std::mem::take(&mut rest).split_at_mut(next);
        rest = behind;
        let Some(value) = this.get_mut(4..length) else { return };
        path.push(kind);
        if depth < DEEP && is_nest(value, little) {
            attributes(value, little, depth + 1, path, each);
        } else {
            each(path, value);
        }
        path.pop();
    }
}

/// True if the value is a row of attributes to its very end. Numbers and names are hardly ever; where one is, it is walked
/// in vain and only values of six octets in it could change.
fn is_nest(value: &[u8], little: bool) -> bool {
    let mut rest = value;
    let mut count = 0;
    while !rest.is_empty() {
        let length = number(rest, 2, little);
        let Some(after) = (rest.len() >= 4 && length >= 4).then(|| rest.get(length..)).flatten() else {
            return false;
        };
        let kind = number(rest.get(2..).unwrap_or_default(), 2, little) & 0x3fff;
        if kind > 256 {
            return false;
        }
        rest = after.get((length.next_multiple_of(4) - length).min(after.len())..).unwrap_or_default();
        count += 1;
    }
    count > 0
}
