//! The codec: decoding survives everything, and what has the layout of the standard comes back octet by octet.
#![no_main]

use bondwitness_lacp::wire::{self, Anomaly, SlowPdu};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (pdu, anomalies) = wire::decode(bytes);
    if !anomalies.iter().any(Anomaly::breaks_layout) {
        assert_eq!(pdu.encode(), bytes, "{anomalies:?}");
        assert_eq!(wire::decode(&pdu.encode()), (pdu.clone(), anomalies.clone()));
    }
    for a in &anomalies {
        assert!(!a.to_string().is_empty());
    }
    if let Some((actor, partner)) = wire::fixed(bytes) {
        let SlowPdu::Lacpdu(p) = &pdu else { panic!("the fast path reads {pdu:?}") };
        assert_eq!((p.actor, p.partner), (actor, partner));
    }
});
