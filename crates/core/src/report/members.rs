//! The table of members: both ends' state as it was last seen, in words.

use crate::case::{Member, MemberState, Subject};
use crate::units::rfc3339;
use crate::wire::Part;
use lacp::{PortInfo, PortState};

/// A member with its lines: the first is the host's link, the others are the two ends of LACP.
pub struct Row {
    /// The interface.
    pub name: String,
    /// What is known, one line each, never empty.
    pub lines: Vec<String>,
}

/// The rows of a subject, in its order of members. Interfaces that nothing is known of have none.
#[must_use]
pub fn rows(subject: &Subject) -> Vec<Row> {
    subject.members.iter().filter_map(row).collect()
}

fn row(member: &Member) -> Option<Row> {
    let mut lines = Vec::new();
    // Later readings stand behind earlier ones; not every source tells everything.
    let last = |f: fn(&MemberState) -> bool| member.states.iter().rev().find(|s| f(s));
    let mut link = Vec::new();
    if let Some(mii) = last(|s| s.mii.is_some()).and_then(|s| s.mii.as_deref()) {
        link.push(format!("link {mii}"));
    }
    if let Some(speed) = last(|s| s.speed.is_some()).and_then(|s| s.speed) {
        let duplex = last(|s| s.duplex.is_some()).and_then(|s| s.duplex.clone()).unwrap_or_default();
        link.push(format!("{speed} Mb/s {duplex}").trim_end().to_owned());
    }
    if let Some(id) = last(|s| s.aggregator.is_some()).and_then(|s| s.aggregator) {
        link.push(format!("aggregator {id}"));
    }
    if let Some(n) = last(|s| s.failures.is_some()).and_then(|s| s.failures) {
        link.push(format!("{n} link failure(s)"));
    }
    if let Some((actor, partner)) =
        last(|s| s.churn.0.is_some()).and_then(|s| Some((s.churn.0.as_deref()?, s.churn.1.as_deref()?)))
    {
        link.push(format!("churn {actor}/{partner}"));
    }
    if !link.is_empty() {
        lines.push(link.join(", "));
    }
    let part = member.wire.as_ref().and_then(|w| w.parts.last());
    let told = part.map_or((false, false), |part| {
        let ours = wire(part, true);
        let theirs = wire(part, false);
        let told = (ours.is_some(), theirs.is_some());
        lines.extend(ours);
        lines.extend(theirs);
        told
    });
    let reading = last(|s| s.actor.is_some() || s.partner.is_some());
    if let Some(s) = reading {
        if let Some(actor) = s.actor.filter(|_| !told.0) {
            lines.push(format!("host: {}", words(actor)));
        }
        if let Some(partner) = s.partner.filter(|_| !told.1) {
            let who = s.partner_system.map(|m| format!("; system {m}")).unwrap_or_default();
            let key = s.partner_key.map(|k| format!(" key {k}")).unwrap_or_default();
            lines.push(format!("partner, as the host knows it: {}{who}{key}", words(partner)));
        }
    }
    (!lines.is_empty()).then(|| Row { name: member.name.clone(), lines })
}

/// One direction of a capture.
fn wire(part: &Part, ours: bool) -> Option<String> {
    let speaker = if ours { part.host() } else { part.partner() }?;
    let last = speaker.changes.last()?;
    let when = rfc3339(speaker.last.0).filter(|_| part.timed);
    let when = when.and_then(|t| t.get(11..23).map(|t| format!(", the last at {t}"))).unwrap_or_default();
    let (who, verb) = if ours { ("host", "sent") } else { ("partner", "received") };
    let who_is = if ours { String::new() } else { format!("; {}", identity(&last.actor)) };
    let hears = if ours { String::new() } else { format!("; it knows us as {}", words(last.partner.state)) };
    Some(format!(
        "{who}: {}{who_is}; {} LACPDU(s) {verb}{when}{hears}",
        words(last.actor.state),
        speaker.pdus
    ))
}

fn identity(port: &PortInfo) -> String {
    format!("system {} key {} port {}", port.system, port.key, port.port)
}

/// A port state as a sentence's part: what it means for traffic, then the octet in Wireshark's letters.
#[must_use]
pub fn words(state: PortState) -> String {
    let what = if state.contains(PortState::DEFAULTED) {
        "defaulted (no partner heard)"
    } else if state.contains(PortState::EXPIRED) {
        "expired (partner overdue)"
    } else if state.contains(PortState::SYNCHRONIZATION | PortState::CARRIES) {
        "in service"
    } else if state.contains(PortState::SYNCHRONIZATION | PortState::COLLECTING) {
        "collecting only"
    } else if state.contains(PortState::SYNCHRONIZATION) {
        "in sync, not yet collecting"
    } else if !state.contains(PortState::AGGREGATION) {
        "individual, not aggregating"
    } else {
        "out of sync"
    };
    format!("{what} [{}]", state.wireshark())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_named_after_what_it_means_for_traffic() {
        for (octet, said) in [
            (0x3f, "in service [**DCSGSA]"),
            (0x1f, "collecting only [***CSGSA]"),
            (0x0f, "in sync, not yet collecting [****SGSA]"),
            (0x07, "out of sync [*****GSA]"),
            (0x47, "defaulted (no partner heard) [*F***GSA]"),
            (0x8f, "expired (partner overdue) [E***SGSA]"),
            (0x03, "individual, not aggregating [******SA]"),
        ] {
            assert_eq!(words(PortState::from_bits_retain(octet)), said);
        }
    }
}
