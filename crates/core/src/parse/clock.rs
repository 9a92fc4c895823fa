//! Times of day as command line tools print them: `02:07:33.709038`, `2009-11-15 04:02:10.267147`,
//! `1258257730.267147`.

use super::prompt;
use crate::units::{Stamp, civil_ns};

/// `07:30:06.375095`: a time of day. Without a date it is read as 1 January 1970 of the local clock.
#[must_use]
pub fn time_of_day(text: &str) -> Option<Stamp> {
    let (h, m, s, nano) = hms(text)?;
    civil_ns(1970, 1, 1, h, m, s, nano).map(Stamp::local)
}

/// `2009-11-15` and `04:02:10.267147`: a civil time without a zone.
#[must_use]
pub fn civil(date: &str, time: &str) -> Option<Stamp> {
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || parts.next().is_some() {
        return None;
    }
    let (h, m, s, nano) = hms(time)?;
    civil_ns(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?, h, m, s, nano).map(Stamp::local)
}

/// `1258257730.267147`: seconds since the epoch with a fraction.
#[must_use]
pub fn unix(text: &str) -> Option<Stamp> {
    let (secs, frac) = text.split_once('.')?;
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if secs.len() < 9 || !digits(secs) || !digits(frac) {
        return None;
    }
    prompt::epoch(secs, frac)
}

fn hms(text: &str) -> Option<(u8, u8, u8, u32)> {
    let (clock, frac) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let (h, m, s) = (parts.next()?, parts.next()?, parts.next()?);
    let two = |t: &str| (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some() || !two(h) || !two(m) || !two(s) || !frac.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = frac.get(..frac.len().min(9)).unwrap_or("");
    let nano = if digits.is_empty() {
        0
    } else {
        let scale = 10_u32.checked_pow(9_u32.checked_sub(u32::try_from(digits.len()).ok()?)?)?;
        digits.parse::<u32>().ok()?.checked_mul(scale)?
    };
    let (h, m, s) = (h.parse().ok()?, m.parse().ok()?, s.parse().ok()?);
    (h < 24 && m < 60 && s < 61).then_some((h, m, s, nano))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_notations() {
        assert_eq!(time_of_day("00:00:01.5"), Some(Stamp::local(1_500_000_000)));
        assert_eq!(time_of_day("02:00:00:00:11:01"), None);
        assert_eq!(time_of_day("25:00:00"), None);
        assert_eq!(civil("1970-01-02", "00:00:00"), Some(Stamp::local(86_400_000_000_000)));
        assert_eq!(unix("1258257730.267147"), Some(Stamp::wall(1_258_257_730_267_147_000)));
        assert_eq!(unix("12.5"), None);
    }
}
