//! `ethtool -i`: driver, versions, bus address (`dump_drvinfo()` in `ethtool.c`).

use crate::view::MemberView;

/// Renders the listing.
#[must_use]
pub fn render(m: &MemberView) -> String {
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let physical = m.driver != "veth";
    // mlx5 reads no EEPROM here; tg3 and the drivers of one Gbit/s have no private flags but igb and igc.
    let eeprom = physical && m.driver != "mlx5_core";
    let flags =
        matches!(m.driver.as_str(), "ixgbe" | "i40e" | "ice" | "mlx5_core" | "igb" | "igc" | "e1000e");
    let dump = physical && m.driver != "mlx5_core";
    format!(
        "driver: {}\nversion: {}\nfirmware-version: {}\nexpansion-rom-version: \nbus-info: {}\n\
         supports-statistics: yes\nsupports-test: {}\nsupports-eeprom-access: {}\nsupports-register-dump: {}\n\
         supports-priv-flags: {}\n",
        m.driver,
        m.versions.0,
        m.versions.1,
        m.bus,
        yes(physical),
        yes(eeprom),
        yes(dump),
        yes(flags)
    )
}
