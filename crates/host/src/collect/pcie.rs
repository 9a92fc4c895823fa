//! `pcie`: what the bus of each member counted and how its link is set, from sysfs: errors (AER) of the adapter and of the
//! port above it, speed and width, power saving.

use super::files::{foreign_sysfs, grep};
use super::{Collector, Pace, Sink, Target, text};
use crate::interface::sysfs_is_ours;
use std::io;
use std::path::Path;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Snapshot, run };

const ID: &str = "pcie";
const FILE: &str = "state/pcie.txt";
const FILES: [&str; 14] = [
    "aer_dev_correctable",
    "aer_dev_fatal",
    "aer_dev_nonfatal",
    "current_link_speed",
    "current_link_width",
    "max_link_speed",
    "max_link_width",
    "link/l0s_aspm",
    "link/l1_aspm",
    "power/control",
    "power/runtime_status",
    "numa_node",
    "vendor",
    "device",
];
const ABOVE: [&str; 6] = [
    "aer_dev_correctable",
    "aer_dev_fatal",
    "aer_dev_nonfatal",
    "aer_rootport_total_err_cor",
    "aer_rootport_total_err_fatal",
    "aer_rootport_total_err_nonfatal",
];

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    if !sysfs_is_ours() {
        let now = crate::clock::begin().end();
        return text(sink, ID, FILE, "grep -H . /sys/class/net/*/device/*", now, Err(foreign_sysfs()));
    }
    for dev in &target.members {
        let folder = format!("/sys/class/net/{dev}/device");
        // Virtual interfaces have no device, those of USB or a platform no link of this kind.
        let bus = std::fs::read_link(format!("{folder}/subsystem")).unwrap_or_default();
        if bus.file_name().is_none_or(|n| n != "pci") {
            continue;
        }
        let own = FILES.iter().map(|f| format!("{folder}/{f}"));
        let above = ABOVE.iter().map(|f| format!("{folder}/../{f}"));
        let (window, bytes) = grep(&own.chain(above).collect::<Vec<_>>());
        text(sink, ID, FILE, &format!("grep -H . {folder}/*"), window, Ok(bytes))?;
    }
    let policy = "/sys/module/pcie_aspm/parameters/policy";
    if Path::new(policy).exists() {
        super::files::hand_over(sink, ID, "host/pcie-aspm.txt", policy)?;
    }
    Ok(())
}
