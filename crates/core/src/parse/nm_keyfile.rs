//! Connection profiles of NetworkManager in keyfile format (`*.nmconnection`, 0.9 to 1.50).
//!
//! Keys are `section.key` (`bond.mode`, `connection.master`); the interface is `connection.interface-name`, or the name of
//! the profile.

use super::ini_lines::{self, Dialect};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "nm-keyfile";

const DIALECT: Dialect = Dialect {
    id: ID,
    sections: &[
        "connection",
        "bond",
        "bond-port",
        "ethernet",
        "802-3-ethernet",
        "ipv4",
        "ipv6",
        "proxy",
        "vlan",
        "team",
        "team-port",
        "bridge",
        "bridge-port",
        "user",
        "match",
        "ethtool",
        "wifi",
        "wifi-security",
        "802-1x",
        "802-11-wireless",
        "dcb",
        "infiniband",
        "macvlan",
        "vxlan",
        "ip-tunnel",
        "tun",
        "veth",
        "vrf",
        "tc",
        "sriov",
        "hostname",
        "link",
        "ovs-bridge",
        "ovs-port",
        "ovs-interface",
        "ovs-dpdk",
        "ovs-patch",
        "ovs-external-ids",
        "dummy",
        "generic",
        "gsm",
        "serial",
        "802-11-wireless-security",
        "vpn",
        "vpn-secrets",
        "wireguard",
        "loopback",
        "prefix-delegation",
        "macsec",
        "hsr",
        "main",
        "keyfile",
        "device",
        "logging",
        "ifupdown",
        "connectivity",
        "global-dns",
        "ipvlan",
    ],
    begins: &["connection"],
    names: &["connection.interface-name", "connection.id"],
};

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    ini_lines::section(&DIALECT, t).is_some()
        && lines.get(i + 1).is_some_and(|l| {
            let next = l.trimmed();
            ini_lines::pair(next).is_some()
                || (next.is_empty() && matches!(t, "[proxy]" | "[ethernet]" | "[ipv4]" | "[ipv6]"))
        })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    ini_lines::read(&DIALECT, cursor, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    #[test]
    fn a_bond_profile() {
        let text = "[connection]\nid=bond0\nuuid=0c1e\ntype=bond\ninterface-name=nm-bond\n\n[bond]\nlacp_rate=1\nmiimon=100\nmode=802.3ad\n\n[ipv4]\nmethod=auto\n\n[proxy]\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let Some(What::Config(f)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!((f.dev.as_deref(), f.text("bond.mode")), (Some("nm-bond"), Some("802.3ad")));
    }
}
