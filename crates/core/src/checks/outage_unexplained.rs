//! # A member left the aggregate and the evidence does not show why
//!
//! ## What it shows
//! A member stopped collecting or distributing in the capture, or its last LACPDU is far older than the end of the capture, and none of the known causes fits what was captured.
//!
//! ## Why it matters
//! An outage without a cause is still an outage: it keeps the verdict from calling the bond healthy.
//!
//! ## How it can be wrong
//! A capture that was stopped earlier on one member than on another looks like a member that fell silent.
//!
//! ## What would settle it
//! A capture of both directions on every member over the same time, the kernel log of these seconds, carrier counters before and after.
//!
//! ## References
//! verdict.md section 1; kernel-facts.md 11.1.

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::wire::{Cause, seconds};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "outage-unexplained",
    title: "A member left the aggregate and the evidence does not show why",
    requirements: &["S4-17", "S4-87"],
    page: include_str!("outage_unexplained.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let Some(w) = &m.wire else { continue };
        for (part, story) in w.told() {
            // A host that withdraws without a reason that is seen belongs here too: the selection logic decides so.
            let open: Vec<_> = story
                .outages
                .iter()
                .filter(|o| {
                    matches!(o.cause, Cause::Unclear | Cause::HostWithdrew)
                        || (o.cause == Cause::LostTowardsSwitch && part.host().is_none())
                })
                .collect();
            let Some(o) = open.first() else { continue };
            if story.outages.iter().any(|x| !open.iter().any(|y| std::ptr::eq(*y, x))) && !o.span.open {
                continue;
            }
            let proof =
                o.proof.iter().map(|(f, t)| format!("{t} (frame {f})")).collect::<Vec<_>>().join("; ");
            let text = format!(
                "{}: out of the aggregate {} time(s), the first for {}: {proof}",
                m.name,
                open.len(),
                seconds(o.span.end - o.span.start)
            );
            found.push(
                Finding::new(CHECK.id, Kind::Wire, part.cite(o.span.first), text)
                    .suspects(&[
                        (D::Physical, S::Weak),
                        (D::SwitchControlPlane, S::Weak),
                        (D::HostDriverFirmware, S::Weak),
                        (D::HostConfig, S::Weak),
                    ])
                    .member(&m.name)
                    .at(o.span.start)
                    .and_all(o.proof.iter().map(|(f, _)| part.cite(*f))),
            );
        }
    }
    // A capture named after a member that holds nothing, while others hold LACPDUs.
    let any_wire = subject.members.iter().any(|m| m.wire.is_some());
    for m in subject.members.iter().filter(|m| m.wire.is_none() && any_wire) {
        let empty = case.captures.iter().find(|c| {
            let path = case.path(c.file);
            let name = path.rsplit('/').next().unwrap_or(path);
            c.capture.lacpdus == 0 && name.split(['-', '_', '.', ' ']).any(|t| t == m.name)
        });
        if let Some(c) = empty {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Wire,
                    crate::evidence::Citation::whole(c.file),
                    format!("{}: its capture holds not a single LACPDU, those of other members do", m.name),
                )
                .suspects(&[(D::Physical, S::Weak), (D::SwitchConfig, S::Weak), (D::HostConfig, S::Weak)])
                .member(&m.name),
            );
        }
    }
    // Frames of other members are in the same file, none of this one.
    for m in subject.members.iter().filter(|m| m.wire.is_none()) {
        let sibling = subject
            .members
            .iter()
            .filter_map(|x| x.wire.as_ref())
            .flat_map(|w| &w.parts)
            .find(|p| case_wide(p) && p.span.1.saturating_sub(p.span.0) > 10_000_000_000);
        if let Some(p) = sibling {
            found.push(
                Finding::new(CHECK.id, Kind::Wire, crate::evidence::Citation::whole(p.file), format!("{}: not a single LACPDU in a capture of all interfaces that holds those of other members", m.name))
                    .suspects(&[(D::Physical, S::Weak), (D::SwitchConfig, S::Weak), (D::HostConfig, S::Weak)])
                    .member(&m.name),
            );
        }
    }
    Outcome::of(found)
}

/// A capture of all interfaces (`-i any`): it tells interfaces apart.
fn case_wide(p: &crate::wire::Part) -> bool {
    p.tagged && p.out.iter().chain(&p.ins).any(|s| s.iface > 0)
}
