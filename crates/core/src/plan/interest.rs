//! Which events on a host matter to the entries: a node with many pods has hundreds a minute, and each look at everything
//! costs time.

use super::desired::{Entry, On};
use super::dump::Event;
use super::state::State;
use super::world::{Mark, World};
use std::collections::BTreeSet;

/// What to listen for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interest {
    names: BTreeSet<String>,
    indices: BTreeSet<u32>,
    bonds: BTreeSet<u32>,
}

impl Interest {
    /// What matters to these entries on a host as it was last seen.
    #[must_use]
    pub fn new(desired: &[Entry], world: &World, state: &State) -> Self {
        let mut interest = Self::default();
        for entry in desired {
            let (On::Bond(below) | On::Member(below)) = &entry.on;
            interest.names.extend([entry.name.clone(), below.clone()]);
            interest.indices.extend(world.named(&entry.name).map(|l| l.index));
            let Some(below) = world.named(below) else { continue };
            interest.indices.insert(below.index);
            let bond = below.master.unwrap_or(below.index);
            interest.bonds.insert(bond);
            interest.indices.insert(bond);
            interest.indices.extend(world.members(bond).map(|l| l.index));
        }
        interest.indices.extend(state.records.values().filter_map(|r| r.index));
        interest
    }

    /// Whether an event matters.
    #[must_use]
    pub fn meets(&self, event: &Event) -> bool {
        self.indices.contains(&event.index)
            || event.name.as_ref().is_some_and(|n| self.names.contains(n))
            || event.master.is_some_and(|m| self.bonds.contains(&m))
            || event.alias.as_deref().and_then(Mark::from_alias).is_some()
    }
}
