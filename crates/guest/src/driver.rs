//! The loop: does what is due, lets our speakers hear and speak, reads what changes, and sends finished incidents to the
//! disk.

use crate::incident::Running;
use crate::kmsg::Kmsg;
use crate::speaker::Speaker;
use anyhow::{Context, Result};
use bondwitness_guest::plan::Plan;
use bondwitness_host::packet::{self, PacketSocket};
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
    for (i, run) in plan.runs.iter().enumerate() {
        let wait = stagger.saturating_mul(u32::try_from(i).unwrap_or(u32::MAX));
        running.push(Running::new(run, i, begun + wait));
    }
    let mut round = begun;
    while !running.iter().all(Running::over) {
        speak(&mut running);
        let now = Instant::now();
        if now >= round {
            kmsg.drain(&mut |line| {
                for recorder in running.iter_mut().filter_map(Running::recorder) {
                    recorder.kernel_line(&line);
                }
            });
            for i in 0..running.len() {
                if let Some(incident) = running.get_mut(i) {
                    incident.round();
                }
                // A round over all incidents takes longer than a switch may be late.
                if i % 8 == 7 {
                    speak(&mut running);
                }
            }
            // A late round is not made up for.
            round = (round + ROUND).max(now);
        }
        for i in 0..running.len() {
            let Some(incident) = running.get_mut(i) else { continue };
            while incident.next().is_some_and(|at| at <= Instant::now()) {
                incident.advance(kmsg.booted());
            }
            if let Some(out) = incident.take_done() {
                let name = out.file_name().context("a folder without a name")?.to_owned();
                tar.append_dir_all(&name, &out).context("cannot write the evidence")?;
                fs::remove_dir_all(&out).context("cannot remove what was written")?;
                speak(&mut running);
            }
        }
        wait(&running, round)?;
    }
    tar.into_inner()?.into_inner().context("cannot write the evidence")?.sync_all()?;
    println!("guest: {} incidents in {:.1} s", plan.runs.len(), begun.elapsed().as_secs_f64());
    std::io::stdout().flush().context("cannot write to the console")
}

/// Lets every speaker hear and speak.
fn speak(running: &mut [Running<'_>]) {
    for speaker in running.iter_mut().filter_map(Running::speaker) {
        speaker.run();
    }
}

/// Sleeps until something is due or a frame arrives at a speaker.
fn wait(running: &[Running<'_>], round: Instant) -> Result<()> {
    let speakers = || running.iter().filter_map(Running::speaks);
    let next = running
        .iter()
        .filter_map(Running::next)
        .chain(speakers().filter_map(Speaker::next))
        .chain([round])
        .min()
        .unwrap_or(round);
    let left = next.saturating_duration_since(Instant::now());
    let sockets: Vec<&PacketSocket> = speakers().flat_map(Speaker::sockets).collect();
    packet::wait(&sockets, left).context("cannot wait")
}
