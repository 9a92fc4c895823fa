//! Counters of the background traffic, integrated over time.

use super::World;
use crate::fault::VlanLoss;

/// Mean size of a frame of the background traffic, octets.
const MEAN_FRAME: u64 = 640;

impl World<'_> {
    /// What was counted before the bond was opened.
    pub(super) fn start_counters(&mut self) {
        let up = self.incident.topology.host.uptime_s.max(60);
        for m in &mut self.members {
            let seconds = self.rng.u64(up / 2..=up);
            let (rx, tx) = (m.spec.rx_pps * seconds, m.spec.tx_pps * seconds);
            m.counters.rx_packets = rx;
            m.counters.tx_packets = tx;
            m.counters.rx_bytes = rx * MEAN_FRAME;
            m.counters.tx_bytes = tx * MEAN_FRAME;
            m.counters.multicast = seconds / 3;
            m.nic.rx_packets = rx;
            m.nic.tx_packets = tx;
            m.nic.rx_bytes = rx * (MEAN_FRAME + 4);
            m.nic.tx_bytes = tx * (MEAN_FRAME + 4);
            m.nic.rx_multicast = seconds / 3;
            m.nic.tx_multicast = seconds / 4;
            m.qdisc_sent = tx;
        }
    }

    /// Counts the traffic of every member whose end of it began or ceased to forward in this step: what flowed until now
    /// flowed in the state before.
    pub(super) fn settle(&mut self) {
        for i in 0..self.members.len() {
            let now = (self.switch_forwards(i), self.host_forwards(i));
            if self.members.get(i).is_some_and(|m| m.forwards != now) {
                self.count(i);
            }
        }
    }

    /// Counts the traffic of a member up to now.
    pub(super) fn count(&mut self, member: usize) {
        let now = self.now;
        let state = (self.switch_forwards(member), self.host_forwards(member));
        let Some((receives, sends)) =
            self.members.get_mut(member).map(|m| std::mem::replace(&mut m.forwards, state))
        else {
            return;
        };
        let ring = self.members.get(member).map_or(0.0, |m| m.ring_loss);
        let congested = self.congested;
        let Some(m) = self.members.get_mut(member) else { return };
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let seconds = now.since(m.counted_until) as f64 / 1e9;
        m.counted_until = now;
        if seconds <= 0.0 {
            return;
        }
        let lit = m.lit() && m.carrier;
        let receives = receives && !m.mute;
        let mut whole = |slot: usize, amount: f64| -> u64 {
            let Some(rest) = m.rest.get_mut(slot) else { return 0 };
            *rest += amount;
            let n = rest.floor();
            *rest -= n;
            n as u64
        };
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let (rx_pps, tx_pps) = (m.spec.rx_pps as f64, m.spec.tx_pps as f64);
        let arriving = if lit && receives { whole(0, rx_pps * seconds) } else { 0 };
        let leaving = if sends && m.admin_up { whole(1, tx_pps * seconds) } else { 0 };
        // Neighbour discovery, LLDP and the like.
        let chatter = if lit && receives { whole(2, 0.08 * seconds) } else { 0 };
        let own_chatter = if lit && sends { whole(3, 0.06 * seconds) } else { 0 };

        #[allow(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "a share of a count")]
        let part = |n: u64, share: f64| (n as f64 * share) as u64;
        let damaged = part(arriving, m.damage[1]);
        let missed = part(arriving - damaged, ring);
        let good = arriving - damaged - missed;
        m.nic.rx_crc += damaged;
        m.counters.rx_errors += damaged;
        m.counters.rx_crc_errors += damaged;
        m.nic.rx_symbol += damaged / 4;
        m.nic.fec_uncorrectable += if m.speed_mbps >= 25_000 { damaged / 2 } else { 0 };
        m.nic.rx_missed += missed;
        m.counters.rx_missed_errors += missed;
        m.nic.rx_packets += good + missed + chatter;
        m.nic.rx_bytes += (good + missed + chatter) * (MEAN_FRAME + 4);
        m.nic.rx_multicast += chatter;
        m.counters.rx_packets += good + chatter;
        m.counters.rx_bytes += (good + chatter) * MEAN_FRAME;
        m.counters.multicast += chatter;
        m.switch_crc += part(leaving, m.damage[0]);

        if m.qdisc_loss {
            m.qdisc_dropped += leaving + own_chatter;
        } else if m.hung_since.is_some() {
            m.backlog = (m.backlog + leaving).min(10_000);
        } else if m.paused {
            // The partner's pause frames let a tenth through; the queue drops the rest.
            let through = leaving / 10;
            m.nic.rx_pause += part(1, seconds * 3_000.0);
            m.qdisc_dropped += leaving - through;
            m.qdisc_sent += through;
            m.counters.tx_packets += through;
            m.nic.tx_packets += through;
        } else {
            let dropped = if congested { leaving / 40 } else { 0 };
            let sent = leaving - dropped + own_chatter;
            m.qdisc_dropped += dropped;
            m.qdisc_sent += sent;
            m.counters.tx_packets += sent;
            m.counters.tx_bytes += sent * MEAN_FRAME;
            m.nic.tx_packets += sent;
            m.nic.tx_bytes += sent * (MEAN_FRAME + 4);
            m.nic.tx_multicast += own_chatter;
        }
        if member == 0 {
            #[allow(clippy::cast_precision_loss, reason = "a rate")]
            let vlan = self.incident.topology.members.iter().map(|m| m.tx_pps as f64).sum::<f64>() / 10.0;
            match self.vlan_loss {
                Some(place) => {
                    self.vlan_dropped += (vlan * seconds) as u64;
                    if place == VlanLoss::MemberQueue
                        && let Some(m) = self.members.get_mut(self.incident.topology.victim)
                    {
                        m.qdisc_dropped += (vlan * seconds) as u64;
                    }
                }
                None => self.vlan_sent += vlan * seconds,
            }
            self.retransmits += if congested { 180.0 * seconds } else { 0.3 * seconds };
        }
    }
}
