//! The only crate that touches Linux: files, folders and archives, and collectors on a running host.
#![deny(unsafe_code)]

mod bounded;
pub mod collect;
pub mod load;
pub mod save;
pub mod sensor;
mod sys;
pub mod terminal;
pub mod usage;

pub use sys::{bpf, clock, ethtool, interface, kmsg, namespace, netlink, packet, poll, priority, signal};
