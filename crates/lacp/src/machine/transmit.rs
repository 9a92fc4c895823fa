//! Transmit machine: 802.1AX-2014 6.4.16; Linux `ad_tx_machine()`.

use super::port::{Pdu, Port};
use super::profile::{Deviations, Profile};
use super::state::PeriodicState;

/// Ticks between two openings of Linux' transmit gate: `ad_ticks_per_sec / AD_MAX_TX_IN_SECOND`.
const GATE_TICKS: u64 = 3;

impl Port {
    /// Sends a PDU if one is due and allowed now.
    pub(super) fn step_transmit(&mut self, profile: &Profile, now: u64) -> Option<Pdu> {
        if !self.ntt {
            return None;
        }
        if !profile.has(Deviations::TRANSMIT_IN_NO_PERIODIC) && self.periodic == PeriodicState::NoPeriodic {
            self.ntt = false;
            return None;
        }
        if !self.lacp_enabled || self.transmit_allowed_at(profile, now) > now {
            return None;
        }
        self.ntt = false;
        self.lacpdu_tx += 1;
        self.sent = [self.sent[1], self.sent[2], Some(now)];
        Some(self.pdu())
    }

    /// The earliest moment, in clock units and not before `now`, at which a PDU may leave.
    pub(super) fn transmit_allowed_at(&self, profile: &Profile, now: u64) -> u64 {
        if profile.has(Deviations::TICKS.union(Deviations::TRANSMIT_GATE)) {
            let since = now.saturating_sub(self.gate_origin);
            let open = since.div_ceil(GATE_TICKS).max(1) * GATE_TICKS;
            self.gate_origin + open
        } else {
            // Not more than three in any Fast_Periodic_Time: the oldest of three must be a second old.
            self.sent[0].map_or(now, |oldest| now.max(oldest + profile.units(1)))
        }
    }
}
