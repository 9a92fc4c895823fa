//! Notations of the port state and of MAC addresses.
#![no_main]

use bondwitness_lacp::Mac;
use bondwitness_lacp::state::{Notation, PortState, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(mac) = text.parse::<Mac>() {
        assert_eq!(mac.to_string().parse(), Ok(mac));
    }
    let lossless: [(Notation, fn(PortState) -> String); 7] = [
        (Notation::Hex, |s| format!("{:#04x}", s.bits())),
        (Notation::Decimal, |s| s.bits().to_string()),
        (Notation::Wireshark, PortState::wireshark),
        (Notation::Tcpdump, PortState::tcpdump),
        (Notation::Huawei, PortState::huawei),
        (Notation::Snmp, |s| format!("{:02x}", s.reversed())),
        (Notation::Comware, |s| format!("{{{}}}", s.comware())),
    ];
    for (notation, write) in lossless {
        if let Some(state) = parse(&text, notation) {
            assert_eq!(parse(&write(state), notation), Some(state), "{notation:?}");
        }
    }
    for notation in [Notation::Iproute2, Notation::IosXr, Notation::AosCx, Notation::Dell, Notation::Forti] {
        let _ = parse(&text, notation);
    }
});
