//! The loop: does what is due, lets our speakers hear and speak, reads what changes, and sends finished incidents to the
//! disk.

use crate::collector;
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
    let boot = Spent::now();
    let stagger = Duration::from_millis(plan.stagger_ms);
    let mut kmsg = Kmsg::open().context("cannot open the kernel log")?;
    let mut tar = tar::Builder::new(BufWriter::with_capacity(1 << 20, disk));
    tar.mode(tar::HeaderMode::Deterministic);
    let mut running: Vec<Running<'_>> = Vec::new();
    for (i, run) in plan.runs.iter().enumerate() {
        let wait = stagger.saturating_mul(u32::try_from(i).unwrap_or(u32::MAX));
        running.push(Running::new(run, i, begun + wait, plan.own));
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
    let program = running.iter().map(Running::took_s).sum();
    println!(
        "guest: {} incidents in {:.1} s of its time; {}",
        plan.runs.len(),
        begun.elapsed().as_secs_f64(),
        Spent::now().told(&boot, program)
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

/// Seconds of the processor since the boot: what a boot costs outside, since the guest's clock counts instructions.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    /// By everybody.
    all: f64,
    /// By this program.
    driver: f64,
    /// By programs that it started and that have ended.
    children: f64,
}

impl Spent {
    /// So far; zeroes if the kernel does not tell.
    fn now() -> Self {
        let all = fs::read_to_string("/proc/stat").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            // user, nice, system, irq and softirq of proc_stat(5).
            all: collector::seconds(all.lines().next().unwrap_or_default(), &[1, 2, 3, 6, 7]),
            // utime and stime of proc_pid_stat(5).
            driver: collector::seconds(&own, &[13, 14]),
            children: collector::of_children(),
        }
    }

    /// In words, by part, where `program` seconds are those of the program under trial.
    fn told(&self, boot: &Self, program: f64) -> String {
        let tools = self.children - program;
        // The whole is sampled at ticks and the parts are measured, so they may exceed it.
        let kernel = (self.all - boot.all - self.driver - self.children).max(0.0);
        let all = boot.all + self.driver + self.children + kernel;
        format!(
            "busy for {all:.1} s: boot {:.1}, program {program:.1}, driver {:.1}, tools {tools:.1}, kernel {kernel:.1}",
            boot.all, self.driver
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_make_the_whole() {
        let boot = Spent { all: 3.0, driver: 0.0, children: 0.0 };
        let end = Spent { all: 40.0, driver: 9.0, children: 22.0 };
        let told = end.told(&boot, 20.0);
        assert_eq!(told, "busy for 40.0 s: boot 3.0, program 20.0, driver 9.0, tools 2.0, kernel 6.0");
        let sampled = Spent { all: 30.0, ..end };
        let told = sampled.told(&boot, 20.0);
        assert_eq!(told, "busy for 34.0 s: boot 3.0, program 20.0, driver 9.0, tools 2.0, kernel 0.0");
    }
}
