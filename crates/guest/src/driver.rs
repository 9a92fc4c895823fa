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

/// How often captures and states are read. Frames have their times from the kernel, so nothing is lost by waiting; four
/// times a second costs as many instructions as everything else together.
const ROUND: Duration = Duration::from_secs(1);

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
    let (busy, own) = processor();
    println!(
        "guest: {} incidents in {:.1} s of its time; busy for {busy:.1} s, the driver for {own:.1} s",
        plan.runs.len(),
        begun.elapsed().as_secs_f64()
    );
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

/// Seconds that the processor was busy since the boot, and those that it was busy with this program: what a boot costs
/// outside. Zero if the kernel does not tell.
fn processor() -> (f64, f64) {
    // Hundredths of a second: proc_stat(5), proc_pid_stat(5).
    let sum = |text: &str, fields: &[usize]| {
        let words: Vec<&str> = text.split_whitespace().collect();
        fields.iter().filter_map(|i| words.get(*i)?.parse::<f64>().ok()).sum::<f64>() / 100.0
    };
    let all = fs::read_to_string("/proc/stat").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    (sum(all.lines().next().unwrap_or_default(), &[1, 2, 3, 6, 7]), sum(&own, &[13, 14]))
}
