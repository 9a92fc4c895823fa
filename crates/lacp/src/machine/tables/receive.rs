//! Receive machine: figure 6-18 and `ad_rx_machine()`, its functions (6.4.9) and the helpers of Linux.

use super::{Done, check, flag};
use crate::machine::port::{Pdu, Port, PortConfig};
use crate::machine::profile::Profile;
use crate::machine::state::{ReceiveState, Selected};
use crate::machine::time::Deadline;
use crate::{Mac, PortInfo, PortState};
use std::collections::BTreeSet;

const NOW: u64 = 1_000_000_000_000;
const OWN: Mac = Mac([2, 0, 0, 0, 0, 1]);

/// `pdu`: as the last one; `pdu-other`: another sender that has not heard of this port; `loop`: of this system;
/// `time`: nothing arrives; `-off`: LACP is not enabled; `timeout`: current_while ends.
const EVENTS: [&str; 8] = ["begin", "disabled", "pdu", "pdu-off", "pdu-other", "loop", "timeout", "time"];

fn partner(state: PortState) -> PortInfo {
    PortInfo { system_priority: 1, system: Mac([2, 0, 0, 0, 0, 2]), key: 9, port_priority: 2, port: 3, state }
}

pub(super) fn port(profile_short: bool) -> Port {
    let config = PortConfig { short_timeout: profile_short, ..PortConfig::default() };
    let mut port = Port::new(65535, OWN, config, 0);
    port.begin = false;
    port.ntt = false;
    port.unsettled = false;
    port
}

fn step(profile: Profile, state: ReceiveState, event: &str) -> Done {
    let run = |on: bool| {
        let mut p = port(true);
        p.receive = state;
        p.selected = Selected::Selected;
        p.current_while = Deadline::at(NOW + 7);
        let mut known = PortState::ACTIVITY;
        // What a PDU changes by comparison with what is known has to be known; else both values are tried.
        let pdu_event = event.starts_with("pdu") || event == "loop";
        known.set(PortState::AGGREGATION, on || pdu_event);
        known.set(PortState::SYNCHRONIZATION | PortState::TIMEOUT, on);
        p.partner = partner(known);
        p.set(PortState::EXPIRED | PortState::DEFAULTED, on);
        let mut sender = partner(PortState::from_bits_retain(0x3d));
        let mut echo = *p.actor();
        let mut arrives = pdu_event;
        match event {
            "begin" => p.begin = true,
            "disabled" => p.enabled = false,
            "pdu-off" => p.lacp_enabled = false,
            "pdu-other" => {
                sender.port = 4;
                echo.key = 1;
            }
            "loop" => sender.system = OWN,
            "timeout" => p.current_while = Deadline::at(NOW),
            _ => arrives = pdu_event,
        }
        let pdu = Pdu { actor: sender, partner: echo };
        p.step_receive(&profile, arrives.then_some(&pdu), NOW);
        p
    };
    let (off, on) = (run(false), run(true));
    assert_eq!(off.receive, on.receive, "the next state does not hang on these flags");
    let mut found = BTreeSet::new();
    let mut note = |yes: bool, what: &str| {
        if yes {
            found.insert(what.to_owned());
        }
    };
    note(on.selected == Selected::Unselected, "Selected=UNSELECTED");
    note(on.partner.same_identity(&on.partner_admin), "partner=admin");
    note(on.partner.state.contains(PortState::CARRIES), "partner=PDU");
    note(on.ntt, "NTT+");
    note(on.churn_trigger, "churn+");
    let end = |seconds| Deadline::at(NOW + profile.units(seconds));
    note(on.current_while == end(3), "current_while=short");
    note(on.current_while == end(90), "current_while=long");
    note(!on.current_while.runs(), "current_while=off");
    let both = |bit: PortState| (off.partner.state.contains(bit), on.partner.state.contains(bit));
    if !on.partner.state.contains(PortState::CARRIES) && !on.partner.same_identity(&on.partner_admin) {
        for (name, bit) in
            [("Partner.Timeout", PortState::TIMEOUT), ("Partner.Aggregation", PortState::AGGREGATION)]
        {
            if !(event.starts_with("pdu") || event == "loop") || bit == PortState::TIMEOUT {
                let (a, b) = both(bit);
                flag(&mut found, name, a, b);
            }
        }
    }
    let (a, b) = both(PortState::SYNCHRONIZATION);
    flag(&mut found, "Partner.Sync", a, b);
    for (name, bit) in [("Expired", PortState::EXPIRED), ("Defaulted", PortState::DEFAULTED)] {
        flag(&mut found, name, off.actor.state.contains(bit), on.actor.state.contains(bit));
    }
    (on.receive.to_string(), found)
}

#[test]
fn standard() {
    check("standard", STANDARD, ReceiveState::ALL, &EVENTS, |s, e| step(Profile::standard(), s, e));
}

#[test]
fn linux() {
    check("linux", LINUX, ReceiveState::ALL, &EVENTS, |s, e| step(Profile::linux(), s, e));
}

const STANDARD: &str = r#"
INITIALIZE    | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | BEGIN: INITIALIZE, UCT
INITIALIZE    | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !port_enabled
INITIALIZE    | pdu       | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
INITIALIZE    | pdu-off   | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
INITIALIZE    | pdu-other | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
INITIALIZE    | loop      | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
INITIALIZE    | timeout   | INITIALIZE    | current_while=off                                                                                 | UCT (never seen: left in the step that enters it)
INITIALIZE    | time      | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
PORT_DISABLED | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | BEGIN: INITIALIZE, UCT
PORT_DISABLED | disabled  | PORT_DISABLED |                                                                                                   | !port_enabled
PORT_DISABLED | pdu       | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | port_enabled && LACP_Enabled
PORT_DISABLED | pdu-off   | LACP_DISABLED | Defaulted+ Expired- Partner.Sync+ Selected=UNSELECTED partner=admin                               | port_enabled && !LACP_Enabled
PORT_DISABLED | pdu-other | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | port_enabled && LACP_Enabled
PORT_DISABLED | loop      | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | port_enabled && LACP_Enabled
PORT_DISABLED | timeout   | PORT_DISABLED | current_while=off                                                                                 | the timer does not run here
PORT_DISABLED | time      | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | port_enabled && LACP_Enabled
EXPIRED       | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | BEGIN: INITIALIZE, UCT
EXPIRED       | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !port_enabled
EXPIRED       | pdu       | CURRENT       | Defaulted- Expired- Partner.Sync+ churn+ current_while=short partner=PDU                          | CtrlMuxN:MA_UNITDATA: recordPDU
EXPIRED       | pdu-off   | CURRENT       | Defaulted- Expired- Partner.Sync+ churn+ current_while=short partner=PDU                          | CtrlMuxN:MA_UNITDATA: recordPDU
EXPIRED       | pdu-other | CURRENT       | Defaulted- Expired- NTT+ Partner.Sync- Selected=UNSELECTED churn+ current_while=short partner=PDU | CtrlMuxN:MA_UNITDATA: update_Selected, update_NTT, recordPDU
EXPIRED       | loop      | CURRENT       | Defaulted- Expired- Partner.Sync+ Selected=UNSELECTED churn+ current_while=short partner=PDU      | 6.4.12 knows no own PDU: as any other sender
EXPIRED       | timeout   | DEFAULTED     | Defaulted+ Expired- Partner.Sync+ Selected=UNSELECTED current_while=off partner=admin             | current_while_timer expired: update_Default_Selected, recordDefault
EXPIRED       | time      | EXPIRED       |                                                                                                   | no exit without a PDU or a timer
LACP_DISABLED | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | BEGIN: INITIALIZE, UCT
LACP_DISABLED | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !port_enabled
LACP_DISABLED | pdu       | LACP_DISABLED |                                                                                                   | no exit by a PDU
LACP_DISABLED | pdu-off   | LACP_DISABLED |                                                                                                   | no exit by a PDU
LACP_DISABLED | pdu-other | LACP_DISABLED |                                                                                                   | no exit by a PDU
LACP_DISABLED | loop      | LACP_DISABLED |                                                                                                   | no exit by a PDU
LACP_DISABLED | timeout   | LACP_DISABLED | current_while=off                                                                                 | the timer does not run here
LACP_DISABLED | time      | LACP_DISABLED |                                                                                                   | no exit without a PDU or a timer
DEFAULTED     | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | BEGIN: INITIALIZE, UCT
DEFAULTED     | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !port_enabled
DEFAULTED     | pdu       | CURRENT       | Defaulted- Expired- Partner.Sync+ churn+ current_while=short partner=PDU                          | CtrlMuxN:MA_UNITDATA: recordPDU
DEFAULTED     | pdu-off   | CURRENT       | Defaulted- Expired- Partner.Sync+ churn+ current_while=short partner=PDU                          | CtrlMuxN:MA_UNITDATA: recordPDU
DEFAULTED     | pdu-other | CURRENT       | Defaulted- Expired- NTT+ Partner.Sync- Selected=UNSELECTED churn+ current_while=short partner=PDU | CtrlMuxN:MA_UNITDATA: update_Selected, update_NTT, recordPDU
DEFAULTED     | loop      | CURRENT       | Defaulted- Expired- Partner.Sync+ Selected=UNSELECTED churn+ current_while=short partner=PDU      | 6.4.12 knows no own PDU: as any other sender
DEFAULTED     | timeout   | DEFAULTED     | current_while=off                                                                                 | the timer does not run here
DEFAULTED     | time      | DEFAULTED     |                                                                                                   | no exit without a PDU or a timer
CURRENT       | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | BEGIN: INITIALIZE, UCT
CURRENT       | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !port_enabled
CURRENT       | pdu       | CURRENT       | Defaulted- Expired- Partner.Sync+ current_while=short partner=PDU                                 | CtrlMuxN:MA_UNITDATA: recordPDU
CURRENT       | pdu-off   | CURRENT       | Defaulted- Expired- Partner.Sync+ current_while=short partner=PDU                                 | CtrlMuxN:MA_UNITDATA: recordPDU
CURRENT       | pdu-other | CURRENT       | Defaulted- Expired- NTT+ Partner.Sync- Selected=UNSELECTED current_while=short partner=PDU        | CtrlMuxN:MA_UNITDATA: update_Selected, update_NTT, recordPDU
CURRENT       | loop      | CURRENT       | Defaulted- Expired- Partner.Sync+ Selected=UNSELECTED current_while=short partner=PDU             | 6.4.12 knows no own PDU: as any other sender
CURRENT       | timeout   | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | current_while_timer expired
CURRENT       | time      | CURRENT       |                                                                                                   | no exit without a PDU or a timer
"#;
const LINUX: &str = r#"
INITIALIZE    | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | AD_PORT_BEGIN: AD_RX_INITIALIZE, fallthrough
INITIALIZE    | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !is_enabled
INITIALIZE    | pdu       | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
INITIALIZE    | pdu-off   | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
INITIALIZE    | pdu-other | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
INITIALIZE    | loop      | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
INITIALIZE    | timeout   | INITIALIZE    | current_while=off                                                                                 | UCT (never seen: left in the step that enters it)
INITIALIZE    | time      | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | UCT
PORT_DISABLED | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | AD_PORT_BEGIN: AD_RX_INITIALIZE, fallthrough
PORT_DISABLED | disabled  | PORT_DISABLED |                                                                                                   | !is_enabled
PORT_DISABLED | pdu       | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | port_enabled && LACP_Enabled
PORT_DISABLED | pdu-off   | LACP_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED partner=admin                               | port_enabled && !LACP_Enabled
PORT_DISABLED | pdu-other | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | port_enabled && LACP_Enabled
PORT_DISABLED | loop      | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | port_enabled && LACP_Enabled
PORT_DISABLED | timeout   | PORT_DISABLED | current_while=off                                                                                 | the timer does not run here
PORT_DISABLED | time      | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | port_enabled && LACP_Enabled
EXPIRED       | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | AD_PORT_BEGIN: AD_RX_INITIALIZE, fallthrough
EXPIRED       | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !is_enabled
EXPIRED       | pdu       | CURRENT       | Defaulted- Expired- Partner.Sync+ churn+ current_while=short partner=PDU                          | new lacpdu: __record_pdu()
EXPIRED       | pdu-off   | CURRENT       | Defaulted- Expired- Partner.Sync+ churn+ current_while=short partner=PDU                          | new lacpdu: __record_pdu()
EXPIRED       | pdu-other | CURRENT       | Defaulted- Expired- NTT+ Partner.Sync- Selected=UNSELECTED churn+ current_while=short partner=PDU | __update_selected(), __update_ntt(), __choose_matched()
EXPIRED       | loop      | CURRENT       | churn+ current_while=off                                                                          | "An illegal loopback occurred": return, timer stopped
EXPIRED       | timeout   | DEFAULTED     | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED current_while=off partner=admin             | __update_default_selected(), __record_default()
EXPIRED       | time      | EXPIRED       |                                                                                                   | no exit without a PDU or a timer
LACP_DISABLED | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | AD_PORT_BEGIN: AD_RX_INITIALIZE, fallthrough
LACP_DISABLED | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !is_enabled
LACP_DISABLED | pdu       | LACP_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED partner=admin                               | entered again: "or new lacpdu arrived"
LACP_DISABLED | pdu-off   | LACP_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED partner=admin                               | entered again: "or new lacpdu arrived"
LACP_DISABLED | pdu-other | LACP_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED partner=admin                               | entered again: "or new lacpdu arrived"
LACP_DISABLED | loop      | LACP_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED partner=admin                               | entered again: "or new lacpdu arrived"
LACP_DISABLED | timeout   | LACP_DISABLED | current_while=off                                                                                 | the timer does not run here
LACP_DISABLED | time      | LACP_DISABLED |                                                                                                   | no exit without a PDU or a timer
DEFAULTED     | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | AD_PORT_BEGIN: AD_RX_INITIALIZE, fallthrough
DEFAULTED     | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !is_enabled
DEFAULTED     | pdu       | CURRENT       | Defaulted- Expired- Partner.Sync+ churn+ current_while=short partner=PDU                          | new lacpdu: __record_pdu()
DEFAULTED     | pdu-off   | CURRENT       | Defaulted- Expired- Partner.Sync+ churn+ current_while=short partner=PDU                          | new lacpdu: __record_pdu()
DEFAULTED     | pdu-other | CURRENT       | Defaulted- Expired- NTT+ Partner.Sync- Selected=UNSELECTED churn+ current_while=short partner=PDU | __update_selected(), __update_ntt(), __choose_matched()
DEFAULTED     | loop      | CURRENT       | churn+ current_while=off                                                                          | "An illegal loopback occurred": return, timer stopped
DEFAULTED     | timeout   | DEFAULTED     | current_while=off                                                                                 | the timer does not run here
DEFAULTED     | time      | DEFAULTED     |                                                                                                   | no exit without a PDU or a timer
CURRENT       | begin     | PORT_DISABLED | Defaulted+ Expired- Partner.Sync- Selected=UNSELECTED churn+ current_while=off partner=admin      | AD_PORT_BEGIN: AD_RX_INITIALIZE, fallthrough
CURRENT       | disabled  | PORT_DISABLED | Partner.Sync- current_while=off                                                                   | !is_enabled
CURRENT       | pdu       | CURRENT       | Defaulted- Expired- Partner.Sync+ current_while=short partner=PDU                                 | new lacpdu: __record_pdu()
CURRENT       | pdu-off   | CURRENT       | Defaulted- Expired- Partner.Sync+ current_while=short partner=PDU                                 | new lacpdu: __record_pdu()
CURRENT       | pdu-other | CURRENT       | Defaulted- Expired- NTT+ Partner.Sync- Selected=UNSELECTED current_while=short partner=PDU        | __update_selected(), __update_ntt(), __choose_matched()
CURRENT       | loop      | CURRENT       | current_while=off                                                                                 | "An illegal loopback occurred": return, timer stopped
CURRENT       | timeout   | EXPIRED       | Expired+ Partner.Sync- Partner.Timeout+ churn+ current_while=short                                | current_while_timer expired
CURRENT       | time      | CURRENT       |                                                                                                   | no exit without a PDU or a timer
"#;
