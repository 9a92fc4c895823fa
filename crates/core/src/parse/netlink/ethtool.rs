//! Replies and notifications of ethtool netlink: which message goes to which file.
//!
//! Numbers: `include/uapi/linux/ethtool_netlink.h` (Linux 6.12). Each becomes the record that the listing of `ethtool` (6.14)
//! leads to, under the same source (`ethtool`, `ethtool-k`, `ethtool-g`, ...) and keys; what a driver does not report is left
//! out where `ethtool` prints `n/a`.

use super::{Context, ethtool_counters, ethtool_link, ethtool_module, ethtool_settings};
use crate::evidence::{Fields, Record, What};
use crate::netlink::{Attr, Message};
use std::collections::BTreeMap;

/// Names by string set and index (`ETHTOOL_MSG_STRSET_GET_REPLY`).
#[derive(Debug, Clone, Default)]
pub(super) struct Strings(BTreeMap<u32, BTreeMap<u32, String>>);

impl Strings {
    /// `ETH_SS_FEATURES`.
    pub(super) const FEATURES: u32 = 4;
    /// `ETH_SS_LINK_MODES`.
    pub(super) const LINK_MODES: u32 = 9;

    /// Takes the names of a reply.
    pub(super) fn learn(&mut self, m: &Message<'_>) {
        if m.payload.first() != Some(&STRSET) {
            return;
        }
        let Some(sets) = m.attrs(4).find(2) else { return };
        for set in sets.attrs() {
            let (Some(id), Some(strings)) = (set.attrs().find(1).and_then(|a| a.u32()), set.attrs().find(3))
            else {
                continue;
            };
            let names = self.0.entry(id).or_default();
            for s in strings.attrs() {
                if let (Some(n), Some(text)) = (s.attrs().find(1).and_then(|a| a.u32()), s.attrs().find(2)) {
                    names.insert(n, text.text());
                }
            }
        }
    }
    /// The name of a string.
    pub(super) fn name(&self, set: u32, index: u32) -> Option<&str> {
        self.0.get(&set)?.get(&index).map(String::as_str).filter(|s| !s.is_empty())
    }
    /// All of a set.
    pub(super) fn all(&self, set: u32) -> impl Iterator<Item = (u32, &str)> {
        self.0.get(&set).into_iter().flatten().map(|(n, s)| (*n, s.as_str()))
    }
}

/// `ETHTOOL_MSG_STRSET_GET_REPLY`.
const STRSET: u8 = 1;
/// `ETHTOOL_MSG_MODULE_EEPROM_GET_REPLY`, whose reading needs its request.
pub(super) const EEPROM: u8 = 32;

/// The interface of a message: `ETHTOOL_A_*_HEADER`, the first attribute (the second of statistics).
pub(super) fn dev(m: &Message<'_>, context: &Context<'_>) -> Option<String> {
    let of = |header: Attr<'_>| {
        let index = header.attrs().find(1).and_then(|a| a.u32());
        let name = header.attrs().find(2).map(|a| a.text());
        name.or_else(|| index.map(|i| context.interfaces.name(i)))
    };
    m.attrs(4).find(1).and_then(of).or_else(|| m.attrs(4).find(2).and_then(of))
}

/// Reads a message of the family `ethtool`.
pub(super) fn read(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    let Some(command) = m.payload.first().copied() else { return false };
    if command == STRSET {
        return true;
    }
    let dev = dev(m, context);
    let new = |source: &'static str| Fields::new(source, dev.clone());
    let push = |fields: Fields, out: &mut Vec<Record>| context.record(out, What::Fields(fields));
    match command {
        2 | 3 => push(ethtool_link::info(m, new("ethtool"), context), out),
        4 | 5 => push(ethtool_link::modes(m, new("ethtool"), context), out),
        6 => push(ethtool_link::state(m, new("ethtool"), context), out),
        // Message level and Wake-on-LAN: nothing that a check asks for.
        7..=10 => push(ethtool_settings::kept(m, new("ethtool"), context), out),
        11 | 13 => push(ethtool_settings::features(m, new("ethtool-k"), context), out),
        16 | 17 => push(ethtool_settings::rings(m, new("ethtool-g"), context), out),
        18 | 19 => push(ethtool_settings::channels(m, new("ethtool-l"), context), out),
        20 | 21 => push(ethtool_settings::coalescing(m, new("ethtool-c"), context), out),
        22 | 23 => ethtool_settings::pause(m, new("ethtool-a"), context, out),
        26 => push(ethtool_settings::time_stamps(m, new("ethtool-t"), context), out),
        30 | 31 => ethtool_settings::fec(m, new("ethtool-fec"), context, out),
        33 => ethtool_counters::groups(m, dev, context, out),
        35 | 36 => push(ethtool_module::power(m, new("ethtool-module"), context), out),
        _ => return super::other(m, context, out),
    }
    true
}

/// The source of the text that a request of this number would have led to.
pub(super) fn source_of_request(command: u8) -> &'static str {
    match command {
        2 | 4 | 6 | 7 | 9 => "ethtool",
        11 => "ethtool-k",
        13 => "ethtool-priv-flags",
        15 => "ethtool-g",
        17 => "ethtool-l",
        19 => "ethtool-c",
        21 => "ethtool-a",
        23 => "ethtool-eee",
        25 => "ethtool-t",
        29 => "ethtool-fec",
        31 => "ethtool-m",
        32 => "ethtool-s",
        34 => "ethtool-module",
        _ => super::ID,
    }
}

/// The number of a request by its name; `None` for one that is not read.
pub(super) fn request_number(name: &str) -> Option<u8> {
    Some(match name.strip_prefix("ETHTOOL_MSG_")?.strip_suffix("_GET")? {
        "STRSET" => 1,
        "LINKINFO" => 2,
        "LINKMODES" => 4,
        "LINKSTATE" => 6,
        "DEBUG" => 7,
        "WOL" => 9,
        "FEATURES" => 11,
        "PRIVFLAGS" => 13,
        "RINGS" => 15,
        "CHANNELS" => 17,
        "COALESCE" => 19,
        "PAUSE" => 21,
        "EEE" => 23,
        "TSINFO" => 25,
        "TUNNEL_INFO" => 28,
        "FEC" => 29,
        "MODULE_EEPROM" => 31,
        "STATS" => 32,
        "PHC_VCLOCKS" => 33,
        "MODULE" => 34,
        _ => return None,
    })
}
