//! From the books of the layers to the place: rows a to t of kernel-facts.md section 8 as a procedure.
//!
//! First the states that explain everything (switched off, no carrier, no member), then the lowest interface that counts
//! drops, then what was swallowed without a counter, then what left and was not answered.

use super::signs::Signs;
use super::stack::{Layer, Role};
use super::tally::{Amount, Tally, amount};
use super::{Owner, PathReport, Place, candidates, state, swallowed};
use crate::case::Case;
use crate::evidence::Citation;

/// How sure a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Something there counted the frames that are missing, or the kernel named it.
    Shown,
    /// Everything else that it could be was read and is not it.
    Left,
    /// It is one of several.
    Possible,
}

impl Standing {
    /// The word of the output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Left => "left",
            Self::Possible => "possible",
        }
    }
}

/// A place at which frames die, or may die.
#[derive(Debug, Clone)]
pub struct PlaceFound {
    /// What kind of place.
    pub place: Place,
    /// The interface it is at.
    pub device: String,
    /// The program, rule, queue or state, as the tools call it.
    pub what: String,
    /// The rows of the table that fit (kernel-facts.md section 8).
    pub rows: &'static str,
    /// How sure.
    pub standing: Standing,
    /// How many frames died there, if that was counted.
    pub frames: Option<u64>,
    /// One sentence.
    pub text: String,
    /// Where it was read.
    pub evidence: Vec<Citation>,
    /// Whose program or filter it is.
    pub owner: Option<Owner>,
    /// What to do about it, at its owner first.
    pub remedy: String,
}

/// Something that was looked at and is not the place.
#[derive(Debug, Clone)]
pub struct Ruled {
    /// What, and at which interface.
    pub what: String,
    /// Why it is not the place.
    pub because: String,
    /// Where it was read.
    pub evidence: Vec<Citation>,
}

/// A reading that would settle what is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Settle {
    /// A command.
    pub run: String,
    /// What its answers would mean.
    pub expect: String,
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conclusion {
    /// The place is known.
    Found,
    /// Frames are lost, and more than one place is left.
    Open,
    /// What went in came out, and was answered where answers were asked for.
    NothingLost,
    /// Nothing was sent in the window, or nothing was counted.
    NotSeen,
}

impl Conclusion {
    /// The word of the JSON output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Open => "open",
            Self::NothingLost => "nothing-lost",
            Self::NotSeen => "not-seen",
        }
    }
}

/// Frames that a layer counted as dropped, if they are worth a word.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    pub(super) frames: u64,
    pub(super) cited: Vec<Citation>,
    /// Counted once, since the interface exists.
    pub(super) since: bool,
}

/// A few drops among many frames are no broken path; a single reading counts only if most of what was sent was dropped.
pub(super) fn loss(layer: &Layer) -> Option<Loss> {
    let passed = layer.ledger.passed.as_ref();
    match amount(layer.ledger.dropped.as_ref()) {
        Amount::Grew(n, cited) => {
            let offered = passed.map_or(0, Tally::count).saturating_add(n);
            (n >= 3 && n.saturating_mul(1000) >= offered).then_some(Loss { frames: n, cited, since: false })
        }
        Amount::Since(n, cited) => {
            (n >= 100 && n > passed.map_or(0, Tally::count)).then_some(Loss { frames: n, cited, since: true })
        }
        Amount::Still(_) | Amount::Unread => None,
    }
}

/// Works out where the frames of `iface` die.
pub(super) fn decide(_case: &Case, iface: &str, layers: Vec<Layer>, signs: Signs) -> PathReport {
    let mut report = PathReport {
        iface: iface.to_owned(),
        layers,
        signs,
        lost: None,
        conclusion: Conclusion::NotSeen,
        places: Vec::new(),
        ruled_out: Vec::new(),
        settle: Vec::new(),
        notes: Vec::new(),
    };
    notes(&mut report);
    let upper = report.layers.iter().find_map(loss);
    report.lost = upper.as_ref().map(|l| l.frames);
    if let Some(place) = state::place(&report) {
        report.places.push(place);
        report.conclusion = Conclusion::Found;
        return report;
    }
    let mut explained = drivers(&mut report);
    explained = explained.saturating_add(bond_itself(&mut report, explained));
    // The lowest interface above the members that counts drops: the loss is right below it.
    let top_down: Vec<usize> = (0..report.layers.len())
        .filter(|i| report.layers.get(*i).is_some_and(|l| l.role != Role::Member))
        .collect();
    let lowest = top_down.iter().rev().find_map(|i| {
        let layer = report.layers.get(*i)?;
        if layer.role == Role::Bond {
            return None;
        }
        let mut l = loss(layer)?;
        l.frames = l.frames.saturating_sub(explained);
        // What the driver or the bond counts is counted above too.
        let rest = l.frames >= 3 && l.frames.saturating_mul(10) >= l.frames.saturating_add(explained);
        rest.then_some((*i, l))
    });
    if let Some((i, l)) = lowest {
        candidates::below(&mut report, i, &l);
    }
    swallowed::find(&mut report);
    finish(&mut report);
    report
}

/// MTUs that shrink on the way down, and the like: worth knowing, not decisive.
fn notes(report: &mut PathReport) {
    let mut found = Vec::new();
    for pair in report.layers.windows(2) {
        let [above, below] = pair else { continue };
        if above.role == Role::Member {
            continue;
        }
        if let (Some((a, at)), Some((b, bt))) = (above.mtu, below.mtu)
            && b < a
        {
            found.push((
                format!(
                    "the MTU shrinks on the way: {} has {a}, {} below it has {b}",
                    above.name, below.name
                ),
                vec![at, bt],
            ));
        }
    }
    for (address, dev, at) in &report.signs.unanswered {
        found.push((
            format!("{dev}: nobody answered for {address} (neighbour failed or incomplete)"),
            vec![*at],
        ));
    }
    report.notes.extend(found);
}

/// Members that count drops: what the driver did. Returns how many frames that explains.
fn drivers(report: &mut PathReport) -> u64 {
    let mut explained = 0_u64;
    let top_mtu =
        report.layers.iter().filter(|l| l.role != Role::Member).filter_map(|l| l.mtu).map(|m| m.0).max();
    let mut places = Vec::new();
    for l in report.layers.iter().filter(|l| matches!(l.role, Role::Member | Role::Nic)) {
        let Some(lost) = loss(l) else { continue };
        explained = explained.saturating_add(lost.frames);
        let asked = report.signs.asks.iter().find(|(d, _)| *d == l.name);
        let refused = report.signs.errors.contains_key("ENOBUFS");
        let mut evidence = lost.cited.clone();
        let (rows, what, more) = if let Some((_, at)) = asked {
            evidence.push(*at);
            ("p", "the driver is busy and no queue waits for it", "the kernel logged that it asks to queue")
        } else if refused {
            ("r", "the driver", "the senders were told (ENOBUFS)")
        } else {
            ("q, r", "the driver", "after the queue, before the wire")
        };
        let mut remedy =
            format!("`ethtool -S {0}` names what {0} discards; `ethtool -i {0}` the driver", l.name);
        if let (Some(top), Some((own, at))) = (top_mtu, l.mtu)
            && own < top
        {
            evidence.push(at);
            remedy = format!(
                "the MTU of {} is {own}, above it {top}: set the same MTU on the member, the bond, the VLAN and the switch port",
                l.name
            );
        } else if asked.is_some() {
            remedy = format!("give {0} a queue: `tc qdisc replace dev {0} root fq_codel`", l.name);
        }
        let since = if lost.since { " since it exists" } else { "" };
        places.push(PlaceFound {
            place: Place::Driver,
            device: l.name.clone(),
            what: what.to_owned(),
            rows,
            standing: Standing::Shown,
            frames: Some(lost.frames),
            text: format!("{} counts {} frames dropped on transmit{since}: {more}", l.name, lost.frames),
            evidence,
            owner: None,
            remedy,
        });
    }
    report.places.extend(places);
    explained
}

/// Drops that the bond counts beyond those of its members.
fn bond_itself(report: &mut PathReport, members: u64) -> u64 {
    let Some(bond) = report.layers.iter().find(|l| l.role == Role::Bond) else { return 0 };
    let Some(lost) = loss(bond) else { return 0 };
    let own = lost.frames.saturating_sub(members);
    let unread = report
        .layers
        .iter()
        .any(|l| l.role == Role::Member && matches!(amount(l.ledger.dropped.as_ref()), Amount::Unread));
    // Without the members' counters it is not known whose drops these are.
    if own < 3 || own.saturating_mul(10) < lost.frames || unread {
        return 0;
    }
    let mut evidence = lost.cited;
    let asked = report.signs.asks.iter().find(|(d, _)| *d == bond.name);
    evidence.extend(asked.map(|(_, at)| *at));
    let (rows, why) = if asked.is_some() {
        ("h", "the kernel logged that it asks to queue")
    } else if report.signs.errors.contains_key("ENOMEM") {
        ("f, g", "it could not make the frames fit, or was not up (ENOMEM)")
    } else {
        ("f, g, i", "it found no member to send on, or could not make the frames fit")
    };
    let place = PlaceFound {
        place: Place::Bond,
        device: bond.name.clone(),
        what: "the bond itself".to_owned(),
        rows,
        standing: Standing::Shown,
        frames: Some(own),
        text: format!("{} counts {own} drops that no member counts: {why}", bond.name),
        evidence,
        owner: None,
        remedy: format!(
            "look at which members may send: `cat /proc/net/bonding/{}`, and at its state on the switch",
            bond.name
        ),
    };
    report.places.push(place);
    own
}

/// What follows from the places, or from the lack of any.
fn finish(report: &mut PathReport) {
    report.places.sort_by(|a, b| {
        // What was seen goes before what nobody has looked for.
        let key = |p: &PlaceFound| {
            (p.standing, p.owner.is_none() && p.frames.is_none(), std::cmp::Reverse(p.frames))
        };
        (key(a), &a.device, &a.what).cmp(&(key(b), &b.device, &b.what))
    });
    report.settle.sort();
    report.settle.dedup();
    if !report.places.is_empty() {
        let sure = report.places.first().is_some_and(|p| p.standing != Standing::Possible);
        report.conclusion = if sure { Conclusion::Found } else { Conclusion::Open };
        return;
    }
    if report.layers.iter().any(|l| loss(l).is_some()) {
        report.conclusion = Conclusion::Open;
        return;
    }
    let passed = report.layers.first().and_then(|l| l.ledger.passed.as_ref());
    let sent = passed.and_then(Tally::growth).unwrap_or(0);
    if sent == 0 {
        report.conclusion = Conclusion::NotSeen;
        let iface = report.iface.clone();
        report.settle.push(Settle {
            run: format!(
                "ip -s -s link; tc -s qdisc; ping -c 20 -I {iface} NEIGHBOUR; ip -s -s link; tc -s qdisc"
            ),
            expect: "two readings with traffic in between: the layer at which the numbers part is the place"
                .to_owned(),
        });
        return;
    }
    let cited = passed.map(Tally::cited).unwrap_or_default();
    match super::beyond::place(report, sent, cited) {
        Some(place) => {
            let sure = place.standing != Standing::Possible;
            report.places.push(place);
            report.conclusion = if sure { Conclusion::Found } else { Conclusion::Open };
        }
        None => report.conclusion = Conclusion::NothingLost,
    }
}
