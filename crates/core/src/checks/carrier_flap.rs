//! # A member lost carrier
//!
//! ## What it shows
//! The link of a member went down while it was administratively up: kernel log, link events, growing failure counts, or LACPDUs that show the port was disabled.
//!
//! ## Why it matters
//! Below carrier there is no LACP: what happens to the aggregate afterwards is a consequence. Short, repeated losses on one member while others on the same host are steady are the mark of a cable, transceiver or port.
//!
//! ## How it can be wrong
//! A switch that reboots or shuts the port, and a driver that resets the NIC, take carrier away as well. One long loss therefore decides nothing; three or more, most of them shorter than ten seconds and none as long as a reboot, on one member only and without a word of the driver or the bus, are the mark of the link, no more than indicative: a script that shuts a port again and again looks the same. An administrative down also counts as a link failure (erratum E-16) and is taken out where it is visible. A link that is being trained may be reported up at 1000 Mb/s half duplex, which no driver advertises, and down within a tenth of a second: nothing was lost.
//!
//! ## What would settle it
//! The switch port's own log and transition counters for the same seconds; error counters and optical levels; moving cable, transceiver and port one at a time.
//!
//! ## References
//! verdict.md section 1 ("carrier events"); kernel-facts.md section 6 and 11.1 rows "carrier".

use crate::case::{Case, Member, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::{Citation, KernelKind, KernelLine, Record};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::units::Clock;
use crate::wire::Cause;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "carrier-flap",
    title: "A member lost carrier",
    requirements: &["S4-02", "S4-05", "S4-06", "S4-11", "S4-39", "S4-40", "S4-79", "S4-117", "E-16", "E-20"],
    page: include_str!("carrier_flap.rs"),
    run,
};

/// Shorter than any switch reboots or any person or script shuts and opens a port.
const SHORT: i64 = 1_000_000_000;
/// Shorter than a switch needs to start anew, or to bring back a port that it had disabled (30 s and more).
const BRIEF: i64 = 10_000_000_000;
const LONG: i64 = 30_000_000_000;
/// Between two reports of a link that is being trained.
const TRAINING: i64 = 150_000_000;
/// A reset this long before a loss explains it.
const BEFORE: i64 = 10_000_000_000;

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    let reading: Vec<_> = subject.members.iter().map(|m| (m, losses(case, subject, m))).collect();
    let steady =
        reading.iter().filter(|(_, l)| l.admin || (l.downs.is_empty() && l.failures.is_none())).count();
    for (m, l) in &reading {
        if let Some((low, high, at, at2)) = l.failures
            && l.downs.is_empty()
        {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::State,
                    at,
                    format!("{}: the link failure count rose from {low} to {high}", m.name),
                )
                .suspects(&[
                    (D::Physical, S::Moderate),
                    (D::SwitchConfig, S::Weak),
                    (D::HostDriverFirmware, S::Weak),
                ])
                .member(&m.name)
                .way(Way::Both)
                .and(at2),
            );
            continue;
        }
        let Some(first) = l.downs.first() else { continue };
        if l.admin {
            found.push(
                Finding::new(CHECK.id, Kind::Log, first.at, format!("{}: went down {} time(s); at least once it was taken down administratively on this host", m.name, l.downs.len()))
                    .member(&m.name)
                    .severity(Severity::Info),
            );
            continue;
        }
        let short = l.downs.iter().filter(|d| d.length.is_some_and(|n| n < SHORT)).count();
        let n = l.downs.len();
        let text = format!(
            "{}: lost carrier {n} time(s){}",
            m.name,
            if short > 0 { format!(", {short} of them for less than 1 s") } else { String::new() }
        );
        let f = Finding::new(CHECK.id, first.kind, first.at, text)
            .member(&m.name)
            .way(Way::Both)
            .and_all(l.downs.iter().skip(1).take(7).map(|d| d.at));
        let f = match first.wall {
            Some(ns) => f.at(ns),
            None => f,
        };
        found.push(if let Some(reset) = l.reset {
            f.suspects(&[(D::HostDriverFirmware, S::Moderate), (D::Physical, S::Weak)]).and(reset)
        } else if subject.bond && first.kind != Kind::Wire && repeated(&l.downs) && steady > 0 {
            let mut f = f.implicates(D::Physical, S::Moderate);
            f.text.push_str(&format!("; {steady} other member(s) of the same bond stayed up"));
            match l.failures {
                // The bond counted them between the readings: whatever clock the log has, they are of this case.
                Some((low, high, at, at2)) if high - low >= n as u64 => {
                    f.kind = Kind::State;
                    f.text.push_str(&format!("; the bond counted {} between the readings", high - low));
                    f.and(at).and(at2)
                }
                _ => f,
            }
        } else {
            f.suspects(&[
                (D::Physical, S::Moderate),
                (D::SwitchConfig, S::Weak),
                (D::SwitchControlPlane, S::Weak),
                (D::HostDriverFirmware, S::Weak),
            ])
        });
    }
    Outcome::of(found)
}

/// Several losses, most of them brief and none long: neither a switch that starts anew nor somebody who shuts a port.
fn repeated(downs: &[Down]) -> bool {
    let brief = downs.iter().filter(|d| d.length.is_some_and(|n| n < BRIEF)).count();
    let long = downs.iter().any(|d| d.length.is_some_and(|n| n >= LONG));
    downs.len() >= 3 && !long && brief >= 2 && brief * 2 > downs.len()
}

struct Down {
    at: Citation,
    kind: Kind,
    wall: Option<i64>,
    length: Option<i64>,
}

/// Lines of the kernel log about one interface.
type Lines<'a> = [(&'a Record, &'a KernelLine)];

/// True if the last word about the link before a line is that it is down. Where a log counts in whole seconds, the order
/// of its lines tells what came first.
pub(super) fn while_down(lines: &Lines<'_>, at: usize) -> bool {
    let Some((r, _)) = lines.get(at) else { return false };
    let earlier = |i: usize, d: &Record| matches!((d.time, r.time), (Some(a), Some(b)) if a.clock == b.clock && (a.ns < b.ns || a.ns == b.ns && i < at));
    lines
        .iter()
        .enumerate()
        .rfind(|(i, (d, l))| {
            matches!(l.kind, KernelKind::LinkDown | KernelKind::LinkUp | KernelKind::LinkUpHalf)
                && earlier(*i, d)
        })
        .is_some_and(|(_, (_, l))| l.kind == KernelKind::LinkDown)
}

/// Leaves out what a driver reports while the link is being trained: up in a mode that nobody offers (1000 Mb/s has no half
/// duplex worth the name, no driver advertises it), and down again at once.
fn without_training<'a>(lines: &Lines<'a>) -> Vec<(&'a Record, &'a KernelLine)> {
    let odd = |i: usize| {
        let (Some((u, up)), Some((d, down))) = (lines.get(i), lines.get(i + 1)) else { return false };
        up.kind == KernelKind::LinkUpHalf
            && up.text.contains("1000 Mbps")
            && down.kind == KernelKind::LinkDown
            && matches!((u.time, d.time), (Some(a), Some(b)) if a.clock == b.clock && a.ns <= b.ns && b.ns - a.ns <= TRAINING)
    };
    (0..lines.len())
        .filter(|&i| !odd(i) && (i == 0 || !odd(i - 1)))
        .filter_map(|i| lines.get(i).copied())
        .collect()
}

/// True if the log's last word about the link of a member is that it is down.
pub(crate) fn ends_down(case: &Case, member: &str) -> bool {
    case.kernel_of(member)
        .filter(|(_, k)| matches!(k.kind, KernelKind::LinkDown | KernelKind::LinkUp | KernelKind::LinkUpHalf))
        .last()
        .is_some_and(|(_, k)| k.kind == KernelKind::LinkDown)
}

/// True if the log, or an event, tells of a loss of carrier of the member between two instants of the wall clock, or in the
/// second before: a link that is down explains that nothing was sent. What the host itself took down is no loss.
pub(super) fn lost_between(case: &Case, subject: &Subject, m: &Member, from_ns: i64, to_ns: i64) -> bool {
    let arp = subject.field("ARP Polling Interval (ms)").is_some_and(|f| f.value != "0");
    let log = case
        .kernel_of(&m.name)
        .filter(|(_, k)| k.kind == KernelKind::LinkDown || (!arp && k.kind == KernelKind::MemberDown))
        .map(|(r, _)| r);
    let events = case
        .links()
        .filter(|(_, k)| k.name == m.name && k.source == "ip-monitor" && k.flag("UP") && !k.flag("LOWER_UP"))
        .map(|(r, _)| r);
    let alignments = crate::timeline::alignments(case, subject);
    log.chain(events).filter_map(|r| r.time).any(|t| {
        let wall = match t.clock {
            Clock::Wall => Some((t.ns, 0)),
            c => alignments.iter().find(|a| a.clock == c).map(|a| (t.ns.saturating_add(a.offset), a.error)),
        };
        wall.is_some_and(|(ns, error)| {
            ns >= from_ns.saturating_sub(SHORT).saturating_sub(error) && ns <= to_ns.saturating_add(error)
        })
    })
}

#[derive(Default)]
struct Losses {
    downs: Vec<Down>,
    /// Lowest and highest failure count of several readings.
    failures: Option<(u64, u64, Citation, Citation)>,
    /// It was administratively down at some time.
    admin: bool,
    /// A reset of the NIC in the same log, shortly before a loss.
    reset: Option<Citation>,
}

fn losses(case: &Case, subject: &Subject, m: &Member) -> Losses {
    let admin = case.links().any(|(_, k)| k.name == m.name && !k.flags.is_empty() && !k.flag("UP"));
    let mut l = Losses { admin, ..Losses::default() };
    // Kernel log: the driver's lines if it speaks, else the bond's.
    let lines: Vec<_> = case.kernel_of(&m.name).collect();
    // With ARP monitoring the bond's own "down" says nothing about carrier.
    let arp = subject.field("ARP Polling Interval (ms)").is_some_and(|f| f.value != "0");
    let driver_speaks = lines.iter().any(|(_, k)| k.kind == KernelKind::LinkDown);
    let is_down =
        |k: KernelKind| k == KernelKind::LinkDown || (!driver_speaks && !arp && k == KernelKind::MemberDown);
    let is_up = |k: KernelKind| {
        matches!(k, KernelKind::LinkUp | KernelKind::LinkUpHalf)
            || (!driver_speaks && !arp && k == KernelKind::MemberUp)
    };
    // What the log holds from before the member's present enslavement is history, not this case.
    let since = lines.iter().rposition(|(_, k)| k.kind == KernelKind::Enslaved).map_or(0, |i| i + 1);
    let lines: Vec<_> = without_training(lines.get(since..).unwrap_or_default());
    for (i, (r, k)) in lines.iter().enumerate() {
        if !is_down(k.kind) {
            continue;
        }
        // A NIC that reports "down" while it is being brought up for the first time has not lost anything.
        let up = lines.iter().skip(i + 1).find(|(_, k)| is_up(k.kind));
        let length = up
            .and_then(|(u, _)| Some((u.time?, r.time?)))
            .filter(|(a, b)| a.clock == b.clock)
            .map(|(a, b)| a.ns - b.ns);
        l.downs.push(Down { at: r.at, kind: Kind::Log, wall: crate::case::wall(r.time), length });
        let before = |t: &crate::units::Stamp| {
            r.time.is_some_and(|d| d.clock == t.clock && t.ns <= d.ns && d.ns - t.ns < BEFORE)
        };
        // A driver that resets because the link went is a consequence.
        if let Some((_, (reset, _))) = lines.iter().enumerate().find(|(at, (x, k))| {
            matches!(
                k.kind,
                KernelKind::NicReset
                    | KernelKind::TxHang
                    | KernelKind::TxTimeout
                    | KernelKind::FirmwareError
                    | KernelKind::PcieLost
                    | KernelKind::AerUncorrectable
            ) && x.time.as_ref().is_some_and(before)
                && (x.time != r.time || *at < i)
                && !while_down(&lines, *at)
        }) {
            l.reset = Some(reset.at);
        }
    }
    // The kernel counts every loss since the member joined. More lines than that are older.
    if let Some(counted) = m.states.iter().filter_map(|s| s.failures).max()
        && subject.bond
    {
        let counted = usize::try_from(counted).unwrap_or(usize::MAX);
        if l.downs.len() > counted {
            l.downs.drain(..l.downs.len() - counted);
        }
    }
    if l.downs.is_empty() {
        // LACPDUs: the port was disabled and came back.
        if let Some(w) = &m.wire {
            for (part, story) in w.told() {
                for o in story.outages.iter().filter(|o| o.cause == Cause::LinkDown) {
                    l.downs.push(Down {
                        // The frame that says so, not the one that ended it.
                        at: part.cite(o.proof.first().map_or(o.span.last, |p| p.0)),
                        kind: Kind::Wire,
                        wall: Some(o.span.start),
                        length: Some(o.span.end - o.span.start),
                    });
                }
            }
        }
    }
    if l.downs.is_empty() {
        // Link events of `ip monitor`.
        let mut up: Option<bool> = None;
        for (r, k) in
            case.links().filter(|(_, k)| k.name == m.name && k.source == "ip-monitor" && !k.flags.is_empty())
        {
            let now = k.flag("LOWER_UP");
            if up == Some(false)
                && now
                && let Some(d) = l.downs.last_mut()
                && let (Some(from), Some(to)) = (d.wall, crate::case::wall(r.time))
            {
                d.length.get_or_insert(to.saturating_sub(from));
            }
            if up == Some(true) && !now && k.flag("UP") {
                l.downs.push(Down {
                    at: r.at,
                    kind: Kind::State,
                    wall: crate::case::wall(r.time),
                    length: None,
                });
            }
            up = Some(now);
        }
    }
    let counts: Vec<_> = m.states.iter().filter_map(|s| s.failures.map(|f| (f, s.at))).collect();
    if let (Some(low), Some(high)) = (counts.iter().min_by_key(|c| c.0), counts.iter().max_by_key(|c| c.0))
        && high.0 > low.0
        && !l.admin
    {
        l.failures = Some((low.0, high.0, low.1, high.1));
    }
    l
}
