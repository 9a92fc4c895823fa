//! The path of a LACPDU, segment by segment.

use super::member::Peer;
use super::{Action, World};
use crate::fault::{Echo, Hook};
use crate::view::Frame;
use lacp::machine::{Pdu, System, Time};
use lacp::{Mac, PortInfo, PortState};

/// Octets of a LACPDU frame without FCS.
pub(super) const FRAME: u64 = 124;

impl World<'_> {
    /// The bond hands a PDU to a member's queue.
    pub(super) fn sent_by_host(&mut self, member: usize, pdu: Pdu) {
        let now = self.now;
        let Some(m) = self.members.get_mut(member) else { return };
        if let Some(hook) = m.hook(&[Hook::TcEgress, Hook::NftEgress]) {
            hook.dropped += 1;
            return;
        }
        if m.qdisc_loss {
            m.qdisc_dropped += 1;
            return;
        }
        // A transmitter that hangs fills its ring; then frames wait in the queueing discipline, before the tap.
        if m.hung_since.is_some_and(|since| now.since(since) > 1_500_000_000) {
            m.backlog += 1;
            return;
        }
        m.qdisc_sent += 1;
        let (source, admin_up) = (m.permanent, m.admin_up);
        if !admin_up {
            return;
        }
        self.tap(member, true, source, pdu);
        let Some(m) = self.members.get_mut(member) else { return };
        if m.hung_since.is_some() {
            return;
        }
        m.counters.tx_packets += 1;
        m.counters.tx_bytes += FRAME;
        if m.eaten[0] {
            return;
        }
        m.nic.tx_packets += 1;
        m.nic.tx_multicast += 1;
        m.nic.tx_bytes += FRAME + 4;
        if !m.lit() || !m.carrier {
            return;
        }
        let (loss, damage, delay) = (m.pdu_loss[0], m.damage[0], m.delay_ms[0]);
        if self.chance(loss) {
            return;
        }
        if self.chance(damage) {
            if let Some(m) = self.members.get_mut(member) {
                m.switch_crc += 1;
            }
            return;
        }
        let latency = self.rng.u64(4_000..40_000) + delay * 1_000_000;
        self.plan(now + latency, Action::AtPeer { member, pdu });
    }

    /// A PDU of the host is at the other end of the cable.
    pub(super) fn at_peer(&mut self, member: usize, pdu: &Pdu) {
        let now = self.now;
        let Some(m) = self.members.get(member) else { return };
        let (peer, intruder, deaf) = (m.peer, m.intruder, m.switch.deaf);
        self.far_tap(member, false, *pdu);
        if let (Some(port), Some(foreign)) = (intruder, &mut self.foreign) {
            foreign.handle_pdu(now, port, pdu);
        }
        if self.chance(deaf) {
            return;
        }
        let Some(m) = self.members.get_mut(member) else { return };
        m.heard = Some(*pdu);
        let mut heard = *pdu;
        if m.switch.ignores_rate {
            heard.actor.state.remove(PortState::TIMEOUT);
        }
        match peer {
            Peer::Switch(chassis, port) => {
                if let Some(s) = self.switches.get_mut(chassis) {
                    s.handle_pdu(now, port, &heard);
                }
            }
            Peer::Foreign(port) => {
                if let Some(f) = &mut self.foreign {
                    f.handle_pdu(now, port, &heard);
                }
            }
        }
    }

    /// The switch's machine sends a PDU.
    pub(super) fn sent_by_switch(&mut self, member: usize, mut pdu: Pdu) {
        let now = self.now;
        let Some(m) = self.members.get_mut(member) else { return };
        if m.switch.silent || !matches!(m.peer, Peer::Switch(..)) {
            return;
        }
        if m.switch.ignores_rate
            && let Some(heard) = &m.heard
            && heard.actor.same_identity(&pdu.partner)
        {
            // It knows what it was asked for, and says so.
            pdu.partner.state.set(PortState::TIMEOUT, heard.actor.state.contains(PortState::TIMEOUT));
        }
        if m.switch.suspends {
            pdu.actor.state.remove(PortState::SYNCHRONIZATION | PortState::CARRIES);
        }
        if let Some((echo, stale)) = m.switch.echo {
            pdu.partner = match echo {
                Echo::Stale => stale,
                Echo::Zero => PortInfo::default(),
                Echo::Corrupt => PortInfo { port: pdu.partner.port ^ 0x40, ..pdu.partner },
            };
        }
        let late_ms = m.switch.late_ms;
        // A process in user space is never exact.
        let slack = if self.incident.topology.switch.linux { 0 } else { self.rng.u64(0..25_000_000) };
        let late = if late_ms > 0 { self.rng.u64(0..late_ms.max(1)) * 1_000_000 } else { 0 };
        if late + slack > 0 {
            self.plan(now + late + slack, Action::LateSend { member, pdu });
        } else {
            self.onto_wire_to_host(member, pdu);
        }
    }

    /// A PDU leaves the far end.
    pub(super) fn onto_wire_to_host(&mut self, member: usize, pdu: Pdu) {
        let now = self.now;
        let Some(m) = self.members.get(member) else { return };
        if !m.lit() || !m.carrier {
            return;
        }
        let (loss, damage, delay, source) = (m.pdu_loss[1], m.damage[1], m.delay_ms[1], m.peer_mac);
        self.far_tap(member, true, pdu);
        if self.chance(loss) {
            return;
        }
        if self.chance(damage) {
            if let Some(m) = self.members.get_mut(member) {
                m.nic.rx_crc += 1;
                m.counters.rx_errors += 1;
                m.counters.rx_crc_errors += 1;
            }
            return;
        }
        let latency = self.rng.u64(4_000..40_000) + delay * 1_000_000;
        self.plan(now + latency, Action::AtNic { member, source, pdu });
    }

    /// A good frame has arrived at the NIC.
    pub(super) fn at_nic(&mut self, member: usize, source: Mac, pdu: Pdu) {
        let Some(m) = self.members.get_mut(member) else { return };
        if m.dark > 0 || !m.carrier || !m.admin_up {
            return;
        }
        m.nic.rx_packets += 1;
        m.nic.rx_bytes += FRAME + 4;
        if !m.joined || m.eaten[1] {
            return;
        }
        m.nic.rx_multicast += 1;
        let ring_loss = m.ring_loss;
        if self.chance(ring_loss) {
            if let Some(m) = self.members.get_mut(member) {
                m.nic.rx_missed += 1;
                m.counters.rx_missed_errors += 1;
            }
            return;
        }
        let Some(m) = self.members.get_mut(member) else { return };
        if let Some(hook) = m.hook(&[Hook::Xdp]) {
            hook.dropped += 1;
            m.nic.xdp_drop += 1;
            return;
        }
        // A softirq that does not get the CPU: the tap sees the frame, with its time, when it does.
        if self.busy_until > self.now {
            let at = self.busy_until + self.rng.u64(10_000..400_000);
            self.plan(at, Action::AtTap { member, source, pdu });
        } else {
            self.at_tap(member, source, pdu);
        }
    }

    /// A frame passes the tap on its way in.
    pub(super) fn at_tap(&mut self, member: usize, source: Mac, pdu: Pdu) {
        let now = self.now;
        self.tap(member, false, source, pdu);
        let Some(m) = self.members.get_mut(member) else { return };
        m.counters.rx_packets += 1;
        m.counters.rx_bytes += FRAME;
        m.counters.multicast += 1;
        if let Some(hook) = m.hook(&[Hook::TcIngress, Hook::NftIngress]) {
            hook.dropped += 1;
            m.counters.rx_dropped += 1;
            return;
        }
        if let Some(port) = m.port
            && !self.static_bond
        {
            self.host.handle_pdu(now, port, &pdu);
        }
    }

    fn tap(&mut self, member: usize, outgoing: bool, source: Mac, pdu: Pdu) {
        self.recording.frames.push(Frame { at: self.now, member, outgoing, source, pdu });
    }

    fn far_tap(&mut self, member: usize, outgoing: bool, pdu: Pdu) {
        let source =
            self.members.get(member).map_or(Mac::ZERO, |m| if outgoing { m.peer_mac } else { m.permanent });
        self.recording.far_frames.push(Frame { at: self.now, member, outgoing, source, pdu });
    }

    /// The switch forwards traffic on the port of a member.
    pub(super) fn switch_forwards(&self, member: usize) -> bool {
        let Some(m) = self.members.get(member) else { return false };
        if m.switch.blocks || m.switch.suspends {
            return false;
        }
        if m.switch.forwards_anyway {
            return true;
        }
        match m.peer {
            Peer::Switch(chassis, port) => self
                .switches
                .get(chassis)
                .and_then(|s| s.port(port))
                .is_some_and(lacp::machine::Port::forwarding),
            Peer::Foreign(port) => self
                .foreign
                .as_ref()
                .and_then(|f: &System| f.port(port))
                .is_some_and(lacp::machine::Port::forwarding),
        }
    }

    /// The host sends traffic on a member.
    pub(super) fn host_forwards(&self, member: usize) -> bool {
        let Some(m) = self.members.get(member) else { return false };
        if self.static_bond {
            return m.mii_up;
        }
        m.port.and_then(|p| self.host.port(p)).is_some_and(lacp::machine::Port::forwarding)
    }

    /// What the host's port last told the switch, as the switch would echo it.
    pub(super) fn echo_now(&self, member: usize) -> PortInfo {
        self.members.get(member).and_then(|m| m.heard).map_or(PortInfo::default(), |p| p.actor)
    }

    /// The end of a time span of the world, in nanoseconds.
    pub(super) const fn after_ms(now: Time, ms: u64) -> Time {
        Time(now.0.saturating_add(ms.saturating_mul(1_000_000)))
    }
}
