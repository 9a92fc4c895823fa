//! What must hold for every input, shared by the targets.
#![forbid(unsafe_code)]

use bondwitness_core::evidence::{FileId, Text};
use bondwitness_core::parse::{self, Format};

/// Parses a text and checks that no line is lost or counted twice, and that no control character but the tab gets
/// past the cleaning.
pub fn every_line_is_accounted_for(bytes: &[u8], formats: &[Format]) {
    let text = Text::new(FileId(0), bytes);
    let mut lines = 0;
    for line in &text.lines {
        assert!(line.start <= line.end && line.end <= bytes.len() as u64, "span of line {}", line.no);
        if let Some(c) = line.text.chars().find(|c| c.is_control() && *c != '\t') {
            panic!("line {} keeps the control character {c:?}", line.no);
        }
        lines += u64::from(!line.is_blank());
    }
    let parsed = parse::parse_text_with(FileId(0), "host/sample.txt", bytes, formats);
    let not_understood = parsed.not_understood.len() as u64;
    let unrecognised = parsed.unrecognised.len() as u64;
    assert_eq!(
        parsed.typed + not_understood + unrecognised,
        lines,
        "{} typed, {not_understood} not understood, {unrecognised} unrecognised, recognised {:?}",
        parsed.typed,
        parsed.recognised
    );
}
