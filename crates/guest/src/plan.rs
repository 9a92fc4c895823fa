//! What one boot of the guest does. Written by `cargo xtask vm`, read by the guest; nothing else reads it.

use crate::bench_plan::Bench;
use crate::path_trial::PathTrial;
use bondwitness_lab::incident::Incident;
use serde::{Deserialize, Serialize};

/// One boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Milliseconds between the starts of two incidents: their snapshots must not fall together.
    pub stagger_ms: u64,
    /// The program itself collects and judges on the host, in place of the commands that people paste the output of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// Side by side, in namespaces of their own.
    pub runs: Vec<Run>,
    /// Trials of the transmit path, one after the other, before the incidents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathTrial>,
    /// Measurements, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench: Option<Bench>,
}

/// An incident of a boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The name of its folder.
    pub name: String,
    /// With [`Plan::own`]: `diagnose`, which also gives the verdict in the guest; else `collect`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub diagnose: bool,
    /// What is done. The guest gives the interfaces names of its own, by their place: [`member_name`].
    pub incident: Incident,
}

/// The name that member `member` has in incident `run` of a boot. All incidents share one kernel log, so no name
/// occurs twice.
#[must_use]
pub fn member_name(run: usize, member: usize) -> String {
    format!("ens{run}f{member}")
}
