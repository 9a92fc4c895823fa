//! Reads pcap and pcapng from a byte slice and calls back for every slow-protocol frame, or every netlink datagram.
//!
//! pcap: microseconds and nanoseconds, both byte orders. pcapng: section, interface, enhanced, simple and (old)
//! packet blocks, `if_name`, `if_tsresol`, `if_tsoffset`, `epb_flags`. Link types: Ethernet, Linux cooked v1
//! (`LINUX_SLL`) and v2 (`LINUX_SLL2`), the latter two with the kernel's packet type, which alone tells the
//! direction (erratum E-12), and netlink (253). Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, and the link-type pages
//! of tcpdump.org. Caps against hostile files: 4,096 interfaces, 16 MiB a block.

use crate::evidence::Direction;
use crate::units::Mac;

/// Most interfaces a pcapng section may declare here.
pub const MAX_INTERFACES: usize = 4096;
/// Largest packet or block that is believed.
pub const MAX_BLOCK: usize = 16 * 1024 * 1024;

/// Which kind of capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Classic pcap.
    Pcap {
        /// Written by a machine of the other byte order than big endian.
        little: bool,
        /// Nanosecond fractions.
        nanos: bool,
    },
    /// pcapng.
    Pcapng,
}

/// How frames begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkType {
    /// 1: Ethernet; does not tell the direction.
    Ethernet,
    /// 113: Linux cooked capture v1.
    Sll,
    /// 276: Linux cooked capture v2, with the interface index.
    Sll2,
    /// 253: netlink datagrams behind a cooked header of 16 octets.
    Netlink,
    /// Anything else: frames are counted, not read.
    Other(u32),
}

impl From<u32> for LinkType {
    fn from(n: u32) -> Self {
        match n & 0xffff {
            1 => Self::Ethernet,
            113 => Self::Sll,
            276 => Self::Sll2,
            253 => Self::Netlink,
            n => Self::Other(n),
        }
    }
}

/// A slow-protocol frame.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// 1-based number in the file, as Wireshark counts.
    pub number: u64,
    /// Nanoseconds since the epoch of the capture's clock.
    pub ns: i64,
    /// Interface: pcapng interface id or SLL2 ifindex; 0 otherwise.
    pub iface: u32,
    /// Direction, if the capture tells.
    pub direction: Option<Direction>,
    /// Ethernet source, as the low 48 bits.
    pub source: u64,
    /// True if a VLAN tag stood before the EtherType (LACPDUs are never tagged by the standard).
    pub tagged: bool,
    /// The octets behind the EtherType.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Ethernet source.
    #[must_use]
    pub const fn mac(&self) -> Mac {
        let [_, _, a, b, c, d, e, f] = self.source.to_be_bytes();
        Mac([a, b, c, d, e, f])
    }
    /// The form of `source`.
    #[must_use]
    pub const fn pack(mac: Mac) -> u64 {
        let [a, b, c, d, e, f] = mac.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

/// An interface that the capture describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its id in the file.
    pub id: u32,
    /// Its name (`if_name`), if given.
    pub name: Option<String>,
    /// Its link type.
    pub link: LinkType,
}

/// A netlink datagram.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// Frame number, 1-based as Wireshark counts.
    pub number: u64,
    /// Nanoseconds since 1970; 0 where the file gives no time.
    pub ns: i64,
    /// Netlink protocol: 0 for rtnetlink, 16 for generic netlink.
    pub protocol: u16,
    /// Where it went, as the kernel marks a packet (`include/uapi/linux/if_packet.h`): 6 to user space, 7 to the kernel,
    /// 4 where a tap did not keep it.
    pub packet_type: u16,
    /// The messages.
    pub messages: &'a [u8],
    /// The remark beside it, as it stands in the file.
    pub comment: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Takes the cooked header off (`LINKTYPE_NETLINK`): packet type, `ARPHRD_NETLINK`, padding, protocol.
    fn behind(number: u64, ns: i64, data: &'a [u8], comment: &'a [u8]) -> Option<Self> {
        let (head, messages) = data.split_first_chunk::<16>()?;
        let packet_type = u16::from_be_bytes([head[0], head[1]]);
        let protocol = u16::from_be_bytes([head[14], head[15]]);
        Some(Self { number, ns, protocol, packet_type, messages, comment })
    }
}

/// Why reading stopped before the end, or what was odd.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The last packet is cut off.
    #[error("the last packet is cut off at byte {0}")]
    Truncated(u64),
    /// A length that cannot be right.
    #[error("impossible length at byte {0}; the rest was not read")]
    Length(u64),
    /// No packet could be read because the link type is not known.
    #[error("link type {0} is not read")]
    LinkType(u32),
}

/// What a pass over a capture saw apart from slow-protocol frames.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// All packets.
    pub packets: u64,
    /// Packets that are not slow-protocol frames: received, sent, direction unknown.
    pub other_in: u64,
    /// See `other_in`.
    pub other_out: u64,
    /// See `other_in`.
    pub other_unknown: u64,
    /// First and last instant.
    pub span: Option<(i64, i64)>,
    /// Interfaces.
    pub interfaces: Vec<Interface>,
    /// Damage.
    pub damage: Option<Damage>,
    /// Packets that were lost before they could be written, as the file itself counts them.
    pub lost: u64,
}

/// Recognises a capture by its first bytes.
#[must_use]
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let magic: &[u8; 4] = bytes.first_chunk()?;
    Some(match magic {
        [0xa1, 0xb2, 0xc3, 0xd4] => Kind::Pcap { little: false, nanos: false },
        [0xd4, 0xc3, 0xb2, 0xa1] => Kind::Pcap { little: true, nanos: false },
        [0xa1, 0xb2, 0x3c, 0x4d] => Kind::Pcap { little: false, nanos: true },
        [0x4d, 0x3c, 0xb2, 0xa1] => Kind::Pcap { little: true, nanos: true },
        [0x0a, 0x0d, 0x0d, 0x0a] => Kind::Pcapng,
        _ => return None,
    })
}

/// Reads a capture and calls `each` for every slow-protocol frame, in file order.
pub fn read<'a>(bytes: &'a [u8], each: &mut impl FnMut(Frame<'a>)) -> Totals {
    read_both(bytes, each, &mut |_| {})
}

/// Reads a capture and calls `datagram` for every netlink datagram, in file order.
pub fn read_netlink<'a>(bytes: &'a [u8], datagram: &mut impl FnMut(Datagram<'a>)) -> Totals {
    read_both(bytes, &mut |_| {}, datagram)
}

fn read_both<'a>(
    bytes: &'a [u8],
    each: &mut impl FnMut(Frame<'a>),
    datagram: &mut impl FnMut(Datagram<'a>),
) -> Totals {
    match kind(bytes) {
        Some(Kind::Pcap { little: true, nanos }) => pcap::<true>(bytes, nanos, each, datagram),
        Some(Kind::Pcap { little: false, nanos }) => pcap::<false>(bytes, nanos, each, datagram),
        Some(Kind::Pcapng) => pcapng(bytes, each, datagram),
        None => Totals::default(),
    }
}

#[inline]
fn u32_at<const LITTLE: bool>(b: &[u8], at: usize) -> Option<u32> {
    let four: &[u8; 4] = b.get(at..)?.first_chunk()?;
    Some(if LITTLE { u32::from_le_bytes(*four) } else { u32::from_be_bytes(*four) })
}

fn note(totals: &mut Totals, ns: i64) {
    match &mut totals.span {
        None => totals.span = Some((ns, ns)),
        Some((a, b)) => {
            *a = (*a).min(ns);
            *b = (*b).max(ns);
        }
    }
}

/// How much is brought into the cache ahead of the reader.
const WINDOW: usize = 128 * 1024;

/// Packets below this are small.
const SMALL: usize = 200;

/// Touches the next window line by line, if its packets are large. Packet headers form a chain, each found only through the
/// one before, so a reader that walks them waits for memory at every large packet; a plain sweep lets the hardware fetch
/// ahead. Returns how many bytes may be left when the next window is due.
#[inline(never)]
fn next_window(rest: &[u8], large: bool) -> usize {
    let window = rest.get(..rest.len().min(WINDOW)).unwrap_or(rest);
    if large {
        let sum = window.iter().step_by(64).fold(0u8, |a, b| a ^ b);
        std::hint::black_box(sum);
    }
    // A packet may reach into the next window: it is due a little early.
    if window.len() < rest.len() { (rest.len() - window.len()).saturating_add(2048) } else { 0 }
}

fn pcap<'a, const LITTLE: bool>(
    bytes: &'a [u8],
    nanos: bool,
    each: &mut impl FnMut(Frame<'a>),
    datagram: &mut impl FnMut(Datagram<'a>),
) -> Totals {
    let mut totals = Totals::default();
    let Some(network) = u32_at::<LITTLE>(bytes, 20) else {
        totals.damage = Some(Damage::Truncated(bytes.len() as u64));
        return totals;
    };
    let link = LinkType::from(network);
    totals.interfaces.push(Interface { id: 0, name: None, link });
    if let LinkType::Other(n) = link {
        totals.damage = Some(Damage::LinkType(n));
    }
    let unit: i64 = if nanos { 1 } else { 1000 };
    let mut rest = bytes.get(24..).unwrap_or_default();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    let (mut warm, mut counted) = (rest.len(), 0u64);
    loop {
        if rest.len() <= warm {
            // Small packets lie so close that the hardware sees the pattern by itself.
            let large = totals.packets.saturating_sub(counted) < (WINDOW / SMALL) as u64;
            counted = totals.packets;
            warm = next_window(rest, large);
        }
        let Some((head, tail)) = rest.split_first_chunk::<16>() else {
            if !rest.is_empty() {
                totals.damage = Some(Damage::Truncated((bytes.len() - rest.len()) as u64));
            }
            break;
        };
        let word = |i: usize| {
            let four = [head[i], head[i + 1], head[i + 2], head[i + 3]];
            if LITTLE { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) }
        };
        let length = word(8) as usize;
        if length > MAX_BLOCK {
            totals.damage = Some(Damage::Length((bytes.len() - rest.len()) as u64));
            break;
        }
        let Some((data, after)) = tail.split_at_checked(length) else {
            totals.damage = Some(Damage::Truncated((bytes.len() - rest.len()) as u64));
            break;
        };
        rest = after;
        totals.packets += 1;
        let ns = i64::from(word(0)) * 1_000_000_000 + i64::from(word(4)) * unit;
        first = first.min(ns);
        last = last.max(ns);
        match dissect(link, data) {
            Some(slow) => each(Frame {
                number: totals.packets,
                ns,
                iface: slow.iface,
                direction: slow.direction,
                source: slow.source,
                tagged: slow.tagged,
                payload: slow.payload,
            }),
            // Plain Ethernet tells no direction: nothing more to look at.
            None if link == LinkType::Ethernet => totals.other_unknown += 1,
            None => {
                other(&mut totals, link, data, None);
                if link == LinkType::Netlink {
                    Datagram::behind(totals.packets, ns, data, &[]).map(&mut *datagram);
                }
            }
        }
    }
    if first <= last {
        totals.span = Some((first, last));
    }
    totals
}

#[inline(never)]
fn other(totals: &mut Totals, link: LinkType, data: &[u8], flags: Option<Direction>) {
    let direction = flags.or_else(|| match link {
        LinkType::Sll => data.get(1).copied().map(pkttype),
        LinkType::Sll2 => data.get(10).copied().map(pkttype),
        LinkType::Ethernet | LinkType::Netlink | LinkType::Other(_) => None,
    });
    match direction {
        Some(Direction::In) => totals.other_in += 1,
        Some(Direction::Out) => totals.other_out += 1,
        None => totals.other_unknown += 1,
    }
}

/// The packet type of the kernel (`PACKET_OUTGOING` is 4); every other type was received.
const fn pkttype(t: u8) -> Direction {
    if t == 4 { Direction::Out } else { Direction::In }
}

struct Slow<'a> {
    iface: u32,
    direction: Option<Direction>,
    source: u64,
    tagged: bool,
    payload: &'a [u8],
}

const MAC48: u64 = 0xffff_ffff_ffff;

#[inline(always)]
fn dissect(link: LinkType, data: &[u8]) -> Option<Slow<'_>> {
    match link {
        LinkType::Ethernet => {
            let (head, payload) = data.split_first_chunk::<14>()?;
            let source = u64::from_be_bytes([
                head[4], head[5], head[6], head[7], head[8], head[9], head[10], head[11],
            ]) & MAC48;
            match [head[12], head[13]] {
                [0x88, 0x09] => Some(Slow { iface: 0, direction: None, source, tagged: false, payload }),
                [0x81, 0x00] | [0x88, 0xa8] => tagged(payload).map(|payload| Slow {
                    iface: 0,
                    direction: None,
                    source,
                    tagged: true,
                    payload,
                }),
                _ => None,
            }
        }
        LinkType::Sll => {
            let (head, payload) = data.split_first_chunk::<16>()?;
            let source = u64::from_be_bytes([
                head[4], head[5], head[6], head[7], head[8], head[9], head[10], head[11],
            ]) & MAC48;
            let direction = Some(pkttype(head[1]));
            match [head[14], head[15]] {
                [0x88, 0x09] => Some(Slow { iface: 0, direction, source, tagged: false, payload }),
                _ => None,
            }
        }
        LinkType::Sll2 => {
            let (head, payload) = data.split_first_chunk::<20>()?;
            if [head[0], head[1]] != [0x88, 0x09] {
                return None;
            }
            let source = u64::from_be_bytes([
                head[10], head[11], head[12], head[13], head[14], head[15], head[16], head[17],
            ]) & MAC48;
            let iface = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            Some(Slow { iface, direction: Some(pkttype(head[10])), source, tagged: false, payload })
        }
        LinkType::Netlink | LinkType::Other(_) => None,
    }
}

/// Behind one or two VLAN tags: the payload, if the EtherType is 0x8809.
fn tagged(mut rest: &[u8]) -> Option<&[u8]> {
    for _ in 0..2 {
        let (tag, after) = rest.split_first_chunk::<4>()?;
        match [tag[2], tag[3]] {
            [0x88, 0x09] => return Some(after),
            [0x81, 0x00] | [0x88, 0xa8] => rest = after,
            _ => return None,
        }
    }
    None
}

struct NgInterface {
    link: LinkType,
    /// Ticks per second.
    resolution: u64,
    offset: i64,
}

fn pcapng<'a>(
    bytes: &'a [u8],
    each: &mut impl FnMut(Frame<'a>),
    datagram: &mut impl FnMut(Datagram<'a>),
) -> Totals {
    let mut totals = Totals::default();
    let mut interfaces: Vec<NgInterface> = Vec::new();
    let mut little = true;
    let mut base = 0u32;
    let mut at = 0usize;
    while at < bytes.len() {
        let Some(head) = bytes.get(at..).and_then(|b| b.first_chunk::<12>()) else {
            totals.damage = Some(Damage::Truncated(at as u64));
            break;
        };
        let section = head.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]);
        if section {
            match [head[8], head[9], head[10], head[11]] {
                [0x4d, 0x3c, 0x2b, 0x1a] => little = true,
                [0x1a, 0x2b, 0x3c, 0x4d] => little = false,
                _ => {
                    totals.damage = Some(Damage::Length(at as u64));
                    break;
                }
            }
            // Interface ids start anew in each section.
            base = base.saturating_add(u32::try_from(interfaces.len()).unwrap_or(u32::MAX));
            interfaces.clear();
        }
        let word = |b: &[u8], i: usize| if little { u32_at::<true>(b, i) } else { u32_at::<false>(b, i) };
        let half = |b: &[u8], i: usize| -> Option<u16> {
            let two: &[u8; 2] = b.get(i..)?.first_chunk()?;
            Some(if little { u16::from_le_bytes(*two) } else { u16::from_be_bytes(*two) })
        };
        let kind = word(head, 0).unwrap_or(0);
        let length = word(head, 4).unwrap_or(0) as usize;
        if length < 12 || !length.is_multiple_of(4) || length > MAX_BLOCK {
            totals.damage = Some(Damage::Length(at as u64));
            break;
        }
        let Some(block) = bytes.get(at..).and_then(|b| b.get(..length)) else {
            totals.damage = Some(Damage::Truncated(at as u64));
            break;
        };
        let body = block.get(8..length - 4).unwrap_or_default();
        at += length;
        if section {
            continue;
        }
        // (interface, ticks, captured length, offset of the data, options behind)
        let packet = match kind {
            1 => {
                if interfaces.len() < MAX_INTERFACES {
                    let link = LinkType::from(u32::from(half(body, 0).unwrap_or(0)));
                    let (mut resolution, mut offset, mut name) = (1_000_000u64, 0i64, None);
                    options(body.get(8..).unwrap_or_default(), little, |code, value| match (code, value) {
                        (2, v) => name = Some(String::from_utf8_lossy(v).trim_end_matches('\0').to_owned()),
                        (9, [r, ..]) => {
                            let exp = u32::from(r & 0x7f);
                            resolution =
                                if r & 0x80 == 0 { 10u64.checked_pow(exp) } else { 2u64.checked_pow(exp) }
                                    .unwrap_or(1_000_000)
                                    .max(1);
                        }
                        (14, v) => {
                            if let Some(eight) = v.first_chunk::<8>() {
                                offset = if little {
                                    i64::from_le_bytes(*eight)
                                } else {
                                    i64::from_be_bytes(*eight)
                                };
                            }
                        }
                        _ => {}
                    });
                    let id = base.saturating_add(u32::try_from(interfaces.len()).unwrap_or(u32::MAX));
                    if let LinkType::Other(n) = link {
                        totals.damage = Some(Damage::LinkType(n));
                    }
                    totals.interfaces.push(Interface { id, name, link });
                    interfaces.push(NgInterface { link, resolution, offset });
                }
                None
            }
            6 => Some((
                word(body, 0).unwrap_or(0),
                ticks(word(body, 4), word(body, 8)),
                word(body, 12).unwrap_or(0),
                20,
            )),
            // Obsolete packet block: 16-bit interface, 16-bit drops.
            2 => Some((
                u32::from(half(body, 0).unwrap_or(0)),
                ticks(word(body, 4), word(body, 8)),
                word(body, 12).unwrap_or(0),
                20,
            )),
            // Interface statistics: dropped by the interface (isb_ifdrop), dropped by the system (isb_osdrop). They count
            // from the beginning of the capture, so the last block of an interface counts; a sum errs to the safe side.
            5 => {
                options(body.get(12..).unwrap_or_default(), little, |code, value| {
                    if let (5 | 7, Some(eight)) = (code, value.first_chunk::<8>()) {
                        let n = if little { u64::from_le_bytes(*eight) } else { u64::from_be_bytes(*eight) };
                        totals.lost = totals.lost.saturating_add(n);
                    }
                });
                None
            }
            // Simple packet: no time; the length is bounded by the block.
            3 => Some((0, None, u32::try_from(body.len().saturating_sub(4)).unwrap_or(0), 4)),
            _ => None,
        };
        let Some((iface, ticks, captured, offset)) = packet else { continue };
        totals.packets += 1;
        let Some(interface) = interfaces.get(iface as usize) else { continue };
        let Some(data) = body.get(offset..).and_then(|b| b.get(..captured as usize)) else {
            totals.damage = Some(Damage::Length(at as u64));
            continue;
        };
        let (mut flags, mut comment) = (None, &[][..]);
        if kind == 6 {
            let padded = offset.saturating_add((captured as usize).next_multiple_of(4));
            options(body.get(padded..).unwrap_or_default(), little, |code, value| {
                if code == 1 && comment.is_empty() {
                    comment = value;
                }
                if code == 2
                    && let Some(f) = word(value, 0)
                {
                    flags = match f & 3 {
                        1 => Some(Direction::In),
                        2 => Some(Direction::Out),
                        _ => None,
                    };
                }
            });
        }
        let ns = ticks.map_or(0, |t| to_ns(t, interface.resolution, interface.offset));
        if ticks.is_some() {
            note(&mut totals, ns);
        }
        match dissect(interface.link, data) {
            Some(slow) => each(Frame {
                number: totals.packets,
                ns,
                iface: if interface.link == LinkType::Sll2 { slow.iface } else { base.saturating_add(iface) },
                direction: flags.or(slow.direction),
                source: slow.source,
                tagged: slow.tagged,
                payload: slow.payload,
            }),
            None => {
                other(&mut totals, interface.link, data, flags);
                if interface.link == LinkType::Netlink {
                    Datagram::behind(totals.packets, ns, data, comment).map(&mut *datagram);
                }
            }
        }
    }
    totals
}

const fn ticks(high: Option<u32>, low: Option<u32>) -> Option<u64> {
    match (high, low) {
        (Some(h), Some(l)) => Some((h as u64) << 32 | l as u64),
        _ => None,
    }
}

fn to_ns(ticks: u64, resolution: u64, offset: i64) -> i64 {
    let ns = u128::from(ticks) * 1_000_000_000 / u128::from(resolution.max(1));
    i64::try_from(ns).unwrap_or(i64::MAX).saturating_add(offset.saturating_mul(1_000_000_000))
}

fn options<'a>(mut rest: &'a [u8], little: bool, mut each: impl FnMut(u16, &'a [u8])) {
    while let Some((head, tail)) = rest.split_first_chunk::<4>() {
        let (code, length) = if little {
            (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]))
        } else {
            (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]))
        };
        if code == 0 {
            break;
        }
        let length = usize::from(length);
        let Some(value) = tail.get(..length) else { break };
        each(code, value);
        rest = tail.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacpdu() -> Vec<u8> {
        let mut frame = Mac::SLOW_PROTOCOLS.0.to_vec();
        frame.extend([2, 0, 0, 0, 0x11, 1, 0x88, 0x09]);
        frame.extend(lacp::Lacpdu::new(lacp::PortInfo::default(), lacp::PortInfo::default()).encode());
        frame
    }

    /// Number, time, interface, direction, octets of payload.
    type Seen = (u64, i64, u32, Option<Direction>, usize);

    fn collect(bytes: &[u8]) -> (Vec<Seen>, Totals) {
        let mut got = Vec::new();
        let totals = read(bytes, &mut |f| got.push((f.number, f.ns, f.iface, f.direction, f.payload.len())));
        (got, totals)
    }

    fn classic(little: bool, nanos: bool, link: u32, packets: &[(u32, u32, &[u8])]) -> Vec<u8> {
        let w = |v: u32| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let mut b = Vec::new();
        b.extend(w(if nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }));
        b.extend(if little { [2, 0, 4, 0] } else { [0, 2, 0, 4] });
        for v in [0, 0, 262_144, link] {
            b.extend(w(v));
        }
        for (s, f, data) in packets {
            for v in [*s, *f, data.len() as u32, data.len() as u32] {
                b.extend(w(v));
            }
            b.extend(*data);
        }
        b
    }

    #[test]
    fn classic_pcap_in_all_four_flavours() {
        let frame = lacpdu();
        for little in [true, false] {
            for nanos in [true, false] {
                let b = classic(little, nanos, 1, &[(5, 7, &frame), (6, 0, &[0; 60])]);
                let (got, totals) = collect(&b);
                assert_eq!(got, [(1, 5_000_000_000 + if nanos { 7 } else { 7000 }, 0, None, 110)]);
                assert_eq!((totals.packets, totals.other_unknown, totals.damage), (2, 1, None));
            }
        }
    }

    #[test]
    fn cooked_captures_tell_the_direction() {
        let payload = &lacpdu()[14..];
        let mut sll = vec![0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0x11, 1, 0, 0, 0x88, 0x09];
        sll.extend(payload);
        let (got, _) = collect(&classic(true, false, 113, &[(1, 0, &sll)]));
        assert_eq!(got[0].3, Some(Direction::Out));
        let mut sll2 = vec![0x88, 0x09, 0, 0, 0, 0, 0, 13, 0, 1, 2, 6, 2, 0, 0, 0, 0x22, 1, 0, 0];
        sll2.extend(payload);
        let (got, _) = collect(&classic(true, false, 276, &[(1, 0, &sll2)]));
        assert_eq!((got[0].2, got[0].3), (13, Some(Direction::In)));
    }

    fn ng_block(kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        while !body.len().is_multiple_of(4) {
            body.push(0);
        }
        let len = (body.len() + 12) as u32;
        [&kind.to_le_bytes()[..], &len.to_le_bytes(), &body, &len.to_le_bytes()].concat()
    }

    #[test]
    fn pcapng_names_resolution_and_direction() {
        let frame = lacpdu();
        let mut b =
            ng_block(0x0a0d_0d0a, &[&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
        // if_name "eno1", if_tsresol 9
        b.extend(ng_block(
            1,
            &[1, 0, 0, 0, 0, 0, 4, 0, 2, 0, 4, 0, b'e', b'n', b'o', b'1', 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0],
        ));
        let ticks = 1_795_313_330_050_000_123u64;
        let mut epb = Vec::new();
        for v in [0u32, (ticks >> 32) as u32, ticks as u32, frame.len() as u32, frame.len() as u32] {
            epb.extend(v.to_le_bytes());
        }
        epb.extend(&frame);
        epb.extend([2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        b.extend(ng_block(6, &epb));
        let (got, totals) = collect(&b);
        assert_eq!(got, [(1, 1_795_313_330_050_000_123, 0, Some(Direction::Out), 110)]);
        assert_eq!(totals.interfaces[0].name.as_deref(), Some("eno1"));
        assert_eq!(totals.damage, None);
        for n in 0..b.len() {
            let _ = collect(&b[..n]);
        }
    }

    #[test]
    fn damage_is_said() {
        let frame = lacpdu();
        let b = classic(true, false, 1, &[(5, 7, &frame)]);
        let (got, totals) = collect(&b[..b.len() - 1]);
        assert!(got.is_empty());
        assert_eq!(totals.damage, Some(Damage::Truncated(24)));
    }
}
