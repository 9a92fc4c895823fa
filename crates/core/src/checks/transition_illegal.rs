//! # An end is in a state that its machine does not have
//!
//! ## What it shows
//! The PDUs of one end contradict themselves, for longer than any conforming machine can: it claims to hear its partner and describes zeros, a port that never spoke, or what the partner was before; it distributes without collecting, or carries without its own Synchronization.
//!
//! ## Why it matters
//! It needs no knowledge of what was lost on the way. An end that is neither Expired nor Defaulted has received a PDU within its timeout, and its Partner fields are what stood in that PDU. If it received none, it must have expired. Either way the machine that says otherwise is at fault. A partner that does not find itself in these fields leaves the aggregate.
//!
//! ## How it can be wrong
//! Only a change from a right description to a wrong one counts, and only if the end was not deaf in between: a port that starts, a capture that begins in the middle, and a fallback mode without LACP look similar. The port of another member points to crossed strands as much as to the switch; another system, to somebody else on the wire. Two speakers on one wire, or an own System ID that comes back, silence this check. What is wrong without an outage that began with it is told and accuses nobody.
//!
//! ## What would settle it
//! The port's LACP internals on the accused end (state machines, partner as it is stored) in these seconds; its firmware release; a capture on its port.
//!
//! ## References
//! 802.1AX-2014 6.4.9 (recordPDU, recordDefault), 6.4.12 (Receive machine), 6.4.15 (Mux machine); kernel-facts.md section 3 (`matched`).

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::twin::{Deviation, End, Rule};
use crate::wire::Part;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "transition-illegal",
    title: "An end is in a state that its machine does not have",
    requirements: &["S4-87", "S4-116"],
    page: include_str!("transition_illegal.rs"),
    run,
};

fn run(_: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    let all: Vec<_> = crate::twin::of(subject).into_iter().filter(|(_, _, d)| !d.rule.late()).collect();
    for (i, (member, part, d)) in all.iter().enumerate() {
        // The first of its kind speaks for those after it; one that began an outage goes before one that did not.
        let same = |(m, _, o): &&(&str, &Part, Deviation)| m == member && o.end == d.end && o.rule == d.rule;
        let first =
            all.iter().position(|o| same(&o) && o.2.explains).or_else(|| all.iter().position(|o| same(&o)));
        if first != Some(i) {
            continue;
        }
        let times = all.iter().filter(same).map(|o| o.2.first.0);
        found.push(finding(member, part, d).times(times));
    }
    Outcome::of(found)
}

fn finding(member: &str, part: &Part, d: &Deviation) -> Finding {
    let (state, echo) = d.said;
    let text = format!(
        "{member}: {} {}: {} PDUs in {} with state {:#04x} say of it system {} port {} state {:#04x}",
        d.end.name(),
        d.rule.words(),
        d.pdus,
        crate::wire::seconds(d.last.0.saturating_sub(d.first.0)),
        state.bits(),
        echo.system,
        echo.port,
        echo.state.bits()
    );
    let f = Finding::new(CHECK.id, Kind::Wire, part.cite(d.first.1), text)
        .member(member)
        .at(d.first.0)
        .and_all(d.against.map(|f| part.cite(f)))
        .and(part.cite(d.last.1));
    if !d.explains {
        return f.severity(Severity::Warning);
    }
    match (d.end, d.rule) {
        (End::Partner, Rule::EchoOfNobody | Rule::EchoOfNoPort | Rule::EchoOfThePast) => {
            f.implicates(D::SwitchControlPlane, S::Strong)
        }
        (End::Partner, Rule::EchoOfAnotherMember) => {
            f.suspects(&[(D::Physical, S::Moderate), (D::SwitchControlPlane, S::Moderate)])
        }
        (_, Rule::EchoOfAnotherSystem) => f.suspects(&[
            (D::Physical, S::Moderate),
            (D::SwitchControlPlane, S::Moderate),
            (D::SwitchConfig, S::Weak),
        ]),
        (End::Partner, Rule::DistributesAlone | Rule::CarriesUnsynchronized) => {
            f.suspects(&[(D::SwitchControlPlane, S::Moderate), (D::SwitchConfig, S::Weak)])
        }
        (
            End::Host,
            Rule::EchoOfNobody
            | Rule::EchoOfNoPort
            | Rule::EchoOfThePast
            | Rule::DistributesAlone
            | Rule::CarriesUnsynchronized,
        ) => f.implicates(D::HostDriverFirmware, S::Moderate),
        // Harmless in themselves, or open in the standard.
        _ => f.severity(Severity::Warning),
    }
}
