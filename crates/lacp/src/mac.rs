//! MAC addresses in the spellings of hosts and switches.

use std::fmt;
use std::str::FromStr;

/// A 48-bit MAC address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// All zero: "no partner known" in a LACPDU.
    pub const ZERO: Self = Self([0; 6]);
    /// The Slow Protocols multicast address (802.1AX, Slow_Protocols_Multicast).
    pub const SLOW_PROTOCOLS: Self = Self([0x01, 0x80, 0xc2, 0x00, 0x00, 0x02]);

    /// True for 00:00:00:00:00:00.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a MAC address in any known spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a MAC address")]
pub struct ParseMacError;

impl FromStr for Mac {
    type Err = ParseMacError;

    /// Accepts `00:11:22:33:44:55`, `00-11-22-33-44-55`, `0011.2233.4455` (Cisco), `0011-2233-4455` (Huawei, H3C),
    /// `001122334455` and `0:1:2:3:4:5` / `5e-2-0-1-0-7` (NX-OS, no zero padding).
    fn from_str(s: &str) -> Result<Self, ParseMacError> {
        let s = s.trim();
        let groups: Vec<&str> = s.split([':', '-', '.']).collect();
        let width = match groups.len() {
            6 => 2,
            3 => 4,
            1 => 12,
            _ => return Err(ParseMacError),
        };
        let mut octets = [0u8; 6];
        let per = 6 / groups.len();
        for (i, group) in groups.iter().enumerate() {
            // Only the six-group form may drop leading zeros.
            if group.is_empty() || group.len() > width || (width != 2 && group.len() != width) {
                return Err(ParseMacError);
            }
            let value = u64::from_str_radix(group, 16).map_err(|_| ParseMacError)?;
            if group.starts_with('+') {
                return Err(ParseMacError);
            }
            for k in 0..per {
                let byte = value >> (8 * (per - 1 - k)) & 0xff;
                if let Some(o) = octets.get_mut(i * per + k) {
                    *o = u8::try_from(byte).map_err(|_| ParseMacError)?;
                }
            }
        }
        Ok(Self(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling() {
        let want = Mac([0x5e, 0x02, 0x00, 0x01, 0x00, 0x07]);
        for text in [
            "5e:02:00:01:00:07",
            "5E-02-00-01-00-07",
            "5e02.0001.0007",
            "5e02-0001-0007",
            "5e0200010007",
            "5e-2-0-1-0-7",
        ] {
            assert_eq!(text.parse(), Ok(want), "{text}");
        }
        for text in [
            "",
            "5e:02:00:01:00",
            "5e:02:00:01:00:077",
            "g0:00:00:00:00:00",
            "1.2.3",
            "+e:0:0:0:0:0",
            "hello",
        ] {
            assert_eq!(text.parse::<Mac>(), Err(ParseMacError), "{text}");
        }
    }
}
