//! What a bypass file asks for. The reference of the format is `docs/bypass.md`.

use super::world::NewKind;
use super::yaml::{self, Node, Value, Wrong};
use std::collections::{BTreeMap, BTreeSet};

/// One interface that is to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: NewKind,
    /// Where it stands.
    pub on: On,
    /// Its MTU, octets; not looked after if absent (the kernel takes the member's).
    pub mtu: Option<u32>,
    /// The kind of its root queueing discipline; not looked after if absent.
    pub qdisc: Option<String>,
    /// The length of its transmit queue, packets; not looked after if absent.
    pub txqueuelen: Option<u32>,
    /// Guard rails that the user lifted, knowing the consequence.
    pub allow: BTreeSet<Allow>,
}

/// Where an interface stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    /// On whatever member of this bond is the active one.
    Bond(String),
    /// On this member, whatever the bond does.
    Member(String),
}

/// A guard rail that can be lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allow {
    /// Several members of the bond forward at a time.
    SeveralMembers,
    /// Recreating takes with it what stands on the interface.
    Recreate,
    /// The VLAN on the bond is in use and will not hear anything any more.
    DeafVlan,
    /// The member is not the active one of its bond.
    BackupMember,
    /// The interface named as member belongs to no bond.
    NoBond,
}

impl Allow {
    const ALL: [Self; 5] =
        [Self::SeveralMembers, Self::Recreate, Self::DeafVlan, Self::BackupMember, Self::NoBond];

    /// As it is written in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SeveralMembers => "several-members",
            Self::Recreate => "recreate",
            Self::DeafVlan => "deaf-vlan",
            Self::BackupMember => "backup-member",
            Self::NoBond => "no-bond",
        }
    }
}

/// Reads one file.
///
/// # Errors
///
/// The first thing in it that is wrong, with its line. An empty file is wrong too: it may be one that is just being
/// written, and to want nothing means to remove what is there.
pub fn read(text: &str) -> Result<Vec<Entry>, Wrong> {
    let Some(root) = yaml::read(text)? else { return Err(Wrong::new(1, NOTHING)) };
    let mut top = Keys::new(&root, "the file")?;
    let list = top.take("bypass").ok_or_else(|| Wrong::new(root.line, NOTHING))?;
    top.done()?;
    let Value::List(items) = &list.value else {
        return Err(Wrong::new(list.line, "`bypass` must be a list: each interface begins with `- name:`"));
    };
    let mut entries: Vec<Entry> = Vec::new();
    for item in items {
        let new = entry(item)?;
        if let Some(what) = entries.iter().find_map(|e| conflict(e, &new)) {
            return Err(Wrong::new(item.line, what));
        }
        entries.push(new);
    }
    Ok(entries)
}

const NOTHING: &str = "there is no `bypass` with a list of interfaces; to want none, write `bypass: []`";

/// Why two entries cannot both exist, if so. For entries of different files too.
#[must_use]
pub fn conflict(a: &Entry, b: &Entry) -> Option<String> {
    if a.name == b.name {
        return Some(format!("a second interface called {}", b.name));
    }
    if a.on == b.on && a.kind == b.kind && matches!(a.kind, NewKind::Vlan(_)) {
        return Some(format!("{} and {} are both {} in the same place", a.name, b.name, a.kind));
    }
    None
}

fn entry(node: &Node) -> Result<Entry, Wrong> {
    let mut keys = Keys::new(node, "an interface")?;
    let name = interface(keys.need("name")?)?;
    let kind = match (keys.take("kind").map(word).transpose()?, keys.take("vlan")) {
        (None | Some("vlan"), Some(id)) => NewKind::Vlan(u16::try_from(number(id, 1, 4094)?).unwrap_or(1)),
        (None | Some("vlan"), None) => {
            return Err(Wrong::new(node.line, format!("{name} has no `vlan`: the VLAN id, 1 to 4094")));
        }
        (Some("macvlan"), None) => NewKind::Macvlan,
        (Some("macvlan"), Some(id)) => {
            return Err(Wrong::new(id.line, "a macvlan has no `vlan`: it carries no tag"));
        }
        (Some(other), _) => {
            return Err(Wrong::new(node.line, format!("`kind` is {other:?}: it may be vlan or macvlan")));
        }
    };
    let on = match (keys.take("bond"), keys.take("member")) {
        (Some(bond), None) => On::Bond(interface(bond)?),
        (None, Some(member)) => On::Member(interface(member)?),
        (Some(_), Some(member)) => {
            return Err(Wrong::new(
                member.line,
                format!(
                    "{name} has `bond` and `member`: with `bond` the active member is followed, with `member` it is fixed"
                ),
            ));
        }
        (None, None) => {
            return Err(Wrong::new(node.line, format!("{name} has neither `bond` nor `member`")));
        }
    };
    if matches!(&on, On::Bond(n) | On::Member(n) if *n == name) {
        return Err(Wrong::new(node.line, format!("{name} would stand on itself")));
    }
    let mtu = keys.take("mtu").map(|n| number(n, 68, 65535)).transpose()?;
    let txqueuelen = keys.take("txqueuelen").map(|n| number(n, 0, 1_000_000)).transpose()?;
    let qdisc = keys.take("qdisc").map(qdisc).transpose()?;
    let mut allow = BTreeSet::new();
    if let Some(list) = keys.take("allow") {
        let Value::List(items) = &list.value else {
            return Err(Wrong::new(list.line, "`allow` must be a list, such as [recreate]"));
        };
        for item in items {
            let text = word(item)?;
            let Some(known) = Allow::ALL.into_iter().find(|a| a.word() == text) else {
                let all: Vec<&str> = Allow::ALL.iter().map(|a| a.word()).collect();
                let what = format!("`allow` does not know {text:?}; it knows: {}", all.join(", "));
                return Err(Wrong::new(item.line, what));
            };
            allow.insert(known);
        }
    }
    keys.done()?;
    Ok(Entry { name, kind, on, mtu, qdisc, txqueuelen, allow })
}

/// The keys of a mapping, taken one by one; what is left over is an error, because a misspelt key that is ignored is a
/// guard rail that is not there.
struct Keys<'n> {
    what: &'static str,
    line: usize,
    left: BTreeMap<&'n str, (&'n Node, usize)>,
    known: Vec<&'static str>,
}

impl<'n> Keys<'n> {
    fn new(node: &'n Node, what: &'static str) -> Result<Self, Wrong> {
        let Value::Map(pairs) = &node.value else {
            return Err(Wrong::new(node.line, format!("{what} must be a mapping (`key: value`)")));
        };
        let mut left = BTreeMap::new();
        for (key, value) in pairs {
            left.insert(word(key)?, (value, key.line));
        }
        Ok(Self { what, line: node.line, left, known: Vec::new() })
    }

    /// The value of a key. A key without a value is as good as absent.
    fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        let (node, _) = self.left.remove(key)?;
        let empty = matches!(&node.value, Value::Scalar { text, quoted: false } if matches!(text.as_str(), "" | "~" | "null"));
        (!empty).then_some(node)
    }

    fn need(&mut self, key: &'static str) -> Result<&'n Node, Wrong> {
        let (line, what) = (self.line, self.what);
        self.take(key).ok_or_else(|| Wrong::new(line, format!("{what} has no `{key}`")))
    }

    fn done(self) -> Result<(), Wrong> {
        match self.left.into_iter().min_by_key(|(_, (_, line))| *line) {
            None => Ok(()),
            Some((key, (_, line))) => Err(Wrong::new(
                line,
                format!("{} has no key {key:?}; it has: {}", self.what, self.known.join(", ")),
            )),
        }
    }
}

fn word(node: &Node) -> Result<&str, Wrong> {
    match &node.value {
        Value::Scalar { text, .. } => Ok(text),
        Value::List(_) => Err(Wrong::new(node.line, "a list where one word is expected")),
        Value::Map(_) => Err(Wrong::new(node.line, "a mapping where one word is expected")),
    }
}

fn number(node: &Node, least: u32, most: u32) -> Result<u32, Wrong> {
    let text = word(node)?;
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(n) if digits && (least..=most).contains(&n) => Ok(n),
        _ => Err(Wrong::new(node.line, format!("{text:?} is not a number from {least} to {most}"))),
    }
}

/// An interface name that the kernel takes (`dev_valid_name`, 6.12) and that every tool can print.
fn interface(node: &Node) -> Result<String, Wrong> {
    let name = word(node)?;
    let good = |b: u8| b.is_ascii_graphic() && !matches!(b, b'/' | b':' | b'%' | b'"' | b'\'' | b'\\');
    if name.is_empty()
        || name.len() > 15
        || matches!(name, "." | ".." | "all" | "default")
        || !name.bytes().all(good)
    {
        let what = format!(
            "{name:?} cannot be an interface name: 1 to 15 printable characters, without / : % and quotes"
        );
        return Err(Wrong::new(node.line, what));
    }
    Ok(name.to_owned())
}

fn qdisc(node: &Node) -> Result<String, Wrong> {
    let kind = word(node)?;
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if kind.is_empty() || kind.len() > 15 || !kind.bytes().all(good) {
        return Err(Wrong::new(node.line, format!("{kind:?} is not the kind of a qdisc, such as fq_codel")));
    }
    if matches!(kind, "clsact" | "ingress") {
        return Err(Wrong::new(node.line, format!("{kind} cannot be a root qdisc")));
    }
    Ok(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file() {
        let text = "\
bypass:
  - name: vpn0
    vlan: 70
    bond: bond0
    mtu: 1500
    qdisc: fq_codel
    txqueuelen: 1000
    allow: [recreate, deaf-vlan]
  - {name: iot0, vlan: 30, member: enp2s0, mtu: }
";
        let entries = read(text).unwrap();
        assert_eq!(
            entries[0],
            Entry {
                name: "vpn0".to_owned(),
                kind: NewKind::Vlan(70),
                on: On::Bond("bond0".to_owned()),
                mtu: Some(1500),
                qdisc: Some("fq_codel".to_owned()),
                txqueuelen: Some(1000),
                allow: BTreeSet::from([Allow::Recreate, Allow::DeafVlan]),
            }
        );
        assert_eq!((entries[1].mtu, &entries[1].on), (None, &On::Member("enp2s0".to_owned())));
        assert_eq!(read("bypass: []").unwrap(), []);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let one = |more: &str| format!("bypass:\n  - name: vpn0\n    vlan: 70\n    bond: bond0\n{more}");
        let cases = [
            (String::new(), 1, "write `bypass: []`"),
            ("\nbypass:\n".to_owned(), 2, "write `bypass: []`"),
            ("vlans: []\n".to_owned(), 1, "no `bypass`"),
            ("bypass: vpn0\n".to_owned(), 1, "must be a list"),
            ("bypass:\n  - name: vpn0\n    bond: b\n".to_owned(), 2, "no `vlan`"),
            ("bypass:\n  - name: vpn0\n    vlan: 70\n".to_owned(), 2, "neither `bond` nor `member`"),
            ("bypass:\n  - name: vpn0\n    vlan: 0\n    bond: b\n".to_owned(), 3, "1 to 4094"),
            ("bypass:\n  - name: vpn0\n    vlan: +7\n    bond: b\n".to_owned(), 3, "1 to 4094"),
            ("bypass:\n  - name: a/b\n    vlan: 7\n    bond: b\n".to_owned(), 2, "interface name"),
            ("bypass:\n  - name: b\n    vlan: 7\n    bond: b\n".to_owned(), 2, "on itself"),
            (one("    mtu: 9001x\n"), 5, "68 to 65535"),
            (one("    member: enp2s0\n"), 5, "`bond` and `member`"),
            (one("    qdisc: clsact\n"), 5, "root qdisc"),
            (one("    qdisc: \"fq codel\"\n"), 5, "kind of a qdisc"),
            (one("    qdsic: fq_codel\n"), 5, "no key \"qdsic\""),
            (one("    allow: recreate\n"), 5, "must be a list"),
            (one("    allow: [recreat]\n"), 5, "it knows: several-members"),
            (one("  - name: vpn0\n    vlan: 71\n    bond: bond0\n"), 5, "a second interface called vpn0"),
            (one("  - name: vpn1\n    vlan: 70\n    bond: bond0\n"), 5, "both VLAN 70"),
            (one("    kind: macvlan\n"), 3, "carries no tag"),
            (one("    kind: gre\n"), 2, "vlan or macvlan"),
        ];
        for (text, line, what) in cases {
            let wrong = read(&text).unwrap_err();
            assert!(wrong.line == line && wrong.what.contains(what), "{text}\n{wrong}");
        }
    }
}
