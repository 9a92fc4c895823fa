//! `teamdctl <team> state`, `state view -v`, `state dump` and `config dump` (libteam).
//!
//! The text is printed by `stateview_json_process()` in `utils/teamdctl.c`, the JSON by teamd itself
//! (`teamd_state.c`, `teamd_runner_lacp.c`, `teamd_link_watch.c`), libteam 1.9 to 1.32 and SONiC's fork
//! (`retry_count`). Words that `/proc/net/bonding` has too get its names: `MII Status`, `Speed`, `Duplex`,
//! `Link Failure Count`, `Aggregator ID`, `LACP active`, `LACP rate`, `System priority`, and in `actor` and
//! `partner` `system priority`, `system mac address`, `port key` or `oper key`, `port priority`, `port number`,
//! `port state` (decimal). The rest keeps teamd's own path, such as `runner.state` = `current`.

use super::{Cursor, Format, Out, json_lines, lacp_fields};
use crate::evidence::{Aggregator, Bond, BondMember, Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "teamdctl-state";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    let next = |n: usize| lines.get(i + n).map_or("", |l| l.trimmed());
    match t {
        "setup:" => (1..=2).any(|n| next(n).starts_with("runner: ")),
        "link watches:" => next(1).starts_with("link summary:"),
        "ports:" => {
            next(2) == "link watches:" || next(2).starts_with("ifindex:") || next(3) == "link watches:"
        }
        "actor LACPDU info:" | "partner LACPDU info:" => next(1).starts_with("system priority:"),
        _ if t.starts_with("aggregator ID: ") => next(1).starts_with("selected: "),
        _ if t.starts_with('{') || t.starts_with('"') => json(lines, i),
        _ => false,
    }
}

/// A JSON object of teamd: its own top-level names stand on the first lines.
fn json(lines: &[Line<'_>], i: usize) -> bool {
    let here: String = (0..4).filter_map(|n| lines.get(i + n)).map(|l| l.trimmed()).collect();
    let begin: String = here.chars().filter(|c| !c.is_whitespace()).take(160).collect();
    // With the head cut away the text begins at a name of the top level.
    let body = begin.strip_prefix('{').unwrap_or(&begin);
    let first = body.strip_prefix('"').and_then(|b| b.split_once('"'));
    match first {
        Some(("runner" | "setup" | "ports" | "team_device", rest)) if rest.starts_with(":{") => [
            "\"ifinfo\"",
            "\"link\"",
            "\"link_watches\"",
            "\"setup\"",
            "\"active\"",
            "\"fast_rate\"",
            "\"kernel_team_mode_name\"",
            "\"daemonized\"",
            "\"dbus_enabled\"",
            "\"runner_name\"",
            "\"enable_retry",
            "\"fallback\"",
            "\"active_port\"",
            "\"select_policy\"",
            "\"name\":\"lacp\"",
            "\"name\":\"activebackup\"",
            "\"name\":\"loadbalance\"",
            "\"name\":\"roundrobin\"",
        ]
        .iter()
        .any(|k| begin.contains(k)),
        Some(("device" | "hwaddr" | "link_watch", _)) => {
            ["\"runner\":{", "\"link_watch\":{", "\"ports\":{"].iter().any(|k| begin.contains(k))
        }
        _ => false,
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    if cursor.peek().is_some_and(|l| l.trimmed().starts_with(['{', '"'])) {
        dump(cursor, out);
    } else {
        view(cursor, out);
    }
}

fn new_bond(out: &Out) -> Bond {
    Bond {
        source: ID,
        name: out.hints.dev.clone(),
        aggregator: Aggregator::Team,
        fields: Fields::new(ID, out.hints.dev.clone()),
        members: Vec::new(),
    }
}

fn member<'b>(bond: &'b mut Bond, name: &str, at: Citation) -> Option<&'b mut BondMember> {
    if let Some(i) = bond.members.iter().position(|m| m.name == name) {
        return bond.members.get_mut(i);
    }
    let fields = Fields::new(ID, Some(name.to_owned()));
    let (actor, partner) = (fields.clone(), fields.clone());
    bond.members.push(BondMember { name: name.to_owned(), at, fields, actor, partner });
    bond.members.last_mut()
}

/// A field of the runner or the setup.
fn bond_field(bond: &mut Bond, path: &str, value: &str, at: Citation) {
    let on = matches!(value, "yes" | "true");
    match path {
        "runner.active" => bond.fields.push("LACP active", if on { "on" } else { "off" }, at),
        "runner.fast_rate" => bond.fields.push("LACP rate", if on { "fast" } else { "slow" }, at),
        "runner.sys_prio" | "runner.system_priority" => bond.fields.push("System priority", value, at),
        "runner.active_port" => bond.fields.push("Currently Active Slave", value, at),
        "setup.runner" | "setup.runner_name" => bond.fields.push("Bonding Mode", format!("team {value}"), at),
        "team_device.ifinfo.ifname" => {
            bond.name = Some(value.to_owned());
            bond.fields.push("ifname", value, at);
        }
        "team_device.ifinfo.dev_addr" => bond.fields.push("dev_addr", value, at),
        other => bond.fields.push(other, value, at),
    }
}

/// A field of a port; `path` is teamd's path below the port, with underscores.
fn port_field(m: &mut BondMember, path: &str, value: &str, at: Citation) {
    let up = matches!(value, "up" | "yes" | "true");
    if let Some((who, key)) = path
        .strip_prefix("runner.actor_lacpdu_info.")
        .map(|k| (true, k))
        .or_else(|| path.strip_prefix("runner.partner_lacpdu_info.").map(|k| (false, k)))
    {
        let target = if who { &mut m.actor } else { &mut m.partner };
        let name = match key {
            "system_priority" => "system priority",
            "system" => "system mac address",
            "key" if who => "port key",
            "key" => "oper key",
            "port_priority" => "port priority",
            "port" => "port number",
            "state" => "port state",
            other => other,
        };
        let value = match name {
            "port state" => lacp_fields::number(value).map_or_else(|| value.to_owned(), |n| n.to_string()),
            _ => value.to_owned(),
        };
        target.push(name, value, at);
        return;
    }
    match path {
        "link_watches.up" => m.fields.push("MII Status", if up { "up" } else { "down" }, at),
        "link.speed" => m.fields.push("Speed", format!("{value} Mbps"), at),
        "link.duplex" => m.fields.push("Duplex", value, at),
        "runner.aggregator.id" => m.fields.push("Aggregator ID", value, at),
        "runner.aggregator.selected" => m.fields.push("aggregator selected", value, at),
        "runner.selected" => m.fields.push("selected", if up { "yes" } else { "no" }, at),
        "runner.state" => m.fields.push("state", value, at),
        _ if path.ends_with(".down_count") => m.fields.push("Link Failure Count", value, at),
        other => m.fields.push(other, value, at),
    }
}

/// The JSON of `state dump`, or of `config dump`, which is configuration.
fn dump(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(start) = cursor.peek().map(Line::cite) else { return };
    let read = json_lines::read(cursor);
    let end = read.lines.last().map_or(start, |l| l.cite());
    for line in &read.lines {
        out.typed(line);
    }
    let top = |name: &str| read.objects.iter().any(|(p, _)| p.first().is_some_and(|f| f == name));
    let is_config = read.scalars.iter().any(|s| {
        matches!(
            s.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
            ["device" | "hwaddr"] | ["runner", "name"]
        )
    });
    if is_config && !top("setup") && !top("team_device") {
        let name =
            read.scalars.iter().find(|s| s.path.len() == 1 && s.path.first().is_some_and(|p| p == "device"));
        let mut fields = Fields::new(ID, name.map(|s| s.value.clone()).or_else(|| out.hints.dev.clone()));
        for s in &read.scalars {
            fields.push(s.path.join("."), s.value.clone(), s.at);
        }
        for (path, at) in &read.objects {
            if let [ports, name] = path.as_slice()
                && ports == "ports"
            {
                fields.push("ports", name.clone(), *at);
            }
        }
        out.record(start.to(end), None, What::Config(fields));
        return;
    }
    let mut bond = new_bond(out);
    for (path, at) in &read.objects {
        if let [ports, name] = path.as_slice()
            && ports == "ports"
        {
            member(&mut bond, name, *at);
        }
    }
    for s in &read.scalars {
        match s.path.split_first() {
            Some((ports, rest)) if ports == "ports" && rest.len() > 1 => {
                let Some((name, below)) = rest.split_first() else { continue };
                if let Some(m) = member(&mut bond, name, s.at) {
                    port_field(m, &below.join("."), &s.value, s.at);
                }
            }
            _ => bond_field(&mut bond, &s.path.join("."), &s.value, s.at),
        }
    }
    out.record(start.to(end), None, What::Bond(bond));
}

#[derive(Clone, Copy, PartialEq)]
enum Top {
    Setup,
    Ports,
    Runner,
}

#[derive(Clone, Copy, PartialEq)]
enum Below {
    Port,
    Watches,
    Instance,
    Runner,
    Actor,
    Partner,
}

/// Keys of the text; a line below `ports:` with another single word and no colon names a port.
const KEYS: &[&str] = &[
    "runner",
    "kernel team mode",
    "D-BUS enabled",
    "ZeroMQ enabled",
    "debug level",
    "daemonized",
    "PID",
    "PID file",
    "ifindex",
    "addr",
    "ethtool link",
    "link summary",
    "name",
    "link",
    "down count",
    "up count",
    "link up delay",
    "link down delay",
    "source host",
    "target host",
    "source address",
    "target address",
    "interval",
    "init wait",
    "validate active",
    "validate inactive",
    "send always",
    "initial wait",
    "missed packets",
    "missed max",
    "vlanid",
    "missed",
    "always active",
    "always send",
    "port id",
    "aggregator ID",
    "selected",
    "state",
    "key",
    "priority",
    "prio",
    "active",
    "fast rate",
    "system priority",
    "select policy",
    "system",
    "port_priority",
    "port",
    "port priority",
    "active port",
    "fallback",
    "min ports",
    "enable_retry_count_feature",
    "retry_count",
    "retry count",
    "D-Bus enabled",
    "multicast_src_addr",
    "team device",
    "hwaddr policy",
    "stuck count",
    "enable retry count feature",
    "dev addr",
    "up delay",
    "down delay",
];

fn view(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(start) = cursor.peek().map(Line::cite) else { return };
    let mut end = start;
    let mut bond = new_bond(out);
    // The head may be cut away: then a port's block comes first, of a port without a name.
    let (mut top, mut below) = (Top::Ports, Below::Port);
    let mut port: Option<String> = None;
    let mut after_blank = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        let has_setup = bond.fields.entries.iter().any(|f| f.key == "Bonding Mode");
        match t {
            // A second dump in the same paste.
            "setup:" if has_setup || !bond.members.is_empty() => break,
            "setup:" => top = Top::Setup,
            "ports:" => top = Top::Ports,
            // `runner:` at the left edge is the team's, deeper it is a port's. With the indentation lost, the
            // team's runner is the one without `aggregator ID` below it.
            "runner:" => {
                let next = cursor.peek_at(1).map_or("", |l| l.trimmed());
                let team = [
                    "active:",
                    "active port:",
                    "fast rate:",
                    "system priority:",
                    "select policy:",
                    "fallback:",
                ];
                if line.indent() == 0 && (bond.members.is_empty() || team.iter().any(|k| next.starts_with(k)))
                    || team.iter().any(|k| next.starts_with(k))
                {
                    top = Top::Runner;
                } else {
                    below = Below::Runner;
                }
            }
            "link watches:" => below = Below::Watches,
            "actor LACPDU info:" => below = Below::Actor,
            "partner LACPDU info:" => below = Below::Partner,
            _ if t.starts_with("instance[") && t.ends_with(':') => {
                below = Below::Instance;
            }
            _ => {
                let (key, value) = match t.split_once(':') {
                    Some((k, v)) => (k.trim(), v.trim()),
                    None => ("", t),
                };
                if key.is_empty() || (value.is_empty() && !KEYS.contains(&key)) {
                    let one_word =
                        !t.contains(char::is_whitespace) && super::prompt::is_ifname(t.trim_end_matches(':'));
                    if top != Top::Setup
                        && one_word
                        && (below != Below::Port || port.is_none() || line.indent() > 0)
                    {
                        let name = t.trim_end_matches(':').to_owned();
                        member(&mut bond, &name, line.cite());
                        (port, below, top) = (Some(name), Below::Port, Top::Ports);
                        out.typed(line);
                        cursor.next();
                        end = line.cite();
                        after_blank = false;
                        continue;
                    }
                    if after_blank {
                        break;
                    }
                    out.not_understood(line);
                    cursor.next();
                    continue;
                }
                let known = KEYS.iter().any(|k| k.eq_ignore_ascii_case(key));
                if !known && after_blank {
                    break;
                }
                put(&mut bond, top, below, port.as_deref(), key, value, line.cite());
                if known {
                    out.typed(line)
                } else {
                    out.not_understood(line)
                }
                cursor.next();
                end = line.cite();
                after_blank = false;
                continue;
            }
        }
        out.typed(line);
        end = line.cite();
        after_blank = false;
        cursor.next();
    }
    out.record(start.to(end), None, What::Bond(bond));
}

fn put(bond: &mut Bond, top: Top, below: Below, port: Option<&str>, key: &str, value: &str, at: Citation) {
    let path = key.replace([' ', '-'], "_");
    match top {
        Top::Setup => return bond_field(bond, &format!("setup.{path}"), value, at),
        Top::Runner => return bond_field(bond, &format!("runner.{path}"), value, at),
        Top::Ports => {}
    }
    let Some(m) = member(bond, port.unwrap_or("?"), at) else { return };
    match (below, path.as_str()) {
        (Below::Port, "ethtool_link") => {
            // 1000mbit/fullduplex/up
            m.fields.push("ethtool link", value, at);
            let mut parts = value.split('/');
            if let Some(speed) = parts.next().and_then(|s| s.strip_suffix("mbit")) {
                m.fields.push("Speed", format!("{speed} Mbps"), at);
            }
            if let Some(duplex) = parts.next() {
                m.fields.push("Duplex", duplex.trim_end_matches("duplex"), at);
            }
        }
        (_, "link_summary") => port_field(m, "link_watches.up", value, at),
        (_, "down_count") => port_field(m, "link_watches.down_count", value, at),
        (_, "aggregator_ID") => {
            let (id, selected) = value.split_once(',').unwrap_or((value, ""));
            port_field(m, "runner.aggregator.id", id.trim(), at);
            let selected = selected.trim().eq_ignore_ascii_case("selected");
            port_field(m, "runner.aggregator.selected", if selected { "yes" } else { "no" }, at);
        }
        (Below::Actor, key) => port_field(m, &format!("runner.actor_lacpdu_info.{key}"), value, at),
        (Below::Partner, key) => port_field(m, &format!("runner.partner_lacpdu_info.{key}"), value, at),
        (Below::Port, "addr") => m.fields.push("ifinfo.dev_addr", value, at),
        (Below::Port, "ifindex") => m.fields.push("ifinfo.ifindex", value, at),
        (Below::Watches | Below::Instance, key) => port_field(m, &format!("link_watches.{key}"), value, at),
        (Below::Port | Below::Runner, key) => port_field(m, &format!("runner.{key}"), value, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn bonds(text: &str) -> Vec<Bond> {
        let parsed = parse_text_with(FileId(0), "teamdctl_team0_state", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty(), "{:?}", parsed.not_understood);
        assert!(parsed.unrecognised.is_empty(), "{:?}", parsed.unrecognised);
        let bond = |w| if let What::Bond(b) = w { Some(b) } else { None };
        parsed.records.into_iter().filter_map(|r| bond(r.what)).collect()
    }

    const VIEW: &str = "setup:\n  runner: lacp\nports:\n  em1\n    link watches:\n      link summary: up\n      instance[link_watch_0]:\n        name: ethtool\n        link: up\n        down count: 3\n    runner:\n      aggregator ID: 2, Selected\n      selected: yes\n      state: current\n      actor LACPDU info:\n        system priority: 65535\n        system: 02:00:00:00:11:01\n        key: 0\n        port_priority: 255\n        port: 2\n        state: 0x3d\n  em2\n    link watches:\n      link summary: down\n    runner:\n      aggregator ID: 2\n      selected: no\n      state: disabled\nrunner:\n  active: yes\n  fast rate: no\n";

    #[test]
    fn text_view() {
        let got = bonds(VIEW);
        let [b] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(b.name.as_deref(), Some("team0"));
        assert_eq!((b.fields.text("LACP active"), b.fields.text("LACP rate")), (Some("on"), Some("slow")));
        let [one, two] = b.members.as_slice() else { panic!() };
        assert_eq!(
            (one.fields.text("MII Status"), one.fields.int("Link Failure Count")),
            (Some("up"), Some(3))
        );
        assert_eq!((one.fields.text("selected"), one.fields.text("state")), (Some("yes"), Some("current")));
        assert_eq!(one.fields.int("Aggregator ID"), Some(2));
        assert_eq!((one.actor.int("port state"), one.actor.int("port number")), (Some(61), Some(2)));
        assert_eq!((two.name.as_str(), two.fields.text("selected")), ("em2", Some("no")));
        assert_eq!(two.fields.text("MII Status"), Some("down"));
    }

    #[test]
    fn json_dump() {
        let got = bonds(
            "{\n    \"ports\": {\n        \"em1\": {\n            \"ifinfo\": {\n                \"dev_addr\": \"02:00:00:00:11:01\",\n                \"ifindex\": 2\n            },\n            \"link\": {\n                \"duplex\": \"full\",\n                \"speed\": 1000,\n                \"up\": true\n            },\n            \"link_watches\": {\n                \"list\": {\n                    \"link_watch_0\": {\n                        \"down_count\": 4,\n                        \"name\": \"ethtool\",\n                        \"up\": true\n                    }\n                },\n                \"up\": true\n            },\n            \"runner\": {\n                \"actor_lacpdu_info\": {\n                    \"port\": 2,\n                    \"state\": 61\n                },\n                \"partner_lacpdu_info\": {\n                    \"key\": 17,\n                    \"state\": 69,\n                    \"system\": \"02:00:00:00:22:01\"\n                },\n                \"selected\": false,\n                \"state\": \"defaulted\"\n            }\n        }\n    },\n    \"runner\": {\n        \"active\": true,\n        \"fast_rate\": true\n    },\n    \"setup\": {\n        \"runner_name\": \"lacp\"\n    },\n    \"team_device\": {\n        \"ifinfo\": {\n            \"ifname\": \"team7\"\n        }\n    }\n}\n",
        );
        let [b] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((b.name.as_deref(), b.fields.text("LACP rate")), (Some("team7"), Some("fast")));
        let [m] = b.members.as_slice() else { panic!() };
        assert_eq!((m.fields.int("Speed"), m.fields.int("Link Failure Count")), (Some(1000), Some(4)));
        assert_eq!((m.fields.text("MII Status"), m.fields.text("selected")), (Some("up"), Some("no")));
        assert_eq!((m.actor.int("port state"), m.partner.int("port state")), (Some(61), Some(69)));
        assert_eq!(m.partner.text("system mac address"), Some("02:00:00:00:22:01"));
        assert_eq!((m.partner.int("oper key"), m.fields.text("state")), (Some(17), Some("defaulted")));
    }
}
