//! `ethtool -g <dev>`: ring sizes.
//!
//! Source: `dump_ring()` in `ethtool.c`, `rings_reply_cb()` in `netlink/rings.c`. The listing prints each key twice;
//! the current values keep their key (`RX`), the maximums are kept as `Pre-set maximums: RX`.

use super::ethtool_listing::{self, Listing, Section, follows, no_item, starts};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-g",
    titles: &["Ring parameters for "],
    errors: &[
        "Cannot get device ring settings",
        "Cannot set device ring parameters",
        "no ring parameters changed",
    ],
    known: is_key,
    sections: &[
        ("Pre-set maximums", Section::Prefix("Pre-set maximums: ")),
        ("Current hardware settings", Section::Plain),
    ],
    item: no_item,
    head: headless,
};

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    ethtool_listing::begins(&LISTING, lines, i)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    ethtool_listing::read(&LISTING, cursor, out);
}

fn is_key(k: &str, _: &str) -> bool {
    matches!(
        k,
        "RX" | "RX Mini"
            | "RX Jumbo"
            | "TX"
            | "RX Buf Len"
            | "CQE Size"
            | "TX Push"
            | "RX Push"
            | "TX push buff len"
            | "TCP data split"
            | "HDS thresh"
    )
}

/// `Pre-set maximums:` is also printed for channels; rings have `RX Mini`.
fn headless(lines: &[Line<'_>], i: usize) -> bool {
    (starts(lines, i, "Pre-set maximums:") || starts(lines, i, "Current hardware settings:"))
        && follows(lines, i, "RX Mini:")
        || starts(lines, i, "RX Mini:") && follows(lines, i, "RX Jumbo:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::What;

    fn read(path: &str, text: &str) -> Vec<What> {
        ethtool_listing::read_whole(FORMAT, path, text)
    }

    #[test]
    fn maximum_and_current() {
        let got = read(
            "x",
            "Ring parameters for eno1:\nPre-set maximums:\nRX:\t\t4096\nRX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t4096\nTX push buff len:\tn/a\nCurrent hardware settings:\nRX:\t\t512\nRX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t256\nRX Buf Len:\t\tn/a\nCQE Size:\t\tn/a\nTX Push:\toff\nRX Push:\toff\nTX push buff len:\tn/a\nTCP data split:\tunknown(7)\nHDS thresh:\t0\n",
        );
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((f.int("RX"), f.int("Pre-set maximums: RX")), (Some(512), Some(4096)));
        assert_eq!(f.text("TCP data split"), Some("unknown(7)"));
    }

    #[test]
    fn two_interfaces_and_a_cut_head() {
        let one = "Pre-set maximums:\nRX: 4096\nRX Mini: 0\nRX Jumbo: 0\nTX: 4096\n";
        assert_eq!(
            read("x", &format!("{one}Ring parameters for eth1:\n{one}Ring parameters for eth2:\n{one}"))
                .len(),
            2
        );
    }
}
