//! `ethtool -k <dev>`: offload features, and what `ethtool -K` says it changed.
//!
//! Source: `dump_features()` in `ethtool.c` (before 2.6.39: `Offload parameters for`), `netlink/features.c`. The value
//! keeps its suffix: `off [fixed]`, `on [requested off]`, `off [not requested]`.

use super::ethtool_listing::{self, Listing, Section, colon, no_item};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: LISTING.id, anchor, parse };

const LISTING: Listing = Listing {
    id: "ethtool-k",
    titles: &["Features for ", "Offload parameters for "],
    errors: &[
        "Cannot get device feature names",
        "Cannot get device generic features",
        "Cannot set device feature settings",
        "Cannot set device flag settings",
        "Cannot get device flags",
        "Cannot change rx-",
        "Cannot change tx-",
        "Cannot change large-receive-offload",
        "Cannot change generic-",
        "Cannot get device rx csum settings",
        "Cannot get device tx csum settings",
        "Cannot get device scatter-gather settings",
        "Cannot get device tcp segmentation offload settings",
        "Cannot get device udp large send offload settings",
        "Cannot get device generic segmentation offload settings",
        "Cannot get device GRO settings",
        "Cannot get device tcp-segmentation-offload settings",
        "Cannot get device udp-fragmentation-offload settings",
        "Cannot get device generic-segmentation-offload settings",
        "Cannot get device generic-receive-offload settings",
        "Cannot get device rx-checksumming settings",
        "Cannot get device tx-checksumming settings",
        "no feature info available",
        "no offload info available",
        "no features changed",
        "Could not change any device features",
    ],
    known: |_, v| is_value(v),
    sections: &[("Actual changes", Section::Plain)],
    item: no_item,
    head: headless,
};

fn is_value(v: &str) -> bool {
    let (state, rest) = v.split_once(' ').unwrap_or((v, ""));
    matches!(state, "on" | "off")
        && matches!(
            rest.trim(),
            "" | "[fixed]" | "[requested on]" | "[requested off]" | "[not requested]" | "[automatic]"
        )
}

/// Feature names, old and new, that no other listing has.
fn is_feature(k: &str) -> bool {
    const WHOLE: &[&str] = &[
        "rx-checksumming",
        "tx-checksumming",
        "scatter-gather",
        "highdma",
        "ntuple-filters",
        "receive-hashing",
        "vlan-challenged",
        "netns-local",
        "fcoe-mtu",
        "loopback",
        "rx checksumming",
        "tx checksumming",
        "tcp segmentation offload",
        "udp fragmentation offload",
        "generic segmentation offload",
        "generic receive offload",
        "large receive offload",
        "hw-tc-offload",
        "macsec-hw-offload",
        "hsr-tag-ins-offload",
        "hsr-tag-rm-offload",
        "hsr-fwd-offload",
        "hsr-dup-offload",
        "esp-hw-offload",
        "esp-tx-csum-hw-offload",
        "tls-hw-record",
        "tls-hw-tx-offload",
        "tls-hw-rx-offload",
        "l2-fwd-offload",
    ];
    WHOLE.contains(&k)
        || [
            "-offload",
            "-segmentation",
            "-gro-hw",
            "-vlan-filter",
            "-fcs",
            "-all",
            "-lockless",
            "-nocache-copy",
        ]
        .iter()
        .any(|s| k.ends_with(s))
        || ["tx-checksum-", "tx-scatter-", "rx-vlan-", "tx-vlan-", "rx-gro", "tx-gso-", "rx-udp", "tx-udp"]
            .iter()
            .any(|p| k.starts_with(p))
}

fn headless(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).and_then(|l| colon(l.trimmed())).is_some_and(|(k, v)| is_value(v) && is_feature(k))
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    ethtool_listing::begins(&LISTING, lines, i)
        || lines.get(i).is_some_and(|l| l.trimmed() == "Actual changes:")
            && lines.get(i + 1).and_then(|l| colon(l.trimmed())).is_some_and(|(_, v)| is_value(v))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    ethtool_listing::read(&LISTING, cursor, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    fn read(text: &str) -> Vec<What> {
        let p = parse_text_with(FileId(0), "ethtool_-k_eno1", text.as_bytes(), &[FORMAT]);
        assert!(
            p.not_understood.is_empty() && p.unrecognised.is_empty(),
            "{:?} {:?}",
            p.not_understood,
            p.unrecognised
        );
        p.records.into_iter().map(|r| r.what).collect()
    }

    #[test]
    fn suffixes_are_kept() {
        let got = read(
            "Features for bond0:\nrx-checksumming: off [fixed]\ntx-checksumming: on\n\ttx-checksum-ipv4: off [fixed]\nlarge-receive-offload: off [requested on]\nrx-gro-list: off\n",
        );
        let [What::Fields(f)] = got.as_slice() else { panic!("{got:?}") };
        assert_eq!(f.text("large-receive-offload"), Some("off [requested on]"));
        assert_eq!(f.text("tx-checksum-ipv4"), Some("off [fixed]"));
        assert_eq!(f.dev.as_deref(), Some("bond0"));
    }

    #[test]
    fn old_titles_changes_and_cut_heads() {
        assert_eq!(read("Offload parameters for eth0:\nrx-checksumming: on\n").len(), 1);
        assert_eq!(read("Actual changes:\ntx-vlan-offload: off\nfoo-bar: on [not requested]\n").len(), 1);
        assert_eq!(read("\ttx-tcp-segmentation: on\ngeneric-receive-offload: on\n").len(), 1);
        assert_eq!(
            read("Cannot get device udp-fragmentation-offload settings: Operation not supported\n").len(),
            1
        );
    }

    #[test]
    fn other_switches_are_not_features() {
        for text in ["toeplitz: on\n", "TX: off\n", "LACP active: on\n", "miimon: off\n"] {
            let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
            assert!(p.recognised.is_empty(), "{text}");
        }
    }
}
