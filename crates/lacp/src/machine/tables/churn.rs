//! Churn Detection machines: figures 6-23 and 6-24, `ad_churn_machine()`.

use super::receive::port;
use super::{Done, check};
use crate::PortState;
use crate::machine::profile::Profile;
use crate::machine::state::ChurnState;
use crate::machine::time::Deadline;
use std::collections::BTreeSet;

const NOW: u64 = 1_000_000_000_000;

/// `sync`, `no-sync`: the port's Synchronization (the partner's, for the Partner Churn machine); `-end`: 60 s are over;
/// `trigger`: `AD_PORT_CHURNED`.
const EVENTS: [&str; 7] = ["begin", "disabled", "trigger", "sync", "no-sync", "sync-end", "no-sync-end"];

/// The machine of the port itself, or of its partner.
fn step(profile: Profile, of_partner: bool, state: ChurnState, event: &str) -> Done {
    let mut p = port(true);
    let sync = event.starts_with("sync");
    // The other machine sees the opposite.
    p.set(PortState::SYNCHRONIZATION, sync != of_partner);
    p.partner.state.set(PortState::SYNCHRONIZATION, sync == of_partner);
    p.begin = event == "begin";
    p.enabled = event != "disabled";
    p.churn_trigger = event == "trigger";
    let before = Deadline::at(if event.ends_with("-end") { NOW } else { NOW + 7 });
    let (s, timer) = if of_partner {
        (&mut p.partner_churn, &mut p.partner_churn_timer)
    } else {
        (&mut p.actor_churn, &mut p.actor_churn_timer)
    };
    (*s, *timer) = (state, before);
    p.step_churn(&profile, NOW);
    let (s, timer, count) = if of_partner {
        (p.partner_churn, p.partner_churn_timer, p.partner_churn_count)
    } else {
        (p.actor_churn, p.actor_churn_timer, p.actor_churn_count)
    };
    let mut found = BTreeSet::new();
    if timer != before {
        let minute = timer == Deadline::at(NOW + profile.units(60));
        assert!(minute || !timer.runs());
        found.insert(format!("timer={}", if minute { "60s" } else { "off" }));
    }
    if count > 0 {
        assert_eq!(count, 1);
        found.insert("count+1".to_owned());
    }
    (s.to_string(), found)
}

#[test]
fn standard() {
    for of_partner in [false, true] {
        check("standard", STANDARD, ChurnState::ALL, &EVENTS, |s, e| {
            step(Profile::standard(), of_partner, s, e)
        });
    }
}

#[test]
fn linux() {
    for of_partner in [false, true] {
        check("linux", LINUX, ChurnState::ALL, &EVENTS, |s, e| step(Profile::linux(), of_partner, s, e));
    }
}

const STANDARD: &str = r#"
CHURN_MONITOR | begin       | CHURN_MONITOR | timer=off         | BEGIN or !port_enabled: entered as long as it holds
CHURN_MONITOR | disabled    | CHURN_MONITOR | timer=off         | BEGIN or !port_enabled: entered as long as it holds
CHURN_MONITOR | trigger     | CHURN_MONITOR |                   | no such trigger: out of sync
CHURN_MONITOR | sync        | NO_CHURN      | timer=off         | in sync
CHURN_MONITOR | no-sync     | CHURN_MONITOR |                   | waits
CHURN_MONITOR | sync-end    | NO_CHURN      | timer=off         | in sync
CHURN_MONITOR | no-sync-end | CHURN         | count+1 timer=off | churn timer expired
CHURN         | begin       | CHURN_MONITOR | timer=off         | BEGIN or !port_enabled: entered as long as it holds
CHURN         | disabled    | CHURN_MONITOR | timer=off         | BEGIN or !port_enabled: entered as long as it holds
CHURN         | trigger     | CHURN         |                   | no such trigger
CHURN         | sync        | NO_CHURN      |                   | in sync
CHURN         | no-sync     | CHURN         |                   | stays
CHURN         | sync-end    | NO_CHURN      |                   | in sync
CHURN         | no-sync-end | CHURN         |                   | stays
NO_CHURN      | begin       | CHURN_MONITOR | timer=off         | BEGIN or !port_enabled: entered as long as it holds
NO_CHURN      | disabled    | CHURN_MONITOR | timer=off         | BEGIN or !port_enabled: entered as long as it holds
NO_CHURN      | trigger     | CHURN_MONITOR | timer=60s         | no such trigger: out of sync
NO_CHURN      | sync        | NO_CHURN      |                   | stays
NO_CHURN      | no-sync     | CHURN_MONITOR | timer=60s         | out of sync
NO_CHURN      | sync-end    | NO_CHURN      |                   | stays
NO_CHURN      | no-sync-end | CHURN_MONITOR | timer=60s         | out of sync
"#;
const LINUX: &str = r#"
CHURN_MONITOR | begin       | CHURN_MONITOR |                   | only the trigger counts (ad_rx_machine() sets it on BEGIN)
CHURN_MONITOR | disabled    | CHURN_MONITOR |                   | only the trigger counts (ad_rx_machine() sets it on BEGIN)
CHURN_MONITOR | trigger     | CHURN_MONITOR | timer=60s         | AD_PORT_CHURNED
CHURN_MONITOR | sync        | CHURN_MONITOR |                   | counts
CHURN_MONITOR | no-sync     | CHURN_MONITOR |                   | counts
CHURN_MONITOR | sync-end    | NO_CHURN      | timer=off         | judged when the counter ends
CHURN_MONITOR | no-sync-end | CHURN         | count+1 timer=off | judged when the counter ends
CHURN         | begin       | CHURN         |                   | only the trigger counts (ad_rx_machine() sets it on BEGIN)
CHURN         | disabled    | CHURN         |                   | only the trigger counts (ad_rx_machine() sets it on BEGIN)
CHURN         | trigger     | CHURN_MONITOR | timer=60s         | AD_PORT_CHURNED
CHURN         | sync        | CHURN         |                   | sticky: Sync alone changes nothing
CHURN         | no-sync     | CHURN         |                   | sticky: Sync alone changes nothing
CHURN         | sync-end    | CHURN         | timer=off         | the counter ends, the state stays
CHURN         | no-sync-end | CHURN         | timer=off         | the counter ends, the state stays
NO_CHURN      | begin       | NO_CHURN      |                   | only the trigger counts (ad_rx_machine() sets it on BEGIN)
NO_CHURN      | disabled    | NO_CHURN      |                   | only the trigger counts (ad_rx_machine() sets it on BEGIN)
NO_CHURN      | trigger     | CHURN_MONITOR | timer=60s         | AD_PORT_CHURNED
NO_CHURN      | sync        | NO_CHURN      |                   | sticky: Sync alone changes nothing
NO_CHURN      | no-sync     | NO_CHURN      |                   | sticky: Sync alone changes nothing
NO_CHURN      | sync-end    | NO_CHURN      | timer=off         | the counter ends, the state stays
NO_CHURN      | no-sync-end | NO_CHURN      | timer=off         | the counter ends, the state stays
"#;
