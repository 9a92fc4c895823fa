//! Neighbours by LLDP: `lldpctl`/`lldpcli show neighbors` (lldpd 0.7 to 1.0), and the table of `networkctl lldp`.
//!
//! One record per neighbour; `dev` is the local interface; keys are lldpd's words with their heading (`Chassis.SysName`,
//! `Port.PortID`).

use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "lldp";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    t == "LLDP neighbors:"
        || interface(t).is_some()
        || table(t)
        || (t == "Chassis:" && lines.get(i + 1).is_some_and(|l| l.trimmed().starts_with("ChassisID:")))
}

/// `Interface:    eth0, via: LLDP, RID: 1, Time: 0 day, 00:12:34`.
fn interface(t: &str) -> Option<(&str, &str)> {
    let rest = t.strip_prefix("Interface:")?.trim();
    let (name, rest) = rest.split_once(',')?;
    rest.contains("via:").then_some((name.trim(), rest.trim()))
}

fn table(t: &str) -> bool {
    let words: Vec<&str> = t.split_whitespace().collect();
    matches!(
        words.as_slice(),
        ["LINK", "CHASSIS", "ID", ..]
            | ["LINK", "CHASSIS-ID", ..]
            | ["LINK", "SYSTEM-NAME", ..]
            | ["LINK", "SYSTEM", "NAME", ..]
    )
}

const KEYS: &[&str] = &[
    "ChassisID",
    "SysName",
    "SysDescr",
    "MgmtIP",
    "MgmtIface",
    "Capability",
    "PortID",
    "PortDescr",
    "TTL",
    "PMD autoneg",
    "Adv",
    "MAU oper type",
    "MFS",
    "Port is aggregated",
    "PortAggregID",
    "VLAN",
    "PPVID",
    "PI",
    "Device Type",
    "Power",
    "MDI Power",
    "UnknownTLV",
    "TLV",
    "Link aggregation",
    "Software Revision",
    "Firmware Revision",
    "Serial Number",
    "Manufacturer",
    "Model",
    "Hardware Revision",
    "PVID",
    "Aggregation",
    "Name",
    "MED",
    "Asset ID",
    "LLDP-MED Network Policy for",
    "AppType",
    "Defined",
    "Priority",
    "DSCP value",
    "LLDP-MED Device Type",
    "Extended Power-over-Ethernet",
];

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut open: Option<(Citation, Fields)> = None;
    let mut heading = String::new();
    let mut in_table = false;
    let emit = |open: Option<(Citation, Fields)>, out: &mut Out| {
        if let Some((at, fields)) = open {
            let last = fields.entries.last().map_or(at, |f| f.at);
            out.record(at.to(last), None, What::Fields(fields));
        }
    };
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            in_table = false;
            continue;
        }
        let t = line.trimmed();
        let words: Vec<&str> = t.split_whitespace().collect();
        if let Some((name, rest)) = interface(t) {
            emit(open.take(), out);
            let mut fields = Fields::new(ID, Some(name.to_owned()));
            fields.push("interface", rest, line.cite());
            open = Some((line.cite(), fields));
            heading.clear();
        } else if t == "LLDP neighbors:" || table(t) {
            in_table = table(t);
            let mut fields = Fields::new(ID, None);
            fields.push("heading", t, line.cite());
            out.record(line.cite(), None, What::Fields(fields));
        } else if in_table && words.len() >= 3 && words.first().is_some_and(|w| is_ifname(w)) {
            let mut fields = Fields::new(ID, words.first().map(|w| (*w).to_owned()));
            fields.push("neighbour", words.get(1..).unwrap_or_default().join(" "), line.cite());
            out.record(line.cite(), None, What::Fields(fields));
        } else if t.contains("neighbor(s) listed")
            || t.starts_with("Capability Flags:")
            || (t.len() < 60 && t.contains(" - ") && words.first().is_some_and(|w| w.len() == 1))
        {
            let mut fields = Fields::new(ID, None);
            fields.push("legend", t, line.cite());
            out.record(line.cite(), None, What::Fields(fields));
        } else if let Some((key, value)) = t.split_once(':') {
            let key = key.trim();
            let (_, fields) =
                open.get_or_insert_with(|| (line.cite(), Fields::new(ID, out.hints.dev.clone())));
            if value.trim().is_empty()
                && matches!(key, "Chassis" | "Port" | "LLDP-MED" | "Unknown TLVs" | "Custom TLV")
            {
                key.clone_into(&mut heading);
            } else if !KEYS.iter().any(|k| key.starts_with(k)) {
                break;
            }
            let key = if heading.is_empty() || heading == key {
                key.to_owned()
            } else {
                format!("{heading}.{key}")
            };
            fields.push(key, value.trim(), line.cite());
        } else if open.is_some() && line.indent() >= 10 {
            // The description of a system runs over several lines.
            if let Some((_, fields)) = open.as_mut() {
                fields.push(format!("{heading}.SysDescr"), t, line.cite());
            }
        } else {
            break;
        }
        out.typed(line);
        cursor.next();
    }
    emit(open.filter(|(_, f)| !f.entries.is_empty()), out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn lldpctl() {
        let text = "-------------------------------------------------------------------------------\nLLDP neighbors:\n-------------------------------------------------------------------------------\nInterface:    eno1, via: LLDP, RID: 1, Time: 0 day, 00:12:34\n  Chassis:\n    ChassisID:    mac 02:00:00:00:22:01\n    SysName:      sw1\n    Capability:   Bridge, on\n  Port:\n    PortID:       ifname Ethernet1/1\n    Port is aggregated. PortAggregID: 5\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.unrecognised.is_empty(), "{parsed:?}");
        let f = parsed.records.iter().find_map(|r| match &r.what {
            What::Fields(f) if f.dev.as_deref() == Some("eno1") => Some(f),
            _ => None,
        });
        assert_eq!(f.and_then(|f| f.text("Chassis.SysName")), Some("sw1"));
        assert_eq!(f.and_then(|f| f.text("Port.PortID")), Some("ifname Ethernet1/1"));
    }
}
