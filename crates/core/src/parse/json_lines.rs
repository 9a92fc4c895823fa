//! JSON read as it stands on lines: every scalar with its path and the line it is on.
//!
//! Pasted JSON is often cut at either end; a strict reader would give nothing at all. This one keeps what it
//! read, and every value can be cited by its line. No recursion: the nesting is a vector of names.

use super::Cursor;
use crate::evidence::Citation;

/// One scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// Names of the objects around it, and its own; numbers for places in arrays.
    pub path: Vec<String>,
    /// Its value without quotes: `full`, `1000`, `true`, `null`.
    pub value: String,
    /// Where.
    pub at: Citation,
}

/// Deeper JSON is not host state; the limit keeps paths small.
const DEPTH: usize = 32;

enum Level {
    Object,
    Array(u32),
}

/// What was read of one JSON value.
#[derive(Debug, Default)]
pub struct Read<'l, 't> {
    /// The scalars in order.
    pub scalars: Vec<Scalar>,
    /// Names of objects, with the line of the name: `ports` / `eth0` also if the object is empty.
    pub objects: Vec<(Vec<String>, Citation)>,
    /// Lines that were read whole.
    pub lines: Vec<&'l crate::evidence::Line<'t>>,
}

/// Reads one JSON value from the cursor, to its end or to the first line that is not JSON.
#[must_use]
pub fn read<'l, 't>(cursor: &mut Cursor<'l, 't>) -> Read<'l, 't> {
    let mut read = Read::default();
    let mut levels: Vec<Level> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut key: Option<String> = None;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        let inside = key.is_some() || matches!(levels.last(), Some(Level::Array(_)));
        if !inside && !t.starts_with(['{', '}', '[', ']', '"', ',']) {
            break;
        }
        let Some(tokens) = tokens(t) else { break };
        cursor.next();
        read.lines.push(line);
        for token in tokens {
            match token {
                Token::Open(array) => {
                    if levels.len() >= DEPTH {
                        return read;
                    }
                    if !levels.is_empty() {
                        path.push(name(&mut levels, &mut key));
                        read.objects.push((path.clone(), line.cite()));
                    } else if let Some(k) = key.take() {
                        // The outermost brace was cut away.
                        levels.push(Level::Object);
                        path.push(k);
                        read.objects.push((path.clone(), line.cite()));
                    }
                    levels.push(if array { Level::Array(0) } else { Level::Object });
                }
                Token::Close => {
                    levels.pop();
                    path.pop();
                    key = None;
                    if levels.is_empty() {
                        return read;
                    }
                }
                Token::Key(k) => key = Some(k),
                Token::Value(v) => {
                    let mut whole = path.clone();
                    whole.push(name(&mut levels, &mut key));
                    read.scalars.push(Scalar { path: whole, value: v, at: line.cite() });
                }
            }
        }
    }
    read
}

fn name(levels: &mut [Level], key: &mut Option<String>) -> String {
    match levels.last_mut() {
        Some(Level::Array(n)) => {
            let now = *n;
            *n = n.saturating_add(1);
            now.to_string()
        }
        _ => key.take().unwrap_or_default(),
    }
}

enum Token {
    Open(bool),
    Close,
    Key(String),
    Value(String),
}

fn tokens(t: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = t;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let Some(c) = rest.chars().next() else { return Some(out) };
        let tail = rest.get(c.len_utf8()..)?;
        match c {
            '{' | '[' => {
                out.push(Token::Open(c == '['));
                rest = tail;
            }
            '}' | ']' => {
                out.push(Token::Close);
                rest = tail;
            }
            '"' => {
                let mut text = String::new();
                let mut chars = tail.char_indices();
                let end = loop {
                    match chars.next() {
                        Some((i, '"')) => break i,
                        Some((_, '\\')) => text.extend(chars.next().map(|(_, c)| c)),
                        Some((_, c)) => text.push(c),
                        None => return None,
                    }
                };
                rest = tail.get(end + 1..)?.trim_start();
                if let Some(after) = rest.strip_prefix(':') {
                    out.push(Token::Key(text));
                    rest = after;
                } else {
                    out.push(Token::Value(text));
                }
            }
            _ => {
                let len = rest.find([',', '}', ']', ' ', '\t']).unwrap_or(rest.len());
                let word = rest.get(..len)?;
                let scalar = matches!(word, "true" | "false" | "null")
                    || word.bytes().next().is_some_and(|b| b.is_ascii_digit() || b == b'-');
                if !scalar {
                    return None;
                }
                out.push(Token::Value(word.to_owned()));
                rest = rest.get(len..)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Text};

    fn paths(text: &str) -> Vec<String> {
        let text = Text::new(FileId(0), text.as_bytes());
        let mut cursor = Cursor::new(&text.lines, 0, text.lines.len());
        read(&mut cursor).scalars.iter().map(|s| format!("{}={}", s.path.join("."), s.value)).collect()
    }

    #[test]
    fn nested_flat_and_cut() {
        let want = ["a.b=1", "a.c.0=x", "a.c.1=true"];
        assert_eq!(paths("{\n \"a\": {\n \"b\": 1,\n \"c\": [\n \"x\",\n true\n ]\n }\n}\nprose"), want);
        assert_eq!(paths("{\"a\": {\"b\": 1, \"c\": [\"x\", true]}}"), want);
        // Tail and head cut away.
        assert_eq!(paths("{\n \"a\": {\n \"b\": 1,"), ["a.b=1"]);
        assert_eq!(paths("\"a\": {\n\"b\": 1\n}\n}"), ["a.b=1"]);
    }
}
