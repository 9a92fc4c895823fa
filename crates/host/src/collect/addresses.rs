//! `addresses` and `neighbours`: the network addresses of all interfaces, and whom they know on the link, by netlink.

use super::dumps::{To, dumps};
use super::{Collector, Pace, Sink, Target};
use crate::netlink::{ROUTE, Request};
use std::io;

/// The collector of addresses.
pub(super) const ADDRESSES: Collector = Collector { id: "addresses", pace: Pace::Snapshot, run: addresses };
/// The collector of neighbours.
pub(super) const NEIGHBOURS: Collector =
    Collector { id: "neighbours", pace: Pace::Snapshot, run: neighbours };

const RTM_GETADDR: u16 = 22;
const RTM_GETNEIGH: u16 = 30;

fn addresses(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let to = To { collector: "addresses", file: "state/addresses.pcapng", protocol: ROUTE };
    // struct ifaddrmsg, all zero: every family and interface.
    dumps(sink, to, vec![("RTM_GETADDR dump".to_owned(), Request::dump(RTM_GETADDR).raw(&[0; 8]))])
}

fn neighbours(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let to = To { collector: "neighbours", file: "state/neighbours.pcapng", protocol: ROUTE };
    // struct ndmsg, all zero.
    dumps(sink, to, vec![("RTM_GETNEIGH dump".to_owned(), Request::dump(RTM_GETNEIGH).raw(&[0; 12]))])
}
