//! The kernel log of the host, in the words of the kernel (`kernel-facts.md` section 6).

use super::{World, nics};
use crate::view::LogLine;

impl World<'_> {
    fn say(&mut self, level: u8, text: String) {
        let jitter = self.rng.i64(1_000..90_000);
        let at_ns = i64::try_from(self.now.0).unwrap_or(i64::MAX).saturating_add(jitter);
        // Lines of one moment stand in the order in which they were said: a reset before the loss of link that it brings.
        let last = self.recording.log.last().map_or(i64::MIN, |l| l.at_ns);
        let at_ns = at_ns.max(last.saturating_add(1_000));
        self.recording.log.push(LogLine { at_ns, level, text });
    }

    fn bond(&self) -> &str {
        &self.incident.topology.host.bond
    }

    /// `bond0: (slave eno1)`: the prefix of `slave_info()` and its sisters.
    fn of_member(&self, member: usize) -> String {
        let name = self.members.get(member).map_or("", |m| m.spec.name.as_str());
        format!("{}: (slave {name})", self.bond())
    }

    /// `ixgbe 0000:17:00.0 eno1`: the prefix of `netdev_info()`.
    fn device(&self, member: usize) -> String {
        self.members
            .get(member)
            .map_or(String::new(), |m| format!("{} {} {}", m.spec.driver, m.bus, m.spec.name))
    }

    pub(super) fn log_enslaving(&mut self) {
        for m in 0..self.members.len() {
            let text = format!("{}: Enslaving as a backup interface with an up link", self.of_member(m));
            let at_ns = -3_000_000_000 + 400_000_000 * i64::try_from(m).unwrap_or(0);
            self.recording.log.push(LogLine { at_ns, level: 6, text });
        }
    }

    pub(super) fn log_enslave(&mut self, member: usize) {
        let text = format!("{}: Enslaving as a backup interface with an up link", self.of_member(member));
        self.say(6, text);
    }

    pub(super) fn log_release(&mut self, member: usize, by: Option<&str>) {
        let text = format!("{}: Releasing backup interface", self.of_member(member));
        self.say(6, text);
        if let Some(by) = by {
            let name = self.members.get(member).map_or(String::new(), |m| m.spec.name.clone());
            self.say(6, format!("{by}: {name}: detached from {}", self.bond()));
        }
    }

    pub(super) fn log_link(&mut self, member: usize, up: bool) {
        let Some(m) = self.members.get(member) else { return };
        let line = if up {
            nics::link_up(&m.spec.driver, m.speed_mbps)
        } else {
            nics::link_down(&m.spec.driver).map(str::to_owned)
        };
        if let Some(line) = line {
            let text = format!("{}: {line}", self.device(member));
            self.say(6, text);
        }
    }

    pub(super) fn log_mii(&mut self, member: usize, up: bool, mbps: u32) {
        let of = self.of_member(member);
        let text = if up {
            format!("{of}: link status definitely up, {mbps} Mbps full duplex")
        } else {
            format!("{of}: link status definitely down, disabling slave")
        };
        self.say(6, text);
    }

    pub(super) fn log_active_up(&mut self) {
        let text = format!("{}: active interface up!", self.bond());
        self.say(6, text);
    }

    pub(super) fn log_loopback(&mut self, member: usize) {
        let of = self.of_member(member);
        self.say(3, format!("{of}: An illegal loopback occurred on slave"));
        self.say(
            3,
            "Check the configuration to verify that all adapters are connected to 802.3ad compliant switch ports"
                .to_owned(),
        );
    }

    pub(super) fn log_driver_reset(&mut self, member: usize) {
        let device = self.device(member);
        let driver = self.nic(member).driver;
        for line in nics::reset(driver) {
            self.say(3, format!("{device}: {line}"));
        }
    }

    pub(super) fn log_watchdog(&mut self, member: usize) {
        let device = self.device(member);
        let (cpu, queue, ms) = (self.rng.u32(0..16), self.rng.u32(0..8), self.rng.u32(5_000..7_400));
        self.say(
            2,
            format!("{device}: NETDEV WATCHDOG: CPU: {cpu}: transmit queue {queue} timed out {ms} ms"),
        );
    }

    pub(super) fn log_pcie(&mut self, member: usize, fatal: bool) {
        let Some(m) = self.members.get(member) else { return };
        let (driver, bus) = (m.spec.driver.clone(), m.bus.clone());
        let (severity, layer, agent, level) = if fatal {
            ("Uncorrectable (Fatal)", "Transaction Layer", "Requester ID", 3)
        } else {
            ("Correctable", "Data Link Layer", "Transmitter ID", 4)
        };
        self.say(
            level,
            format!("{driver} {bus}: PCIe Bus Error: severity={severity}, type={layer}, ({agent})"),
        );
        let (status, bit) = if fatal {
            ("00004000/00000000", "[14] CmpltTO                (First)")
        } else {
            ("00001000/00002000", "[12] Timeout               ")
        };
        self.say(level, format!("{driver} {bus}:   device [8086:1563] error status/mask={status}"));
        self.say(level, format!("{driver} {bus}:    {bit}"));
        if fatal {
            self.log_driver_reset(member);
        }
    }

    pub(super) fn log_starvation(&mut self) {
        let cpu = self.rng.u32(0..16);
        self.say(3, format!("rcu: INFO: rcu_preempt self-detected stall on CPU {cpu}"));
        let times = self.rng.u32(4..64);
        self.say(
            4,
            format!(
                "workqueue: blk_mq_timeout_work hogged CPU for >10000us {times} times, consider switching to WQ_UNBOUND"
            ),
        );
    }

    pub(super) fn log_other_nic(&mut self) {
        self.say(6, "igb 0000:05:00.1 enp5s0f1: igb: enp5s0f1 NIC Link is Down".to_owned());
        self.say(3, "igb 0000:05:00.1 enp5s0f1: Reset adapter".to_owned());
        self.say(
            6,
            "igb 0000:05:00.1 enp5s0f1: igb: enp5s0f1 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: RX"
                .to_owned(),
        );
    }
}
