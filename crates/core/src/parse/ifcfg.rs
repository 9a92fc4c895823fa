//! `ifcfg-*` files: RHEL and its kin (`/etc/sysconfig/network-scripts`), SUSE (`/etc/sysconfig/network`).
//!
//! One [`What::Config`] per file. `BONDING_OPTS` and SUSE's `BONDING_MODULE_OPTS` are split: `BONDING_OPTS.mode` and so on
//! stand as fields of their own beside the whole.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ifcfg";

/// Keys that no other file of shell assignments has.
const STRICT: &[&str] = &[
    "DEVICE",
    "ONBOOT",
    "BOOTPROTO",
    "USERCTL",
    "DEVICETYPE",
    "TEAM_MASTER",
    "TEAM_PORT_CONFIG",
    "TEAM_CONFIG",
    "BONDING_OPTS",
    "BONDING_MASTER",
    "BONDING_MODULE_OPTS",
    "NM_CONTROLLED",
    "STARTMODE",
    "IPV6INIT",
    "PEERDNS",
    "DEFROUTE",
    "BONDING_SLAVE_0",
    "BONDING_SLAVE0",
    "ETHTOOL_OPTS",
    "IPV4_FAILURE_FATAL",
    "HOTPLUG",
    "VLAN_ID",
    "PHYSDEV",
    "ETHERDEVICE",
    "OVSBOOTPROTO",
    "OVS_BRIDGE",
    "MASTER_UUID",
    "TEAM_MASTER_UUID",
];

/// Keys that need company.
const LOOSE: &[&str] = &[
    "NAME",
    "TYPE",
    "UUID",
    "HWADDR",
    "MASTER",
    "SLAVE",
    "IPADDR",
    "NETMASK",
    "PREFIX",
    "GATEWAY",
    "MTU",
    "BRIDGE",
    "VLAN",
    "MACADDR",
    "ZONE",
    "DNS1",
    "DOMAIN",
    "NETWORK",
    "BROADCAST",
    "PROXY_METHOD",
    "BROWSER_ONLY",
    "IPADDR0",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let key = |n: usize| lines.get(i + n).and_then(|l| assignment(l.trimmed())).map(|(k, _)| k);
    let Some(here) = key(0) else { return false };
    STRICT.contains(&here)
        || (LOOSE.contains(&here) && (1..=3).any(|n| key(n).is_some_and(|k| STRICT.contains(&k))))
        || (here == "MASTER" && key(1) == Some("SLAVE"))
}

fn assignment(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once('=')?;
    let key = key.trim_end();
    let key = key.strip_prefix("export ").unwrap_or(key);
    let plain = !key.is_empty()
        && key.len() <= 40
        && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && key.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
    plain.then_some((key, value.trim_start_matches('=').trim()))
}

/// Takes quotes and a comment behind the value away.
fn value(raw: &str) -> String {
    let t = raw.trim();
    for q in ['"', '\''] {
        if let Some(inner) = t.strip_prefix(q) {
            // The last quote ends the value: JSON inside has quotes of its own.
            let inner = inner.rfind(q).and_then(|end| inner.get(..end)).unwrap_or(inner);
            return inner.trim_matches(q).trim().replace("\\\"", "\"");
        }
    }
    t.split(" #").next().unwrap_or(t).trim().to_owned()
}

fn open_quote(raw: &str) -> bool {
    let t = raw.trim();
    ['"', '\'']
        .iter()
        .any(|q| t.starts_with(*q) && (t.len() == 1 || !t.ends_with(*q)) && t.matches(*q).count() % 2 == 1)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    let mut span: Option<(Citation, Citation)> = None;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if t.starts_with('#') {
            fields.push("comment", t, line.cite());
        } else if let Some((key, raw)) = assignment(t) {
            let again = fields.get(key).is_some();
            if again && matches!(key, "DEVICE" | "NAME" | "TYPE" | "STARTMODE" | "BOOTPROTO" | "ONBOOT") {
                flush(&mut fields, &mut span, out);
            }
            let mut whole = raw.to_owned();
            let mut at = line.cite();
            if open_quote(raw) {
                // The value goes on; a mail may have wrapped it.
                for _ in 0..8 {
                    let Some(next) = cursor.peek_at(1).filter(|l| {
                        !l.is_blank() && assignment(l.trimmed()).is_none_or(|(k, _)| !STRICT.contains(&k))
                    }) else {
                        break;
                    };
                    cursor.next();
                    out.typed(next);
                    whole = format!("{} {}", whole.trim_end_matches('\\').trim_end(), next.trimmed());
                    at = at.to(next.cite());
                    if !open_quote(&whole) {
                        break;
                    }
                }
            }
            let text = value(&whole);
            fields.push(key, text.clone(), at);
            if matches!(key, "BONDING_OPTS" | "BONDING_MODULE_OPTS") {
                for (k, v) in text.split_whitespace().filter_map(|w| w.split_once('=')) {
                    fields.push(format!("BONDING_OPTS.{k}"), v, at);
                }
            }
            span = Some(span.map_or((at, at), |(first, _)| (first, at)));
            cursor.next();
            out.typed(line);
            continue;
        } else {
            break;
        }
        span = Some(span.map_or((line.cite(), line.cite()), |(first, _)| (first, line.cite())));
        out.typed(line);
        cursor.next();
    }
    flush(&mut fields, &mut span, out);
}

fn flush(fields: &mut Fields, span: &mut Option<(Citation, Citation)>, out: &mut Out) {
    let mut done = std::mem::replace(fields, Fields::new(ID, None));
    let Some((first, last)) = span.take() else { return };
    done.dev = done.text("DEVICE").or_else(|| done.text("NAME")).map(str::to_owned).or_else(|| {
        // SUSE names the interface only in the name of the file.
        let file = out.hints.command.as_deref().unwrap_or(&out.hints.path).rsplit('/').next().unwrap_or("");
        file.strip_prefix("ifcfg-").map(str::to_owned).or_else(|| out.hints.dev.clone())
    });
    out.record(first.to(last), None, What::Config(done));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn configs(path: &str, text: &str) -> Vec<Fields> {
        let parsed = parse_text_with(FileId(0), path, text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty() && parsed.unrecognised.is_empty(), "{parsed:?}");
        let config = |w| if let What::Config(f) = w { Some(f) } else { None };
        parsed.records.into_iter().filter_map(|r| config(r.what)).collect()
    }

    #[test]
    fn bonding_opts_are_split() {
        let got = configs(
            "x",
            "DEVICE=bond0\nTYPE=Bond\nBONDING_MASTER=yes\nBONDING_OPTS=\"mode=4 miimon=100\nlacp_rate=fast\"\nONBOOT=yes\nDEVICE=eth1\nMASTER=bond0\nSLAVE=yes\nTEAM_PORT_CONFIG='{\"prio\": 100}' \n",
        );
        let [a, b] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((a.dev.as_deref(), a.text("BONDING_OPTS.mode")), (Some("bond0"), Some("4")));
        assert_eq!(a.text("BONDING_OPTS.lacp_rate"), Some("fast"));
        assert_eq!((b.text("MASTER"), b.text("TEAM_PORT_CONFIG")), (Some("bond0"), Some("{\"prio\": 100}")));
    }

    #[test]
    fn suse_takes_the_name_of_the_file() {
        let got = configs(
            "etc/sysconfig/network/ifcfg-bond7",
            "STARTMODE='auto'\nBONDING_MODULE_OPTS='mode=802.3ad miimon=100'\n",
        );
        let [a] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((a.dev.as_deref(), a.text("BONDING_OPTS.mode")), (Some("bond7"), Some("802.3ad")));
    }
}
