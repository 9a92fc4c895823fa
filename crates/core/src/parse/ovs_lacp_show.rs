//! Open vSwitch: `ovs-appctl lacp/show` and `lacp/show-stats`.
//!
//! Printed by `lacp_print_details()` and `lacp_print_stats()` in `lib/lacp.c`, 1.10 to 3.4. The names are those of
//! `/proc/net/bonding`: `LACP active`, `LACP rate`, `System MAC address`, `System priority`, `Actor Key`; per member
//! `state` (`current`, `expired`, `defaulted`), `selected` (`attached` is yes, `detached` no), and in `actor` and
//! `partner` `system mac address`, `system priority`, `port number`, `port priority`, `port key` or `oper key`,
//! `port state` (decimal).

use super::ovs_bond_show::{heading, member};
use super::{Cursor, Format, Out};
use crate::evidence::{Aggregator, Bond, BondMember, Fields, Line, What};
use lacp::PortState;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ovs-lacp-show";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    let follows = |keys: &[&str]| {
        (1..=3).any(|n| lines.get(i + n).is_some_and(|l| keys.iter().any(|k| l.trimmed().starts_with(k))))
    };
    if let Some(name) = heading(t) {
        return name.ends_with(" statistics")
            || follows(&["sys_id:", "status: active", "status: passive", "status: off", "aggregation key:"]);
    }
    (t.starts_with("status: ") && follows(&["sys_id:"]))
        || (member(t).is_some() && follows(&["port_id:", "TX PDUs:", "RX PDUs:"]))
        || (t.starts_with("actor sys_id: ") && follows(&["actor sys_priority:", "actor port_id:"]))
}

const BOND: &[(&str, &str)] = &[
    ("status", "status"),
    ("sys_id", "System MAC address"),
    ("sys_priority", "System priority"),
    ("aggregation key", "Actor Key"),
    ("lacp_time", "LACP rate"),
    ("fallback_ab", "lacp_fallback_ab"),
];

const MEMBER: &[&str] = &[
    "port_id",
    "port_priority",
    "may_enable",
    "TX PDUs",
    "RX PDUs",
    "RX Bad PDUs",
    "RX Marker Request PDUs",
    "Link Expired",
    "Link Defaulted",
    "Carrier Status Changed",
];

const SIDE: &[(&str, &str)] = &[
    ("sys_id", "system mac address"),
    ("sys_priority", "system priority"),
    ("port_id", "port number"),
    ("port_priority", "port priority"),
    ("key", "key"),
    ("state", "port state"),
];

/// `activity timeout aggregation synchronized collecting distributing defaulted expired`.
fn state(words: &str) -> Option<PortState> {
    let mut state = PortState::empty();
    for word in words.split_whitespace() {
        state |= match word {
            "activity" => PortState::ACTIVITY,
            "timeout" => PortState::TIMEOUT,
            "aggregation" => PortState::AGGREGATION,
            "synchronized" => PortState::SYNCHRONIZATION,
            "collecting" => PortState::COLLECTING,
            "distributing" => PortState::DISTRIBUTING,
            "defaulted" => PortState::DEFAULTED,
            "expired" => PortState::EXPIRED,
            _ => return None,
        };
    }
    Some(state)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(start) = cursor.peek().map(Line::cite) else { return };
    let mut end = start;
    let mut bond = Bond {
        source: ID,
        name: out.hints.dev.clone(),
        aggregator: Aggregator::Ovs,
        fields: Fields::new(ID, None),
        members: Vec::new(),
    };
    let mut begun = false;
    let mut after_blank = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        let mut understood = true;
        if let Some(name) = heading(t) {
            if begun {
                break;
            }
            let name = name.trim_end_matches(" statistics");
            bond.name = Some(name.to_owned());
            bond.fields.push("name", name, line.cite());
        } else if let Some((name, words)) = member(t) {
            let fields = Fields::new(ID, Some(name.to_owned()));
            let (actor, partner) = (fields.clone(), fields.clone());
            let mut m = BondMember { name: name.to_owned(), at: line.cite(), fields, actor, partner };
            let mut words = words.split_whitespace();
            if let Some(state) = words.next() {
                m.fields.push("state", state, line.cite());
            }
            if let Some(attached) = words.next() {
                m.fields.push("selected", if attached == "attached" { "yes" } else { "no" }, line.cite());
            }
            bond.members.push(m);
        } else if let Some((key, value)) = t.split_once(':') {
            let (key, value) = (key.trim(), value.trim());
            understood = match bond.members.last_mut() {
                None => bond_field(&mut bond.fields, key, value, line),
                Some(m) => member_field(m, key, value, line),
            };
            if !understood && after_blank {
                break;
            }
            if !understood {
                bond.fields.push(key, value, line.cite());
            }
        } else if after_blank {
            break;
        } else {
            understood = false;
        }
        if understood {
            out.typed(line)
        } else {
            out.not_understood(line)
        }
        (begun, after_blank, end) = (true, false, line.cite());
        cursor.next();
    }
    out.record(start.to(end), None, What::Bond(bond));
}

fn bond_field(fields: &mut Fields, key: &str, value: &str, line: &Line<'_>) -> bool {
    let Some((_, name)) = BOND.iter().find(|(k, _)| *k == key) else { return false };
    fields.push(*name, value, line.cite());
    if key == "status" {
        let active = value.split_whitespace().next() == Some("active");
        fields.push("LACP active", if active { "on" } else { "off" }, line.cite());
    }
    true
}

fn member_field(m: &mut BondMember, key: &str, value: &str, line: &Line<'_>) -> bool {
    let side = key
        .strip_prefix("actor ")
        .map(|k| (true, k))
        .or_else(|| key.strip_prefix("partner ").map(|k| (false, k)));
    let Some((actor, key)) = side else {
        if !MEMBER.contains(&key) {
            return false;
        }
        m.fields.push(key, value, line.cite());
        return true;
    };
    let Some((_, name)) = SIDE.iter().find(|(k, _)| *k == key) else { return false };
    let target = if actor { &mut m.actor } else { &mut m.partner };
    match *name {
        "key" => target.push(if actor { "port key" } else { "oper key" }, value, line.cite()),
        "port state" => match state(value) {
            Some(s) => target.push("port state", s.bits().to_string(), line.cite()),
            None => return false,
        },
        name => target.push(name, value, line.cite()),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn both_sides_of_a_member() {
        let text = "---- bond0 ----\n\tstatus: active negotiated\n\tsys_id: 02:00:00:00:11:01\n\tsys_priority: 65534\n\taggregation key: 1\n\tlacp_time: fast\n\nslave: eth0: current attached\n\tport_id: 2\n\tport_priority: 65535\n\tmay_enable: true\n\n\tactor sys_id: 02:00:00:00:11:01\n\tactor key: 1\n\tactor state: activity timeout aggregation synchronized collecting distributing\n\n\tpartner sys_id: 02:00:00:00:22:01\n\tpartner key: 17\n\tpartner state: activity aggregation\n\nmember: eth1: defaulted detached\n\tport_id: 3\n\tactor state: activity aggregation defaulted\n";
        let parsed = parse_text_with(FileId(0), "ovs", text.as_bytes(), &[FORMAT]);
        assert!(
            parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(),
            "{:?}",
            parsed.not_understood
        );
        let Some(What::Bond(b)) = parsed.records.into_iter().map(|r| r.what).next() else { panic!() };
        assert_eq!((b.name.as_deref(), b.fields.text("LACP rate")), (Some("bond0"), Some("fast")));
        assert_eq!(b.fields.text("LACP active"), Some("on"));
        let [one, two] = b.members.as_slice() else { panic!() };
        assert_eq!((one.actor.int("port state"), one.partner.int("port state")), (Some(0x3f), Some(5)));
        assert_eq!((one.actor.int("port key"), one.partner.int("oper key")), (Some(1), Some(17)));
        assert_eq!((two.fields.text("state"), two.fields.text("selected")), (Some("defaulted"), Some("no")));
        assert_eq!(two.actor.int("port state"), Some(0x45));
    }
}
