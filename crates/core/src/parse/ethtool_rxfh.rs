//! `ethtool -x <dev>` and `ethtool -n <dev>`: receive flow hash (RSS) table and key, receive rules.
//!
//! Source: `print_indir_table()`, `do_grxfhindir()`, `do_grxclass()` in `ethtool.c`, `rxclass.c`, `netlink/rss.c`. Keys:
//! `RX rings` and `indirection` (`0: 0 1 2 3 ...`, one field per line), `RSS hash key`, the hash functions with `on` or
//! `off`, rules as printed (`Filter`, `Rule Type`, `Action`, ...), `hash fields` for what `-n <dev> rx-flow-hash` lists.

use super::ethtool_listing::{append, colon, is_common_error, is_elision, number};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool-n";

const ERRORS: &[&str] = &[
    "Cannot get RX ring count",
    "Cannot get RX rings",
    "Cannot get RX flow hash",
    "Cannot set RX flow hash",
    "Cannot get RX network flow hashing options",
    "Cannot change RX network flow hashing options",
    "Cannot get RX classification rule",
    "RX classification rule retrieval failed",
    "rxclass: Cannot get RX class",
    "rmgr: Cannot",
    "Cannot insert classification rule",
    "Cannot delete classification rule",
    "Cannot insert RX class rule",
    "Cannot get hash functions names",
];

const RULE: &[&str] = &[
    "Filter",
    "Rule Type",
    "Flow Type",
    "Unknown Flow type",
    "Src IP addr",
    "Dest IP addr",
    "TOS",
    "Traffic Class",
    "Src port",
    "Dest port",
    "SPI",
    "Protocol",
    "L4 bytes",
    "VLAN EtherType",
    "VLAN",
    "User-defined",
    "Src MAC addr",
    "Dest MAC addr",
    "Ethertype",
    "RSS Context ID",
    "Action",
];

const HASHES: &[&str] = &["toeplitz", "xor", "crc32", "symmetric-xor", "symmetric-or-xor"];

/// `RX flow hash indirection table for eth0 with 4 RX ring(s):`
fn table(t: &str) -> Option<(&str, &str)> {
    let rest = t.strip_prefix("RX flow hash indirection table for ")?;
    let (dev, rest) = rest.split_once(" with ")?;
    Some((dev, rest.split_once(' ')?.0))
}

fn rings(t: &str) -> Option<&str> {
    let n = t.strip_suffix(" RX rings available")?;
    number(n).map(|_| n)
}

fn total(t: &str) -> Option<&str> {
    let n = t.strip_prefix("Total ")?.strip_suffix(" rules")?;
    number(n).map(|_| n)
}

fn flows(t: &str) -> bool {
    (t.contains(" flows use these fields for computing Hash flow key")
        || t.contains(" flows - All matching flows"))
        && (t.contains("over IPV4") || t.contains("over IPV6") || t.starts_with("Unknown"))
        || t.starts_with("For RSS context ")
}

const HASH_FIELDS: &[&str] = &[
    "L2DA",
    "VLAN tag",
    "L3 proto",
    "IP SA",
    "IP DA",
    "L4 bytes 0 & 1 [TCP/UDP src port]",
    "L4 bytes 2 & 3 [TCP/UDP dst port]",
    "IPv6 Flow Label",
    "TEID",
    "None",
];

/// `    8:      0     1     2     3`
fn row(t: &str) -> Option<(&str, &str)> {
    let (at, queues) = colon(t)?;
    (number(at).is_some()
        && !queues.is_empty()
        && queues.split_whitespace().all(|q| number(q).is_some_and(|n| n < 65_536)))
    .then_some((at, queues))
}

/// `6d:5a:56:...`, 40 or 52 octets, perhaps broken over lines.
fn key_octets(t: &str) -> bool {
    t.trim_end_matches(':').split(':').all(|b| b.len() == 2 && b.bytes().all(|c| c.is_ascii_hexdigit()))
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    table(t).is_some()
        || rings(t).is_some()
        || total(t).is_some()
        || flows(t)
        || matches!(t, "RSS hash key:" | "RSS hash function:" | "RSS input transformation:")
        || ERRORS.iter().any(|e| t.starts_with(e))
        || colon(t).is_some_and(|(k, v)| k == "Rule Type" && v.contains(" over IP"))
        || t.starts_with("Filter: ")
            && number(t.trim_start_matches("Filter: ")).is_some()
            && lines.get(i + 1).is_some_and(|l| {
                let n = l.trimmed();
                n.starts_with("Rule Type:") || n.starts_with("Flow Type:")
            })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let hint = out.hints.dev.clone();
    let mut fields = Fields::new(ID, hint.clone());
    let mut span: Option<(Citation, Citation)> = None;
    let mut section = "";
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        let at = line.cite();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if let Some((dev, n)) = table(t) {
            if fields.get("RX rings").is_some() {
                flush(std::mem::replace(&mut fields, Fields::new(ID, hint.clone())), span.take(), out);
            }
            fields.dev = Some(dev.to_owned());
            fields.push("RX rings", n, at);
            section = "indirection";
        } else if let Some(n) = rings(t) {
            fields.push("RX rings", n, at);
        } else if let Some(n) = total(t) {
            fields.push("Total rules", n, at);
        } else if flows(t) {
            fields.push("hash fields", t.trim_end_matches(':'), at);
            section = "fields";
        } else if t == "RSS hash key:" {
            fields.push("RSS hash key", "", at);
            section = "key";
        } else if t == "RSS hash function:" {
            fields.push("RSS hash function", "", at);
            section = "function";
        } else if t == "RSS input transformation:" {
            fields.push("RSS input transformation", "", at);
            section = "function";
        } else if ERRORS.iter().any(|e| t.starts_with(e)) || is_common_error(t) {
            fields.push("error", t, at);
        } else if t == "Operation not supported" && !section.is_empty()
            || section == "key" && key_octets(t)
            || section == "fields" && HASH_FIELDS.contains(&t)
        {
            if fields.entries.is_empty() {
                break;
            }
            if section == "indirection" {
                fields.push("indirection", t, at);
            } else {
                append(&mut fields, t);
            }
        } else if let Some((first, queues)) = row(t).filter(|_| section == "indirection") {
            let queues: Vec<&str> = queues.split_whitespace().collect();
            fields.push("indirection", format!("{first}: {}", queues.join(" ")), at);
        } else if let Some((k, v)) = colon(t).filter(|(k, v)| {
            RULE.contains(k) || matches!(*v, "on" | "off") && (section == "function" || HASHES.contains(k))
        }) {
            fields.push(k, v, at);
        } else if is_elision(t) && span.is_some() {
            fields.push("elided", t, at);
        } else {
            break;
        }
        span = Some(span.map_or((at, at), |(first, _)| (first, at)));
        cursor.next();
        out.typed(line);
    }
    flush(fields, span, out);
}

fn flush(fields: Fields, span: Option<(Citation, Citation)>, out: &mut Out) {
    if let Some((first, last)) = span {
        out.record(first.to(last), None, What::Fields(fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn read(text: &str) -> Vec<Fields> {
        let p = parse_text_with(FileId(0), "ethtool_-n_ens1", text.as_bytes(), &[FORMAT]);
        assert!(
            p.not_understood.is_empty() && p.unrecognised.is_empty(),
            "{:?} {:?}",
            p.not_understood,
            p.unrecognised
        );
        p.records
            .into_iter()
            .filter_map(|r| if let What::Fields(f) = r.what { Some(f) } else { None })
            .collect()
    }

    #[test]
    fn table_key_and_functions() {
        let got = read(
            "RX flow hash indirection table for eth0 with 2 RX ring(s):\n    0:      0     1     0     1\n    4:      0     1     0     1\nRSS hash key:\n6d:5a:56:da:25:5b\nRSS hash function:\n    toeplitz: on\n    xor: off\nRSS input transformation:\n    symmetric-xor: off\n",
        );
        let [f] = got.as_slice() else { panic!() };
        assert_eq!((f.dev.as_deref(), f.int("RX rings")), (Some("eth0"), Some(2)));
        assert_eq!(f.text("indirection"), Some("0: 0 1 0 1"));
        assert_eq!(f.text("RSS hash key"), Some("6d:5a:56:da:25:5b"));
        assert_eq!(f.text("toeplitz"), Some("on"));
    }

    #[test]
    fn rules_and_hash_fields() {
        let got = read(
            "32 RX rings available\nTotal 1 rules\n\nFilter: 1023\n\tRule Type: TCP over IPv4\n\tSrc IP addr: 192.0.2.1 mask: 0.0.0.0\n\tAction: Direct to queue 2\n",
        );
        assert_eq!(got[0].text("Action"), Some("Direct to queue 2"));
        let got = read("UDP over IPV4 flows use these fields for computing Hash flow key:\nIP SA\nIP DA\n");
        assert!(got[0].text("hash fields").is_some_and(|v| v.ends_with("IP SA IP DA")));
    }
}
