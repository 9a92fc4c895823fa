//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{Format, proc_bonding};
use super::{
    ethtool_channels, ethtool_coalesce, ethtool_driver, ethtool_dump, ethtool_eee, ethtool_features,
    ethtool_fec, ethtool_json, ethtool_module, ethtool_pause, ethtool_permaddr, ethtool_phy_statistics,
    ethtool_priv_flags, ethtool_rings, ethtool_rxfh, ethtool_settings, ethtool_stats, ethtool_timestamping,
use super::{
    Format, journal_export, journal_json, kernel_log, loadavg, netstat_listing, netstat_s, nstat,
    proc_bonding, proc_interrupts, proc_net_netstat, proc_net_snmp, proc_net_snmp6, proc_stat, psi,
    softnet_stat, uptime,
};

/// All text formats.
pub const FORMATS: &[Format] = &[
    proc_bonding::FORMAT,
    ethtool_json::FORMAT,
    ethtool_phy_statistics::FORMAT,
    ethtool_driver::FORMAT,
    ethtool_module::FORMAT,
    ethtool_permaddr::FORMAT,
    ethtool_rings::FORMAT,
    ethtool_channels::FORMAT,
    ethtool_pause::FORMAT,
    ethtool_coalesce::FORMAT,
    ethtool_timestamping::FORMAT,
    ethtool_eee::FORMAT,
    ethtool_fec::FORMAT,
    ethtool_rxfh::FORMAT,
    ethtool_features::FORMAT,
    ethtool_priv_flags::FORMAT,
    ethtool_dump::FORMAT,
    ethtool_stats::FORMAT,
    ethtool_settings::FORMAT,
    journal_json::FORMAT,
    journal_export::FORMAT,
    kernel_log::FORMAT,
    nstat::FORMAT,
    proc_net_snmp::FORMAT,
    proc_net_netstat::FORMAT,
    proc_net_snmp6::FORMAT,
    netstat_s::FORMAT,
    netstat_listing::FORMAT,
    softnet_stat::FORMAT,
    proc_interrupts::FORMAT,
    psi::FORMAT,
    proc_stat::FORMAT,
    loadavg::FORMAT,
    uptime::FORMAT,
];
