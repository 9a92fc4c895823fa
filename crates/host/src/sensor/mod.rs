//! The sensor: the process that has the capabilities. It opens sockets and files, hands raw readings to the judge through
//! a pipe, and stores what the judge gives back. It parses no evidence (ADR 0007).

pub mod bonds;
pub mod events;
mod facts;
pub mod session;
pub mod stream;
pub mod taps;

pub use session::{Control, Plan, run};
