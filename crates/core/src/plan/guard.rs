//! The guard rails: where an interface may stand, what stands in its way, and what the user should know.

use super::desired::{Allow, Entry, On};
use super::world::{BondMode, Link, LinkKind, NewKind, World};

/// Where an entry is to stand.
pub(super) struct Place {
    /// Index and name of the interface.
    pub(super) parent: (u32, String),
    /// The bond that it belongs to.
    pub(super) bond: Option<u32>,
    /// Its MTU, octets.
    pub(super) mtu: u32,
    /// The entry and the place, in words.
    pub(super) what: String,
}

/// Why there is nothing to be done.
pub(super) enum Blocked {
    /// Something else must happen first.
    Wait(String),
    /// A guard rail: why, and what to do instead.
    Refuse(String, String),
}

/// Where the entry is to stand, or why nowhere.
pub(super) fn place(world: &World, entry: &Entry, own: Option<&Link>) -> Result<Place, Blocked> {
    let refuse = |why: String, instead: &str| Err(Blocked::Refuse(why, instead.to_owned()));
    match &entry.on {
        On::Bond(name) => {
            let Some(bond) = world.named(name) else {
                return Err(Blocked::Wait(format!("there is no bond called {name}")));
            };
            let LinkKind::Bond { mode, active } = bond.kind else {
                return refuse(
                    format!("{name} is no bond"),
                    "name a bond with `bond:`, or the interface itself with `member:`",
                );
            };
            let members: Vec<&Link> = world.members(bond.index).collect();
            let whole = |l: &Link, how: &str| Place {
                parent: (l.index, l.name.clone()),
                bond: Some(bond.index),
                mtu: l.mtu,
                what: format!("{} on {}, {how} of {name} ({mode})", entry.kind, l.name),
            };
            match members.as_slice() {
                [] => Err(Blocked::Wait(format!("{name} has no members"))),
                [only] => Ok(whole(only, "the only member")),
                several if mode == BondMode::ACTIVE_BACKUP => several
                    .iter()
                    .find(|l| active == Some(l.index))
                    .map(|l| whole(l, "the active member"))
                    .ok_or_else(|| Blocked::Wait(format!("{name} has no active member"))),
                several if entry.allow.contains(&Allow::SeveralMembers) => {
                    // It stays where it is as long as that is a member.
                    let kept = several.iter().find(|l| own.is_some_and(|o| o.parent == Some(l.index)));
                    let first = several.iter().find(|l| l.up && l.carrier).or(several.first());
                    kept.or(first)
                        .map(|l| whole(l, &format!("one of {} members", several.len())))
                        .ok_or_else(|| Blocked::Wait(format!("{name} has no members")))
                }
                several => refuse(several_members(name, mode, several.len()), SEVERAL_INSTEAD),
            }
        }
        On::Member(name) => {
            let Some(member) = world.named(name) else {
                return Err(Blocked::Wait(format!("there is no interface called {name}")));
            };
            let bond = member.master.and_then(|m| world.links.get(&m));
            let mut what = format!("{} on {name}", entry.kind);
            match bond.map(|b| (b, &b.kind)) {
                Some((b, &LinkKind::Bond { mode, active })) => {
                    let count = world.members(b.index).count();
                    if count > 1
                        && mode != BondMode::ACTIVE_BACKUP
                        && !entry.allow.contains(&Allow::SeveralMembers)
                    {
                        return refuse(several_members(&b.name, mode, count), SEVERAL_INSTEAD);
                    }
                    let backup = count > 1 && mode == BondMode::ACTIVE_BACKUP && active != Some(member.index);
                    // What stands there already is not taken away: the bond may come back.
                    if backup && own.is_none() && !entry.allow.contains(&Allow::BackupMember) {
                        return refuse(
                            format!(
                                "{name} is not the active member of {}: the bond and the VLAN have the same \
                                    MAC address, and the switch would see it move between two ports with \
                                    every frame",
                                b.name
                            ),
                            "write `bond:` instead of `member:` to follow the active member, or lift this \
                                with `allow: [backup-member]`",
                        );
                    }
                    what = format!("{what}, member of {} ({mode})", b.name);
                }
                _ if entry.allow.contains(&Allow::NoBond) => {}
                _ if own.is_some() => {}
                _ => {
                    return refuse(
                        format!("{name} belongs to no bond: there is nothing to bypass"),
                        "name a member of a bond, or lift this with `allow: [no-bond]`",
                    );
                }
            }
            let bond = bond.map(|b| b.index);
            Ok(Place { parent: (member.index, name.clone()), bond, mtu: member.mtu, what })
        }
    }
}

/// What stands in the way of making it: why, and what to do instead.
pub(super) fn obstacle(world: &World, entry: &Entry, place: &Place, own: Option<&Link>) -> Option<Blocked> {
    let name = entry.name.as_str();
    if let Some(other) = world.named(name)
        && own.is_none_or(|o| o.index != other.index)
    {
        return Some(Blocked::Refuse(
            format!("there is an interface called {name} that bondwitness did not make"),
            format!("choose another name, or see who made it: `ip -d link show {name}`"),
        ));
    }
    if let Some(mtu) = entry.mtu
        && mtu > place.mtu
    {
        let (why, instead) = too_large(mtu, place);
        return Some(Blocked::Refuse(why, instead));
    }
    if let NewKind::Vlan(id) = entry.kind {
        if let Some(other) = world.vlan_on(place.parent.0, id)
            && own.is_none_or(|o| o.index != other.index)
        {
            return Some(Blocked::Refuse(
                format!(
                    "{} is VLAN {id} on {} already, and bondwitness did not make it",
                    other.name, place.parent.1
                ),
                format!(
                    "use {}, or delete it first: the kernel has one VLAN of an id on an interface",
                    other.name
                ),
            ));
        }
        if let Some(deaf) = place.bond.and_then(|b| world.vlan_on(b, id))
            && !entry.allow.contains(&Allow::DeafVlan)
        {
            let users = world.users(deaf.index);
            if !users.is_empty() {
                return Some(Blocked::Refuse(
                    format!(
                        "{0} is in use ({1}), and would hear nothing any more: the kernel hands frames of \
                            VLAN {id} to {name} before {2} sees them",
                        deaf.name,
                        users.join(", "),
                        place.bond.map(|b| world.name(b)).unwrap_or_default(),
                    ),
                    format!(
                        "move its users first (addresses with `ip address`, pods by the `master` of their \
                            NetworkAttachmentDefinition), then `ip link set {} down`; or lift this with \
                            `allow: [deaf-vlan]`",
                        deaf.name
                    ),
                ));
            }
        }
    }
    if !world.links.get(&place.parent.0).is_some_and(|l| l.up) {
        return Some(Blocked::Wait(format!("{} is down", place.parent.1)));
    }
    None
}

/// What the user should know before it is made.
pub(super) fn about(world: &World, entry: &Entry, place: &Place) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(bond) = place.bond else { return notes };
    let name = world.name(bond);
    if let NewKind::Vlan(id) = entry.kind {
        notes.push(format!("only VLAN {id} bypasses {name}; everything else stays on it"));
        if let Some(deaf) = world.vlan_on(bond, id) {
            let rest = if world.unseen_namespaces > 0 {
                format!(
                    "; {} network namespaces could not be searched for users of it",
                    world.unseen_namespaces
                )
            } else {
                String::new()
            };
            notes.push(format!("{} will hear nothing any more{rest}", deaf.name));
        }
    }
    let mut hooks: Vec<String> = world.hooks.get(&bond).into_iter().flatten().cloned().collect();
    hooks.dedup();
    let seen = if hooks.is_empty() { String::new() } else { format!(" (seen there: {})", hooks.join(", ")) };
    notes.push(format!(
        "its frames pass no filter, policy or program of {name}{seen}: whether that is \
        allowed is a decision about security"
    ));
    if let Some(LinkKind::Bond { mode, .. }) = world.links.get(&bond).map(|l| &l.kind) {
        let count = world.members(bond).count();
        if count > 1 && *mode != BondMode::ACTIVE_BACKUP {
            notes.push(several_members(&name, *mode, count));
        } else if matches!(entry.on, On::Member(_)) {
            notes.push(format!("it does not move when {name} changes its active member"));
        } else if count > 1 {
            notes.push(format!(
                "when {name} changes its active member it is made again there, if nothing \
                stands on it or `allow: [recreate]` is given"
            ));
        } else {
            notes.push(format!("{name} has one member, so there is no other to fail over to"));
        }
    }
    notes
}

pub(super) fn on(on: &On) -> String {
    match on {
        On::Bond(name) => format!("the active member of {name}"),
        On::Member(name) => name.clone(),
    }
}

pub(super) fn too_large(mtu: u32, place: &Place) -> (String, String) {
    (
        format!("MTU {mtu} is more than the {} of {}", place.mtu, place.parent.1),
        format!("lower `mtu`, or raise that of the bond first: `ip link set {} mtu {mtu}`", place.parent.1),
    )
}

fn several_members(bond: &str, mode: BondMode, count: usize) -> String {
    format!(
        "{bond} ({mode}) has {count} forwarding members: the switch spreads what it sends over all of them, \
            so about {} of {count} peers could not be heard on one member, and no counter would show it",
        count.saturating_sub(1)
    )
}

const SEVERAL_INSTEAD: &str = "keep the VLAN on the bond and find what drops its frames (`bondwitness \
    txpath`), or change the bond to active-backup; `allow: [several-members]` lifts this";
