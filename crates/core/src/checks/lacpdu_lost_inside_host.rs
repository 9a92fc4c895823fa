//! # LACPDUs pass the tap but do not reach the bond
//!
//! ## What it shows
//! The partner's LACPDUs arrive at the tap in time, yet the host's own PDUs say Expired or Defaulted: its Receive machine does not get them.
//!
//! ## Why it matters
//! Between the tap and the bond there is only this host: tc, tcx and nft ingress hooks, VLAN demux, the rx handler. Neither switch nor wire can be the cause.
//!
//! ## How it can be wrong
//! A partner that speaks with the host's own System ID is ignored by the bond and looks the same; that is checked apart. Half duplex disables LACP on a port.
//!
//! ## What would settle it
//! `tc -s filter show dev MEMBER ingress`, `nft list hooks`, `bpftool net`, and the bond's counter of LACPDUs received against the frames at the tap.
//!
//! ## References
//! kernel-facts.md 11.1 row "host ingress drop after tap" and 11.2 rule 5.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::HookPoint;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::wire::Cause;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacpdu-lost-inside-host",
    title: "LACPDUs pass the tap but do not reach the bond",
    requirements: &["S4-48", "S4-52", "E-37"],
    page: include_str!("lacpdu_lost_inside_host.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            if story.own_system_in.is_some() {
                continue;
            }
            let Some(o) = story.outages.iter().find(|o| o.cause == Cause::LostInsideHost) else { continue };
            let half = m.states.iter().any(|s| s.duplex.as_deref() == Some("half"));
            if half {
                continue;
            }
            let proof =
                o.proof.iter().map(|(f, t)| format!("{t} (frame {f})")).collect::<Vec<_>>().join("; ");
            let mut f = Finding::new(
                CHECK.id,
                Kind::Wire,
                part.cite(o.span.first),
                format!("{}: the partner's LACPDUs reach the tap but not the bond: {proof}", m.name),
            )
            .implicates(D::HostConfig, S::Strong)
            .member(&m.name)
            .way(Way::SwitchToHost)
            .at(o.span.start)
            .times(story.outages.iter().filter(|x| x.cause == Cause::LostInsideHost).map(|x| x.span.start))
            .and_all(o.proof.iter().map(|(f, _)| part.cite(*f)));
            if let Some((r, h)) = case
                .hooks()
                .find(|(_, h)| h.dev.as_deref() == Some(m.name.as_str()) && h.point == HookPoint::Ingress)
            {
                f.text = format!("{}; {} is attached to its ingress", f.text, h.program);
                f = f.and(r.at);
            }
            found.push(f);
        }
    }
    Outcome::of(found)
}
