//! `ethtool -a <dev>`: pause parameters (flow control), with `-I` also the pause frames counted by the MAC.
//!
//! Source: `do_gpause()` and `dump_pause()` in `ethtool.c`, `pause_reply_cb()` in `netlink/pause.c`. Keys as printed
//! (`Autonegotiate`, `RX`, `TX`, `RX negotiated`, `TX negotiated`); the `Statistics:` become counters.

use super::ethtool_listing::{self, Listing, Section, follows, no_item, starts};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-a",
    titles: &["Pause parameters for "],
    errors: &[
        "Cannot get device pause settings",
        "Cannot set device pause parameters",
        "no pause parameters changed",
    ],
    known: |k, _| matches!(k, "Autonegotiate" | "RX" | "TX" | "RX negotiated" | "TX negotiated"),
    sections: &[("Statistics", Section::Counters)],
    item: no_item,
    head: |lines, i| {
        starts(lines, i, "Autonegotiate:") && follows(lines, i, "RX:") && follows(lines, i, "TX:")
    },
};

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    ethtool_listing::begins(&LISTING, lines, i)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    ethtool_listing::read(&LISTING, cursor, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::What;

    fn read(path: &str, text: &str) -> Vec<What> {
        ethtool_listing::read_whole(FORMAT, path, text)
    }

    #[test]
    fn settings_and_frames() {
        let got = read(
            "x",
            "Pause parameters for eno1:\nAutonegotiate:\ton\nRX:\t\toff\nTX:\t\ton\nRX negotiated: off\nTX negotiated: on\nStatistics:\n  tx_pause_frames: 12\n  rx_pause_frames: 3\n",
        );
        let [What::Counters(c), What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((f.text("RX"), f.text("TX negotiated")), (Some("off"), Some("on")));
        assert_eq!(c.entries[0].meaning, crate::evidence::Meaning::TxPause);
        assert_eq!((c.entries[1].value, c.dev.as_deref()), (3, Some("eno1")));
    }

    #[test]
    fn refused() {
        let got = read(
            "x",
            "Cannot get device pause settings: Operation not supported\nPause parameters for br0:\n",
        );
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(f.dev.as_deref(), Some("br0"));
        assert!(f.text("error").is_some_and(|e| e.ends_with("Operation not supported")));
    }

    #[test]
    fn without_a_title() {
        let got = read("ethtool_-a_eno2", "Autonegotiate:  off\nRX:             on\nTX:             on\n\n");
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(f.dev.as_deref(), Some("eno2"));
    }
}
