//! Carrier: who loses it, when each end notices, and members that leave the bond and come back.

use super::member::Peer;
use super::{Action, End, World, host_port};
use lacp::machine::{PortConfig, Time};

/// `miimon` of a far end that runs Linux, milliseconds.
const FAR_MIIMON_MS: u64 = 100;
/// A change of carrier is noted in a recording when the command that made it has ended, nanoseconds.
const COMMAND_NS: u64 = 50_000_000;
/// A jiffy of Debian's kernels (HZ=250), nanoseconds. A work item that is queued again for n of them runs n + 1 later.
const JIFFY_NS: u64 = 4_000_000;

impl World<'_> {
    /// One reason more (or less) for a member to have no carrier.
    pub(super) fn darken(&mut self, member: usize, on: bool) {
        let now = self.now;
        let Some(m) = self.members.get_mut(member) else { return };
        m.dark = if on { m.dark + 1 } else { m.dark.saturating_sub(1) };
        if m.dark > 0 && m.carrier {
            m.carrier = false;
            m.carrier_counts.1 += 1;
            m.nic.link_down += 1;
            self.log_link(member, false);
            self.far_link(member, false);
            self.plan_look(member);
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
        self.plan_look(member);
        self.link_event(member);
    }

    /// The host's bond will notice that the carrier of a member changed.
    fn plan_look(&mut self, member: usize) {
        let at = self.next_look(None, member, self.incident.topology.host.miimon_ms);
        self.plan(at, Action::Mii { member });
    }

    /// The next run of `bond_mii_monitor()` of an end.
    fn next_look(&mut self, end: End, member: usize, miimon_ms: u64) -> Time {
        let now = self.now;
        let half = |half: usize| self.clocks.and_then(|c| c.far.get(half));
        let Some(clock) = end.map_or(self.clocks.map(|c| &c.host), half) else {
            return Self::after_ms(now, self.rng.u64(1..=miimon_ms.max(1)));
        };
        // bond_mii_monitor() tries for the lock of all configuration, and again a jiffy later if others hold it. A look
        // that takes longer than that explains is none of this change.
        let latest = now + miimon_ms.saturating_mul(2_000_000);
        let earliest = now - COMMAND_NS;
        if let Some(look) = clock.looked.iter().find(|l| l.1 == member && l.0 >= earliest && l.0 <= latest) {
            return look.0;
        }
        let jiffies = miimon_ms.saturating_mul(1_000_000).div_ceil(JIFFY_NS).saturating_add(1);
        let period = jiffies.saturating_mul(JIFFY_NS);
        clock.opened + (now.since(clock.opened) / period + 1).saturating_mul(period)
    }

    /// The carrier at the other end of a member's cable changes.
    fn far_link(&mut self, member: usize, up: bool) {
        if self.incident.topology.switch.linux
            && let Some(Peer::Switch(half, _)) = self.members.get(member).map(|m| m.peer)
        {
            let at = self.next_look(Some(half), member, FAR_MIIMON_MS);
            self.plan(at, Action::FarMii { member });
        } else {
            self.set_far_link(member, up);
        }
    }

    pub(super) fn far_looks_at_carrier(&mut self, member: usize) {
        let up = self.members.get(member).is_some_and(|m| m.carrier && m.dark == 0);
        self.set_far_link(member, up);
    }

    fn set_far_link(&mut self, member: usize, up: bool) {
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
        if m.mii_up == m.carrier || m.port.is_none() {
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

    /// Somebody takes a member out of the bond, or puts it back. `__bond_release_one()` closes the device once the last
    /// PDU is sent, so the cable goes dark until `bond_enslave()` opens it again.
    pub(super) fn release(&mut self, member: usize, on: bool, by: Option<&str>) {
        let now = self.now;
        if on {
            self.log_release(member, by);
            if let Some(port) = self.members.get(member).and_then(|m| m.port) {
                self.host.remove_port(now, port);
                self.drain();
            }
            if let Some(m) = self.members.get_mut(member) {
                m.port = None;
                m.admin_up = false;
            }
            self.darken(member, true);
        } else {
            if let Some(m) = self.members.get_mut(member) {
                m.admin_up = true;
            }
            self.darken(member, false);
            // A veth has its carrier at once; a NIC is enslaved before it has one.
            if self.members.get(member).is_some_and(|m| m.spec.driver == "veth") {
                self.trained(member);
            }
            self.enslave(member);
        }
        self.link_event(member);
    }

    fn enslave(&mut self, member: usize) {
        let now = self.now;
        // bond_enslave(): the last member's number and one.
        let last = self.host.ports().iter().rfind(|p| p.bound()).map_or(0, |p| p.config().number);
        let speed = self.members.get(member).map_or(0, |m| m.speed_mbps);
        let config = PortConfig {
            number: last.saturating_add(1),
            ..host_port(&self.incident.topology, member, speed, true)
        };
        let port = self.host.add_port(now, config);
        self.member_of_port.push(member);
        let Some(m) = self.members.get_mut(member) else { return };
        m.port = Some(port);
        m.link_failures = 0;
        m.mii_up = m.carrier;
        if !m.carrier {
            self.host.set_link(now, port, false);
        }
        self.log_enslave(member);
    }
}
