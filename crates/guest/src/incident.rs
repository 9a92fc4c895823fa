//! One incident from its beginning to its end: what is due, and doing it.

use crate::collector::{self, Collector, Progress};
use crate::fault;
use crate::programs::{Batch, Place};
use crate::record::{Filters, Recorder, Scope};
use crate::speaker::Speaker;
use crate::starve::Hog;
use crate::topology::Topology;
use crate::traffic::Traffic;
use anyhow::{Context, Result};
use bondwitness_guest::plan::Run;
use bondwitness_guest::support;
use bondwitness_lab::fault::{Fault, Hook};
use bondwitness_lab::incident::Incident;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Ends go before beginnings of the same instant, and both before a snapshot of it.
    End(usize),
    Begin(usize),
    Watch,
    /// The program under trial begins to look.
    Collect,
    Snapshot(usize),
    Finish,
}

/// Between two looks whether the program under trial has ended.
const AGAIN: Duration = Duration::from_millis(250);

/// An incident and how far it is.
pub(crate) struct Running<'a> {
    run: &'a Run,
    n: usize,
    start: Instant,
    state: State,
    /// Sorted by time, the next one last.
    due: Vec<(Duration, Step)>,
    /// The program under trial collects, in place of the commands that people paste the output of.
    own: bool,
    /// Seconds of the processor that the program took.
    took_s: f64,
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
    speaker: Option<Speaker>,
    traffic: Traffic,
    begun: Instant,
    hog: Option<Hog>,
    filters: Filters,
    collector: Option<Collector>,
}

impl<'a> Running<'a> {
    /// An incident that begins at `start`; `own`: the program under trial collects.
    pub(crate) fn new(run: &'a Run, n: usize, start: Instant, own: bool) -> Self {
        let ms = Duration::from_millis;
        let incident = &run.incident;
        let end = ms(incident.duration_ms);
        let begins = if own { Step::Collect } else { Step::Watch };
        let mut due = vec![(ms(incident.evidence.capture_from_ms), begins)];
        for (i, at) in incident.evidence.snapshots_ms.iter().enumerate().filter(|_| !own) {
            due.push((ms(*at), Step::Snapshot(i)));
        }
        for (i, f) in incident.faults.iter().enumerate() {
            // What has always been so is done before the bond is opened.
            if f.at_ms > 0 {
                due.push((ms(f.at_ms), Step::Begin(i)));
            }
            if let Some(length) = f.for_ms {
                due.push((ms(f.at_ms.saturating_add(length)), Step::End(i)));
            }
        }
        // Nothing happens after the end.
        due.retain(|(at, _)| *at < end);
        due.push((end, Step::Finish));
        due.sort_by(|a, b| b.cmp(a));
        Self { run, n, start, state: State::Waiting, due, own, took_s: 0.0 }
    }

    /// When the next thing is due; `None` once all is over.
    pub(crate) fn next(&self) -> Option<Instant> {
        match &self.state {
            State::Waiting => Some(self.start),
            State::Runs(world) => self.due.last().map(|(at, _)| world.begun + *at),
            State::Done(_) | State::Over => None,
        }
    }

    /// Does the next thing. `booted` is when the machine was booted, in microseconds since 1970.
    pub(crate) fn advance(&mut self, booted: u64) {
        match &mut self.state {
            State::Waiting => {
                let out = Path::new("/out").join(&self.run.name);
                self.state = match World::new(&self.run.incident, self.n, out.clone(), self.own) {
                    Ok(world) => State::Runs(Box::new(world)),
                    Err(e) => State::Done(nothing(out, &e)),
                };
            }
            State::Runs(world) => {
                let Some((at, step)) = self.due.pop() else { return };
                if step == Step::Finish {
                    if world.still_collects() {
                        self.due.push((at.max(world.begun.elapsed()) + AGAIN, Step::Finish));
                        return;
                    }
                    self.took_s = world.collector.as_ref().map_or(0.0, |c| c.took_s);
                    self.state = State::Done(world.finish(booted));
                } else {
                    world.act(self.run, step);
                }
            }
            State::Done(_) | State::Over => {}
        }
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

    /// Seconds of the processor that the program under trial took; known at the end.
    pub(crate) const fn took_s(&self) -> f64 {
        self.took_s
    }

    /// The recorders, while they run.
    pub(crate) fn recorder(&mut self) -> Option<&mut Recorder> {
        self.world().map(|w| &mut w.recorder)
    }

    /// Our speaker, while it runs, if the incident has one.
    pub(crate) fn speaker(&mut self) -> Option<&mut Speaker> {
        self.world().and_then(|w| w.speaker.as_mut())
    }

    /// As [`Running::speaker`], to look at.
    pub(crate) fn speaks(&self) -> Option<&Speaker> {
        match &self.state {
            State::Runs(world) => world.speaker.as_ref(),
            State::Waiting | State::Done(_) | State::Over => None,
        }
    }

    /// The regular round.
    pub(crate) fn round(&mut self) {
        if let Some(world) = self.world() {
            world.recorder.round();
            world.traffic.round(world.speaker.as_ref());
        }
    }

    fn world(&mut self) -> Option<&mut World> {
        match &mut self.state {
            State::Runs(world) => Some(world),
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
    fn new(incident: &Incident, n: usize, out: PathBuf, own: bool) -> Result<Self> {
        let topology = Topology::build(incident, n)?;
        let scope = match (own, topology.speaker) {
            (false, _) => Scope::Declared,
            (true, false) => Scope::BothEnds,
            (true, true) => Scope::Nothing,
        };
        let recorder = Recorder::start(incident, &topology, out, scope)?;
        let speaker = if topology.speaker { Some(Speaker::new(incident, &topology)?) } else { None };
        let traffic = Traffic::new(incident, &topology)?;
        let begun = Instant::now();
        let (hog, filters) = (None, Filters::default());
        let mut world = Self { topology, recorder, speaker, traffic, begun, hog, filters, collector: None };
        for f in incident.faults.iter().filter(|f| f.at_ms == 0 && !support::is_noise(&f.fault)) {
            world.turn(incident, &f.fault, true)?;
        }
        world.topology.open()?;
        if let Some(speaker) = &mut world.speaker {
            speaker.open();
        }
        world.recorder.opened();
        world.begun = Instant::now();
        Ok(world)
    }

    fn act(&mut self, run: &Run, step: Step) {
        let incident = &run.incident;
        let turn = |i: usize| incident.faults.get(i).map(|f| &f.fault).filter(|f| !support::is_noise(f));
        let result = match step {
            Step::Begin(i) => turn(i).map_or(Ok(()), |f| self.turn(incident, f, true)),
            Step::End(i) => turn(i).map_or(Ok(()), |f| self.turn(incident, f, false)),
            Step::Watch => self.recorder.watch(&self.topology),
            Step::Collect => self.collect(incident, run.diagnose),
            Step::Snapshot(i) => self.recorder.snapshot(&self.topology, i, &self.filters),
            Step::Finish => Ok(()),
        };
        if let Err(e) = result {
            // It goes on, and is marked: what is recorded is not what was planned.
            self.recorder.broken.push(format!("{step:?}: {e:#}"));
            self.recorder.event(&format!("FAILED {step:?}: {e:#}"));
        }
    }

    /// The program under trial begins to look, as long as the scenario's capture lasts.
    fn collect(&mut self, incident: &Incident, diagnose: bool) -> Result<()> {
        let evidence = &incident.evidence;
        let (from, until) = (evidence.capture_from_ms, evidence.capture_until_ms);
        let window = collector::window(incident.duration_ms, from, until)?;
        let names = self.topology.names;
        let namespace = names.namespace(Place::Host);
        let out = self.recorder.out().to_owned();
        self.collector = Some(Collector::start(&namespace, diagnose, window, &out)?);
        self.recorder.event("the program looks");
        Ok(())
    }

    /// Is the program under trial not done yet? What it says at its end is noted.
    fn still_collects(&mut self) -> bool {
        let Some(collector) = &mut self.collector else { return false };
        let failed = match collector.poll() {
            Ok(Progress::Runs) => return true,
            Ok(Progress::Done) => return false,
            Ok(Progress::Failed(why)) => why,
            Err(e) => format!("{e:#}"),
        };
        self.recorder.broken.push(failed);
        false
    }

    /// A fault begins or ends.
    fn turn(&mut self, incident: &Incident, fault: &Fault, on: bool) -> Result<()> {
        // A mode is given to a bond when it is made.
        for batch in fault::commands(fault, incident, &self.topology, on) {
            self.run(&batch)?;
        }
        let members = fault::members_of(fault, &self.topology);
        if let Some(speaker) = &mut self.speaker {
            if matches!(fault, Fault::CarrierDown { .. } | Fault::SwitchPortDown { .. }) {
                members.iter().for_each(|m| speaker.link(*m, !on));
            } else {
                speaker.fault(fault, &members, self.topology.names.member_mac(0), on);
            }
        }
        match fault {
            Fault::HostFilter { member, hook } => {
                let names = self.topology.each(*member).into_iter().map(|m| self.topology.names.member(m));
                match hook {
                    Hook::NftEgress | Hook::NftIngress => self.filters.nft = on,
                    Hook::TcEgress | Hook::TcIngress | Hook::Xdp if on => self.filters.tc.extend(names),
                    Hook::TcEgress | Hook::TcIngress | Hook::Xdp => self.filters.tc.clear(),
                }
            }
            Fault::Starvation { stall_ms, run_ms } => {
                self.hog = if on {
                    Some(Hog::start(*stall_ms, *run_ms).context("cannot take the processor")?)
                } else {
                    None
                };
            }
            _ => {}
        }
        self.recorder.event(&format!("{} {fault:?}", if on { "BEGIN" } else { "END" }));
        Ok(())
    }

    fn run(&self, batch: &Batch) -> Result<()> {
        if batch.text.is_empty() { Ok(()) } else { self.topology.run(batch) }
    }

    fn finish(&mut self, booted: u64) -> PathBuf {
        self.hog = None;
        let out = self.recorder.out().to_owned();
        if let Err(e) = self.recorder.finish(booted) {
            let _ = std::fs::write(out.join("broken.txt"), format!("{e:#}\n"));
        }
        // The evidence is written; what is left over disappears with the guest.
        let _ = self.topology.remove();
        out
    }
}
