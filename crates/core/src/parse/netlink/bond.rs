//! `IFLA_BOND_*` and `IFLA_BOND_SLAVE_*`: a bond and its members.
//!
//! Filled by `bond_fill_info()` and `bond_fill_slave_info()` in `drivers/net/bonding/bond_netlink.c` (Linux 6.12.107 and
//! 6.18); words as in `ip/iplink_bond.c` and `iplink_bond_slave.c` (iproute2 6.15). The churn states, which `ip` does not
//! print, have the words of `/proc/net/bonding`.

use super::{Context, unknown};
use crate::evidence::{Citation, Fields};
use crate::netlink::{Attr, names};
use crate::parse::ip_link::bond_port_field;

const MODES: [&str; 7] =
    ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];
const ARP_VALIDATE: [&str; 7] =
    ["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"];
const XMIT_HASH: [&str; 6] = ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"];
const ON_OFF: [&str; 2] = ["off", "on"];

/// `IFLA_INFO_DATA` of a bond.
pub(super) fn bond(fields: &mut Fields, data: &Attr<'_>, context: &Context<'_>) {
    let at = context.at;
    for attr in data.attrs() {
        let number = attr.number();
        let words: &[&str] = match attr.kind {
            1 => &MODES,
            9 => &ARP_VALIDATE,
            10 => &["any", "all"],
            12 => &["always", "better", "failure"],
            13 => &["none", "active", "follow"],
            14 => &XMIT_HASH,
            21 => &["slow", "fast"],
            22 => &["stable", "bandwidth", "count", "actor_port_prio"],
            29 | 32 | 33 | 34 => &ON_OFF,
            _ => &[],
        };
        let key = match attr.kind {
            1 => "mode",
            2 => "active_slave",
            3 => "miimon",
            4 => "updelay",
            5 => "downdelay",
            6 => "use_carrier",
            7 => "arp_interval",
            8 => "arp_ip_target",
            9 => "arp_validate",
            10 => "arp_all_targets",
            11 => "primary",
            12 => "primary_reselect",
            13 => "fail_over_mac",
            14 => "xmit_hash_policy",
            15 => "resend_igmp",
            16 => "num_grat_arp",
            17 => "all_slaves_active",
            18 => "min_links",
            19 => "lp_interval",
            20 => "packets_per_slave",
            21 => "lacp_rate",
            22 => "ad_select",
            23 => {
                ad_info(fields, &attr, at);
                continue;
            }
            24 => "ad_actor_sys_prio",
            25 => "ad_user_port_key",
            26 => "ad_actor_system",
            27 => "tlb_dynamic_lb",
            28 => "peer_notify_delay",
            29 => "lacp_active",
            30 => "arp_missed_max",
            31 => "ns_ip6_target",
            32 => "coupled_control",
            33 => "broadcast_neighbor",
            34 => "lacp_strict",
            _ => {
                unknown(fields, "bond.", &attr, at);
                continue;
            }
        };
        let value = match (attr.kind, number) {
            // Interfaces; 0 is none, and then nothing is printed.
            (2 | 11, Some(index)) => match u32::try_from(index).unwrap_or(0) {
                0 => continue,
                n => context.interfaces.name(n),
            },
            (8, _) => targets(&attr),
            (31, _) => targets(&attr),
            (26, _) => attr.lladdr(),
            (_, Some(n)) => names::of(words, n),
            (_, None) => attr.hex(),
        };
        if !(value.is_empty() && matches!(attr.kind, 8 | 31)) {
            fields.push(format!("bond.{key}"), value, at);
        }
    }
}

/// Targets of the ARP monitor: one attribute each, an IPv4 or IPv6 address.
fn targets(attr: &Attr<'_>) -> String {
    let list: Vec<String> = attr.attrs().map(|a| super::ip(a.value)).collect();
    list.join(",")
}

/// `IFLA_BOND_AD_INFO`.
fn ad_info(fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    for a in attr.attrs() {
        let key = match a.kind {
            1 => "aggregator",
            2 => "num_ports",
            3 => "actor_key",
            4 => "partner_key",
            5 => {
                fields.push("bond.ad_partner_mac", a.lladdr(), at);
                continue;
            }
            _ => {
                unknown(fields, "bond.ad_", &a, at);
                continue;
            }
        };
        if let Some(n) = a.number() {
            fields.push(format!("bond.ad_{key}"), n.to_string(), at);
        }
    }
}

/// `IFLA_INFO_SLAVE_DATA` of a member of a bond.
pub(super) fn member(fields: &mut Fields, data: &Attr<'_>, at: Citation) {
    const CHURN: [&str; 3] = ["monitoring", "churned", "none"];
    for attr in data.attrs() {
        let words: &[&str] = match attr.kind {
            1 => &["ACTIVE", "BACKUP"],
            2 => &["UP", "GOING_DOWN", "DOWN", "GOING_BACK"],
            11 | 12 => &CHURN,
            _ => &[],
        };
        let key = match attr.kind {
            1 => "state",
            2 => "mii_status",
            3 => "link_failure_count",
            4 => {
                // The interface's own permanent address says the same.
                if fields.get("permaddr").is_none() {
                    fields.push("permaddr", attr.lladdr(), at);
                }
                continue;
            }
            5 => "queue_id",
            6 => "ad_aggregator_id",
            7 => "ad_actor_oper_port_state",
            8 => "ad_partner_oper_port_state",
            9 => "prio",
            10 => "actor_port_prio",
            11 => "actor_churn_state",
            12 => "partner_churn_state",
            _ => {
                unknown(fields, "bond_slave.", &attr, at);
                continue;
            }
        };
        let Some(n) = attr.number() else { continue };
        let value = match (attr.kind, attr.i32()) {
            (9, Some(signed)) => signed.to_string(),
            _ => names::of(words, n),
        };
        fields.push(bond_port_field(key), value, at);
        if matches!(attr.kind, 7 | 8) {
            fields.push(bond_port_field(&format!("{key}_str")), port_state(n), at);
        }
    }
}

/// The names of the bits of a port's state, in the words of `ip`.
fn port_state(bits: u64) -> String {
    const NAMES: [&str; 8] = [
        "active",
        "short_timeout",
        "aggregating",
        "in_sync",
        "collecting",
        "distributing",
        "defaulted",
        "expired",
    ];
    let set: Vec<&str> =
        NAMES.iter().enumerate().filter(|(n, _)| bits & 1 << n != 0).map(|(_, name)| *name).collect();
    set.join(",")
}
