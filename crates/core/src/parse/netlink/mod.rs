//! Netlink datagrams of a capture (`LINKTYPE_NETLINK`): what the kernel told, as the records of the text twins.
//!
//! Captures come from `bondwitness` itself (datagrams as received, each with its request in words as comment) and from
//! `nlmon` (`tcpdump -i nlmon0`, Wireshark), where requests and replies of other programs stand side by side. One file of
//! this folder per family of messages; each yields the records that `ip`, `tc` or `ethtool` would have led to, under the
//! source of that text (`ip-link`, `ip-monitor` for events, `tc-qdisc`, `ethtool`, ...), citing the frame, at the frame's
//! time. What a message holds and nobody here knows is kept as a field `attr N` with its octets.

use crate::capture::reader::{self, Datagram};
use crate::evidence::{Citation, Fields, FileId, Record, What};
use crate::netlink::{Attr, Attrs, Message, Messages, message, names};
use crate::parse::Parsed;
use crate::units::Stamp;
use std::collections::{BTreeMap, BTreeSet};

mod actions;
mod addresses;
mod bitset;
mod bond;
mod drop_monitor;
mod ethtool;
mod ethtool_counters;
mod ethtool_link;
mod ethtool_module;
mod ethtool_settings;
mod failures;
mod filters;
mod kinds;
mod link_modes;
mod links;
mod neighbours;
mod qdisc_options;
mod qdiscs;
mod statistics;
mod transceiver;

/// For `recognised_as`.
pub const ID: &str = "netlink";

/// Netlink protocol of rtnetlink.
const ROUTE: u16 = 0;
/// Netlink protocol of generic netlink.
const GENERIC: u16 = 16;

/// Interfaces by index: name and flags.
#[derive(Debug, Clone, Default)]
pub struct Interfaces(BTreeMap<u32, (String, u32)>);

impl Interfaces {
    /// Its name, or `ifN` as `ip` prints an index it has no name for.
    fn name(&self, index: u32) -> String {
        self.0.get(&index).map_or_else(|| format!("if{index}"), |(name, _)| name.clone())
    }
    fn flags(&self, index: u32) -> Option<u32> {
        self.0.get(&index).map(|(_, flags)| *flags)
    }
    /// Takes name and flags from a message about a link.
    fn learn(&mut self, m: &Message<'_>) {
        let (Some(index), Some(flags)) = (m.u32_at(4), m.u32_at(8)) else { return };
        if let Some(name) = m.attrs(16).find(links::IFNAME) {
            self.0.insert(index, (name.text(), flags));
        }
    }
}

/// The interfaces that a capture of netlink lists, by index. An index that had two names in it is left out.
#[must_use]
pub fn interfaces(bytes: &[u8]) -> Interfaces {
    let mut found = Interfaces::default();
    let mut renamed = BTreeSet::new();
    reader::read_netlink(bytes, &mut |d| {
        for m in Messages::new(d.messages).filter(|m| d.protocol == ROUTE && m.kind == links::NEW) {
            let Some(index) = m.u32_at(4) else { continue };
            let before = found.0.get(&index).map(|(name, _)| name.clone());
            found.learn(&m);
            let now = found.0.get(&index).map(|(name, _)| name);
            if before.is_some_and(|b| now != Some(&b)) {
                renamed.insert(index);
            }
        }
    });
    found.0.retain(|index, _| !renamed.contains(index));
    found
}

/// What a family needs to know beside its message.
struct Context<'c> {
    /// The frame.
    at: Citation,
    /// Its time.
    time: Option<Stamp>,
    /// Who is who.
    interfaces: &'c Interfaces,
    /// Names of bits and counters that the capture tells.
    strings: &'c ethtool::Strings,
    /// Told unasked.
    event: bool,
    /// The message says that its object is gone (`RTM_DEL...`).
    deleted: bool,
}

impl Context<'_> {
    fn record(&self, out: &mut Vec<Record>, what: What) {
        out.push(Record { at: self.at, time: self.time, what });
    }
    /// The text's name for what was read: of a listing, or of an event.
    const fn source(&self, listing: &'static str) -> &'static str {
        if self.event { "ip-monitor" } else { listing }
    }
}

/// Keeps an attribute that is not known: `attr 12`, or `bond.attr 12` with a prefix.
fn unknown(fields: &mut Fields, prefix: &str, attr: &Attr<'_>, at: Citation) {
    fields.push(format!("{prefix}attr {}", attr.kind), attr.hex(), at);
}

/// An IPv4 or IPv6 address, or the octets.
fn ip(octets: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(octets) {
        std::net::Ipv4Addr::from(v4).to_string()
    } else if let Ok(v6) = <[u8; 16]>::try_from(octets) {
        std::net::Ipv6Addr::from(v6).to_string()
    } else {
        crate::netlink::attr::hex(octets)
    }
}

/// Keeps what follows the last whole attribute of a level.
fn damaged(fields: &mut Fields, attrs: Attrs<'_>, at: Citation) {
    let rest = attrs.damaged();
    if !rest.is_empty() {
        fields.push("damaged", crate::netlink::attr::hex(rest), at);
    }
}

/// Reads all netlink datagrams of a capture.
#[must_use]
pub fn read(file: FileId, bytes: &[u8]) -> Parsed {
    read_among(file, bytes, &Interfaces::default())
}

/// As [`read`], where it is known from elsewhere which interfaces the host has: a dump of counters, filters or queueing
/// disciplines has their indices only.
#[must_use]
pub fn read_among(file: FileId, bytes: &[u8], known: &Interfaces) -> Parsed {
    let mut datagrams = Vec::new();
    reader::read_netlink(bytes, &mut |d| datagrams.push(d));
    let mut reader = Reader::new(file, &datagrams);
    for (index, interface) in &known.0 {
        // What the capture itself says goes first.
        reader.interfaces.0.entry(*index).or_insert_with(|| interface.clone());
    }
    for d in &datagrams {
        reader.datagram(d);
    }
    reader.finish()
}

/// A request that was seen on its way to the kernel, or that an answer repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    protocol: u16,
    seq: u32,
}

struct Reader {
    file: FileId,
    interfaces: Interfaces,
    /// Families of generic netlink by id.
    families: BTreeMap<u16, String>,
    strings: ethtool::Strings,
    asked: BTreeSet<Asked>,
    /// Which octets of a module were asked for by sequence number: interface and place.
    places: BTreeMap<u32, (String, ethtool_module::Place)>,
    modules: ethtool_module::Modules,
    /// The record of an interface's settings that replies are added to: where it stands.
    settings: BTreeMap<String, usize>,
    /// Dumps that were said to be inconsistent.
    interrupted: BTreeSet<(Asked, u32)>,
    parsed: Parsed,
}

impl Reader {
    /// Learns names first: a dump names a bond after its members, and a capture may tell a family's id at its end.
    fn new(file: FileId, datagrams: &[Datagram<'_>]) -> Self {
        let mut reader = Self {
            file,
            interfaces: Interfaces::default(),
            families: BTreeMap::new(),
            strings: ethtool::Strings::default(),
            asked: BTreeSet::new(),
            places: BTreeMap::new(),
            modules: ethtool_module::Modules::default(),
            settings: BTreeMap::new(),
            interrupted: BTreeSet::new(),
            parsed: Parsed::default(),
        };
        for d in datagrams {
            for m in Messages::new(d.messages) {
                reader.learn(d, &m);
            }
        }
        for d in datagrams.iter().filter(|d| d.protocol == GENERIC) {
            for m in Messages::new(d.messages).filter(|m| !request(d, m)) {
                if reader.is_ethtool(&m, comment(d)) {
                    reader.strings.learn(&m);
                }
            }
        }
        reader
    }

    fn learn(&mut self, d: &Datagram<'_>, m: &Message<'_>) {
        if request(d, m) {
            self.asked.insert(Asked { protocol: d.protocol, seq: m.seq });
        } else if d.protocol == ROUTE && m.kind == links::NEW {
            let known = m.u32_at(4).is_some_and(|i| self.interfaces.0.contains_key(&i));
            if !known {
                self.interfaces.learn(m);
            }
        } else if d.protocol == GENERIC {
            self.families.extend(family(m));
        }
    }

    /// True for a message of the family `ethtool`: by the id that the controller told, or by the comment.
    fn is_ethtool(&self, m: &Message<'_>, comment: &str) -> bool {
        match self.families.get(&m.kind) {
            Some(name) => name == "ethtool",
            None => m.kind > message::FIRST && comment.starts_with("ETHTOOL_MSG_"),
        }
    }

    fn datagram(&mut self, d: &Datagram<'_>) {
        let at = Citation::frame(self.file, d.number);
        let mut messages = Messages::new(d.messages);
        for m in messages.by_ref() {
            self.message(d, &m, at, comment(d));
        }
        // `ip` sends some requests with the zeros of its whole buffer behind them.
        if messages.rest().iter().any(|b| *b != 0) {
            self.parsed.not_understood.push(at);
        }
    }

    fn message(&mut self, d: &Datagram<'_>, m: &Message<'_>, at: Citation, comment: &str) {
        let time = (d.ns != 0).then(|| Stamp::wall(d.ns));
        let asked = Asked { protocol: d.protocol, seq: m.seq };
        if m.interrupted() && self.interrupted.insert((asked, m.port)) {
            let fields = failures::interrupted(d.protocol, m, comment, at);
            self.parsed.records.push(Record { at, time, what: What::Fields(fields) });
        }
        let understood = if request(d, m) {
            self.remember(m);
            true
        } else if let Some(outcome) = m.outcome() {
            let failed =
                failures::failed(d.protocol, &outcome, comment, &self.interfaces, &self.families, at);
            if let Some(fields) = failed {
                self.parsed.records.push(Record { at, time, what: What::Fields(fields) });
            }
            true
        } else if m.kind < message::FIRST {
            m.kind == message::NOOP
        } else {
            let event = m.flags & message::MULTI == 0
                && (m.seq == 0 || !self.asked.contains(&asked) && !comment.contains("GET"));
            if d.protocol == ROUTE && m.kind == links::NEW {
                self.interfaces.learn(m);
            }
            let deleted = d.protocol == ROUTE && m.kind & 3 == 1;
            self.told(d.protocol, m, (at, time, event, deleted), comment)
        };
        if understood && !m.cut {
            self.parsed.typed += 1;
            self.parsed.per_format.entry(ID).or_default().0 += 1;
        } else {
            self.parsed.not_understood.push(at);
            self.parsed.per_format.entry(ID).or_default().1 += 1;
        }
    }

    /// Keeps which octets of a module a request asks for: the reply does not repeat it.
    fn remember(&mut self, m: &Message<'_>) {
        if self.families.get(&m.kind).is_some_and(|f| f == "ethtool")
            && let Some(place) = ethtool_module::asked(m)
        {
            let header = m.attrs(4).find(1);
            let index = header.and_then(|h| h.attrs().find(1)).and_then(|a| a.u32());
            let name = header.and_then(|h| h.attrs().find(2)).map(|a| a.text());
            if let Some(dev) = name.or_else(|| index.map(|i| self.interfaces.name(i))) {
                self.places.insert(m.seq, (dev, place));
            }
        }
    }

    /// Reads what the kernel tells. Of `about`: frame, time, event, gone.
    fn told(
        &mut self,
        protocol: u16,
        m: &Message<'_>,
        about: (Citation, Option<Stamp>, bool, bool),
        comment: &str,
    ) -> bool {
        let (at, time, event, deleted) = about;
        let ethtool = protocol == GENERIC && self.is_ethtool(m, comment);
        let (interfaces, strings) = (&self.interfaces, &self.strings);
        let context = Context { at, time, interfaces, strings, event, deleted };
        let out = &mut self.parsed.records;
        if protocol == ROUTE {
            return route(m, &context, out);
        }
        if protocol != GENERIC {
            return other(m, &context, out);
        }
        if m.kind == message::FIRST {
            // The controller: families and their ids, learnt beforehand.
            return true;
        }
        if ethtool && m.payload.first() == Some(&ethtool::EEPROM) {
            let place = self.places.get(&m.seq).cloned().or_else(|| ethtool_module::commented(comment));
            let Some((dev, place)) = place else { return other(m, &context, out) };
            self.modules.take(dev, place, m, &context, out);
            return true;
        }
        if ethtool {
            let before = out.len();
            let understood = ethtool::read(m, &context, out);
            if out.len() == before + 1 {
                join_settings(out, &mut self.settings);
            }
            return understood;
        }
        if self.families.get(&m.kind).is_some_and(|f| f == "NET_DM") {
            return drop_monitor::read(m, &context, out);
        }
        other(m, &context, out)
    }

    fn finish(mut self) -> Parsed {
        std::mem::take(&mut self.modules).finish(&mut self.parsed.records);
        if self.parsed.typed > 0 || !self.parsed.not_understood.is_empty() {
            self.parsed.recognised.push(ID);
        }
        self.parsed
    }
}

/// How long after the first reply about an interface's settings others still belong to the same reading.
const ONE_READING_NS: i64 = 2_000_000_000;

/// `ethtool <dev>` asks three questions (LINKINFO, LINKMODES, LINKSTATE) and prints one answer: replies that follow each other
/// become one record. Each field keeps its own frame.
fn join_settings(out: &mut Vec<Record>, settings: &mut BTreeMap<String, usize>) {
    let Some(last) = out.len().checked_sub(1) else { return };
    let (dev, keys) = match out.last().map(|r| &r.what) {
        Some(What::Fields(f)) if f.source == "ethtool" => match &f.dev {
            Some(dev) => (dev.clone(), f.entries.iter().map(|e| e.key.clone()).collect::<Vec<_>>()),
            None => return,
        },
        _ => return,
    };
    let ns = |r: &Record| r.time.map_or(0, |t| t.ns);
    let now = out.last().map_or(0, ns);
    let earlier = settings.get(&dev).copied().filter(|i| {
        out.get(*i).is_some_and(|r| {
            let near = now.saturating_sub(ns(r)).unsigned_abs() <= ONE_READING_NS.unsigned_abs();
            let new = matches!(&r.what, What::Fields(f) if keys.iter().all(|k| f.get(k).is_none()));
            near && new
        })
    });
    let Some(earlier) = earlier else {
        settings.insert(dev, last);
        return;
    };
    let Some(Record { what: What::Fields(added), .. }) = out.pop() else { return };
    if let Some(Record { what: What::Fields(fields), .. }) = out.get_mut(earlier) {
        fields.entries.extend(added.entries);
    }
}

/// The remark beside a datagram.
fn comment<'d>(d: &Datagram<'d>) -> &'d str {
    std::str::from_utf8(d.comment).unwrap_or("").trim_end_matches('\0')
}

/// True if a message goes to the kernel. A tap marks neither direction for `tcpdump`, so the message must tell: requests to
/// read have types of their own in rtnetlink, and the flag `NLM_F_REQUEST`; the kernel repeats that flag in what it tells of
/// changed filters (`tfilter_notify()`, Linux 6.12), but with the port of the process, which requests seldom fill in.
fn request(d: &Datagram<'_>, m: &Message<'_>) -> bool {
    if d.packet_type == 6 || m.kind < message::FIRST {
        return false;
    }
    match d.protocol {
        ROUTE if m.kind & 3 >= 2 => true,
        ROUTE => m.flags & message::REQUEST != 0 && !(matches!(m.kind, 44 | 45) && m.port != 0),
        _ => m.flags & message::REQUEST != 0,
    }
}

/// Id and name of a family that the controller tells about (`CTRL_CMD_NEWFAMILY`, `CTRL_ATTR_FAMILY_ID`, `_NAME`).
fn family(m: &Message<'_>) -> Option<(u16, String)> {
    if m.kind != message::FIRST || m.payload.first() != Some(&1) {
        return None;
    }
    let id = m.attrs(4).find(1)?.u16()?;
    let name = m.attrs(4).find(2)?.text();
    Some((id, name))
}

fn route(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    match m.kind {
        links::NEW | links::DELETE => links::read(m, context, out),
        20 | 21 => addresses::read(m, context, out),
        28 | 29 => neighbours::read(m, context, out),
        36 | 37 => qdiscs::read(m, context, out),
        44 | 45 => filters::read(m, context, out),
        56 | 57 => addresses::multicast(m, context, out),
        88 | 89 => namespace(m, context, out),
        // Chains: which there are; their filters come of themselves.
        100 | 101 => true,
        92 => statistics::read(m, context, out),
        _ => other(m, context, out),
    }
}

/// `RTM_NEWNSID`: the number that a namespace has here.
fn namespace(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    let mut fields = Fields::new(ID, None);
    // struct rtgenmsg: family and padding. NETNSA_NSID, -1 for none.
    if let Some(id) = m.attrs(4).find(1).and_then(|a| a.i32()) {
        fields.push("nsid", id.to_string(), context.at);
    }
    context.record(out, What::Fields(fields));
    true
}

/// A message of a family that is not read: its name and attributes are kept.
fn other(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    let mut fields = Fields::new(ID, None);
    let name = names::route(m.kind).map_or_else(|| m.kind.to_string(), str::to_owned);
    fields.push("message", name, context.at);
    fields.push("octets", crate::netlink::attr::hex(m.payload), context.at);
    context.record(out, What::Fields(fields));
    false
}
