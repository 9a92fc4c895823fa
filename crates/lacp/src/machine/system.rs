//! A system: its ports, its aggregators, and the order in which the machines run.
//!
//! Sans-I/O: the caller passes the time, hands over PDUs, asks for PDUs to send and for the next moment at which
//! something may happen. A profile with ticks runs every machine once in a tick, in the order of
//! `bond_3ad_state_machine_handler()`; the standard's machines run until nothing moves.

use super::event::{Event, Happened};
use super::mux::Surroundings;
use super::port::{Pdu, Port, PortConfig};
use super::profile::{Deviations, Profile};
use super::receive::Received;
use super::selection::{self, Aggregator};
use super::selection_linux::{self, AdSelect};
use super::state::{MuxState, PeriodicState, ReceiveState, Selected};
use super::time::{Deadline, Time};
use crate::{Mac, PortState};
use std::collections::VecDeque;

/// `AD_AGGREGATOR_SELECTION_TIMER`, seconds.
const SELECTION_DELAY: u64 = 8;
/// `AD_SPEED_KEY_MASKS`.
const SPEED_BITS: u16 = 0x3e;
/// More rounds than any settling of the standard's machines takes; a guard against a loop without end.
const MAX_ROUNDS: usize = 64;

/// A system as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemConfig {
    /// System priority.
    pub priority: u16,
    /// System identifier.
    pub system: Mac,
    /// What it does differently from the standard.
    pub profile: Profile,
    /// Linux: `ad_select`.
    pub ad_select: AdSelect,
}

/// One end of a link aggregation: all ports of one system.
#[derive(Debug, Clone)]
pub struct System {
    config: SystemConfig,
    ports: Vec<Port>,
    aggregators: Vec<Aggregator>,
    /// Time of tick 0 (profiles with ticks), moved when ticks come late.
    origin: Time,
    /// The last tick that has been run (profiles with ticks).
    tick: u64,
    /// Linux: the aggregator selection timer.
    selection_timer: Deadline,
    next_aggregator_id: u16,
    outbox: VecDeque<(usize, Pdu)>,
    events: VecDeque<Event>,
    record_events: bool,
    /// A control processor that does not get to run until then (profiles without ticks).
    stalled_until: Time,
    /// Every tick is run, also those at which nothing can happen: the twin against which skipping is tested.
    every_tick: bool,
    /// The next moment at which something may happen, in clock units.
    next: Deadline,
}

impl System {
    /// A system without ports. Its tick grid, if it has one, starts at `now`.
    #[must_use]
    pub const fn new(config: SystemConfig, now: Time) -> Self {
        Self {
            config,
            ports: Vec::new(),
            aggregators: Vec::new(),
            origin: now,
            tick: 0,
            selection_timer: Deadline::OFF,
            next_aggregator_id: 1,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            record_events: true,
            stalled_until: Time::ZERO,
            every_tick: false,
            next: Deadline::OFF,
        }
    }

    /// Events are recorded unless they are switched off here (a simulation that only counts).
    pub const fn record_events(&mut self, on: bool) {
        self.record_events = on;
    }
    /// Runs every tick from now on, also those at which nothing can happen. The outcome is the same; a test holds
    /// that. Profiles without ticks ignore it.
    #[doc(hidden)]
    pub fn run_every_tick(&mut self, now: Time) {
        self.every_tick = self.has(Deviations::TICKS);
        self.schedule(now);
    }
    /// Configuration.
    #[must_use]
    pub const fn config(&self) -> &SystemConfig {
        &self.config
    }
    /// Every port, removed ones included ([`Port::bound`]).
    #[must_use]
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }
    /// A port by its index.
    #[must_use]
    pub fn port(&self, port: usize) -> Option<&Port> {
        self.ports.get(port)
    }
    /// Every aggregator.
    #[must_use]
    pub fn aggregators(&self) -> &[Aggregator] {
        &self.aggregators
    }
    /// The active aggregator, of Linux; else the first with ports.
    #[must_use]
    pub fn active_aggregator(&self) -> Option<&Aggregator> {
        self.aggregators.iter().find(|a| a.active && !a.ports.is_empty())
    }

    /// Adds a port whose link is up; returns its index.
    pub fn add_port(&mut self, now: Time, config: PortConfig) -> usize {
        self.catch_up(now);
        let units = self.now_units(now);
        if self.ports.is_empty() && self.has(Deviations::SELECTION_DELAY) {
            self.selection_timer = Deadline::at(units + self.config.profile.units(SELECTION_DELAY));
        }
        self.ports.push(Port::new(self.config.priority, self.config.system, config, units));
        self.aggregators.push(Aggregator { id: self.next_aggregator_id, ..Aggregator::default() });
        self.next_aggregator_id = self.next_aggregator_id.saturating_add(1);
        self.settle(now);
        self.ports.len() - 1
    }

    /// Linux `bond_open()`: the aggregator selection timer is set to one tick.
    pub fn open(&mut self, now: Time) {
        self.catch_up(now);
        if self.has(Deviations::SELECTION_DELAY) {
            self.selection_timer = Deadline::at(self.now_units(now) + 1);
        }
        self.settle(now);
    }

    /// Removes a port. A system with ticks says good-bye with a last PDU (`bond_3ad_unbind_slave()`), which waits
    /// in the outbox.
    pub fn remove_port(&mut self, now: Time, port: usize) {
        self.catch_up(now);
        let Some(p) = self.ports.get_mut(port).filter(|p| p.bound) else { return };
        p.actor.state.remove(PortState::SYNCHRONIZATION | PortState::CARRIES | PortState::AGGREGATION);
        if self.config.profile.has(Deviations::TICKS) {
            p.lacpdu_tx += 1;
            self.outbox.push_back((port, p.pdu()));
        }
        if self.has(Deviations::ONE_ACTIVE_AGGREGATOR) {
            selection_linux::leave(self.config.ad_select, &mut self.ports, &mut self.aggregators, port);
        } else {
            selection::detach(&mut self.ports, &mut self.aggregators, port);
            if let Some(p) = self.ports.get_mut(port) {
                p.bound = false;
                p.forwarding = false;
                p.selected = Selected::Unselected;
            }
        }
        // Others may have waited for the port that left.
        for p in &mut self.ports {
            p.unsettled = true;
        }
        self.settle(now);
    }

    /// The link of a port went up or down; its key and speed are those of the configuration.
    pub fn set_link(&mut self, now: Time, port: usize, up: bool) {
        self.catch_up(now);
        let follows = self.has(Deviations::KEY_FOLLOWS_LINK);
        let Some(p) = self.ports.get_mut(port).filter(|p| p.bound && p.enabled != up) else { return };
        p.enabled = up;
        p.unsettled = true;
        if follows {
            // ad_update_actor_keys(): user key only while down; another speed than before starts anew.
            if up {
                p.actor.key = p.config.key;
                p.lacp_enabled = p.config.lacp_enabled;
                p.begin |= p.lacp_enabled;
            } else {
                p.actor.key &= 0xffc0;
                p.lacp_enabled = false;
            }
            if !up {
                p.forwarding = false;
            }
            self.reselect();
        }
        self.settle(now);
    }

    /// The key (and speed) of a port changes while its link is up. A standard system reselects at once; Linux
    /// starts the port anew if the speed differs, and only carries another user key in its next PDUs.
    pub fn set_key(&mut self, now: Time, port: usize, key: u16, speed_mbps: u32) {
        self.catch_up(now);
        let restart = self.has(Deviations::KEY_FOLLOWS_LINK);
        let Some(p) = self.ports.get_mut(port).filter(|p| p.bound) else { return };
        let (old_key, old_speed) = (p.config.key, p.config.speed_mbps);
        p.config.key = key;
        p.config.speed_mbps = speed_mbps;
        if p.enabled {
            p.actor.key = key;
        }
        if p.enabled && restart {
            // ad_update_actor_keys(): a key of another speed; a user key or the duplex bit alone start nothing anew,
            // and nothing is announced before the next PDU is due.
            p.begin |= p.lacp_enabled && ((old_key ^ key) & SPEED_BITS != 0 || old_speed != speed_mbps);
        } else if old_key != key && !restart {
            p.selected = Selected::Unselected;
            p.ntt = true;
        }
        p.unsettled = true;
        self.settle(now);
    }

    /// LACP_Timeout of every port (`lacp_rate`). Linux changes the bit without a PDU of its own
    /// (`bond_3ad_update_lacp_rate()`); a standard system tells the partner.
    pub fn set_short_timeout(&mut self, now: Time, short: bool) {
        self.catch_up(now);
        let tells = !self.has(Deviations::TICKS);
        for p in &mut self.ports {
            p.config.short_timeout = short;
            p.actor.state.set(PortState::TIMEOUT, short);
            p.ntt |= tells;
            p.unsettled = true;
        }
        self.settle(now);
    }

    /// LACP_Activity of every port (`lacp_active`), told as [`Self::set_short_timeout`] tells.
    pub fn set_active(&mut self, now: Time, active: bool) {
        self.catch_up(now);
        let tells = !self.has(Deviations::TICKS);
        for p in &mut self.ports {
            p.config.active = active;
            p.actor.state.set(PortState::ACTIVITY, active);
            p.ntt |= tells;
            p.unsettled = true;
        }
        self.settle(now);
    }

    /// LACP_Enabled of one port.
    pub fn set_lacp_enabled(&mut self, now: Time, port: usize, enabled: bool) {
        self.catch_up(now);
        if let Some(p) = self.ports.get_mut(port) {
            p.config.lacp_enabled = enabled;
            p.lacp_enabled = enabled;
            p.begin = true;
            p.unsettled = true;
        }
        self.settle(now);
    }

    /// System identifier of every port (`ad_actor_system`). Linux announces it at once and reselects nothing
    /// (`bond_3ad_update_ad_actor_settings()`); so does a standard system here: its key and ports stay.
    pub fn set_system(&mut self, now: Time, system: Mac) {
        self.catch_up(now);
        self.config.system = system;
        for p in &mut self.ports {
            p.actor.system = system;
            p.ntt = true;
            p.unsettled = true;
        }
        self.settle(now);
    }

    /// Starts every machine of a port anew (BEGIN).
    pub fn restart_port(&mut self, now: Time, port: usize) {
        self.catch_up(now);
        if let Some(p) = self.ports.get_mut(port) {
            p.begin = true;
            p.unsettled = true;
        }
        self.settle(now);
    }

    /// No machine runs before `until`: the work item (or the control processor) does not get the CPU. PDUs that
    /// arrive meanwhile are the caller's to hold back or to hand over. Ticks that are missed are not made up for;
    /// the grid starts again at `until`, as `queue_delayed_work()` after a late run does. A standard system acts at
    /// `until` on everything that came due meanwhile.
    pub fn stall(&mut self, now: Time, until: Time) {
        self.catch_up(now);
        if !self.has(Deviations::TICKS) {
            self.stalled_until = self.stalled_until.max(until);
        } else if until > self.time(self.tick + 1) {
            // The next tick falls on `until`.
            let next = (self.tick + 1).saturating_mul(self.config.profile.tick_length());
            self.origin = Time(until.0.saturating_sub(next));
        }
        self.schedule(now);
    }

    /// A PDU arrives on a port.
    pub fn handle_pdu(&mut self, now: Time, port: usize, pdu: &Pdu) {
        self.catch_up(now);
        let units = self.now_units(now);
        let profile = self.config.profile;
        if !profile.has(Deviations::PORT_MOVED_UNNOTICED) {
            self.notice_move(port, pdu);
        }
        let Some(p) = self.ports.get_mut(port).filter(|p| p.bound) else { return };
        let before = (p.receive, p.partner, p.actor.state, p.selected);
        let was_settled = !p.unsettled;
        let outcome = p.step_receive(&profile, Some(pdu), units);
        if was_settled
            && before == (p.receive, p.partner, p.actor.state, p.selected)
            && before.0 == ReceiveState::Current
        {
            p.unsettled = false;
        }
        self.tell(now, port);
        if outcome == Received::Loopback {
            self.event(now, port, Happened::Loopback);
        }
        self.settle(now);
    }

    /// port_moved (6.4.8): what a disabled port remembers as its partner is heard on another port.
    fn notice_move(&mut self, port: usize, pdu: &Pdu) {
        let profile = self.config.profile;
        for (at, p) in self.ports.iter_mut().enumerate() {
            if at != port
                && p.bound
                && p.receive == ReceiveState::PortDisabled
                && p.partner.system == pdu.actor.system
                && p.partner.port == pdu.actor.port
            {
                p.initialize(&profile);
            }
        }
    }

    /// Time passes: runs whatever is due until `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        self.catch_up(now);
    }

    /// The next moment at which a machine may do something by itself. PDUs wait in the outbox, if any.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.next.runs().then(|| self.time(self.next.units()))
    }

    /// A PDU to send now, with the index of its port.
    pub fn poll_transmit(&mut self) -> Option<(usize, Pdu)> {
        self.outbox.pop_front()
    }

    /// Something that happened since the last call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn has(&self, deviation: Deviations) -> bool {
        self.config.profile.has(deviation)
    }
    fn event(&mut self, at: Time, port: usize, what: Happened) {
        if self.record_events {
            self.events.push_back(Event { at, port, what });
        }
    }
    /// Tells what became of one port.
    fn tell(&mut self, at: Time, port: usize) {
        if self.record_events
            && let Some(p) = self.ports.get_mut(port)
        {
            let events = &mut self.events;
            p.tell(|what| events.push_back(Event { at, port, what }));
        }
    }
    /// Tells what became of every port: the selection logic of one port touches others.
    fn tell_all(&mut self, at: Time) {
        for port in 0..self.ports.len() {
            self.tell(at, port);
        }
    }
    /// `now` in clock units: the last tick not after it, or nanoseconds.
    fn units(&self, now: Time) -> u64 {
        if self.has(Deviations::TICKS) {
            now.since(self.origin) / self.config.profile.tick_length()
        } else {
            now.0
        }
    }
    /// As [`Self::units`], once everything due has run. While ticks are late the last one that ran counts.
    fn now_units(&self, now: Time) -> u64 {
        if self.has(Deviations::TICKS) { self.tick } else { now.0 }
    }
    fn time(&self, units: u64) -> Time {
        if self.has(Deviations::TICKS) {
            self.origin + units.saturating_mul(self.config.profile.tick_length())
        } else {
            Time(units)
        }
    }

    /// Runs everything that was due before or at `now`.
    fn catch_up(&mut self, now: Time) {
        let ticks = self.has(Deviations::TICKS);
        while let Some(at) = self.next_deadline().filter(|&at| at <= now) {
            if ticks {
                self.run_tick(at);
            } else {
                self.run_to_rest(at);
            }
            self.schedule(at);
        }
        if ticks {
            self.tick = self.tick.max(self.units(now));
        }
    }

    /// After a change from outside: a standard system acts at once, one with ticks at its next tick.
    fn settle(&mut self, now: Time) {
        if !self.has(Deviations::TICKS) && now >= self.stalled_until {
            self.run_to_rest(now);
        }
        self.tell_all(now);
        self.schedule(now);
    }

    fn reselect(&mut self) {
        if self.has(Deviations::ONE_ACTIVE_AGGREGATOR) {
            selection_linux::select_active(self.config.ad_select, &mut self.ports, &mut self.aggregators);
        }
    }

    /// The Selection Logic for one port. True if it changed anything.
    fn select(&mut self, port: usize) -> bool {
        let (ports, aggregators) = (&mut self.ports, &mut self.aggregators);
        if self.config.profile.has(Deviations::ONE_ACTIVE_AGGREGATOR) {
            selection_linux::select_port(self.config.ad_select, ports, aggregators, port)
        } else {
            selection::select(self.config.profile.selection, ports, aggregators, port)
        }
    }

    fn end_selection_delay(&mut self, units: u64) {
        if self.selection_timer.reached(units) {
            self.selection_timer = Deadline::OFF;
            self.reselect();
        }
    }

    /// One tick: every machine of every port once.
    fn run_tick(&mut self, now: Time) {
        let units = self.units(now);
        self.tick = units;
        let profile = self.config.profile;
        self.end_selection_delay(units);
        for i in 0..self.ports.len() {
            let Some(p) = self.ports.get_mut(i).filter(|p| p.bound) else { continue };
            p.unsettled = false;
            p.step_receive(&profile, None, units);
            p.step_periodic(&profile, units);
            self.select(i);
            self.step_mux(i, units);
            let Some(p) = self.ports.get_mut(i) else { continue };
            if let Some(pdu) = p.step_transmit(&profile, units) {
                self.outbox.push_back((i, pdu));
            }
            p.step_churn(&profile, units);
            if p.begin {
                p.begin = false;
                p.unsettled = true;
            }
        }
        self.tell_all(now);
    }

    /// The standard: every machine until nothing moves.
    fn run_to_rest(&mut self, now: Time) {
        let units = self.units(now);
        let profile = self.config.profile;
        self.end_selection_delay(units);
        for _ in 0..MAX_ROUNDS {
            let mut moved = false;
            for i in 0..self.ports.len() {
                let Some(p) = self.ports.get_mut(i).filter(|p| p.bound) else { continue };
                p.unsettled = false;
                p.step_receive(&profile, None, units);
                let periodic = p.step_periodic(&profile, units);
                let chosen = self.select(i);
                let mux = self.step_mux(i, units);
                let Some(p) = self.ports.get_mut(i) else { continue };
                p.step_churn(&profile, units);
                p.forwarding = matches!(p.mux, MuxState::CollectingDistributing | MuxState::Distributing);
                let began = std::mem::take(&mut p.begin);
                moved |= periodic || chosen || mux || began || p.unsettled;
                self.tell(now, i);
            }
            if !moved {
                break;
            }
        }
        for i in 0..self.ports.len() {
            let Some(p) = self.ports.get_mut(i).filter(|p| p.bound) else { continue };
            p.unsettled = false;
            if let Some(pdu) = p.step_transmit(&profile, units) {
                self.outbox.push_back((i, pdu));
            }
        }
        self.tell_all(now);
    }

    fn step_mux(&mut self, port: usize, units: u64) -> bool {
        let profile = self.config.profile;
        let Some(p) = self.ports.get(port) else { return false };
        let aggregator = p.aggregator.and_then(|a| self.aggregators.get(a));
        let around = Surroundings {
            active: aggregator.is_some_and(|a| a.active),
            others_ready: aggregator.is_none_or(|a| {
                a.ports.iter().filter(|&&o| o != port).all(|&o| {
                    self.ports.get(o).is_none_or(|o| {
                        // Linux asks every port of the aggregator (`__agg_ports_are_ready()`); the standard those
                        // that wait. A port that has attached keeps READY_N, so both come to the same.
                        o.ready_n || (o.mux != MuxState::Waiting && !profile.has(Deviations::TICKS))
                    })
                })
            }),
            selection_over: !self.selection_timer.runs(),
            has_partner: aggregator.is_some_and(Aggregator::has_partner),
        };
        self.ports.get_mut(port).is_some_and(|p| p.step_mux(&profile, around, units))
    }

    /// Computes the next moment at which something may happen.
    fn schedule(&mut self, now: Time) {
        let profile = self.config.profile;
        let units = self.now_units(now);
        let soon = Deadline::at(units + 1);
        let mut next = if self.every_tick { soon } else { self.selection_timer };
        for p in self.ports.iter().filter(|p| p.bound) {
            if p.unsettled || p.begin || p.churn_trigger || p.periodic == PeriodicState::PeriodicTx {
                next = soon;
                break;
            }
            next = next.min(p.current_while).min(p.periodic_timer).min(p.wait_while);
            next = next.min(p.actor_churn_timer).min(p.partner_churn_timer);
            if p.ntt && p.lacp_enabled {
                next = next.min(Deadline::at(p.transmit_allowed_at(&profile, units + 1)));
            }
        }
        if next.runs() {
            next = next.max(soon);
            if !profile.has(Deviations::TICKS) {
                next = next.max(Deadline::at(self.stalled_until.0));
            }
        }
        self.next = next;
    }
}
