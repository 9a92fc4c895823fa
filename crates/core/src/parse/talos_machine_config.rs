//! Machine configuration of Talos Linux: the network section of v1alpha1 (`machine.network.interfaces[].bond`) and the
//! documents of Talos 1.10 and later (`kind: BondConfig`).
//!
//! Keys are dotted paths as in the file; the interface is that of the first `interface` or `name`.

use super::yaml_lines::{Reader, split};
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "talos-machine-config";

const KNOWN: &[&str] = &[
    "version",
    "debug",
    "persist",
    "machine",
    "cluster",
    "network",
    "interfaces",
    "bond",
    "interface",
    "deviceSelector",
    "deviceSelectors",
    "mode",
    "lacpRate",
    "xmitHashPolicy",
    "miimon",
    "updelay",
    "downdelay",
    "adSelect",
    "adActorSysPrio",
    "adUserPortKey",
    "minLinks",
    "dhcp",
    "dhcpOptions",
    "addresses",
    "routes",
    "vlans",
    "mtu",
    "apiVersion",
    "kind",
    "name",
    "links",
    "bondMode",
    "up",
    "gateway",
    "vip",
    "hostname",
    "nameservers",
    "hardwareAddr",
    "busPath",
    "driver",
    "ignore",
];

/// Kinds of the network documents.
const KINDS: &[&str] =
    &["BondConfig", "LinkConfig", "VLANConfig", "DummyLinkConfig", "LinkAliasConfig", "BridgeConfig"];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let pair = |n: usize| {
        lines.get(i + n).and_then(|l| {
            let t = l.trimmed();
            split(t.strip_prefix("- ").unwrap_or(t))
        })
    };
    let follows = |keys: &[&str]| (1..=3).any(|n| pair(n).is_some_and(|(k, _)| keys.contains(&k)));
    match pair(0) {
        Some(("machine", "")) => follows(&["type", "network", "kubelet", "install", "token"]),
        Some(("version", "v1alpha1")) => follows(&["machine", "debug", "persist"]),
        Some(("apiVersion", "v1alpha1")) => {
            pair(1).is_some_and(|(k, v)| k == "kind" && KINDS.contains(&v.trim()))
        }
        Some(("network", "")) => (1..=3).any(|n| {
            pair(n) == Some(("interfaces", ""))
                && pair(n + 1).is_some_and(|(k, _)| matches!(k, "interface" | "deviceSelector"))
        }),
        Some(("bond", "")) => {
            follows(&["lacpRate", "xmitHashPolicy", "deviceSelectors", "miimon"])
                || (follows(&["mode"]) && follows(&["interfaces"]))
        }
        Some(("interface", name)) => {
            lines.get(i).is_some_and(|l| l.trimmed().starts_with("- "))
                && !name.is_empty()
                && follows(&["bond", "dhcp", "addresses", "vlans", "mtu"])
        }
        _ => false,
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut reader = Reader::new(Fields::new(ID, None));
    let known = |k: &str| KNOWN.contains(&k);
    let taken = reader.read(cursor, &known);
    for line in &taken {
        out.typed(line);
    }
    let (Some(first), Some(last)) = (taken.first(), taken.last()) else { return };
    let mut fields = reader.fields;
    fields.dev = fields
        .entries
        .iter()
        .find(|f| f.key.ends_with("interface") || f.key == "name")
        .map(|f| f.value.clone())
        .or_else(|| out.hints.dev.clone());
    out.record(first.cite().to(last.cite()), None, What::Config(fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn old_and_new_documents() {
        let text = "machine:\n  type: worker\n  network:\n    interfaces:\n      - interface: bond0\n        bond:\n          mode: 802.3ad\n          lacpRate: fast\n          interfaces:\n            - enp1s0f0\n            - enp1s0f1\n";
        let new =
            "apiVersion: v1alpha1\nkind: BondConfig\nname: bond1\nlinks:\n  - enp1s0\nbondMode: 802.3ad\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.unrecognised.is_empty(), "{parsed:?}");
        let Some(What::Config(f)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!(f.dev.as_deref(), Some("bond0"));
        assert_eq!(f.text("machine.network.interfaces.0.bond.lacpRate"), Some("fast"));
        let parsed = parse_text_with(FileId(0), "x", new.as_bytes(), &[FORMAT]);
        let Some(What::Config(f)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!((f.dev.as_deref(), f.text("bondMode")), (Some("bond1"), Some("802.3ad")));
    }
}
