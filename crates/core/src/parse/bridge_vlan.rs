//! `bridge vlan` as text: which VLANs each port of a VLAN-aware bridge carries.
//!
//! Printed by `print_vlan_info()` in `bridge/vlan.c`, with the heading `port\tvlan ids` (until 5.x) or
//! `port              vlan-id` (later). One [`Fields`] record per port: the key is the VLAN or range, the value its
//! flags (`PVID Egress Untagged`). With `-d`, the state of a VLAN follows it as `vlan.state` and so on; with `-s`, its
//! counters as `vlan.rx` and `vlan.tx`.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "bridge-vlan";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| heading(l.trimmed()))
}

fn heading(t: &str) -> bool {
    let mut words = t.split_whitespace();
    words.next() == Some("port")
        && matches!(words.next(), Some("vlan" | "vlan-id" | "vlan-ids"))
        && words.all(|w| matches!(w, "ids" | "id" | "tunnel-id" | "tunnel"))
}

/// `1 PVID Egress Untagged`, `2-10`, `None`.
fn vlan(t: &str) -> Option<(&str, &str)> {
    let (id, rest) = t.split_once(char::is_whitespace).unwrap_or((t, ""));
    let number = |s: &str| s.parse::<u16>().is_ok_and(|n| n < 4096);
    let fits = id == "None" || number(id) || id.split_once('-').is_some_and(|(a, b)| number(a) && number(b));
    let flags = rest.split_whitespace().all(|w| {
        matches!(w, "PVID" | "Egress" | "Untagged" | "Egress-Untagged" | "Untagged-Egress")
            || w.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    });
    (fits && flags).then_some((id, rest.trim()))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(first) = cursor.next() else { return };
    out.typed(first);
    let mut port: Option<Fields> = None;
    let mut at = first.cite();
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if heading(t) {
            cursor.next();
            out.typed(line);
            continue;
        }
        let indented = line.indent() > 0;
        let (name, rest) = t.split_once(char::is_whitespace).unwrap_or((t, ""));
        if !indented && is_ifname(name) && (rest.is_empty() || vlan(rest.trim()).is_some()) {
            if let Some(fields) = port.take() {
                out.record(at, None, What::Fields(fields));
            }
            at = line.cite();
            let mut fields = Fields::new(ID, Some(name.to_owned()));
            if let Some((id, flags)) = vlan(rest.trim()).filter(|(id, _)| !id.is_empty()) {
                fields.push(id, flags, line.cite());
            }
            port = Some(fields);
        } else if let (Some((id, flags)), Some(fields)) = (vlan(t), port.as_mut()) {
            fields.push(id, flags, line.cite());
        } else if let (Some(more), Some(fields), true) = (detail(t), port.as_mut(), indented) {
            for (key, value) in more {
                fields.push(key, value, line.cite());
            }
        } else {
            break;
        }
        cursor.next();
        out.typed(line);
        at = at.to(line.cite());
    }
    if let Some(fields) = port {
        out.record(at, None, What::Fields(fields));
    }
}

/// What `-d` and `-s` add below a VLAN.
fn detail(t: &str) -> Option<Vec<(String, String)>> {
    for (prefix, key) in [("RX:", "vlan.rx"), ("TX:", "vlan.tx")] {
        if let Some(rest) = t.strip_prefix(prefix) {
            return Some(vec![(key.to_owned(), rest.trim().to_owned())]);
        }
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    let known = |w: &str| {
        matches!(
            w,
            "state"
                | "mcast_router"
                | "mcast_max_groups"
                | "mcast_n_groups"
                | "neigh_suppress"
                | "mcast_snooping"
                | "mcast_querier"
                | "mcast_igmp_version"
                | "mcast_mld_version"
                | "mcast_last_member_count"
                | "mcast_last_member_interval"
                | "mcast_startup_query_count"
                | "mcast_startup_query_interval"
                | "mcast_membership_interval"
                | "mcast_querier_interval"
                | "mcast_query_interval"
                | "mcast_query_response_interval"
                | "msti"
        )
    };
    if !words.len().is_multiple_of(2) || words.is_empty() {
        return None;
    }
    words
        .chunks_exact(2)
        .map(|pair| match pair {
            [key, value] if known(key) => Some((format!("vlan.{key}"), (*value).to_owned())),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn old_and_new_heading() {
        for text in [
            "port\tvlan ids\neno1\t 1 PVID Egress Untagged\n\t 70\n\nbr0\t 1 PVID Egress Untagged\n\n",
            "port              vlan-id  \neno1              1 PVID Egress Untagged\n                  70\n                    state forwarding mcast_router 1\nbr0               1 PVID Egress Untagged\n",
        ] {
            let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert_eq!((p.not_understood.len(), p.unrecognised.len(), p.records.len()), (0, 0, 2), "{text}");
            let What::Fields(f) = &p.records[0].what else { panic!() };
            assert_eq!((f.dev.as_deref(), f.text("70")), (Some("eno1"), Some("")));
            assert_eq!(f.text("1"), Some("PVID Egress Untagged"));
        }
    }
}
