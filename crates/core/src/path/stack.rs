//! From an interface down to the wire: which interface hands its frames to which.
//!
//! What is above what is read from `ip link` (`@`, `master`, `ifindex`), `/proc/net/vlan` and the bond's own state. A
//! name such as `bond0.70` counts only where nothing else tells.

use super::ledger::Ledger;
use crate::case::Case;
use crate::evidence::{Citation, Link, Record};
use std::collections::{BTreeMap, BTreeSet};

/// What a layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A pod's interface or what else stands on top: `ipvlan`, `macvlan`, `veth`, ...
    Upper(String),
    /// A VLAN with its tag, where that was read.
    Vlan(Option<u16>),
    /// A bridge.
    Bridge,
    /// A bond.
    Bond,
    /// A member of the bond.
    Member,
    /// An interface without anything below: the end of the way.
    Nic,
}

impl Role {
    /// The word of the output.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Upper(kind) => kind,
            Self::Vlan(_) => "vlan",
            Self::Bridge => "bridge",
            Self::Bond => "bond",
            Self::Member => "member",
            Self::Nic => "nic",
        }
    }
}

/// A value that was read, and where.
pub type Read<T> = Option<(T, Citation)>;

/// One layer.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The interface.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Administratively up: what every reading says, if they agree.
    pub up: Read<bool>,
    /// Has carrier (`LOWER_UP`), likewise.
    pub carrier: Read<bool>,
    /// Its MTU at the last reading.
    pub mtu: Read<u64>,
    /// What it counted.
    pub ledger: Ledger,
}

/// All readings of an interface, oldest first as far as it can be told.
fn readings<'a>(case: &'a Case, name: &str) -> Vec<(&'a Record, &'a Link)> {
    let mut list: Vec<(super::tally::Moment, (&Record, &Link))> = case
        .links()
        .filter(|(r, l)| l.name == name && !l.deleted && !far(case, r))
        .map(|(r, l)| (super::tally::moment(case, r), (r, l)))
        .collect();
    super::tally::order(&mut list, |_| 0);
    list.into_iter().map(|(_, l)| l).collect()
}

fn far(case: &Case, r: &Record) -> bool {
    case.files.get(r.at.file.0 as usize).is_some_and(|f| f.far_end)
}

/// The last value of a field.
fn field<'a>(list: &[(&'a Record, &'a Link)], key: &str) -> Option<&'a str> {
    list.iter().rev().find_map(|(_, l)| l.fields.text(key))
}

/// The interface with this index; `if12` of a pod's interface names one on the host.
fn by_index(case: &Case, index: &str) -> Option<String> {
    let mut found: BTreeSet<&str> = case
        .links()
        .filter(|(r, l)| !far(case, r) && l.fields.text("ifindex") == Some(index))
        .map(|(_, l)| l.name.as_str())
        .collect();
    // Two namespaces have an interface of the same index: then it is not known which is meant.
    if found.len() == 1 { found.pop_first().map(str::to_owned) } else { None }
}

fn resolve(case: &Case, parent: &str) -> Option<String> {
    match parent.strip_prefix("if").filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit())) {
        Some(index) => by_index(case, index),
        None => Some(parent.to_owned()),
    }
}

/// The VLAN's parent and tag.
fn vlan(case: &Case, name: &str, list: &[(&Record, &Link)]) -> Option<(String, Option<u16>)> {
    let tag = field(list, "vlan_id").and_then(|v| v.parse().ok());
    let parent = field(list, "vlan_parent")
        .map(str::to_owned)
        .or_else(|| list.iter().rev().find_map(|(_, l)| l.parent.clone()));
    if let Some(p) = &parent
        && (field(list, "kind") == Some("vlan") || tag.is_some())
    {
        return Some((resolve(case, p)?, tag));
    }
    let (base, id) = name.rsplit_once('.')?;
    let id: u16 = id.parse().ok().filter(|n| *n < 4096)?;
    // Without `-d`, `ip link` prints `bond0.70@bond0`.
    let known = parent.as_deref() == Some(base)
        || parent.is_none()
            && (base.starts_with("bond")
                || case.subjects.iter().any(|s| s.name == base)
                || case.counters.contains_key(base)
                || case.links().any(|(_, l)| l.name == base));
    known.then(|| (base.to_owned(), Some(id)))
}

fn members(case: &Case, bond: &str) -> Vec<String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    // What `ip link` shows at its last reading goes before what the bond was once seen with.
    let mut last: BTreeMap<&str, (super::tally::Moment, &Link)> = BTreeMap::new();
    for (r, l) in case.links() {
        if l.name == bond || l.deleted || l.flags.is_empty() || l.fields.get("mtu").is_none() || far(case, r)
        {
            continue;
        }
        let now = super::tally::moment(case, r);
        if last.get(l.name.as_str()).is_none_or(|(before, _)| *before <= now) {
            last.insert(&l.name, (now, l));
        }
    }
    let told = !last.is_empty();
    for (name, (_, l)) in last {
        if l.fields.text("master") == Some(bond) {
            names.insert(name.to_owned());
        }
    }
    if told && (!names.is_empty() || readings(case, bond).iter().any(|(_, l)| !l.flags.is_empty())) {
        return names.into_iter().collect();
    }
    let subject = case.subjects.iter().find(|s| s.bond && s.name == bond);
    subject.map(|s| s.member_names().map(str::to_owned).collect()).unwrap_or_default()
}

fn is_bond(case: &Case, name: &str, list: &[(&Record, &Link)]) -> bool {
    case.subjects.iter().any(|s| s.bond && s.name == name)
        || field(list, "kind") == Some("bond")
        || list.iter().any(|(_, l)| l.flag("MASTER"))
}

/// The port of a bridge that leads out: the only one that is a bond, a VLAN or no virtual interface.
fn uplink(case: &Case, bridge: &str, above: &[Layer]) -> Option<String> {
    let mut out: BTreeSet<String> = BTreeSet::new();
    for (r, l) in case.links() {
        if far(case, r) || l.fields.text("master") != Some(bridge) || above.iter().any(|a| a.name == l.name) {
            continue;
        }
        let list = readings(case, &l.name);
        let kind = field(&list, "kind");
        if is_bond(case, &l.name, &list)
            || kind == Some("vlan")
            || kind.is_none() && vlan(case, &l.name, &list).is_some()
        {
            out.insert(l.name.clone());
        }
    }
    if out.len() == 1 { out.pop_first() } else { None }
}

fn layer(name: &str, role: Role, list: &[(&Record, &Link)]) -> Layer {
    let flagged: Vec<_> = list.iter().filter(|(_, l)| !l.flags.is_empty()).collect();
    let agreed = |flag: &str| -> Read<bool> {
        let (r, last) = flagged.last()?;
        let now = last.flag(flag);
        flagged.iter().all(|(_, l)| l.flag(flag) == now).then_some((now, r.at))
    };
    let mtu = list.iter().rev().find_map(|(r, l)| Some((l.fields.int("mtu")?, r.at)));
    Layer {
        name: name.to_owned(),
        role,
        up: agreed("UP"),
        carrier: agreed("LOWER_UP"),
        mtu,
        ledger: Ledger::default(),
    }
}

/// The layers from `iface` down. `None` if nothing in the evidence knows it.
pub(super) fn build(case: &Case, iface: &str) -> Option<Vec<Layer>> {
    let known = case.counters.contains_key(iface)
        || case.links().any(|(r, l)| l.name == iface && !far(case, r))
        || case.subjects.iter().any(|s| s.name == iface || s.member_names().any(|m| m == iface))
        || case.qdiscs().any(|(_, q)| q.dev == iface);
    if !known {
        return None;
    }
    let mut layers: Vec<Layer> = Vec::new();
    let mut at = iface.to_owned();
    // Deeper stacks than this do not exist; a circle in damaged evidence does.
    while layers.len() < 12 && !layers.iter().any(|l| l.name == at) {
        let list = readings(case, &at);
        if is_bond(case, &at, &list) {
            layers.push(layer(&at, Role::Bond, &list));
            for member in members(case, &at) {
                let list = readings(case, &member);
                layers.push(layer(&member, Role::Member, &list));
            }
            return Some(layers);
        }
        let kind = field(&list, "kind").unwrap_or("");
        let (role, next) = if let Some((parent, tag)) = vlan(case, &at, &list) {
            (Role::Vlan(tag), Some(parent))
        } else if kind == "bridge" {
            (Role::Bridge, uplink(case, &at, &layers))
        } else {
            let master = field(&list, "master").map(str::to_owned);
            let parent =
                list.iter().rev().find_map(|(_, l)| l.parent.clone()).and_then(|p| resolve(case, &p));
            match kind {
                // A pair: the end on the host belongs to a bridge, the end in the pod leads to the other end.
                "veth" => (Role::Upper(kind.to_owned()), master.or(parent)),
                "ipvlan" | "macvlan" | "macvtap" | "ipvtap" | "vxlan" => {
                    (Role::Upper(kind.to_owned()), parent)
                }
                _ if parent.is_some() => (Role::Upper("upper".to_owned()), parent),
                _ => (Role::Nic, None),
            }
        };
        layers.push(layer(&at, role, &list));
        match next {
            Some(n) => at = n,
            None => return Some(layers),
        }
    }
    Some(layers)
}

/// Interfaces that lie over `bond`, at any height: VLANs and what stands on them, in order of their names.
#[must_use]
pub fn over(case: &Case, bond: &str) -> Vec<String> {
    let under = |n: &str| n.strip_prefix(bond).is_some_and(|r| r.starts_with('.'));
    let mut names: BTreeSet<&str> = case
        .links()
        .filter(|(r, l)| {
            let parent = [l.parent.as_deref(), l.fields.text("vlan_parent")].contains(&Some(bond));
            (parent || under(&l.name)) && !far(case, r)
        })
        .map(|(_, l)| l.name.as_str())
        .collect();
    names.extend(case.counters.keys().map(String::as_str).filter(|n| under(n)));
    names
        .into_iter()
        .filter(|n| *n != bond && !n.is_empty())
        .filter(|n| {
            let list = readings(case, n);
            vlan(case, n, &list).is_some_and(|(parent, _)| parent == bond)
        })
        .take(64)
        .map(str::to_owned)
        .collect()
}

/// Every interface that the evidence knows, VLANs over bonds first: for messages.
#[must_use]
pub fn known_interfaces(case: &Case) -> Vec<String> {
    let mut names: Vec<String> =
        case.subjects.iter().filter(|s| s.bond).flat_map(|s| over(case, &s.name)).collect();
    for s in &case.subjects {
        for n in std::iter::once(s.name.as_str()).chain(s.member_names()) {
            if !names.iter().any(|k| k == n) {
                names.push(n.to_owned());
            }
        }
    }
    names
}
