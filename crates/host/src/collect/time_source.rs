//! `clock`: whether something keeps the host's wall clock right, and how wrong it may be.

use super::program::{Bounds, hand_over};
use super::{Collector, Pace, Sink, Target, text};
use crate::clock::discipline;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Once, run };

const ID: &str = "clock";
const FILE: &str = "host/clock.txt";
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(2), octets: 64 * 1024 };

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    let begun = crate::clock::begin();
    let state = discipline();
    let window = begun.end();
    // The numbers have no textual form of their own: they stand in the source, the fact in the words of timedatectl.
    let source = state.as_ref().map_or_else(
        |_| "adjtimex".to_owned(),
        |d| {
            format!(
                "adjtimex (status {:#06x}, maxerror {} us, esterror {} us, freq {})",
                d.status, d.max_error_us, d.estimated_error_us, d.frequency
            )
        },
    );
    let words = state.map(|d| {
        format!("System clock synchronized: {}\n", if d.synchronised { "yes" } else { "no" }).into_bytes()
    });
    text(sink, ID, FILE, &source, window, words)?;
    // Without its socket, chronyc would ask over the network.
    if Path::new("/run/chrony/chronyd.sock").exists() {
        hand_over(sink, ID, FILE, &["chronyc", "-n", "tracking"], BOUNDS)?;
    }
    Ok(())
}
