//! `multicast`: which group addresses each interface listens to, of the link layer and above.
//!
//! A member of an 802.3ad bond must listen to `01:80:c2:00:00:02`.

use super::files::hand_over_proc_net;
use super::{Collector, Pace, Sink, Target};
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Snapshot, run };

const ID: &str = "multicast";

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    for name in ["dev_mcast", "igmp", "igmp6"] {
        hand_over_proc_net(sink, ID, &format!("state/{name}.txt"), name)?;
    }
    Ok(())
}
