//! `ethtool -m <dev>`: the memory of an optical module or cable, with diagnostics (power in mW and dBm, alarms).
//!
//! Source: `sfpid.c`, `sfpdiag.c`, `qsfp.c`, `cmis.c`, `sff-common.c`, `module-common.c`: `printf("\t%-41s : %s\n")`. Keys as
//! printed; keys may repeat (`Transceiver type`, `Option`). Lines that a mail client wrapped are joined again. The
//! hex form (`ethtool -m <dev> hex on`) is read by [`super::ethtool_dump`].

use super::ethtool_listing::is_elision;
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool-m";

const ERRORS: &[&str] = &[
    "Cannot get module EEPROM information",
    "Cannot get Module EEPROM data",
    "Cannot get module EEPROM data",
    "Failed to read Page A2h",
    "Failed to read Upper Page",
    "Hex and raw dump cannot be specified together",
];

/// Keys of all module types, without what stands in brackets after them.
const KEYS: &[&str] = &[
    "Identifier",
    "Extended identifier",
    "Extended identifier description",
    "Connector",
    "Transceiver codes",
    "Transceiver type",
    "Encoding",
    "BR, Nominal",
    "BR Nominal",
    "BR margin, max",
    "BR margin, min",
    "BR margin max",
    "BR margin min",
    "Rate identifier",
    "Passive Cu cmplnce.",
    "Active Cu cmplnce.",
    "Option values",
    "Option",
    "Date code",
    "Optical diagnostics support",
    "Alarm/warning flags implemented",
    "Power class",
    "Max power",
    "Power set",
    "Power override",
    "Revision Compliance",
    "Revision compliance",
    "Page",
    "CLEI code",
    "Cable assembly length",
    "Active firmware version",
    "Inactive firmware version",
    "LowPwrAllowRequestHW",
    "LowPwrRequestSW",
    "Receiver signal average optical power",
    "Receiver signal OMA",
    "Rcvr signal avg optical power",
    "Transmit avg optical power",
    "Transmitter technology",
    "Laser wavelength",
    "Laser wavelength tolerance",
    "Laser bias current",
    "Laser tx bias current",
    "Laser output power",
    "Laser tx power",
    "Module temperature",
    "Module voltage",
    "Module State",
    "Module state",
    "Module Fault Cause",
    "Copper cable",
    "Number of lanes",
    "Media interface",
    "Host interface",
];

const PREFIXES: &[&str] = &[
    "Vendor ",
    "Length (",
    "Laser ",
    "Module temperature ",
    "Module voltage ",
    "Module ",
    "Attenuation at ",
    "Rx ",
    "Tx ",
    "CDB ",
    "Receiver ",
    "Rcvr ",
    "Transmit ",
    "Transceiver ",
];

/// Splits `key   : value`. The colon stands alone, which tells it from a colon in prose.
fn split(t: &str) -> Option<(&str, &str)> {
    // The value may be empty, and then trailing blanks are cut.
    let (key, value) = t.split_once(" : ").or_else(|| t.strip_suffix(" :").map(|k| (k, "")))?;
    let key = key.trim_end();
    (!key.is_empty() && key.len() <= 56).then_some((key, value.trim()))
}

fn is_key(key: &str) -> bool {
    // `Rcvr signal avg optical power (Channel 1)`, `Laser bias current high alarm   (Chan 1)`
    let bare = key.split_once('(').map_or(key, |(b, _)| b).trim_end();
    KEYS.contains(&bare) || PREFIXES.iter().any(|p| key.starts_with(p))
}

fn is_error(t: &str) -> bool {
    ERRORS.iter().any(|e| t.starts_with(e))
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| {
        let t = l.trimmed();
        // Padding before the colon: `%-41s : `.
        is_error(t)
            || split(t).is_some_and(|(k, _)| {
                is_key(k) && (t.len() >= 43 && t.as_bytes().get(42) == Some(&b':') || padded(t, k))
            })
    })
}

/// At least two blanks before the colon, or a key that nothing else prints.
fn padded(t: &str, key: &str) -> bool {
    t.get(key.len()..).is_some_and(|r| r.starts_with("  "))
        || ["alarm threshold", "warning threshold", "optical power", "bias current", "wavelength tolerance"]
            .iter()
            .any(|s| key.ends_with(s) || key.contains(" (Chan"))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let hint = out.hints.dev.clone();
    let mut fields = Fields::new(ID, hint.clone());
    let mut span: Option<(Citation, Citation)> = None;
    // Length of the line before: only a long line is continued on the next.
    let mut before = 0usize;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            before = 0;
            cursor.next();
            continue;
        }
        if is_error(t) {
            fields.push("error", t, line.cite());
        } else if let Some((key, value)) = split(t) {
            if key == "Identifier" && fields.get("Identifier").is_some() {
                flush(std::mem::replace(&mut fields, Fields::new(ID, hint.clone())), span.take(), out);
            }
            fields.push(key, value, line.cite());
            if !is_key(key) {
                // Kept all the same: a key of a newer version.
                cursor.next();
                out.not_understood(line);
                before = line.text.len();
                continue;
            }
        } else if is_elision(t) && span.is_some() {
            fields.push("elided", t, line.cite());
        } else if before >= 60
            && !t.contains(':')
            && let Some(last) = fields.entries.last_mut()
        {
            last.value.push(' ');
            last.value.push_str(t);
            last.at = last.at.to(line.cite());
        } else {
            break;
        }
        before = line.text.len();
        let at = line.cite();
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
        let p = parse_text_with(FileId(0), "ethtool_-m_ens1", text.as_bytes(), &[FORMAT]);
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
    fn powers_alarms_and_repeated_keys() {
        let got = read(
            "\tIdentifier                                : 0x03 (SFP)\n\tTransceiver type                          : 10G Ethernet: 10G Base-SR\n\tTransceiver type                          : Ethernet: 1000BASE-SX\n\tVendor rev                                :\n\tReceiver signal average optical power     : 0.0001 mW / -40.00 dBm\n\tLaser rx power low alarm                  : On\n",
        );
        let [f] = got.as_slice() else { panic!("{}", got.len()) };
        assert_eq!(f.text("Receiver signal average optical power"), Some("0.0001 mW / -40.00 dBm"));
        assert_eq!(f.text("Laser rx power low alarm"), Some("On"));
        assert_eq!(f.entries.iter().filter(|e| e.key == "Transceiver type").count(), 2);
        assert_eq!(f.text("Vendor rev"), Some(""));
    }

    #[test]
    fn channels_wrapped_lines_and_errors() {
        let got = read(
            "\tRcvr signal avg optical power (Channel 1) : 0.6213 mW / -2.07 dBm\n\tTx loss of signal (Channel 1)             : Yes\n\tTransceiver type                          : 100G Ethernet: 100G Base-SR4\nor 25GBase-SR\n",
        );
        assert_eq!(got[0].text("Transceiver type"), Some("100G Ethernet: 100G Base-SR4 or 25GBase-SR"));
        assert_eq!(read("Cannot get module EEPROM information: Operation not supported\n").len(), 1);
        assert_eq!(read("Cannot get Module EEPROM data: Input/output error\n").len(), 1);
    }

    #[test]
    fn other_aligned_colons_are_not_it() {
        for text in ["Vendor name: somebody\n", "State                : Active\n", "Option : we could wait\n"]
        {
            let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert!(p.recognised.is_empty(), "{text}");
        }
    }
}
