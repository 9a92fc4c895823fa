//! Time as the machines know it: nanoseconds since an epoch of the caller's choice, given as an argument.

use std::ops::{Add, Sub};

/// A moment, in nanoseconds since an epoch that the caller chooses. The machines never read a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub u64);

impl Time {
    /// The epoch.
    pub const ZERO: Self = Self(0);

    /// `seconds` after the epoch.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }
    /// `milliseconds` after the epoch.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }
    /// Seconds since the epoch, for printing.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "printing only")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// Nanoseconds since `earlier`, 0 if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Time {
    type Output = Self;
    /// `nanoseconds` later.
    fn add(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }
}

impl Sub<u64> for Time {
    type Output = Self;
    /// `nanoseconds` earlier.
    fn sub(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_sub(nanoseconds))
    }
}

/// When a timer ends, in units of the system's clock: nanoseconds, or ticks (see [`super::Profile`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Deadline(u64);

impl Deadline {
    /// The timer does not run.
    pub(super) const OFF: Self = Self(u64::MAX);

    pub(super) const fn at(units: u64) -> Self {
        Self(units)
    }
    pub(super) const fn reached(self, now: u64) -> bool {
        self.0 <= now
    }
    pub(super) const fn runs(self) -> bool {
        self.0 != u64::MAX
    }
    pub(super) const fn units(self) -> u64 {
        self.0
    }
}
