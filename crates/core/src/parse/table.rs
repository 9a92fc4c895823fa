//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{
    Format, drop_monitor, ifcfg, ifupdown, lacp_fields, modprobe_bonding, netplan, networkd, nft_ruleset,
    nm_keyfile, nmcli, nmstate, ovs_bond_show, ovs_lacp_show, ping, proc_bonding, send_test, switch_output,
    talos_machine_config, tc_class, tc_filter, tc_qdisc, tcpdump_lacp, teamdctl_state, tracefs, xdp_status,
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
    ifupdown::FORMAT,
    networkd::FORMAT,
    nm_keyfile::FORMAT,
    ifcfg::FORMAT,
    modprobe_bonding::FORMAT,
    netplan::FORMAT,
    talos_machine_config::FORMAT,
    nmstate::FORMAT,
    nmcli::FORMAT,
    drop_monitor::FORMAT,
    tracefs::FORMAT,
    ping::FORMAT,
    send_test::FORMAT,
    switch_output::FORMAT,
];
