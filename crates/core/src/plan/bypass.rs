//! Plans for interfaces that bypass a bond: what is wanted, what is there, and the guard rails between.
//!
//! What the guard rails rest on was measured on Linux 6.12 and 6.1 (`docs/bypass.md` tells it with the figures): the
//! kernel hands a tagged frame to a VLAN interface of the member before the bond sees it, so such an interface hears
//! what the VLAN on the bond would have heard, hears only what the switch sends to this member, and does not move when
//! the bond does.

use super::desired::{Allow, Entry};
use super::guard::{self, Blocked, Place};
use super::making::{Made, owned_fact, qdisc_to_restore, rebuild};
use super::owner::{Owner, owner};
use super::state::{Change, Index, Record, State};
use super::world::{Link, LinkKind, Mark, NewKind, World};
use super::{Action, Condition, Fact, Plan, Refusal, Step, Target};

/// What came of planning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Planned {
    /// The steps of all entries.
    pub plan: Plan,
    /// What is to be remembered without any change of the host.
    pub bookkeeping: Vec<Change>,
    /// How each entry stands, in the order of the configuration, then what is to go.
    pub entries: Vec<Outlook>,
    /// What guard rails hold back.
    pub refused: Vec<Refusal>,
    /// What the user should know, with the entry that it is about.
    pub notes: Vec<(String, String)>,
}

/// How an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Its name.
    pub name: String,
    /// In one line: `VLAN 70 on eno1, the active member of bond0 (active-backup)`.
    pub what: String,
    /// How it stands.
    pub stand: Stand,
}

/// How an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stand {
    /// As wanted.
    Ready,
    /// There are steps for it.
    Change {
        /// What is not as wanted, in words.
        because: Vec<String>,
        /// It was as wanted after our last change, and nothing but somebody's will explains that it is not any more.
        undone: bool,
    },
    /// Nothing can be done before something else happens.
    Waiting(String),
    /// A guard rail holds it back.
    Refused,
}

/// Plans all entries, and the removal of what is recorded and no longer wanted.
///
/// `fresh` gives a new mark at each call.
#[must_use]
pub fn plan(desired: &[Entry], world: &World, state: &State, fresh: &mut dyn FnMut() -> Mark) -> Planned {
    let mut planned = Planned::default();
    for entry in desired {
        let swept = Planner { world, state, out: &mut planned }.sweep(&entry.name);
        // What goes first is in nobody's way.
        let without = swept.map(|index| {
            let mut world = world.clone();
            world.links.remove(&index);
            world
        });
        let world = without.as_ref().unwrap_or(world);
        Planner { world, state, out: &mut planned }.entry(entry, swept.is_some(), fresh);
    }
    for name in state.records.keys().filter(|n| !desired.iter().any(|e| e.name == **n)) {
        Planner { world, state, out: &mut planned }.removal(name, false);
    }
    planned
}

/// Plans the removal of the entries called `names`; of all that is ours if there are none. With `consent` also of what
/// is in use.
#[must_use]
pub fn plan_removal(names: &[String], consent: bool, world: &World, state: &State) -> Planned {
    let mut planned = Planned::default();
    for name in state.records.keys().filter(|n| names.is_empty() || names.contains(n)) {
        Planner { world, state, out: &mut planned }.removal(name, consent);
    }
    for link in world.links.values() {
        if let Owner::Unrecorded(mark) = owner(link, world, state)
            && (names.is_empty() || names.contains(&link.name))
        {
            Planner { world, state, out: &mut planned }.delete_step(link, &link.name, Some(&mark), consent);
        }
    }
    for name in names {
        if planned.entries.iter().any(|e| e.name == *name) {
            continue;
        }
        let why = if world.named(name).is_some() {
            "it was not made by bondwitness: it carries no mark of ours"
        } else {
            "there is no such interface, and no record of one"
        };
        planned.refuse(
            name,
            String::new(),
            why,
            "`bondwitness bypass remove` without a name removes all that is ours",
        );
    }
    planned
}

impl Planned {
    /// Whether every wanted interface is there as wanted.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.entries.iter().all(|e| e.stand == Stand::Ready) && self.refused.is_empty()
    }

    fn refuse(&mut self, entry: &str, what: String, why: impl Into<String>, instead: impl Into<String>) {
        self.refused.push(Refusal { entry: entry.to_owned(), why: why.into(), instead: instead.into() });
        self.outlook(entry, what, Stand::Refused);
    }

    fn outlook(&mut self, entry: &str, what: String, stand: Stand) {
        self.entries.push(Outlook { name: entry.to_owned(), what, stand });
    }

    fn note(&mut self, entry: &str, note: impl Into<String>) {
        self.notes.push((entry.to_owned(), note.into()));
    }
}

struct Planner<'a> {
    world: &'a World,
    state: &'a State,
    out: &'a mut Planned,
}

impl Planner<'_> {
    fn owned(&self, entry: &str) -> Option<&Link> {
        let ours = Owner::Ours { entry: entry.to_owned() };
        self.world.links.values().find(|l| owner(l, self.world, self.state) == ours)
    }

    fn entry(&mut self, entry: &Entry, swept: bool, fresh: &mut dyn FnMut() -> Mark) {
        let (world, name) = (self.world, entry.name.as_str());
        let record = self.state.records.get(name);
        let own = self.owned(name).or_else(|| self.adopted(entry)).cloned();
        let place = match guard::place(world, entry, own.as_ref()) {
            Ok(place) => place,
            Err(blocked) => {
                return self.blocked(name, format!("{} on {}", entry.kind, guard::on(&entry.on)), blocked);
            }
        };
        let Some(own) = own else {
            if let Some(blocked) = guard::obstacle(world, entry, &place, None) {
                return self.blocked(name, place.what, blocked);
            }
            for note in guard::about(world, entry, &place) {
                self.out.note(name, note);
            }
            let mark = record.map_or_else(&mut *fresh, |r| r.mark.clone());
            // A temporary name of its own: the one before may still be remembered.
            let made = Made::new(&place, mark, fresh);
            self.out.plan.steps.extend(made.begin(entry));
            self.out.plan.steps.extend(made.finish(entry));
            let settled = record.is_some_and(|r| r.contest.settled);
            let parent_stayed =
                record.and_then(|r| r.parent).is_some_and(|p| self.world.links.contains_key(&p));
            let undone = settled && parent_stayed;
            let because = vec![if settled { "it is gone" } else { "it does not exist" }.to_owned()];
            return self.out.outlook(name, place.what, Stand::Change { because, undone });
        };
        let mark = match owner(&own, self.world, self.state) {
            Owner::Unrecorded(mark) => mark,
            Owner::Ours { .. } | Owner::HalfMade { .. } | Owner::Foreign => {
                record.map_or_else(&mut *fresh, |r| r.mark.clone())
            }
        };
        if !entry.kind.is(&own) || own.parent != Some(place.parent.0) {
            self.recreate(entry, &own, &place, mark, fresh);
        } else {
            self.repair(entry, &own, &place, &mark, swept);
        }
    }

    fn blocked(&mut self, name: &str, what: String, blocked: Blocked) {
        match blocked {
            Blocked::Wait(why) => self.out.outlook(name, what, Stand::Waiting(why)),
            Blocked::Refuse(why, instead) => self.out.refuse(name, what, why, instead),
        }
    }

    /// Removes what a crash left half made; its index.
    fn sweep(&mut self, name: &str) -> Option<u32> {
        let half = Owner::HalfMade { entry: name.to_owned() };
        let link = self.world.links.values().find(|l| owner(l, self.world, self.state) == half)?;
        let target = Target::There(link.index, link.name.clone());
        self.out.plan.steps.push(Step {
            entry: name.to_owned(),
            action: Action::Delete(target.clone()),
            undo: Vec::new(),
            needs: vec![Condition::Is(target.clone(), vec![Fact::Name(link.name.clone())])],
            verify: vec![Condition::Gone(target)],
            before: None,
            after: Some(Change::Abandon(name.to_owned())),
        });
        Some(link.index)
    }

    /// An interface of this name with a mark that no record knows: the records are lost, the interface is as wanted.
    fn adopted(&self, entry: &Entry) -> Option<&Link> {
        let link = self.world.named(&entry.name)?;
        let lost = matches!(owner(link, self.world, self.state), Owner::Unrecorded(_));
        (lost && entry.kind.is(link)).then_some(link)
    }

    /// Puts right what can be put right in place.
    fn repair(&mut self, entry: &Entry, own: &Link, place: &Place, mark: &Mark, swept: bool) {
        let (world, name) = (self.world, entry.name.as_str());
        let record = self.state.records.get(name);
        let mut refused = Vec::new();
        let mut wanted: Vec<(Fact, Action, Vec<Action>)> = Vec::new();
        let t = Target::There(own.index, own.name.clone());
        let marked = Fact::Mark(mark.clone());
        if !marked.holds(own) {
            let undo = vec![Action::SetMark(t.clone(), None)];
            wanted.push((marked.clone(), Action::SetMark(t.clone(), Some(mark.clone())), undo));
        }
        if own.name != name {
            if world.named(name).is_some() {
                refused.push((
                    format!("it was renamed to {}, and {name} is another interface now", own.name),
                    format!("rename or remove one of them, or `bondwitness bypass remove {name}`"),
                ));
            } else {
                if own.up {
                    // Kernels before 6.2 rename only what is down.
                    let undo = vec![Action::SetUp(t.clone(), true)];
                    wanted.push((Fact::Up(false), Action::SetUp(t.clone(), false), undo));
                }
                let undo = vec![Action::Rename(t.clone(), own.name.clone())];
                wanted.push((Fact::Name(name.to_owned()), Action::Rename(t.clone(), name.to_owned()), undo));
            }
        }
        if let Some(mtu) = entry.mtu
            && own.mtu != mtu
        {
            if mtu > place.mtu {
                refused.push(guard::too_large(mtu, place));
            } else {
                let undo = vec![Action::SetMtu(t.clone(), own.mtu)];
                wanted.push((Fact::Mtu(mtu), Action::SetMtu(t.clone(), mtu), undo));
            }
        }
        if let Some(length) = entry.txqueuelen
            && own.txqueuelen != length
        {
            let undo = vec![Action::SetTxQueueLen(t.clone(), own.txqueuelen)];
            wanted.push((Fact::TxQueueLen(length), Action::SetTxQueueLen(t.clone(), length), undo));
        }
        if let Some(kind) = &entry.qdisc
            && own.qdisc != *kind
        {
            let undo = vec![Action::SetQdisc(t.clone(), qdisc_to_restore(&own.qdisc))];
            wanted.push((Fact::Qdisc(kind.clone()), Action::SetQdisc(t.clone(), Some(kind.clone())), undo));
        }
        let renamed = wanted.iter().any(|(_, a, _)| matches!(a, Action::Rename(..)));
        let parent_up = world.links.get(&place.parent.0).is_some_and(|l| l.up);
        if (!own.up || renamed) && parent_up {
            let undo = vec![Action::SetUp(t.clone(), false)];
            wanted.push((Fact::Up(true), Action::SetUp(t.clone(), true), undo));
        }
        let mut because: Vec<String> = Vec::new();
        for (fact, action, undo) in wanted {
            // The way to a new name is no fault of its own.
            if !(renamed && matches!(fact, Fact::Up(_))) {
                because.push(format!("it is {}, not {fact}", fact.found(own, world)));
            }
            // Whatever happened since, it must still be ours: by its mark, or by index, kind and place.
            let mut needs =
                vec![Fact::Kind(entry.kind), Fact::Parent(place.parent.0, place.parent.1.clone())];
            needs.push(if matches!(action, Action::SetMark(..)) { Fact::NoAlias } else { marked.clone() });
            self.out.plan.steps.push(Step {
                entry: name.to_owned(),
                action,
                undo,
                needs: vec![Condition::Is(t.clone(), needs)],
                verify: vec![Condition::Is(t.clone(), vec![fact])],
                before: None,
                after: None,
            });
        }
        let recorded = record.is_some_and(|r| {
            r.index == Some(own.index)
                && r.parent == own.parent
                && r.kind == Some(entry.kind)
                && r.mark == *mark
                && r.temporary.is_none()
                && r.born.is_none()
        });
        // What is half made beside it is removed first; its record goes with it.
        if !recorded && !swept {
            self.out.bookkeeping.push(Change::Settled {
                name: name.to_owned(),
                mark: mark.clone(),
                kind: entry.kind,
                index: Index::Known(own.index),
                parent: place.parent.0,
            });
        }
        self.beside(entry, place);
        if !refused.is_empty() {
            for (why, instead) in refused {
                self.out.refused.push(Refusal { entry: name.to_owned(), why, instead });
            }
            return self.out.outlook(name, place.what.clone(), Stand::Refused);
        }
        let stand = if !because.is_empty() || swept {
            let undone = !because.is_empty() && record.is_some_and(|r| r.contest.settled);
            if because.is_empty() {
                because.push("a half-made interface is beside it".to_owned());
            }
            Stand::Change { because, undone }
        } else if !own.up {
            Stand::Waiting(format!("{} is down", place.parent.1))
        } else {
            Stand::Ready
        };
        self.out.outlook(name, place.what.clone(), stand);
    }

    /// Notes about what came up beside an interface that stands.
    fn beside(&mut self, entry: &Entry, place: &Place) {
        if let NewKind::Vlan(id) = entry.kind
            && let Some(deaf) = place.bond.and_then(|b| self.world.vlan_on(b, id))
        {
            let users = self.world.users(deaf.index);
            if !users.is_empty() {
                let note = format!(
                    "{} hears nothing while {} is there, and is in use: {}",
                    deaf.name,
                    entry.name,
                    users.join(", ")
                );
                self.out.note(&entry.name, note);
            }
        }
    }

    /// Makes it anew in its right place, if nobody is hurt or the user consents: the new one is whole before the old
    /// one goes.
    fn recreate(
        &mut self,
        entry: &Entry,
        own: &Link,
        place: &Place,
        mark: Mark,
        fresh: &mut dyn FnMut() -> Mark,
    ) {
        let (world, name) = (self.world, entry.name.as_str());
        let because = format!(
            "it is {} on {}, not {} on {}",
            match &own.kind {
                LinkKind::Vlan(id) => format!("VLAN {id}"),
                LinkKind::Macvlan => "macvlan".to_owned(),
                other => format!("{other:?}"),
            },
            own.parent.map_or_else(|| "nothing".to_owned(), |p| world.name(p)),
            entry.kind,
            place.parent.1
        );
        let users = world.users(own.index);
        let consent = entry.allow.contains(&Allow::Recreate);
        // Also where no user is seen: on Linux 6.12 a VLAN in another namespace was not, and went with it.
        if !consent {
            let at_stake = if users.is_empty() {
                "interfaces in other network namespaces, which are not all seen, would be destroyed with it"
                    .to_owned()
            } else {
                format!("this would destroy {}", users.join(", "))
            };
            return self.out.refuse(
                name,
                place.what.clone(),
                format!("{because}; it would have to be made again, and {at_stake}"),
                "stop what uses it and try again, or consent with `allow: [recreate]`",
            );
        }
        if let Some(blocked) = guard::obstacle(world, entry, place, Some(own)) {
            return self.blocked(name, place.what.clone(), blocked);
        }
        let made = Made::new(place, mark.clone(), fresh);
        self.out.plan.steps.extend(made.begin(entry));
        let t = Target::There(own.index, own.name.clone());
        let mut needs = vec![Condition::Is(t.clone(), vec![owned_fact(own, &mark)])];
        if !consent {
            needs.push(Condition::Unused(t.clone()));
        }
        self.out.plan.steps.push(Step {
            entry: name.to_owned(),
            action: Action::Delete(t.clone()),
            undo: rebuild(own, &mark, world),
            needs,
            verify: vec![Condition::Gone(t)],
            before: None,
            after: None,
        });
        self.out.plan.steps.extend(made.finish(entry));
        // A member that left the bond, or another active one, is no rival's work; another kind or place of it is.
        let record = self.state.records.get(name);
        let stayed = record.is_some_and(|r| r.parent == own.parent);
        let undone = record.is_some_and(|r| r.contest.settled) && !stayed;
        self.out.outlook(name, place.what.clone(), Stand::Change { because: vec![because], undone });
    }

    /// Plans the end of a recorded interface that is no longer wanted.
    fn removal(&mut self, name: &str, consent: bool) {
        self.sweep(name);
        let mark = self.state.records.get(name).map(|r: &Record| r.mark.clone());
        match self.owned(name).cloned() {
            Some(own) => self.delete_step(&own, name, mark.as_ref(), consent),
            None => {
                self.out.bookkeeping.push(Change::Forget(name.to_owned()));
                let because = vec!["it is gone already".to_owned()];
                let stand = if self.out.plan.steps.iter().any(|s| s.entry == name) {
                    Stand::Change { because, undone: false }
                } else {
                    Stand::Ready
                };
                self.out.outlook(name, "no longer wanted".to_owned(), stand);
            }
        }
    }

    fn delete_step(&mut self, own: &Link, name: &str, mark: Option<&Mark>, consent: bool) {
        let users = self.world.users(own.index);
        if !consent && (!users.is_empty() || self.world.unseen_namespaces > 0) {
            let at_stake = if users.is_empty() {
                format!(
                    "{} network namespaces that cannot be looked into may hold interfaces on it",
                    self.world.unseen_namespaces
                )
            } else {
                format!("in use: {}", users.join(", "))
            };
            return self.out.refuse(
                name,
                "no longer wanted".to_owned(),
                format!("it is not removed: {at_stake}"),
                format!("stop what uses it, or consent with `bondwitness bypass remove {name} --in-use`"),
            );
        }
        let t = Target::There(own.index, own.name.clone());
        let facts = mark.map(|m| vec![owned_fact(own, m)]).unwrap_or_default();
        let mut needs = vec![Condition::Is(t.clone(), facts)];
        if !consent {
            needs.push(Condition::Unused(t.clone()));
        }
        self.out.plan.steps.push(Step {
            entry: name.to_owned(),
            action: Action::Delete(t.clone()),
            undo: mark.map(|m| rebuild(own, m, self.world)).unwrap_or_default(),
            needs,
            verify: vec![Condition::Gone(t)],
            before: None,
            after: Some(Change::Forget(name.to_owned())),
        });
        let because = vec!["it is no longer wanted".to_owned()];
        self.out.outlook(name, "no longer wanted".to_owned(), Stand::Change { because, undone: false });
    }
}
