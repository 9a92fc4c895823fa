//! What one interface counted between the first and the last reading.

use super::filters::{self, Filter};
use super::queues::{self, Queue};
use super::tally::{self, Tally};
use crate::case::Case;
use crate::evidence::{Counters, What};

/// The books of one layer. Every counter is the interface's own (`struct rtnl_link_stats64`).
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// `tx_packets`: frames that the layer below took.
    pub passed: Option<Tally>,
    /// `tx_dropped`.
    pub dropped: Option<Tally>,
    /// `tx_errors`.
    pub errors: Option<Tally>,
    /// `rx_packets`.
    pub received: Option<Tally>,
    /// Its queueing disciplines, with what they dropped. Those are in no counter of the interface.
    pub queues: Vec<Queue>,
    /// Filters and programs on its egress and ingress.
    pub filters: Vec<Filter>,
    /// True if a list of its queueing disciplines was read.
    pub queues_read: bool,
    /// What its `clsact` counted as dropped, both directions together.
    pub clsact: Option<Tally>,
    /// True if some reading of all its queueing disciplines shows no `clsact`: then no classic tc filter is on it.
    pub no_clsact: bool,
}

impl Ledger {
    /// Frames that came in from above, in the window: passed and dropped together.
    #[must_use]
    pub fn offered(&self) -> Option<u64> {
        let passed = self.passed.as_ref()?.count();
        Some(passed.saturating_add(self.dropped.as_ref().map_or(0, Tally::count)))
    }

    /// Frames that its queues dropped in the window: the root counts what its children drop, but not in all kernels.
    #[must_use]
    pub fn queue_drops(&self) -> Option<Tally> {
        let root = self.queues.iter().filter(|q| q.root).map(|q| &q.dropped).max_by_key(|t| t.count());
        let leaf = self.queues.iter().filter(|q| !q.root).map(|q| &q.dropped).max_by_key(|t| t.count());
        match (root, leaf) {
            (Some(r), Some(l)) if l.count() > r.count() => Some(l.clone()),
            (Some(r), _) => Some(r.clone()),
            (None, l) => l.cloned(),
        }
    }
}

/// The books of an interface.
pub(super) fn of(case: &Case, dev: &str) -> Ledger {
    let mut readings: Vec<(tally::Moment, &Counters)> = Vec::new();
    for r in &case.records {
        if let What::Counters(c) = &r.what
            && c.dev.as_deref() == Some(dev)
            && !c.source.starts_with("ethtool")
            && c.entries.iter().any(|e| matches!(e.name.as_str(), "tx_packets" | "tx_dropped"))
        {
            readings.push((tally::moment(case, r), c));
        }
    }
    let value = |c: &Counters, name: &str| c.entries.iter().find(|e| e.name == name).map(|e| (e.value, e.at));
    tally::order(&mut readings, |c| {
        ["tx_packets", "rx_packets", "tx_dropped"]
            .iter()
            .filter_map(|n| value(c, n))
            .fold(0, |sum, (v, _)| sum.saturating_add(v))
    });
    let over = |name: &str| tally::over(readings.iter().filter_map(|(_, c)| value(c, name)));
    let (queues, clsact, queues_read, no_clsact) = queues::of(case, dev);
    Ledger {
        passed: over("tx_packets"),
        dropped: over("tx_dropped"),
        errors: over("tx_errors"),
        received: over("rx_packets"),
        queues,
        filters: filters::of(case, dev),
        queues_read,
        clsact,
        no_clsact,
    }
}
