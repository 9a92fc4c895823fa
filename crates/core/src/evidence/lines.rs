//! A text file as clean lines that still know their raw bytes.
//!
//! Pasted evidence is dirty: CRLF, ANSI colours, UTF-16 from a Windows editor, Windows-1252, a truncated
//! tail. Each [`Line`] carries the cleaned text for the parsers and the raw byte span for the citation.

use super::citation::{Citation, FileId, Place};
use std::borrow::Cow;

/// Longest line that is looked at as text; the rest of a longer line is cut for parsing (the span still
/// covers it). Protects against binary files without newlines.
pub const MAX_LINE: usize = 256 * 1024;

/// One line: cleaned text and raw span.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// The file it belongs to.
    pub file: FileId,
    /// 1-based line number.
    pub no: u32,
    /// First raw byte.
    pub start: u64,
    /// One past the last raw byte, without the line end.
    pub end: u64,
    /// Cleaned text: decoded, without CR, ANSI sequences, other control characters (tabs stay) and trailing
    /// blanks.
    pub text: Cow<'a, str>,
}

impl Line<'_> {
    /// The citation of this line.
    #[must_use]
    pub fn cite(&self) -> Citation {
        Citation {
            file: self.file,
            place: Place::Lines { first: self.no, last: self.no, start: self.start, end: self.end },
        }
    }
    /// The text without leading blanks.
    #[must_use]
    pub fn trimmed(&self) -> &str {
        self.text.trim_start()
    }
    /// Number of leading blanks (a tab counts as one).
    #[must_use]
    pub fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }
    /// True for an empty line.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.is_empty()
    }
}

/// How the bytes of a text file are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without byte order mark.
    Utf8,
    /// Not valid UTF-8: read as Windows-1252, which gives every byte a character.
    Windows1252,
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
}

/// A text file, cut into lines.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// The encoding that was found.
    pub encoding: Encoding,
    /// All lines, also blank ones.
    pub lines: Vec<Line<'a>>,
}

impl<'a> Text<'a> {
    /// Cuts `bytes` into lines. Never fails: what is not text becomes odd characters on odd lines.
    #[must_use]
    pub fn new(file: FileId, bytes: &'a [u8]) -> Self {
        let encoding = detect(bytes);
        let lines = match encoding {
            Encoding::Utf16Le | Encoding::Utf16Be => utf16_lines(file, bytes, encoding),
            Encoding::Utf8 | Encoding::Windows1252 => byte_lines(file, bytes),
        };
        Self { encoding, lines }
    }
}

/// True if the bytes look like text: no NUL in the first 8 KiB (UTF-16 with a byte order mark, or with NULs
/// in every other byte, counts as text), and few control characters.
#[must_use]
pub fn looks_like_text(bytes: &[u8]) -> bool {
    if matches!(detect(bytes), Encoding::Utf16Le | Encoding::Utf16Be) {
        return true;
    }
    let head = bytes.get(..bytes.len().min(8192)).unwrap_or(bytes);
    let odd = head
        .iter()
        .filter(|&&b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x08))
        .count();
    // A stray NUL (a log whose tail was lost in a crash) is still text; a binary has them by the hundred.
    odd * 50 <= head.len()
}

fn detect(bytes: &[u8]) -> Encoding {
    match bytes {
        [0xff, 0xfe, ..] => return Encoding::Utf16Le,
        [0xfe, 0xff, ..] => return Encoding::Utf16Be,
        _ => {}
    }
    let head = bytes.get(..bytes.len().min(512)).unwrap_or(bytes);
    if head.len() >= 16 {
        let zero = |odd: usize| head.iter().enumerate().filter(|(i, b)| i % 2 == odd && **b == 0).count();
        let half = head.len() / 2;
        if zero(1) * 10 >= half * 9 && zero(0) * 10 < half {
            return Encoding::Utf16Le;
        }
        if zero(0) * 10 >= half * 9 && zero(1) * 10 < half {
            return Encoding::Utf16Be;
        }
    }
    if std::str::from_utf8(head).is_ok_and(|_| true) { Encoding::Utf8 } else { Encoding::Windows1252 }
}

fn byte_lines<'a>(file: FileId, bytes: &'a [u8]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let mut start = if bytes.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
    let mut no = 0u32;
    while start < bytes.len() {
        let rest = bytes.get(start..).unwrap_or_default();
        let len = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        let raw = rest.get(..len).unwrap_or(rest);
        no = no.saturating_add(1);
        let shown = raw.get(..raw.len().min(MAX_LINE)).unwrap_or(raw);
        let text = match std::str::from_utf8(shown) {
            Ok(s) => Cow::Borrowed(s),
            // Only the line that is not UTF-8 is read as Windows-1252: a paste may mix both.
            Err(_) if shown.len() < raw.len() => String::from_utf8_lossy(shown),
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(shown).0,
        };
        lines.push(Line { file, no, start: start as u64, end: (start + len) as u64, text: clean(text) });
        start += len + 1;
    }
    lines
}

fn utf16_lines<'a>(file: FileId, bytes: &'a [u8], encoding: Encoding) -> Vec<Line<'a>> {
    let unit = |pair: &[u8]| match (pair, encoding) {
        ([a, b], Encoding::Utf16Be) => u16::from_be_bytes([*a, *b]),
        ([a, b], _) => u16::from_le_bytes([*a, *b]),
        _ => 0xfffd,
    };
    let skip = usize::from(matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])) * 2;
    let mut lines = Vec::new();
    let mut units: Vec<u16> = Vec::new();
    let (mut start, mut no, mut at) = (skip, 0u32, skip);
    let mut push = |units: &mut Vec<u16>, start: usize, end: usize| {
        no = no.saturating_add(1);
        units.truncate(MAX_LINE);
        let text = String::from_utf16_lossy(units);
        units.clear();
        lines.push(Line { file, no, start: start as u64, end: end as u64, text: clean(Cow::Owned(text)) });
    };
    for pair in bytes.get(skip..).unwrap_or_default().chunks(2) {
        let u = unit(pair);
        if u == u16::from(b'\n') {
            push(&mut units, start, at);
            start = at + pair.len();
        } else {
            units.push(u);
        }
        at += pair.len();
    }
    if !units.is_empty() {
        push(&mut units, start, at);
    }
    lines
}

/// Removes CR, ANSI escape sequences, other control characters and trailing blanks.
#[must_use]
pub fn clean(text: Cow<'_, str>) -> Cow<'_, str> {
    let as_it_is = |c: char| (!c.is_control() || c == '\t') && !matches!(c, '\u{feff}' | '\u{a0}');
    // Nearly every line is ASCII; the others may hide control characters above it (U+0080 to U+009F).
    let clean = if text.is_ascii() {
        text.bytes().all(|b| b >= 0x20 && b != 0x7f || b == b'\t')
    } else {
        text.chars().all(as_it_is)
    };
    if clean {
        return match text {
            Cow::Borrowed(s) => Cow::Borrowed(s.trim_end()),
            Cow::Owned(mut s) => {
                s.truncate(s.trim_end().len());
                Cow::Owned(s)
            }
        };
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.peek() {
                // CSI: parameters and intermediates up to a final byte.
                Some('[') => {
                    chars.next();
                    for c in chars.by_ref() {
                        if ('\u{40}'..='\u{7e}').contains(&c) {
                            break;
                        }
                    }
                }
                // OSC: up to BEL or ST.
                Some(']') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' {
                            break;
                        }
                        if c == '\u{1b}' {
                            chars.next();
                            break;
                        }
                    }
                }
                _ => {
                    chars.next();
                }
            },
            // Backspace as `script` and `man` write it: overstrike.
            '\u{8}' => {
                out.pop();
            }
            '\t' => out.push('\t'),
            '\u{a0}' => out.push(' '),
            '\u{feff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<String> {
        Text::new(FileId(0), bytes).lines.iter().map(|l| l.text.to_string()).collect()
    }

    #[test]
    fn dirty_text_is_cleaned_and_spans_stay_raw() {
        let raw = b"\x1b[1mMII Status: up\x1b[0m \r\n\xe9t\xe9\r\nend";
        let text = Text::new(FileId(0), raw);
        assert_eq!(texts(raw), ["MII Status: up", "\u{e9}t\u{e9}", "end"]);
        let second = &text.lines[1];
        assert_eq!(&raw[second.start as usize..second.end as usize], b"\xe9t\xe9\r");
    }

    #[test]
    fn control_characters_above_ascii_are_removed_too() {
        assert_eq!(texts("a\u{85}b\u{9d}c".as_bytes()), ["abc"]);
        // 0x81 is not a character of Windows-1252; decoders give U+0081.
        assert_eq!(texts(b"rx\x81_packets\xe9"), ["rx_packets\u{e9}"]);
    }

    #[test]
    fn utf16_both_orders_with_and_without_mark() {
        let text = "Bonding Mode: x\nMII Status: up\n";
        for (be, mark) in [(false, true), (false, false), (true, true), (true, false)] {
            let mut raw: Vec<u8> = Vec::new();
            for u in std::iter::once(0xfeff_u16).filter(|_| mark).chain(text.encode_utf16()) {
                raw.extend(if be { u.to_be_bytes() } else { u.to_le_bytes() });
            }
            assert!(looks_like_text(&raw));
            assert_eq!(texts(&raw), ["Bonding Mode: x", "MII Status: up"], "be {be} mark {mark}");
        }
    }

    #[test]
    fn binary_is_not_text() {
        let elf: Vec<u8> =
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0".iter().copied().cycle().take(4096).collect();
        assert!(!looks_like_text(&elf));
        assert!(looks_like_text(b""));
    }
}
