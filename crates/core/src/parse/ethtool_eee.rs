//! `ethtool --show-eee <dev>`: Energy Efficient Ethernet.
//!
//! Source: `dump_eeecmd()` in `ethtool.c` (title `EEE Settings for`), `eee_reply_cb()` in `netlink/eee.c` (`EEE settings
//! for`). Link modes over several lines are joined with blanks.

use super::ethtool_listing::{self, Listing, number, starts};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-eee",
    titles: &["EEE settings for "],
    errors: &["Cannot get EEE settings", "Cannot set EEE settings"],
    known: |k, _| {
        matches!(
            k,
            "EEE status"
                | "Tx LPI"
                | "Supported EEE link modes"
                | "Advertised EEE link modes"
                | "Link partner advertised EEE link modes"
        )
    },
    sections: &[],
    item: |t| {
        t == "Not reported"
            || t.split_whitespace().all(|w| {
                w.ends_with("/Full")
                    || w.ends_with("/Half")
                    || w.strip_prefix("BIT").is_some_and(|n| number(n).is_some())
            })
    },
    head: |lines, i| {
        ["EEE status:", "Supported EEE link modes:", "Advertised EEE link modes:"]
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
    fn modes_are_joined() {
        let got = read(
            "x",
            "EEE Settings for eno1:\n\tEEE status: enabled - inactive\n\tTx LPI: 17 (us)\n\tSupported EEE link modes:  100baseT/Full\n\t                           1000baseT/Full\n\tLink partner advertised EEE link modes:  Not reported\n",
        );
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(f.text("Supported EEE link modes"), Some("100baseT/Full 1000baseT/Full"));
        assert_eq!(f.dev.as_deref(), Some("eno1"));
    }
}
