//! Questions and changes as rtnetlink messages, the way `ip` and `tc` send them. Numbers from the kernel's uapi headers
//! `rtnetlink.h`, `if_link.h`, `pkt_sched.h` and `net_namespace.h` (6.12). Byte order is that of this machine.

use super::Action;
use super::world::NewKind;

/// `NLM_F_REQUEST`.
pub const REQUEST: u16 = 1;
/// `NLM_F_ACK`.
pub const ACK: u16 = 4;
/// `NLM_F_DUMP`.
pub const DUMP: u16 = 0x300;
const REPLACE: u16 = 0x100;
const EXCLUSIVE: u16 = 0x200;
const CREATE: u16 = 0x400;

pub(super) const NEW_LINK: u16 = 16;
pub(super) const DEL_LINK: u16 = 17;
const GET_LINK: u16 = 18;
const SET_LINK: u16 = 19;
pub(super) const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
pub(super) const NEW_QDISC: u16 = 36;
pub(super) const DEL_QDISC: u16 = 37;
const GET_QDISC: u16 = 38;
pub(super) const NEW_NSID: u16 = 88;
const GET_NSID: u16 = 90;

pub(super) const IFLA_IFNAME: u16 = 3;
pub(super) const IFLA_MTU: u16 = 4;
pub(super) const IFLA_LINK: u16 = 5;
pub(super) const IFLA_QDISC: u16 = 6;
pub(super) const IFLA_MASTER: u16 = 10;
pub(super) const IFLA_TXQLEN: u16 = 13;
pub(super) const IFLA_LINKINFO: u16 = 18;
pub(super) const IFLA_IFALIAS: u16 = 20;
const IFLA_EXT_MASK: u16 = 29;
pub(super) const IFLA_LINK_NETNSID: u16 = 37;
pub(super) const IFLA_XDP: u16 = 43;
const IFLA_TARGET_NETNSID: u16 = 46;
pub(super) const INFO_KIND: u16 = 1;
pub(super) const INFO_DATA: u16 = 2;
pub(super) const VLAN_ID: u16 = 1;
const MACVLAN_MODE: u16 = 1;
const MACVLAN_BRIDGE: u32 = 4;
pub(super) const TCA_KIND: u16 = 1;
const ROOT: u32 = 0xffff_ffff;
/// `RTEXT_FILTER_SKIP_STATS`: counters are not needed, and cost time.
const SKIP_STATS: u32 = 8;
pub(super) const IFF_UP: u32 = 1;

/// `RTNLGRP_LINK` and `RTNLGRP_TC`: the multicast groups that tell of everything a [`super::world::World`] is repaired
/// for.
pub const GROUPS: [u32; 2] = [1, 4];

/// A message under construction; its length and number are filled in when it is sent.
#[derive(Debug, Clone)]
pub struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend((flags | REQUEST).to_ne_bytes());
        bytes.extend([0; 8]);
        Self(bytes)
    }

    /// `struct ifinfomsg`.
    fn link(mut self, index: u32, flags: u32, change: u32) -> Self {
        self.0.extend([0; 4]);
        for word in [index, flags, change] {
            self.0.extend(word.to_ne_bytes());
        }
        self
    }

    /// `struct tcmsg` for a root qdisc.
    fn root_qdisc(mut self, index: u32) -> Self {
        self.0.extend([0; 4]);
        for word in [index, 0, ROOT, 0] {
            self.0.extend(word.to_ne_bytes());
        }
        self
    }

    fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        put(&mut self.0, kind, value);
        self
    }

    fn number(self, kind: u16, value: u32) -> Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    fn text(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.attribute(kind, &bytes)
    }

    /// The bytes of the message with this sequence number.
    #[must_use]
    pub fn bytes(mut self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        for (at, value) in [(0, length), (8, sequence)] {
            for (byte, new) in self.0.iter_mut().skip(at).zip(value.to_ne_bytes()) {
                *byte = new;
            }
        }
        self.0
    }
}

fn put(to: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    to.extend(length.to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(value);
    to.resize(to.len().next_multiple_of(4), 0);
}

/// Asks for all interfaces.
#[must_use]
pub fn links() -> Message {
    Message::new(GET_LINK, DUMP).link(0, 0, 0).number(IFLA_EXT_MASK, SKIP_STATS)
}

/// Asks for all interfaces of another network namespace, by its id in this one.
#[must_use]
pub fn links_of(nsid: i32) -> Message {
    links().attribute(IFLA_TARGET_NETNSID, &nsid.to_ne_bytes())
}

/// Asks for all addresses.
#[must_use]
pub fn addresses() -> Message {
    let mut message = Message::new(GET_ADDRESS, DUMP);
    // `struct ifaddrmsg`.
    message.0.extend([0; 8]);
    message
}

/// Asks for all queueing disciplines.
#[must_use]
pub fn qdiscs() -> Message {
    let mut message = Message::new(GET_QDISC, DUMP);
    message.0.extend([0; 20]);
    message
}

/// Asks for the ids that other network namespaces have in this one.
#[must_use]
pub fn namespaces() -> Message {
    let mut message = Message::new(GET_NSID, DUMP);
    // `struct rtgenmsg`, padded.
    message.0.extend([0; 4]);
    message
}

/// The message of a change; `index` is that of the interface it is about, where there is one.
#[must_use]
pub fn change(action: &Action, index: u32) -> Message {
    let set = || Message::new(SET_LINK, ACK).link(index, 0, 0);
    match action {
        Action::Create { name, kind, parent, mtu, txqueuelen } => {
            let mut message = Message::new(NEW_LINK, ACK | CREATE | EXCLUSIVE)
                .link(0, 0, 0)
                .text(IFLA_IFNAME, name)
                .number(IFLA_LINK, parent.0);
            if let Some(mtu) = mtu {
                message = message.number(IFLA_MTU, *mtu);
            }
            if let Some(length) = txqueuelen {
                message = message.number(IFLA_TXQLEN, *length);
            }
            let (mut info, mut data) = (Vec::new(), Vec::new());
            match kind {
                NewKind::Vlan(id) => {
                    put(&mut info, INFO_KIND, b"vlan");
                    put(&mut data, VLAN_ID, &id.to_ne_bytes());
                }
                NewKind::Macvlan => {
                    put(&mut info, INFO_KIND, b"macvlan");
                    put(&mut data, MACVLAN_MODE, &MACVLAN_BRIDGE.to_ne_bytes());
                }
            }
            put(&mut info, INFO_DATA, &data);
            message.attribute(IFLA_LINKINFO, &info)
        }
        Action::Delete(_) => Message::new(DEL_LINK, ACK).link(index, 0, 0),
        // An empty alias clears it (`dev_set_alias`).
        Action::SetMark(_, mark) => {
            let alias = mark.as_ref().map(super::world::Mark::alias).unwrap_or_default();
            set().attribute(IFLA_IFALIAS, alias.as_bytes())
        }
        Action::Rename(_, name) => set().text(IFLA_IFNAME, name),
        Action::SetMtu(_, mtu) => set().number(IFLA_MTU, *mtu),
        Action::SetTxQueueLen(_, length) => set().number(IFLA_TXQLEN, *length),
        Action::SetQdisc(_, Some(kind)) => {
            Message::new(NEW_QDISC, ACK | CREATE | REPLACE).root_qdisc(index).text(TCA_KIND, kind)
        }
        Action::SetQdisc(_, None) => Message::new(DEL_QDISC, ACK).root_qdisc(index),
        Action::SetUp(_, up) => Message::new(SET_LINK, ACK).link(index, u32::from(*up) * IFF_UP, IFF_UP),
    }
}
