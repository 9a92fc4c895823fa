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
use bondwitness_guest::plan::{Far, Incident};
use bondwitness_host::namespace::Namespace;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The ethertype of LACPDUs, as tc wants it.
pub(crate) const SLOW: &str = "0x8809";
/// The key that both halves of an MLAG pair give their ports.
pub(crate) const MLAG_KEY: u16 = 5;

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
        format!("ens{}f{i}", self.0)
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
    fn mac(self, device: u8, i: usize) -> String {
        let [.., high, low] = self.0.to_be_bytes();
        format!("02:00:{high:02x}:{low:02x}:{device:02x}:{:02x}", i + 1)
    }
    /// The permanent address of a member; that of the first is the host's system.
    pub(crate) fn member_mac(self, i: usize) -> String {
        self.mac(0x11, i)
    }
    /// The system that an MLAG pair shows.
    pub(crate) fn mlag_system(self) -> String {
        self.mac(0xaa, 0)
    }
    /// The system that the second half, or a far end that was replaced, shows of its own.
    pub(crate) fn other_system(self) -> String {
        self.mac(0xdd, 0)
    }
}

/// The open namespaces of an incident.
pub(crate) struct Topology {
    /// Its names.
    pub(crate) names: Names,
    /// How many members.
    pub(crate) members: usize,
    /// The far end.
    pub(crate) far: Far,
    root: Namespace,
    host: Namespace,
    wire: Namespace,
    sw: Namespace,
    swb: Option<Namespace>,
}

impl Topology {
    /// Makes everything, the bonds up last.
    pub(crate) fn build(incident: &Incident, n: usize) -> Result<Self> {
        let root = Namespace::current().context("no namespace")?;
        for batch in frame(incident, Names(n)) {
            batch.run(&root)?;
        }
        let open = |place| {
            let path = PathBuf::from("/run/netns").join(Names(n).namespace(place));
            Namespace::at(&path).with_context(|| format!("cannot open {}", path.display()))
        };
        let topology = Self {
            names: Names(n),
            members: incident.members,
            far: incident.far,
            root,
            host: open(Place::Host)?,
            wire: open(Place::Wire)?,
            sw: open(Place::Far(0))?,
            swb: if halves(incident.far) == 2 { Some(open(Place::Far(1))?) } else { None },
        };
        for batch in ends(incident, Names(n)) {
            topology.run(&batch)?;
        }
        Ok(topology)
    }

    /// Removes all namespaces, and with them what is in them.
    pub(crate) fn remove(&self) -> Result<()> {
        let mut text = String::new();
        for place in places(self.far) {
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
        halves(self.far)
    }

    /// Which half of the far end holds a port.
    pub(crate) const fn half_of(&self, member: usize) -> usize {
        half_of(self.far, member)
    }
}

const fn halves(far: Far) -> usize {
    match far {
        Far::Mlag(_) => 2,
        Far::Bond(_) | Far::Static => 1,
    }
}

const fn half_of(far: Far, member: usize) -> usize {
    if halves(far) == 2 && member > 0 { 1 } else { 0 }
}

fn places(far: Far) -> Vec<Place> {
    let mut places = vec![Place::Host, Place::Wire];
    places.extend((0..halves(far)).map(Place::Far));
    places
}

/// Namespaces and wires.
fn frame(incident: &Incident, names: Names) -> Vec<Batch> {
    let mut text = String::new();
    for place in places(incident.far) {
        let _ = writeln!(text, "netns add {}", names.namespace(place));
    }
    for i in 0..incident.members {
        let far = Place::Far(half_of(incident.far, i));
        for (end, mac, place, wire) in [
            (names.member(i), names.member_mac(i), Place::Host, names.wire_host(i)),
            (names.port(i), names.mac(0x22, i), far, names.wire_far(i)),
        ] {
            let _ = writeln!(
                text,
                "link add {end} netns {} address {mac} type veth peer name {wire} netns {}",
                names.namespace(place),
                names.namespace(Place::Wire)
            );
        }
    }
    vec![Batch { place: Place::Root, tool: Tool::Ip, text }]
}

/// The redirects in the wires, and the bonds.
fn ends(incident: &Incident, names: Names) -> Vec<Batch> {
    let (mut up, mut redirect) = (String::new(), String::new());
    for i in 0..incident.members {
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
    for half in 0..halves(incident.far) {
        let bond = names.far_bond(half);
        let mut text = match incident.far {
            Far::Bond(end) => format!("link add {bond} {}\n", lacp(end)),
            Far::Mlag(end) => format!(
                "link add {bond} {} ad_actor_system {} ad_user_port_key {MLAG_KEY}\n",
                lacp(end),
                names.mlag_system()
            ),
            Far::Static => format!("link add {bond} type bond mode balance-xor miimon 100\n"),
        };
        for i in (0..incident.members).filter(|i| half_of(incident.far, *i) == half) {
            let _ = writeln!(text, "link set {} master {bond}", names.port(i));
        }
        let _ = write!(text, "link set {bond} up\nlink set lo up\n");
        batches.push(Batch { place: Place::Far(half), tool: Tool::Ip, text });
    }
    let bond = names.bond();
    let mut text = format!("link set lo up\nlink add {bond} {}\n", lacp(incident.host));
    for i in 0..incident.members {
        let _ = writeln!(text, "link set {} master {bond}", names.member(i));
    }
    let _ = writeln!(text, "link set {bond} up");
    batches.push(Batch { place: Place::Host, tool: Tool::Ip, text });
    batches
}

/// The options of an LACP bond.
fn lacp(end: bondwitness_guest::plan::End) -> String {
    let active = if end.active { "on" } else { "off" };
    format!("type bond mode 802.3ad miimon 100 lacp_rate {} lacp_active {active}", end.rate.word())
}
