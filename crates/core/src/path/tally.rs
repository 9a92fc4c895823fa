//! One counter over the readings of a case: the first and the last, and what lies between.

use crate::case::Case;
use crate::evidence::{Citation, Place, Record};
use crate::units::Clock;

/// A counter that was read once or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The first reading since the counter was last set to nothing.
    pub first: (u64, Citation),
    /// The last one.
    pub last: (u64, Citation),
    /// How many readings lie between, both included.
    pub readings: usize,
}

/// What a counter says about the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// It rose by so many between two readings.
    Grew(u64, Vec<Citation>),
    /// It stood still between two readings.
    Still(Vec<Citation>),
    /// It was read once: so many since it exists, nobody knows when.
    Since(u64, Vec<Citation>),
    /// It was not read.
    Unread,
}

impl Tally {
    /// The growth between the readings; `None` with a single reading.
    #[must_use]
    pub const fn growth(&self) -> Option<u64> {
        if self.readings > 1 { Some(self.last.0.saturating_sub(self.first.0)) } else { None }
    }

    /// Growth, or what a single reading counts.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.growth().unwrap_or(self.last.0)
    }

    /// The places it was read at.
    #[must_use]
    pub fn cited(&self) -> Vec<Citation> {
        if self.readings > 1 && self.first.1 != self.last.1 {
            vec![self.first.1, self.last.1]
        } else {
            vec![self.last.1]
        }
    }

    /// What it says.
    #[must_use]
    pub fn amount(&self) -> Amount {
        match self.growth() {
            Some(0) => Amount::Still(self.cited()),
            Some(n) => Amount::Grew(n, self.cited()),
            None => Amount::Since(self.last.0, self.cited()),
        }
    }
}

/// What a counter that may not have been read says.
#[must_use]
pub(super) fn amount(tally: Option<&Tally>) -> Amount {
    tally.map_or(Amount::Unread, Tally::amount)
}

/// When a record was read, as far as that can be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    wall: Option<i64>,
    /// What the names of folder and file say: before, during, after.
    rank: u8,
    /// The path with its numbers as numbers, and the line.
    path: Vec<(u64, String)>,
    line: u32,
}

/// When a record was read.
pub(super) fn moment(case: &Case, r: &Record) -> Moment {
    let path = case.path(r.at.file);
    let line = match r.at.place {
        Place::Lines { first, .. } => first,
        Place::Frame(_) | Place::Whole => 0,
    };
    Moment {
        wall: r.time.filter(|t| t.clock == Clock::Wall).map(|t| t.ns),
        rank: rank(path),
        path: natural(path),
        line,
    }
}

fn rank(path: &str) -> u8 {
    let lower = path.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphabetic());
    let is = |w: &str, of: &[&str]| of.contains(&w);
    words
        .find_map(|w| {
            if is(w, &["before", "pre", "start", "begin", "first"]) {
                Some(0)
            } else if is(w, &["after", "post", "end", "last", "final"]) {
                Some(2)
            } else {
                None
            }
        })
        .unwrap_or(1)
}

fn natural(path: &str) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(text).unwrap_or((rest, ""));
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = after.split_at_checked(digits).unwrap_or((after, ""));
        parts.push((number.parse().unwrap_or(0), word.to_owned()));
        rest = after;
    }
    parts
}

/// Puts readings in order. Where neither times nor names tell it, `traffic` does: it only rises.
pub(super) fn order<T>(readings: &mut [(Moment, T)], traffic: impl Fn(&T) -> u64) {
    let timed = readings.iter().all(|(m, _)| m.wall.is_some());
    let named = readings.iter().any(|(m, _)| m.rank != 1);
    if timed {
        readings.sort_by_key(|r| (r.0.wall, r.0.line));
    } else if named {
        readings.sort_by(|a, b| {
            (a.0.rank, traffic(&a.1), &a.0.path, a.0.line).cmp(&(
                b.0.rank,
                traffic(&b.1),
                &b.0.path,
                b.0.line,
            ))
        });
    } else {
        readings
            .sort_by(|a, b| (traffic(&a.1), &a.0.path, a.0.line).cmp(&(traffic(&b.1), &b.0.path, b.0.line)));
    }
}

/// The counter over ordered readings: from the last fall on, for an interface that is made anew counts from nothing.
pub(super) fn over(readings: impl IntoIterator<Item = (u64, Citation)>) -> Option<Tally> {
    let mut tally: Option<Tally> = None;
    for (value, at) in readings {
        match &mut tally {
            Some(t) if value >= t.last.0 => {
                t.last = (value, at);
                t.readings += 1;
            }
            _ => tally = Some(Tally { first: (value, at), last: (value, at), readings: 1 }),
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;

    fn at(line: u32) -> Citation {
        Citation { file: FileId(0), place: Place::Lines { first: line, last: line, start: 0, end: 1 } }
    }

    #[test]
    fn a_counter_that_fell_counts_from_there() {
        let t = over([(900, at(1)), (5, at(2)), (30, at(3))]).unwrap();
        assert_eq!((t.growth(), t.cited()), (Some(25), vec![at(2), at(3)]));
        assert_eq!(over([(7, at(1))]).unwrap().amount(), Amount::Since(7, vec![at(1)]));
        assert_eq!(over([(7, at(1)), (7, at(2))]).unwrap().amount(), Amount::Still(vec![at(1), at(2)]));
    }

    #[test]
    fn names_tell_the_order_before_traffic_does() {
        let m = |path: &str| Moment { wall: None, rank: rank(path), path: natural(path), line: 1 };
        let mut list = vec![(m("case/after/x"), 5_u64), (m("case/before/x"), 9)];
        order(&mut list, |n| *n);
        assert_eq!(list.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [9, 5]);
        let mut list = vec![(m("s10/x"), 5_u64), (m("s9/x"), 9)];
        order(&mut list, |n| *n);
        assert_eq!(list.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [5, 9]);
        assert!(natural("s9/x") < natural("s10/x"));
    }
}
