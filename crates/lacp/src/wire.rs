//! LACPDUs and Marker PDUs: lenient decoding with a list of anomalies, and exact encoding.
//!
//! Layout (802.1AX-2008 clause 5.4.2.2 and 802.1AX-2020 clause 6.4.2, the PDU without the Ethernet header):
//!
//! ```text
//!  0 subtype 1   1 version   2 Actor TLV (1, 20 octets)   22 Partner TLV (2, 20)   42 Collector TLV (3, 16)
//! 58 more TLVs (version 2: 4 to 10), terminator (0, 0), padding up to 110 octets
//! ```
//!
//! What the decoder does not understand is kept: unknown TLVs with their payload, the padding with whatever a
//! vendor hid in it (HP's IRF information), a tail behind the PDU. `encode(decode(x)) == x` for every PDU that
//! decodes without an anomaly that breaks the layout ([`Anomaly::breaks_layout`]).

use crate::mac::Mac;
use crate::state::PortState;

/// EtherType of slow protocols.
pub const ETHERTYPE_SLOW: u16 = 0x8809;
/// Octets of a version 1 LACPDU without Ethernet header and FCS.
pub const LACPDU_LEN: usize = 110;
/// The version SONiC uses for its retry-count extension (SONiC design document "LACP retry count").
pub const VERSION_SONIC_RETRY: u8 = 0xf1;

/// Actor or Partner information: one end of the conversation as a PDU describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PortInfo {
    /// System Priority.
    pub system_priority: u16,
    /// System: the MAC that identifies the system.
    pub system: Mac,
    /// Operational Key.
    pub key: u16,
    /// Port Priority.
    pub port_priority: u16,
    /// Port number.
    pub port: u16,
    /// State octet.
    pub state: PortState,
}

impl PortInfo {
    /// Same system, key, port and priorities; the state may differ. This is what Linux `__choose_matched()`
    /// and the standard's recordPDU compare, apart from the Aggregation bit.
    #[must_use]
    pub fn same_identity(&self, other: &Self) -> bool {
        self.system == other.system
            && self.system_priority == other.system_priority
            && self.key == other.key
            && self.port == other.port
            && self.port_priority == other.port_priority
    }

    fn decode(b: &[u8; 15]) -> Self {
        let [p0, p1, m0, m1, m2, m3, m4, m5, k0, k1, q0, q1, n0, n1, s] = *b;
        Self {
            system_priority: u16::from_be_bytes([p0, p1]),
            system: Mac([m0, m1, m2, m3, m4, m5]),
            key: u16::from_be_bytes([k0, k1]),
            port_priority: u16::from_be_bytes([q0, q1]),
            port: u16::from_be_bytes([n0, n1]),
            state: PortState::from_bits_retain(s),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.system_priority.to_be_bytes());
        out.extend(self.system.0);
        out.extend(self.key.to_be_bytes());
        out.extend(self.port_priority.to_be_bytes());
        out.extend(self.port.to_be_bytes());
        out.push(self.state.bits());
    }
}

/// The kind of a TLV behind the Collector TLV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlvKind {
    /// 0x04 Port Algorithm (version 2).
    PortAlgorithm,
    /// 0x05 Port Conversation ID Digest (version 2).
    ConversationIdDigest,
    /// 0x06 to 0x09 Port Conversation Mask 1 to 4 (version 2).
    ConversationMask(u8),
    /// 0x0a Port Conversation Service Mapping Digest (version 2).
    ServiceMappingDigest,
    /// 0x80 SONiC: the sender's retry count.
    SonicActorRetryCount,
    /// 0x81 SONiC: the retry count the sender assumes of its partner.
    SonicPartnerRetryCount,
    /// Anything else.
    Unknown(u8),
}

impl From<u8> for TlvKind {
    fn from(t: u8) -> Self {
        match t {
            0x04 => Self::PortAlgorithm,
            0x05 => Self::ConversationIdDigest,
            0x06..=0x09 => Self::ConversationMask(t - 5),
            0x0a => Self::ServiceMappingDigest,
            0x80 => Self::SonicActorRetryCount,
            0x81 => Self::SonicPartnerRetryCount,
            t => Self::Unknown(t),
        }
    }
}

/// A TLV behind the Collector TLV, kept whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tlv {
    /// TLV type octet.
    pub kind: u8,
    /// Value (length octet minus two octets).
    pub value: Vec<u8>,
}

impl Tlv {
    /// What the type means.
    #[must_use]
    pub fn meaning(&self) -> TlvKind {
        TlvKind::from(self.kind)
    }
}

/// A LACPDU.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Lacpdu {
    /// Version number: 1, 2, or [`VERSION_SONIC_RETRY`].
    pub version: u8,
    /// The sender.
    pub actor: PortInfo,
    /// What the sender believes of the receiver: the echo.
    pub partner: PortInfo,
    /// Collector Max Delay in tens of microseconds.
    pub collector_max_delay: u16,
    /// The reserved octets of Actor, Partner and Collector TLV, if any is not zero.
    pub reserved: Option<Box<[u8; 18]>>,
    /// TLVs behind the Collector TLV.
    pub tlvs: Vec<Tlv>,
    /// Octets behind the terminator TLV (version 1: 50 octets of zero).
    pub padding: Vec<u8>,
}

/// A Marker or Marker Response PDU (clause 5.5 / 6.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Marker {
    /// True for a Marker Response.
    pub response: bool,
    /// Version.
    pub version: u8,
    /// Requester_Port.
    pub port: u16,
    /// Requester_System.
    pub system: Mac,
    /// Requester_Transaction_ID.
    pub transaction: u32,
    /// Everything behind the Marker TLV's fields.
    pub rest: Vec<u8>,
}

/// A slow-protocol PDU.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SlowPdu {
    /// Subtype 1.
    Lacpdu(Lacpdu),
    /// Subtype 2.
    Marker(Marker),
    /// Any other subtype (OAM 3, OSSP 10, ...), or a body too short to hold its fields: kept as bytes.
    Other {
        /// The subtype octet; `None` for an empty payload.
        subtype: Option<u8>,
        /// The whole payload, subtype included.
        bytes: Vec<u8>,
    },
}

/// Something in a PDU that the standard does not allow or foresee.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Anomaly {
    /// The payload ends before the fixed fields do.
    #[error("truncated: {have} of at least {need} octets")]
    Truncated {
        /// Octets there.
        have: usize,
        /// Octets needed.
        need: usize,
    },
    /// A TLV where another was expected, in the fixed part.
    #[error("TLV type {found:#04x} where {expected:#04x} belongs")]
    TlvOrder {
        /// Expected type.
        expected: u8,
        /// Found type.
        found: u8,
    },
    /// A TLV of the fixed part with a wrong length octet.
    #[error("TLV type {kind:#04x} has length {found}, {expected} expected")]
    TlvLength {
        /// TLV type.
        kind: u8,
        /// Expected length octet.
        expected: u8,
        /// Found length octet.
        found: u8,
    },
    /// A TLV behind the fixed part runs past the end.
    #[error("TLV type {kind:#04x} of length {length} runs past the end")]
    TlvOverrun {
        /// TLV type.
        kind: u8,
        /// Its length octet.
        length: u8,
    },
    /// A version nobody has defined.
    #[error("version {0:#04x}")]
    Version(u8),
    /// A TLV type that is neither standard nor a known vendor's.
    #[error("unknown TLV type {0:#04x}")]
    UnknownTlv(u8),
    /// Reserved octets that are not zero.
    #[error("reserved octets are not zero")]
    Reserved,
    /// Padding behind the terminator that is not zero (HP hides IRF information there).
    #[error("padding is not zero")]
    Padding,
    /// No terminator TLV.
    #[error("no terminator TLV")]
    NoTerminator,
    /// The terminator TLV has a length.
    #[error("terminator TLV has length {0}")]
    TerminatorLength(u8),
    /// Longer or shorter than the 110 octets of version 1.
    #[error("{0} octets instead of 110")]
    Length(usize),
}

impl Anomaly {
    /// True if the PDU's layout is not that of the standard, so that encoding it again gives other octets.
    #[must_use]
    pub const fn breaks_layout(&self) -> bool {
        matches!(
            self,
            Self::Truncated { .. }
                | Self::TlvOrder { .. }
                | Self::TlvLength { .. }
                | Self::TlvOverrun { .. }
                | Self::NoTerminator
                | Self::TerminatorLength(_)
        )
    }
}

/// The two PDU ends of a version 1 LACPDU, read from a payload (the octets behind the EtherType). This is the
/// fast path for captures: no allocation, no anomalies. `None` unless the payload is a LACPDU whose three fixed
/// TLVs stand where they belong.
#[must_use]
#[inline]
pub fn fixed(payload: &[u8]) -> Option<(PortInfo, PortInfo)> {
    let fixed: &[u8; 58] = payload.first_chunk()?;
    if fixed[0] != 1 || fixed[2] != 1 || fixed[3] != 20 || fixed[22] != 2 || fixed[23] != 20 {
        return None;
    }
    let actor: &[u8; 15] = fixed.get(4..19)?.first_chunk()?;
    let partner: &[u8; 15] = fixed.get(24..39)?.first_chunk()?;
    Some((PortInfo::decode(actor), PortInfo::decode(partner)))
}

/// Decodes the payload of a frame with EtherType 0x8809. Never fails: what cannot be read is kept as bytes and
/// said so in the anomalies.
#[must_use]
pub fn decode(payload: &[u8]) -> (SlowPdu, Vec<Anomaly>) {
    match payload.first() {
        Some(1) => decode_lacpdu(payload),
        Some(2) => decode_marker(payload),
        subtype => (SlowPdu::Other { subtype: subtype.copied(), bytes: payload.to_vec() }, Vec::new()),
    }
}

fn other(payload: &[u8], anomaly: Anomaly) -> (SlowPdu, Vec<Anomaly>) {
    (SlowPdu::Other { subtype: payload.first().copied(), bytes: payload.to_vec() }, vec![anomaly])
}

fn decode_lacpdu(payload: &[u8]) -> (SlowPdu, Vec<Anomaly>) {
    let mut anomalies = Vec::new();
    // Up to the end of the Collector's delay: what every version has.
    let Some(fixed) = payload.first_chunk::<46>() else {
        return other(payload, Anomaly::Truncated { have: payload.len(), need: 46 });
    };
    let version = fixed[1];
    if !matches!(version, 1 | 2 | VERSION_SONIC_RETRY) {
        anomalies.push(Anomaly::Version(version));
    }
    for (at, kind, length) in [(2usize, 1u8, 20u8), (22, 2, 20), (42, 3, 16)] {
        let found = fixed.get(at).copied().unwrap_or(0);
        if found != kind {
            anomalies.push(Anomaly::TlvOrder { expected: kind, found });
        }
        let found = fixed.get(at + 1).copied().unwrap_or(0);
        if found != length {
            anomalies.push(Anomaly::TlvLength { kind, expected: length, found });
        }
    }
    let info = |at: usize| {
        fixed.get(at..).and_then(|s| s.first_chunk::<15>()).map(PortInfo::decode).unwrap_or_default()
    };
    let mut reserved = [0u8; 18];
    for (i, at) in (19..22).chain(39..42).chain(46..58).enumerate() {
        if let (Some(to), Some(from)) = (reserved.get_mut(i), payload.get(at)) {
            *to = *from;
        }
    }
    let any_reserved = reserved.iter().any(|&b| b != 0);
    if any_reserved {
        anomalies.push(Anomaly::Reserved);
    }
    let mut pdu = Lacpdu {
        version,
        actor: info(4),
        partner: info(24),
        collector_max_delay: u16::from_be_bytes([fixed[44], fixed[45]]),
        reserved: any_reserved.then(|| Box::new(reserved)),
        tlvs: Vec::new(),
        padding: Vec::new(),
    };
    if payload.len() < 58 {
        anomalies.push(Anomaly::Truncated { have: payload.len(), need: LACPDU_LEN });
        return (SlowPdu::Lacpdu(pdu), anomalies);
    }
    let mut rest = payload.get(58..).unwrap_or_default();
    loop {
        match rest {
            [0, length, tail @ ..] => {
                if *length != 0 {
                    anomalies.push(Anomaly::TerminatorLength(*length));
                }
                pdu.padding = tail.to_vec();
                if tail.iter().any(|&b| b != 0) {
                    anomalies.push(Anomaly::Padding);
                }
                break;
            }
            [kind, length, tail @ ..] => {
                let Some(value) = usize::from(*length).checked_sub(2).and_then(|n| tail.get(..n)) else {
                    anomalies.push(Anomaly::TlvOverrun { kind: *kind, length: *length });
                    pdu.padding = rest.to_vec();
                    break;
                };
                if matches!(TlvKind::from(*kind), TlvKind::Unknown(_)) {
                    anomalies.push(Anomaly::UnknownTlv(*kind));
                }
                pdu.tlvs.push(Tlv { kind: *kind, value: value.to_vec() });
                rest = tail.get(value.len()..).unwrap_or_default();
            }
            short => {
                anomalies.push(Anomaly::NoTerminator);
                pdu.padding = short.to_vec();
                break;
            }
        }
    }
    if version == 1 && payload.len() != LACPDU_LEN {
        anomalies.push(Anomaly::Length(payload.len()));
    }
    (SlowPdu::Lacpdu(pdu), anomalies)
}

fn decode_marker(payload: &[u8]) -> (SlowPdu, Vec<Anomaly>) {
    let Some(f) = payload.first_chunk::<16>() else {
        return other(payload, Anomaly::Truncated { have: payload.len(), need: 16 });
    };
    let mut anomalies = Vec::new();
    if !matches!(f[2], 1 | 2) {
        anomalies.push(Anomaly::TlvOrder { expected: 1, found: f[2] });
    }
    if f[3] != 16 {
        anomalies.push(Anomaly::TlvLength { kind: f[2], expected: 16, found: f[3] });
    }
    let marker = Marker {
        response: f[2] == 2,
        version: f[1],
        port: u16::from_be_bytes([f[4], f[5]]),
        system: Mac([f[6], f[7], f[8], f[9], f[10], f[11]]),
        transaction: u32::from_be_bytes([f[12], f[13], f[14], f[15]]),
        rest: payload.get(16..).unwrap_or_default().to_vec(),
    };
    (SlowPdu::Marker(marker), anomalies)
}

impl Lacpdu {
    /// A version 1 PDU with the padding of the standard.
    #[must_use]
    pub fn new(actor: PortInfo, partner: PortInfo) -> Self {
        Self { version: 1, actor, partner, padding: vec![0; 50], ..Self::default() }
    }

    /// The payload octets (behind the EtherType).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let zero = [0u8; 18];
        let reserved = self.reserved.as_deref().unwrap_or(&zero);
        let mut out = Vec::with_capacity(LACPDU_LEN);
        out.extend([1, self.version, 1, 20]);
        self.actor.encode(&mut out);
        out.extend(reserved.iter().take(3));
        out.extend([2, 20]);
        self.partner.encode(&mut out);
        out.extend(reserved.iter().skip(3).take(3));
        out.extend([3, 16]);
        out.extend(self.collector_max_delay.to_be_bytes());
        out.extend(reserved.iter().skip(6));
        for tlv in &self.tlvs {
            out.push(tlv.kind);
            out.push(u8::try_from(tlv.value.len().saturating_add(2)).unwrap_or(u8::MAX));
            out.extend(tlv.value.iter().take(253));
        }
        out.extend([0, 0]);
        out.extend(&self.padding);
        out
    }

    /// SONiC's retry counts (actor, partner), if the PDU carries them.
    #[must_use]
    pub fn sonic_retry_counts(&self) -> (Option<u8>, Option<u8>) {
        let get = |kind| self.tlvs.iter().find(|t| t.kind == kind).and_then(|t| t.value.first().copied());
        (get(0x80), get(0x81))
    }
}

impl Marker {
    /// The payload octets (behind the EtherType).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![2, self.version, if self.response { 2 } else { 1 }, 16];
        out.extend(self.port.to_be_bytes());
        out.extend(self.system.0);
        out.extend(self.transaction.to_be_bytes());
        out.extend(&self.rest);
        out
    }
}

impl SlowPdu {
    /// The payload octets (behind the EtherType).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Lacpdu(p) => p.encode(),
            Self::Marker(m) => m.encode(),
            Self::Other { bytes, .. } => bytes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Lacpdu {
        let actor = PortInfo {
            system_priority: 65535,
            system: Mac([2, 0, 0, 0, 0x11, 1]),
            key: 15,
            port_priority: 255,
            port: 1,
            state: PortState::from_bits_retain(63),
        };
        Lacpdu::new(actor, PortInfo { system: Mac([2, 0, 0, 0, 0x22, 1]), ..actor })
    }

    #[test]
    fn version_1_round_trip_has_110_octets() {
        let bytes = sample().encode();
        assert_eq!(bytes.len(), LACPDU_LEN);
        assert_eq!(decode(&bytes), (SlowPdu::Lacpdu(sample()), vec![]));
        assert_eq!(fixed(&bytes), Some((sample().actor, sample().partner)));
    }

    #[test]
    fn unknown_and_vendor_tlvs_are_kept() {
        let mut pdu = sample();
        pdu.version = VERSION_SONIC_RETRY;
        pdu.tlvs = vec![
            Tlv { kind: 0x80, value: vec![5, 0] },
            Tlv { kind: 0x81, value: vec![3, 0] },
            Tlv { kind: 0xee, value: vec![1, 2, 3] },
        ];
        let bytes = pdu.encode();
        let (back, anomalies) = decode(&bytes);
        assert_eq!(back, SlowPdu::Lacpdu(pdu.clone()));
        assert_eq!(anomalies, [Anomaly::UnknownTlv(0xee)]);
        assert_eq!(pdu.sonic_retry_counts(), (Some(5), Some(3)));
    }

    #[test]
    fn reserved_octets_and_padding_survive() {
        let mut bytes = sample().encode();
        bytes[19] = 7;
        bytes[57] = 9;
        bytes[61] = 0x63;
        let (pdu, anomalies) = decode(&bytes);
        assert_eq!(anomalies, [Anomaly::Reserved, Anomaly::Padding]);
        assert_eq!(pdu.encode(), bytes);
    }

    #[test]
    fn every_truncation_is_survived() {
        let bytes = sample().encode();
        for n in 0..bytes.len() {
            let (_, anomalies) = decode(&bytes[..n]);
            assert!(n == 0 || !anomalies.is_empty(), "{n} octets pass as a whole PDU");
        }
    }

    #[test]
    fn marker_round_trip() {
        let marker = Marker {
            response: true,
            version: 1,
            port: 7,
            system: Mac([1; 6]),
            transaction: 99,
            rest: vec![0; 94],
        };
        assert_eq!(decode(&marker.encode()), (SlowPdu::Marker(marker), vec![]));
    }
}
