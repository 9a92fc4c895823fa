//! The queueing disciplines of an interface and what they dropped between readings.

use super::tally::{self, Tally};
use crate::case::Case;
use crate::evidence::{Citation, FileId, Qdisc, What};
use std::collections::BTreeMap;

/// A queueing discipline over the window.
#[derive(Debug, Clone)]
pub struct Queue {
    /// `fq_codel`, `pfifo`, ...
    pub kind: String,
    /// Its handle as `tc` prints it: `8001:`.
    pub handle: String,
    /// True for the root.
    pub root: bool,
    /// Packets it let through.
    pub sent: Tally,
    /// Packets it dropped.
    pub dropped: Tally,
    /// Packets put back because the driver was busy.
    pub requeues: Tally,
    /// Packets waiting at the last reading.
    pub backlog: u64,
    /// Its limit, as printed.
    pub limit: Option<String>,
    /// Where it was read last.
    pub at: Citation,
}

impl Queue {
    /// True if a full queue of this kind makes the transmission fail (`NET_XMIT_DROP`, the sender gets `ENOBUFS`). fq_codel,
    /// cake and netem take the frame and discard one without a word (kernel-facts.md section 8, rows k to m).
    #[must_use]
    pub fn refuses(&self) -> bool {
        !matches!(
            self.kind.as_str(),
            "fq_codel" | "cake" | "netem" | "codel" | "fq_pie" | "pie" | "sfq" | "hhf"
        )
    }
}

/// A reading of a queue: when, what, where.
type Reading<'a> = (tally::Moment, (&'a Qdisc, Citation));

/// The queues of an interface, the drops of its `clsact`, whether any list was read, and whether a list showed no `clsact`.
pub(super) fn of(case: &Case, dev: &str) -> (Vec<Queue>, Option<Tally>, bool, bool) {
    let mut by: BTreeMap<(String, String, String), Vec<Reading<'_>>> = BTreeMap::new();
    let mut lists: BTreeMap<FileId, bool> = BTreeMap::new();
    for r in &case.records {
        let What::Qdisc(q) = &r.what else { continue };
        if q.dev != dev || q.fields.get("deleted").is_some() {
            continue;
        }
        let clsact = matches!(q.kind.as_str(), "clsact" | "ingress");
        *lists.entry(r.at.file).or_default() |= clsact;
        // `noqueue` of handle 0 is nothing that could drop.
        let text = |key: &str| q.fields.text(key).unwrap_or("").to_owned();
        by.entry((q.kind.clone(), text("handle"), text("parent")))
            .or_default()
            .push((tally::moment(case, r), (q, r.at)));
    }
    let mut queues = Vec::new();
    let mut clsact = None;
    for ((kind, handle, _), mut readings) in by {
        tally::order(&mut readings, |(q, _)| q.sent.saturating_add(q.dropped));
        let over =
            |value: fn(&Qdisc) -> u64| tally::over(readings.iter().map(|(_, (q, at))| (value(q), *at)));
        let (Some(sent), Some(dropped), Some(requeues)) =
            (over(|q| q.sent), over(|q| q.dropped), over(|q| q.requeues))
        else {
            continue;
        };
        let Some((_, (last, at))) = readings.last() else { continue };
        if matches!(kind.as_str(), "clsact" | "ingress") {
            clsact = Some(dropped);
            continue;
        }
        if kind == "noqueue" {
            continue;
        }
        queues.push(Queue {
            root: last.root,
            handle,
            sent,
            dropped,
            requeues,
            backlog: last.backlog,
            limit: last.fields.text("limit").map(str::to_owned),
            at: *at,
            kind,
        });
    }
    let read = !lists.is_empty();
    let bare = read && lists.values().all(|has| !has);
    (queues, clsact, read, bare)
}
