//! `ethtool -i <dev>`: driver, version, firmware, bus address.
//!
//! Source: `dump_drvinfo()` in `ethtool.c`. Old versions lack `expansion-rom-version` or the last `supports-*` lines.

use super::ethtool_listing::{colon, follows, is_elision};
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool-i";

const ERROR: &str = "Cannot get driver information";

const KEYS: &[&str] = &[
    "driver",
    "version",
    "firmware-version",
    "expansion-rom-version",
    "bus-info",
    "supports-statistics",
    "supports-test",
    "supports-eeprom-access",
    "supports-register-dump",
    "supports-priv-flags",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if t.starts_with(ERROR) {
        return true;
    }
    let Some((key, value)) = colon(t) else { return false };
    match key {
        "driver" => {
            !value.contains(' ') && KEYS.iter().skip(1).any(|k| follows(lines, i, &format!("{k}:")))
                || DRIVERS.contains(&value)
        }
        "version" => follows(lines, i, "firmware-version:") || follows(lines, i, "expansion-rom-version:"),
        "firmware-version" | "expansion-rom-version" => true,
        "bus-info" => value.is_empty() || value.contains(':') || follows(lines, i, "supports-"),
        k if k.starts_with("supports-") => KEYS.contains(&k) && matches!(value, "yes" | "no"),
        _ => false,
    }
}

/// Drivers of Ethernet adapters and virtual devices: enough to tell a lone `driver: igb` from prose.
const DRIVERS: &[&str] = &[
    "igb",
    "igbvf",
    "igc",
    "e1000",
    "e1000e",
    "ixgbe",
    "ixgbevf",
    "i40e",
    "i40evf",
    "iavf",
    "ice",
    "mlx4_en",
    "mlx4_core",
    "mlx5_core",
    "mlx5e_rep",
    "bnxt_en",
    "tg3",
    "bnx2",
    "bnx2x",
    "r8169",
    "r8168",
    "r8125",
    "r8152",
    "qede",
    "be2net",
    "virtio_net",
    "vmxnet3",
    "hv_netvsc",
    "ena",
    "hns3",
    "atlantic",
    "sfc",
    "veth",
    "bonding",
    "bridge",
    "tun",
    "team",
    "openvswitch",
    "cxgb4",
    "enic",
    "nfp",
    "mana",
    "gve",
    "ionic",
    "thunderx",
    "8021q",
    "802.1Q VLAN Support",
    "macvlan",
    "ipvlan",
    "dummy",
    "vxlan",
    "st_gmac",
    "bcmgenet",
    "lan743x",
    "fm10k",
];

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, out.hints.dev.clone());
    let Some(first) = cursor.peek().map(Line::cite) else { return };
    let mut last = first;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if t.starts_with(ERROR) {
            fields.push("error", t, line.cite());
        } else if let Some((key, value)) = colon(t).filter(|(k, _)| KEYS.contains(k)) {
            if key == "driver" && fields.get("driver").is_some() {
                break;
            }
            fields.push(key, value, line.cite());
        } else if is_elision(t) && !fields.entries.is_empty() {
            fields.push("elided", t, line.cite());
        } else {
            break;
        }
        last = line.cite();
        cursor.next();
        out.typed(line);
    }
    out.record(first.to(last), None, What::Fields(fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn complete_cut_and_refused() {
        let full = "driver: ice\nversion: 6.12.1\nfirmware-version: 4.40 0x8001c96c 1.3534.0\nexpansion-rom-version: \nbus-info: 0000:41:00.1\nsupports-statistics: yes\nsupports-priv-flags: yes\n";
        let cut: String = full.lines().skip(2).map(|l| format!("     {l}\n")).collect();
        for (text, n) in [
            (full.to_owned(), 1),
            (cut, 1),
            (format!("{full}{full}"), 2),
            ("Cannot get driver information: Operation not supported\n".to_owned(), 1),
        ] {
            let p = parse_text_with(FileId(0), "ethtool_-i_ens1", text.as_bytes(), &[FORMAT]);
            assert_eq!((p.records.len(), p.unrecognised.len(), p.not_understood.len()), (n, 0, 0), "{text}");
        }
    }

    #[test]
    fn prose_and_modinfo_are_not_it() {
        for text in [
            "driver: the new version of it\n",
            "version:        5.1.0-k\nlicense:        GPL\n",
            "driver: unknown\n",
        ] {
            assert!(
                parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]).recognised.is_empty(),
                "{text}"
            );
        }
    }
}
