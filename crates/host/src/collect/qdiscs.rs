//! `qdiscs`: the queueing disciplines of all interfaces, with what they dropped, by netlink.

use super::dumps::{To, dumps};
use super::{Collector, Pace, Sink, Target};
use crate::netlink::{ROUTE, Request};
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: "qdiscs", pace: Pace::Snapshot, run };

const RTM_GETQDISC: u16 = 38;
const TO: To = To { collector: "qdiscs", file: "state/qdiscs.pcapng", protocol: ROUTE };

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    // struct tcmsg, all zero: every interface.
    dumps(sink, TO, vec![("RTM_GETQDISC dump".to_owned(), Request::dump(RTM_GETQDISC).raw(&[0; 20]))])
}
