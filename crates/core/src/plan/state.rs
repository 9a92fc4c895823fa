//! What the program remembers of its own work: the state file, written before and after every change that would
//! otherwise not be recognised after a crash. It lives below `/run`: interfaces do not outlive a boot either.

use super::world::{Mark, NewKind};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The schema of the file.
const SCHEMA: &str = "bondwitness/bypass-state/v1";

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The boot and the network namespace that the indices belong to; in any other they mean nothing.
    pub place: String,
    /// By the name of the entry.
    pub records: BTreeMap<String, Record>,
}

/// What is remembered of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The mark in its alias.
    pub mark: Mark,
    /// What it is.
    pub kind: Option<NewKind>,
    /// Its index, once it is whole.
    pub index: Option<u32>,
    /// The index of what it stands on, once it is whole.
    pub parent: Option<u32>,
    /// The name under which it is being made: an interface of this name is ours and half made.
    pub temporary: Option<String>,
    /// The index of what is being made: it may have its own name already when a crash comes.
    pub born: Option<u32>,
    /// What is known of a rival.
    pub contest: Contest,
}

/// What is known of a rival: how often our work was undone. Times are milliseconds of the boot clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contest {
    /// The interface was as wanted after our last change.
    pub settled: bool,
    /// When it was last found undone.
    pub trouble_ms: u64,
    /// How often in a row the kernel refused a change.
    pub failures: u32,
    /// When our work was found undone, the last few minutes.
    pub undone_ms: Vec<u64>,
    /// Until when we keep our hands off.
    pub until_ms: Option<u64>,
    /// How often in a row.
    pub times: u32,
}

/// A change of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An interface with this mark is about to be made under this name.
    Begin {
        /// The entry.
        name: String,
        /// Its mark.
        mark: Mark,
        /// The temporary name.
        temporary: String,
    },
    /// The interface exists under its temporary name.
    Born {
        /// The entry.
        name: String,
        /// The temporary name.
        temporary: String,
    },
    /// The interface is whole.
    Settled {
        /// The entry.
        name: String,
        /// Its mark.
        mark: Mark,
        /// What it is.
        kind: NewKind,
        /// Its index.
        index: Index,
        /// The index of what it stands on.
        parent: u32,
    },
    /// The half-made interface is gone.
    Abandon(String),
    /// Nothing is left of it.
    Forget(String),
}

/// An index that may not be known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Index {
    /// It is.
    Known(u32),
    /// It is that of the interface made under this temporary name.
    Made(String),
}

impl State {
    /// A state without memory, for indices of `place`.
    #[must_use]
    pub fn new(place: &str) -> Self {
        Self { place: place.to_owned(), records: BTreeMap::new() }
    }

    /// Reads the file. What was written in another boot or namespace keeps its marks and loses its indices and times.
    /// `None` if it is damaged: then the marks of the interfaces themselves are all that is left.
    #[must_use]
    pub fn read(text: &str, place: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        if value.get("schema")?.as_str()? != SCHEMA {
            return None;
        }
        let here = value.get("place")?.as_str()? == place;
        let mut state = Self::new(place);
        for (name, v) in value.get("records")?.as_object()? {
            let number = |key: &str| v.get(key).and_then(Value::as_u64);
            let index = |key: &str| number(key).and_then(|n| u32::try_from(n).ok()).filter(|_| here);
            let mut contest = Contest::default();
            if here {
                contest.settled = v.get("settled").and_then(Value::as_bool).unwrap_or_default();
                contest.trouble_ms = number("trouble_ms").unwrap_or_default();
                contest.failures = index("failures").unwrap_or_default();
                contest.undone_ms = v
                    .get("undone_ms")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_u64)
                    .collect();
                contest.until_ms = number("until_ms");
                contest.times = index("times").unwrap_or_default();
            }
            let vlan = index("vlan").and_then(|n| u16::try_from(n).ok());
            let record = Record {
                mark: Mark::from_uuid(v.get("mark")?.as_str()?)?,
                kind: vlan.map(|id| if id == 0 { NewKind::Macvlan } else { NewKind::Vlan(id) }),
                index: index("index"),
                parent: index("parent"),
                born: index("born"),
                temporary: v.get("temporary").and_then(Value::as_str).filter(|_| here).map(str::to_owned),
                contest,
            };
            state.records.insert(name.clone(), record);
        }
        Some(state)
    }

    /// The file.
    #[must_use]
    pub fn write(&self) -> String {
        let records: Map<String, Value> = self
            .records
            .iter()
            .map(|(name, r)| {
                let c = &r.contest;
                // No VLAN has the id 0 of its own.
                let vlan = r.kind.map(|k| match k {
                    NewKind::Vlan(id) => id,
                    NewKind::Macvlan => 0,
                });
                let value = json!({
                    "mark": r.mark.uuid(), "vlan": vlan, "index": r.index, "parent": r.parent, "temporary": r.temporary, "born": r.born,
                    "settled": c.settled, "trouble_ms": c.trouble_ms, "failures": c.failures, "undone_ms": c.undone_ms,
                    "until_ms": c.until_ms, "times": c.times,
                });
                (name.clone(), value)
            })
            .collect();
        format!("{:#}\n", json!({"schema": SCHEMA, "place": self.place, "records": records}))
    }

    /// Makes a change; `made` knows the indices of what was made.
    pub(crate) fn change(&mut self, change: &Change, made: &BTreeMap<String, u32>) {
        let fresh = |mark: &Mark| Record {
            mark: mark.clone(),
            kind: None,
            index: None,
            parent: None,
            temporary: None,
            born: None,
            contest: Contest::default(),
        };
        match change {
            Change::Begin { name, mark, temporary } => {
                let record = self.records.entry(name.clone()).or_insert_with(|| fresh(mark));
                record.mark = mark.clone();
                record.temporary = Some(temporary.clone());
                record.born = None;
            }
            Change::Born { name, temporary } => {
                if let Some(record) = self.records.get_mut(name) {
                    record.born = made.get(temporary).copied();
                }
            }
            Change::Settled { name, mark, kind, index, parent } => {
                let record = self.records.entry(name.clone()).or_insert_with(|| fresh(mark));
                record.mark = mark.clone();
                record.index = match index {
                    Index::Known(index) => Some(*index),
                    Index::Made(name) => made.get(name).copied(),
                };
                record.parent = Some(*parent);
                record.kind = Some(*kind);
                record.temporary = None;
                record.born = None;
            }
            Change::Abandon(name) => {
                if let Some(record) = self.records.get_mut(name) {
                    record.temporary = None;
                    record.born = None;
                }
            }
            Change::Forget(name) => {
                self.records.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let mut state = State::new("boot-1/net-2");
        let (mark, made) = (Mark::new(7), BTreeMap::from([("bwx".to_owned(), 12)]));
        let begin = Change::Begin { name: "vpn0".into(), mark: mark.clone(), temporary: "bwx".into() };
        state.change(&begin, &made);
        assert_eq!(state.records["vpn0"].temporary.as_deref(), Some("bwx"));
        let index = Index::Made("bwx".into());
        let kind = NewKind::Vlan(70);
        state.change(&Change::Settled { name: "vpn0".into(), mark, kind, index, parent: 3 }, &made);
        state.records.get_mut("vpn0").unwrap().contest = Contest {
            settled: true,
            trouble_ms: 9,
            failures: 2,
            undone_ms: vec![1, 2],
            until_ms: Some(5),
            times: 1,
        };
        state
    }

    #[test]
    fn it_comes_back_as_it_was() {
        let state = state();
        assert_eq!((state.records["vpn0"].index, state.records["vpn0"].parent), (Some(12), Some(3)));
        assert_eq!(State::read(&state.write(), "boot-1/net-2"), Some(state));
    }

    #[test]
    fn indices_of_another_boot_are_forgotten_and_marks_are_not() {
        let other = State::read(&state().write(), "boot-9/net-2").unwrap();
        let record = &other.records["vpn0"];
        assert_eq!((record.index, &record.contest), (None, &Contest::default()));
        assert_eq!(record.mark, Mark::new(7));
    }

    #[test]
    fn a_torn_file_is_no_state() {
        let text = state().write();
        for end in 0..text.trim_end().len() {
            assert_eq!(State::read(&text[..end], "boot-1/net-2"), None);
        }
    }
}
