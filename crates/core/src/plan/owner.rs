//! Whose an interface is. Only what is certainly ours may be changed or deleted.

use super::state::{Record, State};
use super::world::{Link, LinkKind, Mark, World};

/// Whose an interface is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Ours, of this entry.
    Ours {
        /// The entry.
        entry: String,
    },
    /// Ours and half made: it has the temporary name that was written down before it was made.
    HalfMade {
        /// The entry.
        entry: String,
    },
    /// It carries a mark of our form that no record knows: the records are lost, or another state folder is in use.
    Unrecorded(Mark),
    /// Somebody else's.
    Foreign,
}

/// Whose an interface is.
///
/// Ours is what has the recorded index and still carries the recorded mark, or no alias at all (a manager cleared it);
/// and what has the recorded temporary name. The mark alone tells only where no index is recorded, and only if one
/// interface carries it: an alias can be copied. An interface whose mark was overwritten with something else was taken
/// over by somebody and is theirs.
#[must_use]
pub fn owner(link: &Link, world: &World, state: &State) -> Owner {
    for (entry, record) in &state.records {
        let untouched =
            || link.alias.as_ref().is_none_or(|a| Mark::from_alias(a).as_ref() == Some(&record.mark));
        if record.temporary.as_ref() == Some(&link.name) && untouched() {
            return Owner::HalfMade { entry: entry.clone() };
        }
    }
    let mark = match &link.alias {
        None => {
            let recorded = state.records.iter().find(|(_, r)| is_recorded(link, r));
            return recorded.map_or(Owner::Foreign, |(entry, _)| Owner::Ours { entry: entry.clone() });
        }
        Some(alias) => match Mark::from_alias(alias) {
            Some(mark) => mark,
            None => return Owner::Foreign,
        },
    };
    let Some((entry, record)) = state.records.iter().find(|(_, r)| r.mark == mark) else {
        return Owner::Unrecorded(mark);
    };
    let ours = if record.index.is_some() || record.born.is_some() {
        record.index == Some(link.index) || record.born == Some(link.index)
    } else {
        let carries = |l: &Link| l.alias.as_deref().and_then(Mark::from_alias).as_ref() == Some(&mark);
        let half_made = |l: &Link| record.temporary.as_ref() == Some(&l.name);
        !world.links.values().any(|l| l.index != link.index && carries(l) && !half_made(l))
    };
    if ours { Owner::Ours { entry: entry.clone() } } else { Owner::Foreign }
}

/// Whether an interface without an alias is the recorded one. The index alone does not say so: an interface that comes
/// from another namespace keeps its index if that is free here (`__dev_change_net_namespace`, 6.12).
fn is_recorded(link: &Link, record: &Record) -> bool {
    if record.born == Some(link.index) {
        return matches!(link.kind, LinkKind::Vlan(_) | LinkKind::Macvlan);
    }
    record.index == Some(link.index)
        && record.parent.is_some()
        && record.parent == link.parent
        && record.kind.is_some_and(|k| k.is(link))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::state::Contest;
    use crate::plan::world::NewKind;

    fn vlan(index: u32, name: &str, alias: Option<&Mark>) -> Link {
        Link {
            index,
            name: name.to_owned(),
            kind: LinkKind::Vlan(70),
            parent: Some(2),
            mtu: 1500,
            up: true,
            carrier: true,
            qdisc: "noqueue".to_owned(),
            txqueuelen: 1000,
            alias: alias.map(Mark::alias),
            master: None,
        }
    }

    fn state(index: Option<u32>, temporary: Option<&str>) -> State {
        let mut state = State::new("here");
        let record = Record {
            mark: Mark::new(1),
            kind: Some(NewKind::Vlan(70)),
            index,
            parent: Some(2),
            temporary: temporary.map(str::to_owned),
            born: None,
            contest: Contest::default(),
        };
        state.records.insert("vpn0".to_owned(), record);
        state
    }

    fn owners(links: Vec<Link>, state: &State) -> Vec<Owner> {
        let world = World { links: links.into_iter().map(|l| (l.index, l)).collect(), ..World::default() };
        world.links.values().map(|l| owner(l, &world, state)).collect()
    }

    #[test]
    fn marks_and_records_tell_whose_it_is() {
        let (mark, ours) = (Mark::new(1), Owner::Ours { entry: "vpn0".to_owned() });
        // By mark, with and without a recorded index.
        assert_eq!(
            owners(vec![vlan(9, "vpn0", Some(&mark))], &state(Some(9), None)),
            std::slice::from_ref(&ours)
        );
        assert_eq!(owners(vec![vlan(9, "x", Some(&mark))], &state(None, None)), std::slice::from_ref(&ours));
        assert_eq!(owners(vec![vlan(9, "x", Some(&mark))], &state(Some(7), None)), [Owner::Foreign]);
        // A copied mark: the recorded index tells; without one nothing can be told.
        let copied = || vec![vlan(8, "a", Some(&mark)), vlan(9, "b", Some(&mark))];
        assert_eq!(owners(copied(), &state(Some(9), None)), [Owner::Foreign, ours.clone()]);
        assert_eq!(owners(copied(), &state(None, None)), [Owner::Foreign, Owner::Foreign]);
        // A cleared alias.
        assert_eq!(owners(vec![vlan(9, "vpn0", None)], &state(Some(9), None)), std::slice::from_ref(&ours));
        assert_eq!(owners(vec![vlan(8, "vpn0", None)], &state(Some(9), None)), [Owner::Foreign]);
        // The same index on another interface: something that came from another namespace.
        let mut other = vlan(9, "vpn0", None);
        other.parent = Some(3);
        assert_eq!(owners(vec![other], &state(Some(9), None)), [Owner::Foreign]);
        // The mark moved to another interface.
        let moved = vec![vlan(8, "a", Some(&mark)), vlan(9, "b", None)];
        assert_eq!(owners(moved, &state(Some(9), None)), [Owner::Foreign, ours.clone()]);
        // Overwritten: taken over.
        let mut taken = vlan(9, "vpn0", None);
        taken.alias = Some("uplink".to_owned());
        assert_eq!(owners(vec![taken], &state(Some(9), None)), [Owner::Foreign]);
        // Half made, before and after it was marked.
        let half = Owner::HalfMade { entry: "vpn0".to_owned() };
        assert_eq!(
            owners(vec![vlan(9, "bwx", None)], &state(None, Some("bwx"))),
            std::slice::from_ref(&half)
        );
        let mut taken = vlan(9, "bwx", None);
        taken.alias = Some("uplink".to_owned());
        assert_eq!(owners(vec![taken], &state(None, Some("bwx"))), [Owner::Foreign]);
        let both = vec![vlan(8, "vpn0", Some(&mark)), vlan(9, "bwx", Some(&mark))];
        assert_eq!(owners(both, &state(None, Some("bwx"))), [ours, half]);
        // A mark without a record.
        let lost = owners(vec![vlan(9, "vpn0", Some(&Mark::new(2)))], &state(None, None));
        assert_eq!(lost, [Owner::Unrecorded(Mark::new(2))]);
    }
}
