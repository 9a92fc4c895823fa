//! `group-addresses` and `multicast`: which group addresses each interface listens to, of the link layer and above.
//!
//! A member of an 802.3ad bond must listen to `01:80:c2:00:00:02`; whether it did while its partner was not heard is told
//! by a reading of that time only. The kernel lists all interfaces of the namespace or none (`dev_mc_seq_show()` in
//! net/core/dev_addr_lists.c), so a host with hundreds of them is read at the begin and at the end only.

use super::files::{hand_over_proc_net, proc_net, timed};
use super::{Collector, Pace, Sink, Target, text};
use std::io;

/// The link layer's, in every sample where the list is short.
pub(super) const SAMPLE: Collector = Collector { id: "group-addresses", pace: Pace::Sample, run: sample };
/// Those of the layers above, and a long list of the link layer's.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Snapshot, run };

const ID: &str = "multicast";
const FILE: &str = "state/dev_mcast.txt";
const SOURCE: &str = "/proc/net/dev_mcast";
/// Octets of a short list: some 300 addresses.
const SHORT: usize = 16 * 1024;

fn sample(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    match timed(&proc_net("dev_mcast")) {
        (window, Ok(bytes)) if bytes.len() <= SHORT => text(sink, ID, FILE, SOURCE, window, Ok(bytes)),
        _ => Ok(()),
    }
}

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    match timed(&proc_net("dev_mcast")) {
        (_, Ok(bytes)) if bytes.len() <= SHORT => {}
        (window, read) => text(sink, ID, FILE, SOURCE, window, read)?,
    }
    for name in ["igmp", "igmp6"] {
        hand_over_proc_net(sink, ID, &format!("state/{name}.txt"), name)?;
    }
    Ok(())
}
