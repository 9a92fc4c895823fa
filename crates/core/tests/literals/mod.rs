//! The samples in the unit tests of the parsers: every string literal behind `mod tests` of a source file.
//!
//! Each parser brings its samples along with its tests, so a new parser is guarded without a line elsewhere.

/// The string literals of the tests in a Rust source file, unescaped, that are long enough to be a sample.
pub(crate) fn samples(source: &str) -> Vec<String> {
    let Some(at) = source.find("\nmod tests {") else { return Vec::new() };
    let mut rest = &source[at..];
    let mut found = Vec::new();
    while let Some(i) = rest.find(['"', '\'']) {
        let before = &rest[..i];
        let tail = &rest[i + 1..];
        if rest[i..].starts_with('\'') {
            // A character such as '"' must not open a string; a lifetime has no second quote close by.
            let n = tail.char_indices().nth(if tail.starts_with('\\') { 2 } else { 1 });
            rest = match n {
                Some((n, '\'')) => &tail[n + 1..],
                _ => tail,
            };
            continue;
        }
        let hashes = before.len() - before.trim_end_matches('#').len();
        let raw = before[..before.len() - hashes].ends_with('r');
        let (text, after) = if raw { raw_literal(tail, hashes) } else { literal(tail) };
        rest = after;
        if text.len() >= 12 {
            found.push(text);
        }
    }
    found
}

fn raw_literal(tail: &str, hashes: usize) -> (String, &str) {
    let end = format!("\"{}", "#".repeat(hashes));
    match tail.split_once(end.as_str()) {
        Some((text, after)) => (text.to_owned(), after),
        None => (tail.to_owned(), ""),
    }
}

fn literal(tail: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = tail.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return (text, &tail[i + 1..]),
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                // A line that is continued: the break and the blanks before the next word are not part of it.
                Some('\n') => {
                    while chars.as_str().starts_with(char::is_whitespace) {
                        chars.next();
                    }
                }
                // \x1b and \u{e9}: what they stand for matters little to a sample.
                Some('x' | 'u' | '0') => text.push('\u{1b}'),
                Some(c) => text.push(c),
                None => {}
            },
            c => text.push(c),
        }
    }
    (text, "")
}
