//! The names and meanings of interface statistics: `struct rtnl_link_stats64` (`include/uapi/linux/if_link.h`).
//!
//! `ip -s link`, its JSON, `/sys/class/net/*/statistics`, `/proc/net/dev` and `ifconfig` print the same numbers under
//! different headings. Their parsers name the counters as sysfs does, so that snapshots of different tools can be
//! compared.

use crate::evidence::Meaning;

/// What a counter with this sysfs name counts.
#[must_use]
pub fn meaning(name: &str) -> Meaning {
    match name {
        "rx_packets" => Meaning::RxPackets,
        "tx_packets" => Meaning::TxPackets,
        "rx_bytes" => Meaning::RxBytes,
        "tx_bytes" => Meaning::TxBytes,
        "multicast" => Meaning::RxMulticast,
        "rx_errors" => Meaning::RxErrors,
        "tx_errors" => Meaning::TxErrors,
        "rx_crc_errors" | "rx_frame_errors" => Meaning::RxCrc,
        "rx_length_errors" => Meaning::RxLength,
        "rx_missed_errors" | "rx_over_errors" | "rx_fifo_errors" => Meaning::RxMissed,
        "rx_dropped" => Meaning::RxDropped,
        "tx_dropped" => Meaning::TxDropped,
        "tx_carrier_errors" => Meaning::TxCarrier,
        // `window` is the kernel's word for late collisions, `aborted` for excessive ones.
        "collisions" | "tx_window_errors" | "tx_aborted_errors" => Meaning::Collisions,
        _ => Meaning::Other,
    }
}

/// The sysfs name of a column of `ip -s -s link`; `None` if this is not the name of a column.
#[must_use]
pub fn ip_column(rx: bool, word: &str) -> Option<&'static str> {
    Some(match (rx, word) {
        (true, "bytes") => "rx_bytes",
        (true, "packets") => "rx_packets",
        (true, "errors") => "rx_errors",
        (true, "dropped") => "rx_dropped",
        (true, "missed") => "rx_missed_errors",
        (true, "overrun") => "rx_over_errors",
        (true, "mcast") => "multicast",
        (true, "bcast") => "rx_broadcast",
        (true, "length") => "rx_length_errors",
        (true, "crc") => "rx_crc_errors",
        (true, "frame") => "rx_frame_errors",
        (true, "fifo") => "rx_fifo_errors",
        (true, "nohandler") => "rx_nohandler",
        (true, "otherhost") => "rx_otherhost_dropped",
        (true, "compressed") => "rx_compressed",
        (false, "bytes") => "tx_bytes",
        (false, "packets") => "tx_packets",
        (false, "errors") => "tx_errors",
        (false, "dropped") => "tx_dropped",
        (false, "carrier") => "tx_carrier_errors",
        (false, "collsns") => "collisions",
        (false, "aborted") => "tx_aborted_errors",
        (false, "fifo") => "tx_fifo_errors",
        (false, "window") => "tx_window_errors",
        (false, "heartbt" | "heartbeat") => "tx_heartbeat_errors",
        (false, "transns") => "carrier_changes",
        (false, "compressed") => "tx_compressed",
        _ => return None,
    })
}

/// The sysfs name of a key of `stats64` in `ip -j -s link`.
#[must_use]
pub fn json_key(rx: bool, key: &str) -> String {
    match key {
        "multicast" | "collisions" | "carrier_changes" => key.to_owned(),
        "otherhost" => "rx_otherhost_dropped".to_owned(),
        "nohandler" => "rx_nohandler".to_owned(),
        _ if rx => format!("rx_{key}"),
        _ => format!("tx_{key}"),
    }
}

/// A number as `ip` prints it, also with the suffixes of `-h` and `-iec` (`3.19k`, `142M`, `1.2Ki`).
#[must_use]
pub fn number(text: &str) -> Option<u64> {
    if let Ok(n) = text.parse() {
        return Some(n);
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (value, suffix) = text.split_at_checked(digits)?;
    let scale: u64 = match suffix {
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return None,
    };
    let (whole, frac) = value.split_once('.').unwrap_or((value, ""));
    let whole: u64 = whole.parse().ok()?;
    let mut sum = whole.checked_mul(scale)?;
    let mut unit = scale;
    for d in frac.bytes().take(6) {
        unit /= 10;
        sum = sum.checked_add(u64::from(d.checked_sub(b'0')?).checked_mul(unit)?)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_and_without_suffix() {
        assert_eq!(number("142967419"), Some(142_967_419));
        assert_eq!(number("3.19k"), Some(3_190));
        assert_eq!(number("1.5Ki"), Some(1_024 + 510));
        assert_eq!(number("bytes"), None);
        assert_eq!(number("99999999999999999999T"), None);
        assert_eq!(number(""), None);
    }

    #[test]
    fn text_and_json_agree_on_names() {
        assert_eq!(ip_column(true, "mcast"), Some(json_key(true, "multicast").as_str()));
        assert_eq!(ip_column(false, "carrier"), Some(json_key(false, "carrier_errors").as_str()));
        assert_eq!(ip_column(true, "overrun"), Some(json_key(true, "over_errors").as_str()));
    }
}
