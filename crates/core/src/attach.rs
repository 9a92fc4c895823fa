//! Gives every capture to the bond and member it belongs to: by interface name, by the members' permanent addresses and
//! port numbers, and by the file's name as a last resort.

use crate::capture::{Change, LinkType, Speaker};
use crate::case::{CaptureFile, Case, Member, Subject};
use crate::collection::facts;
use crate::evidence::{Direction, What};
use crate::units::Mac;
use crate::wire::{Part, Wire};
use std::collections::{BTreeMap, BTreeSet};
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
        let file_has_out = c.capture.speakers.iter().any(|s| s.direction == Some(Direction::Out));
        let tagged = c.capture.speakers.iter().any(|s| s.direction.is_some());
        let tap = facts::tap(case, c.file);
        // What a capture lost could have been any of the frames that seem to be missing.
        let lossy = tap.is_some_and(|t| t.lost > 0) || c.capture.totals.lost > 0;
        let mut parts: Vec<Part> = Vec::new();
        for link in links(case, &c.capture.speakers) {
            let mut part = Part {
                file: c.file,
                timed: c.timed && !lossy,
                span: match tap.and_then(|t| t.span) {
                    Some((from, to)) => {
                        let (first, last) = span(&link);
                        (first.min(from), last.max(to))
                    }
                    None if c.timed => file_span(&c.capture, &link),
                    None => span(&link),
                },
                out: Vec::new(),
                ins: Vec::new(),
                unknown: Vec::new(),
                tagged,
                // A collection says which way its tap looked; of others it can only be seen.
                inbound_only: tap.map_or(tagged && !file_has_out, |t| !t.outgoing),
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
            if tap.is_none() && !tagged && part.out.is_empty() && !part.ins.is_empty() {
                part.inbound_only = !c.capture.speakers.iter().any(|s| role(case, s) == Some(Direction::Out));
            }
            parts.push(part);
        }
        let owners = owners(case, &parts, c);
        found.extend(owners.into_iter().zip(parts).map(|((subject, member), part)| (subject, member, part)));
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
        let weight = |p: &Part| {
            (p.timed, p.tagged, p.out.iter().chain(&p.ins).chain(&p.unknown).map(|s| s.pdus).sum::<u64>())
        };
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
    // claiming our system (a loop or a duplicate); otherwise it is us. A list of members that was cut off lacks addresses:
    // one that has heard another system, from a port that no known member has, is a member that the list lacks. Whoever
    // claims our system hears us, and describes our system.
    let describes_another = s
        .changes
        .iter()
        .any(|c| !c.partner.system.is_zero() && !case.own_systems.contains(&c.partner.system));
    let known_port = |c: &Change| {
        case.subjects.iter().flat_map(|b| &b.members).any(|m| m.port.is_some_and(|p| p == c.actor.port))
    };
    if describes_another && !s.changes.iter().any(known_port) {
        return Some(Direction::Out);
    }
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

/// A bond and its member, by name.
type Name = (String, String);

/// Which bond and member the links of a capture belong to: what is sure first, and what is left over then.
fn owners(case: &Case, parts: &[Part], file: &CaptureFile) -> Vec<Name> {
    let mut names: Vec<Option<Name>> = parts.iter().map(|p| told(case, p, file)).collect();
    // Indices change with a reboot: they do not take a member from a link that is known to be its own.
    let indices = indices(case);
    for (i, part) in parts.iter().enumerate() {
        if names.get(i).is_some_and(Option::is_none)
            && let Some(dev) = file_index(part, file).and_then(|n| indices.get(&n)).and_then(Option::as_ref)
            && !names.iter().flatten().any(|(_, m)| m == dev)
            && let Some(slot) = names.get_mut(i)
        {
            *slot = match members(case).find(|(_, m)| m.name == *dev) {
                Some(found) => Some(name(found)),
                None => Some((subject_of(case, part), dev.clone())),
            };
        }
    }
    for slot in names.iter_mut().filter(|n| n.is_none()) {
        *slot = by_file_name(case, case.path(file.file));
    }
    if let [one] =
        names.iter().enumerate().filter(|(_, n)| n.is_none()).map(|(i, _)| i).collect::<Vec<_>>()[..]
        && let Some(part) = parts.get(one)
        && let Some(left) = left_over(case, parts, &names, part)
        && let Some(slot) = names.get_mut(one)
    {
        *slot = Some(left);
    }
    parts
        .iter()
        .zip(names)
        .map(|(p, n)| n.unwrap_or_else(|| (subject_of(case, p), made_up(case, p, file))))
        .collect()
}

fn members(case: &Case) -> impl Iterator<Item = (&Subject, &Member)> {
    case.subjects.iter().filter(|s| s.bond).flat_map(|s| s.members.iter().map(move |m| (s, m)))
}

fn name((s, m): (&Subject, &Member)) -> Name {
    (s.name.clone(), m.name.clone())
}

/// The interface in the capture that a link was seen on.
fn interface(part: &Part) -> u32 {
    part.out.iter().chain(&part.ins).chain(&part.unknown).map(|s| s.iface).next().unwrap_or(0)
}

/// The name that the capture itself gives to the interface.
fn if_name(part: &Part, file: &CaptureFile) -> Option<String> {
    let iface = interface(part);
    let named = file.capture.totals.interfaces.iter().find(|i| i.id == iface)?;
    named.name.clone().filter(|n| n != "any")
}

/// The kernel's index of the interface, where the capture has it: cooked captures of version 2 only.
fn file_index(part: &Part, file: &CaptureFile) -> Option<u32> {
    let interfaces = &file.capture.totals.interfaces;
    let cooked = !interfaces.is_empty() && interfaces.iter().all(|i| i.link == LinkType::Sll2);
    Some(interface(part)).filter(|n| cooked && *n > 0)
}

/// Interfaces by index (`ip link`, `/sys/class/net/*/ifindex`, ...). None where two have had the same one.
fn indices(case: &Case) -> BTreeMap<u32, Option<String>> {
    let mut found: BTreeMap<u32, Option<String>> = BTreeMap::new();
    for r in &case.records {
        let (dev, fields) = match &r.what {
            What::Link(l) if !l.deleted => (Some(&l.name), &l.fields),
            What::Fields(f) => (f.dev.as_ref(), f),
            _ => continue,
        };
        if let (Some(dev), Some(n)) = (dev, fields.int("ifindex").and_then(|n| u32::try_from(n).ok())) {
            found
                .entry(n)
                .and_modify(|d| {
                    if d.as_ref() != Some(dev) {
                        *d = None;
                    }
                })
                .or_insert_with(|| Some(dev.clone()));
        }
    }
    found
}

/// One of the host's own systems, and the port on this link.
fn own_port(case: &Case, part: &Part) -> Option<(Mac, u16)> {
    part.out
        .iter()
        .flat_map(|s| &s.changes)
        .map(|c| (c.actor.system, c.actor.port))
        .chain(part.ins.iter().flat_map(|s| &s.changes).map(|c| (c.partner.system, c.partner.port)))
        .find(|(sys, port)| case.own_systems.contains(sys) && *port != 0)
}

/// The owner as the frames tell it: the interface's name, our own frames' permanent address, then the port number.
fn told(case: &Case, part: &Part, file: &CaptureFile) -> Option<Name> {
    let by_name = || {
        let n = if_name(part, file)?;
        members(case).find(|(_, m)| m.name == n)
    };
    let by_address = || part.out.iter().find_map(|s| members(case).find(|(_, m)| m.perm == Some(s.source)));
    let by_port = || {
        let (sys, port) = own_port(case, part)?;
        members(case).find(|(s, m)| m.port == Some(port) && s.system.is_none_or(|x| x == sys))
    };
    by_name().or_else(by_address).or_else(by_port).map(name)
}

fn by_file_name(case: &Case, path: &str) -> Option<Name> {
    let file_name = path.rsplit('/').next().unwrap_or(path);
    let tokens = tokens(path);
    members(case)
        .find(|(_, m)| tokens.contains(&m.name.as_str()) || (m.name.len() > 3 && file_name.contains(&m.name)))
        .map(name)
}

fn tokens(path: &str) -> Vec<&str> {
    path.rsplit('/').next().unwrap_or(path).split(['-', '_', '.', ' ']).collect()
}

/// The only link of a capture without an owner is that of the only member without a link, if the member is up and the same
/// partner speaks on both: the capture was of all interfaces.
fn left_over(case: &Case, parts: &[Part], names: &[Option<Name>], part: &Part) -> Option<Name> {
    let partner =
        |p: &Part| p.ins.first().and_then(|s| s.changes.last()).map(|c| (c.actor.system, c.actor.key));
    let bond = names.iter().flatten().map(|(s, _)| s).collect::<BTreeSet<_>>();
    let [bond] = bond.into_iter().collect::<Vec<_>>()[..] else { return None };
    let subject = case.subjects.iter().find(|s| s.bond && s.name == *bond)?;
    let here = partner(part)?;
    let same = parts.iter().zip(names).any(|(p, n)| n.is_some() && partner(p) == Some(here));
    let whole = parts.iter().all(|p| p.tagged && interface(p) > 0);
    let mut free =
        subject.members.iter().filter(|m| !names.iter().flatten().any(|(_, taken)| *taken == m.name));
    let (one, None) = (free.next()?, free.next()) else { return None };
    let up = one.states.iter().any(|s| s.mii.as_deref() == Some("up"))
        && one.states.iter().all(|s| s.mii.as_deref() != Some("down"));
    (same && whole && up).then(|| (subject.name.clone(), one.name.clone()))
}

/// The bond that a link belongs to whose member nothing tells.
fn subject_of(case: &Case, part: &Part) -> String {
    // A bond without members (`modprobe bonding` leaves one) owns no capture.
    let mut with_members = case.subjects.iter().filter(|s| s.bond && !s.members.is_empty());
    if let (Some(one), None) = (with_members.next(), with_members.next()) {
        return one.name.clone();
    }
    // Captures of several bonds without any other evidence are told apart by the host's systems.
    match own_port(case, part) {
        Some((system, _)) if case.own_systems.len() > 1 => format!("bond {system}"),
        _ => "bond".to_owned(),
    }
}

/// A name for a link that nothing names.
fn made_up(case: &Case, part: &Part, file: &CaptureFile) -> String {
    let path = case.path(file.file);
    let iface = interface(part);
    if_name(part, file)
        .or_else(|| {
            tokens(path).into_iter().find(|t| crate::parse::prompt::looks_like_ifname(t)).map(str::to_owned)
        })
        .unwrap_or_else(|| match own_port(case, part) {
            Some((_, p)) => format!("port {p}"),
            // Several links in one file, and nothing tells which is which: the address of one end does.
            None if part.unknown.len() >= 2 && file.capture.speakers.len() > part.unknown.len() => part
                .unknown
                .iter()
                .map(|s| s.source)
                .min()
                .map_or_else(|| "link".to_owned(), |m| format!("link of {m}")),
            None if iface != 0 => format!("if{iface}"),
            None => path.rsplit('/').next().unwrap_or(path).split('.').next().unwrap_or("capture").to_owned(),
        })
}
