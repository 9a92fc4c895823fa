//! nmstate's YAML: `nmstatectl show`, desired states, and the bodies of `NodeNetworkConfigurationPolicy`.
//!
//! Keys are dotted paths: `interfaces.0.link-aggregation.mode`.

use super::yaml_lines::{Reader, split};
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "nmstate";

const KNOWN: &[&str] = &[
    "interfaces",
    "dns-resolver",
    "routes",
    "route-rules",
    "hostname",
    "desiredState",
    "spec",
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "type",
    "state",
    "ipv4",
    "ipv6",
    "link-aggregation",
    "mode",
    "port",
    "options",
    "mtu",
    "ovs-db",
    "capture",
    "status",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let pair = |n: usize| {
        lines.get(i + n).and_then(|l| {
            let t = l.trimmed();
            split(t.strip_prefix("- ").unwrap_or(t))
        })
    };
    let item = |n: usize| lines.get(i + n).is_some_and(|l| l.trimmed().starts_with("- "));
    match pair(0) {
        Some(("interfaces", "")) => {
            item(1)
                && (1..=3)
                    .any(|n| pair(n).is_some_and(|(k, _)| matches!(k, "type" | "state" | "profile-name")))
        }
        Some(("link-aggregation", "")) => {
            (1..=3).any(|n| pair(n).is_some_and(|(k, _)| matches!(k, "mode" | "port" | "options")))
        }
        Some(("desiredState", "")) => pair(1) == Some(("interfaces", "")),
        Some(("dns-resolver", "")) => pair(1).is_some_and(|(k, _)| matches!(k, "config" | "running")),
        _ => false,
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut reader = Reader::new(Fields::new(ID, out.hints.dev.clone()));
    let known = |k: &str| KNOWN.contains(&k);
    let taken = reader.read(cursor, &known);
    for line in &taken {
        out.typed(line);
    }
    let (Some(first), Some(last)) = (taken.first(), taken.last()) else { return };
    out.record(first.cite().to(last.cite()), None, What::Config(reader.fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn link_aggregation() {
        let text = "interfaces:\n- name: bond0\n  type: bond\n  state: up\n  link-aggregation:\n    mode: 802.3ad\n    port:\n    - eth1\n    - eth2\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.unrecognised.is_empty(), "{parsed:?}");
        let Some(What::Config(f)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!(f.text("interfaces.0.link-aggregation.mode"), Some("802.3ad"));
    }
}
