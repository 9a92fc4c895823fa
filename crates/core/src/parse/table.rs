//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{Format, kernel_log, proc_bonding};

/// All text formats.
pub const FORMATS: &[Format] = &[proc_bonding::FORMAT, kernel_log::FORMAT];
