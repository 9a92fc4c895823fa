//! The table of text formats. Order matters: the first anchor that fires wins, so strict formats stand first.

use super::{Format, proc_bonding};
use super::{
    ethtool_channels, ethtool_coalesce, ethtool_driver, ethtool_dump, ethtool_eee, ethtool_features,
    ethtool_fec, ethtool_json, ethtool_module, ethtool_pause, ethtool_permaddr, ethtool_phy_statistics,
    ethtool_priv_flags, ethtool_rings, ethtool_rxfh, ethtool_settings, ethtool_stats, ethtool_timestamping,
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
];
