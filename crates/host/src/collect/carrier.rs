//! `carrier`: whether each bond and member has a carrier and how often it came and went, from sysfs, at the begin and at
//! the end. In between, `links` has the same numbers in its listing (`IFLA_CARRIER*`, `IFLA_OPERSTATE`).
//!
//! The counts are those of the kernel since the interface was made (`net/sched/sch_generic.c`, `netif_carrier_on()` and
//! `_off()`), not of the driver: a link that bounces faster than the driver looks is not in them.

use super::files::{foreign_sysfs, grep};
use super::{Collector, Pace, Sink, Target, text};
use crate::interface::sysfs_is_ours;
use std::io;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Snapshot, run };

const ID: &str = "carrier";
const FILES: [&str; 5] =
    ["carrier", "carrier_changes", "carrier_down_count", "carrier_up_count", "operstate"];

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let devices: Vec<&String> = target.bonds.iter().chain(&target.members).collect();
    if devices.is_empty() {
        return Ok(());
    }
    let (window, bytes) = if sysfs_is_ours() {
        let paths: Vec<String> = devices
            .iter()
            .flat_map(|d| FILES.iter().map(move |f| format!("/sys/class/net/{d}/{f}")))
            .collect();
        let (window, bytes) = grep(&paths);
        (window, Ok(bytes))
    } else {
        (crate::clock::begin().end(), Err(foreign_sysfs()))
    };
    text(sink, ID, "state/carrier.txt", "grep -H . /sys/class/net/*/carrier*", window, bytes)
}
