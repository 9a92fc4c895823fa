//! When the host booted. A host that restarts is silent for a reason: its members leave the aggregate, and nobody's fault
//! is shown by that.

use crate::case::{Case, Subject};
use crate::evidence::{Citation, KernelKind};
use crate::finding::{Bearing, Finding, Severity};
use crate::timeline::Alignment;
use crate::units::Clock;
use std::collections::BTreeMap;

const SECOND: i64 = 1_000_000_000;
/// A boot whose time is known less exactly than this explains nothing.
const LARGEST_ERROR: i64 = 30 * SECOND;

/// A boot of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boot {
    /// When, on the wall clock.
    pub ns: i64,
    /// It was at most this much earlier or later.
    pub error: i64,
    /// Where it was read.
    pub at: Citation,
}

/// The boots that the evidence gives a time: the first line of a kernel log, the line of the journal between two boots,
/// `btime` of `/proc/stat`, an uptime read at a known time.
#[must_use]
pub fn boots(case: &Case, alignments: &[Alignment]) -> Vec<Boot> {
    let wall = |t: crate::units::Stamp| match t.clock {
        Clock::Wall => Some((t.ns, 0)),
        c => alignments.iter().find(|a| a.clock == c).map(|a| (t.ns.saturating_add(a.offset), a.error)),
    };
    let mut found: Vec<Boot> = Vec::new();
    let mut marked: Option<Citation> = None;
    for (r, k) in case.kernel() {
        // `-- Reboot --` has no time of its own.
        let at = match (k.kind, r.time) {
            (KernelKind::Boot, None) => {
                marked = Some(r.at);
                continue;
            }
            (KernelKind::Boot, Some(_)) => r.at,
            (_, Some(_)) => match marked.filter(|m| m.file == r.at.file) {
                Some(at) => at,
                None => continue,
            },
            (_, None) => continue,
        };
        marked = None;
        if let Some((ns, error)) = r.time.and_then(wall) {
            // The log daemon starts some seconds after the kernel.
            found.push(Boot { ns, error: error.saturating_add(5 * SECOND), at });
        }
    }
    for (r, f) in case.settings("proc-stat", None) {
        if let Some(s) =
            f.int("btime").and_then(|s| i64::try_from(s).ok()).and_then(|s| s.checked_mul(SECOND))
        {
            found.push(Boot { ns: s.saturating_add(SECOND / 2), error: SECOND, at: r.at });
        }
    }
    for (r, f) in case.settings("uptime", None) {
        if let Some(t) = r.time.filter(|t| t.clock == Clock::Wall)
            && let Some(up) = f.int("up_seconds").and_then(|s| i64::try_from(s).ok())
            && let Some(up) = up.checked_mul(SECOND)
        {
            found.push(Boot { ns: t.ns.saturating_sub(up), error: 2 * SECOND, at: r.at });
        }
    }
    found.retain(|b| b.error <= LARGEST_ERROR);
    found.sort_by_key(|b| (b.ns, b.error, b.at));
    // One boot, told by several sources.
    found.dedup_by(|b, a| (b.ns - a.ns).abs() <= a.error.saturating_add(b.error).saturating_add(5 * SECOND));
    found
}

/// The outages of a subject in which the host booted, each with the boot.
#[must_use]
pub fn outages(subject: &Subject, boots: &[Boot]) -> Vec<((i64, i64), Boot)> {
    let mut found = Vec::new();
    for (part, story) in subject.members.iter().filter_map(|m| m.wire.as_ref()).flat_map(|w| w.told()) {
        if !part.timed {
            continue;
        }
        for o in &story.outages {
            let start = o.gap.map_or(o.span.start, |g| g.from_ns.min(o.span.start));
            let inside = |b: &&Boot| {
                b.ns >= start.saturating_sub(b.error) && b.ns <= o.span.end.saturating_add(b.error)
            };
            if let Some(b) = boots.iter().find(inside) {
                found.push(((start, o.span.end), *b));
            }
        }
    }
    found.sort_by_key(|(span, b)| (*span, b.ns));
    found
}

/// Boot ids that were read, in order, with the first place of each.
#[must_use]
pub fn ids(case: &Case) -> BTreeMap<String, Citation> {
    let mut ids = BTreeMap::new();
    for r in &case.records {
        if let crate::evidence::What::Fields(f) = &r.what {
            for key in ["boot_id", "boot id", "Boot ID"] {
                if let Some(id) = f.get(key) {
                    ids.entry(id.value.replace('-', "").to_ascii_lowercase()).or_insert(id.at);
                }
            }
        }
    }
    ids
}

/// What a host that restarts looks like, and what says no more than that it was away.
const FOLLOWS: [&str; 12] = [
    "admin-down",
    "carrier-flap",
    "host-released",
    "host-starved",
    "lacp-lost-both-ways",
    "lacp-lost-towards-host",
    "lacpdu-lost-inside-host",
    "lacpdu-rx-late",
    "lacpdu-tx-late",
    "lacpdu-tx-silent",
    "managers-fighting",
    "outage-unexplained",
];

/// Takes the vote from findings that a restart of the host explains: all their instants lie in outages in which it booted.
pub(crate) fn weigh(case: &Case, subject: &Subject, alignments: &[Alignment], findings: &mut [Finding]) {
    let boots = boots(case, alignments);
    let outages = outages(subject, &boots);
    if outages.is_empty() {
        return;
    }
    let times: BTreeMap<Citation, i64> = case
        .kernel()
        .filter_map(|(r, _)| {
            let t = r.time?;
            let offset = match t.clock {
                Clock::Wall => 0,
                c => alignments.iter().find(|a| a.clock == c)?.offset,
            };
            Some((r.at, t.ns.saturating_add(offset)))
        })
        .collect();
    // Services are stopped before the kernel is, and the links come up again after it.
    let explained = |t: i64| {
        outages.iter().any(|((start, end), _)| {
            t >= start.saturating_sub(60 * SECOND) && t <= end.saturating_add(10 * SECOND)
        })
    };
    for f in findings.iter_mut() {
        if !matches!(f.bearing, Bearing::Implicates(_)) || !FOLLOWS.contains(&f.check) {
            continue;
        }
        let told: Vec<i64> = f.ns.iter().chain(&f.times).copied().collect();
        let told = if told.is_empty() {
            f.evidence.iter().filter_map(|at| times.get(at)).copied().collect()
        } else {
            told
        };
        if !told.is_empty() && told.into_iter().all(explained) {
            f.bearing = Bearing::Context;
            f.severity = f.severity.min(Severity::Warning);
            f.text.push_str("; the host was restarted at this time");
        }
    }
}
