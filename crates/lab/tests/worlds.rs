//! Every scenario runs, gives the same recording for the same seed, and does what it says.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use bondwitness_lab::scenario::Scenario;
use bondwitness_lab::world;

fn scenarios() -> Vec<Scenario> {
    bondwitness_lab::catalog::all().unwrap()
}

#[test]
fn the_same_seed_gives_the_same_recording() {
    for s in scenarios() {
        let (a, b) = (s.draw(7).unwrap(), s.draw(7).unwrap());
        assert_eq!(a, b, "{}", s.name);
        let (ra, rb) = (world::run(&a).0, world::run(&b).0);
        assert_eq!(ra.frames, rb.frames, "{}", s.name);
        assert_eq!(ra.log, rb.log, "{}", s.name);
        assert_ne!(s.draw(8).unwrap(), a, "{}: the seed changes nothing", s.name);
    }
}

#[test]
fn every_member_comes_up_before_the_capture_begins_unless_something_was_wrong_from_the_start() {
    for s in scenarios() {
        for seed in 0..20 {
            let incident = s.draw(seed).unwrap();
            // Two passive ends never come up, or flap.
            if !incident.topology.host.active && !incident.topology.switch.active {
                continue;
            }
            if incident.faults.iter().any(|f| {
                f.at_ms < 12_000
                    && !matches!(
                        f.fault,
                        bondwitness_lab::fault::Fault::OldErrors { .. }
                            | bondwitness_lab::fault::Fault::OtherNicTrouble {}
                    )
            }) {
                continue;
            }
            let (recording, _) = world::run(&incident);
            let first = recording.views.first().unwrap();
            for m in &first.members {
                assert!(
                    m.forwarding,
                    "{} seed {seed}: {} is not up at {:?}: {:?} {:?}",
                    s.name, m.name, first.at, m.actor, m.partner
                );
            }
        }
    }
}
