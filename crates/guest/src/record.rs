//! What is recorded of an incident: the evidence that its scenario declares, and apart from it what else there is.
//!
//! Files of the host begin with `host-`, or lie in a folder `snap-...` and begin so there; those of the far end begin with
//! `sw-`, the second half of an MLAG pair with `swB-`, and are there only if the scenario says so. Below `extra` lies what
//! the judge does not get: the far end's view in any case, the bonds' states second by second. `events.txt` has what was
//! injected. Every file of a snapshot begins with the two lines that live evidence has too (ADR 0007): when it was read,
//! and what was read.

use crate::capture::{self, Capture};
use crate::difflog::DiffLog;
use crate::kmsg;
use crate::programs::{self, Place};
use crate::topology::Topology;
use anyhow::{Context, Result};
use bondwitness_host::namespace;
use bondwitness_lab::incident::{Capture as Shape, Evidence, Incident, LogShape};
use bondwitness_lab::view::LogLine;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The recorders of one incident.
pub(crate) struct Recorder {
    out: PathBuf,
    evidence: Evidence,
    hostname: String,
    /// The host's `/sys`, and files of its `/proc/net` that are read again.
    sys: PathBuf,
    proc_net: Vec<(&'static str, File)>,
    bonds: Vec<BondView>,
    captures: Vec<(Place, Capture)>,
    /// Interfaces of the host and of the far end, for the kernel log.
    host_names: Vec<String>,
    far_names: Vec<String>,
    host_log: Vec<LogLine>,
    far_log: Vec<LogLine>,
    events: String,
    /// When the bond was opened: nanoseconds since 1970.
    opened: i64,
    /// Programs that are still writing.
    running: Vec<Child>,
    monitor: Option<Child>,
    /// What went wrong with the recording itself.
    pub(crate) broken: Vec<String>,
}

/// A bond whose state is read again and again.
struct BondView {
    place: Place,
    name: String,
    proc: File,
    log: DiffLog,
}

impl BondView {
    /// The descriptor keeps its namespace, so no thread has to enter it for a reading.
    fn open(topology: &Topology, place: Place, bond: &str) -> Result<Self> {
        let proc = open_proc(topology, place, &format!("bonding/{bond}"))?;
        Ok(Self { place, name: bond.to_owned(), proc, log: DiffLog::default() })
    }
}

/// Opens a file of the `/proc/net` of a place.
fn open_proc(topology: &Topology, place: Place, name: &str) -> Result<File> {
    let path = format!("/proc/thread-self/net/{name}");
    topology.at(place).with(|| File::open(&path))?.with_context(|| format!("cannot open {path}"))
}

fn read_again(file: &File) -> String {
    let mut bytes = Vec::new();
    let mut page = [0; 8192];
    while let Ok(n) = file.read_at(&mut page, bytes.len() as u64) {
        if n == 0 {
            break;
        }
        bytes.extend(page.get(..n).unwrap_or_default());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a file of this place begins with.
const fn prefix(place: Place) -> &'static str {
    match place {
        Place::Root | Place::Host | Place::Wire => "host",
        Place::Far(0) => "sw",
        Place::Far(_) => "swB",
    }
}

/// What is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The evidence that the scenario declares, and what else there is.
    Declared,
    /// What both ends do, for `--compare`; the evidence is another program's business.
    BothEnds,
    /// What was injected, and the kernel log.
    Nothing,
}

impl Recorder {
    /// Gets everything ready; it runs from now on.
    pub(crate) fn start(
        incident: &Incident,
        topology: &Topology,
        out: PathBuf,
        scope: Scope,
    ) -> Result<Self> {
        let names = topology.names;
        fs::create_dir_all(out.join("extra")).with_context(|| format!("cannot make {}", out.display()))?;
        let sys = PathBuf::from("/ns").join(names.bond());
        if scope == Scope::Declared {
            fs::create_dir_all(&sys).context("cannot make a place for sysfs")?;
            topology.at(Place::Host).with(|| namespace::mount_sysfs(&sys))?.context("cannot mount sysfs")?;
        }
        let mut bonds = Vec::new();
        let mut captures = Vec::new();
        if scope != Scope::Nothing {
            bonds.push(BondView::open(topology, Place::Host, &names.bond())?);
            for half in (0..topology.halves()).filter(|_| !topology.speaker) {
                bonds.push(BondView::open(topology, Place::Far(half), &names.far_bond(half))?);
            }
            for i in 0..topology.members {
                captures.push((Place::Host, Capture::start(topology.at(Place::Host), &names.member(i))?));
                let far = Place::Far(topology.half_of(i));
                captures.push((far, Capture::start(topology.at(far), &names.port(i))?));
            }
        }
        let evidence = match scope {
            Scope::Declared => incident.evidence.clone(),
            Scope::BothEnds | Scope::Nothing => none_of(&incident.evidence),
        };
        let mut proc_net = Vec::new();
        if evidence.protocol_counters {
            for name in ["snmp", "netstat"] {
                proc_net.push((name, open_proc(topology, Place::Host, name)?));
            }
        }
        Ok(Self {
            sys,
            proc_net,
            bonds,
            captures,
            host_names: (0..topology.members).map(|i| names.member(i)).chain([names.bond()]).collect(),
            far_names: (0..topology.members)
                .map(|i| names.port(i))
                .chain((0..topology.halves()).map(|h| names.far_bond(h)))
                .collect(),
            hostname: incident.topology.host.name.clone(),
            host_log: Vec::new(),
            far_log: Vec::new(),
            events: String::new(),
            opened: nanoseconds(),
            running: Vec::new(),
            monitor: None,
            broken: Vec::new(),
            evidence,
            out,
        })
    }

    /// The time has come from which on events are recorded: somebody has noticed, and looks.
    pub(crate) fn watch(&mut self, topology: &Topology) -> Result<()> {
        if self.evidence.monitor {
            let file = self.create("host-ip-monitor-link.txt")?;
            let monitor = ["-ts", "-d", "monitor", "link"];
            self.monitor = Some(programs::start(topology.at(Place::Host), "/usr/bin/ip", &monitor, file)?);
        }
        Ok(())
    }

    /// The bond is opened now.
    pub(crate) fn opened(&mut self) {
        self.opened = nanoseconds();
        self.event("bond opened");
    }

    fn create(&self, name: &str) -> Result<File> {
        File::create(self.out.join(name)).with_context(|| format!("cannot create {name}"))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        // A command that prints nothing leaves nothing to paste.
        if bytes.is_empty() {
            return Ok(());
        }
        fs::write(self.out.join(name), bytes).with_context(|| format!("cannot write {name}"))
    }

    /// A file of a snapshot that a program will write on into.
    fn begin(&self, name: &str, source: &str) -> Result<File> {
        let mut file = self.create(name)?;
        file.write_all(head(source).as_bytes()).with_context(|| format!("cannot write {name}"))?;
        Ok(file)
    }

    /// A file of a snapshot that was read in one go.
    fn reading(&self, name: &str, source: &str, text: &[u8]) -> Result<()> {
        self.begin(name, source)?.write_all(text).with_context(|| format!("cannot write {name}"))
    }

    /// A line of the list of what was injected.
    pub(crate) fn event(&mut self, what: &str) {
        let _ = writeln!(self.events, "{:.3} {what}", seconds());
    }

    /// A line of the kernel log, if it is about this incident.
    pub(crate) fn kernel_line(&mut self, line: &LogLine) {
        let about = |names: &[String]| names.iter().any(|n| kmsg::names(&line.text, n));
        if about(&self.host_names) {
            self.host_log.push(line.clone());
        } else if about(&self.far_names) {
            self.far_log.push(line.clone());
        }
    }

    /// The regular round: captures and the states of the bonds.
    pub(crate) fn round(&mut self) {
        for (_, capture) in &mut self.captures {
            capture.drain();
        }
        let now = seconds();
        for bond in &mut self.bonds {
            let text = read_again(&bond.proc);
            bond.log.reading(now, &text);
        }
        let mut failed = Vec::new();
        self.running.retain_mut(|child| match child.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) if status.success() => false,
            Ok(Some(status)) => {
                failed.push(format!("a snapshot's program ended with {status}"));
                false
            }
            Err(e) => {
                failed.push(format!("a snapshot's program was lost: {e}"));
                false
            }
        });
        self.broken.extend(failed);
    }

    /// A snapshot of the host's state: what an administrator would paste. `filters` are the members that have a filter of
    /// tc, and whether nft has a rule: where there is none, the commands print nothing.
    pub(crate) fn snapshot(&mut self, topology: &Topology, number: usize, filters: &Filters) -> Result<()> {
        let last = self.evidence.snapshots_ms.len().saturating_sub(1);
        let label = match number {
            0 => "before".to_owned(),
            n if n == last => "after".to_owned(),
            n => format!("during-{n}"),
        };
        let folder = format!("snap-{label}");
        fs::create_dir_all(self.out.join(&folder)).context("cannot make a snapshot's folder")?;
        fs::create_dir_all(self.out.join("extra").join(&folder))
            .context("cannot make a snapshot's folder")?;
        for bond in self.bonds.iter().filter(|b| b.place != Place::Host) {
            let name = format!("{folder}/{}-proc-bonding.txt", prefix(bond.place));
            let source = format!("/proc/net/bonding/{}", bond.name);
            let text = read_again(&bond.proc);
            self.reading(&format!("extra/{name}"), &source, text.as_bytes())?;
            if self.evidence.far_end {
                self.reading(&name, &source, text.as_bytes())?;
            }
        }
        let bond = topology.names.bond();
        let mut programs: Vec<(String, &str, Vec<&str>)> = Vec::new();
        let mut add = |file: &str, program, args: &[&'static str]| {
            programs.push((file.to_owned(), program, args.to_vec()));
        };
        let (ip, tc) = ("/usr/bin/ip", "/usr/sbin/tc");
        if self.evidence.links {
            add("host-ip-s-d-link.txt", ip, &["-s", "-d", "link"]);
        }
        if self.evidence.xstats {
            let group =
                ["-j", "stats", "show", "group", "xstats_slave", "subgroup", "bond", "suite", "802.3ad"];
            add("host-xstats-slave.json", ip, &group);
        }
        if self.evidence.multicast {
            add("host-ip-maddr.txt", ip, &["maddr"]);
        }
        if self.evidence.filters {
            add("host-tc-s-qdisc.txt", tc, &["-s", "qdisc", "show"]);
            if filters.nft {
                add("host-nft-list-ruleset.txt", "/usr/sbin/nft", &["list", "ruleset"]);
            }
        }
        let proc = format!("/proc/net/bonding/{bond}");
        if self.evidence.proc && self.evidence.privileged {
            let text = self.bonds.first().map(|b| read_again(&b.proc)).unwrap_or_default();
            self.reading(&format!("{folder}/host-proc-bonding.txt"), &proc, text.as_bytes())?;
        } else if self.evidence.proc {
            // bonding looks at who reads: the rest of its text is for administrators.
            let file = self.begin(&format!("{folder}/host-proc-bonding.txt"), &proc)?;
            let args = ["cat", &proc];
            let child = programs::start_as_nobody(topology.at(Place::Host), "/bin/busybox", &args, file)?;
            self.running.push(child);
        }
        for m in self.host_names.iter().filter(|n| **n != bond) {
            let mut each = |what: &str, program, args: Vec<_>| {
                programs.push((format!("host-{what}-{m}.txt"), program, args));
            };
            if self.evidence.filters && filters.tc.contains(m) {
                each("tc-s-filter-egress", tc, vec!["-s", "filter", "show", "dev", m, "egress"]);
                each("tc-s-filter-ingress", tc, vec!["-s", "filter", "show", "dev", m, "ingress"]);
            }
            if self.evidence.nic_counters {
                each("ethtool-S", "/usr/sbin/ethtool", vec!["-S", m]);
            }
            if self.evidence.nic_settings && number == last {
                each("ethtool", "/usr/sbin/ethtool", vec![m]);
                each("ethtool-i", "/usr/sbin/ethtool", vec!["-i", m]);
            }
        }
        for (name, program, args) in programs {
            let typed = program.rsplit('/').next().unwrap_or(program);
            let file = self.begin(&format!("{folder}/{name}"), &format!("{typed} {}", args.join(" ")))?;
            self.running.push(programs::start(topology.at(Place::Host), program, &args, file)?);
        }
        for (name, file) in &self.proc_net {
            let text = read_again(file);
            let to = format!("{folder}/host-proc-net-{name}.txt");
            self.reading(&to, &format!("/proc/net/{name}"), text.as_bytes())?;
        }
        if self.evidence.load {
            let softnet = fs::read("/proc/net/softnet_stat").context("cannot read softnet_stat")?;
            let to = format!("{folder}/host-softnet_stat.txt");
            self.reading(&to, "/proc/net/softnet_stat", &softnet)?;
        }
        if self.evidence.sysfs {
            let source = format!("cd /sys/class/net/{bond}; grep . bonding/* lower_*/bonding_slave/*");
            self.reading(&format!("{folder}/host-sysfs.txt"), &source, self.sysfs(&bond).as_bytes())?;
            let to = format!("{folder}/host-carrier.txt");
            self.reading(&to, "/sys/class/net", self.carriers().as_bytes())?;
        }
        self.event(&format!("snapshot {label}"));
        Ok(())
    }

    /// As `grep -H . bonding/* lower_*/bonding_slave/*` prints it, run in the bond's folder.
    fn sysfs(&self, bond: &str) -> String {
        let folder = self.sys.join("class/net").join(bond);
        let mut text = String::new();
        grep(&folder, "bonding", &mut text);
        for lower in self.host_names.iter().filter(|n| *n != bond) {
            grep(&folder, &format!("lower_{lower}/bonding_slave"), &mut text);
        }
        text
    }

    fn carriers(&self) -> String {
        let mut text = String::new();
        for name in &self.host_names {
            for file in ["carrier", "carrier_changes", "carrier_up_count", "carrier_down_count", "operstate"]
            {
                let value = fs::read_to_string(self.sys.join("class/net").join(name).join(file));
                // As `cat` says it of an interface that is down.
                let value = value.unwrap_or_else(|_| "Invalid argument".to_owned());
                let _ = writeln!(text, "/sys/class/net/{name}/{file} {}", value.trim_end());
            }
        }
        text
    }

    /// Ends the recording and writes everything that is still in memory.
    pub(crate) fn finish(&mut self, booted: u64) -> Result<()> {
        self.round();
        if let Some(mut monitor) = self.monitor.take() {
            monitor.kill().context("cannot stop the monitor")?;
            monitor.wait().context("cannot wait for the monitor")?;
        }
        for mut child in std::mem::take(&mut self.running) {
            let status = child.wait().context("cannot wait for a snapshot's program")?;
            if !status.success() {
                self.broken.push(format!("a snapshot's program ended with {status}"));
            }
        }
        self.captures()?;
        for bond in &self.bonds {
            self.write(&format!("extra/{}-proc-timeline.txt", prefix(bond.place)), bond.log.text.as_bytes())?;
        }
        if let Some((name, text)) = kmsg::saved(&self.host_log, self.evidence.log, booted, &self.hostname) {
            self.write(name, text.as_bytes())?;
        }
        for (name, lines) in [("extra/host-dmesg.txt", &self.host_log), ("extra/sw-dmesg.txt", &self.far_log)]
        {
            let shape = LogShape::Dmesg;
            if let Some((_, text)) = kmsg::saved(lines, shape, booted, &self.hostname) {
                self.write(name, text.as_bytes())?;
            }
        }
        self.write("events.txt", self.events.as_bytes())?;
        self.write("broken.txt", (self.broken.join("\n")).as_bytes())?;
        remove_empty(&self.out)
    }

    /// The captures, in the shape and over the time that survive.
    fn captures(&mut self) -> Result<()> {
        let ms = |ms: u64| i64::try_from(ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        let span = (
            self.opened.saturating_add(ms(self.evidence.capture_from_ms)),
            nanoseconds().saturating_sub(ms(self.evidence.capture_until_ms)),
        );
        let all = (0, i64::MAX);
        let mut counts = String::new();
        for (place, capture) in &self.captures {
            let name = &capture.name;
            let (received, sent, lost) = capture.counts();
            let _ = writeln!(counts, "capture {name} in {received} out {sent} lost {lost}");
            self.write(&format!("extra/{}-{name}.pcapng", prefix(*place)), &capture.pcapng(all))?;
            if *place != Place::Host {
                if self.evidence.far_end {
                    self.write(&format!("{}-{name}.pcapng", prefix(*place)), &capture.pcapng(span))?;
                }
                continue;
            }
            match self.evidence.capture {
                Shape::None | Shape::Any => {}
                Shape::Directed => self.write(&format!("host-{name}.pcapng"), &capture.pcapng(span))?,
                Shape::Plain => self.write(&format!("host-{name}.pcap"), &capture.pcap(span, false))?,
                Shape::Incoming => self.write(&format!("host-{name}.pcap"), &capture.pcap(span, true))?,
            }
        }
        if self.evidence.capture == Shape::Any {
            let host: Vec<&Capture> =
                self.captures.iter().filter(|(p, _)| *p == Place::Host).map(|(_, c)| c).collect();
            self.write("host-any.pcap", &capture::any(&host, span))?;
        }
        self.events.push_str(&counts);
        Ok(())
    }

    /// The folder of the evidence.
    pub(crate) fn out(&self) -> &Path {
        &self.out
    }
}

/// Times as declared, and nothing that is recorded.
fn none_of(declared: &Evidence) -> Evidence {
    Evidence {
        capture: Shape::None,
        capture_from_ms: declared.capture_from_ms,
        capture_until_ms: declared.capture_until_ms,
        proc: false,
        privileged: false,
        links: false,
        xstats: false,
        nic_counters: false,
        nic_settings: false,
        filters: false,
        multicast: false,
        load: false,
        protocol_counters: false,
        sysfs: false,
        monitor: false,
        log: LogShape::None,
        far_end: false,
        snapshots_ms: Vec::new(),
    }
}

/// What drops frames on the host at the moment.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    /// Members with a filter of tc.
    pub(crate) tc: Vec<String>,
    /// nft has rules.
    pub(crate) nft: bool,
}

/// Every readable file of a folder, each line after the file's name.
fn grep(base: &Path, folder: &str, to: &mut String) {
    let Ok(entries) = fs::read_dir(base.join(folder)) else { return };
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for line in text.lines().filter(|l| !l.is_empty()) {
            let _ = writeln!(to, "{folder}/{name}:{line}");
        }
    }
}

/// The two lines before a reading: the time, and the file or command.
fn head(source: &str) -> String {
    let now = since_1970();
    format!("@@ {}.{:09}\n==> {source} <==\n", now.as_secs(), now.subsec_nanos())
}

/// Removes files without content and folders without files.
fn remove_empty(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).context("cannot list the evidence")? {
        let entry = entry?;
        let kind = entry.metadata()?;
        if kind.is_dir() {
            remove_empty(&entry.path())?;
            // Fails where something is left in it, which is the point.
            let _ = fs::remove_dir(entry.path());
        } else if kind.len() == 0 {
            fs::remove_file(entry.path()).context("cannot remove an empty file")?;
        }
    }
    Ok(())
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}

fn seconds() -> f64 {
    since_1970().as_secs_f64()
}

fn nanoseconds() -> i64 {
    i64::try_from(since_1970().as_nanos()).unwrap_or(i64::MAX)
}
