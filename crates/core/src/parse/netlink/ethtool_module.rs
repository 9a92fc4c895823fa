//! MODULE_EEPROM and MODULE: the memory of a transceiver, as `ethtool -m` prints it.
//!
//! A reply holds octets only, not where they begin (`eeprom_fill_reply()`, `net/ethtool/eeprom.c`, Linux 6.12). The place
//! comes from the request, if the capture has it (`nlmon`), or from the frame's comment, in which `bondwitness` writes
//! `ETHTOOL_MSG_MODULE_EEPROM_GET eno1 page 0 bank 0 offset 0 length 128 i2c 0x50`. What was read of one module is put
//! together and decoded by [`super::transceiver`] once a page comes a second time, or the capture ends.

use super::{Context, transceiver, unknown};
use crate::evidence::{Citation, Fields, Record, What};
use crate::netlink::{Message, names};
use crate::units::Stamp;
use std::collections::BTreeMap;

/// Where octets of a module lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Address on the bus of the module: 0x50 or 0x51.
    pub(super) i2c: u8,
    pub(super) bank: u8,
    pub(super) page: u8,
    /// First octet, 0 to 255; the upper half is the page's.
    pub(super) offset: u32,
}

/// The place that a request names (`ETHTOOL_A_MODULE_EEPROM_*`).
pub(super) fn asked(m: &Message<'_>) -> Option<Place> {
    if m.payload.first() != Some(&31) {
        return None;
    }
    let number = |kind: u16| m.attrs(4).find(kind).and_then(|a| a.number()).unwrap_or(0);
    let octet = |kind: u16| u8::try_from(number(kind)).unwrap_or(0);
    let offset = u32::try_from(number(2)).ok()?;
    Some(Place { i2c: octet(6), bank: octet(5), page: octet(4), offset })
}

/// The place and the interface that a comment names.
pub(super) fn commented(comment: &str) -> Option<(String, Place)> {
    let words: Vec<&str> = comment.split_whitespace().collect();
    let dev = match words.as_slice() {
        ["ETHTOOL_MSG_MODULE_EEPROM_GET", dev, ..] => (*dev).to_owned(),
        _ => return None,
    };
    let number = |key: &str| -> Option<u32> {
        let at = words.iter().position(|w| *w == key)?;
        let word = words.get(at.checked_add(1)?)?;
        match word.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => word.parse().ok(),
        }
    };
    let octet = |key: &str| number(key).and_then(|n| u8::try_from(n).ok());
    let place = Place {
        i2c: octet("i2c").unwrap_or(0x50),
        bank: octet("bank").unwrap_or(0),
        page: octet("page").unwrap_or(0),
        offset: number("offset")?,
    };
    Some((dev, place))
}

/// What was read of one module.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub(super) parts: BTreeMap<Place, (Vec<u8>, Citation)>,
    /// When the first part was read.
    pub(super) time: Option<Stamp>,
}

impl Memory {
    /// The octet of a page, and where it was read. Below 128 all pages of an address are one.
    pub(super) fn octet(&self, i2c: u8, page: u8, at: u32) -> Option<(u8, Citation)> {
        self.parts.iter().find_map(|(place, (bytes, cite))| {
            let same = place.i2c == i2c && (at < 128 || place.page == page);
            let n = usize::try_from(at.checked_sub(place.offset)?).ok()?;
            (same && place.bank == 0).then(|| bytes.get(n).map(|b| (*b, *cite))).flatten()
        })
    }
}

/// Modules by interface.
#[derive(Debug, Clone, Default)]
pub(super) struct Modules(BTreeMap<String, Memory>);

impl Modules {
    /// Takes the octets of a reply; what was read before is decoded when the same place comes again.
    pub(super) fn take(
        &mut self,
        dev: String,
        place: Place,
        m: &Message<'_>,
        context: &Context<'_>,
        out: &mut Vec<Record>,
    ) {
        let Some(data) = m.attrs(4).find(7) else { return };
        let memory = self.0.entry(dev.clone()).or_default();
        if memory.parts.contains_key(&place) {
            out.extend(transceiver::record(&dev, &std::mem::take(memory)));
        }
        if memory.parts.is_empty() {
            memory.time = context.time;
        }
        memory.parts.insert(place, (data.value.to_vec(), context.at));
    }
    /// Decodes what is left.
    pub(super) fn finish(self, out: &mut Vec<Record>) {
        for (dev, memory) in self.0 {
            out.extend(transceiver::record(&dev, &memory));
        }
    }
}

/// MODULE: how much power a module may take.
pub(super) fn power(m: &Message<'_>, mut fields: Fields, context: &Context<'_>) -> Fields {
    for attr in m.attrs(4) {
        let n = attr.number().unwrap_or(0);
        match attr.kind {
            1 => {}
            2 => fields.push("power-mode-policy", names::of(&["", "high", "auto"], n), context.at),
            3 => fields.push("power-mode", names::of(&["", "low", "high"], n), context.at),
            _ => unknown(&mut fields, "", &attr, context.at),
        }
    }
    fields
}

/// Fields of a module as a record.
pub(super) fn record_of(fields: Fields, time: Option<Stamp>) -> Option<Record> {
    let at = fields.entries.first()?.at;
    Some(Record { at, time, what: What::Fields(fields) })
}
