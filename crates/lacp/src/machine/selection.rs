//! Selection Logic: 802.1AX-2014 6.4.14, with the rule of a switch's port-channel beside the standard's default.
//! That of Linux stands in [`super::selection_linux`].

use super::port::Port;
use super::profile::SelectionPolicy;
use super::state::Selected;
use crate::{Mac, PortInfo, PortState};

/// An aggregator and the Link Aggregation Group that it serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aggregator {
    /// Identifier, 1 and up.
    pub id: u16,
    /// Operational key of its ports.
    pub actor_key: u16,
    /// Partner's System.
    pub partner_system: Mac,
    /// Partner's System Priority.
    pub partner_system_priority: u16,
    /// Partner's key.
    pub partner_key: u16,
    /// Its one port does not aggregate (half duplex in Linux).
    pub individual: bool,
    /// It carries the system's traffic (always, outside Linux).
    pub active: bool,
    /// Indices of the ports that selected it, the last to come first.
    pub ports: Vec<usize>,
}

impl Aggregator {
    /// Some partner answered (Linux `__agg_has_partner()`).
    #[must_use]
    pub fn has_partner(&self) -> bool {
        !self.partner_system.is_zero()
    }
    pub(super) fn clear(&mut self) {
        *self = Self { id: self.id, ports: std::mem::take(&mut self.ports), ..Self::default() };
        self.ports.clear();
    }
    pub(super) fn serves(&self, actor_key: u16, partner: &PortInfo) -> bool {
        self.actor_key == actor_key
            && self.partner_system == partner.system
            && self.partner_system_priority == partner.system_priority
            && self.partner_key == partner.key
    }
    pub(super) fn adopt(&mut self, actor_key: u16, partner: &PortInfo) {
        self.actor_key = actor_key;
        self.partner_system = partner.system;
        self.partner_system_priority = partner.system_priority;
        self.partner_key = partner.key;
    }
}

/// Takes a port out of its aggregator.
pub(super) fn detach(ports: &mut [Port], aggregators: &mut [Aggregator], port: usize) {
    let Some(at) = ports.get_mut(port).and_then(|p| p.aggregator.take()) else { return };
    if let Some(aggregator) = aggregators.get_mut(at) {
        aggregator.ports.retain(|&p| p != port);
        if aggregator.ports.is_empty() {
            aggregator.clear();
        }
    }
}

/// Selects an aggregator for one UNSELECTED port. True if it changed anything.
pub(super) fn select(
    policy: SelectionPolicy,
    ports: &mut [Port],
    aggregators: &mut [Aggregator],
    port: usize,
) -> bool {
    let Some(p) = ports.get(port) else { return false };
    if p.selected != Selected::Unselected {
        return false;
    }
    let (key, partner) = (p.actor.key, p.partner);
    let individual = !p.actor.state.contains(PortState::AGGREGATION)
        || !partner.state.contains(PortState::AGGREGATION)
        || partner.system.is_zero();
    let usable = p.enabled && p.lacp_enabled && !p.begin;
    let had = p.aggregator.is_some();
    detach(ports, aggregators, port);
    let target = match policy {
        SelectionPolicy::OnePerGroup => usable
            .then(|| {
                aggregators
                    .iter()
                    .position(|a| {
                        !individual && !a.ports.is_empty() && !a.individual && a.serves(key, &partner)
                    })
                    .or_else(|| aggregators.iter().position(|a| a.ports.is_empty()))
            })
            .flatten(),
        // The aggregator of the key is that of the first port with this key.
        SelectionPolicy::OnePerKey { .. } => {
            let first = ports.iter().position(|p| p.bound && p.config.key == key);
            first.filter(|&at| {
                usable
                    && !individual
                    && aggregators.get(at).is_some_and(|a| a.ports.is_empty() || a.serves(key, &partner))
            })
        }
    };
    let Some((at, aggregator)) = target.and_then(|at| aggregators.get_mut(at).map(|a| (at, a))) else {
        return had;
    };
    if aggregator.ports.is_empty() {
        aggregator.adopt(key, &partner);
        aggregator.individual = individual;
        aggregator.active = true;
    }
    let full = match policy {
        SelectionPolicy::OnePerGroup => false,
        SelectionPolicy::OnePerKey { max_ports } => aggregator.ports.len() >= usize::from(max_ports),
    };
    aggregator.ports.insert(0, port);
    if let Some(p) = ports.get_mut(port) {
        p.aggregator = Some(at);
        p.selected = if full { Selected::Standby } else { Selected::Selected };
        p.unsettled = true;
    }
    true
}
