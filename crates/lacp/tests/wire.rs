//! Properties of the codec that the rest of the program relies on, over octets and PDUs that nobody thought of.

use bondwitness_lacp::wire::{self, Anomaly, LACPDU_LEN, Marker, SlowPdu, Tlv, decode};
use bondwitness_lacp::{Lacpdu, Mac, PortInfo, PortState};
use proptest::collection::vec;
use proptest::prelude::*;

fn port_info() -> impl Strategy<Value = PortInfo> {
    any::<(u16, [u8; 6], u16, u16, u16, u8)>().prop_map(
        |(system_priority, system, key, port_priority, port, state)| PortInfo {
            system_priority,
            system: Mac(system),
            key,
            port_priority,
            port,
            state: PortState::from_bits_retain(state),
        },
    )
}

fn tlv() -> impl Strategy<Value = Tlv> {
    // The standard's version 2 TLVs, SONiC's and unknown ones; 0 is the terminator and cannot stand here.
    let kind = prop_oneof![4..=10u8, 0x80..=0x81u8, 1..=255u8];
    (kind, vec(any::<u8>(), 0..=253)).prop_map(|(kind, value)| Tlv { kind, value })
}

fn reserved() -> impl Strategy<Value = Option<Box<[u8; 18]>>> {
    // Reserved octets of zero are said as `None`.
    proptest::option::of(any::<[u8; 18]>()).prop_map(|r| r.filter(|r| *r != [0; 18]).map(Box::new))
}

fn lacpdu() -> impl Strategy<Value = Lacpdu> {
    let version = prop_oneof![Just(1u8), Just(2), Just(wire::VERSION_SONIC_RETRY), any::<u8>()];
    let padding = prop_oneof![Just(vec![0; 50]), vec(any::<u8>(), 0..80)];
    (version, port_info(), port_info(), any::<u16>(), reserved(), vec(tlv(), 0..6), padding).prop_map(
        |(version, actor, partner, collector_max_delay, reserved, tlvs, padding)| Lacpdu {
            version,
            actor,
            partner,
            collector_max_delay,
            reserved,
            tlvs,
            padding,
        },
    )
}

fn marker() -> impl Strategy<Value = Marker> {
    (any::<(bool, u8, u16, [u8; 6], u32)>(), vec(any::<u8>(), 0..100)).prop_map(
        |((response, version, port, system, transaction), rest)| Marker {
            response,
            version,
            port,
            system: Mac(system),
            transaction,
            rest,
        },
    )
}

/// Octets that are a slow-protocol PDU at first sight: random ones would hardly ever reach the TLVs.
fn nearly_a_pdu() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![lacpdu().prop_map(|p| p.encode()), marker().prop_map(|m| m.encode())];
    (
        bytes,
        vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(mut bytes, edits, cut, whole)| {
            for (at, value) in edits {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if !whole {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            bytes
        })
}

fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (pdu, anomalies) = decode(bytes);
    let again = pdu.encode();
    if !anomalies.iter().any(Anomaly::breaks_layout) {
        prop_assert_eq!(&again, bytes, "{:?} {:?}", pdu, anomalies);
    }
    // What was written once is stable, however odd it was.
    let (second, _) = decode(&again);
    if !anomalies.iter().any(Anomaly::breaks_layout) {
        prop_assert_eq!(&second, &pdu);
    }
    // The fast path of captures and the full decoder agree.
    if let Some((actor, partner)) = wire::fixed(bytes) {
        match pdu {
            SlowPdu::Lacpdu(p) => prop_assert_eq!((p.actor, p.partner), (actor, partner)),
            other => prop_assert!(false, "the fast path reads {other:?}"),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_octets_never_panic_and_come_back(bytes in vec(any::<u8>(), 0..300)) {
        survives(&bytes)?;
    }

    #[test]
    fn nearly_right_octets_never_panic_and_come_back(bytes in nearly_a_pdu()) {
        survives(&bytes)?;
    }

    #[test]
    fn every_lacpdu_survives(pdu in lacpdu()) {
        let bytes = pdu.encode();
        let (back, anomalies) = decode(&bytes);
        prop_assert_eq!(back, SlowPdu::Lacpdu(pdu));
        prop_assert!(!anomalies.iter().any(Anomaly::breaks_layout), "{:?}", anomalies);
    }

    #[test]
    fn every_marker_survives(marker in marker()) {
        let (back, anomalies) = decode(&marker.encode());
        prop_assert_eq!(back, SlowPdu::Marker(marker));
        prop_assert_eq!(anomalies, vec![]);
    }

    #[test]
    fn a_clean_version_1_pdu_has_no_anomaly(actor in port_info(), partner in port_info(), delay in any::<u16>()) {
        let pdu = Lacpdu { collector_max_delay: delay, ..Lacpdu::new(actor, partner) };
        let bytes = pdu.encode();
        prop_assert_eq!(bytes.len(), LACPDU_LEN);
        prop_assert_eq!(wire::fixed(&bytes), Some((actor, partner)));
        prop_assert_eq!(decode(&bytes), (SlowPdu::Lacpdu(pdu), vec![]));
    }

    /// Whatever is cut off is said: no beginning of a PDU passes for the whole.
    #[test]
    fn a_cut_pdu_is_never_clean(actor in port_info(), partner in port_info(), cut in 1..LACPDU_LEN) {
        let bytes = Lacpdu::new(actor, partner).encode();
        let (_, anomalies) = decode(&bytes[..cut]);
        prop_assert!(!anomalies.is_empty());
    }
}
