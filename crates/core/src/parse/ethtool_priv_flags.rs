//! `ethtool --show-priv-flags <dev>`: the driver's own switches.
//!
//! Source: `do_gprivflags()` in `ethtool.c`, `privflags_reply_cb()` in `netlink/privflags.c`. The names are the driver's:
//! any line `name : on` or `name : off` below the title is one.

use super::ethtool_listing::{self, Listing, colon, no_item};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-priv-flags",
    titles: &["Private flags for "],
    errors: &[
        "Cannot get private flag",
        "Cannot set private flags",
        "No private flags defined",
        "Only showing first 32 private flags",
    ],
    known: |_, v| matches!(v, "on" | "off"),
    sections: &[],
    item: no_item,
    head: headless,
};

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    ethtool_listing::begins(&LISTING, lines, i)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    ethtool_listing::read(&LISTING, cursor, out);
}

/// Flags that matter here are known by name even where the title was cut off.
fn headless(lines: &[Line<'_>], i: usize) -> bool {
    const FLAGS: &[&str] = &[
        "fw-lldp-agent",
        "disable-fw-lldp",
        "link-down-on-close",
        "legacy-rx",
        "vf-true-promisc-support",
        "rx_cqe_moder",
        "tx_cqe_moder",
        "rx_cqe_compress",
        "rx_striding_rq",
        "tx_port_ts",
        "skb_tx_mpwqe",
        "mdd-auto-reset-vf",
        "total-port-shutdown",
    ];
    lines
        .get(i)
        .and_then(|l| colon(l.trimmed()))
        .is_some_and(|(k, v)| FLAGS.contains(&k) && matches!(v, "on" | "off"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::What;

    fn read(path: &str, text: &str) -> Vec<What> {
        ethtool_listing::read_whole(FORMAT, path, text)
    }

    #[test]
    fn names_of_the_driver() {
        let got = read(
            "x",
            "Private flags for ens3f0:\nlink-down-on-close     : off\nfw-lldp-agent          : on\nvf true promisc: off\n",
        );
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(f.text("fw-lldp-agent"), Some("on"));
        assert_eq!(f.dev.as_deref(), Some("ens3f0"));
    }

    #[test]
    fn known_flags_without_a_title() {
        let got = read(
            "ethtool_--show-priv-flags_ens1",
            "fw-lldp-agent          : on\nlegacy-rx              : off\n",
        );
        assert_eq!(got.len(), 1);
    }
}
