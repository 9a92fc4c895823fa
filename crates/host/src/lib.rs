//! The only crate that touches Linux: files, folders and archives, and collectors on a running host.
#![deny(unsafe_code)]

pub mod apply;
pub mod collect;
pub mod load;
pub mod notify;
pub mod reconcile;
pub mod rival;
pub mod save;
mod sys;
pub mod terminal;
pub mod usage;

pub use sys::{clock, namespace, packet, priority};
