//! tshark's text for LACPDUs: the one-line summary, the tree of `-V`, and `-T fields` tables that have a heading.
//!
//! Printed by `packet-lacp.c`, Wireshark 1.12 to 4.4. Summary: `... LACP 124 v1 ACTOR 02:.. P: 1 K: 15 **DCSGSA PARTNER 02:.. P: 2 K: 15
//! **DCSGSA`; the priorities are not in it and stay zero. Lines of the tree that repeat a value bit by bit, and those of the
//! layers below, are passed over.

use super::{Cursor, Format, Out, clock, lacp_fields};
use crate::evidence::{Citation, Fields, Line, TextPdu, What};
use crate::units::{Mac, Stamp};
use lacp::state::{Notation, parse as state};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "tshark-lacp";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    summary(t).is_some()
        || (t.starts_with("Frame ")
            && t.contains(" bytes on wire")
            && (1..=60).any(|n| {
                lines.get(i + n).is_some_and(|l| l.trimmed() == "Link Aggregation Control Protocol")
            }))
        || t == "Link Aggregation Control Protocol"
        || heading(t).is_some()
}

fn new_pdu(dev: Option<String>) -> TextPdu {
    let pdu = lacp::Lacpdu::new(lacp::PortInfo::default(), lacp::PortInfo::default());
    let pdu = lacp::Lacpdu { version: 1, collector_max_delay: 0, ..pdu };
    TextPdu { dev, direction: None, source: None, pdu, has_partner: false }
}

/// The summary line of one packet.
fn summary(t: &str) -> Option<(Option<Stamp>, TextPdu)> {
    let (before, after) = t.split_once(" ACTOR ")?;
    let (actor, partner) = after.split_once(" PARTNER ")?;
    let mut pdu = new_pdu(None);
    pdu.pdu.actor = side(actor)?;
    pdu.pdu.partner = side(partner)?;
    pdu.has_partner = true;
    let words: Vec<&str> = before.split_whitespace().collect();
    if let Some(v) = words.last().and_then(|w| w.strip_prefix('v')).and_then(|v| v.parse().ok()) {
        pdu.pdu.version = v;
    }
    pdu.source = words.iter().find_map(|w| if w.len() == 17 { w.parse().ok() } else { None });
    // The second column is seconds since the first packet unless `-t ad` was given: only a date is an instant.
    let time = words.windows(2).find_map(|w| match w {
        [d, c] => clock::civil(d, c),
        _ => None,
    });
    Some((time, pdu))
}

/// `02:00:00:00:11:01 P: 1 K: 15 **DCSGSA`.
fn side(t: &str) -> Option<lacp::PortInfo> {
    let mut words = t.split_whitespace();
    let system: Mac = words.next()?.parse().ok()?;
    let mut info = lacp::PortInfo { system, ..lacp::PortInfo::default() };
    while let Some(w) = words.next() {
        match w {
            "P:" => info.port = words.next()?.parse().ok()?,
            "K:" => info.key = words.next()?.parse().ok()?,
            w => info.state = state(w, Notation::Wireshark)?,
        }
    }
    Some(info)
}

/// Names of the columns of `-T fields -E header=y`, with their separator.
fn heading(t: &str) -> Option<char> {
    if !t.contains("lacp.actor.") && !t.contains("lacp.partner.") {
        return None;
    }
    let sep = ['\t', ',', ';', '|', ' '].into_iter().find(|s| t.contains(*s))?;
    t.split(sep)
        .all(|c| c.contains('.') && c.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_')))
        .then_some(sep)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(first) = cursor.peek() else { return };
    let t = first.trimmed();
    if let Some(sep) = heading(t) {
        table(sep, cursor, out);
    } else if summary(t).is_some() {
        while let Some(line) = cursor.peek() {
            if line.is_blank() {
                cursor.next();
                continue;
            }
            let Some((time, mut pdu)) = summary(line.trimmed()) else { break };
            pdu.dev.clone_from(&out.hints.dev);
            cursor.next();
            out.typed(line);
            out.record(line.cite(), time, What::Pdu(pdu));
        }
    } else {
        tree(cursor, out);
    }
}

/// One field of a PDU by the last part of its name in `packet-lacp.c`.
fn put(port: &mut lacp::PortInfo, name: &str, value: &str) -> bool {
    let number = lacp_fields::number(value);
    match (name, number) {
        ("sysid_priority" | "sys_priority" | "system_priority", Some(n)) => port.system_priority = n,
        ("key", Some(n)) => port.key = n,
        ("port_priority", Some(n)) => port.port_priority = n,
        ("port", Some(n)) => port.port = n,
        ("sysid" | "sys" | "system", _) => match value.parse() {
            Ok(mac) => port.system = mac,
            Err(_) => return false,
        },
        ("state", _) => {
            match state(value, if value.starts_with("0x") { Notation::Hex } else { Notation::Decimal }) {
                Some(s) => port.state = s,
                None => return false,
            }
        }
        _ => return false,
    }
    true
}

fn table(sep: char, cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(head) = cursor.next() else { return };
    out.typed(head);
    let columns: Vec<String> = head.trimmed().split(sep).map(str::to_owned).collect();
    let mut fields = Fields::new(ID, None);
    fields.push("columns", columns.join(" "), head.cite());
    out.record(head.cite(), None, What::Fields(fields));
    while let Some(line) = cursor.peek() {
        let cells: Vec<&str> = line.text.split(sep).collect();
        if cells.len() != columns.len() {
            break;
        }
        cursor.next();
        let mut pdu = new_pdu(out.hints.dev.clone());
        let mut time = None;
        for (column, cell) in columns.iter().zip(cells) {
            let cell = cell.trim().trim_matches('"');
            if cell.is_empty() {
                continue;
            }
            if let Some(name) = column.strip_prefix("lacp.actor.") {
                put(&mut pdu.pdu.actor, name, cell);
            } else if let Some(name) = column.strip_prefix("lacp.partner.") {
                pdu.has_partner |= put(&mut pdu.pdu.partner, name, cell);
            } else if column == "eth.src" {
                pdu.source = cell.parse().ok();
            } else if column == "frame.time_epoch" {
                time = clock::unix(cell);
            }
        }
        out.typed(line);
        out.record(line.cite(), time, What::Pdu(pdu));
    }
}

fn tree(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    struct Draft {
        at: Citation,
        last: Citation,
        time: Option<Stamp>,
        pdu: TextPdu,
        lacp: bool,
    }
    let emit = |draft: Option<Draft>, out: &mut Out| {
        if let Some(d) = draft.filter(|d| d.lacp) {
            out.record(d.at.to(d.last), d.time, What::Pdu(d.pdu));
        }
    };
    let mut draft: Option<Draft> = None;
    let mut last_blank = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            last_blank = true;
            continue;
        }
        let t = line.trimmed();
        let frame = t.starts_with("Frame ") && t.contains(" bytes on wire");
        if frame || (t == "Link Aggregation Control Protocol" && draft.as_ref().is_some_and(|d| d.lacp)) {
            emit(draft.take(), out);
        } else if last_blank && line.indent() == 0 && !t.contains(':') && !known(t) {
            break;
        }
        let dev = out.hints.dev.clone();
        let d = draft.get_or_insert_with(|| Draft {
            at: line.cite(),
            last: line.cite(),
            time: None,
            pdu: new_pdu(dev),
            lacp: false,
        });
        d.last = line.cite();
        d.lacp |= t == "Link Aggregation Control Protocol";
        let understood = if let Some((key, value)) = t.split_once(": ") {
            let key = key.trim();
            let first = value.split_whitespace().next().unwrap_or("");
            if let Some(name) = key.strip_prefix("Actor ") {
                field(&mut d.pdu.pdu.actor, name, first)
            } else if let Some(name) = key.strip_prefix("Partner ") {
                d.pdu.has_partner = true;
                field(&mut d.pdu.pdu.partner, name, first)
            } else if key == "LACP Version" {
                lacp_fields::number(first).and_then(|n| u8::try_from(n).ok()).is_some_and(|v| {
                    d.pdu.pdu.version = v;
                    true
                })
            } else if key == "Collector Max Delay" {
                lacp_fields::number(first).is_some_and(|n| {
                    d.pdu.pdu.collector_max_delay = n;
                    true
                })
            } else if key == "Source" || key == "Ethernet II, Src" {
                // `Ethernet II, Src: name (02:..), Dst: ...`
                d.pdu.source = value
                    .split(['(', ')', ',', ' '])
                    .find_map(|w| if w.len() == 17 { w.parse().ok() } else { None });
                d.pdu.source.is_some()
            } else if key == "Epoch Time" || key == "Epoch Arrival Time" {
                d.time = clock::unix(first);
                true
            } else if key == "Interface name" || key.starts_with("Interface id") {
                let name = value.split(['(', ')']).nth(1).unwrap_or(first);
                if !name.is_empty() && !name.bytes().all(|b| b.is_ascii_digit()) {
                    d.pdu.dev = Some(name.to_owned());
                }
                true
            } else {
                // Lines of the layers below, and of the bits of the state (`.... ...1 = LACP Activity: Active`).
                key.contains(" = ") || line.indent() > 0 || frame || known(t)
            }
        } else {
            known(t) || frame || line.indent() > 0
        };
        if understood {
            out.typed(line)
        } else {
            out.not_understood(line)
        }
        last_blank = false;
        cursor.next();
    }
    emit(draft, out);
}

fn known(t: &str) -> bool {
    [
        "Link Aggregation Control Protocol",
        "Slow Protocols",
        "Ethernet II",
        "IEEE 802.3",
        "Linux cooked capture",
    ]
    .iter()
    .any(|k| t.starts_with(k))
}

/// One `Actor ...` or `Partner ...` line of the tree.
fn field(port: &mut lacp::PortInfo, name: &str, value: &str) -> bool {
    let short = match name {
        "System Priority" => "system_priority",
        "System ID" | "System" => "system",
        "Key" => "key",
        "Port Priority" => "port_priority",
        "Port" => "port",
        "State" => "state",
        // `Actor State Flags: **DCSGSA`, and the length of the TLV.
        "State Flags" => return state(value, Notation::Wireshark).is_some(),
        _ => return name.starts_with("Information") || name.starts_with("TLV"),
    };
    put(port, short, value.trim_end_matches(','))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn pdus(text: &str) -> Vec<TextPdu> {
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let pdu = |w| if let What::Pdu(p) = w { Some(p) } else { None };
        parsed.records.into_iter().filter_map(|r| pdu(r.what)).collect()
    }

    #[test]
    fn summary_lines() {
        let got = pdus(
            "    1   0.000000 02:00:00:00:11:01 \u{2192} 01:80:c2:00:00:02 LACP 124 v1 ACTOR 02:00:00:00:11:01 P: 1 K: 15 **DCSGSA PARTNER 02:00:00:00:22:01 P: 2 K: 17 **DCSG*A\n",
        );
        let [p] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((p.pdu.actor.port, p.pdu.actor.key, p.pdu.actor.state.bits()), (1, 15, 0x3f));
        assert_eq!((p.pdu.partner.port, p.pdu.partner.key, p.pdu.partner.state.bits()), (2, 17, 0x3d));
    }

    #[test]
    fn tree_and_table() {
        let got = pdus(
            "Frame 1: 124 bytes on wire (992 bits), 124 bytes captured (992 bits) on interface h1, id 0\n    Interface id: 0 (h1)\n    Epoch Time: 1795313330.050000000 seconds\nEthernet II, Src: 02:00:00:00:22:01, Dst: 01:80:c2:00:00:02\nSlow Protocols\n    Slow Protocols subtype: LACP (0x01)\nLink Aggregation Control Protocol\n    LACP Version: 0x01\n    TLV Type: Actor Information (0x01)\n    Actor System Priority: 65535\n    Actor System ID: 02:00:00:00:22:01 (02:00:00:00:22:01)\n    Actor Key: 15\n    Actor Port Priority: 255\n    Actor Port: 1\n    Actor State: 0x3f, LACP Activity, LACP Timeout\n        .... ...1 = LACP Activity: Active\n    [Actor State Flags: **DCSGSA]\n    Partner System ID: 02:00:00:00:11:01\n    Partner State: 0x3d, LACP Activity\n    Collector Max Delay: 0\n",
        );
        let [p] = got.as_slice() else { panic!("{got:?}") };
        let a = p.pdu.actor;
        assert_eq!(
            (a.system_priority, a.key, a.port_priority, a.port, a.state.bits()),
            (65535, 15, 255, 1, 0x3f)
        );
        assert_eq!((p.pdu.partner.state.bits(), p.dev.as_deref()), (0x3d, Some("h1")));
        let got = pdus(
            "frame.time_epoch\teth.src\tlacp.actor.sysid\tlacp.actor.state\tlacp.partner.state\n1795313330.05\t02:00:00:00:22:01\t02:00:00:00:22:01\t0x3f\t61\n",
        );
        let [p] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((p.pdu.actor.state.bits(), p.pdu.partner.state.bits()), (0x3f, 61));
    }
}
