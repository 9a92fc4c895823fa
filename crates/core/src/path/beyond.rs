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
        .try_fold(0_u64, |s, n| Some(s + n?));
    if members.is_empty() || left.is_none_or(|n| n < sent) {
        return None;
    }
    let left = left.unwrap_or(0);
    cited.extend(members.iter().flat_map(|m| m.ledger.passed.as_ref().map(Tally::cited).unwrap_or_default()));
    let mut text = format!(
        "{} sent {sent} frames, the members sent {left} and dropped none: they left this host, and no answer came",
        report.iface
    );
    if let Some((address, dev, at)) = neighbour {
        text.push_str(&format!("; {address} did not answer on {dev}"));
        cited.push(at);
    }
    report.ruled_out.push(Ruled {
        what: "the way out of this host".to_owned(),
        because: "every frame that went in at the top is counted at the members".to_owned(),
        evidence: cited.clone(),
    });
    let vlan = tag(report).map_or_else(|| "the VLAN".to_owned(), |v| format!("VLAN {v}"));
    Some(PlaceFound {
        place: Place::Beyond,
        device: members.first().map(|m| m.name.clone()).unwrap_or_default(),
        what: "beyond the members".to_owned(),
        rows: "-",
        standing: if opaque_standing(report) { Standing::Possible } else { Standing::Left },
        frames: None,
        text,
        evidence: cited,
        owner: None,
        remedy: format!(
            "capture on the member (`tcpdump -e -ni MEMBER vlan`): if requests go out and nothing comes in, ask the switch: is {vlan} allowed on every port of the bond, is the neighbour's address learned there, which port counts the frames"
        ),
    })
}

fn opaque_standing(report: &PathReport) -> bool {
    report.layers.iter().flat_map(|l| &l.ledger.filters).any(|f| {
        !f.egress
            && f.may_match(tag(report))
            && (f.opaque || f.drops)
            && !matches!(amount(f.dropped.as_ref()), Amount::Still(_))
    })
}

/// The tag of the VLAN on the way.
pub(super) fn tag(report: &PathReport) -> Option<u16> {
    report.layers.iter().find_map(|l| if let Role::Vlan(v) = l.role { v } else { None })
}
