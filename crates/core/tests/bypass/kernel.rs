//! A model of what the kernel and everybody else do to interfaces. It knows who made what, so that it can tell when the
//! planner touches what is not its own.

use bondwitness_core::plan::Action;
use bondwitness_core::plan::execute::Hand;
use bondwitness_core::plan::state::State;
use bondwitness_core::plan::world::{BondMode, Link, LinkKind, NewKind, World};
use std::collections::BTreeSet;

/// The process was killed: thrown, so that nothing of it runs any more.
pub(crate) struct Killed;

pub(crate) struct Kernel {
    pub(crate) world: World,
    next: u32,
    /// Indices of what our side made.
    pub(crate) ours: BTreeSet<u32>,
    /// Of these, what somebody took over by another alias.
    pub(crate) taken: BTreeSet<u32>,
    /// The state file.
    pub(crate) disk: String,
    /// Changes that came from our side.
    pub(crate) writes: usize,
    /// Calls until the process is killed, and whether the call that kills it has its effect.
    pub(crate) kill: Option<(u32, bool)>,
    /// What our side did wrong.
    pub(crate) wrong: Vec<String>,
    /// Deleting what is in use is allowed.
    pub(crate) consent: bool,
}

pub(crate) const BOND: u32 = 5;
pub(crate) const MEMBERS: [u32; 2] = [2, 3];

impl Kernel {
    pub(crate) fn new() -> Self {
        let mut kernel = Self {
            world: World::default(),
            next: 10,
            ours: BTreeSet::new(),
            taken: BTreeSet::new(),
            disk: String::new(),
            writes: 0,
            kill: None,
            wrong: Vec::new(),
            consent: false,
        };
        for (index, name) in MEMBERS.into_iter().zip(["eno1", "eno2"]) {
            let mut link = Self::plain(index, name, LinkKind::Other(String::new()), None);
            link.master = Some(BOND);
            kernel.world.links.insert(index, link);
        }
        let bond = LinkKind::Bond { mode: BondMode::ACTIVE_BACKUP, active: Some(MEMBERS[0]) };
        kernel.world.links.insert(BOND, Self::plain(BOND, "bond0", bond, None));
        kernel
    }

    fn plain(index: u32, name: &str, kind: LinkKind, parent: Option<u32>) -> Link {
        Link {
            index,
            name: name.to_owned(),
            kind,
            parent,
            mtu: 1500,
            up: true,
            carrier: true,
            qdisc: "noqueue".to_owned(),
            txqueuelen: 1000,
            alias: None,
            master: None,
        }
    }

    /// Somebody makes an interface.
    pub(crate) fn add(&mut self, name: &str, kind: LinkKind, parent: Option<u32>) -> u32 {
        let index = self.next;
        self.next += 1;
        self.world.links.insert(index, Self::plain(index, name, kind, parent));
        index
    }

    /// Deletes an interface and what stands on it.
    pub(crate) fn delete(&mut self, index: u32) {
        self.world.links.remove(&index);
        self.world.addresses.remove(&index);
        self.world.elsewhere.remove(&index);
        let above: Vec<u32> =
            self.world.links.values().filter(|l| l.parent == Some(index)).map(|l| l.index).collect();
        for child in above {
            self.delete(child);
        }
    }

    pub(crate) fn link(&mut self, index: u32) -> Option<&mut Link> {
        self.world.links.get_mut(&index)
    }

    /// Sets a member up or down; VLANs on it go with it (`vlan_device_event`).
    pub(crate) fn set_member_up(&mut self, index: u32, up: bool) {
        for link in self.world.links.values_mut() {
            if link.index == index || (link.parent == Some(index) && matches!(link.kind, LinkKind::Vlan(_))) {
                link.up = up;
            }
        }
    }

    /// Sets the MTU of a member; larger VLANs on it shrink with it (`vlan_device_event`).
    pub(crate) fn set_member_mtu(&mut self, index: u32, mtu: u32) {
        for link in self.world.links.values_mut() {
            if link.index == index || (link.parent == Some(index) && link.mtu > mtu) {
                link.mtu = mtu;
            }
        }
    }

    /// One call of our side; it may be the last.
    fn call(&mut self) -> bool {
        match &mut self.kill {
            None => false,
            Some((0, effect)) => {
                if !*effect {
                    self.kill = None;
                    std::panic::panic_any(Killed);
                }
                true
            }
            Some((left, _)) => {
                *left -= 1;
                false
            }
        }
    }

    fn end(&mut self, last: bool) {
        if last {
            self.kill = None;
            std::panic::panic_any(Killed);
        }
    }

    fn change(&mut self, action: &Action, index: u32) -> Result<(), String> {
        let taken_name = |world: &World, name: &str| world.named(name).is_some();
        if let Action::Create { name, kind, parent, mtu, txqueuelen } = action {
            if taken_name(&self.world, name) {
                return Err("File exists".to_owned());
            }
            let below = self.world.links.get(&parent.0).ok_or("No such device")?;
            if mtu.is_some_and(|m| m > below.mtu) {
                return Err("Numerical result out of range".to_owned());
            }
            let new = match kind {
                NewKind::Vlan(id) if self.world.vlan_on(parent.0, *id).is_some() => {
                    return Err("VLAN device already exists".to_owned());
                }
                NewKind::Vlan(id) => LinkKind::Vlan(*id),
                NewKind::Macvlan => LinkKind::Macvlan,
            };
            let default = below.mtu;
            let made = self.add(name, new, Some(parent.0));
            self.ours.insert(made);
            let link = self.link(made).ok_or("lost")?;
            (link.up, link.mtu) = (false, mtu.unwrap_or(default));
            link.txqueuelen = txqueuelen.unwrap_or(1000);
            return Ok(());
        }
        let Some(link) = self.world.links.get(&index).cloned() else {
            return Err("No such device".to_owned());
        };
        if !self.ours.contains(&index) || self.taken.contains(&index) {
            self.wrong.push(format!("{action} on a foreign interface: {link:?}"));
        }
        let parent_up = link.parent.and_then(|p| self.world.links.get(&p)).is_some_and(|l| l.up);
        let parent_mtu = link.parent.and_then(|p| self.world.links.get(&p)).map(|l| l.mtu);
        match action {
            Action::Create { .. } => {}
            Action::Delete(_) => {
                let users = self.world.users(index);
                if !users.is_empty() && !self.consent {
                    self.wrong.push(format!("deleted {} in use by {users:?}", link.name));
                }
                self.delete(index);
            }
            Action::SetMark(_, mark) => {
                self.link(index).ok_or("lost")?.alias = mark.as_ref().map(|m| m.alias());
            }
            Action::Rename(_, name) => {
                if link.up {
                    return Err("Device or resource busy".to_owned());
                }
                if taken_name(&self.world, name) {
                    return Err("File exists".to_owned());
                }
                self.link(index).ok_or("lost")?.name.clone_from(name);
            }
            Action::SetMtu(_, mtu) => {
                if parent_mtu.is_none_or(|p| *mtu > p) {
                    return Err("Numerical result out of range".to_owned());
                }
                self.link(index).ok_or("lost")?.mtu = *mtu;
            }
            Action::SetTxQueueLen(_, length) => self.link(index).ok_or("lost")?.txqueuelen = *length,
            Action::SetQdisc(_, kind) => {
                self.link(index).ok_or("lost")?.qdisc = kind.clone().unwrap_or_else(|| "noqueue".to_owned());
            }
            Action::SetUp(_, up) => {
                if *up && !parent_up {
                    return Err("Network is down".to_owned());
                }
                self.link(index).ok_or("lost")?.up = *up;
            }
        }
        Ok(())
    }
}

impl Hand for Kernel {
    fn look(&mut self) -> Result<World, String> {
        let last = self.call();
        self.end(last);
        Ok(self.world.clone())
    }

    fn act(&mut self, action: &Action, index: u32) -> Result<(), String> {
        let last = self.call();
        self.writes += 1;
        let result = self.change(action, index);
        self.end(last);
        result
    }

    fn keep(&mut self, state: &State) -> Result<(), String> {
        let last = self.call();
        self.disk = state.write();
        self.end(last);
        Ok(())
    }
}
