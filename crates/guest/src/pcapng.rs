//! A capture of one interface as pcapng: nanoseconds, the interface's name, and the direction of every frame.
//!
//! Format: draft-ietf-opsawg-pcapng, sections 4.1 (section header), 4.2 (interface), 4.3 (enhanced packet).

use bondwitness_host::packet::Direction;

/// A capture file under construction, little-endian.
pub(crate) struct Pcapng {
    bytes: Vec<u8>,
}

impl Pcapng {
    /// An empty capture of the interface `name`.
    pub(crate) fn new(name: &str) -> Self {
        let mut this = Self { bytes: Vec::new() };
        let mut section = Vec::new();
        section.extend(0x1a2b_3c4d_u32.to_le_bytes());
        section.extend(1u16.to_le_bytes());
        section.extend(0u16.to_le_bytes());
        // The length of the section is not known beforehand.
        section.extend(u64::MAX.to_le_bytes());
        this.block(0x0a0d_0d0a, &section);
        let mut interface = Vec::new();
        // Ethernet; reserved; frames are not cut below 256 bytes.
        interface.extend(1u16.to_le_bytes());
        interface.extend(0u16.to_le_bytes());
        interface.extend(256u32.to_le_bytes());
        option(&mut interface, 2, name.as_bytes());
        option(&mut interface, 9, &[9]);
        option(&mut interface, 0, &[]);
        this.block(1, &interface);
        this
    }

    /// Adds a frame.
    pub(crate) fn frame(&mut self, ns: i64, direction: Direction, length: usize, captured: &[u8]) {
        let stamp = u64::try_from(ns).unwrap_or(0);
        let mut packet = Vec::with_capacity(captured.len() + 40);
        packet.extend(0u32.to_le_bytes());
        // The upper half first.
        packet.extend(u32::try_from(stamp >> 32).unwrap_or(0).to_le_bytes());
        packet.extend(u32::try_from(stamp & 0xffff_ffff).unwrap_or(0).to_le_bytes());
        packet.extend(u32::try_from(captured.len()).unwrap_or(0).to_le_bytes());
        packet.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        packet.extend(captured);
        packet.resize(packet.len().next_multiple_of(4), 0);
        let flags: u32 = match direction {
            Direction::In => 1,
            Direction::Out => 2,
        };
        option(&mut packet, 2, &flags.to_le_bytes());
        option(&mut packet, 0, &[]);
        self.block(6, &packet);
    }

    /// The file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.extend(length);
    }
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

    #[test]
    fn our_own_reader_reads_it() {
        let mut frame = vec![0u8; 124];
        frame[12..14].copy_from_slice(&[0x88, 0x09]);
        frame[14] = 1;
        let mut file = Pcapng::new("ens3f0");
        file.frame(1_795_313_330_050_000_123, Direction::Out, 124, &frame);
        file.frame(1_795_313_331_050_000_123, Direction::In, 124, &frame[..61]);
        let mut seen = Vec::new();
        let totals = reader::read(file.bytes(), &mut |f| seen.push((f.ns, f.direction, f.payload.len())));
        assert!(totals.damage.is_none(), "{:?}", totals.damage);
        assert_eq!(
            seen,
            [
                (1_795_313_330_050_000_123, Some(Seen::Out), 110),
                (1_795_313_331_050_000_123, Some(Seen::In), 47)
            ]
        );
        assert_eq!(totals.interfaces.first().and_then(|i| i.name.as_deref()), Some("ens3f0"));
    }
}
