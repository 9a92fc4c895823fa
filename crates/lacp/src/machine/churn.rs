//! Churn Detection machines: 802.1AX-2014 6.4.17, figures 6-23 and 6-24; Linux `ad_churn_machine()`.

use super::port::Port;
use super::profile::{Deviations, Profile};
use super::state::ChurnState;
use super::time::Deadline;
use crate::PortState;

/// Churn_Detection_Time, seconds.
const CHURN_DETECTION: u64 = 60;

impl Port {
    /// One step of both machines. True if a state changed.
    pub(super) fn step_churn(&mut self, profile: &Profile, now: u64) -> bool {
        let actor_sync = self.actor.state.contains(PortState::SYNCHRONIZATION);
        let partner_sync = self.partner.state.contains(PortState::SYNCHRONIZATION);
        let before = (self.actor_churn, self.partner_churn);
        let end = Deadline::at(now.saturating_add(profile.units(CHURN_DETECTION)));
        if profile.has(Deviations::CHURN_ON_TRIGGER) {
            if self.churn_trigger {
                self.churn_trigger = false;
                self.actor_churn = ChurnState::Monitor;
                self.partner_churn = ChurnState::Monitor;
                self.actor_churn_timer = end;
                self.partner_churn_timer = end;
                return before != (self.actor_churn, self.partner_churn);
            }
            judge(
                &mut self.actor_churn,
                &mut self.actor_churn_timer,
                &mut self.actor_churn_count,
                actor_sync,
                now,
            );
            judge(
                &mut self.partner_churn,
                &mut self.partner_churn_timer,
                &mut self.partner_churn_count,
                partner_sync,
                now,
            );
        } else {
            self.churn_trigger = false;
            let restart = self.begin || !self.enabled;
            let actor = (&mut self.actor_churn, &mut self.actor_churn_timer, &mut self.actor_churn_count);
            follow(actor, actor_sync, restart, now, end);
            let partner =
                (&mut self.partner_churn, &mut self.partner_churn_timer, &mut self.partner_churn_count);
            follow(partner, partner_sync, restart, now, end);
        }
        before != (self.actor_churn, self.partner_churn)
    }
}

/// Linux: judged once, when the timer ends.
fn judge(state: &mut ChurnState, timer: &mut Deadline, count: &mut u32, sync: bool, now: u64) {
    if timer.reached(now) {
        *timer = Deadline::OFF;
        if *state == ChurnState::Monitor {
            if sync {
                *state = ChurnState::NoChurn;
            } else {
                *count = count.saturating_add(1);
                *state = ChurnState::Churn;
            }
        }
    }
}

/// The standard: Synchronization decides at once.
fn follow(
    (state, timer, count): (&mut ChurnState, &mut Deadline, &mut u32),
    sync: bool,
    restart: bool,
    now: u64,
    end: Deadline,
) {
    if restart {
        // The figures enter the state for as long as the condition holds: the 60 s begin when it ends.
        *state = ChurnState::Monitor;
        *timer = Deadline::OFF;
        return;
    }
    match *state {
        ChurnState::Monitor => {
            if sync {
                *state = ChurnState::NoChurn;
                *timer = Deadline::OFF;
            } else if timer.reached(now) {
                *state = ChurnState::Churn;
                *count = count.saturating_add(1);
                *timer = Deadline::OFF;
            } else if !timer.runs() {
                *timer = end;
            }
        }
        ChurnState::NoChurn => {
            if !sync {
                *state = ChurnState::Monitor;
                *timer = end;
            }
        }
        ChurnState::Churn => {
            if sync {
                *state = ChurnState::NoChurn;
            }
        }
    }
}
