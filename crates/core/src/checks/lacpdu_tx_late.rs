//! # The host sends LACPDUs late
//!
//! ## What it shows
//! Intervals between the host's LACPDUs at the tap grew well beyond the period that the partner asked for, on all captured members at the same moments.
//!
//! ## Why it matters
//! All members share one thing: this host. Its LACP work runs in an ordinary kernel worker; late work on every member at once is CPU or softirq starvation, and it eats into the partner's timeout.
//!
//! ## How it can be wrong
//! A capture host that was itself stopped (a paused VM) would show the same for both directions. One late PDU on one member is noise: two members or three late intervals are required.
//!
//! ## What would settle it
//! CPU pressure (`/proc/pressure/cpu`), softirq and scheduler statistics for the same seconds; a capture on the switch port.
//!
//! ## References
//! kernel-facts.md section 2 (0.93 to 1.31 s is normal) and 11.1 row "SCHED_FIFO hog"; erratum E-14.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::Citation;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacpdu-tx-late",
    title: "The host sends LACPDUs late",
    requirements: &["S4-46", "S4-83", "S4-91", "S4-114", "E-14"],
    page: include_str!("lacpdu_tx_late.rs"),
    run,
};

/// A gap that comes close to the partner's three seconds.
const CLOSE: i64 = 2_500_000_000;

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut late: Vec<(&str, Citation, i64, i64, usize)> = Vec::new();
    let mut members = 0;
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told().filter(|(p, _)| p.host().is_some()) {
            members += 1;
            // Only where the partner asked for the fast rate is a second of delay a danger.
            if story.asked.1 != Some(1_000_000_000) {
                continue;
            }
            if let Some(g) = story.out_late.iter().max_by_key(|g| g.len_ns()) {
                late.push((&m.name, part.cite(g.to_frame), g.from_ns, g.len_ns(), story.out_late.len()));
            }
        }
    }
    let Some(worst) = late.iter().max_by_key(|l| l.3) else { return Outcome::Clear };
    let together = late.iter().filter(|l| (l.2 - worst.2).abs() < 500_000_000).count();
    if together < 2 || together < members {
        if worst.3 < CLOSE {
            return Outcome::Clear;
        }
        // One member alone proves nothing about the host, but a gap this close to the timeout is not healthy.
        let text = format!(
            "{}: the host's LACPDUs came up to {} apart instead of 1 s",
            worst.0,
            crate::wire::seconds(worst.3)
        );
        return Outcome::Found(vec![
            Finding::new(CHECK.id, Kind::Wire, worst.1, text)
                .suspects(&[(D::HostStarvation, S::Weak), (D::HostConfig, S::Weak)])
                .severity(Severity::Warning)
                .member(worst.0)
                .way(Way::HostToSwitch)
                .at(worst.2),
        ]);
    }
    let mut f = Finding::new(
        CHECK.id,
        Kind::Wire,
        worst.1,
        format!(
            "the host's LACPDUs came late on all {together} captured members at the same moment: up to {} instead of 1 s",
            crate::wire::seconds(worst.3)
        ),
    )
    .way(Way::HostToSwitch)
    .at(worst.2)
    .and_all(late.iter().map(|l| l.1));
    f = if worst.3 >= CLOSE && worst.4 >= 2 {
        f.implicates(D::HostStarvation, S::Moderate)
    } else {
        f.severity(Severity::Warning)
    };
    Outcome::Found(vec![f])
}
