//! State x event tables of every machine.
//!
//! The rows were printed from the machines once, then read against the figures of 802.1AX-2014 and `bond_3ad.c`; what
//! was wrong in them was mended in the machines, not here. So a table holds what was read then: it finds a change, it
//! is no second derivation from the standard. The independent witness is the replay of real kernels (`tests/replay`).
//!
//! A row is `state | event | next state | actions on entry | source`. Actions: a name with `+` or `-` is a bit or
//! flag that is set or cleared whatever it was; `name=value` a timer or variable; what is not named keeps its value.
//! Every state times every event must be there.

mod churn;
mod mux;
mod periodic;
mod receive;
mod selection;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// What a step did: the next state, and the actions.
type Done = (String, BTreeSet<String>);

/// Compares a table with what `step` does, and finds rows that are missing or doubled.
fn check<S: Display + Copy>(
    name: &str,
    table: &str,
    states: &[S],
    events: &[&'static str],
    step: impl Fn(S, &str) -> Done,
) {
    let mut rows: BTreeMap<(String, String), (String, BTreeSet<String>)> = BTreeMap::new();
    for line in table.lines().filter(|l| !l.trim().is_empty()) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [state, event, next, actions, source] = cells.as_slice() else { panic!("{name}: {line}") };
        assert!(!source.is_empty(), "{name}: no source: {line}");
        let actions = actions.split_whitespace().map(str::to_owned).collect();
        let old = rows.insert(((*state).to_owned(), (*event).to_owned()), ((*next).to_owned(), actions));
        assert!(old.is_none(), "{name}: twice: {line}");
    }
    let mut wrong = String::new();
    for &state in states {
        for &event in events {
            let done = step(state, event);
            let row = rows.remove(&(state.to_string(), event.to_owned()));
            if row.as_ref() != Some(&done) {
                let actions: Vec<&str> = done.1.iter().map(String::as_str).collect();
                wrong += &format!(
                    "{state} | {event} | {} | {} | but the table has {row:?}\n",
                    done.0,
                    actions.join(" ")
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{wrong}");
    assert!(rows.is_empty(), "{name}: rows of no state or event: {rows:?}");
}

/// The action on a flag, found by trying both values before: set, cleared, or left alone.
fn flag(found: &mut BTreeSet<String>, name: &str, was_off: bool, was_on: bool) {
    match (was_off, was_on) {
        (true, true) => found.insert(format!("{name}+")),
        (false, false) => found.insert(format!("{name}-")),
        (false, true) => false,
        (true, false) => found.insert(format!("{name}~")),
    };
}
