//! What `cargo xtask bench live` has a guest measure, and what the guest answers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the guest writes its answers, in the tar on its disk: one JSON object per line.
pub const ROWS: &str = "rows.jsonl";

/// What one boot measures, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bench {
    /// Snapshots of a bond with so many members, against the shell.
    pub snapshots: Vec<usize>,
    /// An idle window of a bond with so many members, against `tcpdump` and `dumpcap`.
    pub idle: Vec<usize>,
    /// Bundles of a minute of a bond with so many members.
    pub bundles: Vec<usize>,
    /// A bundle without a window of a bond with so many members, against `sos report`.
    pub sos: Vec<usize>,
    /// Storms.
    pub storms: Vec<Storm>,
}

/// LACPDUs far above what any standard asks for, beside other traffic, on a bond of two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storm {
    /// The name of its bundle.
    pub name: String,
    /// LACPDUs for each second and member that the far end sends.
    pub received: u32,
    /// LACPDUs for each second and member that the host sends.
    pub sent: u32,
    /// Whether the far end sends other frames as fast as the processor allows.
    pub saturated: bool,
    /// The collecting process is stopped for so many milliseconds in the middle: its sockets overflow.
    pub stopped_ms: u64,
    /// Seconds.
    pub seconds: u64,
}

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which part of the plan: `snapshot`, `idle`, `bundle`, `sos`, `storm`.
    pub part: String,
    /// How many members the bond has, or the name of the storm.
    pub of: String,
    /// What was measured.
    pub label: String,
    /// User and system time, nanoseconds of the guest: instructions.
    pub cpu_ns: i64,
    /// From begin to end, nanoseconds of the guest.
    pub wall_ns: i64,
    /// Anything else, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, i64>,
}
