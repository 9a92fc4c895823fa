//! Base64 (RFC 4648 section 4), strict: what decodes is what would be encoded.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding, without line breaks.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0_u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for i in 0..4 {
            let six = (word >> (18 - 6 * i) & 63) as usize;
            let digit = ALPHABET.get(six).filter(|_| i <= three.len());
            out.push(digit.map_or('=', |d| char::from(*d)));
        }
    }
    out
}

/// Blanks and line breaks are passed over; none if anything else is not as [`encode`] writes it.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    for four in digits.chunks(4) {
        let mut word = 0_u32;
        for b in four.iter().filter(|b| **b != b'=') {
            let six = ALPHABET.iter().position(|a| a == b)?;
            word = word << 6 | u32::try_from(six).ok()?;
        }
        let there = four.iter().filter(|b| **b != b'=').count();
        let [_, a, b, c] = (word << (6 * (4 - there))).to_be_bytes();
        out.extend([a, b, c].iter().take(there.checked_sub(1)?));
    }
    // Padding in odd places and bits behind the end: there is one spelling only.
    (encode(&out).bytes().eq(digits)).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).as_deref(), Some(plain.as_bytes()));
        }
        for odd in ["Zg", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9v!"] {
            assert_eq!(decode(odd), None, "{odd}");
        }
    }
}
