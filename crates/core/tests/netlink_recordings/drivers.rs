//! What drivers of emulated adapters say (`e1000e`, `igb`, `virtio_net`, recorded by `cargo xtask vm --differ`): their netlink
//! replies against what `ethtool` printed of the same adapters, and what their counters mean.

use super::{capture, compare, recording, text};
use bondwitness_core::evidence::{Meaning, What};
use bondwitness_core::parse::Parsed;

#[test]
fn settings_and_features_are_those_that_ethtool_prints() {
    let ours = capture("6.12/drivers.pcapng");
    let compared = compare("drivers.json.txt", &text("6.12/drivers.json.txt"), &ours);
    assert!(compared >= 200, "only {compared} facts");
    let setting = |source: &str, dev: &str, key: &str| {
        ours.records.iter().find_map(|r| match &r.what {
            What::Fields(f) if f.source == source && f.dev.as_deref() == Some(dev) => f.int(key),
            _ => None,
        })
    };
    // Rings as the drivers set them up, and the most they take (`E1000_MAX_RXD`, `IGB_MAX_RXD`; the queue of the emulator).
    for (dev, now, most) in [("ee1", 256, 4096), ("gb1", 256, 4096), ("vi1", 1024, 1024)] {
        let rings = |key| setting("ethtool-g", dev, key);
        assert_eq!((rings("RX"), rings("Pre-set maximums: RX")), (Some(now), Some(most)), "{dev}");
    }
}

fn meanings(p: &Parsed, dev: &str) -> Vec<(String, Meaning)> {
    p.records
        .iter()
        .filter_map(|r| match &r.what {
            What::Counters(c) if c.dev.as_deref() == Some(dev) => Some(&c.entries),
            _ => None,
        })
        .flatten()
        .map(|c| (c.name.clone(), c.meaning))
        .collect()
}

#[test]
fn counters_of_real_drivers_mean_what_their_source_says() {
    let p = text("6.12/drivers.txt");
    assert!(p.unrecognised.is_empty(), "{:?}", p.unrecognised);
    let lines = String::from_utf8(recording("6.12/drivers.txt")).unwrap();
    for (dev, wanted) in [
        // `e1000_gstrings_stats`, drivers/net/ethernet/intel/e1000e/ethtool.c (Linux 6.12)
        (
            "ee1",
            &[
                ("rx_crc_errors", Meaning::RxCrc),
                ("rx_no_buffer_count", Meaning::RxMissed),
                ("rx_missed_errors", Meaning::RxMissed),
                ("tx_timeout_count", Meaning::TxTimeout),
                ("rx_long_length_errors", Meaning::RxLength),
                ("rx_flow_control_xoff", Meaning::RxPause),
                ("uncorr_ecc_errors", Meaning::Other),
            ][..],
        ),
        // `igb_gstrings_stats`, drivers/net/ethernet/intel/igb/igb_ethtool.c
        (
            "gb1",
            &[
                ("rx_crc_errors", Meaning::RxCrc),
                ("tx_timeout_count", Meaning::TxTimeout),
                ("tx_abort_late_coll", Meaning::Collisions),
                ("tx_flow_control_xoff", Meaning::TxPause),
            ],
        ),
        ("vi1", &[("tx_tx_timeouts", Meaning::TxTimeout)]),
    ] {
        let found = meanings(&p, dev);
        for (name, meaning) in wanted {
            let got = found.iter().find(|(n, _)| n == name).map(|(_, m)| *m);
            assert_eq!(got, Some(*meaning), "{dev}: {name}");
        }
        // No counter that was printed is lost.
        let block = lines.split(&format!("# ethtool -S {dev}\n")).nth(1).unwrap();
        let printed = block.lines().take_while(|l| !l.starts_with('#')).filter(|l| l.contains(": ")).count();
        assert_eq!(found.len(), printed, "{dev}");
    }
}
