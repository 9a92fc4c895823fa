//! What is recorded of an incident: the host's own evidence, and apart from it what the far end saw.
//!
//! Files of the host begin with `host-`, or lie in a folder `snap-...` and begin so there. Files of the far end begin with
//! `sw-`, the second half of an MLAG pair with `swB-`. `events.txt` has what was injected.

use crate::capture::Capture;
use crate::difflog::DiffLog;
use crate::kmsg;
use crate::programs::{self, Place};
use crate::topology::Topology;
use anyhow::{Context, Result};
use bondwitness_host::namespace::{self, Namespace};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The recorders of one incident.
pub(crate) struct Recorder {
    out: PathBuf,
    /// The host's `/sys`.
    sys: PathBuf,
    bonds: Vec<BondView>,
    captures: Vec<(Place, Capture)>,
    /// Interfaces of the host and of the far end, for the kernel log.
    host_names: Vec<String>,
    far_names: Vec<String>,
    host_log: String,
    far_log: String,
    events: String,
    /// Programs that are still writing.
    running: Vec<Child>,
    monitor: Option<Child>,
    /// What went wrong with the recording itself.
    pub(crate) broken: Vec<String>,
}

/// A bond whose state is read again and again.
struct BondView {
    place: Place,
    proc: File,
    log: DiffLog,
}

impl BondView {
    /// The descriptor keeps its namespace, so no thread has to enter it for a reading.
    fn open(topology: &Topology, place: Place, bond: &str) -> Result<Self> {
        let path = format!("/proc/thread-self/net/bonding/{bond}");
        let proc =
            topology.at(place).with(|| File::open(&path))?.with_context(|| format!("cannot open {path}"))?;
        Ok(Self { place, proc, log: DiffLog::default() })
    }

    fn read(&self) -> String {
        let mut bytes = Vec::new();
        let mut page = [0; 8192];
        while let Ok(n) = self.proc.read_at(&mut page, bytes.len() as u64) {
            if n == 0 {
                break;
            }
            bytes.extend(page.get(..n).unwrap_or_default());
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What a file of this place begins with.
const fn prefix(place: Place) -> &'static str {
    match place {
        Place::Root | Place::Host | Place::Wire => "host",
        Place::Far(0) => "sw",
        Place::Far(_) => "swB",
    }
}

impl Recorder {
    /// Starts everything.
    pub(crate) fn start(topology: &Topology, out: PathBuf) -> Result<Self> {
        let names = topology.names;
        fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
        let sys = PathBuf::from("/ns").join(names.bond());
        fs::create_dir_all(&sys).context("cannot make a place for sysfs")?;
        topology.at(Place::Host).with(|| namespace::mount_sysfs(&sys))?.context("cannot mount sysfs")?;
        let mut bonds = vec![BondView::open(topology, Place::Host, &names.bond())?];
        for half in 0..topology.halves() {
            bonds.push(BondView::open(topology, Place::Far(half), &names.far_bond(half))?);
        }
        let mut captures = Vec::new();
        for i in 0..topology.members {
            captures.push((Place::Host, Capture::start(topology.at(Place::Host), &names.member(i))?));
            let far = Place::Far(topology.half_of(i));
            captures.push((far, Capture::start(topology.at(far), &names.port(i))?));
        }
        let mut this = Self {
            sys,
            bonds,
            captures,
            host_names: (0..topology.members).map(|i| names.member(i)).chain([names.bond()]).collect(),
            far_names: (0..topology.members)
                .map(|i| names.port(i))
                .chain((0..topology.halves()).map(|h| names.far_bond(h)))
                .collect(),
            host_log: String::new(),
            far_log: String::new(),
            events: String::new(),
            running: Vec::new(),
            monitor: None,
            broken: Vec::new(),
            out,
        };
        let file = this.create("host-ip-monitor-link.txt")?;
        let monitor = ["-ts", "-d", "monitor", "link"];
        this.monitor = Some(programs::start(topology.at(Place::Host), "/usr/bin/ip", &monitor, file)?);
        this.write("host-uname.txt", uname()?.as_bytes())?;
        Ok(this)
    }

    fn create(&self, name: &str) -> Result<File> {
        File::create(self.out.join(name)).with_context(|| format!("cannot create {name}"))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        fs::write(self.out.join(name), bytes).with_context(|| format!("cannot write {name}"))
    }

    /// A line of the list of what was injected.
    pub(crate) fn event(&mut self, what: &str) {
        let _ = writeln!(self.events, "{:.3} {what}", seconds());
    }

    /// A line of the kernel log, if it is about this incident.
    pub(crate) fn kernel_line(&mut self, line: &str) {
        let about = |names: &[String]| names.iter().any(|n| kmsg::names(line, n));
        if about(&self.host_names) {
            self.host_log.push_str(line);
            self.host_log.push('\n');
        } else if about(&self.far_names) {
            self.far_log.push_str(line);
            self.far_log.push('\n');
        }
    }

    /// The regular round: captures and the states of the bonds.
    pub(crate) fn round(&mut self) {
        for (_, capture) in &mut self.captures {
            capture.drain();
        }
        let now = seconds();
        for bond in &mut self.bonds {
            let text = bond.read();
            bond.log.reading(now, &text);
        }
        // What has ended is taken off the list; what failed is told.
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

    /// A snapshot of the host's state: what an administrator would paste.
    pub(crate) fn snapshot(&mut self, topology: &Topology, label: &str) -> Result<()> {
        let folder = format!("snap-{label}");
        fs::create_dir_all(self.out.join(&folder)).context("cannot make a snapshot's folder")?;
        for bond in &self.bonds {
            let text = bond.read();
            fs::write(self.out.join(&folder).join(format!("{}-proc-bonding.txt", prefix(bond.place))), text)
                .context("cannot write a bond's state")?;
        }
        let host = topology.at(Place::Host);
        let programs: [(&str, &str, &[&str]); 5] = [
            ("host-ip-d-s-link.txt", "/usr/bin/ip", &["-d", "-s", "link"]),
            ("host-ip-j-d-s-link.json", "/usr/bin/ip", &["-j", "-d", "-s", "link"]),
            ("host-ip-maddr.txt", "/usr/bin/ip", &["maddr"]),
            (
                "host-xstats-slave.json",
                "/usr/bin/ip",
                &["-j", "stats", "show", "group", "xstats_slave", "subgroup", "bond", "suite", "802.3ad"],
            ),
            ("host-tc-s-qdisc.txt", "/usr/sbin/tc", &["-s", "qdisc", "show"]),
        ];
        for (name, program, args) in programs {
            let file = self.create(&format!("{folder}/{name}"))?;
            self.running.push(programs::start(host, program, args, file)?);
        }
        let bond = topology.names.bond();
        self.write(&format!("{folder}/host-sysfs.txt"), self.sysfs(&bond).as_bytes())?;
        self.write(&format!("{folder}/host-carrier.txt"), self.carriers().as_bytes())?;
        self.event(&format!("snap {label}"));
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
    pub(crate) fn finish(&mut self) -> Result<()> {
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
        let mut counts = String::new();
        for (place, capture) in &self.captures {
            self.write(&format!("{}-{}.pcapng", prefix(*place), capture.name()), capture.bytes())?;
            let (received, sent, lost) = capture.counts();
            let _ = writeln!(counts, "capture {} in {received} out {sent} lost {lost}", capture.name());
        }
        self.events.push_str(&counts);
        for bond in &self.bonds {
            self.write(&format!("{}-proc-timeline.txt", prefix(bond.place)), bond.log.text.as_bytes())?;
        }
        self.write("host-dmesg.txt", self.host_log.as_bytes())?;
        self.write("sw-dmesg.txt", self.far_log.as_bytes())?;
        self.write("events.txt", self.events.as_bytes())?;
        if !self.broken.is_empty() {
            self.write("broken.txt", (self.broken.join("\n") + "\n").as_bytes())?;
        }
        Ok(())
    }

    /// The folder of the evidence.
    pub(crate) fn out(&self) -> &Path {
        &self.out
    }
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

/// As `uname -a` prints it.
fn uname() -> Result<String> {
    let read = |name: &str| {
        fs::read_to_string(format!("/proc/sys/kernel/{name}"))
            .map(|t| t.trim_end().to_owned())
            .with_context(|| format!("cannot read {name}"))
    };
    Ok(format!(
        "{} {} {} {} {} GNU/Linux\n",
        read("ostype")?,
        read("hostname")?,
        read("osrelease")?,
        read("version")?,
        std::env::consts::ARCH
    ))
}

/// Seconds since 1970 on the guest's clock.
fn seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

/// A program on its own, outside any snapshot: started at real-time priority for `length`.
pub(crate) fn starve(host: &Namespace, length: Duration, out: &Path) -> Result<Child> {
    // Real-time tasks may then take the whole processor.
    fs::write("/proc/sys/kernel/sched_rt_runtime_us", "-1").context("cannot lift the real-time limit")?;
    let seconds = length.as_secs().max(1).to_string();
    let file = File::create(out.join("sw-starve.txt")).context("cannot create a file")?;
    let args = [
        "chrt",
        "-f",
        "95",
        "/bin/busybox",
        "timeout",
        &seconds,
        "/bin/busybox",
        "chrt",
        "-f",
        "90",
        "/bin/busybox",
        "sh",
        "-c",
        "while :; do :; done",
    ];
    programs::start(host, "/bin/busybox", &args, file)
}
