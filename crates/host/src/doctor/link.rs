//! What the kernel tells about a member over rtnetlink: which attributes are there, not what they say.

use crate::sys::netlink::{self, Request, Socket};
use crate::sys::packet;
use std::io;
use std::time::Duration;

const GET_LINK: u16 = 18;
const GET_STATS: u16 = 94;
/// The length of a message's header.
const HEADER: usize = 16;
/// An attribute's type without the flags of nesting and byte order.
const TYPE: u16 = 0x3fff;

/// What this kernel tells about a member of a bond.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exports {
    /// `IFLA_BOND_SLAVE_AD_CHURN_ACTOR_STATE` and its partner: whether both ends stay in sync. Elsewhere only
    /// `/proc/net/bonding` says it, which is not notified.
    pub churn: bool,
    /// `IFLA_BOND_SLAVE_ACTOR_PORT_PRIO`.
    pub port_priority: bool,
    /// `BOND_XSTATS_3AD` per member: LACPDUs sent and received, counted by bonding.
    pub lacpdu_counters: bool,
}

/// Sends a request and returns what follows the header of the answer.
fn ask(request: Request) -> io::Result<Vec<u8>> {
    let mut answers = Socket::open(netlink::ROUTE)?.ask(&[request], Duration::from_secs(2))?;
    let datagrams = answers.pop().ok_or_else(cut)??;
    datagrams.first().and_then(|d| d.get(HEADER..)).map(<[u8]>::to_vec).ok_or_else(cut)
}

fn cut() -> io::Error {
    io::Error::from(io::ErrorKind::UnexpectedEof)
}

/// The attributes in `bytes`: type and payload. Ends at the first one that does not fit.
fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(netlink::u16_at(rest, 0)?);
        let kind = netlink::u16_at(rest, 2)? & TYPE;
        let payload = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, payload))
    })
}

fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes).find(|(k, _)| *k == kind).map(|(_, payload)| payload)
}

fn get_link(name: &str) -> io::Result<Vec<u8>> {
    const IFLA_IFNAME: u16 = 3;
    let mut text = name.as_bytes().to_vec();
    text.push(0);
    let answer = ask(Request::get(GET_LINK).raw(&[0; 16]).attribute(IFLA_IFNAME, &text))?;
    answer.get(16..).map(<[u8]>::to_vec).ok_or_else(cut)
}

/// Asks for an interface.
///
/// # Errors
///
/// If rtnetlink does not answer, or there is none of this name.
pub(crate) fn exists(name: &str) -> io::Result<()> {
    get_link(name).map(drop)
}

/// What the kernel tells about a member.
///
/// # Errors
///
/// If rtnetlink does not answer, or there is no such interface.
pub(crate) fn exports(member: &str) -> io::Result<Exports> {
    let (link_info, info_member_data) = (18, 5);
    let link = get_link(member)?;
    let data = attribute(&link, link_info).and_then(|info| attribute(info, info_member_data));
    let has = |kind| data.is_some_and(|d| attribute(d, kind).is_some());
    Ok(Exports {
        port_priority: has(10),
        churn: has(11) && has(12),
        lacpdu_counters: lacpdu_counters(member),
    })
}

/// `IFLA_STATS_LINK_XSTATS_SLAVE` > `LINK_XSTATS_TYPE_BOND` > `BOND_XSTATS_3AD` (`uapi/linux/if_link.h`, Linux 5.9).
fn lacpdu_counters(member: &str) -> bool {
    let (member_xstats, of_bond, lacp) = (3, 2, 1);
    let Ok(index) = packet::ifindex(member) else { return false };
    let mut body = vec![0; 4]; // struct if_stats_msg
    body.extend(index.to_ne_bytes());
    body.extend((1u32 << (member_xstats - 1)).to_ne_bytes());
    ask(Request::get(GET_STATS).raw(&body)).is_ok_and(|answer| {
        answer
            .get(12..)
            .and_then(|a| attribute(a, member_xstats))
            .and_then(|a| attribute(a, of_bond))
            .and_then(|a| attribute(a, lacp))
            .is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_device_is_there_and_is_no_member() {
        assert!(exists("lo").is_ok());
        assert_eq!(exports("lo").unwrap(), Exports::default());
        let error = exists("no-such-if0").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{error}");
    }

    #[test]
    fn attributes_end_where_they_do_not_fit() {
        let mut bytes = Vec::new();
        for (length, kind, payload) in [(5u16, 7u16, [9u8, 0, 0, 0]), (8, 0x8001, [1, 2, 3, 4])] {
            bytes.extend(length.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(payload);
        }
        let all: Vec<(u16, &[u8])> = attributes(&bytes).collect();
        assert_eq!(all, [(7, &[9][..]), (1, &[1, 2, 3, 4][..])]);
        assert_eq!(attributes(&bytes[..15]).count(), 1);
        // A length below its own header would never end.
        assert_eq!(attributes(&[0, 0, 1, 0, 0, 0, 0, 0]).count(), 0);
    }
}
