//! The deterministic world: simulated hosts, cables, switches and faults (a later issue builds it).
//!
//! The crate exists from the first day so that the dependency rule "lab knows core and lacp, and neither
//! knows lab" is held by the compiler from the first day.
#![forbid(unsafe_code)]
