//! The files of `bonding/` and of each member's `bonding_slave/`, as `grep -H .` prints them from
//! `/sys/class/net/<bond>` (`drivers/net/bonding/bond_sysfs.c`, `bond_sysfs_slave.c`). Empty files give no line:
//! `primary`, `active_slave`, `arp_ip_target` in these modes, and what needs `CAP_NET_ADMIN` for others.

use super::kernel::Kernel;
use crate::view::{HostView, MemberView};
use std::fmt::Write as _;

/// Renders the listing. `privileged`: read with `CAP_NET_ADMIN`.
#[must_use]
pub fn render(view: &HostView, privileged: bool) -> String {
    let kernel = Kernel::of(&view.kernel);
    let b = &view.bond;
    let members: Vec<&MemberView> = view.members.iter().filter(|m| m.enslaved).collect();
    let mut out = String::new();
    let mut put = |file: &str, value: &str| {
        let _ = writeln!(out, "bonding/{file}:{value}");
    };
    let active = b.active_aggregator.filter(|_| b.lacp);
    let seen = b.lacp && privileged;
    if let Some(a) = active.filter(|_| privileged) {
        put("ad_actor_key", &a.actor_key.to_string());
    }
    if seen {
        put("ad_actor_sys_prio", &b.system_priority.to_string());
        put("ad_actor_system", "00:00:00:00:00:00");
    }
    if let Some(a) = active {
        put("ad_aggregator", &a.id.to_string());
        put("ad_num_ports", &a.ports.to_string());
        if privileged {
            put("ad_partner_key", &a.partner_key.to_string());
            put("ad_partner_mac", &a.partner.to_string());
        }
    }
    put("ad_select", "stable 0");
    if seen {
        put("ad_user_port_key", "0");
    }
    put("all_slaves_active", "0");
    put("arp_all_targets", "any 0");
    put("arp_interval", "0");
    if kernel.since(5, 17) {
        put("arp_missed_max", "2");
    }
    put("arp_validate", "none 0");
    put("downdelay", "0");
    put("fail_over_mac", "none 0");
    if kernel.since(5, 15) {
        put("lacp_active", if b.active { "on 1" } else { "off 0" });
    }
    put("lacp_rate", if b.fast { "fast 1" } else { "slow 0" });
    put("lp_interval", "1");
    put("mii_status", if b.carrier { "up" } else { "down" });
    put("miimon", &b.miimon_ms.to_string());
    put("min_links", &b.min_links.to_string());
    put("mode", if b.lacp { "802.3ad 4" } else { "balance-xor 2" });
    put("num_grat_arp", "1");
    put("num_unsol_na", "1");
    put("packets_per_slave", "1");
    if kernel.since(5, 3) {
        put("peer_notif_delay", "0");
    }
    put("primary_reselect", "always 0");
    if !members.is_empty() {
        put("queue_id", &joined(members.iter().map(|m| format!("{}:0", m.name))));
    }
    put("resend_igmp", "1");
    if !members.is_empty() {
        put("slaves", &joined(members.iter().map(|m| m.name.clone())));
    }
    put("tlb_dynamic_lb", "1");
    put("updelay", "0");
    put("use_carrier", "1");
    put("xmit_hash_policy", "layer2 0");

    // The shell sorts `lower_*` by name.
    let mut sorted = members;
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for m in sorted {
        let mut put = |file: &str, value: &str| {
            let _ = writeln!(out, "lower_{}/bonding_slave/{file}:{value}", m.name);
        };
        // `bond_sysfs_slave.c` prints N/A where there is no aggregator.
        let ad = |n: String| if b.lacp && m.aggregator != 0 { n } else { "N/A".to_owned() };
        put("ad_actor_oper_port_state", &ad(m.actor.state.bits().to_string()));
        put("ad_aggregator_id", &ad(m.aggregator.to_string()));
        put("ad_partner_oper_port_state", &ad(m.partner.state.bits().to_string()));
        put("link_failure_count", &m.link_failures.to_string());
        put("mii_status", if m.mii_up { "up" } else { "down" });
        put("perm_hwaddr", &m.permanent.to_string());
        put("queue_id", "0");
        put("state", if m.forwarding { "active" } else { "backup" });
    }
    out
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
