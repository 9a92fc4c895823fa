//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{
    Format, lacp_fields, nft_ruleset, ovs_bond_show, ovs_lacp_show, proc_bonding, tc_class, tc_filter,
    tc_qdisc, tcpdump_lacp, teamdctl_state, xdp_status,
};

/// All text formats.
pub const FORMATS: &[Format] = &[
    proc_bonding::FORMAT,
    tcpdump_lacp::FORMAT,
    lacp_fields::FORMAT,
    teamdctl_state::FORMAT,
    ovs_bond_show::FORMAT,
    ovs_lacp_show::FORMAT,
    tc_qdisc::FORMAT,
    tc_class::FORMAT,
    tc_filter::FORMAT,
    nft_ruleset::FORMAT,
    xdp_status::FORMAT,
];
