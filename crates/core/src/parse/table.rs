//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{Format, lacp_fields, proc_bonding, tcpdump_lacp};

/// All text formats.
pub const FORMATS: &[Format] = &[proc_bonding::FORMAT, tcpdump_lacp::FORMAT, lacp_fields::FORMAT];
