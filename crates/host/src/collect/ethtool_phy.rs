//! `ethtool-phy`: the counters of each member's PHY driver, printed as `ethtool --phy-statistics` prints them. Only some
//! copper PHYs that the kernel drives itself have any.

use super::ethtool_stats::{How, counters};
use super::{Collector, Pace, Sink, Target};
use crate::ethtool::Counters;
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: "ethtool-phy", pace: Pace::Snapshot, run };

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let how =
        How { collector: "ethtool-phy", file: "state/ethtool-phy.txt", of: Counters::Phy, optional: true };
    let source = |dev: &str| format!("ethtool --phy-statistics {dev} (ETHTOOL_GPHYSTATS)");
    counters(&target.members, sink, how, source, "PHY statistics:").map(drop)
}
