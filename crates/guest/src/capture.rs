//! Captures of slow-protocol frames on the members and on the far end's ports, and the files they become.
//!
//! Formats: draft-ietf-opsawg-pcapng sections 4.1 to 4.3, draft-ietf-opsawg-pcap, and the page of `LINKTYPE_LINUX_SLL2`.

use anyhow::{Context, Result};
use bondwitness_host::namespace::Namespace;
use bondwitness_host::packet::{self, Direction, PacketSocket};

/// A frame as it passed the tap.
struct Stored {
    ns: i64,
    direction: Direction,
    length: usize,
    bytes: Vec<u8>,
}

/// A capture of one interface that runs from the beginning; the files hold a part of it.
pub(crate) struct Capture {
    /// The interface.
    pub(crate) name: String,
    ifindex: u32,
    socket: PacketSocket,
    frames: Vec<Stored>,
}

impl Capture {
    /// Starts capturing an interface of a namespace.
    pub(crate) fn start(namespace: &Namespace, name: &str) -> Result<Self> {
        let (ifindex, socket) = namespace
            .with(|| packet::ifindex(name).and_then(|i| PacketSocket::open(i).map(|s| (i, s))))?
            .with_context(|| format!("cannot capture on {name}"))?;
        Ok(Self { name: name.to_owned(), ifindex, socket, frames: Vec::new() })
    }

    /// Takes what has come in.
    pub(crate) fn drain(&mut self) {
        let mut buffer = [0; 256];
        // A socket tells once that its interface went down or away; what was captured stays, and more may come.
        let mut errors = 0;
        while errors < 4 {
            match self.socket.receive(&mut buffer) {
                Ok(Some(f)) => self.frames.push(Stored {
                    ns: f.ns,
                    direction: f.direction,
                    length: f.length,
                    bytes: buffer.get(..f.captured).unwrap_or_default().to_vec(),
                }),
                Ok(None) => return,
                Err(_) => errors += 1,
            }
        }
    }

    /// Frames received, sent, and lost to a full buffer.
    pub(crate) fn counts(&self) -> (usize, usize, u32) {
        let received = self.frames.iter().filter(|f| f.direction == Direction::In).count();
        (received, self.frames.len() - received, self.socket.counted().map_or(0, |c| c.dropped))
    }

    fn between(&self, span: (i64, i64)) -> impl Iterator<Item = &Stored> {
        self.frames.iter().filter(move |f| f.ns >= span.0 && f.ns <= span.1)
    }

    /// As pcapng with nanoseconds, the interface's name and the direction of every frame.
    pub(crate) fn pcapng(&self, span: (i64, i64)) -> Vec<u8> {
        let mut file = Vec::new();
        let mut section = Vec::new();
        section.extend(0x1a2b_3c4d_u32.to_le_bytes());
        section.extend(1u16.to_le_bytes());
        section.extend(0u16.to_le_bytes());
        // The length of the section is not given.
        section.extend(u64::MAX.to_le_bytes());
        block(&mut file, 0x0a0d_0d0a, &section);
        let mut interface = Vec::new();
        // Ethernet; reserved; frames are cut at 256 octets.
        interface.extend(1u16.to_le_bytes());
        interface.extend(0u16.to_le_bytes());
        interface.extend(256u32.to_le_bytes());
        option(&mut interface, 2, self.name.as_bytes());
        option(&mut interface, 9, &[9]);
        option(&mut interface, 0, &[]);
        block(&mut file, 1, &interface);
        for f in self.between(span) {
            let stamp = u64::try_from(f.ns).unwrap_or(0);
            let mut packet = Vec::with_capacity(f.bytes.len() + 40);
            packet.extend(0u32.to_le_bytes());
            // The upper half first.
            packet.extend(low(stamp >> 32).to_le_bytes());
            packet.extend(low(stamp).to_le_bytes());
            packet.extend(low(f.bytes.len() as u64).to_le_bytes());
            packet.extend(low(f.length as u64).to_le_bytes());
            packet.extend(&f.bytes);
            packet.resize(packet.len().next_multiple_of(4), 0);
            let flags: u32 = match f.direction {
                Direction::In => 1,
                Direction::Out => 2,
            };
            option(&mut packet, 2, &flags.to_le_bytes());
            option(&mut packet, 0, &[]);
            block(&mut file, 6, &packet);
        }
        file
    }

    /// As a plain Ethernet pcap, which tells no direction; with received frames only if so wanted.
    pub(crate) fn pcap(&self, span: (i64, i64), received_only: bool) -> Vec<u8> {
        let mut file = pcap_header(1);
        for f in self.between(span).filter(|f| !received_only || f.direction == Direction::In) {
            pcap_record(&mut file, f.ns, f.length, &f.bytes);
        }
        file
    }
}

/// Captures of several interfaces as one pcap of the kind `tcpdump -i any` writes (`LINUX_SLL2`).
pub(crate) fn any(captures: &[&Capture], span: (i64, i64)) -> Vec<u8> {
    let mut frames: Vec<(&Capture, &Stored)> =
        captures.iter().flat_map(|c| c.between(span).map(move |f| (*c, f))).collect();
    frames.sort_by_key(|(_, f)| f.ns);
    let mut file = pcap_header(276);
    for (capture, f) in frames {
        let Some((addresses, payload)) = f.bytes.split_at_checked(14) else { continue };
        let mut cooked = Vec::with_capacity(payload.len() + 20);
        // Protocol, reserved, interface, ARPHRD_ETHER, packet type, length of the address, address in eight octets.
        cooked.extend(addresses.get(12..14).unwrap_or_default());
        cooked.extend([0, 0]);
        cooked.extend(capture.ifindex.to_be_bytes());
        cooked.extend(1u16.to_be_bytes());
        cooked.push(match f.direction {
            // PACKET_MULTICAST, PACKET_OUTGOING
            Direction::In => 2,
            Direction::Out => 4,
        });
        cooked.push(6);
        cooked.extend(addresses.get(6..12).unwrap_or_default());
        cooked.extend([0, 0]);
        cooked.extend(payload);
        pcap_record(&mut file, f.ns, f.length + 6, &cooked);
    }
    file
}

fn pcap_header(link: u32) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend(2u16.to_le_bytes());
    file.extend(4u16.to_le_bytes());
    file.extend([0; 8]);
    file.extend(256u32.to_le_bytes());
    file.extend(link.to_le_bytes());
    file
}

fn pcap_record(file: &mut Vec<u8>, ns: i64, length: usize, bytes: &[u8]) {
    let ns = u64::try_from(ns).unwrap_or(0);
    for word in [ns / 1_000_000_000, ns % 1_000_000_000 / 1_000, bytes.len() as u64, length as u64] {
        file.extend(low(word).to_le_bytes());
    }
    file.extend(bytes);
}

/// The lower 32 bits.
fn low(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or(0)
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = low(body.len() as u64 + 12).to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(length);
    file.extend(body);
    file.extend(length);
}

fn option(to: &mut Vec<u8>, code: u16, value: &[u8]) {
    to.extend(code.to_le_bytes());
    to.extend(u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    to.extend(value);
    to.resize(to.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bondwitness_core::capture::reader;
    use bondwitness_core::evidence::Direction as Seen;

    const T: i64 = 1_795_313_330_050_000_000;

    /// Two frames on the loopback device's index; packet sockets need a privilege that the tests may not have.
    fn two() -> Option<Capture> {
        let mut capture = match Capture::start(&Namespace::current().unwrap(), "lo") {
            Ok(c) => c,
            Err(e) => {
                eprintln!("skipped: {e:#}");
                return None;
            }
        };
        capture.name = "ens3f0".to_owned();
        let mut bytes = vec![0u8; 124];
        bytes[6..12].copy_from_slice(&[2, 0, 0, 0, 0x11, 1]);
        bytes[12..14].copy_from_slice(&[0x88, 0x09]);
        bytes[14] = 1;
        let cut = bytes[..61].to_vec();
        capture.frames.clear();
        capture.frames.push(Stored { ns: T, direction: Direction::Out, length: 124, bytes });
        capture.frames.push(Stored {
            ns: T + 1_000_000_000,
            direction: Direction::In,
            length: 124,
            bytes: cut,
        });
        Some(capture)
    }

    type Frame = (i64, Option<Seen>, u32, usize);

    fn read(file: &[u8]) -> (Vec<Frame>, Option<String>) {
        let mut seen = Vec::new();
        let totals = reader::read(file, &mut |f| seen.push((f.ns, f.direction, f.iface, f.payload.len())));
        assert!(totals.damage.is_none(), "{:?}", totals.damage);
        (seen, totals.interfaces.first().and_then(|i| i.name.clone()))
    }

    #[test]
    fn our_own_reader_reads_every_kind() {
        let Some(capture) = two() else { return };
        let all = (0, i64::MAX);
        let (frames, name) = read(&capture.pcapng(all));
        let expected = [(T, Some(Seen::Out), 0, 110), (T + 1_000_000_000, Some(Seen::In), 0, 47)];
        assert_eq!((frames.as_slice(), name.as_deref()), (&expected[..], Some("ens3f0")));
        let index = capture.ifindex;
        let (frames, _) = read(&any(&[&capture], all));
        assert_eq!(
            frames,
            [(T, Some(Seen::Out), index, 110), (T + 1_000_000_000, Some(Seen::In), index, 47)]
        );
        let (frames, _) = read(&capture.pcap(all, false));
        assert_eq!(frames, [(T, None, 0, 110), (T + 1_000_000_000, None, 0, 47)]);
        assert_eq!(read(&capture.pcap(all, true)).0, [(T + 1_000_000_000, None, 0, 47)]);
        assert_eq!(read(&capture.pcapng((0, T))).0.len(), 1);
    }
}
