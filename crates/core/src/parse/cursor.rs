//! The reader a parser works with ([`Cursor`]) and where it puts what it understood ([`Out`]).

use super::{Hints, Parsed};
use crate::evidence::{Citation, Fields, Line, Record, What};
use crate::units::Stamp;

/// The lines of one block.
pub struct Cursor<'l, 't> {
    lines: &'l [Line<'t>],
    at: usize,
    end: usize,
}

impl<'l, 't> Cursor<'l, 't> {
    pub(super) fn new(lines: &'l [Line<'t>], at: usize, end: usize) -> Self {
        Self { lines, at, end: end.min(lines.len()) }
    }
    /// The next line, also a blank one, without taking it.
    #[must_use]
    pub fn peek(&self) -> Option<&'l Line<'t>> {
        if self.at < self.end { self.lines.get(self.at) } else { None }
    }
    /// The line after the next by `n` (0 = next).
    #[must_use]
    pub fn peek_at(&self, n: usize) -> Option<&'l Line<'t>> {
        let i = self.at.checked_add(n)?;
        if i < self.end { self.lines.get(i) } else { None }
    }
    /// Takes the next line.
    #[allow(clippy::should_implement_trait, reason = "an Iterator would hide peek")]
    pub fn next(&mut self) -> Option<&'l Line<'t>> {
        let line = self.peek()?;
        self.at += 1;
        Some(line)
    }
    /// Takes blank lines.
    pub fn skip_blank(&mut self) {
        while self.peek().is_some_and(Line::is_blank) {
            self.at += 1;
        }
    }
    /// The index of the next line in the file.
    pub(super) const fn position(&self) -> usize {
        self.at
    }
}

/// Where parsers put their results.
pub struct Out {
    /// Hints for the block that is being read.
    pub hints: Hints,
    parsed: Parsed,
    format: Option<&'static str>,
}

impl Out {
    pub(super) fn new(hints: Hints) -> Self {
        Self { hints, parsed: Parsed::default(), format: None }
    }
    pub(super) fn begin(&mut self, id: &'static str) {
        if !self.parsed.recognised.contains(&id) {
            self.parsed.recognised.push(id);
        }
        self.format = Some(id);
    }
    pub(super) fn finish(&mut self) {
        self.format = None;
    }
    pub(super) fn into_parsed(self) -> Parsed {
        self.parsed
    }
    pub(super) fn typed_context(&mut self, _line: &Line<'_>) {
        self.parsed.typed += 1;
    }
    pub(super) fn unrecognised(&mut self, line: &Line<'_>) {
        self.parsed.unrecognised.push(line.cite());
    }
    /// This line was understood (blank lines need not be marked).
    pub fn typed(&mut self, line: &Line<'_>) {
        if line.is_blank() {
            return;
        }
        self.parsed.typed += 1;
        if let Some(id) = self.format {
            self.parsed.per_format.entry(id).or_default().0 += 1;
        }
    }
    /// This line stands in the block but was not understood; it is kept and listed.
    pub fn not_understood(&mut self, line: &Line<'_>) {
        if line.is_blank() {
            return;
        }
        self.parsed.not_understood.push(line.cite());
        if let Some(id) = self.format {
            self.parsed.per_format.entry(id).or_default().1 += 1;
        }
    }
    /// Adds a record. Its time is the given one, or the one a line before the block announced.
    pub fn record(&mut self, at: Citation, time: Option<Stamp>, what: What) {
        let time = time.or(self.hints.time);
        self.parsed.records.push(Record { at, time, what });
    }
    /// Adds a block of fields, cited from its first to its last field; nothing if it has none.
    pub fn fields(&mut self, fields: Fields) {
        if let (Some(first), Some(last)) =
            (fields.entries.first().map(|f| f.at), fields.entries.last().map(|f| f.at))
        {
            self.record(first.to(last), None, What::Fields(fields));
        }
    }
    /// The records so far (a parser may complete its last one).
    pub fn last_mut(&mut self) -> Option<&mut Record> {
        self.parsed.records.last_mut()
    }
}
