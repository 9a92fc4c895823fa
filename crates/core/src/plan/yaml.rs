//! YAML as a tree whose nodes know their lines. The grammar is saphyr-parser's; what a configuration does not need
//! (anchors, tags, several documents) is refused with its line instead of being read in a way nobody expects.

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Deeper nesting than any configuration has; the tree is built by recursion.
const DEEPEST: usize = 16;

/// A node and the line it begins on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Its line.
    pub line: usize,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A scalar, its text without quotes.
    Scalar {
        /// The text.
        text: String,
        /// Whether it was quoted: then it is never a number or empty.
        quoted: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Node, Node)>),
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Wrong {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Wrong {
    /// An error on a line.
    pub(super) fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

/// Reads one document; nothing if the text has none.
///
/// # Errors
///
/// If it is no YAML, or uses what is refused here.
pub fn read(text: &str) -> Result<Option<Node>, Wrong> {
    let mut parser = Parser::new_from_str(text);
    let mut root = None;
    loop {
        let (event, line) = next(&mut parser)?;
        match event {
            Event::StreamEnd => return Ok(root),
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(_) if root.is_some() => {
                return Err(Wrong::new(line, "a second document: one file holds one"));
            }
            Event::DocumentStart(_) => {
                let (first, line) = next(&mut parser)?;
                root = Some(node(&mut parser, first, line, 0)?);
            }
            Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd => return Err(Wrong::new(line, "something outside of the document")),
        }
    }
}

type Source<'t> = Parser<'t, saphyr_parser::StrInput<'t>>;

fn next<'t>(parser: &mut Source<'t>) -> Result<(Event<'t>, usize), Wrong> {
    match parser.next_event() {
        Some(Ok((event, span))) => Ok((event, span.start.line())),
        Some(Err(e)) => Err(Wrong::new(e.marker().line(), e.info().to_owned())),
        None => Ok((Event::StreamEnd, 0)),
    }
}

fn node<'t>(parser: &mut Source<'t>, event: Event<'t>, line: usize, depth: usize) -> Result<Node, Wrong> {
    if depth > DEEPEST {
        return Err(Wrong::new(line, format!("nested deeper than {DEEPEST} levels")));
    }
    let plain = |anchor: usize, tag: bool| match (anchor, tag) {
        (0, false) => Ok(()),
        (_, true) => Err(Wrong::new(line, "a tag (`!`): write the value without it")),
        _ => Err(Wrong::new(line, "an anchor (`&`): write the value out where it is needed")),
    };
    let value = match event {
        Event::Scalar(text, style, anchor, tag) => {
            plain(anchor, tag.is_some())?;
            Value::Scalar { text: text.into_owned(), quoted: style != ScalarStyle::Plain }
        }
        Event::SequenceStart(anchor, tag) => {
            plain(anchor, tag.is_some())?;
            let mut items = Vec::new();
            loop {
                let (event, line) = next(parser)?;
                if matches!(event, Event::SequenceEnd) {
                    break;
                }
                items.push(node(parser, event, line, depth + 1)?);
            }
            Value::List(items)
        }
        Event::MappingStart(anchor, tag) => {
            plain(anchor, tag.is_some())?;
            let mut pairs: Vec<(Node, Node)> = Vec::new();
            loop {
                let (event, line) = next(parser)?;
                if matches!(event, Event::MappingEnd) {
                    break;
                }
                let key = node(parser, event, line, depth + 1)?;
                if pairs.iter().any(|(k, _)| k.value == key.value) {
                    return Err(Wrong::new(key.line, "this key stands here twice"));
                }
                let (event, line) = next(parser)?;
                let value = node(parser, event, line, depth + 1)?;
                pairs.push((key, value));
            }
            Value::Map(pairs)
        }
        Event::Alias(_) => return Err(Wrong::new(line, "an alias (`*`): write the value out")),
        Event::Nothing
        | Event::StreamStart
        | Event::StreamEnd
        | Event::DocumentStart(_)
        | Event::DocumentEnd
        | Event::SequenceEnd
        | Event::MappingEnd => return Err(Wrong::new(line, "the document ends early")),
    };
    Ok(Node { value, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(text: &str) -> (usize, String) {
        let wrong = read(text).unwrap_err();
        (wrong.line, wrong.what)
    }

    #[test]
    fn nodes_know_their_lines() {
        let root = read("# bypass\na: 1\nb:\n  - 'x'\n  - {c: }\n").unwrap().unwrap();
        let Value::Map(pairs) = root.value else { panic!("{root:?}") };
        assert_eq!(pairs[0].1.line, 2);
        let Value::List(items) = &pairs[1].1.value else { panic!("{pairs:?}") };
        assert_eq!(items[0], Node { value: Value::Scalar { text: "x".to_owned(), quoted: true }, line: 4 });
        assert_eq!(items[1].line, 5);
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("# nothing\n").unwrap(), None);
    }

    #[test]
    fn what_is_refused_is_refused_with_its_line() {
        assert_eq!(line_of("a: 1\nb: &x 2\n").0, 2);
        assert_eq!(line_of("a: 1\n\nb: !!int 2\n").0, 3);
        assert_eq!(line_of("a: 1\na: 2\n"), (2, "this key stands here twice".to_owned()));
        assert_eq!(line_of("a: 1\n---\nb: 2\n").0, 2);
        assert!(line_of("a: [1, 2\nb: 3\n").0 >= 1);
        assert!(line_of(&"[".repeat(40)).1.contains("nested deeper"));
        assert!(line_of("a: *x\n").0 == 1);
    }
}
