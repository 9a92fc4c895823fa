//! When the host booted. A host that restarts is silent for a reason: its members leave the aggregate, and nobody's fault
//! is shown by that.

use crate::case::{Case, Subject};
use crate::evidence::{Citation, FileId, KernelKind, Record, What};
use crate::finding::{Bearing, Finding, Severity};
use crate::timeline::Alignment;
use crate::units::{Clock, Mac};
use lacp::PortState;
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
        if let What::Fields(f) = &r.what {
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

/// Why a finding has no vote although no restart was seen.
const UNSEEN: &str = "; the host may have been restarted: on every member it was silent and began anew, and nothing that was read tells otherwise";
/// No host is back sooner.
const SHORTEST: i64 = 10 * SECOND;
/// The members of a host that comes up do so within this time.
const TOGETHER: i64 = 15 * SECOND;

/// Silences of the host that a restart would explain although no sign of one survived: on every member it began anew after
/// them, with nobody for its partner, and neither the capture nor log nor counters go on through them.
fn unseen(case: &Case, subject: &Subject, times: &BTreeMap<Citation, i64>) -> Vec<(i64, i64)> {
    let mut members = Vec::new();
    for w in subject.members.iter().filter_map(|m| m.wire.as_ref()) {
        let mut spans = Vec::new();
        for (part, _) in w.told().filter(|(p, _)| p.timed) {
            // A capture with the kernel's own directions was made on this host, which was up all the time.
            let Some(host) = part.host().filter(|_| !part.tagged) else { continue };
            for (a, b) in host.changes.iter().zip(host.changes.iter().skip(1)) {
                let anew = b.actor.state.contains(PortState::DEFAULTED) && b.partner.system == Mac::ZERO;
                if anew && b.ns.saturating_sub(a.until.0) >= SHORTEST {
                    spans.push((a.until.0, b.ns));
                }
            }
        }
        members.push(spans);
    }
    let Some((first, others)) = members.split_first() else { return Vec::new() };
    first
        .iter()
        .filter(|(_, end)| others.iter().all(|spans| spans.iter().any(|(_, e)| (e - end).abs() <= TOGETHER)))
        .filter(|(start, end)| !went_on(case, times, *start, *end))
        .copied()
        .collect()
}

/// Something that was read on the host shows that it was the same boot before and after.
fn went_on(case: &Case, times: &BTreeMap<Citation, i64>, start: i64, end: i64) -> bool {
    let wall = |r: &Record| r.time.filter(|t| t.clock == Clock::Wall).map(|t| t.ns);
    let booted_before = |ns: Option<i64>, read: Option<i64>| {
        ns.is_some_and(|ns| ns < start) && read.is_some_and(|read| read >= end)
    };
    let btime = case.settings("proc-stat", None).any(|(r, f)| {
        let at = f.int("btime").and_then(|s| i64::try_from(s).ok()).and_then(|s| s.checked_mul(SECOND));
        booted_before(at, wall(r))
    });
    let uptime = case.settings("uptime", None).any(|(r, f)| {
        let up = f.int("up_seconds").and_then(|s| i64::try_from(s).ok()).and_then(|s| s.checked_mul(SECOND));
        booted_before(wall(r).zip(up).map(|(read, up)| read.saturating_sub(up)), wall(r))
    });
    // A log with lines of before and after, and no beginning between them.
    let mut logs: BTreeMap<FileId, (bool, bool, bool)> = BTreeMap::new();
    for (r, k) in case.kernel() {
        let log = logs.entry(r.at.file).or_default();
        if let Some(ns) = times.get(&r.at) {
            log.0 |= *ns < start;
            log.1 |= *ns > end;
        }
        log.2 |= k.kind == KernelKind::Boot;
    }
    let logged = logs.values().any(|(before, after, boot)| *before && *after && !boot);
    btime || uptime || logged || counted_on(case, start, end)
}

/// First and last value.
type Ends = (Option<u64>, Option<u64>);

/// Counters of a new boot begin at zero: several went on from where they were, and none fell.
fn counted_on(case: &Case, start: i64, end: i64) -> bool {
    let mut values: BTreeMap<(&str, &str, &str), Ends> = BTreeMap::new();
    for r in &case.records {
        let (What::Counters(c), Some(t)) = (&r.what, r.time.filter(|t| t.clock == Clock::Wall)) else {
            continue;
        };
        if case.files.get(r.at.file.0 as usize).is_some_and(|f| f.far_end) {
            continue;
        }
        for e in &c.entries {
            let seen = values.entry((c.source, c.dev.as_deref().unwrap_or(""), &e.name)).or_default();
            if t.ns <= start {
                seen.0 = seen.0.max(Some(e.value));
            } else if t.ns >= end {
                seen.1 = Some(seen.1.map_or(e.value, |v| v.min(e.value)));
            }
        }
    }
    let both = || values.values().filter_map(|(a, b)| a.zip(*b)).filter(|(a, _)| *a >= 100);
    both().count() >= 3 && both().all(|(a, b)| b >= a)
}

/// Takes the vote from findings that a restart of the host explains: all their instants lie in outages in which it booted.
pub(crate) fn weigh(case: &Case, subject: &Subject, alignments: &[Alignment], findings: &mut [Finding]) {
    let boots = boots(case, alignments);
    let told = outages(subject, &boots);
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
    let (outages, why): (Vec<(i64, i64)>, _) = if told.is_empty() {
        (unseen(case, subject, &times), UNSEEN)
    } else {
        (told.iter().map(|(span, _)| *span).collect(), "; the host was restarted at this time")
    };
    if outages.is_empty() {
        return;
    }
    // Services are stopped before the kernel is, and the links come up again after it.
    let explained = |t: i64| {
        outages.iter().any(|(start, end)| {
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
            f.text.push_str(why);
        }
    }
}
