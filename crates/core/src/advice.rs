//! The words around a verdict: one plain sentence, what would overturn it, and the next command.

use crate::case::{Mode, Subject};
use crate::domain::{FaultDomain as D, Side, Way};
use crate::finding::Finding;
use crate::verdict::{Next, State, Verdict};

fn members(v: &Verdict) -> String {
    if v.members.is_empty() { String::new() } else { format!(" on {}", v.members.join(", ")) }
}

fn direction(v: &Verdict) -> &'static str {
    match v.way {
        Some(Way::HostToSwitch) => " (direction host to switch)",
        Some(Way::SwitchToHost) => " (direction switch to host)",
        Some(Way::Both) | None => "",
    }
}

/// One plain sentence.
#[must_use]
pub fn summary(subject: &Subject, findings: &[Finding], v: &Verdict, state: State) -> String {
    let lead = v
        .because
        .iter()
        .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
        .and_then(|(i, _)| findings.get(*i))
        .map(|f| match (&f.member, v.members.as_slice()) {
            // The member is already named in front of it.
            (Some(m), [one]) if m == one => {
                f.text.strip_prefix(&format!("{m}: ")).unwrap_or(&f.text).to_owned()
            }
            _ => f.text.clone(),
        })
        .unwrap_or_default();
    match v.domain {
        D::Healthy => format!(
            "{}: no fault in the evidence; {} member(s) carry traffic{}",
            subject.name,
            subject.members.len(),
            if subject.mode == Mode::Lacp { " and LACP agrees at both ends" } else { "" }
        ),
        D::Inconclusive if v.because.is_empty() => match state {
            _ if let Some(f) = findings.iter().find(|f| f.check == "host-rebooted" && f.ns.is_some()) => {
                format!("{}: {}", subject.name, f.text)
            }
            State::Unknown => {
                format!("{}: the evidence does not show the state of the link or of LACP", subject.name)
            }
            _ => format!(
                "{}: nothing in the evidence points to a fault, and it is not enough to call the bond healthy",
                subject.name
            ),
        },
        D::Inconclusive => {
            let clear: Vec<&str> = v.exonerated.iter().map(|(s, _)| s.name()).collect();
            let cleared =
                if clear.is_empty() { String::new() } else { format!("; cleared: {}", clear.join(", ")) };
            let left: Vec<&str> =
                v.suspects.iter().filter(|s| s.confidence > 0.05).map(|s| s.domain.name()).collect();
            let left = if left.is_empty() { String::new() } else { format!("; left: {}", left.join(", ")) };
            format!("not decided whose fault{}{}{cleared}{left}. {lead}", members(v), direction(v))
        }
        d => format!("{}{}{}: {lead}", d.meaning(), members(v), direction(v)),
    }
}

/// What would overturn it.
#[must_use]
pub fn would_change(findings: &[Finding], v: &Verdict) -> Vec<String> {
    let mut out = Vec::new();
    let on = members(v);
    match v.domain {
        D::Healthy => out.push("a capture or log from the time of the complaint that shows a member leaving the aggregate".to_owned()),
        D::Inconclusive => {}
        D::Physical => out.push(format!("the same counters or losses staying with the host port{on} after cable and transceiver were swapped")),
        D::HostDriverFirmware => out.push("the log line proving older than the trouble, or the same trouble with another NIC or driver".to_owned()),
        D::HostConfig => out.push(format!("LACPDUs still missing{on} after the named setting, queue or filter is gone")),
        D::HostStarvation => out.push("CPU pressure, softirq and ring counters that stay flat through the next occurrence".to_owned()),
        D::SwitchConfig => out.push("the switch showing the member bundled with the same key, rate and mode at that time".to_owned()),
        D::SwitchControlPlane => out.push("a mirror of the switch port that shows the missing LACPDUs leaving the switch on time".to_owned()),
        D::Mlag => out.push("both switches showing one system ID and a healthy peer link through that time, with a third device on the wire".to_owned()),
        D::ConfigBoth => out.push("one end shown to be active (LACP_Activity set) at that time".to_owned()),
        D::VlanTxPath => out.push("the dropped frames seen leaving a member".to_owned()),
        D::NotLacp => out.push("a member leaving the aggregate at the time of the complaint".to_owned()),
    }
    // The check's own page knows best how its evidence can be wrong.
    if v.domain != D::Healthy
        && let Some(check) =
            v.because.first().and_then(|(i, _)| findings.get(*i)).and_then(|f| crate::checks::find(f.check))
    {
        let page = crate::checks::page(check);
        let wrong: Vec<&str> = page
            .lines()
            .skip_while(|l| !l.starts_with("## How it can be wrong"))
            .skip(1)
            .take_while(|l| !l.starts_with("## "))
            .filter(|l| !l.is_empty())
            .collect();
        if let Some(first) = wrong.first() {
            out.push((*first).to_owned());
        }
    }
    out
}

fn next_step(run: impl Into<String>, expect: impl Into<String>) -> Next {
    Next { run: run.into(), expect: expect.into() }
}

/// What to do next.
#[must_use]
pub fn next(subject: &Subject, findings: &[Finding], v: &Verdict) -> Vec<Next> {
    let mut out = Vec::new();
    let member = v
        .members
        .first()
        .cloned()
        .or_else(|| subject.members.first().map(|m| m.name.clone()))
        .unwrap_or_else(|| "MEMBER".to_owned());
    let m = member.as_str();
    // An invented name in a command that is pasted at 3 a.m. would do harm.
    let bond =
        if subject.name == "bond" || subject.name.contains(' ') { "BOND" } else { subject.name.as_str() };
    let no_wire =
        subject.bond && subject.mode == Mode::Lacp && subject.members.iter().any(|m| m.wire.is_none());
    let capture = || {
        next_step(
            format!("timeout 90 tcpdump -p -i {m} -w {m}.pcap ether proto 0x8809"),
            "LACPDUs from the partner with Expired or Defaulted: it does not hear the host; none at all: it does not send or they are lost; both ends in order: look elsewhere",
        )
    };
    match v.domain {
        D::Healthy => out.push(next_step(
            format!("bondwitness diagnose {bond} --from <evidence from the time of the complaint>"),
            "a flap: the verdict names it; none: the trouble is not the bond",
        )),
        D::Inconclusive => {
            if no_wire {
                out.push(capture());
            }
            let suspects = |d: D| v.suspects.iter().any(|s| s.domain == d && s.confidence > 0.1);
            if suspects(D::Physical) || v.suspects.is_empty() {
                out.push(next_step(
                    format!("ethtool -S {m} | grep -iE 'crc|fcs|symbol|fec|align|miss|drop'; sleep 60; ethtool -S {m} | grep -iE 'crc|fcs|symbol|fec|align|miss|drop'"),
                    "damage counters grow: the link; missed or dropped grow: the host; all flat: look at the switch",
                ));
            }
            if suspects(D::SwitchControlPlane) || suspects(D::SwitchConfig) || suspects(D::Mlag) {
                out.push(next_step(
                    format!("ask the network team: per-member state and reason, LACP counters (sent, received) and log of the port behind {m}, twice, a minute apart"),
                    "LACPDUs received on the port do not rise: lost before the switch; they rise and it still says timeout: its control plane; suspended with a reason: its configuration",
                ));
            }
            if suspects(D::HostDriverFirmware) || v.suspects.is_empty() {
                out.push(next_step("journalctl -k --since -1h | grep -iE 'link|reset|timeout|hang|firmware|aer|bond'", "a reset, hang or PCIe error right before the trouble: the host's NIC"));
            }
        }
        D::Physical => {
            out.push(next_step(
                format!("replace the cable (or DAC) of {m} only; then the transceivers; then another switch port; read `ethtool -S {m}` before and after each, ten minutes under load"),
                "the step after which the counters stand still names the part",
            ));
        }
        D::HostDriverFirmware => {
            out.push(next_step(format!("ethtool -i {m}; journalctl -k -b | grep -i -A3 {m}"), "the same driver and firmware without trouble elsewhere: this card or slot; with trouble: the version"));
            out.push(next_step("grep . /sys/bus/pci/devices/*/aer_dev_*", "counters above zero on the NIC's slot: PCIe"));
        }
        D::HostConfig => {
            if findings.iter().any(|f| matches!(f.check, "lacpdu-tx-silent" | "lacpdu-lost-inside-host" | "slow-protocol-filter" | "lacpdu-lost-before-tap")) {
                out.push(next_step(
                    format!("tc -s qdisc show dev {m}; tc -s filter show dev {m} ingress; tc -s filter show dev {m} egress; nft list hooks; bpftool net"),
                    "a rule or queue whose drop counter rises once a second eats the LACPDUs",
                ));
            } else {
                out.push(next_step(format!("grep -H . /sys/class/net/{bond}/bonding/*; systemctl status systemd-networkd NetworkManager networking"), "the setting named above, and who wrote it"));
            }
        }
        D::HostStarvation => out.push(next_step(
            "for i in $(seq 60); do date -Ins; cat /proc/pressure/cpu /proc/net/softnet_stat; sleep 1; done",
            "pressure or softnet drops at the moments of late LACPDUs: confirmed; flat: look at the driver",
        )),
        D::SwitchConfig | D::SwitchControlPlane | D::Mlag => {
            out.push(next_step(
                format!("ask the network team: member state with reason, LACP partner detail, LACP counters, control-plane policer, log{} for the port behind {m}, in UTC", if v.domain == D::Mlag { ", peer-link state and system ID of both switches" } else { "" }),
                "the reason code and counters confirm or refute the citations above",
            ));
            if no_wire {
                out.push(capture());
            }
        }
        D::ConfigBoth => out.push(next_step(format!("cat /sys/class/net/{bond}/bonding/lacp_active /sys/class/net/{bond}/bonding/mode"), "set one end active (`ip link set BOND type bond lacp_active on`) or both ends to the same protocol")),
        D::VlanTxPath => out.push(next_step(
            format!("tc -s filter show dev {bond} egress; bpftool net; nft list hooks; tc -s qdisc"),
            "the program, rule or queue whose counter rises with every lost frame is the place",
        )),
        D::NotLacp => out.push(next_step(
            format!("ip -s link show {m}; nstat -az TcpRetransSegs; tc -s qdisc show dev {m}; cat /sys/class/net/{bond}/bonding/xmit_hash_policy"),
            "one member carrying nearly everything: hashing; pause or discards: congestion",
        )),
    }
    let exonerated_host = v.exonerated.iter().any(|(s, _)| *s == Side::Host);
    if exonerated_host && v.domain == D::Inconclusive {
        out.retain(|n| !n.run.starts_with("journalctl"));
    }
    out
}
