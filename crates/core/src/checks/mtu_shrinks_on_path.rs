//! # A lower interface has a smaller MTU than the one above it
//!
//! ## What it shows
//! A member's MTU is smaller than that of the bond or of the VLAN above it.
//!
//! ## Why it matters
//! Full frames are built for the larger MTU and die at the member, small ones (ping, LACPDUs) pass: the bond looks healthy.
//!
//! ## How it can be wrong
//! Many drivers send a frame that is larger than the MTU they were told: without drops at that member it is a warning only.
//!
//! ## What would settle it
//! `ping -M do -s 1472` against `-s 900` through the VLAN; the same MTU on member, bond, VLAN and switch port.
//!
//! ## References
//! `bond_change_mtu` (drivers/net/bonding/bond_main.c) sets the members' MTU with the bond's; a later change of a member alone is not undone.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Severity, Strength as S};
use crate::path::{self, Place, Role};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "mtu-shrinks-on-path",
    title: "A lower interface has a smaller MTU than the one above it",
    requirements: &["S0-13", "E-09"],
    page: include_str!("mtu_shrinks_on_path.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found: Vec<Finding> = Vec::new();
    for report in path::of_bond(case, subject) {
        let top = report
            .layers
            .iter()
            // Of equals the topmost.
            .rev()
            .filter(|l| l.role != Role::Member)
            .filter_map(|l| Some((l.mtu?, l.name.as_str())))
            .max_by_key(|((mtu, _), _)| *mtu);
        let Some(((mtu, at), above)) = top else { continue };
        for l in report.layers.iter().filter(|l| l.role == Role::Member) {
            let Some((own, own_at)) = l.mtu.filter(|(own, _)| *own < mtu) else { continue };
            let drops = report.places.iter().find(|p| p.place == Place::Driver && p.device == l.name);
            let text = format!("the MTU of {} is {own}, that of {above} above it {mtu}", l.name);
            let f = Finding::new(CHECK.id, Kind::Config, own_at, text)
                .member(&l.name)
                .way(Way::HostToSwitch)
                .and(at);
            let f = match drops {
                Some(p) => f.and_all(p.evidence.iter().copied()).implicates(D::VlanTxPath, S::Moderate),
                None => f.severity(Severity::Warning),
            };
            if !found.iter().any(|g| g.member == f.member) {
                found.push(f);
            }
        }
    }
    Outcome::of(found)
}
