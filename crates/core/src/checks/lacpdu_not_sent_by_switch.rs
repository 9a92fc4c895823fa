//! # The other end did not send
//!
//! ## What it shows
//! Captures of both ends over the same time: nothing arrives from the other end, and its own tap shows that nothing left it either, while its link was up.
//!
//! ## Why it matters
//! A tap stands behind the LACP machine of the other end and before its NIC. What does not pass it was not sent: link and host have nothing to do with it.
//!
//! ## How it can be wrong
//! A tap that lost frames, or a link that was down at the other end only: its own PDUs after a loss of carrier carry Expired and Defaulted, and then this check does not speak. An end that heard nobody for long may send rarely; the silence must begin before the host expired.
//!
//! ## What would settle it
//! The other end's load, log and LACPDU transmit counters over these seconds.
//!
//! ## References
//! verdict.md section 1; kernel-facts.md 11.3 (outgoing taps sit behind the queueing discipline).

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::far::{self, Fate};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacpdu-not-sent-by-switch",
    title: "The other end did not send",
    requirements: &["S4-98", "S4-121"],
    page: include_str!("lacpdu_not_sent_by_switch.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let pairs = far::pairs(case, subject);
    let Some(shift) = far::shift(&pairs) else { return Outcome::NotApplicable };
    let mut found = Vec::new();
    for pair in &pairs {
        let traces = far::traces(pair, shift);
        let unsent: Vec<_> = traces.iter().filter(|t| matches!(t.fate, Fate::NotSent { .. })).collect();
        let Some(first) = unsent.first() else { continue };
        let Fate::NotSent { silence } = first.fate else { continue };
        let text = format!(
            "{}: {} at the other end sent nothing for {} by its own tap (clocks tied by {} pairs of frames)",
            pair.here.name,
            pair.there.name,
            crate::wire::seconds(silence.len_ns()),
            shift.pairs
        );
        found.push(
            Finding::new(CHECK.id, Kind::Wire, first.far.cite(silence.from_frame), text)
                .implicates(D::SwitchControlPlane, S::Strong)
                .member(&pair.here.name)
                .way(Way::SwitchToHost)
                .at(first.outage.span.start)
                .times(unsent.iter().map(|t| t.outage.span.start))
                .and(first.far.cite(silence.to_frame)),
        );
    }
    Outcome::of(found)
}
