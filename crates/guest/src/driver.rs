//! The loop: does what is due, reads what changes, and sends finished incidents to the disk.

use crate::incident::Running;
use crate::kmsg::Kmsg;
use anyhow::{Context, Result};
use bondwitness_guest::plan::Plan;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

/// How often captures and states are read: four times a second.
const ROUND: Duration = Duration::from_millis(250);

/// Runs a plan and writes the evidence of each incident to `disk` as one tar.
#[allow(clippy::print_stdout, reason = "the serial console shows how far the guest is")]
pub(crate) fn run(plan: &Plan, disk: File) -> Result<()> {
    let begun = Instant::now();
    let stagger = Duration::from_millis(plan.stagger_ms);
    let mut kmsg = Kmsg::open().context("cannot open the kernel log")?;
    let mut tar = tar::Builder::new(BufWriter::with_capacity(1 << 20, disk));
    tar.mode(tar::HeaderMode::Deterministic);
    let mut running: Vec<Running<'_>> = Vec::new();
    for (i, incident) in plan.incidents.iter().enumerate() {
        let wait = stagger.saturating_mul(u32::try_from(i).unwrap_or(u32::MAX));
        running.push(Running::new(incident, i, begun + wait));
    }
    let mut round = begun;
    while !running.iter().all(Running::over) {
        let now = Instant::now();
        if now >= round {
            kmsg.drain(&mut |line| {
                for incident in &mut running {
                    if let Some(recorder) = incident.recorder() {
                        recorder.kernel_line(line);
                    }
                }
            });
            for incident in &mut running {
                if let Some(recorder) = incident.recorder() {
                    recorder.round();
                }
            }
            // A late round is not made up for.
            round = (round + ROUND).max(now);
        }
        for incident in &mut running {
            while incident.next().is_some_and(|at| at <= Instant::now()) {
                incident.advance();
            }
            if let Some(out) = incident.take_done() {
                let name = out.file_name().context("a folder without a name")?.to_owned();
                tar.append_dir_all(&name, &out).context("cannot write the evidence")?;
                fs::remove_dir_all(&out).context("cannot remove what was written")?;
            }
        }
        let next = running.iter().filter_map(Running::next).chain([round]).min().unwrap_or(round);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    tar.into_inner()?.into_inner().context("cannot write the evidence")?.sync_all()?;
    println!("guest: {} incidents in {:.1} s", plan.incidents.len(), begun.elapsed().as_secs_f64());
    std::io::stdout().flush().context("cannot write to the console")
}
