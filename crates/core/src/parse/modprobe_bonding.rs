//! Lines of `/etc/modprobe.d/*.conf` about bonding: `options bonding mode=4 miimon=100`, `alias bond0 bonding`.
//!
//! Every parameter becomes a field; `alias` names the interface.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "modprobe-bonding";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| matches(l.trimmed()))
}

fn matches(t: &str) -> bool {
    if !["options", "alias", "install", "blacklist", "softdep"].iter().any(|verb| t.starts_with(verb)) {
        return false;
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    match words.as_slice() {
        ["options", name, rest @ ..] => {
            is_bond(name) && !rest.is_empty() && rest.iter().all(|w| w.contains('='))
        }
        ["alias", name, "bonding"] => is_bond(name),
        ["install" | "blacklist" | "softdep", "bonding", ..] => true,
        _ => false,
    }
}

fn is_bond(name: &str) -> bool {
    name == "bonding" || (name.starts_with("bond") && name.len() <= 15) || name.starts_with("netdev-bond")
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if !matches(t) {
            break;
        }
        cursor.next();
        out.typed(line);
        let words: Vec<&str> = t.split_whitespace().collect();
        let (Some(verb), Some(name)) = (words.first(), words.get(1)) else { continue };
        let mut fields = Fields::new(ID, (*name != "bonding").then(|| (*name).to_owned()));
        for word in words.iter().skip(2) {
            match word.split_once('=').filter(|_| *verb == "options") {
                Some((k, v)) => fields.push(k, v, line.cite()),
                None => fields.push(*verb, *word, line.cite()),
            }
        }
        if words.len() == 2 {
            fields.push(*verb, *name, line.cite());
        }
        out.record(line.cite(), None, What::Config(fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn options_and_alias() {
        let text = "alias bond0 bonding\noptions bonding mode=4 miimon=100 max_bonds=2\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!(parsed.typed, 2);
        let Some(What::Config(f)) = parsed.records.get(1).map(|r| r.what.clone()) else { panic!() };
        assert_eq!((f.int("mode"), f.int("miimon")), (Some(4), Some(100)));
    }
}
