//! `links`: every interface of the namespace, with the state of bonds and members, by netlink.
//!
//! One dump holds carrier, operational state, LACP port states, queueing discipline, attached XDP program and the
//! 64-bit counters of all interfaces as of one moment. Per-VF data is left out: drivers fetch it from firmware.

use super::dumps::{To, dumps};
use super::{Collector, Pace, Sink, Target};
use crate::netlink::{ROUTE, Request};
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: "links", pace: Pace::Sample, run };

const RTM_GETLINK: u16 = 18;
const TO: To = To { collector: "links", file: "state/links.pcapng", protocol: ROUTE };

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    dumps(sink, TO, vec![("RTM_GETLINK dump".to_owned(), Request::dump(RTM_GETLINK).raw(&[0; 16]))])
}
