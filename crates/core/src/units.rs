//! Small value types shared by every stage: MAC addresses and instants on a named clock.

use std::fmt;

pub use lacp::Mac;

/// The clock an instant was read from. Instants of different clocks are never compared until the offset
/// between the clocks has been estimated (verdict.md: "two clocks are never equal until the offset has been
/// estimated").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clock {
    /// Nanoseconds since 1970-01-01 UTC, as the host's realtime clock or a capture gave them.
    Wall,
    /// Nanoseconds since boot (`dmesg` without `-T`).
    Boot,
    /// A civil date and time without a zone (syslog, `journalctl -o short`, `dmesg -T`), read as if it were UTC.
    /// The true offset to [`Clock::Wall`] is unknown; a missing year is read as 1970.
    Local,
}

/// An instant: nanoseconds on one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The clock.
    pub clock: Clock,
    /// Nanoseconds since that clock's zero.
    pub ns: i64,
}

impl Stamp {
    /// An instant of the realtime clock.
    #[must_use]
    pub const fn wall(ns: i64) -> Self {
        Self { clock: Clock::Wall, ns }
    }
    /// An instant since boot.
    #[must_use]
    pub const fn boot(ns: i64) -> Self {
        Self { clock: Clock::Boot, ns }
    }
    /// A civil time whose zone is not known.
    #[must_use]
    pub const fn local(ns: i64) -> Self {
        Self { clock: Clock::Local, ns }
    }
    /// Seconds, for rates and durations in texts.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "texts show at most milliseconds")]
    pub fn secs(self) -> f64 {
        self.ns as f64 / 1e9
    }
    /// RFC 3339 in UTC for [`Clock::Wall`]; `None` for clocks that are not tied to UTC.
    #[must_use]
    pub fn rfc3339(self) -> Option<String> {
        (self.clock == Clock::Wall).then(|| rfc3339(self.ns)).flatten()
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.clock {
            Clock::Wall => f.write_str(&rfc3339(self.ns).unwrap_or_else(|| format!("{} ns", self.ns))),
            Clock::Boot => write!(f, "boot+{:.6}s", self.secs()),
            Clock::Local => {
                let text = rfc3339(self.ns).unwrap_or_else(|| format!("{} ns", self.ns));
                let text = text.trim_end_matches('Z');
                // 1970 stands for "no year": show only what the source said.
                f.write_str(text.strip_prefix("1970-").unwrap_or(text))
            }
        }
    }
}

/// Nanoseconds since the epoch as RFC 3339 with milliseconds, UTC. `None` outside the years 1 to 9999.
#[must_use]
pub fn rfc3339(ns: i64) -> Option<String> {
    let t = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ns)).ok()?;
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        t.millisecond()
    ))
}

/// A civil date and time as nanoseconds since 1970-01-01 of the same calendar (no zone applied).
/// `None` if any part is out of range.
#[must_use]
pub fn civil_ns(year: i32, month: u8, day: u8, hour: u8, minute: u8, second: u8, nano: u32) -> Option<i64> {
    let date = time::Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()?;
    let time = time::Time::from_hms_nano(hour, minute, second.min(59), nano).ok()?;
    i64::try_from(time::PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp_nanos()).ok()
}

/// The month number of an English abbreviation (`Jan` to `Dec`).
#[must_use]
pub fn month(name: &str) -> Option<u8> {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES.iter().position(|n| name.eq_ignore_ascii_case(n)).and_then(|i| u8::try_from(i + 1).ok())
}
