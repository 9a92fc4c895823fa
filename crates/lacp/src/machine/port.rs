//! One port: its variables, and what the outside may read of them.

use super::event::Snapshot;
use super::state::{ChurnState, MuxState, PeriodicState, ReceiveState, Selected};
use super::time::Deadline;
use crate::{PortInfo, PortState};

/// The two halves of a LACPDU that the machines work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pdu {
    /// The sender.
    pub actor: PortInfo,
    /// What the sender believes of the receiver.
    pub partner: PortInfo,
}

/// A port as it is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortConfig {
    /// Port number, unique within the system.
    pub number: u16,
    /// Port priority.
    pub priority: u16,
    /// Operational key while the link is up.
    pub key: u16,
    /// Speed in Mb/s: only [`super::Deviations::ONE_ACTIVE_AGGREGATOR`] weighs it.
    pub speed_mbps: u32,
    /// LACP_Activity: active.
    pub active: bool,
    /// LACP_Timeout short: asks the partner for a PDU each second.
    pub short_timeout: bool,
    /// LACP is enabled (false: half duplex, or a static link aggregation that speaks no LACP).
    pub lacp_enabled: bool,
}

impl Default for PortConfig {
    fn default() -> Self {
        Self {
            number: 1,
            priority: 255,
            key: 15,
            speed_mbps: 10_000,
            active: true,
            short_timeout: true,
            lacp_enabled: true,
        }
    }
}

/// One port and its machines.
#[derive(Debug, Clone)]
pub struct Port {
    pub(super) config: PortConfig,
    /// Operational Actor values, the state octet included.
    pub(super) actor: PortInfo,
    /// Operational Partner values.
    pub(super) partner: PortInfo,
    /// Administrative Partner values: what stands in for a partner that is not heard.
    pub(super) partner_admin: PortInfo,
    /// port_enabled.
    pub(super) enabled: bool,
    /// LACP_Enabled.
    pub(super) lacp_enabled: bool,
    /// BEGIN.
    pub(super) begin: bool,
    /// The port belongs to the system (false after it was removed).
    pub(super) bound: bool,

    pub(super) receive: ReceiveState,
    pub(super) current_while: Deadline,
    pub(super) periodic: PeriodicState,
    pub(super) periodic_timer: Deadline,
    pub(super) selected: Selected,
    pub(super) mux: MuxState,
    pub(super) wait_while: Deadline,
    pub(super) ready_n: bool,
    pub(super) actor_churn: ChurnState,
    pub(super) actor_churn_timer: Deadline,
    pub(super) actor_churn_count: u32,
    pub(super) partner_churn: ChurnState,
    pub(super) partner_churn_timer: Deadline,
    pub(super) partner_churn_count: u32,
    /// Linux: `AD_PORT_CHURNED`, the trigger of both churn machines.
    pub(super) churn_trigger: bool,

    /// NTT.
    pub(super) ntt: bool,
    /// When the last three PDUs were sent, oldest first (standard rate limit).
    pub(super) sent: [Option<u64>; 3],
    /// Linux: the tick of `bond_3ad_bind_slave()`, from which the transmit gate counts.
    pub(super) gate_origin: u64,
    /// Index of the selected aggregator.
    pub(super) aggregator: Option<usize>,
    /// Traffic may pass (`bond_is_active_slave()`; in the standard Collecting and Distributing).
    pub(super) forwarding: bool,
    /// Something changed that another machine has not looked at yet.
    pub(super) unsettled: bool,
    /// What was last told as events.
    pub(super) told: Snapshot,
    pub(super) lacpdu_rx: u64,
    pub(super) lacpdu_tx: u64,
}

/// Linux: `ad_initialize_port()`, the administrative partner. The standard leaves the values open.
pub(super) const DEFAULT_PARTNER: PortInfo = PortInfo {
    system_priority: 0xffff,
    system: crate::Mac::ZERO,
    key: 1,
    port_priority: 0xff,
    port: 1,
    state: PortState::empty(),
};

impl Port {
    pub(super) fn new(system_priority: u16, system: crate::Mac, config: PortConfig, now: u64) -> Self {
        let mut state = PortState::AGGREGATION;
        state.set(PortState::ACTIVITY, config.active);
        state.set(PortState::TIMEOUT, config.short_timeout);
        Self {
            config,
            actor: PortInfo {
                system_priority,
                system,
                key: config.key,
                port_priority: config.priority,
                port: config.number,
                state,
            },
            partner: DEFAULT_PARTNER,
            partner_admin: DEFAULT_PARTNER,
            enabled: true,
            lacp_enabled: config.lacp_enabled,
            begin: true,
            bound: true,
            receive: ReceiveState::Initialize,
            current_while: Deadline::OFF,
            periodic: PeriodicState::NoPeriodic,
            periodic_timer: Deadline::OFF,
            selected: Selected::Unselected,
            mux: MuxState::Detached,
            wait_while: Deadline::OFF,
            ready_n: false,
            actor_churn: ChurnState::Monitor,
            actor_churn_timer: Deadline::OFF,
            actor_churn_count: 0,
            partner_churn: ChurnState::Monitor,
            partner_churn_timer: Deadline::OFF,
            partner_churn_count: 0,
            churn_trigger: false,
            // BEGIN enters DETACHED, which sets NTT (figures 6-21 and 6-22; in Linux the first state is none of the
            // machine's, so entering DETACHED is a change).
            ntt: true,
            sent: [None; 3],
            gate_origin: now,
            aggregator: None,
            forwarding: false,
            unsettled: true,
            told: Snapshot::NEW,
            lacpdu_rx: 0,
            lacpdu_tx: 0,
        }
    }

    /// The PDU that would be sent now.
    #[must_use]
    pub const fn pdu(&self) -> Pdu {
        Pdu { actor: self.actor, partner: self.partner }
    }
    /// Operational Actor values.
    #[must_use]
    pub const fn actor(&self) -> &PortInfo {
        &self.actor
    }
    /// Operational Partner values.
    #[must_use]
    pub const fn partner(&self) -> &PortInfo {
        &self.partner
    }
    /// Configuration.
    #[must_use]
    pub const fn config(&self) -> &PortConfig {
        &self.config
    }
    /// port_enabled: the link is up.
    #[must_use]
    pub const fn enabled(&self) -> bool {
        self.enabled
    }
    /// False after the port was removed from its system.
    #[must_use]
    pub const fn bound(&self) -> bool {
        self.bound
    }
    /// State of the Receive machine.
    #[must_use]
    pub const fn receive(&self) -> ReceiveState {
        self.receive
    }
    /// State of the Periodic Transmission machine.
    #[must_use]
    pub const fn periodic(&self) -> PeriodicState {
        self.periodic
    }
    /// State of the Mux machine.
    #[must_use]
    pub const fn mux(&self) -> MuxState {
        self.mux
    }
    /// The variable Selected.
    #[must_use]
    pub const fn selected(&self) -> Selected {
        self.selected
    }
    /// Index of the selected aggregator.
    #[must_use]
    pub const fn aggregator(&self) -> Option<usize> {
        self.aggregator
    }
    /// State of the Actor Churn machine, and how often it reached CHURN.
    #[must_use]
    pub const fn actor_churn(&self) -> (ChurnState, u32) {
        (self.actor_churn, self.actor_churn_count)
    }
    /// State of the Partner Churn machine, and how often it reached CHURN.
    #[must_use]
    pub const fn partner_churn(&self) -> (ChurnState, u32) {
        (self.partner_churn, self.partner_churn_count)
    }
    /// Traffic may pass: of Linux the member is "active", of the standard it collects and distributes.
    #[must_use]
    pub const fn forwarding(&self) -> bool {
        self.forwarding
    }
    /// PDUs handed to the Receive machine since the port exists (Linux: `lacpdu_rx`).
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.lacpdu_rx
    }
    /// PDUs handed out for transmission since the port exists (Linux: `lacpdu_tx`, attempts).
    #[must_use]
    pub const fn transmitted(&self) -> u64 {
        self.lacpdu_tx
    }

    pub(super) fn set(&mut self, bit: PortState, value: bool) {
        self.actor.state.set(bit, value);
    }
}
