//! Counters with the times at which they were read: what grew during a silence, and what stood still.
//!
//! [`crate::series`] tells how much a counter grew over the whole case; a verdict about some seconds needs readings that
//! lie around them. Only readings whose time is on the wall clock count, for that is the capture's clock.

use crate::case::Case;
use crate::evidence::{Citation, Meaning, What};
use crate::units::Clock;
use std::collections::BTreeMap;

/// One reading of one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When, on the wall clock.
    pub ns: i64,
    /// The value.
    pub value: u64,
    /// Where.
    pub at: Citation,
}

/// A counter of an interface with its readings in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timed {
    /// What it counts.
    pub meaning: Meaning,
    /// The readings.
    pub readings: Vec<Reading>,
}

impl Timed {
    /// The last reading not after `from` and the first not before `to`; none if there are no such, or if the counter fell.
    #[must_use]
    pub fn around(&self, from: i64, to: i64) -> Option<(Reading, Reading)> {
        let before = self.readings.iter().rev().find(|r| r.ns <= from)?;
        let after = self.readings.iter().find(|r| r.ns >= to)?;
        (after.value >= before.value).then_some((*before, *after))
    }

    /// Neighbouring readings between which the counter did not fall.
    pub fn pairs(&self) -> impl Iterator<Item = (Reading, Reading)> + '_ {
        self.readings
            .iter()
            .zip(self.readings.iter().skip(1))
            .filter(|(a, b)| b.value >= a.value && b.ns > a.ns)
            .map(|(a, b)| (*a, *b))
    }
}

/// The counters of an interface (`""` for the host) with one of these meanings that were read at known times.
#[must_use]
pub fn of(case: &Case, dev: &str, meanings: &[Meaning]) -> Vec<Timed> {
    let mut by_name: BTreeMap<(&str, &str), Timed> = BTreeMap::new();
    for r in &case.records {
        let (What::Counters(c), Some(time)) = (&r.what, r.time) else { continue };
        let far = case.files.get(r.at.file.0 as usize).is_some_and(|f| f.far_end);
        if far || time.clock != Clock::Wall || c.dev.as_deref().unwrap_or("") != dev {
            continue;
        }
        for e in c.entries.iter().filter(|e| meanings.contains(&e.meaning)) {
            by_name
                .entry((c.source, e.name.as_str()))
                .or_insert_with(|| Timed { meaning: e.meaning, readings: Vec::new() })
                .readings
                .push(Reading { ns: time.ns, value: e.value, at: e.at });
        }
    }
    let mut all: Vec<Timed> = by_name.into_values().collect();
    for t in &mut all {
        t.readings.sort_by_key(|r| (r.ns, r.value));
    }
    all
}
