//! Ties civil and boot clocks to the wall clock where two sources saw the same thing, each with an error bound.
//!
//! For the boot clock there are several roads: the same log line with both clocks, the bond's link changes in log and
//! `ip monitor`, losses of carrier in the log and on the wire, and the time of boot that the kernel gives. If two roads
//! contradict each other, or if a log holds more than one boot, the clocks stay apart.

use super::Alignment;
use crate::case::{Case, Member, Subject};
use crate::evidence::{FileId, KernelKind};
use crate::units::Clock;
use crate::wire::Cause;
use std::collections::{BTreeMap, BTreeSet};

const SECOND: i64 = 1_000_000_000;
/// The step of time zones.
const QUARTER: i64 = 900 * SECOND;
/// Most losses of carrier that are compared: a link that flapped for days matches everywhere.
const MAX_FLAPS: usize = 64;
/// Most pairs of such losses that may be the same one.
const MAX_FITS: usize = 400;

/// Ties civil and boot clocks to the wall clock where two sources saw the same thing.
#[must_use]
pub fn alignments(case: &Case, subject: &Subject) -> Vec<Alignment> {
    let mut out = Vec::new();
    out.extend(by_own_state(case, subject).or_else(|| by_zone(case, subject)));
    let local = out.first().map(|a: &Alignment| a.offset);
    out.extend(boot(case, subject, local));
    out
}

/// The boot clock: of all roads the most exact one, if no other contradicts it.
fn boot(case: &Case, subject: &Subject, local: Option<i64>) -> Option<Alignment> {
    let has = |clock: Clock| case.kernel().any(|(r, _)| r.time.is_some_and(|t| t.clock == clock));
    if !has(Clock::Boot) || several_boots(case) {
        return None;
    }
    let roads: Vec<Alignment> = [
        by_same_line(case, local),
        by_link_events(case, subject, local),
        by_carrier(case, subject),
        by_time_of_boot(case),
        by_collection(case),
    ]
    .into_iter()
    .flatten()
    .collect();
    let agree = roads
        .iter()
        .all(|a| roads.iter().all(|b| (a.offset - b.offset).abs() <= a.error.saturating_add(b.error)));
    roads.into_iter().filter(|_| agree).min_by_key(|a| a.error)
}

/// Civil time: the host's own state in a link event and in its LACPDUs. The offset is a zone: a multiple of 15 min.
fn by_own_state(case: &Case, subject: &Subject) -> Option<Alignment> {
    let mut diffs: Vec<i64> = Vec::new();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        let ours: Vec<(i64, u64)> = w
            .parts
            .iter()
            .filter_map(crate::wire::Part::host)
            .flat_map(|h| h.changes.iter().map(|c| (c.ns, u64::from(c.actor.state.bits()))))
            .collect();
        for (r, l) in case.links().filter(|(_, l)| l.source == "ip-monitor" && l.name == m.name) {
            let (Some(t), Some(state)) =
                (r.time.filter(|t| t.clock == Clock::Local), l.fields.int("actor_state"))
            else {
                continue;
            };
            let near = ours
                .iter()
                .filter(|(_, s)| *s == state)
                .map(|(ns, _)| {
                    let d = ns - t.ns;
                    let zone = (d as f64 / QUARTER as f64).round() as i64 * QUARTER;
                    (d - zone, zone)
                })
                .min_by_key(|(rest, _)| rest.abs());
            if let Some((_, zone)) =
                near.filter(|(rest, zone)| rest.abs() < 2_000_000_000 && zone.abs() <= 14 * 4 * QUARTER)
            {
                diffs.push(zone);
            }
        }
    }
    diffs.sort_unstable();
    if let Some(zone) = most_frequent(&diffs) {
        let pairs = diffs.iter().filter(|d| **d == zone).count();
        if pairs * 2 > diffs.len() {
            return Some(Alignment { clock: Clock::Local, offset: zone, error: 2 * SECOND, pairs });
        }
    }
    None
}

/// Without the host's state: losses of the link in a log, or in link events, against outages in which the port had been
/// disabled.
fn by_zone(case: &Case, subject: &Subject) -> Option<Alignment> {
    let mut zones: Vec<i64> = Vec::new();
    for m in &subject.members {
        let silences: Vec<i64> = silences(m).map(|s| s.from).chain(last_words(m)).collect();
        if silences.is_empty() {
            continue;
        }
        let log = case
            .kernel_of(&m.name)
            .filter(|(_, k)| matches!(k.kind, KernelKind::LinkDown | KernelKind::MemberDown))
            .map(|(r, _)| r);
        // The listener hears of changes only: a first event without link is the loss of it.
        let mut up = true;
        let events = case.links().filter_map(|(r, l)| {
            if l.source != "ip-monitor" || l.name != m.name || l.flags.is_empty() {
                return None;
            }
            let was = std::mem::replace(&mut up, l.flag("LOWER_UP"));
            (was && !up).then_some(r)
        });
        let losses = log.chain(events).filter_map(|r| r.time.filter(|t| t.clock == Clock::Local));
        for t in losses.take(MAX_FLAPS) {
            for from in &silences {
                let diff = from - t.ns;
                let zone = (diff as f64 / QUARTER as f64).round() as i64 * QUARTER;
                // The last LACPDU before may be a slow period old.
                if (-35 * SECOND..5 * SECOND).contains(&(diff - zone)) && zone.abs() <= 14 * 4 * QUARTER {
                    zones.push(zone);
                }
            }
        }
    }
    zones.sort_unstable();
    let zone = most_frequent(&zones)?;
    let pairs = zones.iter().filter(|z| **z == zone).count();
    Some(Alignment { clock: Clock::Local, offset: zone, error: 5 * SECOND, pairs })
}

/// The last LACPDU of either end, if the capture went on for long without another.
fn last_words(m: &Member) -> impl Iterator<Item = i64> + '_ {
    let told = m.wire.iter().flat_map(crate::wire::Wire::told).filter(|(p, _)| p.timed);
    told.flat_map(|(_, story)| &story.outages)
        .filter(|o| o.span.open && o.gap.is_none() && o.cause == Cause::Unclear)
        .map(|o| o.span.start)
}

/// True if the boot clock of a log starts anew, or if boots at several times are known: one offset cannot fit.
fn several_boots(case: &Case) -> bool {
    let mut last: BTreeMap<FileId, i64> = BTreeMap::new();
    for (r, k) in case.kernel() {
        let Some(t) = r.time.filter(|t| t.clock == Clock::Boot) else { continue };
        let seen = last.entry(r.at.file).or_insert(t.ns);
        // Lines of several processors are not strictly in order.
        if t.ns < seen.saturating_sub(10 * SECOND) || (k.kind == KernelKind::Boot && *seen > t.ns + SECOND) {
            return true;
        }
        *seen = (*seen).max(t.ns);
    }
    let times: BTreeSet<i64> = boot_times(case).collect();
    matches!((times.first(), times.last()), (Some(a), Some(b)) if b - a > 5 * SECOND)
}

/// The time of boot (`btime` of `/proc/stat`, in whole seconds), wherever it was read.
fn boot_times(case: &Case) -> impl Iterator<Item = i64> {
    case.settings("proc-stat", None)
        .filter_map(|(_, f)| i64::try_from(f.int("btime")?).ok()?.checked_mul(SECOND))
}

/// The same message with both clocks: `dmesg` and the journal, or syslog of the same host.
fn by_same_line(case: &Case, local: Option<i64>) -> Option<Alignment> {
    // None: the message stands there more than once.
    let mut boot: BTreeMap<&str, Option<i64>> = BTreeMap::new();
    let mut wall: BTreeMap<&str, Option<(i64, i64)>> = BTreeMap::new();
    for (r, k) in case.kernel().filter(|(_, k)| k.kind != KernelKind::Other && k.text.len() >= 12) {
        let text = k.text.trim();
        match r.time {
            Some(t) if t.clock == Clock::Boot => {
                boot.entry(text).and_modify(|v| *v = None).or_insert(Some(t.ns));
            }
            Some(t) if t.clock == Clock::Wall => {
                wall.entry(text).and_modify(|v| *v = None).or_insert(Some((t.ns, SECOND / 10)));
            }
            Some(t) => {
                let known = local.map(|o| (t.ns.saturating_add(o), SECOND));
                wall.entry(text).and_modify(|v| *v = None).or_insert(known);
            }
            None => {}
        }
    }
    // What was logged before the log daemon ran has the time at which it started.
    let mut pairs: Vec<(i64, i64)> = boot
        .iter()
        .filter_map(|(text, b)| {
            let (b, (w, error)) = ((*b)?, (*wall.get(text)?)?);
            (b > 30 * SECOND).then_some((w.saturating_sub(b), error))
        })
        .collect();
    pairs.sort_unstable();
    let middle = pairs.get(pairs.len() / 2)?.0;
    let near: Vec<&(i64, i64)> = pairs.iter().filter(|p| (p.0 - middle).abs() <= 3 * SECOND).collect();
    // One message may be the same by chance.
    if near.len() < 2 || near.len() * 3 < pairs.len() * 2 {
        return None;
    }
    let spread = near.iter().map(|p| (p.0 - middle).abs()).max().unwrap_or(0);
    let grain = near.iter().map(|p| p.1).max().unwrap_or(0);
    Some(Alignment {
        clock: Clock::Boot,
        offset: middle,
        error: spread.saturating_add(grain),
        pairs: near.len(),
    })
}

/// The bond's "definitely down/up" lines against link events of the same member, in order.
fn by_link_events(case: &Case, subject: &Subject, local: Option<i64>) -> Option<Alignment> {
    let mut pairs: Vec<i64> = Vec::new();
    for m in &subject.members {
        let log: Vec<(bool, i64)> = case
            .kernel_of(&m.name)
            .filter_map(|(r, k)| {
                let t = r.time.filter(|t| t.clock == Clock::Boot)?;
                match k.kind {
                    KernelKind::MemberDown => Some((false, t.ns)),
                    KernelKind::MemberUp => Some((true, t.ns)),
                    _ => None,
                }
            })
            .collect();
        let mut up = None;
        let mut seen: Vec<(bool, i64)> = Vec::new();
        for (r, l) in case.links().filter(|(_, l)| l.source == "ip-monitor" && l.name == m.name) {
            let Some(mii) = l.fields.text("mii_status") else { continue };
            let now = mii.eq_ignore_ascii_case("up");
            let t = match r.time {
                Some(t) if t.clock == Clock::Wall => Some(t.ns),
                Some(t) if t.clock == Clock::Local => local.map(|o| t.ns + o),
                _ => None,
            };
            if up.is_some_and(|u| u != now)
                && let Some(t) = t
            {
                seen.push((now, t));
            }
            up = Some(now);
        }
        if log.len() == seen.len() && log.iter().zip(&seen).all(|(a, b)| a.0 == b.0) {
            pairs.extend(log.iter().zip(&seen).map(|(a, b)| b.1 - a.1));
        }
    }
    pairs.sort_unstable();
    if let (Some(low), Some(high)) = (pairs.first(), pairs.last())
        && high - low < 5_000_000_000
    {
        let offset = low + (high - low) / 2;
        return Some(Alignment {
            clock: Clock::Boot,
            offset,
            error: (high - low) / 2 + 300_000_000,
            pairs: pairs.len(),
        });
    }
    None
}

/// A silence of a member whose port had been disabled: its last LACPDU before, how soon the next would have been due, and
/// the first one after.
#[derive(Clone, Copy)]
struct Silence {
    from: i64,
    due: i64,
    to: i64,
}

fn silences(m: &Member) -> impl Iterator<Item = Silence> {
    m.wire.iter().flat_map(crate::wire::Wire::told).filter(|(p, _)| p.timed).flat_map(|(part, story)| {
        let due = story.asked.1.map_or(35 * SECOND, |p| p + p / 2);
        let host = part.host().is_some();
        story.outages.iter().filter(move |o| host && o.cause == Cause::LinkDown).filter_map(move |o| {
            let gap = o.gap?;
            (gap.to_ns > gap.from_ns).then_some(Silence { from: gap.from_ns, due, to: gap.to_ns })
        })
    })
}

/// Losses of carrier in the log of one member: down and up, on the boot clock.
fn flaps(case: &Case, m: &Member) -> Vec<(i64, i64)> {
    let driver = case.kernel_of(&m.name).any(|(_, k)| k.kind == KernelKind::LinkDown);
    let mut down = None;
    let mut flaps = Vec::new();
    for (r, k) in case.kernel_of(&m.name) {
        let Some(t) = r.time.filter(|t| t.clock == Clock::Boot) else { continue };
        match k.kind {
            KernelKind::LinkDown => down = Some(t.ns),
            KernelKind::MemberDown if !driver => down = Some(t.ns),
            KernelKind::LinkUp | KernelKind::LinkUpHalf => flaps.extend(down.take().map(|d| (d, t.ns))),
            KernelKind::MemberUp if !driver => flaps.extend(down.take().map(|d| (d, t.ns))),
            _ => {}
        }
    }
    flaps.truncate(MAX_FLAPS);
    flaps
}

/// Losses of carrier in the log against silences on the wire. A port that comes up sends within a second or so; one that
/// goes down has sent until its next LACPDU was due. Every silence must have its loss in the log, every loss in the
/// captured time its silence, and no other offset may fit as well.
fn by_carrier(case: &Case, subject: &Subject) -> Option<Alignment> {
    // Mii monitoring, and what the driver takes to notice.
    let slack = 3 * SECOND / 2;
    let updelay = subject
        .field("Up Delay (ms)")
        .and_then(|f| crate::evidence::leading_int(&f.value))
        .and_then(|ms| i64::try_from(ms).ok()?.checked_mul(1_000_000))
        .unwrap_or(0);
    // What offsets a pair allows: lowest, highest, which silence.
    let mut fits: Vec<(i64, i64, usize)> = Vec::new();
    let mut silences_in_all = 0usize;
    let logs: Vec<(&Member, Vec<(i64, i64)>)> = subject.members.iter().map(|m| (m, flaps(case, m))).collect();
    for (m, log) in &logs {
        for s in silences(m).take(MAX_FLAPS) {
            for (down, up) in log {
                let low = (s.from - slack - down).max(s.to - 3 * SECOND - updelay - up);
                let high = (s.from + s.due + SECOND / 2 - down).min(s.to + SECOND / 5 - up);
                if low <= high {
                    fits.push((low, high, silences_in_all));
                }
            }
            silences_in_all += 1;
        }
    }
    if silences_in_all == 0 || fits.len() > MAX_FITS {
        return None;
    }
    // Offsets that suit all silences, as ranges that do not touch each other.
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for (low, ..) in &fits {
        let at: Vec<&(i64, i64, usize)> = fits.iter().filter(|f| f.0 <= *low && *low <= f.1).collect();
        let all = at.iter().map(|f| f.2).collect::<BTreeSet<_>>().len() == silences_in_all;
        let high = at.iter().map(|f| f.1).min().unwrap_or(*low);
        if all && !ranges.contains(&(*low, high)) {
            ranges.push((*low, high));
        }
    }
    let (low, high) = (ranges.iter().map(|r| r.0).min()?, ranges.iter().map(|r| r.1).max()?);
    let (offset, error) = (low + (high - low) / 2, (high - low) / 2);
    if high - low > 10 * SECOND {
        return None;
    }
    // A loss that the log puts into the captured time of a member which had none there.
    let contradicted = logs.iter().any(|(m, log)| {
        let captured = |t: i64| {
            m.wire.iter().flat_map(|w| &w.parts).any(|p| {
                p.timed
                    && p.host().is_some()
                    && t - error > p.span.0 + SECOND
                    && t + error < p.span.1 - SECOND
            })
        };
        log.iter().any(|(down, up)| {
            // Shorter than a period: no LACPDU needs to be missing.
            let (down, up) = (down + offset, up + offset);
            up - down > 2 * SECOND
                && captured(down)
                && captured(up)
                && !silences(m).any(|s| s.from - slack - error <= down && down <= s.to + error)
        })
    });
    (!contradicted).then_some(Alignment { clock: Clock::Boot, offset, error, pairs: silences_in_all })
}

/// The clocks as the collection read them, one right after another.
fn by_collection(case: &Case) -> Option<Alignment> {
    let (offset, error, pairs) = crate::collection::facts::boot_offset(case)?;
    Some(Alignment { clock: Clock::Boot, offset, error, pairs })
}

/// The kernel's own time of boot, or an uptime read at a known time. The clock of the log is not disciplined: it may drift
/// from the wall clock by some 50 parts in a million, as `dmesg -T` does.
fn by_time_of_boot(case: &Case) -> Option<Alignment> {
    let up = |(r, f): (&crate::evidence::Record, &crate::evidence::Fields)| {
        let t = r.time.filter(|t| t.clock == Clock::Wall)?;
        let (whole, part) = f.text("up_seconds")?.split_once('.')?;
        let ns = whole.parse::<i64>().ok()?.checked_mul(SECOND)?;
        t.ns.checked_sub(ns)?.checked_sub(part.parse::<i64>().ok()?.checked_mul(SECOND / 100)?)
    };
    // `btime` is cut off to whole seconds.
    let times: Vec<i64> = boot_times(case)
        .map(|t| t + SECOND / 2)
        .chain(case.settings("uptime", None).filter_map(up))
        .collect();
    let (low, high) = (*times.iter().min()?, *times.iter().max()?);
    if high - low > 5 * SECOND {
        return None;
    }
    let uptime =
        case.kernel().filter_map(|(r, _)| r.time.filter(|t| t.clock == Clock::Boot)).map(|t| t.ns).max()?;
    let error = SECOND + (high - low) / 2 + uptime / 20_000;
    Some(Alignment { clock: Clock::Boot, offset: low + (high - low) / 2, error, pairs: times.len() })
}

fn most_frequent(sorted: &[i64]) -> Option<i64> {
    let mut best: Option<(usize, i64)> = None;
    let mut i = 0;
    while let Some(v) = sorted.get(i) {
        let n = sorted.iter().skip(i).take_while(|x| *x == v).count();
        if best.is_none_or(|(b, _)| n > b) {
            best = Some((n, *v));
        }
        i += n;
    }
    best.map(|(_, v)| v)
}
