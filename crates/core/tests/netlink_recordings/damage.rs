//! Damaged captures: cut at every octet, flipped bits, lengths from hell. Nothing panics, and no record cites a frame that
//! is not there.

use super::recording;
use bondwitness_core::evidence::{FileId, Place};
use bondwitness_core::parse;

fn try_it(bytes: &[u8]) {
    let mut frames = 0;
    bondwitness_core::capture::reader::read_netlink(bytes, &mut |d| frames = d.number);
    let p = parse::netlink::read(FileId(0), bytes);
    for r in &p.records {
        match r.at.place {
            Place::Frame(n) => assert!(n <= frames),
            other => panic!("{other:?}"),
        }
    }
}

const SAMPLES: [&str; 4] =
    ["6.12/qdisc.pcap", "6.12/ethtool-eth0.pcap", "6.12/filter.pcap", "6.12/neigh.pcap"];

#[test]
fn cut_at_every_octet() {
    for name in SAMPLES {
        let whole = recording(name);
        let end = whole.len().min(9_000);
        for n in 0..end {
            try_it(&whole[..n]);
        }
    }
}

#[test]
fn flipped_bits() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for name in SAMPLES {
        let whole = recording(name);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            for _ in 0..8 {
                let at = usize::try_from(random() % bytes.len() as u64).unwrap();
                // The lengths of attributes are what walks go by: small and huge ones more often than chance.
                bytes[at] = match random() % 4 {
                    0 => 0,
                    1 => 0xff,
                    2 => bytes[at] ^ 1 << (random() % 8),
                    _ => random().to_le_bytes()[0],
                };
            }
            try_it(&bytes);
        }
    }
}
