//! `stats`: counters that only `RTM_GETSTATS` has: LACPDUs and Markers sent and received, per bond and per member.
//!
//! `lacpdu_tx` counts attempts: the result of handing the frame to the queue is not looked at
//! (`drivers/net/bonding/bond_3ad.c`, `ad_lacpdu_send()`).

use super::dumps::{Named, To, asks};
use super::{Collector, Pace, Sink, Target};
use crate::netlink::{ROUTE, Request};
use crate::packet::ifindex;
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: "stats", pace: Pace::Sample, run };

const RTM_GETSTATS: u16 = 94;
/// `IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_XSTATS)`: what a bond counts itself. The interface's own counters
/// (`IFLA_STATS_LINK_64`) stand in the listing of `links`.
const XSTATS: u32 = 1 << 1;
/// `IFLA_STATS_LINK_XSTATS_SLAVE`: what a bond counts for a member.
const XSTATS_MEMBER: u32 = 1 << 2;
const TO: To = To { collector: "stats", file: "state/stats.pcapng", protocol: ROUTE };

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let own = target.bonds.iter().map(|b| (b, XSTATS));
    let member = target.members.iter().map(|m| (m, XSTATS_MEMBER));
    let mut requests: Vec<Named> = Vec::new();
    for (dev, filter) in own.chain(member) {
        // Gone since the target was chosen: the links tell.
        let Ok(index) = ifindex(dev) else { continue };
        // struct if_stats_msg: family, padding, index, filter.
        let header = [0u32, index, filter].map(u32::to_ne_bytes).concat();
        requests.push((format!("RTM_GETSTATS {dev}"), Request::get(RTM_GETSTATS).raw(&header)));
    }
    asks(sink, TO, requests)
}
