//! Periodic Transmission machine: figure 6-19 and `ad_periodic_machine()`.

use super::receive::port;
use super::{Done, check};
use crate::PortState;
use crate::machine::profile::Profile;
use crate::machine::state::PeriodicState;
use crate::machine::time::Deadline;
use std::collections::BTreeSet;

const NOW: u64 = 1_000_000_000_000;

/// `short`, `long`: LACP_Timeout of the partner; `-end`: periodic_timer ends.
const EVENTS: [&str; 8] = ["begin", "disabled", "off", "passive", "short", "long", "short-end", "long-end"];

fn step(profile: Profile, state: PeriodicState, event: &str) -> Done {
    let mut p = port(true);
    p.periodic = state;
    let timer = match state {
        PeriodicState::FastPeriodic | PeriodicState::SlowPeriodic => {
            Deadline::at(if event.ends_with("-end") { NOW } else { NOW + 7 })
        }
        PeriodicState::NoPeriodic | PeriodicState::PeriodicTx => Deadline::OFF,
    };
    p.periodic_timer = timer;
    p.partner.state = PortState::ACTIVITY;
    p.partner.state.set(PortState::TIMEOUT, event.starts_with("short"));
    match event {
        "begin" => p.begin = true,
        "disabled" => p.enabled = false,
        "off" => p.lacp_enabled = false,
        "passive" => {
            p.partner.state.remove(PortState::ACTIVITY);
            p.set(PortState::ACTIVITY, false);
        }
        _ => {}
    }
    p.step_periodic(&profile, NOW);
    let mut found = BTreeSet::new();
    let tick = u64::from(profile.has(crate::machine::profile::Deviations::TICKS));
    if p.periodic_timer != timer {
        let what = [(1, "fast"), (30, "slow")]
            .into_iter()
            .find(|(s, _)| p.periodic_timer == Deadline::at(NOW + profile.units(*s) - tick))
            .map_or("off", |w| w.1);
        assert!(what != "off" || !p.periodic_timer.runs());
        found.insert(format!("timer={what}"));
    }
    if p.ntt {
        found.insert("NTT+".to_owned());
    }
    (p.periodic.to_string(), found)
}

#[test]
fn both() {
    for profile in [Profile::standard(), Profile::linux()] {
        check("periodic", TABLE, PeriodicState::ALL, &EVENTS, |s, e| step(profile, s, e));
    }
}

const TABLE: &str = r#"
NO_PERIODIC   | begin     | NO_PERIODIC   |                | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
NO_PERIODIC   | disabled  | NO_PERIODIC   |                | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
NO_PERIODIC   | off       | NO_PERIODIC   |                | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
NO_PERIODIC   | passive   | NO_PERIODIC   |                | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
NO_PERIODIC   | short     | FAST_PERIODIC | timer=fast     | UCT
NO_PERIODIC   | long      | FAST_PERIODIC | timer=fast     | UCT
NO_PERIODIC   | short-end | FAST_PERIODIC | timer=fast     | UCT
NO_PERIODIC   | long-end  | FAST_PERIODIC | timer=fast     | UCT
FAST_PERIODIC | begin     | NO_PERIODIC   | timer=off      | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
FAST_PERIODIC | disabled  | NO_PERIODIC   | timer=off      | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
FAST_PERIODIC | off       | NO_PERIODIC   | timer=off      | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
FAST_PERIODIC | passive   | NO_PERIODIC   | timer=off      | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
FAST_PERIODIC | short     | FAST_PERIODIC |                | waits
FAST_PERIODIC | long      | SLOW_PERIODIC | timer=slow     | Partner.LACP_Timeout = Long
FAST_PERIODIC | short-end | PERIODIC_TX   | NTT+ timer=off | periodic_timer expired
FAST_PERIODIC | long-end  | PERIODIC_TX   | NTT+ timer=off | periodic_timer expired
SLOW_PERIODIC | begin     | NO_PERIODIC   | timer=off      | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
SLOW_PERIODIC | disabled  | NO_PERIODIC   | timer=off      | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
SLOW_PERIODIC | off       | NO_PERIODIC   | timer=off      | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
SLOW_PERIODIC | passive   | NO_PERIODIC   | timer=off      | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
SLOW_PERIODIC | short     | PERIODIC_TX   | NTT+ timer=off | Partner.LACP_Timeout = Short
SLOW_PERIODIC | long      | SLOW_PERIODIC |                | waits
SLOW_PERIODIC | short-end | PERIODIC_TX   | NTT+ timer=off | periodic_timer expired
SLOW_PERIODIC | long-end  | PERIODIC_TX   | NTT+ timer=off | periodic_timer expired
PERIODIC_TX   | begin     | NO_PERIODIC   |                | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
PERIODIC_TX   | disabled  | NO_PERIODIC   |                | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
PERIODIC_TX   | off       | NO_PERIODIC   |                | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
PERIODIC_TX   | passive   | NO_PERIODIC   |                | BEGIN, !LACP_Enabled, !port_enabled, or nobody active
PERIODIC_TX   | short     | FAST_PERIODIC | timer=fast     | Partner.LACP_Timeout chooses
PERIODIC_TX   | long      | SLOW_PERIODIC | timer=slow     | Partner.LACP_Timeout chooses
PERIODIC_TX   | short-end | FAST_PERIODIC | timer=fast     | Partner.LACP_Timeout chooses
PERIODIC_TX   | long-end  | SLOW_PERIODIC | timer=slow     | Partner.LACP_Timeout chooses
"#;
