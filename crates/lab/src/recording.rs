//! What was recorded of an incident, before it is put into the shapes of tools.

use crate::view::{Frame, HostView, LinkEvent, LogLine};

/// Everything that was seen of one incident. Which part of it becomes a file is decided by
/// [`Evidence`](crate::incident::Evidence), in [`render`](crate::render).
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// The host at the snapshots.
    pub views: Vec<HostView>,
    /// A Linux far end at the snapshots; its `wall_ns` is read from its own clock. Empty for a switch.
    pub far_views: Vec<HostView>,
    /// What taps on the host's members saw.
    pub frames: Vec<Frame>,
    /// What taps on the far end's members saw, with times of the same true clock as `frames`; the renderer adds
    /// how far the far end's clock is ahead.
    pub far_frames: Vec<Frame>,
    /// The host's kernel log.
    pub log: Vec<LogLine>,
    /// What `ip monitor link` on the host printed.
    pub link_events: Vec<LinkEvent>,
    /// Unix nanoseconds of the host's clock at [`Time::ZERO`](lacp::machine::Time::ZERO).
    pub wall0_ns: i64,
    /// Nanoseconds since boot at [`Time::ZERO`](lacp::machine::Time::ZERO).
    pub boot0_ns: u64,
}
