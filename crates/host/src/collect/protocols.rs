//! `snmp` and `netstat`: the counters of IP, TCP and UDP of the namespace.

use super::files::hand_over_proc_net;
use super::{Collector, Pace, Sink, Target};
use std::io;

/// `/proc/net/snmp`.
pub(super) const SNMP: Collector = Collector { id: "snmp", pace: Pace::Snapshot, run: snmp };
/// `/proc/net/netstat` and `/proc/net/snmp6`.
pub(super) const NETSTAT: Collector = Collector { id: "netstat", pace: Pace::Snapshot, run: netstat };

fn snmp(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    hand_over_proc_net(sink, "snmp", "state/snmp.txt", "snmp")
}

fn netstat(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    hand_over_proc_net(sink, "netstat", "state/netstat.txt", "netstat")?;
    // Not there on a host without IPv6.
    if super::files::proc_net("snmp6").exists() {
        hand_over_proc_net(sink, "netstat", "state/snmp6.txt", "snmp6")?;
    }
    Ok(())
}
