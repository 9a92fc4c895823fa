//! The outer forms of a report: JSON for programs ([`json_v1`]), text for people ([`text`]).

pub mod json_v1;
pub mod members;
pub mod text;

use crate::case::Case;
use crate::diagnose::Report;
use crate::evidence::Citation;
use std::collections::BTreeMap;

/// Ids of findings and evidence, unique within the case, in the order of their first appearance.
pub struct Ids {
    /// Subject, finding -> `F` number.
    findings: Vec<usize>,
    /// Citation -> `E` number.
    evidence: BTreeMap<Citation, usize>,
    /// Citations by number.
    order: Vec<Citation>,
}

impl Ids {
    /// Numbers everything that a report shows.
    #[must_use]
    pub fn new(report: &Report) -> Self {
        let mut ids = Self { findings: Vec::new(), evidence: BTreeMap::new(), order: Vec::new() };
        let mut next = 1;
        for s in &report.subjects {
            ids.findings.push(next);
            next += s.judged.findings.len();
            for f in &s.judged.findings {
                for c in &f.evidence {
                    ids.cite(*c);
                }
            }
            for e in &s.timeline {
                ids.cite(e.at);
            }
        }
        ids
    }

    fn cite(&mut self, c: Citation) {
        if let std::collections::btree_map::Entry::Vacant(v) = self.evidence.entry(c) {
            self.order.push(c);
            v.insert(self.order.len());
        }
    }

    /// `F3`: finding `i` of subject `s`.
    #[must_use]
    pub fn finding(&self, s: usize, i: usize) -> String {
        format!("F{}", self.findings.get(s).copied().unwrap_or(1) + i)
    }

    /// `E12`.
    #[must_use]
    pub fn evidence(&self, c: Citation) -> String {
        format!("E{}", self.evidence.get(&c).copied().unwrap_or(0))
    }

    /// All citations with their ids.
    pub fn all(&self) -> impl Iterator<Item = (String, Citation)> + '_ {
        self.order.iter().enumerate().map(|(i, c)| (format!("E{}", i + 1), *c))
    }
}

/// `path#line=3`, with control characters of hostile file names made visible.
#[must_use]
pub fn source(case: &Case, c: Citation) -> String {
    printable(&c.source(case.path(c.file)))
}

/// Replaces control characters, so that evidence cannot drive the reader's terminal.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// First and last instant on the wall clock that the evidence speaks of.
#[must_use]
pub fn window(report: &Report) -> Option<(i64, i64)> {
    let captures = report.case.captures.iter().filter(|c| c.timed).filter_map(|c| {
        let far = report.case.files.get(c.file.0 as usize).is_some_and(|f| f.far_end);
        if far {
            return None;
        }
        c.capture.totals.span.or_else(|| {
            let first = c.capture.speakers.iter().map(|s| s.first.0).min()?;
            let last = c.capture.speakers.iter().map(|s| s.last.0).max()?;
            Some((first, last))
        })
    });
    // A kernel log reaches far back; it does not widen the window of a capture.
    let mut spans: Vec<(i64, i64)> = captures.filter(|s| s.0 > 0).collect();
    if spans.is_empty() {
        spans.extend(report.case.records.iter().filter_map(|r| crate::case::wall(r.time)).map(|t| (t, t)));
    }
    let start = spans.iter().map(|s| s.0).min()?;
    let end = spans.iter().map(|s| s.1).max()?;
    Some((start, end))
}
