//! # LACPDUs arrive at the other end and are not processed
//!
//! ## What it shows
//! Captures of both ends over the same time: the host's LACPDUs pass the other end's own tap in time, and still the other end says Expired or Defaulted.
//!
//! ## Why it matters
//! The frames crossed the wire and the receiving NIC. What did not hear them is the other end's own stack: a filter, a policer, a full queue, or its LACP process. Host and link are out of it.
//!
//! ## How it can be wrong
//! A wrong offset between the two clocks would compare different times; the offset must be shared by more pairs of equal frames than any other. PDUs that arrive and are rejected for their content would look the same; the host's content is the one that was accepted before.
//!
//! ## What would settle it
//! The LACPDU counters of the other end's bond (`lacpdu_rx` does not rise while its tap sees the frames), and its ingress filters.
//!
//! ## References
//! verdict.md section 1; kernel-facts.md 11.2 rule 5, read for the other end.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::Meaning;
use crate::far::{self, Fate};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::ledger;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacpdu-ignored-by-switch",
    title: "LACPDUs arrive at the other end and are not processed",
    requirements: &["S4-98", "S4-121"],
    page: include_str!("lacpdu_ignored_by_switch.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let pairs = far::pairs(case, subject);
    let (Some(shift), Some(other)) = (far::shift(&pairs), case.other_end.as_deref()) else {
        return Outcome::NotApplicable;
    };
    let mut found = Vec::new();
    for pair in &pairs {
        let traces = far::traces(pair, shift);
        let ignored: Vec<_> = traces.iter().filter(|t| matches!(t.fate, Fate::Ignored { .. })).collect();
        let Some(first) = ignored.first() else { continue };
        let Fate::Ignored { deaf } = first.fate else { continue };
        let Some(heard) = first.far.partner() else { continue };
        let last = heard.at(deaf.0).map(|c| if c.until.0 < deaf.0 { c.until.1 } else { c.frame });
        let mut text = format!(
            "{}: the host's LACPDUs pass the tap of {} at the other end in time (clocks tied by {} pairs of frames), and it says that it does not hear them",
            pair.here.name, pair.there.name, shift.pairs
        );
        // The other end's own count: fewer than its tap saw.
        let counted = ledger::growth(other, &pair.there.name, Meaning::LacpduRx)
            .zip(ledger::growth(case, &pair.here.name, Meaning::LacpduTx))
            .filter(|((rx, _), (tx, _))| rx.saturating_add(3) < *tx);
        if let Some(((rx, _), (tx, _))) = &counted {
            text.push_str(&format!("; its bond counted {rx} LACPDUs where the host's sent {tx}"));
        }
        found.push(
            Finding::new(CHECK.id, Kind::Wire, first.far.cite(deaf.1), text)
                .implicates(D::SwitchControlPlane, S::Strong)
                .member(&pair.here.name)
                .way(Way::HostToSwitch)
                .at(first.outage.span.start)
                .times(ignored.iter().map(|t| t.outage.span.start))
                .and_all(last.map(|f| first.far.cite(f)))
                .and_all(counted.into_iter().flat_map(|((_, a), (_, b))| a.into_iter().chain(b))),
        );
    }
    Outcome::of(found)
}
