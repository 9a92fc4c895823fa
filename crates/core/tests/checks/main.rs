//! Every check by itself: a case in which it must find what its page says, with member, direction, domain and the bytes
//! it cites, and a near twin in which it must not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod answers;
mod cadence;
mod carrier;
#[path = "../conversation/mod.rs"]
mod conversation;
mod damage;
mod far_end;
mod host_path;
mod partners;
mod settings;
mod silence;
mod twin;
mod tx_path;

/// The tests, as text.
const TESTS: &[&str] = &[
    include_str!("cadence.rs"),
    include_str!("carrier.rs"),
    include_str!("damage.rs"),
    include_str!("far_end.rs"),
    include_str!("host_path.rs"),
    include_str!("partners.rs"),
    include_str!("settings.rs"),
    include_str!("silence.rs"),
    include_str!("twin.rs"),
    include_str!("tx_path.rs"),
];

/// Every check has at least one case of both kinds here.
#[test]
fn every_check_is_asked_where_it_speaks_and_where_it_must_not() {
    for check in bondwitness_core::checks::CHECKS {
        let call = format!("ask(\"{}\")", check.id);
        let asked = |how: &[&str]| {
            TESTS.iter().any(|text| {
                text.match_indices(&call).any(|(at, _)| {
                    let after = text[at + call.len()..].trim_start();
                    how.iter().any(|h| after.starts_with(h))
                })
            })
        };
        assert!(asked(&[".one()", ".all("]), "{}: no case in which it speaks", check.id);
        assert!(asked(&[".quiet()", ".context()", ".open()"]), "{}: no case in which it must not", check.id);
    }
}
