//! `proc-bonding`: `/proc/net/bonding/BOND`. The only place with each member's partner identity and churn counts.
//!
//! Without `CAP_NET_ADMIN` in the initial user namespace the kernel leaves the details out without a word
//! (`drivers/net/bonding/bond_procfs.c`, `bond_info_show_slave()`): whoever reads must know the capabilities, which
//! `case.json` lists.

use super::files::hand_over_proc_net;
use super::{Collector, Pace, Sink, Target};
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Sample, run };

const ID: &str = "proc-bonding";

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    for bond in &target.bonds {
        hand_over_proc_net(sink, ID, "state/proc-bonding.txt", &format!("bonding/{bond}"))?;
    }
    Ok(())
}
