//! Everything that is known of one host in one window, ordered by bond and member: the only input of a check.

use crate::capture::{Capture, fold};
use crate::collection::v1::Collection;
use crate::evidence::{
    Aggregator, Citation, Direction, Field, Fields, FileId, Hook, KernelLine, Link, Meaning, Qdisc, Record,
    TextPdu, What,
};
use crate::parse::Parsed;
use crate::series::Series;
use crate::units::{Clock, Mac, Stamp};
use lacp::PortState;
use std::collections::{BTreeMap, BTreeSet};

mod bonds;
mod names;

/// One input file after parsing.
#[derive(Debug, Clone)]
pub struct File {
    /// Path relative to the case.
    pub path: String,
    /// SHA-256 in hex, if it was computed.
    pub sha256: Option<String>,
    /// Format ids.
    pub recognised: Vec<&'static str>,
    /// What was wrong with it.
    pub problem: Option<String>,
    /// Lines understood, not understood in known blocks, outside known blocks.
    pub lines: (u64, u64, u64),
    /// True if its name says that it comes from the other end (`sw-...`, `switch/...`): never used as a fact about
    /// the host.
    pub far_end: bool,
}

/// A capture that was folded, with the file it came from.
#[derive(Debug, Clone)]
pub struct CaptureFile {
    /// The file.
    pub file: FileId,
    /// Its content.
    pub capture: Capture,
    /// False if the frames carry no usable time (pasted text): no cadence may be judged.
    pub timed: bool,
}

/// What is known of one member of a bond.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// The interface.
    pub name: String,
    /// Permanent address.
    pub perm: Option<Mac>,
    /// LACP port number.
    pub port: Option<u16>,
    /// Its wire, if a capture shows it.
    pub wire: Option<crate::wire::Wire>,
    /// States seen in snapshots, oldest first where the order is known.
    pub states: Vec<MemberState>,
}

/// One reading of a member's state.
#[derive(Debug, Clone)]
pub struct MemberState {
    /// Where.
    pub at: Citation,
    /// When.
    pub time: Option<Stamp>,
    /// Format.
    pub source: &'static str,
    /// `up`, `down`, `going down`, `going back`.
    pub mii: Option<String>,
    /// Mb/s.
    pub speed: Option<u64>,
    /// `full`, `half`, ...
    pub duplex: Option<String>,
    /// Link failures counted.
    pub failures: Option<u64>,
    /// Aggregator id.
    pub aggregator: Option<u64>,
    /// Actor port state.
    pub actor: Option<PortState>,
    /// Partner port state.
    pub partner: Option<PortState>,
    /// Partner system.
    pub partner_system: Option<Mac>,
    /// Partner key.
    pub partner_key: Option<u64>,
    /// Own system.
    pub actor_system: Option<Mac>,
    /// Own key.
    pub actor_key: Option<u64>,
    /// Churn states and counts: actor, partner.
    pub churn: (Option<String>, Option<String>, Option<u64>, Option<u64>),
}

/// One reading of a bond's own state.
#[derive(Debug, Clone)]
pub struct BondState {
    /// Where.
    pub at: Citation,
    /// When.
    pub time: Option<Stamp>,
    /// Format.
    pub source: &'static str,
    /// Fields, in the keys of `/proc/net/bonding`.
    pub fields: Fields,
    /// Members named.
    pub members: Vec<String>,
    /// True for a reading of everything (not a change line, not an `ip link` line).
    pub full: bool,
}

/// What a bond does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// 802.3ad: LACP.
    Lacp,
    /// active-backup.
    ActiveBackup,
    /// xor, round-robin, broadcast: a static aggregate on the switch.
    Static,
    /// tlb or alb: nothing to agree with the switch.
    Adaptive,
    /// Not told.
    Unknown,
}

impl Mode {
    /// Recognises `/proc/net/bonding`, sysfs, `ip -d` and configuration words, numbers included.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let t = text.to_ascii_lowercase();
        let word = t.split([' ', '(']).next().unwrap_or("");
        match word {
            "4" | "802.3ad" | "lacp" => return Self::Lacp,
            "1" | "active-backup" | "activebackup" => return Self::ActiveBackup,
            "0" | "2" | "3" | "balance-rr" | "balance-xor" | "broadcast" | "roundrobin" => {
                return Self::Static;
            }
            "5" | "6" | "balance-tlb" | "balance-alb" => return Self::Adaptive,
            _ => {}
        }
        if t.contains("802.3ad") || t.contains("lacp") {
            Self::Lacp
        } else if t.contains("active-backup") || t.contains("activebackup") {
            Self::ActiveBackup
        } else if t.contains("round-robin")
            || t.contains("xor")
            || t.contains("broadcast")
            || t.contains("roundrobin")
        {
            Self::Static
        } else if t.contains("load balancing") || t.contains("loadbalance") {
            Self::Adaptive
        } else {
            Self::Unknown
        }
    }

    /// The name users know.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Lacp => Some("802.3ad"),
            Self::ActiveBackup => Some("active-backup"),
            Self::Static => Some("static"),
            Self::Adaptive => Some("adaptive"),
            Self::Unknown => None,
        }
    }
}

/// One bond (or, where there is none, one interface) with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// True for a bond.
    pub bond: bool,
    /// Which software aggregates.
    pub aggregator: Aggregator,
    /// The mode.
    pub mode: Mode,
    /// The mode in the words of the evidence.
    pub mode_text: Option<String>,
    /// Where the mode was read.
    pub mode_at: Option<Citation>,
    /// Readings of the bond.
    pub states: Vec<BondState>,
    /// The members. For an interface: the interface itself.
    pub members: Vec<Member>,
    /// The bond's own LACP system, if known.
    pub system: Option<Mac>,
    /// How its readings contradict each other as only those of two hosts do: nothing in them may decide.
    pub two_hosts: Option<String>,
}

impl Subject {
    /// The names of the members.
    pub fn member_names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|m| m.name.as_str())
    }
    /// The latest value of a bond-wide field, with its place.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&Field> {
        self.states.iter().rev().find_map(|s| s.fields.get(key))
    }
    /// All values a bond-wide field had.
    pub fn fields<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Field> {
        self.states.iter().filter_map(move |s| s.fields.get(key))
    }
}

/// The case.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Input files by [`FileId`].
    pub files: Vec<File>,
    /// Facts about the host, in file order.
    pub records: Vec<Record>,
    /// Captures.
    pub captures: Vec<CaptureFile>,
    /// Bonds; or interfaces if there is no bond.
    pub subjects: Vec<Subject>,
    /// Counters by interface (`""`: host-wide), in a fixed order.
    pub counters: BTreeMap<String, Vec<Series>>,
    /// Host name, kernel release, boot id, where the evidence tells.
    pub host: (Option<String>, Option<String>, Option<String>),
    /// Systems that are this host's own.
    pub own_systems: BTreeSet<Mac>,
    /// Interfaces that belong to no hardware (`veth`, `dummy`, ...): their netdev counters are the MAC counters.
    pub virtual_devs: BTreeSet<String>,
    /// True if any file came from the other end.
    pub far_end: bool,
    /// The other end's own evidence (a Linux host or switch), ordered as a case of its own. It has the same files; never a
    /// fact about this host.
    pub other_end: Option<Box<Self>>,
    /// No evidence names the host's own system; it was taken from the defaults of Linux in the PDUs
    /// ([`looks_like_linux`]): nothing that rests on it may be called more than indicative.
    pub own_assumed: bool,
    /// Hosts whose log lines are among the records and cannot be told apart: no finding from a log may decide.
    pub mixed_hosts: Vec<String>,
    /// What collections say of themselves (`case.json`), each with its file.
    pub collections: Vec<(FileId, Collection)>,
    /// Hosts other than the one the evidence is about, with the number of log lines that were left out.
    pub other_hosts: Vec<(String, u64)>,
}

/// The defaults of Linux bonding and teamd: system priority 65535, port priority 255 (kernel-facts section 2).
#[must_use]
pub const fn looks_like_linux(end: &lacp::PortInfo) -> bool {
    end.system_priority == 65535 && end.port_priority == 255
}

/// True if the path says that the file comes from the other end of the wire.
#[must_use]
pub fn far_end_hint(path: &str) -> bool {
    path.to_ascii_lowercase().split(['/', '-', '_', '.', ' ']).any(|t| {
        matches!(
            t,
            "sw" | "sw1"
                | "sw2"
                | "swa"
                | "swb"
                | "switch"
                | "switches"
                | "farend"
                | "far"
                | "tor"
                | "peer"
                | "remote"
        )
    })
}

impl Case {
    /// Kernel lines, with their record.
    pub fn kernel(&self) -> impl Iterator<Item = (&Record, &KernelLine)> {
        self.records.iter().filter_map(|r| if let What::Kernel(k) = &r.what { Some((r, k)) } else { None })
    }
    /// Kernel lines about an interface or its bond.
    pub fn kernel_of<'a>(&'a self, dev: &'a str) -> impl Iterator<Item = (&'a Record, &'a KernelLine)> {
        self.kernel().filter(move |(_, k)| k.dev.as_deref() == Some(dev))
    }
    /// Interface snapshots.
    pub fn links(&self) -> impl Iterator<Item = (&Record, &Link)> {
        self.records.iter().filter_map(|r| if let What::Link(l) = &r.what { Some((r, l)) } else { None })
    }
    /// Settings of a format, of one interface or any.
    pub fn settings<'a>(
        &'a self,
        source: &'a str,
        dev: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Record, &'a Fields)> {
        self.records.iter().filter_map(move |r| match &r.what {
            What::Fields(f) if f.source == source && (dev.is_none() || f.dev.as_deref() == dev) => {
                Some((r, f))
            }
            _ => None,
        })
    }
    /// Configuration files.
    pub fn configs(&self) -> impl Iterator<Item = (&Record, &Fields)> {
        self.records.iter().filter_map(|r| if let What::Config(f) = &r.what { Some((r, f)) } else { None })
    }
    /// Queueing disciplines.
    pub fn qdiscs(&self) -> impl Iterator<Item = (&Record, &Qdisc)> {
        self.records.iter().filter_map(|r| if let What::Qdisc(q) = &r.what { Some((r, q)) } else { None })
    }
    /// Attached programs and filters.
    pub fn hooks(&self) -> impl Iterator<Item = (&Record, &Hook)> {
        self.records.iter().filter_map(|r| if let What::Hook(h) = &r.what { Some((r, h)) } else { None })
    }
    /// The series of an interface with a meaning.
    pub fn series<'a>(&'a self, dev: &str, meaning: Meaning) -> impl Iterator<Item = &'a Series> {
        self.counters.get(dev).into_iter().flatten().filter(move |s| s.meaning == meaning)
    }
    /// The driver of an interface, if anything tells.
    #[must_use]
    pub fn driver<'a>(&'a self, dev: &'a str) -> Option<&'a str> {
        self.settings("ethtool-i", Some(dev))
            .find_map(|(_, f)| f.text("driver"))
            .or_else(|| {
                self.kernel_of(dev).find_map(|(_, k)| k.driver.as_deref().filter(|d| *d != "bonding"))
            })
            // `ethtool -S` does not say whose counters it prints; their names may.
            .or_else(|| {
                let nic = self.counters.get(dev)?.iter().filter(|s| s.source.starts_with("ethtool"));
                crate::parse::counter_meaning::driver_of(nic.map(|s| s.name.as_str()))
            })
    }
    /// The path of a citation's file.
    #[must_use]
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("?", |f| f.path.as_str())
    }
    /// True if a format was recognised in any file of the host.
    #[must_use]
    pub fn has(&self, format: &str) -> bool {
        self.files.iter().any(|f| !f.far_end && f.recognised.contains(&format))
    }
}

/// One file as it goes into the case.
pub struct Piece {
    /// The file.
    pub file: File,
    /// Its records, if it is text.
    pub parsed: Option<Parsed>,
    /// Its frames, if it is a capture.
    pub capture: Option<Capture>,
    /// What it says of the collection that it belongs to.
    pub collection: Option<Collection>,
}

/// Frames read from text, by file.
type TextPdus = BTreeMap<FileId, Vec<(Option<Stamp>, Citation, TextPdu)>>;

/// Orders all pieces by bond and member.
#[must_use]
pub fn build(pieces: Vec<Piece>) -> Case {
    // What the other end collected on itself is read like what this one did, apart from it.
    let (mut case, mut far) = (Case::default(), Case::default());
    let (mut text_pdus, mut far_pdus) = (TextPdus::new(), TextPdus::new());
    for (i, piece) in pieces.into_iter().enumerate() {
        let id = FileId(u32::try_from(i).unwrap_or(u32::MAX));
        let is_far = piece.file.far_end;
        case.far_end |= is_far;
        if let Some(collection) = piece.collection.filter(|_| !is_far) {
            case.collections.push((id, collection));
        }
        case.files.push(piece.file);
        if let Some(capture) = piece.capture {
            if is_far {
                far.captures.push(CaptureFile { file: id, capture: capture.clone(), timed: true });
            }
            case.captures.push(CaptureFile { file: id, capture, timed: true });
        }
        let Some(parsed) = piece.parsed else { continue };
        for record in parsed.records {
            // A switch's command line speaks about the switch wherever it was saved.
            let of_far = is_far && !matches!(record.what, What::Switch(_));
            let (records, pdus) =
                if of_far { (&mut far.records, &mut far_pdus) } else { (&mut case.records, &mut text_pdus) };
            if let What::Pdu(pdu) = &record.what {
                pdus.entry(id).or_default().push((record.time, record.at, pdu.clone()));
            }
            records.push(record);
        }
    }
    if !far.records.is_empty() || far.captures.iter().any(|c| c.capture.lacpdus > 0) {
        far.files = case.files.iter().map(|f| File { far_end: !f.far_end, ..f.clone() }).collect();
        case.other_end = Some(Box::new(assemble(far, far_pdus)));
    }
    assemble(case, text_pdus)
}

/// Orders the records of one end.
fn assemble(mut case: Case, text_pdus: TextPdus) -> Case {
    for (file, pdus) in text_pdus {
        case.captures.push(from_text(file, &pdus));
    }
    names::resolve(&mut case);
    let ambiguous = crate::hosts::separate(&mut case);
    crate::hosts::by_slot(&mut case);
    host_facts(&mut case);
    if ambiguous {
        // The first name found would be one of several.
        case.host = (None, None, None);
    }
    resolve_bus_ids(&mut case);
    virtual_devices(&mut case);
    case.counters = crate::series::of(&case);
    bonds::bonds(&mut case);
    own_systems(&mut case);
    crate::attach::attach(&mut case);
    if case.subjects.is_empty() {
        interfaces(&mut case);
    }
    crate::hosts::mark(&mut case);
    case
}

/// Frames of pasted text take the same road as captured ones.
fn from_text(file: FileId, pdus: &[(Option<Stamp>, Citation, TextPdu)]) -> CaptureFile {
    let payloads: Vec<Vec<u8>> = pdus.iter().map(|(_, _, p)| p.pdu.encode()).collect();
    let timed = pdus.len() > 1 && pdus.iter().all(|(t, _, _)| t.is_some());
    let mut folder = fold::Folder::new();
    for (i, ((time, at, pdu), payload)) in pdus.iter().zip(&payloads).enumerate() {
        let line = match at.place {
            crate::evidence::Place::Lines { first, .. } => u64::from(first),
            crate::evidence::Place::Frame(n) => n,
            crate::evidence::Place::Whole => i as u64 + 1,
        };
        folder.frame(&crate::capture::Frame {
            number: line,
            ns: time.map_or(i64::try_from(i).unwrap_or(0) * 1_000_000_000, |t| t.ns),
            iface: 0,
            direction: pdu.direction,
            source: crate::capture::Frame::pack(pdu.source.unwrap_or(pdu.pdu.actor.system)),
            tagged: false,
            payload,
        });
    }
    CaptureFile { file, capture: folder.finish(), timed }
}

fn host_facts(case: &mut Case) {
    for r in &case.records {
        match &r.what {
            What::Bond(b) => {
                if let Some(v) = b.fields.text("Ethernet Channel Bonding Driver")
                    && let Some(release) = v.strip_prefix('v')
                    && release.starts_with(|c: char| c.is_ascii_digit())
                    && !release.contains(" (")
                {
                    case.host.1.get_or_insert_with(|| release.to_owned());
                }
            }
            What::Fields(f) => {
                for (slot, keys) in [
                    (&mut case.host.0, ["hostname", "nodename", "Static hostname"]),
                    (&mut case.host.1, ["kernel", "release", "kernel release"]),
                    (&mut case.host.2, ["boot_id", "boot id", "Boot ID"]),
                ] {
                    if slot.is_none() {
                        *slot = keys.iter().find_map(|k| f.text(k)).map(str::to_owned);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Kernel lines that name only the PCI device (`i40e 0000:02:00.0: ...`) get the interface that `ethtool -i` or
/// another line of the log ties to it; else the bus id stands for the interface.
fn resolve_bus_ids(case: &mut Case) {
    let mut by_bus: BTreeMap<String, String> = BTreeMap::new();
    for (_, f) in case.settings("ethtool-i", None) {
        if let (Some(dev), Some(bus)) = (&f.dev, f.text("bus-info")) {
            by_bus.insert(bus.to_owned(), dev.clone());
        }
    }
    for r in &case.records {
        if let What::Kernel(k) = &r.what
            && let (Some(dev), Some(bus)) = (&k.dev, bus_id(&k.text))
            && bus != dev
        {
            by_bus.entry(bus.to_owned()).or_insert_with(|| dev.clone());
        }
    }
    for r in &mut case.records {
        if let What::Kernel(k) = &mut r.what
            && k.dev.is_none()
            && let Some(bus) = bus_id(&k.text)
        {
            let bearing =
                !matches!(k.kind, crate::evidence::KernelKind::Other | crate::evidence::KernelKind::Boot);
            k.dev = by_bus.get(bus).cloned().or_else(|| bearing.then(|| bus.to_owned()));
        }
    }
}

/// The first PCI address in a text: `0000:02:00.0`.
#[must_use]
pub fn bus_id(text: &str) -> Option<&str> {
    text.split([' ', ':', ',']).next()?;
    text.split(' ').map(|w| w.trim_end_matches([':', ','])).find(|w| {
        let b = w.as_bytes();
        b.len() == 12
            && b.get(4) == Some(&b':')
            && b.get(7) == Some(&b':')
            && b.get(10) == Some(&b'.')
            && b.iter().enumerate().all(|(i, c)| matches!(i, 4 | 7 | 10) || c.is_ascii_hexdigit())
    })
}

fn virtual_devices(case: &mut Case) {
    let mut found = BTreeSet::new();
    for (_, l) in case.links() {
        if matches!(
            l.fields.text("kind"),
            Some("veth" | "dummy" | "tap" | "tun" | "netdevsim" | "macvlan" | "ipvlan")
        ) {
            found.insert(l.name.clone());
        }
    }
    for (_, f) in case.settings("ethtool-i", None) {
        if let (Some(dev), Some("veth" | "dummy" | "tun")) = (&f.dev, f.text("driver")) {
            found.insert(dev.clone());
        }
    }
    case.virtual_devs = found;
}

fn own_systems(case: &mut Case) {
    let mut own = BTreeSet::new();
    for s in &case.subjects {
        own.extend(s.system.filter(|m| !m.is_zero()));
    }
    if own.is_empty() {
        // The MAC of the bond device is its system unless ad_actor_system is set.
        for (_, l) in case.links() {
            if case.subjects.iter().any(|s| s.name == l.name)
                && let Some(mac) = l.fields.mac("mac")
            {
                own.insert(mac);
            }
        }
    }
    // What the kernel tagged as outgoing is ours, whatever else is known.
    for c in &case.captures {
        let far = case.files.get(c.file.0 as usize).is_some_and(|f| f.far_end);
        if far {
            continue;
        }
        for sp in &c.capture.speakers {
            if sp.direction == Some(Direction::Out) && sp.pdus > 0 {
                own.extend(sp.changes.iter().map(|c| c.actor.system).filter(|m| !m.is_zero()));
            }
        }
    }
    if own.is_empty() {
        // Unprivileged readings give the members' permanent addresses, from which Linux sends (erratum E-12).
        let perms: BTreeSet<Mac> =
            case.subjects.iter().flat_map(|s| &s.members).filter_map(|m| m.perm).collect();
        for c in
            case.captures.iter().filter(|c| case.files.get(c.file.0 as usize).is_some_and(|f| !f.far_end))
        {
            for sp in c.capture.speakers.iter().filter(|s| perms.contains(&s.source)) {
                own.extend(sp.changes.iter().map(|c| c.actor.system).filter(|m| !m.is_zero()));
            }
        }
    }
    if own.is_empty() {
        own = assumed(case);
        case.own_assumed = !own.is_empty();
    }
    for s in &mut case.subjects {
        if s.system.is_none() && own.len() == 1 {
            s.system = own.first().copied();
        }
    }
    case.own_systems = own;
}

/// Which systems must be the host's if one end of every conversation has the defaults of Linux and the other has not.
fn assumed(case: &Case) -> BTreeSet<Mac> {
    let (mut linux, mut other) = (BTreeSet::new(), BTreeSet::new());
    let mut note = |end: &lacp::PortInfo| {
        if !end.system.is_zero() {
            if looks_like_linux(end) {
                linux.insert(end.system)
            } else {
                other.insert(end.system)
            };
        }
    };
    for c in case.captures.iter().filter(|c| case.files.get(c.file.0 as usize).is_some_and(|f| !f.far_end)) {
        for change in c.capture.speakers.iter().flat_map(|s| &s.changes) {
            note(&change.actor);
            note(&change.partner);
        }
    }
    // Two Linux-like ends, or one that shows both faces: no guess.
    if other.is_empty() || linux.iter().any(|l| other.contains(l)) {
        return BTreeSet::new();
    }
    let talk_to_each_other =
        case.captures.iter().flat_map(|c| &c.capture.speakers).flat_map(|s| &s.changes).any(|c| {
            linux.contains(&c.actor.system) && linux.contains(&c.partner.system)
                || other.contains(&c.actor.system) && other.contains(&c.partner.system)
        });
    if talk_to_each_other { BTreeSet::new() } else { linux }
}

/// Without a bond, the interfaces that the evidence speaks of are the subjects.
fn interfaces(case: &mut Case) {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for r in &case.records {
        match &r.what {
            What::Kernel(k)
                if !matches!(
                    k.kind,
                    crate::evidence::KernelKind::Other | crate::evidence::KernelKind::Boot
                ) =>
            {
                names.extend(k.dev.clone());
            }
            What::Link(l) => {
                names.insert(l.name.clone());
            }
            What::Fields(f) if f.source.starts_with("ethtool") => names.extend(f.dev.clone()),
            What::Counters(c) if c.source.starts_with("ethtool") || c.source == "ip-link" => {
                names.extend(c.dev.clone())
            }
            What::Hook(h) => names.extend(h.dev.clone()),
            What::Drop(d) => names.extend(d.dev.clone()),
            _ => {}
        }
    }
    names.remove("lo");
    for name in names {
        let mut s = bonds::subject(name.clone(), Aggregator::Bonding);
        s.bond = false;
        let states = case
            .links()
            .filter(|(_, l)| l.name == name && !l.flags.is_empty())
            .map(|(r, l)| bonds::link_state(r, l, &|_| None))
            .collect();
        s.members.push(Member { name, states, ..Member::default() });
        case.subjects.push(s);
    }
}

/// Instants of the wall clock are the only ones that may be printed as RFC 3339.
#[must_use]
pub fn wall(time: Option<Stamp>) -> Option<i64> {
    time.filter(|t| t.clock == Clock::Wall).map(|t| t.ns)
}
