//! Open vSwitch: `ovs-appctl bond/show` and `bond/list`.
//!
//! Printed by `bond_print_details()` and `bond_unixctl_list()` in `ofproto/bond.c`, 2.0 to 3.4 (`slave` became
//! `member` in 2.15). `Bonding Mode`, `MII Status` (from `enabled`/`disabled`), `Up Delay (ms)`, `Down Delay (ms)`
//! and `Currently Active Slave` have the names of `/proc/net/bonding`; the rest keeps its own.

use super::{Cursor, Format, Out};
use crate::evidence::{Aggregator, Bond, BondMember, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ovs-bond-show";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    let follows = |keys: &[&str]| {
        (1..=2).any(|n| lines.get(i + n).is_some_and(|l| keys.iter().any(|k| l.trimmed().starts_with(k))))
    };
    (heading(t).is_some() && follows(&["bond_mode:", "bond may use recirculation:"]))
        || (t.starts_with("bond_mode: ") && t.split_whitespace().count() == 2)
        || list_heading(t)
        || (member(t).is_some() && follows(&["may_enable:", "active slave", "active member"]))
}

fn list_heading(t: &str) -> bool {
    if !t.starts_with("bond") {
        return false;
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    matches!(
        words.as_slice(),
        ["bond", "type", "slaves" | "members"] | ["bond", "type", "recircID", "slaves" | "members"]
    )
}

/// `---- bond0 ----`.
pub(super) fn heading(t: &str) -> Option<&str> {
    t.strip_prefix("---- ")?
        .strip_suffix(" ----")
        .filter(|n| !n.is_empty() && n.split_whitespace().count() <= 2)
}

/// `slave eth0: enabled`, `member eth0: disabled`.
pub(super) fn member(t: &str) -> Option<(&str, &str)> {
    let rest = t
        .strip_prefix("slave: ")
        .or_else(|| t.strip_prefix("member: "))
        .or_else(|| t.strip_prefix("slave "))
        .or_else(|| t.strip_prefix("member "))?;
    let (name, state) = rest.split_once(':')?;
    (!name.contains(char::is_whitespace)).then_some((name, state.trim()))
}

/// Keys of the bond and of a member, as any version prints them.
const KEYS: &[&str] = &[
    "bond_mode",
    "bond-hash-algorithm",
    "bond-hash-basis",
    "bond may use recirculation",
    "lb_output action",
    "updelay",
    "downdelay",
    "next rebalance",
    "lacp_status",
    "lacp_fallback_ab",
    "active slave mac",
    "active member mac",
    "active-backup primary",
    "may_enable",
    "hash",
    "load",
    "bond-detect-mode",
    "bond-miimon-interval",
    "all members active",
    "bond_lacp",
    "lacp",
    "recirc_id",
    "use_lb_output_action",
];

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    if cursor.peek().is_some_and(|l| list_heading(l.trimmed())) {
        list(cursor, out);
        return;
    }
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
        if let Some(name) = heading(t) {
            if begun {
                break;
            }
            bond.name = Some(name.to_owned());
            bond.fields.push("name", name, line.cite());
        } else if let Some((name, state)) = member(t) {
            let fields = Fields::new(ID, Some(name.to_owned()));
            let (actor, partner) = (fields.clone(), fields.clone());
            let mut m = BondMember { name: name.to_owned(), at: line.cite(), fields, actor, partner };
            m.fields.push("MII Status", if state == "enabled" { "up" } else { "down" }, line.cite());
            m.fields.push("state", state, line.cite());
            bond.members.push(m);
        } else if let (Some(m), true) =
            (bond.members.last_mut(), matches!(t, "active slave" | "active member"))
        {
            m.fields.push("active", "yes", line.cite());
            let name = m.name.clone();
            bond.fields.push("Currently Active Slave", name, line.cite());
        } else if let Some((key, value)) = t.split_once(':') {
            let key = key.trim();
            let hash = key.strip_prefix("hash ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
            let known = hash || KEYS.contains(&key);
            if begun && !known && after_blank {
                break;
            }
            let name = match key {
                "bond_mode" => "Bonding Mode",
                "updelay" => "Up Delay (ms)",
                "downdelay" => "Down Delay (ms)",
                other => other,
            };
            let per_member = hash || matches!(key, "may_enable" | "load");
            match bond.members.last_mut() {
                Some(m) if per_member => m.fields.push(name, value.trim(), line.cite()),
                _ => bond.fields.push(name, value.trim(), line.cite()),
            }
            if !known {
                out.not_understood(line);
                cursor.next();
                end = line.cite();
                continue;
            }
        } else if after_blank {
            break;
        } else {
            out.not_understood(line);
            cursor.next();
            continue;
        }
        out.typed(line);
        (begun, after_blank, end) = (true, false, line.cite());
        cursor.next();
    }
    out.record(start.to(end), None, What::Bond(bond));
}

/// `bond type recircID members`, one bond per line.
fn list(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(head) = cursor.next() else { return };
    out.typed(head);
    let columns: Vec<&str> = head.text.split_whitespace().collect();
    let mut table = Fields::new(ID, None);
    table.push("columns", columns.join(" "), head.cite());
    out.record(head.cite(), None, What::Fields(table));
    while let Some(line) = cursor.peek() {
        let words: Vec<&str> = line.text.split_whitespace().collect();
        let modes = ["balance-slb", "balance-tcp", "active-backup"];
        let (Some(name), Some(mode)) = (words.first(), words.get(1)) else { break };
        if !modes.contains(mode) {
            break;
        }
        cursor.next();
        out.typed(line);
        let mut bond = Bond {
            source: ID,
            name: Some((*name).to_owned()),
            aggregator: Aggregator::Ovs,
            fields: Fields::new(ID, Some((*name).to_owned())),
            members: Vec::new(),
        };
        bond.fields.push("Bonding Mode", *mode, line.cite());
        let mut rest = words.iter().skip(2).copied().collect::<Vec<_>>();
        if columns.get(2) == Some(&"recircID") && !rest.is_empty() {
            bond.fields.push("recircID", rest.remove(0), line.cite());
        }
        for name in rest.iter().map(|n| n.trim_end_matches(',')).filter(|n| !n.is_empty()) {
            let fields = Fields::new(ID, Some(name.to_owned()));
            let (actor, partner) = (fields.clone(), fields.clone());
            bond.members.push(BondMember { name: name.to_owned(), at: line.cite(), fields, actor, partner });
        }
        out.record(line.cite(), None, What::Bond(bond));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn two_bonds_old_and_new_words() {
        let text = "---- bond0 ----\nbond_mode: balance-tcp\nbond may use recirculation: yes, Recirc-ID : 1\nbond-hash-basis: 0\nupdelay: 0 ms\ndowndelay: 200 ms\nnext rebalance: 4329 ms\nlacp_status: negotiated\nactive slave mac: 02:00:00:00:11:02(eth1)\n\nslave eth0: enabled\n\tmay_enable: true\n\thash 23: 7 kB load\n\nslave eth1: disabled\n\tmay_enable: false\n\n---- bond1 ----\nbond_mode: active-backup\nactive-backup primary: <none>\nmember eth2: enabled\n  active member\n  may_enable: true\n";
        let parsed = parse_text_with(FileId(0), "ovs", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty());
        let bonds: Vec<Bond> = parsed
            .records
            .into_iter()
            .filter_map(|r| if let What::Bond(b) = r.what { Some(b) } else { None })
            .collect();
        let [a, b] = bonds.as_slice() else { panic!("{bonds:?}") };
        assert_eq!((a.name.as_deref(), a.fields.text("Bonding Mode")), (Some("bond0"), Some("balance-tcp")));
        assert_eq!(
            (a.fields.text("lacp_status"), a.fields.int("Down Delay (ms)")),
            (Some("negotiated"), Some(200))
        );
        assert_eq!(a.members[0].fields.text("MII Status"), Some("up"));
        assert_eq!(a.members[1].fields.text("MII Status"), Some("down"));
        assert_eq!(a.members[0].fields.text("hash 23"), Some("7 kB load"));
        assert_eq!(b.fields.text("Currently Active Slave"), Some("eth2"));
    }
}
