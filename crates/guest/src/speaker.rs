//! Our own LACP speaker in the place of a switch: the machines of `lacp` on packet sockets, and misbehaviour on demand.
//!
//! Each misbehaviour sits where the simulated switch of `lab` has it: between the wire and the machines, so that the
//! machines themselves stay those of the standard (or of Linux bonding).

use crate::programs::Place;
use crate::topology::{Names, Topology};
use anyhow::{Context, Result};
use bondwitness_host::packet::{self, Direction, PacketSocket};
use bondwitness_lab::fault::{Echo, Fault};
use bondwitness_lab::incident::Incident;
use lacp::machine::{AdSelect, Pdu, PortConfig, Profile, SelectionPolicy, System, SystemConfig, Time};
use lacp::{Lacpdu, Mac, PortInfo, PortState, key, wire};
use std::time::{Duration, Instant};

/// Destination of every LACPDU.
const GROUP: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x02];

/// What a veth says of its speed, in Mb/s, whatever was drawn: the speaker goes by what the host sees.
const SPEED: u32 = 10_000;

/// A switch, or a pair of them.
pub(crate) struct Speaker {
    begun: Instant,
    linux: bool,
    key: u16,
    systems: Vec<System>,
    /// A switch that has nothing to do with the others: the wrong end of a cable.
    foreign: Option<System>,
    ports: Vec<Port>,
    /// PDUs that are held back.
    held: Vec<(Time, usize, Pdu)>,
    rng: Random,
}

/// A port and what is wrong with it.
struct Port {
    socket: PacketSocket,
    mac: Mac,
    /// Which system it belongs to, and its index there.
    at: (usize, usize),
    /// Its index in the foreign system: instead of its own, or beside it.
    foreign: Option<(usize, bool)>,
    /// The last PDU heard.
    heard: Option<Pdu>,
    silent: bool,
    /// Share of PDUs that are not heard.
    deaf: f64,
    late_ms: u64,
    ignores_rate: bool,
    suspends: bool,
    echo: Option<(Echo, PortInfo)>,
}

impl Speaker {
    /// Opens the ports; the machines start with `open`.
    pub(crate) fn new(incident: &Incident, topology: &Topology) -> Result<Self> {
        let switch = &incident.topology.switch;
        let names = topology.names;
        let profile = if switch.linux {
            Profile::linux()
        } else {
            Profile { selection: SelectionPolicy::OnePerKey { max_ports: 16 }, ..Profile::standard() }
        };
        let config = SystemConfig {
            priority: if switch.linux { 65535 } else { 32768 },
            system: system(names, 0),
            profile,
            ad_select: AdSelect::Stable,
        };
        let mut systems: Vec<System> =
            (0..topology.halves()).map(|_| System::new(config, Time::ZERO)).collect();
        let mut ports = Vec::new();
        for i in 0..topology.members {
            let half = topology.half_of(i);
            let number = u16::try_from(i).unwrap_or(0);
            let port = systems.get_mut(half).context("no such system")?.add_port(
                Time::ZERO,
                PortConfig {
                    number: if switch.linux {
                        number + 1
                    } else {
                        100 + 1000 * u16::try_from(half).unwrap_or(0) + number
                    },
                    priority: if switch.linux { 255 } else { 32768 },
                    key: own_key(switch.linux, switch.key),
                    speed_mbps: SPEED,
                    active: switch.active,
                    short_timeout: switch.fast,
                    lacp_enabled: true,
                },
            );
            let name = names.port(i);
            let socket = topology
                .at(Place::Far(half))
                .with(|| PacketSocket::open(packet::ifindex(&name)?))?
                .with_context(|| format!("cannot speak on {name}"))?;
            ports.push(Port {
                socket,
                mac: names.port_mac(i),
                at: (half, port),
                foreign: None,
                heard: None,
                silent: false,
                deaf: 0.0,
                late_ms: 0,
                ignores_rate: false,
                suspends: false,
                echo: None,
            });
        }
        Ok(Self {
            begun: Instant::now(),
            linux: switch.linux,
            key: switch.key,
            systems,
            foreign: None,
            ports,
            held: Vec::new(),
            rng: Random(incident.seed ^ 0x9e37_79b9_7f4a_7c15),
        })
    }

    /// The aggregation is switched on.
    pub(crate) fn open(&mut self) {
        let now = self.now();
        for s in &mut self.systems {
            s.open(now);
        }
        self.transmit(now);
    }

    /// The sockets that something may arrive on.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = &PacketSocket> {
        self.ports.iter().map(|p| &p.socket)
    }

    /// When something is due without a frame arriving.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.systems
            .iter()
            .chain(&self.foreign)
            .filter_map(System::next_deadline)
            .chain(self.held.iter().map(|h| h.0))
            .min()
            .map(|at| self.begun + Duration::from_nanos(at.0))
    }

    /// Hears what has arrived, lets time pass, and speaks.
    pub(crate) fn run(&mut self) {
        let now = self.now();
        for s in self.systems.iter_mut().chain(&mut self.foreign) {
            s.handle_timeout(now);
        }
        self.transmit(now);
        for i in 0..self.ports.len() {
            while let Some(pdu) = self.receive(i) {
                self.hear(now, i, pdu);
            }
        }
        self.transmit(now);
    }

    /// Does the switch forward traffic on the port of this member?
    pub(crate) fn forwards(&self, member: usize) -> bool {
        let Some(p) = self.ports.get(member).filter(|p| !p.suspends) else { return false };
        match p.foreign {
            Some((port, true)) => self.foreign.as_ref().and_then(|f| f.port(port)),
            _ => self.systems.get(p.at.0).and_then(|s| s.port(p.at.1)),
        }
        .is_some_and(|port| port.forwarding() || !port.config().lacp_enabled)
    }

    /// The carrier of a port changes.
    pub(crate) fn link(&mut self, member: usize, up: bool) {
        let now = self.now();
        let Some(p) = self.ports.get(member) else { return };
        if let Some(s) = self.systems.get_mut(p.at.0) {
            s.set_link(now, p.at.1, up);
        }
        if let (Some((port, _)), Some(f)) = (p.foreign, &mut self.foreign) {
            f.set_link(now, port, up);
        }
        self.transmit(now);
    }

    /// A fault of the switch begins or ends on these members.
    pub(crate) fn fault(&mut self, fault: &Fault, members: &[usize], host_system: Mac, on: bool) {
        let now = self.now();
        match *fault {
            Fault::SwitchPassive {} => self.systems.iter_mut().for_each(|s| s.set_active(now, !on)),
            Fault::SwitchRate { fast } => {
                self.systems.iter_mut().for_each(|s| s.set_short_timeout(now, fast == on));
            }
            Fault::SwitchRestart {} => {
                for p in &mut self.ports {
                    p.silent = on;
                    p.deaf = if on { 1.0 } else { 0.0 };
                }
                if !on {
                    for (half, port) in self.ports.iter().map(|p| p.at).collect::<Vec<_>>() {
                        if let Some(s) = self.systems.get_mut(half) {
                            s.restart_port(now, port);
                        }
                    }
                }
            }
            _ => {}
        }
        for &member in members {
            self.on_port(now, fault, member, host_system, on);
        }
        self.transmit(now);
    }

    fn on_port(&mut self, now: Time, fault: &Fault, member: usize, host_system: Mac, on: bool) {
        let linux = self.linux;
        let own = self.key;
        let Some(p) = self.ports.get_mut(member) else { return };
        let (half, port) = p.at;
        match *fault {
            Fault::SwitchSilent { .. } => p.silent = on,
            Fault::SwitchLate { up_to_ms, .. } => p.late_ms = if on { up_to_ms } else { 0 },
            Fault::SwitchDeaf { share, .. } => p.deaf = if on { share } else { 0.0 },
            Fault::SwitchIgnoresRate { .. } => p.ignores_rate = on,
            Fault::SwitchSuspends { .. } => p.suspends = on,
            Fault::SwitchEcho { echo, .. } => {
                p.echo = on.then(|| (echo, p.heard.map_or(PortInfo::default(), |h| h.actor)));
            }
            Fault::SwitchKey { key, .. } => {
                if let Some(s) = self.systems.get_mut(half) {
                    s.set_key(now, port, if on { key } else { own_key(linux, own) }, SPEED);
                }
            }
            Fault::SwitchStatic { .. } => {
                if let Some(s) = self.systems.get_mut(half) {
                    s.set_lacp_enabled(now, port, !on);
                }
            }
            Fault::SwitchSystem { .. } => {
                if let Some(s) = self.systems.get_mut(half) {
                    let [a, b, c, d, e, f] = s.config().system.0;
                    s.set_system(now, Mac([a, b, c ^ 0x55, d, e ^ 0x0f, f]));
                }
            }
            Fault::SwitchTakesHostSystem { .. } => {
                if let Some(s) = self.systems.get_mut(half) {
                    s.set_system(now, host_system);
                }
            }
            Fault::SwitchReleases { .. } => {
                if on && let Some(last) = self.systems.get(half).and_then(|s| s.port(port)) {
                    let mut bye = last.pdu();
                    bye.actor
                        .state
                        .remove(PortState::SYNCHRONIZATION | PortState::CARRIES | PortState::AGGREGATION);
                    send(p, &bye);
                }
                p.silent = on;
                p.deaf = if on { 1.0 } else { 0.0 };
                p.suspends = on;
                if !on && let Some(s) = self.systems.get_mut(half) {
                    s.restart_port(now, port);
                }
            }
            Fault::Miswired { .. } | Fault::TwoSpeakers { .. } => {
                let instead = matches!(fault, Fault::Miswired { .. });
                if on {
                    let system = self.foreign.get_or_insert_with(|| {
                        System::new(
                            SystemConfig {
                                priority: 32768,
                                system: foreign_system(host_system),
                                profile: Profile::switch(),
                                ad_select: AdSelect::Stable,
                            },
                            now,
                        )
                    });
                    let config = PortConfig { number: 7, priority: 32768, key: 77, ..PortConfig::default() };
                    p.foreign = Some((system.add_port(now, config), instead));
                } else {
                    p.foreign = None;
                }
            }
            _ => {}
        }
    }

    fn now(&self) -> Time {
        Time(u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// The next PDU that has arrived on a port. Whatever else arrives is passed over.
    fn receive(&self, member: usize) -> Option<Pdu> {
        let socket = &self.ports.get(member)?.socket;
        let mut buffer = [0; 256];
        let mut errors = 0;
        while errors < 4 {
            match socket.receive(&mut buffer) {
                Ok(Some(frame)) if frame.direction == Direction::In => {
                    if let Some((actor, partner)) = buffer.get(14..frame.captured).and_then(wire::fixed) {
                        return Some(Pdu { actor, partner });
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(_) => errors += 1,
            }
        }
        None
    }

    fn hear(&mut self, now: Time, member: usize, pdu: Pdu) {
        let Some(p) = self.ports.get_mut(member) else { return };
        if let (Some((port, _)), Some(f)) = (p.foreign, &mut self.foreign) {
            f.handle_pdu(now, port, &pdu);
        }
        if matches!(p.foreign, Some((_, true))) || self.rng.share() < p.deaf {
            return;
        }
        p.heard = Some(pdu);
        let mut heard = pdu;
        if p.ignores_rate {
            heard.actor.state.remove(PortState::TIMEOUT);
        }
        if let Some(s) = self.systems.get_mut(p.at.0) {
            s.handle_pdu(now, p.at.1, &heard);
        }
    }

    /// Sends what the machines want to send, and what was held back long enough.
    fn transmit(&mut self, now: Time) {
        for half in 0..self.systems.len() {
            while let Some((port, pdu)) = self.systems.get_mut(half).and_then(System::poll_transmit) {
                if let Some(member) = self.ports.iter().position(|p| p.at == (half, port)) {
                    self.speak(now, member, pdu);
                }
            }
        }
        while let Some((port, pdu)) = self.foreign.as_mut().and_then(System::poll_transmit) {
            if let Some(p) = self.ports.iter().find(|p| p.foreign.is_some_and(|f| f.0 == port)) {
                // It has an address of its own.
                let [a, b, c, d, e, f] = p.mac.0;
                send_from(p, Mac([a, b ^ 0x5a, c ^ 0x33, d, e, f]), &pdu);
            }
        }
        let (due, held): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.held).into_iter().partition(|h| h.0 <= now);
        self.held = held;
        for (_, member, pdu) in due {
            if let Some(p) = self.ports.get(member) {
                send(p, &pdu);
            }
        }
    }

    fn speak(&mut self, now: Time, member: usize, mut pdu: Pdu) {
        let Some(p) = self.ports.get(member) else { return };
        if p.silent || matches!(p.foreign, Some((_, true))) {
            return;
        }
        if p.ignores_rate
            && let Some(heard) = &p.heard
            && heard.actor.same_identity(&pdu.partner)
        {
            // It knows what it was asked for, and says so.
            pdu.partner.state.set(PortState::TIMEOUT, heard.actor.state.contains(PortState::TIMEOUT));
        }
        if p.suspends {
            pdu.actor.state.remove(PortState::SYNCHRONIZATION | PortState::CARRIES);
        }
        if let Some((echo, stale)) = p.echo {
            pdu.partner = match echo {
                Echo::Stale => stale,
                Echo::Zero => PortInfo::default(),
                Echo::Corrupt => PortInfo { port: pdu.partner.port ^ 0x40, ..pdu.partner },
            };
        }
        if p.late_ms > 0 {
            let late = self.rng.below(p.late_ms) * 1_000_000;
            self.held.push((now + late, member, pdu));
        } else {
            send(p, &pdu);
        }
    }
}

/// A frame that cannot be sent is lost, as on a port that is down.
fn send(port: &Port, pdu: &Pdu) {
    send_from(port, port.mac, pdu);
}

fn send_from(port: &Port, source: Mac, pdu: &Pdu) {
    let mut frame = Vec::with_capacity(124);
    frame.extend(GROUP);
    frame.extend(source.0);
    frame.extend([0x88, 0x09]);
    frame.extend(Lacpdu::new(pdu.actor, pdu.partner).encode());
    let _ = port.socket.send(&frame);
}

/// The key of a port: Linux puts the speed into it.
fn own_key(linux: bool, key: u16) -> u16 {
    if linux { key::encode(key & 0x3ff, SPEED, true).unwrap_or(1) } else { key }
}

/// The system that a far end shows.
fn system(names: Names, other: u8) -> Mac {
    names.system_mac(other)
}

/// The system of a switch that the cable was plugged into by mistake.
const fn foreign_system(host: Mac) -> Mac {
    let [_, b, c, d, e, f] = host.0;
    Mac([0x02, b ^ 0x77, c ^ 0x21, d, e ^ 0x42, f])
}

/// splitmix64: the draws of one incident depend on its seed only.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
    /// From 0 to below 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
