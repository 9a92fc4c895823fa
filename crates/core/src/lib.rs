//! Evidence in, verdict out. Pure: no files, no sockets, no processes, no environment, no threads, no clock.
#![forbid(unsafe_code)]

pub mod evidence;
pub mod parse;
pub mod units;
