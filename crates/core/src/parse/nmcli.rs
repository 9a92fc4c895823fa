//! `nmcli device show`, `nmcli connection show X`, and the tables of `nmcli device`, `nmcli connection`, `nmcli general`.
//!
//! Printed by `nmcli` of NetworkManager 0.9 to 1.50 (`src/nmcli`). A profile (keys such as `bond.options`) is what somebody
//! wanted: [`What::Config`]; the state of a device (`GENERAL.STATE`) and the tables are [`What::Fields`], one record per
//! device or row.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "nmcli";

/// What stands before the dot: groups of a device, or settings of a profile.
const GROUPS: &[&str] = &[
    "GENERAL",
    "WIRED-PROPERTIES",
    "IP4",
    "IP6",
    "DHCP4",
    "DHCP6",
    "CAPABILITIES",
    "INTERFACE-FLAGS",
    "BOND",
    "TEAM",
    "VLAN",
    "BRIDGE",
    "WIFI-PROPERTIES",
    "CONNECTIONS",
    "LLDP",
    "VPN",
    "WIMAX-PROPERTIES",
    "PROFILE",
    "ACTIVE",
    "connection",
    "802-3-ethernet",
    "ipv4",
    "ipv6",
    "bond",
    "bond-port",
    "proxy",
    "team",
    "team-port",
    "vlan",
    "bridge",
    "bridge-port",
    "tc",
    "sriov",
    "user",
    "match",
    "ethtool",
    "infiniband",
    "hostname",
    "dcb",
    "802-11-wireless",
    "802-1x",
    "macvlan",
    "vxlan",
    "tun",
    "vrf",
    "veth",
    "link",
    "ovs-bridge",
    "ovs-port",
    "ovs-interface",
    "generic",
    "dummy",
    "serial",
    "gsm",
    "ppp",
    "ip-tunnel",
    "802-11-wireless-security",
    "wireguard",
    "loopback",
    "AP[1]",
    "prefix-delegation",
];

/// Types of devices in the tables.
const TYPES: &[&str] = &[
    "ethernet",
    "bond",
    "team",
    "bridge",
    "vlan",
    "loopback",
    "wifi",
    "wifi-p2p",
    "tun",
    "dummy",
    "veth",
    "infiniband",
    "vxlan",
    "macvlan",
    "vrf",
    "ovs-bridge",
    "ovs-port",
    "ovs-interface",
    "unknown",
    "generic",
    "iptunnel",
    "bt",
    "gsm",
    "wireguard",
    "hsr",
    "ip-tunnel",
    "openvswitch",
    "unmanaged",
    "ipvlan",
    "cdma",
    "6lowpan",
    "wpan",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    detail(t).is_some() || table(t) || notice(t) || headless(t)
}

/// A row of the table of profiles whose heading was cut away.
fn headless(t: &str) -> bool {
    if t.bytes().filter(|b| *b == b'-').count() < 4 {
        return false;
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    words
        .windows(2)
        .any(|w| matches!(w, [id, kind] if uuid(id) && (TYPES.contains(kind) || *kind == "802-3-ethernet")))
}

/// `GENERAL.DEVICE:    em3`, `IP4.ADDRESS[1]:  10.0.0.1/22`.
fn detail(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once(':')?;
    let (group, name) = key.split_once('.')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'[' | b']');
    (GROUPS.contains(&group)
        && !name.is_empty()
        && name.bytes().all(plain)
        && (value.is_empty()
            || value.starts_with([' ', '\t', '-'])
            || group.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')))
    .then_some((key, value.trim()))
}

fn table(t: &str) -> bool {
    // Every heading here is in capitals.
    if !t.starts_with(|c: char| c.is_ascii_uppercase()) {
        return false;
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    matches!(
        words.as_slice(),
        ["NAME", "UUID", "TYPE", "DEVICE" | "TIMESTAMP", ..]
            | ["DEVICE", "TYPE", "STATE", ..]
            | ["STATE", "CONNECTIVITY", ..]
            | ["RUNNING", "VERSION", "STATE", ..]
            | ["NAME", "TYPE", "DEVICE"]
            | ["DEVICE", "CHASSIS-ID", ..]
            | ["DEVICE[1]", ..]
    )
}

fn notice(t: &str) -> bool {
    t.starts_with("Warning: nmcli (")
        || t.starts_with("Error: NetworkManager is not running")
        || t.starts_with("Error: nmcli (")
        || (t.starts_with("Error: Device '") && t.contains("not found"))
        || (t.starts_with("Error: ") && t.ends_with("no such connection profile."))
        || t.starts_with("Connection profile details (")
        || t.starts_with("Activate connection details (")
        || t.starts_with("Device details (")
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    let mut last: Option<Citation> = None;
    let mut columns: Option<Vec<String>> = None;
    let mut after_blank = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            columns = None;
            continue;
        }
        let t = line.trimmed();
        if let Some((key, value)) = detail(t) {
            let begins = matches!(key, "GENERAL.DEVICE" | "connection.id") && fields.get(key).is_some();
            // `nmcli connection show` prints GENERAL of the active connection behind the profile.
            if begins {
                flush(&mut fields, &mut last, out);
            }
            fields.push(key, value, line.cite());
            columns = None;
        } else if table(t) {
            flush(&mut fields, &mut last, out);
            columns = Some(t.split_whitespace().map(str::to_owned).collect());
            fields.push("columns", t, line.cite());
            last = Some(line.cite());
            flush(&mut fields, &mut last, out);
        } else if notice(t) {
            fields.push(if t.starts_with("Error") { "error" } else { "notice" }, t, line.cite());
        } else if columns.is_none() && fields.entries.is_empty() && headless(t) {
            columns = Some(["NAME", "UUID", "TYPE", "DEVICE"].map(str::to_owned).to_vec());
            continue;
        } else if let Some(row) = columns.as_deref().and_then(|c| row(c, t)) {
            let mut f = Fields::new(ID, row.0);
            for (k, v) in row.1 {
                f.push(k, v, line.cite());
            }
            out.record(line.cite(), None, What::Fields(f));
            out.typed(line);
            cursor.next();
            after_blank = false;
            continue;
        } else if !after_blank && columns.is_none() && wraps(&fields, line, t) {
            // A value that the terminal or a mail wrapped.
            if let Some(f) = fields.entries.last_mut() {
                f.value = format!("{} {t}", f.value).trim().to_owned();
                f.at = f.at.to(line.cite());
            }
        } else if t.bytes().all(|b| b == b'-') && columns.is_some() {
            fields.push("rule", "", line.cite());
        } else {
            break;
        }
        last = Some(line.cite());
        after_blank = false;
        out.typed(line);
        cursor.next();
    }
    flush(&mut fields, &mut last, out);
}

fn wraps(fields: &Fields, line: &Line<'_>, t: &str) -> bool {
    fields.entries.last().is_some_and(|f| match f.key.as_str() {
        "notice" => t.starts_with("--") || t.starts_with("Use ") || t.contains("suppress"),
        key => {
            key.contains('.') && (line.indent() > 0 || is_value(t) || f.value.is_empty() && !t.contains(' '))
        }
    })
}

/// A lone value, such as an object path or an address.
fn is_value(t: &str) -> bool {
    t.contains(" = ")
        || !t.contains(char::is_whitespace) && (t.starts_with('/') || t.contains('=') || t.contains(','))
}

fn flush(fields: &mut Fields, last: &mut Option<Citation>, out: &mut Out) {
    let mut done = std::mem::replace(fields, Fields::new(ID, None));
    let (Some(first), Some(end)) = (done.entries.first().map(|f| f.at), last.take()) else { return };
    let name = ["GENERAL.DEVICE", "connection.interface-name", "GENERAL.DEVICES", "connection.id"]
        .iter()
        .filter_map(|k| done.text(k))
        .find(|v| !v.is_empty() && *v != "--");
    done.dev = name.map(str::to_owned).or_else(|| out.hints.dev.clone());
    let profile = done.entries.iter().any(|f| {
        f.key.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && f.key.contains('.')
    });
    out.record(first.to(end), None, if profile { What::Config(done) } else { What::Fields(done) });
}

type Row = (Option<String>, Vec<(String, String)>);

/// One row of a table: the interface, and the cells.
fn row(columns: &[String], t: &str) -> Option<Row> {
    let words: Vec<&str> = t.split_whitespace().collect();
    let some = |s: &str| (s != "--" && !s.is_empty()).then(|| s.trim_end_matches('"').to_owned());
    let mut cells = Vec::new();
    if columns.first().is_some_and(|c| c == "NAME") {
        // Names may have blanks: the UUID tells where they end.
        let at = words.iter().position(|w| uuid(w));
        let at = match at {
            Some(at) => at,
            None if columns.get(1).is_some_and(|c| c == "TYPE") && words.len() == 3 => 1,
            None => return None,
        };
        let name = words.get(..at)?.join(" ");
        cells.push(("NAME".to_owned(), name.clone()));
        let rest = columns.iter().skip(1).zip(words.iter().skip(at));
        cells.extend(rest.map(|(c, w)| (c.clone(), (*w).to_owned())));
        let dev = cells.iter().find(|(c, _)| c == "DEVICE").and_then(|(_, v)| some(v)).or(Some(name));
        return Some((dev, cells));
    }
    if columns.first().is_some_and(|c| c == "DEVICE") && columns.get(1).is_some_and(|c| c == "TYPE") {
        let (dev, kind) = (words.first()?, words.get(1)?);
        if !TYPES.contains(kind) {
            return None;
        }
        cells.push(("DEVICE".to_owned(), (*dev).to_owned()));
        cells.push(("TYPE".to_owned(), (*kind).to_owned()));
        // `connected (externally)` and `connecting (getting IP configuration)` are one cell.
        let mut rest = words.get(2..)?.to_vec();
        let mut state = if rest.is_empty() { String::new() } else { rest.remove(0).to_owned() };
        if rest.first().is_some_and(|w| w.starts_with('(')) {
            while let Some(w) = (!rest.is_empty()).then(|| rest.remove(0)) {
                state = format!("{state} {w}");
                if w.ends_with(')') {
                    break;
                }
            }
        }
        cells.push(("STATE".to_owned(), state));
        let last = columns.len().saturating_sub(1);
        for (i, c) in columns.iter().enumerate().skip(3) {
            let value = if i == last {
                std::mem::take(&mut rest).join(" ")
            } else if rest.is_empty() {
                String::new()
            } else {
                rest.remove(0).to_owned()
            };
            cells.push((c.clone(), value));
        }
        return Some((some(dev), cells));
    }
    if columns.first().is_some_and(|c| c == "STATE" || c == "RUNNING") {
        let first = words.first()?;
        if !["connected", "disconnected", "asleep", "connecting", "running", "unknown"].contains(first) {
            return None;
        }
        cells.push(("row".to_owned(), t.to_owned()));
        return Some((None, cells));
    }
    None
}

fn uuid(w: &str) -> bool {
    w.len() == 36
        && w.bytes().filter(|b| *b == b'-').count() == 4
        && w.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn read(text: &str) -> Vec<What> {
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        parsed.records.into_iter().map(|r| r.what).collect()
    }

    #[test]
    fn profile_and_devices() {
        let got = read(
            "connection.id:                          bond0\nconnection.interface-name:              bond0\nbond.options:                           mode=802.3ad,miimon=100\nGENERAL.STATE:                          activated\n",
        );
        let [What::Config(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(
            (f.dev.as_deref(), f.text("bond.options")),
            (Some("bond0"), Some("mode=802.3ad,miimon=100"))
        );
        let got = read(
            "GENERAL.DEVICE:   em1\nGENERAL.STATE:   100 (connected)\n\nGENERAL.DEVICE:  em2\nIP6.ROUTE[1]:  dst = ::, nh = ::\n",
        );
        assert_eq!(got.len(), 2);
    }

    #[test]
    fn rows_without_their_heading() {
        let got = read("Bond one  0c7c3f2e-1111-4222-8333-444444444444  bond      bond0  \n");
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((f.dev.as_deref(), f.text("NAME")), (Some("bond0"), Some("Bond one")));
    }

    #[test]
    fn tables() {
        let got = read(
            "DEVICE  TYPE      STATE                   CONNECTION \nbond0   bond      connected (externally)  Bond one   \nlo      loopback  unmanaged               --         \n\nNAME      UUID                                  TYPE      DEVICE \nBond one  0c7c3f2e-1111-4222-8333-444444444444  bond      bond0  \n",
        );
        let rows: Vec<_> = got
            .iter()
            .filter_map(|w| {
                if let What::Fields(f) = w {
                    Some((f.dev.as_deref()?, f.text("STATE"), f.text("CONNECTION")))
                } else {
                    None
                }
            })
            .collect();
        assert_eq!(
            rows,
            [
                ("bond0", Some("connected (externally)"), Some("Bond one")),
                ("lo", Some("unmanaged"), Some("--")),
                ("bond0", None, None)
            ]
        );
    }
}
