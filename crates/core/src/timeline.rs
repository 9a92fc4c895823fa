//! One line of time from captures, kernel log and link events.
//!
//! Clocks are kept apart: realtime and capture clocks are the host's wall clock; boot-relative times and civil times
//! without a zone are tied to it only where two sources saw the same event, and then with the error bound that the
//! pairs show ([`Alignment`]).

use crate::case::{Case, Subject};
use crate::evidence::{Citation, KernelKind};
use crate::units::{Clock, Stamp};

mod clocks;

pub use clocks::alignments;

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// On the wall clock, if it is known.
    pub ns: Option<i64>,
    /// As the source gave it.
    pub stamp: Option<Stamp>,
    /// The member, if one.
    pub member: Option<String>,
    /// `lacp-state`, `partner-state`, `silence-in`, `silence-out`, `link`, `log`, ...
    pub kind: &'static str,
    /// What happened.
    pub text: String,
    /// Where it was read.
    pub at: Citation,
}

/// How a clock relates to the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alignment {
    /// The clock.
    pub clock: Clock,
    /// Add this to get wall time, in nanoseconds.
    pub offset: i64,
    /// No pair differs from the offset by more than this.
    pub error: i64,
    /// How many pairs it rests on.
    pub pairs: usize,
}

/// Most entries per subject.
const MAX_EVENTS: usize = 400;

/// The timeline of a subject.
#[must_use]
pub fn of(case: &Case, subject: &Subject) -> Vec<Event> {
    let mut events = Vec::new();
    for m in &subject.members {
        if let Some(w) = &m.wire {
            for (part, story) in w.told().filter(|(p, _)| p.timed) {
                for (kind, s) in part
                    .out
                    .iter()
                    .map(|s| ("lacp-state", s))
                    .chain(part.ins.iter().map(|s| ("partner-state", s)))
                {
                    // The first changes tell the story; a link that flaps for days would fill the memory.
                    for pair in s.changes.windows(2).take(MAX_EVENTS) {
                        let [a, b] = pair else { continue };
                        let who = if kind == "lacp-state" { "host" } else { "partner" };
                        let text = if a.actor.system != b.actor.system || a.actor.key != b.actor.key {
                            format!(
                                "{who} is now {} key {} (was {} key {})",
                                b.actor.system, b.actor.key, a.actor.system, a.actor.key
                            )
                        } else if a.actor.state != b.actor.state {
                            format!("{who} {} -> {}", a.actor.state, b.actor.state)
                        } else {
                            // The echo alone changed; the change it echoes is an entry of its own.
                            continue;
                        };
                        events.push(Event {
                            ns: Some(b.ns),
                            stamp: Some(Stamp::wall(b.ns)),
                            member: Some(m.name.clone()),
                            kind,
                            text,
                            at: part.cite(b.frame),
                        });
                    }
                }
                for (kind, gaps, who) in
                    [("silence-out", &story.out_gaps, "host"), ("silence-in", &story.in_gaps, "partner")]
                {
                    for g in gaps.iter().take(MAX_EVENTS) {
                        events.push(Event {
                            ns: Some(g.from_ns),
                            stamp: Some(Stamp::wall(g.from_ns)),
                            member: Some(m.name.clone()),
                            kind,
                            text: format!(
                                "last LACPDU of the {who} before {} of silence",
                                crate::wire::seconds(g.len_ns())
                            ),
                            at: part.cite(g.from_frame),
                        });
                    }
                }
            }
        }
    }
    let names: Vec<&str> = subject.member_names().collect();
    for (r, k) in case.kernel() {
        let about = k.dev.as_deref().is_some_and(|d| names.contains(&d))
            || (k.dev.is_none() && k.bond.as_deref() == Some(subject.name.as_str()));
        if about && !matches!(k.kind, KernelKind::Other | KernelKind::Promiscuous | KernelKind::Renamed) {
            events.push(Event {
                ns: crate::case::wall(r.time),
                stamp: r.time,
                member: k.dev.clone(),
                kind: "log",
                text: k.text.chars().take(160).collect(),
                at: r.at,
            });
        }
    }
    let mut last: std::collections::BTreeMap<&str, (bool, Option<String>)> =
        std::collections::BTreeMap::new();
    for (r, l) in case
        .links()
        .filter(|(_, l)| l.source == "ip-monitor" && names.contains(&l.name.as_str()) && !l.flags.is_empty())
    {
        let now = (l.flag("LOWER_UP"), l.fields.text("bond_state").map(str::to_owned));
        let before = last.insert(&l.name, now.clone());
        if before.as_ref() == Some(&now) {
            continue;
        }
        let text = match before {
            Some((was, _)) if was != now.0 => if now.0 {
                "link up"
            } else if l.flag("UP") {
                "link down"
            } else {
                "taken down on the host"
            }
            .to_owned(),
            _ => format!("bond state {}", now.1.unwrap_or_else(|| "?".to_owned())),
        };
        events.push(Event {
            ns: crate::case::wall(r.time),
            stamp: r.time,
            member: Some(l.name.clone()),
            kind: "link",
            text,
            at: r.at,
        });
    }
    for a in alignments(case, subject) {
        for e in events.iter_mut().filter(|e| e.ns.is_none()) {
            if let Some(s) = e.stamp.filter(|s| s.clock == a.clock) {
                e.ns = Some(s.ns.saturating_add(a.offset));
            }
        }
    }
    events.sort_by_key(|e| (e.ns.is_none(), e.ns, e.stamp, e.at));
    events.truncate(MAX_EVENTS);
    events
}
