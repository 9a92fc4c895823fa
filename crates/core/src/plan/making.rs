//! The steps that make an interface, and those that make a deleted one again.

use super::desired::Entry;
use super::guard::Place;
use super::state::{Change, Index};
use super::world::{Link, LinkKind, Mark, NewKind, World};
use super::{Action, Condition, Fact, Step, Target};

/// What must be true of an interface that is about to be deleted.
pub(super) fn owned_fact(own: &Link, mark: &Mark) -> Fact {
    if own.alias.is_none() { Fact::NoAlias } else { Fact::Mark(mark.clone()) }
}

/// An interface that is being made, in two parts: whole but unseen under a temporary name, then under its own.
pub(super) struct Made {
    mark: Mark,
    temporary: String,
    place: (u32, String),
    bond: Option<u32>,
}

impl Made {
    /// With the name that nobody knows.
    pub(super) fn new(place: &Place, mark: Mark, fresh: &mut dyn FnMut() -> Mark) -> Self {
        Self { mark, temporary: fresh().temporary_name(), place: place.parent.clone(), bond: place.bond }
    }

    fn target(&self) -> Target {
        Target::Made(self.temporary.clone())
    }

    fn step(&self, entry: &Entry, action: Action, fact: Fact) -> Step {
        let needs = vec![Fact::Kind(entry.kind), Fact::Parent(self.place.0, self.place.1.clone())];
        Step {
            entry: entry.name.clone(),
            action,
            undo: Vec::new(),
            needs: vec![Condition::Is(self.target(), needs)],
            verify: vec![Condition::Is(self.target(), vec![fact])],
            before: None,
            after: None,
        }
    }

    /// Makes it under its temporary name.
    pub(super) fn begin(&self, entry: &Entry) -> Vec<Step> {
        let (index, name) = self.place.clone();
        let mut needs = vec![
            Condition::Below { index, name: name.clone(), bond: self.bond },
            Condition::Absent(self.temporary.clone()),
        ];
        if let NewKind::Vlan(id) = entry.kind {
            needs.push(Condition::FreeVlan(index, id));
        }
        let mut facts = vec![
            Fact::Name(self.temporary.clone()),
            Fact::Kind(entry.kind),
            Fact::Parent(index, name.clone()),
        ];
        facts.extend(entry.mtu.map(Fact::Mtu));
        facts.extend(entry.txqueuelen.map(Fact::TxQueueLen));
        let mut steps = vec![Step {
            entry: entry.name.clone(),
            action: Action::Create {
                name: self.temporary.clone(),
                kind: entry.kind,
                parent: (index, name),
                mtu: entry.mtu,
                txqueuelen: entry.txqueuelen,
            },
            undo: vec![Action::Delete(self.target())],
            needs,
            verify: vec![Condition::Is(self.target(), facts)],
            before: Some(Change::Begin {
                name: entry.name.clone(),
                mark: self.mark.clone(),
                temporary: self.temporary.clone(),
            }),
            after: Some(Change::Born { name: entry.name.clone(), temporary: self.temporary.clone() }),
        }];
        let mark = Action::SetMark(self.target(), Some(self.mark.clone()));
        steps.push(self.step(entry, mark, Fact::Mark(self.mark.clone())));
        if let Some(kind) = &entry.qdisc {
            let put = Action::SetQdisc(self.target(), Some(kind.clone()));
            steps.push(self.step(entry, put, Fact::Qdisc(kind.clone())));
        }
        steps
    }

    /// Gives it its name and sets it up.
    pub(super) fn finish(&self, entry: &Entry) -> Vec<Step> {
        let name = entry.name.clone();
        let mut rename =
            self.step(entry, Action::Rename(self.target(), name.clone()), Fact::Name(name.clone()));
        rename.needs.push(Condition::Absent(name.clone()));
        rename.after = Some(Change::Settled {
            name,
            mark: self.mark.clone(),
            kind: entry.kind,
            index: Index::Made(self.temporary.clone()),
            parent: self.place.0,
        });
        let up = self.step(entry, Action::SetUp(self.target(), true), Fact::Up(true));
        vec![rename, up]
    }
}

/// Makes a deleted interface again as it was, without what stood on it.
pub(super) fn rebuild(own: &Link, mark: &Mark, world: &World) -> Vec<Action> {
    let kind = match own.kind {
        LinkKind::Vlan(id) => NewKind::Vlan(id),
        LinkKind::Macvlan => NewKind::Macvlan,
        LinkKind::Bond { .. } | LinkKind::Other(_) => return Vec::new(),
    };
    let Some(parent) = own.parent else { return Vec::new() };
    let t = Target::Made(own.name.clone());
    let mut actions = vec![
        Action::Create {
            name: own.name.clone(),
            kind,
            parent: (parent, world.name(parent)),
            mtu: Some(own.mtu),
            txqueuelen: Some(own.txqueuelen),
        },
        Action::SetMark(t.clone(), Some(mark.clone())),
    ];
    if let Some(kind) = qdisc_to_restore(&own.qdisc) {
        actions.push(Action::SetQdisc(t.clone(), Some(kind)));
    }
    if own.up {
        actions.push(Action::SetUp(t, true));
    }
    actions
}

/// The qdisc to put back; nothing where the kernel's default was.
pub(super) fn qdisc_to_restore(kind: &str) -> Option<String> {
    (!matches!(kind, "noqueue" | "noop" | "")).then(|| kind.to_owned())
}
