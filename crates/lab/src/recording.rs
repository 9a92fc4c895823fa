//! What was recorded of an incident, before it is rendered into files.

use crate::view::{Frame, HostView, LinkEvent, LogLine};

/// Everything that the taps, the readers and the log saw.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// The host at its snapshots, in order of time.
    pub views: Vec<HostView>,
    /// A Linux far end at the same moments.
    pub far_views: Vec<HostView>,
    /// Frames at the taps of the host's members, in order of time.
    pub frames: Vec<Frame>,
    /// Frames at the taps of the far end's ports.
    pub far_frames: Vec<Frame>,
    /// The kernel log, in order of time.
    pub log: Vec<LogLine>,
    /// Changes of members that netlink announced.
    pub link_events: Vec<LinkEvent>,
    /// Unix nanoseconds at the opening of the bond.
    pub wall0_ns: i64,
    /// Nanoseconds since boot at the opening of the bond.
    pub boot0_ns: u64,
}
