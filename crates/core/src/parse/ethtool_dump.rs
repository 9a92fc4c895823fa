//! `ethtool -d <dev>`, `ethtool -e <dev>`, `ethtool -m <dev> hex on`: register and EEPROM dumps, kept but not interpreted.
//!
//! Source: `dump_hex()` in `ethtool.c` (`Offset  Values`, a rule, `0x0000:  00 1b ...`) and the pretty printers of the
//! drivers (`MAC Registers`, `0x00000: CTRL (Device control register)  0x18140241`, indented `Link up:  link config`).
//! Every line is a field: the offset or name as key, the rest as value.

use super::ethtool_listing::{colon, is_elision};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool-d";

fn is_error(t: &str) -> bool {
    ["Cannot get EEPROM data", "Cannot get register dump", "Cannot dump registers", "Can not get dump"]
        .iter()
        .any(|e| t.starts_with(e))
}

fn is_header(t: &str) -> bool {
    t.split_whitespace().eq(["Offset", "Values"])
}

fn is_rule(t: &str) -> bool {
    t.len() >= 6 && t.bytes().all(|b| matches!(b, b'-' | b' ' | b'\t'))
}

fn offset(t: &str) -> Option<(&str, &str)> {
    let (at, rest) = t.split_once(':')?;
    let digits = at.strip_prefix("0x")?;
    ((2..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()))
        .then_some((at, rest.trim()))
}

/// `0x0000:   00 1b 21 ...`
fn is_hex(t: &str) -> bool {
    offset(t).is_some_and(|(_, v)| {
        !v.is_empty()
            && v.split_whitespace().all(|b| b.len() == 2 && b.bytes().all(|c| c.is_ascii_hexdigit()))
    })
}

/// `0x00000: CTRL (Device control register)  0x18140241`
fn is_register(t: &str) -> bool {
    offset(t).is_some_and(|(_, v)| {
        v.starts_with(|c: char| c.is_ascii_alphabetic())
            && v.split_whitespace().next_back().is_some_and(|w| {
                w.strip_prefix("0x")
                    .is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_hexdigit()))
            })
    })
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    let before =
        |f: fn(&str) -> bool| i.checked_sub(1).and_then(|j| lines.get(j)).is_some_and(|l| f(l.trimmed()));
    is_error(t)
        || is_header(t)
        // A rule would end the block as a divider: the header above claims it.
        || is_rule(t) && before(|b| is_header(b) || b == "MAC Registers")
        || is_hex(t)
        || is_register(t)
        || t == "MAC Registers"
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, out.hints.dev.clone());
    let mut span: Option<(Citation, Citation)> = None;
    let mut registers = false;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        let at = line.cite();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if is_error(t) {
            fields.push("error", t, at);
        } else if is_header(t) || t == "MAC Registers" {
            fields.push("dump", t, at);
        } else if is_rule(t) {
            // Carries nothing; the header above it is kept.
        } else if let Some((key, value)) = offset(t).filter(|_| is_hex(t) || is_register(t)) {
            registers = is_register(t);
            fields.push(key, value, at);
        } else if let Some((key, value)) = colon(t).filter(|_| registers && line.indent() >= 4) {
            fields.push(key, value, at);
        } else if is_elision(t) && span.is_some() {
            fields.push("elided", t, at);
        } else {
            break;
        }
        span = Some(span.map_or((at, at), |(first, _)| (first, at)));
        cursor.next();
        out.typed(line);
    }
    if let Some((first, last)) = span {
        out.record(first.to(last), None, What::Fields(fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn hex_and_registers() {
        for text in [
            "Offset\t\tValues\n------\t\t------\n0x0000:\t\t00 1b 21 aa \n0x0010:\t\tff ff \n",
            "MAC Registers\n-------------\n0x00000: CTRL (Device control register)  0x18140241\n      Endian mode (buffers):             little\n0x00008: STATUS (Device status register) 0x00080783\n",
            "Cannot get EEPROM data: Operation not supported\n",
        ] {
            let p = parse_text_with(FileId(0), "ethtool_-e_eno1", text.as_bytes(), &[FORMAT]);
            assert_eq!((p.records.len(), p.not_understood.len(), p.unrecognised.len()), (1, 0, 0), "{text}");
        }
    }

    #[test]
    fn packet_dumps_are_not_it() {
        // tcpdump -x prints words of four digits.
        for text in ["\t0x0000:  4500 003c 1c46 4000\n", "0x10: see the manual\n", "------\n"] {
            let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert!(p.recognised.is_empty(), "{text}");
        }
    }
}
