//! The options of a bond and the state of its members as sysfs shows them: `bonding/*` and `bonding_slave/*`.
//!
//! A listing that begins with one of these files; it is read by [`super::sysfs_net`], which says what is kept.

use super::{Format, sysfs_net};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: sysfs_net::BONDING, anchor, parse: sysfs_net::parse };

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    sysfs_net::begins(lines, i) && lines.get(i).is_some_and(|l| sysfs_net::about_bonding(l.trimmed()))
}
