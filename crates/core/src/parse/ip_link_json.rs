//! `ip -j` of links and addresses, with `-d` and `-s`, in one line or pretty-printed; also the JSON of `ip maddr`,
//! `neigh`, `route`, `rule`, `stats`, and of `bridge`.
//!
//! The keys are those of the text output where both exist (`operstate` is `state`, `num_tx_queues` is `numtxqueues`), so
//! that a snapshot in JSON and one in text can be compared. A file that was cut off is read up to the last whole
//! object. Every field cites the lines of its object.

use super::ip_link::{bond_port_field, kind_field, new_link};
use super::{Cursor, Format, Out, ip_monitor, stats64, xstats};
use crate::evidence::{Citation, Counter, Counters, Fields, Line, Link, Meaning, What};
use crate::units::Stamp;
use serde_json::{Map, Value};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ip-link-json";

/// The first few hundred characters from line `i` on, without blanks and empty objects.
pub(super) fn opening(lines: &[Line<'_>], i: usize) -> String {
    let mut head = String::new();
    for n in 0..4 {
        let Some(line) = lines.get(i + n) else { break };
        head.extend(line.text.chars().take(400).filter(|c| !c.is_whitespace()));
    }
    // Old versions print an empty object for each interface that the filter leaves out.
    while let Some(rest) = head.strip_prefix("[{},") {
        head = format!("[{rest}");
    }
    if let Some(rest) = head.strip_prefix("[").filter(|r| r.starts_with('[')) {
        head = rest.to_owned();
    }
    head
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    if !line.trimmed().starts_with(['[', '{']) {
        return false;
    }
    let head = opening(lines, i);
    let first = head.strip_prefix('[').unwrap_or(&head);
    let Some(first) = first.strip_prefix("{\"") else { return false };
    let has = |key: &str| first.contains(&format!("\"{key}\":"));
    first.starts_with("ifindex\":") && (has("ifname") || has("link_index") || has("link"))
        || first.starts_with("deleted\":true") && (has("ifindex") || has("dst"))
        || first.starts_with("timestamp\":") && (has("ifindex") || has("dst"))
        || first.starts_with("ifname\":") && (has("operstate") || has("vlans"))
        || first.starts_with("dst\":") && (has("dev") || has("gateway") || has("lladdr") || has("nexthops"))
        || first.starts_with("type\":") && has("dst") && (has("dev") || has("protocol"))
        || first.starts_with("mac\":") && has("ifname")
        || first.starts_with("priority\":") && has("src") && (has("table") || has("action"))
}

/// Reads the values of one block: an array, or objects one after the other.
pub(super) fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut scan = Scan::default();
    let mut lines = Vec::new();
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if scan.at_rest() && !line.trimmed().starts_with(['[', '{', ']', ',']) {
            break;
        }
        cursor.next();
        scan.line(&line.text, lines.len());
        lines.push(line);
        if scan.closed {
            break;
        }
    }
    let mut bad = vec![false; lines.len()];
    for object in &scan.objects {
        let (Some(first), Some(last)) = (lines.get(object.first), lines.get(object.last)) else { continue };
        let at = first.cite().to(last.cite());
        // A hard wrap may stand inside of a word: there the lines are joined without a blank.
        let value = serde_json::from_str::<Value>(&object.text)
            .or_else(|_| serde_json::from_str::<Value>(&object.text.replace('\n', "")));
        match value {
            Ok(Value::Object(map)) => object_of(&map, at, out),
            _ => bad.iter_mut().take(object.last + 1).skip(object.first).for_each(|b| *b = true),
        }
    }
    // What was cut off belongs to no whole object.
    if let Some(open) = scan.open_since() {
        bad.iter_mut().skip(open).for_each(|b| *b = true);
    }
    for (line, bad) in lines.iter().zip(bad) {
        if bad {
            out.not_understood(line);
        } else {
            out.typed(line);
        }
    }
}

struct Object {
    text: String,
    first: usize,
    last: usize,
}

/// Finds the objects that are elements of the outermost array, or stand alone.
#[derive(Default)]
struct Scan {
    /// Depth of arrays before the object.
    arrays: usize,
    /// Depth of braces and brackets inside the object.
    depth: usize,
    string: bool,
    escape: bool,
    current: Option<Object>,
    objects: Vec<Object>,
    /// The outermost array has ended.
    closed: bool,
}

impl Scan {
    fn at_rest(&self) -> bool {
        self.current.is_none() && self.arrays == 0
    }
    fn open_since(&self) -> Option<usize> {
        self.current.as_ref().map(|c| c.first)
    }
    fn line(&mut self, text: &str, n: usize) {
        for c in text.chars() {
            if let Some(current) = self.current.as_mut() {
                current.text.push(c);
                if self.escape {
                    self.escape = false;
                } else if self.string {
                    match c {
                        '\\' => self.escape = true,
                        '"' => self.string = false,
                        _ => {}
                    }
                } else {
                    match c {
                        '"' => self.string = true,
                        '{' | '[' => self.depth += 1,
                        '}' | ']' => self.depth = self.depth.saturating_sub(1),
                        _ => {}
                    }
                    if self.depth == 0 {
                        current.last = n;
                        self.objects.extend(self.current.take());
                    }
                }
            } else {
                match c {
                    '[' => self.arrays += 1,
                    ']' => {
                        self.arrays = self.arrays.saturating_sub(1);
                        self.closed = self.arrays == 0;
                    }
                    '{' => {
                        self.current = Some(Object { text: String::from('{'), first: n, last: n });
                        self.depth = 1;
                        self.string = false;
                        self.escape = false;
                    }
                    _ => {}
                }
            }
        }
        if let Some(current) = self.current.as_mut() {
            current.text.push('\n');
        }
    }
}

/// Scalars as the text output writes them.
fn text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Null => "none".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Adds `value` under `prefix`, objects as `prefix.key`.
fn flatten(fields: &mut Fields, prefix: &str, value: &Value, at: Citation) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten(fields, &format!("{prefix}.{key}"), value, at);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                flatten(fields, prefix, item, at);
            }
        }
        other => fields.push(prefix, text(other), at),
    }
}

fn object_of(map: &Map<String, Value>, at: Citation, out: &mut Out) {
    if map.is_empty() {
        return;
    }
    let string = |key: &str| map.get(key).and_then(Value::as_str);
    let time = string("timestamp").and_then(ip_monitor::iso_local);
    let named = string("ifname").or_else(|| string("dev")).map(str::to_owned);
    let all = |source: &'static str| {
        let mut fields = Fields::new(source, named.clone());
        for (key, value) in map {
            flatten(&mut fields, key, value, at);
        }
        fields
    };
    if let Some(suite) = map.get("802.3ad").and_then(Value::as_object) {
        let mut entries = Vec::new();
        for (name, value) in suite {
            if let Some(value) = value.as_u64() {
                entries.push(Counter { name: name.clone(), value, meaning: xstats::meaning(name), at });
            }
        }
        if let Some(index) = map.get("ifindex") {
            let mut fields = Fields::new(xstats::ID, named.clone());
            fields.push("ifindex", text(index), at);
            out.record(at, time, What::Fields(fields));
        }
        out.record(at, time, What::Counters(Counters { source: xstats::ID, dev: named, entries }));
    } else if string("subgroup").is_some() {
        out.record(at, time, What::Fields(all(xstats::ID)));
    } else if let Some(list) = map.get("maddr").and_then(Value::as_array) {
        let mut fields = Fields::new("ip-maddr", named);
        for entry in list {
            let get = |key: &str| entry.get(key).map(text);
            if let Some(link) = get("link") {
                fields.push("link", link, at);
            } else if let Some(address) = get("address") {
                fields.push(get("family").unwrap_or_default(), address, at);
            }
            if let Some(users) = get("users") {
                fields.push("users", users, at);
            }
        }
        out.record(at, time, What::Fields(fields));
    } else if let Some(list) = map.get("vlans").and_then(Value::as_array) {
        let mut fields = Fields::new("bridge-vlan", named);
        for vlan in list {
            let id = vlan.get("vlan").map(text).unwrap_or_default();
            let id = vlan.get("vlanEnd").map_or_else(|| id.clone(), |end| format!("{id}-{}", text(end)));
            fields.push(id, vlan.get("flags").map(text).unwrap_or_default(), at);
        }
        out.record(at, time, What::Fields(fields));
    } else if string("dst").is_some() && (map.contains_key("lladdr") || map.contains_key("state")) {
        out.record(at, time, What::Fields(all("ip-neigh")));
    } else if string("dst").is_some() {
        out.record(at, time, What::Fields(all("ip-route")));
    } else if map.contains_key("priority") && map.contains_key("src") {
        let mut fields = Fields::new("ip-rule", None);
        let rule: Vec<String> = map
            .iter()
            .filter(|(k, _)| *k != "priority")
            .map(|(k, v)| format!("{} {}", if k == "src" { "from" } else { k }, text(v)))
            .collect();
        fields.push(map.get("priority").map(text).unwrap_or_default(), rule.join(" "), at);
        out.record(at, time, What::Fields(fields));
    } else if map.contains_key("mac") && named.is_some() {
        out.record(at, time, What::Fields(all("bridge-fdb")));
    } else if let Some(name) = string("ifname") {
        link(name, map, at, time, out);
    } else {
        out.record(at, time, What::Fields(all(ID)));
    }
}

fn link(name: &str, map: &Map<String, Value>, at: Citation, time: Option<Stamp>, out: &mut Out) {
    let mut link = new_link(ID, name, None);
    let mut counters = Vec::new();
    for (key, value) in map {
        match key.as_str() {
            "ifname" | "timestamp" => {}
            "flags" => {
                link.flags = value
                    .as_array()
                    .map(|f| f.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                    .unwrap_or_default();
            }
            "deleted" => link.deleted = value.as_bool().unwrap_or(false),
            "link" => link.parent = value.as_str().map(str::to_owned),
            "link_index" => {
                if link.parent.is_none() {
                    link.parent = value.as_u64().map(|n| format!("if{n}"));
                }
            }
            "addr_info" => {
                for addr in value.as_array().into_iter().flatten() {
                    address(&mut link, addr, at);
                }
            }
            "linkinfo" => link_info(&mut link, value, at),
            "xdp" => xdp(&mut link, value, at),
            "stats64" | "stats" => {
                // With `-s -s` both stand there; the 64-bit ones are the same numbers, unbroken.
                if key == "stats64" || !map.contains_key("stats64") {
                    stats(&mut link, &mut counters, value, at);
                }
            }
            "vfinfo_list" => flatten(&mut link.fields, "vf", value, at),
            "state" => {
                // `bridge -j link`: the state of the port.
                link.fields.push("bridge_slave.state", text(value), at);
            }
            "altnames" => {
                for name in value.as_array().into_iter().flatten() {
                    link.fields.push("altname", text(name), at);
                }
            }
            "address" => {
                let address = text(value);
                let key = if super::ip_link::is_lladdr(&address) { "mac" } else { "link_addr" };
                link.fields.push(key, address, at);
            }
            "permaddr" => {
                if link.fields.get("permaddr").is_none() {
                    link.fields.push("permaddr", text(value), at);
                }
            }
            _ => flatten(&mut link.fields, as_text(key), value, at),
        }
    }
    if link.fields.text("kind") == Some("vlan")
        && let Some(parent) = link.parent.clone().filter(|p| !p.starts_with("if"))
    {
        link.fields.push("vlan_parent", parent, at);
    }
    let dev = Some(link.name.clone());
    // `ip stats show group link` has nothing but counters.
    if !(map.get("group").and_then(Value::as_str) == Some("link") && counters.len() > 1 && map.len() <= 4) {
        out.record(at, time, What::Link(link));
    }
    if !counters.is_empty() {
        out.record(at, time, What::Counters(Counters { source: ID, dev, entries: counters }));
    }
}

/// The word of the text output for a key of the JSON.
fn as_text(key: &str) -> &str {
    match key {
        "operstate" => "state",
        "broadcast" => "brd",
        "min_mtu" => "minmtu",
        "max_mtu" => "maxmtu",
        "inet6_addr_gen_mode" => "addrgenmode",
        "num_tx_queues" => "numtxqueues",
        "num_rx_queues" => "numrxqueues",
        "link_netnsid" => "link-netnsid",
        "link_netns" => "link-netns",
        "phys_port_name" => "portname",
        "phys_port_id" => "portid",
        "phys_switch_id" => "switchid",
        "proto_down" => "protodown",
        "ifalias" => "alias",
        "prefix_len" => "prefixlen",
        k => k,
    }
}

fn address(link: &mut Link, addr: &Value, at: Citation) {
    let Some(map) = addr.as_object() else { return };
    let get = |key: &str| map.get(key).map(text);
    let Some(local) = get("local").or_else(|| get("anycast")) else { return };
    let prefix = get("prefixlen").map(|p| format!("/{p}")).unwrap_or_default();
    match get("address") {
        Some(peer) => {
            link.fields.push("addr", local, at);
            link.fields.push("addr.peer", format!("{peer}{prefix}"), at);
        }
        None => link.fields.push("addr", format!("{local}{prefix}"), at),
    }
    for (key, value) in map {
        let key = match key.as_str() {
            "family" | "local" | "prefixlen" | "address" | "index" | "anycast" => continue,
            "broadcast" => "brd",
            "valid_life_time" => "valid_lft",
            "preferred_life_time" => "preferred_lft",
            "protocol" => "proto",
            k => k,
        };
        if *value == Value::Bool(true) {
            link.fields.push("addr.flag", key, at);
        } else if key.ends_with("_lft") && value.as_u64() == Some(u64::from(u32::MAX)) {
            link.fields.push(format!("addr.{key}"), "forever", at);
        } else {
            link.fields.push(format!("addr.{key}"), text(value), at);
        }
    }
}

fn link_info(link: &mut Link, value: &Value, at: Citation) {
    let kind = value.get("info_kind").and_then(Value::as_str).unwrap_or("");
    if !kind.is_empty() {
        link.fields.push("kind", kind, at);
    }
    for (key, value) in value.get("info_data").and_then(Value::as_object).into_iter().flatten() {
        match (kind, key.as_str()) {
            ("bond", "ad_info") => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    link.fields.push(format!("bond.ad_{key}"), text(value), at);
                }
            }
            ("bond", "num_peer_notif") => link.fields.push("bond.num_grat_arp", text(value), at),
            ("bond", "ad_lacp_active") => link.fields.push("bond.lacp_active", text(value), at),
            ("bond", "ad_lacp_rate") => link.fields.push("bond.lacp_rate", text(value), at),
            ("vlan", "flags") => link.fields.push("vlan_flags", text(value), at),
            _ => flatten(&mut link.fields, &kind_field(kind, key), value, at),
        }
    }
    let port = value.get("info_slave_kind").and_then(Value::as_str).unwrap_or("");
    if !port.is_empty() {
        link.fields.push("slave_kind", port, at);
    }
    for (key, value) in value.get("info_slave_data").and_then(Value::as_object).into_iter().flatten() {
        if port == "bond" {
            let key = bond_port_field(key);
            if key != "permaddr" || link.fields.get("permaddr").is_none() {
                link.fields.push(key, text(value), at);
            }
        } else {
            flatten(&mut link.fields, &format!("{port}_slave.{key}"), value, at);
        }
    }
}

/// `"xdp":{"mode":2,"prog":{"id":64,...}}`, or with one program per mode under `attached`.
fn xdp(link: &mut Link, value: &Value, at: Citation) {
    let mode = match value.get("mode").and_then(Value::as_u64) {
        Some(2) => "xdpgeneric",
        Some(3) => "xdpoffload",
        Some(4) => "xdpmulti",
        Some(0) => return,
        _ => "xdp",
    };
    link.fields.push("xdp", mode, at);
    for (key, value) in value.as_object().into_iter().flatten() {
        flatten(&mut link.fields, &format!("xdp.{key}"), value, at);
    }
}

fn stats(link: &mut Link, counters: &mut Vec<Counter>, value: &Value, at: Citation) {
    for (rx, side) in [(true, "rx"), (false, "tx")] {
        for (key, value) in value.get(side).and_then(Value::as_object).into_iter().flatten() {
            let Some(value) = value.as_u64() else { continue };
            let name = stats64::json_key(rx, key);
            if name == "carrier_changes" {
                link.fields.push("carrier_changes", value.to_string(), at);
            }
            let meaning = if name == "carrier_changes" { Meaning::Other } else { stats64::meaning(&name) };
            counters.push(Counter { name, value, meaning, at });
        }
    }
}
