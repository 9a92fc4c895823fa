//! # Members differ
//!
//! ## What it shows
//! MTU, offloads, driver, firmware or speed differ between the members of one bond.
//!
//! ## Why it matters
//! Asymmetry is the constant thief: traffic behaves differently depending on which member the hash picks. It rarely breaks LACP itself.
//!
//! ## How it can be wrong
//! Different NICs on purpose (two cards for redundancy) differ in driver and firmware without harm.
//!
//! ## What would settle it
//! The same readings of all members at one time.
//!
//! ## References
//! requirements.md S4-49, S4-50.

use crate::case::{Case, Subject};
use crate::evidence::Citation;
use crate::finding::{Check, Finding, Kind, Outcome, Severity};

/// The check.
pub(super) const CHECK: Check = Check {
    id: "member-asymmetry",
    title: "Members differ",
    requirements: &["S4-35", "S4-49", "S4-50", "S4-107", "S4-108"],
    page: include_str!("member_asymmetry.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    if !subject.bond {
        return Outcome::NotApplicable;
    }
    let mut found = Vec::new();
    let mtu = |name: &str| {
        case.links()
            .filter(|(_, l)| l.name == name)
            .find_map(|(_, l)| l.fields.get("mtu").map(|f| (f.value.clone(), f.at)))
    };
    compare(&mut found, subject, "MTU", &mtu);
    for key in ["driver", "firmware-version"] {
        let of = |name: &str| {
            case.settings("ethtool-i", Some(name))
                .find_map(|(_, f)| f.get(key).map(|f| (f.value.clone(), f.at)))
        };
        compare(&mut found, subject, key, &of);
    }
    for key in [
        "rx-vlan-offload",
        "tx-vlan-offload",
        "generic-receive-offload",
        "tcp-segmentation-offload",
        "large-receive-offload",
    ] {
        let of = |name: &str| {
            case.settings("ethtool-k", Some(name)).find_map(|(_, f)| {
                f.get(key).map(|f| (f.value.split(' ').next().unwrap_or("").to_owned(), f.at))
            })
        };
        compare(&mut found, subject, key, &of);
    }
    let speed = |name: &str| {
        subject
            .members
            .iter()
            .find(|m| m.name == name)?
            .states
            .iter()
            .rev()
            .find_map(|s| (s.mii.as_deref() == Some("up")).then_some((s.speed?.to_string(), s.at)))
    };
    compare(&mut found, subject, "speed", &speed);
    Outcome::of(found)
}

type Reading = Option<(String, Citation)>;

fn compare(found: &mut Vec<Finding>, subject: &Subject, what: &str, of: &dyn Fn(&str) -> Reading) {
    let readings: Vec<(&str, String, Citation)> =
        subject.member_names().filter_map(|n| of(n).map(|(v, c)| (n, v, c))).collect();
    let Some(first) = readings.first() else { return };
    if readings.iter().all(|r| r.1 == first.1) {
        return;
    }
    let list = readings.iter().map(|(n, v, _)| format!("{n} {v}")).collect::<Vec<_>>().join(", ");
    found.push(
        Finding::new(CHECK.id, Kind::Config, first.2, format!("{what} differs: {list}"))
            .severity(Severity::Warning)
            .and_all(readings.iter().map(|r| r.2)),
    );
}
