//! What can be struck out of the path from the wire to the tap during a silence of the partner (verdict.md section 1).
//!
//! No LACPDU comes in: the switch may have stopped sending, the wire may lose frames, or the host may lose them before
//! the tap. Each segment that can be looked at from the host is looked at here, at the time of the silence: counters of
//! damage and of overflow, XDP programs, the multicast list, the host's own punctuality, and whether other frames kept
//! arriving. What was not seen is named; silence about a segment clears nothing.

use crate::case::{Case, Member};
use crate::evidence::{Citation, HookPoint, Meaning, Record};
use crate::readings::{self, Reading};
use crate::units::{Clock, Mac};
use crate::wire::{Part, Story};

const SECOND: i64 = 1_000_000_000;
/// Fewer frames in a second than this may be LACPDUs and neighbour discovery: no sign of data.
const DATA_PER_SECOND: i64 = 10;
/// Per cent of the time between two readings: from here on they lie in the silence.
const WITHIN: i64 = 90;
/// Per cent of the time between two readings: below it they are of another time, and say nothing.
const HALF: i64 = 50;
/// NICs of virtual machines: a hypervisor, its switch and its filters lie between them and the wire.
const PARAVIRTUAL: [&str; 7] = ["virtio_net", "vmxnet3", "hv_netvsc", "xen_netfront", "vif", "ena", "gve"];

/// A silence: from the last PDU to the first after it, and when the host gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// The last PDU before it.
    pub from: i64,
    /// The first PDU after it, or the end of the capture.
    pub to: i64,
    /// When the host said that it hears nobody.
    pub expired: i64,
    /// When the switch may have stopped sending data, because the host said Defaulted; else the same as `to`.
    pub data_until: i64,
    /// The period at which PDUs were due, nanoseconds.
    pub period: i64,
}

/// What the readings show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// Where.
    pub cited: Vec<Citation>,
    /// Data frames that arrived between two readings that lie in the silence (or of which at least nine tenths do). Else
    /// the readings lie around it, and the data may have paused with the LACPDUs.
    pub data_within: bool,
    /// Data frames, and the length of the time in which they arrived.
    pub data: (u64, i64),
}

/// No damage and no overflow that could explain the silence. `Err` names what was not read around it, or what grew.
pub fn undamaged(case: &Case, dev: &str, silence: &Silence) -> Result<Vec<Citation>, &'static str> {
    let until = silence.expired.min(silence.to);
    let mut cited = Vec::new();
    for (meanings, what) in [
        (
            [Meaning::RxCrc, Meaning::RxErrors, Meaning::RxSymbol, Meaning::FecUncorrected].as_slice(),
            "counters of damaged frames, read before and after the silence began",
        ),
        (&[Meaning::RxMissed], "counters of missed frames, read before and after the silence began"),
    ] {
        let mut seen = false;
        for series in readings::of(case, dev, meanings) {
            let Some((a, b)) = series.around(silence.from, until) else { continue };
            // The host expires when three PDUs are missing; had they been damaged, each would have been counted.
            if b.value - a.value > 1 {
                return Err("damaged or missed frames grew with the silence");
            }
            if !seen {
                cited.extend([a.at, b.at]);
            }
            seen = true;
        }
        if !seen {
            return Err(what);
        }
    }
    let dropped = readings::of(case, "", &[Meaning::SoftnetDropped]);
    let overflow =
        dropped.iter().filter_map(|s| s.around(silence.from, until)).any(|(a, b)| b.value > a.value);
    if overflow { Err("the softirq backlog overflowed") } else { Ok(cited) }
}

/// Frames other than LACPDUs reached the host while its partner was silent: how many, in which time, and whether the
/// readings lie within the silence.
///
/// The silence is looked at from when the first missing LACPDU was due: what stopped every frame had stopped them by then.
/// The readings that lie closest to it speak for it; what was counted farther away does not outvote them. Readings of
/// which a tenth or more lies outside show it only if more was counted than can have come outside, and how much comes
/// there must be known from readings that do not touch it: with data that paused like the LACPDUs, a long time between
/// two readings hides the pause.
fn data(case: &Case, dev: &str, silence: &Silence) -> Option<(Reading, Reading, bool)> {
    let due = silence.from.saturating_add(silence.period);
    let window = (due, silence.to.min(silence.data_until));
    let overlap = |a: &Reading, b: &Reading| b.ns.min(window.1).saturating_sub(a.ns.max(window.0)).max(0);
    let share = |a: &Reading, b: &Reading| overlap(a, b).saturating_mul(100) / (b.ns - a.ns).max(1);
    let apart = |a: &Reading, b: &Reading| b.ns <= silence.from || a.ns >= silence.to;
    let mut best: Option<(i64, Reading, Reading)> = None;
    for series in readings::of(case, dev, &[Meaning::RxPackets]) {
        // Of several the first: when the host has given up, the switch may stop sending data.
        let closest = series
            .pairs()
            .filter(|(a, b)| overlap(a, b) >= SECOND)
            .max_by_key(|(a, b)| (share(a, b), std::cmp::Reverse(a.ns)));
        let Some((a, b)) = closest else { continue };
        let most = series.pairs().map(|(a, b)| rate(&a, &b)).max().unwrap_or(0);
        let usual = DATA_PER_SECOND.max(most / 2);
        let paused = series
            .pairs()
            .filter(|(a, b)| a.ns >= due && b.ns <= silence.expired.min(silence.to) && b.ns - a.ns >= SECOND)
            .any(|(a, b)| rate(&a, &b) < usual);
        let mut arrived = i64::try_from(b.value - a.value).unwrap_or(i64::MAX);
        if share(&a, &b) < WITHIN {
            let elsewhere = series.pairs().filter(|(a, b)| apart(a, b)).map(|(a, b)| rate(&a, &b)).max();
            let (Some(elsewhere), true) = (elsewhere, share(&a, &b) >= HALF) else { continue };
            arrived = arrived.saturating_sub(frames(elsewhere, b.ns - a.ns - overlap(&a, &b)));
        }
        if paused || arrived < frames(usual, overlap(&a, &b)) {
            return None;
        }
        if best.is_none_or(|(s, _, _)| share(&a, &b) > s) {
            best = Some((share(&a, &b), a, b));
        }
    }
    best.map(|(share, a, b)| (a, b, share >= WITHIN))
}

/// Frames in a second between two readings.
fn rate(a: &Reading, b: &Reading) -> i64 {
    i64::try_from(b.value.saturating_sub(a.value)).unwrap_or(i64::MAX / 1_000_000).saturating_mul(1000)
        / ((b.ns - a.ns) / 1_000_000).max(1)
}

/// How many frames come in `ns` nanoseconds at a rate of so many in a second.
fn frames(rate: i64, ns: i64) -> i64 {
    rate.saturating_mul(ns / 1_000_000) / 1000
}

/// Everything between the wire and the tap that can be seen from the host is clear during the silence, and data kept
/// arriving. `Err` names the first thing that is not.
pub fn cleared(
    case: &Case,
    member: &Member,
    part: &Part,
    story: &Story,
    silence: &Silence,
) -> Result<Cleared, &'static str> {
    let dev = member.name.as_str();
    if part.host().is_none() || !part.timed {
        return Err("the host's own LACPDUs");
    }
    let late = |g: &&crate::capture::Gap| {
        g.from_ns < silence.expired && g.to_ns > silence.from.saturating_sub(3 * silence.period)
    };
    if story.out_gaps.iter().chain(&story.out_late).any(|g| late(&g)) {
        return Err("the host's own LACPDUs were late as well");
    }
    if case.driver(dev).is_some_and(|d| PARAVIRTUAL.contains(&d)) {
        return Err("a hypervisor lies between this interface and the wire");
    }
    let mut cited = undamaged(case, dev, silence)?;
    // A frame that is filtered away before the tap leaves no trace there.
    if case.hooks().any(|(_, h)| h.dev.as_deref() == Some(dev) && h.point == HookPoint::Xdp) {
        return Err("an XDP program is attached");
    }
    let links: Vec<_> = case
        .links()
        .filter(|(_, l)| l.name == dev && l.source.starts_with("ip-") && !l.flags.is_empty())
        .collect();
    if links.iter().any(|(_, l)| l.fields.get("xdp").is_some()) {
        return Err("an XDP program is attached");
    }
    // What is attached or joined is told by a reading in the silence: it may have been otherwise before and after.
    let during = |r: &Record| {
        r.time.is_some_and(|t| t.clock == Clock::Wall && t.ns >= silence.from && t.ns <= silence.to)
    };
    let link = links
        .iter()
        .find(|(r, _)| during(r))
        .ok_or("`ip -d link` in the silence, which shows XDP programs")?;
    cited.push(link.0.at);
    let joined = Mac::SLOW_PROTOCOLS.to_string();
    let lists: Vec<_> = case.settings("ip-maddr", Some(dev)).collect();
    if !lists.iter().all(|(_, f)| f.entries.iter().any(|e| e.value.contains(&joined))) {
        return Err("the slow-protocols address is missing in the multicast list");
    }
    let promiscuous =
        links.iter().filter(|(_, l)| l.fields.int("promiscuity").is_some_and(|p| p > 0)).map(|(r, _)| *r);
    let open = lists.iter().map(|(r, _)| *r).chain(promiscuous).find(|r| during(r));
    cited.push(
        open.ok_or("`ip maddr` in the silence, which shows whether the slow-protocols address is joined")?.at,
    );
    let (a, b, data_within) = data(case, dev, silence)
        .ok_or("received frames, read during the silence, that show data arriving")?;
    cited.extend([a.at, b.at]);
    Ok(Cleared { cited, data_within, data: (b.value - a.value, b.ns - a.ns) })
}
