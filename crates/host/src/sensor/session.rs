//! A collection from its first reading to its last.

use super::{bonds, events::Events, taps::Taps};
use crate::clock;
use crate::collect::{self, Pace, Sink, Target};
use crate::poll;
use crate::signal::StopSignals;
use bondwitness_core::collection::{Reading, v1};
use std::io::{self, Write};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::stream::{self, Told};

/// How long the session goes on after a flap.
const AFTER_FLAP: Duration = Duration::from_secs(10);
/// Between two samples.
const SAMPLE: Duration = Duration::from_secs(1);

/// Between a sample and one that an event asks for.
const AFTER_EVENT: Duration = Duration::from_millis(200);

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The bonds; empty for all.
    pub bonds: Vec<String>,
    /// How long to capture; zero for a snapshot only.
    pub window: Duration,
    /// Whether to end some seconds after the first flap.
    pub until_flap: bool,
    /// Whether sent frames are captured too.
    pub outgoing: bool,
    /// The interface whose frames are followed, if that is what is asked for.
    pub path: Option<String>,
    /// What was typed, for `case.json`.
    pub command: Vec<String>,
    /// The program's version.
    pub tool: String,
}

/// How the session is told from outside that it may end.
#[derive(Debug)]
pub struct Control {
    /// Ctrl-C and its like.
    pub signals: StopSignals,
    /// Set when the judge has seen a flap.
    pub flap: AtomicBool,
    /// Set when the judge is gone: there is no point in going on.
    pub gone: AtomicBool,
}

/// Hands readings to the judge.
struct Pipe<W: Write> {
    out: W,
}

impl<W: Write> Sink for Pipe<W> {
    fn take(&mut self, reading: Reading<'_>) -> io::Result<()> {
        stream::send_reading(&mut self.out, &reading)
    }
}

/// Collects, and writes everything into `out`.
///
/// # Errors
///
/// If the judge is gone, or the system refuses what cannot be refused (waiting).
pub fn run(plan: &Plan, control: &Control, out: impl Write) -> io::Result<()> {
    let mut pipe = Pipe { out };
    let mut collection = v1::Collection {
        schema: v1::SCHEMA.to_owned(),
        tool: plan.tool.clone(),
        command: plan.command.clone(),
        host: super::facts::host(),
        capabilities: crate::privilege::held(),
        ..v1::Collection::default()
    };
    collection.clocks.push(clock::clocks());
    let mut target = Target { path: plan.path.clone(), ..bonds::target(&plan.bonds)? };
    collection.bonds = target
        .bonds
        .iter()
        .map(|name| v1::Bond { name: name.clone(), members: bonds::members_of(name) })
        .collect();

    // The taps first: what passes while the rest is read is not lost.
    let mut taps = Taps::new(plan.outgoing);
    let capturing = plan.window > Duration::ZERO;
    let mut events = Events::open(&mut pipe)?;
    if capturing {
        follow(&mut taps, &target, &mut pipe)?;
    }
    collect::run(Pace::Once, &target, &mut pipe)?;
    if capturing {
        // The addresses are recorded now. LACP bonds enter the group themselves; that one did not must stay visible.
        let without: Vec<String> = collection
            .bonds
            .iter()
            .filter(|b| !bonds::speaks_lacp(&b.name))
            .flat_map(|b| b.members.clone())
            .collect();
        taps.join(&without);
        watch(plan, control, &mut taps, &mut events, &mut target, &mut pipe)?;
        collect::run(Pace::Snapshot, &target, &mut pipe)?;
    }
    events.drain(&mut pipe)?;
    collection.losses.extend(events.losses());
    collection.captures = taps.finish(&mut pipe)?;
    for capture in &collection.captures {
        Told::Closed(capture.clone()).send(&mut pipe.out)?;
    }
    collection.clocks.push(clock::clocks());
    Told::End(collection).send(&mut pipe.out)?;
    pipe.out.flush()
}

fn follow<W: Write>(taps: &mut Taps, target: &Target, pipe: &mut Pipe<W>) -> io::Result<()> {
    for (file, dev) in taps.follow(&target.members, pipe)? {
        Told::Opened(file, dev).send(&mut pipe.out)?;
    }
    Ok(())
}

/// Captures and samples until the window is over, or something asks for the end.
fn watch<W: Write>(
    plan: &Plan,
    control: &Control,
    taps: &mut Taps,
    events: &mut Events,
    target: &mut Target,
    pipe: &mut Pipe<W>,
) -> io::Result<()> {
    let begun = Instant::now();
    let mut deadline = begun.checked_add(plan.window);
    let mut next = begun + SAMPLE;
    let mut sampled = begun;
    let mut seconds = 0;
    let mut flapped = false;
    loop {
        let now = Instant::now();
        if deadline.is_some_and(|d| now >= d)
            || control.signals.came()
            || control.gone.load(Ordering::Relaxed)
        {
            return Ok(());
        }
        if plan.until_flap && !flapped && control.flap.load(Ordering::Relaxed) {
            flapped = true;
            let tail = now + AFTER_FLAP;
            deadline = Some(deadline.map_or(tail, |d| d.min(tail)));
        }
        if now >= next {
            next += SAMPLE;
            if next <= now {
                // The machine was away (suspended, starved): no burst of samples for the time that is gone.
                next = now + SAMPLE;
            }
            sampled = now;
            *target = Target { path: plan.path.clone(), ..bonds::target(&plan.bonds)? };
            follow(taps, target, pipe)?;
            collect::run(Pace::Sample, target, pipe)?;
            // One for each second, however many samples events asked for.
            while seconds < begun.elapsed().as_secs() {
                seconds += 1;
                Told::Tick.send(&mut pipe.out)?;
            }
        }
        let more = taps.drain(pipe)?;
        if events.drain(pipe)? {
            // What happened is read at once, but a storm of events makes no storm of samples.
            next = next.min(Instant::now().max(sampled + AFTER_EVENT));
        }
        pipe.out.flush()?;
        if more {
            continue;
        }
        let until = deadline.map_or(next, |d| d.min(next));
        let descriptors: Vec<BorrowedFd<'_>> = taps
            .descriptors()
            .chain(events.descriptor())
            .chain(std::iter::once(control.signals.as_fd()))
            .collect();
        poll::readable(&descriptors, until.saturating_duration_since(Instant::now()))?;
    }
}
