//! Our side: what the product's parsers read in a bundle, as facts with keys and values.

use anyhow::{Context, Result};
use bondwitness_core::capture;
use bondwitness_core::evidence::{FileId, Record, What, lines};
use bondwitness_core::parse;
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
        let mut facts = Vec::new();
        for input in &loaded.inputs {
            let bytes: &[u8] = &input.bytes;
            let parsed = if capture::format_id(bytes).is_some() {
                parse::netlink::read(FileId(0), bytes)
            } else if lines::looks_like_text(bytes) {
                parse::parse_text(FileId(0), &input.path, bytes)
            } else {
                continue;
            };
            facts.extend(parsed.records.iter().filter_map(fact));
        }
        Ok(Self { facts })
    }
}

fn fact(record: &Record) -> Option<Fact> {
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
        What::Fields(f) => Fact {
            kind: "fields",
            source: f.source.to_owned(),
            dev: f.dev.clone().unwrap_or_default(),
            entries: pairs(f),
        },
        _ => return None,
    })
}
