//! What an operational key says about the speed of a port of Linux bonding.
//!
//! `__get_link_speed()` and `ad_port_key` in `drivers/net/bonding/bond_3ad.c` (6.12.107):
//! `key = (user_port_key << 6) | (speed code << 1) | duplex`. With a user key of 0 the key is a plain function of
//! speed and duplex. Kernels before the codes were renumbered (2.6 and 3.x) used a bit mask
//! (`AD_LINK_SPEED_BITMASK_*`), so 17 was the key of a full-duplex port at 1 Gb/s (erratum E-23). Only keys of a
//! Linux peer can be read like this; a switch's key is its own affair.

/// Speeds in Mb/s by speed code, as of 6.12.107; code 0 means unknown.
const CODES: [u32; 18] = [
    0, 1, 10, 100, 1_000, 2_500, 5_000, 10_000, 14_000, 20_000, 25_000, 40_000, 50_000, 56_000, 100_000,
    200_000, 400_000, 800_000,
];

/// A key of Linux bonding, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinuxKey {
    /// `ad_user_port_key`, 0 to 1023.
    pub user: u16,
    /// Mb/s; `None` for an unknown code or speed.
    pub speed_mbps: Option<u32>,
    /// The duplex bit. Half duplex clears it and disables LACP on the port.
    pub full_duplex: bool,
}

/// Takes a key of a current kernel apart. The formula is exact only for Linux bonding of 4.2 and later.
#[must_use]
pub fn decode(key: u16) -> LinuxKey {
    let code = usize::from(key >> 1 & 0x1f);
    let speed_mbps = CODES.get(code).copied().filter(|&s| s != 0);
    LinuxKey { user: key >> 6, speed_mbps, full_duplex: key & 1 == 1 }
}

/// The key that a current kernel gives to a port. `None` if it knows no code for the speed.
#[must_use]
pub fn encode(user: u16, speed_mbps: u32, full_duplex: bool) -> Option<u16> {
    let code = u16::try_from(CODES.iter().position(|&s| s == speed_mbps)?).ok()?;
    Some(user << 6 | code << 1 | u16::from(full_duplex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_seen_in_recordings_and_reports() {
        // 15 at 10 Gb/s: every kernel recording. 23 at 40 Gb/s: the ConnectX-5 dump of the corpus. 9 at 1 Gb/s.
        for (key, speed) in
            [(9, 1_000), (11, 2_500), (15, 10_000), (21, 25_000), (23, 40_000), (29, 100_000), (33, 400_000)]
        {
            assert_eq!(decode(key), LinuxKey { user: 0, speed_mbps: Some(speed), full_duplex: true });
            assert_eq!(encode(0, speed, true), Some(key));
        }
        assert_eq!(decode(0).speed_mbps, None);
        assert!(!decode(8).full_duplex);
    }
}
