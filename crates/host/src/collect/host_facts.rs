//! `host-facts`: kernel, distribution, name, boot, and the version of the bonding module.

use super::files::hand_over;
use super::{Collector, Pace, Sink, Target, text};
use std::io;
use std::path::Path;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Once, run };

const ID: &str = "host-facts";

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    for (file, path) in [
        ("host/version.txt", "/proc/version"),
        ("host/cmdline.txt", "/proc/cmdline"),
        ("host/hostname.txt", "/proc/sys/kernel/hostname"),
        ("host/boot_id.txt", "/proc/sys/kernel/random/boot_id"),
        ("host/uptime.txt", "/proc/uptime"),
    ] {
        hand_over(sink, ID, file, path)?;
    }
    // Both are there only where a distribution and a loaded module are: not having them is no failure.
    for (file, path) in [
        ("host/os-release.txt", "/etc/os-release"),
        ("host/bonding-version.txt", "/sys/module/bonding/version"),
        ("host/bonding-srcversion.txt", "/sys/module/bonding/srcversion"),
    ] {
        if Path::new(path).exists() {
            hand_over(sink, ID, file, path)?;
        }
    }
    let (window, modules) = super::files::timed(Path::new("/proc/modules"));
    // The list of all modules says more about a host than is needed.
    let modules = modules.map(|all| {
        let bonding = all.split(|b| *b == b'\n').filter(|l| l.starts_with(b"bonding "));
        bonding.collect::<Vec<_>>().join(&b'\n')
    });
    text(sink, ID, "host/modules.txt", "grep ^bonding /proc/modules", window, modules)
}
