//! The only crate that touches Linux: files, folders and archives, and collectors on a running host.
#![deny(unsafe_code)]

pub mod collect;
pub mod doctor;
pub mod load;
pub mod lockdown;
pub mod privilege;
pub mod save;
mod sys;
pub mod terminal;
pub mod usage;

pub use sys::{clock, namespace, packet, priority};
