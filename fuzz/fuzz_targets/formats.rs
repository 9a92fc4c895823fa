//! One format alone, chosen by the first byte: blocks then reach further than another format would let them.
#![no_main]

use bondwitness_core::parse::FORMATS;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((choice, bytes)) = input.split_first() else { return };
    let at = usize::from(*choice) % FORMATS.len();
    bondwitness_fuzz::every_line_is_accounted_for(bytes, &FORMATS[at..=at]);
});
