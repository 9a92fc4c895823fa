//! Selection Logic of Linux bonding: `ad_port_selection_logic()`, `ad_agg_selection_logic()` and
//! `ad_agg_selection_test()` of `drivers/net/bonding/bond_3ad.c` (6.12.107).
//!
//! Each member brings one aggregator. A port joins an aggregator in use if its own key and the partner's system,
//! priority and key are equal, else it takes the first free one. One aggregator is active at a time.

use super::port::Port;
use super::selection::{Aggregator, detach};
use super::state::Selected;
use crate::PortState;

/// `ad_select`: which aggregator becomes the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AdSelect {
    /// The largest bandwidth, and never replaced while it has a partner.
    #[default]
    Stable,
    /// The largest bandwidth at any time.
    Bandwidth,
    /// The most ports at any time.
    Count,
}

/// `ad_port_selection_logic()`. True if the port was given an aggregator.
pub(super) fn select_port(
    policy: AdSelect,
    ports: &mut [Port],
    aggregators: &mut [Aggregator],
    port: usize,
) -> bool {
    if ports.get(port).is_none_or(|p| p.selected != Selected::Unselected) {
        return false;
    }
    detach(ports, aggregators, port);
    let Some(p) = ports.get(port) else { return false };
    let (key, partner) = (p.actor.key, p.partner);
    let usable = |at: &usize| ports.get(*at).is_some_and(|p| p.bound);
    let joined = (0..aggregators.len()).filter(usable).find(|&at| {
        aggregators.get(at).is_some_and(|a| {
            !a.ports.is_empty() && a.serves(key, &partner) && a.has_partner() && !a.individual
        })
    });
    let free = (0..aggregators.len())
        .filter(usable)
        .find(|&at| aggregators.get(at).is_some_and(|a| a.ports.is_empty()));
    // "Port %d did not find a suitable aggregator"
    let Some(at) = joined.or(free) else { return false };
    if let Some(aggregator) = aggregators.get_mut(at) {
        if joined.is_none() {
            // AD_DUPLEX_KEY_MASKS
            aggregator.individual = key & 1 == 0;
            aggregator.adopt(key, &partner);
        }
        aggregator.ports.insert(0, port);
    }
    if let Some(p) = ports.get_mut(port) {
        p.aggregator = Some(at);
        p.selected = Selected::Selected;
        p.unsettled = true;
    }
    select_active(policy, ports, aggregators);
    if !aggregators.get(at).is_some_and(|a| a.active)
        && let Some(p) = ports.get_mut(port)
    {
        p.set(PortState::SYNCHRONIZATION, false);
    }
    true
}

/// `bond_3ad_unbind_slave()`: a member leaves, with its aggregator. Ports that live on that aggregator move, with
/// everything it knows, to the first that is free; nothing is selected anew for them.
pub(super) fn leave(policy: AdSelect, ports: &mut [Port], aggregators: &mut [Aggregator], port: usize) {
    let alone = |a: &Aggregator| a.ports.iter().all(|&p| p == port);
    let mut reselect = false;
    if aggregators.get(port).is_some_and(|a| !a.ports.is_empty()) {
        if aggregators.get(port).is_some_and(alone) {
            reselect = aggregators.get(port).is_some_and(|a| a.active);
            detach(ports, aggregators, port);
        } else {
            let free = (0..aggregators.len()).find(|&at| {
                at != port && ports.get(at).is_some_and(|p| p.bound) && aggregators.get(at).is_some_and(alone)
            });
            if let Some(free) = free {
                move_aggregator(ports, aggregators, port, free, &mut reselect);
            }
        }
    }
    let lived_on = ports.get(port).and_then(|p| p.aggregator);
    let was_active = lived_on.and_then(|at| aggregators.get(at)).is_some_and(|a| a.active);
    detach(ports, aggregators, port);
    if let Some(p) = ports.get_mut(port) {
        p.bound = false;
        p.forwarding = false;
        p.selected = Selected::Unselected;
    }
    let left_without =
        lived_on.and_then(|at| aggregators.get(at)).is_some_and(|a| active_ports(a, ports) == 0);
    if reselect || (was_active && left_without) {
        select_active(policy, ports, aggregators);
    }
}

fn move_aggregator(
    ports: &mut [Port],
    aggregators: &mut [Aggregator],
    from: usize,
    to: usize,
    reselect: &mut bool,
) {
    let Some(old) = aggregators.get_mut(from) else { return };
    let moved = old.clone();
    old.clear();
    let Some(new) = aggregators.get_mut(to) else { return };
    // "Removing an active aggregator": the free one was active with the leaving port as its only one.
    *reselect |= new.active && !new.ports.is_empty();
    *new = Aggregator { id: new.id, ..moved };
    for &p in &new.ports {
        if let Some(p) = ports.get_mut(p) {
            p.aggregator = Some(to);
            p.unsettled = true;
        }
    }
}

fn active_ports(aggregator: &Aggregator, ports: &[Port]) -> usize {
    aggregator.ports.iter().filter(|&&p| ports.get(p).is_some_and(|p| p.enabled)).count()
}

/// `__get_agg_bandwidth()`: the speed of its last port to come, times its ports.
fn bandwidth(aggregator: &Aggregator, ports: &[Port]) -> u64 {
    let speed = aggregator
        .ports
        .first()
        .and_then(|&p| ports.get(p))
        .map_or(0, |p| if p.enabled { p.config.speed_mbps } else { 0 });
    u64::from(speed) * active_ports(aggregator, ports) as u64
}

/// `ad_agg_selection_test()`: the better of two.
fn better(
    policy: AdSelect,
    aggregators: &[Aggregator],
    ports: &[Port],
    best: Option<usize>,
    at: usize,
) -> usize {
    let Some(best) = best else { return at };
    let (Some(b), Some(c)) = (aggregators.get(best), aggregators.get(at)) else { return best };
    if b.individual != c.individual {
        return if b.individual { at } else { best };
    }
    if b.has_partner() != c.has_partner() {
        return if c.has_partner() { at } else { best };
    }
    if policy == AdSelect::Count {
        let (nb, nc) = (active_ports(b, ports), active_ports(c, ports));
        if nb != nc {
            return if nc > nb { at } else { best };
        }
    }
    if bandwidth(c, ports) > bandwidth(b, ports) { at } else { best }
}

/// `ad_agg_selection_logic()`: chooses the active aggregator.
pub(super) fn select_active(policy: AdSelect, ports: &mut [Port], aggregators: &mut [Aggregator]) {
    let active = aggregators.iter().position(|a| a.active);
    let up = |at: usize| {
        aggregators.get(at).is_some_and(|a| a.ports.iter().any(|&p| ports.get(p).is_some_and(|p| p.enabled)))
    };
    let mut best = active.filter(|&a| up(a));
    for at in 0..aggregators.len() {
        if up(at) {
            best = Some(better(policy, aggregators, ports, best, at));
        }
    }
    for aggregator in aggregators.iter_mut() {
        aggregator.active = false;
    }
    let mut keep = None;
    if policy == AdSelect::Stable
        && let (Some(best), Some(active)) = (best, active)
        && let (Some(b), Some(a)) = (aggregators.get(best), aggregators.get(active))
        && active_ports(a, ports) > 0
        && (a.has_partner() || !b.has_partner())
        && !(a.actor_key == 0 && b.actor_key != 0)
    {
        keep = Some(active);
    }
    let chosen = keep.or(best);
    if let Some(a) = chosen.and_then(|at| aggregators.get_mut(at)) {
        a.active = true;
    }
    if chosen != active
        && chosen.is_some()
        && let Some(old) = active
        && let Some(old) = aggregators.get(old)
    {
        for &p in &old.ports {
            if let Some(p) = ports.get_mut(p) {
                p.forwarding = false;
                p.unsettled = true;
            }
        }
    }
    if chosen != active {
        for p in ports.iter_mut() {
            p.unsettled = true;
        }
    }
    // An aggregator without a partner carries traffic all the same.
    if let Some(a) = chosen.and_then(|at| aggregators.get(at))
        && !a.has_partner()
    {
        for &p in &a.ports {
            if let Some(p) = ports.get_mut(p)
                && p.enabled
            {
                p.forwarding = true;
            }
        }
    }
}
