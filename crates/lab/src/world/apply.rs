//! Faults begin and end.

use super::member::Peer;
use super::{Action, World, host_port, nics};
use crate::fault::{Fault, Hook, Way};
use crate::view::HookView;
use lacp::machine::{AdSelect, Pdu, PortConfig, Profile, System, SystemConfig, Time};
use lacp::{Mac, PortState, key};

impl World<'_> {
    pub(super) fn begin(&mut self, fault: usize) {
        self.switch_fault(fault, true);
    }

    pub(super) fn end_of(&mut self, fault: usize) {
        self.switch_fault(fault, false);
    }

    #[allow(
        clippy::too_many_lines,
        reason = "one arm for each kind of fault, in the order of the vocabulary"
    )]
    fn switch_fault(&mut self, index: usize, on: bool) {
        let Some(fault) = self.fault(index) else { return };
        let now = self.now;
        // Counters up to this moment belong to the state before it.
        for i in 0..self.members.len() {
            self.count(i);
        }
        match fault {
            Fault::CarrierDown { member } | Fault::SwitchPortDown { member } => {
                for m in self.each(member) {
                    self.darken(m, on);
                }
            }
            Fault::LacpduLoss { member, way, share } => {
                self.on_each(member, |m| set_both(&mut m.pdu_loss, way, if on { share } else { 0.0 }));
            }
            Fault::FrameLoss { member, way } => self.on_each(member, |m| {
                set_both(&mut m.pdu_loss, way, if on { 1.0 } else { 0.0 });
                m.mute = on && way.incoming();
            }),
            Fault::LacpduDelay { member, way, ms } => {
                self.on_each(member, |m| set_both(&mut m.delay_ms, way, if on { ms } else { 0 }));
            }
            Fault::FrameDamage { member, way, share } => {
                self.on_each(member, |m| set_both(&mut m.damage, way, if on { share } else { 0.0 }));
            }
            Fault::OpticsWeak { member, rx_dbm } => self.on_each(member, |m| {
                if let Some(o) = &mut m.optics {
                    o.rx_dbm = if on { rx_dbm } else { -3.0 };
                }
            }),
            Fault::Miswired { member } => {
                for m in self.each(member) {
                    let port = self.foreign_port(m);
                    if let Some(m) = self.members.get_mut(m) {
                        m.peer = Peer::Foreign(port);
                        let [a, b, c, d, e, f] = m.peer_mac.0;
                        m.peer_mac = Mac([a, b ^ 0x5a, c ^ 0x33, d, e, f]);
                    }
                }
            }
            Fault::TwoSpeakers { member } => {
                for m in self.each(member) {
                    let port = if on { Some(self.foreign_port(m)) } else { None };
                    if let Some(m) = self.members.get_mut(m) {
                        m.intruder = port;
                    }
                    if !on {
                        self.foreign = None;
                        self.member_of_foreign_port.clear();
                    }
                }
            }
            Fault::LowSpeed { member, mbps, set_on_host } => {
                for m in self.each(member) {
                    let speed =
                        self.members.get(m).map_or(mbps, |x| if on { mbps } else { x.spec.speed_mbps });
                    if now > Time::ZERO {
                        self.darken(m, true);
                        self.darken(m, false);
                    }
                    if let Some(x) = self.members.get_mut(m) {
                        x.speed_mbps = speed;
                        x.advertises_mbps = (on && set_on_host).then_some(mbps);
                        if let Some(port) = x.port {
                            self.host.set_key(now, port, key::encode(0, speed, true).unwrap_or(1), speed);
                        }
                    }
                }
            }
            Fault::NicReset { member } => {
                for m in self.each(member) {
                    if on {
                        self.log_driver_reset(m);
                    }
                    if let Some(x) = self.members.get_mut(m) {
                        x.nic.resets += u64::from(on);
                    }
                    self.darken(m, on);
                }
            }
            Fault::TxHang { member } => {
                for m in self.each(member) {
                    if let Some(x) = self.members.get_mut(m) {
                        x.hung_since = on.then_some(now);
                    }
                    if on {
                        let at = Self::after_ms(now, self.rng.u64(5_000..7_500));
                        self.plan(at, Action::Watchdog { member: m });
                    } else {
                        self.release_backlog(m);
                    }
                }
            }
            Fault::PcieError { member, fatal } => {
                for m in self.each(member) {
                    if on {
                        self.log_pcie(m, fatal);
                    }
                    if fatal {
                        self.darken(m, on);
                    }
                }
            }
            Fault::NicEatsLacpdus { member, way } => {
                self.on_each(member, |m| set_both(&mut m.eaten, way, on));
            }
            Fault::MulticastFilterMissing { member } => self.on_each(member, |m| m.joined = !on),
            Fault::RingOverflow { member, share } => {
                self.on_each(member, |m| m.ring_loss = if on { share } else { 0.0 });
            }
            Fault::HostFilter { member, hook } => self.on_each(member, |m| {
                if on {
                    let name = match hook {
                        Hook::TcEgress | Hook::TcIngress => "matchall",
                        Hook::NftEgress | Hook::NftIngress => "guard",
                        Hook::Xdp => "xdp_guard",
                    };
                    m.hooks.push(HookView {
                        hook,
                        vlan: None,
                        name: name.to_owned(),
                        dropped: 0,
                        tcx: false,
                    });
                } else {
                    m.hooks.retain(|h| h.hook != hook);
                }
            }),
            Fault::QdiscLoss { member } => self.on_each(member, |m| m.qdisc_loss = on),
            Fault::Starvation { .. } => {
                self.starved = on;
                if on {
                    self.log_starvation();
                    self.plan(now, Action::Stall { fault: index });
                }
            }
            Fault::AdminDown { member } => {
                for m in self.each(member) {
                    if let Some(x) = self.members.get_mut(m) {
                        x.admin_up = !on;
                    }
                    self.darken(m, on);
                }
            }
            Fault::Release { member, by } => {
                for m in self.each(member) {
                    self.release(m, on, by.as_deref());
                }
            }
            Fault::HostRate { fast } => {
                self.fast = fast == on;
                self.host.set_short_timeout(now, self.fast);
            }
            Fault::HostPassive {} => {
                self.passive = on;
                self.host.set_active(now, !on);
            }
            Fault::HostStatic {} => {
                self.static_bond = on;
                for m in 0..self.members.len() {
                    if let Some(port) = self.members.get(m).and_then(|m| m.port) {
                        self.host.set_lacp_enabled(now, port, !on);
                    }
                }
            }
            Fault::MtuDiffers { member, mtu } => {
                self.on_each(member, |m| m.mtu = if on { mtu } else { m.spec.mtu });
            }
            Fault::SwitchSilent { member } => self.on_each(member, |m| m.switch.silent = on),
            Fault::SwitchLate { member, up_to_ms } => {
                self.on_each(member, |m| m.switch.late_ms = if on { up_to_ms } else { 0 });
            }
            Fault::SwitchDeaf { member, share } => {
                self.on_each(member, |m| m.switch.deaf = if on { share } else { 0.0 });
            }
            Fault::SwitchIgnoresRate { member } => self.on_each(member, |m| m.switch.ignores_rate = on),
            Fault::SwitchEcho { member, echo } => {
                for m in self.each(member) {
                    let stale = self.echo_now(m);
                    if let Some(m) = self.members.get_mut(m) {
                        m.switch.echo = on.then_some((echo, stale));
                    }
                }
            }
            Fault::SwitchRestart {} => {
                self.on_each(crate::fault::Member::All, |m| {
                    m.switch.silent = on;
                    m.switch.deaf = if on { 1.0 } else { 0.0 };
                    m.switch.forwards_anyway = on;
                });
                if !on {
                    self.control_plane_up();
                }
            }
            Fault::SwitchKey { member, key } => {
                for m in self.each(member) {
                    let Some((chassis, port)) = self.switch_port(m) else { continue };
                    let speed = self.members.get(m).map_or(0, |m| m.spec.speed_mbps);
                    let own = if self.incident.topology.switch.linux {
                        key::encode(self.incident.topology.switch.key & 0x3ff, speed, true).unwrap_or(1)
                    } else {
                        self.incident.topology.switch.key
                    };
                    if let Some(s) = self.switches.get_mut(chassis) {
                        s.set_key(now, port, if on { key } else { own }, speed);
                    }
                }
            }
            Fault::SwitchSystem { member } => {
                for m in self.each(member) {
                    let Some((chassis, _)) = self.switch_port(m) else { continue };
                    if let Some(s) = self.switches.get_mut(chassis) {
                        let [a, b, c, d, e, f] = s.config().system.0;
                        s.set_system(now, Mac([a, b, c ^ 0x55, d, e ^ 0x0f, f]));
                    }
                }
            }
            Fault::SwitchTakesHostSystem { member } => {
                let own = self.bond_mac;
                for m in self.each(member) {
                    let Some((chassis, _)) = self.switch_port(m) else { continue };
                    if let Some(s) = self.switches.get_mut(chassis) {
                        s.set_system(now, own);
                    }
                }
            }
            Fault::SwitchPassive {} => {
                for s in &mut self.switches {
                    s.set_active(now, !on);
                }
            }
            Fault::SwitchStatic { member } => {
                for m in self.each(member) {
                    if let Some((chassis, port)) = self.switch_port(m)
                        && let Some(s) = self.switches.get_mut(chassis)
                    {
                        s.set_lacp_enabled(now, port, !on);
                    }
                }
                self.on_each(member, |m| m.switch.forwards_anyway = on);
            }
            Fault::SwitchSuspends { member } => self.on_each(member, |m| m.switch.suspends = on),
            Fault::SwitchReleases { member } => {
                for m in self.each(member) {
                    self.switch_releases(m, on);
                }
            }
            Fault::SwitchRate { fast } => {
                for s in &mut self.switches {
                    s.set_short_timeout(now, fast == on);
                }
            }
            Fault::VlanLoss { place } => self.vlan_loss = on.then_some(place),
            Fault::Congestion {} => self.congested = on,
            Fault::PauseStorm { member } => self.on_each(member, |m| m.paused = on),
            Fault::HashImbalance {} => {
                for (i, m) in self.members.iter_mut().enumerate() {
                    if i > 0 {
                        m.spec.tx_pps /= if on { 50 } else { 1 };
                    }
                }
            }
            Fault::OldErrors { member, count } => {
                if on {
                    self.on_each(member, |m| {
                        m.nic.rx_crc += count;
                        m.counters.rx_errors += count;
                        m.counters.rx_crc_errors += count;
                        m.nic.rx_missed += count / 3;
                        m.counters.rx_missed_errors += count / 3;
                    });
                }
            }
            Fault::OtherNicTrouble {} => {
                if on {
                    self.log_other_nic();
                }
            }
        }
    }

    fn on_each(&mut self, member: crate::fault::Member, f: impl Fn(&mut super::Member)) {
        for i in self.each(member) {
            if let Some(m) = self.members.get_mut(i) {
                f(m);
            }
        }
    }

    fn switch_port(&self, member: usize) -> Option<(usize, usize)> {
        match self.members.get(member)?.peer {
            Peer::Switch(chassis, port) => Some((chassis, port)),
            Peer::Foreign(_) => None,
        }
    }

    /// A port on a switch that has nothing to do with the other one.
    fn foreign_port(&mut self, member: usize) -> usize {
        let now = self.now;
        let foreign = self.foreign.get_or_insert_with(|| {
            let [_, b, c, d, e, f] = self.bond_mac.0;
            System::new(
                SystemConfig {
                    priority: 32768,
                    system: Mac([0x02, b ^ 0x77, c ^ 0x21, d, e ^ 0x42, f]),
                    profile: Profile::switch(),
                    ad_select: AdSelect::Stable,
                },
                now,
            )
        });
        self.member_of_foreign_port.push(member);
        foreign.add_port(
            now,
            PortConfig {
                number: 7,
                priority: 32768,
                key: 77,
                short_timeout: self.incident.topology.switch.fast,
                ..PortConfig::default()
            },
        )
    }

    /// One reason more (or less) for a member to have no carrier.
    fn darken(&mut self, member: usize, on: bool) {
        let now = self.now;
        let Some(m) = self.members.get_mut(member) else { return };
        m.dark = if on { m.dark + 1 } else { m.dark.saturating_sub(1) };
        if m.dark > 0 && m.carrier {
            m.carrier = false;
            m.carrier_counts.1 += 1;
            m.nic.link_down += 1;
            self.log_link(member, false);
            self.far_link(member, false);
            let miimon = self.incident.topology.host.miimon_ms;
            let at = Self::after_ms(now, self.rng.u64(1..=miimon.max(1)));
            self.plan(at, Action::Mii { member });
            self.link_event(member);
        } else if m.dark == 0 && !m.carrier {
            // Training and negotiation take their time; a veth has none.
            let ms = if m.spec.driver == "veth" { 0 } else { self.rng.u64(300..2_500) };
            self.plan(Self::after_ms(now, ms), Action::Trained { member });
        }
    }

    pub(super) fn trained(&mut self, member: usize) {
        let Some(m) = self.members.get_mut(member) else { return };
        if m.dark > 0 || m.carrier {
            return;
        }
        m.carrier = true;
        m.carrier_counts.0 += 1;
        m.counted_until = self.now;
        self.log_link(member, true);
        self.far_link(member, true);
        let miimon = self.incident.topology.host.miimon_ms;
        let at = Self::after_ms(self.now, self.rng.u64(1..=miimon.max(1)));
        self.plan(at, Action::Mii { member });
        self.link_event(member);
    }

    fn far_link(&mut self, member: usize, up: bool) {
        let now = self.now;
        match self.members.get(member).map(|m| m.peer) {
            Some(Peer::Switch(chassis, port)) => {
                if let Some(s) = self.switches.get_mut(chassis) {
                    s.set_link(now, port, up);
                }
            }
            Some(Peer::Foreign(port)) => {
                if let Some(f) = &mut self.foreign {
                    f.set_link(now, port, up);
                }
            }
            None => {}
        }
    }

    /// `bond_miimon_inspect()` and `bond_miimon_commit()`.
    pub(super) fn look_at_carrier(&mut self, member: usize) {
        self.count(member);
        let now = self.now;
        let Some(m) = self.members.get_mut(member) else { return };
        if m.mii_up == m.carrier {
            return;
        }
        m.mii_up = m.carrier;
        if !m.carrier {
            m.link_failures += 1;
        }
        let (up, port, speed) = (m.carrier, m.port, m.speed_mbps);
        let before = self.any_forwarding();
        if let Some(port) = port {
            self.host.set_link(now, port, up);
        }
        self.log_mii(member, up, speed);
        if before != self.any_forwarding() || !up {
            self.log_active_up();
        }
        self.link_event(member);
    }

    fn any_forwarding(&self) -> usize {
        (0..self.members.len()).filter(|&m| self.host_forwards(m)).count()
    }

    /// The watchdog of the queueing layer finds a queue stopped for more than 5 s: the driver resets the NIC.
    pub(super) fn watchdog(&mut self, member: usize) {
        if self.members.get(member).is_none_or(|m| m.hung_since.is_none()) {
            return;
        }
        self.log_watchdog(member);
        self.log_driver_reset(member);
        if let Some(m) = self.members.get_mut(member) {
            m.nic.tx_timeout += 1;
            m.nic.resets += 1;
            m.hung_since = None;
        }
        self.release_backlog(member);
        // The reset takes the link with it.
        self.darken(member, true);
        self.darken(member, false);
    }

    fn release_backlog(&mut self, member: usize) {
        // What waited in the queue is dropped by the reset.
        if let Some(m) = self.members.get_mut(member) {
            m.qdisc_dropped += m.backlog;
            m.backlog = 0;
        }
    }

    pub(super) fn stall(&mut self, fault: usize) {
        let (Some(Fault::Starvation { stall_ms, run_ms }), true) = (self.fault(fault), self.starved) else {
            return;
        };
        let stall = self.rng.u64(stall_ms * 3 / 4..=stall_ms * 5 / 4);
        let until = Self::after_ms(self.now, stall);
        self.host.stall(self.now, until);
        self.busy_until = until;
        self.stalled_ns += stall * 1_000_000;
        let run = self.rng.u64(run_ms / 2..=run_ms.max(1));
        self.plan(Self::after_ms(until, run), Action::Stall { fault });
    }

    pub(super) fn control_plane_up(&mut self) {
        let now = self.now;
        for (chassis, ports) in self.member_of_switch_port.iter().enumerate() {
            for port in 0..ports.len() {
                if let Some(s) = self.switches.get_mut(chassis) {
                    s.restart_port(now, port);
                }
            }
        }
    }

    fn release(&mut self, member: usize, on: bool, by: Option<&str>) {
        let now = self.now;
        if on {
            self.log_release(member, by);
            if let Some(port) = self.members.get(member).and_then(|m| m.port) {
                self.host.remove_port(now, port);
                self.drain();
            }
            if let Some(m) = self.members.get_mut(member) {
                m.port = None;
            }
        } else {
            let speed = self.members.get(member).map_or(0, |m| m.speed_mbps);
            let config = host_port(&self.incident.topology, member, speed, true);
            let port = self.host.add_port(now, config);
            self.member_of_port.push(member);
            if let Some(m) = self.members.get_mut(member) {
                m.port = Some(port);
                m.link_failures = 0;
            }
            self.log_enslave(member);
        }
        self.link_event(member);
    }

    fn switch_releases(&mut self, member: usize, on: bool) {
        let now = self.now;
        if on {
            if let Some((chassis, port)) = self.switch_port(member)
                && let Some(p) = self.switches.get(chassis).and_then(|s| s.port(port))
            {
                let Pdu { mut actor, partner } = p.pdu();
                actor.state.remove(PortState::SYNCHRONIZATION | PortState::CARRIES | PortState::AGGREGATION);
                self.onto_wire_to_host(member, Pdu { actor, partner });
            }
            if let Some(m) = self.members.get_mut(member) {
                m.switch.silent = true;
                m.switch.deaf = 1.0;
                m.switch.blocks = true;
            }
        } else {
            if let Some(m) = self.members.get_mut(member) {
                m.switch.silent = false;
                m.switch.deaf = 0.0;
                m.switch.blocks = false;
            }
            if let Some((chassis, port)) = self.switch_port(member)
                && let Some(s) = self.switches.get_mut(chassis)
            {
                s.restart_port(now, port);
            }
        }
    }

    /// The driver of a member.
    pub(super) fn nic(&self, member: usize) -> nics::Nic {
        nics::find(self.members.get(member).map_or("", |m| m.spec.driver.as_str()))
    }
}

fn set_both<T: Copy>(pair: &mut [T; 2], way: Way, value: T) {
    if way.outgoing() {
        pair[0] = value;
    }
    if way.incoming() {
        pair[1] = value;
    }
}
