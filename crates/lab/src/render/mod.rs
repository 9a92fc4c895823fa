//! Puts a recording into the shapes of real tools: one renderer for each format.
//!
//! Pure functions from a view to text or bytes. Each file of an evidence folder is what one command printed; a
//! file of a snapshot begins with a line `@@ <epoch.nanoseconds>`, as a collecting script prints it, so that its time is
//! known. File names say what was asked of which interface, never what is true.

pub mod capture;
pub mod carrier;
pub mod ethtool_driver;
pub mod ethtool_module;
pub mod ethtool_settings;
pub mod ethtool_stats;
pub mod filters;
pub mod ip_link;
pub mod ip_link_json;
pub mod ip_monitor;
pub mod kernel_log;
pub mod maddr;
pub mod nstat;
pub mod proc_bonding;
pub mod psi;
pub mod qdisc;
pub mod softnet;
pub mod sysfs_bonding;
pub mod uname;
pub mod xstats;

mod civil;
mod interface;
mod kernel;

use crate::incident::{Capture, Incident, LogShape};
use crate::recording::Recording;
use crate::view::{Frame, HostView};
use kernel::Kernel;
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
fn directories(views: &[&HostView], prefix: &str) -> Vec<String> {
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
    let views: Vec<&HostView> = recording.views.iter().collect();
    for (view, dir) in views.iter().zip(directories(&views, "")) {
        let bond = &view.bond.name;
        if e.xstats {
            lacpdu_counters(folder, &dir, view);
        }
        let mut put = |name: &str, content: &str| folder.stamped(&dir, name, view.wall_ns, content);
        if e.proc {
            put(&format!("proc-net-bonding-{bond}.txt"), &proc_bonding::render(view, e.privileged));
        }
        if e.links {
            // Some collect text, some JSON; which, follows from the seed, so that both are met.
            if incident.seed % 4 == 3 && Kernel::of(&view.kernel).since(5, 0) {
                put("ip_-j_-s_-d_link.json", &ip_link_json::render(view));
            } else {
                put("ip_-s_-d_link.txt", &ip_link::render(view, 1));
            }
        }
        if e.nic_counters {
            for m in &view.members {
                put(&format!("ethtool_-S_{}.txt", m.name), &ethtool_stats::render(m));
            }
        }
        if e.nic_settings {
            for m in &view.members {
                put(&format!("ethtool_{}.txt", m.name), &ethtool_settings::render(m));
                put(&format!("ethtool_-i_{}.txt", m.name), &ethtool_driver::render(m));
                put(&format!("ethtool_-m_{}.txt", m.name), &ethtool_module::render(m));
            }
            put("uname_-a.txt", &uname::render(&view.hostname, &view.kernel));
        }
        if e.filters {
            put("tc_-s_qdisc_show.txt", &qdisc::render(view));
            for (_, dev, hooks) in filters::devices(view) {
                let seconds = view.at.0 / 1_000_000_000;
                for (way, egress) in [("ingress", false), ("egress", true)] {
                    let text = filters::tc(hooks, egress, seconds);
                    put(&format!("tc_-s_filter_show_dev_{dev}_{way}.txt"), &text);
                }
            }
            put("nft_list_ruleset.txt", &filters::nft(view));
            if Kernel::of(&view.kernel).since(4, 18) {
                put("bpftool_net.txt", &filters::bpftool(view));
            }
        }
        if e.multicast {
            put("ip_maddr.txt", &maddr::render(view));
        }
        if e.load {
            put("softnet_stat.txt", &softnet::render(view));
            if let Some(text) = psi::render(view) {
                put("proc-pressure-cpu.txt", &text);
            }
        }
        if e.protocol_counters {
            put("nstat_-a.txt", &nstat::render(view));
        }
        if e.sysfs {
            put(&format!("sys-bonding-{bond}.txt"), &sysfs_bonding::render(view, e.privileged));
            put("sys-carrier.txt", &carrier::render(view));
        }
    }
}

/// LACPDU counters, as the host's iproute2 prints them; a kernel before 5.0 has none.
fn lacpdu_counters(folder: &mut Folder, dir: &str, view: &HostView) {
    let kernel = Kernel::of(&view.kernel);
    if kernel.since(6, 0) {
        folder.stamped(dir, "ip_-j_stats_xstats_slave.json", view.wall_ns, &xstats::render(view));
    } else if kernel.since(5, 0) {
        folder.stamped(dir, "ip_link_xstats_bond_slave.txt", view.wall_ns, &xstats::text(view));
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

/// What a Linux far end collected: its bonds and its own captures, read from its own clock. Two hosts (an MLAG pair)
/// are told apart by their names.
fn far_end(folder: &mut Folder, recording: &Recording, incident: &Incident) {
    let views = &recording.far_views;
    let alone = views.iter().all(|v| views.first().is_some_and(|f| f.hostname == v.hostname));
    let mut hosts: Vec<&str> = views.iter().map(|v| v.hostname.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    for host in hosts {
        let own: Vec<&HostView> = views.iter().filter(|v| v.hostname == host).collect();
        let prefix = if alone { "sw-".to_owned() } else { format!("sw-{host}-") };
        for (view, dir) in own.iter().zip(directories(&own, &prefix)) {
            let name = format!("proc-net-bonding-{}.txt", view.bond.name);
            folder.stamped(&dir, &name, view.wall_ns, &proc_bonding::render(view, true));
            lacpdu_counters(folder, &dir, view);
            // Twice `-s`: the kinds of errors, which the receiver alone counts.
            folder.stamped(&dir, "ip_-s_-s_-d_link.txt", view.wall_ns, &ip_link::render(view, 2));
        }
    }
    let Some(first) = views.first() else { return };
    if recording.far_frames.is_empty() {
        return;
    }
    let ahead = incident.topology.switch.clock_ahead_ms.saturating_mul(1_000_000);
    let wall0 = recording.wall0_ns.saturating_add(ahead);
    let (from, until) = window(incident);
    let frames = capture::window(&recording.far_frames, from, until);
    for (n, (name, _)) in members(recording, incident).iter().enumerate() {
        // The port's own name where one host has them all, else the name of the link's other end.
        let port = first.members.get(n).filter(|_| alone).map_or(name.as_str(), |m| m.name.as_str());
        let own = of_member(&frames, n);
        folder.bytes(format!("sw-{port}.pcapng"), capture::pcapng(&own, port, &first.kernel, wall0));
    }
}
