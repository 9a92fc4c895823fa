//! Archives and compressed files on standard input: the limits hold, whatever the headers claim.
#![no_main]

use bondwitness_host::load::{Limits, load_with_stdin};
use std::path::PathBuf;

const LIMITS: Limits = Limits {
    files: 50,
    names: 100,
    depth: 8,
    member_bytes: 1 << 20,
    total_bytes: 4 << 20,
    ratio: 1000,
    ratio_from: 1 << 20,
    unsized_bytes: 1 << 20,
};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut stdin = bytes;
    let Ok(loaded) = load_with_stdin(&[PathBuf::from("-")], &LIMITS, &mut stdin) else { return };
    assert!(loaded.inputs.len() <= LIMITS.files, "{} files", loaded.inputs.len());
    assert!(loaded.inputs.is_sorted_by(|a, b| a.path < b.path), "sorted, none twice");
    let sum: usize = loaded.inputs.iter().map(|i| i.bytes.len()).sum();
    assert!(sum as u64 <= LIMITS.total_bytes, "{sum} bytes");
    for i in &loaded.inputs {
        assert!(!i.path.starts_with('/') && !i.path.split('/').any(|p| p == ".."), "{:?}", i.path);
    }
});
