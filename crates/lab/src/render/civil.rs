//! Unix time as a civil date, in UTC: the simulated hosts run in that zone.

/// A moment as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: i64,
    /// 1 to 31.
    pub(super) day: i64,
    /// 0 is Sunday.
    weekday: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) micros: i64,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

impl Civil {
    /// From Unix nanoseconds. Days to dates by the era method (Gregorian cycles of 400 years, years that begin in
    /// March).
    pub(super) const fn of(wall_ns: i64) -> Self {
        let seconds = wall_ns.div_euclid(1_000_000_000);
        let days = seconds.div_euclid(86_400);
        let of_day = seconds.rem_euclid(86_400);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: year_of_era + era * 400 + if month <= 2 { 1 } else { 0 },
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            weekday: (days + 4).rem_euclid(7),
            hour: of_day / 3600,
            minute: of_day % 3600 / 60,
            second: of_day % 60,
            micros: wall_ns.rem_euclid(1_000_000_000) / 1000,
        }
    }

    /// `2026-11-22T02:08:36.175108`.
    pub(super) fn iso_micros(self) -> String {
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}",
            self.year, self.month, self.day, self.hour, self.minute, self.second, self.micros
        )
    }

    /// `Sun Nov 22 02:08:36 2026`, as ctime(3) writes it.
    pub(super) fn ctime(self) -> String {
        let name = |list: &[&'static str], i: i64| {
            usize::try_from(i).ok().and_then(|i| list.get(i).copied()).unwrap_or("???")
        };
        format!(
            "{} {} {:2} {:02}:{:02}:{:02} {}",
            name(&DAYS, self.weekday),
            name(&MONTHS, self.month - 1),
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.year
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        // The first message of a recording, and its events file (1795313316 is 2026-11-22T02:08:36Z).
        assert_eq!(Civil::of(1_795_313_316_175_108_000).iso_micros(), "2026-11-22T02:08:36.175108");
        assert_eq!(Civil::of(1_795_313_316_000_000_000).ctime(), "Sun Nov 22 02:08:36 2026");
        assert_eq!(Civil::of(0).ctime(), "Thu Jan  1 00:00:00 1970");
        assert_eq!(Civil::of(951_782_400_000_000_000).iso_micros(), "2000-02-29T00:00:00.000000");
        assert_eq!(Civil::of(-1_000).iso_micros(), "1969-12-31T23:59:59.999999");
    }
}
