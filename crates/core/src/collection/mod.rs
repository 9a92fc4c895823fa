//! Live evidence: readings as a sensor hands them over, and the files of the case that they become (ADR 0007).

pub mod facts;
pub mod spool;
pub mod v1;

pub use spool::Spool;

use crate::evidence::Direction;
use std::borrow::Cow;

/// The folder of a collection that its readings of state lie in.
pub const STATE: &str = "state/";
/// The listing of all interfaces: it tells which name has which index in the other files of [`STATE`].
pub const LINKS: &str = "state/links.pcapng";

/// When something was read: an interval, since no reading is instantaneous.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// Before the first system call, `CLOCK_MONOTONIC`, nanoseconds.
    pub begin_ns: i64,
    /// After the last one.
    pub end_ns: i64,
    /// `CLOCK_REALTIME` in the middle of the two, nanoseconds since 1970; of a frame, the kernel's time stamp.
    pub real_ns: i64,
}

/// What a reading brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form<'a> {
    /// Text as the kernel printed it.
    Text(Cow<'a, [u8]>),
    /// One datagram of a netlink socket as it was received.
    Netlink {
        /// 0 for rtnetlink, 16 for generic netlink.
        protocol: u16,
        /// The messages in it, host byte order.
        datagram: Cow<'a, [u8]>,
    },
    /// A frame of a member.
    Frame {
        /// The interface.
        dev: Cow<'a, str>,
        /// Which way it went.
        direction: Direction,
        /// Its length on the wire, without frame check sequence.
        length: u32,
        /// Its octets from the destination address on, perhaps cut.
        bytes: Cow<'a, [u8]>,
    },
    /// Nothing.
    Failed {
        /// Which collector asked, in kebab-case.
        collector: Cow<'a, str>,
        /// Why.
        why: v1::Cause,
        /// The system's words.
        detail: Cow<'a, str>,
    },
}

/// Raw bytes, with where they are from and when they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// The file of the case that they are appended to: `state/links.pcapng`. Readings of one file have one form.
    pub file: Cow<'a, str>,
    /// Where they are from, in words that a reader can follow: a path, `RTM_GETLINK dump`, `ethtool -S eno1`.
    pub source: Cow<'a, str>,
    /// When.
    pub window: Window,
    /// What.
    pub form: Form<'a>,
}
