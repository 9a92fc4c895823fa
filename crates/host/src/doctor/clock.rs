//! The clocks and the kernel log: what ties a frame to a log line.

use super::{line, text};
use crate::sys::{clock as kernel_clock, kmsg, probe};
use bondwitness_core::collection::v1::Clocks;
use std::path::Path;

/// The state of the clocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock {
    /// Wall clock, monotonic clock and boot time, read one right after another.
    pub now: Clocks,
    /// Whether something keeps the wall clock synchronised; none if the kernel did not say.
    pub synchronised: Option<bool>,
    /// The bound of its error that the kernel knows, microseconds; grows without synchronisation.
    pub max_error_us: i64,
    /// Which service seems to do it.
    pub service: Option<&'static str>,
    /// What drives the clocks: `tsc`, `kvm-clock`.
    pub source: Option<String>,
    /// Whether this process sees shifted monotonic and boot clocks (a time namespace): then the kernel log's times are
    /// not the ones that this process reads.
    pub shifted: bool,
}

/// The state of the kernel log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KernelLog {
    /// The size of its ring, bytes.
    pub ring_bytes: Option<u64>,
    /// How many records since boot are overwritten: the number of the oldest one that is left.
    pub overwritten: Option<u64>,
    /// `kernel.dmesg_restrict`: whether reading needs `CAP_SYSLOG`.
    pub restricted: Option<bool>,
}

/// What the services leave behind while they run.
const SERVICES: &[(&str, &str)] = &[
    ("/run/chrony/chronyd.pid", "chrony"),
    ("/run/chronyd.pid", "chrony"),
    ("/run/ntpsec", "ntpsec"),
    ("/run/ntpd.pid", "ntpd"),
    ("/run/ntp/ntpd.pid", "ntpd"),
    ("/run/timemaster", "timemaster"),
    ("/run/systemd/timesync/synchronized", "systemd-timesyncd"),
];

pub(super) fn clock() -> Clock {
    let discipline = probe::discipline().ok();
    let offsets = text("/proc/self/timens_offsets").unwrap_or_default();
    Clock {
        now: kernel_clock::clocks(),
        synchronised: discipline.map(|d| d.synchronised),
        max_error_us: discipline.map_or(0, |d| d.max_error_us),
        service: SERVICES.iter().find(|(path, _)| Path::new(path).exists()).map(|(_, name)| *name),
        source: line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        shifted: offsets.lines().any(|l| l.split_whitespace().skip(1).any(|n| n != "0")),
    }
}

pub(super) fn kernel_log() -> KernelLog {
    // Reading one record tells how many are gone before it.
    let oldest = kmsg::KernelLog::open().and_then(|mut log| log.take(1)).ok();
    KernelLog {
        ring_bytes: probe::kernel_log_size().ok(),
        overwritten: oldest.filter(|taken| taken.records > 0).map(|taken| taken.missing),
        restricted: line("/proc/sys/kernel/dmesg_restrict").map(|v| v != "0"),
    }
}
