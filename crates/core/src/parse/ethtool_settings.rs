//! `ethtool <dev>`: link modes, speed, duplex, auto-negotiation, port, Wake-on-LAN, message level, link.
//!
//! Source: `do_gset()` and `dump_link_usettings()` in `ethtool.c` (up to 5.7 and without netlink), `nl_gset()` in
//! `netlink/settings.c` (5.8 to 6.14). Keys are kept as printed; the values of a list that goes on over several
//! lines (link modes, message level names) are joined with blanks. Netlink and ioctl forms differ only in the
//! order of lines and in `Lanes`, `master-slave cfg`, `SQI`, `Link Down Events`, `PLCA ...` and the reason in
//! `Link detected: no (No cable)`.
//!
//! Errors that name no listing (`netlink error: ...`, `bad command line argument(s)`, `No data available`, the
//! usage text) are read here too; if the prompt or the file name shows which option was used, the record's source
//! is that option's format.

use super::ethtool_listing::{append, colon, dev_after, is_common_error, is_elision, source_of_command};
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool";

const ERRORS: &[&str] = &[
    "Cannot get device settings",
    "Cannot get current device settings",
    "Cannot get wake-on-lan settings",
    "Cannot get current wake-on-lan settings",
    "Cannot get message level",
    "Cannot get msglvl",
    "Cannot get link status",
    "Cannot get device flags",
    "Cannot set new settings",
    "Cannot set new wake-on-lan settings",
    "Cannot set new msglvl",
    "Cannot advertise speed",
    "Cannot advertise duplex",
    "Cannot identify NIC",
    "Cannot restart autonegotiation",
];

const KEYS: &[&str] = &[
    "Supported ports",
    "Supported link modes",
    "Supported pause frame use",
    "Supports auto-negotiation",
    "Supported auto-negotiation",
    "Supported FEC modes",
    "Advertised link modes",
    "Advertised pause frame use",
    "Advertised auto-negotiation",
    "Advertised FEC modes",
    "Link partner advertised link modes",
    "Link partner advertised pause frame use",
    "Link partner advertised auto-negotiation",
    "Link partner advertised FEC modes",
    "Link partner adv link modes",
    "Link partner ad link modes",
    "Speed",
    "Lanes",
    "Duplex",
    "Port",
    "PHYAD",
    "Transceiver",
    "Auto-negotiation",
    "master-slave cfg",
    "master-slave status",
    "MDI-X",
    "Supports Wake-on",
    "Wake-on",
    "SecureOn password",
    "Current message level",
    "Link detected",
    "SQI",
    "Link Down Events",
    "PLCA support",
    "PLCA status",
    "Downshift count",
];

/// Keys that begin a block whose title was cut off: long enough that no other text has them.
fn is_head(lines: &[Line<'_>], i: usize, t: &str) -> bool {
    let Some((key, value)) = colon(t) else { return false };
    let next = |want: &[&str]| {
        (1..=3).any(|n| {
            i.checked_add(n)
                .and_then(|j| lines.get(j))
                .and_then(|l| colon(l.trimmed()))
                .is_some_and(|(k, _)| want.contains(&k))
        })
    };
    match key {
        "Supported ports" => value.starts_with('['),
        "Supported link modes"
        | "Advertised link modes"
        | "Link partner advertised link modes"
        | "Supported pause frame use"
        | "Advertised pause frame use"
        | "Link partner advertised pause frame use"
        | "Supports auto-negotiation"
        | "Advertised auto-negotiation"
        | "Link partner advertised auto-negotiation"
        | "Supported FEC modes"
        | "Advertised FEC modes"
        | "Link partner advertised FEC modes"
        | "Supports Wake-on"
        | "Wake-on"
        | "Current message level"
        | "Link Down Events"
        | "PHYAD" => !value.is_empty() || key.ends_with("modes"),
        "Link detected" => value.starts_with("yes") || value.starts_with("no"),
        // `1000Mb/s` is ethtool's spelling (bonding prints `1000 Mbps`).
        "Speed" => {
            value.split_whitespace().next().is_some_and(|v| v.ends_with("Mb/s")) || value == "Unknown!"
        }
        "Duplex" => {
            matches!(value, "Full" | "Half")
                && next(&["Port", "Auto-negotiation", "PHYAD", "Transceiver", "Link detected"])
                || value.starts_with("Unknown! (")
        }
        "Auto-negotiation" => matches!(value, "on" | "off") && value.len() == value.trim().len(),
        "Port" | "Transceiver" => {
            next(&["PHYAD", "Auto-negotiation", "Transceiver", "MDI-X", "Link detected"])
        }
        "MDI-X" => {
            matches!(value, "on" | "off" | "Unknown")
                || value.starts_with("on (")
                || value.starts_with("off (")
        }
        _ => false,
    }
}

fn is_error(t: &str) -> bool {
    ERRORS.iter().any(|e| t.starts_with(e))
        || is_common_error(t)
        || t == "No data available"
        || NOT_SETTING.contains(&t)
}

/// What follows `Cannot set new settings`.
const NOT_SETTING: &[&str] = &[
    "not setting speed",
    "not setting duplex",
    "not setting port",
    "not setting autoneg",
    "not setting phy_address",
    "not setting transceiver",
    "not setting mdix",
    "not setting wol",
    "not setting sopass",
];

fn is_version(t: &str) -> bool {
    t.strip_prefix("ethtool version ").is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    dev_after("Settings for ", t).is_some() || is_error(t) || is_version(t) || is_head(lines, i, t)
}

/// Words that stand on the lines below `Supported link modes:` and its like.
fn is_item(t: &str) -> bool {
    const WORDS: &[&str] = &[
        "None",
        "Off",
        "BaseR",
        "RS",
        "LLRS",
        "Not",
        "reported",
        "TP",
        "AUI",
        "BNC",
        "MII",
        "FIBRE",
        "Backplane",
        "[",
        "]",
        "drv",
        "probe",
        "link",
        "timer",
        "ifdown",
        "ifup",
        "rx_err",
        "tx_err",
        "tx_queued",
        "intr",
        "tx_done",
        "rx_status",
        "pktdata",
        "hw",
        "wol",
    ];
    t.split_whitespace().all(|w| {
        WORDS.contains(&w)
            || w.ends_with("/Full")
            || w.ends_with("/Half")
            || w.strip_prefix("BIT").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
            || w.strip_prefix("0x").is_some_and(|n| n.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

/// The value of a key that a mail client broke off its line: `Link partner advertised auto-negotiation:` / `Yes`.
fn is_broken_off(fields: &Fields, t: &str) -> bool {
    fields.entries.last().is_some_and(|f| f.value.is_empty() && f.key != "usage")
        && t.split_whitespace().count() <= 3
        && !t.contains(':')
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let hint = out.hints.dev.clone();
    let asked = source_of_command(out.hints.command.as_deref());
    let mut fields = Fields::new(ID, hint.clone());
    let mut span = None;
    let mut titled = false;
    let mut usage = false;
    let mut first = true;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let pair = colon(t).filter(|(k, _)| KEYS.contains(k));
        if let Some(dev) = dev_after("Settings for ", t) {
            if titled {
                let done = std::mem::replace(&mut fields, Fields::new(ID, hint.clone()));
                finish(done, span.take(), asked, out);
            }
            fields.dev = Some(dev.to_owned());
            titled = true;
        } else if is_version(t) {
            fields.push("ethtool version", t.trim_start_matches("ethtool version "), line.cite());
            usage = true;
        } else if is_error(t) {
            fields.push("error", t, line.cite());
        } else if let Some((key, value)) = pair {
            // Two dumps that both lost their titles.
            if key == "Supported ports" && fields.get(key).is_some() {
                let done = std::mem::replace(&mut fields, Fields::new(ID, hint.clone()));
                finish(done, span.take(), asked, out);
            }
            fields.push(key, value, line.cite());
        } else if usage && is_usage(t) {
            fields.push("usage", t, line.cite());
        } else if is_elision(t) && !first {
            fields.push("elided", t, line.cite());
        } else if !fields.entries.is_empty() && (is_item(t) || is_broken_off(&fields, t)) {
            append(&mut fields, t);
        } else {
            let more = (1..=2).filter_map(|n| cursor.peek_at(n)).any(|l| {
                let t = l.trimmed();
                colon(t).is_some_and(|(k, _)| KEYS.contains(&k))
            });
            if first || !more {
                break;
            }
            cursor.next();
            out.not_understood(line);
            continue;
        }
        first = false;
        let at = line.cite();
        span = Some(span.map_or((at, at), |(a, _)| (a, at)));
        cursor.next();
        out.typed(line);
    }
    finish(fields, span, asked, out);
}

fn finish(
    mut fields: Fields,
    span: Option<(crate::evidence::Citation, crate::evidence::Citation)>,
    asked: Option<&'static str>,
    out: &mut Out,
) {
    let Some((first, last)) = span else { return };
    // Only errors: they belong to the option that was asked for.
    if let Some(id) = asked
        && !fields.entries.is_empty()
        && fields.entries.iter().all(|f| f.key == "error" || f.key == "usage")
    {
        fields.source = id;
    }
    out.record(first.to(last), None, What::Fields(fields));
}

/// Lines of `ethtool -h`.
fn is_usage(t: &str) -> bool {
    t == "Usage:" || t.starts_with("ethtool ") || t.starts_with("FLAGS:") || t.starts_with(['[', '-', '<'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn all(path: &str, text: &str) -> Vec<Fields> {
        let parsed = parse_text_with(FileId(0), path, text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty(), "{:?}", parsed.not_understood);
        assert!(parsed.unrecognised.is_empty(), "{:?}", parsed.unrecognised);
        parsed
            .records
            .into_iter()
            .filter_map(|r| if let What::Fields(f) = r.what { Some(f) } else { None })
            .collect()
    }

    const FULL: &str = "Settings for eno7:\n\tSupported ports: [ TP\t MII ]\n\tSupported link modes:   100baseT/Half 100baseT/Full\n\t                        1000baseT/Full\n\tSupported pause frame use: Symmetric\n\tSupports auto-negotiation: Yes\n\tSupported FEC modes: Not reported\n\tAdvertised link modes:  1000baseT/Full\n\tSpeed: 1000Mb/s\n\tLanes: 1\n\tDuplex: Full\n\tAuto-negotiation: on\n\tmaster-slave cfg: preferred slave\n\tmaster-slave status: slave\n\tPort: Twisted Pair\n\tPHYAD: 1\n\tTransceiver: internal\n\tMDI-X: off (auto)\nnetlink error: Operation not permitted\n        Current message level: 0x00000007 (7)\n                               drv probe link\n\tSQI: 5/7\n\tLink Down Events: 3\n\tLink detected: no (No cable)\n";

    #[test]
    fn lists_errors_and_reasons() {
        let got = all("x", FULL);
        let [f] = got.as_slice() else { panic!("{}", got.len()) };
        assert_eq!(f.dev.as_deref(), Some("eno7"));
        assert_eq!(f.text("Supported link modes"), Some("100baseT/Half 100baseT/Full 1000baseT/Full"));
        assert_eq!(f.int("Speed"), Some(1000));
        assert_eq!(f.text("Link detected"), Some("no (No cable)"));
        assert_eq!(f.text("Current message level"), Some("0x00000007 (7) drv probe link"));
        assert_eq!(f.text("error"), Some("netlink error: Operation not permitted"));
        assert_eq!(f.int("Link Down Events"), Some(3));
    }

    #[test]
    fn no_indentation_no_title_two_dumps() {
        let flat: String = FULL.lines().skip(1).map(|l| format!("{}\n", l.trim())).collect();
        let got = all("ethtool_eno7", &format!("{flat}{flat}"));
        assert_eq!(got.len(), 2);
        assert_eq!(got[1].dev.as_deref(), Some("eno7"));
        assert_eq!(got[1].text("Supported link modes"), got[0].text("Supported link modes"));
    }

    #[test]
    fn errors_alone_belong_to_the_option() {
        let got = all("ethtool_-g_eno7", "netlink error: Operation not supported\n");
        assert_eq!((got[0].source, got[0].dev.as_deref()), ("ethtool-g", Some("eno7")));
        let got = all("x", "Settings for dummy1:\nNo data available\n");
        assert_eq!(got[0].text("error"), Some("No data available"));
        let got = all("x", "Cannot get device settings: No such device\n");
        assert_eq!(got.len(), 1);
    }

    #[test]
    fn prose_is_left_alone() {
        for text in [
            "Speed: the link came up at 1000 Mbps\n",
            "Settings for the bond: see above\n",
            "Port: 8080\n",
            "Duplex: full\n",
        ] {
            let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert!(parsed.recognised.is_empty(), "{text}");
        }
    }
}
