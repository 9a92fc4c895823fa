//! `systemctl status`, `is-active`, `is-enabled`, `show` and `list-units` as far as they speak of network managers.
//!
//! The unit is the `dev` of the fields. `status`: `Loaded`, `Active`, `Main PID` and the rest under systemd's names; the lines
//! of the journal below are left to the parser of logs. `list-units`: one record per unit with `load`, `active`, `sub`.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "systemctl";

const UNITS: &[&str] = &[
    "networking",
    "network",
    "NetworkManager",
    "systemd-networkd",
    "networkd-dispatcher",
    "wicked",
    "wickedd",
    "teamd",
    "openvswitch",
    "openvswitch-switch",
    "ovs-vswitchd",
    "ovsdb-server",
    "irqbalance",
    "lldpd",
    "lldpad",
    "tuned",
    "ifupdown2",
    "netplan",
    "connman",
    "dhcpcd",
    "chronyd",
    "chrony",
    "systemd-timesyncd",
    "ntpd",
    "keepalived",
    "firewalld",
    "nftables",
    "ifupdown-pre",
    "NetworkManager-wait-online",
    "systemd-networkd-wait-online",
    "iptables",
    "frr",
    "clagd",
    "switchd",
];

/// Keys of `systemctl status` and `show`.
const KEYS: &[&str] = &[
    "Loaded",
    "Active",
    "Docs",
    "Process",
    "Main PID",
    "Tasks",
    "Memory",
    "CPU",
    "CGroup",
    "Status",
    "TriggeredBy",
    "Triggers",
    "Drop-In",
    "Invocation",
    "IO",
    "IP",
    "FD Store",
    "Since",
    "Condition",
    "Warning",
    "Notice",
    "Transient",
    "Follow",
    "Where",
    "What",
    "Trigger",
    "Device",
    "Listen",
    "Accepted",
    "Duration",
    "Error",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    status(t).is_some()
        || row(t).is_some()
        || t.starts_with("UNIT ") && t.contains("LOAD") && t.contains("ACTIVE")
        || t.starts_with("UNIT FILE ") && t.contains("STATE")
        || (t.starts_with("Unit ") && t.ends_with("could not be found."))
        || (t.starts_with("Loaded: ")
            && lines
                .get(i + 1)
                .is_some_and(|l| l.trimmed().starts_with("Active: ") || l.trimmed().starts_with("Drop-In: ")))
}

/// `● NetworkManager.service - Network Manager`.
fn status(t: &str) -> Option<(&str, &str)> {
    let rest = t.strip_prefix(['\u{25cf}', '\u{25cb}', '*', '\u{d7}', '\u{21bb}'])?.trim_start();
    let (unit, description) = rest.split_once(" - ").unwrap_or((rest, ""));
    let kind = unit.rsplit('.').next()?;
    (unit.contains('.') && matches!(kind, "service" | "target" | "socket" | "timer") && !unit.contains(' '))
        .then_some((unit, description))
}

/// `NetworkManager.service  loaded active running Network Manager`, `networking.service enabled enabled`.
fn row(t: &str) -> Option<(&str, Vec<(&'static str, &str)>)> {
    let t = t.trim_start_matches(['\u{25cf}', '*', ' ']);
    let mut words = t.split_whitespace();
    let unit = words.next()?;
    let name = unit.rsplit_once('.').filter(|(_, k)| matches!(*k, "service" | "target" | "socket"))?.0;
    let name = name.split('@').next().unwrap_or(name);
    if !UNITS.contains(&name) {
        return None;
    }
    let first = words.next()?;
    if matches!(first, "loaded" | "not-found" | "masked" | "error" | "bad-setting") {
        let active = words.next()?;
        let sub = words.next().unwrap_or("");
        return Some((unit, vec![("load", first), ("active", active), ("sub", sub)]));
    }
    matches!(
        first,
        "enabled" | "disabled" | "static" | "masked" | "generated" | "alias" | "indirect" | "enabled-runtime"
    )
    .then(|| (unit, vec![("enabled", first), ("preset", words.next().unwrap_or(""))]))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    let mut open = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            if open {
                break;
            }
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if let Some((unit, description)) = status(t) {
            if open {
                break;
            }
            open = true;
            fields.dev = Some(unit.to_owned());
            fields.push("unit", unit, line.cite());
            fields.push("description", description, line.cite());
        } else if let Some((unit, cells)) = row(t) {
            let mut f = Fields::new(ID, Some(unit.to_owned()));
            for (key, value) in cells {
                f.push(key, value, line.cite());
            }
            out.record(line.cite(), None, What::Fields(f));
        } else if t.starts_with("UNIT ") {
            fields.push("heading", t, line.cite());
        } else if t.starts_with("Unit ") && t.ends_with("could not be found.") {
            fields.push("error", t, line.cite());
        } else if let Some((key, value)) = t.split_once(':').filter(|(k, _)| KEYS.contains(k)) {
            fields.push(key, value.trim(), line.cite());
            open = true;
        } else if open
            && (t.starts_with(['\u{2514}', '\u{251c}', '\u{2502}', '`', '|'])
                || t.starts_with("man:")
                || t.starts_with("http"))
        {
            fields.push("more", t, line.cite());
        } else {
            break;
        }
        out.typed(line);
        cursor.next();
    }
    out.fields(fields);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn status_and_list() {
        let text = "\u{25cf} networking.service - Raise network interfaces\n     Loaded: loaded (/lib/systemd/system/networking.service; enabled)\n     Active: active (exited) since Mon 2024-01-01 00:00:00 UTC\n   Main PID: 512 (code=exited, status=0/SUCCESS)\n     CGroup: /system.slice/networking.service\n             \u{2514}\u{2500}512 /sbin/ifup -a\n\nNetworkManager.service  loaded active running Network Manager\nsystemd-networkd.service disabled enabled\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let f: Vec<_> = parsed
            .records
            .iter()
            .filter_map(|r| if let What::Fields(f) = &r.what { Some(f) } else { None })
            .collect();
        assert_eq!(
            (f[0].dev.as_deref(), f[0].text("Active").map(|a| a.starts_with("active"))),
            (Some("networking.service"), Some(true))
        );
        assert_eq!((f[1].text("active"), f[2].text("enabled")), (Some("active"), Some("disabled")));
    }
}
