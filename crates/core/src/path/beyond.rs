//! Nothing was lost on the way out. Was it answered, and if not, is that this host's doing?

use super::decide::{PlaceFound, Ruled, Standing};
use super::stack::{Layer, Role};
use super::tally::{Amount, Tally, amount};
use super::{PathReport, Place};
use crate::evidence::Citation;

/// The place, if frames left and were not answered.
pub(super) fn place(report: &mut PathReport, sent: u64, mut cited: Vec<Citation>) -> Option<PlaceFound> {
    let silent = match report.signs.answered {
        Some((asked, got, at)) => {
            if got > 0 {
                return None;
            }
            cited.push(at);
            asked > 0
        }
        None => false,
    };
    let neighbour = report.signs.unanswered.first().map(|(a, d, at)| (a.clone(), d.clone(), *at));
    if !silent && neighbour.is_none() {
        nothing_came(report, sent);
        return None;
    }
    // A filter on the way in that counts while answers are missing.
    let eaten = report.layers.iter().flat_map(|l| &l.ledger.filters).find_map(|f| {
        if f.egress || !f.may_match(tag(report)) {
            return None;
        }
        match amount(f.dropped.as_ref()) {
            Amount::Grew(n, at) => Some((f.clone(), n, at)),
            _ => None,
        }
    });
    if let Some((f, n, at)) = eaten {
        return Some(PlaceFound {
            place: Place::Receive,
            device: f.dev.clone(),
            what: f.program.clone(),
            rows: "-",
            standing: Standing::Shown,
            frames: Some(n),
            text: format!(
                "the frames left, and what comes back is dropped on the way in: {} on the ingress of {} dropped {n}",
                f.program, f.dev
            ),
            evidence: at,
            remedy: f.owner.remedy(&f.dev, &f.program, tag(report)),
            owner: Some(f.owner),
        });
    }
    // A program on the way in that does not count may be it as well.
    let opaque = report.layers.iter().flat_map(|l| &l.ledger.filters).find(|f| {
        !f.egress
            && f.may_match(tag(report))
            && (f.opaque || f.drops)
            && !matches!(amount(f.dropped.as_ref()), Amount::Still(_))
    });
    if let Some(f) = opaque {
        report.notes.push((
            format!(
                "{} stands on the ingress of {}: what it drops of the answers is not told",
                f.program, f.dev
            ),
            vec![f.at],
        ));
    }
    let members: Vec<&Layer> =
        report.layers.iter().filter(|l| matches!(l.role, Role::Member | Role::Nic)).collect();
    let left: Option<u64> = members
        .iter()
        .map(|m| m.ledger.passed.as_ref().and_then(Tally::growth))
        .try_fold(0_u64, |s, n| Some(s.saturating_add(n?)));
    let left = left.filter(|n| *n >= sent && !members.is_empty())?;
    let sure = way_out_is_clear(report, sent, left);
    cited.extend(members.iter().flat_map(|m| m.ledger.passed.as_ref().map(Tally::cited).unwrap_or_default()));
    let mut text = format!(
        "{} sent {sent} frames, the members sent {left} and dropped none: they left this host, and no answer came",
        report.iface
    );
    if let Some((address, dev, at)) = neighbour {
        text.push_str(&format!("; {address} did not answer on {dev}"));
        cited.push(at);
    }
    if sure {
        report.ruled_out.push(Ruled {
            what: "the way out of this host".to_owned(),
            because: "every frame that went in at the top is counted at the members, and nothing on the way dropped any"
                .to_owned(),
            evidence: cited.clone(),
        });
    } else {
        text.push_str("; other traffic is among what the members sent, and not everything that could swallow these was read");
        let members: Vec<String> = members.iter().map(|m| m.name.clone()).collect();
        report.settle.extend(members.iter().map(|m| super::candidates::settle_queue(m)));
    }
    let vlan = tag(report).map_or_else(|| "the VLAN".to_owned(), |v| format!("VLAN {v}"));
    Some(PlaceFound {
        place: Place::Beyond,
        device: members.first().map(|m| m.name.clone()).unwrap_or_default(),
        what: "beyond the members".to_owned(),
        rows: "-",
        standing: if sure && !opaque_standing(report) { Standing::Left } else { Standing::Possible },
        frames: None,
        text,
        evidence: cited,
        owner: None,
        remedy: format!(
            "capture on the member (`tcpdump -e -ni MEMBER vlan`): if requests go out and nothing comes in, ask the switch: is {vlan} allowed on every port of the bond, is the neighbour's address learned there, which port counts the frames"
        ),
    })
}

/// Frames left and none came in: nobody answered, or nothing was to be answered. Counters alone cannot tell.
fn nothing_came(report: &mut PathReport, sent: u64) {
    let Some(received) = report.layers.first().and_then(|l| l.ledger.received.as_ref()) else { return };
    if sent == 0 || received.growth() != Some(0) {
        return;
    }
    let (at, iface) = (received.cited(), report.iface.clone());
    report.notes.push((
        format!(
            "{iface} sent {sent} frames and received none: if answers were expected, they were lost beyond this host or on the \
             way back; a ping to a neighbour in this VLAN within the window tells"
        ),
        at,
    ));
}

fn opaque_standing(report: &PathReport) -> bool {
    report.layers.iter().flat_map(|l| &l.ledger.filters).any(|f| {
        !f.egress
            && f.may_match(tag(report))
            && (f.opaque || f.drops)
            && !matches!(amount(f.dropped.as_ref()), Amount::Still(_))
    })
}

/// True if nothing below the topmost interface can have swallowed the frames: its queues were read and dropped nothing, no
/// program stands there that may take frames for itself, or there was hardly any other traffic to hide them in.
fn way_out_is_clear(report: &PathReport, sent: u64, left: u64) -> bool {
    let below = || report.layers.iter().skip(1);
    if below().flat_map(|l| &l.ledger.filters).any(|f| f.egress && f.opaque) {
        return false;
    }
    let alone = left - sent <= (sent / 10).saturating_add(20);
    let still = below().all(|l| {
        l.ledger.queues_read && l.ledger.queue_drops().is_none_or(|t| matches!(t.amount(), Amount::Still(_)))
    });
    alone || still
}

/// The tag of the VLAN on the way.
pub(super) fn tag(report: &PathReport) -> Option<u16> {
    report.layers.iter().find_map(|l| if let Role::Vlan(v) = l.role { v } else { None })
}
