//! Receive machine: 802.1AX-2014 6.4.12, figure 6-18; Linux `ad_rx_machine()`.

use super::port::{Pdu, Port};
use super::profile::{Deviations, Profile};
use super::state::{ReceiveState, Selected};
use super::time::Deadline;
use crate::PortState;

/// Seconds of the current_while timer: Short_Timeout_Time and Long_Timeout_Time.
const SHORT_TIMEOUT: u64 = 3;
const LONG_TIMEOUT: u64 = 90;

/// What a step of the Receive machine brought besides a new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Received {
    /// Nothing.
    Nothing,
    /// A PDU was processed.
    Processed,
    /// A PDU carried the receiver's own Actor_System.
    Loopback,
}

impl Port {
    /// One step: at most one transition. `pdu` is a PDU that arrives now.
    pub(super) fn step_receive(&mut self, profile: &Profile, pdu: Option<&Pdu>, now: u64) -> Received {
        use ReceiveState as S;
        let before = self.receive;
        if pdu.is_some() {
            self.lacpdu_rx += 1;
        }
        if self.begin {
            self.receive = S::Initialize;
            self.churn_trigger = true;
        } else if !self.enabled {
            self.receive = S::PortDisabled;
        } else if pdu.is_some() && matches!(before, S::Expired | S::Defaulted | S::Current) {
            if before != S::Current {
                self.churn_trigger = true;
            }
            self.current_while = Deadline::OFF;
            self.receive = S::Current;
        } else if self.current_while.reached(now) {
            self.current_while = Deadline::OFF;
            match before {
                S::Expired => self.receive = S::Defaulted,
                S::Current => self.receive = S::Expired,
                S::Initialize | S::PortDisabled | S::LacpDisabled | S::Defaulted => {}
            }
        } else {
            match before {
                S::Initialize => self.receive = S::PortDisabled,
                S::PortDisabled => {
                    self.receive = if self.lacp_enabled { S::Expired } else { S::LacpDisabled };
                }
                S::LacpDisabled | S::Expired | S::Defaulted | S::Current => {}
            }
        }
        // Linux runs the actions on entry again for a PDU in any state; in the figure only CURRENT re-enters itself.
        let again = pdu.is_some() && (profile.has(Deviations::TICKS) || before == S::Current);
        if self.receive == before && !again && !self.begin {
            return Received::Nothing;
        }
        self.unsettled = true;
        match self.receive {
            S::Initialize => {
                // UCT: PORT_DISABLED is entered in the same step, in the figure as in Linux (`fallthrough`).
                self.initialize(profile);
                self.receive = S::PortDisabled;
            }
            S::PortDisabled => {
                // Linux keeps the rest of its counter while the port is disabled. EXPIRED sets it anew, so all that
                // is left out here is one tick of delay in the one case of thirty in which the rest is one.
                self.current_while = Deadline::OFF;
                if !profile.has(Deviations::DISABLED_KEEPS_PARTNER_SYNC) {
                    self.partner.state.remove(PortState::SYNCHRONIZATION);
                }
            }
            S::LacpDisabled => {
                self.selected = Selected::Unselected;
                self.record_default(profile);
                self.partner.state.remove(PortState::AGGREGATION);
                self.set(PortState::EXPIRED, false);
            }
            S::Expired => {
                self.partner.state.remove(PortState::SYNCHRONIZATION);
                self.partner.state.insert(PortState::TIMEOUT);
                self.current_while = Deadline::at(now.saturating_add(profile.units(SHORT_TIMEOUT)));
                self.set(PortState::EXPIRED, true);
                self.churn_trigger = true;
            }
            S::Defaulted => {
                self.update_default_selected();
                self.record_default(profile);
                self.set(PortState::EXPIRED, false);
            }
            S::Current => {
                let Some(pdu) = pdu else { return Received::Nothing };
                if profile.has(Deviations::LOOPBACK_FREEZES) && pdu.actor.system == self.actor.system {
                    return Received::Loopback;
                }
                self.update_selected(pdu);
                self.update_ntt(pdu);
                self.record_pdu(profile, pdu);
                let timeout =
                    if self.actor.state.contains(PortState::TIMEOUT) { SHORT_TIMEOUT } else { LONG_TIMEOUT };
                self.current_while = Deadline::at(now.saturating_add(profile.units(timeout)));
                self.set(PortState::EXPIRED, false);
                return Received::Processed;
            }
        }
        Received::Nothing
    }

    /// The actions of INITIALIZE and of PORT_DISABLED behind it.
    pub(super) fn initialize(&mut self, profile: &Profile) {
        self.current_while = Deadline::OFF;
        self.selected = Selected::Unselected;
        self.record_default(profile);
        self.set(PortState::EXPIRED, false);
        self.partner.state.remove(PortState::SYNCHRONIZATION);
        self.unsettled = true;
    }

    /// recordDefault (6.4.9).
    fn record_default(&mut self, profile: &Profile) {
        self.partner = self.partner_admin;
        if !profile.has(Deviations::DEFAULT_PARTNER_OUT_OF_SYNC) {
            self.partner.state.insert(PortState::SYNCHRONIZATION);
        }
        self.set(PortState::DEFAULTED, true);
    }

    /// update_Default_Selected (6.4.9).
    fn update_default_selected(&mut self) {
        if !self.same_lag(&self.partner_admin) {
            self.selected = Selected::Unselected;
        }
    }

    /// update_Selected (6.4.9).
    fn update_selected(&mut self, pdu: &Pdu) {
        if !self.same_lag(&pdu.actor) {
            self.selected = Selected::Unselected;
        }
    }

    /// Identity and Aggregation of the operational Partner are those of `other`.
    fn same_lag(&self, other: &crate::PortInfo) -> bool {
        other.same_identity(&self.partner)
            && !(other.state ^ self.partner.state).contains(PortState::AGGREGATION)
    }

    /// update_NTT (6.4.9): the partner's view of this port is out of date.
    fn update_ntt(&mut self, pdu: &Pdu) {
        const COMPARED: PortState = PortState::ACTIVITY
            .union(PortState::TIMEOUT)
            .union(PortState::SYNCHRONIZATION)
            .union(PortState::AGGREGATION);
        if !pdu.partner.same_identity(&self.actor)
            || (pdu.partner.state ^ self.actor.state).intersects(COMPARED)
        {
            self.ntt = true;
        }
    }

    /// recordPDU (6.4.9); Linux `__record_pdu()` and `__choose_matched()`.
    fn record_pdu(&mut self, profile: &Profile, pdu: &Pdu) {
        let echo_matches = pdu.partner.same_identity(&self.actor)
            && !(pdu.partner.state ^ self.actor.state).contains(PortState::AGGREGATION);
        let individual = !pdu.actor.state.contains(PortState::AGGREGATION);
        let maintained = profile.has(Deviations::MATCHED_WITHOUT_ACTIVITY)
            || pdu.actor.state.contains(PortState::ACTIVITY)
            || (self.actor.state.contains(PortState::ACTIVITY)
                && pdu.partner.state.contains(PortState::ACTIVITY));
        let matched = (echo_matches || individual) && maintained;
        self.partner = pdu.actor;
        self.partner
            .state
            .set(PortState::SYNCHRONIZATION, matched && pdu.actor.state.contains(PortState::SYNCHRONIZATION));
        self.set(PortState::DEFAULTED, false);
    }
}
