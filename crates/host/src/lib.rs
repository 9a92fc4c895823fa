//! The only crate that touches Linux: files and folders today, live collectors in a later issue.
#![deny(unsafe_code)]

pub mod load;
pub mod save;
mod sys;
pub mod terminal;
pub mod usage;

pub use sys::{namespace, packet, priority};
