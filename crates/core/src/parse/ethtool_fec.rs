//! `ethtool --show-fec <dev>`: forward error correction, with `-I` also the corrected and uncorrectable blocks.
//!
//! Source: `do_gfec()` in `ethtool.c` (`Configured FEC encodings`), `fec_reply_cb()` in `netlink/fec.c`
//! (`Supported/Configured FEC encodings`). The `Statistics:` become counters; lanes are kept as `<name> lane <n>`
//! without a meaning, because the line above them is their sum.

use super::ethtool_listing::{self, Listing, Section, no_item, starts};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-fec",
    titles: &["FEC parameters for "],
    errors: &["Cannot get FEC settings", "Cannot set FEC settings"],
    known: |k, _| {
        matches!(
            k,
            "Configured FEC encodings"
                | "Supported/Configured FEC encodings"
                | "Configured FEC encodings/Supported"
                | "Active FEC encoding"
                | "Active FEC encodings"
        )
    },
    sections: &[("Statistics", Section::Counters)],
    item: no_item,
    head: |lines, i| {
        ["Configured FEC encodings:", "Supported/Configured FEC encodings:", "Active FEC encoding:"]
            .iter()
            .any(|k| starts(lines, i, k))
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
    fn blocks_and_lanes() {
        use crate::evidence::Meaning::{FecCorrected, FecUncorrected, Other};
        let got = read(
            "x",
            "FEC parameters for eth0:\nSupported/Configured FEC encodings: Auto RS BaseR\nActive FEC encoding: RS\nStatistics:\n  corrected_blocks: 256\n    Lane 0: 255\n    Lane 1: 1\n  uncorrectable_blocks: 145\n",
        );
        let [What::Counters(c), What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(f.text("Active FEC encoding"), Some("RS"));
        let meanings: Vec<_> = c.entries.iter().map(|e| (e.name.as_str(), e.meaning)).collect();
        assert_eq!(
            meanings,
            [
                ("corrected_blocks", FecCorrected),
                ("corrected_blocks lane 0", Other),
                ("corrected_blocks lane 1", Other),
                ("uncorrectable_blocks", FecUncorrected)
            ]
        );
    }
}
