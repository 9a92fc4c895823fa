//! Drivers of Intel NICs.

use super::{
    List, NET_RX_BYTES, NET_RX_ERRORS, NET_RX_PACKETS, NET_TX_BYTES, NET_TX_ERRORS, NET_TX_PACKETS, QUEUES,
    RX_BYTES, RX_CRC, RX_MISSED, RX_MULTICAST, RX_PACKETS, RX_PAUSE, RX_SYMBOL, RX_UNICAST, Row, Source,
    TX_BYTES, TX_MULTICAST, TX_PACKETS, TX_PAUSE, TX_TIMEOUT, TX_UNICAST, ZERO, rx_size, tx_size,
};

/// Software counters of the queues: `{tx}0{packets}`.
fn queues(list: &mut List<'_>, name: impl Fn(&str, usize, &str) -> String, extra: &[&str]) {
    for way in ["tx", "rx"] {
        for (q, percent) in QUEUES.iter().enumerate() {
            let (packets, bytes) = if way == "tx" {
                (Source::NetShare(*percent, |c| c.tx_packets), Source::NetShare(*percent, |c| c.tx_bytes))
            } else {
                (Source::NetShare(*percent, |c| c.rx_packets), Source::NetShare(*percent, |c| c.rx_bytes))
            };
            list.push(name(way, q, "packets"), packets);
            list.push(name(way, q, "bytes"), bytes);
            for e in extra.iter().filter(|e| e.starts_with(way)) {
                list.push(name(way, q, e.get(3..).unwrap_or(e)), ZERO);
            }
        }
    }
}

/// `drivers/net/ethernet/intel/ixgbe/ixgbe_ethtool.c`, `ixgbe_gstrings_stats`.
pub(super) fn ixgbe(list: &mut List<'_>) {
    list.rows(&[
        ("rx_packets", NET_RX_PACKETS),
        ("tx_packets", NET_TX_PACKETS),
        ("rx_bytes", NET_RX_BYTES),
        ("tx_bytes", NET_TX_BYTES),
        ("rx_pkts_nic", RX_PACKETS),
        ("tx_pkts_nic", TX_PACKETS),
        ("rx_bytes_nic", RX_BYTES),
        ("tx_bytes_nic", TX_BYTES),
        ("lsc_int", Source::LinkChanges),
        ("tx_busy", ZERO),
        ("non_eop_descs", ZERO),
        // The netdev's rx_errors of ixgbe are CRC and length errors.
        ("rx_errors", RX_CRC),
        ("tx_errors", ZERO),
        ("rx_dropped", ZERO),
        ("tx_dropped", ZERO),
        ("multicast", RX_MULTICAST),
        ("broadcast", Source::Fixed(3)),
        ("rx_no_buffer_count", ZERO),
        ("collisions", ZERO),
        ("rx_over_errors", ZERO),
        ("rx_crc_errors", RX_CRC),
        ("rx_frame_errors", ZERO),
        ("hw_rsc_aggregated", ZERO),
        ("hw_rsc_flushed", ZERO),
        ("fdir_match", Source::NetShare(61, |c| c.rx_packets)),
        ("fdir_miss", Source::NetShare(38, |c| c.rx_packets)),
        ("fdir_overflow", ZERO),
        ("rx_fifo_errors", ZERO),
        ("rx_missed_errors", RX_MISSED),
        ("tx_aborted_errors", ZERO),
        ("tx_carrier_errors", ZERO),
        ("tx_fifo_errors", ZERO),
        ("tx_heartbeat_errors", ZERO),
        ("tx_timeout_count", TX_TIMEOUT),
        ("tx_restart_queue", ZERO),
        ("rx_length_errors", ZERO),
        ("rx_long_length_errors", ZERO),
        ("rx_short_length_errors", ZERO),
        ("tx_flow_control_xon", ZERO),
        ("rx_flow_control_xon", ZERO),
        ("tx_flow_control_xoff", TX_PAUSE),
        ("rx_flow_control_xoff", RX_PAUSE),
        ("rx_csum_offload_errors", ZERO),
        ("alloc_rx_page", Source::Fixed(2_112)),
        ("alloc_rx_page_failed", ZERO),
        ("alloc_rx_buff_failed", ZERO),
        ("rx_no_dma_resources", ZERO),
        ("os2bmc_rx_by_bmc", ZERO),
        ("os2bmc_tx_by_bmc", ZERO),
        ("os2bmc_tx_by_host", ZERO),
        ("os2bmc_rx_by_host", ZERO),
        ("tx_hwtstamp_timeouts", ZERO),
        ("tx_hwtstamp_skipped", ZERO),
        ("rx_hwtstamp_cleared", ZERO),
    ]);
    queues(list, |way, q, what| format!("{way}_queue_{q}_{what}"), &[]);
    for way in ["tx", "rx"] {
        for buffer in 0..8 {
            list.push(format!("{way}_pb_{buffer}_pxon"), ZERO);
            list.push(format!("{way}_pb_{buffer}_pxoff"), ZERO);
        }
    }
}

/// `drivers/net/ethernet/intel/i40e/i40e_ethtool.c`: `i40e_gstrings_net_stats`, `_misc_stats`, queues, `_veb_stats`,
/// `i40e_gstrings_stats`.
pub(super) fn i40e(list: &mut List<'_>) {
    list.rows(&[
        ("rx_packets", NET_RX_PACKETS),
        ("tx_packets", NET_TX_PACKETS),
        ("rx_bytes", NET_RX_BYTES),
        ("tx_bytes", NET_TX_BYTES),
        ("rx_errors", RX_CRC),
        ("tx_errors", ZERO),
        ("rx_dropped", ZERO),
        ("tx_dropped", ZERO),
        ("collisions", ZERO),
        ("rx_length_errors", ZERO),
        ("rx_crc_errors", RX_CRC),
        ("rx_unicast", RX_UNICAST),
        ("tx_unicast", TX_UNICAST),
        ("rx_multicast", RX_MULTICAST),
        ("tx_multicast", TX_MULTICAST),
        ("rx_broadcast", ZERO),
        ("tx_broadcast", ZERO),
        ("rx_unknown_protocol", ZERO),
        ("tx_linearize", ZERO),
        ("tx_force_wb", ZERO),
        ("tx_busy", ZERO),
        ("tx_stopped", ZERO),
        ("rx_alloc_fail", ZERO),
        ("rx_pg_alloc_fail", ZERO),
        ("rx_cache_reuse", Source::NetShare(99, |c| c.rx_packets)),
        ("rx_cache_alloc", Source::Fixed(4_096)),
        ("rx_cache_waive", ZERO),
        ("rx_cache_busy", ZERO),
        ("tx_restart", ZERO),
    ]);
    queues(list, |way, q, what| format!("{way}-{q}.{what}"), &[]);
    list.rows(&[
        ("veb.rx_bytes", ZERO),
        ("veb.tx_bytes", ZERO),
        ("veb.rx_unicast", ZERO),
        ("veb.tx_unicast", ZERO),
        ("veb.rx_multicast", ZERO),
        ("veb.tx_multicast", ZERO),
        ("veb.rx_broadcast", ZERO),
        ("veb.tx_broadcast", ZERO),
        ("veb.rx_discards", ZERO),
        ("veb.tx_discards", ZERO),
        ("veb.tx_errors", ZERO),
        ("veb.rx_unknown_protocol", ZERO),
        ("port.rx_bytes", RX_BYTES),
        ("port.tx_bytes", TX_BYTES),
        ("port.rx_unicast", RX_UNICAST),
        ("port.tx_unicast", TX_UNICAST),
        ("port.rx_multicast", RX_MULTICAST),
        ("port.tx_multicast", TX_MULTICAST),
        ("port.rx_broadcast", ZERO),
        ("port.tx_broadcast", ZERO),
        ("port.tx_errors", ZERO),
        ("port.rx_dropped", RX_MISSED),
        ("port.tx_dropped_link_down", ZERO),
        ("port.rx_crc_errors", RX_CRC),
        ("port.illegal_bytes", RX_SYMBOL),
        ("port.mac_local_faults", ZERO),
        ("port.mac_remote_faults", ZERO),
        ("port.tx_timeout", TX_TIMEOUT),
        ("port.rx_csum_bad", ZERO),
        ("port.rx_length_errors", ZERO),
        ("port.link_xon_rx", ZERO),
        ("port.link_xoff_rx", RX_PAUSE),
        ("port.link_xon_tx", ZERO),
        ("port.link_xoff_tx", TX_PAUSE),
        ("port.rx_size_64", rx_size(0)),
        ("port.rx_size_127", rx_size(1)),
        ("port.rx_size_255", rx_size(2)),
        ("port.rx_size_511", rx_size(3)),
        ("port.rx_size_1023", rx_size(4)),
        ("port.rx_size_1522", rx_size(5)),
        ("port.rx_size_big", ZERO),
        ("port.tx_size_64", tx_size(0)),
        ("port.tx_size_127", tx_size(1)),
        ("port.tx_size_255", tx_size(2)),
        ("port.tx_size_511", tx_size(3)),
        ("port.tx_size_1023", tx_size(4)),
        ("port.tx_size_1522", tx_size(5)),
        ("port.tx_size_big", ZERO),
        ("port.rx_undersize", ZERO),
        ("port.rx_fragments", ZERO),
        ("port.rx_oversize", ZERO),
        ("port.rx_jabber", ZERO),
        ("port.VF_admin_queue_requests", ZERO),
        ("port.arq_overflows", ZERO),
        ("port.tx_hwtstamp_timeouts", ZERO),
        ("port.rx_hwtstamp_cleared", ZERO),
        ("port.tx_hwtstamp_skipped", ZERO),
        ("port.fdir_flush_cnt", ZERO),
        ("port.fdir_atr_match", Source::NetShare(55, |c| c.rx_packets)),
        ("port.fdir_atr_tunnel_match", ZERO),
        ("port.fdir_atr_status", Source::Fixed(1)),
        ("port.fdir_sb_match", ZERO),
        ("port.fdir_sb_status", Source::Fixed(1)),
        ("port.tx_lpi_status", ZERO),
        ("port.rx_lpi_status", ZERO),
        ("port.tx_lpi_count", ZERO),
        ("port.rx_lpi_count", ZERO),
    ]);
    priorities(list, "port.", "");
}

/// `link_xon` and `link_xoff` of eight priorities, as i40e and ice name them.
fn priorities(list: &mut List<'_>, before: &str, after: &str) {
    for way in ["tx", "rx"] {
        for p in 0..8 {
            for what in ["xon", "xoff"] {
                list.push(format!("{before}{way}_priority_{p}_{what}{after}"), ZERO);
            }
        }
    }
}

/// `drivers/net/ethernet/intel/ice/ice_ethtool.c`: `ice_gstrings_vsi_stats`, queues, `ice_gstrings_pf_stats`.
pub(super) fn ice(list: &mut List<'_>) {
    list.rows(&[
        ("rx_unicast", RX_UNICAST),
        ("tx_unicast", TX_UNICAST),
        ("rx_multicast", RX_MULTICAST),
        ("tx_multicast", TX_MULTICAST),
        ("rx_broadcast", ZERO),
        ("tx_broadcast", ZERO),
        ("rx_bytes", NET_RX_BYTES),
        ("tx_bytes", NET_TX_BYTES),
        ("rx_dropped", ZERO),
        ("rx_unknown_protocol", ZERO),
        ("rx_alloc_fail", ZERO),
        ("rx_pg_alloc_fail", ZERO),
        ("tx_errors", ZERO),
        ("tx_linearize", ZERO),
        ("tx_busy", ZERO),
        ("tx_restart", ZERO),
    ]);
    queues(list, |way, q, what| format!("{way}_queue_{q}_{what}"), &[]);
    list.rows(&[
        ("rx_bytes.nic", RX_BYTES),
        ("tx_bytes.nic", TX_BYTES),
        ("rx_unicast.nic", RX_UNICAST),
        ("tx_unicast.nic", TX_UNICAST),
        ("rx_multicast.nic", RX_MULTICAST),
        ("tx_multicast.nic", TX_MULTICAST),
        ("rx_broadcast.nic", ZERO),
        ("tx_broadcast.nic", ZERO),
        ("tx_errors.nic", ZERO),
        ("tx_timeout.nic", TX_TIMEOUT),
        ("rx_size_64.nic", rx_size(0)),
        ("tx_size_64.nic", tx_size(0)),
        ("rx_size_127.nic", rx_size(1)),
        ("tx_size_127.nic", tx_size(1)),
        ("rx_size_255.nic", rx_size(2)),
        ("tx_size_255.nic", tx_size(2)),
        ("rx_size_511.nic", rx_size(3)),
        ("tx_size_511.nic", tx_size(3)),
        ("rx_size_1023.nic", rx_size(4)),
        ("tx_size_1023.nic", tx_size(4)),
        ("rx_size_1522.nic", rx_size(5)),
        ("tx_size_1522.nic", tx_size(5)),
        ("rx_size_big.nic", ZERO),
        ("tx_size_big.nic", ZERO),
        ("link_xon_rx.nic", ZERO),
        ("link_xon_tx.nic", ZERO),
        ("link_xoff_rx.nic", RX_PAUSE),
        ("link_xoff_tx.nic", TX_PAUSE),
        ("tx_dropped_link_down.nic", ZERO),
        ("rx_undersize.nic", ZERO),
        ("rx_fragments.nic", ZERO),
        ("rx_oversize.nic", ZERO),
        ("rx_jabber.nic", ZERO),
        ("rx_csum_bad.nic", ZERO),
        ("rx_length_errors.nic", ZERO),
        ("rx_dropped.nic", RX_MISSED),
        ("rx_crc_errors.nic", RX_CRC),
        ("illegal_bytes.nic", RX_SYMBOL),
        ("mac_local_faults.nic", ZERO),
        ("mac_remote_faults.nic", ZERO),
        ("fdir_sb_match.nic", ZERO),
        ("fdir_sb_status.nic", Source::Fixed(1)),
        ("tx_hwtstamp_skipped", ZERO),
        ("tx_hwtstamp_timeouts", ZERO),
        ("tx_hwtstamp_flushed", ZERO),
        ("tx_hwtstamp_discarded", ZERO),
        ("late_cached_phc_updates", ZERO),
    ]);
    priorities(list, "", ".nic");
}

/// The common beginning of igb and igc (`igb_gstrings_stats`, `igc_gstrings_stats`).
const IGB: &[Row] = &[
    ("rx_packets", RX_PACKETS),
    ("tx_packets", TX_PACKETS),
    ("rx_bytes", RX_BYTES),
    ("tx_bytes", TX_BYTES),
    ("rx_broadcast", ZERO),
    ("tx_broadcast", ZERO),
    ("rx_multicast", RX_MULTICAST),
    ("tx_multicast", TX_MULTICAST),
    ("multicast", RX_MULTICAST),
    ("collisions", ZERO),
    ("rx_crc_errors", RX_CRC),
    ("rx_no_buffer_count", ZERO),
    ("rx_missed_errors", RX_MISSED),
    ("tx_aborted_errors", ZERO),
    ("tx_carrier_errors", ZERO),
    ("tx_window_errors", ZERO),
    ("tx_abort_late_coll", ZERO),
    ("tx_deferred_ok", ZERO),
    ("tx_single_coll_ok", ZERO),
    ("tx_multi_coll_ok", ZERO),
    ("tx_timeout_count", TX_TIMEOUT),
    ("rx_long_length_errors", ZERO),
    ("rx_short_length_errors", ZERO),
    ("rx_align_errors", ZERO),
    ("tx_tcp_seg_good", Source::Share(11, |c| c.tx_packets)),
    ("tx_tcp_seg_failed", ZERO),
    ("rx_flow_control_xon", ZERO),
    ("rx_flow_control_xoff", RX_PAUSE),
    ("tx_flow_control_xon", ZERO),
    ("tx_flow_control_xoff", TX_PAUSE),
    ("rx_long_byte_count", RX_BYTES),
    ("tx_dma_out_of_sync", ZERO),
    ("tx_smbus", ZERO),
    ("rx_smbus", ZERO),
    ("dropped_smbus", ZERO),
    ("os2bmc_rx_by_bmc", ZERO),
    ("os2bmc_tx_by_bmc", ZERO),
    ("os2bmc_tx_by_host", ZERO),
    ("os2bmc_rx_by_host", ZERO),
    ("tx_hwtstamp_timeouts", ZERO),
    ("tx_hwtstamp_skipped", ZERO),
    ("rx_hwtstamp_cleared", ZERO),
];

/// `igb_gstrings_net_stats` and `igc_gstrings_net_stats`.
const IGB_NET: &[Row] = &[
    ("rx_errors", NET_RX_ERRORS),
    ("tx_errors", NET_TX_ERRORS),
    ("tx_dropped", ZERO),
    ("rx_length_errors", ZERO),
    ("rx_over_errors", ZERO),
    ("rx_frame_errors", ZERO),
    ("rx_fifo_errors", ZERO),
    ("tx_fifo_errors", ZERO),
    ("tx_heartbeat_errors", ZERO),
];

/// `drivers/net/ethernet/intel/igb/igb_ethtool.c`.
pub(super) fn igb(list: &mut List<'_>) {
    list.rows(IGB);
    list.rows(IGB_NET);
    igb_queues(list);
}

fn igb_queues(list: &mut List<'_>) {
    let name = |way: &str, q: usize, what: &str| format!("{way}_queue_{q}_{what}");
    queues(list, name, &["tx_restart", "rx_drops", "rx_csum_err", "rx_alloc_failed"]);
}

/// `drivers/net/ethernet/intel/igc/igc_ethtool.c`.
pub(super) fn igc(list: &mut List<'_>) {
    list.rows(IGB);
    list.rows(&[("tx_lpi_counter", ZERO), ("rx_lpi_counter", ZERO), ("qbv_config_change_errors", ZERO)]);
    list.rows(IGB_NET);
    igb_queues(list);
}

/// `drivers/net/ethernet/intel/e1000e/ethtool.c`, `e1000_gstrings_stats`.
pub(super) fn e1000e(list: &mut List<'_>) {
    list.rows(&[
        ("rx_packets", RX_PACKETS),
        ("tx_packets", TX_PACKETS),
        ("rx_bytes", RX_BYTES),
        ("tx_bytes", TX_BYTES),
        ("rx_broadcast", ZERO),
        ("tx_broadcast", ZERO),
        ("rx_multicast", RX_MULTICAST),
        ("tx_multicast", TX_MULTICAST),
        ("rx_errors", NET_RX_ERRORS),
        ("tx_errors", NET_TX_ERRORS),
        ("tx_dropped", ZERO),
        ("multicast", RX_MULTICAST),
        ("collisions", ZERO),
        ("rx_length_errors", ZERO),
        ("rx_over_errors", ZERO),
        ("rx_crc_errors", RX_CRC),
        ("rx_frame_errors", ZERO),
        ("rx_no_buffer_count", ZERO),
        ("rx_missed_errors", RX_MISSED),
        ("tx_aborted_errors", ZERO),
        ("tx_carrier_errors", ZERO),
        ("tx_fifo_errors", ZERO),
        ("tx_heartbeat_errors", ZERO),
        ("tx_window_errors", ZERO),
        ("tx_abort_late_coll", ZERO),
        ("tx_deferred_ok", ZERO),
        ("tx_single_coll_ok", ZERO),
        ("tx_multi_coll_ok", ZERO),
        ("tx_timeout_count", TX_TIMEOUT),
        ("tx_restart_queue", ZERO),
        ("rx_long_length_errors", ZERO),
        ("rx_short_length_errors", ZERO),
        ("rx_align_errors", ZERO),
        ("tx_tcp_seg_good", Source::Share(11, |c| c.tx_packets)),
        ("tx_tcp_seg_failed", ZERO),
        ("rx_flow_control_xon", ZERO),
        ("rx_flow_control_xoff", RX_PAUSE),
        ("tx_flow_control_xon", ZERO),
        ("tx_flow_control_xoff", TX_PAUSE),
        ("rx_csum_offload_good", Source::Share(96, |c| c.rx_packets)),
        ("rx_csum_offload_errors", ZERO),
        ("rx_header_split", ZERO),
        ("alloc_rx_buff_failed", ZERO),
        ("tx_smbus", ZERO),
        ("rx_smbus", ZERO),
        ("dropped_smbus", ZERO),
        ("rx_dma_failed", ZERO),
        ("tx_dma_failed", ZERO),
        ("rx_hwtstamp_cleared", ZERO),
        ("uncorr_ecc_errors", ZERO),
        ("corr_ecc_errors", ZERO),
        ("tx_hwtstamp_timeouts", ZERO),
        ("tx_hwtstamp_skipped", ZERO),
    ]);
}
