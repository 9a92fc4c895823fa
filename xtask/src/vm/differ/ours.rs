//! Our side: what the product's parsers read in a bundle, as facts with keys and values.

use anyhow::{Context, Result};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::evidence::{Record, What};
use bondwitness_host::load::{self, Limits};
use std::path::Path;

/// One record: what it is about, and its entries.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    /// `link`, `counters`, `qdisc`, `hook` or `fields`.
    pub(super) kind: &'static str,
    /// The format it was read as.
    pub(super) source: String,
    /// The interface, or nothing.
    pub(super) dev: String,
    /// Keys and values in order.
    pub(super) entries: Vec<(String, String)>,
}

impl Fact {
    /// All values of a key.
    pub(super) fn values<'f>(&'f self, key: &'f str) -> impl Iterator<Item = &'f str> {
        self.entries.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }
}

/// All facts of a bundle.
pub(super) struct Ours {
    pub(super) facts: Vec<Fact>,
}

impl Ours {
    /// Reads a bundle the way `diagnose --from` does, record by record.
    pub(super) fn load(bundle: &Path) -> Result<Self> {
        let loaded = load::load(&[bundle.to_owned()], &Limits::default())
            .with_context(|| format!("cannot load {}", bundle.display()))?;
        let inputs: Vec<Input<'_>> = loaded
            .inputs
            .iter()
            .map(|i| Input { path: &i.path, bytes: &i.bytes, sha256: None, problem: None })
            .collect();
        let facts = diagnose::case_of(&inputs).records.iter().filter_map(fact).collect();
        Ok(Self { facts })
    }
}

impl std::fmt::Display for Ours {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for f in &self.facts {
            writeln!(out, "{} {} {}", f.kind, f.source, f.dev)?;
            for (key, value) in &f.entries {
                writeln!(out, "    {key} = {value}")?;
            }
        }
        Ok(())
    }
}

/// Every fact knows its interface under this key as well.
fn fact(record: &Record) -> Option<Fact> {
    let mut fact = bare(record)?;
    fact.entries.push(("dev".to_owned(), fact.dev.clone()));
    Some(fact)
}

fn bare(record: &Record) -> Option<Fact> {
    let squash = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
    let pairs = |fields: &bondwitness_core::evidence::Fields| {
        fields.entries.iter().map(|f| (f.key.clone(), squash(&f.value))).collect::<Vec<_>>()
    };
    Some(match &record.what {
        What::Link(l) => {
            let mut entries = pairs(&l.fields);
            entries.extend(l.flags.iter().map(|f| ("flag".to_owned(), f.clone())));
            entries.extend(l.parent.iter().map(|p| ("parent".to_owned(), p.clone())));
            // Without flags it is the message of an address.
            let kind = if l.flags.is_empty() { "address" } else { "link" };
            let plain = l.fields.text("addr").and_then(|a| a.split('/').next()).map(str::to_owned);
            entries.extend(plain.map(|a| ("addr.plain".to_owned(), a)));
            let long = l.fields.text("addr.peer").or_else(|| l.fields.text("addr"));
            let prefix = long.and_then(|a| a.split_once('/')).map(|(_, n)| n.to_owned());
            entries.extend(prefix.map(|n| ("addr.prefix".to_owned(), n)));
            let index = l.parent.as_ref().and_then(|p| p.strip_prefix("if")).map(str::to_owned);
            entries.extend(index.map(|n| ("parent.index".to_owned(), n)));
            Fact { kind, source: l.source.to_owned(), dev: l.name.clone(), entries }
        }
        What::Counters(c) => Fact {
            kind: "counters",
            source: c.source.to_owned(),
            dev: c.dev.clone().unwrap_or_default(),
            entries: c.entries.iter().map(|c| (c.name.clone(), c.value.to_string())).collect(),
        },
        What::Qdisc(q) => {
            let mut entries = pairs(&q.fields);
            entries.push(("kind".to_owned(), q.kind.clone()));
            entries.push(("drops".to_owned(), q.dropped.to_string()));
            entries.push(("qlen".to_owned(), q.backlog.to_string()));
            Fact { kind: "qdisc", source: "tc-qdisc".to_owned(), dev: q.dev.clone(), entries }
        }
        What::Fields(f) => {
            let mut entries = pairs(f);
            if f.source == "tc-filter" {
                // Its first line is a row of words and values.
                let words: Vec<String> =
                    f.text("filter").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
                for (word, value) in words.iter().zip(words.iter().skip(1)) {
                    if matches!(word.as_str(), "protocol" | "pref" | "chain") {
                        entries.push((word.clone(), value.clone()));
                    }
                }
            }
            Fact {
                kind: "fields",
                source: f.source.to_owned(),
                dev: f.dev.clone().unwrap_or_default(),
                entries,
            }
        }
        _ => return None,
    })
}
