//! LACPDUs that somebody wrote down field by field.
//!
//! Not the output of a tool: `src 02:00:..`, `actor system 02:.. priority 65535 key 15 port 1 port-priority 255
//! state 0x3d`, `partner ...`, `collector max delay 0`, with or without colons and equal signs, in any order. One
//! actor block makes one PDU.

use super::{Cursor, Format, Out, clock};
use crate::evidence::{Citation, Direction, Line, TextPdu, What};
use crate::units::{Mac, Stamp};
use lacp::PortState;
use lacp::state::{Notation, parse as state};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "lacp-fields";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    // Cutting a line into words costs more than all else here: only lines that can begin so.
    let joints = |c: char| c.is_whitespace() || matches!(c, '=' | ',' | ';' | '(' | ')' | ':');
    let first = t.trim_start_matches(joints);
    let begins = |word: &str| first.get(..word.len()).is_some_and(|f| f.eq_ignore_ascii_case(word));
    if !["actor", "partner", "src", "time", "dst"].into_iter().any(begins) {
        return false;
    }
    if side(t) {
        return true;
    }
    let words: Vec<String> = words(t);
    let has_source = words.windows(2).any(|w| matches!(w, [k, v] if k == "src" && mac(v).is_some()));
    let small =
        words.len() <= 10 && words.first().is_some_and(|w| matches!(w.as_str(), "src" | "time" | "dst"));
    has_source && small && (1..=3).any(|n| lines.get(i + n).is_some_and(|l| side(l.trimmed())))
}

/// `actor ...` or `partner ...` with a MAC address and at least one more field of a PDU.
fn side(t: &str) -> bool {
    let words = words(t);
    matches!(words.first().map(String::as_str), Some("actor" | "partner"))
        && words.iter().any(|w| mac(w).is_some())
        && words.iter().any(|w| matches!(w.as_str(), "key" | "port" | "state"))
}

fn mac(word: &str) -> Option<Mac> {
    if word.len() < 11 { None } else { word.parse().ok() }
}

/// Words in lower case, without the punctuation that joins keys to values.
fn words(t: &str) -> Vec<String> {
    t.split_whitespace()
        .flat_map(|w| w.split(['=', ',', ';', '(', ')']))
        .map(|w| w.trim_end_matches(':').to_ascii_lowercase())
        .filter(|w| !w.is_empty())
        .collect()
}

/// A number in decimal or, with `0x`, hexadecimal.
pub(super) fn number(text: &str) -> Option<u16> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with('+') => u16::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

fn octet(text: &str) -> Option<PortState> {
    if text.starts_with("0x") {
        return state(text, Notation::Hex);
    }
    state(text, Notation::Decimal).or_else(|| state(text, Notation::Hex))
}

fn is_value(word: &str) -> bool {
    mac(word).is_some() || word.bytes().next().is_some_and(|b| b.is_ascii_digit())
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Frame,
    Actor,
    Partner,
    Collector,
}

struct Draft {
    at: Citation,
    last: Citation,
    time: Option<Stamp>,
    pdu: TextPdu,
    has_actor: bool,
}

impl Draft {
    fn new(at: Citation, dev: Option<String>) -> Self {
        let pdu = lacp::Lacpdu::new(lacp::PortInfo::default(), lacp::PortInfo::default());
        let pdu = lacp::Lacpdu { version: 1, collector_max_delay: 0, ..pdu };
        let pdu = TextPdu { dev, direction: None, source: None, pdu, has_partner: false };
        Self { at, last: at, time: None, pdu, has_actor: false }
    }
    /// Puts one key with its value; false if the key is unknown or the value does not fit it.
    fn put(&mut self, side: Side, key: &str, value: &str) -> bool {
        let port = match side {
            Side::Actor => &mut self.pdu.pdu.actor,
            Side::Partner => &mut self.pdu.pdu.partner,
            Side::Frame | Side::Collector => {
                match (key, side) {
                    ("src" | "source", _) => self.pdu.source = mac(value),
                    ("dst" | "destination", _) => return mac(value).is_some(),
                    ("time" | "at", _) => {
                        self.time = clock::unix(value).or_else(|| clock::time_of_day(value));
                        return self.time.is_some();
                    }
                    ("dev" | "interface" | "iface", _) => self.pdu.dev = Some(value.to_owned()),
                    ("direction", _) => {
                        self.pdu.direction = match value {
                            "out" | "tx" => Some(Direction::Out),
                            "in" | "rx" => Some(Direction::In),
                            _ => return false,
                        };
                    }
                    ("version", _) => match value.parse() {
                        Ok(v) => self.pdu.pdu.version = v,
                        Err(_) => return false,
                    },
                    ("subtype" | "length" | "len", _) => return number(value).is_some(),
                    ("maxdelay" | "collectormaxdelay" | "delay", _) => match number(value) {
                        Some(n) => self.pdu.pdu.collector_max_delay = n,
                        None => return false,
                    },
                    _ => return false,
                }
                return true;
            }
        };
        let n = number(value);
        match (key, n) {
            ("system" | "systemid" | "sysid" | "sys" | "systemmac" | "mac" | "systemmacaddress" | "", _)
                if mac(value).is_some() =>
            {
                port.system = mac(value).unwrap_or_default();
            }
            ("priority" | "systempriority" | "syspriority" | "sysprio" | "prio" | "systemprio", Some(n)) => {
                port.system_priority = n;
            }
            ("key" | "operkey" | "portkey", Some(n)) => port.key = n,
            ("port" | "portnumber" | "portid" | "portno", Some(n)) => port.port = n,
            ("portpriority" | "portprio", Some(n)) => port.port_priority = n,
            ("state" | "portstate" | "flags", _) => match octet(value) {
                Some(s) => port.state = s,
                None => return false,
            },
            _ => return false,
        }
        true
    }
    fn emit(self, out: &mut Out) {
        if self.has_actor || self.pdu.has_partner {
            out.record(self.at.to(self.last), self.time, What::Pdu(self.pdu));
        }
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let dev = out.hints.dev.clone();
    let mut draft: Option<Draft> = None;
    let mut side = Side::Frame;
    // A key whose value a mail wrapped onto the next line.
    let mut key = String::new();
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        let all = words(t);
        let first = all.first().map_or("", String::as_str);
        let begins = match first {
            "src" | "time" | "at" | "source" | "dst" | "version" | "lacpdu" | "frame" | "interface"
            | "dev" => {
                side = Side::Frame;
                true
            }
            "actor" => {
                side = Side::Actor;
                true
            }
            "partner" => {
                side = Side::Partner;
                true
            }
            "collector" => {
                side = Side::Collector;
                true
            }
            "system" | "priority" | "key" | "port" | "port-priority" | "port_priority" | "state" | "max" => {
                true
            }
            _ => !key.is_empty() && is_value(first),
        };
        if !begins {
            break;
        }
        let again = match first {
            "actor" => draft.as_ref().is_some_and(|d| d.has_actor && all.len() > 3),
            "src" | "time" | "lacpdu" | "frame" => draft.as_ref().is_some_and(|d| d.has_actor),
            _ => false,
        };
        if again && let Some(d) = draft.take() {
            d.emit(out);
        }
        cursor.next();
        let d = draft.get_or_insert_with(|| Draft::new(line.cite(), dev.clone()));
        d.last = line.cite();
        let mut understood = true;
        if !is_value(first) {
            key.clear();
        }
        for word in &all {
            match word.as_str() {
                "actor" => {
                    (side, d.has_actor) = (Side::Actor, true);
                    continue;
                }
                "partner" => {
                    (side, d.pdu.has_partner) = (Side::Partner, true);
                    continue;
                }
                "collector" => {
                    side = Side::Collector;
                    continue;
                }
                "lacpdu" | "frame" | "lacp" => continue,
                _ => {}
            }
            let value = is_value(word)
                || (matches!(key.as_str(), "dev" | "interface" | "iface" | "direction"))
                || (matches!(key.as_str(), "state" | "flags") && octet(word).is_some());
            if value {
                understood &= d.put(side, &key, word);
                key.clear();
            } else {
                key.extend(word.chars().filter(|c| !matches!(c, '-' | '_')));
            }
        }
        // The value may stand on the next line.
        understood &= key.is_empty()
            || cursor.peek().is_some_and(|l| words(l.trimmed()).first().is_some_and(|w| is_value(w)));
        if understood { out.typed(line) } else { out.not_understood(line) }
    }
    if let Some(d) = draft {
        d.emit(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn pdus(text: &str) -> Vec<TextPdu> {
        let parsed = parse_text_with(FileId(0), "x/lacpdu.txt", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty(), "{:?}", parsed.not_understood);
        assert!(parsed.unrecognised.is_empty(), "{:?}", parsed.unrecognised);
        let pdu = |w| if let What::Pdu(p) = w { Some(p) } else { None };
        parsed.records.into_iter().filter_map(|r| pdu(r.what)).collect()
    }

    #[test]
    fn two_pdus_in_two_spellings() {
        let got = pdus(
            "time 10:11:12.5 src 02:00:00:00:22:01\nactor system 02:00:00:00:22:01 priority 0x8000 key 1 port 3 port-priority 255 state 0x45\npartner system 00:00:00:00:00:00 priority 0 key 0 port 0 port-priority 0 state 0x02\ncollector max delay 10\n\nactor: system=02:00:00:00:11:01, priority=1, key=15, port=2, port_priority=128, state=61\n",
        );
        let [a, b] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(a.source.map(|m| m.to_string()).as_deref(), Some("02:00:00:00:22:01"));
        let x = a.pdu.actor;
        assert_eq!((x.system_priority, x.key, x.port, x.port_priority), (0x8000, 1, 3, 255));
        assert_eq!((x.state.bits(), a.pdu.partner.state.bits()), (0x45, 2));
        assert_eq!(a.pdu.collector_max_delay, 10);
        let y = b.pdu.actor;
        assert_eq!((y.system_priority, y.port, y.port_priority, y.state.bits()), (1, 2, 128, 0x3d));
        assert!(!b.has_partner);
    }

    #[test]
    fn a_value_on_the_next_line() {
        let got =
            pdus("actor system 02:00:00:00:22:01 priority 1 key 2 port 3 port-priority\n255 state 0x45\n");
        let [p] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((p.pdu.actor.port_priority, p.pdu.actor.state.bits()), (255, 0x45));
    }

    #[test]
    fn proc_bonding_and_prose_are_not_this() {
        for text in
            ["details actor lacp pdu:", "the actor on port 1 is fine", "actor sys_id: 02:00:00:00:11:01"]
        {
            let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert!(parsed.recognised.is_empty(), "{text}");
        }
    }
}
