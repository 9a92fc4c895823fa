//! Mux machine: figures 6-21 (independent control) and 6-22 (coupled control), `ad_mux_machine()`.

use super::receive::port;
use super::{Done, check, flag};
use crate::PortState;
use crate::machine::mux::Surroundings;
use crate::machine::profile::{Deviations, Profile};
use crate::machine::state::{MuxState, Selected};
use crate::machine::time::Deadline;
use std::collections::BTreeSet;

const NOW: u64 = 1_000_000_000_000;

/// Everything but the first three is with Selected = SELECTED. `early`: wait_while runs; `unready`: another port of the
/// aggregator waits; `idle`: nothing of the partner; `sync`: Partner.Sync; `collecting`: and Partner.Collecting.
const EVENTS: [&str; 8] =
    ["begin", "unselected", "standby", "early", "unready", "idle", "sync", "collecting"];
/// Linux alone, all with Partner.Sync and Partner.Collecting. `inactive`: the aggregator is not the active one; `delay`:
/// the aggregator selection timer runs; `own`: the port's own Sync is clear; `down`: the link is. `own-idle`: the
/// port's own Sync is clear, and so is the partner's.
const OF_LINUX: [&str; 5] = ["inactive", "delay", "own", "own-idle", "down"];

fn step(profile: Profile, state: MuxState, event: &str) -> Done {
    // Linux falls back without its own Sync, so there it is set but for the event that is about it.
    let own_sync_matters = profile.has(Deviations::OWN_SYNC_NEEDED);
    let run = |on: bool| {
        let mut p = port(true);
        p.mux = state;
        p.selected = match event {
            "unselected" => Selected::Unselected,
            "standby" => Selected::Standby,
            _ => Selected::Selected,
        };
        p.begin = event == "begin";
        p.enabled = event != "down";
        p.ready_n = on && state != MuxState::Waiting;
        if state == MuxState::Waiting {
            p.wait_while = Deadline::at(if event == "early" { NOW + 7 } else { NOW });
        }
        let (sync, collecting) = match event {
            "sync" => (true, false),
            "collecting" | "inactive" | "delay" | "own" | "down" => (true, true),
            _ => (false, false),
        };
        p.partner.state.set(PortState::SYNCHRONIZATION, sync);
        p.partner.state.set(PortState::COLLECTING, collecting);
        p.set(PortState::SYNCHRONIZATION, if own_sync_matters { !event.starts_with("own") } else { on });
        p.set(PortState::CARRIES, on);
        p.forwarding = on;
        let around = Surroundings {
            active: event != "inactive",
            others_ready: event != "unready",
            selection_over: event != "delay",
            has_partner: true,
        };
        p.step_mux(&profile, around, NOW);
        p
    };
    let (off, on) = (run(false), run(true));
    assert_eq!(off.mux, on.mux, "{state} {event}: the next state does not hang on these flags");
    let mut found = BTreeSet::new();
    let bits = [("Collecting", PortState::COLLECTING), ("Distributing", PortState::DISTRIBUTING)];
    for (name, bit) in bits {
        flag(&mut found, name, off.actor.state.contains(bit), on.actor.state.contains(bit));
    }
    let sync = on.actor.state.contains(PortState::SYNCHRONIZATION);
    if own_sync_matters {
        if sync == event.starts_with("own") {
            found.insert(format!("Sync{}", if sync { '+' } else { '-' }));
        }
    } else {
        flag(&mut found, "Sync", off.actor.state.contains(PortState::SYNCHRONIZATION), sync);
    }
    flag(&mut found, "traffic", off.forwarding, on.forwarding);
    if state == MuxState::Waiting {
        if on.ready_n {
            found.insert("Ready_N+".to_owned());
        }
    } else {
        flag(&mut found, "Ready_N", off.ready_n, on.ready_n);
    }
    if on.wait_while == Deadline::at(NOW + profile.units(2)) {
        found.insert("wait_while=2s".to_owned());
    } else if state == MuxState::Waiting && !on.wait_while.runs() {
        found.insert("wait_while=off".to_owned());
    }
    if on.ntt {
        found.insert("NTT+".to_owned());
    }
    (on.mux.to_string(), found)
}

const COUPLED: [MuxState; 4] =
    [MuxState::Detached, MuxState::Waiting, MuxState::Attached, MuxState::CollectingDistributing];
const INDEPENDENT: [MuxState; 5] =
    [MuxState::Detached, MuxState::Waiting, MuxState::Attached, MuxState::Collecting, MuxState::Distributing];

fn independent(profile: Profile) -> Profile {
    Profile { independent_control: true, ..profile }
}

#[test]
fn every_state_is_in_one_of_the_figures() {
    assert!(MuxState::ALL.iter().all(|s| COUPLED.contains(s) || INDEPENDENT.contains(s)));
}

#[test]
fn coupled() {
    check("coupled", STANDARD, &COUPLED, &EVENTS, |s, e| step(Profile::standard(), s, e));
}

#[test]
fn coupled_linux() {
    let events: Vec<&str> = EVENTS.into_iter().chain(OF_LINUX).collect();
    check("coupled, Linux", LINUX, &COUPLED, &events, |s, e| step(Profile::linux(), s, e));
}

#[test]
fn independent_control() {
    let profile = independent(Profile::standard());
    check("independent", STANDARD_INDEPENDENT, &INDEPENDENT, &EVENTS, |s, e| step(profile, s, e));
}

#[test]
fn independent_control_linux() {
    let events: Vec<&str> = EVENTS.into_iter().chain(OF_LINUX).collect();
    let profile = independent(Profile::linux());
    check("independent, Linux", LINUX_INDEPENDENT, &INDEPENDENT, &events, |s, e| step(profile, s, e));
}

const STANDARD: &str = r#"
DETACHED                | begin      | DETACHED                | NTT+                                                                  | BEGIN enters it again
DETACHED                | unselected | DETACHED                |                                                                       | Selected = UNSELECTED
DETACHED                | standby    | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | early      | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | unready    | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | idle       | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | sync       | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | collecting | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
WAITING                 | begin      | DETACHED                | Collecting- Distributing- NTT+ Sync- traffic- wait_while=off          | BEGIN
WAITING                 | unselected | DETACHED                | Collecting- Distributing- NTT+ Sync- traffic- wait_while=off          | UNSELECTED
WAITING                 | standby    | WAITING                 | Ready_N+ wait_while=off                                               | STANDBY waits
WAITING                 | early      | WAITING                 |                                                                       | wait_while runs
WAITING                 | unready    | WAITING                 | Ready_N+ wait_while=off                                               | Ready needs Ready_N of every port that waits
WAITING                 | idle       | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | SELECTED && Ready
WAITING                 | sync       | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | SELECTED && Ready
WAITING                 | collecting | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | SELECTED && Ready
ATTACHED                | begin      | DETACHED                | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | BEGIN
ATTACHED                | unselected | DETACHED                | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | UNSELECTED or STANDBY
ATTACHED                | standby    | DETACHED                | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | UNSELECTED or STANDBY
ATTACHED                | early      | ATTACHED                |                                                                       | waits for Partner.Sync
ATTACHED                | unready    | ATTACHED                |                                                                       | waits for Partner.Sync
ATTACHED                | idle       | ATTACHED                |                                                                       | waits for Partner.Sync
ATTACHED                | sync       | COLLECTING_DISTRIBUTING | Collecting+ Distributing+ NTT+ Sync+ traffic+                         | SELECTED && Partner.Sync
ATTACHED                | collecting | COLLECTING_DISTRIBUTING | Collecting+ Distributing+ NTT+ Sync+ traffic+                         | SELECTED && Partner.Sync
COLLECTING_DISTRIBUTING | begin      | DETACHED                | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | BEGIN
COLLECTING_DISTRIBUTING | unselected | ATTACHED                | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | standby    | ATTACHED                | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | early      | ATTACHED                | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | unready    | ATTACHED                | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | idle       | ATTACHED                | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | sync       | COLLECTING_DISTRIBUTING | traffic+                                                              | stays; enabled if it is not
COLLECTING_DISTRIBUTING | collecting | COLLECTING_DISTRIBUTING | traffic+                                                              | stays; enabled if it is not
"#;
const LINUX: &str = r#"
DETACHED                | begin      | DETACHED                |                                                                       | no change of state, no action; the first NTT is that of a new port
DETACHED                | unselected | DETACHED                |                                                                       | Selected = UNSELECTED
DETACHED                | standby    | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | early      | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | unready    | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | idle       | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | sync       | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | collecting | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | inactive   | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | delay      | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | own        | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | own-idle   | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED                | down       | WAITING                 | wait_while=2s                                                         | SELECTED or STANDBY
WAITING                 | begin      | DETACHED                | Collecting- Distributing- NTT+ Sync- traffic- wait_while=off          | BEGIN
WAITING                 | unselected | DETACHED                | Collecting- Distributing- NTT+ Sync- traffic- wait_while=off          | UNSELECTED
WAITING                 | standby    | WAITING                 | Ready_N+ wait_while=off                                               | Linux sets no STANDBY
WAITING                 | early      | WAITING                 |                                                                       | wait_while runs
WAITING                 | unready    | WAITING                 | Ready_N+ wait_while=off                                               | Ready needs Ready_N of every port that waits
WAITING                 | idle       | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
WAITING                 | sync       | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
WAITING                 | collecting | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
WAITING                 | inactive   | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ Sync- traffic- wait_while=off | AD_PORT_READY; Sync as the aggregator is active
WAITING                 | delay      | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
WAITING                 | own        | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | AD_PORT_READY; Sync as the aggregator is active
WAITING                 | own-idle   | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | AD_PORT_READY; Sync as the aggregator is active
WAITING                 | down       | ATTACHED                | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
ATTACHED                | begin      | DETACHED                | Collecting- Distributing- NTT+ Sync- traffic-                         | BEGIN
ATTACHED                | unselected | DETACHED                | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | UNSELECTED or STANDBY
ATTACHED                | standby    | DETACHED                | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | UNSELECTED or STANDBY
ATTACHED                | early      | ATTACHED                |                                                                       | waits for Partner.Sync
ATTACHED                | unready    | ATTACHED                |                                                                       | waits for Partner.Sync
ATTACHED                | idle       | ATTACHED                |                                                                       | waits for Partner.Sync
ATTACHED                | sync       | COLLECTING_DISTRIBUTING | Collecting+ Distributing+ NTT+ traffic+                               | SELECTED && Partner.Sync
ATTACHED                | collecting | COLLECTING_DISTRIBUTING | Collecting+ Distributing+ NTT+ traffic+                               | SELECTED && Partner.Sync
ATTACHED                | inactive   | ATTACHED                |                                                                       | is_active
ATTACHED                | delay      | ATTACHED                |                                                                       | agg_select_timer runs
ATTACHED                | own        | COLLECTING_DISTRIBUTING | Collecting+ Distributing+ NTT+ Sync+ traffic+                         | SELECTED && Partner.Sync
ATTACHED                | own-idle   | ATTACHED                | Sync+                                                                 | the last branch: Sync without NTT
ATTACHED                | down       | COLLECTING_DISTRIBUTING | Collecting+ Distributing+ NTT+                                        | SELECTED && Partner.Sync; __enable_port() wants the link
COLLECTING_DISTRIBUTING | begin      | DETACHED                | Collecting- Distributing- NTT+ Sync- traffic-                         | BEGIN
COLLECTING_DISTRIBUTING | unselected | ATTACHED                | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | standby    | ATTACHED                | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | early      | ATTACHED                | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | unready    | ATTACHED                | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | idle       | ATTACHED                | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING_DISTRIBUTING | sync       | COLLECTING_DISTRIBUTING | traffic+                                                              | stays; enabled if it is not
COLLECTING_DISTRIBUTING | collecting | COLLECTING_DISTRIBUTING | traffic+                                                              | stays; enabled if it is not
COLLECTING_DISTRIBUTING | inactive   | COLLECTING_DISTRIBUTING |                                                                       | is_active: nothing is enabled
COLLECTING_DISTRIBUTING | delay      | COLLECTING_DISTRIBUTING | traffic+                                                              | stays; enabled if it is not
COLLECTING_DISTRIBUTING | own        | ATTACHED                | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync or !Actor.Sync: __port_move_to_attached_state()
COLLECTING_DISTRIBUTING | own-idle   | ATTACHED                | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync or !Actor.Sync: __port_move_to_attached_state()
COLLECTING_DISTRIBUTING | down       | COLLECTING_DISTRIBUTING |                                                                       | __enable_port() wants the link (6.1: Partner.Sync outlives it)
"#;
const STANDARD_INDEPENDENT: &str = r#"
DETACHED     | begin      | DETACHED     | NTT+                                                                  | BEGIN enters it again
DETACHED     | unselected | DETACHED     |                                                                       | Selected = UNSELECTED
DETACHED     | standby    | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | early      | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | unready    | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | idle       | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | sync       | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | collecting | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
WAITING      | begin      | DETACHED     | Collecting- Distributing- NTT+ Sync- traffic- wait_while=off          | BEGIN
WAITING      | unselected | DETACHED     | Collecting- Distributing- NTT+ Sync- traffic- wait_while=off          | UNSELECTED
WAITING      | standby    | WAITING      | Ready_N+ wait_while=off                                               | STANDBY waits
WAITING      | early      | WAITING      |                                                                       | wait_while runs
WAITING      | unready    | WAITING      | Ready_N+ wait_while=off                                               | Ready needs Ready_N of every port that waits
WAITING      | idle       | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | SELECTED && Ready
WAITING      | sync       | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | SELECTED && Ready
WAITING      | collecting | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | SELECTED && Ready
ATTACHED     | begin      | DETACHED     | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | BEGIN
ATTACHED     | unselected | DETACHED     | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | UNSELECTED or STANDBY
ATTACHED     | standby    | DETACHED     | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | UNSELECTED or STANDBY
ATTACHED     | early      | ATTACHED     |                                                                       | waits for Partner.Sync
ATTACHED     | unready    | ATTACHED     |                                                                       | waits for Partner.Sync
ATTACHED     | idle       | ATTACHED     |                                                                       | waits for Partner.Sync
ATTACHED     | sync       | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | SELECTED && Partner.Sync
ATTACHED     | collecting | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | SELECTED && Partner.Sync
COLLECTING   | begin      | DETACHED     | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | BEGIN
COLLECTING   | unselected | ATTACHED     | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | standby    | ATTACHED     | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | early      | ATTACHED     | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | unready    | ATTACHED     | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | idle       | ATTACHED     | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | sync       | COLLECTING   |                                                                       | waits for Partner.Collecting
COLLECTING   | collecting | DISTRIBUTING | Distributing+ Sync+ traffic+                                          | SELECTED && Partner.Sync && Partner.Collecting; no NTT
DISTRIBUTING | begin      | DETACHED     | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | BEGIN
DISTRIBUTING | unselected | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | standby    | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | early      | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | unready    | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | idle       | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | sync       | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | collecting | DISTRIBUTING | traffic+                                                              | stays; enabled if it is not
"#;
const LINUX_INDEPENDENT: &str = r#"
DETACHED     | begin      | DETACHED     |                                                                       | no change of state, no action; the first NTT is that of a new port
DETACHED     | unselected | DETACHED     |                                                                       | Selected = UNSELECTED
DETACHED     | standby    | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | early      | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | unready    | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | idle       | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | sync       | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | collecting | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | inactive   | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | delay      | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | own        | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | own-idle   | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
DETACHED     | down       | WAITING      | wait_while=2s                                                         | SELECTED or STANDBY
WAITING      | begin      | DETACHED     | Collecting- Distributing- NTT+ Sync- traffic- wait_while=off          | BEGIN
WAITING      | unselected | DETACHED     | Collecting- Distributing- NTT+ Sync- traffic- wait_while=off          | UNSELECTED
WAITING      | standby    | WAITING      | Ready_N+ wait_while=off                                               | Linux sets no STANDBY
WAITING      | early      | WAITING      |                                                                       | wait_while runs
WAITING      | unready    | WAITING      | Ready_N+ wait_while=off                                               | Ready needs Ready_N of every port that waits
WAITING      | idle       | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
WAITING      | sync       | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
WAITING      | collecting | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
WAITING      | inactive   | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ Sync- traffic- wait_while=off | AD_PORT_READY; Sync as the aggregator is active
WAITING      | delay      | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
WAITING      | own        | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | AD_PORT_READY; Sync as the aggregator is active
WAITING      | own-idle   | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ Sync+ traffic- wait_while=off | AD_PORT_READY; Sync as the aggregator is active
WAITING      | down       | ATTACHED     | Collecting- Distributing- NTT+ Ready_N+ traffic- wait_while=off       | AD_PORT_READY
ATTACHED     | begin      | DETACHED     | Collecting- Distributing- NTT+ Sync- traffic-                         | BEGIN
ATTACHED     | unselected | DETACHED     | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | UNSELECTED or STANDBY
ATTACHED     | standby    | DETACHED     | Collecting- Distributing- NTT+ Ready_N- Sync- traffic-                | UNSELECTED or STANDBY
ATTACHED     | early      | ATTACHED     |                                                                       | waits for Partner.Sync
ATTACHED     | unready    | ATTACHED     |                                                                       | waits for Partner.Sync
ATTACHED     | idle       | ATTACHED     |                                                                       | waits for Partner.Sync
ATTACHED     | sync       | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | SELECTED && Partner.Sync
ATTACHED     | collecting | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | SELECTED && Partner.Sync
ATTACHED     | inactive   | ATTACHED     |                                                                       | is_active
ATTACHED     | delay      | ATTACHED     |                                                                       | agg_select_timer runs
ATTACHED     | own        | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | SELECTED && Partner.Sync
ATTACHED     | own-idle   | ATTACHED     | Sync+                                                                 | the last branch: Sync without NTT
ATTACHED     | down       | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | SELECTED && Partner.Sync; __enable_port() wants the link
COLLECTING   | begin      | DETACHED     | Collecting- Distributing- NTT+ Sync- traffic-                         | BEGIN
COLLECTING   | unselected | ATTACHED     | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | standby    | ATTACHED     | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | early      | ATTACHED     | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | unready    | ATTACHED     | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | idle       | ATTACHED     | Collecting- Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY or !Partner.Sync
COLLECTING   | sync       | COLLECTING   |                                                                       | waits for Partner.Collecting
COLLECTING   | collecting | DISTRIBUTING | Distributing+ traffic+                                                | SELECTED && Partner.Sync && Partner.Collecting; no NTT
COLLECTING   | inactive   | DISTRIBUTING | Distributing+                                                         | SELECTED && Partner.Sync && Partner.Collecting; no NTT
COLLECTING   | delay      | DISTRIBUTING | Distributing+ traffic+                                                | SELECTED && Partner.Sync && Partner.Collecting; no NTT
COLLECTING   | own        | ATTACHED     | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync or !Actor.Sync: __port_move_to_attached_state()
COLLECTING   | own-idle   | ATTACHED     | Collecting- Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY or !Partner.Sync or !Actor.Sync: __port_move_to_attached_state()
COLLECTING   | down       | DISTRIBUTING | Distributing+                                                         | SELECTED && Partner.Sync && Partner.Collecting; no NTT
DISTRIBUTING | begin      | DETACHED     | Collecting- Distributing- NTT+ Sync- traffic-                         | BEGIN
DISTRIBUTING | unselected | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | standby    | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | early      | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | unready    | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | idle       | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | sync       | COLLECTING   | Collecting+ Distributing- NTT+ traffic-                               | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | collecting | DISTRIBUTING | traffic+                                                              | stays; enabled if it is not
DISTRIBUTING | inactive   | DISTRIBUTING |                                                                       | is_active: nothing is enabled
DISTRIBUTING | delay      | DISTRIBUTING | traffic+                                                              | stays; enabled if it is not
DISTRIBUTING | own        | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting or !Actor.Sync
DISTRIBUTING | own-idle   | COLLECTING   | Collecting+ Distributing- NTT+ Sync+ traffic-                         | UNSELECTED, STANDBY, !Partner.Sync or !Partner.Collecting
DISTRIBUTING | down       | DISTRIBUTING |                                                                       | __enable_port() wants the link (6.1: Partner.Sync outlives it)
"#;
