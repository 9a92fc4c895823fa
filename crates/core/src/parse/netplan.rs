//! Netplan's YAML (`/etc/netplan/*.yaml`) and cloud-init's network configuration of version 2.
//!
//! One [`What::Config`] per file; keys are dotted paths below `network`: `bonds.bond0.parameters.mode`.

use super::yaml_lines::{Reader, split};
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "netplan";

/// Kinds of devices: the keys below `network:`.
const KINDS: &[&str] = &[
    "ethernets",
    "bonds",
    "vlans",
    "bridges",
    "wifis",
    "tunnels",
    "vrfs",
    "modems",
    "dummy-devices",
    "nm-devices",
    "virtual-ethernets",
];

/// Keys that may stand at the left edge of a file that lost its indentation.
const KNOWN: &[&str] = &[
    "network",
    "version",
    "renderer",
    "config",
    "match",
    "macaddress",
    "set-name",
    "dhcp4",
    "dhcp6",
    "addresses",
    "gateway4",
    "gateway6",
    "nameservers",
    "search",
    "routes",
    "to",
    "via",
    "metric",
    "on-link",
    "interfaces",
    "parameters",
    "mode",
    "lacp-rate",
    "mii-monitor-interval",
    "transmit-hash-policy",
    "min-links",
    "ad-select",
    "all-slaves-active",
    "all-members-active",
    "arp-interval",
    "arp-ip-targets",
    "arp-validate",
    "arp-all-targets",
    "up-delay",
    "down-delay",
    "fail-over-mac-policy",
    "gratuitous-arp",
    "packets-per-slave",
    "packets-per-member",
    "primary-reselect-policy",
    "primary",
    "resend-igmp",
    "learn-packet-interval",
    "mtu",
    "optional",
    "id",
    "link",
    "accept-ra",
    "link-local",
    "critical",
    "dhcp-identifier",
    "wakeonlan",
    "stp",
    "forward-delay",
    "openvswitch",
    "lacp",
    "activation-mode",
    "dhcp4-overrides",
];

fn is_known(key: &str) -> bool {
    KNOWN.contains(&key) || KINDS.contains(&key) || super::prompt::looks_like_ifname(key)
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let key = |n: usize| lines.get(i + n).and_then(|l| split(l.trimmed())).map(|(k, _)| k);
    let bare = |n: usize| lines.get(i + n).is_some_and(|l| l.text.ends_with(':'));
    if !bare(0) {
        return false;
    }
    match key(0) {
        Some("network") => {
            (1..=3).any(|n| key(n).is_some_and(|k| KINDS.contains(&k) || k == "renderer" || k == "version"))
        }
        Some(k) if KINDS.contains(&k) => {
            bare(1)
                && (2..=3).any(|n| {
                    key(n).is_some_and(|k| {
                        [
                            "match",
                            "dhcp4",
                            "dhcp6",
                            "addresses",
                            "interfaces",
                            "parameters",
                            "mtu",
                            "optional",
                            "id",
                            "link",
                            "set-name",
                        ]
                        .contains(&k)
                    })
                })
        }
        _ => false,
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut reader = Reader::new(Fields::new(ID, None));
    let taken = reader.read(cursor, &is_known);
    for line in &taken {
        out.typed(line);
    }
    let (Some(first), Some(last)) = (taken.first(), taken.last()) else { return };
    let mut fields = reader.fields;
    for f in &mut fields.entries {
        if let Some(below) = f.key.strip_prefix("network.") {
            f.key = below.to_owned();
        }
    }
    out.record(first.cite().to(last.cite()), None, What::Config(fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn a_bond() {
        let text = "# from the installer\nnetwork:\n  version: 2\n  ethernets:\n    eno1: {}\n    eno2:\n      dhcp4: no\n  bonds:\n    bond0:\n      interfaces:\n        - eno1\n        - eno2\n      parameters:\n        mode: 802.3ad\n        lacp-rate: fast\n\nThanks,\nme: too\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!(parsed.unrecognised.len(), 3, "{parsed:?}");
        let Some(What::Config(f)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!(f.text("bonds.bond0.parameters.mode"), Some("802.3ad"));
        assert_eq!(f.text("bonds.bond0.parameters.lacp-rate"), Some("fast"));
        assert_eq!(
            f.entries.iter().rfind(|e| e.key == "bonds.bond0.interfaces").map(|e| e.value.as_str()),
            Some("eno1, eno2")
        );
    }
}
