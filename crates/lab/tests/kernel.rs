//! The simulator against recordings of real kernels: the same incident gives the same states in the same order, each
//! transition within 400 ms. The recordings are excerpts of runs of `cargo xtask vm`, with two Linux ends.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![allow(clippy::disallowed_methods, reason = "the recordings are files of this folder")]

use bondwitness_lab::compare::{self, TOLERANCE_MS};
use bondwitness_lab::fault::Fault;
use bondwitness_lab::incident::TimedFault;
use std::path::{Path, PathBuf};

fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the recordings").map(|e| e.expect("a recording").path()).collect();
    files.sort();
    files
}

#[test]
fn both_worlds_go_through_the_same_states_at_the_same_times() {
    let mut kernels = std::collections::BTreeSet::new();
    let mut scenarios = std::collections::BTreeSet::new();
    for path in recordings() {
        let text = std::fs::read_to_string(&path).expect("text");
        let (incident, recorded) = compare::from_text(&text).expect("a recording");
        let fit = compare::fit(&incident, &recorded)
            .unwrap_or_else(|why| panic!("{}: {why}", path.file_name().unwrap_or_default().display()));
        assert!(fit.changes >= 8 && fit.worst_ms <= TOLERANCE_MS, "{}: {fit:?}", path.display());
        kernels.insert(incident.topology.host.kernel.clone());
        scenarios.insert(incident.scenario);
    }
    assert!(kernels.len() >= 2 && scenarios.len() >= 8, "{kernels:?} {scenarios:?}");
}

#[test]
fn another_incident_is_noticed() {
    let mut tried = 0;
    for path in recordings() {
        let text = std::fs::read_to_string(&path).expect("text");
        let (incident, recorded) = compare::from_text(&text).expect("a recording");
        let matters = |f: &Fault| {
            matches!(f, Fault::LacpduLoss { .. } | Fault::HostFilter { .. } | Fault::QdiscLoss { .. })
        };
        let matters =
            |f: &TimedFault| f.at_ms > 0 && f.for_ms.is_some_and(|l| l > 5_000) && matters(&f.fault);
        let Some(i) = incident.faults.iter().position(matters) else { continue };
        tried += 1;
        // All phases of a few: that nothing fits is slow to find out.
        if tried > 2 {
            break;
        }
        let mut later = incident.clone();
        later.faults[i].at_ms += 2_000;
        let mut without = incident.clone();
        without.faults.remove(i);
        for (what, other) in [("later", later), ("without", without)] {
            assert!(compare::fit(&other, &recorded).is_err(), "{}, {what}", path.display());
        }
    }
    assert!(tried > 2);
}

#[test]
fn a_recording_is_read_as_it_was_written() {
    let path = recordings().into_iter().next().expect("a recording");
    let text = std::fs::read_to_string(path).expect("text");
    let (incident, recorded) = compare::from_text(&text).expect("a recording");
    assert_eq!(compare::to_text(&incident, &recorded).expect("text"), text);
    assert!(compare::from_text(&format!("{text}0 host soon 0x4f 0x02\n")).is_err());
}
