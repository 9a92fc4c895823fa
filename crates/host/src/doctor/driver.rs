//! Which driver a member has, and its private flags. Both are open to everyone (`dev_ethtool`, net/ethtool/ioctl.c,
//! Linux 6.12), and neither makes the driver read its EEPROM.

use crate::sys::ethtool::Ethtool;
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

/// Asks for the driver of an interface. May wait for the firmware.
///
/// # Errors
///
/// If there is no such interface, or its driver does not say.
pub(crate) fn driver(interface: &str) -> io::Result<Driver> {
    let mut ethtool = Ethtool::open()?;
    let of = ethtool.driver(interface)?;
    let flags = ethtool.private_flags(interface).unwrap_or_default();
    Ok(Driver {
        name: of.driver,
        version: of.version,
        firmware: of.firmware,
        bus: of.bus,
        flags: flags.into_iter().map(|(name, on)| Flag { name, on }).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_device_has_no_flags_and_others_are_an_error() {
        // Kernels answer for lo with an empty name or not at all.
        if let Ok(driver) = driver("lo") {
            assert!(driver.flags.is_empty());
        }
        assert!(driver("no-such-if0").is_err());
    }
}
