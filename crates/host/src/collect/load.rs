//! `softnet`, `pressure`, `cpu`, `softirqs`, `interrupts`: how busy the host is with receiving, and with everything else.

use super::files::{hand_over, hand_over_proc_net};
use super::{Collector, Pace, Sink, Target};
use std::io;

/// What each CPU's receive softirq did, and what it dropped.
pub(super) const SOFTNET: Collector = Collector { id: "softnet", pace: Pace::Sample, run: softnet };
/// How long tasks waited for CPU. Not there if the kernel was started without it (`psi=0`).
pub(super) const PRESSURE: Collector = Collector { id: "pressure", pace: Pace::Sample, run: pressure };
/// How long they waited for memory and disks: of an LACPDU that is late, these can only be a cause by way of the CPU.
pub(super) const PRESSURES: Collector = Collector { id: "pressures", pace: Pace::Snapshot, run: pressures };
/// CPU times and load.
pub(super) const CPU: Collector = Collector { id: "cpu", pace: Pace::Snapshot, run: cpu };
/// Softirqs per CPU.
pub(super) const SOFTIRQS: Collector = Collector { id: "softirqs", pace: Pace::Snapshot, run: softirqs };
/// Interrupts per CPU.
pub(super) const INTERRUPTS: Collector =
    Collector { id: "interrupts", pace: Pace::Snapshot, run: interrupts };

fn softnet(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    hand_over_proc_net(sink, "softnet", "state/softnet_stat.txt", "softnet_stat")
}

fn pressure(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    hand_over(sink, "pressure", "state/pressure.txt", "/proc/pressure/cpu")
}

fn pressures(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    for resource in ["io", "memory"] {
        hand_over(sink, "pressure", "state/pressure.txt", &format!("/proc/pressure/{resource}"))?;
    }
    Ok(())
}

fn cpu(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    hand_over(sink, "cpu", "state/stat.txt", "/proc/stat")?;
    hand_over(sink, "cpu", "state/loadavg.txt", "/proc/loadavg")
}

fn softirqs(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    hand_over(sink, "softirqs", "state/softirqs.txt", "/proc/softirqs")
}

fn interrupts(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    hand_over(sink, "interrupts", "state/interrupts.txt", "/proc/interrupts")
}
