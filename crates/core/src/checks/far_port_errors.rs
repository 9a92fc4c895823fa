//! # The port at the other end receives damaged frames
//!
//! ## What it shows
//! The receive counters of the port that a member leads to, read at the other end: CRC, symbol, PCS or uncorrectable FEC errors rose between two readings.
//!
//! ## Why it matters
//! Damage is counted by the receiver: for the direction host to switch that is the other end's port, and no counter of the host can show it. The path from the host's transmitter to that port is at fault.
//!
//! ## How it can be wrong
//! A count that stands still is history. A few frames are damaged whenever a link goes down. A port that forwards what was damaged elsewhere does not count it as received damage on this port.
//!
//! ## What would settle it
//! The same counters at the start and end of the trouble; replacing cable, then transceiver, then port, one at a time.
//!
//! ## References
//! verdict.md section 1 ("errors are counted by the receiver").

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::Meaning;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "far-port-errors",
    title: "The port at the other end receives damaged frames",
    requirements: &["S4-98", "S4-99", "S4-121"],
    page: include_str!("far_port_errors.rs"),
    run,
};

const BAD: [Meaning; 4] = [Meaning::RxCrc, Meaning::RxSymbol, Meaning::FecUncorrected, Meaning::LocalFault];

fn run(case: &Case, subject: &Subject) -> Outcome {
    let Some(other) = case.other_end.as_deref() else { return Outcome::NotApplicable };
    let mut found = Vec::new();
    for pair in crate::far::pairs(case, subject) {
        let grown = crate::ledger::grew(other, &pair.there.name, &BAD).into_iter().max_by_key(|s| s.growth());
        let Some(s) = grown else { continue };
        let g = s.growth().unwrap_or(0);
        let received =
            crate::ledger::growth(other, &pair.there.name, Meaning::RxPackets).map_or(0, |(n, _)| n);
        let f = Finding::new(
            CHECK.id,
            Kind::Counter,
            s.high.1,
            format!(
                "{}: {} of {} at the other end rose by {g} (from {} to {})",
                pair.here.name, s.name, pair.there.name, s.low.0, s.high.0
            ),
        )
        .member(&pair.here.name)
        .way(Way::HostToSwitch)
        .and(s.low.1);
        // As for the host's own counters: a link that goes down damages a few, and one frame in a million is no fault.
        found.push(if g >= 10 && g.saturating_mul(1_000_000) >= received {
            f.implicates(D::Physical, S::Strong)
        } else {
            f.suspects(&[(D::Physical, S::Weak)]).severity(Severity::Warning)
        });
    }
    Outcome::of(found)
}
