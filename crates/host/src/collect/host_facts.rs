//! `host-facts`: kernel, distribution, time since boot, and the version of the bonding module.

use super::files::hand_over;
use super::{Collector, Pace, Sink, Target, text};
use std::io;
use std::path::Path;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Once, run };

const ID: &str = "host-facts";

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    hand_over(sink, ID, "host/version.txt", "/proc/version")?;
    hand_over(sink, ID, "host/uptime.txt", "/proc/uptime")?;
    // Not there on a host without a distribution, or in an image with nothing but this program.
    if Path::new("/etc/os-release").exists() {
        hand_over(sink, ID, "host/os-release.txt", "/etc/os-release")?;
    }
    // A module built outside of the kernel's tree says so by its version, and is tainted in the list of modules.
    for name in ["version", "srcversion"] {
        let path = format!("/sys/module/bonding/{name}");
        if Path::new(&path).exists() {
            hand_over(sink, ID, "host/bonding-module.txt", &path)?;
        }
    }
    let list = Path::new("/proc/modules");
    if !list.exists() {
        // A kernel without modules.
        return Ok(());
    }
    let (window, modules) = super::files::timed(list);
    // The list of all modules says more about a host than is needed. Built into the kernel, it is in no list.
    let line = modules
        .map(|all| all.split(|b| *b == b'\n').find(|l| l.starts_with(b"bonding ")).map(<[u8]>::to_vec))
        .transpose();
    match line {
        Some(line) => text(sink, ID, "host/bonding-module.txt", "grep ^bonding /proc/modules", window, line),
        None => Ok(()),
    }
}
