//! `filters`: what `tc` filters hang at the bonds, their members and what stands on them, by netlink.
//!
//! All chains are listed. Programs that hang there without `tc` (`tcx`, netkit) are no filters and not seen here.

use super::dumps::{To, dumps, refuse};
use super::{Collector, Pace, Sink, Target};
use crate::bounded;
use crate::interface;
use crate::netlink::{Dump, Messages, ROUTE, Request, Socket};
use bondwitness_core::collection::{Form, Reading};
use std::borrow::Cow;
use std::io;
use std::time::Duration;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Snapshot, run };

const ID: &str = "filters";
const RTM_NEWTFILTER: u16 = 44;
const RTM_GETTFILTER: u16 = 46;
const LIMIT: Duration = Duration::from_secs(5);
const TO: To = To { collector: ID, file: "state/filters.pcapng", protocol: ROUTE };

/// Where filters hang (`include/uapi/linux/pkt_sched.h`), in the words of `tc`. `ingress` is the discipline of that name
/// alone; `clsact` answers the other two. An `ingress` discipline answers every minor number with its only list, so
/// that the second and third may be asked only where the first is empty.
const INGRESS: (&str, u32) = ("ingress", 0xffff_0000);
const CLSACT: [(&str, u32); 2] = [("clsact ingress", 0xffff_fff2), ("clsact egress", 0xffff_fff3)];
/// Filters of the root discipline.
const ROOT: (&str, u32) = ("root", 0);

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let devices: Vec<(String, u32)> = match bounded::call(ID, LIMIT, interface::list) {
        Ok(all) => target.stack(&all).iter().map(|i| (i.name.clone(), i.index)).collect(),
        Err(e) => return refuse(sink, TO, "RTM_GETTFILTER dump", &e),
    };
    for (dev, index) in devices {
        let found = bounded::call(ID, LIMIT, move || {
            let begun = crate::clock::begin();
            let mut socket = Socket::open(ROUTE)?;
            let mut all = Vec::new();
            for at in [ROOT, INGRESS] {
                all.push((at.0, socket.dump(&request(index, at.1), LIMIT)?));
            }
            if all.last().is_some_and(|(_, dump)| is_empty(dump)) {
                for at in CLSACT {
                    all.push((at.0, socket.dump(&request(index, at.1), LIMIT)?));
                }
            }
            Ok((all, begun.end()))
        });
        let source = |at: &str| format!("RTM_GETTFILTER {dev} {at}");
        match found {
            Ok((all, window)) => {
                for (at, dump) in all {
                    // An empty list is kept as well: that no filter hangs there is evidence.
                    for datagram in dump.datagrams {
                        sink.take(Reading {
                            file: TO.file.into(),
                            source: source(at).into(),
                            window,
                            form: Form::Netlink { protocol: ROUTE, datagram: Cow::Owned(datagram) },
                        })?;
                    }
                }
            }
            Err(e) => refuse(sink, TO, &source("dump"), &e)?,
        }
    }
    Ok(())
}

fn request(index: u32, parent: u32) -> Request {
    // struct tcmsg: family and padding, index, handle, parent, info.
    let header = [0, index, 0, parent, 0].map(u32::to_ne_bytes).concat();
    Request::dump(RTM_GETTFILTER).raw(&header)
}

fn is_empty(dump: &Dump) -> bool {
    !dump.datagrams.iter().any(|d| Messages(d).any(|m| m.kind == RTM_NEWTFILTER))
}

/// Chains: those that exist without a filter are listed by a request of their own.
pub(super) const CHAINS: Collector = Collector { id: "chains", pace: Pace::Snapshot, run: chains };

fn chains(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    const RTM_GETCHAIN: u16 = 102;
    let to = To { collector: "chains", file: TO.file, protocol: ROUTE };
    let mut requests = Vec::new();
    for dev in target.bonds.iter().chain(&target.members) {
        let Ok(index) = crate::packet::ifindex(dev) else { continue };
        for (at, parent) in CLSACT {
            let header = [0, index, 0, parent, 0].map(u32::to_ne_bytes).concat();
            requests.push((format!("RTM_GETCHAIN {dev} {at}"), Request::dump(RTM_GETCHAIN).raw(&header)));
        }
    }
    dumps(sink, to, requests)
}
