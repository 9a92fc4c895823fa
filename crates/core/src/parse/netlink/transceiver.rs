//! Diagnostics of transceivers: SFF-8472 (SFP), SFF-8636 (QSFP), CMIS 5.2 (QSFP-DD, OSFP).
//!
//! Offsets are those of the three documents; labels and formats those of `ethtool -m` (6.14: `sfpdiag.c`, `qsfp.c`, `cmis.c`,
//! `sff-common.c`). Kept: identity, temperature, voltage, bias and powers with alarms, warnings and thresholds. Values of an
//! externally calibrated SFP need its constants and are left out; its alarms are not.

use super::ethtool_module::{Memory, record_of};
use crate::evidence::{Citation, Fields, Record};

/// The record of what was read of a module; `None` if there is nothing to tell.
pub(super) fn record(dev: &str, memory: &Memory) -> Option<Record> {
    let mut module = Module { memory, fields: Fields::new("ethtool-m", Some(dev.to_owned())) };
    match module.octet(0x50, 0, 0) {
        Some((kind, at)) => {
            module.fields.push("Identifier", identifier(kind), at);
            match kind {
                0x03 | 0x0b => module.sfp(),
                0x0c | 0x0d | 0x11 => module.qsfp(),
                0x18 | 0x19 | 0x1e | 0x1f..=0x21 => module.cmis(),
                _ => {}
            }
        }
        // Without its first octet nobody knows what it is: the octets are kept.
        None => {
            for (place, (bytes, at)) in &memory.parts {
                let key = format!("0x{:02x} page {} offset {}", place.i2c, place.page, place.offset);
                module.fields.push(key, crate::netlink::attr::hex(bytes), *at);
            }
        }
    }
    record_of(module.fields, memory.time)
}

fn identifier(kind: u8) -> String {
    let name = match kind {
        0x03 => "SFP",
        0x0b => "DWDM-SFP",
        0x0c => "QSFP",
        0x0d => "QSFP+",
        0x11 => "QSFP28",
        0x18 => "QSFP-DD Double Density 8X Pluggable Transceiver (INF-8628)",
        0x19 => "OSFP 8X Pluggable Transceiver",
        0x1e => "QSFP+ or later with Common Management Interface Specification (CMIS)",
        _ => "reserved or unknown",
    };
    format!("0x{kind:02x} ({name})")
}

/// What a number of two octets counts.
#[derive(Clone, Copy)]
enum Unit {
    /// 1/256 degree Celsius, signed.
    Temperature,
    /// 0.1 mV.
    Voltage,
    /// 2 uA, times a factor.
    Bias(u32),
    /// 0.1 uW.
    Power,
}

impl Unit {
    fn text(self, raw: u16) -> String {
        match self {
            Self::Temperature => {
                let celsius = f64::from(i16::from_be_bytes(raw.to_be_bytes())) / 256.0;
                format!("{celsius:.2} degrees C / {:.2} degrees F", celsius * 1.8 + 32.0)
            }
            Self::Voltage => format!("{:.4} V", f64::from(raw) / 10_000.0),
            Self::Bias(factor) => format!("{:.3} mA", f64::from(raw) * f64::from(factor) / 500.0),
            Self::Power => {
                let milliwatt = f64::from(raw) / 10_000.0;
                // No light has no logarithm; `ethtool` prints `-inf`.
                let decibel = if raw == 0 { f64::NEG_INFINITY } else { 10.0 * milliwatt.log10() };
                format!("{milliwatt:.4} mW / {decibel:.2} dBm")
            }
        }
    }
}

/// In the order in which thresholds and flags lie.
const LEVELS: [&str; 4] = ["high alarm", "low alarm", "high warning", "low warning"];

struct Module<'m> {
    memory: &'m Memory,
    fields: Fields,
}

impl Module<'_> {
    fn octet(&self, i2c: u8, page: u8, at: u32) -> Option<(u8, Citation)> {
        self.memory.octet(i2c, page, at)
    }
    fn number(&self, i2c: u8, page: u8, at: u32) -> Option<(u16, Citation)> {
        let (high, cite) = self.octet(i2c, page, at)?;
        let (low, _) = self.octet(i2c, page, at.checked_add(1)?)?;
        Some((u16::from_be_bytes([high, low]), cite))
    }
    /// Text padded with blanks.
    fn text(&mut self, key: &str, page: u8, at: u32, length: u32) {
        let mut out = String::new();
        let mut cite = None;
        for n in at..at.saturating_add(length) {
            let Some((b, c)) = self.octet(0x50, page, n) else { return };
            cite.get_or_insert(c);
            out.push(if b.is_ascii_graphic() { char::from(b) } else { ' ' });
        }
        if let Some(cite) = cite {
            self.fields.push(key, out.trim(), cite);
        }
    }
    fn value(&mut self, key: String, i2c: u8, page: u8, at: u32, unit: Unit) {
        if let Some((raw, cite)) = self.number(i2c, page, at) {
            self.fields.push(key, unit.text(raw), cite);
        }
    }
    /// Four flags: octet and bit of each, in the order of [`LEVELS`].
    fn flags(&mut self, name: &str, suffix: &str, i2c: u8, page: u8, places: [(u32, u8); 4]) {
        for ((at, bit), level) in places.into_iter().zip(LEVELS) {
            if let Some((octet, cite)) = self.octet(i2c, page, at) {
                let word = if octet >> bit & 1 == 1 { "On" } else { "Off" };
                self.fields.push(format!("{name} {level}{suffix}"), word, cite);
            }
        }
    }
    fn thresholds(&mut self, name: &str, i2c: u8, page: u8, at: u32, unit: Unit) {
        for (n, level) in (0u32..).zip(LEVELS) {
            self.value(format!("{name} {level} threshold"), i2c, page, at.saturating_add(n * 2), unit);
        }
    }

    /// SFF-8472: identity at 0x50, diagnostics at 0x51.
    fn sfp(&mut self) {
        self.text("Vendor name", 0, 20, 16);
        self.text("Vendor PN", 0, 40, 16);
        self.text("Vendor rev", 0, 56, 4);
        self.text("Vendor SN", 0, 68, 16);
        self.text("Date code", 0, 84, 8);
        let Some((kind, at)) = self.octet(0x50, 0, 92) else { return };
        let supported = kind & 0x40 != 0;
        self.fields.push("Optical diagnostics support", if supported { "Yes" } else { "No" }, at);
        if !supported {
            return;
        }
        let external = kind & 0x10 != 0;
        let received =
            if kind & 0x08 != 0 { "Receiver signal average optical power" } else { "Receiver signal OMA" };
        let rows = [
            ("Laser bias current", "Laser bias current", 100, 16, Unit::Bias(1)),
            ("Laser output power", "Laser output power", 102, 24, Unit::Power),
            (received, "Laser rx power", 104, 32, Unit::Power),
            ("Module temperature", "Module temperature", 96, 0, Unit::Temperature),
            ("Module voltage", "Module voltage", 98, 8, Unit::Voltage),
        ];
        if external {
            self.fields.push("Calibration", "external: values need the module's constants", at);
        }
        let flags = self.octet(0x50, 0, 93).is_some_and(|(b, _)| b & 0x80 != 0);
        for (name, short, value, limits, unit) in rows {
            if !external {
                self.value(name.to_owned(), 0x51, 0, value, unit);
                self.thresholds(short, 0x51, 0, limits, unit);
            }
            // Alarms in 112 and 113, warnings in 116 and 117; high above low, from the highest bit on.
            let (octet, high): (u32, u8) = match value {
                96 => (0, 7),
                98 => (0, 5),
                100 => (0, 3),
                102 => (0, 1),
                _ => (1, 7),
            };
            if flags {
                let low = high.saturating_sub(1);
                let places =
                    [(112 + octet, high), (112 + octet, low), (116 + octet, high), (116 + octet, low)];
                self.flags(short, "", 0x51, 0, places);
            }
        }
    }

    /// SFF-8636: four lanes; thresholds on page 3.
    fn qsfp(&mut self) {
        self.text("Vendor name", 0, 148, 16);
        self.text("Vendor PN", 0, 168, 16);
        self.text("Vendor rev", 0, 184, 2);
        self.text("Vendor SN", 0, 196, 16);
        self.text("Date code", 0, 212, 8);
        self.common(22, 26, (3, 128, 144, 184, 192, 176));
        self.flags("Module temperature", "", 0x50, 0, [(6, 7), (6, 6), (6, 5), (6, 4)]);
        self.flags("Module voltage", "", 0x50, 0, [(7, 7), (7, 6), (7, 5), (7, 4)]);
        for lane in 0..4u32 {
            let n = lane + 1;
            self.value(format!("Laser tx bias current (Channel {n})"), 0x50, 0, 42 + lane * 2, Unit::Bias(1));
            self.value(
                format!("Transmit avg optical power (Channel {n})"),
                0x50,
                0,
                50 + lane * 2,
                Unit::Power,
            );
            self.value(
                format!("Rcvr signal avg optical power(Channel {n})"),
                0x50,
                0,
                34 + lane * 2,
                Unit::Power,
            );
            // Two lanes to an octet, the first in its upper half.
            let (octet, high) = (lane / 2, if lane % 2 == 0 { 7 } else { 3 });
            for (name, base) in [("Laser bias current", 11), ("Laser tx power", 13), ("Laser rx power", 9)] {
                let at = base + octet;
                let places = [(at, high), (at, high - 1), (at, high - 2), (at, high - 3)];
                self.flags(name, &format!(" (Channel {n})"), 0x50, 0, places);
            }
        }
    }

    /// CMIS: eight lanes on page 0x11, thresholds on page 2.
    fn cmis(&mut self) {
        self.text("Vendor name", 0, 129, 16);
        self.text("Vendor PN", 0, 148, 16);
        self.text("Vendor rev", 0, 164, 2);
        self.text("Vendor SN", 0, 166, 16);
        self.text("Date code", 0, 182, 8);
        // Page 1, octet 160: the unit of bias is 2, 4 or 8 uA.
        let factor = match self.octet(0x50, 1, 160).map(|(b, _)| b >> 3 & 3) {
            Some(1) => 2,
            Some(2) => 4,
            _ => 1,
        };
        self.common(14, 16, (2, 128, 136, 184, 176, 192));
        self.flags("Module temperature", "", 0x50, 0, [(9, 0), (9, 1), (9, 2), (9, 3)]);
        self.flags("Module voltage", "", 0x50, 0, [(9, 4), (9, 5), (9, 6), (9, 7)]);
        for lane in 0..8u8 {
            let (n, at) = (lane + 1, u32::from(lane) * 2);
            self.value(
                format!("Laser tx bias current (Channel {n})"),
                0x50,
                0x11,
                170 + at,
                Unit::Bias(factor),
            );
            self.value(
                format!("Transmit avg optical power (Channel {n})"),
                0x50,
                0x11,
                154 + at,
                Unit::Power,
            );
            self.value(
                format!("Rcvr signal avg optical power (Channel {n})"),
                0x50,
                0x11,
                186 + at,
                Unit::Power,
            );
            for (name, base) in
                [("Laser tx power", 139), ("Laser bias current", 143), ("Laser rx power", 149)]
            {
                let places = [(base, lane), (base + 1, lane), (base + 2, lane), (base + 3, lane)];
                self.flags(name, &format!(" (Channel {n})"), 0x50, 0x11, places);
            }
        }
    }

    /// Temperature and voltage, and the thresholds: page, and where those of temperature, voltage, bias, sent and received
    /// power begin.
    fn common(&mut self, temperature: u32, voltage: u32, limits: (u8, u32, u32, u32, u32, u32)) {
        self.value("Module temperature".to_owned(), 0x50, 0, temperature, Unit::Temperature);
        self.value("Module voltage".to_owned(), 0x50, 0, voltage, Unit::Voltage);
        let (page, t, v, bias, sent, received) = limits;
        self.thresholds("Module temperature", 0x50, page, t, Unit::Temperature);
        self.thresholds("Module voltage", 0x50, page, v, Unit::Voltage);
        self.thresholds("Laser bias current", 0x50, page, bias, Unit::Bias(1));
        self.thresholds("Laser output power", 0x50, page, sent, Unit::Power);
        self.thresholds("Laser rx power", 0x50, page, received, Unit::Power);
    }
}
