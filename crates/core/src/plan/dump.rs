//! What rtnetlink answers and tells, read into a [`World`]. Lenient: what is short or unknown is passed over, because a
//! reader that stops would leave interfaces unwatched; a message that lacks what every interface has is left out.

use super::rtnetlink as rt;
use super::world::{BondMode, Link, LinkKind, World};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A message: its type, its flags, and what follows the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'b> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub sequence: u32,
    /// The payload.
    pub body: &'b [u8],
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

/// The messages of a buffer.
pub fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
        let whole = bytes.get(..length)?;
        let message = Message {
            kind: u16_at(whole, 4)?,
            flags: u16_at(whole, 6)?,
            sequence: u32_at(whole, 8)?,
            body: whole.get(16..)?,
        };
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        // The two upper bits are flags (nested, byte order).
        let kind = u16_at(bytes, 2)? & 0x3fff;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// An interface of a message, with what is not part of [`Link`].
struct Seen {
    link: Link,
    /// `IFLA_LINK`, in whatever namespace that is.
    below: Option<u32>,
    /// What it stands on is in another namespace.
    below_elsewhere: bool,
    xdp: bool,
}

fn link(body: &[u8]) -> Option<Seen> {
    let (index, flags) = (u32_at(body, 4)?, u32_at(body, 8)?);
    let mut link = Link {
        index,
        name: String::new(),
        kind: LinkKind::Other(String::new()),
        parent: None,
        mtu: 0,
        up: flags & rt::IFF_UP != 0,
        // IFF_LOWER_UP.
        carrier: flags & 0x1_0000 != 0,
        qdisc: String::new(),
        txqueuelen: 0,
        alias: None,
        master: None,
    };
    let (mut below, mut below_elsewhere, mut xdp) = (None, false, false);
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            rt::IFLA_IFNAME => link.name = text(value),
            rt::IFLA_MTU => link.mtu = u32_at(value, 0).unwrap_or_default(),
            // 0 is an interface that stands on nothing any more.
            rt::IFLA_LINK => below = u32_at(value, 0).filter(|i| *i != 0),
            rt::IFLA_QDISC => link.qdisc = text(value),
            rt::IFLA_MASTER => link.master = u32_at(value, 0).filter(|i| *i != 0),
            rt::IFLA_TXQLEN => link.txqueuelen = u32_at(value, 0).unwrap_or_default(),
            rt::IFLA_IFALIAS => link.alias = Some(text(value)).filter(|a| !a.is_empty()),
            rt::IFLA_LINK_NETNSID => below_elsewhere = true,
            // IFLA_XDP_ATTACHED is 2; 0 is XDP_ATTACHED_NONE.
            rt::IFLA_XDP => {
                xdp = attributes(value).any(|(k, v)| k == 2 && v.first().is_some_and(|a| *a != 0))
            }
            rt::IFLA_LINKINFO => link.kind = link_kind(value),
            _ => {}
        }
    }
    // A veth names its other end the same way.
    let stands = link.kind != LinkKind::Other("veth".to_owned());
    link.parent = below.filter(|b| !below_elsewhere && stands && *b != index);
    (!link.name.is_empty()).then_some(Seen { link, below: below.filter(|_| stands), below_elsewhere, xdp })
}

fn link_kind(info: &[u8]) -> LinkKind {
    let mut name = String::new();
    let mut data: &[u8] = &[];
    for (kind, value) in attributes(info) {
        match kind {
            rt::INFO_KIND => name = text(value),
            rt::INFO_DATA => data = value,
            _ => {}
        }
    }
    let find = |wanted: u16| attributes(data).find(|(k, _)| *k == wanted).map(|(_, v)| v);
    match name.as_str() {
        "vlan" => find(rt::VLAN_ID).and_then(|v| u16_at(v, 0)).map_or(LinkKind::Other(name), LinkKind::Vlan),
        "macvlan" => LinkKind::Macvlan,
        // IFLA_BOND_MODE is 1, IFLA_BOND_ACTIVE_SLAVE 2.
        "bond" => LinkKind::Bond {
            mode: BondMode(find(1).and_then(|v| v.first().copied()).unwrap_or(u8::MAX)),
            active: find(2).and_then(|v| u32_at(v, 0)).filter(|i| *i != 0),
        },
        _ => LinkKind::Other(name),
    }
}

impl World {
    /// Reads answers to [`rt::links`], [`rt::addresses`] and [`rt::qdiscs`], in any order.
    #[must_use]
    pub fn read(answers: &[u8]) -> Self {
        let mut world = Self::default();
        for message in messages(answers) {
            match message.kind {
                rt::NEW_LINK => {
                    if let Some(seen) = link(message.body) {
                        if seen.xdp {
                            world.hooks.entry(seen.link.index).or_default().push("an XDP program".to_owned());
                        }
                        world.links.insert(seen.link.index, seen.link);
                    }
                }
                rt::NEW_ADDRESS => {
                    if let Some((index, address)) = address(message.body) {
                        world.addresses.entry(index).or_default().push(address);
                    }
                }
                rt::NEW_QDISC => {
                    if let Some((index, kind)) = hook(message.body) {
                        world.hooks.entry(index).or_default().push(kind);
                    }
                }
                _ => {}
            }
        }
        world
    }

    /// Adds the interfaces of another namespace: those that stand on an interface of a namespace not their own. That
    /// it is ours cannot be told from there; taking it for ours errs on the side of leaving alone.
    pub fn read_elsewhere(&mut self, answers: &[u8]) {
        for message in messages(answers).filter(|m| m.kind == rt::NEW_LINK) {
            if let Some(seen) = link(message.body)
                && seen.below_elsewhere
                && let Some(below) = seen.below
            {
                self.elsewhere
                    .entry(below)
                    .or_default()
                    .push(format!("{} in another namespace", seen.link.name));
            }
        }
    }
}

/// The ids of other namespaces in an answer to [`rt::namespaces`].
#[must_use]
pub fn namespaces(answers: &[u8]) -> Vec<i32> {
    messages(answers)
        .filter(|m| m.kind == rt::NEW_NSID)
        .filter_map(|m| {
            // NETNSA_NSID is 1; a namespace without an id is told as -1.
            let (_, value) = attributes(m.body.get(4..)?).find(|(k, _)| *k == 1)?;
            value.first_chunk().copied().map(i32::from_ne_bytes).filter(|id| *id >= 0)
        })
        .collect()
}

fn address(body: &[u8]) -> Option<(u32, String)> {
    let (family, prefix, index) = (*body.first()?, *body.get(1)?, u32_at(body, 4)?);
    let find = |wanted: u16| {
        attributes(body.get(8..).unwrap_or_default()).find(|(k, _)| *k == wanted).map(|(_, v)| v)
    };
    // IFA_LOCAL is 2 and the interface's own; IFA_ADDRESS, 1, is the other end of a point-to-point link.
    let bytes = find(2).or_else(|| find(1))?;
    let address = match family {
        2 => Ipv4Addr::from(*bytes.first_chunk::<4>()?).to_string(),
        10 => {
            let address = Ipv6Addr::from(*bytes.first_chunk::<16>()?);
            if address.is_unicast_link_local() {
                return None;
            }
            address.to_string()
        }
        _ => return None,
    };
    Some((index, format!("{address}/{prefix}")))
}

/// A hook that frames pass outside of the queue: `clsact` or `ingress`, whose filters may drop.
fn hook(body: &[u8]) -> Option<(u32, String)> {
    let index = u32_at(body, 4)?;
    let (_, kind) = attributes(body.get(20..)?).find(|(k, _)| *k == rt::TCA_KIND)?;
    let kind = text(kind);
    matches!(kind.as_str(), "clsact" | "ingress").then(|| (index, format!("{kind} filters")))
}

/// Something that happened to an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its index.
    pub index: u32,
    /// Its name, where the event tells.
    pub name: Option<String>,
    /// What it stands on.
    pub parent: Option<u32>,
    /// The bond or bridge that it belongs to.
    pub master: Option<u32>,
    /// Its alias.
    pub alias: Option<String>,
}

/// The events of a buffer of multicast messages.
pub fn events(bytes: &[u8]) -> impl Iterator<Item = Event> {
    messages(bytes).filter_map(|m| match m.kind {
        rt::NEW_LINK | rt::DEL_LINK => {
            let seen = link(m.body)?;
            let Link { index, name, parent, master, alias, .. } = seen.link;
            Some(Event { index, name: Some(name), parent, master, alias })
        }
        rt::NEW_QDISC | rt::DEL_QDISC => {
            Some(Event { index: u32_at(m.body, 4)?, name: None, parent: None, master: None, alias: None })
        }
        _ => None,
    })
}

/// The error of a message of type `NLMSG_ERROR`: `None` for an acknowledgement, else the number and the kernel's words.
#[must_use]
pub fn error(message: &Message<'_>) -> Option<(i32, Option<String>)> {
    let number = message.body.first_chunk().copied().map(i32::from_ne_bytes)?;
    if number == 0 {
        return None;
    }
    // NLM_F_CAPPED: only the header of the request is quoted; NLM_F_ACK_TLVS: attributes follow it.
    let quoted = if message.flags & 0x100 != 0 {
        16
    } else {
        usize::try_from(u32_at(message.body, 4)?).ok()?.next_multiple_of(4)
    };
    let said = if message.flags & 0x200 != 0 {
        let rest = message.body.get(4 + quoted..).unwrap_or_default();
        // NLMSGERR_ATTR_MSG.
        attributes(rest).find(|(k, _)| *k == 1).map(|(_, v)| text(v))
    } else {
        None
    };
    Some((-number, said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::world::{Mark, NewKind};
    use crate::plan::{Action, Target};

    /// A request to create is an answer but for its type: the kernel tells an interface as it is told to make one.
    fn told(index: u32, name: &str, kind: NewKind, parent: u32) -> Vec<u8> {
        let action = Action::Create {
            name: name.to_owned(),
            kind,
            parent: (parent, String::new()),
            mtu: Some(1400),
            txqueuelen: Some(7),
        };
        let mut bytes = rt::change(&action, 0).bytes(1);
        bytes[20..24].copy_from_slice(&index.to_ne_bytes());
        bytes[24..28].copy_from_slice(&rt::IFF_UP.to_ne_bytes());
        bytes
    }

    #[test]
    fn what_is_built_is_read() {
        let mut bytes = told(9, "vpn0", NewKind::Vlan(70), 2);
        bytes.extend(told(10, "m", NewKind::Macvlan, 9));
        let world = World::read(&bytes);
        let link = world.named("vpn0").unwrap();
        assert_eq!((link.index, &link.kind, link.parent), (9, &LinkKind::Vlan(70), Some(2)));
        assert_eq!((link.mtu, link.txqueuelen, link.up, &link.alias), (1400, 7, true, &None));
        assert_eq!(world.vlan_on(2, 70), Some(link));
        assert_eq!(world.users(9), ["m"]);
        let events: Vec<Event> = events(&bytes).collect();
        assert_eq!(
            (events[0].index, events[0].name.as_deref(), events[1].parent),
            (9, Some("vpn0"), Some(9))
        );
    }

    #[test]
    fn interfaces_elsewhere_are_users_only_of_what_is_not_theirs() {
        let mut world = World::read(&told(9, "vpn0", NewKind::Vlan(70), 2));
        world.read_elsewhere(&told(3, "m", NewKind::Macvlan, 9));
        assert!(world.elsewhere.is_empty(), "stands on an interface of its own namespace");
        let mut bytes = told(3, "net1", NewKind::Macvlan, 9);
        put_attribute(&mut bytes, rt::IFLA_LINK_NETNSID, &0u32.to_ne_bytes());
        world.read_elsewhere(&bytes);
        assert_eq!(world.users(9), ["net1 in another namespace"]);
    }

    fn put_attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
        message.extend(u16::try_from(value.len() + 4).unwrap().to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(value);
        let length = u32::try_from(message.len()).unwrap();
        message[..4].copy_from_slice(&length.to_ne_bytes());
    }

    #[test]
    fn a_damaged_answer_is_no_panic() {
        let mut bytes = told(9, "vpn0", NewKind::Vlan(70), 2);
        put_attribute(&mut bytes, rt::IFLA_IFALIAS, Mark::new(1).alias().as_bytes());
        for end in 0..bytes.len() {
            let _ = World::read(&bytes[..end]);
            let _ = events(&bytes[..end]).count();
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 4, 0x7f, 0xff] {
                let mut other = bytes.clone();
                other[at] = value;
                let _ = World::read(&other);
                for m in messages(&other) {
                    let _ = error(&m);
                }
            }
        }
    }

    #[test]
    fn the_kernel_s_words_are_read() {
        // Recorded: 6.12, `RTM_NEWQDISC` of a kind that is not there; the request is quoted whole.
        let request =
            rt::change(&Action::SetQdisc(Target::There(4, String::new()), Some("nosuch".into())), 4).bytes(5);
        let mut body = (-2i32).to_ne_bytes().to_vec();
        body.extend(&request);
        let said = b"Specified qdisc kind is unknown\0";
        body.extend(u16::try_from(said.len() + 4).unwrap().to_ne_bytes());
        body.extend(1u16.to_ne_bytes());
        body.extend(said);
        let message = Message { kind: 2, flags: 0x200, sequence: 5, body: &body };
        assert_eq!(error(&message), Some((2, Some("Specified qdisc kind is unknown".to_owned()))));
        let capped: Vec<u8> = [&body[..20], &body[4 + request.len()..]].concat();
        let message = Message { kind: 2, flags: 0x300, sequence: 5, body: &capped };
        assert_eq!(error(&message), Some((2, Some("Specified qdisc kind is unknown".to_owned()))));
        assert_eq!(error(&Message { kind: 2, flags: 0, sequence: 5, body: &[0; 20] }), None);
    }
}
