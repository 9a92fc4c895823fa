//! # A member receives the host's own System ID
//!
//! ## What it shows
//! LACPDUs arrive whose Actor System is the host's own, or the kernel reports an illegal loopback.
//!
//! ## Why it matters
//! Either the wire leads back to this host, something reflects slow-protocol frames, or another device speaks with this host's System ID. The kernel ignores such PDUs and the port looks healthy while it is not.
//!
//! ## How it can be wrong
//! In a capture without directions, frames of the host itself could be taken for received ones; the source address (the permanent address of a member) guards against it.
//!
//! ## What would settle it
//! The source address of these frames: one of this host's own means a loop; a foreign one means a second device with the same System ID. LLDP neighbours; the configuration of `ad_actor_system`.
//!
//! ## References
//! kernel-facts.md section 3 (loopback check) and 11.1 row "partner = our own system id".

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::KernelKind;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "own-system-received",
    title: "A member receives the host's own System ID",
    requirements: &["E-13", "S4-116"],
    page: include_str!("own_system_received.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    let perms: Vec<_> = case.subjects.iter().flat_map(|s| &s.members).filter_map(|m| m.perm).collect();
    for m in &subject.members {
        let log: Vec<_> = case
            .kernel_of(&m.name)
            .filter(|(_, k)| k.kind == KernelKind::Loopback)
            .map(|(r, _)| r.at)
            .collect();
        let mut wire = None;
        if let Some(w) = &m.wire {
            for (part, _) in w.told() {
                let own: Vec<_> = part
                    .out
                    .iter()
                    .flat_map(|s| s.changes.iter().map(|c| c.actor.system))
                    .chain(case.own_systems.iter().copied())
                    .collect();
                for s in &part.ins {
                    if let Some(c) =
                        s.changes.iter().find(|c| own.contains(&c.actor.system) && !c.actor.system.is_zero())
                    {
                        let foreign_before = s.changes.iter().any(|c| !own.contains(&c.actor.system));
                        wire = Some((
                            part.cite(c.frame),
                            c.ns,
                            s.source,
                            c.actor.system,
                            perms.contains(&s.source),
                            foreign_before,
                        ));
                    }
                }
            }
        }
        let f = match (&wire, log.first()) {
            (Some((at, ns, source, system, ours, _)), _) => {
                let text = if *ours {
                    format!("{}: LACPDUs with our System {system} come back from our own address {source}: the wire or a device reflects them", m.name)
                } else {
                    format!("{}: a device with address {source} speaks with this host's own System {system}", m.name)
                };
                let f = Finding::new(CHECK.id, Kind::Wire, *at, text).at(*ns).way(Way::SwitchToHost).and_all(log.iter().take(3).copied());
                if *ours {
                    f.suspects(&[(D::Physical, S::Moderate), (D::SwitchControlPlane, S::Moderate)])
                } else if wire.as_ref().is_some_and(|w| w.5) {
                    // The same device spoke as the partner before: the other end took over our identity.
                    f.implicates(D::SwitchConfig, S::Strong)
                } else {
                    f.suspects(&[(D::SwitchConfig, S::Moderate), (D::Physical, S::Moderate), (D::HostConfig, S::Weak)])
                }
            }
            (None, Some(at)) => Finding::new(
                CHECK.id,
                Kind::Log,
                *at,
                format!("{}: the kernel reports an illegal loopback {} time(s): LACPDUs with this host's own System ID arrive", m.name, log.len()),
            )
            .suspects(&[(D::Physical, S::Moderate), (D::SwitchConfig, S::Moderate), (D::SwitchControlPlane, S::Weak)])
            .and_all(log.iter().take(3).copied()),
            (None, None) => continue,
        };
        found.push(f.member(&m.name));
    }
    Outcome::of(found)
}
