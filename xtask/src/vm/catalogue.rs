//! Incidents of the real-kernel lab with their truth.

use super::judge::Expected;
use crate::truth::Decidable;
use bondwitness_core::domain::{FaultDomain as D, Way as Direction};
use bondwitness_guest::plan::{End, Far, Fault, Incident, Rate, Snapshot, Timed, Way};

/// An incident and the truth about it.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    /// What the guest does.
    pub(crate) incident: Incident,
    /// What is true.
    pub(crate) expected: Expected,
}

const FAST: End = End { rate: Rate::Fast, active: true };

fn trial(name: &str, far: Far, faults: Vec<Timed>, duration_ms: u64, expected: Expected) -> Trial {
    let first = faults.iter().map(|f| f.from_ms).min().unwrap_or(duration_ms);
    let mut snapshots =
        vec![Snapshot { at_ms: first.saturating_sub(2_000).max(1_000), label: "before".to_owned() }];
    for fault in &faults {
        let until = fault.until_ms.unwrap_or(duration_ms).min(duration_ms - 4_000);
        snapshots.push(Snapshot { at_ms: until.saturating_sub(1_000), label: "during".to_owned() });
    }
    snapshots.push(Snapshot { at_ms: duration_ms - 2_000, label: "after".to_owned() });
    let incident =
        Incident { name: name.to_owned(), members: 2, host: FAST, far, snapshots, faults, duration_ms };
    Trial { incident, expected }
}

/// The first slice.
pub(crate) fn all() -> Vec<Trial> {
    let fault = |fault, from_ms, until_ms| Timed { from_ms, until_ms: Some(until_ms), fault };
    let loss = Fault::LacpduLoss { member: 0, way: Way::HostToSwitch, percent: 100 };
    vec![
        trial("healthy-fast", Far::Bond(FAST), Vec::new(), 30_000, Expected::of(D::Healthy, Decidable::Side)),
        trial(
            "loss-h2s",
            Far::Bond(FAST),
            vec![fault(loss, 12_000, 30_000)],
            45_000,
            Expected::of(D::Physical, Decidable::Exoneration).on(0).towards(Direction::HostToSwitch),
        ),
    ]
}
