//! Changes of a host as data: each step says what it does, what undoes it, what must hold before and what must be seen
//! after. A plan is made from what is wanted and what is there, shown to a user, and carried out by an [`execute::Hand`].
//!
//! ```text
//! YAML ─► desired ─┐
//! World ───────────┼─► bypass::plan ─► Planned { plan, refused, waiting } ─► contest (run only) ─► execute ─► Hand
//! State ───────────┘
//! ```

pub mod bypass;
pub mod contest;
pub mod desired;
pub mod dump;
pub mod execute;
mod guard;
pub mod interest;
mod making;
pub mod owner;
mod report;
pub mod rtnetlink;
pub mod state;
pub mod world;
pub mod yaml;

pub use report::{as_json, as_text};

use state::Change;
use std::fmt;
use world::{Link, Mark, NewKind, World};

/// Steps in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One change of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The interface of the configuration that it is done for.
    pub entry: String,
    /// What is done.
    pub action: Action,
    /// What takes it back, in this order; nothing if that goes with the undoing of an earlier step.
    pub undo: Vec<Action>,
    /// What must hold right before.
    pub needs: Vec<Condition>,
    /// What must be seen right after.
    pub verify: Vec<Condition>,
    /// What is written down before the change, so that whoever comes after a crash knows what it finds.
    pub before: Option<Change>,
    /// What is written down after it was verified.
    pub after: Option<Change>,
}

/// An interface that a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One that is there, by index and by its name when the plan was made.
    There(u32, String),
    /// One that an earlier step of the plan makes under this temporary name.
    Made(String),
}

/// A change of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes an interface, down.
    Create {
        /// Its first name.
        name: String,
        /// What it is.
        kind: NewKind,
        /// Index and name of the interface that it stands on.
        parent: (u32, String),
        /// Its MTU, octets; the kernel's choice if absent.
        mtu: Option<u32>,
        /// The length of its transmit queue, packets; the kernel's choice if absent.
        txqueuelen: Option<u32>,
    },
    /// Deletes an interface, and with it all that stands on it.
    Delete(Target),
    /// Writes or clears the owner's mark.
    SetMark(Target, Option<Mark>),
    /// Renames.
    Rename(Target, String),
    /// Sets the MTU, octets.
    SetMtu(Target, u32),
    /// Sets the length of the transmit queue, packets.
    SetTxQueueLen(Target, u32),
    /// Puts a root queueing discipline of this kind, with its default settings; without one, the kernel's default.
    SetQdisc(Target, Option<String>),
    /// Sets it up or down.
    SetUp(Target, bool),
}

/// Something that can be seen in a [`World`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// No interface has this name.
    Absent(String),
    /// The interface is gone.
    Gone(Target),
    /// This interface is there under this name, and in this bond if one is given.
    Below {
        /// Its index.
        index: u32,
        /// Its name.
        name: String,
        /// The bond that it must belong to.
        bond: Option<u32>,
    },
    /// No other VLAN of this id stands on the interface.
    FreeVlan(u32, u16),
    /// The interface is there and all of this is true of it.
    Is(Target, Vec<Fact>),
    /// Nothing that deleting would take along, seen or possible.
    Unused(Target),
}

/// Something that is true of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Its name.
    Name(String),
    /// What it is.
    Kind(NewKind),
    /// What it stands on, by index and name.
    Parent(u32, String),
    /// Its MTU, octets.
    Mtu(u32),
    /// The length of its transmit queue, packets.
    TxQueueLen(u32),
    /// The kind of its root queueing discipline.
    Qdisc(String),
    /// Up or down.
    Up(bool),
    /// It carries this mark.
    Mark(Mark),
    /// It carries no alias at all.
    NoAlias,
}

/// A guard rail that holds a plan, or a part of it, back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The interface of the configuration.
    pub entry: String,
    /// Why not.
    pub why: String,
    /// What to do instead.
    pub instead: String,
}

impl Fact {
    /// Whether it is true of an interface.
    #[must_use]
    pub fn holds(&self, link: &Link) -> bool {
        match self {
            Self::Name(name) => link.name == *name,
            Self::Kind(kind) => kind.is(link),
            Self::Parent(index, _) => link.parent == Some(*index),
            Self::Mtu(mtu) => link.mtu == *mtu,
            Self::TxQueueLen(length) => link.txqueuelen == *length,
            Self::Qdisc(kind) => link.qdisc == *kind,
            Self::Up(up) => link.up == *up,
            Self::Mark(mark) => link.alias.as_deref().and_then(Mark::from_alias).as_ref() == Some(mark),
            Self::NoAlias => link.alias.is_none(),
        }
    }

    /// What is true instead.
    #[must_use]
    pub fn found(&self, link: &Link, world: &World) -> String {
        match self {
            Self::Name(_) => format!("called {}", link.name),
            Self::Kind(_) => format!("{:?}", link.kind),
            Self::Parent(..) => {
                link.parent.map_or_else(|| "on nothing".to_owned(), |p| format!("on {}", world.name(p)))
            }
            Self::Mtu(_) => format!("MTU {}", link.mtu),
            Self::TxQueueLen(_) => format!("txqueuelen {}", link.txqueuelen),
            Self::Qdisc(_) => format!("qdisc {}", link.qdisc),
            Self::Up(_) => if link.up { "up" } else { "down" }.to_owned(),
            Self::Mark(_) | Self::NoAlias => {
                link.alias.as_ref().map_or_else(|| "without a mark".to_owned(), |a| format!("marked {a:?}"))
            }
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "called {name}"),
            Self::Kind(kind) => write!(f, "{kind}"),
            Self::Parent(_, name) => write!(f, "on {name}"),
            Self::Mtu(mtu) => write!(f, "MTU {mtu}"),
            Self::TxQueueLen(length) => write!(f, "txqueuelen {length}"),
            Self::Qdisc(kind) => write!(f, "qdisc {kind}"),
            Self::Up(true) => f.write_str("up"),
            Self::Up(false) => f.write_str("down"),
            Self::Mark(mark) => write!(f, "marked {}", mark.alias()),
            Self::NoAlias => f.write_str("without an alias"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::There(_, name) | Self::Made(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, kind, parent, mtu, txqueuelen } => {
                write!(f, "create {name}: {kind} on {}", parent.1)?;
                if let Some(mtu) = mtu {
                    write!(f, ", MTU {mtu}")?;
                }
                if let Some(length) = txqueuelen {
                    write!(f, ", txqueuelen {length}")?;
                }
                Ok(())
            }
            Self::Delete(t) => write!(f, "delete {t}"),
            Self::SetMark(t, Some(mark)) => write!(f, "mark {t} as {}", mark.alias()),
            Self::SetMark(t, None) => write!(f, "clear the alias of {t}"),
            Self::Rename(t, name) => write!(f, "rename {t} to {name}"),
            Self::SetMtu(t, mtu) => write!(f, "set the MTU of {t} to {mtu}"),
            Self::SetTxQueueLen(t, length) => write!(f, "set the txqueuelen of {t} to {length}"),
            Self::SetQdisc(t, Some(kind)) => write!(f, "put the qdisc {kind} on {t}"),
            Self::SetQdisc(t, None) => write!(f, "put the kernel's default qdisc on {t}"),
            Self::SetUp(t, true) => write!(f, "set {t} up"),
            Self::SetUp(t, false) => write!(f, "set {t} down"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(name) => write!(f, "nothing is called {name}"),
            Self::Gone(t) => write!(f, "{t} is gone"),
            Self::Below { name, bond: None, .. } => write!(f, "{name} is there"),
            Self::Below { name, bond: Some(_), .. } => write!(f, "{name} is there and in its bond"),
            Self::FreeVlan(_, id) => write!(f, "no VLAN {id} stands there"),
            Self::Is(t, facts) => {
                let facts: Vec<String> = facts.iter().map(ToString::to_string).collect();
                write!(f, "{t} is {}", facts.join(", "))
            }
            Self::Unused(t) => write!(f, "nothing stands on {t}"),
        }
    }
}

impl Target {
    /// The interface in a world; `made` knows the indices of what earlier steps made.
    pub(crate) fn find<'w>(&self, world: &'w World, made: &Made) -> Option<&'w Link> {
        self.index(made).and_then(|i| world.links.get(&i))
    }

    /// The index.
    pub(crate) fn index(&self, made: &Made) -> Option<u32> {
        match self {
            Self::There(index, _) => Some(*index),
            Self::Made(name) => made.get(name).copied(),
        }
    }
}

/// Indices of what was made, by temporary names.
pub(crate) type Made = std::collections::BTreeMap<String, u32>;

impl Condition {
    /// Whether it holds; if not, what is seen instead.
    pub(crate) fn check(&self, world: &World, made: &Made) -> Result<(), String> {
        match self {
            Self::Absent(name) => match world.named(name) {
                None => Ok(()),
                Some(_) => Err(format!("there is an interface called {name}")),
            },
            Self::Gone(t) => match t.find(world, made) {
                None => Ok(()),
                Some(link) => Err(format!("{} is still there", link.name)),
            },
            Self::Below { index, name, bond } => match world.links.get(index) {
                None => Err(format!("{name} is gone")),
                Some(link) if link.name != *name => Err(format!("{name} is called {} now", link.name)),
                Some(link) if bond.is_some() && link.master != *bond => Err(format!("{name} left its bond")),
                Some(_) => Ok(()),
            },
            Self::FreeVlan(parent, id) => match world.vlan_on(*parent, *id) {
                None => Ok(()),
                Some(link) => Err(format!("{} is VLAN {id} there", link.name)),
            },
            Self::Is(t, facts) => {
                let Some(link) = t.find(world, made) else { return Err(format!("{t} is gone")) };
                match facts.iter().find(|f| !f.holds(link)) {
                    None => Ok(()),
                    Some(fact) => Err(format!("{t} is {}, not {fact}", fact.found(link, world))),
                }
            }
            Self::Unused(t) => {
                let Some(index) = t.index(made) else { return Err(format!("{t} is not known")) };
                match world.users(index).as_slice() {
                    [] if world.unseen_namespaces == 0 => Ok(()),
                    [] => {
                        Err(format!("{} network namespaces cannot be looked into", world.unseen_namespaces))
                    }
                    users => Err(format!("in use: {}", users.join(", "))),
                }
            }
        }
    }
}
