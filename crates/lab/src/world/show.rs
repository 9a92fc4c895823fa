//! What the host (and a Linux far end) shows of itself at a moment.

use super::member::Peer;
use super::{Member, World, nics};
use crate::fault::{Hook, VlanLoss};
use crate::view::{
    AggregatorView, BondView, HookView, HostView, LinkEvent, LoadView, MemberView, NetCounters, QdiscView,
    VlanView,
};
use lacp::PortInfo;
use lacp::machine::{ChurnState, Port, System, Time};

impl World<'_> {
    pub(super) fn snapshot(&mut self, index: usize) {
        for i in 0..self.members.len() {
            self.count(i);
        }
        let last = self.incident.evidence.snapshots_ms.len().saturating_sub(1);
        let label = match index {
            0 => "before".to_owned(),
            i if i == last => "after".to_owned(),
            i => format!("during-{i}"),
        };
        let view = self.view(label.clone());
        self.recording.views.push(view);
        if self.incident.topology.switch.linux && !self.incident.topology.switch.mlag {
            let view = self.far_view(label);
            self.recording.far_views.push(view);
        }
    }

    /// Netlink announces a change of a member.
    pub(super) fn link_event(&mut self, member: usize) {
        self.count(member);
        // The listener was started with the capture.
        if self.now < Time::from_millis(self.incident.evidence.capture_from_ms) {
            return;
        }
        let view = self.member_view(member);
        if let Some(member_view) = view {
            self.recording.link_events.push(LinkEvent {
                at: self.now,
                member,
                member_view: Box::new(member_view),
            });
        }
    }

    fn view(&self, label: String) -> HostView {
        let host = &self.incident.topology.host;
        let now_ns = i64::try_from(self.now.0).unwrap_or(i64::MAX);
        let members: Vec<MemberView> = (0..self.members.len()).filter_map(|i| self.member_view(i)).collect();
        let mut counters = NetCounters::default();
        for m in &members {
            counters.rx_packets += m.counters.rx_packets;
            counters.tx_packets += m.counters.tx_packets;
            counters.rx_bytes += m.counters.rx_bytes;
            counters.tx_bytes += m.counters.tx_bytes;
            counters.multicast += m.counters.multicast;
            counters.rx_errors += m.counters.rx_errors;
            counters.rx_dropped += m.counters.rx_dropped;
            counters.rx_crc_errors += m.counters.rx_crc_errors;
            counters.rx_missed_errors += m.counters.rx_missed_errors;
        }
        let active = self.host.active_aggregator().filter(|_| !self.static_bond);
        let vlan_hook = |hook, name: &str, dropped| HookView {
            hook,
            vlan: host.vlan,
            name: name.to_owned(),
            dropped,
            tcx: name == "cil_to_netdev",
        };
        HostView {
            at: self.now,
            label,
            hostname: host.name.clone(),
            kernel: host.kernel.clone(),
            wall_ns: self.recording.wall0_ns.saturating_add(now_ns),
            boot_ns: self.recording.boot0_ns.saturating_add(self.now.0),
            bond: BondView {
                name: host.bond.clone(),
                ifindex: 3 + u32::try_from(self.members.len()).unwrap_or(0) + 6,
                lacp: !self.static_bond,
                fast: self.fast,
                active: !self.passive,
                miimon_ms: host.miimon_ms,
                min_links: host.min_links,
                mac: self.bond_mac,
                system_priority: 65535,
                carrier: members.iter().any(|m| m.mii_up && m.enslaved),
                mtu: self.members.iter().map(|m| m.mtu).min().unwrap_or(1500),
                active_aggregator: active.map(|a| AggregatorView {
                    id: a.id,
                    ports: u32::try_from(
                        a.ports.iter().filter(|&&p| self.host.port(p).is_some_and(Port::enabled)).count(),
                    )
                    .unwrap_or(0),
                    actor_key: a.actor_key,
                    partner_key: a.partner_key,
                    partner: a.partner_system,
                }),
                counters,
                hooks: match self.vlan_loss {
                    Some(VlanLoss::TcBond) => {
                        vec![vlan_hook(Hook::TcEgress, "vlan_guard", self.vlan_dropped)]
                    }
                    Some(VlanLoss::NftBond) => vec![vlan_hook(Hook::NftEgress, "guard", self.vlan_dropped)],
                    // A tcx program counts nothing that tc or ip would show; only bpftool lists it.
                    Some(VlanLoss::TcxBond) => vec![vlan_hook(Hook::TcEgress, "cil_to_netdev", 0)],
                    Some(VlanLoss::MemberQueue) | None => Vec::new(),
                },
            },
            members,
            vlan: host.vlan.map(|id| VlanView {
                name: format!("{}.{id}", host.bond),
                ifindex: 40,
                id,
                counters: NetCounters {
                    tx_packets: 120_000 + self.vlan_sent as u64,
                    tx_bytes: 77_000_000 + self.vlan_sent as u64 * 640,
                    tx_dropped: self.vlan_dropped,
                    rx_packets: 130_000 + self.now.0 / 20_000_000,
                    rx_bytes: 81_000_000 + self.now.0 / 20_000_000 * 640,
                    ..NetCounters::default()
                },
            }),
            load: self.load(),
            protocol: vec![
                ("IpInReceives", 5_000_000 + self.now.0 / 1_000_000),
                ("TcpInSegs", 4_800_000 + self.now.0 / 1_000_000),
                ("TcpOutSegs", 4_900_000 + self.now.0 / 900_000),
                ("TcpRetransSegs", 1_200 + self.retransmits as u64),
                ("TcpExtTCPTimeouts", 90 + self.retransmits as u64 / 30),
                ("TcpExtTCPLostRetransmit", 12 + self.retransmits as u64 / 50),
            ],
        }
    }

    fn load(&self) -> LoadView {
        let cpus = 4;
        let stalled = self.stalled_ns / 1_000_000;
        #[allow(clippy::cast_precision_loss, reason = "a share")]
        let share = if self.now.0 == 0 { 0.0 } else { self.stalled_ns as f64 / self.now.0 as f64 * 100.0 };
        LoadView {
            softnet: (0..cpus)
                .map(|c| {
                    let busy = u64::from(c == 0);
                    (2_000_000 + self.now.0 / 50_000, busy * stalled / 300, 3 + busy * stalled / 4)
                })
                .collect(),
            cpu_some: (
                if self.starved { 85.0 } else { 0.4 + share / 8.0 },
                share.max(0.3),
                (share / 4.0).max(0.2),
                4_000_000 + self.stalled_ns / 1000,
            ),
        }
    }

    fn member_view(&self, index: usize) -> Option<MemberView> {
        let m = self.members.get(index)?;
        let port = m.port.and_then(|p| self.host.port(p)).filter(|p| p.bound());
        let nic = nics::find(&m.spec.driver);
        let aggregator =
            port.and_then(Port::aggregator).and_then(|a| self.host.aggregators().get(a)).map_or(0, |a| a.id);
        let monitor = (ChurnState::Monitor, 0);
        Some(MemberView {
            name: m.spec.name.clone(),
            ifindex: m.ifindex,
            driver: m.spec.driver.clone(),
            versions: (self.incident.topology.host.kernel.clone(), nic.firmware.to_owned()),
            bus: m.bus.clone(),
            permanent: m.permanent,
            enslaved: port.is_some(),
            admin_up: m.admin_up,
            carrier: m.carrier,
            mii_up: m.mii_up,
            speed_mbps: m.carrier.then_some(m.speed_mbps),
            nominal_mbps: m.spec.speed_mbps,
            advertises_mbps: m.advertises_mbps,
            mtu: m.mtu,
            link_failures: m.link_failures,
            carrier_counts: m.carrier_counts,
            aggregator,
            actor: port.map_or_else(PortInfo::default, |p| *p.actor()),
            partner: port.map_or_else(PortInfo::default, |p| *p.partner()),
            actor_churn: port.map_or(monitor, Port::actor_churn),
            partner_churn: port.map_or(monitor, Port::partner_churn),
            forwarding: self.host_forwards(index),
            lacpdus: port.map_or((0, 0), |p| (p.received(), p.transmitted())),
            counters: m.counters,
            nic: m.nic,
            qdisc: qdisc(m),
            hooks: m.hooks.clone(),
            slow_protocols_joined: m.joined,
            optics: m.optics,
        })
    }

    /// A Linux switch, shown as the host would show itself.
    fn far_view(&self, label: String) -> HostView {
        let mut view = self.view(label);
        let Some(far) = self.switches.first() else { return view };
        view.hostname = "sw1".to_owned();
        let ahead = self.incident.topology.switch.clock_ahead_ms.saturating_mul(1_000_000);
        view.wall_ns = view.wall_ns.saturating_add(ahead);
        view.bond.mac = far.config().system;
        view.bond.lacp = true;
        view.bond.fast = far.ports().first().is_some_and(|p| p.config().short_timeout);
        view.bond.active = far.ports().first().is_some_and(|p| p.config().active);
        view.bond.hooks.clear();
        view.bond.active_aggregator = far.active_aggregator().map(|a| AggregatorView {
            id: a.id,
            ports: u32::try_from(a.ports.len()).unwrap_or(0),
            actor_key: a.actor_key,
            partner_key: a.partner_key,
            partner: a.partner_system,
        });
        view.vlan = None;
        for (m, v) in self.members.iter().zip(&mut view.members) {
            far_member(m, far, v);
        }
        view
    }
}

fn far_member(m: &Member, far: &System, v: &mut MemberView) {
    v.name = format!("swp{}", v.ifindex);
    v.driver = "mlxsw_spectrum".to_owned();
    v.permanent = m.peer_mac;
    v.hooks.clear();
    v.nic = Default::default();
    v.counters = NetCounters {
        rx_packets: v.counters.tx_packets,
        tx_packets: v.counters.rx_packets,
        rx_errors: m.switch_crc,
        rx_crc_errors: m.switch_crc,
        ..NetCounters::default()
    };
    if let Peer::Switch(_, port) = m.peer
        && let Some(p) = far.port(port)
    {
        v.actor = *p.actor();
        v.partner = *p.partner();
        v.actor_churn = p.actor_churn();
        v.partner_churn = p.partner_churn();
        v.forwarding = p.forwarding();
        v.lacpdus = (p.received(), p.transmitted());
        v.mii_up = p.enabled();
        v.carrier = p.enabled();
        v.link_failures = 0;
    }
}

fn qdisc(m: &Member) -> QdiscView {
    QdiscView {
        kind: if m.spec.driver == "veth" {
            "noqueue"
        } else if m.qdisc_loss {
            "netem"
        } else {
            "fq_codel"
        },
        sent: m.qdisc_sent,
        dropped: m.qdisc_dropped,
        requeues: 0,
        backlog: m.backlog,
    }
}
