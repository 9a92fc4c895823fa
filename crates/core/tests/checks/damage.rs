//! Damaged frames, light and hardware: `coding-errors`, `nic-fault`, `optics-alarm`, `pcie-correctable`.

use crate::answers::Evidence;
use crate::conversation::{HEALTHY, healthy, proc, stats, talk};
use bondwitness_core::domain::{FaultDomain as D, Way};
use bondwitness_core::finding::{Severity, Strength as S};

/// A line of the kernel log at a second of 2026-01-01T00:00.
fn log(second: u32, text: &str) -> String {
    format!("2026-01-01T00:00:{second:02}.000000+00:00 db01 kernel: {text}\n")
}

/// Two readings of `ethtool -S`.
fn readings(low: String, high: String) -> Evidence {
    Evidence::bond().with("s1/ethtool.txt", low).with("s2/ethtool.txt", high)
}

#[test]
fn damaged_frames_that_grow_are_the_link_in_the_direction_of_the_receiver() {
    readings(stats(1, 0, 10_000), stats(1, 900, 20_000))
        .ask("coding-errors")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::Physical, S::Strong)
        .says("rx_crc_errors rose by 900 (from 0 to 900)")
        .quotes(&["rx_crc_errors: 900", "rx_crc_errors: 0"]);
    readings(stats(1, 0, 10_000), stats(1, 5, 20_000))
        .ask("coding-errors")
        .one()
        .accuses(D::Physical, S::Moderate);
}

#[test]
fn a_high_counter_that_stands_still_is_history() {
    readings(stats(1, 5000, 10_000), stats(1, 5000, 20_000)).ask("coding-errors").quiet();
}

#[test]
fn errors_of_an_interface_outside_of_the_bond_are_not_its_errors() {
    readings(stats(3, 0, 10_000), stats(3, 900, 20_000)).ask("coding-errors").quiet();
}

#[test]
fn a_counter_that_was_reset_has_not_grown() {
    readings(stats(1, 5000, 10_000), stats(1, 0, 20_000)).ask("coding-errors").quiet();
}

#[test]
fn corrected_fec_blocks_are_what_fec_is_for() {
    let text = |corrected: u64, packets: u64| {
        format!(
            "# ethtool -S eno1\nNIC statistics:\n     rx_packets: {packets}\n     tx_packets: {packets}\n     rx_crc_errors_phy: 0\n     rx_pcs_symbol_err_phy: 0\n     rx_corrected_bits_phy: {corrected}\n"
        )
    };
    readings(text(100, 10_000), text(9_000_000, 20_000)).ask("coding-errors").quiet();
}

#[test]
fn a_few_frames_damaged_while_links_go_down_or_on_all_members_decide_nothing() {
    let down = log(5, "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down");
    readings(stats(1, 0, 10_000), stats(1, 15, 20_000))
        .with("kern.log", down)
        .ask("coding-errors")
        .open()
        .suspects(&[(D::Physical, S::Weak)]);
    let all =
        readings(stats(1, 0, 10_000) + &stats(2, 0, 10_000), stats(1, 900, 20_000) + &stats(2, 800, 20_000))
            .ask("coding-errors")
            .all(2);
    for said in all {
        said.suspects(&[
            (D::Physical, S::Moderate),
            (D::SwitchControlPlane, S::Weak),
            (D::HostDriverFirmware, S::Weak),
        ]);
    }
}

#[test]
fn one_reading_counts_only_at_a_rate_that_no_healthy_link_has() {
    let once = |crc, packets| Evidence::bond().with("ethtool.txt", stats(1, crc, packets));
    once(900, 100_000)
        .ask("coding-errors")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::Physical, S::Moderate)
        .quotes(&["rx_crc_errors: 900"]);
    once(900, 9_000_000_000).ask("coding-errors").context();
    Evidence::captured(&talk(1, 90, |_| healthy(1)))
        .with("ethtool.txt", stats(1, 900, 100_000))
        .ask("coding-errors")
        .context();
}

#[test]
fn remote_faults_are_the_direction_to_the_switch() {
    let text = |faults: u64, packets: u64| {
        format!(
            "# ethtool -S eno1\nNIC statistics:\n     rx_packets: {packets}\n     tx_packets: {packets}\n     mac_local_faults.nic: 0\n     mac_remote_faults.nic: {faults}\n"
        )
    };
    readings(text(2, 10_000), text(60, 20_000))
        .ask("coding-errors")
        .one()
        .about("eno1", Some(Way::HostToSwitch))
        .accuses(D::Physical, S::Moderate)
        .quotes(&["mac_remote_faults.nic: 60", "mac_remote_faults.nic: 2"]);
    readings(text(60, 10_000), text(60, 20_000)).ask("coding-errors").quiet();
}

/// `ethtool -m eno1` of an SFP+ with its alarm flags.
fn module(rx_low: &str, rx_high: &str) -> String {
    format!(
        "# ethtool -m eno1\n\tIdentifier                                : 0x03 (SFP)\n\tTransceiver type                          : 10G Ethernet: 10G Base-SR\n\tOptical diagnostics support               : Yes\n\tReceiver signal average optical power     : 0.0001 mW / -40.00 dBm\n\tLaser rx power high alarm                 : {rx_high}\n\tLaser rx power low alarm                  : {rx_low}\n\tLaser rx power low alarm threshold        : 0.0100 mW / -20.00 dBm\n"
    )
}

#[test]
fn a_receiver_without_light_is_the_link() {
    broken()
        .with("ethtool-m.txt", module("On", "Off"))
        .ask("optics-alarm")
        .one()
        .about("eno1", Some(Way::SwitchToHost))
        .accuses(D::Physical, S::Moderate)
        .quotes(&["Laser rx power low alarm                  : On"]);
}

#[test]
fn a_module_without_diagnostics_or_without_alarm_says_nothing() {
    Evidence::bond().with("ethtool-m.txt", module("On", "On")).ask("optics-alarm").quiet();
    Evidence::bond().with("ethtool-m.txt", module("Off", "Off")).ask("optics-alarm").quiet();
    let spare = module("On", "Off").replace("eno1", "eno3");
    Evidence::bond().with("ethtool-m.txt", spare).ask("optics-alarm").quiet();
}

#[test]
fn an_alarm_beside_a_member_in_order_is_a_warning() {
    for evidence in [Evidence::captured(&talk(1, 90, |_| healthy(1))), Evidence::bond()] {
        evidence
            .with("ethtool-m.txt", module("On", "Off"))
            .ask("optics-alarm")
            .context()
            .neutral(Severity::Warning);
    }
}

/// A bond on whose first member the host hears nothing.
fn broken() -> Evidence {
    Evidence::none().with("proc/net/bonding/bond0", proc([(0x47, 0), (HEALTHY, HEALTHY)]))
}

const HANG: &str = "igc 0000:02:00.0 eno1: Detected Tx Unit Hang";

#[test]
fn a_hang_is_the_host() {
    Evidence::bond()
        .with("kern.log", log(5, HANG) + &log(9, HANG))
        .ask("nic-fault")
        .one()
        .about("eno1", None)
        .accuses(D::HostDriverFirmware, S::Strong)
        .says("transmit unit hung (2 times)")
        .quotes(&[log(5, HANG).trim(), log(9, HANG).trim()]);
}

#[test]
fn a_hang_of_another_interface_is_not_the_bond() {
    Evidence::bond().with("kern.log", log(5, &HANG.replace("eno1", "eno3"))).ask("nic-fault").quiet();
}

#[test]
fn a_reset_that_follows_a_loss_of_link_is_a_consequence() {
    let down = log(5, "igb 0000:02:00.0 eno1: igb: eno1 NIC Link is Down");
    let reset = log(6, "igb 0000:02:00.0 eno1: Reset adapter");
    Evidence::bond().with("kern.log", down + &reset).ask("nic-fault").quiet();
    Evidence::bond()
        .with("kern.log", reset.clone())
        .ask("nic-fault")
        .one()
        .about("eno1", None)
        .accuses(D::HostDriverFirmware, S::Moderate)
        .quotes(&[reset.trim()]);
}

#[test]
fn a_transmitter_that_was_paused_without_end_is_not_a_broken_nic() {
    let paused = |xoff: u64, packets: u64| {
        format!(
            "# ethtool -S eno1\nNIC statistics:\n     rx_packets: {packets}\n     tx_packets: {packets}\n     rx_flow_control_xoff: {xoff}\n"
        )
    };
    readings(paused(10, 10_000), paused(900_010, 20_000))
        .with("kern.log", log(5, "igb 0000:02:00.0 eno1: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5120 ms"))
        .ask("nic-fault")
        .open()
        .suspects(&[
            (D::SwitchConfig, S::Moderate),
            (D::NotLacp, S::Moderate),
            (D::HostDriverFirmware, S::Weak),
        ])
        .quotes(&[
            "2026-01-01T00:00:05.000000+00:00 db01 kernel: igb 0000:02:00.0 eno1: NETDEV WATCHDOG: CPU: 3: transmit queue 0 timed out 5120 ms",
            "rx_flow_control_xoff: 10",
            "rx_flow_control_xoff: 900010",
        ]);
}

#[test]
fn transmit_timeouts_count_if_they_grew() {
    let text = |n: u64, packets: u64| {
        format!(
            "# ethtool -S eno1\nNIC statistics:\n     rx_packets: {packets}\n     tx_packets: {packets}\n     tx_timeout_count: {n}\n"
        )
    };
    readings(text(1, 10_000), text(3, 20_000))
        .ask("nic-fault")
        .one()
        .about("eno1", None)
        .accuses(D::HostDriverFirmware, S::Moderate)
        .quotes(&["tx_timeout_count: 3", "tx_timeout_count: 1"]);
    readings(text(3, 10_000), text(3, 20_000)).ask("nic-fault").quiet();
}

const CORRECTED: &str =
    "igb 0000:02:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)";
const DRIVER: &str = "# ethtool -i eno1\ndriver: igb\nversion: 6.12.107\nfirmware-version: 1.63, 0x800009fa\nexpansion-rom-version: \nbus-info: 0000:02:00.0\nsupports-statistics: yes\n";

#[test]
fn corrected_pcie_errors_of_a_member_in_order_are_a_note() {
    let lines = log(5, CORRECTED)
        + &log(5, "igb 0000:02:00.0:   device [8086:1521] error status/mask=00001000/00002000")
        + &log(5, "igb 0000:02:00.0:    [12] Timeout               ");
    let evidence = Evidence::bond().with("ethtool-i.txt", DRIVER).with("kern.log", lines);
    evidence.ask("pcie-correctable").context().neutral(Severity::Info);
    evidence.ask("nic-fault").quiet();
}

#[test]
fn corrected_pcie_errors_are_a_hint_about_the_card_behind_the_member() {
    broken()
        .with("ethtool-i.txt", DRIVER)
        .with("kern.log", log(5, CORRECTED) + &log(6, CORRECTED))
        .ask("pcie-correctable")
        .one()
        .about("eno1", None)
        .suspects(&[(D::HostDriverFirmware, S::Weak)])
        .says("2 corrected PCIe error line(s)")
        .quotes(&[log(5, CORRECTED).trim()]);
}

#[test]
fn corrected_errors_of_another_card_and_a_report_of_bandwidth_are_none() {
    Evidence::bond()
        .with("ethtool-i.txt", DRIVER)
        .with("kern.log", log(5, &CORRECTED.replace("0000:02:00.0", "0000:5e:00.0")))
        .ask("pcie-correctable")
        .quiet();
    Evidence::bond()
        .with("ethtool-i.txt", DRIVER)
        .with(
            "kern.log",
            log(5, "igb 0000:02:00.0: 4.000 Gb/s available PCIe bandwidth (5.0 GT/s PCIe x1 link)"),
        )
        .ask("pcie-correctable")
        .quiet();
}
