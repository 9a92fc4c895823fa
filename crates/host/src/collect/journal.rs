//! `journal`: what the kernel's ring has forgotten of this boot, and what the network managers did, from the journal.
//!
//! Only where `journalctl` is installed and there is a journal; bounded in entries, octets and time, since a journal may
//! hold gigabytes.

use super::program::{Bounds, hand_over};
use super::{Collector, Pace, Sink, Target, kernel_log};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Once, run };

const ID: &str = "journal";
/// 20 000 entries of the kernel as JSON are some 10 MB and take half a second of CPU.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), octets: 24 * 1024 * 1024 };
const FIELDS: &str = "--output-fields=MESSAGE,PRIORITY,_TRANSPORT,SYSLOG_IDENTIFIER,_COMM,_SYSTEMD_UNIT,_KERNEL_SUBSYSTEM,_UDEV_SYSNAME";

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    if !["/run/log/journal", "/var/log/journal"].iter().any(|p| Path::new(p).exists()) {
        return Ok(());
    }
    let common = ["journalctl", "--no-pager", "--quiet", "-b", "-o", "json", FIELDS];
    if kernel_log::is_incomplete() {
        let command = [&common[..], &["-k", "-n", "20000"]].concat();
        hand_over(sink, ID, "log/journal-kernel.json", &command, BOUNDS)?;
    }
    let managers = [
        "-n",
        "2000",
        "-u",
        "NetworkManager",
        "-u",
        "systemd-networkd",
        "-u",
        "networking",
        "-u",
        "ifup@*",
        "-u",
        "network",
        "-u",
        "wicked*",
        "-u",
        "teamd@*",
    ];
    let command = [&common[..], &managers].concat();
    hand_over(sink, ID, "log/journal-managers.json", &command, BOUNDS)
}
