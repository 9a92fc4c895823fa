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
pub mod fault;
pub mod incident;
pub mod recording;
pub mod render;
pub mod view;
pub mod world;
