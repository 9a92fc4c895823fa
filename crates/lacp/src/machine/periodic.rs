//! Periodic Transmission machine: 802.1AX-2014 6.4.13, figure 6-19; Linux `ad_periodic_machine()`.

use super::port::Port;
use super::profile::{Deviations, Profile};
use super::state::PeriodicState;
use super::time::Deadline;
use crate::PortState;

/// Fast_Periodic_Time and Slow_Periodic_Time, seconds.
const FAST: u64 = 1;
const SLOW: u64 = 30;

impl Port {
    /// One step: at most one transition. True if the state changed.
    pub(super) fn step_periodic(&mut self, profile: &Profile, now: u64) -> bool {
        use PeriodicState as S;
        let before = self.periodic;
        let partner_short = self.partner.state.contains(PortState::TIMEOUT);
        let nobody_active = !self.actor.state.contains(PortState::ACTIVITY)
            && !self.partner.state.contains(PortState::ACTIVITY);
        if self.begin || !self.lacp_enabled || !self.enabled || nobody_active {
            self.periodic = S::NoPeriodic;
        } else if self.periodic_timer.runs() {
            if self.periodic_timer.reached(now) {
                self.periodic_timer = Deadline::OFF;
                self.periodic = S::PeriodicTx;
            } else if before == S::FastPeriodic && !partner_short {
                self.periodic = S::SlowPeriodic;
            } else if before == S::SlowPeriodic && partner_short {
                self.periodic_timer = Deadline::OFF;
                self.periodic = S::PeriodicTx;
            }
        } else {
            match before {
                S::NoPeriodic => self.periodic = S::FastPeriodic,
                S::PeriodicTx => {
                    self.periodic = if partner_short { S::FastPeriodic } else { S::SlowPeriodic };
                }
                S::FastPeriodic | S::SlowPeriodic => {}
            }
        }
        if self.periodic == before {
            return false;
        }
        // Linux spends a tick in PERIODIC_TX and takes it off the timer.
        let spent = u64::from(profile.has(Deviations::TICKS));
        match self.periodic {
            S::NoPeriodic => self.periodic_timer = Deadline::OFF,
            S::FastPeriodic => self.periodic_timer = Deadline::at(now + profile.units(FAST) - spent),
            S::SlowPeriodic => self.periodic_timer = Deadline::at(now + profile.units(SLOW) - spent),
            S::PeriodicTx => self.ntt = true,
        }
        self.unsettled = true;
        true
    }
}
