//! `ethtool --json ...`: an array of objects, each with `ifname` first.
//!
//! Source: `json_print.c` and the `PRINT_ANY` calls in `netlink/*.c` of ethtool 5.10 to 6.14; always pretty-printed. `ip -j`
//! prints `ifindex` first and `bridge -j` prints `vlans` or `flags` after the name: they are not read here.
//!
//! Objects of `ethtool --json <dev>` and `-k` become the records that the plain output gives (source `ethtool` and
//! `ethtool-k`, keys `Speed`, `Duplex`, `Link detected`, ...; `on [fixed]`). Everything else is kept as fields with source
//! `ethtool-json` and the path as key (`statistics.corrected_blocks.total`); groups of standard statistics become
//! counters (`eth-mac-FramesReceivedOK`).

use super::counter_meaning::meaning;
use super::ethtool_listing::number;
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Counter, Counters, Field, Fields, Line, What};
use serde_json::{Map, Value};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool-json";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if !t.starts_with('[') || t.len() > 4096 {
        return false;
    }
    let mut head = String::new();
    for n in 0..=3 {
        if let Some(l) = i.checked_add(n).and_then(|j| lines.get(j)) {
            head.extend(l.text.chars().take(200).filter(|c| !c.is_whitespace()));
        }
    }
    let Some(rest) = head.strip_prefix("[{\"") else { return false };
    if rest.starts_with("identifier\":") {
        return true;
    }
    // The second key tells `bridge -j` and `ip -j` apart.
    rest.strip_prefix("ifname\":\"").and_then(|r| r.split_once('"')).is_some_and(|(_, after)| {
        !["vlans", "flags", "ifindex", "link", "mtu", "master", "vlan", "mdb", "addr_info", "operstate"]
            .iter()
            .any(|k| {
                after.strip_prefix(",\"").and_then(|r| r.strip_prefix(k)).is_some_and(|r| r.starts_with('"'))
            })
    })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    // Take lines until the brackets balance.
    let mut text = String::new();
    let mut taken: Vec<&Line<'_>> = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0i64, false, false);
    while let Some(line) = cursor.next() {
        for c in line.text.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '[' | '{' if !quoted => depth += 1,
                ']' | '}' if !quoted => depth -= 1,
                _ => {}
            }
        }
        // A string does not go on over a line end in valid JSON.
        quoted = false;
        text.push_str(&line.text);
        text.push('\n');
        taken.push(line);
        if depth <= 0 {
            break;
        }
    }
    let Some(at) = taken.first().zip(taken.last()).map(|(a, b)| a.cite().to(b.cite())) else { return };
    if let Ok(Value::Array(objects)) = serde_json::from_str::<Value>(&text) {
        for line in &taken {
            out.typed(line);
        }
        for object in &objects {
            if let Value::Object(map) = object {
                convert(map, at, out);
            }
        }
        return;
    }
    // Cut off or damaged: keep the lines that hold a key and a plain value.
    let mut fields = Fields::new(ID, out.hints.dev.clone());
    for line in taken {
        let t = line.trimmed().trim_end_matches(',');
        if t.chars().all(|c| matches!(c, '[' | ']' | '{' | '}' | ' ' | ',')) {
            out.typed(line);
            continue;
        }
        let pair = t.trim_start_matches(['[', '{', ' ']).strip_prefix('"').and_then(|r| r.split_once('"'));
        match pair.and_then(|(k, v)| v.trim_start().strip_prefix(':').map(|v| (k, v.trim()))) {
            Some(("ifname", v)) => {
                fields.dev = Some(v.trim_matches('"').to_owned());
                out.typed(line);
            }
            Some((k, v)) => {
                fields.push(k, v.trim_matches('"'), line.cite());
                out.typed(line);
            }
            None => out.not_understood(line),
        }
    }
    out.record(at, None, What::Fields(fields));
}

fn convert(map: &Map<String, Value>, at: Citation, out: &mut Out) {
    let dev = map.get("ifname").and_then(Value::as_str).map(str::to_owned).or_else(|| out.hints.dev.clone());
    let settings = map.contains_key("link-detected") || map.contains_key("supported-link-modes");
    let features = !settings && map.values().any(|v| v.get("active").is_some() && v.get("fixed").is_some());
    let source = if settings {
        "ethtool"
    } else if features {
        "ethtool-k"
    } else {
        ID
    };
    let mut fields = Fields::new(source, dev.clone());
    let mut counters = Counters { source: ID, dev, entries: Vec::new() };
    for (key, value) in map {
        if key == "ifname" || settings && matches!(key.as_str(), "mdi-x-forced" | "mdi-x-auto") {
            continue;
        }
        if settings && key == "mdi-x" {
            fields.entries.extend(crossover(map).map(|value| Field { key: "MDI-X".to_owned(), value, at }));
            continue;
        }
        if settings && let Some((key, value)) = setting(key, value) {
            fields.push(key, value, at);
        } else if features && let Some(value) = feature(value) {
            fields.push(key.as_str(), value, at);
        } else {
            flatten(key, value, at, &mut fields, &mut counters);
        }
    }
    // `link-state: ["No cable"]` is printed in brackets behind `no`.
    if settings
        && let Some(reason) = map.get("link-state").map(text)
        && let Some(f) = fields.entries.iter_mut().find(|f| f.key == "Link detected")
    {
        f.value = format!("{} ({reason})", f.value);
    }
    if !counters.entries.is_empty() {
        out.record(at, None, What::Counters(counters));
    }
    out.record(at, None, What::Fields(fields));
}

/// The key and value that the plain output prints.
fn setting(key: &str, value: &Value) -> Option<(&'static str, String)> {
    let switch =
        |on: &str, off: &str| value.as_bool().map(|b| if b { on.to_owned() } else { off.to_owned() });
    Some(match key {
        "speed" => ("Speed", format!("{}Mb/s", value.as_u64()?)),
        "lanes" => ("Lanes", text(value)),
        "duplex" => ("Duplex", text(value)),
        "port" => ("Port", text(value)),
        "phyad" => ("PHYAD", text(value)),
        "transceiver" => ("Transceiver", text(value)),
        "auto-negotiation" => ("Auto-negotiation", switch("on", "off")?),
        "link-detected" => ("Link detected", switch("yes", "no")?),
        "link-down-events" => ("Link Down Events", text(value)),
        "sqi" => ("SQI", text(value)),
        "supports-auto-negotiation" => ("Supports auto-negotiation", switch("Yes", "No")?),
        "advertised-auto-negotiation" => ("Advertised auto-negotiation", switch("Yes", "No")?),
        "link-partner-advertised-auto-negotiation" => {
            ("Link partner advertised auto-negotiation", switch("Yes", "No")?)
        }
        "supported-ports" => ("Supported ports", format!("[ {} ]", text(value)).replace("[  ]", "[ ]")),
        "supported-link-modes" => ("Supported link modes", list(value)),
        "supported-pause-frame-use" => ("Supported pause frame use", text(value)),
        "supported-fec-modes" => ("Supported FEC modes", list(value)),
        "advertised-link-modes" => ("Advertised link modes", list(value)),
        "advertised-pause-frame-use" => ("Advertised pause frame use", text(value)),
        "advertised-fec-modes" => ("Advertised FEC modes", list(value)),
        "link-partner-advertised-link-modes" => ("Link partner advertised link modes", list(value)),
        "link-partner-advertised-pause-frame-use" => ("Link partner advertised pause frame use", text(value)),
        "link-partner-advertised-fec-modes" => ("Link partner advertised FEC modes", list(value)),
        "supports-wake-on" => ("Supports Wake-on", text(value)),
        "wake-on" => ("Wake-on", text(value)),
        "master-slave-cfg" => ("master-slave cfg", text(value)),
        "master-slave-status" => ("master-slave status", text(value)),
        _ => return None,
    })
}

/// A list of modes; the plain output says so where it is empty.
fn list(value: &Value) -> String {
    if value.as_array().is_some_and(Vec::is_empty) { "Not reported".to_owned() } else { text(value) }
}

/// `MDI-X: off (auto)`: three keys of the JSON are one line of the plain output (`dump_mdix()`).
fn crossover(map: &Map<String, Value>) -> Option<String> {
    let is = |key: &str| map.get(key).and_then(Value::as_bool);
    let mut text = if is("mdi-x")? { "on" } else { "off" }.to_owned();
    if is("mdi-x-forced") == Some(true) {
        text.push_str(" (forced)");
    } else if is("mdi-x-auto") == Some(true) {
        text.push_str(" (auto)");
    }
    Some(text)
}

/// `{"active": true, "fixed": true, "requested": true}` as `on [fixed]`.
fn feature(value: &Value) -> Option<String> {
    let active = value.get("active")?.as_bool()?;
    let mut text = if active { "on" } else { "off" }.to_owned();
    if value.get("fixed").and_then(Value::as_bool) == Some(true) {
        text.push_str(" [fixed]");
    } else if let Some(wanted) = value.get("requested").and_then(Value::as_bool)
        && wanted != active
    {
        text.push_str(if wanted { " [requested on]" } else { " [requested off]" });
    }
    Some(text)
}

/// A value on one line; lists joined with blanks.
fn text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(" "),
        v => v.to_string(),
    }
}

fn flatten(path: &str, value: &Value, at: Citation, fields: &mut Fields, counters: &mut Counters) {
    let is_group = |p: &str| {
        ["eth-mac", "eth-phy", "eth-ctrl", "rmon", "phy", "ts-info"]
            .iter()
            .any(|g| p.strip_prefix(g).is_some_and(|r| r.starts_with('.')))
            || p.starts_with("statistics.")
    };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten(&format!("{path}.{key}"), value, at, fields, counters);
            }
        }
        v if is_group(path) && number(&v.to_string()).is_some() => {
            // `statistics.corrected_blocks.total`, `eth-mac.FramesReceivedOK`
            let (group, name) = path.split_once('.').unwrap_or(("", path));
            let bare = name.strip_suffix(".total").unwrap_or(name);
            let meaning = meaning(None, bare);
            let name = if group == "statistics" { bare.to_owned() } else { format!("{group}-{name}") };
            counters.entries.push(Counter { name, value: v.as_u64().unwrap_or(0), meaning, at });
        }
        v => fields.push(path, text(v), at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Meaning};
    use crate::parse::{Parsed, parse_text_with};

    fn read(text: &str) -> Parsed {
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(p.not_understood.is_empty() && p.unrecognised.is_empty());
        p
    }

    fn fields(p: &Parsed) -> &Fields {
        p.records.iter().find_map(|r| if let What::Fields(f) = &r.what { Some(f) } else { None }).unwrap()
    }

    #[test]
    fn settings_as_the_plain_output_prints_them() {
        let p = read(
            "[ {\n        \"ifname\": \"eno1\",\n        \"supported-ports\": [ \"TP\" ],\n        \"speed\": 1000,\n        \"duplex\": \"Full\",\n        \"auto-negotiation\": true,\n        \"mdi-x\": false,\n        \"link-detected\": false,\n        \"link-state\": [ \"No cable\" ]\n    } ]\n",
        );
        let f = fields(&p);
        assert_eq!((f.source, f.dev.as_deref(), f.int("Speed")), ("ethtool", Some("eno1"), Some(1000)));
        assert_eq!(f.text("Link detected"), Some("no (No cable)"));
        assert_eq!((f.text("MDI-X"), f.text("Supported ports")), (Some("off"), Some("[ TP ]")));
        assert_eq!(p.typed, 10);
    }

    #[test]
    fn features_and_statistics() {
        let p = read(
            "[ {\n \"ifname\": \"eno1\",\n \"rx-gro\": { \"active\": true, \"fixed\": false, \"requested\": true },\n \"rx-lro\": { \"active\": false, \"fixed\": false, \"requested\": true }\n } ]\n",
        );
        assert_eq!((fields(&p).source, fields(&p).text("rx-lro")), ("ethtool-k", Some("off [requested on]")));
        let p = read(
            "[ {\n \"ifname\": \"eno1\",\n \"config\": [ \"Auto\",\"RS\" ],\n \"statistics\": { \"corrected_blocks\": { \"total\": 7 }, \"uncorrectable_blocks\": { \"total\": 1 } }\n } ]\n",
        );
        let What::Counters(c) = &p.records[0].what else { panic!() };
        assert_eq!((c.entries[0].meaning, c.entries[0].value), (Meaning::FecCorrected, 7));
        assert_eq!(fields(&p).text("config"), Some("Auto RS"));
        let p =
            read("[ {\n \"ifname\": \"eno1\",\n \"eth-phy\": { \"SymbolErrorDuringCarrier\": 3 }\n } ]\n");
        let What::Counters(c) = &p.records[0].what else { panic!() };
        assert_eq!(c.entries[0].meaning, Meaning::RxSymbol);
    }

    #[test]
    fn a_cut_tail_is_kept() {
        let p = read("[ {\n        \"ifname\": \"eno1\",\n        \"rx\": 512,\n        \"tx\": 256,\n");
        assert_eq!((fields(&p).dev.as_deref(), fields(&p).int("rx")), (Some("eno1"), Some(512)));
    }

    #[test]
    fn other_json_is_not_it() {
        for text in [
            "[{\"ifindex\":1,\"ifname\":\"lo\"}]\n",
            "[{\"ifname\":\"eth0\",\"vlans\":[]}]\n",
            "[{\"ifname\":\"eth0\",\"mtu\":1500}]\n",
            "[1,2]\n",
        ] {
            assert!(
                parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]).recognised.is_empty(),
                "{text}"
            );
        }
    }
}
