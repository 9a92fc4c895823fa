//! # The bond is stable, the trouble is elsewhere
//!
//! ## What it shows
//! All members carry traffic, no LACP or carrier fault is seen, but counters of congestion grow: retransmits, queue drops, pause frames, discards.
//!
//! ## Why it matters
//! LACP decides which links are used, not how well they carry load. Hashing, pause, queues and upstream congestion are blamed on the bond far too often.
//!
//! ## How it can be wrong
//! Retransmits alone are normal on a busy host: growth counts only together with a second sign, or when the bond is shown to be stable.
//!
//! ## What would settle it
//! Throughput per member, the hash policy against the traffic pattern, the switch's discard counters.
//!
//! ## References
//! requirements.md S4-81, S4-90, S4-118.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::{Citation, Meaning, What};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "congestion",
    title: "The bond is stable, the trouble is elsewhere",
    requirements: &["S4-25", "S4-26", "S4-38", "S4-81", "S4-90", "S4-118"],
    page: include_str!("congestion.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let stable = subject.members.len() > 1
        && subject.members.iter().all(|m| {
            let state = m.states.iter().filter(|s| s.actor.is_some()).all(|s| {
                s.actor.is_some_and(PortState::carries_traffic)
                    && s.partner.is_none_or(|p| p.carries_traffic())
            });
            let up = m.states.iter().all(|s| s.mii.as_deref().is_none_or(|v| v == "up"));
            let wire = m.wire.as_ref().is_none_or(|w| w.stories.iter().all(|s| s.outages.is_empty()));
            let churned = m.states.iter().any(|s| s.churn.2.unwrap_or(0) + s.churn.3.unwrap_or(0) > 0);
            state && up && wire && !churned && !m.states.is_empty()
        });
    let mut found = Vec::new();
    for r in &case.records {
        if let What::Drop(d) = &r.what
            && d.reason == "xdp_redirect_err"
        {
            let symbol = d.symbol.as_deref().unwrap_or("the driver");
            let rc = d.rc.map_or(String::new(), |n| format!(" (error {n})"));
            found.push(
                Finding::new(CHECK.id, Kind::Filter, r.at, format!("an XDP program redirects frames and the redirect fails in {symbol}{rc}: data is lost in the host's XDP path, LACP is not involved"))
                    .implicates(D::NotLacp, S::Moderate),
            );
            break;
        }
    }
    if !stable {
        return Outcome::of(found);
    }
    let mut signs: Vec<(String, Vec<Citation>)> = Vec::new();
    if let Some(s) =
        crate::ledger::grew(case, "", &[Meaning::Retransmits]).into_iter().max_by_key(|s| s.growth())
    {
        signs.push((format!("TCP retransmits rose by {}", s.growth().unwrap_or(0)), vec![s.low.1, s.high.1]));
    }
    for m in &subject.members {
        for (what, meaning, floor) in [
            ("pause frames received", Meaning::RxPause, 10_000),
            ("pause frames sent", Meaning::TxPause, 10_000),
            ("frames dropped on transmit", Meaning::TxDropped, 1_000),
        ] {
            if let Some((g, cited)) =
                crate::ledger::growth(case, &m.name, meaning).filter(|(g, _)| *g >= floor)
            {
                signs.push((format!("{}: {what} rose by {g}", m.name), cited));
            }
        }
        // Drops since boot say nothing: only growth between two readings of the same queue counts.
        // What it sent only rises: it tells the order in which the readings were taken, whatever the files are called.
        let mut readings: Vec<_> = case.qdiscs().filter(|(_, q)| q.dev == m.name && q.root).collect();
        readings.sort_by_key(|(_, q)| (q.sent, q.dropped));
        if let (Some((first, low)), Some((last, high))) = (readings.first(), readings.last())
            && readings.windows(2).all(|p| matches!(p, [(_, a), (_, b)] if a.kind == b.kind && a.dropped <= b.dropped))
            && high.dropped >= low.dropped.saturating_add(100)
            // Almost nothing against millions: the queue was made anew in between.
            && (high.sent <= 1_000_000 || low.sent >= high.sent / 100)
        {
            signs.push((
                format!("{}: queue {} dropped {} more", high.dev, high.kind, high.dropped - low.dropped),
                vec![last.at, first.at],
            ));
        }
    }
    let strong = signs.len() > 1 || signs.iter().any(|(t, _)| !t.starts_with("TCP"));
    for (text, cited) in signs {
        let mut it = cited.into_iter();
        let Some(first) = it.next() else { continue };
        let f = Finding::new(CHECK.id, Kind::Counter, first, text).and_all(it);
        found.push(if strong {
            f.implicates(D::NotLacp, S::Moderate)
        } else {
            f.severity(Severity::Warning)
        });
    }
    Outcome::of(found)
}
