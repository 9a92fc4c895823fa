//! `ethtool <dev>`: link modes, speed, port, link (`netlink/settings.c` of ethtool 5.8 and later).
//!
//! What the partner advertises is not shown: it is not modelled, and the drivers of fibre ports and most Intel drivers
//! do not report it.

use crate::view::MemberView;
use std::fmt::Write as _;

/// What the port is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Medium {
    Copper,
    Fibre,
    DirectAttach,
    Virtual,
}

fn medium(m: &MemberView) -> Medium {
    if m.driver == "veth" {
        Medium::Virtual
    } else if m.optics.is_some() {
        Medium::Fibre
    } else if m.nominal_mbps <= 2_500 || matches!(m.driver.as_str(), "igb" | "igc" | "tg3" | "e1000e") {
        Medium::Copper
    } else {
        Medium::DirectAttach
    }
}

/// Link modes, as they stand on lines.
fn modes(medium: Medium, mbps: u32) -> &'static [&'static str] {
    match (medium, mbps) {
        (Medium::Virtual, _) => &[],
        (Medium::Copper, 0..=1_000) => {
            &["10baseT/Half 10baseT/Full", "100baseT/Half 100baseT/Full", "1000baseT/Full"]
        }
        (Medium::Copper, 1_001..=2_500) => {
            &["10baseT/Half 10baseT/Full", "100baseT/Half 100baseT/Full", "1000baseT/Full", "2500baseT/Full"]
        }
        (Medium::Copper, _) => &["100baseT/Full", "1000baseT/Full", "10000baseT/Full"],
        (Medium::Fibre, 0..=1_000) => &["1000baseX/Full"],
        (Medium::Fibre, 1_001..=10_000) => &["1000baseX/Full", "10000baseSR/Full"],
        (Medium::Fibre, 10_001..=25_000) => &["10000baseSR/Full", "25000baseSR/Full"],
        (Medium::Fibre, 25_001..=40_000) => &["40000baseSR4/Full"],
        (Medium::Fibre, _) => &["100000baseSR4/Full"],
        (Medium::DirectAttach, 0..=10_000) => &["10000baseCR/Full"],
        (Medium::DirectAttach, 10_001..=25_000) => &["10000baseCR/Full", "25000baseCR/Full"],
        (Medium::DirectAttach, 25_001..=40_000) => &["40000baseCR4/Full"],
        (Medium::DirectAttach, _) => &["100000baseCR4/Full"],
    }
}

/// Those modes of a line that are not faster than `most` Mb/s.
fn up_to(line: &str, most: u32) -> String {
    let speed = |mode: &str| mode.split("base").next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(0);
    line.split(' ').filter(|mode| speed(mode) <= most).collect::<Vec<_>>().join(" ")
}

/// Renders the settings of one member.
#[must_use]
pub fn render(m: &MemberView) -> String {
    let medium = medium(m);
    let (ports, port) = match medium {
        Medium::Copper => ("TP", "Twisted Pair"),
        Medium::Fibre => ("FIBRE", "FIBRE"),
        Medium::DirectAttach => ("FIBRE", "Direct Attach Copper"),
        Medium::Virtual => ("", "Twisted Pair"),
    };
    let negotiates = match medium {
        Medium::Copper => true,
        Medium::DirectAttach => m.nominal_mbps >= 25_000,
        Medium::Fibre | Medium::Virtual => false,
    };
    let yes = if negotiates { "Yes" } else { "No" };
    let list = modes(medium, m.nominal_mbps);
    let pause = if medium == Medium::Virtual { "No" } else { "Symmetric" };
    let fec = if m.nominal_mbps >= 25_000 && medium != Medium::Virtual {
        "None\t RS\t BASER"
    } else {
        "Not reported"
    };
    let mut out = format!("Settings for {}:\n", m.name);
    let gap = if ports.is_empty() { "" } else { " " };
    let _ = writeln!(out, "\tSupported ports: [ {ports}{gap}]");
    for (what, auto) in
        [("Supported", "Supports auto-negotiation"), ("Advertised", "Advertised auto-negotiation")]
    {
        let key = format!("{what} link modes:");
        let most = m.advertises_mbps.filter(|_| what == "Advertised").unwrap_or(u32::MAX);
        let list: Vec<String> = list.iter().map(|line| up_to(line, most)).filter(|l| !l.is_empty()).collect();
        for (n, mode) in list.iter().enumerate() {
            let _ = writeln!(out, "\t{:<23} {mode}", if n == 0 { key.as_str() } else { "" });
        }
        if list.is_empty() {
            let _ = writeln!(out, "\t{key:<23} Not reported");
        }
        let _ =
            write!(out, "\t{what} pause frame use: {pause}\n\t{auto}: {yes}\n\t{what} FEC modes: {fec}\n");
    }
    match m.speed_mbps.filter(|_| m.carrier && m.admin_up) {
        Some(speed) => {
            let _ = write!(out, "\tSpeed: {speed}Mb/s\n\tDuplex: Full\n");
        }
        None => out.push_str("\tSpeed: Unknown!\n\tDuplex: Unknown! (255)\n"),
    }
    let _ = write!(
        out,
        "\tAuto-negotiation: {}\n\tPort: {port}\n\tPHYAD: 0\n\tTransceiver: internal\n",
        if negotiates { "on" } else { "off" }
    );
    match medium {
        Medium::Copper => out.push_str("\tMDI-X: off (auto)\n"),
        Medium::Virtual => out.push_str("\tMDI-X: Unknown\n"),
        Medium::Fibre | Medium::DirectAttach => {}
    }
    if medium != Medium::Virtual {
        out.push_str(
            "\tSupports Wake-on: g\n\tWake-on: d\n        Current message level: 0x00000007 (7)\n                               drv probe link\n",
        );
    }
    let _ = writeln!(out, "\tLink detected: {}", if m.carrier && m.admin_up { "yes" } else { "no" });
    out
}
