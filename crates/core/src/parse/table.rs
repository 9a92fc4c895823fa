//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{
    Format, journal_export, journal_json, kernel_log, loadavg, netstat_listing, netstat_s, nstat,
    proc_bonding, proc_interrupts, proc_net_netstat, proc_net_snmp, proc_net_snmp6, proc_stat, psi,
    softnet_stat, uptime,
};

/// All text formats.
pub const FORMATS: &[Format] = &[
    proc_bonding::FORMAT,
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
