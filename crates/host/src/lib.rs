//! The only crate that touches Linux: files, folders and archives, and collectors on a running host.
#![deny(unsafe_code)]

pub mod apply;
mod bounded;
pub mod collect;
pub mod doctor;
pub mod load;
pub mod lockdown;
pub mod notify;
pub mod privilege;
pub mod random;
pub mod reconcile;
pub mod rival;
pub mod save;
pub mod sensor;
mod sys;
pub mod terminal;
pub mod usage;

pub use sys::{
    bpf, bpf_load, clock, ethtool, interface, kmsg, namespace, netlink, packet, poll, priority, signal,
};
