//! The ends of a recorded kernel keep the time that they kept there.
//!
//! A work item runs when the processor has time for it, and is queued anew from then on
//! (`bond_3ad_state_machine_handler()`: `queue_delayed_work(bond->wq, &bond->ad_work, ad_delta_in_ticks)`), so lateness adds
//! up. In a guest that shares its processor with many it does. A LACPDU leaves from within the work item: its time is a
//! tick's. What is sent, and at which opening of the gate, is the machines' own doing.

use super::member::Peer;
use super::{Action, Clock, End, World};
use crate::fault::Fault;
use lacp::machine::Time;

/// An end is told of the next known tick once the last one is over.
const AFTER_NS: u64 = 1_500_000;

impl World<'_> {
    /// Plans what is known of an end's clock.
    pub(super) fn plan_clock(&mut self, end: End, clock: &Clock) {
        self.plan(clock.opened, Action::Open(end));
        let restarts = self.restarts(end);
        let mut last = clock.opened;
        for &(at, member) in &clock.sent {
            // A bond that is opened anew begins to count anew.
            if !restarts.iter().any(|&r| last <= r && r <= at) {
                self.plan(last + AFTER_NS, Action::Sends { end, member, at });
            }
            last = at;
        }
    }

    /// When faults take the bond of an end down and up again.
    fn restarts(&self, end: End) -> Vec<Time> {
        let ms = |ms: u64| Time::from_millis(ms);
        self.incident
            .faults
            .iter()
            .filter(|f| match f.fault {
                Fault::HostRate { .. } | Fault::HostPassive {} => end.is_none(),
                Fault::SwitchRate { .. } | Fault::SwitchPassive {} => end.is_some(),
                _ => false,
            })
            .flat_map(|f| [Some(ms(f.at_ms)), f.for_ms.map(|l| ms(f.at_ms.saturating_add(l)))])
            .flatten()
            .collect()
    }

    pub(super) fn open_end(&mut self, end: End) {
        let now = self.now;
        match end {
            None => self.host.open(now),
            Some(half) => {
                if let Some(s) = self.switches.get_mut(half) {
                    s.open(now);
                }
            }
        }
    }

    pub(super) fn sends(&mut self, end: End, member: usize, at: Time) {
        let now = self.now;
        let Some(m) = self.members.get(member) else { return };
        match (end, m.peer) {
            // The gate of a member that was enslaved anew opens at other ticks.
            (None, _) if m.port == Some(member) => self.host.gate_known(now, member, at),
            (Some(half), Peer::Switch(chassis, port)) if half == chassis => {
                if let Some(s) = self.switches.get_mut(half) {
                    s.gate_known(now, port, at);
                }
            }
            _ => {}
        }
    }
}
