//! Folds the frames of a capture into one [`Speaker`] per interface, direction and source address.
//!
//! A steady PDU costs one comparison with its predecessor; changes of content, long gaps and anomalies are kept
//! with their frame numbers, up to [`MAX_KEPT`] of each in all, then only counted.

use super::reader::{self, Frame, Totals};
use crate::evidence::Direction;
use crate::units::Mac;
use lacp::{PortInfo, SlowPdu};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most changes and gaps kept per capture; later ones are counted only.
pub const MAX_KEPT: usize = 20_000;
/// Most speakers followed per capture (a hostile file could invent a source address per frame).
pub const MAX_SPEAKERS: usize = 2048;
/// Gaps longer than this are kept one by one; the fast rate is one PDU a second (0.9 to 1.3 s from Linux).
pub const KEEP_GAP_NS: i64 = 1_700_000_000;
/// A PDU with the same content as its predecessor follows it by a period. One that follows closer than this was late
/// itself, or its predecessor was: a change would have another content.
pub const HURRIED_NS: i64 = 600_000_000;

/// The content of a PDU from one moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub ns: i64,
    /// In which frame.
    pub frame: u64,
    /// The sender.
    pub actor: PortInfo,
    /// What the sender believes of the receiver.
    pub partner: PortInfo,
    /// The last frame of the end it talks to, before this one: time and number.
    pub answered: Option<(i64, u64)>,
    /// The last PDU with this content: time and frame number.
    pub until: (i64, u64),
    /// PDUs with this content, the first included.
    pub pdus: u64,
}

/// In [`Change::until`] while the run lasts.
const OPEN: (i64, u64) = (i64::MAX, 0);

/// A silence between two PDUs of one speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The last PDU before.
    pub from_ns: i64,
    /// The first PDU after.
    pub to_ns: i64,
    /// Its frame number.
    pub to_frame: u64,
    /// The frame number of the last PDU before.
    pub from_frame: u64,
    /// The last frame of the other end before the PDU that ends it: time and number.
    pub answered: Option<(i64, u64)>,
}

impl Gap {
    /// Length in nanoseconds.
    #[must_use]
    pub const fn len_ns(&self) -> i64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
    /// Its last so many nanoseconds.
    #[must_use]
    pub const fn last(self, ns: i64) -> Self {
        Self { from_ns: self.to_ns.saturating_sub(ns), ..self }
    }
}

/// One source of LACPDUs on one link and direction.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// Interface in the capture.
    pub iface: u32,
    /// Direction, if the capture tells.
    pub direction: Option<Direction>,
    /// Ethernet source.
    pub source: Mac,
    /// LACPDUs.
    pub pdus: u64,
    /// LACPDUs that were the same frame again within a millisecond (a frame requeued after `NETDEV_TX_BUSY` is
    /// tapped again, kernel-facts 11.2 rule 10); not counted in `pdus`.
    pub repeats: u64,
    /// Marker PDUs.
    pub markers: u64,
    /// First PDU.
    pub first: (i64, u64),
    /// Last PDU.
    pub last: (i64, u64),
    /// Every change of content, the first PDU included.
    pub changes: Vec<Change>,
    /// Gaps longer than [`KEEP_GAP_NS`].
    pub gaps: Vec<Gap>,
    /// Number of intervals, their sum, shortest and longest, in nanoseconds.
    pub intervals: (u64, i64, i64, i64),
    /// PDUs that followed one of the same content within [`HURRIED_NS`]: their sender, or the path, bunches them.
    pub hurried: u64,
    /// Anomalies: text, how often, first frame.
    pub anomalies: BTreeMap<String, (u64, u64)>,
    /// Changes and gaps that were only counted.
    pub not_kept: u64,
}

impl Speaker {
    /// The content at an instant: the last change at or before it.
    #[must_use]
    pub fn at(&self, ns: i64) -> Option<&Change> {
        let n = self.changes.partition_point(|c| c.ns <= ns);
        n.checked_sub(1).and_then(|i| self.changes.get(i))
    }
    /// Mean interval in seconds.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a mean for a text")]
    pub fn mean_interval(&self) -> Option<f64> {
        (self.intervals.0 > 0).then(|| self.intervals.1 as f64 / self.intervals.0 as f64 / 1e9)
    }
}

/// A capture, folded.
#[derive(Debug, Clone, Default)]
pub struct Capture {
    /// Everything that is not a LACPDU.
    pub totals: Totals,
    /// The speakers in order of appearance.
    pub speakers: Vec<Arc<Speaker>>,
    /// Slow-protocol frames other than LACP and Marker, by subtype.
    pub other_subtypes: BTreeMap<u8, u64>,
    /// LACPDUs in all, repeats included.
    pub lacpdus: u64,
    /// True if speakers were left out.
    pub too_many_speakers: bool,
}

/// Reads and folds a capture.
#[must_use]
pub fn fold(bytes: &[u8]) -> Capture {
    let mut folder = Folder::new();
    let totals = reader::read(bytes, &mut |frame| folder.frame(&frame));
    let mut capture = folder.finish();
    capture.totals = totals;
    capture
}

/// What a steady PDU touches, kept together so that one cache line serves it.
struct Live<'a> {
    key: u64,
    iface: u32,
    payload: &'a [u8],
    last_ns: i64,
    last_frame: u64,
    pdus: u64,
    shortest: i64,
    longest: i64,
    repeats: u64,
    hurried: u64,
}

/// Folds frames one by one (also those of pasted text).
pub struct Folder<'a> {
    capture: Capture,
    speakers: Vec<Speaker>,
    live: Vec<Live<'a>>,
    /// Direct-mapped by a hash of the key: which entry of `live` was last used for it.
    cache: [u16; 256],
    kept: usize,
}

impl Default for Folder<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Folder<'a> {
    /// An empty fold.
    #[must_use]
    pub fn new() -> Self {
        Self {
            capture: Capture::default(),
            speakers: Vec::new(),
            live: Vec::new(),
            cache: [u16::MAX; 256],
            kept: 0,
        }
    }

    /// The result.
    #[must_use]
    pub fn finish(mut self) -> Capture {
        for (speaker, live) in self.speakers.iter_mut().zip(&self.live) {
            speaker.pdus = live.pdus;
            speaker.repeats = live.repeats;
            close(speaker, (live.last_ns, live.last_frame), live.pdus);
            speaker.hurried = live.hurried;
            if live.pdus > 0 {
                speaker.last = (live.last_ns, live.last_frame);
                // Intervals telescope: their sum is the time from the first to the last PDU.
                let sum = live.last_ns.saturating_sub(speaker.first.0);
                speaker.intervals = (live.pdus - 1, sum, live.shortest, live.longest);
            }
            self.capture.lacpdus += live.pdus + live.repeats;
        }
        self.capture.speakers = self.speakers.into_iter().map(Arc::new).collect();
        self.capture
    }

    /// Adds a frame.
    #[inline(always)]
    pub fn frame(&mut self, f: &Frame<'a>) {
        let tag = match f.direction {
            None => 0u64,
            Some(Direction::In) => 1,
            Some(Direction::Out) => 2,
        };
        let key = f.source | tag << 48;
        let slot = (key ^ u64::from(f.iface) << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        let slot = slot as usize & 0xff;
        let cached = usize::from(self.cache[slot]);
        // The steady PDU of a known speaker, and nothing else, takes this road.
        if let Some(live) = self.live.get_mut(cached)
            && live.key == key
            && live.iface == f.iface
            && live.payload == f.payload
            && !f.tagged
        {
            let gap = f.ns.wrapping_sub(live.last_ns);
            if (1_000_000..=KEEP_GAP_NS).contains(&gap) {
                live.shortest = live.shortest.min(gap);
                live.longest = live.longest.max(gap);
                live.hurried += u64::from(gap < HURRIED_NS);
                live.last_ns = f.ns;
                live.last_frame = f.number;
                live.pdus += 1;
                return;
            }
        }
        self.other(f, key, slot);
    }

    /// Everything but a steady PDU.
    #[cold]
    #[inline(never)]
    fn other(&mut self, f: &Frame<'a>, key: u64, slot: usize) {
        let Some(at) = self.find(key, f, slot) else { return };
        let (Some(live), Some(speaker)) = (self.live.get_mut(at), self.speakers.get_mut(at)) else {
            return;
        };
        if f.payload.first() != Some(&1) || f.tagged {
            slow_path(&mut self.capture.other_subtypes, speaker, f);
            if f.payload.first() != Some(&1) {
                return;
            }
        }
        let same = live.pdus > 0 && live.payload == f.payload;
        let gap = f.ns.saturating_sub(live.last_ns);
        if live.pdus > 0 {
            if same && (0..1_000_000).contains(&gap) {
                live.repeats += 1;
                return;
            }
            live.shortest = live.shortest.min(gap);
            live.longest = live.longest.max(gap);
            live.hurried += u64::from(same && (0..HURRIED_NS).contains(&gap));
        }
        self.news(at, f, gap, same);
    }

    /// A first PDU, a long gap or a change of content.
    fn news(&mut self, at: usize, f: &Frame<'a>, gap: i64, same: bool) {
        let answered = if same && gap <= KEEP_GAP_NS { None } else { answered(&self.live, at, f) };
        let (Some(live), Some(speaker)) = (self.live.get_mut(at), self.speakers.get_mut(at)) else {
            return;
        };
        if live.pdus == 0 {
            speaker.first = (f.ns, f.number);
        } else if gap > KEEP_GAP_NS {
            if self.kept < MAX_KEPT {
                self.kept += 1;
                speaker.gaps.push(Gap {
                    from_ns: live.last_ns,
                    to_ns: f.ns,
                    from_frame: live.last_frame,
                    to_frame: f.number,
                    answered,
                });
            } else {
                speaker.not_kept += 1;
            }
        }
        let before = (live.last_ns, live.last_frame, live.pdus);
        live.last_ns = f.ns;
        live.last_frame = f.number;
        live.pdus += 1;
        if !same {
            live.payload = f.payload;
            self.kept = changed(speaker, f, answered, before, self.kept);
        }
    }

    fn find(&mut self, key: u64, f: &Frame<'a>, slot: usize) -> Option<usize> {
        let at = match self.live.iter().position(|l| l.key == key && l.iface == f.iface) {
            Some(at) => at,
            None if self.live.len() >= MAX_SPEAKERS => {
                self.capture.too_many_speakers = true;
                return None;
            }
            None => {
                self.speakers.push(Speaker {
                    iface: f.iface,
                    direction: f.direction,
                    source: f.mac(),
                    pdus: 0,
                    repeats: 0,
                    markers: 0,
                    first: (f.ns, f.number),
                    last: (f.ns, f.number),
                    changes: Vec::new(),
                    gaps: Vec::new(),
                    intervals: (0, 0, i64::MAX, 0),
                    hurried: 0,
                    anomalies: BTreeMap::new(),
                    not_kept: 0,
                });
                self.live.push(Live {
                    key,
                    iface: f.iface,
                    payload: &[],
                    last_ns: f.ns,
                    last_frame: f.number,
                    pdus: 0,
                    shortest: i64::MAX,
                    longest: 0,
                    repeats: 0,
                    hurried: 0,
                });
                self.live.len() - 1
            }
        };
        if let (Some(c), Ok(n)) = (self.cache.get_mut(slot), u16::try_from(at)) {
            *c = n;
        }
        Some(at)
    }
}

#[cold]
fn slow_path(subtypes: &mut BTreeMap<u8, u64>, speaker: &mut Speaker, f: &Frame<'_>) {
    if f.tagged {
        let n = speaker.anomalies.entry("LACPDU behind a VLAN tag".to_owned()).or_insert((0, f.number));
        n.0 += 1;
    }
    match f.payload.first() {
        Some(1) => {}
        Some(2) => speaker.markers += 1,
        other => *subtypes.entry(other.copied().unwrap_or(0)).or_default() += 1,
    }
}

/// The last frame of the speaker that a new PDU is addressed to: the one whose own end the PDU names as its partner, or
/// that names this one.
fn answered(live: &[Live<'_>], at: usize, f: &Frame<'_>) -> Option<(i64, u64)> {
    let (actor, partner) = lacp::wire::fixed(f.payload)?;
    live.iter()
        .enumerate()
        .filter(|(i, l)| *i != at && l.iface == f.iface && l.pdus > 0)
        .filter(|(_, l)| {
            lacp::wire::fixed(l.payload).is_some_and(|(a, p)| {
                (a.system == partner.system && a.port == partner.port)
                    || (p.system == actor.system && p.port == actor.port)
            })
        })
        .map(|(_, l)| (l.last_ns, l.last_frame))
        .max()
}

/// Ends the run of the last change that was kept. `pdus`: how many the speaker has sent until then.
fn close(speaker: &mut Speaker, until: (i64, u64), pdus: u64) {
    if let Some(last) = speaker.changes.last_mut().filter(|c| c.until == OPEN) {
        last.until = until;
        // Until now the number of PDUs before the run.
        last.pdus = pdus.saturating_sub(last.pdus);
    }
}

/// The content changed: decode in full, note anomalies, keep the change if the two ends' blocks changed. `before`: time
/// and number of the PDU before, and how many there were.
#[cold]
fn changed(
    speaker: &mut Speaker,
    f: &Frame<'_>,
    answered: Option<(i64, u64)>,
    before: (i64, u64, u64),
    mut kept: usize,
) -> usize {
    let (pdu, anomalies) = lacp::wire::decode(f.payload);
    for a in anomalies {
        let n = speaker.anomalies.entry(a.to_string()).or_insert((0, f.number));
        n.0 += 1;
    }
    let SlowPdu::Lacpdu(pdu) = pdu else { return kept };
    let change = Change {
        ns: f.ns,
        frame: f.number,
        actor: pdu.actor,
        partner: pdu.partner,
        answered,
        until: OPEN,
        pdus: before.2,
    };
    let news = speaker.changes.last().is_none_or(|c| c.actor != change.actor || c.partner != change.partner);
    if news {
        close(speaker, (before.0, before.1), before.2);
        if kept < MAX_KEPT {
            kept += 1;
            speaker.changes.push(change);
        } else {
            speaker.not_kept += 1;
        }
    }
    kept
}
