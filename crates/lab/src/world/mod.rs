//! The world: one host, its cables, the switch, on a virtual clock.
//!
//! A LACPDU takes the path of `verdict.md` section 1, segment by segment; each fault sits on its segment and each
//! segment leaves the traces that it leaves in reality (counters, taps, log lines). Nothing here knows what a
//! verdict is.
//!
//! ```text
//! host machines ─► qdisc, egress hooks ─► tap ─► NIC ─► wire ─► switch's queue to its CPU ─► switch machines
//! host machines ◄─ ingress hooks ◄─ tap ◄─ XDP, filter, ring, MAC ◄─ wire ◄─ (late, silent, wrong echo) ◄─┘
//! ```

mod apply;
mod counters;
mod log;
mod member;
mod nics;
mod path;
mod show;

use crate::fault::Fault;
use crate::incident::Incident;
use crate::recording::Recording;
use lacp::machine::{
    AdSelect, Happened, Pdu, PortConfig, Profile, SelectionPolicy, System, SystemConfig, Time,
};
use lacp::{Mac, key};
use member::{Member, Misbehaviour, Peer};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that will happen.
#[derive(Debug, Clone, PartialEq)]
enum Action {
    /// A fault begins.
    Begin(usize),
    /// A fault ends.
    End(usize),
    /// State and counters are read.
    Snapshot(usize),
    /// A PDU reaches the far end of a member's cable.
    AtPeer { member: usize, pdu: Pdu },
    /// A PDU reaches the NIC of a member.
    AtNic { member: usize, source: Mac, pdu: Pdu },
    /// A PDU reaches the tap of a member (after a CPU that was busy).
    AtTap { member: usize, source: Mac, pdu: Pdu },
    /// The switch sends a PDU that it held back.
    LateSend { member: usize, pdu: Pdu },
    /// The bond looks at a member's carrier.
    Mii { member: usize },
    /// A link that has light again has finished training.
    Trained { member: usize },
    /// The watchdog finds a transmitter that hangs.
    Watchdog { member: usize },
    /// The CPU is taken away.
    Stall { fault: usize },
}

/// An [`Action`] with its time; those of one moment in the order in which they were planned.
#[derive(Debug, Clone, PartialEq)]
struct Planned {
    at: Time,
    seq: u64,
    action: Action,
}

impl Eq for Planned {}
impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Planned {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.seq).cmp(&(other.at, other.seq))
    }
}

/// A transition of a port, for comparison with a real kernel: when, which member, what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: Time,
    /// Index of the member.
    pub member: usize,
    /// What.
    pub what: Happened,
}

/// The world of one incident.
pub(crate) struct World<'a> {
    incident: &'a Incident,
    rng: fastrand::Rng,
    now: Time,
    seq: u64,
    queue: BinaryHeap<Reverse<Planned>>,
    host: System,
    /// Member of each port of the host's system.
    member_of_port: Vec<usize>,
    switches: Vec<System>,
    /// Member of each port of each chassis.
    member_of_switch_port: Vec<Vec<usize>>,
    foreign: Option<System>,
    member_of_foreign_port: Vec<usize>,
    members: Vec<Member>,
    bond_mac: Mac,
    /// The CPU of the host is taken until then.
    busy_until: Time,
    starved: bool,
    stalled_ns: u64,
    passive: bool,
    fast: bool,
    static_bond: bool,
    vlan_loss: Option<crate::fault::VlanLoss>,
    vlan_dropped: u64,
    vlan_sent: f64,
    congested: bool,
    retransmits: f64,
    recording: Recording,
    transitions: Vec<Transition>,
    end: Time,
}

/// Runs an incident.
#[must_use]
pub fn run(incident: &Incident) -> (Recording, Vec<Transition>) {
    run_world(World::new(incident, None))
}

/// Where in their ticks both ends are when the incident begins. Ends without ticks do not care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phases {
    /// The host's first tick, nanoseconds after the beginning.
    pub host_ns: u64,
    /// The far end's first tick, nanoseconds after the beginning.
    pub far_ns: u64,
}

/// Runs an incident with both ends in these phases; both open their bond at their first tick.
#[must_use]
pub fn run_in_phase(incident: &Incident, phases: Phases) -> (Recording, Vec<Transition>) {
    run_world(World::new(incident, Some(phases)))
}

fn run_world(mut world: World<'_>) -> (Recording, Vec<Transition>) {
    world.run();
    world.recording.log.sort_by_key(|l| l.at_ns);
    (world.recording, world.transitions)
}

impl<'a> World<'a> {
    fn new(incident: &'a Incident, phases: Option<Phases>) -> Self {
        let mut rng = fastrand::Rng::with_seed(incident.seed ^ 0x6c61_622d_776f_726c);
        let topology = &incident.topology;
        let macs = Macs::draw(&mut rng);
        let bond_mac = macs.host(0);
        let profile =
            if topology.host.kernel.starts_with("6.1.") { Profile::linux_6_1() } else { Profile::linux() };
        let opened = phases.map_or(Time::ZERO, |p| Time(p.host_ns));
        let far = |drawn: u64| Time(phases.map_or(drawn, |p| p.far_ns));
        let mut host = System::new(
            SystemConfig { priority: 65535, system: bond_mac, profile, ad_select: AdSelect::Stable },
            opened,
        );
        let far_profile = if topology.switch.linux {
            Profile::linux()
        } else {
            Profile { selection: SelectionPolicy::OnePerKey { max_ports: 16 }, ..Profile::standard() }
        };
        let chassis = if topology.switch.mlag { 2 } else { 1 };
        let mut switches: Vec<System> = (0..chassis)
            .map(|_| {
                System::new(
                    SystemConfig {
                        priority: if topology.switch.linux { 65535 } else { 32768 },
                        system: macs.switch(0),
                        profile: far_profile,
                        ad_select: AdSelect::Stable,
                    },
                    far(rng.u64(0..100_000_000)),
                )
            })
            .collect();
        let mut member_of_switch_port = vec![Vec::new(); chassis];
        let mut members = Vec::new();
        for (i, spec) in topology.members.iter().enumerate() {
            let at = i % chassis;
            let far_key = if topology.switch.linux {
                key::encode(topology.switch.key & 0x3ff, spec.speed_mbps, true).unwrap_or(1)
            } else {
                topology.switch.key
            };
            let number = u16::try_from(i).unwrap_or(0);
            let port = switches.get_mut(at).map_or(0, |s| {
                s.add_port(
                    far(rng.u64(100_000_000..140_000_000)),
                    PortConfig {
                        // Two chassis number their ports apart, as MLAG implementations do.
                        number: if topology.switch.linux {
                            number + 1
                        } else {
                            100 + 1000 * at as u16 + number
                        },
                        priority: if topology.switch.linux { 255 } else { 32768 },
                        key: far_key,
                        speed_mbps: spec.speed_mbps,
                        active: topology.switch.active,
                        short_timeout: topology.switch.fast,
                        lacp_enabled: true,
                    },
                )
            });
            if let Some(list) = member_of_switch_port.get_mut(at) {
                list.push(i);
            }
            let config = host_port(topology, i, spec.speed_mbps, true);
            let own = host.add_port(opened, config);
            members.push(Member {
                ifindex: 3 + u32::from(number),
                bus: if spec.driver == "veth" {
                    String::new()
                } else {
                    format!("0000:{:02x}:00.{}", 0x17 + 0x21 * (i / 2), i % 2)
                },
                permanent: macs.host(i),
                peer_mac: macs.switch(i + 1),
                port: Some(own),
                peer: Peer::Switch(at, port),
                intruder: None,
                dark: 0,
                pdu_loss: [0.0; 2],
                mute: false,
                damage: [0.0; 2],
                delay_ms: [0; 2],
                admin_up: true,
                carrier: true,
                mii_up: true,
                mtu: spec.mtu,
                speed_mbps: spec.speed_mbps,
                advertises_mbps: None,
                link_failures: 0,
                carrier_counts: (1, u32::from(spec.driver == "veth")),
                hung_since: None,
                backlog: 0,
                eaten: [false; 2],
                joined: true,
                ring_loss: 0.0,
                qdisc_loss: false,
                hooks: Vec::new(),
                paused: false,
                optics: nics::find(&spec.driver).pluggable.then(|| crate::view::OpticsView {
                    rx_dbm: -2.0 - 2.0 * rng.f64(),
                    tx_dbm: -1.5 - 1.5 * rng.f64(),
                    bias_ma: 6.0 + rng.f64(),
                    celsius: 35.0 + 10.0 * rng.f64(),
                }),
                counters: Default::default(),
                nic: Default::default(),
                qdisc_sent: 0,
                qdisc_dropped: 0,
                counted_until: Time::ZERO,
                forwards: (false, false),
                rest: [0.0; 4],
                switch: Misbehaviour::default(),
                heard: None,
                switch_crc: 0,
                spec: spec.clone(),
            });
        }
        host.open(opened);
        for s in &mut switches {
            s.open(far(140_000_000));
        }
        let recording = Recording {
            wall0_ns: i64::try_from(topology.host.wall_s).unwrap_or(0).saturating_mul(1_000_000_000),
            boot0_ns: topology.host.uptime_s.saturating_mul(1_000_000_000),
            ..Recording::default()
        };
        let mut world = Self {
            incident,
            now: Time::ZERO,
            seq: 0,
            queue: BinaryHeap::new(),
            member_of_port: (0..members.len()).collect(),
            host,
            switches,
            member_of_switch_port,
            foreign: None,
            member_of_foreign_port: Vec::new(),
            members,
            bond_mac,
            busy_until: Time::ZERO,
            starved: false,
            stalled_ns: 0,
            passive: false,
            fast: topology.host.fast,
            static_bond: false,
            vlan_loss: None,
            vlan_dropped: 0,
            vlan_sent: 0.0,
            congested: false,
            retransmits: 0.0,
            recording,
            transitions: Vec::new(),
            end: Time::from_millis(incident.duration_ms),
            rng,
        };
        if !topology.host.active {
            world.passive = true;
            world.host.set_active(opened, false);
        }
        world.start_counters();
        world.log_enslaving();
        for (i, f) in incident.faults.iter().enumerate() {
            world.plan(Time::from_millis(f.at_ms), Action::Begin(i));
            if let Some(for_ms) = f.for_ms {
                world.plan(Time::from_millis(f.at_ms.saturating_add(for_ms)), Action::End(i));
            }
        }
        for (i, ms) in incident.evidence.snapshots_ms.iter().enumerate() {
            world.plan(Time::from_millis(*ms), Action::Snapshot(i));
        }
        world
    }

    fn plan(&mut self, at: Time, action: Action) {
        self.seq += 1;
        self.queue.push(Reverse(Planned { at: at.max(self.now), seq: self.seq, action }));
    }

    fn run(&mut self) {
        loop {
            let next = self
                .queue
                .peek()
                .map(|p| p.0.at)
                .into_iter()
                .chain(self.host.next_deadline())
                .chain(self.switches.iter().filter_map(System::next_deadline))
                .chain(self.foreign.as_ref().and_then(System::next_deadline))
                .min();
            let Some(next) = next.filter(|&t| t <= self.end) else { break };
            self.now = next.max(self.now);
            self.host.handle_timeout(self.now);
            for s in &mut self.switches {
                s.handle_timeout(self.now);
            }
            if let Some(f) = &mut self.foreign {
                f.handle_timeout(self.now);
            }
            self.drain();
            self.settle();
            while self.queue.peek().is_some_and(|p| p.0.at <= self.now) {
                let Some(Reverse(planned)) = self.queue.pop() else { break };
                self.act(planned.action);
                self.drain();
                self.settle();
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Begin(i) => self.begin(i),
            Action::End(i) => self.end_of(i),
            Action::Snapshot(i) => self.snapshot(i),
            Action::AtPeer { member, pdu } => self.at_peer(member, &pdu),
            Action::AtNic { member, source, pdu } => self.at_nic(member, source, pdu),
            Action::AtTap { member, source, pdu } => self.at_tap(member, source, pdu),
            Action::LateSend { member, pdu } => self.onto_wire_to_host(member, pdu),
            Action::Mii { member } => self.look_at_carrier(member),
            Action::Trained { member } => self.trained(member),
            Action::Watchdog { member } => self.watchdog(member),
            Action::Stall { fault } => self.stall(fault),
        }
    }

    /// Takes what the machines want to send, and what they did.
    fn drain(&mut self) {
        while let Some((port, pdu)) = self.host.poll_transmit() {
            if let Some(&member) = self.member_of_port.get(port) {
                self.sent_by_host(member, pdu);
            }
        }
        while let Some(event) = self.host.poll_event() {
            let Some(&member) = self.member_of_port.get(event.port) else { continue };
            self.transitions.push(Transition { at: event.at, member, what: event.what });
            match event.what {
                Happened::Loopback => self.log_loopback(member),
                Happened::Forwarding(_) => self.link_event(member),
                Happened::Receive(_)
                | Happened::Periodic(_)
                | Happened::Mux(_)
                | Happened::ActorChurn(_)
                | Happened::PartnerChurn(_)
                | Happened::Selected(_) => {}
            }
        }
        for chassis in 0..self.switches.len() {
            while let Some((port, pdu)) = self.switches.get_mut(chassis).and_then(System::poll_transmit) {
                let member = self.member_of_switch_port.get(chassis).and_then(|m| m.get(port)).copied();
                if let Some(member) = member {
                    self.sent_by_switch(member, pdu);
                }
            }
            while self.switches.get_mut(chassis).and_then(System::poll_event).is_some() {}
        }
        while let Some((port, pdu)) = self.foreign.as_mut().and_then(System::poll_transmit) {
            if let Some(&member) = self.member_of_foreign_port.get(port) {
                self.onto_wire_to_host(member, pdu);
            }
        }
        while self.foreign.as_mut().and_then(System::poll_event).is_some() {}
    }

    fn fault(&self, i: usize) -> Option<Fault> {
        self.incident.faults.get(i).map(|f| f.fault.clone())
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && (share >= 1.0 || self.rng.f64() < share)
    }

    fn each(&self, member: crate::fault::Member) -> Vec<usize> {
        let topology = &self.incident.topology;
        match member {
            crate::fault::Member::Victim => vec![topology.victim],
            crate::fault::Member::Other => vec![topology.other],
            crate::fault::Member::All => (0..self.members.len()).collect(),
        }
    }
}

fn host_port(topology: &crate::incident::Topology, member: usize, mbps: u32, enabled: bool) -> PortConfig {
    PortConfig {
        number: u16::try_from(member).unwrap_or(0) + 1,
        priority: 255,
        key: key::encode(0, mbps, true).unwrap_or(1),
        speed_mbps: mbps,
        active: topology.host.active,
        short_timeout: topology.host.fast,
        lacp_enabled: enabled,
    }
}

/// MAC addresses of both ends, drawn once.
struct Macs {
    host: [u8; 5],
    switch: [u8; 5],
}

impl Macs {
    fn draw(rng: &mut fastrand::Rng) -> Self {
        // Locally administered, so that nobody's vendor is accused.
        let mut part = || [0x02, rng.u8(..), rng.u8(..), rng.u8(..), rng.u8(..)];
        Self { host: part(), switch: part() }
    }
    fn host(&self, i: usize) -> Mac {
        let [a, b, c, d, e] = self.host;
        Mac([a, b, c, d, e, 0x10 + i as u8])
    }
    fn switch(&self, i: usize) -> Mac {
        let [a, b, c, d, e] = self.switch;
        Mac([a, b, c, d, e, 0x80 + i as u8])
    }
}
