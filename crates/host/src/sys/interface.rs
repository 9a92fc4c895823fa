//! The interfaces of the calling thread's network namespace, and which of them are bonds and members.
//!
//! By netlink, never by `/sys/class/net`: a sysfs shows the namespace that it was mounted from, which is another one in
//! a container that shares the host's mounts or after `setns`.

use super::netlink::{Attributes, Messages, ROUTE, Request, Socket, u32_at};
use std::cell::RefCell;
use std::io;
use std::time::Duration;

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_XDP: u16 = 43;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_LINK_NETNSID: u16 = 37;
/// `RTEXT_FILTER_SKIP_STATS`: counters are not needed to know who is there.
const SKIP_STATS: u32 = 8;

/// An interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its kind (`bond`, `vlan`), empty for hardware.
    pub kind: String,
    /// The index of the interface that it is a member or port of.
    pub master: Option<u32>,
    /// The index of the interface below it (of a VLAN: its parent), if that is in the same namespace.
    pub lower: Option<u32>,
    /// Its hardware address.
    pub address: Vec<u8>,
    /// XDP programs: in which mode, in the words of `bpftool net`, and their ids.
    pub xdp: Vec<(&'static str, u32)>,
}

impl Interface {
    /// True for a bond.
    #[must_use]
    pub fn is_bond(&self) -> bool {
        self.kind == "bond"
    }
}

/// All interfaces, in the kernel's order.
///
/// # Errors
///
/// If the kernel refuses, or does not answer within five seconds.
pub fn list() -> io::Result<Vec<Interface>> {
    let mut socket = Socket::open(ROUTE)?;
    let request =
        Request::dump(RTM_GETLINK).raw(&[0; 16]).attribute(IFLA_EXT_MASK, &SKIP_STATS.to_ne_bytes());
    let dump = socket.dump(&request, Duration::from_secs(5))?;
    Ok(dump.datagrams.iter().flat_map(|d| Messages(d)).filter_map(|m| read(m.kind, m.body)).collect())
}

fn read(kind: u16, body: &[u8]) -> Option<Interface> {
    if kind != RTM_NEWLINK {
        return None;
    }
    let mut interface = Interface { index: u32_at(body, 4)?, ..Interface::default() };
    let mut elsewhere = false;
    for (kind, value) in Attributes(body.get(16..)?) {
        match kind {
            IFLA_ADDRESS => interface.address = value.to_vec(),
            IFLA_IFNAME => interface.name = text(value),
            IFLA_LINK => interface.lower = u32_at(value, 0).filter(|l| *l != 0 && *l != interface.index),
            IFLA_MASTER => interface.master = u32_at(value, 0).filter(|m| *m != 0),
            IFLA_LINK_NETNSID => elsewhere = true,
            IFLA_XDP => interface.xdp = xdp(value),
            IFLA_LINKINFO => {
                let kind = Attributes(value).find(|(kind, _)| *kind == IFLA_INFO_KIND);
                interface.kind = kind.map_or_else(String::new, |(_, k)| text(k));
            }
            _ => {}
        }
    }
    if elsewhere {
        interface.lower = None;
    }
    (!interface.name.is_empty()).then_some(interface)
}

/// The attached programs. A program for one mode is told twice: by its mode, and without (`IFLA_XDP_PROG_ID`).
fn xdp(value: &[u8]) -> Vec<(&'static str, u32)> {
    const MODES: [(u16, &str); 3] = [(5, "driver"), (6, "generic"), (7, "offload")];
    Attributes(value)
        .filter_map(|(kind, id)| {
            let (_, mode) = MODES.iter().find(|(number, _)| *number == kind)?;
            Some((*mode, u32_at(id, 0).filter(|id| *id != 0)?))
        })
        .collect()
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_end_matches('\0').to_owned()
}

/// The interfaces with these names, what they are members or ports of, and everything that stands on any of those
/// (VLANs, MACVLANs, bridges over them): all through which a frame of a bond may pass, in the kernel's order.
#[must_use]
pub fn stack<'a>(all: &'a [Interface], names: &[String]) -> Vec<&'a Interface> {
    let mut within: Vec<u32> = all.iter().filter(|i| names.contains(&i.name)).map(|i| i.index).collect();
    loop {
        let before = within.len();
        for interface in all {
            let above = interface.lower.is_some_and(|l| within.contains(&l));
            let master = all.iter().any(|i| i.master == Some(interface.index) && within.contains(&i.index));
            if (above || master) && !within.contains(&interface.index) {
                within.push(interface.index);
            }
        }
        if within.len() == before {
            break;
        }
    }
    all.iter().filter(|i| within.contains(&i.index)).collect()
}

/// The interface with this name and everything that its frames may pass on their way out: what it stands on, the members
/// or ports of that, the bridge that it is a port of. In the kernel's order; empty if there is none of this name.
#[must_use]
pub fn below<'a>(all: &'a [Interface], name: &str) -> Vec<&'a Interface> {
    let mut within: Vec<u32> = all.iter().filter(|i| i.name == name).map(|i| i.index).collect();
    let mut next = 0;
    while let Some(index) = within.get(next).copied() {
        next += 1;
        for interface in all {
            let port = interface.master == Some(index);
            let under = all
                .iter()
                .find(|i| i.index == index)
                .is_some_and(|i| i.lower == Some(interface.index) || i.master == Some(interface.index));
            if (port || under) && !within.contains(&interface.index) {
                within.push(interface.index);
            }
        }
    }
    all.iter().filter(|i| within.contains(&i.index)).collect()
}

thread_local! {
    /// For which network namespace `/sys/class/net` was looked at, and whether it shows that one.
    static SYSFS: RefCell<Option<(String, bool)>> = const { RefCell::new(None) };
}

/// True if `/sys/class/net` shows the network namespace of the calling thread.
///
/// There is no call that tells; both lists must name the same interfaces with the same indexes and addresses. It is
/// looked at once per thread and namespace.
#[must_use]
pub fn sysfs_is_ours() -> bool {
    let Ok(here) = std::fs::read_link("/proc/thread-self/ns/net") else { return false };
    let here = here.to_string_lossy().into_owned();
    if let Some(known) =
        SYSFS.with_borrow(|s| s.as_ref().filter(|(at, _)| *at == here).map(|(_, ours)| *ours))
    {
        return known;
    }
    // A change between the two listings makes them differ: look again.
    let ours = (0..3).any(|_| same().unwrap_or(false));
    SYSFS.with_borrow_mut(|s| *s = Some((here, ours)));
    ours
}

fn same() -> io::Result<bool> {
    let mut shown = Vec::new();
    for entry in std::fs::read_dir("/sys/class/net")? {
        let path = entry?.path();
        // `bonding_masters` is a file.
        let Ok(index) = std::fs::read_to_string(path.join("ifindex")) else { continue };
        let address = std::fs::read_to_string(path.join("address")).unwrap_or_default();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        shown.push((index.trim().parse::<u32>().unwrap_or(0), name, address.trim().to_owned()));
    }
    let mut told: Vec<_> = list()?
        .into_iter()
        .map(|i| {
            let address: Vec<String> = i.address.iter().map(|b| format!("{b:02x}")).collect();
            (i.index, i.name, address.join(":"))
        })
        .collect();
    shown.sort();
    told.sort();
    Ok(shown == told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_device_is_there() {
        let all = list().unwrap();
        let lo = all.iter().find(|i| i.name == "lo").unwrap();
        assert_eq!((lo.index, lo.is_bond(), lo.master, lo.lower), (1, false, None, None));
        assert_eq!(lo.address, [0; 6]);
    }

    #[test]
    fn a_stack_holds_what_stands_on_it_and_nothing_else() {
        let interface = |index, name: &str, kind: &str, master, lower| Interface {
            index,
            name: name.to_owned(),
            kind: kind.to_owned(),
            master,
            lower,
            ..Interface::default()
        };
        let all = [
            interface(1, "lo", "", None, None),
            interface(2, "eno1", "", Some(4), None),
            interface(3, "eno2", "", Some(4), None),
            interface(4, "bond0", "bond", None, None),
            interface(5, "bond0.70", "vlan", Some(6), Some(4)),
            interface(6, "br70", "bridge", None, None),
            interface(7, "vpn0", "vlan", None, Some(2)),
            interface(8, "tap9", "tun", Some(6), None),
            interface(9, "eno9.5", "vlan", None, Some(10)),
            interface(10, "eno9", "", None, None),
        ];
        let names: Vec<&str> = stack(&all, &["eno1".to_owned()]).iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, ["eno1", "bond0", "bond0.70", "br70", "vpn0"]);
        let way = |name: &str| below(&all, name).iter().map(|i| i.name.as_str()).collect::<Vec<_>>();
        assert_eq!(way("tap9"), ["eno1", "eno2", "bond0", "bond0.70", "br70", "tap9"]);
        assert_eq!(way("vpn0"), ["eno1", "eno2", "bond0", "vpn0"]);
        assert_eq!(way("eno9.5"), ["eno9.5", "eno9"]);
        assert!(way("gone").is_empty());
    }
}
