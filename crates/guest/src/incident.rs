//! One incident from its beginning to its end: what is due, and doing it.

use crate::fault::{self, Commands};
use crate::programs::{Batch, Place};
use crate::record::{self, Recorder};
use crate::topology::Topology;
use anyhow::{Context, Result};
use bondwitness_guest::plan::{Fault, Incident};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

/// Something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Ends go before beginnings of the same instant, and both before a snapshot of it.
    End(usize),
    Begin(usize),
    Snapshot(usize),
    Finish,
}

/// An incident and how far it is.
pub(crate) struct Running<'a> {
    plan: &'a Incident,
    n: usize,
    start: Instant,
    state: State,
    /// Sorted by time, the next one last.
    due: Vec<(Duration, Step)>,
}

/// How far an incident is.
enum State {
    Waiting,
    Runs(Box<World>),
    /// Its evidence lies in this folder.
    Done(PathBuf),
    Over,
}

/// What exists while the incident runs.
struct World {
    topology: Topology,
    recorder: Recorder,
    begun: Instant,
    hogs: Vec<Child>,
}

impl<'a> Running<'a> {
    /// An incident that begins at `start`.
    pub(crate) fn new(plan: &'a Incident, n: usize, start: Instant) -> Self {
        let ms = Duration::from_millis;
        let mut due = vec![(ms(plan.duration_ms), Step::Finish)];
        due.extend(plan.snapshots.iter().enumerate().map(|(i, s)| (ms(s.at_ms), Step::Snapshot(i))));
        for (i, f) in plan.faults.iter().enumerate() {
            due.push((ms(f.from_ms), Step::Begin(i)));
            if let Some(until) = f.until_ms {
                due.push((ms(until), Step::End(i)));
            }
        }
        // Nothing happens after the end.
        let end = ms(plan.duration_ms);
        due.retain(|(at, step)| *at < end || *step == Step::Finish);
        due.sort_by(|a, b| b.cmp(a));
        Self { plan, n, start, state: State::Waiting, due }
    }

    /// When the next thing is due; `None` once all is over.
    pub(crate) fn next(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting => Some(self.start),
            State::Runs(world) => self.due.last().map(|(at, _)| world.begun + *at),
            State::Done(_) | State::Over => None,
        }
    }

    /// Does the next thing.
    pub(crate) fn advance(&mut self) {
        match &mut self.state {
            State::Waiting => {
                self.state = match World::new(self.plan, self.n, self.folder()) {
                    Ok(world) => State::Runs(Box::new(world)),
                    Err(e) => State::Done(nothing(self.folder(), &e)),
                };
            }
            State::Runs(world) => {
                let Some((_, step)) = self.due.pop() else { return };
                if step == Step::Finish {
                    self.state = State::Done(world.finish());
                } else {
                    world.act(self.plan, step);
                }
            }
            State::Done(_) | State::Over => {}
        }
    }

    fn folder(&self) -> PathBuf {
        Path::new("/out").join(&self.plan.name)
    }

    /// The folder of the evidence, once, when it is complete.
    pub(crate) fn take_done(&mut self) -> Option<PathBuf> {
        if !matches!(self.state, State::Done(_)) {
            return None;
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Done(out) => Some(out),
            State::Waiting | State::Runs(_) | State::Over => None,
        }
    }

    /// Is it over and taken?
    pub(crate) const fn over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The recorders, while they run.
    pub(crate) fn recorder(&mut self) -> Option<&mut Recorder> {
        match &mut self.state {
            State::Runs(world) => Some(&mut world.recorder),
            State::Waiting | State::Done(_) | State::Over => None,
        }
    }
}

/// Nothing could be recorded: a folder that says so.
fn nothing(out: PathBuf, why: &anyhow::Error) -> PathBuf {
    // If even this fails the folder is missing from the tar, and its absence is noticed there.
    let _ = std::fs::create_dir_all(&out);
    let _ = std::fs::write(out.join("broken.txt"), format!("{why:#}\n"));
    out
}

impl World {
    fn new(plan: &Incident, n: usize, out: PathBuf) -> Result<Self> {
        let topology = Topology::build(plan, n)?;
        let recorder = Recorder::start(&topology, out)?;
        Ok(Self { topology, recorder, begun: Instant::now(), hogs: Vec::new() })
    }

    fn act(&mut self, plan: &Incident, step: Step) {
        let result = match step {
            Step::Begin(i) => self.begin(plan, i),
            Step::End(i) => self.end(plan, i),
            Step::Snapshot(i) => match plan.snapshots.get(i) {
                Some(s) => self.recorder.snapshot(&self.topology, &s.label),
                None => Ok(()),
            },
            Step::Finish => Ok(()),
        };
        if let Err(e) = result {
            // It goes on, and is marked: what is recorded is not what was planned.
            self.recorder.broken.push(format!("{step:?}: {e:#}"));
            self.recorder.event(&format!("FAILED {step:?}: {e:#}"));
        }
    }

    fn finish(&mut self) -> PathBuf {
        for hog in &mut self.hogs {
            // It ends by itself; this one collects it.
            let _ = hog.wait();
        }
        let out = self.recorder.out().to_owned();
        if let Err(e) = self.recorder.finish() {
            let _ = std::fs::write(out.join("broken.txt"), format!("{e:#}\n"));
        }
        // The evidence is written; what is left over disappears with the guest.
        let _ = self.topology.remove();
        out
    }

    fn begin(&mut self, plan: &Incident, i: usize) -> Result<()> {
        let timed = plan.faults.get(i).context("no such fault")?;
        let Commands { begin, what, .. } = fault::commands(&timed.fault, &self.topology);
        self.run(&begin)?;
        if timed.fault == Fault::CpuStarvation {
            let length = timed.until_ms.unwrap_or(plan.duration_ms).saturating_sub(timed.from_ms);
            let host = self.topology.at(Place::Host);
            self.hogs.push(record::starve(host, Duration::from_millis(length), self.recorder.out())?);
        }
        self.recorder.event(&format!("BEGIN {what}"));
        Ok(())
    }

    fn end(&mut self, plan: &Incident, i: usize) -> Result<()> {
        let timed = plan.faults.get(i).context("no such fault")?;
        let Commands { end, what, .. } = fault::commands(&timed.fault, &self.topology);
        self.run(&end)?;
        self.recorder.event(&format!("END {what}"));
        Ok(())
    }

    fn run(&self, batches: &[Batch]) -> Result<()> {
        batches.iter().try_for_each(|b| self.topology.run(b))
    }
}
