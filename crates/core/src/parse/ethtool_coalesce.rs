//! `ethtool -c <dev>`: interrupt coalescing, also per queue.
//!
//! Source: `dump_coalesce()` in `ethtool.c`, `coalesce_reply_cb()` in `netlink/coalesce.c`. `Adaptive RX: on  TX: off`
//! is kept as `Adaptive RX` and `Adaptive TX`.

use super::ethtool_listing::{self, Listing, no_item, starts};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-c",
    titles: &["Coalesce parameters for "],
    errors: &[
        "Cannot get device coalesce settings",
        "Cannot set device coalesce parameters",
        "no coalesce parameters changed",
        "Cannot get device coalesce parameters",
        "Cannot get queue coalesce",
    ],
    known: is_key,
    sections: &[],
    item: no_item,
    head: |lines, i| {
        starts(lines, i, "Adaptive RX:") && lines.get(i).is_some_and(|l| l.text.contains("TX:"))
            || starts(lines, i, "CQE mode RX:")
            || starts(lines, i, "stats-block-usecs:")
            || ["rx-usecs:", "tx-usecs:", "rx-usecs-irq:", "rx-frames:", "tx-frames:", "rx-usecs-low:"]
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

fn is_key(k: &str, _: &str) -> bool {
    matches!(k, "Adaptive RX" | "CQE mode RX" | "sample-interval" | "stats-block-usecs" | "Queue")
        || ["rx-", "tx-", "pkt-rate-"].iter().any(|p| k.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::What;

    fn read(path: &str, text: &str) -> Vec<What> {
        ethtool_listing::read_whole(FORMAT, path, text)
    }

    #[test]
    fn both_generations() {
        let got = read(
            "x",
            "Coalesce parameters for eth2:\nAdaptive RX: on  TX: off\nstats-block-usecs:\tn/a\npkt-rate-low: 0\n\nrx-usecs: 20\nrx-frame-low: 0\nrx-frames-low: 0\n\nCQE mode RX: n/a  TX: n/a\n\ntx-aggr-max-bytes:\tn/a\n",
        );
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!((f.text("Adaptive RX"), f.text("Adaptive TX")), (Some("on"), Some("off")));
        assert_eq!(f.int("rx-usecs"), Some(20));
        assert_eq!(f.text("CQE mode TX"), Some("n/a"));
    }
}
