//! Collectors: one file each. They save raw bytes with where and when they were read, and never parse.
//!
//! Reading never changes the host: no promiscuous mode, no counter is reset, no module is loaded, and whatever may block
//! (a driver's EEPROM, a firmware command) is bounded by a time limit.

mod addresses;
mod carrier;
mod dumps;
mod ethtool_driver;
mod ethtool_phy;
mod ethtool_settings;
mod ethtool_stats;
mod files;
mod filters;
mod host_facts;
mod journal;
mod kernel_log;
mod links;
mod lldp;
mod load;
mod managers;
mod module_eeprom;
mod multicast;
mod pcie;
mod proc_bonding;
mod program;
mod programs;
mod protocols;
mod qdiscs;
mod stats;
mod sysfs_bonding;
mod time_source;

use crate::interface::{self, Interface};
use bondwitness_core::collection::{Form, Reading, Window, v1};
use std::borrow::Cow;
use std::io;

/// What is collected from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The bonds, by name.
    pub bonds: Vec<String>,
    /// The members of all of them, by name, without repetition.
    pub members: Vec<String>,
    /// The interface whose frames are followed, if that is what is asked for.
    pub path: Option<String>,
}

impl Target {
    /// The interfaces at which something may be hung that drops frames: those on the way of the interface that is followed,
    /// or else all of which a frame may come to the bonds or members.
    fn stack<'a>(&self, all: &'a [Interface]) -> Vec<&'a Interface> {
        match &self.path {
            Some(name) => interface::below(all, name),
            None => {
                let names: Vec<String> = self.bonds.iter().chain(&self.members).cloned().collect();
                interface::stack(all, &names)
            }
        }
    }
}

/// Takes readings.
pub trait Sink {
    /// Takes one reading.
    ///
    /// # Errors
    ///
    /// If whoever takes the readings is gone: then there is no point in going on.
    fn take(&mut self, reading: Reading<'_>) -> io::Result<()>;
}

/// When a collector is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// In every sample, once a second: states and counters that are tied to gaps.
    Sample,
    /// At the begin and at the end: what rarely changes or is costly.
    Snapshot,
    /// Once, at the begin.
    Once,
}

/// One collector.
#[derive(Debug, Clone, Copy)]
pub struct Collector {
    /// Its name in kebab-case: `proc-bonding`.
    pub id: &'static str,
    /// How often.
    pub pace: Pace,
    /// Reads, and hands over what was read. Failures to read are readings too ([`Form::Failed`]).
    pub run: fn(&Target, &mut dyn Sink) -> io::Result<()>,
}

/// All collectors, in the order in which they run: the most volatile first.
pub const COLLECTORS: &[Collector] = &[
    links::COLLECTOR,
    stats::COLLECTOR,
    proc_bonding::COLLECTOR,
    ethtool_stats::COLLECTOR,
    carrier::COLLECTOR,
    multicast::SAMPLE,
    load::SOFTNET,
    protocols::SNMP,
    load::PRESSURE,
    kernel_log::COLLECTOR,
    qdiscs::COLLECTOR,
    load::CPU,
    load::SOFTIRQS,
    load::INTERRUPTS,
    protocols::NETSTAT,
    sysfs_bonding::COLLECTOR,
    filters::COLLECTOR,
    filters::CHAINS,
    programs::BPF,
    programs::NFTABLES,
    multicast::COLLECTOR,
    addresses::ADDRESSES,
    addresses::NEIGHBOURS,
    pcie::COLLECTOR,
    ethtool_settings::COLLECTOR,
    ethtool_phy::COLLECTOR,
    host_facts::COLLECTOR,
    ethtool_driver::COLLECTOR,
    time_source::COLLECTOR,
    managers::COLLECTOR,
    lldp::COLLECTOR,
    journal::COLLECTOR,
    // Last: it may hold locks that others wait for.
    module_eeprom::COLLECTOR,
];

/// Runs all collectors that are due: those of `pace` and those that are called more often. [`Pace::Once`] runs all and
/// begins anew what goes on from one reading to the next (the kernel log).
///
/// The readings are of the network namespace of the calling thread, which must be the same for a whole collection.
///
/// # Errors
///
/// As for [`Sink::take`]. What cannot be read is a reading.
pub fn run(pace: Pace, target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    if pace == Pace::Once {
        kernel_log::begin_anew();
    }
    for collector in COLLECTORS.iter().filter(|c| c.pace <= pace) {
        (collector.run)(target, sink)?;
    }
    Ok(())
}

/// Hands over text that a call returned, or why it returned none.
///
/// # Errors
///
/// As for [`Sink::take`].
pub fn text(
    sink: &mut dyn Sink,
    collector: &'static str,
    file: &str,
    source: &str,
    window: Window,
    read: io::Result<Vec<u8>>,
) -> io::Result<()> {
    let form = match read {
        Ok(bytes) => Form::Text(Cow::Owned(bytes)),
        Err(e) => failed(collector, &e),
    };
    sink.take(Reading { file: file.into(), source: source.into(), window, form })
}

/// A failure in words.
#[must_use]
pub fn failed(collector: &'static str, error: &io::Error) -> Form<'static> {
    let why = match error.kind() {
        io::ErrorKind::PermissionDenied => v1::Cause::NoPrivilege,
        io::ErrorKind::TimedOut => v1::Cause::Timeout,
        // Answers that were overrun or kept changing; see `netlink::Socket::dump` and `ethtool::Ethtool::counters`.
        io::ErrorKind::Interrupted => v1::Cause::Lost,
        _ => v1::Cause::Absent,
    };
    Form::Failed { collector: collector.into(), why, detail: error.to_string().into() }
}
