//! Carrying out a plan: every step is checked against the host right before, done, and read back; when one fails, what
//! was done for the same interface is taken back in reverse order.
//!
//! What touches the host is behind [`Hand`]: the real one is in the host crate, tests have a model of a kernel.

use super::state::{Change, State};
use super::world::World;
use super::{Action, Condition, Made, Plan, Step};

/// What can look at a host, change it, and remember.
pub trait Hand {
    /// The host as it is now.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn look(&mut self) -> Result<World, String>;

    /// Makes one change; `index` is that of the interface that it is about (0 for what creates).
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn act(&mut self, action: &Action, index: u32) -> Result<(), String>;

    /// Writes the state down, so that it survives the end of this process at any moment after.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    fn keep(&mut self, state: &State) -> Result<(), String>;
}

/// What to do with the steps that were done for an interface before one of them failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Take all of them back.
    UndoAll,
    /// Take back what was being made; repairs of something that stands are whole by themselves, and the others go on.
    UndoMaking,
}

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Steps that were done and verified, by their place in the plan.
    pub done: Vec<usize>,
    /// Changes sent to the kernel, those that take back included.
    pub writes: usize,
    /// What failed.
    pub failed: Vec<Failed>,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Its place in the plan.
    pub step: usize,
    /// The entry that it was for.
    pub entry: String,
    /// What was tried and why it failed.
    pub what: String,
    /// What was taken back.
    pub undone: Vec<String>,
    /// What could not be taken back, and why.
    pub left: Vec<String>,
}

/// Carries out a plan.
pub fn execute(
    plan: &Plan,
    bookkeeping: &[Change],
    state: &mut State,
    on_failure: OnFailure,
    hand: &mut dyn Hand,
) -> Outcome {
    let mut run = Run { state, hand, made: Made::new(), world: None, outcome: Outcome::default() };
    if !bookkeeping.is_empty() {
        for change in bookkeeping {
            run.state.change(change, &run.made);
        }
        // If it cannot be written now, it is found out again next time.
        let _ = run.hand.keep(run.state);
    }
    let mut at = 0;
    while let Some(first) = plan.steps.get(at) {
        let rest = plan.steps.get(at..).unwrap_or_default();
        let count = rest.iter().take_while(|s| s.entry == first.entry).count();
        let steps: Vec<(usize, &Step)> =
            rest.iter().take(count).enumerate().map(|(i, s)| (at + i, s)).collect();
        run.entry(&steps, on_failure);
        at += count.max(1);
    }
    run.outcome
}

struct Run<'a> {
    state: &'a mut State,
    hand: &'a mut dyn Hand,
    made: Made,
    /// The host after the last change; it is read once for what one step verifies and the next one needs.
    world: Option<World>,
    outcome: Outcome,
}

impl Run<'_> {
    fn entry(&mut self, steps: &[(usize, &Step)], on_failure: OnFailure) {
        let making = steps.iter().any(|(_, s)| matches!(s.action, Action::Create { .. }));
        let mut done: Vec<&Step> = Vec::new();
        for (at, step) in steps {
            match self.step(step) {
                Ok(()) => {
                    done.push(step);
                    self.outcome.done.push(*at);
                }
                Err((what, acted)) => {
                    let mut failed = Failed {
                        step: *at,
                        entry: step.entry.clone(),
                        what: format!("cannot {}: {what}", step.action),
                        undone: Vec::new(),
                        left: Vec::new(),
                    };
                    if acted {
                        done.push(step);
                    }
                    let all = making || on_failure == OnFailure::UndoAll;
                    let back = if all { done.len() } else { usize::from(acted) };
                    for step in done.iter().rev().take(back) {
                        self.undo(step, &mut failed);
                    }
                    if all {
                        let back: Vec<usize> = steps.iter().map(|(i, _)| *i).collect();
                        self.outcome.done.retain(|i| !back.contains(i));
                    }
                    self.outcome.failed.push(failed);
                    if all {
                        return;
                    }
                    if acted {
                        done.pop();
                    }
                }
            }
        }
    }

    /// Does one step. On failure: why, and whether the kernel was told to make the change.
    fn step(&mut self, step: &Step) -> Result<(), (String, bool)> {
        self.check(&step.needs).map_err(|e| (e, false))?;
        if let Some(change) = &step.before {
            self.state.change(change, &self.made);
            // Without the record, a crash would leave something that nobody knows.
            self.hand.keep(self.state).map_err(|e| (e, false))?;
        }
        self.act(&step.action).map_err(|e| (e, false))?;
        self.check(&step.verify).map_err(|e| (format!("afterwards {e}"), true))?;
        if let Some(change) = &step.after {
            self.state.change(change, &self.made);
            // The mark on the interface tells the same.
            let _ = self.hand.keep(self.state);
        }
        Ok(())
    }

    fn act(&mut self, action: &Action) -> Result<(), String> {
        let index = match action {
            Action::Create { .. } => 0,
            Action::Delete(t)
            | Action::SetMark(t, _)
            | Action::Rename(t, _)
            | Action::SetMtu(t, _)
            | Action::SetTxQueueLen(t, _)
            | Action::SetQdisc(t, _)
            | Action::SetUp(t, _) => t.index(&self.made).ok_or_else(|| format!("{t} was not made"))?,
        };
        self.world = None;
        self.outcome.writes += 1;
        self.hand.act(action, index)?;
        if let Action::Create { name, kind, parent, .. } = action {
            let link = self.look()?.named(name).filter(|l| kind.is(l) && l.parent == Some(parent.0));
            let index = link.map(|l| l.index).ok_or_else(|| format!("{name} is not there afterwards"))?;
            self.made.insert(name.clone(), index);
        }
        Ok(())
    }

    fn look(&mut self) -> Result<&World, String> {
        if self.world.is_none() {
            self.world = Some(self.hand.look()?);
        }
        self.world.as_ref().ok_or_else(|| "the host cannot be read".to_owned())
    }

    fn check(&mut self, conditions: &[Condition]) -> Result<(), String> {
        self.look()?;
        let Some(world) = &self.world else { return Ok(()) };
        conditions.iter().try_for_each(|c| c.check(world, &self.made))
    }

    fn undo(&mut self, step: &Step, failed: &mut Failed) {
        for action in &step.undo {
            match self.act(action) {
                Ok(()) => {
                    failed.undone.push(action.to_string());
                    // What is made again has another index than the one that is remembered.
                    if let Action::Create { name, .. } = action {
                        let born = Change::Born { name: step.entry.clone(), temporary: name.clone() };
                        self.state.change(&born, &self.made);
                        let _ = self.hand.keep(self.state);
                    }
                }
                Err(e) => failed.left.push(format!("cannot {action}: {e}")),
            }
        }
    }
}
