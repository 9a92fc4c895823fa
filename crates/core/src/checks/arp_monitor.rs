//! # The bond judges links by ARP replies
//!
//! ## What it shows
//! An ARP monitor is configured. Its verdict about a member depends on replies of another machine, not on the link.
//!
//! ## Why it matters
//! A member that goes "down" and "up" under an ARP monitor without any carrier event has not lost its link: the target, the path to it, or the monitor's settings did not answer.
//!
//! ## How it can be wrong
//! With carrier events next to the bond's, the monitor only follows.
//!
//! ## What would settle it
//! Carrier counters of the member; a capture of the ARP probes; a second target.
//!
//! ## References
//! Documentation/networking/bonding.rst (arp_interval, arp_ip_target, arp_validate).

use crate::case::{Case, Subject};
use crate::domain::FaultDomain as D;
use crate::evidence::KernelKind;
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "arp-monitor",
    title: "The bond judges links by ARP replies",
    requirements: &["S4-32"],
    page: include_str!("arp_monitor.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let Some(arp) =
        subject.field("ARP Polling Interval (ms)").filter(|f| f.value != "0" && !f.value.is_empty())
    else {
        return Outcome::NotApplicable;
    };
    let mut found = Vec::new();
    for m in &subject.members {
        let bond_downs: Vec<_> = case
            .kernel_of(&m.name)
            .filter(|(_, k)| k.kind == KernelKind::MemberDown)
            .map(|(r, _)| r.at)
            .collect();
        let carrier = case.kernel_of(&m.name).filter(|(_, k)| matches!(k.kind, KernelKind::LinkDown)).count();
        if bond_downs.len() > carrier + 1
            && let Some(first) = bond_downs.first()
        {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Log,
                    *first,
                    format!(
                        "{}: the ARP monitor ({} ms) called it down {} times, the driver reported {carrier} loss(es) of carrier: most of these are missing ARP replies, not link failures",
                        m.name,
                        arp.value,
                        bond_downs.len()
                    ),
                )
                .suspects(&[(D::SwitchConfig, S::Weak), (D::HostConfig, S::Weak), (D::NotLacp, S::Weak)])
                .member(&m.name)
                .and(arp.at)
                .and_all(bond_downs.iter().skip(1).take(3).copied()),
            );
        }
    }
    if found.is_empty() {
        found.push(Finding::new(
            CHECK.id,
            Kind::Config,
            arp.at,
            format!("{}: links are judged by ARP replies every {} ms", subject.name, arp.value),
        ));
    }
    Outcome::Found(found)
}
