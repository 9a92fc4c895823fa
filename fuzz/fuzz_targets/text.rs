//! A text of any formats: every line is accounted for.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bondwitness_fuzz::every_line_is_accounted_for(bytes, bondwitness_core::parse::FORMATS);
});
