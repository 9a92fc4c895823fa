//! Mux machine: 802.1AX-2014 6.4.15, figures 6-21 and 6-22; Linux `ad_mux_machine()`.

use super::port::Port;
use super::profile::{Deviations, Profile};
use super::state::{MuxState, Selected};
use super::time::Deadline;
use crate::PortState;

/// Aggregate_Wait_Time, seconds.
const AGGREGATE_WAIT: u64 = 2;

/// What the Mux machine sees of the port's aggregator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// The aggregator works (always, in the standard; Linux: it is the active one).
    pub(super) active: bool,
    /// Every *other* port that waits to attach to the aggregator has Ready_N.
    pub(super) others_ready: bool,
    /// The aggregator selection timer of Linux has run out.
    pub(super) selection_over: bool,
    /// Linux: the aggregator has a partner (`__agg_has_partner()`): only then are ports disabled on detaching.
    pub(super) has_partner: bool,
}

impl Port {
    /// One step: at most one transition. True if the state changed.
    pub(super) fn step_mux(&mut self, profile: &Profile, around: Surroundings, now: u64) -> bool {
        use MuxState as S;
        let before = self.mux;
        let sync = self.partner.state.contains(PortState::SYNCHRONIZATION);
        let selected = self.selected == Selected::Selected;
        if self.begin {
            self.mux = S::Detached;
        } else {
            match before {
                S::Detached => {
                    if self.selected != Selected::Unselected {
                        self.mux = S::Waiting;
                    }
                }
                S::Waiting => {
                    if self.selected == Selected::Unselected {
                        self.ready_n = false;
                        self.mux = S::Detached;
                    } else {
                        if self.wait_while.reached(now) {
                            self.wait_while = Deadline::OFF;
                            self.ready_n = true;
                            // Other ports of the aggregator may wait for this one.
                            self.unsettled = true;
                        }
                        if self.ready_n && around.others_ready && selected && !self.wait_while.runs() {
                            self.mux = S::Attached;
                        }
                    }
                }
                S::Attached => {
                    if selected && sync && around.selection_over {
                        if around.active {
                            self.mux = if profile.independent_control {
                                S::Collecting
                            } else {
                                S::CollectingDistributing
                            };
                        }
                    } else if !selected {
                        self.ready_n = false;
                        self.mux = S::Detached;
                    } else if around.active && profile.has(Deviations::ONE_ACTIVE_AGGREGATOR) {
                        // The aggregator may have become active while its port waits here.
                        self.claim_sync();
                    }
                }
                S::CollectingDistributing => {
                    if self.falls_back(profile, selected, sync) {
                        self.mux = S::Attached;
                    } else {
                        self.allow_forwarding(around);
                    }
                }
                S::Collecting => {
                    if self.falls_back(profile, selected, sync) {
                        self.mux = S::Attached;
                    } else if self.partner.state.contains(PortState::COLLECTING) {
                        self.mux = S::Distributing;
                    }
                }
                S::Distributing => {
                    if self.falls_back(profile, selected, sync)
                        || !self.partner.state.contains(PortState::COLLECTING)
                    {
                        self.mux = S::Collecting;
                    } else {
                        self.allow_forwarding(around);
                    }
                }
            }
        }
        if self.mux == before {
            if self.begin && !profile.has(Deviations::TICKS) {
                // BEGIN enters DETACHED again; Linux acts on a change of state only.
                self.ntt = true;
            }
            return false;
        }
        self.unsettled = true;
        if before == S::Waiting {
            self.wait_while = Deadline::OFF;
        }
        match self.mux {
            S::Detached => {
                // Linux forgets READY_N on the ways from WAITING and ATTACHED only, not on BEGIN.
                if !profile.has(Deviations::TICKS) {
                    self.ready_n = false;
                }
                self.set(PortState::SYNCHRONIZATION, false);
                self.stop_forwarding(profile, around);
                self.set(PortState::CARRIES, false);
                self.ntt = true;
            }
            S::Waiting => {
                self.wait_while = Deadline::at(now.saturating_add(profile.units(AGGREGATE_WAIT)));
            }
            S::Attached => {
                self.set(PortState::SYNCHRONIZATION, around.active);
                self.set(PortState::CARRIES, false);
                self.stop_forwarding(profile, around);
                self.ntt = true;
            }
            S::CollectingDistributing => {
                self.set(PortState::CARRIES, true);
                self.set(PortState::SYNCHRONIZATION, true);
                self.allow_forwarding(around);
                self.ntt = true;
            }
            S::Collecting => {
                self.set(PortState::COLLECTING, true);
                self.set(PortState::DISTRIBUTING, false);
                self.set(PortState::SYNCHRONIZATION, true);
                self.stop_forwarding(profile, around);
                self.ntt = true;
            }
            S::Distributing => {
                // No NTT, neither in figure 6-21 nor in Linux (`case AD_MUX_DISTRIBUTING`).
                self.set(PortState::DISTRIBUTING, true);
                self.set(PortState::SYNCHRONIZATION, true);
                self.allow_forwarding(around);
            }
        }
        true
    }

    fn falls_back(&self, profile: &Profile, selected: bool, sync: bool) -> bool {
        !selected
            || !sync
            || (profile.has(Deviations::OWN_SYNC_NEEDED)
                && !self.actor.state.contains(PortState::SYNCHRONIZATION))
    }

    /// Sets Synchronization while the state stays ATTACHED.
    fn claim_sync(&mut self) {
        if !self.actor.state.contains(PortState::SYNCHRONIZATION) {
            self.set(PortState::SYNCHRONIZATION, true);
            self.unsettled = true;
        }
    }

    /// `ad_enable_collecting_distributing()`, `__enable_port()`: only with the link up and in the active aggregator.
    const fn allow_forwarding(&mut self, around: Surroundings) {
        if around.active && self.enabled {
            self.forwarding = true;
        }
    }

    /// `ad_disable_collecting_distributing()`: Linux leaves the members of an aggregator without partner alone.
    fn stop_forwarding(&mut self, profile: &Profile, around: Surroundings) {
        if !profile.has(Deviations::ONE_ACTIVE_AGGREGATOR) || around.has_partner {
            self.forwarding = false;
        }
    }
}
