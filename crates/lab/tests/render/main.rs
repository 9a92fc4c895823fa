//! What the renderers write against what a real kernel wrote, and against the parsers of `bondwitness-core`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod folder;
mod host_state;
mod recorded;
mod round_trip;
mod views;
