//! `ethtool -T <dev>`: time stamping capabilities.
//!
//! Source: `show_tsinfo()` in `ethtool.c`, `tsinfo_reply_cb()` in `netlink/tsinfo.c`. The items below a key are joined
//! with blanks.

use super::ethtool_listing::{self, Listing, Section, follows, starts};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-t",
    titles: &["Time stamping parameters for "],
    errors: &["Cannot get device time stamping settings"],
    known: |k, _| {
        matches!(
            k,
            "Capabilities"
                | "PTP Hardware Clock"
                | "Hardware Transmit Timestamp Modes"
                | "Hardware Receive Filter Modes"
                | "Hardware timestamp provider index"
                | "Hardware timestamp provider qualifier"
                | "Hardware timestamp source"
                | "Hardware timestamp source index"
                | "Hardware timestamp provider"
        )
    },
    sections: &[("Statistics", Section::Counters)],
    item: is_item,
    head: |lines, i| {
        ["PTP Hardware Clock:", "Hardware Transmit Timestamp Modes:", "Hardware Receive Filter Modes:"]
            .iter()
            .any(|k| starts(lines, i, k))
            || starts(lines, i, "Capabilities:")
                && (follows(lines, i, "software-") || follows(lines, i, "hardware-"))
    },
};

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    ethtool_listing::begins(&LISTING, lines, i)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    ethtool_listing::read(&LISTING, cursor, out);
}

/// `software-receive      (SOF_TIMESTAMPING_RX_SOFTWARE)`, `ptpv1-l4-event`, `bit14`, `(HWTSTAMP_FILTER_ALL)`.
fn is_item(t: &str) -> bool {
    let name = |w: &str| w.starts_with("(SOF_TIMESTAMPING_") || w.starts_with("(HWTSTAMP_");
    let mut words = t.split_whitespace();
    let Some(first) = words.next() else { return false };
    let second = words.next();
    (name(first)
        || first.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_')))
        && second.is_none_or(name)
        && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::What;

    fn read(path: &str, text: &str) -> Vec<What> {
        ethtool_listing::read_whole(FORMAT, path, text)
    }

    #[test]
    fn lists_with_and_without_names() {
        let got = read(
            "x",
            "Time stamping parameters for eno1:\nCapabilities:\n\thardware-transmit\n\tsoftware-transmit     (SOF_TIMESTAMPING_TX_SOFTWARE)\nPTP Hardware Clock: 2\nHardware Transmit Timestamp Modes:\n\toff\n\ton                    (HWTSTAMP_TX_ON)\nHardware Receive Filter Modes:\n\tnone\n\tptpv2-l4-event\n\tbit14\nStatistics:\n  tx_pkts: 8\n  tx_lost: 0\n",
        );
        let [What::Counters(c), What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(f.text("Hardware Receive Filter Modes"), Some("none ptpv2-l4-event bit14"));
        assert_eq!(f.int("PTP Hardware Clock"), Some(2));
        assert_eq!(c.entries.len(), 2);
    }
}
