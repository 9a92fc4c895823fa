//! # Both ends ask for different rates
//!
//! ## What it shows
//! Host and partner ask each other for different LACP rates.
//!
//! ## Why it matters
//! It is legal: each end sends at the rate the other asks for. It is listed because it is so often taken for the fault.
//!
//! ## How it can be wrong
//! It cannot be wrong as a fact; it is only ever context.
//!
//! ## What would settle it
//! Nothing needs settling. With loss on the slow direction, detection takes up to 90 s.
//!
//! ## References
//! Erratum E-14; kernel-facts.md 11.1 rows "rate mismatch".

use crate::case::{Case, Subject};
use crate::finding::{Check, Finding, Kind, Outcome};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "rate-asymmetric",
    title: "Both ends ask for different rates",
    requirements: &["S4-21", "S4-86", "S4-114", "E-14", "E-26"],
    page: include_str!("rate_asymmetric.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let from_wire = m.wire.as_ref().and_then(|w| {
            w.told().find_map(|(part, _)| {
                let (h, p) = (part.host()?.changes.last()?, part.partner()?.changes.last()?);
                (!h.actor.state.deaf() && !p.actor.state.deaf()).then_some((
                    h.actor.state,
                    p.actor.state,
                    part.cite(p.frame),
                ))
            })
        });
        let from_state = || {
            m.states.iter().rev().find_map(|s| {
                let (a, p) = (s.actor?, s.partner?);
                (a.carries_traffic() && p.carries_traffic() && !p.deaf()).then_some((a, p, s.at))
            })
        };
        if let Some((a, p, at)) = from_wire.or_else(from_state) {
            let fast = |s: PortState| if s.contains(PortState::TIMEOUT) { "fast" } else { "slow" };
            if fast(a) != fast(p) {
                found.push(
                    Finding::new(
                        CHECK.id,
                        Kind::State,
                        at,
                        format!(
                            "{}: the host asks for the {} rate, the partner for the {} rate; that is legal",
                            m.name,
                            fast(a),
                            fast(p)
                        ),
                    )
                    .member(&m.name),
                );
            }
        }
    }
    Outcome::of(found)
}
