//! `tc -j [-s] qdisc show` and `tc -j [-s] filter show`.
//!
//! Keys as iproute2 4.17 to 6.x prints them (`print_qdisc()`, `print_filter()`, `print_tcstats2_attr()`, `tc/f_*.c`,
//! `tc/m_gact.c`). The records are those of the text output ([`super::tc_qdisc`], [`super::tc_filter`]): a queueing
//! discipline with its counters (`drops` is `dropped`, `qlen` the packets waiting), a filter as a hook with its lines as
//! fields (`vlan_id 70`, `action drop`). What a BPF program does is not in it.

use super::ip_link_json::opening;
use super::json_lines::{self, Scalar};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Hook, HookPoint, Line, Qdisc, What};
use std::collections::BTreeMap;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "tc-json";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    if !line.trimmed().starts_with('[') {
        return false;
    }
    let head = opening(lines, i);
    let Some(first) = head.strip_prefix("[{\"") else { return false };
    let has = |key: &str| first.contains(&format!("\"{key}\":"));
    first.starts_with("kind\":") && has("handle")
        || (first.starts_with("protocol\":") || first.starts_with("parent\":") || first.starts_with("dev\":"))
            && has("pref")
            && has("kind")
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let read = json_lines::read(cursor);
    let mut objects: BTreeMap<usize, Vec<&Scalar>> = BTreeMap::new();
    for s in &read.scalars {
        if let Some(n) = s.path.first().and_then(|n| n.parse().ok()) {
            objects.entry(n).or_default().push(s);
        }
    }
    for line in &read.lines {
        out.typed(line);
    }
    for scalars in objects.values() {
        let (Some(first), Some(last)) = (scalars.first(), scalars.last()) else { continue };
        let at = first.at.to(last.at);
        if value(scalars, "pref").is_some() {
            filter(scalars, at, out);
        } else {
            qdisc(scalars, at, out);
        }
    }
}

/// The value of a key of the object itself.
fn value<'a>(scalars: &[&'a Scalar], key: &str) -> Option<&'a str> {
    scalars
        .iter()
        .find(|s| s.path.len() == 2 && s.path.get(1).is_some_and(|k| k == key))
        .map(|s| s.value.as_str())
}

/// The value of the first key of this name at any depth.
fn anywhere<'a>(scalars: &[&'a Scalar], key: &str) -> Option<&'a str> {
    scalars.iter().find(|s| s.path.last().is_some_and(|k| k == key)).map(|s| s.value.as_str())
}

fn qdisc(scalars: &[&Scalar], at: Citation, out: &mut Out) {
    let dev = value(scalars, "dev").map(str::to_owned).or_else(|| out.hints.dev.clone()).unwrap_or_default();
    let number = |key: &str| value(scalars, key).and_then(|v| v.parse().ok()).unwrap_or(0);
    let mut fields = Fields::new(ID, Some(dev.clone()));
    for s in scalars {
        let key = match s.path.last().map_or("", String::as_str) {
            "dev" | "kind" => continue,
            "drops" if s.path.len() == 2 => "dropped",
            key => key,
        };
        fields.push(key, s.value.as_str(), s.at);
    }
    let qdisc = Qdisc {
        kind: value(scalars, "kind").unwrap_or("").to_owned(),
        root: value(scalars, "root") == Some("true"),
        sent: number("packets"),
        dropped: number("drops"),
        requeues: number("requeues"),
        backlog: number("qlen"),
        dev,
        fields,
    };
    out.record(at, None, What::Qdisc(qdisc));
}

fn filter(scalars: &[&Scalar], at: Citation, out: &mut Out) {
    // The head of a chain has no options.
    if !scalars.iter().any(|s| s.path.get(1).is_some_and(|k| k == "options")) {
        return;
    }
    let dev = value(scalars, "dev").map(str::to_owned).or_else(|| out.hints.dev.clone());
    let kind = value(scalars, "kind").unwrap_or("").to_owned();
    let hint = out.hints.command.clone().unwrap_or_default() + " " + &out.hints.path;
    let parent = value(scalars, "parent").unwrap_or("");
    let egress = value(scalars, "egress").is_some()
        || parent == "ffff:fff3"
        || value(scalars, "ingress").is_none()
            && !matches!(parent, "ffff:" | "ffff:fff2")
            && (hint.contains("egress") || hint.contains("root") || !parent.is_empty());
    let mut fields = Fields::new("tc-filter", dev.clone());
    let mut drops = false;
    let mut dropped = None;
    for s in scalars {
        let key = s.path.last().map_or("", String::as_str);
        let within = |name: &str| s.path.iter().any(|p| p == name);
        if within("control_action") && key == "type" {
            drops |= matches!(s.value.as_str(), "drop" | "shot");
            fields.push("action", format!("action {}", s.value), s.at);
        } else if within("stats") && key == "drops" {
            let n: u64 = s.value.parse().unwrap_or(0);
            dropped = Some(dropped.unwrap_or(0_u64).saturating_add(n));
        } else {
            fields.push(key, format!("{key} {}", s.value), s.at);
        }
    }
    let program = match (kind == "bpf")
        .then(|| anywhere(scalars, "name").or_else(|| anywhere(scalars, "bpf_name")))
        .flatten()
    {
        Some(name) => format!("{kind} {name}"),
        None => kind.clone(),
    };
    // A match on anything but EtherType 0x8809 keeps LACPDUs out of it.
    let protocol = value(scalars, "protocol").unwrap_or("");
    let narrow = scalars.iter().any(|s| s.path.iter().any(|p| p == "keys"));
    let slow = matches!(protocol, "[34825]" | "0x8809" | "slow");
    let drops_lacp = drops && kind != "bpf" && (slow || protocol == "all" && !narrow);
    let point = if egress { HookPoint::Egress } else { HookPoint::Ingress };
    out.record(at, None, What::Hook(Hook { dev, point, program, drops_lacp, dropped }));
    out.record(at, None, What::Fields(fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Record};
    use crate::parse::parse_text_with;

    fn records(path: &str, text: &str) -> Vec<Record> {
        let parsed = parse_text_with(FileId(0), path, text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        parsed.records
    }

    #[test]
    fn queues() {
        let text = r#"[{"kind":"tbf","handle":"8001:","dev":"eno1","root":true,"refcnt":2,"options":{"rate":1000,"burst":1600,"limit":1600},"bytes":140,"packets":22,"drops":98,"overlimits":3,"requeues":1,"backlog":284,"qlen":2},{"kind":"clsact","handle":"ffff:","dev":"bond0","parent":"ffff:fff1","bytes":0,"packets":0,"drops":123,"overlimits":0,"requeues":0,"backlog":0,"qlen":0}]"#;
        let got: Vec<Qdisc> = records("x", text)
            .into_iter()
            .filter_map(|r| if let What::Qdisc(q) = r.what { Some(q) } else { None })
            .collect();
        let [a, b] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((a.dev.as_str(), a.kind.as_str(), a.root), ("eno1", "tbf", true));
        assert_eq!((a.sent, a.dropped, a.requeues, a.backlog), (22, 98, 1, 2));
        assert_eq!(a.fields.text("limit"), Some("1600"));
        assert_eq!((b.dev.as_str(), b.root, b.dropped), ("bond0", false, 123));
    }

    #[test]
    fn filters() {
        let text = r#"[{"protocol":"802.1Q","pref":49152,"kind":"flower","chain":0},{"protocol":"802.1Q","pref":49152,"kind":"flower","chain":0,"options":{"handle":1,"keys":{"vlan_id":70},"not_in_hw":true,"actions":[{"order":1,"kind":"gact","control_action":{"type":"drop"},"index":1,"ref":1,"bind":1,"stats":{"bytes":17334,"packets":123,"drops":123,"overlimits":0,"requeues":0,"backlog":0,"qlen":0}}]}}]"#;
        let got = records("tc_-j_-s_filter_show_dev_bond0_egress", text);
        let Some(What::Hook(h)) = got.first().map(|r| &r.what) else { panic!("{got:?}") };
        assert_eq!(
            (h.dev.as_deref(), h.point, h.program.as_str()),
            (Some("bond0"), HookPoint::Egress, "flower")
        );
        assert_eq!((h.dropped, h.drops_lacp), (Some(123), false));
        let Some(What::Fields(f)) = got.get(1).map(|r| &r.what) else { panic!("{got:?}") };
        assert_eq!((f.text("vlan_id"), f.text("action")), (Some("vlan_id 70"), Some("action drop")));
    }

    #[test]
    fn a_program() {
        let text = r#"[{"protocol":"all","pref":1,"kind":"bpf","chain":0,"options":{"handle":"0x1","bpf_name":"cil_to_netdev-bond0","direct-action":true,"not_in_hw":true,"prog":{"id":77,"name":"cil_to_netdev","tag":"00aa","jited":1}}}]"#;
        let got = records("tc_-j_filter_show_dev_bond0_egress", text);
        let Some(What::Hook(h)) = got.first().map(|r| &r.what) else { panic!("{got:?}") };
        assert_eq!((h.program.as_str(), h.dropped, h.drops_lacp), ("bpf cil_to_netdev", None, false));
    }
}
