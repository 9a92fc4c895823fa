//! Keeping the interfaces of a configuration as wanted: it wakes for what the kernel tells, looks at everything every few
//! minutes, and sleeps otherwise.

use crate::apply::{ApplyError, Host, Keeper};
use crate::sys::rtnl_write::Events;
use crate::sys::stop::{self, Stop};
use crate::{apply, clock};
use bondwitness_core::plan::bypass::{self, Planned};
use bondwitness_core::plan::contest::{self, Paused};
use bondwitness_core::plan::desired::Entry;
use bondwitness_core::plan::dump;
use bondwitness_core::plan::execute::{Hand as _, OnFailure, Outcome, execute};
use bondwitness_core::plan::interest::Interest;
use bondwitness_core::plan::state::{Contest, State};
use bondwitness_core::plan::world::Mark;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// What one pass saw and did.
#[derive(Debug)]
pub struct Pass {
    /// What was found and planned.
    pub planned: Planned,
    /// What came of it.
    pub outcome: Outcome,
    /// What is left alone for now.
    pub paused: Vec<Paused>,
    /// Index of each interface that is there, for those who ask who else looks after it.
    pub indices: Vec<(String, u32)>,
}

/// Something to tell while running.
#[derive(Debug)]
pub enum Told<'a> {
    /// A pass is over.
    Pass(&'a Pass),
    /// The configuration cannot be read; the last one stays in force.
    Configuration(String),
    /// The host could not be read; it is tried again.
    Blind(String),
}

/// This many passes in a second, and no more: whoever changes interfaces in a loop shall not make us one too.
const PASSES: u32 = 20;

/// Keeps the interfaces as wanted until the process is asked to stop.
///
/// `wanted` reads the configuration: at the start, where an error ends everything, and at every resync.
///
/// # Errors
///
/// If the kernel gives no sockets, or the state cannot be read.
pub fn run(
    keeper: &Keeper,
    mut desired: Vec<Entry>,
    resync: Duration,
    wanted: &mut dyn FnMut() -> Result<Vec<Entry>, String>,
    tell: &mut dyn FnMut(&Told<'_>),
) -> Result<(), ApplyError> {
    let kernel = |what| move |e: std::io::Error| ApplyError::Kernel { what, source: e.into() };
    let stop = Stop::new().map_err(kernel("receive signals"))?;
    // Before the first look, so that nothing happens in between unheard.
    let mut events = Events::open().map_err(kernel("listen for changes of interfaces"))?;
    let mut host = Host::new(keeper)?;
    let mut state = keeper.state()?;
    // What happened while nobody looked is nobody's fault.
    for record in state.records.values_mut() {
        record.contest.settled = false;
    }
    let mut full = Instant::now();
    let mut recent = (Instant::now(), 0u32);
    loop {
        let before = state.clone();
        let mut interest = Interest::default();
        match pass(&mut host, &desired, &mut state, &mut interest) {
            Ok(pass) => tell(&Told::Pass(&pass)),
            Err(e) => tell(&Told::Blind(e)),
        }
        if state != before {
            // The next change writes it again; only the memory of a contest could be lost.
            let _ = host.keep(&state);
        }
        loop {
            let now = now_ms();
            let due = contest::next_ms(&state).map(|at| Duration::from_millis(at.saturating_sub(now)));
            let left = (full + resync).saturating_duration_since(Instant::now());
            let waited = stop::wait([stop.as_fd(), events.as_fd()], due.map_or(left, |d| d.min(left)));
            let [stopped, heard] = waited.map_err(kernel("wait"))?;
            if stopped {
                return Ok(());
            }
            if heard && !drain(&mut events, &interest) {
                continue;
            }
            if !heard && full + resync <= Instant::now() {
                full = Instant::now();
                match wanted() {
                    Ok(new) => {
                        for entry in new.iter().filter(|e| !desired.contains(e)) {
                            if let Some(record) = state.records.get_mut(&entry.name) {
                                record.contest = Contest::default();
                            }
                        }
                        desired = new;
                    }
                    Err(e) => tell(&Told::Configuration(e)),
                }
            }
            break;
        }
        if recent.0.elapsed() > Duration::from_secs(1) {
            recent = (Instant::now(), 0);
        }
        recent.1 = recent.1.saturating_add(1);
        if recent.1 > PASSES {
            let rest = Duration::from_secs(1).saturating_sub(recent.0.elapsed());
            if stop::wait([stop.as_fd()], rest).map_err(kernel("wait"))? == [true] {
                return Ok(());
            }
        }
    }
}

fn now_ms() -> u64 {
    u64::try_from(clock::clocks().boot_ns / 1_000_000).unwrap_or_default()
}

/// Reads all events that are there; whether any of them matters. Lost events matter.
fn drain(events: &mut Events, interest: &Interest) -> bool {
    let mut matters = false;
    loop {
        match events.next() {
            Ok(Some(bytes)) => matters |= dump::events(bytes).any(|e| interest.meets(&e)),
            Ok(None) => return matters,
            Err(_) => matters = true,
        }
    }
}

fn pass(
    host: &mut Host<'_>,
    desired: &[Entry],
    state: &mut State,
    interest: &mut Interest,
) -> Result<Pass, String> {
    let mut marks = Marks::default();
    let world = host.look()?;
    *interest = Interest::new(desired, &world, state);
    let mut planned = bypass::plan(desired, &world, state, &mut || marks.next());
    if let Some(e) = marks.failed {
        return Err(e);
    }
    let paused = contest::restrain(&mut planned, state, now_ms());
    let outcome = execute(&planned.plan, &planned.bookkeeping, state, OnFailure::UndoMaking, host);
    contest::remember(&planned, &outcome, state, now_ms());
    let indices =
        desired.iter().filter_map(|e| Some((e.name.clone(), world.named(&e.name)?.index))).collect();
    Ok(Pass { planned, outcome, paused, indices })
}

/// New marks, and whether there could not be one.
#[derive(Debug, Default)]
struct Marks {
    failed: Option<String>,
}

impl Marks {
    fn next(&mut self) -> Mark {
        apply::fresh_mark().unwrap_or_else(|e| {
            self.failed = Some(e.to_string());
            Mark::new(0)
        })
    }
}

/// Plans once.
///
/// # Errors
///
/// If the host cannot be read.
pub fn plan(desired: &[Entry], state: &State) -> Result<Planned, ApplyError> {
    let world = apply::look()?;
    let mut marks = Marks::default();
    let planned = bypass::plan(desired, &world, state, &mut || marks.next());
    match marks.failed {
        None => Ok(planned),
        Some(e) => Err(ApplyError::System {
            what: "read",
            path: Path::new("/dev/urandom").to_owned(),
            source: std::io::Error::other(e),
        }),
    }
}
