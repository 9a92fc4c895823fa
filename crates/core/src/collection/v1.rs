//! `case.json`, schema `bondwitness/collection/v1`: what no file of a collection says of itself.
//!
//! Frozen once released: fields are added, never renamed; a reader ignores what it does not know.

use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "bondwitness/collection/v1";
/// The name of the file in the case.
pub const FILE: &str = "case.json";

/// One collection of evidence on one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the program that collected.
    pub tool: String,
    /// What was typed, without the program's path.
    pub command: Vec<String>,
    /// The host.
    pub host: Host,
    /// Readings of the clocks, in the order they were taken: one at the begin, one at the end.
    pub clocks: Vec<Clocks>,
    /// The bonds that were asked for or found.
    pub bonds: Vec<Bond>,
    /// Effective capabilities of the collecting process, in the kernel's names (`CAP_NET_RAW`).
    pub capabilities: Vec<String>,
    /// What was taken from the process that parsed, by the names of `docs/privileges.md`.
    #[serde(default)]
    pub lockdown: Vec<String>,
    /// What could not be read, and why.
    pub failures: Vec<Failure>,
    /// What each capture counted.
    pub captures: Vec<Capture>,
    /// Streams other than captures that lost something, with what they counted.
    pub losses: Vec<Loss>,
}

/// The host that was collected on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name (`/proc/sys/kernel/hostname`).
    pub hostname: String,
    /// Kernel release (`uname -r`).
    pub kernel: String,
    /// Kernel version (`uname -v`).
    #[serde(default)]
    pub version: String,
    /// Machine (`uname -m`).
    #[serde(default)]
    pub machine: String,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// The network namespace, as `net:[inode]`.
    #[serde(default)]
    pub netns: String,
}

/// The clocks, read one right after another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// `CLOCK_REALTIME`, nanoseconds since 1970.
    pub real_ns: i64,
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub monotonic_ns: i64,
    /// `CLOCK_BOOTTIME`, nanoseconds since boot, sleep included.
    pub boot_ns: i64,
    /// How long it took to read the three: the uncertainty of their offsets, nanoseconds.
    pub within_ns: i64,
}

/// A bond that was collected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bond {
    /// Its name.
    pub name: String,
    /// Its members at the begin, in the kernel's order.
    pub members: Vec<String>,
}

/// Why something could not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The process may not (`EPERM`, `EACCES`), or the kernel leaves out what only the privileged may see.
    NoPrivilege,
    /// This kernel, driver or host has no such thing (`ENOENT`, `EOPNOTSUPP`, `ENODEV`).
    #[default]
    Absent,
    /// It did not answer in time.
    Timeout,
    /// It was there and is gone (an overrun buffer, an interrupted dump).
    Lost,
}

impl Cause {
    /// As `gaps[].why` of the verdict says it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoPrivilege => "no privilege",
            Self::Absent => "absent",
            Self::Timeout => "timeout",
            Self::Lost => "lost",
        }
    }
}

/// Something that could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Failure {
    /// What was asked: the words of the reading's source.
    pub source: String,
    /// Which collector asked (`kernel-log`, `module-eeprom`): what it matters for depends on it.
    pub collector: String,
    /// Why there is nothing.
    pub why: Cause,
    /// The system's words.
    pub detail: String,
    /// How many readings failed this way.
    pub times: u64,
}

/// What one capture counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The interface.
    pub dev: String,
    /// Its index.
    pub ifindex: u32,
    /// The file in the case.
    pub file: String,
    /// When it began and ended, `CLOCK_REALTIME`.
    pub from_ns: i64,
    /// See `from_ns`.
    pub to_ns: i64,
    /// Frames that passed the filter, lost ones included (`tp_packets`).
    pub seen: u64,
    /// Frames that were lost because the ring or socket was full (`tp_drops`).
    pub lost: u64,
    /// Frames in the file.
    pub stored: u64,
    /// Whether sent frames were captured too.
    pub outgoing: bool,
    /// Whether the slow-protocols group was joined for the capture because nothing else had joined it.
    #[serde(default)]
    pub joined: bool,
}

/// What a stream lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// `kernel log`, `rtnetlink events`, ...
    pub stream: String,
    /// How many records are known to be missing; none where only the fact is known.
    pub count: Option<u64>,
    /// The system's words.
    pub detail: String,
}
