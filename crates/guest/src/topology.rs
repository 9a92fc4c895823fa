//! The world of one incident: a host, wires whose two ends are told apart, and a far end.
//!
//! ```text
//! host-N  bondN{ensNf0, ensNf1}      veth pairs
//! wire-N  wNh0 <-> wNs0, ...         tc redirects each end to the other, so that the carriers of the two ends are
//!                                    independent and frames can be dropped per member and direction
//! sw-N    poN{swpNs0, swpNs1}        or poN and poNb in sw-N and swb-N, for an MLAG pair
//! ```
//!
//! Every interface of a boot has a name of its own: all incidents share one kernel log.

use crate::programs::{Batch, Place, Tool};
use anyhow::{Context, Result};
use bondwitness_guest::{plan, support};
use bondwitness_host::namespace::Namespace;
use bondwitness_lab::fault::{Fault, Member};
use bondwitness_lab::incident::Incident;
use lacp::Mac;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The ethertype of LACPDUs, as tc wants it.
pub(crate) const SLOW: &str = "0x8809";

/// The names of one incident.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names(pub(crate) usize);

impl Names {
    /// The host's bond.
    pub(crate) fn bond(self) -> String {
        format!("bond{}", self.0)
    }
    /// A member of the host's bond.
    pub(crate) fn member(self, i: usize) -> String {
        plan::member_name(self.0, i)
    }
    /// The end of a wire at the host.
    pub(crate) fn wire_host(self, i: usize) -> String {
        format!("w{}h{i}", self.0)
    }
    /// The end of a wire at the switch.
    pub(crate) fn wire_far(self, i: usize) -> String {
        format!("w{}s{i}", self.0)
    }
    /// A port of the far end.
    pub(crate) fn port(self, i: usize) -> String {
        format!("swp{}s{i}", self.0)
    }
    /// A bond of the far end.
    pub(crate) fn far_bond(self, half: usize) -> String {
        format!("po{}{}", self.0, if half == 0 { "" } else { "b" })
    }
    /// A namespace.
    pub(crate) fn namespace(self, place: Place) -> String {
        match place {
            Place::Root => String::new(),
            Place::Host => format!("host-{}", self.0),
            Place::Wire => format!("wire-{}", self.0),
            Place::Far(0) => format!("sw-{}", self.0),
            Place::Far(_) => format!("swb-{}", self.0),
        }
    }
    /// An address: the last octet tells the port, the one before it the device.
    fn mac(self, device: u8, i: usize) -> Mac {
        let [.., high, low] = self.0.to_be_bytes();
        let [.., port] = i.to_be_bytes();
        Mac([0x02, 0, high, low, device, port.wrapping_add(1)])
    }
    /// The permanent address of a member; that of the first is the host's system.
    pub(crate) fn member_mac(self, i: usize) -> Mac {
        self.mac(0x11, i)
    }
    /// The address of a port of the far end.
    pub(crate) fn port_mac(self, i: usize) -> Mac {
        self.mac(0x22, i)
    }
    /// The system that the far end shows, and others (from 1) that it may turn to.
    pub(crate) fn system_mac(self, other: u8) -> Mac {
        self.mac(0xaa, usize::from(other))
    }
}

/// The open namespaces of an incident.
pub(crate) struct Topology {
    /// Its names.
    pub(crate) names: Names,
    /// How many members.
    pub(crate) members: usize,
    /// The far end is our own speaker, no Linux bond.
    pub(crate) speaker: bool,
    /// Members that faults speak of.
    victim: usize,
    other: usize,
    halves: usize,
    root: Namespace,
    host: Namespace,
    wire: Namespace,
    sw: Namespace,
    swb: Option<Namespace>,
}

impl Topology {
    /// Makes everything; the bonds have their members and are down.
    pub(crate) fn build(incident: &Incident, n: usize) -> Result<Self> {
        let names = Names(n);
        let root = Namespace::current().context("no namespace")?;
        frame(incident, names).run(&root)?;
        let open = |place| {
            let path = PathBuf::from("/run/netns").join(names.namespace(place));
            Namespace::at(&path).with_context(|| format!("cannot open {}", path.display()))
        };
        let halves = halves(incident);
        let topology = Self {
            names,
            members: incident.topology.members.len(),
            speaker: support::needs_speaker(incident),
            victim: incident.topology.victim,
            other: incident.topology.other,
            halves,
            root,
            host: open(Place::Host)?,
            wire: open(Place::Wire)?,
            sw: open(Place::Far(0))?,
            swb: if halves == 2 { Some(open(Place::Far(1))?) } else { None },
        };
        for batch in ends(incident, &topology) {
            topology.run(&batch)?;
        }
        Ok(topology)
    }

    /// Switches the bonds on.
    pub(crate) fn open(&self) -> Result<()> {
        if !self.speaker {
            for half in 0..self.halves {
                let text = format!("link set {} up\n", self.names.far_bond(half));
                self.run(&Batch { place: Place::Far(half), tool: Tool::Ip, text })?;
            }
        }
        let text = format!("link set {} up\n", self.names.bond());
        self.run(&Batch { place: Place::Host, tool: Tool::Ip, text })
    }

    /// The members that a fault means.
    pub(crate) fn each(&self, member: Member) -> Vec<usize> {
        match member {
            Member::Victim => vec![self.victim],
            Member::Other => vec![self.other],
            Member::All => (0..self.members).collect(),
        }
    }

    /// Removes all namespaces, and with them what is in them.
    pub(crate) fn remove(&self) -> Result<()> {
        let mut text = String::new();
        for place in places(self.halves) {
            let _ = writeln!(text, "netns del {}", self.names.namespace(place));
        }
        self.run(&Batch { place: Place::Root, tool: Tool::Ip, text })
    }

    /// Runs commands where they belong.
    pub(crate) fn run(&self, batch: &Batch) -> Result<()> {
        batch.run(self.at(batch.place))
    }

    /// A namespace.
    pub(crate) fn at(&self, place: Place) -> &Namespace {
        match place {
            Place::Root => &self.root,
            Place::Host => &self.host,
            Place::Wire => &self.wire,
            Place::Far(0) => &self.sw,
            Place::Far(_) => self.swb.as_ref().unwrap_or(&self.sw),
        }
    }

    /// How many bonds or switches the far end consists of.
    pub(crate) const fn halves(&self) -> usize {
        self.halves
    }

    /// Which half of the far end holds a port: members alternate.
    pub(crate) const fn half_of(&self, member: usize) -> usize {
        member % self.halves
    }
}

const fn halves(incident: &Incident) -> usize {
    if incident.topology.switch.mlag { 2 } else { 1 }
}

fn places(halves: usize) -> Vec<Place> {
    let mut places = vec![Place::Host, Place::Wire];
    places.extend((0..halves).map(Place::Far));
    places
}

/// Namespaces and wires.
fn frame(incident: &Incident, names: Names) -> Batch {
    let mut text = String::new();
    let halves = halves(incident);
    for place in places(halves) {
        let _ = writeln!(text, "netns add {}", names.namespace(place));
    }
    for i in 0..incident.topology.members.len() {
        for (end, mac, place, wire) in [
            (names.member(i), names.member_mac(i), Place::Host, names.wire_host(i)),
            (names.port(i), names.port_mac(i), Place::Far(i % halves), names.wire_far(i)),
        ] {
            let _ = writeln!(
                text,
                "link add {end} netns {} address {mac} type veth peer name {wire} netns {}",
                names.namespace(place),
                names.namespace(Place::Wire)
            );
        }
    }
    Batch { place: Place::Root, tool: Tool::Ip, text }
}

/// The redirects in the wires, and the bonds.
fn ends(incident: &Incident, t: &Topology) -> Vec<Batch> {
    let names = t.names;
    let (mut up, mut redirect) = (String::new(), String::new());
    for i in 0..t.members {
        let (h, s) = (names.wire_host(i), names.wire_far(i));
        for (here, there) in [(&h, &s), (&s, &h)] {
            let _ = writeln!(up, "link set {here} up");
            let _ = writeln!(redirect, "qdisc add dev {here} clsact");
            let _ = writeln!(
                redirect,
                "filter add dev {here} ingress pref 100 matchall action mirred egress redirect dev {there}"
            );
        }
    }
    let mut batches = vec![
        Batch { place: Place::Wire, tool: Tool::Ip, text: up },
        Batch { place: Place::Wire, tool: Tool::Tc, text: redirect },
    ];
    let switch = &incident.topology.switch;
    for half in 0..t.halves() {
        let bond = names.far_bond(half);
        let mut text = "link set lo up\n".to_owned();
        if !t.speaker {
            // 1023 is the largest key that bonding takes: the rest of the octets holds the speed.
            let key = switch.key & 0x3ff;
            let options = lacp_options(100, switch.fast, switch.active);
            let _ = write!(text, "link add {bond} type bond mode 802.3ad {options} ad_user_port_key {key}");
            if t.halves() == 2 {
                let _ = write!(text, " ad_actor_system {}", names.system_mac(0));
            }
            text.push('\n');
        }
        for i in (0..t.members).filter(|i| t.half_of(*i) == half) {
            if t.speaker {
                let _ = writeln!(text, "link set {} up", names.port(i));
            } else {
                let _ = writeln!(text, "link set {} master {bond}", names.port(i));
            }
        }
        batches.push(Batch { place: Place::Far(half), tool: Tool::Ip, text });
    }
    let host = &incident.topology.host;
    let without = incident.faults.iter().any(|f| matches!(f.fault, Fault::HostStatic {}) && f.at_ms == 0);
    let mode = if without {
        format!("balance-xor miimon {}", host.miimon_ms)
    } else {
        let options = lacp_options(host.miimon_ms, host.fast, host.active);
        format!("802.3ad {options} min_links {}", host.min_links)
    };
    let bond = names.bond();
    let mut text = format!("link set lo up\nlink add {bond} type bond mode {mode}\n");
    for i in 0..t.members {
        let _ = writeln!(text, "link set {} master {bond}", names.member(i));
    }
    batches.push(Batch { place: Place::Host, tool: Tool::Ip, text });
    batches
}

fn lacp_options(miimon: u64, fast: bool, active: bool) -> String {
    let (rate, active) = (if fast { "fast" } else { "slow" }, if active { "on" } else { "off" });
    format!("miimon {miimon} lacp_rate {rate} lacp_active {active}")
}
