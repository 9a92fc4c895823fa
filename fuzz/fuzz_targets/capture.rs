//! Captures: arbitrary bytes, and arbitrary bytes behind a head that is right.
#![no_main]

use bondwitness_core::capture::{fold, reader};

/// The head of a classic capture, little endian, of a link type.
fn classic(link: u32, nanos: bool) -> Vec<u8> {
    let magic = if nanos { 0xa1b2_3c4d_u32 } else { 0xa1b2_c3d4 };
    [magic, 0x0004_0002, 0, 0, 0x0004_0000, link].iter().flat_map(|w| w.to_le_bytes()).collect()
}

/// A section with one Ethernet interface.
fn pcapng() -> Vec<u8> {
    let words = [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28, 1, 20, 1, 0x0004_0000, 20];
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let mut bytes = match choice % 8 {
        0 => classic(1, false),
        1 => classic(113, true),
        2 => classic(276, false),
        3 => pcapng(),
        _ => Vec::new(),
    };
    bytes.extend(rest);
    let capture = fold::fold(&bytes);
    let totals = &capture.totals;
    let mut frames = 0;
    let mut last = 0;
    reader::read(&bytes, &mut |f| {
        assert!(f.number > last, "frame numbers rise");
        last = f.number;
        frames += 1;
    });
    // Packets of interfaces that are not declared are counted as packets only.
    let counted = frames + totals.other_in + totals.other_out + totals.other_unknown;
    assert!(counted <= totals.packets, "{counted} of {} packets", totals.packets);
    let kept: u64 = capture.speakers.iter().map(|s| s.pdus + s.repeats).sum();
    assert_eq!(kept, capture.lacpdus);
    for s in &capture.speakers {
        let _ = (s.at(s.first.0), s.mean_interval());
        for g in &s.gaps {
            let _ = g.len_ns();
        }
    }
});
