//! `/proc/net/vlan/config` and `/proc/net/vlan/<device>`.
//!
//! Printed by `vlan_seq_show()` and `vlandev_seq_show()` in `net/8021q/vlanproc.c`. Kept: a [`Link`]
//! of kind `vlan` per device (`vlan_id`, `vlan_parent`, `reorder_hdr`, the priority mappings) and its counters.

use super::ip_link::new_link;
use super::prompt::is_ifname;
use super::{Cursor, Format, Out, stats64};
use crate::evidence::{Counter, Counters, Line, Link, Meaning, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-net-vlan";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(t) = lines.get(i).map(Line::trimmed) else { return false };
    let table = |l: &Line<'_>| heading(l.trimmed());
    heading(t)
        || device(t).is_some()
        || (row(t).is_some()
            && i.checked_sub(1).and_then(|p| lines.get(p)).is_none_or(|l| l.is_blank() || table(l)))
}

fn heading(t: &str) -> bool {
    t.starts_with("VLAN Dev name")
        || t.starts_with("Name-Type: VLAN_NAME_TYPE_")
        || t.starts_with("Name-Type: bad proc")
}

/// `bond0.70       | 70  | bond0`.
fn row(t: &str) -> Option<(&str, &str, &str)> {
    let mut parts = t.split('|').map(str::trim);
    let (name, id, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = parts.next().is_none()
        && is_ifname(name)
        && is_ifname(parent)
        && id.parse::<u16>().is_ok_and(|id| id < 4096);
    fits.then_some((name, id, parent))
}

/// `bond0.70  VID: 70  REORDER_HDR: 1  dev->priv_flags: 1021`.
fn device(t: &str) -> Option<(&str, &str)> {
    let (name, rest) = t.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    (is_ifname(name) && rest.starts_with("VID:") && rest.contains("REORDER_HDR:")).then_some((name, rest))
}

const COUNTERS: &[(&str, &str)] = &[
    ("total frames received", "rx_packets"),
    ("total bytes received", "rx_bytes"),
    ("Broadcast/Multicast Rcvd", "multicast"),
    ("total frames transmitted", "tx_packets"),
    ("total bytes transmitted", "tx_bytes"),
    ("total headroom inc", "headroom_inc"),
    ("total encap on xmit", "encap_on_xmit"),
];

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        let at = line.cite();
        if heading(t) {
            cursor.next();
            out.typed(line);
        } else if let Some((name, id, parent)) = row(t) {
            cursor.next();
            out.typed(line);
            let mut link = vlan(name);
            link.parent = Some(parent.to_owned());
            link.fields.push("kind", "vlan", at);
            link.fields.push("vlan_id", id, at);
            link.fields.push("vlan_parent", parent, at);
            out.record(at, None, What::Link(link));
        } else if let Some((name, rest)) = device(t) {
            one(cursor, out, name, rest);
        } else {
            return;
        }
    }
}

fn vlan(name: &str) -> Link {
    new_link(ID, name, None)
}

fn one(cursor: &mut Cursor<'_, '_>, out: &mut Out, name: &str, rest: &str) {
    let Some(first) = cursor.next() else { return };
    out.typed(first);
    let begin = first.cite();
    let mut last = begin;
    let mut link = vlan(name);
    link.fields.push("kind", "vlan", begin);
    let mut words = rest.split_whitespace();
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        let key = match key {
            "VID:" => "vlan_id",
            "REORDER_HDR:" => "reorder_hdr",
            "dev->priv_flags:" => "priv_flags",
            k => k.trim_end_matches(':'),
        };
        link.fields.push(key, value, begin);
    }
    let mut entries = Vec::new();
    let mut mapping = false;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        let at = line.cite();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if let Some((label, value)) = t.rsplit_once(char::is_whitespace)
            && let Some((_, name)) = COUNTERS.iter().find(|(text, _)| label.trim() == *text)
            && let Ok(value) = value.parse()
        {
            let meaning = if name.contains('_') { stats64::meaning(name) } else { Meaning::RxMulticast };
            entries.push(Counter { name: (*name).to_owned(), value, meaning, at });
        } else if let Some(parent) = t.strip_prefix("Device:") {
            link.parent = Some(parent.trim().to_owned());
            link.fields.push("vlan_parent", parent.trim(), at);
        } else if let Some(map) = t.strip_prefix("INGRESS priority mappings:") {
            link.fields.push("vlan.ingress_qos", map.trim(), at);
            mapping = true;
        } else if let Some(map) = t.strip_prefix("EGRESS priority mappings:") {
            link.fields.push("vlan.egress_qos", map.trim(), at);
            mapping = true;
        } else if mapping
            && t.split_whitespace()
                .all(|w| w.contains(':') && w.bytes().all(|b| b.is_ascii_digit() || b == b':'))
        {
            // A mapping that goes on in the next line.
            if let Some(field) = link.fields.entries.last_mut() {
                field.value = format!("{} {t}", field.value).trim().to_owned();
                field.at = field.at.to(at);
            }
        } else {
            break;
        }
        cursor.next();
        out.typed(line);
        last = at;
    }
    let dev = Some(link.name.clone());
    out.record(begin.to(last), None, What::Link(link));
    if !entries.is_empty() {
        out.record(begin.to(last), None, What::Counters(Counters { source: ID, dev, entries }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn config_and_device() {
        let text = "VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\nbond0.70       | 70  | bond0\nvpn0           | 70  | eno1\n\nbond0.70  VID: 70\t REORDER_HDR: 1  dev->priv_flags: 1021\n         total frames received         5548\n          total bytes received       361392\n      Broadcast/Multicast Rcvd            3\n\n      total frames transmitted          123\n       total bytes transmitted         1234\nDevice: bond0\nINGRESS priority mappings: 0:0  1:0  2:0  3:0  4:0  5:0  6:0 7:0\n EGRESS priority mappings: \n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (13, 0, 0));
        assert_eq!(p.records.len(), 4);
        let What::Link(vpn) = &p.records[1].what else { panic!() };
        assert_eq!((vpn.name.as_str(), vpn.fields.text("vlan_parent")), ("vpn0", Some("eno1")));
        let What::Counters(c) = &p.records[3].what else { panic!() };
        assert!(c.entries.iter().any(|e| e.meaning == Meaning::TxPackets && e.value == 123));
    }
}
