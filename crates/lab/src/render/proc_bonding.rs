//! `/proc/net/bonding/<bond>`, as `bond_info_show_master()` and `bond_info_show_slave()` print it
//! (`drivers/net/bonding/bond_procfs.c`; `kernel-facts.md` section 1).
//!
//! Generations differ in the banner (`v3.7.1 (April 27, 2011)` until 5.10, then the release), and in the lines
//! `Peer Notification Delay` (5.3) and `LACP active` (5.15).

use super::kernel::Kernel;
use crate::view::{HostView, MemberView};
use lacp::PortInfo;
use lacp::machine::ChurnState;
use std::fmt::Write as _;

/// Renders the file. `privileged`: the reader has `CAP_NET_ADMIN` in the initial user namespace.
#[must_use]
pub fn render(view: &HostView, privileged: bool) -> String {
    let kernel = Kernel::of(&view.kernel);
    let bond = &view.bond;
    let mut out = String::new();
    let version = if kernel.since(5, 11) { view.kernel.as_str() } else { "3.7.1 (April 27, 2011)" };
    let mode = if bond.lacp { "IEEE 802.3ad Dynamic link aggregation" } else { "load balancing (xor)" };
    let _ = write!(
        out,
        "Ethernet Channel Bonding Driver: v{version}\n\nBonding Mode: {mode}\n\
         Transmit Hash Policy: layer2 (0)\nMII Status: {}\nMII Polling Interval (ms): {}\n\
         Up Delay (ms): 0\nDown Delay (ms): 0\n",
        up(bond.carrier),
        bond.miimon_ms
    );
    if kernel.since(5, 3) {
        out.push_str("Peer Notification Delay (ms): 0\n");
    }
    if bond.lacp {
        out.push_str("\n802.3ad info\n");
        if kernel.since(5, 15) {
            let _ = writeln!(out, "LACP active: {}", if bond.active { "on" } else { "off" });
        }
        let _ = write!(
            out,
            "LACP rate: {}\nMin links: {}\nAggregator selection policy (ad_select): stable\n",
            if bond.fast { "fast" } else { "slow" },
            bond.min_links
        );
        if privileged {
            let _ =
                write!(out, "System priority: {}\nSystem MAC address: {}\n", bond.system_priority, bond.mac);
            match bond.active_aggregator {
                None => {
                    let _ = writeln!(out, "bond {} has no active aggregator", bond.name);
                }
                Some(a) => {
                    let _ = write!(
                        out,
                        "Active Aggregator Info:\n\tAggregator ID: {}\n\tNumber of ports: {}\n\
                         \tActor Key: {}\n\tPartner Key: {}\n\tPartner Mac Address: {}\n",
                        a.id, a.ports, a.actor_key, a.partner_key, a.partner
                    );
                }
            }
        }
    }
    for m in view.members.iter().filter(|m| m.enslaved) {
        member(&mut out, m, bond.lacp, privileged);
    }
    out
}

const fn up(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

fn member(out: &mut String, m: &MemberView, lacp: bool, privileged: bool) {
    let _ = write!(out, "\nSlave Interface: {}\nMII Status: {}\n", m.name, up(m.mii_up));
    match m.speed_mbps {
        Some(speed) => {
            let _ = write!(out, "Speed: {speed} Mbps\nDuplex: full\n");
        }
        None => out.push_str("Speed: Unknown\nDuplex: Unknown\n"),
    }
    let _ = write!(
        out,
        "Link Failure Count: {}\nPermanent HW addr: {}\nSlave queue ID: 0\n",
        m.link_failures, m.permanent
    );
    if !lacp {
        return;
    }
    if m.aggregator == 0 {
        out.push_str("Aggregator ID: N/A\n");
        return;
    }
    let _ = write!(
        out,
        "Aggregator ID: {}\nActor Churn State: {}\nPartner Churn State: {}\n\
         Actor Churned Count: {}\nPartner Churned Count: {}\n",
        m.aggregator,
        churn(m.actor_churn.0),
        churn(m.partner_churn.0),
        m.actor_churn.1,
        m.partner_churn.1
    );
    if privileged {
        details(out, "actor", "port key", &m.actor);
        details(out, "partner", "oper key", &m.partner);
    }
}

/// Words of `bond_ad_churn_desc()`.
const fn churn(state: ChurnState) -> &'static str {
    match state {
        ChurnState::Monitor => "monitoring",
        ChurnState::Churn => "churned",
        ChurnState::NoChurn => "none",
    }
}

fn details(out: &mut String, who: &str, key: &str, p: &PortInfo) {
    let _ = write!(
        out,
        "details {who} lacp pdu:\n    system priority: {}\n    system mac address: {}\n    {key}: {}\n    \
         port priority: {}\n    port number: {}\n    port state: {}\n",
        p.system_priority,
        p.system,
        p.key,
        p.port_priority,
        p.port,
        p.state.bits()
    );
}
