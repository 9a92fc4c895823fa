//! Whose evidence is it? Logs of several hosts in one folder must not make one verdict.
//!
//! A central syslog, a folder of a whole cluster: a NIC that hung in db02 says nothing about db01, whose interface has the
//! same name. Where it can be told whose bond was read, the log lines of the others are left out, and it is said so. Where
//! it cannot, they stay, and no log line decides anything. Readings that contradict each other as those of two hosts do
//! (another permanent address, another System ID with other members) decide nothing either.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Side};
use crate::evidence::{Citation, Fields, FileId, KernelKind, Record, What};
use crate::finding::{Bearing, Finding, Kind, Need, Strength};
use crate::units::Mac;
use std::collections::{BTreeMap, BTreeSet};

/// Names of hosts that have no name yet, or of no host in particular: they are whatever other name is there.
const NAMELESS: [&str; 14] = [
    "localhost",
    "(none)",
    "debian",
    "ubuntu",
    "linux",
    "installer",
    "install",
    "live",
    "archiso",
    "buildroot",
    "openwrt",
    "unassigned-hostname",
    "host",
    "hostname",
];

/// What makes a host name the same host's: its first label without case; an address is taken whole.
fn identity(name: &str) -> Option<String> {
    let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
    if name.parse::<std::net::IpAddr>().is_ok() {
        return Some(name);
    }
    let label = name.split('.').next().unwrap_or("");
    (!label.is_empty() && !NAMELESS.contains(&label)).then(|| label.to_owned())
}

/// The host name that a block of settings gives.
pub(crate) fn name_in(fields: &Fields) -> Option<&str> {
    ["hostname", "nodename", "Static hostname"].iter().find_map(|k| fields.text(k))
}

/// What the log of one host speaks about.
#[derive(Default)]
struct Log {
    /// Interfaces.
    devs: BTreeSet<String>,
    /// Interfaces together with their bond.
    tied: BTreeSet<String>,
    /// Something that bears on the network without an interface: it may be about any.
    at_large: bool,
}

impl Log {
    fn speaks(&self) -> bool {
        self.at_large || !self.devs.is_empty()
    }
}

/// The nodes of a cluster that the evidence is of: a support bundle has a folder for each, named after its address, and
/// `talosctl` names the node in what it prints.
struct Nodes {
    of_file: Vec<Option<String>>,
    of_place: BTreeMap<Citation, String>,
    all: BTreeSet<String>,
}

impl Nodes {
    fn of(case: &Case) -> Self {
        let address = |f: &crate::case::File| {
            let folders = f.path.rsplit_once('/')?.0;
            let is = |c: &&str| c.parse::<std::net::IpAddr>().is_ok();
            folders.split('/').rfind(is).map(str::to_owned)
        };
        let of_file: Vec<Option<String>> = case.files.iter().map(address).collect();
        let named = |r: &Record| match &r.what {
            What::Link(l) => Some((r.at, l.fields.text("node")?.to_owned())),
            _ => None,
        };
        let of_place: BTreeMap<Citation, String> = case.records.iter().filter_map(named).collect();
        let mut nodes = Self { of_file, of_place, all: BTreeSet::new() };
        let all = case.records.iter().filter(|r| !matches!(r.what, What::Switch(_))).map(|r| r.at);
        let captures = case.captures.iter().map(|c| Citation::whole(c.file));
        nodes.all = all.chain(captures).filter_map(|at| nodes.at(at).map(str::to_owned)).collect();
        nodes
    }

    fn at(&self, at: Citation) -> Option<&str> {
        self.of_place
            .get(&at)
            .or_else(|| self.of_file.get(at.file.0 as usize).and_then(Option::as_ref))
            .map(String::as_str)
    }
}

/// Of several nodes, keeps the one that has a bond. Where several have one, every node's log is a stranger's to the bond of
/// another.
fn one_node(case: &mut Case) {
    let nodes = Nodes::of(case);
    if nodes.all.len() < 2 {
        return;
    }
    let has_bond = |r: &Record| match &r.what {
        What::Bond(_) => true,
        What::Link(l) => matches!(l.fields.text("kind"), Some("bond" | "team")),
        What::Fields(f) => f.source == "sysfs-bonding",
        _ => false,
    };
    let bonds = case.records.iter().filter(|r| has_bond(r)).map(|r| r.at);
    let captures = case.captures.iter().map(|c| Citation::whole(c.file));
    let with_bond: BTreeSet<&str> = bonds.chain(captures).filter_map(|at| nodes.at(at)).collect();
    let [owner] = with_bond.iter().copied().collect::<Vec<_>>()[..] else {
        let speak = case.kernel().any(|(r, _)| nodes.at(r.at).is_some());
        if speak {
            case.mixed_hosts = nodes.all.iter().cloned().collect();
        }
        return;
    };
    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
    case.records.retain(|r| match nodes.at(r.at).filter(|n| *n != owner) {
        Some(other) => {
            *left_out.entry(other.to_owned()).or_default() += u64::from(matches!(r.what, What::Kernel(_)));
            false
        }
        None => true,
    });
    case.other_hosts = left_out.into_iter().filter(|(_, n)| *n > 0).collect();
}

/// Two nodes that have a bond of this name each.
fn two_nodes(s: &Subject, nodes: &Nodes) -> Option<String> {
    let states = s.states.iter().map(|st| st.at);
    let members = s.members.iter().flat_map(|m| &m.states).map(|st| st.at);
    let wires = s.members.iter().filter_map(|m| m.wire.as_ref()).flat_map(|w| &w.parts);
    let places = states.chain(members).chain(wires.map(|p| Citation::whole(p.file)));
    let read: BTreeSet<&str> = places.filter_map(|at| nodes.at(at)).collect();
    (read.len() > 1).then(|| {
        let names: Vec<String> = read.into_iter().map(str::to_owned).collect();
        format!("it was read on the nodes {}", listed(&names))
    })
}

/// Leaves out the log lines of other hosts than the one whose bond was read, or notes that the logs are mixed. True if
/// the evidence is of several hosts and it is not known which one the case is about.
pub(crate) fn separate(case: &mut Case) -> bool {
    one_node(case);
    // The names, as they were first written.
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut in_file: BTreeMap<FileId, BTreeSet<String>> = BTreeMap::new();
    for r in &case.records {
        if let What::Fields(f) = &r.what
            && let Some(name) = name_in(f)
            && let Some(id) = identity(name)
        {
            names.entry(id.clone()).or_insert_with(|| name.to_owned());
            told.insert(id);
        }
    }
    let mut last: Option<(&str, FileId)> = None;
    for r in &case.records {
        let What::Kernel(k) = &r.what else { continue };
        let Some(host) = k.host.as_deref() else { continue };
        // A log says the same name a million times.
        if last == Some((host, r.at.file)) {
            continue;
        }
        last = Some((host, r.at.file));
        if let Some(id) = identity(host) {
            names.entry(id.clone()).or_insert_with(|| host.to_owned());
            in_file.entry(r.at.file).or_default().insert(id);
        }
    }
    if names.len() < 2 {
        if told.is_empty() {
            case.host.0 = names.into_values().next();
        }
        return false;
    }

    // A line without a name is of the only host that its file names, or that the path of its file names.
    let of_file: BTreeMap<FileId, String> = case
        .files
        .iter()
        .enumerate()
        .filter_map(|(i, f)| {
            let id = FileId(u32::try_from(i).ok()?);
            let inside = in_file.get(&id).cloned().unwrap_or_default();
            let by = if inside.is_empty() { in_path(&f.path, &names) } else { inside };
            (by.len() == 1).then(|| by.into_iter().next()).flatten().map(|h| (id, h))
        })
        .collect();
    let whose =
        |file: FileId, host: Option<&str>| host.and_then(identity).or_else(|| of_file.get(&file).cloned());
    let mut logs: BTreeMap<String, Log> = BTreeMap::new();
    for r in &case.records {
        let What::Kernel(k) = &r.what else { continue };
        let Some(id) = whose(r.at.file, k.host.as_deref()) else { continue };
        let log = logs.entry(id).or_default();
        if matches!(k.kind, KernelKind::Other | KernelKind::Boot | KernelKind::Suppressed) {
            continue;
        }
        match (&k.dev, &k.bond) {
            (Some(d), b) => {
                log.devs.insert(d.clone());
                if b.as_ref().is_some_and(|b| b != d) {
                    log.tied.insert(d.clone());
                }
            }
            (None, Some(b)) => {
                log.devs.insert(b.clone());
            }
            (None, None) => log.at_large = true,
        }
    }

    if let Some(owner) = owner(case, &names, &told, &logs) {
        let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
        case.records.retain(|r| match &r.what {
            What::Kernel(k) => match whose(r.at.file, k.host.as_deref()) {
                Some(id) if id != owner => {
                    *left_out.entry(id).or_default() += 1;
                    false
                }
                _ => true,
            },
            What::Fields(f) => name_in(f).and_then(identity).is_none_or(|id| id == owner),
            _ => true,
        });
        case.other_hosts
            .extend(left_out.into_iter().map(|(id, n)| (names.get(&id).cloned().unwrap_or(id), n)));
        case.host.0 = names.get(&owner).cloned();
        return false;
    }

    let speaking: Vec<(&String, &Log)> = logs.iter().filter(|(_, l)| l.speaks()).collect();
    let mut mixed: BTreeSet<&String> = BTreeSet::new();
    for (i, (a, x)) in speaking.iter().enumerate() {
        for (b, y) in speaking.iter().skip(i + 1) {
            if x.at_large || y.at_large || !x.devs.is_disjoint(&y.devs) {
                mixed.extend([*a, *b]);
            }
        }
        // Settings of one host and the log of another.
        if !told.is_empty() && !told.contains(*a) {
            mixed.insert(*a);
            mixed.extend(&told);
        }
    }
    case.mixed_hosts.extend(mixed.into_iter().filter_map(|id| names.get(id).cloned()));
    true
}

/// An interface that the log puts into two slots is an interface of two hosts: the same name, another PCI address. Where
/// `ethtool -i` or `ip -d link` tells which slot is ours, the logs of the others are left out; else no log line decides.
pub(crate) fn by_slot(case: &mut Case) {
    // While a host boots, `eth0` is whatever has not got its name yet.
    let passing: BTreeSet<String> = case
        .kernel()
        .filter_map(|(_, k)| k.text.split_once("renamed from "))
        .filter_map(|(_, old)| old.split([' ', ',']).next().map(str::to_owned))
        .collect();
    let mut slots: BTreeMap<String, BTreeMap<String, BTreeSet<FileId>>> = BTreeMap::new();
    for (r, k) in case.kernel() {
        if matches!(k.kind, KernelKind::Other | KernelKind::Boot | KernelKind::Renamed) {
            continue;
        }
        if let (Some(dev), Some(bus)) = (&k.dev, crate::case::bus_id(&k.text))
            && !passing.contains(dev)
            && k.text.split_once(bus).is_some_and(|(_, rest)| {
                rest.trim_start_matches([':', ' '])
                    .strip_prefix(dev.as_str())
                    .is_some_and(|r| r.starts_with(':'))
            })
        {
            slots.entry(dev.clone()).or_default().entry(bus.to_owned()).or_default().insert(r.at.file);
        }
    }
    slots.retain(|_, by| by.len() > 1);
    let mut ours: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (_, f) in case.settings("ethtool-i", None) {
        ours.extend(f.dev.as_deref().zip(f.text("bus-info")));
    }
    ours.extend(case.links().filter_map(|(_, l)| Some((l.name.as_str(), l.fields.text("parentdev")?))));
    let mut strangers: BTreeSet<FileId> = BTreeSet::new();
    let mut mixed: BTreeSet<String> = BTreeSet::new();
    for (dev, by) in &slots {
        let own: Vec<&BTreeSet<FileId>> =
            by.iter().filter(|(bus, _)| ours.contains(&(dev, bus))).map(|(_, files)| files).collect();
        let foreign = by.iter().filter(|(bus, _)| !ours.contains(&(dev, bus))).flat_map(|(_, files)| files);
        match own.as_slice() {
            [own] if foreign.clone().all(|f| !own.contains(f)) => strangers.extend(foreign),
            _ => mixed.extend(by.keys().map(|bus| format!("{dev} at {bus}"))),
        }
    }
    let mut left_out: BTreeMap<FileId, u64> = BTreeMap::new();
    case.records.retain(|r| {
        let out = matches!(r.what, What::Kernel(_)) && strangers.contains(&r.at.file);
        if out {
            *left_out.entry(r.at.file).or_default() += 1;
        }
        !out
    });
    let left_out: Vec<(String, u64)> =
        left_out.into_iter().map(|(f, n)| (format!("another host in {}", case.path(f)), n)).collect();
    case.other_hosts.extend(left_out);
    case.mixed_hosts.extend(mixed);
}

/// The host whose bond was read, if it can be told.
fn owner(
    case: &Case,
    names: &BTreeMap<String, String>,
    told: &BTreeSet<String>,
    logs: &BTreeMap<String, Log>,
) -> Option<String> {
    let mut with_log: BTreeSet<FileId> = BTreeSet::new();
    let mut state: BTreeSet<FileId> = case.captures.iter().map(|c| c.file).collect();
    let mut settings: BTreeSet<FileId> = BTreeSet::new();
    let mut bonds: Vec<BTreeSet<&str>> = Vec::new();
    for r in &case.records {
        match &r.what {
            What::Bond(b) => {
                state.insert(r.at.file);
                bonds.push(b.members.iter().map(|m| m.name.as_str()).collect());
            }
            What::Kernel(_) => {
                with_log.insert(r.at.file);
            }
            What::Link(_) | What::Counters(_) => {
                settings.insert(r.at.file);
            }
            What::Fields(f) if f.source.starts_with("ethtool") || f.source.starts_with("sysfs") => {
                settings.insert(r.at.file);
            }
            _ => {}
        }
    }
    state.extend(settings.difference(&with_log));
    let mut said: BTreeSet<String> = state
        .iter()
        .filter_map(|id| case.files.get(id.0 as usize))
        .filter(|f| !f.far_end)
        .flat_map(|f| in_path(&f.path, names))
        .collect();
    match said.len() {
        // A `uname` of a host that no log is of: it was renamed, or the logs are somebody else's.
        0 => said.extend(told.iter().filter(|id| logs.contains_key(*id) || told.len() > 1).cloned()),
        // Path and `uname` must agree; several `uname` leave it to the path.
        1 if told.len() == 1 => said.extend(told.iter().cloned()),
        _ => {}
    }
    match said.len() {
        0 => {}
        1 => return said.into_iter().next(),
        _ => return None,
    }
    if !told.is_empty() {
        return None;
    }
    // The only log that ties interfaces to a bond at all, if it ties every member of the bond that was read. Less would
    // take a neighbour with the same names, whose log reaches further back, for the owner.
    let mut tying = logs.iter().filter(|(_, l)| !l.tied.is_empty());
    let (id, log) = tying.next()?;
    let all = |members: &BTreeSet<&str>| !members.is_empty() && members.iter().all(|m| log.tied.contains(*m));
    (tying.next().is_none() && bonds.iter().any(all)).then(|| id.clone())
}

/// The hosts whose name stands in a path, between characters that are no part of a name; `web` is not meant by
/// `web-2` if there is a `web-2`.
fn in_path(path: &str, names: &BTreeMap<String, String>) -> BTreeSet<String> {
    let path = path.to_ascii_lowercase();
    let stands = |id: &str| {
        path.match_indices(id).any(|(at, _)| {
            let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            edge(path.get(..at).and_then(|p| p.chars().next_back()))
                && edge(path.get(at + id.len()..).and_then(|p| p.chars().next()))
        })
    };
    let found: Vec<&String> = names.keys().filter(|id| id.len() >= 2 && stands(id)).collect();
    found
        .iter()
        .filter(|id| !found.iter().any(|o| o.len() > id.len() && o.contains(id.as_str())))
        .map(|id| (*id).clone())
        .collect()
}

/// Notes on every subject whether its readings are of two hosts.
pub(crate) fn mark(case: &mut Case) {
    // One source at a time: the address before bonding and the one in the NIC's memory may differ on one host.
    let mut permanent: BTreeMap<(&str, &str), BTreeSet<Mac>> = BTreeMap::new();
    for r in &case.records {
        match &r.what {
            What::Bond(b) => {
                for m in &b.members {
                    if let Some(mac) = m.fields.mac("Permanent HW addr").filter(|m| !m.is_zero()) {
                        permanent.entry((&m.name, "proc")).or_default().insert(mac);
                    }
                }
            }
            What::Link(l) => {
                for key in ["permaddr", "perm_hwaddr"] {
                    if let Some(mac) = l.fields.mac(key).filter(|m| !m.is_zero()) {
                        permanent.entry((&l.name, key)).or_default().insert(mac);
                    }
                }
            }
            What::Fields(f) => {
                if let (Some(dev), Some(mac)) = (&f.dev, f.mac("Permanent address").filter(|m| !m.is_zero()))
                {
                    permanent.entry((dev, "ethtool")).or_default().insert(mac);
                }
            }
            _ => {}
        }
    }
    let nodes = Nodes::of(case);
    let marks: Vec<Option<String>> = case
        .subjects
        .iter()
        .map(|s| {
            let replaced = permanent
                .iter()
                .filter(|((dev, _), _)| s.members.iter().any(|m| m.name == *dev))
                .find_map(|((dev, _), macs)| {
                    let (a, b) = (macs.first()?, macs.last()?);
                    (a != b).then(|| format!("{dev} has the permanent addresses {a} and {b}"))
                });
            two_nodes(s, &nodes).or(replaced).or_else(|| two_systems(s))
        })
        .collect();
    for (s, mark) in case.subjects.iter_mut().zip(marks) {
        s.two_hosts = mark;
    }
}

/// Two System IDs with other members each.
fn two_systems(s: &Subject) -> Option<String> {
    let read: Vec<(Mac, BTreeSet<&String>)> = s
        .states
        .iter()
        .filter(|st| st.full && !st.members.is_empty())
        .filter_map(|st| {
            let mac = st.fields.mac("System MAC address").filter(|m| !m.is_zero())?;
            Some((mac, st.members.iter().collect()))
        })
        .collect();
    let (a, members) = read.first()?;
    let (b, _) = read.iter().find(|(b, other)| b != a && other != members)?;
    Some(format!("it has the System MAC addresses {} and {}, with other members each", a.min(b), a.max(b)))
}

/// Takes from findings what mixed evidence cannot carry.
pub(crate) fn weigh(case: &Case, subject: &Subject, findings: &mut [Finding]) {
    if subject.two_hosts.is_some() {
        for f in findings.iter_mut() {
            match &mut f.bearing {
                Bearing::Implicates(domains) => spread(domains),
                Bearing::Exonerates(_) | Bearing::RulesOut(_) => f.bearing = Bearing::Context,
                Bearing::Context => continue,
            }
            f.text.push_str("; the readings are of two hosts");
        }
        return;
    }
    if case.mixed_hosts.is_empty() {
        return;
    }
    let note = format!("; the log lines of {} are mixed", listed(&case.mixed_hosts));
    let mut accused: Vec<(Side, Option<String>)> = Vec::new();
    for f in findings.iter_mut().filter(|f| f.kind == Kind::Log) {
        if let Some((d, s)) = f.accuses()
            && s >= Strength::Moderate
        {
            accused.push((d.side(), f.member.clone()));
        }
        match &mut f.bearing {
            Bearing::Implicates(domains) => spread(domains),
            Bearing::Exonerates(_) | Bearing::RulesOut(_) => f.bearing = Bearing::Context,
            Bearing::Context => continue,
        }
        f.text.push_str(&note);
    }
    // It may have been this host all the same: what the log says against a side keeps it from being cleared.
    for f in findings.iter_mut() {
        if let Bearing::Exonerates(side) = f.bearing
            && accused
                .iter()
                .any(|(s, m)| *s == side && (m.is_none() || f.member.is_none() || *m == f.member))
        {
            f.bearing = Bearing::Context;
            f.text.push_str("; a log that may be this host's speaks against it");
        }
    }
}

/// Domains of one side become suspects among others: they no longer decide.
fn spread(domains: &mut Vec<(D, Strength)>) {
    let sides: BTreeSet<Side> = domains.iter().map(|(d, _)| d.side()).collect();
    if sides.len() > 1 {
        return;
    }
    for other in [D::Physical, D::SwitchControlPlane, D::HostDriverFirmware] {
        if !sides.contains(&other.side()) {
            domains.push((other, Strength::Weak));
        }
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [front @ .., last] if !front.is_empty() => format!("{} and {last}", front.join(", ")),
        _ => names.concat(),
    }
}

const ONE: &str = "give the evidence of one host at a time";

/// What was left out, or could not be used, because it is of other hosts. The lines are there and could be read; what was
/// not recognised in them is this host.
pub(crate) fn needs(case: &Case) -> Vec<Need> {
    let need = |what: String, fix: String| Need {
        what,
        why: "not recognised",
        matters_for: vec![D::HostDriverFirmware, D::HostStarvation, D::Physical],
        fix,
    };
    let owner = case.host.0.as_deref().unwrap_or("the host");
    let mut needs: Vec<Need> = case
        .other_hosts
        .iter()
        .map(|(host, n)| {
            need(
                format!("kernel log lines of {host} ({n} lines)"),
                format!("left out, the bond is that of {owner}; {ONE}"),
            )
        })
        .collect();
    if !case.mixed_hosts.is_empty() {
        needs.push(need(
            format!("the owner of the kernel log lines of {}", listed(&case.mixed_hosts)),
            format!("the logs are mixed, and nothing tells whose bond this is: no log line decides; {ONE}"),
        ));
    }
    needs
}

/// The need of a subject whose readings are of two hosts.
pub(crate) fn need(subject: &Subject) -> Option<Need> {
    let why = subject.two_hosts.as_ref()?;
    Some(Need {
        what: format!("readings of two hosts in {}", subject.name),
        why: "not recognised",
        matters_for: Vec::new(),
        fix: format!("{why}: {ONE}; if a NIC was replaced, only what was read since"),
    })
}
