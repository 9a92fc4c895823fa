//! The table of the comparison (`crates/guest/differ/fields.toml`): which record answers to which tool, under which key a
//! field of it stands there, and which fields are excused, each by its name and with the reason.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;

/// Which records answer to a tool.
#[derive(Debug, Clone)]
pub(super) struct Tool {
    pub(super) name: String,
    /// Kind and source of the records.
    pub(super) records: Vec<(String, String)>,
    /// The key that names the interface; a file name's `@` stands before it.
    pub(super) dev: Option<String>,
    /// A list inside of each object whose elements are compared one by one.
    pub(super) each: Option<String>,
    /// Fields that tell which of an interface's records is meant, and their keys there.
    pub(super) identity: Vec<(String, String)>,
}

/// How a value is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// The same number, word or switch.
    Same,
    /// Our value begins with it: `on [fixed]`.
    Begins,
    /// A number that we have with a unit, rounded to three digits as the tools print it: `5ms`, `10240p`.
    Amount,
    /// A list, in any order and with any separator.
    List,
    /// One of the words of a line of ours.
    Word,
    /// One of ours that slashes part.
    Part,
    /// The number beside this word in a line of ours.
    Beside(String),
    /// True, and we have this word as a value.
    Named(String),
    /// True if and only if our value holds this word.
    Mention(String),
    /// True if and only if we have the key.
    Present,
    /// A hexadecimal number among those of ours.
    Hexadecimal,
}

/// Where a field stands on our side.
#[derive(Debug, Clone)]
struct Row {
    tool: String,
    path: String,
    key: String,
    how: How,
}

/// A field that is not matched, and why.
#[derive(Debug, Clone)]
struct Excuse {
    tool: String,
    path: String,
    value: Option<String>,
}

/// The whole table.
pub(super) struct Table {
    pub(super) tools: Vec<Tool>,
    rows: Vec<Row>,
    excuses: Vec<Excuse>,
}

/// Rows that a leaf used.
#[derive(Debug, Default)]
pub(super) struct Used {
    rows: BTreeSet<usize>,
    excuses: BTreeSet<usize>,
}

impl Table {
    /// Reads the table.
    pub(super) fn read(text: &str) -> Result<Self> {
        let file: toml::Table = text.parse().context("cannot understand fields.toml")?;
        let list = |name: &str| -> Vec<toml::Table> {
            let all = file.get(name).and_then(toml::Value::as_array);
            all.into_iter().flatten().filter_map(|v| v.as_table().cloned()).collect()
        };
        let word = |t: &toml::Table, key: &str| t.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let need = |t: &toml::Table, key: &str| word(t, key).with_context(|| format!("{t:?} has no {key}"));
        let pairs = |t: &toml::Table, key: &str| -> Vec<(String, String)> {
            let all = t.get(key).and_then(toml::Value::as_array);
            let pair = |v: &toml::Value| {
                let v = v.as_array()?;
                Some((v.first()?.as_str()?.to_owned(), v.get(1)?.as_str()?.to_owned()))
            };
            all.into_iter().flatten().filter_map(pair).collect()
        };
        let mut table = Self { tools: Vec::new(), rows: Vec::new(), excuses: Vec::new() };
        for t in list("tool") {
            table.tools.push(Tool {
                name: need(&t, "name")?,
                records: pairs(&t, "records"),
                dev: word(&t, "dev"),
                each: word(&t, "each"),
                identity: pairs(&t, "identity"),
            });
        }
        for t in list("field") {
            let how = match word(&t, "as").as_deref() {
                None => How::Same,
                Some("begins") => How::Begins,
                Some("amount") => How::Amount,
                Some("part") => How::Part,
                Some("beside") => How::Beside(need(&t, "word")?),
                Some("named") => How::Named(need(&t, "word")?),
                Some("list") => How::List,
                Some("word") => How::Word,
                Some("present") => How::Present,
                Some("hexadecimal") => How::Hexadecimal,
                Some("mention") => How::Mention(need(&t, "word")?),
                Some(other) => bail!("fields are not compared as {other:?}"),
            };
            for path in need(&t, "path")?.split(' ') {
                let (tool, path) = (need(&t, "tool")?, path.to_owned());
                let key = word(&t, "key").unwrap_or_else(|| path.clone());
                table.rows.push(Row { tool, path, key, how: how.clone() });
            }
        }
        for t in list("excuse") {
            if need(&t, "why")?.len() < 10 {
                bail!("an excuse needs a reason: {t:?}");
            }
            for path in need(&t, "path")?.split(' ') {
                let (tool, path) = (need(&t, "tool")?, path.to_owned());
                table.excuses.push(Excuse { tool, path, value: word(&t, "value") });
            }
        }
        Ok(table)
    }

    /// The keys under which a field may stand on our side; without a row, its own name.
    pub(super) fn keys(&self, tool: &str, path: &str, used: &mut Used) -> Vec<(String, How)> {
        let mut out = Vec::new();
        for (n, row) in self.rows.iter().enumerate().filter(|(_, r)| is(&r.tool, tool)) {
            if let Some(part) = fits(&row.path, path) {
                used.rows.insert(n);
                out.push((row.key.replace('*', part), row.how.clone()));
            }
        }
        if out.is_empty() {
            out.push((path.to_owned(), How::Same));
            out.extend(path.rsplit_once('.').map(|(_, last)| (last.to_owned(), How::Same)));
        }
        out
    }

    /// Is a field excused? Then it is not compared at all, so that no excuse outlives its reason.
    pub(super) fn excused(&self, tool: &str, path: &str, value: &str, used: &mut Used) -> bool {
        let fits_it = |e: &Excuse| {
            is(&e.tool, tool) && fits(&e.path, path).is_some() && e.value.as_ref().is_none_or(|v| v == value)
        };
        let found = self.excuses.iter().position(fits_it);
        used.excuses.extend(found);
        found.is_some()
    }

    /// Rows and excuses that no leaf used.
    pub(super) fn unused(&self, used: &Used) -> Vec<String> {
        let rows = self.rows.iter().enumerate().filter(|(n, _)| !used.rows.contains(n));
        let rows = rows.map(|(_, r)| format!("the row {} {}", r.tool, r.path));
        let excuses = self.excuses.iter().enumerate().filter(|(n, _)| !used.excuses.contains(n));
        rows.chain(excuses.map(|(_, e)| format!("the excuse {} {}", e.tool, e.path))).collect()
    }
}

/// `*` at the end of a tool's name stands for the rest of it.
fn is(pattern: &str, tool: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == tool, |p| tool.starts_with(p))
}

/// One star stands for anything; what it stands for.
fn fits<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    match pattern.split_once('*') {
        None => (pattern == path).then_some(""),
        Some((head, tail)) => path.strip_prefix(head)?.strip_suffix(tail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excuse_that_nothing_needs_is_told() {
        let table = Table::read(
            "[[excuse]]\ntool = \"ip-link\"\npath = \"a b\"\nwhy = \"a reason that is told\"\n[[field]]\ntool = \"t*\"\npath = \"x.*\"\nkey = \"y.*\"\n",
        )
        .unwrap();
        let mut used = Used::default();
        assert!(table.excused("ip-link", "a", "1", &mut used) && !table.excused("tc", "a", "1", &mut used));
        assert_eq!(table.keys("tc", "x.z", &mut used), [("y.z".to_owned(), How::Same)]);
        assert_eq!(table.unused(&used), ["the excuse ip-link b"]);
        assert!(Table::read("[[excuse]]\ntool = \"t\"\npath = \"a\"\nwhy = \"no\"\n").is_err());
    }
}
