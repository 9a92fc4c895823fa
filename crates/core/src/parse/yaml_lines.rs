//! YAML read as it stands on lines: the subset that network configuration uses.
//!
//! Mappings, lists (block and flow), comments, quoted and block scalars. Every scalar becomes a field with the dotted path
//! of its key; the items of a list of scalars are joined by `, ` in one field. With its indentation lost a file still
//! gives its keys, only without their place. No recursion: the nesting is a vector.

use super::Cursor;
use crate::evidence::{Fields, Line};

struct Level {
    indent: usize,
    name: String,
    /// A place in a list.
    item: bool,
    items: u32,
}

/// Deeper nesting than this is not configuration.
const DEPTH: usize = 40;

/// Reads lines into fields.
pub struct Reader {
    levels: Vec<Level>,
    /// The fields so far.
    pub fields: Fields,
    /// Inside `[` ... or a block scalar, with the indentation of its key.
    open: Option<Open>,
}

enum Open {
    Flow,
    Block(usize),
}

impl Reader {
    /// A reader that knows nothing yet.
    #[must_use]
    pub const fn new(fields: Fields) -> Self {
        Self { levels: Vec::new(), fields, open: None }
    }

    fn path(&self, key: &str) -> String {
        let mut path = String::new();
        for level in &self.levels {
            path.push_str(&level.name);
            path.push('.');
        }
        path.push_str(key);
        path
    }

    /// Takes one line; false if it is not YAML (then nothing changed). Top-level keys must satisfy `known`.
    pub fn line(&mut self, line: &Line<'_>, known: &dyn Fn(&str) -> bool) -> bool {
        let t = line.trimmed();
        match self.open {
            Some(Open::Flow) => {
                if let Some(f) = self.fields.entries.last_mut() {
                    f.value = plain(&format!("{} {t}", f.value));
                    f.at = f.at.to(line.cite());
                }
                if t.contains(']') || t.contains('}') {
                    self.open = None;
                }
                return true;
            }
            Some(Open::Block(indent)) if line.indent() > indent => {
                if let Some(f) = self.fields.entries.last_mut() {
                    f.value.push(' ');
                    f.value.push_str(t);
                    f.at = f.at.to(line.cite());
                }
                return true;
            }
            _ => self.open = None,
        }
        if t.starts_with('#') {
            self.fields.push("comment", t, line.cite());
            return true;
        }
        if t == "---" || t == "..." {
            self.levels.clear();
            self.fields.push("document", t, line.cite());
            return true;
        }
        let mut indent = line.indent();
        let mut rest = t;
        let mut fresh = true;
        // `- - x` does not occur; `- key: value` opens an item and a key at once.
        if let Some(item) = rest.strip_prefix("- ").or((rest == "-").then_some("")) {
            self.levels.retain(|l| l.indent < indent || (l.indent == indent && !l.item));
            let n = self.levels.last_mut().map_or(0, |l| {
                l.items = l.items.saturating_add(1);
                l.items - 1
            });
            let inner = item.trim_start();
            if split(inner).is_none() {
                let key = self.path("").trim_end_matches('.').to_owned();
                let key = if key.is_empty() { "item".to_owned() } else { key };
                let value = plain(inner);
                match self.fields.entries.last_mut() {
                    Some(f) if f.key == key && n > 0 => {
                        f.value = format!("{}, {value}", f.value);
                        f.at = f.at.to(line.cite());
                    }
                    _ => self.fields.push(key, value, line.cite()),
                }
                return true;
            }
            if self.levels.len() >= DEPTH {
                return false;
            }
            self.levels.push(Level { indent, name: n.to_string(), item: true, items: 0 });
            indent = indent.saturating_add(rest.len() - inner.len());
            rest = inner;
            fresh = false;
        }
        let Some((key, value)) = split(rest) else { return false };
        if line.indent() == 0 && fresh && !known(key) {
            return false;
        }
        if fresh {
            while self.levels.last().is_some_and(|l| l.indent >= indent) {
                self.levels.pop();
            }
        }
        let value = value.trim();
        let bare = value.is_empty() || value.starts_with('#') || value.starts_with('&');
        if bare {
            if self.levels.len() >= DEPTH {
                return false;
            }
            let path = self.path(key);
            self.fields.push(path, "", line.cite());
            self.levels.push(Level { indent, name: key.to_owned(), item: false, items: 0 });
            return true;
        }
        let path = self.path(key);
        if matches!(value, "|" | "|-" | ">" | ">-" | "|+" | ">+") {
            self.fields.push(path, "", line.cite());
            self.open = Some(Open::Block(line.indent()));
            return true;
        }
        if (value.starts_with('[') && !value.contains(']'))
            || (value.starts_with('{') && !value.contains('}'))
        {
            self.open = Some(Open::Flow);
        }
        if let Some(inner) = value.strip_prefix('{').and_then(|v| v.trim_end().strip_suffix('}')) {
            // A flow mapping: each pair is a field.
            for (k, v) in inner.split(',').filter_map(|p| p.split_once(':')) {
                self.fields.push(format!("{path}.{}", plain(k)), plain(v), line.cite());
            }
            if !inner.contains(':') {
                self.fields.push(path, "", line.cite());
            }
            return true;
        }
        self.fields.push(path, plain(value), line.cite());
        true
    }

    /// Takes lines from the cursor while they are YAML; gives them back.
    pub fn read<'l, 't>(
        &mut self,
        cursor: &mut Cursor<'l, 't>,
        known: &dyn Fn(&str) -> bool,
    ) -> Vec<&'l Line<'t>> {
        let mut taken = Vec::new();
        while let Some(line) = cursor.peek() {
            if line.is_blank() {
                cursor.next();
                continue;
            }
            if !self.line(line, known) {
                break;
            }
            taken.push(line);
            cursor.next();
        }
        taken
    }
}

/// `key: value` or `key:`. A key has no blanks unless it is quoted.
#[must_use]
pub fn split(t: &str) -> Option<(&str, &str)> {
    let (key, value) = match t.strip_suffix(':').filter(|k| !k.contains(": ")) {
        Some(key) => (key, ""),
        None => t.split_once(": ")?,
    };
    let key = key.trim();
    let inner = key.trim_matches(['"', '\'']);
    let ok = !inner.is_empty()
        && inner.len() <= 80
        && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./:*@+!,=%".contains(&b));
    ok.then_some((inner, value))
}

/// A scalar without quotes, brackets of a flow list and a comment behind it.
fn plain(value: &str) -> String {
    let v = value.trim();
    for q in ['"', '\''] {
        if let Some(inner) = v.strip_prefix(q).and_then(|r| r.split(q).next()) {
            return inner.to_owned();
        }
    }
    let v = v.split(" #").next().unwrap_or(v).trim();
    if v.starts_with('[') || v.ends_with(']') {
        let items: Vec<&str> = v
            .trim_matches(['[', ']'])
            .split(',')
            .map(|i| i.trim().trim_matches(['"', '\'']))
            .filter(|i| !i.is_empty())
            .collect();
        return items.join(", ");
    }
    v.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Text};

    #[test]
    fn paths_lists_and_flow() {
        let text = "network:\n  version: 2\n  bonds:\n    bond0:\n      interfaces: [eno1, \"eno2\"]\n      addresses:\n      - 10.0.0.2/24 # x\n      - 10.0.0.3/24\n      routes:\n        - to: default\n          via: 10.0.0.1\n      parameters:\n        mode: 802.3ad\nprose here\n";
        let text = Text::new(FileId(0), text.as_bytes());
        let mut cursor = Cursor::new(&text.lines, 0, text.lines.len());
        let mut reader = Reader::new(Fields::new("x", None));
        let taken = reader.read(&mut cursor, &|k| k == "network");
        assert_eq!(taken.len(), 13);
        let f = &reader.fields;
        assert_eq!(f.text("network.bonds.bond0.interfaces"), Some("eno1, eno2"));
        assert_eq!(f.text("network.bonds.bond0.addresses.0"), None);
        let joined =
            f.entries.iter().rfind(|e| e.key == "network.bonds.bond0.addresses").map(|e| e.value.as_str());
        assert_eq!(joined, Some("10.0.0.2/24, 10.0.0.3/24"));
        assert_eq!(f.text("network.bonds.bond0.routes.0.via"), Some("10.0.0.1"));
        assert_eq!(f.text("network.bonds.bond0.parameters.mode"), Some("802.3ad"));
    }
}
