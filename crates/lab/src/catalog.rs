//! The scenarios that come with the program: every file of `crates/lab/scenarios`.

use crate::scenario::{Error, Scenario};

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// Every scenario, by name.
///
/// # Errors
/// If a file is wrong; a test holds that none is.
pub fn all() -> Result<Vec<Scenario>, Error> {
    FILES.iter().map(|(name, text)| Scenario::parse(name, text)).collect()
}

/// Names of every scenario, sorted.
#[must_use]
pub fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

/// The scenario of this name.
///
/// # Errors
/// If its file is wrong.
pub fn find(name: &str) -> Result<Option<Scenario>, Error> {
    FILES.iter().find(|(n, _)| *n == name).map(|(n, text)| Scenario::parse(n, text)).transpose()
}
