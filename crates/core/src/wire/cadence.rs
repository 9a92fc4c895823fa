//! What was due when: cadence follows the Timeout bits as they were at that time (802.1AX Periodic machine).

use super::{Part, SECOND};
use crate::capture::Gap;
use lacp::PortState;

/// A time in which the partner, asked for the fast rate and saying that it knows, sent only when spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateIgnored {
    /// First and last instant.
    pub span: (i64, i64),
    /// Silences in it.
    pub silences: usize,
    /// Silences that ended with an answer to a change of ours, within half a second.
    pub answers: usize,
    /// The longest silence.
    pub longest: Gap,
    /// The last answer: our frame, and the frame that answers it. Else the frames around the longest silence.
    pub answer: (u64, u64),
}

/// So many silences are no accident.
const ENOUGH: usize = 4;
/// Shorter silences are a lost PDU.
const LONG: i64 = 2 * SECOND + SECOND / 2;
/// The switch answers a change at once (Need To Transmit); this is generous for a process in user space.
const AT_ONCE: i64 = SECOND / 2;

impl Part {
    /// For how long a PDU was overdue at the end of a silence, counted from its start or from the last time in it that
    /// the fast rate was asked for, and whether the fast rate applies.
    pub(super) fn overdue(&self, g: &Gap, asked: &dyn Fn(i64) -> Option<bool>) -> (i64, bool) {
        let mut fast = asked(g.from_ns).unwrap_or(false);
        let mut start = g.from_ns;
        let mut turns: Vec<i64> = [self.host(), self.partner()]
            .into_iter()
            .flatten()
            .flat_map(|s| s.changes.iter().map(|c| c.ns))
            .filter(|t| *t > g.from_ns && *t < g.to_ns)
            .collect();
        turns.sort_unstable();
        for t in turns {
            let now = asked(t).unwrap_or(fast);
            if now != fast {
                // Asked for the slow rate in the middle, nothing was due before thirty seconds after the last PDU.
                start = if now { t } else { g.from_ns };
                fast = now;
            }
        }
        (g.to_ns.saturating_sub(start), fast)
    }

    /// Whether the partner sends nothing of its own accord at the fast rate that it was asked for, though it says that it
    /// knows (its echo of our Timeout bit) and answers our changes at once: what it sends arrives, what it does not send is
    /// missing.
    pub(super) fn rate_ignored(&self, excused: &dyn Fn(&Gap) -> bool) -> Option<RateIgnored> {
        let (h, p) = (self.host()?, self.partner()?);
        let asked = |t: i64| h.at(t).is_some_and(|c| c.actor.state.contains(PortState::TIMEOUT));
        let always = |g: &Gap| {
            asked(g.from_ns) && !h.changes.iter().any(|c| c.ns > g.from_ns && c.ns < g.to_ns && !asked(c.ns))
        };
        let knows = |g: &Gap| {
            [p.at(g.from_ns), p.at(g.to_ns)].into_iter().all(|c| {
                c.is_some_and(|c| {
                    !c.actor.state.deaf()
                        && !c.partner.system.is_zero()
                        && c.partner.state.contains(PortState::TIMEOUT)
                })
            })
        };
        let answers = |g: &Gap| {
            let (ns, frame) = g.answered?;
            let ours = h.changes.iter().any(|c| c.ns == ns);
            (ours && g.to_ns.saturating_sub(ns) <= AT_ONCE).then_some((frame, g.to_frame))
        };
        // The slow rate, as every implementation keeps it.
        let slow = |g: &Gap| (25 * SECOND..=35 * SECOND).contains(&g.len_ns());
        let long: Vec<&Gap> = p.gaps.iter().filter(|g| g.len_ns() >= LONG).collect();
        let fits = |g: &Gap| always(g) && knows(g) && !excused(g) && (answers(g).is_some() || slow(g));
        // The longest run of silences that all fit.
        let run = long
            .chunk_by(|a, b| fits(a) == fits(b))
            .filter(|c| c.iter().all(|g| fits(g)))
            .max_by_key(|c| c.len())?;
        let (first, last) = (run.first()?, run.last()?);
        let span = (first.from_ns, last.to_ns);
        let silent: i64 = run.iter().map(|g| g.len_ns()).sum();
        let longest = **run.iter().max_by_key(|g| g.len_ns())?;
        let replies: Vec<(u64, u64)> = run.iter().filter_map(|g| answers(g)).collect();
        // A sender that kept its seconds in between lost some PDUs; one that ignores the rate has none in between.
        (run.len() >= ENOUGH && silent >= (span.1 - span.0) / 4 * 3).then(|| RateIgnored {
            span,
            silences: run.len(),
            answers: replies.len(),
            longest,
            answer: replies.last().copied().unwrap_or((longest.from_frame, longest.to_frame)),
        })
    }
}
