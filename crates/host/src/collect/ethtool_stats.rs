//! `ethtool-stats`: the counters of driver and adapter of each member, printed as `ethtool -S` prints them.
//!
//! Some drivers have thousands, for each queue the same: reading them takes milliseconds and a lock, and a minute of them
//! fills a bundle. They are read whole or not at all, those with many less often ([`interval`]), and always at the begin,
//! at the end and after an event. The interface's own counters are in every sample, in the listing of `links`.

use super::{Collector, Pace, Sink, Target, text};
use crate::bounded;
use crate::ethtool::{Counters, Ethtool};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: "ethtool-stats", pace: Pace::Sample, run };

/// Counters of one member that are read in a second, at most; a single reading may have more.
const IN_A_SECOND: usize = 500;

/// How long one driver may take.
const LIMIT: Duration = Duration::from_secs(2);

thread_local! {
    /// One socket with its memory for all members that a thread asks for.
    static ETHTOOL: RefCell<Option<Ethtool>> = const { RefCell::new(None) };
    /// The members that are not to be read yet, of the thread that collects, and until when.
    static PAUSED: RefCell<BTreeMap<String, Instant>> = const { RefCell::new(BTreeMap::new()) };
}

/// Lets the next reading take all members.
pub(super) fn begin_anew() {
    PAUSED.with_borrow_mut(BTreeMap::clear);
}

/// The time from one reading of a driver with so many counters to the next, in whole seconds, if nothing happens.
#[must_use]
pub fn interval(counters: usize) -> Duration {
    Duration::from_secs(counters.div_ceil(IN_A_SECOND).max(1) as u64)
}

/// Calls `f` with the calling thread's socket, which must be one of [`bounded`].
pub(super) fn with_ethtool<T>(f: impl FnOnce(&mut Ethtool) -> io::Result<T>) -> io::Result<T> {
    ETHTOOL.with_borrow_mut(|kept| {
        f(match kept {
            Some(ethtool) => ethtool,
            None => kept.insert(Ethtool::open()?),
        })
    })
}

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    // `do_gstats()` of ethtool prints this title.
    let how = How {
        collector: "ethtool-stats",
        file: "state/ethtool-S.txt",
        of: Counters::Adapter,
        optional: false,
    };
    let now = Instant::now();
    let due = |dev: &&String| PAUSED.with_borrow(|p| p.get(*dev).is_none_or(|until| *until <= now));
    let members: Vec<String> = target.members.iter().filter(due).cloned().collect();
    let source = |dev: &str| format!("ethtool -S {dev} (ETHTOOL_GSTATS)");
    for (dev, count) in counters(&members, sink, how, source, "NIC statistics:")? {
        // Samples come a second apart, give or take.
        let pause = interval(count).saturating_sub(Duration::from_millis(500));
        if count > IN_A_SECOND {
            PAUSED.with_borrow_mut(|p| p.insert(dev, now + pause));
        }
    }
    Ok(())
}

/// Whose counters, and where they go.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub collector: &'static str,
    pub file: &'static str,
    pub of: Counters,
    /// Not having any is nothing to speak of.
    pub optional: bool,
}

/// Hands over the counters of each member, and returns how many each has.
pub(super) fn counters(
    members: &[String],
    sink: &mut dyn Sink,
    how: How,
    source: impl Fn(&str) -> String,
    title: &'static str,
) -> io::Result<Vec<(String, usize)>> {
    let answers = bounded::each(how.collector, LIMIT, members, move |dev| {
        with_ethtool(|ethtool| {
            let begun = crate::clock::begin();
            let counters = ethtool.counters(dev, how.of)?;
            Ok((counters, begun.end()))
        })
    });
    let mut counts = Vec::new();
    for (dev, answer) in answers {
        let (window, bytes) = match answer {
            Ok((counters, window)) => {
                counts.push((dev.clone(), counters.len()));
                (window, Ok(print(title, &counters)))
            }
            Err(e) if how.optional && e.kind() == io::ErrorKind::Unsupported => continue,
            Err(e) => (crate::clock::begin().end(), Err(e)),
        };
        text(sink, how.collector, how.file, &source(&dev), window, bytes)?;
    }
    Ok(counts)
}

fn print(title: &str, counters: &[(String, u64)]) -> Vec<u8> {
    let mut out = String::with_capacity(title.len() + 1 + 48 * counters.len());
    let _ = writeln!(out, "{title}");
    for (name, value) in counters {
        let _ = writeln!(out, "     {name}: {value}");
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_with_many_counters_are_read_less_often() {
        let seconds = |n| interval(n).as_secs();
        assert_eq!([0, 12, 500, 501, 2500].map(seconds), [1, 1, 1, 2, 5]);
    }
}
