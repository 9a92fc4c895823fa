//! What a stranger's bundle brings: manifests, keys, signatures, and captures that are to be redacted.
#![no_main]

use bondwitness_core::bundle::check::{Entry, Found, check};
use bondwitness_core::bundle::compress::{Seal, seal};
use bondwitness_core::bundle::sign::{Key, PublicKey, verify};
use bondwitness_core::capture::{is_capture, reader};
use bondwitness_core::redact::redact;
use std::collections::BTreeMap;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 3 {
        0 => {
            let text = String::from_utf8_lossy(bytes);
            let _ = (Key::read(&text), PublicKey::read(&text), verify(bytes, b"manifest"), seal(bytes));
        }
        1 => {
            let entries = [
                Entry { path: "b/manifest.json", bytes, problem: None },
                Entry { path: "b/a.txt", bytes: b"x", problem: None },
            ];
            let found = Found { entries: &entries, refused: &[], seal: Seal::None };
            let result = check(&found, None);
            assert!(
                !result.holds() || result.intact > 0,
                "a manifest that does not name a.txt leaves it over"
            );
        }
        _ => {
            let files = BTreeMap::from([("a".to_owned(), bytes.to_vec())]);
            let redacted = redact(&files, [7; 32]);
            let new = redacted.files.values().next();
            assert_eq!(new.is_none(), !redacted.left_out.is_empty());
            if let (true, Some(new)) = (is_capture(bytes), new) {
                let (mut before, mut after) = (0_u64, 0_u64);
                let old = reader::read(bytes, &mut |_| before += 1);
                let new = reader::read(new, &mut |_| after += 1);
                assert!(old.damage.is_some() || (old.packets, before) == (new.packets, after));
            }
        }
    }
});
