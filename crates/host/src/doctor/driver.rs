//! Which driver a member has, and its private flags. Both are open to everyone (`dev_ethtool`, net/ethtool/ioctl.c,
//! Linux 6.12), and neither makes the driver read its EEPROM.

use crate::sys::probe;
use std::io;

/// A driver's private flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The driver's name for it.
    pub name: String,
    /// Whether it is on.
    pub on: bool,
}

/// The driver of an interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Driver {
    /// Its name.
    pub name: String,
    /// Its version, or the kernel's.
    pub version: String,
    /// The firmware's version, empty where it has none.
    pub firmware: String,
    /// Where the device sits: `0000:3b:00.0`.
    pub bus: String,
    /// Its private flags.
    pub flags: Vec<Flag>,
}

/// Text in an answer: up to the first zero byte.
fn string(words: &[u32], from: usize, length: usize) -> String {
    let bytes: Vec<u8> =
        words.iter().flat_map(|w| w.to_ne_bytes()).skip(from).take(length).take_while(|b| *b != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Asks for the driver of an interface.
///
/// # Errors
///
/// If there is no such interface, or its driver does not say.
pub(crate) fn driver(interface: &str) -> io::Result<Driver> {
    // struct ethtool_drvinfo: command; driver, version, firmware, bus of 32 bytes each; erom_version 32, reserved 12;
    // then how many flags, statistics, tests, EEPROM bytes, register bytes.
    const GET_DRIVER: u32 = 3;
    let mut answer = [0u32; 49];
    answer[0] = GET_DRIVER;
    probe::ethtool(interface, &mut answer)?;
    let flags = answer[44];
    let text = |i: usize| string(&answer, 4 + 32 * i, 32);
    Ok(Driver {
        name: text(0),
        version: text(1),
        firmware: text(2),
        bus: text(3),
        flags: private_flags(interface, flags).unwrap_or_default(),
    })
}

fn private_flags(interface: &str, count: u32) -> io::Result<Vec<Flag>> {
    const GET_STRINGS: u32 = 0x1b;
    const GET_FLAGS: u32 = 0x27;
    const OF_FLAGS: u32 = 2;
    // The answer holds them as bits of one number.
    let count = usize::try_from(count.min(32)).unwrap_or(0);
    if count == 0 {
        return Ok(Vec::new());
    }
    // struct ethtool_gstrings: command, set, how many; then 32 bytes each. The kernel writes as many as the driver has
    // by then: room for more than it said.
    let mut names = [0u32; 3 + 64 * 8];
    names[0] = GET_STRINGS;
    names[1] = OF_FLAGS;
    probe::ethtool(interface, &mut names)?;
    let mut bits = [GET_FLAGS, 0];
    probe::ethtool(interface, &mut bits)?;
    Ok((0..count)
        .map(|i| Flag { name: string(&names, 12 + 32 * i, 32), on: bits[1] & (1 << i) != 0 })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_device_has_no_driver_to_speak_of_and_others_are_an_error() {
        // Kernels answer for lo with an empty name or not at all.
        if let Ok(driver) = driver("lo") {
            assert!(driver.flags.is_empty());
        }
        assert!(driver("no-such-if0").is_err());
        assert!(driver("a-name-that-is-far-too-long").is_err());
    }
}
