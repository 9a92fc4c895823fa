//! `/etc/network/interfaces` and its parts: ifupdown (Debian), ifupdown2 (Cumulus, Proxmox), ifupdown-ng.
//!
//! Syntax: `interfaces(5)`. Every `iface` stanza is a [`What::Config`] with `family`, `method` and the options under
//! their own names (`bond-mode`, `bond-slaves`, ...); `auto` and `allow-hotplug` lines are records of their own, one per
//! interface; comments and `source` lines are kept in one record for the file.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ifupdown";

const FAMILIES: &[&str] = &["inet", "inet6", "can", "ipx", "x25", "ieee802154"];

/// Options, or beginnings of options (with `-` or `_` at the end).
const OPTIONS: &[&str] = &[
    "address",
    "netmask",
    "gateway",
    "broadcast",
    "network",
    "metric",
    "pointopoint",
    "hwaddress",
    "hwaddr",
    "mtu",
    "scope",
    "pre-up",
    "up",
    "post-up",
    "pre-down",
    "down",
    "post-down",
    "bond-",
    "bond_",
    "bridge-",
    "bridge_",
    "dns-",
    "dns_",
    "vlan",
    "vlan-",
    "vlan_",
    "ovs_",
    "mstpctl-",
    "vrf",
    "vrf-",
    "vxlan-",
    "accept_ra",
    "accept-",
    "autoconf",
    "privext",
    "dad-",
    "link-",
    "ethernet-",
    "offload-",
    "hardware-",
    "alias",
    "description",
    "wpa-",
    "wireless-",
    "slaves",
    "client",
    "hostname",
    "leasehours",
    "leasetime",
    "vendor",
    "provider",
    "ttl",
    "mode",
    "endpoint",
    "local",
    "gro-",
    "gso-",
    "tso-",
    "tx-",
    "rx-",
    "ethtool-",
    "requires",
    "use",
    "inherits",
    "clag-",
    "clagd-",
    "ip-forward",
    "ip6-forward",
    "multicast",
    "txqueuelen",
    "arp-",
    "preferred-lifetime",
    "request_prefix",
    "media",
    "tunnel-",
    "allow-",
    "speed",
    "duplex",
    "macvlan-",
    "batman-",
    "team-",
    "team_",
    "es-",
    "preup",
    "ipv6-addrgen",
    "hw-",
    "mac",
    "virtual-",
    "stp",
    "autoneg",
    "port-",
    "pre_up",
    "post_up",
    "raw",
    "flags",
    "veth-",
    "dummy-",
    "wireguard-",
    "rename",
    "nodad",
    "ipv4",
    "ipv6",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    // Cutting a line into words costs more than to see that it cannot begin a stanza.
    if !["iface", "auto", "allow-", "no-auto-down", "source", "bond", "# This file"]
        .iter()
        .any(|w| t.starts_with(w))
    {
        return false;
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    match words.as_slice() {
        ["iface", name, "inherits", _] => is_name(name),
        ["iface", name, family, _] => is_name(name) && FAMILIES.contains(family),
        ["iface", name] => is_name(name) && lines.get(i + 1).is_some_and(|l| option(l.trimmed()).is_some()),
        ["auto", names @ ..] | ["allow-hotplug" | "allow-auto" | "no-auto-down", names @ ..]
            if !names.is_empty() =>
        {
            names.iter().all(|n| is_name(n))
                && (names == ["lo"]
                    || (1..=3).any(|n| {
                        lines.get(i + n).is_some_and(|l| {
                            let mut words = l.trimmed().split_whitespace();
                            words.next() == Some("iface") && words.next().is_some_and(|w| names.contains(&w))
                        })
                    }))
        }
        ["source" | "source-directory", path, ..] => {
            path.contains("/etc/network/") || path.starts_with("interfaces.d/")
        }
        [
            "bond-mode" | "bond_mode" | "bond-slaves" | "bond_slaves" | "bond-master" | "bond_master",
            value,
            ..,
        ] => value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')),
        _ => t.starts_with("# This file describes the network interfaces"),
    }
}

/// Interface names here may also be patterns and Proxmox names.
fn is_name(name: &str) -> bool {
    is_ifname(name) || name.starts_with('/') || name.contains('*')
}

fn option(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once(char::is_whitespace).unwrap_or((t, ""));
    let known =
        OPTIONS.iter().any(|o| key == *o || ((o.ends_with('-') || o.ends_with('_')) && key.starts_with(o)));
    known.then_some((key, value.trim()))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut rest = Fields::new(ID, None);
    let mut stanza: Option<(Citation, Fields)> = None;
    let mut continued = false;
    let flush = |stanza: Option<(Citation, Fields)>, out: &mut Out| {
        if let Some((at, fields)) = stanza {
            let last = fields.entries.last().map_or(at, |f| f.at);
            out.record(at.to(last), None, What::Config(fields));
        }
    };
    let mut after_blank = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        let words: Vec<&str> = t.split_whitespace().collect();
        if continued {
            // The line before ended with a backslash.
            if let Some(f) = stanza.as_mut().and_then(|(_, f)| f.entries.last_mut()) {
                f.value = format!("{} {}", f.value.trim_end_matches('\\').trim_end(), t);
                f.at = f.at.to(line.cite());
            } else {
                rest.push("continued", t, line.cite());
            }
            out.typed(line);
        } else {
            match words.as_slice() {
                [first, ..] if first.starts_with('#') => {
                    rest.push("comment", t, line.cite());
                    out.typed(line);
                }
                ["iface", name, more @ ..] if is_name(name) => {
                    flush(stanza.take(), out);
                    let mut fields = Fields::new(ID, Some((*name).to_owned()));
                    match more {
                        [family, method, ..] if FAMILIES.contains(family) => {
                            fields.push("family", *family, line.cite());
                            fields.push("method", *method, line.cite());
                        }
                        ["inherits", from, ..] => fields.push("inherits", *from, line.cite()),
                        _ => fields.push("iface", more.join(" "), line.cite()),
                    }
                    stanza = Some((line.cite(), fields));
                    out.typed(line);
                }
                [key @ ("auto" | "no-auto-down" | "no-scripts" | "mapping" | "template"), names @ ..]
                    if names.iter().all(|n| is_name(n)) =>
                {
                    flush(stanza.take(), out);
                    starts(key, names, line, out);
                }
                [key, names @ ..]
                    if key.starts_with("allow-")
                        && !names.is_empty()
                        && names.iter().all(|n| is_name(n))
                        && line.indent() == 0 =>
                {
                    // In Open vSwitch's stanzas `allow-ovs br0` stands at the left edge too.
                    flush(stanza.take(), out);
                    starts(key, names, line, out);
                }
                [key @ ("source" | "source-directory" | "rename" | "script" | "map"), path @ ..] => {
                    rest.push(*key, path.join(" "), line.cite());
                    out.typed(line);
                }
                _ => {
                    let known = option(t);
                    if known.is_none() && (line.indent() == 0 || after_blank) {
                        break;
                    }
                    let (key, value) = t.split_once(char::is_whitespace).unwrap_or((t, ""));
                    let (_, fields) =
                        stanza.get_or_insert_with(|| (line.cite(), Fields::new(ID, out.hints.dev.clone())));
                    fields.push(key, value.trim(), line.cite());
                    if known.is_some() { out.typed(line) } else { out.not_understood(line) }
                }
            }
        }
        continued = t.ends_with('\\');
        after_blank = false;
        cursor.next();
    }
    flush(stanza, out);
    if let (Some(first), Some(last)) = (rest.entries.first().map(|f| f.at), rest.entries.last().map(|f| f.at))
    {
        out.record(first.to(last), None, What::Config(rest));
    }
}

fn starts(key: &str, names: &[&str], line: &Line<'_>, out: &mut Out) {
    for name in names {
        let mut fields = Fields::new(ID, Some((*name).to_owned()));
        fields.push(key, "yes", line.cite());
        out.record(line.cite(), None, What::Config(fields));
    }
    out.typed(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn stanzas() {
        let text = "# This file describes the network interfaces\nsource /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n\nauto bond0\niface bond0 inet static\n\taddress 10.0.0.2/24\n\tbond-slaves eno1 eno2\n\tbond-mode 802.3ad\n\tbond-miimon 100\n\tpost-up ip route add 10.1.0.0/16 \\\n\t\tvia 10.0.0.1\n\nauto vmbr0\niface vmbr0\n    bridge-ports bond0\n";
        let parsed = parse_text_with(FileId(0), "etc/network/interfaces", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let bond = parsed.records.iter().find_map(|r| match &r.what {
            What::Config(f) if f.dev.as_deref() == Some("bond0") && f.get("method").is_some() => Some(f),
            _ => None,
        });
        let Some(bond) = bond else { panic!("{parsed:?}") };
        assert_eq!((bond.text("bond-mode"), bond.text("bond-slaves")), (Some("802.3ad"), Some("eno1 eno2")));
        assert_eq!(bond.text("post-up"), Some("ip route add 10.1.0.0/16 via 10.0.0.1"));
    }

    #[test]
    fn prose_is_left_alone() {
        for text in [
            "auto negotiation is on",
            "iface went down",
            "source of the problem",
            "bond-mode is what I changed, twice",
        ] {
            let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert!(parsed.recognised.is_empty() || text.starts_with("bond-mode is"), "{text}");
        }
    }
}
