//! LINKINFO, LINKMODES and LINKSTATE: what `ethtool <dev>` prints.
//!
//! Words: `netlink/settings.c` of ethtool 6.14; numbers: `include/uapi/linux/ethtool.h`, `ethtool_netlink.h` (Linux 6.12).

use super::bitset::Bits;
use super::ethtool::Strings;
use super::link_modes::LINK_MODES;
use super::{Context, damaged, unknown};
use crate::evidence::Fields;
use crate::netlink::{Message, names};

/// Bits of link modes that are no modes.
const AUTONEG: u32 = 6;
const PAUSE: u32 = 13;
const ASYM_PAUSE: u32 = 14;
/// Bits that stand for a kind of port.
const PORTS: [u32; 6] = [7, 8, 9, 10, 11, 16];
/// Bits that stand for a forward error correction.
const FEC: [u32; 4] = [49, 50, 51, 74];

/// LINKINFO: port, address of the PHY, crossing of pairs.
pub(super) fn info(m: &Message<'_>, mut fields: Fields, context: &Context<'_>) -> Fields {
    let at = context.at;
    let value = |kind: u16| m.attrs(4).find(kind).and_then(|a| a.u8());
    for attr in m.attrs(4) {
        let n = attr.number().unwrap_or(0);
        match attr.kind {
            1 | 5 => {}
            2 => {
                let port = match n {
                    0 => "Twisted Pair",
                    1 => "AUI",
                    2 => "MII",
                    3 => "FIBRE",
                    4 => "BNC",
                    5 => "Direct Attach Copper",
                    0xef => "None",
                    0xff => "Other",
                    _ => {
                        fields.push("Port", format!("Unknown! ({n})"), at);
                        continue;
                    }
                };
                fields.push("Port", port, at);
            }
            3 => fields.push("PHYAD", n.to_string(), at),
            // Pairs are crossed in copper only.
            4 if value(2) == Some(0) => {
                let word = match (value(5), n) {
                    (Some(1), _) => "off (forced)".to_owned(),
                    (Some(2), _) => "on (forced)".to_owned(),
                    (control, status) => {
                        let word = match status {
                            1 => "off",
                            2 => "on",
                            _ => "Unknown",
                        };
                        format!("{word}{}", if control == Some(3) { " (auto)" } else { "" })
                    }
                };
                fields.push("MDI-X", word, at);
            }
            4 => {}
            6 => {
                let word = match n {
                    0 => "internal".to_owned(),
                    1 => "external".to_owned(),
                    n => format!("Unknown! ({n})"),
                };
                fields.push("Transceiver", word, at);
            }
            _ => unknown(&mut fields, "", &attr, at),
        }
    }
    damaged(&mut fields, m.attrs(4), at);
    fields
}

/// The name of a link mode: the reply's own, the kernel's list, ours.
pub(super) fn mode_name(bit: u32, own: Option<&str>, strings: &Strings) -> String {
    let known = usize::try_from(bit).ok().and_then(|n| LINK_MODES.get(n)).copied();
    own.or_else(|| strings.name(Strings::LINK_MODES, bit))
        .or(known)
        .map_or_else(|| format!("BIT{bit}"), str::to_owned)
}

/// What the bits of one set say under `who` (`Supported`, `Advertised`, `Link partner advertised`).
fn listing(fields: &mut Fields, who: &str, bits: &Bits, all: bool, context: &Context<'_>) {
    let at = context.at;
    let has = |bit: u32| if all { bits.masked(bit) } else { bits.set(bit) };
    let list = |pass: &dyn Fn(u32) -> bool| {
        let names: Vec<String> = bits
            .chosen(all)
            .filter(|(n, _)| pass(*n))
            .map(|(n, own)| mode_name(n, own, context.strings))
            .collect();
        if names.is_empty() { "Not reported".to_owned() } else { names.join(" ") }
    };
    if who == "Supported" {
        let ports = list(&|n| PORTS.contains(&n));
        let ports = if ports == "Not reported" { String::new() } else { format!("{ports} ") };
        fields.push("Supported ports", format!("[ {ports}]"), at);
    }
    let special =
        |n: u32| PORTS.contains(&n) || FEC.contains(&n) || matches!(n, AUTONEG | PAUSE | ASYM_PAUSE);
    fields.push(format!("{who} link modes"), list(&|n| !special(n)), at);
    let pause = match (has(PAUSE), has(ASYM_PAUSE)) {
        (true, true) => "Symmetric Receive-only",
        (true, false) => "Symmetric",
        (false, true) => "Transmit-only",
        (false, false) => "No",
    };
    fields.push(format!("{who} pause frame use"), pause, at);
    let key = if who == "Supported" {
        "Supports auto-negotiation".to_owned()
    } else {
        format!("{who} auto-negotiation")
    };
    fields.push(key, if has(AUTONEG) { "Yes" } else { "No" }, at);
    fields.push(format!("{who} FEC modes"), list(&|n| FEC.contains(&n)), at);
}

/// LINKMODES: what is supported, advertised, heard of the partner, and what came of it.
pub(super) fn modes(m: &Message<'_>, mut fields: Fields, context: &Context<'_>) -> Fields {
    let at = context.at;
    for attr in m.attrs(4) {
        let n = attr.number().unwrap_or(0);
        match attr.kind {
            1 => {}
            2 => {
                let word = match n {
                    0 => "off".to_owned(),
                    1 => "on".to_owned(),
                    n => format!("Unknown! ({n})"),
                };
                fields.push("Auto-negotiation", word, at);
            }
            3 => {
                // The mask is what is supported, the value what is advertised.
                let bits = Bits::read(&attr);
                listing(&mut fields, "Supported", &bits, true, context);
                listing(&mut fields, "Advertised", &bits, false, context);
            }
            4 => {
                let bits = Bits::read(&attr);
                listing(&mut fields, "Link partner advertised", &bits, false, context);
            }
            5 => {
                let word = match attr.u32() {
                    None | Some(0 | 0xffff | u32::MAX) => "Unknown!".to_owned(),
                    Some(n) => format!("{n}Mb/s"),
                };
                fields.push("Speed", word, at);
            }
            6 => {
                let word = match n {
                    0 => "Half".to_owned(),
                    1 => "Full".to_owned(),
                    n => format!("Unknown! ({n})"),
                };
                fields.push("Duplex", word, at);
            }
            7 => {
                const WORDS: [&str; 6] =
                    ["", "unknown", "preferred master", "preferred slave", "forced master", "forced slave"];
                if n != 0 {
                    fields.push("master-slave cfg", names::of(&WORDS, n), at);
                }
            }
            8 => {
                const WORDS: [&str; 5] = ["", "unknown", "master", "slave", "resolution error"];
                if n != 0 {
                    fields.push("master-slave status", names::of(&WORDS, n), at);
                }
            }
            9 => fields.push("Lanes", n.to_string(), at),
            10 => {
                const WORDS: [&str; 4] = ["none", "pause", "CRS", "open loop"];
                if n != 0 {
                    fields.push("Rate matching", names::of(&WORDS, n), at);
                }
            }
            _ => unknown(&mut fields, "", &attr, at),
        }
    }
    damaged(&mut fields, m.attrs(4), at);
    fields
}

/// `enum ethtool_link_ext_state`, and for each what it is told apart into (`enum ethtool_link_ext_substate_*`, from 1).
const STATES: [(&str, &[&str]); 11] = [
    (
        "Autoneg",
        &[
            "No partner detected",
            "Ack not received",
            "Next page exchange failed",
            "No partner detected during force mode",
            "FEC mismatch during override",
            "No HCD",
        ],
    ),
    (
        "Link training failure",
        &[
            "KR frame lock not acquired",
            "KR link inhibit timeout",
            "KR Link partner did not set receiver ready",
            "Remote side is not ready yet",
        ],
    ),
    (
        "Logical mismatch",
        &[
            "PCS did not acquire block lock",
            "PCS did not acquire AM lock",
            "PCS did not get align_status",
            "FC FEC is not locked",
            "RS FEC is not locked",
        ],
    ),
    (
        "Bad signal integrity",
        &[
            "Large number of physical errors",
            "Unsupported rate",
            "Serdes reference clock lost",
            "Serdes ALOS",
        ],
    ),
    ("No cable", &[]),
    ("Cable issue", &["Unsupported cable", "Cable test failure"]),
    ("EEPROM issue", &[]),
    ("Calibration failure", &[]),
    ("Power budget exceeded", &[]),
    ("Overheat", &[]),
    ("Module", &["CMIS module is not in ModuleReady state"]),
];

/// LINKSTATE: link or not, why not, quality of the signal, how often it was lost.
pub(super) fn state(m: &Message<'_>, mut fields: Fields, context: &Context<'_>) -> Fields {
    let at = context.at;
    let all = m.attrs(4);
    let number = |kind: u16| all.find(kind).and_then(|a| a.number());
    if let Some(quality) = number(3) {
        let of = number(4).map_or_else(String::new, |max| format!("/{max}"));
        fields.push("SQI", format!("{quality}{of}"), at);
    }
    if let Some(downs) = number(7) {
        fields.push("Link Down Events", downs.to_string(), at);
    }
    if let Some(link) = number(2) {
        let mut text = if link != 0 { "yes" } else { "no" }.to_owned();
        if let Some(why) = number(5) {
            let state = usize::try_from(why).ok().and_then(|n| STATES.get(n));
            let mut words = state.map_or_else(|| format!("unknown reason {why}"), |(s, _)| (*s).to_owned());
            if let Some(sub) = number(6) {
                let known = usize::try_from(sub)
                    .ok()
                    .and_then(|n| n.checked_sub(1))
                    .and_then(|n| state?.1.get(n).copied());
                words = format!("{words}, {}", known.map_or_else(|| sub.to_string(), str::to_owned));
            }
            text = format!("{text} ({words})");
        }
        fields.push("Link detected", text, at);
    }
    for attr in all.filter(|a| a.kind > 7) {
        unknown(&mut fields, "", &attr, at);
    }
    damaged(&mut fields, all, at);
    fields
}
