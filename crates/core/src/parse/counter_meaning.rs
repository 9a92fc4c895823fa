//! What a counter of `ethtool -S` or `ethtool --phy-statistics` counts, whatever its driver calls it.
//!
//! Drivers name their counters freely: `rx_crc_errors`, `rx_fcs_errors`, `port.rx_crc_errors`, `rx_crc_errors_phy`
//! and `mac_rx_fcs_err_pkt_num` are one thing. The tables below are read from the string tables of the drivers
//! (the file is named at each table; Linux 4.x to 6.x); `None` as driver means that only the name is known.
//!
//! The rules, strict on purpose because a verdict may rest on one counter:
//! * FCS, CRC and alignment errors are [`Meaning::RxCrc`]; symbol, PCS and coding errors [`Meaning::RxSymbol`].
//! * Frames that found no buffer, descriptor or FIFO room are [`Meaning::RxMissed`], also where the driver says
//!   `discard` or `drop`; drops for other reasons are [`Meaning::RxDropped`] or [`Meaning::RxFiltered`].
//! * Packet and octet meanings are given to totals only, never to queues, priorities or unicast parts.
//! * `lsc_int` counts interrupts for link changes of either direction and is [`Meaning::Other`].
//! * Single, multiple and deferred transmissions are normal in half duplex and are [`Meaning::Other`]; late and
//!   excessive collisions and the total are [`Meaning::Collisions`].

use crate::evidence::Meaning;
use crate::evidence::Meaning::{
    Collisions, FecCorrected, FecUncorrected, LinkDown, LocalFault, Other, RemoteFault, Reset, RxBytes,
    RxCrc, RxDropped, RxErrors, RxFiltered, RxLength, RxMissed, RxMulticast, RxPackets, RxPause, RxSymbol,
    TxBytes, TxCarrier, TxDropped, TxErrors, TxMulticast, TxPackets, TxPause, TxTimeout,
};

/// Counted by the MAC or PHY for frames on the wire.
const M: bool = true;
/// Counted by software, a virtual port or a host queue.
const S: bool = false;

type Row = (&'static str, Meaning, bool);

struct Driver {
    names: &'static [&'static str],
    rows: &'static [Row],
}

/// What the counter `name` of `driver` counts. With `None` the name alone decides; where drivers disagree about
/// a name, the cautious reading is taken.
#[must_use]
pub fn meaning(driver: Option<&str>, name: &str) -> Meaning {
    classify(driver, name).0
}

/// True if the counter is counted by the MAC or PHY hardware for frames on the wire, and not by the driver, a
/// virtual port or a queue. Names that mean one thing in one driver and another in the next (`tx_packets` is a
/// MAC register in igb and a software sum in mlx5) give `false` where the driver is not known.
#[must_use]
pub fn is_mac_counter(driver: Option<&str>, name: &str) -> bool {
    classify(driver, name).1
}

/// The driver that a set of counter names betrays, if they are distinctive enough: `ethtool -S` does not print
/// its driver.
#[must_use]
pub fn driver_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    // A name that only this driver prints, or none of the drivers above it in this list.
    const MARKS: &[(&str, &str)] = &[
        ("lbrx_bytes", "igbvf"),
        ("lsc_int", "ixgbe"),
        ("rx_pkts_nic", "ixgbe"),
        ("mac_local_faults.nic", "ice"),
        ("rx_unicast.nic", "ice"),
        ("rx_bytes.nic", "ice"),
        ("port.rx_bytes", "i40e"),
        ("port.rx_unicast", "i40e"),
        ("rx_packets_phy", "mlx5_core"),
        ("rx_vport_unicast_packets", "mlx5_core"),
        ("rx_mpwqe_filler_cqes", "mlx5_core"),
        ("rx_lossless_packets_0", "mlx4_en"),
        ("rx_64b_frames", "bnxt_en"),
        ("rx_total_l4_csum_errors", "bnxt_en"),
        ("rx_xoff_entered", "tg3"),
        ("mbuf_lwm_thresh_hit", "tg3"),
        ("rx_lpi_counter", "igc"),
        ("tx_dma_out_of_sync", "igb"),
        ("uncorr_ecc_errors", "e1000e"),
        ("rx_header_split", "e1000e"),
        ("tx_multi_collisions", "r8169"),
        ("brb_truncates", "qede"),
        ("rxpp_fifo_overflow_drop", "be2net"),
        ("mac_rx_good_pkt_num", "hns3"),
        ("InPacketsDma", "atlantic"),
        ("port_rx_packets", "sfc"),
        ("port_tx_packets", "sfc"),
        ("bw_in_allowance_exceeded", "ena"),
        ("wd_expired", "ena"),
        ("peer_ifindex", "veth"),
        ("rx_queue_0_kicks", "virtio_net"),
        ("rx0_kicks", "virtio_net"),
        ("rx_kicks", "virtio_net"),
    ];
    let names: std::collections::BTreeSet<&str> = names.into_iter().collect();
    MARKS.iter().find(|(mark, _)| names.contains(mark)).map(|(_, d)| *d)
}

fn classify(driver: Option<&str>, name: &str) -> (Meaning, bool) {
    let name = name.trim();
    let known = driver.and_then(|d| DRIVERS.iter().find(|t| t.names.contains(&d)));
    if let Some(found) = known.and_then(|d| find(d.rows, name)) {
        return found;
    }
    if let Some(found) = find(COMMON, name) {
        // A driver whose table is known would have listed the name if it were a register of its MAC.
        return found;
    }
    if let Some(bare) = ieee(name)
        && let Some(found) = find(IEEE, bare)
    {
        return found;
    }
    if known.is_none() {
        let mut all = DRIVERS.iter().filter_map(|d| find(d.rows, name));
        if let Some(first) = all.next() {
            let (mut meaning, mut mac) = first;
            for (m, hw) in all {
                meaning = if m == meaning { m } else { Other };
                mac &= hw;
            }
            return (meaning, mac);
        }
    }
    let (meaning, mac) = family(name);
    // `rx_queue_N_drops` of igb and igc is the register RQDPC: the queue had no descriptor.
    if meaning == RxDropped && matches!(driver, Some("igb" | "igc")) && name.starts_with("rx_queue_") {
        return (RxMissed, mac);
    }
    (meaning, mac)
}

fn find(rows: &[Row], name: &str) -> Option<(Meaning, bool)> {
    rows.iter().find(|r| r.0 == name).map(|r| (r.1, r.2))
}

/// `ethtool -S --groups` prints `eth-mac-FramesReceivedOK`; JSON and some drivers print the bare name.
fn ieee(name: &str) -> Option<&str> {
    let bare = ["eth-mac-", "eth-phy-", "eth-ctrl-", "rmon-", "phy-"]
        .iter()
        .find_map(|p| name.strip_prefix(p))
        .unwrap_or(name);
    // `Symbol Error During Carrier` in prose spelling is not printed by any tool, but people type it.
    bare.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()).then_some(bare)
}

/// Queues, priorities and names of drivers without a table: by the words in the name.
fn family(name: &str) -> (Meaning, bool) {
    let lower = name.to_ascii_lowercase();
    if let Some((tx, rest)) = queue(&lower) {
        return (of_queue(tx, rest), S);
    }
    by_words(&lower)
}

/// Splits off what names a queue: (transmit, the rest of the name).
fn queue(name: &str) -> Option<(bool, &str)> {
    // `[3]: rx_discards` (bnxt)
    if let Some(rest) = name.strip_prefix('[') {
        let (_, rest) = number(rest)?;
        let rest = rest.strip_prefix("]:")?.trim_start();
        return Some((rest.starts_with("tx"), rest));
    }
    // `queue[0] inerrors` (atlantic)
    if let Some(rest) = name.strip_prefix("queue[") {
        let (_, rest) = number(rest)?;
        let rest = rest.strip_prefix(']')?.trim_start();
        return Some((rest.starts_with("out"), rest));
    }
    // `queue_0_rx_cnt` (ena)
    if let Some(rest) = name.strip_prefix("queue_") {
        let (_, rest) = number(rest)?;
        let rest = rest.strip_prefix('_')?;
        return Some((rest.starts_with("tx"), rest));
    }
    // `rx_queue_0_drops`, `rxq0: rx_drops`, `rxq#0_l2_err`, `rx-0.packets`, `rx_0_bytes`, `rx0_cache_full`
    let tx = match name.get(..2)? {
        "rx" => false,
        "tx" => true,
        _ => return None,
    };
    let rest = name.get(2..)?;
    let rest = ["_queue_", "_ring_", "q#", "q_", "q", "-", "_", ""]
        .iter()
        .find_map(|p| rest.strip_prefix(p).and_then(number))?
        .1;
    // `tx_64_byte_packets` and `rx_64b_frames` are sizes, not queues.
    if rest.starts_with('b') || rest.contains("byte") && rest.contains("packets") || rest.contains("_to_") {
        return None;
    }
    let rest = rest.strip_prefix([':', '_', '.', '-'])?;
    Some((tx, rest.trim_start()))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

fn of_queue(tx: bool, rest: &str) -> Meaning {
    let bare = rest.strip_prefix("rx_").or_else(|| rest.strip_prefix("tx_")).unwrap_or(rest);
    if bare.contains("xdp") || bare.contains("xsk") || bare.contains("csum") || bare.contains("hwtstamp") {
        return Other;
    }
    if bare.contains("timeout") {
        return if tx { TxTimeout } else { Other };
    }
    if pause_word(bare) {
        return if tx { TxPause } else { RxPause };
    }
    if tx {
        return match bare {
            "drop" | "drops" | "dropped" | "discards" | "discard_pkts" | "drv_drops" | "queue_dropped"
            | "hw_drops" => TxDropped,
            "errors"
            | "errs"
            | "dma_err"
            | "hdr_parse_err"
            | "internal_parity_err"
            | "spoof_check_err"
            | "cqe_err" => TxErrors,
            _ => Other,
        };
    }
    match bare {
        "drops_no_frags" | "discards" | "discard_pkts" | "overruns" | "hw_drop_overruns" | "no_desc"
        | "no_buffer" | "missed" => RxMissed,
        "drop" | "drops" | "dropped" | "drops_no_skbs" | "hw_drops" | "oom_discards" => RxDropped,
        "errors" | "errs" | "err_pkts" | "l2_err" | "compl_err" | "wqe_err" | "inerrors" => RxErrors,
        _ => Other,
    }
}

/// Words that count pause frames, and not the time or the transitions.
fn pause_word(name: &str) -> bool {
    let frames =
        ["pause", "pxon", "pxoff", "_xon", "_xoff", "pfc_frames", "pfc_ena_frames", "flow_control_x"];
    let not =
        ["duration", "transition", "time", "storm", "xon_2_xoff", "entered", "_us", "continuous", "resume"];
    frames.iter().any(|w| name.contains(w)) && !not.iter().any(|w| name.contains(w))
}

fn by_words(name: &str) -> (Meaning, bool) {
    let has = |w: &str| name.contains(w);
    let mac = name.ends_with("_phy")
        || name.ends_with(".nic")
        || ["port.", "port_", "mac_", "mmc_", "ieee_", "eth-mac-", "eth-phy-", "p00_", "p05_"]
            .iter()
            .any(|p| name.starts_with(p));
    let tx = name.starts_with("tx")
        || ["_tx_", ".tx_", "tx_", "_tx."].iter().any(|w| has(w)) && !name.starts_with("rx")
        || name.ends_with("_tx")
        || name.ends_with("_sent");
    let rx = !tx && (name.starts_with("rx") || has("rx_") || has("_rx") || name.ends_with("_rcvd"));
    // Things that share words with link errors and are something else.
    if ["fcoe", "icrc", "roce", "rdma", "ipsec", "macsec", "csum", "chksum", "checksum", "xdp", "xsk", "ptp"]
        .iter()
        .any(|w| has(w))
        || ["hwtstamp", "smbus", "bmc", "eeprom", "fdir", "vport_loopback", "hairpin", "tls", "lro_", "gro_"]
            .iter()
            .any(|w| has(w))
    {
        return (Other, S);
    }
    let wrong = has("err") || has("bad") || has("fail");
    if has("uncorr") && (has("fec") || has("block")) {
        return (FecUncorrected, M);
    }
    if has("correct") && (has("fec") || has("block") || has("bits")) {
        return (FecCorrected, M);
    }
    if has("local_fault") || has("local_rcvr_nok") || has("loc_rcvr_count") {
        return (LocalFault, M);
    }
    if has("remote_fault") || has("remote_rcv_nok") || has("remote_rcvr_nok") || has("rem_rcvr_count") {
        return (RemoteFault, M);
    }
    if (has("symbol") || has("pcs") || has("code_") || has("serdes_ber") || has("bad_block")) && wrong
        || has("false_carrier")
        || has("phy_idle_err")
        || has("phy_receive_err")
    {
        return if tx { (Other, S) } else { (RxSymbol, M) };
    }
    if (has("crc") || has("fcs") || has("align"))
        && (wrong || name.ends_with("crc") || name.ends_with("align"))
    {
        return if tx { (TxErrors, M) } else { (RxCrc, M) };
    }
    if has("tx_timeout") {
        return (TxTimeout, S);
    }
    if (has("link_down") || has("link_drop") || has("link_status_drop") || has("link_fail"))
        && !has("tx_drop")
    {
        return (LinkDown, M);
    }
    if pause_word(name) && (tx || rx) {
        return (if tx { TxPause } else { RxPause }, M);
    }
    if has("late_col") || has("latecol") || has("excess") && has("col") {
        return (Collisions, M);
    }
    if tx && (has("carrier_err") || has("carrier_sense") || has("crs_err") || has("no_carrier")) {
        return (TxCarrier, M);
    }
    let prio = has("prio") || has("_pri") || has("_cos") || has("_tc_") || has("_bg");
    if rx {
        let full =
            ["missed", "no_buf", "nobuf", "no_desc", "nodesc", "out_of_buf", "no_dma_res", "fifo_over"]
                .iter()
                .any(|w| has(w))
                || ["overrun", "overflow", "buf_full", "brb_discard", "no_pbuf"].iter().any(|w| has(w))
                || prio && (has("discard") || has("frames_dropped"));
        if full && !has("irq") && !has("bytes") {
            return (RxMissed, mac);
        }
        let long =
            ["jabber", "undersize", "oversize", "fragment", "runt", "too_long", "too_short", "toolong"];
        if long.iter().any(|w| has(w)) && !has("bytes") || has("length_err") || has("len_err") {
            return (RxLength, mac || !prio);
        }
        if has("filter") && (has("drop") || has("discard")) {
            return (RxFiltered, mac);
        }
        if !prio && !has("bytes") && (name.ends_with("_drop") || name.ends_with("_drops") || has("_dropped"))
        {
            return (RxDropped, mac);
        }
    }
    if tx
        && !prio
        && !has("bytes")
        && (name.ends_with("_drop") || name.ends_with("_drops") || has("_dropped"))
    {
        return (TxDropped, mac);
    }
    (Other, mac)
}

/// Names of `struct rtnl_link_stats64` (`include/uapi/linux/if_link.h`), which many drivers copy into `-S`, and
/// names that every driver uses alike. Packet totals may be software here: not MAC.
const COMMON: &[Row] = &[
    ("rx_packets", RxPackets, S),
    ("tx_packets", TxPackets, S),
    ("rx_bytes", RxBytes, S),
    ("tx_bytes", TxBytes, S),
    ("rx_errors", RxErrors, S),
    ("tx_errors", TxErrors, S),
    ("rx_dropped", RxDropped, S),
    ("tx_dropped", TxDropped, S),
    ("multicast", RxMulticast, S),
    ("rx_multicast", RxMulticast, S),
    ("tx_multicast", TxMulticast, S),
    ("collisions", Collisions, M),
    ("rx_length_errors", RxLength, M),
    ("rx_over_errors", RxMissed, S),
    ("rx_crc_errors", RxCrc, M),
    ("rx_frame_errors", RxCrc, M),
    ("rx_fifo_errors", RxMissed, S),
    ("rx_missed_errors", RxMissed, S),
    ("rx_no_buffer_count", RxMissed, S),
    // aFramesAbortedDueToXSColls and aLateCollisions, says if_link.h.
    ("tx_aborted_errors", Collisions, M),
    ("tx_window_errors", Collisions, M),
    ("tx_carrier_errors", TxCarrier, M),
    ("tx_fifo_errors", TxErrors, S),
    ("tx_heartbeat_errors", TxErrors, S),
    // Frames for a device that delivers nothing (an inactive member): normal in active-backup.
    ("rx_nohandler", Other, S),
    ("rx_compressed", Other, S),
    ("tx_compressed", Other, S),
    ("tx_timeout_count", TxTimeout, S),
    ("tx_timeouts", TxTimeout, S),
    ("tx_timeout", TxTimeout, S),
    ("lsc_int", Other, S),
    // `Statistics:` of `ethtool -I -a` and `ethtool -I --show-fec` (ethtool netlink/pause.c, netlink/fec.c).
    ("tx_pause_frames", TxPause, M),
    ("rx_pause_frames", RxPause, M),
    ("corrected_blocks", FecCorrected, M),
    ("uncorrectable_blocks", FecUncorrected, M),
    ("corrected_bits", FecCorrected, M),
];

/// IEEE 802.3 and RMON names of `ethtool -S --groups` (`struct ethtool_eth_mac_stats` and its neighbours in
/// `include/linux/ethtool.h`). By definition of the interface all are counted by the MAC or PHY.
const IEEE: &[Row] = &[
    ("FramesTransmittedOK", TxPackets, M),
    ("FramesReceivedOK", RxPackets, M),
    ("FrameCheckSequenceErrors", RxCrc, M),
    ("AlignmentErrors", RxCrc, M),
    ("OctetsTransmittedOK", TxBytes, M),
    ("OctetsReceivedOK", RxBytes, M),
    ("MulticastFramesXmittedOK", TxMulticast, M),
    ("MulticastFramesReceivedOK", RxMulticast, M),
    ("LateCollisions", Collisions, M),
    ("FramesAbortedDueToXSColls", Collisions, M),
    ("FramesLostDueToIntMACXmitError", TxErrors, M),
    ("CarrierSenseErrors", TxCarrier, M),
    ("FramesLostDueToIntMACRcvError", RxMissed, M),
    ("InRangeLengthErrors", RxLength, M),
    ("OutOfRangeLengthField", RxLength, M),
    ("FrameTooLongErrors", RxLength, M),
    ("SymbolErrorDuringCarrier", RxSymbol, M),
    ("Symbol Error During Carrier", RxSymbol, M),
    ("SingleCollisionFrames", Other, M),
    ("MultipleCollisionFrames", Other, M),
    ("FramesWithDeferredXmissions", Other, M),
    ("FramesWithExcessiveDeferral", Other, M),
    ("BroadcastFramesXmittedOK", Other, M),
    ("BroadcastFramesReceivedOK", Other, M),
    ("MACControlFramesTransmitted", Other, M),
    ("MACControlFramesReceived", Other, M),
    ("UnsupportedOpcodesReceived", Other, M),
    ("etherStatsUndersizePkts", RxLength, M),
    ("etherStatsOversizePkts", RxLength, M),
    ("etherStatsFragments", RxLength, M),
    ("etherStatsJabbers", RxLength, M),
    // `struct ethtool_phy_stats` and `struct ethtool_link_ext_stats`.
    ("RxErrors", RxSymbol, M),
    ("link_down_events", LinkDown, M),
];

const DRIVERS: &[Driver] = &[
    Driver { names: &["igb"], rows: IGB },
    Driver { names: &["igbvf"], rows: IGBVF },
    Driver { names: &["igc"], rows: IGB },
    Driver { names: &["e1000e", "e1000"], rows: IGB },
    Driver { names: &["ixgbe"], rows: IXGBE },
    Driver { names: &["i40e"], rows: I40E },
    Driver { names: &["ice"], rows: ICE },
    Driver { names: &["iavf", "i40evf"], rows: IAVF },
    Driver { names: &["mlx4_en", "mlx4_core", "mlx4"], rows: MLX4 },
    Driver { names: &["mlx5_core", "mlx5e_rep", "mlx5"], rows: MLX5 },
    Driver { names: &["bnxt_en", "bnxt"], rows: BNXT },
    Driver { names: &["tg3"], rows: TG3 },
    Driver { names: &["bnx2", "bnx2x"], rows: BNX2 },
    Driver { names: &["r8169", "r8168", "r8125", "r8152"], rows: R8169 },
    Driver { names: &["qede"], rows: QEDE },
    Driver { names: &["be2net"], rows: BE2NET },
    Driver { names: &["virtio_net"], rows: VIRTIO },
    Driver { names: &["ena"], rows: ENA },
    Driver { names: &["hns3"], rows: HNS3 },
    Driver { names: &["atlantic"], rows: ATLANTIC },
    Driver { names: &["sfc", "sfc_ef100", "sfc-siena", "sfc-falcon"], rows: SFC },
    Driver { names: &["veth"], rows: VETH },
    Driver { names: &["enic"], rows: ENIC },
    Driver { names: &["cxgb4"], rows: CXGB4 },
    Driver { names: &["st_gmac", "stmmac", "stmmaceth"], rows: STMMAC },
];

/// `drivers/net/ethernet/intel/igb/igb_ethtool.c` (`igb_gstrings_stats`), `igc/igc_ethtool.c`
/// (`igc_gstrings_stats`), `e1000e/ethtool.c` (`e1000_gstrings_stats`). The totals are the registers GPRC, GPTC,
/// GORC, GOTC, MPRC and MPTC: frames on the wire, for reception those that passed the address filter.
const IGB: &[Row] = &[
    ("rx_packets", RxPackets, M),
    ("tx_packets", TxPackets, M),
    ("rx_bytes", RxBytes, M),
    ("tx_bytes", TxBytes, M),
    ("rx_long_byte_count", RxBytes, M),
    ("rx_broadcast", Other, M),
    ("tx_broadcast", Other, M),
    ("rx_multicast", RxMulticast, M),
    ("tx_multicast", TxMulticast, M),
    ("multicast", RxMulticast, M),
    ("collisions", Collisions, M),
    ("rx_crc_errors", RxCrc, M),
    ("rx_align_errors", RxCrc, M),
    ("rx_frame_errors", RxCrc, M),
    ("rx_no_buffer_count", RxMissed, M),
    ("rx_missed_errors", RxMissed, M),
    ("rx_over_errors", RxMissed, S),
    ("rx_fifo_errors", RxMissed, S),
    ("rx_errors", RxErrors, M),
    ("tx_errors", TxErrors, M),
    ("tx_aborted_errors", Collisions, M),
    ("tx_carrier_errors", TxCarrier, M),
    ("tx_window_errors", Collisions, M),
    ("tx_abort_late_coll", Collisions, M),
    ("tx_deferred_ok", Other, M),
    ("tx_single_coll_ok", Other, M),
    ("tx_multi_coll_ok", Other, M),
    ("tx_timeout_count", TxTimeout, S),
    ("rx_long_length_errors", RxLength, M),
    ("rx_short_length_errors", RxLength, M),
    ("rx_length_errors", RxLength, M),
    ("rx_flow_control_xon", RxPause, M),
    ("rx_flow_control_xoff", RxPause, M),
    ("tx_flow_control_xon", TxPause, M),
    ("tx_flow_control_xoff", TxPause, M),
    ("tx_hwtstamp_timeouts", Other, S),
    // Memory of the adapter, not the link.
    ("uncorr_ecc_errors", Other, S),
    ("corr_ecc_errors", Other, S),
    ("alloc_rx_buff_failed", Other, S),
];

/// `drivers/net/ethernet/intel/igbvf/ethtool.c` (`igbvf_gstrings_stats`): the registers are those of the virtual function.
const IGBVF: &[Row] = &[
    ("rx_long_byte_count", RxBytes, S),
    ("lbrx_bytes", Other, S),
    ("lbrx_packets", Other, S),
    ("lbtx_bytes", Other, S),
    ("lbtx_packets", Other, S),
];

/// `drivers/net/ethernet/intel/ixgbe/ixgbe_ethtool.c` (`ixgbe_gstrings_stats`): `rx_packets` and `tx_packets` are
/// sums over the rings, `*_nic` are GPRC, GPTC, GORC, GOTC.
const IXGBE: &[Row] = &[
    ("rx_packets", RxPackets, S),
    ("tx_packets", TxPackets, S),
    ("rx_bytes", RxBytes, S),
    ("tx_bytes", TxBytes, S),
    ("rx_pkts_nic", RxPackets, M),
    ("tx_pkts_nic", TxPackets, M),
    ("rx_bytes_nic", RxBytes, M),
    ("tx_bytes_nic", TxBytes, M),
    ("lsc_int", Other, S),
    ("multicast", RxMulticast, M),
    ("broadcast", Other, M),
    ("rx_errors", RxErrors, M),
    ("rx_no_buffer_count", RxMissed, M),
    ("rx_missed_errors", RxMissed, M),
    ("rx_no_dma_resources", RxMissed, M),
    ("rx_long_length_errors", RxLength, M),
    ("rx_short_length_errors", RxLength, M),
    ("tx_flow_control_xon", TxPause, M),
    ("tx_flow_control_xoff", TxPause, M),
    ("rx_flow_control_xon", RxPause, M),
    ("rx_flow_control_xoff", RxPause, M),
    ("tx_restart_queue", Other, S),
    ("tx_hwtstamp_timeouts", Other, S),
];

/// `drivers/net/ethernet/intel/i40e/i40e_ethtool.c` (`i40e_gstrings_net_stats`, `_misc_stats`, `i40e_gstrings_stats`;
/// the prefix `port.` since 3.14, without it before). `rx_dropped` is the VSI's or the port's RDPC: no descriptor
/// or no packet buffer.
const I40E: &[Row] = &[
    ("rx_packets", RxPackets, S),
    ("tx_packets", TxPackets, S),
    ("rx_bytes", RxBytes, S),
    ("tx_bytes", TxBytes, S),
    ("rx_multicast", RxMulticast, S),
    ("tx_multicast", TxMulticast, S),
    ("rx_dropped", RxMissed, S),
    ("rx_crc_errors", RxCrc, M),
    ("rx_length_errors", RxLength, M),
    ("rx_unknown_protocol", Other, S),
    ("port.rx_bytes", RxBytes, M),
    ("port.tx_bytes", TxBytes, M),
    ("port.rx_unicast", Other, M),
    ("port.tx_unicast", Other, M),
    ("port.rx_multicast", RxMulticast, M),
    ("port.tx_multicast", TxMulticast, M),
    ("port.rx_broadcast", Other, M),
    ("port.tx_broadcast", Other, M),
    ("port.tx_errors", TxErrors, M),
    ("port.rx_dropped", RxMissed, M),
    ("port.rx_discards", RxMissed, M),
    ("port.tx_dropped_link_down", TxDropped, M),
    ("tx_dropped_link_down", TxDropped, M),
    ("port.rx_crc_errors", RxCrc, M),
    ("port.illegal_bytes", RxSymbol, M),
    ("illegal_bytes", RxSymbol, M),
    ("port.mac_local_faults", LocalFault, M),
    ("mac_local_faults", LocalFault, M),
    ("port.mac_remote_faults", RemoteFault, M),
    ("mac_remote_faults", RemoteFault, M),
    ("port.tx_timeout", TxTimeout, S),
    ("port.rx_csum_bad", Other, S),
    ("port.rx_length_errors", RxLength, M),
    ("port.link_xon_rx", RxPause, M),
    ("port.link_xoff_rx", RxPause, M),
    ("port.link_xon_tx", TxPause, M),
    ("port.link_xoff_tx", TxPause, M),
    ("link_xon_rx", RxPause, M),
    ("link_xoff_rx", RxPause, M),
    ("link_xon_tx", TxPause, M),
    ("link_xoff_tx", TxPause, M),
    ("port.rx_undersize", RxLength, M),
    ("port.rx_fragments", RxLength, M),
    ("port.rx_oversize", RxLength, M),
    ("port.rx_jabber", RxLength, M),
    ("rx_undersize", RxLength, M),
    ("rx_fragments", RxLength, M),
    ("rx_oversize", RxLength, M),
    ("rx_jabber", RxLength, M),
];

/// `drivers/net/ethernet/intel/ice/ice_ethtool.c` (`ice_gstrings_vsi_stats`, `ice_gstrings_pf_stats`). Without
/// suffix: the VSI; `.nic`: the port. `rx_dropped` is `rx_discards`: no descriptor (VSI) or packet buffer (port).
const ICE: &[Row] = &[
    ("rx_bytes", RxBytes, S),
    ("tx_bytes", TxBytes, S),
    ("rx_multicast", RxMulticast, S),
    ("tx_multicast", TxMulticast, S),
    ("rx_dropped", RxMissed, S),
    ("rx_unknown_protocol", Other, S),
    ("rx_alloc_fail", Other, S),
    ("tx_errors", TxErrors, S),
    ("rx_bytes.nic", RxBytes, M),
    ("tx_bytes.nic", TxBytes, M),
    ("rx_unicast.nic", Other, M),
    ("tx_unicast.nic", Other, M),
    ("rx_multicast.nic", RxMulticast, M),
    ("tx_multicast.nic", TxMulticast, M),
    ("rx_broadcast.nic", Other, M),
    ("tx_broadcast.nic", Other, M),
    ("tx_errors.nic", TxErrors, M),
    ("tx_timeout.nic", TxTimeout, S),
    ("link_xon_rx.nic", RxPause, M),
    ("link_xoff_rx.nic", RxPause, M),
    ("link_xon_tx.nic", TxPause, M),
    ("link_xoff_tx.nic", TxPause, M),
    ("tx_dropped_link_down.nic", TxDropped, M),
    ("rx_undersize.nic", RxLength, M),
    ("rx_fragments.nic", RxLength, M),
    ("rx_oversize.nic", RxLength, M),
    ("rx_jabber.nic", RxLength, M),
    ("rx_csum_bad.nic", Other, S),
    ("rx_length_errors.nic", RxLength, M),
    ("rx_dropped.nic", RxMissed, M),
    ("rx_crc_errors.nic", RxCrc, M),
    ("illegal_bytes.nic", RxSymbol, M),
    ("mac_local_faults.nic", LocalFault, M),
    ("mac_remote_faults.nic", RemoteFault, M),
    ("fdir_sb_match.nic", Other, S),
    ("fdir_sb_status.nic", Other, S),
];

/// `drivers/net/ethernet/intel/iavf/iavf_ethtool.c` (`iavf_gstrings_stats`): a virtual function sees its VSI only.
const IAVF: &[Row] = &[
    ("rx_bytes", RxBytes, S),
    ("tx_bytes", TxBytes, S),
    ("rx_multicast", RxMulticast, S),
    ("tx_multicast", TxMulticast, S),
    ("rx_discards", RxMissed, S),
    ("tx_discards", TxDropped, S),
    ("tx_errors", TxErrors, S),
];

/// `drivers/net/ethernet/mellanox/mlx4/en_ethtool.c` (`main_strings`) with `en_port.c` (`mlx4_en_DUMP_ETH_STATS`):
/// the packet totals are sums over the rings in newer kernels and port counters in older ones; the error counters
/// come from the port. `rx_fifo_errors` is RdropOvflw.
const MLX4: &[Row] = &[
    ("rx_packets", RxPackets, S),
    ("tx_packets", TxPackets, S),
    ("rx_bytes", RxBytes, S),
    ("tx_bytes", TxBytes, S),
    ("rx_errors", RxErrors, M),
    ("tx_errors", TxErrors, M),
    ("rx_multicast_packets", RxMulticast, M),
    ("tx_multicast_packets", TxMulticast, M),
    ("rx_broadcast_packets", Other, M),
    ("tx_broadcast_packets", Other, M),
    ("multicast", RxMulticast, M),
    ("rx_jabbers", RxLength, M),
    ("rx_in_range_length_error", RxLength, M),
    ("rx_out_range_length_error", RxLength, M),
    ("rx_fifo_errors", RxMissed, M),
    ("rx_over_errors", RxMissed, M),
    ("rx_missed_errors", RxMissed, M),
    ("rx_pause", RxPause, M),
    ("tx_pause", TxPause, M),
    ("rx_pause_duration", Other, M),
    ("rx_pause_transition", Other, M),
    ("tx_pause_duration", Other, M),
    ("tx_pause_transition", Other, M),
    ("tx_timeout", TxTimeout, S),
    ("rx_alloc_failed", Other, S),
    ("queue_stopped", Other, S),
];

/// `drivers/net/ethernet/mellanox/mlx5/core/en_stats.c` (`sw_stats_desc`, `q_stats_desc`, `vnic_env_stats_*`,
/// `vport_stats_desc`, `pport_802_3_stats_desc`, `pport_2863_*`, `pport_2819_*`, `pport_phy_*`). `rx_discards_phy` is
/// ifInDiscards: no room in the port's receive buffer. `rx_err_lane_N_phy` are bits corrected per lane.
const MLX5: &[Row] = &[
    ("rx_packets", RxPackets, S),
    ("tx_packets", TxPackets, S),
    ("rx_bytes", RxBytes, S),
    ("tx_bytes", TxBytes, S),
    ("tx_queue_dropped", TxDropped, S),
    ("tx_cqe_err", TxErrors, S),
    ("rx_wqe_err", RxErrors, S),
    ("rx_oversize_pkts_sw_drop", RxLength, S),
    ("rx_oversize_pkts_buffer", RxLength, S),
    ("rx_buff_alloc_err", RxDropped, S),
    ("rx_out_of_buffer", RxMissed, S),
    ("rx_if_down_packets", RxDropped, S),
    ("rx_steer_missed_packets", RxFiltered, S),
    ("dev_internal_queue_oob", Other, S),
    ("rx_vport_multicast_packets", RxMulticast, S),
    ("tx_vport_multicast_packets", TxMulticast, S),
    ("tx_packets_phy", TxPackets, M),
    ("rx_packets_phy", RxPackets, M),
    ("rx_crc_errors_phy", RxCrc, M),
    ("tx_bytes_phy", TxBytes, M),
    ("rx_bytes_phy", RxBytes, M),
    ("tx_multicast_phy", TxMulticast, M),
    ("rx_multicast_phy", RxMulticast, M),
    ("tx_broadcast_phy", Other, M),
    ("rx_broadcast_phy", Other, M),
    ("rx_in_range_len_errors_phy", RxLength, M),
    ("rx_out_of_range_len_phy", RxLength, M),
    ("rx_oversize_pkts_phy", RxLength, M),
    ("rx_undersize_pkts_phy", RxLength, M),
    ("rx_fragments_phy", RxLength, M),
    ("rx_jabbers_phy", RxLength, M),
    ("rx_symbol_err_phy", RxSymbol, M),
    ("rx_pcs_symbol_err_phy", RxSymbol, M),
    ("rx_corrected_bits_phy", FecCorrected, M),
    ("rx_err_lane_0_phy", FecCorrected, M),
    ("rx_err_lane_1_phy", FecCorrected, M),
    ("rx_err_lane_2_phy", FecCorrected, M),
    ("rx_err_lane_3_phy", FecCorrected, M),
    ("tx_mac_control_phy", Other, M),
    ("rx_mac_control_phy", Other, M),
    ("rx_unsupported_op_phy", Other, M),
    ("rx_pause_ctrl_phy", RxPause, M),
    ("tx_pause_ctrl_phy", TxPause, M),
    ("rx_global_pause", RxPause, M),
    ("tx_global_pause", TxPause, M),
    ("rx_discards_phy", RxMissed, M),
    ("tx_discards_phy", TxDropped, M),
    ("tx_errors_phy", TxErrors, M),
    ("link_down_events_phy", LinkDown, M),
    ("total_success_recovery_phy", Other, M),
    ("rx_buffer_passed_thres_phy", Other, M),
];

/// `drivers/net/ethernet/broadcom/bnxt/bnxt_ethtool.c` (`bnxt_ring_*_stats_str`, `bnxt_ring_err_stats_arr`,
/// `bnxt_port_stats_arr`, `bnxt_port_stats_ext_arr`). Names without a ring number are of the port, except
/// `rx_total_*` and `tx_total_*` errors, which are sums over the rings.
const BNXT: &[Row] = &[
    ("rx_total_frames", RxPackets, M),
    ("tx_total_frames", TxPackets, M),
    ("rx_good_frames", Other, M),
    ("tx_good_frames", Other, M),
    ("rx_bytes", RxBytes, M),
    ("tx_bytes", TxBytes, M),
    ("rx_ucast_frames", Other, M),
    ("tx_ucast_frames", Other, M),
    ("rx_mcast_frames", RxMulticast, M),
    ("tx_mcast_frames", TxMulticast, M),
    ("rx_bcast_frames", Other, M),
    ("tx_bcast_frames", Other, M),
    ("rx_fcs_err_frames", RxCrc, M),
    ("rx_align_err_frames", RxCrc, M),
    ("rx_ctrl_frames", Other, M),
    ("rx_pause_frames", RxPause, M),
    ("tx_pause_frames", TxPause, M),
    ("rx_pfc_frames", RxPause, M),
    ("tx_pfc_frames", TxPause, M),
    ("rx_ovrsz_frames", RxLength, M),
    ("rx_undrsz_frames", RxLength, M),
    ("rx_jbr_frames", RxLength, M),
    ("rx_mtu_err_frames", RxLength, M),
    ("rx_runt_frames", RxLength, M),
    ("rx_runt_bytes", Other, M),
    ("rx_stat_discard", RxMissed, M),
    ("rx_stat_err", RxErrors, M),
    ("tx_err", TxErrors, M),
    ("tx_stat_error", TxErrors, M),
    ("tx_jabber_frames", TxErrors, M),
    ("tx_fcs_err_frames", TxErrors, M),
    ("tx_fifo_underruns", TxErrors, M),
    ("tx_stat_discard", TxDropped, M),
    ("tx_total_collisions", Collisions, M),
    ("tx_xthol_frames", Other, M),
    ("link_down_events", LinkDown, M),
    ("continuous_pause_events", Other, M),
    ("resume_pause_events", Other, M),
    ("rx_pcs_symbol_err", RxSymbol, M),
    ("rx_corrected_bits", FecCorrected, M),
    ("rx_fec_corrected_blocks", FecCorrected, M),
    ("rx_fec_uncorrectable_blocks", FecUncorrected, M),
    ("rx_filter_miss", RxFiltered, M),
    ("rx_total_ring_discards", RxMissed, S),
    ("rx_total_discard_pkts", RxMissed, S),
    ("rx_total_oom_discards", RxDropped, S),
    ("rx_total_netpoll_discards", RxDropped, S),
    ("rx_total_buf_errors", RxErrors, S),
    ("rx_total_resets", Reset, S),
    ("tx_total_resets", Reset, S),
    ("tx_total_ring_discards", TxDropped, S),
    ("tx_total_discard_pkts", TxDropped, S),
    ("rx_total_l4_csum_errors", Other, S),
    ("total_missed_irqs", Other, S),
];

/// `drivers/net/ethernet/broadcom/tg3.c` (`ethtool_stats_keys`): registers of the MAC and of the receive list.
const TG3: &[Row] = &[
    ("rx_octets", RxBytes, M),
    ("tx_octets", TxBytes, M),
    ("rx_fragments", RxLength, M),
    ("rx_ucast_packets", Other, M),
    ("rx_mcast_packets", RxMulticast, M),
    ("rx_bcast_packets", Other, M),
    ("rx_fcs_errors", RxCrc, M),
    ("rx_align_errors", RxCrc, M),
    ("rx_xon_pause_rcvd", RxPause, M),
    ("rx_xoff_pause_rcvd", RxPause, M),
    ("rx_mac_ctrl_rcvd", Other, M),
    ("rx_xoff_entered", Other, M),
    ("rx_frame_too_long_errors", RxLength, M),
    ("rx_jabbers", RxLength, M),
    ("rx_undersize_packets", RxLength, M),
    ("rx_in_length_errors", RxLength, M),
    ("rx_out_length_errors", RxLength, M),
    ("tx_collisions", Collisions, M),
    ("tx_xon_sent", TxPause, M),
    ("tx_xoff_sent", TxPause, M),
    ("tx_flow_control", Other, M),
    ("tx_mac_errors", TxErrors, M),
    ("tx_single_collisions", Other, M),
    ("tx_mult_collisions", Other, M),
    ("tx_deferred", Other, M),
    ("tx_excessive_collisions", Collisions, M),
    ("tx_late_collisions", Collisions, M),
    ("tx_ucast_packets", Other, M),
    ("tx_mcast_packets", TxMulticast, M),
    ("tx_bcast_packets", Other, M),
    ("tx_carrier_sense_errors", TxCarrier, M),
    ("tx_discards", TxDropped, M),
    ("tx_errors", TxErrors, M),
    ("rxbds_empty", RxMissed, M),
    ("rx_discards", RxMissed, M),
    ("rx_errors", RxErrors, M),
    ("rx_threshold_hit", Other, M),
    ("mbuf_lwm_thresh_hit", Other, M),
];

/// `drivers/net/ethernet/broadcom/bnx2.c` (`bnx2_stats_str_arr`) and `bnx2x/bnx2x_ethtool.c` (`bnx2x_stats_arr`).
const BNX2: &[Row] = &[
    ("rx_bytes", RxBytes, M),
    ("tx_bytes", TxBytes, M),
    ("rx_error_bytes", Other, M),
    ("tx_error_bytes", Other, M),
    ("rx_ucast_packets", Other, M),
    ("rx_mcast_packets", RxMulticast, M),
    ("tx_mcast_packets", TxMulticast, M),
    ("tx_mac_errors", TxErrors, M),
    ("tx_carrier_errors", TxCarrier, M),
    ("rx_crc_errors", RxCrc, M),
    ("rx_align_errors", RxCrc, M),
    ("tx_excess_collisions", Collisions, M),
    ("tx_late_collisions", Collisions, M),
    ("tx_total_collisions", Collisions, M),
    ("rx_fragments", RxLength, M),
    ("rx_jabbers", RxLength, M),
    ("rx_undersize_packets", RxLength, M),
    ("rx_oversize_packets", RxLength, M),
    ("rx_xon_frames", RxPause, M),
    ("rx_xoff_frames", RxPause, M),
    ("tx_xon_frames", TxPause, M),
    ("tx_xoff_frames", TxPause, M),
    ("rx_pause_frames", RxPause, M),
    ("tx_pause_frames", TxPause, M),
    ("pfc_frames_received", RxPause, M),
    ("pfc_frames_sent", TxPause, M),
    ("rx_mac_ctrl_frames", Other, M),
    ("rx_filtered_packets", RxFiltered, M),
    ("rx_mf_tag_discard", RxFiltered, M),
    ("rx_ftq_discards", RxMissed, M),
    ("rx_discards", RxMissed, M),
    ("rx_fw_discards", RxMissed, M),
    ("rx_brb_discard", RxMissed, M),
    ("rx_brb_truncate", RxMissed, M),
    ("rx_constant_pause_events", Other, M),
    ("rx_phy_ip_err_discards", RxDropped, S),
    ("rx_skb_alloc_discard", RxDropped, S),
    ("rx_csum_offload_errors", Other, S),
];

/// `drivers/net/ethernet/realtek/r8169_main.c` (`rtl8169_gstrings`): the hardware tally counters; the names with
/// `64`, `_on`, `_off` are of the RTL8125 and the vendor's drivers. r8152 (USB) uses the same names.
const R8169: &[Row] = &[
    ("tx_packets", TxPackets, M),
    ("rx_packets", RxPackets, M),
    ("tx_errors", TxErrors, M),
    ("rx_errors", RxErrors, M),
    ("rx_missed", RxMissed, M),
    ("align_errors", RxCrc, M),
    ("align_errors32", RxCrc, M),
    ("tx_single_collisions", Other, M),
    ("tx_multi_collisions", Other, M),
    ("unicast", Other, M),
    ("broadcast", Other, M),
    ("multicast", RxMulticast, M),
    ("tx_aborted", Collisions, M),
    ("tx_aborted32", Collisions, M),
    ("tx_underrun", TxErrors, M),
    ("tx_underun", TxErrors, M),
    ("tx_underrun32", TxErrors, M),
    ("tx_octets", TxBytes, M),
    ("rx_octets", RxBytes, M),
    ("rx_multicast64", RxMulticast, M),
    ("tx_multicast64", TxMulticast, M),
    ("tx_pause_on", TxPause, M),
    ("tx_pause_off", TxPause, M),
    // The sum of the two above.
    ("tx_pause_all", Other, M),
    ("rx_pause_on", RxPause, M),
    ("rx_pause_off", RxPause, M),
    ("rx_pause_all", Other, M),
    ("tx_late_collision", Collisions, M),
    ("tx_all_collision", Collisions, M),
    ("tx_deferred", Other, M),
    ("rx_frame_too_long", RxLength, M),
    ("rx_runt", RxLength, M),
    ("rx_mac_error", RxErrors, M),
    ("rx_mac_missed", RxMissed, M),
    ("rx_tcam_dropped", RxFiltered, M),
    ("rdu", RxMissed, M),
    ("tdu", Other, M),
];

/// `drivers/net/ethernet/qlogic/qede/qede_ethtool.c` (`qede_stats_arr`, `qede_rqstats_arr`): `*_ucast_pkts` and their
/// like are of the virtual port, the rest of the MAC. BRB is the packet buffer between both.
const QEDE: &[Row] = &[
    ("rx_mcast_pkts", RxMulticast, S),
    ("tx_mcast_pkts", TxMulticast, S),
    ("rx_pause_frames", RxPause, M),
    ("tx_pause_frames", TxPause, M),
    ("rx_pfc_frames", RxPause, M),
    ("tx_pfc_frames", TxPause, M),
    ("rx_mac_crtl_frames", Other, M),
    ("tx_mac_ctrl_frames", Other, M),
    ("rx_crc_errors", RxCrc, M),
    ("rx_align_errors", RxCrc, M),
    // False carrier: a code group that no frame begins with.
    ("rx_carrier_errors", RxSymbol, M),
    ("rx_oversize_packets", RxLength, M),
    ("rx_jabbers", RxLength, M),
    ("rx_undersize_packets", RxLength, M),
    ("rx_fragments", RxLength, M),
    ("tx_total_collisions", Collisions, M),
    ("brb_truncates", RxMissed, M),
    ("brb_discards", RxMissed, M),
    ("no_buff_discards", RxMissed, S),
    ("mftag_filter_discards", RxFiltered, M),
    ("mac_filter_discards", RxFiltered, M),
    ("gft_filter_drop", RxFiltered, M),
    ("tx_err_drop_pkts", TxDropped, S),
    ("ttl0_discard", RxDropped, S),
    ("packet_too_big_discard", RxLength, S),
    ("rx_hw_errors", RxErrors, S),
    ("rx_alloc_errors", RxDropped, S),
    ("rx_ip_frags", Other, S),
    ("link_change_count", LinkDown, M),
];

/// `drivers/net/ethernet/emulex/benet/be_ethtool.c` (`et_stats`, `et_rx_stats`, `et_tx_stats`).
const BE2NET: &[Row] = &[
    ("rx_crc_errors", RxCrc, M),
    ("rx_alignment_symbol_errors", RxSymbol, M),
    ("rx_pause_frames", RxPause, M),
    ("tx_pauseframes", TxPause, M),
    ("rx_priority_pause_frames", RxPause, M),
    ("tx_priority_pauseframes", TxPause, M),
    ("rx_control_frames", Other, M),
    ("tx_controlframes", Other, M),
    ("rx_in_range_errors", RxLength, M),
    ("rx_out_range_errors", RxLength, M),
    ("rx_frame_too_long", RxLength, M),
    ("rx_address_filtered", RxFiltered, M),
    ("rx_address_mismatch_drops", RxFiltered, M),
    ("rx_dropped_too_small", RxLength, M),
    ("rx_dropped_too_short", RxLength, M),
    ("rx_dropped_header_too_small", RxLength, M),
    ("rx_dropped_tcp_length", RxLength, M),
    ("rx_dropped_runt", RxLength, M),
    ("rxpp_fifo_overflow_drop", RxMissed, M),
    ("rx_input_fifo_overflow_drop", RxMissed, M),
    ("pmem_fifo_overflow_drop", RxMissed, M),
    ("rx_drops_no_pbuf", RxMissed, M),
    ("rx_drops_no_erx_descr", RxMissed, M),
    ("rx_drops_no_tpre_descr", RxMissed, M),
    ("rx_drops_too_many_frags", RxDropped, M),
    ("rx_drops_mtu", RxLength, M),
    ("eth_red_drops", RxMissed, M),
    ("jabber_events", RxLength, M),
    ("forwarded_packets", Other, M),
    ("dma_map_errors", TxErrors, S),
    ("rx_ip_checksum_errs", Other, S),
    ("rx_tcp_checksum_errs", Other, S),
    ("rx_udp_checksum_errs", Other, S),
];

/// `drivers/net/virtio_net.c` (`virtnet_rq_stats_desc`, `virtnet_sq_stats_desc`, `virtnet_get_stats_string`): queues (see
/// [`of_queue`]), since 6.11 also their sums `rx_*`, `tx_*` and the device's own `rx_hw_*`.
const VIRTIO: &[Row] = &[
    ("rx_drops", RxDropped, S),
    ("rx_hw_drop_overruns", RxMissed, S),
    ("rx_hw_drops", RxDropped, S),
    ("tx_hw_drops", TxDropped, S),
];

/// `drivers/net/ethernet/amazon/ena/ena_ethtool.c` (`ena_stats_global_strings`, `ena_stats_eni_strings`). The
/// allowance counters are the instance's policer.
const ENA: &[Row] = &[
    ("tx_timeout", TxTimeout, S),
    ("wd_expired", Reset, S),
    ("reset_fail", Reset, S),
    ("interface_up", Other, S),
    ("interface_down", Other, S),
    ("admin_q_pause", Other, S),
    ("bw_in_allowance_exceeded", RxFiltered, S),
    ("bw_out_allowance_exceeded", TxDropped, S),
    ("pps_allowance_exceeded", RxFiltered, S),
    ("conntrack_allowance_exceeded", RxFiltered, S),
    ("linklocal_allowance_exceeded", TxDropped, S),
    ("conntrack_allowance_available", Other, S),
];

/// `drivers/net/ethernet/hisilicon/hns3/hns3pf/hclge_main.c` (`g_mac_stats_string`).
const HNS3: &[Row] = &[
    ("mac_tx_mac_pause_num", TxPause, M),
    ("mac_rx_mac_pause_num", RxPause, M),
    ("mac_tx_control_pkt_num", Other, M),
    ("mac_rx_control_pkt_num", Other, M),
    ("mac_tx_pfc_pkt_num", TxPause, M),
    ("mac_rx_pfc_pkt_num", RxPause, M),
    ("mac_tx_total_pkt_num", TxPackets, M),
    ("mac_rx_total_pkt_num", RxPackets, M),
    ("mac_tx_total_oct_num", TxBytes, M),
    ("mac_rx_total_oct_num", RxBytes, M),
    ("mac_tx_good_pkt_num", Other, M),
    ("mac_rx_good_pkt_num", Other, M),
    ("mac_tx_bad_pkt_num", TxErrors, M),
    ("mac_rx_bad_pkt_num", RxErrors, M),
    ("mac_tx_multi_pkt_num", TxMulticast, M),
    ("mac_rx_multi_pkt_num", RxMulticast, M),
    ("mac_rx_undersize_pkt_num", RxLength, M),
    ("mac_rx_oversize_pkt_num", RxLength, M),
    ("mac_rx_fragment_pkt_num", RxLength, M),
    ("mac_rx_undermin_pkt_num", RxLength, M),
    ("mac_rx_jabber_pkt_num", RxLength, M),
    ("mac_rx_fcs_err_pkt_num", RxCrc, M),
    ("mac_tx_err_all_pkt_num", TxErrors, M),
    ("mac_rx_send_app_bad_pkt_num", Other, M),
    ("mac_tx_from_app_bad_pkt_num", Other, M),
];

/// `drivers/net/ethernet/aquantia/atlantic/aq_ethtool.c` (`aq_ethtool_stat_names`). `InDroppedDma`: no descriptor.
const ATLANTIC: &[Row] = &[
    ("InPackets", RxPackets, M),
    ("OutPackets", TxPackets, M),
    ("InOctets", RxBytes, M),
    ("OutOctets", TxBytes, M),
    ("InMCast", RxMulticast, M),
    ("OutMCast", TxMulticast, M),
    ("InUCast", Other, M),
    ("OutUCast", Other, M),
    ("InBCast", Other, M),
    ("OutBCast", Other, M),
    ("InErrors", RxErrors, M),
    ("InPacketsDma", Other, S),
    ("OutPacketsDma", Other, S),
    ("InDroppedDma", RxMissed, M),
];

/// `drivers/net/ethernet/sfc/ef10.c` (`efx_ef10_stat_desc`), `ef100_nic.c`, `siena/siena.c`; `port_rx_bad` is
/// `RX_BAD_FCS_PKTS`. Names without `port_` are of the virtual adapter (EF10) or of the MAC (Siena, Falcon).
const SFC: &[Row] = &[
    ("port_tx_packets", TxPackets, M),
    ("port_rx_packets", RxPackets, M),
    ("port_tx_bytes", TxBytes, M),
    ("port_rx_bytes", RxBytes, M),
    ("port_tx_pause", TxPause, M),
    ("port_rx_pause", RxPause, M),
    ("port_tx_multicast", TxMulticast, M),
    ("port_rx_multicast", RxMulticast, M),
    ("port_rx_good", Other, M),
    ("port_rx_bad", RxCrc, M),
    ("rx_bad", RxCrc, M),
    ("rx_eth_crc_err", RxCrc, M),
    ("port_rx_align_error", RxCrc, M),
    ("rx_align_error", RxCrc, M),
    ("rx_false_carrier", RxSymbol, M),
    ("rx_symbol_error", RxSymbol, M),
    ("port_rx_length_error", RxLength, M),
    ("rx_length_error", RxLength, M),
    ("port_rx_lt64", RxLength, M),
    ("port_rx_gtjumbo", RxLength, M),
    ("port_rx_bad_gtjumbo", RxLength, M),
    ("port_rx_overflow", RxMissed, M),
    ("rx_overflow", RxMissed, M),
    ("port_rx_nodesc_drops", RxMissed, M),
    ("rx_nodesc_drop_cnt", RxMissed, M),
    ("rx_nodesc_drops", RxMissed, M),
    ("rx_nodesc_trunc", RxMissed, S),
    ("rx_noskb_drops", RxDropped, S),
    ("port_rx_pm_trunc_bb_overflow", RxMissed, M),
    ("port_rx_pm_discard_bb_overflow", RxMissed, M),
    ("port_rx_pm_trunc_vfifo_full", RxMissed, M),
    ("port_rx_pm_discard_vfifo_full", RxMissed, M),
    ("port_rx_pm_trunc_qbb", RxMissed, M),
    ("port_rx_pm_discard_qbb", RxMissed, M),
    ("port_rx_pm_discard_mapping", RxFiltered, M),
    ("port_rx_dp_q_disabled_packets", RxDropped, M),
    ("port_rx_dp_di_dropped_packets", RxFiltered, M),
    ("fec_uncorrected_errors", FecUncorrected, M),
    ("fec_corrected_errors", FecCorrected, M),
    ("rx_mcast_mismatch", RxFiltered, S),
    ("tx_pause", TxPause, M),
    ("rx_pause", RxPause, M),
];

/// `drivers/net/veth.c` (`ethtool_stats_keys`, `veth_rq_stats_desc`): no wire at all; queues: see [`of_queue`].
const VETH: &[Row] = &[("peer_ifindex", Other, S)];

/// `drivers/net/ethernet/cisco/enic/enic_ethtool.c` (`enic_tx_stats`, `enic_rx_stats`).
const ENIC: &[Row] = &[
    ("tx_frames_ok", TxPackets, M),
    ("tx_multicast_frames_ok", TxMulticast, M),
    ("tx_bytes_ok", TxBytes, M),
    ("tx_drops", TxDropped, M),
    ("tx_errors", TxErrors, M),
    ("rx_frames_total", RxPackets, M),
    ("rx_frames_ok", Other, M),
    ("rx_multicast_frames_ok", RxMulticast, M),
    ("rx_bytes_ok", RxBytes, M),
    ("rx_drop", RxDropped, M),
    ("rx_no_bufs", RxMissed, M),
    ("rx_errors", RxErrors, M),
    ("rx_crc_errors", RxCrc, M),
];

/// `drivers/net/ethernet/chelsio/cxgb4/cxgb4_ethtool.c` (`stats_strings`).
const CXGB4: &[Row] = &[
    ("tx_frames_ok", TxPackets, M),
    ("rx_frames_ok", RxPackets, M),
    ("tx_octets_ok", TxBytes, M),
    ("rx_octets_ok", RxBytes, M),
    ("tx_multicast_frames", TxMulticast, M),
    ("rx_multicast_frames", RxMulticast, M),
    ("tx_error_frames", TxErrors, M),
    ("tx_frames_dropped", TxDropped, M),
    ("rx_frames_too_long", RxLength, M),
    ("rx_jabber_errors", RxLength, M),
    ("rx_length_errors", RxLength, M),
    ("rx_runt_frames", RxLength, M),
    ("rx_fcs_errors", RxCrc, M),
    ("rx_symbol_errors", RxSymbol, M),
    ("tx_pause_frames", TxPause, M),
    ("rx_pause_frames", RxPause, M),
];

/// `drivers/net/ethernet/stmicro/stmmac/stmmac_ethtool.c` (`stmmac_gstrings_stats`, `stmmac_mmc`).
const STMMAC: &[Row] = &[
    ("mmc_tx_framecount_gb", TxPackets, M),
    ("mmc_rx_framecount_gb", RxPackets, M),
    ("mmc_tx_octetcount_gb", TxBytes, M),
    ("mmc_rx_octetcount_gb", RxBytes, M),
    ("mmc_tx_multicastframe_g", TxMulticast, M),
    ("mmc_rx_multicastframe_g", RxMulticast, M),
    ("mmc_rx_crc_error", RxCrc, M),
    ("mmc_rx_align_error", RxCrc, M),
    ("mmc_rx_fifo_overflow", RxMissed, M),
    ("mmc_rx_fifo_overflow_errors", RxMissed, M),
    ("mmc_rx_length_error", RxLength, M),
    ("mmc_tx_carrier_error", TxCarrier, M),
    ("mmc_tx_latecol", Collisions, M),
    ("mmc_tx_exesscol", Collisions, M),
    ("mmc_tx_pause_frame", TxPause, M),
    ("mmc_rx_pause_frames", RxPause, M),
    ("rx_missed_cntr", RxMissed, M),
    ("rx_overflow_cntr", RxMissed, M),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_under_many_names() {
        for (driver, name, want) in [
            ("igb", "rx_crc_errors", RxCrc),
            ("tg3", "rx_fcs_errors", RxCrc),
            ("r8169", "align_errors", RxCrc),
            ("ice", "rx_crc_errors.nic", RxCrc),
            ("i40e", "port.rx_crc_errors", RxCrc),
            ("mlx5_core", "rx_crc_errors_phy", RxCrc),
            ("hns3", "mac_rx_fcs_err_pkt_num", RxCrc),
            ("bnxt_en", "rx_fcs_err_frames", RxCrc),
            ("sfc", "port_rx_bad", RxCrc),
            ("mlx5_core", "rx_symbol_err_phy", RxSymbol),
            ("mlx5_core", "rx_pcs_symbol_err_phy", RxSymbol),
            ("i40e", "port.illegal_bytes", RxSymbol),
            ("ice", "mac_local_faults.nic", LocalFault),
            ("ice", "mac_remote_faults.nic", RemoteFault),
            ("mlx5_core", "rx_discards_phy", RxMissed),
            ("mlx5_core", "rx_out_of_buffer", RxMissed),
            ("ixgbe", "rx_no_dma_resources", RxMissed),
            ("be2net", "rxq0: rx_drops_no_frags", RxMissed),
            ("bnxt_en", "[3]: rx_discards", RxMissed),
            ("bnxt_en", "rx_fec_uncorrectable_blocks", FecUncorrected),
            ("mlx5_core", "rx_corrected_bits_phy", FecCorrected),
            ("mlx5_core", "link_down_events_phy", LinkDown),
            ("mlx5_core", "rx_prio3_pause", RxPause),
            ("mlx5_core", "tx_prio3_pause_duration", Other),
            ("ixgbe", "tx_pb_0_pxoff", TxPause),
            ("virtio_net", "tx_queue_0_tx_timeouts", TxTimeout),
            ("virtio_net", "rx_queue_0_drops", RxDropped),
            ("ice", "tx_timeout.nic", TxTimeout),
            ("be2net", "rxq0: rx_pkts", Other),
        ] {
            assert_eq!(meaning(Some(driver), name), want, "{driver} {name}");
            assert_eq!(meaning(None, name), want, "no driver: {name}");
        }
    }

    #[test]
    fn what_is_not_what_it_sounds_like() {
        for name in [
            "lsc_int",
            "tx_hwtstamp_timeouts",
            "rx_csum_offload_errors",
            "rx_queue_0_packets",
            "rx_queue_0_xdp_drops",
            "tx_single_coll_ok",
            "fcoe_bad_fccrc",
            "rx_fcoe_dropped",
            "rx_unicast.nic",
            "rx_size_64.nic",
            "tx_64_byte_packets",
            "rx_64b_frames",
            "peer_ifindex",
            "uncorr_ecc_errors",
            "rx_prio0_packets",
            "rx_l3_l4_xsum_error",
        ] {
            assert_eq!(meaning(None, name), Other, "{name}");
        }
    }

    #[test]
    fn drops_for_want_of_room_differ_by_driver() {
        assert_eq!(meaning(Some("ice"), "rx_dropped.nic"), RxMissed);
        assert_eq!(meaning(Some("i40e"), "rx_dropped"), RxMissed);
        assert_eq!(meaning(Some("mlx4_en"), "rx_dropped"), RxDropped);
        assert_eq!(meaning(None, "rx_dropped"), RxDropped);
        assert_eq!(meaning(None, "port.rx_dropped"), RxMissed);
    }

    #[test]
    fn mac_or_software() {
        assert!(is_mac_counter(Some("igb"), "tx_packets"));
        assert!(!is_mac_counter(Some("mlx5_core"), "tx_packets"));
        assert!(!is_mac_counter(None, "tx_packets"));
        for name in
            ["tx_packets_phy", "tx_multicast_phy", "port.tx_multicast", "tx_multicast.nic", "tx_pkts_nic"]
        {
            assert!(is_mac_counter(None, name), "{name}");
        }
        for name in
            ["tx_queue_0_packets", "rx_vport_multicast_packets", "rx_out_of_buffer", "tx_timeout_count"]
        {
            assert!(!is_mac_counter(None, name), "{name}");
        }
        assert!(is_mac_counter(None, "eth-mac-FramesReceivedOK"));
    }

    #[test]
    fn groups_and_phys() {
        assert_eq!(meaning(None, "eth-mac-FrameCheckSequenceErrors"), RxCrc);
        assert_eq!(meaning(None, "eth-phy-SymbolErrorDuringCarrier"), RxSymbol);
        assert_eq!(meaning(None, "FramesTransmittedOK"), TxPackets);
        assert_eq!(meaning(None, "phy_receive_errors_copper"), RxSymbol);
        assert_eq!(meaning(None, "phy_local_rcvr_nok"), LocalFault);
        assert_eq!(meaning(None, "phy_remote_rcv_nok"), RemoteFault);
        assert_eq!(meaning(None, "phy_link_status_drop_cnt"), LinkDown);
    }

    #[test]
    fn drivers_betray_themselves() {
        assert_eq!(driver_of(["rx_packets", "lsc_int"]), Some("ixgbe"));
        assert_eq!(driver_of(["rx_packets", "tx_packets"]), None);
        // igc prints igb's names too, igbvf some of e1000e's.
        assert_eq!(driver_of(["tx_dma_out_of_sync", "rx_lpi_counter"]), Some("igc"));
        assert_eq!(driver_of(["rx_header_split", "lbrx_bytes"]), Some("igbvf"));
        assert!(!is_mac_counter(Some("igbvf"), "rx_packets"));
        let table = DRIVERS.iter().flat_map(|d| d.names);
        for (_, driver) in [("", "mlx5_core"), ("", "igc"), ("", "veth")] {
            assert!(table.clone().any(|n| *n == driver));
        }
    }
}
