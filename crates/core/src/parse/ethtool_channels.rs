//! `ethtool -l <dev>`: numbers of channels (queues).
//!
//! Source: `dump_channels()` in `ethtool.c`, `channels_reply_cb()` in `netlink/channels.c`. The current values keep
//! their key (`Combined`), the maximums are kept as `Pre-set maximums: Combined`.

use super::ethtool_listing::{self, Listing, Section, follows, no_item, starts};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-l",
    titles: &["Channel parameters for "],
    errors: &[
        "Cannot get device channel parameters",
        "Cannot set device channel parameters",
        "no channel parameters changed",
        "current values: rx ",
    ],
    known: |k, _| matches!(k, "RX" | "TX" | "Other" | "Combined"),
    sections: &[
        ("Pre-set maximums", Section::Prefix("Pre-set maximums: ")),
        ("Current hardware settings", Section::Plain),
    ],
    item: no_item,
    head: |lines, i| {
        (starts(lines, i, "Pre-set maximums:") || starts(lines, i, "Current hardware settings:"))
            && follows(lines, i, "Other:")
            || starts(lines, i, "Other:") && follows(lines, i, "Combined:")
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
    fn broken_error_message() {
        let got = read(
            "x",
            "Cannot get device channel parameters\n: Operation not supported\nChannel parameters for lo:\n",
        );
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(f.text("error"), Some("Cannot get device channel parameters Operation not supported"));
        assert_eq!(f.dev.as_deref(), Some("lo"));
    }

    #[test]
    fn maximum_and_current() {
        let part = "RX:\t\tn/a\nTX:\t\tn/a\nOther:\t\t1\nCombined:\t";
        let got = read(
            "ethtool_-l_eth3",
            &format!("Pre-set maximums:\n{part}63\nCurrent hardware settings:\n{part}8\n"),
        );
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((f.int("Combined"), f.int("Pre-set maximums: Combined")), (Some(8), Some(63)));
    }
}
