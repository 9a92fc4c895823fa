//! Netlink: arbitrary datagrams of both protocols, and captures of them.
#![no_main]

use bondwitness_core::capture::reader;
use bondwitness_core::capture::writer::{self, Packet, Writer};
use bondwitness_core::evidence::{FileId, Place};
use bondwitness_core::netlink::build::Request;
use bondwitness_core::parse;

/// The controller's answers that make ids 21 and 22 known.
fn families() -> Vec<u8> {
    let of = |id: u16, name: &str| Request::generic(16, 0, 1, 1, 2).u16(1, id).text(2, name).bytes();
    [of(21, "ethtool"), of(22, "NET_DM")].concat()
}

/// A capture of datagrams.
fn capture(datagrams: &[(u16, &[u8])]) -> Vec<u8> {
    let mut w = Writer::new("fuzz", "");
    let interface = w.interface("netlink", writer::NETLINK, 0, None);
    for (protocol, bytes) in datagrams {
        let data = writer::cooked_netlink(*protocol, bytes);
        let comment = Some("ETHTOOL_MSG_MODULE_EEPROM_GET eno1 page 0 offset 0 length 128 i2c 0x50");
        w.packet(&Packet { interface, ns: 1, data: &data, length: 0, direction: None, comment });
    }
    w.into_bytes()
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let bytes = match choice % 4 {
        0 => capture(&[(0, rest)]),
        1 => capture(&[(16, &families()), (16, rest)]),
        2 => rest.to_vec(),
        // Two datagrams that speak of one thing.
        _ => {
            let (a, b) = rest.split_at(rest.len() / 2);
            capture(&[(16, &families()), (0, a), (16, b)])
        }
    };
    let mut frames = 0;
    reader::read_netlink(&bytes, &mut |d| frames = d.number);
    let parsed = parse::netlink::read(FileId(0), &bytes);
    for r in &parsed.records {
        assert!(matches!(r.at.place, Place::Frame(n) if n >= 1 && n <= frames), "{:?}", r.at);
    }
});
