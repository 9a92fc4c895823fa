//! `ethtool-stats`: the counters of driver and adapter of each member, printed as `ethtool -S` prints them.

use super::{Collector, Pace, Sink, Target, text};
use crate::bounded;
use crate::ethtool::{Counters, Ethtool};
use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: "ethtool-stats", pace: Pace::Sample, run };

/// How long one driver may take.
const LIMIT: Duration = Duration::from_secs(2);

thread_local! {
    /// One socket with its memory for all members that a thread asks for.
    static ETHTOOL: RefCell<Option<Ethtool>> = const { RefCell::new(None) };
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
    counters(target, sink, how, |dev| format!("ethtool -S {dev} (ETHTOOL_GSTATS)"), "NIC statistics:")
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

/// Hands over the counters of each member.
pub(super) fn counters(
    target: &Target,
    sink: &mut dyn Sink,
    how: How,
    source: impl Fn(&str) -> String,
    title: &'static str,
) -> io::Result<()> {
    let answers = bounded::each(how.collector, LIMIT, &target.members, move |dev| {
        with_ethtool(|ethtool| {
            let begun = crate::clock::begin();
            let counters = ethtool.counters(dev, how.of)?;
            Ok((counters, begun.end()))
        })
    });
    for (dev, answer) in answers {
        let (window, bytes) = match answer {
            Ok((counters, window)) => (window, Ok(print(title, &counters))),
            Err(e) if how.optional && e.kind() == io::ErrorKind::Unsupported => continue,
            Err(e) => (crate::clock::begin().end(), Err(e)),
        };
        text(sink, how.collector, how.file, &source(&dev), window, bytes)?;
    }
    Ok(())
}

fn print(title: &str, counters: &[(String, u64)]) -> Vec<u8> {
    let mut out = String::with_capacity(title.len() + 1 + 48 * counters.len());
    let _ = writeln!(out, "{title}");
    for (name, value) in counters {
        let _ = writeln!(out, "     {name}: {value}");
    }
    out.into_bytes()
}
