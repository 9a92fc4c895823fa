//! Selection Logic: 6.4.14, a switch's port-channel, and `ad_port_selection_logic()`.

use super::receive::port;
use super::{Done, check};
use crate::machine::port::Port;
use crate::machine::profile::SelectionPolicy;
use crate::machine::selection::{self, Aggregator};
use crate::machine::selection_linux::{self, AdSelect};
use crate::machine::state::Selected;
use crate::{Mac, PortInfo, PortState};
use std::collections::BTreeSet;

/// The port is the third of three. Port 1 is SELECTED on aggregator 1, which is the active one; the partner of both is
/// the same unless said otherwise. `same`; `other`: another partner; `key`: another own key; `individual`: the partner
/// does not aggregate; `nobody`: no partner is known; `down`: no link; `off`: no LACP; `full`: no place left in the
/// aggregator; `alone`: port 1 has no aggregator either.
const EVENTS: [&str; 9] = ["same", "other", "key", "individual", "nobody", "down", "off", "full", "alone"];

fn partner(last: u8) -> PortInfo {
    PortInfo {
        system_priority: 1,
        system: Mac([2, 0, 0, 0, 0, last]),
        key: 9,
        port_priority: 2,
        port: 3,
        state: PortState::from_bits_retain(0x3d),
    }
}

enum Rule {
    Standard(SelectionPolicy),
    Linux,
}

fn step(rule: &Rule, state: Selected, event: &str) -> Done {
    let mut ports: Vec<Port> = (0..3).map(|_| port(true)).collect();
    let mut aggregators: Vec<Aggregator> =
        (1..=3).map(|id| Aggregator { id, ..Aggregator::default() }).collect();
    for p in &mut ports {
        p.partner = partner(2);
        p.set(PortState::SYNCHRONIZATION, true);
    }
    if event != "alone" {
        let a = &mut aggregators[0];
        a.ports = vec![0];
        a.adopt(ports[0].actor.key, &partner(2));
        a.active = true;
        ports[0].aggregator = Some(0);
        ports[0].selected = Selected::Selected;
    }
    let subject = &mut ports[2];
    subject.selected = state;
    if state != Selected::Unselected {
        subject.aggregator = Some(0);
        aggregators[0].ports.insert(0, 2);
        if event == "alone" {
            aggregators[0].adopt(subject.actor.key, &partner(2));
            aggregators[0].active = true;
        }
    }
    match event {
        "other" => subject.partner = partner(7),
        "key" => subject.actor.key = 9,
        "individual" => subject.partner.state.remove(PortState::AGGREGATION),
        "nobody" => subject.partner = subject.partner_admin,
        "down" => subject.enabled = false,
        "off" => subject.lacp_enabled = false,
        _ => {}
    }
    match rule {
        Rule::Standard(policy) => {
            let policy = match *policy {
                SelectionPolicy::OnePerKey { .. } if event != "full" => {
                    SelectionPolicy::OnePerKey { max_ports: 8 }
                }
                policy => policy,
            };
            selection::select(policy, &mut ports, &mut aggregators, 2);
        }
        Rule::Linux => {
            selection_linux::select_port(AdSelect::Stable, &mut ports, &mut aggregators, 2);
        }
    }
    let p = &ports[2];
    let at = p.aggregator.and_then(|a| aggregators.get(a));
    let mut found = BTreeSet::from([at.map_or("none".to_owned(), |a| format!("aggregator={}", a.id))]);
    for (n, a) in aggregators.iter().enumerate() {
        assert_eq!(a.ports.contains(&2), p.aggregator == Some(n), "both sides agree");
    }
    if at.is_some_and(|a| a.active) {
        found.insert("active".to_owned());
    }
    if !p.actor.state.contains(PortState::SYNCHRONIZATION) {
        found.insert("Sync-".to_owned());
    }
    (p.selected.to_string(), found)
}

#[test]
fn one_aggregator_for_each_group() {
    let rule = Rule::Standard(SelectionPolicy::OnePerGroup);
    check("one per group", GROUP, Selected::ALL, &EVENTS, |s, e| step(&rule, s, e));
}

#[test]
fn one_aggregator_for_each_key() {
    let rule = Rule::Standard(SelectionPolicy::OnePerKey { max_ports: 1 });
    check("one per key", KEY, Selected::ALL, &EVENTS, |s, e| step(&rule, s, e));
}

#[test]
fn linux() {
    check("linux", LINUX, Selected::ALL, &EVENTS, |s, e| step(&Rule::Linux, s, e));
}

const GROUP: &str = r#"
UNSELECTED | same       | SELECTED   | active aggregator=1 | 6.4.14.1: the same LAG ID, the same Aggregator
UNSELECTED | other      | SELECTED   | active aggregator=2 | 6.4.14.1: another LAG ID
UNSELECTED | key        | SELECTED   | active aggregator=2 | 6.4.14.1: another LAG ID
UNSELECTED | individual | SELECTED   | active aggregator=2 | 6.3.6: an individual link has an Aggregator of its own
UNSELECTED | nobody     | SELECTED   | active aggregator=2 | 6.3.6: individual
UNSELECTED | down       | UNSELECTED | none                | nothing to select
UNSELECTED | off        | SELECTED   | active aggregator=2 | individual, LACP_DISABLED
UNSELECTED | full       | SELECTED   | active aggregator=1 | 6.4.14.1: no limit
UNSELECTED | alone      | SELECTED   | active aggregator=1 | 6.4.14.1: the first to come
SELECTED   | same       | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | other      | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | key        | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | individual | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | nobody     | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | down       | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | off        | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | full       | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | alone      | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | same       | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | other      | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | key        | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | individual | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | nobody     | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | down       | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | off        | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | full       | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | alone      | STANDBY    | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
"#;
const KEY: &str = r#"
UNSELECTED | same       | SELECTED   | active aggregator=1 | the port-channel of the key
UNSELECTED | other      | UNSELECTED | none                | suspended: the port-channel serves another partner
UNSELECTED | key        | SELECTED   | active aggregator=2 | the port-channel of another key
UNSELECTED | individual | UNSELECTED | none                | suspended: does not aggregate
UNSELECTED | nobody     | UNSELECTED | none                | suspended: no partner
UNSELECTED | down       | UNSELECTED | none                | nothing to select
UNSELECTED | off        | SELECTED   | active aggregator=2 | a static member
UNSELECTED | full       | STANDBY    | active aggregator=1 | 6.6.1: held in reserve
UNSELECTED | alone      | SELECTED   | active aggregator=1 | the first to come
SELECTED   | same       | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | other      | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | key        | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | individual | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | nobody     | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | down       | UNSELECTED | none                | gives its place up
SELECTED   | off        | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | full       | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
SELECTED   | alone      | SELECTED   | active aggregator=1 | 6.4.14: Selected changes by update_Selected first
STANDBY    | same       | SELECTED   | active aggregator=1 | 6.6.1: a place is free
STANDBY    | other      | SELECTED   | active aggregator=1 | 6.6.1: a place is free
STANDBY    | key        | SELECTED   | active aggregator=1 | 6.6.1: a place is free
STANDBY    | individual | SELECTED   | active aggregator=1 | 6.6.1: a place is free
STANDBY    | nobody     | SELECTED   | active aggregator=1 | 6.6.1: a place is free
STANDBY    | down       | UNSELECTED | none                | gives its place up
STANDBY    | off        | SELECTED   | active aggregator=1 | 6.6.1: a place is free
STANDBY    | full       | STANDBY    | active aggregator=1 | 6.6.1: still no place
STANDBY    | alone      | SELECTED   | active aggregator=1 | 6.6.1: a place is free
"#;
const LINUX: &str = r#"
UNSELECTED | same       | SELECTED | active aggregator=1 | existing LAG
UNSELECTED | other      | SELECTED | Sync- aggregator=2  | new LAG, not the active one
UNSELECTED | key        | SELECTED | Sync- aggregator=2  | new LAG: actor key differs
UNSELECTED | individual | SELECTED | active aggregator=1 | Aggregation is not compared
UNSELECTED | nobody     | SELECTED | Sync- aggregator=2  | new LAG: no partner, none is joined
UNSELECTED | down       | SELECTED | active aggregator=1 | is_enabled is not asked
UNSELECTED | off        | SELECTED | active aggregator=1 | LACP_ENABLED is not asked
UNSELECTED | full       | SELECTED | active aggregator=1 | no limit
UNSELECTED | alone      | SELECTED | active aggregator=1 | new LAG, chosen as the active LAG
SELECTED   | same       | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
SELECTED   | other      | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
SELECTED   | key        | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
SELECTED   | individual | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
SELECTED   | nobody     | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
SELECTED   | down       | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
SELECTED   | off        | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
SELECTED   | full       | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
SELECTED   | alone      | SELECTED | active aggregator=1 | "if the port is already Selected, do nothing"
STANDBY    | same       | STANDBY  | active aggregator=1 | Linux sets no STANDBY
STANDBY    | other      | STANDBY  | active aggregator=1 | Linux sets no STANDBY
STANDBY    | key        | STANDBY  | active aggregator=1 | Linux sets no STANDBY
STANDBY    | individual | STANDBY  | active aggregator=1 | Linux sets no STANDBY
STANDBY    | nobody     | STANDBY  | active aggregator=1 | Linux sets no STANDBY
STANDBY    | down       | STANDBY  | active aggregator=1 | Linux sets no STANDBY
STANDBY    | off        | STANDBY  | active aggregator=1 | Linux sets no STANDBY
STANDBY    | full       | STANDBY  | active aggregator=1 | Linux sets no STANDBY
STANDBY    | alone      | STANDBY  | active aggregator=1 | Linux sets no STANDBY
"#;
