//! `ethtool -S`: the counters of a NIC under the names of its driver.
//!
//! The names and their order are those of the drivers' string tables (Linux 6.x; the file is named at each table).
//! What the driver does not count is not shown, as on a real host. Per-queue counters are shares of the totals.

mod intel;
mod others;

use crate::view::{MemberView, NetCounters, NicCounters};
use std::fmt::Write as _;

/// Where a number comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Never moves in this world.
    Zero,
    /// A fixed number.
    Fixed(u64),
    /// A counter of the MAC.
    Nic(fn(&NicCounters) -> u64),
    /// A software counter of the netdev.
    Net(fn(&NetCounters) -> u64),
    /// So many per cent of another, rounded down: it grows whenever its source grows enough.
    Share(u64, fn(&NicCounters) -> u64),
    /// The same of a software counter.
    NetShare(u64, fn(&NetCounters) -> u64),
    /// Changes of the link, both ways.
    LinkChanges,
}

/// A counter's name and source.
type Row = (&'static str, Source);

/// Builds the list: names may be made (queue numbers), values are computed once.
struct List<'a> {
    member: &'a MemberView,
    rows: Vec<(String, u64)>,
}

impl List<'_> {
    fn value(&self, source: Source) -> u64 {
        let m = self.member;
        match source {
            Source::Zero => 0,
            Source::Fixed(n) => n,
            Source::Nic(f) => f(&m.nic),
            Source::Net(f) => f(&m.counters),
            Source::Share(percent, f) => share(f(&m.nic), percent),
            Source::NetShare(percent, f) => share(f(&m.counters), percent),
            Source::LinkChanges => {
                u64::from(m.carrier_counts.0).saturating_add(u64::from(m.carrier_counts.1))
            }
        }
    }
    fn rows(&mut self, rows: &[Row]) {
        for (name, source) in rows {
            let value = self.value(*source);
            self.rows.push(((*name).to_owned(), value));
        }
    }
    fn push(&mut self, name: String, source: Source) {
        let value = self.value(source);
        self.rows.push((name, value));
    }
}

/// So many per cent, without overflow.
const fn share(n: u64, percent: u64) -> u64 {
    n / 100 * percent + n % 100 * percent / 100
}

/// How traffic spreads over four queues, in per cent.
const QUEUES: [u64; 4] = [37, 29, 21, 13];

/// Renders the counters of one member.
#[must_use]
pub fn render(member: &MemberView) -> String {
    let mut list = List { member, rows: Vec::new() };
    match member.driver.as_str() {
        "ixgbe" => intel::ixgbe(&mut list),
        "i40e" => intel::i40e(&mut list),
        "ice" => intel::ice(&mut list),
        "igb" => intel::igb(&mut list),
        "igc" => intel::igc(&mut list),
        "e1000e" => intel::e1000e(&mut list),
        "mlx5_core" => others::mlx5(&mut list),
        "bnxt_en" => others::bnxt(&mut list),
        "tg3" => others::tg3(&mut list),
        "veth" => others::veth(&mut list),
        _ => {}
    }
    if list.rows.is_empty() {
        return "no stats available\n".to_owned();
    }
    let mut out = "NIC statistics:\n".to_owned();
    for (name, value) in &list.rows {
        let _ = writeln!(out, "     {name}: {value}");
    }
    out
}

// Counters of the MAC and of the netdev that several tables use.
const RX_PACKETS: Source = Source::Nic(|c| c.rx_packets);
const TX_PACKETS: Source = Source::Nic(|c| c.tx_packets);
const RX_BYTES: Source = Source::Nic(|c| c.rx_bytes);
const TX_BYTES: Source = Source::Nic(|c| c.tx_bytes);
const RX_MULTICAST: Source = Source::Nic(|c| c.rx_multicast);
const TX_MULTICAST: Source = Source::Nic(|c| c.tx_multicast);
const RX_UNICAST: Source = Source::Nic(|c| c.rx_packets.saturating_sub(c.rx_multicast));
const TX_UNICAST: Source = Source::Nic(|c| c.tx_packets.saturating_sub(c.tx_multicast));
const RX_CRC: Source = Source::Nic(|c| c.rx_crc);
const RX_SYMBOL: Source = Source::Nic(|c| c.rx_symbol);
const RX_MISSED: Source = Source::Nic(|c| c.rx_missed);
const TX_TIMEOUT: Source = Source::Nic(|c| c.tx_timeout);
const RESETS: Source = Source::Nic(|c| c.resets);
const RX_PAUSE: Source = Source::Nic(|c| c.rx_pause);
const TX_PAUSE: Source = Source::Nic(|c| c.tx_pause);
const LINK_DOWN: Source = Source::Nic(|c| c.link_down);
const XDP_DROP: Source = Source::Nic(|c| c.xdp_drop);
const FEC_CORRECTED: Source = Source::Nic(|c| c.fec_corrected);
const FEC_UNCORRECTABLE: Source = Source::Nic(|c| c.fec_uncorrectable);
const NET_RX_PACKETS: Source = Source::Net(|c| c.rx_packets);
const NET_TX_PACKETS: Source = Source::Net(|c| c.tx_packets);
const NET_RX_BYTES: Source = Source::Net(|c| c.rx_bytes);
const NET_TX_BYTES: Source = Source::Net(|c| c.tx_bytes);
const NET_RX_ERRORS: Source = Source::Net(|c| c.rx_errors);
const NET_TX_ERRORS: Source = Source::Net(|c| c.tx_errors);
const ZERO: Source = Source::Zero;

/// Good frames by size, in per cent: the buckets of all drivers have the same limits up to 1023.
const SIZES: [u64; 6] = [21, 16, 6, 4, 5, 48];

fn rx_size(bucket: usize) -> Source {
    Source::Share(SIZES.get(bucket).copied().unwrap_or(0), |c| c.rx_packets)
}

fn tx_size(bucket: usize) -> Source {
    Source::Share(SIZES.get(bucket).copied().unwrap_or(0), |c| c.tx_packets)
}
