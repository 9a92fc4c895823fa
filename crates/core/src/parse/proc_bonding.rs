//! `/proc/net/bonding/<bond>`: every mode, kernel generation and privilege level.
//!
//! Format: `bond_info_show_master()` and `bond_info_show_slave()` in `drivers/net/bonding/bond_procfs.c`, 6.12.107 and
//! 6.1.176 (identical), and the older forms seen in the wild. Without `CAP_NET_ADMIN` the kernel leaves out the
//! aggregator block and the PDU details; that is recorded as the absence of those fields, not as an error.
//! The series that `poll.py`-like loops write (`@@ epoch`, then `-[member] line` and `+[member] line`) is read
//! as one snapshot per change.

use super::{Cursor, Format, Out};
use crate::evidence::{Aggregator, Bond, BondMember, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-net-bonding";

/// Bond-wide keys that begin a block where the banner was cut off.
const FIRST: &[&str] = &["Bonding Mode:", "Transmit Hash Policy:"];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    t.starts_with("Ethernet Channel Bonding Driver:")
        || FIRST.iter().any(|k| t.starts_with(k))
        || (t.starts_with("Slave Interface:") && follows(lines, i, "MII Status:"))
        || (t.starts_with("802.3ad info") && t.len() == 12)
        || (t.starts_with("details actor lacp pdu:") || t.starts_with("details partner lacp pdu:"))
        || (t.starts_with("Aggregator ID:") && follows(lines, i, "Number of ports:"))
        || (t.starts_with("Actor Churn State:") && follows(lines, i, "Partner Churn State:"))
        || diff_line(t).is_some()
}

fn follows(lines: &[Line<'_>], i: usize, prefix: &str) -> bool {
    (1..=3).any(|n| lines.get(i + n).is_some_and(|l| l.trimmed().starts_with(prefix)))
}

/// `+[h1] MII Status: down` or `-[bond] ...`.
fn diff_line(t: &str) -> Option<(bool, &str, &str)> {
    let added = t.starts_with('+');
    let rest = t.strip_prefix("+[").or_else(|| t.strip_prefix("-["))?;
    let (who, what) = rest.split_once("] ")?;
    what.contains(':').then_some((added, who, what))
}

enum Part {
    Bond,
    Member,
    Actor,
    Partner,
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    if cursor.peek().is_some_and(|l| diff_line(l.trimmed()).is_some()) {
        diff(cursor, out);
        return;
    }
    let Some(first) = cursor.peek() else { return };
    let mut bond = Bond {
        source: ID,
        name: out.hints.dev.clone(),
        aggregator: Aggregator::Bonding,
        fields: Fields::new(ID, out.hints.dev.clone()),
        members: Vec::new(),
    };
    let (start, mut last) = (first.cite(), first.cite());
    let mut part = Part::Bond;
    let mut begun = false;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        // A second dump in the same paste is a record of its own.
        let banner = t.starts_with("Ethernet Channel Bonding Driver:");
        let again = t.starts_with("Bonding Mode:") && bond.fields.get("Bonding Mode").is_some();
        if begun && (banner || again) || diff_line(t).is_some() {
            break;
        }
        begun = true;
        cursor.next();
        if line.is_blank() {
            continue;
        }
        last = line.cite();
        // `     inet6 addr...` or other foreign lines have no colon or an unknown key: they are kept below.
        let Some((key, value)) = split(t) else {
            if t == "802.3ad info" || t.starts_with("Active Aggregator Info") {
                part = Part::Bond;
                out.typed(line);
            } else if t.starts_with("bond ") && t.ends_with("has no active aggregator") {
                bond.fields.push("active aggregator", "none", line.cite());
                out.typed(line);
            } else {
                out.not_understood(line);
            }
            continue;
        };
        let known = match key {
            "Slave Interface" => {
                bond.members.push(BondMember {
                    name: value.to_owned(),
                    at: line.cite(),
                    fields: Fields::new(ID, Some(value.to_owned())),
                    actor: Fields::new(ID, Some(value.to_owned())),
                    partner: Fields::new(ID, Some(value.to_owned())),
                });
                part = Part::Member;
                out.typed(line);
                continue;
            }
            "details actor lacp pdu" | "details partner lacp pdu" => {
                part = if key.contains("actor") { Part::Actor } else { Part::Partner };
                out.typed(line);
                continue;
            }
            "Active Aggregator Info" => {
                out.typed(line);
                continue;
            }
            _ => true,
        };
        let target = match (&part, bond.members.last_mut()) {
            (Part::Bond, _) | (_, None) => &mut bond.fields,
            (Part::Member, Some(m)) => &mut m.fields,
            (Part::Actor, Some(m)) => &mut m.actor,
            (Part::Partner, Some(m)) => &mut m.partner,
        };
        target.push(key, value, line.cite());
        if known && KEYS.iter().any(|k| k.eq_ignore_ascii_case(key)) {
            out.typed(line);
        } else {
            // Kept as a field all the same, so that nothing is lost, but said to be unknown.
            out.not_understood(line);
        }
    }
    out.record(start.to(last), None, What::Bond(bond));
}

/// Splits at the first colon that ends a key. MAC addresses and times stay in the value.
fn split(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once(':')?;
    let key = key.trim();
    if key.is_empty() || key.len() > 48 {
        return None;
    }
    Some((key, value.trim()))
}

/// Every key that kernels print (2.6 to 6.12 read in source or seen in recordings and the corpus).
const KEYS: &[&str] = &[
    "Ethernet Channel Bonding Driver",
    "Bonding Mode",
    "Transmit Hash Policy",
    "Primary Slave",
    "Currently Active Slave",
    "MII Status",
    "MII Polling Interval (ms)",
    "Up Delay (ms)",
    "Down Delay (ms)",
    "Peer Notification Delay (ms)",
    "ARP Polling Interval (ms)",
    "ARP Missed Max",
    "ARP IP target/s (n.n.n.n form)",
    "NS IPv6 target/s (xx::xx form)",
    "NS IPv6 target/s (XX::XX form)",
    "LACP active",
    "LACP rate",
    "Min links",
    "Aggregator selection policy (ad_select)",
    "System priority",
    "System MAC address",
    "System Identification",
    "Aggregator ID",
    "Number of ports",
    "Actor Key",
    "Partner Key",
    "Partner Mac Address",
    "Speed",
    "Duplex",
    "Link Failure Count",
    "Permanent HW addr",
    "Slave queue ID",
    "Actor Churn State",
    "Partner Churn State",
    "Actor Churned Count",
    "Partner Churned Count",
    "system priority",
    "system mac address",
    "port key",
    "oper key",
    "port priority",
    "port number",
    "port state",
    "Multicast Mode",
    "Slave Status",
    "ARP monitor",
    "Coupled Control",
    "Broadcast neighbor",
    "Actor Port Priority",
    "LACP strict",
];

/// A change of a series: applied to nothing, recorded as what it says. Ambiguous lines (`port state`, which
/// both PDU blocks have) are kept under the key `port state (actor or partner)`.
fn diff(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(first) = cursor.peek() else { return };
    let start = first.cite();
    let mut last = start;
    let mut bond = Bond {
        source: "proc-net-bonding-change",
        name: out.hints.dev.clone(),
        aggregator: Aggregator::Bonding,
        fields: Fields::new(ID, None),
        members: Vec::new(),
    };
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some((added, who, what)) = diff_line(line.trimmed()) else { break };
        cursor.next();
        out.typed(line);
        last = line.cite();
        let Some((key, value)) = split(what) else { continue };
        if !added {
            continue;
        }
        let key = match key {
            "port state" | "system mac address" | "port number" | "port priority" | "system priority" => {
                format!("{key} (actor or partner)")
            }
            k => k.to_owned(),
        };
        if who == "bond" {
            bond.fields.push(key, value, line.cite());
            continue;
        }
        let at = if let Some(i) = bond.members.iter().position(|m| m.name == who) {
            i
        } else {
            let fields = Fields::new(ID, Some(who.to_owned()));
            let (actor, partner) = (fields.clone(), fields.clone());
            bond.members.push(BondMember { name: who.to_owned(), at: line.cite(), fields, actor, partner });
            bond.members.len() - 1
        };
        let Some(member) = bond.members.get_mut(at) else { continue };
        if key == "oper key" {
            member.partner.push(key, value, line.cite());
        } else if key == "port key" {
            member.actor.push(key, value, line.cite());
        } else {
            member.fields.push(key, value, line.cite());
        }
    }
    out.record(start.to(last), None, What::Bond(bond));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn bonds(text: &str) -> Vec<Bond> {
        let parsed = parse_text_with(FileId(0), "proc/net/bonding/bond0", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty(), "{:?}", parsed.not_understood);
        parsed
            .records
            .into_iter()
            .filter_map(|r| if let What::Bond(b) = r.what { Some(b) } else { None })
            .collect()
    }

    const FULL: &str = "Ethernet Channel Bonding Driver: v6.12.107+deb13-cloud-amd64\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\nMII Status: up\n\n802.3ad info\nLACP active: on\nLACP rate: fast\nSystem MAC address: 02:00:00:00:11:01\nActive Aggregator Info:\n\tAggregator ID: 1\n\tNumber of ports: 2\n\nSlave Interface: h1\nMII Status: up\nAggregator ID: 1\ndetails actor lacp pdu:\n    port state: 63\ndetails partner lacp pdu:\n    oper key: 15\n    port state: 135\n";

    #[test]
    fn full_form() {
        let bonds = bonds(FULL);
        let [bond] = bonds.as_slice() else { panic!("{} bonds", bonds.len()) };
        assert_eq!(bond.name.as_deref(), Some("bond0"));
        assert_eq!(bond.fields.int("Number of ports"), Some(2));
        let [m] = bond.members.as_slice() else { panic!() };
        assert_eq!((m.actor.int("port state"), m.partner.int("port state")), (Some(63), Some(135)));
        assert_eq!(m.partner.int("oper key"), Some(15));
    }

    #[test]
    fn two_dumps_in_one_paste_are_two_records() {
        assert_eq!(bonds(&format!("{FULL}\n{FULL}")).len(), 2);
    }

    #[test]
    fn change_lines() {
        let got = bonds(
            "@@ 1795313331.35\n-[h1] MII Status: up\n+[h1] MII Status: down\n+[bond] Number of ports: 1\n",
        );
        let [b] = got.as_slice() else { panic!() };
        assert_eq!(b.fields.int("Number of ports"), Some(1));
        assert_eq!(b.members[0].fields.text("MII Status"), Some("down"));
    }
}
