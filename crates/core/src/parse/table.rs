//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{
    Format, bridge_fdb, bridge_link, bridge_vlan, counter_line, hostname_addresses, ifconfig, ip_link,
    ip_link_json, ip_maddr, ip_monitor, ip_neigh, ip_netconf, ip_route, ip_rule, proc_bonding, proc_net_dev,
    proc_net_vlan, sysfs_bonding, sysfs_net, xstats,
};

/// All text formats.
pub const FORMATS: &[Format] = &[
    proc_bonding::FORMAT,
    xstats::FORMAT,
    ip_link_json::FORMAT,
    ip_monitor::FORMAT,
    bridge_link::FORMAT,
    ip_link::FORMAT,
    ip_maddr::FORMAT,
    ip_rule::FORMAT,
    ip_neigh::FORMAT,
    ip_route::FORMAT,
    ip_netconf::FORMAT,
    bridge_vlan::FORMAT,
    bridge_fdb::FORMAT,
    sysfs_bonding::FORMAT,
    sysfs_net::FORMAT,
    ifconfig::FORMAT,
    proc_net_dev::FORMAT,
    proc_net_vlan::FORMAT,
    counter_line::FORMAT,
    hostname_addresses::FORMAT,
];
