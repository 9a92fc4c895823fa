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

/// Selects an aggregator for one UNSELECTED port, or takes a port out of reserve. True if it changed anything.
pub(super) fn select(
    policy: SelectionPolicy,
    ports: &mut [Port],
    aggregators: &mut [Aggregator],
    port: usize,
) -> bool {
    let Some(p) = ports.get(port) else { return false };
    let usable = p.enabled && !p.begin;
    match (policy, p.selected) {
        (_, Selected::Unselected) => join(policy, ports, aggregators, port, usable),
        (SelectionPolicy::OnePerGroup, _) => false,
        // A port without link gives up its place in the port-channel.
        (SelectionPolicy::OnePerKey { .. }, _) if !usable => {
            detach(ports, aggregators, port);
            if let Some(p) = ports.get_mut(port) {
                p.selected = Selected::Unselected;
                p.unsettled = true;
            }
            true
        }
        (SelectionPolicy::OnePerKey { .. }, Selected::Selected) => false,
        (SelectionPolicy::OnePerKey { max_ports }, Selected::Standby) => {
            let at = p.aggregator;
            let room = selected_ports(ports, aggregators, at) < usize::from(max_ports);
            if room && let Some(p) = ports.get_mut(port) {
                p.selected = Selected::Selected;
                p.unsettled = true;
            }
            room
        }
    }
}

/// How many ports of an aggregator are SELECTED, not STANDBY.
fn selected_ports(ports: &[Port], aggregators: &[Aggregator], at: Option<usize>) -> usize {
    at.and_then(|at| aggregators.get(at)).map_or(0, |a| {
        a.ports.iter().filter(|&&p| ports.get(p).is_some_and(|p| p.selected == Selected::Selected)).count()
    })
}

fn join(
    policy: SelectionPolicy,
    ports: &mut [Port],
    aggregators: &mut [Aggregator],
    port: usize,
    usable: bool,
) -> bool {
    let Some(p) = ports.get(port) else { return false };
    let (key, partner) = (p.actor.key, p.partner);
    // Without LACP the link is an individual one (or a member by configuration), whoever the partner is.
    let speaks = p.lacp_enabled;
    let individual = !speaks
        || !p.actor.state.contains(PortState::AGGREGATION)
        || !partner.state.contains(PortState::AGGREGATION)
        || partner.system.is_zero();
    let had = p.aggregator.is_some();
    detach(ports, aggregators, port);
    let empty = |aggregators: &[Aggregator]| aggregators.iter().position(|a| a.ports.is_empty());
    let target = match policy {
        _ if !usable => None,
        SelectionPolicy::OnePerGroup => aggregators
            .iter()
            .position(|a| !individual && !a.ports.is_empty() && !a.individual && a.serves(key, &partner))
            .or_else(|| empty(aggregators)),
        SelectionPolicy::OnePerKey { .. } if !speaks => empty(aggregators),
        SelectionPolicy::OnePerKey { .. } if individual => None,
        SelectionPolicy::OnePerKey { .. } => {
            let of_key = |a: &Aggregator| !a.ports.is_empty() && !a.individual && a.actor_key == key;
            match aggregators.iter().position(of_key) {
                Some(at) => aggregators.get(at).filter(|a| a.serves(key, &partner)).map(|_| at),
                None => empty(aggregators),
            }
        }
    };
    let places = match policy {
        SelectionPolicy::OnePerGroup => usize::MAX,
        SelectionPolicy::OnePerKey { max_ports } => usize::from(max_ports),
    };
    let full = selected_ports(ports, aggregators, target) >= places;
    let Some((at, aggregator)) = target.and_then(|at| aggregators.get_mut(at).map(|a| (at, a))) else {
        return had;
    };
    if aggregator.ports.is_empty() {
        aggregator.adopt(key, &partner);
        aggregator.individual = individual;
        aggregator.active = true;
    }
    aggregator.ports.insert(0, port);
    if let Some(p) = ports.get_mut(port) {
        p.aggregator = Some(at);
        p.selected = if full { Selected::Standby } else { Selected::Selected };
        p.unsettled = true;
    }
    true
}
