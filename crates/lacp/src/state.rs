//! The port state octet (802.1AX, Actor_State and Partner_State) in every notation it is printed in.
//!
//! The same healthy slow-rate port is `0x3D` (IOS, NX-OS), `61` (Linux), `10111100` (Huawei: Activity first), `BC`
//! (SNMP BITS: most significant bit first), `ACDEF` (Comware), `ascd A---`-like places (IOS-XR), `ALFNCD` (AOS-CX),
//! `ADEGIKNP` (Dell), `ASAIEE` (FortiGate) and `**DCSG*A`-like flags in Wireshark. Sources and their tags:
//! `switch-side.md` section 4. Reading one notation as another is the classic parser bug of this field: `0xBC` and
//! `0x3D` are the same state.

use bitflags::bitflags;
use std::fmt;

bitflags! {
    /// The port state octet.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
    pub struct PortState: u8 {
        /// LACP_Activity: active (1) or passive (0).
        const ACTIVITY = 0x01;
        /// LACP_Timeout: short (1) or long (0). It asks the *partner* to send at the fast or slow rate.
        const TIMEOUT = 0x02;
        /// Aggregation: the port may be aggregated (1) or is individual (0).
        const AGGREGATION = 0x04;
        /// Synchronization: the port is in the right aggregator.
        const SYNCHRONIZATION = 0x08;
        /// Collecting.
        const COLLECTING = 0x10;
        /// Distributing.
        const DISTRIBUTING = 0x20;
        /// Defaulted: the Receive machine uses administrative values, no partner was heard.
        const DEFAULTED = 0x40;
        /// Expired: the Receive machine is in state EXPIRED, the partner's PDUs stopped.
        const EXPIRED = 0x80;
    }
}

/// The bits in wire order, with the words of tcpdump 4.99 and the letters used here.
const WORDS: [(PortState, &str, char); 8] = [
    (PortState::ACTIVITY, "Activity", 'A'),
    (PortState::TIMEOUT, "Timeout", 'S'),
    (PortState::AGGREGATION, "Aggregation", 'G'),
    (PortState::SYNCHRONIZATION, "Synchronization", 'S'),
    (PortState::COLLECTING, "Collecting", 'C'),
    (PortState::DISTRIBUTING, "Distributing", 'D'),
    (PortState::DEFAULTED, "Default", 'F'),
    (PortState::EXPIRED, "Expired", 'E'),
];

impl PortState {
    /// Collecting and distributing: the port carries traffic both ways.
    pub const CARRIES: Self = Self::COLLECTING.union(Self::DISTRIBUTING);

    /// Collecting and Distributing are both set.
    #[must_use]
    pub const fn carries_traffic(self) -> bool {
        self.contains(Self::CARRIES)
    }
    /// Expired or Defaulted is set: this end does not hear its partner.
    #[must_use]
    pub const fn deaf(self) -> bool {
        self.intersects(Self::EXPIRED.union(Self::DEFAULTED))
    }
    /// The bits reversed: SNMP `dot3adAggPort*OperState` and Huawei VRP print the octet this way round.
    #[must_use]
    pub const fn reversed(self) -> u8 {
        self.bits().reverse_bits()
    }
    /// From SNMP BITS (`BC` for 0x3D).
    #[must_use]
    pub const fn from_snmp(octet: u8) -> Self {
        Self::from_bits_retain(octet.reverse_bits())
    }
    /// Wireshark's flag string (`lacp.flags.a.str`, packet-lacp.c): `EFDCSGSA`, `*` where a bit is not set.
    #[must_use]
    pub fn wireshark(self) -> String {
        WORDS.iter().rev().map(|(bit, _, c)| if self.contains(*bit) { *c } else { '*' }).collect()
    }
    /// tcpdump's words: `[Activity, Timeout, Aggregation]`, `[none]` for 0.
    #[must_use]
    pub fn tcpdump(self) -> String {
        let words: Vec<&str> =
            WORDS.iter().filter(|(bit, _, _)| self.contains(*bit)).map(|(_, w, _)| *w).collect();
        if words.is_empty() { "[none]".to_owned() } else { format!("[{}]", words.join(", ")) }
    }
    /// Huawei VRP `PortState`: eight digits, Activity first.
    #[must_use]
    pub fn huawei(self) -> String {
        WORDS.iter().map(|(bit, _, _)| if self.contains(*bit) { '1' } else { '0' }).collect()
    }
    /// Comware's letters A to H, least significant bit first, only those that are set.
    #[must_use]
    pub fn comware(self) -> String {
        WORDS.iter().zip('A'..='H').filter(|((bit, _, _), _)| self.contains(*bit)).map(|(_, c)| c).collect()
    }
}

/// The words of `iproute2` and Linux sources: `active,short_timeout,aggregating,in_sync,collecting,distributing`.
const IPROUTE: [(&str, PortState); 8] = [
    ("active", PortState::ACTIVITY),
    ("short_timeout", PortState::TIMEOUT),
    ("aggregating", PortState::AGGREGATION),
    ("in_sync", PortState::SYNCHRONIZATION),
    ("collecting", PortState::COLLECTING),
    ("distributing", PortState::DISTRIBUTING),
    ("defaulted", PortState::DEFAULTED),
    ("expired", PortState::EXPIRED),
];

/// How a state is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Hexadecimal octet in wire order: `0x3d`, `3D`.
    Hex,
    /// Decimal octet in wire order: `61`.
    Decimal,
    /// Wireshark's string: `**DCSG*A`.
    Wireshark,
    /// tcpdump's words: `[Activity, Aggregation, Synchronization, Collecting, Distributing]`.
    Tcpdump,
    /// iproute2's words.
    Iproute2,
    /// Huawei: eight binary digits, Activity first.
    Huawei,
    /// SNMP BITS octet in hexadecimal, most significant bit first.
    Snmp,
    /// Comware: letters `A` to `H` in braces or bare.
    Comware,
    /// IOS-XR: places `a s c d A F D E`, `-` where not set; lower case: actor's places.
    IosXr,
    /// AOS-CX: `ALFNCD`.
    AosCx,
    /// Dell OS9 and OS10: `ADEGIKNP`.
    Dell,
    /// FortiGate and FortiSwitch: `ASAIEE`.
    Forti,
}

/// Reads a state in a given notation. `None` if the text does not fit it.
#[must_use]
pub fn parse(text: &str, notation: Notation) -> Option<PortState> {
    let t = text.trim();
    let hex = |t: &str| {
        let digits = t.strip_prefix("0x").or_else(|| t.strip_prefix("0X")).unwrap_or(t);
        if digits.is_empty() || digits.len() > 2 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u8::from_str_radix(digits, 16).ok()
    };
    let letters = |map: &[(char, PortState)], ignore: &str| {
        let mut state = PortState::empty();
        for c in t.chars() {
            if let Some((_, bit)) = map.iter().find(|(l, _)| *l == c) {
                state |= *bit;
            } else if !ignore.contains(c) {
                return None;
            }
        }
        (!t.is_empty()).then_some(state)
    };
    let words = |map: &[(&str, PortState)]| {
        let mut state = PortState::empty();
        for w in t
            .trim_matches(['[', ']', '<', '>'])
            .split(',')
            .map(str::trim)
            .filter(|w| !w.is_empty() && *w != "none")
        {
            state |= map.iter().find(|(n, _)| n.eq_ignore_ascii_case(w))?.1;
        }
        Some(state)
    };
    match notation {
        Notation::Hex => hex(t).map(PortState::from_bits_retain),
        Notation::Decimal => t
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| t.parse().ok())
            .flatten()
            .map(PortState::from_bits_retain),
        Notation::Snmp => hex(t).map(PortState::from_snmp),
        Notation::Huawei => {
            if t.len() != 8 {
                return None;
            }
            let mut state = PortState::empty();
            for (c, (bit, _, _)) in t.chars().zip(WORDS) {
                match c {
                    '1' => state |= bit,
                    '0' => {}
                    _ => return None,
                }
            }
            Some(state)
        }
        Notation::Wireshark => {
            // Two letters S: the place tells Synchronization from Short timeout.
            let places: Vec<char> = t.chars().filter(|c| !c.is_whitespace()).collect();
            if places.len() != 8 {
                return None;
            }
            let mut state = PortState::empty();
            for (c, (bit, _, letter)) in places.iter().zip(WORDS.iter().rev()) {
                match *c {
                    '*' | '.' | '\u{b7}' => {}
                    c if c == *letter => state |= *bit,
                    _ => return None,
                }
            }
            Some(state)
        }
        Notation::Tcpdump => {
            const MORE: [(&str, PortState); 10] = [
                ("Activity", PortState::ACTIVITY),
                ("Timeout", PortState::TIMEOUT),
                ("Aggregation", PortState::AGGREGATION),
                ("Synchronization", PortState::SYNCHRONIZATION),
                ("Collecting", PortState::COLLECTING),
                ("Distributing", PortState::DISTRIBUTING),
                ("Default", PortState::DEFAULTED),
                ("Defaulted", PortState::DEFAULTED),
                ("Expired", PortState::EXPIRED),
                ("Individual", PortState::empty()),
            ];
            words(&MORE)
        }
        Notation::Iproute2 => words(&IPROUTE),
        Notation::Comware => {
            let inner = t.trim_matches(['{', '}']);
            let mut state = PortState::empty();
            for c in inner.chars() {
                let i = u32::from(c).checked_sub(u32::from('A')).filter(|&i| i < 8)?;
                state |= PortState::from_bits_retain(1 << i);
            }
            Some(state)
        }
        Notation::IosXr => {
            // Fixed places "ascdAFDE": Aggregatable, Synchronized, Collecting, Distributing, Active, Fast, Defaulted, Expired.
            let places: Vec<char> = t.chars().collect();
            if places.len() != 8 {
                return None;
            }
            const XR: [(char, PortState); 8] = [
                ('a', PortState::AGGREGATION),
                ('s', PortState::SYNCHRONIZATION),
                ('c', PortState::COLLECTING),
                ('d', PortState::DISTRIBUTING),
                ('A', PortState::ACTIVITY),
                ('F', PortState::TIMEOUT),
                ('D', PortState::DEFAULTED),
                ('E', PortState::EXPIRED),
            ];
            let mut state = PortState::empty();
            for (c, (letter, bit)) in places.iter().zip(XR) {
                match *c {
                    '-' => {}
                    c if c == letter => state |= bit,
                    _ => return None,
                }
            }
            Some(state)
        }
        Notation::AosCx => letters(
            &[
                ('A', PortState::ACTIVITY),
                ('S', PortState::TIMEOUT),
                ('F', PortState::AGGREGATION),
                ('N', PortState::SYNCHRONIZATION),
                ('C', PortState::COLLECTING),
                ('D', PortState::DISTRIBUTING),
                ('X', PortState::EXPIRED),
                ('E', PortState::DEFAULTED),
            ],
            "PLIO",
        ),
        Notation::Dell => letters(
            &[
                ('A', PortState::ACTIVITY),
                ('D', PortState::TIMEOUT),
                ('E', PortState::AGGREGATION),
                ('G', PortState::SYNCHRONIZATION),
                ('I', PortState::COLLECTING),
                ('K', PortState::DISTRIBUTING),
                ('M', PortState::DEFAULTED),
                ('O', PortState::EXPIRED),
            ],
            "BCFHJLNP",
        )
        // In Dell's legend C is "short timeout" and D "long timeout": invert what the table above assumed.
        .map(|s| s ^ PortState::TIMEOUT),
        Notation::Forti => {
            let places: Vec<char> = t.chars().collect();
            let [activity, speed, aggregate, sync, collect, distribute] = places.as_slice() else {
                return None;
            };
            let mut state = PortState::empty();
            let mut place = |c: char, yes: char, no: char, bit: PortState| {
                if c == yes {
                    state |= bit;
                    Some(())
                } else {
                    (c == no).then_some(())
                }
            };
            place(*activity, 'A', 'P', PortState::ACTIVITY)?;
            place(*speed, 'F', 'S', PortState::TIMEOUT)?;
            place(*aggregate, 'A', 'I', PortState::AGGREGATION)?;
            place(*sync, 'I', 'O', PortState::SYNCHRONIZATION)?;
            place(*collect, 'E', 'D', PortState::COLLECTING)?;
            place(*distribute, 'E', 'D', PortState::DISTRIBUTING)?;
            Some(state)
        }
    }
}

/// `0x3f ACTIVE+SHORT+AGG+SYNC+COLL+DIST`-like text would be too long for a report line: the letters
/// `ATGSCDFE` in wire order with `-` for unset bits, as the design's tables write them.
impl fmt::Display for PortState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, c) in [
            (Self::ACTIVITY, 'A'),
            (Self::TIMEOUT, 'T'),
            (Self::AGGREGATION, 'G'),
            (Self::SYNCHRONIZATION, 'S'),
            (Self::COLLECTING, 'C'),
            (Self::DISTRIBUTING, 'D'),
            (Self::DEFAULTED, 'F'),
            (Self::EXPIRED, 'E'),
        ] {
            write!(f, "{}", if self.contains(bit) { c } else { '-' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_state_in_every_notation() {
        let want = PortState::from_bits_retain(0x3d);
        for (text, notation) in [
            ("0x3D", Notation::Hex),
            ("61", Notation::Decimal),
            ("10111100", Notation::Huawei),
            ("BC", Notation::Snmp),
            ("{ACDEF}", Notation::Comware),
            ("ascdA---", Notation::IosXr),
            ("ALFNCD", Notation::AosCx),
            ("ADEGIKNP", Notation::Dell),
            ("ASAIEE", Notation::Forti),
            ("**DCSG*A", Notation::Wireshark),
            ("[Activity, Aggregation, Synchronization, Collecting, Distributing]", Notation::Tcpdump),
            ("<active,aggregating,in_sync,collecting,distributing>", Notation::Iproute2),
        ] {
            assert_eq!(parse(text, notation), Some(want), "{text} as {notation:?}");
        }
        assert_eq!(want.reversed(), 0xbc);
    }

    #[test]
    fn every_octet_survives_the_lossless_notations() {
        for bits in 0..=255u8 {
            let s = PortState::from_bits_retain(bits);
            assert_eq!(parse(&format!("{bits:#04x}"), Notation::Hex), Some(s));
            assert_eq!(parse(&bits.to_string(), Notation::Decimal), Some(s));
            assert_eq!(parse(&s.wireshark(), Notation::Wireshark), Some(s));
            assert_eq!(parse(&s.tcpdump(), Notation::Tcpdump), Some(s));
            assert_eq!(parse(&s.huawei(), Notation::Huawei), Some(s));
            assert_eq!(parse(&format!("{:02x}", s.reversed()), Notation::Snmp), Some(s));
            assert_eq!(parse(&format!("{{{}}}", s.comware()), Notation::Comware), Some(s));
        }
    }

    #[test]
    fn foreign_text_is_refused() {
        for n in [
            Notation::Hex,
            Notation::Decimal,
            Notation::Huawei,
            Notation::Wireshark,
            Notation::Forti,
            Notation::IosXr,
        ] {
            assert_eq!(parse("hello world", n), None, "{n:?}");
        }
        assert_eq!(parse("256", Notation::Decimal), None);
    }
}
