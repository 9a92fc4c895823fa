//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{Format, lacp_fields, ovs_bond_show, ovs_lacp_show, proc_bonding, tcpdump_lacp, teamdctl_state};

/// All text formats.
pub const FORMATS: &[Format] = &[
    proc_bonding::FORMAT,
    tcpdump_lacp::FORMAT,
    lacp_fields::FORMAT,
    teamdctl_state::FORMAT,
    ovs_bond_show::FORMAT,
    ovs_lacp_show::FORMAT,
];
