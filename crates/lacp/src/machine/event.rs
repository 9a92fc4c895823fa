//! What the machines tell the outside: [`Event`]s, and the comparison that finds them.

use super::port::Port;
use super::state::{ChurnState, MuxState, PeriodicState, ReceiveState, Selected};
use super::time::Time;

/// Something that a machine did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Time,
    /// Index of the port.
    pub port: usize,
    /// What.
    pub what: Happened,
}

/// What a machine did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// The Receive machine entered a state.
    Receive(ReceiveState),
    /// The Periodic Transmission machine went to another state. Passing through PERIODIC_TX is not told.
    Periodic(PeriodicState),
    /// The Mux machine entered a state.
    Mux(MuxState),
    /// The Actor Churn machine entered a state.
    ActorChurn(ChurnState),
    /// The Partner Churn machine entered a state.
    PartnerChurn(ChurnState),
    /// Selected took a value.
    Selected(Selected),
    /// Traffic may pass from now on, or no longer.
    Forwarding(bool),
    /// A PDU with the system's own Actor_System was received and dropped.
    Loopback,
}

/// Everything of a port that is told as events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot {
    receive: ReceiveState,
    periodic: PeriodicState,
    selected: Selected,
    mux: MuxState,
    forwarding: bool,
    actor_churn: ChurnState,
    partner_churn: ChurnState,
}

impl Snapshot {
    /// A port that nothing has happened to.
    pub(super) const NEW: Self = Self {
        receive: ReceiveState::Initialize,
        periodic: PeriodicState::NoPeriodic,
        selected: Selected::Unselected,
        mux: MuxState::Detached,
        forwarding: false,
        actor_churn: ChurnState::Monitor,
        partner_churn: ChurnState::Monitor,
    };

    const fn of(p: &Port) -> Self {
        Self {
            receive: p.receive,
            periodic: p.periodic,
            selected: p.selected,
            mux: p.mux,
            forwarding: p.forwarding,
            actor_churn: p.actor_churn,
            partner_churn: p.partner_churn,
        }
    }
}

impl Port {
    /// Calls back for everything that differs from what was told last.
    pub(super) fn tell(&mut self, mut to: impl FnMut(Happened)) {
        let (before, mut now) = (self.told, Snapshot::of(self));
        if now.periodic == PeriodicState::PeriodicTx {
            now.periodic = before.periodic;
        }
        if now == before {
            return;
        }
        self.told = now;
        if now.receive != before.receive {
            to(Happened::Receive(now.receive));
        }
        if now.periodic != before.periodic {
            to(Happened::Periodic(now.periodic));
        }
        if now.selected != before.selected {
            to(Happened::Selected(now.selected));
        }
        if now.mux != before.mux {
            to(Happened::Mux(now.mux));
        }
        if now.forwarding != before.forwarding {
            to(Happened::Forwarding(now.forwarding));
        }
        if now.actor_churn != before.actor_churn {
            to(Happened::ActorChurn(now.actor_churn));
        }
        if now.partner_churn != before.partner_churn {
            to(Happened::PartnerChurn(now.partner_churn));
        }
    }
}
