//! Where every frame of a storm went.

use crate::vm::bench::Answers;
use anyhow::{Context, Result};
use bondwitness_core::capture::reader;
use bondwitness_core::collection::v1;
use bondwitness_core::evidence::Direction;
use bondwitness_guest::bench_plan::Row;
use bondwitness_host::load::{self, Limits};
use std::collections::BTreeMap;

/// The source address of a storm's frames (`crates/guest/src/bench/storm.rs`).
const STORM: u64 = 0x0011_2233_4466;

/// What a bundle says of one member.
#[derive(Debug, Default)]
struct Told {
    seen: i64,
    lost: i64,
    stored: i64,
    received: i64,
    sent: i64,
    /// Frames of the storm among those, by their source address.
    storm_in: i64,
    storm_out: i64,
}

/// Prints the account of each storm; how many do not add up.
pub(super) fn account(answers: &Answers) -> Result<u32> {
    let mut missed = 0;
    for row in &answers.rows {
        let path = answers.folder.join(format!("storm-{}.tar.zst", row.of));
        let loaded = load::load(&[path], &Limits::default()).context("cannot load a bundle")?;
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        for input in &loaded.inputs {
            if input.path.ends_with(v1::FILE) {
                let case: v1::Collection =
                    serde_json::from_slice(&input.bytes).context("cannot read case.json")?;
                for c in case.captures {
                    let t = told.entry(c.dev).or_default();
                    t.seen += i64::try_from(c.seen)?;
                    t.lost += i64::try_from(c.lost)?;
                    t.stored += i64::try_from(c.stored)?;
                }
            }
            if let Some(dev) = input.path.rsplit_once("capture/").and_then(|(_, n)| n.strip_suffix(".pcapng"))
            {
                let t = told.entry(dev.to_owned()).or_default();
                reader::read(&input.bytes, &mut |frame| {
                    let storm = i64::from(frame.source == STORM);
                    match frame.direction {
                        Some(Direction::Out) => {
                            t.sent += 1;
                            t.storm_out += storm;
                        }
                        _ => {
                            t.received += 1;
                            t.storm_in += storm;
                        }
                    }
                });
            }
        }
        missed += one(row, &told);
    }
    Ok(missed)
}

fn one(row: &Row, told: &BTreeMap<String, Told>) -> u32 {
    let n = |name: &str| row.numbers.get(name).copied().unwrap_or(0);
    println!("## {} ({:.1} s)", row.of, row.wall_ns as f64 / 1e9);
    println!(
        "sensor {:.2} s, judge {:.2} s of CPU; receive backlog dropped {}",
        n("cpu sensor") as f64 / 1e9,
        n("cpu judge") as f64 / 1e9,
        n("softnet dropped")
    );
    let mut missed = 0;
    let mut before_tap = 0;
    for (dev, t) in told {
        let lacpdus = n(&format!("sent lacpdus to {dev}"));
        let others = n(&format!("sent others to {dev}"));
        let out = n(&format!("sent lacpdus from {dev}"));
        let (received, dropped) = (n(&format!("{dev} rx_packets")), n(&format!("{dev} rx_dropped")));
        println!(
            "{dev}: storm in {lacpdus}, others in {others}, storm out {out}; interface: received {received}, dropped {dropped}"
        );
        println!(
            "      capture: seen {}, lost by the socket {}, stored {} (in {}, out {})",
            t.seen, t.lost, t.stored, t.received, t.sent
        );
        // Everything that passed the filter is in the file or was counted as lost.
        let open = t.seen - t.lost - t.stored;
        println!("      seen - lost - stored = {open}");
        missed += u32::from(open != 0 || t.stored != t.received + t.sent);
        // The bonds' own few LACPDUs come on top; which of them are among the lost ones cannot be told.
        let (storm, kept) = (lacpdus + out, t.storm_in + t.storm_out);
        let own = t.stored - kept;
        println!(
            "      storm {storm} = captured {kept} + lost {}; own LACPDUs of the two bonds {own}",
            storm - kept
        );
        let missing = storm - kept;
        missed += u32::from(if t.lost == 0 { missing != 0 } else { missing < 0 || missing > t.lost });
        let own = own.max(2 * (row.wall_ns / 1_000_000_000 + 60));
        // Every frame on this wire, whatever it was.
        let unaccounted = lacpdus + others - received - dropped;
        println!(
            "      sent to it - received - dropped = {unaccounted} (the switch's own LACPDUs come on top)"
        );
        missed += u32::from(unaccounted > 0 || -unaccounted > own);
        before_tap += dropped;
    }
    println!(
        "unaccounted frames: {}",
        if missed == 0 { "0".to_owned() } else { format!("SOME, {before_tap} dropped before the capture") }
    );
    missed
}
