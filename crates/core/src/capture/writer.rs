//! Writes pcapng: frames of interfaces and datagrams of netlink sockets, with directions, comments and losses.
//!
//! Format: draft-ietf-opsawg-pcapng, sections 4.1 to 4.3 and 4.6. Little endian, nanoseconds (`if_tsresol` 9), so that
//! what Wireshark shows is what was read. The writer only appends: what it has given out stays valid.

use crate::evidence::Direction;

/// Link type of Ethernet frames.
pub const ETHERNET: u16 = 1;
/// Link type of netlink datagrams behind a cooked header of 16 octets.
pub const NETLINK: u16 = 253;

/// One packet to be written.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// Interface id, as [`Writer::interface`] returned it.
    pub interface: u32,
    /// Nanoseconds since 1970.
    pub ns: i64,
    /// The octets, without frame check sequence.
    pub data: &'a [u8],
    /// How long it was on the wire, at least the length of `data`.
    pub length: u32,
    /// Which way it went, if that is known.
    pub direction: Option<Direction>,
    /// A remark that Wireshark shows beside it.
    pub comment: Option<&'a str>,
}

/// A pcapng file in the making.
#[derive(Debug, Clone)]
pub struct Writer {
    bytes: Vec<u8>,
    interfaces: u32,
}

impl Writer {
    /// Begins a file. `application` is what wrote it, `os` where.
    #[must_use]
    pub fn new(application: &str, os: &str) -> Self {
        let mut section = Vec::new();
        section.extend(0x1a2b_3c4d_u32.to_le_bytes());
        section.extend(1_u16.to_le_bytes());
        section.extend(0_u16.to_le_bytes());
        // The length of the section is not given: it grows.
        section.extend(u64::MAX.to_le_bytes());
        option(&mut section, 3, os.as_bytes());
        option(&mut section, 4, application.as_bytes());
        option(&mut section, 0, &[]);
        let mut bytes = Vec::new();
        block(&mut bytes, 0x0a0d_0d0a, &section);
        Self { bytes, interfaces: 0 }
    }

    /// Describes an interface and returns its id. `snaplen` is where packets are cut (0: nowhere); `filter` is the
    /// capture filter in words of libpcap.
    pub fn interface(&mut self, name: &str, link_type: u16, snaplen: u32, filter: Option<&str>) -> u32 {
        let mut body = Vec::new();
        body.extend(link_type.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        body.extend(snaplen.to_le_bytes());
        option(&mut body, 2, name.as_bytes());
        option(&mut body, 9, &[9]);
        if let Some(filter) = filter {
            // The first octet says that the filter is libpcap's text.
            let text: Vec<u8> = std::iter::once(0).chain(filter.bytes()).collect();
            option(&mut body, 11, &text);
        }
        option(&mut body, 0, &[]);
        block(&mut self.bytes, 1, &body);
        let id = self.interfaces;
        self.interfaces = self.interfaces.saturating_add(1);
        id
    }

    /// Appends a packet.
    pub fn packet(&mut self, packet: &Packet<'_>) {
        let mut body = Vec::with_capacity(packet.data.len().saturating_add(48));
        body.extend(packet.interface.to_le_bytes());
        stamp(&mut body, packet.ns);
        let captured = u32::try_from(packet.data.len()).unwrap_or(u32::MAX);
        body.extend(captured.to_le_bytes());
        body.extend(packet.length.max(captured).to_le_bytes());
        body.extend(packet.data);
        pad(&mut body);
        if let Some(comment) = packet.comment {
            option(&mut body, 1, comment.as_bytes());
        }
        if let Some(direction) = packet.direction {
            let flags: u32 = match direction {
                Direction::In => 1,
                Direction::Out => 2,
            };
            option(&mut body, 2, &flags.to_le_bytes());
        }
        if packet.comment.is_some() || packet.direction.is_some() {
            option(&mut body, 0, &[]);
        }
        block(&mut self.bytes, 6, &body);
    }

    /// Appends what an interface counted until `ns`: packets that passed the filter, lost ones included, and packets
    /// that were lost because there was no room for them.
    pub fn statistics(&mut self, interface: u32, ns: i64, seen: u64, lost: u64) {
        let mut body = Vec::new();
        body.extend(interface.to_le_bytes());
        stamp(&mut body, ns);
        option(&mut body, 4, &seen.to_le_bytes());
        option(&mut body, 5, &lost.to_le_bytes());
        option(&mut body, 0, &[]);
        block(&mut self.bytes, 5, &body);
    }

    /// The file as it is now: always a whole number of blocks.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A netlink datagram with the cooked header of `LINKTYPE_NETLINK`: packet type 6 (`PACKET_USER`: to user space), `ARPHRD_NETLINK`
/// (824), ten octets of padding, and the netlink protocol (0: route, 16: generic), all big endian.
#[must_use]
pub fn cooked_netlink(protocol: u16, datagram: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(datagram.len().saturating_add(16));
    out.extend(6_u16.to_be_bytes());
    out.extend(824_u16.to_be_bytes());
    out.extend([0; 10]);
    out.extend(protocol.to_be_bytes());
    out.extend(datagram);
    out
}

fn stamp(body: &mut Vec<u8>, ns: i64) {
    let bytes = ns.max(0).to_be_bytes();
    let (high, low) = bytes.split_at(4);
    body.extend(high.iter().rev());
    body.extend(low.iter().rev());
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    // An option holds at most 65,535 octets; ours are names and remarks.
    let value = value.get(..65_000).unwrap_or(value);
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(value);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    while out.len() % 4 != 0 {
        out.push(0);
    }
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = u32::try_from(body.len().saturating_add(12)).unwrap_or(u32::MAX).next_multiple_of(4);
    out.extend(kind.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(body);
    pad(out);
    out.extend(length.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader;

    #[test]
    fn what_is_written_is_read_again() {
        let mut w = Writer::new("bondwitness", "Linux 6.12");
        let eno1 = w.interface("eno1", ETHERNET, 256, Some("ether proto 0x8809"));
        let mut frame = vec![1, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x09, 1, 1];
        frame.extend([0; 108]);
        for (ns, direction) in
            [(1_700_000_000_123_456_789, Direction::Out), (1_700_000_001_000_000_001, Direction::In)]
        {
            w.packet(&Packet {
                interface: eno1,
                ns,
                data: &frame,
                length: 124,
                direction: Some(direction),
                comment: Some("a remark"),
            });
        }
        w.statistics(eno1, 1_700_000_002_000_000_000, 2, 0);
        let mut seen = Vec::new();
        let totals = reader::read(w.bytes(), &mut |f| seen.push((f.number, f.ns, f.direction)));
        assert_eq!(totals.damage, None);
        assert_eq!(totals.packets, 2);
        assert_eq!(totals.interfaces.first().and_then(|i| i.name.as_deref()), Some("eno1"));
        assert_eq!(
            seen,
            [
                (1, 1_700_000_000_123_456_789, Some(Direction::Out)),
                (2, 1_700_000_001_000_000_001, Some(Direction::In))
            ]
        );
    }
}
