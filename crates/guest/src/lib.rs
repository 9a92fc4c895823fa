//! The driver inside the guest of the real-kernel lab (`cargo xtask vm`).
//!
//! A boot runs many incidents side by side: each has a namespace for the host, one for the wires and one or two for the
//! far end. Faults come at their planned times on the guest's clock, evidence is recorded as an administrator or this
//! program would record it, and everything goes out as one tar on a disk.
//!
//! The processor is emulated and the guest's clock counts its instructions: what costs a process elsewhere costs much
//! here. So files of `/proc` and `/sys` are read in-process by one thread, frames are taken from our own packet sockets,
//! and programs are started only for what they alone can do.
#![forbid(unsafe_code)]

pub mod bench_plan;
pub mod path_trial;
pub mod plan;
pub mod support;
