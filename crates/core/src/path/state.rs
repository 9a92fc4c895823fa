//! States that leave a frame no way out: an interface that is switched off, a bond without members, no carrier.

use super::decide::{PlaceFound, Standing};
use super::stack::{Layer, Role};
use super::tally::Tally;
use super::{PathReport, Place};

/// The state that explains why nothing leaves, if there is one that held in every reading.
pub(super) fn place(report: &PathReport) -> Option<PlaceFound> {
    // What passed while the state held was not stopped by it.
    let top = report.layers.first()?;
    let passed = top.ledger.passed.as_ref().and_then(Tally::growth).unwrap_or(0);
    if passed > top.ledger.dropped.as_ref().and_then(Tally::growth).unwrap_or(0) {
        return None;
    }
    let members: Vec<&Layer> = report.layers.iter().filter(|l| l.role == Role::Member).collect();
    let bond = report.layers.iter().find(|l| l.role == Role::Bond);
    let all = |test: &dyn Fn(&Layer) -> bool| !members.is_empty() && members.iter().all(|m| test(m));
    let is = |read: super::stack::Read<bool>, value: bool| read.is_some_and(|(v, _)| v == value);
    if all(&|m| is(m.up, false)) {
        let names = names(&members);
        return Some(found(
            report,
            Place::AdminDown,
            &members,
            "b",
            "switched off",
            format!(
                "every member of the bond is switched off ({names}): the bond has no carrier and what is above it discards"
            ),
            format!("switch the members on: `ip link set {} up`", members.first()?.name),
        ));
    }
    // The lowest interface above the members that is off takes those above it down.
    if let Some(down) = report.layers.iter().rev().find(|l| l.role != Role::Member && is(l.up, false)) {
        return Some(found(
            report,
            Place::AdminDown,
            &[down],
            "b",
            "switched off",
            format!("{} is switched off: nothing can be sent through it", down.name),
            format!("`ip link set {} up`, and find out what switched it off", down.name),
        ));
    }
    let bond = bond?;
    // That there are no members is known only where the bond itself was read.
    if members.is_empty() && bond.up.is_some() {
        return Some(found(
            report,
            Place::NoMember,
            &[bond],
            "b, i",
            "no member",
            format!("{} has no member: it has no carrier and everything above it discards", bond.name),
            format!(
                "give it members again: `ip link set MEMBER master {}`, and find out who released them",
                bond.name
            ),
        ));
    }
    if all(&|m| is(m.carrier, false)) {
        let names = names(&members);
        return Some(found(
            report,
            Place::NoCarrier,
            &members,
            "b",
            "no carrier",
            format!(
                "no member has carrier ({names}): the frames die above the bond, and the reason lies in cable, port or the other end's state"
            ),
            "look at the link first: `ethtool MEMBER`, the kernel log, the port on the switch".to_owned(),
        ));
    }
    if is(bond.carrier, false) {
        return Some(found(
            report,
            Place::NoCarrier,
            &[bond],
            "b",
            "no carrier",
            format!(
                "{} has no carrier although a member has: too few usable members for min_links, or its monitor finds none usable",
                bond.name
            ),
            format!(
                "compare min_links with the members that may send: `cat /proc/net/bonding/{}`",
                bond.name
            ),
        ));
    }
    None
}

fn names(layers: &[&Layer]) -> String {
    layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn found(
    report: &PathReport,
    place: Place,
    at: &[&Layer],
    rows: &'static str,
    what: &str,
    text: String,
    remedy: String,
) -> PlaceFound {
    let mut evidence: Vec<_> = at
        .iter()
        .filter_map(|l| if place == Place::NoCarrier { l.carrier } else { l.up })
        .map(|(_, c)| c)
        .collect();
    evidence.dedup();
    PlaceFound {
        place,
        device: at.first().map(|l| l.name.clone()).unwrap_or_default(),
        what: what.to_owned(),
        rows,
        standing: Standing::Shown,
        frames: report.lost,
        text,
        evidence,
        owner: None,
        remedy,
    }
}
