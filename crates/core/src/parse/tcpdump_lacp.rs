//! tcpdump's text for slow protocols: the header line with or without `-e`, and the TLVs of `-v` and `-vvv`.
//!
//! Printed by `slow_print()` and `lacp_print()`-like code in `print-slow.c`, tcpdump 3.9 to 4.99; times with
//! `-t` to `-ttttt`, packet numbers (`--number`), link types Ethernet, `LINUX_SLL` and `LINUX_SLL2` (`-i any`).
//! A PDU with its actor block becomes [`What::Pdu`]. A header line alone (no `-v`) says only that a PDU passed: it is
//! kept as fields (`pdu`, `source`, `direction`), because a PDU of zeros would say something that was not read.
//! Marker PDUs, statistics at the end and packets of other protocols are kept as fields too. Hex dumps repeat
//! what the TLV lines say and are passed over.

use super::{Cursor, Format, Out, clock};
use crate::evidence::{Citation, Direction, Fields, Line, TextPdu, What};
use crate::units::{Mac, Stamp};
use lacp::state::{Notation, parse as state};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "tcpdump-lacp";

/// Lines that tcpdump writes around the packets.
const NOTES: &[&str] = &[
    "tcpdump: verbose output suppressed",
    "tcpdump: listening on",
    "tcpdump: WARNING:",
    "tcpdump: data link type",
    "listening on",
    "reading from file",
    "dropped privs to",
    "(Promiscuous mode not supported",
    "tcpdump: ",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if t.starts_with("Actor Information TLV (0x01)") || t.starts_with("Partner Information TLV (0x02)") {
        return true;
    }
    if t.starts_with("tcpdump: verbose output suppressed")
        || t.starts_with("tcpdump: WARNING: ")
        || t.starts_with("(Promiscuous mode not supported on the ")
        || t.starts_with("tcpdump: listening on ")
        || (t.starts_with("listening on ") && t.contains(", link-type "))
        || (t.starts_with("reading from file ") && t.contains(", link-type "))
    {
        return true;
    }
    header(t).is_some_and(|h| h.slow && (h.time.is_some() || h.macs || h.slow_words))
}

/// The header line of a packet.
struct Header<'a> {
    time: Option<Stamp>,
    dev: Option<&'a str>,
    direction: Option<Direction>,
    source: Option<Mac>,
    /// It is a slow-protocol frame.
    slow: bool,
    /// `LACPv1, length` or `MARKERv1, length` stands at the end, in tcpdump's own words.
    slow_words: bool,
    /// It has `source > destination`.
    macs: bool,
    /// `LACPv1`, `MARKERv1`, or the rest of the line.
    protocol: &'a str,
}

fn header(t: &str) -> Option<Header<'_>> {
    let mut words = t.split_whitespace().peekable();
    let mut h = Header {
        time: None,
        dev: None,
        direction: None,
        source: None,
        slow: t.contains("ethertype Slow Protocols") || t.contains("> 01:80:c2:00:00:02"),
        slow_words: false,
        macs: false,
        protocol: "",
    };
    for kind in ["LACPv", "MARKERv", "Marker v"] {
        if let Some(at) = t.find(kind)
            && let Some(rest) = t.get(at..)
            && rest.contains(", length")
        {
            h.slow = true;
            h.slow_words = at == 0 || t.get(..at).is_some_and(|b| b.ends_with(": ") || b.ends_with(' '));
            h.protocol = rest.split(',').next().unwrap_or(rest);
        }
    }
    let first = *words.peek()?;
    if first.len() < 9 && first.bytes().all(|b| b.is_ascii_digit()) {
        words.next();
    }
    let first = *words.peek()?;
    if let Some(stamp) = clock::unix(first) {
        h.time = Some(stamp);
        words.next();
    } else if first.contains('.') && clock::time_of_day(first).is_some() {
        h.time = clock::time_of_day(first);
        words.next();
    } else if first.len() == 10 && first.bytes().filter(|b| *b == b'-').count() == 2 {
        words.next();
        h.time = clock::civil(first, words.next()?);
        h.time?;
    }
    // `-i any`: `eth0 Out`, or only `Out` before libpcap knew SLL2.
    let direction = |w: &str| match w {
        "Out" => Some(Direction::Out),
        "In" | "P" | "M" | "B" => Some(Direction::In),
        _ => None,
    };
    if h.time.is_some()
        && let Some(first) = words.peek().copied()
    {
        if let Some(d) = direction(first) {
            h.direction = Some(d);
        } else if !first.contains([':', ',']) {
            let mut ahead = words.clone();
            ahead.next();
            if let Some(d) = ahead.next().and_then(direction) {
                // A capture that is read on another machine has interface numbers that mean nothing there: `?`.
                (h.dev, h.direction) = ((first != "?").then_some(first), Some(d));
            }
        }
    }
    h.macs = t.contains(" > ");
    h.source = words.take(8).find_map(|w| {
        let w = w.trim_end_matches(',');
        (w.len() == 17).then(|| w.parse::<Mac>().ok()).flatten()
    });
    if h.time.is_none() && h.source.is_none() && !h.slow_words {
        return None;
    }
    Some(h)
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    None,
    Actor,
    Partner,
    Collector,
    Marker,
    Other,
}

struct Packet {
    at: Citation,
    last: Citation,
    time: Option<Stamp>,
    kind: String,
    pdu: TextPdu,
    has_actor: bool,
    part: Part,
    /// The header was read to its end (`LACPv1, length 110`).
    complete: bool,
    marker: Option<(String, Citation)>,
    /// The beginning of a piece that a mail client wrapped onto the next line.
    carry: String,
}

impl Packet {
    fn new(at: Citation, dev: Option<String>) -> Self {
        let pdu = lacp::Lacpdu::new(lacp::PortInfo::default(), lacp::PortInfo::default());
        let pdu = lacp::Lacpdu { version: 1, collector_max_delay: 0, ..pdu };
        Self {
            at,
            last: at,
            time: None,
            kind: "LACPv1".to_owned(),
            pdu: TextPdu { dev, direction: None, source: None, pdu, has_partner: false },
            has_actor: false,
            part: Part::None,
            complete: false,
            marker: None,
            carry: String::new(),
        }
    }
    /// `LACPv1`, `MARKERv1`; nothing where the header was cut.
    fn protocol(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        text.clone_into(&mut self.kind);
        let version = text.trim_start_matches(|c: char| !c.is_ascii_digit()).parse();
        self.pdu.pdu.version = version.unwrap_or(1);
        self.complete = true;
    }
    fn emit(self, out: &mut Out) {
        let at = self.at.to(self.last);
        if self.has_actor {
            out.record(at, self.time, What::Pdu(self.pdu));
            return;
        }
        let mut fields = Fields::new(ID, self.pdu.dev);
        fields.push("pdu", self.kind, self.at);
        if let Some(source) = self.pdu.source {
            fields.push("source", source.to_string(), self.at);
        }
        if let Some(direction) = self.pdu.direction {
            fields.push("direction", if direction == Direction::Out { "out" } else { "in" }, self.at);
        }
        if let Some((text, at)) = self.marker {
            fields.push("marker", text, at);
        }
        out.record(at, self.time, What::Fields(fields));
    }
    fn port(&mut self) -> Option<&mut lacp::PortInfo> {
        match self.part {
            Part::Actor => Some(&mut self.pdu.pdu.actor),
            Part::Partner => Some(&mut self.pdu.pdu.partner),
            _ => None,
        }
    }
    /// The pieces between commas of a `System ...` line; false if one was not understood.
    fn pieces(&mut self, text: &str) -> bool {
        let joined = if self.carry.is_empty() { text.to_owned() } else { format!("{} {text}", self.carry) };
        self.carry.clear();
        if let Some(at) = joined.find("State Flags") {
            let Some(words) = joined.get(at + "State Flags".len()..) else { return false };
            let words = words.trim();
            if !words.ends_with(']') {
                self.carry = joined;
                return true;
            }
            let Some(value) = state(words, Notation::Tcpdump) else { return false };
            let Some(port) = self.port() else { return false };
            port.state = value;
            return true;
        }
        let mut all = true;
        let mut rest = joined.split(',').map(str::trim).filter(|p| !p.is_empty()).peekable();
        while let Some(piece) = rest.next() {
            if self.piece(piece) {
                continue;
            }
            let begins = ["System", "System Priority", "Port", "Port Priority", "Key", "Max", "Max Delay"];
            if rest.peek().is_none() && begins.contains(&piece) {
                piece.clone_into(&mut self.carry);
            } else {
                all = false;
            }
        }
        all
    }
    fn piece(&mut self, piece: &str) -> bool {
        let number = |key: &str| {
            piece.strip_prefix(key).and_then(|v| v.trim_start_matches(':').trim().parse::<u16>().ok())
        };
        if let Some(delay) = number("Max Delay ") {
            self.pdu.pdu.collector_max_delay = delay;
            return self.part == Part::Collector;
        }
        let Some(port) = self.port() else { return false };
        if let Some(n) = number("System Priority ") {
            port.system_priority = n;
        } else if let Some(n) = number("Port Priority ") {
            port.port_priority = n;
        } else if let Some(n) = number("Key ") {
            port.key = n;
        } else if let Some(n) = number("Port ") {
            port.port = n;
        } else if let Some(mac) = piece
            .strip_prefix("System ")
            .and_then(|v| v.split_whitespace().next())
            .and_then(|v| v.parse::<Mac>().ok())
        {
            port.system = mac;
        } else {
            return false;
        }
        true
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut dev = out.hints.dev.clone();
    let mut packet: Option<Packet> = None;
    let mut notes = Fields::new(ID, dev.clone());
    let mut began = None;
    let mut after_blank = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        let new_actor = t.starts_with("Actor Information TLV");
        let read = header(t).filter(|h| (h.slow || h.time.is_some()) && !t.starts_with("System "));
        // The second half of a header that a mail wrapped has the protocol, but no time and no address.
        let half = packet.as_mut().filter(|p| p.part == Part::None && !p.complete);
        if let (Some(p), Some(h)) = (half, read.as_ref().filter(|h| h.time.is_none() && h.source.is_none())) {
            p.protocol(h.protocol);
            p.last = line.cite();
            out.typed(line);
        } else if let Some(h) = read {
            if let Some(p) = packet.take() {
                p.emit(out);
            }
            if h.slow {
                let mut p = Packet::new(line.cite(), h.dev.map(str::to_owned).or_else(|| dev.clone()));
                p.time = h.time;
                p.pdu.direction = h.direction;
                p.pdu.source = h.source;
                p.protocol(h.protocol);
                packet = Some(p);
            } else if h.time.is_some() {
                notes.push("packet", t, line.cite());
            } else {
                break;
            }
            out.typed(line);
        } else if new_actor || tlv(t).is_some() {
            // A second actor block without a header between: the header was cut away.
            if new_actor
                && packet.as_ref().is_some_and(|p| p.has_actor)
                && let Some(p) = packet.take()
            {
                p.emit(out);
            }
            let p = packet.get_or_insert_with(|| Packet::new(line.cite(), dev.clone()));
            p.part = tlv(t).unwrap_or(Part::Other);
            p.has_actor |= p.part == Part::Actor;
            p.pdu.has_partner |= p.part == Part::Partner;
            p.carry.clear();
            p.last = line.cite();
            out.typed(line);
        } else if NOTES.iter().any(|n| t.starts_with(n)) || statistic(t) {
            if let Some(rest) = t.split_once("listening on ").map(|(_, r)| r) {
                dev = rest.split(',').next().filter(|d| *d != "any").map(str::to_owned);
                notes.dev.clone_from(&dev);
            }
            notes.push(if statistic(t) { "statistics" } else { "tcpdump" }, t, line.cite());
            out.typed(line);
        } else if let Some(p) = packet.as_mut() {
            let understood = if hex_dump(t) {
                true
            } else if (t.starts_with("(0x8809)")
                || t.starts_with("Protocols (0x8809)")
                || t.starts_with("LACPv"))
                && p.part == Part::None
            {
                // The wrapped end of the header.
                true
            } else if p.part == Part::Marker && t.starts_with("System ") {
                p.marker = Some((t.to_owned(), line.cite()));
                true
            } else if (after_blank && !t.starts_with("System ") && !t.starts_with("State Flags"))
                || (p.part == Part::None && line.indent() == 0)
            {
                break;
            } else {
                p.pieces(t)
            };
            p.last = line.cite();
            if understood { out.typed(line) } else { out.not_understood(line) }
        } else if !after_blank && !notes.entries.is_empty() && (line.indent() > 0 || wrapped(&notes, t)) {
            // What `-v` says below a packet of another protocol.
            notes.push("packet", t, line.cite());
            out.typed(line);
        } else {
            break;
        }
        began = began.or_else(|| Some(line.cite()));
        after_blank = false;
        cursor.next();
    }
    if let Some(p) = packet {
        p.emit(out);
    }
    if let (Some(at), false) = (notes.entries.first().map(|f| f.at), notes.entries.is_empty()) {
        let last = notes.entries.last().map_or(at, |f| f.at);
        out.record(at.to(last), None, What::Fields(notes));
    }
}

/// Which part of the PDU a TLV heading announces.
fn tlv(t: &str) -> Option<Part> {
    let (name, rest) = t.split_once(" TLV (0x")?;
    if !rest.contains("length") && !rest.ends_with(')') && !rest.ends_with(',') {
        return None;
    }
    Some(match name {
        "Actor Information" => Part::Actor,
        "Partner Information" => Part::Partner,
        "Collector Information" => Part::Collector,
        "Marker Information" | "Marker Response Information" => Part::Marker,
        "Terminator" | "Unknown" => Part::Other,
        _ => return None,
    })
}

/// The rest of a note or of a packet of another protocol that a mail wrapped.
fn wrapped(notes: &Fields, t: &str) -> bool {
    notes.entries.last().is_some_and(|f| match f.key.as_str() {
        "packet" => t.contains("length ") || t.starts_with('(') || t.contains("0x"),
        "tcpdump" => t.ends_with("bytes") && t.len() < 60,
        _ => false,
    })
}

fn statistic(t: &str) -> bool {
    t.split_once(' ').is_some_and(|(n, rest)| {
        n.bytes().all(|b| b.is_ascii_digit())
            && (rest.starts_with("packet captured")
                || rest.starts_with("packets captured")
                || rest.starts_with("packets received by filter")
                || rest.starts_with("packet received by filter")
                || rest.starts_with("packets dropped by")
                || rest.starts_with("packet dropped by"))
    })
}

/// `0x0000:  ffff 0200 0000 2201 ...`.
fn hex_dump(t: &str) -> bool {
    t.strip_prefix("0x").and_then(|r| r.split_once(':')).is_some_and(|(offset, _)| {
        (1..=8).contains(&offset.len()) && offset.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn read(text: &str) -> crate::parse::Parsed {
        let parsed = parse_text_with(FileId(0), "paste.txt", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty(), "{:?}", parsed.not_understood);
        assert!(parsed.unrecognised.is_empty(), "{:?}", parsed.unrecognised);
        parsed
    }

    const FULL: &str = "tcpdump: listening on h1, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n02:07:33.709038 02:00:00:00:22:01 (oui Unknown) > 01:80:c2:00:00:02 (oui Unknown), ethertype Slow Protocols (0x8809), length 124: LACPv1, length 110\n\tActor Information TLV (0x01), length 20\n\t  System 02:00:00:00:22:01 (oui Unknown), System Priority 65535, Key 15, Port 1, Port Priority 255\n\t  State Flags [Activity, Timeout, Aggregation]\n\t  0x0000:  ffff 0200 0000 2201 000f 00ff 0001 0700\n\tPartner Information TLV (0x02), length 20\n\t  System 02:00:00:00:11:01, System Priority 1, Key 16, Port 2, Port\n\t  Priority 128\n\t  State Flags [none]\n\tCollector Information TLV (0x03), length 16\n\t  Max Delay 32768\n\tTerminator TLV (0x00), length 0\n\n1 packet captured\n0 packets dropped by kernel\n";

    #[test]
    fn verbose_pdu() {
        let parsed = read(FULL);
        let Some(What::Pdu(p)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!(p.dev.as_deref(), Some("h1"));
        assert_eq!(p.source.map(|m| m.to_string()).as_deref(), Some("02:00:00:00:22:01"));
        let a = p.pdu.actor;
        assert_eq!((a.system_priority, a.key, a.port, a.port_priority), (65535, 15, 1, 255));
        assert_eq!(a.state.bits(), 0x07);
        let b = p.pdu.partner;
        assert_eq!((b.key, b.port, b.port_priority, b.state.bits()), (16, 2, 128, 0));
        assert!(p.has_partner);
        assert_eq!(p.pdu.collector_max_delay, 32768);
        assert_eq!(parsed.records[0].time, clock::time_of_day("02:07:33.709038"));
    }

    #[test]
    fn a_wrapped_header_is_one_packet() {
        let parsed = read(
            "02:07:33.709038 02:00:00:00:22:01 (oui Unknown) > 01:80:c2:00:00:02 (oui\nUnknown), ethertype Slow Protocols (0x8809), length 124: LACPv1, length 110\n\tActor Information TLV (0x01), length 20\n\t  System 02:00:00:00:22:01, System Priority 65535, Key 15, Port 1, Port Priority 255\n\t  State Flags [Activity,\nTimeout]\n",
        );
        assert_eq!(parsed.records.len(), 1, "{:?}", parsed.records);
        let Some(What::Pdu(p)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!(p.pdu.actor.state.bits(), 3);
        assert!(parsed.records[0].time.is_some());
    }

    #[test]
    fn any_device_one_line_each() {
        let parsed = read(
            "02:42:55.217875 h1    Out ifindex 96 02:00:00:00:11:01 ethertype Slow Protocols (0x8809), length 130: LACPv1, length 110\n1258257730.267147 h1    M   ifindex 96 32:0b:2f:a2:ac:08 ethertype Slow Protocols (0x8809), length 130: LACPv1, length 110\n02:42:55.3 LACPv1, length 110\n",
        );
        let dirs: Vec<_> = parsed
            .records
            .iter()
            .filter_map(|r| if let What::Fields(f) = &r.what { Some(f.text("direction")) } else { None })
            .collect();
        assert_eq!(dirs, [Some("out"), Some("in"), None]);
        assert_eq!(parsed.records[1].time, clock::unix("1258257730.267147"));
    }

    #[test]
    fn an_interface_that_tcpdump_does_not_know_has_no_name() {
        let text = "02:09:55.587082 ?     Out ifindex 22 02:00:00:00:11:01 ethertype Slow Protocols (0x8809), length 130: LACPv1, length 110\n\tActor Information TLV (0x01), length 20\n\t  System 02:00:00:00:11:01, System Priority 65535, Key 15, Port 1, Port Priority 255\n\t  State Flags [Activity]\n";
        let parsed = read(text);
        let Some(What::Pdu(p)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!((p.dev, p.direction), (None, Some(Direction::Out)));
    }

    #[test]
    fn prose_and_proc_are_not_tcpdump() {
        for text in [
            "we ran tcpdump and saw LACPv1 packets only from one side",
            "Aggregator ID: 1",
            "[  1.0] bond0: (slave eth0): Enslaving",
        ] {
            let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert!(parsed.recognised.is_empty(), "{text}");
        }
    }
}
