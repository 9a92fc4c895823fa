//! Gives every capture to the bond and member it belongs to: by interface name, by the members' permanent addresses and
//! port numbers, and by the file's name as a last resort.

use crate::capture::{Change, Speaker};
use crate::case::Case;
use crate::evidence::Direction;
use crate::units::Mac;
use crate::wire::{Part, Wire};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Gives every capture to the member it belongs to.
pub(crate) fn attach(case: &mut Case) {
    let captures = std::mem::take(&mut case.captures);
    let mut found: Vec<(String, String, Part)> = Vec::new(); // (subject, member, part)
    for c in &captures {
        let far = case.files.get(c.file.0 as usize).is_some_and(|f| f.far_end);
        if far {
            continue;
        }
        let path = case.path(c.file).to_owned();
        let file_has_out = c.capture.speakers.iter().any(|s| s.direction == Some(Direction::Out));
        let tagged = c.capture.speakers.iter().any(|s| s.direction.is_some());
        for link in links(case, &c.capture.speakers) {
            let mut part = Part {
                file: c.file,
                timed: c.timed,
                span: if c.timed { file_span(&c.capture, &link) } else { span(&link) },
                out: Vec::new(),
                ins: Vec::new(),
                unknown: Vec::new(),
                tagged,
                inbound_only: tagged && !file_has_out,
            };
            for s in link {
                match role(case, s) {
                    Some(Direction::Out) => part.out.push(Arc::clone(s)),
                    Some(Direction::In) => part.ins.push(Arc::clone(s)),
                    None => part.unknown.push(Arc::clone(s)),
                }
            }
            part.ins.sort_by_key(|s| std::cmp::Reverse(s.pdus));
            if part.out.iter().chain(&part.ins).chain(&part.unknown).all(|s| s.pdus == 0) {
                continue;
            }
            if !tagged && part.out.is_empty() && !part.ins.is_empty() {
                part.inbound_only = !c.capture.speakers.iter().any(|s| role(case, s) == Some(Direction::Out));
            }
            let (subject, member) = owner(case, &part, &c.capture, &path);
            found.push((subject, member, part));
        }
    }
    // An empty capture named after an interface is evidence of that interface, if others hold LACPDUs.
    let mut silent: Vec<String> = Vec::new();
    if !found.is_empty() {
        for c in captures.iter().filter(|c| c.capture.lacpdus == 0 && c.timed) {
            let path = case.path(c.file);
            let name = path.rsplit('/').next().unwrap_or(path);
            let far = case.files.get(c.file.0 as usize).is_some_and(|f| f.far_end);
            let token = name.split(['-', '_', '.', ' ']).find(|t| crate::parse::prompt::looks_like_ifname(t));
            if let (Some(t), false) = (token, far) {
                silent.push(t.to_owned());
            }
        }
    }
    case.captures = captures;
    // Captures that overlap are one observation: where the others go on, or began before, a member that is silent shows.
    let spans: Vec<(i64, i64)> = found.iter().filter(|f| f.2.timed).map(|f| f.2.span).collect();
    for (_, _, part) in found.iter_mut().filter(|f| f.2.timed) {
        let own = part.span;
        for s in spans.iter().filter(|s| s.0 <= own.1 && own.0 <= s.1) {
            part.span = (part.span.0.min(s.0), part.span.1.max(s.1));
        }
    }
    // Largest and best-tagged first, so that a lesser view of the same time gives way.
    found.sort_by(|a, b| {
        let weight =
            |p: &Part| (p.tagged, p.out.iter().chain(&p.ins).chain(&p.unknown).map(|s| s.pdus).sum::<u64>());
        (&a.0, &a.1).cmp(&(&b.0, &b.1)).then(weight(&b.2).cmp(&weight(&a.2))).then(a.2.file.cmp(&b.2.file))
    });
    for (subject, member, part) in found {
        let at = match case.subjects.iter().position(|s| s.name == subject) {
            Some(at) => at,
            None => {
                case.subjects.push(crate::case::Subject {
                    name: subject,
                    bond: true,
                    aggregator: crate::evidence::Aggregator::Bonding,
                    mode: crate::case::Mode::Lacp,
                    mode_text: None,
                    mode_at: None,
                    states: Vec::new(),
                    members: Vec::new(),
                    system: None,
                    two_hosts: None,
                });
                case.subjects.len() - 1
            }
        };
        let Some(s) = case.subjects.get_mut(at) else { continue };
        if s.mode == crate::case::Mode::Unknown {
            s.mode = crate::case::Mode::Lacp;
        }
        let at = match s.members.iter().position(|m| m.name == member) {
            Some(at) => at,
            None => {
                s.members.push(crate::case::Member { name: member, ..crate::case::Member::default() });
                s.members.len() - 1
            }
        };
        let Some(m) = s.members.get_mut(at) else { continue };
        let wire = m.wire.get_or_insert_with(Wire::default);
        let overlap = wire
            .parts
            .iter()
            .any(|p| !p.timed || !part.timed || (p.span.0 <= part.span.1 && part.span.0 <= p.span.1));
        if overlap {
            wire.also.push(part.file);
        } else {
            wire.parts.push(part);
            wire.parts.sort_by_key(|p| p.span);
        }
    }
    let mut bonds = case.subjects.iter_mut().filter(|s| s.bond && s.members.iter().any(|m| m.wire.is_some()));
    if let (Some(s), None) = (bonds.next(), bonds.next()) {
        for name in silent {
            if !s.members.iter().any(|m| m.name == name) {
                s.members.push(crate::case::Member { name, ..crate::case::Member::default() });
            }
        }
    }
    case.subjects.sort_by(|a, b| a.name.cmp(&b.name));
    for s in &mut case.subjects {
        s.members.sort_by(|a, b| a.name.cmp(&b.name));
        let fast = s.field("LACP rate").map(|f| f.value.starts_with("fast") || f.value.starts_with('1'));
        for m in &mut s.members {
            if let Some(w) = &mut m.wire {
                w.stories = w.parts.iter().map(|p| p.story(fast)).collect();
            }
        }
    }
}

/// A capture that goes on (other links, other traffic) shows that a link fell silent.
fn file_span(capture: &crate::capture::Capture, link: &[&Arc<Speaker>]) -> (i64, i64) {
    let (first, last) = span(link);
    let end = capture
        .speakers
        .iter()
        .map(|s| s.last.0)
        .chain(capture.totals.span.map(|s| s.1))
        .max()
        .unwrap_or(last);
    (first, end.max(last))
}

fn span(link: &[&Arc<Speaker>]) -> (i64, i64) {
    let first = link.iter().map(|s| s.first.0).min().unwrap_or(0);
    let last = link.iter().map(|s| s.last.0).max().unwrap_or(0);
    (first, last)
}

/// Who sent it: the host, the other end, or nobody can tell.
fn role(case: &Case, s: &Speaker) -> Option<Direction> {
    if s.direction.is_some() {
        return s.direction;
    }
    let perms = || case.subjects.iter().flat_map(|b| &b.members).filter_map(|m| m.perm);
    if perms().any(|p| p == s.source)
        && s.changes.iter().all(|c| case.own_systems.is_empty() || case.own_systems.contains(&c.actor.system))
    {
        return Some(Direction::Out);
    }
    if case.own_systems.is_empty() || s.changes.is_empty() {
        return None;
    }
    let own = |c: &Change| case.own_systems.contains(&c.actor.system);
    if !s.changes.iter().all(own) {
        // At least once it spoke as somebody else: the other end.
        return Some(Direction::In);
    }
    // It always speaks as us. With the permanent addresses known and not among them, it is somebody else
    // claiming our system (a loop or a duplicate); otherwise it is us.
    if perms().next().is_some() && perms().all(|p| p != s.source) {
        Some(Direction::In)
    } else {
        Some(Direction::Out)
    }
}

/// The (system, port) pairs that a speaker spoke as.
type Ends = BTreeSet<(Mac, u16)>;

/// Splits the speakers of a capture into links.
fn links<'a>(case: &Case, speakers: &'a [Arc<Speaker>]) -> Vec<Vec<&'a Arc<Speaker>>> {
    let mut by_iface: std::collections::BTreeMap<u32, Vec<&Arc<Speaker>>> = std::collections::BTreeMap::new();
    for s in speakers {
        by_iface.entry(s.iface).or_default().push(s);
    }
    let mut out = Vec::new();
    for group in by_iface.into_values() {
        // In one interface's group, several links show as several (system, port) pairs that speak.
        let ends: Vec<(&Arc<Speaker>, Ends)> = group
            .iter()
            .map(|s| (*s, s.changes.iter().map(|c| (c.actor.system, c.actor.port)).collect()))
            .collect();
        let ours: Vec<&Arc<Speaker>> =
            group.iter().copied().filter(|s| role(case, s) == Some(Direction::Out)).collect();
        let sources: BTreeSet<Mac> = ours.iter().map(|s| s.source).collect();
        if group.len() <= 2 || (sources.len() <= 1 && !case.own_systems.is_empty()) {
            out.push(group);
            continue;
        }
        // Pair a speaker with the one that echoes it.
        let mut left: Vec<&Arc<Speaker>> = group.clone();
        while let Some(a) = left.first().copied() {
            left.remove(0);
            let a_ends =
                ends.iter().find(|(s, _)| std::ptr::eq(*s, a)).map(|(_, e)| e.clone()).unwrap_or_default();
            let a_echo: BTreeSet<(Mac, u16)> = a
                .changes
                .iter()
                .map(|c| (c.partner.system, c.partner.port))
                .filter(|e| !e.0.is_zero())
                .collect();
            let mate = left.iter().position(|b| {
                b.changes.iter().any(|c| {
                    a_ends.contains(&(c.partner.system, c.partner.port))
                        || a_echo.contains(&(c.actor.system, c.actor.port))
                }) && b.changes.iter().all(|c| !a_ends.contains(&(c.actor.system, c.actor.port)))
            });
            let mut link = vec![a];
            if let Some(i) = mate {
                link.push(left.remove(i));
            }
            out.push(link);
        }
    }
    out
}

/// Which bond and member a link belongs to.
fn owner(case: &Case, part: &Part, capture: &crate::capture::Capture, path: &str) -> (String, String) {
    let members =
        || case.subjects.iter().filter(|s| s.bond).flat_map(|s| s.members.iter().map(move |m| (s, m)));
    let name = |(s, m): (&crate::case::Subject, &crate::case::Member)| (s.name.clone(), m.name.clone());
    // The capture names the interface.
    let iface = part.out.iter().chain(&part.ins).chain(&part.unknown).map(|s| s.iface).next().unwrap_or(0);
    let if_name = capture
        .totals
        .interfaces
        .iter()
        .find(|i| i.id == iface)
        .and_then(|i| i.name.clone())
        .filter(|n| n != "any");
    if let Some(n) = &if_name
        && let Some(found) = members().find(|(_, m)| m.name == *n)
    {
        return name(found);
    }
    // Our own frames: permanent address, then port number.
    for s in &part.out {
        if let Some(found) = members().find(|(_, m)| m.perm == Some(s.source)) {
            return name(found);
        }
    }
    let port = part
        .out
        .iter()
        .flat_map(|s| &s.changes)
        .map(|c| (c.actor.system, c.actor.port))
        .chain(part.ins.iter().flat_map(|s| &s.changes).map(|c| (c.partner.system, c.partner.port)))
        .find(|(sys, port)| case.own_systems.contains(sys) && *port != 0);
    if let Some((sys, port)) = port
        && let Some(found) =
            members().find(|(s, m)| m.port == Some(port) && s.system.is_none_or(|x| x == sys))
    {
        return name(found);
    }
    // The file name.
    let tokens: Vec<&str> = path.rsplit('/').next().unwrap_or(path).split(['-', '_', '.', ' ']).collect();
    let file_name = path.rsplit('/').next().unwrap_or(path);
    if let Some(found) = members()
        .find(|(_, m)| tokens.contains(&m.name.as_str()) || (m.name.len() > 3 && file_name.contains(&m.name)))
    {
        return name(found);
    }
    // A bond without members (`modprobe bonding` leaves one) owns no capture.
    let with_members = || case.subjects.iter().filter(|s| s.bond && !s.members.is_empty());
    let subject = if with_members().count() == 1 {
        with_members().next().map(|s| s.name.clone()).unwrap_or_default()
    } else {
        // Captures of several bonds without any other evidence are told apart by the host's systems.
        match port {
            Some((system, _)) if case.own_systems.len() > 1 => format!("bond {system}"),
            _ => "bond".to_owned(),
        }
    };
    let member = if_name
        .or_else(|| {
            tokens.iter().find(|t| crate::parse::prompt::looks_like_ifname(t)).map(|t| (*t).to_owned())
        })
        .unwrap_or_else(|| match port {
            Some((_, p)) => format!("port {p}"),
            // Several links in one file, and nothing tells which is which: the address of one end does.
            None if part.unknown.len() >= 2 && capture.speakers.len() > part.unknown.len() => part
                .unknown
                .iter()
                .map(|s| s.source)
                .min()
                .map_or_else(|| "link".to_owned(), |m| format!("link of {m}")),
            None if iface != 0 => format!("if{iface}"),
            None => file_name.split('.').next().unwrap_or("capture").to_owned(),
        });
    (subject, member)
}
