//! Compresses an archive as one zstd frame, and seals it with a hash of every compressed octet.
//!
//! Why the encoder is the reference one: ADR 0009.
//!
//! The seal is a skippable frame (RFC 8878 section 3.1.2), which every zstd decoder passes over. It makes each bit of the
//! file count: those of a zstd frame that decoders ignore, too.

use super::PackError;
use crate::diagnose::sha256_hex;
use std::io::Write as _;

/// Windows above this are refused by some decoders unless they are told otherwise (RFC 8878 section 3.1.1.1.2).
const WINDOW_LOG: u32 = 23;
/// Archives up to this size are compressed harder: it takes less than a tenth of a second.
const SMALL: usize = 4 * 1024 * 1024;

/// The magic of the skippable frame that holds the seal.
const MAGIC: [u8; 4] = [0x5b, 0x2a, 0x4d, 0x18];
/// What stands before the hash in the seal.
const LABEL: &[u8] = b"bondwitness sha256 ";
/// Octets of the hash in hex.
const HEX: usize = 64;

/// Compresses and seals.
///
/// # Errors
///
/// If the encoder cannot have its memory.
pub fn compress(data: &[u8]) -> Result<Vec<u8>, PackError> {
    let mut packed = encode(data).map_err(|e| PackError::Encoder(e.to_string()))?;
    let hash = sha256_hex(&packed);
    packed.extend(MAGIC);
    packed.extend(u32::try_from(LABEL.len().saturating_add(HEX)).unwrap_or(0).to_le_bytes());
    packed.extend(LABEL);
    packed.extend(hash.bytes());
    Ok(packed)
}

fn encode(data: &[u8]) -> std::io::Result<Vec<u8>> {
    let level = if data.len() <= SMALL { 9 } else { 3 };
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), level)?;
    encoder.include_checksum(true)?;
    encoder.window_log(WINDOW_LOG)?;
    encoder.set_pledged_src_size(u64::try_from(data.len()).ok())?;
    encoder.write_all(data)?;
    encoder.finish()
}

/// What the end of a compressed file says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// The seal is there and holds: no bit was changed since it was packed.
    Holds,
    /// The seal is there and does not hold, or it is damaged itself.
    Broken,
    /// There is none: somebody else packed it.
    None,
}

/// Looks at the seal of a compressed file.
#[must_use]
pub fn seal(packed: &[u8]) -> Seal {
    let length = MAGIC.len() + 4 + LABEL.len() + HEX;
    let Some(at) = packed.len().checked_sub(length) else { return Seal::None };
    let (data, seal) = packed.split_at(at);
    let expected = {
        let mut s = MAGIC.to_vec();
        s.extend(u32::try_from(LABEL.len() + HEX).unwrap_or(0).to_le_bytes());
        s.extend(LABEL);
        s.extend(sha256_hex(data).bytes());
        s
    };
    if seal == expected {
        return Seal::Holds;
    }
    // A seal with some bits changed is no accident of another packer: most of it is still there.
    let alike = seal.iter().zip(&expected).take(8 + LABEL.len()).filter(|(a, b)| a == b).count();
    if alike * 2 > 8 + LABEL.len() { Seal::Broken } else { Seal::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(packed: &[u8]) -> Vec<u8> {
        zstd::stream::decode_all(packed).unwrap()
    }

    /// Samples of a second, far apart, with a few digits that change.
    fn samples(seconds: u32) -> Vec<u8> {
        let mut out = Vec::new();
        for s in 0..seconds {
            for i in 0..3000_u32 {
                let value = if i % 7 == 0 { u64::from(s) * u64::from(i) * 977 } else { u64::from(i) };
                out.extend(format!("     rx{i}_some_counter: {value}\n").bytes());
            }
        }
        out
    }

    #[test]
    fn what_is_compressed_comes_back_and_is_small() {
        for seconds in [0, 1, 3, 60] {
            let data = samples(seconds);
            let packed = compress(&data).unwrap();
            assert_eq!(unpack(&packed), data, "{seconds}");
            assert_eq!(packed, compress(&data).unwrap(), "the same bytes each time");
            if seconds == 60 {
                // Samples of 90 KB with 428 counters that grow.
                assert!(packed.len() * 15 < data.len(), "{} of {}", packed.len(), data.len());
            }
        }
    }

    #[test]
    fn every_bit_is_under_the_seal() {
        let mut packed = compress(samples(1).split_at(3000).0).unwrap();
        assert_eq!(seal(&packed), Seal::Holds);
        for i in 0..packed.len() {
            for bit in 0..8 {
                packed[i] ^= 1 << bit;
                assert_eq!(seal(&packed), Seal::Broken, "octet {i} bit {bit}");
                packed[i] ^= 1 << bit;
            }
        }
        let without = packed.len() - 91;
        assert_eq!(seal(&packed[..without]), Seal::None);
    }
}
