//! # The partner ignores the rate it was asked for
//!
//! ## What it shows
//! The host asks for the fast rate (its Timeout bit is set), the partner hears the host, and still every interval between the partner's LACPDUs is far longer than a second; or, from some moment on, the partner speaks only every 30 s and when a change of the host makes it answer.
//!
//! ## Why it matters
//! The receiver's Timeout bit sets the sender's cadence. A partner that sends more slowly than asked makes the host expire between PDUs: the fault is the partner's, and no loss is needed to explain it.
//!
//! ## How it can be wrong
//! Random loss also makes long intervals, but it leaves normal ones in between; here not a single interval is near a second. Where the partner answers a change of the host within half a second and is silent otherwise, again and again, nothing can be lost: what it sends arrives. A partner that does not hear the host cannot know what was asked; then this check does not speak.
//!
//! ## What would settle it
//! The LACP rate setting and firmware release of the switch; a capture on its port.
//!
//! ## References
//! 802.1AX: the periodic transmission machine follows Partner_Oper_Port_State.LACP_Timeout; switch-side.md section 3 (a switch that sent every 2 to 3 s to a Linux bond).

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "requested-rate-ignored",
    title: "The partner ignores the rate it was asked for",
    requirements: &["S4-21", "S4-54", "S4-114", "E-14"],
    page: include_str!("requested_rate_ignored.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            let (Some(h), Some(p)) = (part.host(), part.partner()) else { continue };
            let always_asked = h.changes.iter().all(|c| c.actor.state.contains(PortState::TIMEOUT));
            let heard = p.changes.iter().all(|c| !c.actor.state.deaf() && !c.partner.system.is_zero());
            let told = p.changes.iter().any(|c| c.partner.state.contains(PortState::TIMEOUT));
            // With both ends passive nobody keeps a cadence.
            let passive = |s: &crate::capture::Speaker| {
                s.changes.iter().any(|c| !c.actor.state.contains(PortState::ACTIVITY))
            };
            if passive(h) && passive(p) {
                continue;
            }
            let (n, _, shortest, longest) = p.intervals;
            if !part.timed {
                continue;
            }
            if !always_asked || !heard || !told || n < 3 || shortest < 1_700_000_000 {
                found.extend(story.rate_ignored.map(|r| from_some_moment(part, &m.name, &r)));
                continue;
            }
            let domain = if shortest > 20_000_000_000 { D::SwitchConfig } else { D::SwitchControlPlane };
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Wire,
                    part.cite(p.first.1),
                    format!(
                        "{}: the host asks for one LACPDU a second and the partner knows it, yet its {n} intervals are {} to {}",
                        m.name,
                        crate::wire::seconds(shortest),
                        crate::wire::seconds(longest)
                    ),
                )
                .implicates(domain, S::Strong)
                .member(&m.name)
                .way(Way::SwitchToHost)
                .and(part.cite(p.last.1)),
            );
        }
    }
    Outcome::of(found)
}

/// It kept the rate before, or answers changes of the host in between.
fn from_some_moment(part: &crate::wire::Part, member: &str, r: &crate::wire::RateIgnored) -> Finding {
    let text = format!(
        "{member}: the host asks for one LACPDU a second and the partner knows it, yet it was silent {} times for up to {}; {} of the silences ended because it answered a change of the host at once (frames {} and {})",
        r.silences,
        crate::wire::seconds(r.longest.len_ns()),
        r.answers,
        r.answer.0,
        r.answer.1
    );
    Finding::new(CHECK.id, Kind::Wire, part.cite(r.longest.to_frame), text)
        .implicates(D::SwitchControlPlane, S::Strong)
        .member(member)
        .way(Way::SwitchToHost)
        .at(r.span.0)
        .times([r.span.1])
        .and(part.cite(r.longest.from_frame))
        .and(part.cite(r.answer.0))
        .and(part.cite(r.answer.1))
}
