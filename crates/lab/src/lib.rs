//! The deterministic world: simulated hosts with bonds, cables, switches and faults, on a virtual clock.
//!
//! ```text
//! scenarios/*.toml ──draw(seed)──► Incident ──► world ──► Recording ──► render ──► files of an evidence folder
//!                                     │                                             (the verdict gets these)
//!                                     └──► the kernel lab runs the same incident on real kernels
//! ```
//!
//! The truth of an incident, and what its evidence can decide, is declared in the scenario. This crate knows
//! nothing of the code that judges.
#![forbid(unsafe_code)]

pub mod catalog;
pub mod compare;
pub mod fault;
pub mod incident;
pub mod recording;
pub mod render;
pub mod scenario;
pub mod view;
pub mod world;

/// What a run of an incident leaves behind.
#[derive(Debug, Clone)]
pub struct Run {
    /// The files of the evidence folder, by path.
    pub files: std::collections::BTreeMap<String, Vec<u8>>,
    /// Every transition of the host's ports, for comparison with a real kernel.
    pub transitions: Vec<world::Transition>,
}

/// Runs an incident and renders what survives of its evidence.
#[must_use]
pub fn run(incident: &incident::Incident) -> Run {
    let (recording, transitions) = world::run(incident);
    Run { files: render::evidence(&recording, incident), transitions }
}
