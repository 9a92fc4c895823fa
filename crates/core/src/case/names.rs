//! Names for interfaces that a message of netlink has by number only.
//!
//! A dump of queueing disciplines, filters, addresses, neighbours or statistics names no interface; the numbers are those of the dump
//! of links, which a collection saves as a file of its own. Read file by file they are `if7`: here they get their names,
//! before anything is ordered by interface. Only files of one folder belong to one namespace, and a number that two
//! interfaces have had stays a number.

use super::Case;
use crate::evidence::{FileId, Record, What};
use crate::parse::netlink;
use std::collections::{BTreeMap, BTreeSet};

/// Names by number, for each folder; none where two interfaces have had the same number.
type Names<'f> = BTreeMap<&'f str, BTreeMap<u32, Option<String>>>;

/// Renames what records of netlink call `if7`.
pub(super) fn resolve(case: &mut Case) {
    let from_netlink: BTreeSet<FileId> = (0u32..)
        .zip(&case.files)
        .filter(|(_, f)| f.recognised.contains(&netlink::ID))
        .map(|(n, _)| FileId(n))
        .collect();
    if from_netlink.is_empty() {
        return;
    }
    let folder = |file: FileId| -> &str {
        let path =
            usize::try_from(file.0).ok().and_then(|n| case.files.get(n)).map_or("", |f| f.path.as_str());
        path.rsplit_once('/').map_or("", |(folder, _)| folder)
    };
    let mut names = Names::new();
    for r in case.records.iter().filter(|r| from_netlink.contains(&r.at.file)) {
        let What::Link(l) = &r.what else { continue };
        let Some(index) = l.fields.int("ifindex").and_then(|n| u32::try_from(n).ok()) else { continue };
        if number(&l.name) == Some(index) {
            continue;
        }
        let known = names.entry(folder(r.at.file)).or_default();
        let name = known.entry(index).or_insert_with(|| Some(l.name.clone()));
        if name.as_ref() != Some(&l.name) {
            *name = None;
        }
    }
    let named = |file: FileId, name: &str| -> Option<String> {
        names.get(folder(file))?.get(&number(name)?)?.clone()
    };
    let mut changes = Vec::new();
    for (n, r) in case.records.iter().enumerate().filter(|(_, r)| from_netlink.contains(&r.at.file)) {
        if let Some(name) = dev(r).and_then(|d| named(r.at.file, d)) {
            changes.push((n, name));
        }
    }
    let mut inside = Vec::new();
    for (n, r) in case.records.iter().enumerate().filter(|(_, r)| from_netlink.contains(&r.at.file)) {
        // The far end of a mirror or a redirection: `(Egress Redirect to device if7)`.
        let What::Fields(f) = &r.what else { continue };
        for (m, e) in f.entries.iter().enumerate() {
            let Some((before, after)) = e.value.split_once(" to device ") else { continue };
            let (old, rest) = after.split_at(after.find(')').unwrap_or(after.len()));
            if let Some(name) = named(r.at.file, old) {
                inside.push((n, m, format!("{before} to device {name}{rest}")));
            }
        }
    }
    for (n, name) in changes {
        if let Some(r) = case.records.get_mut(n) {
            rename(r, name);
        }
    }
    for (n, m, value) in inside {
        if let Some(Record { what: What::Fields(f), .. }) = case.records.get_mut(n)
            && let Some(entry) = f.entries.get_mut(m)
        {
            entry.value = value;
        }
    }
}

/// The number in `if7`.
fn number(name: &str) -> Option<u32> {
    name.strip_prefix("if")?.parse().ok()
}

fn dev(record: &Record) -> Option<&str> {
    match &record.what {
        What::Link(l) => Some(&l.name),
        What::Counters(c) => c.dev.as_deref(),
        What::Fields(f) => f.dev.as_deref(),
        What::Qdisc(q) => Some(&q.dev),
        What::Hook(h) => h.dev.as_deref(),
        What::Drop(_)
        | What::Bond(_)
        | What::Kernel(_)
        | What::Config(_)
        | What::Pdu(_)
        | What::Probe(_)
        | What::Switch(_) => None,
    }
}

fn rename(record: &mut Record, name: String) {
    match &mut record.what {
        What::Link(l) => {
            l.fields.dev = l.fields.dev.as_ref().map(|_| name.clone());
            l.name = name;
        }
        What::Counters(c) => c.dev = Some(name),
        What::Fields(f) => f.dev = Some(name),
        What::Qdisc(q) => {
            q.fields.dev = q.fields.dev.as_ref().map(|_| name.clone());
            q.dev = name;
        }
        What::Hook(h) => h.dev = Some(name),
        What::Drop(_)
        | What::Bond(_)
        | What::Kernel(_)
        | What::Config(_)
        | What::Pdu(_)
        | What::Probe(_)
        | What::Switch(_) => {}
    }
}
