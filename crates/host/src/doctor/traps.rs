//! What is known to go wrong with drivers, and what the host shows of it.

use super::driver::Driver;

/// Something to know about a member's driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    /// Its name in kebab-case, stable.
    pub id: &'static str,
    /// What happens.
    pub what: String,
    /// What to do, or what not to do.
    pub so: &'static str,
    /// Where it is known from.
    pub source: &'static str,
}

const EEPROM_HANGS: &str =
    "reading the EEPROM (`ethtool -e`) has hung for up to 12 s while holding the lock that bonding needs";
const SOS: &str = "sosreport/sos pull request 2188";
const ADQ: &str = "the kernel's documentation of the driver, networking/device_drivers/ethernet/intel";

/// What is known about a driver.
pub(crate) fn of(driver: &Driver) -> Vec<Trap> {
    let flag = |name: &str| driver.flags.iter().find(|f| f.name == name).map(|f| f.on);
    let trap = |id, what: &str, so, source| Trap { id, what: what.to_owned(), so, source };
    match driver.name.as_str() {
        "bnx2x" | "tg3" => vec![trap(
            "eeprom-hangs",
            EEPROM_HANGS,
            "do not run `ethtool -e` on it; this program never does",
            SOS,
        )],
        "i40e" => match flag("disable-fw-lldp") {
            Some(true) => Vec::new(),
            Some(false) => vec![trap(
                "firmware-lldp",
                "the firmware answers LLDP itself (private flag disable-fw-lldp is off): no LLDP frame reaches the host",
                "to see the switch's name and port: ethtool --set-priv-flags <member> disable-fw-lldp on",
                ADQ,
            )],
            None => vec![trap(
                "firmware-lldp",
                "the firmware may answer LLDP itself; this driver version does not show whether it does",
                "no LLDP frame on the member does not mean that the switch sends none",
                ADQ,
            )],
        },
        "ice" if flag("fw-lldp-agent") == Some(true) => vec![trap(
            "firmware-lldp",
            "the firmware answers LLDP itself (private flag fw-lldp-agent is on): no LLDP frame reaches the host",
            "to see the switch's name and port: ethtool --set-priv-flags <member> fw-lldp-agent off",
            ADQ,
        )],
        "bnxt_en" => vec![trap(
            "firmware-lldp",
            "the firmware may run an LLDP agent of its own, and no private flag shows it",
            "no LLDP frame on the member does not mean that the switch sends none",
            "Broadcom's documentation of the NetXtreme-E firmware (DCBX and LLDP agent)",
        )],
        "ixgbe" => vec![trap(
            "module-blocks",
            "reading the module (`ethtool -m`) is suspected to block the data path",
            "read it once, not in a loop; this program reads it at the begin and the end of a collection only",
            "intel/ethernet-linux-ixgbe issue 28",
        )],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::driver::Flag;
    use super::*;

    #[test]
    fn a_flag_that_is_set_takes_the_trap_away() {
        let driver = |name: &str, flag: &str, on: bool| Driver {
            name: name.to_owned(),
            flags: vec![Flag { name: flag.to_owned(), on }],
            ..Driver::default()
        };
        assert!(of(&driver("i40e", "disable-fw-lldp", true)).is_empty());
        assert_eq!(of(&driver("i40e", "disable-fw-lldp", false))[0].id, "firmware-lldp");
        assert!(of(&driver("i40e", "another", false))[0].what.contains("does not show"));
        assert!(of(&driver("ice", "fw-lldp-agent", false)).is_empty());
        assert_eq!(of(&driver("ice", "fw-lldp-agent", true))[0].id, "firmware-lldp");
        assert_eq!(of(&driver("tg3", "", false))[0].id, "eeprom-hangs");
        assert!(of(&driver("virtio_net", "", false)).is_empty());
    }
}
