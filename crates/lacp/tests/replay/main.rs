//! The Linux profile against real kernels: each end of each recording is replayed, and everything that the kernel sent
//! or showed must have been predicted.
//!
//! The recordings stand beside the repository (`../shared/kernel-recordings`); where they are absent the test says so
//! and passes.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that reads recordings and prints a table; helpers of tests are not seen as tests by clippy"
)]

mod end;
mod recording;

use end::{End, replay};
use std::path::Path;

const HOST: End<'_> = End {
    name: "host",
    ports: &[("host-h1.pcap", "h1"), ("host-h2.pcap", "h2")],
    timeline: Some("host-proc-timeline.txt"),
};
const FAR: End<'_> = End {
    name: "far",
    ports: &[("sw-s1.pcap", "s1"), ("sw-s2.pcap", "s2")],
    timeline: Some("sw-proc-timeline.txt"),
};
const FAR_1: End<'_> =
    End { name: "far 1", ports: &[("sw-s1.pcap", "s1")], timeline: Some("sw-proc-timeline.txt") };
const FAR_2: End<'_> = End { name: "far 2", ports: &[("sw-s2.pcap", "s2")], timeline: None };

#[test]
fn every_recorded_transition_is_predicted() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/kernel-recordings");
    let recordings = recording::all(&dir);
    if recordings.is_empty() {
        eprintln!("no recordings here: nothing replayed");
        return;
    }
    println!(
        "{:24} {:6} {:>6} {:>9} {:>11} {:>8} {:>8} {:>6} {:>6}",
        "recording", "end", "frames", "predicted", "transitions", "readings", "worst ms", "tap ms", "faults"
    );
    let mut faults = 0;
    for dir in &recordings {
        let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        // Two systems behind one bond: each of them is an end of its own.
        let split = matches!(name.as_str(), "mlag-split" | "dup-system");
        let ends: &[End<'_>] = if split { &[HOST, FAR_1, FAR_2] } else { &[HOST, FAR] };
        for end in ends {
            let (o, guess) = replay(dir, end);
            println!(
                "{name:24} {:6} {:>6} {:>9} {:>11} {:>8} {:>8} {:>6} {:>6}",
                end.name,
                o.frames,
                o.predicted,
                o.transitions,
                o.readings,
                o.worst / 1_000_000,
                guess.tap / 1_000_000,
                o.faults.len()
            );
            for fault in o.faults.iter().take(12) {
                println!("    {fault}");
            }
            assert!(o.transitions > 0 && o.frames > 0);
            // Starved of the CPU, the kernel lost ticks that nothing recorded; the replay spreads too many of them.
            if name != "cpu" {
                assert!(o.frames.abs_diff(o.predicted) <= 2, "as many PDUs as the kernel sent");
            }
            faults += o.faults.len();
        }
    }
    assert_eq!(faults, 0, "what the kernels did was not predicted");
}
