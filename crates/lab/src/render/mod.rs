//! Puts a recording into the shapes of real tools: one renderer for each format.
//!
//! Pure functions from a view to text or bytes. Each file of an evidence folder is what one command printed; a
//! file of a snapshot begins with a line `@@ <epoch.nanoseconds>`, as a collecting script prints it, so that its time is
//! known. File names say what was asked of which interface, never what is true.

pub mod capture;
pub mod ethtool_stats;
pub mod ip_link;
pub mod ip_link_json;
pub mod ip_monitor;
pub mod kernel_log;
pub mod proc_bonding;
pub mod xstats;

mod civil;
mod interface;
mod kernel;

use crate::incident::{Capture, Incident, LogShape};
use crate::recording::Recording;
use crate::view::{Frame, HostView};
use lacp::machine::Time;
use std::collections::BTreeMap;

/// The files of the evidence folder: relative path and content. Only what the incident's
/// [`Evidence`](crate::incident::Evidence) lists is written.
#[must_use]
pub fn evidence(recording: &Recording, incident: &Incident) -> BTreeMap<String, Vec<u8>> {
    let mut folder = Folder { files: BTreeMap::new() };
    snapshots(&mut folder, recording, incident);
    captures(&mut folder, recording, incident);
    streams(&mut folder, recording, incident);
    if incident.evidence.far_end {
        far_end(&mut folder, recording, incident);
    }
    folder.files
}

struct Folder {
    files: BTreeMap<String, Vec<u8>>,
}

impl Folder {
    fn bytes(&mut self, name: String, content: Vec<u8>) {
        self.files.insert(name, content);
    }
    fn text(&mut self, name: &str, content: String) {
        self.bytes(name.to_owned(), content.into_bytes());
    }
    /// A file of a snapshot.
    fn stamped(&mut self, dir: &str, name: &str, wall_ns: i64, content: &str) {
        self.text(&format!("{dir}/{name}"), format!("{}{content}", marker(wall_ns)));
    }
}

/// The line that tells the time of what follows.
fn marker(wall_ns: i64) -> String {
    format!("@@ {}.{:09}\n", wall_ns.div_euclid(1_000_000_000), wall_ns.rem_euclid(1_000_000_000))
}

/// Unix nanoseconds of a moment.
fn wall(wall0_ns: i64, at: Time) -> i64 {
    wall0_ns.saturating_add(i64::try_from(at.0).unwrap_or(i64::MAX))
}

/// A folder for each snapshot, named after its label; labels that repeat are numbered.
fn directories(views: &[HostView], prefix: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for v in views {
        let base = format!("{prefix}{}", v.label);
        let mut name = base.clone();
        let mut n = 2;
        while names.contains(&name) {
            name = format!("{base}-{n}");
            n += 1;
        }
        names.push(name);
    }
    names
}

fn snapshots(folder: &mut Folder, recording: &Recording, incident: &Incident) {
    let e = &incident.evidence;
    for (view, dir) in recording.views.iter().zip(directories(&recording.views, "")) {
        let bond = &view.bond.name;
        let mut put = |name: &str, content: &str| folder.stamped(&dir, name, view.wall_ns, content);
        if e.proc {
            put(&format!("proc-net-bonding-{bond}.txt"), &proc_bonding::render(view, e.privileged));
        }
        if e.links {
            // Some collect text, some JSON; which, follows from the seed, so that both are met.
            if incident.seed % 4 == 3 {
                put("ip-j-s-d-link.json", &ip_link_json::render(view));
            } else {
                put("ip-s-d-link.txt", &ip_link::render(view, 1));
            }
        }
        if e.xstats {
            put("ip-j-stats-xstats-slave.json", &xstats::render(view));
        }
        if e.nic_counters {
            for m in &view.members {
                put(&format!("ethtool_-S_{}.txt", m.name), &ethtool_stats::render(m));
            }
        }
    }
}

/// The window of the capture.
fn window(incident: &Incident) -> (Time, Time) {
    let e = &incident.evidence;
    let until = incident.duration_ms.saturating_sub(e.capture_until_ms);
    (Time::from_millis(e.capture_from_ms), Time::from_millis(until))
}

fn of_member<'a>(frames: &[&'a Frame], member: usize) -> Vec<&'a Frame> {
    frames.iter().filter(|f| f.member == member).copied().collect()
}

/// Names of members and their interface indices, from the snapshots or else from the topology.
fn members(recording: &Recording, incident: &Incident) -> Vec<(String, u32)> {
    match recording.views.first() {
        Some(v) => v.members.iter().map(|m| (m.name.clone(), m.ifindex)).collect(),
        None => incident.topology.members.iter().zip(2..).map(|(m, i)| (m.name.clone(), i)).collect(),
    }
}

fn captures(folder: &mut Folder, recording: &Recording, incident: &Incident) {
    let shape = incident.evidence.capture;
    let members = members(recording, incident);
    let (from, until) = window(incident);
    let frames = capture::window(&recording.frames, from, until);
    let wall0 = recording.wall0_ns;
    match shape {
        Capture::None => {}
        Capture::Any => {
            let index = |m: usize| members.get(m).map_or(0, |m| m.1);
            folder.bytes("any.pcap".to_owned(), capture::any(&frames, index, wall0));
        }
        Capture::Directed | Capture::Plain | Capture::Incoming => {
            for (n, (name, _)) in members.iter().enumerate() {
                let mut own = of_member(&frames, n);
                if shape == Capture::Incoming {
                    own.retain(|f| !f.outgoing);
                }
                if shape == Capture::Directed {
                    let kernel = &incident.topology.host.kernel;
                    folder.bytes(format!("{name}.pcapng"), capture::pcapng(&own, name, kernel, wall0));
                } else {
                    folder.bytes(format!("{name}.pcap"), capture::plain(&own, wall0));
                }
            }
        }
    }
}

/// What runs over the whole time.
fn streams(folder: &mut Folder, recording: &Recording, incident: &Incident) {
    let host = &incident.topology.host;
    if incident.evidence.monitor {
        let bond = ip_monitor::Bond {
            name: &host.bond,
            kernel: &host.kernel,
            lacp: recording.views.first().is_none_or(|v| v.bond.lacp),
        };
        let text = ip_monitor::render(&recording.link_events, bond, recording.wall0_ns);
        folder.text("ip-monitor-link.txt", text);
    }
    let origin = kernel_log::Origin {
        hostname: &host.name,
        kernel: &host.kernel,
        wall0_ns: recording.wall0_ns,
        boot0_ns: recording.boot0_ns,
    };
    let log = &recording.log;
    match incident.evidence.log {
        LogShape::None => {}
        LogShape::Dmesg => folder.text("dmesg.txt", kernel_log::dmesg(log, origin)),
        LogShape::DmesgTime => folder.text("dmesg-T.txt", kernel_log::dmesg_time(log, origin)),
        LogShape::JournalIso => folder.text("journalctl-k.txt", kernel_log::journal_iso(log, origin)),
        LogShape::JournalJson => folder.text("journalctl-k.json", kernel_log::journal_json(log, origin)),
    }
}

/// What a Linux far end collected: its bonds and its own captures, read from its own clock.
fn far_end(folder: &mut Folder, recording: &Recording, incident: &Incident) {
    for (view, dir) in recording.far_views.iter().zip(directories(&recording.far_views, "sw-")) {
        let name = format!("proc-net-bonding-{}.txt", view.bond.name);
        folder.stamped(&dir, &name, view.wall_ns, &proc_bonding::render(view, true));
        folder.stamped(&dir, "ip-j-stats-xstats-slave.json", view.wall_ns, &xstats::render(view));
    }
    let Some(first) = recording.far_views.first() else { return };
    if recording.far_frames.is_empty() {
        return;
    }
    let ahead = incident.topology.switch.clock_ahead_ms.saturating_mul(1_000_000);
    let wall0 = recording.wall0_ns.saturating_add(ahead);
    let (from, until) = window(incident);
    let frames = capture::window(&recording.far_frames, from, until);
    for (n, m) in first.members.iter().enumerate() {
        let own = of_member(&frames, n);
        folder.bytes(format!("sw-{}.pcapng", m.name), capture::pcapng(&own, &m.name, &first.kernel, wall0));
    }
}
