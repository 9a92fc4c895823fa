//! When somebody else keeps undoing our work: hands off, said aloud, with longer and longer pauses.
//!
//! Two programs that each repair what the other does harm the host more than either state would. Undone twice within
//! five minutes is a contest; it is tried again after 5, 10, 15, 15, … minutes, and given up at once if it is undone
//! again. So there are at most three rounds of changes to an interface in ten minutes. What a failover, a vanished
//! member or a changed configuration explains is no contest.

use super::bypass::{Planned, Stand};
use super::execute::Outcome;
use super::state::State;

/// Within this time two undoings make a contest; also the first pause. Milliseconds.
pub const WINDOW_MS: u64 = 5 * 60 * 1000;
/// The longest pause, and how long it must have been quiet for a contest to be forgotten. Milliseconds.
pub const LONGEST_MS: u64 = 15 * 60 * 1000;
/// The first pause after the kernel refused; it doubles. Milliseconds.
const FIRST_RETRY_MS: u64 = 5 * 1000;

/// An entry that is left alone for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// The entry.
    pub entry: String,
    /// Until when, on the clock of `now_ms`.
    pub until_ms: u64,
    /// Because the kernel refused; else because somebody undid our work.
    pub failing: bool,
    /// It begins now.
    pub new: bool,
}

/// Takes from a plan what is contested, and remembers what was found undone.
pub fn restrain(planned: &mut Planned, state: &mut State, now_ms: u64) -> Vec<Paused> {
    let mut paused = Vec::new();
    for outlook in &planned.entries {
        let Some(record) = state.records.get_mut(&outlook.name) else { continue };
        let c = &mut record.contest;
        // A clock that went backwards would pause for ever.
        c.until_ms = c.until_ms.filter(|u| *u <= now_ms.saturating_add(LONGEST_MS));
        let mut new = false;
        match &outlook.stand {
            Stand::Ready => {
                c.settled = true;
                c.failures = 0;
                if c.times > 0 && c.trouble_ms.saturating_add(LONGEST_MS) <= now_ms {
                    c.times = 0;
                }
                // It is as wanted without our doing.
                c.until_ms = None;
                continue;
            }
            Stand::Change { undone: true, .. } => {
                c.settled = false;
                c.trouble_ms = now_ms;
                c.undone_ms.retain(|t| t.saturating_add(WINDOW_MS) > now_ms);
                c.undone_ms.push(now_ms);
                if c.undone_ms.len() >= 2 || c.times > 0 {
                    c.times = c.times.saturating_add(1);
                    c.undone_ms.clear();
                    let pause = WINDOW_MS.saturating_mul(u64::from(c.times)).min(LONGEST_MS);
                    c.until_ms = Some(now_ms.saturating_add(pause));
                    new = true;
                }
            }
            Stand::Change { undone: false, .. } => {}
            Stand::Waiting(_) | Stand::Refused => {}
        }
        match c.until_ms {
            Some(until_ms) if until_ms > now_ms => {
                paused.push(Paused { entry: outlook.name.clone(), until_ms, failing: c.failures > 0, new });
            }
            Some(_) => c.until_ms = None,
            None => {}
        }
    }
    planned.plan.steps.retain(|s| !paused.iter().any(|p| p.entry == s.entry));
    paused
}

/// Remembers what came of a plan.
pub fn remember(planned: &Planned, outcome: &Outcome, state: &mut State, now_ms: u64) {
    for outlook in &planned.entries {
        let Some(record) = state.records.get_mut(&outlook.name) else { continue };
        let c = &mut record.contest;
        if outcome.failed.iter().any(|f| f.entry == outlook.name) {
            c.settled = false;
            c.failures = c.failures.saturating_add(1);
            let doubled = FIRST_RETRY_MS.saturating_mul(1 << c.failures.saturating_sub(1).min(10));
            c.until_ms = Some(now_ms.saturating_add(doubled.min(LONGEST_MS)));
        } else if planned.plan.steps.iter().any(|s| s.entry == outlook.name) {
            c.settled = true;
            c.failures = 0;
        }
    }
}

/// When something must be looked at again at the latest, although nothing happens.
#[must_use]
pub fn next_ms(state: &State) -> Option<u64> {
    state.records.values().filter_map(|r| r.contest.until_ms).min()
}
