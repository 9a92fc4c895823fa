//! The part of a host that a plan speaks about: interfaces, how they are stacked, and what the program itself made.

use std::collections::BTreeMap;
use std::fmt;

/// What a host's interfaces were at one moment, in one network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct World {
    /// Interfaces by index.
    pub links: BTreeMap<u32, Link>,
    /// Addresses by interface index, as `192.168.70.40/24`. Link-local IPv6 addresses, which every interface that is up
    /// gets by itself, are left out.
    pub addresses: BTreeMap<u32, Vec<String>>,
    /// Interfaces of other network namespaces that stand on an interface of this one, by the lower one's index: what
    /// they are called there.
    pub elsewhere: BTreeMap<u32, Vec<String>>,
    /// Network namespaces known to the kernel that could not be looked into: they may hold interfaces that stand on ours.
    pub unseen_namespaces: u32,
    /// Programs and filters that frames pass on an interface, by its index, as far as they could be read.
    pub hooks: BTreeMap<u32, Vec<String>>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its name; bytes that are not UTF-8 are replaced, so such a name equals no name that a configuration may have.
    pub name: String,
    /// What it is.
    pub kind: LinkKind,
    /// The interface below it (`IFLA_LINK`), if that is in the same namespace.
    pub parent: Option<u32>,
    /// Its maximum transmission unit, octets.
    pub mtu: u32,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// Has a carrier (`IFF_LOWER_UP`).
    pub carrier: bool,
    /// The kind of its root queueing discipline (`IFLA_QDISC`); `noop` before it is first up.
    pub qdisc: String,
    /// The length of its transmit queue, packets.
    pub txqueuelen: u32,
    /// Its alias (`IFLA_IFALIAS`), where the owner's mark is.
    pub alias: Option<String>,
    /// The bond or bridge that it belongs to.
    pub master: Option<u32>,
}

/// What an interface is, as far as plans care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkKind {
    /// An 802.1Q VLAN with this id.
    Vlan(u16),
    /// A macvlan.
    Macvlan,
    /// A bond.
    Bond {
        /// Its mode.
        mode: BondMode,
        /// The index of its active member; none in the modes that have none.
        active: Option<u32>,
    },
    /// Anything else, by the kernel's name for it; empty for a physical interface.
    Other(String),
}

/// A bonding mode (`BOND_MODE_*` in the kernel's `if_bonding.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BondMode(pub u8);

impl BondMode {
    /// The only mode in which one member at a time forwards.
    pub const ACTIVE_BACKUP: Self = Self(1);
    /// LACP.
    pub const LACP: Self = Self(4);
}

impl fmt::Display for BondMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            0 => "balance-rr",
            1 => "active-backup",
            2 => "balance-xor",
            3 => "broadcast",
            4 => "802.3ad",
            5 => "balance-tlb",
            6 => "balance-alb",
            other => return write!(f, "mode {other}"),
        };
        f.write_str(name)
    }
}

/// What can be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NewKind {
    /// An 802.1Q VLAN with this id, 1 to 4094.
    Vlan(u16),
    /// A macvlan: no tag, so no bypass; it stands in where the kernel has no 8021q module and the program is to be tried.
    Macvlan,
}

impl fmt::Display for NewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vlan(id) => write!(f, "VLAN {id}"),
            Self::Macvlan => f.write_str("macvlan"),
        }
    }
}

impl NewKind {
    /// Whether an interface is of this kind.
    #[must_use]
    pub fn is(self, link: &Link) -> bool {
        match self {
            Self::Vlan(id) => link.kind == LinkKind::Vlan(id),
            Self::Macvlan => link.kind == LinkKind::Macvlan,
        }
    }
}

/// The mark that an interface of ours carries in its alias: `bondwitness:` and a UUID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(String);

impl Mark {
    const PREFIX: &'static str = "bondwitness:";

    /// A mark from 128 random bits (a UUID of version 4, RFC 9562).
    #[must_use]
    pub fn new(random: u128) -> Self {
        let bits = random & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
        let hex = format!("{bits:032x}");
        let part = |range| hex.get(range).unwrap_or_default();
        Self(format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)))
    }

    /// Reads a UUID, such as one of the state file.
    #[must_use]
    pub fn from_uuid(text: &str) -> Option<Self> {
        let groups: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|g| g.len()).collect();
        let hex = |g: &&str| g.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (lengths == [8, 4, 4, 4, 12] && groups.iter().all(hex)).then(|| Self(text.to_owned()))
    }

    /// Reads the alias of an interface; an alias that is not exactly of our form is no mark.
    #[must_use]
    pub fn from_alias(alias: &str) -> Option<Self> {
        alias.strip_prefix(Self::PREFIX).and_then(Self::from_uuid)
    }

    /// What is written into the alias.
    #[must_use]
    pub fn alias(&self) -> String {
        format!("{}{}", Self::PREFIX, self.0)
    }

    /// The UUID alone.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.0
    }

    /// The name that an interface has while it is being made: nobody looks for it, and only the record that was
    /// written before knows it.
    #[must_use]
    pub fn temporary_name(&self) -> String {
        // 12 of the 15 octets that a name may have: 40 of the 122 random bits.
        let digits: String = self.0.chars().filter(|c| *c != '-').take(10).collect();
        format!("bw{digits}")
    }
}

impl World {
    /// The interface of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Link> {
        self.links.values().find(|l| l.name == name)
    }

    /// The name of an interface, or its index if it is not there.
    #[must_use]
    pub fn name(&self, index: u32) -> String {
        self.links.get(&index).map_or_else(|| format!("interface {index}"), |l| l.name.clone())
    }

    /// The members of a bond, in the order of their indices.
    pub fn members(&self, bond: u32) -> impl Iterator<Item = &Link> {
        self.links.values().filter(move |l| l.master == Some(bond))
    }

    /// The VLAN of this id on an interface, if this namespace shows one.
    #[must_use]
    pub fn vlan_on(&self, parent: u32, id: u16) -> Option<&Link> {
        self.links.values().find(|l| l.parent == Some(parent) && l.kind == LinkKind::Vlan(id))
    }

    /// What would be lost if this interface were deleted: interfaces that stand on it here or in other namespaces, its
    /// addresses, and the bridge or bond that it was added to.
    #[must_use]
    pub fn users(&self, index: u32) -> Vec<String> {
        let mut users: Vec<String> =
            self.links.values().filter(|l| l.parent == Some(index)).map(|l| l.name.clone()).collect();
        users.extend(self.elsewhere.get(&index).into_iter().flatten().cloned());
        users.extend(self.addresses.get(&index).into_iter().flatten().map(|a| format!("address {a}")));
        if let Some(master) = self.links.get(&index).and_then(|l| l.master) {
            users.push(format!("its place in {}", self.name(master)));
        }
        users
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_uuid_and_nothing_else() {
        let mark = Mark::new(u128::MAX);
        assert_eq!(mark.alias(), "bondwitness:ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(Mark::from_alias(&mark.alias()), Some(mark.clone()));
        assert_eq!(mark.temporary_name(), "bwffffffffff");
        for other in [
            "",
            "bondwitness:",
            "bondwitness:x",
            "uplink to bondwitness:ffffffff-ffff-4fff-bfff-ffffffffffff",
            "bondwitness:ffffffff-ffff-4fff-bfff-ffffffffffff (mine)",
            "bondwitness:FFFFFFFF-ffff-4fff-bfff-ffffffffffff",
        ] {
            assert_eq!(Mark::from_alias(other), None, "{other}");
        }
    }
}
