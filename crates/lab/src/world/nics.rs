//! What tells one NIC's driver from another's: versions and the lines of the kernel log. The format strings are
//! those of `kernel-facts.md` section 6.1.

/// A driver.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nic {
    pub(super) driver: &'static str,
    /// Firmware version as `ethtool -i` prints it.
    pub(super) firmware: &'static str,
    /// It has a pluggable transceiver.
    pub(super) pluggable: bool,
}

const NICS: &[Nic] = &[
    Nic { driver: "ixgbe", firmware: "0x800006da, 1.1197.0", pluggable: true },
    Nic { driver: "i40e", firmware: "9.20 0x8000d8c5 22.5.7", pluggable: true },
    Nic { driver: "ice", firmware: "4.40 0x8001c7d4 1.3534.0", pluggable: true },
    Nic { driver: "mlx5_core", firmware: "26.38.1002 (MT_0000000531)", pluggable: true },
    Nic { driver: "bnxt_en", firmware: "226.0.141.0/pkg 22.61.10.70", pluggable: true },
    Nic { driver: "igb", firmware: "1.63, 0x800009fa", pluggable: false },
    Nic { driver: "igc", firmware: "2017:888d", pluggable: false },
    Nic { driver: "e1000e", firmware: "0.13-4", pluggable: false },
    Nic { driver: "tg3", firmware: "5720-v1.39 NCSI v1.5.33.0", pluggable: false },
];

/// The driver of this name; an unknown one has no firmware version.
pub(super) fn find(driver: &str) -> Nic {
    NICS.iter().find(|n| n.driver == driver).copied().unwrap_or(Nic {
        driver: "veth",
        firmware: "",
        pluggable: false,
    })
}

/// "Link is up" as the driver writes it, without prefix. `None`: the driver says nothing.
pub(super) fn link_up(driver: &str, mbps: u32) -> Option<String> {
    let gbps = if mbps >= 1000 { format!("{} Gbps", mbps / 1000) } else { format!("{mbps} Mbps") };
    Some(match driver {
        "ixgbe" => format!("NIC Link is Up {gbps}, Flow Control: RX/TX"),
        "i40e" => {
            format!(
                "NIC Link is Up, {gbps} Full Duplex, Requested FEC: None, Negotiated FEC: None, Autoneg: False, Flow Control: None"
            )
        }
        "ice" => format!(
            "NIC Link is up {gbps} Full Duplex, Requested FEC: RS-FEC, Negotiated FEC: RS-FEC, Autoneg Advertised: Off, Autoneg Negotiated: False, Flow Control: None"
        ),
        "mlx5_core" => "Link up".to_owned(),
        "bnxt_en" => format!("NIC Link is Up, {mbps} Mbps full duplex, Flow control: none"),
        "igb" | "igc" | "e1000e" => format!("NIC Link is Up {mbps} Mbps Full Duplex, Flow Control: RX/TX"),
        "tg3" => format!("Link is up at {mbps} Mbps, full duplex"),
        _ => return None,
    })
}

/// "Link is down" as the driver writes it.
pub(super) fn link_down(driver: &str) -> Option<&'static str> {
    Some(match driver {
        "ixgbe" | "i40e" | "ice" | "bnxt_en" | "igb" | "igc" | "e1000e" => "NIC Link is Down",
        "mlx5_core" => "Link down",
        "tg3" => "Link is down",
        _ => return None,
    })
}

/// What the driver writes when it resets the adapter by itself.
pub(super) fn reset(driver: &str) -> &'static [&'static str] {
    match driver {
        "ixgbe" => &["initiating reset due to tx timeout", "Reset adapter"],
        "i40e" => &["tx_timeout recovery level 1, txqueue 2"],
        "ice" => &["tx_timeout recovery level 1, txqueue 2"],
        "mlx5_core" => &["TX timeout detected"],
        "bnxt_en" => &["TX timeout detected, starting reset task!"],
        "tg3" => &["transmit timed out, resetting"],
        "e1000e" => &["Detected Hardware Unit Hang:", "Reset adapter unexpectedly"],
        "igb" | "igc" => &["Reset adapter"],
        _ => &[],
    }
}
