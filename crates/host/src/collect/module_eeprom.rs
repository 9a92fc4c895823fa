//! `module-eeprom`: the memory of each member's pluggable module with its diagnostics, by generic netlink (5.13), page by
//! page; on older kernels by `SIOCETHTOOL`, printed as `ethtool -m DEV hex on` prints it.
//!
//! The two-wire bus takes 0.1 ms per octet while the driver holds its locks. Each page is read once per collection, only
//! those that the module has, and only those that hold identity, diagnostics and thresholds.

use super::dumps::{To, refuse, with_socket};
use super::ethtool_settings::{Family, header, message};
use super::ethtool_stats::with_ethtool;
use super::{Collector, Pace, Sink, Target, text};
use crate::bounded;
use crate::netlink::{Attributes, GENERIC, Messages, Request};
use bondwitness_core::collection::{Form, Reading, Window};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Once, run };

const ID: &str = "module-eeprom";
const LIMIT: Duration = Duration::from_secs(4);
const TO: To = To { collector: ID, file: "state/module.pcapng", protocol: GENERIC };
const MODULE_EEPROM_GET: u8 = 31;
const DATA: u16 = 7;
/// The two addresses on the bus: identity, and diagnostics of SFP modules (SFF-8472).
const IDENTITY: u8 = 0x50;
const DIAGNOSTICS: u8 = 0x51;

/// A part of the memory: address on the bus, page, offset. Each has 128 octets.
type Part = (u8, u8, u32);

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    if target.members.is_empty() {
        return Ok(());
    }
    let source = "CTRL_CMD_GETFAMILY ethtool";
    let family = match bounded::call(ID, LIMIT, || Family::find("ethtool")) {
        Ok(family) => Some(family),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return refuse(sink, TO, source, &e),
    };
    let id = family.as_ref().map(|f| f.id);
    let answers = bounded::each(ID, LIMIT, &target.members, move |dev| match id {
        Some(id) => match pages(id, dev) {
            Err(e) if e.kind() == io::ErrorKind::Unsupported => whole(dev),
            other => other,
        },
        None => whole(dev),
    });
    let mut told = false;
    for (dev, answer) in answers {
        match answer {
            Ok(Memory::Pages(pages)) => {
                for (part, window, datagram) in pages {
                    if let Some(family) = family.as_ref().filter(|_| !told) {
                        told = true;
                        take(sink, source, family.window, family.answer.clone())?;
                    }
                    let (address, page, offset) = part;
                    let source = format!(
                        "ETHTOOL_MSG_MODULE_EEPROM_GET {dev} i2c {address:#04x} page {page:#04x} offset {offset}"
                    );
                    take(sink, &source, window, datagram)?;
                }
            }
            Ok(Memory::Whole(bytes, window)) => {
                let source = format!("ethtool -m {dev} hex on (ETHTOOL_GMODULEEEPROM)");
                text(sink, ID, "state/module-hex.txt", &source, window, Ok(print(&bytes).into_bytes()))?;
            }
            Err(e) => refuse(sink, TO, &format!("ETHTOOL_MSG_MODULE_EEPROM_GET {dev}"), &e)?,
        }
    }
    Ok(())
}

fn take(sink: &mut dyn Sink, source: &str, window: Window, datagram: Vec<u8>) -> io::Result<()> {
    sink.take(Reading {
        file: TO.file.into(),
        source: source.into(),
        window,
        form: Form::Netlink { protocol: GENERIC, datagram: Cow::Owned(datagram) },
    })
}

enum Memory {
    Pages(Vec<(Part, Window, Vec<u8>)>),
    Whole(Vec<u8>, Window),
}

fn pages(family: u16, dev: &str) -> io::Result<Memory> {
    let read = |part: Part| {
        let begun = crate::clock::begin();
        let answers = with_socket(GENERIC, |socket| socket.ask(&[request(family, dev, part)], LIMIT))?;
        let window = begun.end();
        let answer = answers.into_iter().next().unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
        answer
            .into_iter()
            .next()
            .map(|d| (part, window, d))
            .ok_or_else(|| io::Error::from(io::ErrorKind::TimedOut))
    };
    let first = read((IDENTITY, 0, 0))?;
    let wanted = further(&data(&first.2));
    let mut all = vec![first];
    for part in wanted {
        // A page that cannot be read does not take away those that were.
        match read(part) {
            Ok(page) => all.push(page),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => return Err(e),
            Err(_) => {}
        }
    }
    Ok(Memory::Pages(all))
}

fn request(family: u16, dev: &str, (address, page, offset): Part) -> Request {
    message(family, MODULE_EEPROM_GET)
        .attribute(1 | 0x8000, &header(dev, 0))
        .attribute(2, &offset.to_ne_bytes())
        .attribute(3, &128u32.to_ne_bytes())
        .attribute(4, &[page])
        .attribute(5, &[0])
        .attribute(6, &[address])
}

fn data(datagram: &[u8]) -> Vec<u8> {
    Messages(datagram)
        .find_map(|m| Attributes(m.body.get(4..)?).find(|(kind, _)| *kind == DATA))
        .map(|(_, value)| value.to_vec())
        .unwrap_or_default()
}

/// Which parts are worth reading, after the first 128 octets: those that a module of this kind (SFF-8024, table 4-1) has.
fn further(lower: &[u8]) -> Vec<Part> {
    let at = |n: usize| lower.get(n).copied().unwrap_or(0);
    match at(0) {
        // SFP: upper half of the identity; diagnostics and thresholds if octet 92 says that there are any.
        0x03 | 0x0b => {
            let mut parts = vec![(IDENTITY, 0, 128)];
            if at(92) & 0x40 != 0 {
                parts.push((DIAGNOSTICS, 0, 0));
            }
            parts
        }
        // QSFP: octet 2 bit 2 says that there is only one page; thresholds are in page 3 (SFF-8636).
        0x0c | 0x0d | 0x11 => {
            let mut parts = vec![(IDENTITY, 0, 128)];
            if at(2) & 0x04 == 0 {
                parts.push((IDENTITY, 3, 128));
            }
            parts
        }
        // CMIS: octet 2 bit 7 likewise; advertisement, thresholds, lanes.
        0x18 | 0x19 | 0x1b | 0x1e..=0x25 => {
            let mut parts = vec![(IDENTITY, 0, 128)];
            if at(2) & 0x80 == 0 {
                parts.extend([(IDENTITY, 0x01, 128), (IDENTITY, 0x02, 128), (IDENTITY, 0x11, 128)]);
            }
            parts
        }
        _ => vec![(IDENTITY, 0, 128)],
    }
}

fn whole(dev: &str) -> io::Result<Memory> {
    with_ethtool(|ethtool| {
        let begun = crate::clock::begin();
        let (_, length) = ethtool.module(dev)?;
        let bytes = ethtool.module_memory(dev, 0, length)?;
        Ok(Memory::Whole(bytes, begun.end()))
    })
}

/// As `dump_hex()` of ethtool prints it.
fn print(bytes: &[u8]) -> String {
    let mut out = "Offset\t\tValues\n------\t\t------\n".to_owned();
    for (n, row) in bytes.chunks(16).enumerate() {
        let _ = write!(out, "0x{:04x}:\t\t", n * 16);
        for byte in row {
            let _ = write!(out, "{byte:02x} ");
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_a_module_has_are_read() {
        let lower = |octets: &[(usize, u8)]| {
            let mut lower = vec![0; 128];
            for (at, value) in octets {
                lower[*at] = *value;
            }
            further(&lower)
        };
        assert_eq!(lower(&[(0, 0x03)]), [(0x50, 0, 128)]);
        assert_eq!(lower(&[(0, 0x03), (92, 0x68)]), [(0x50, 0, 128), (0x51, 0, 0)]);
        assert_eq!(lower(&[(0, 0x11), (2, 0x04)]), [(0x50, 0, 128)]);
        assert_eq!(lower(&[(0, 0x11)]).last(), Some(&(0x50, 3, 128)));
        assert_eq!(lower(&[(0, 0x18)]).len(), 4);
        assert_eq!(further(&[]), [(0x50, 0, 128)]);
    }

    #[test]
    fn a_hex_dump_is_recognised() {
        use bondwitness_core::evidence::FileId;
        let text = print(&(0..40).collect::<Vec<u8>>());
        assert!(text.ends_with("0x0020:\t\t20 21 22 23 24 25 26 27 \n"), "{text}");
        let parsed = bondwitness_core::parse::parse_text(FileId(0), "x", text.as_bytes());
        assert_eq!((parsed.recognised.as_slice(), parsed.unrecognised.len()), (&["ethtool-d"][..], 0));
    }
}
