//! Kinds of links other than bonds: VLAN, bridge, macvlan, ipvlan, and ports of bridges.
//!
//! Numbers of attributes: `include/uapi/linux/if_link.h` (Linux 6.12); words: `ip/iplink_vlan.c`, `iplink_bridge.c`,
//! `iplink_bridge_slave.c`, `iplink_macvlan.c`, `iplink_ipvlan.c` (iproute2 6.15). Veth and dummy have no data. The data of
//! other kinds are kept as octets.

use super::{Context, unknown};
use crate::evidence::{Citation, Fields, Link};
use crate::netlink::{Attr, names};
use crate::parse::ip_link::kind_field;

/// `IFLA_INFO_DATA` of a kind.
pub(super) fn data(kind: &str, link: &mut Link, data: &Attr<'_>, context: &Context<'_>) {
    let at = context.at;
    let fields = &mut link.fields;
    match kind {
        "vlan" => vlan(fields, data, at),
        "bridge" => bridge(fields, data, at),
        "macvlan" | "macvtap" => macvlan(kind, fields, data, at),
        "ipvlan" | "ipvtap" => ipvlan(kind, fields, data, at),
        _ => {
            for attr in data.attrs() {
                unknown(fields, &format!("{kind}."), &attr, at);
            }
        }
    }
}

/// A protocol of VLAN tags, as `ip` prints it.
fn vlan_protocol(attr: &Attr<'_>) -> String {
    match attr.be16() {
        Some(0x8100) => "802.1Q".to_owned(),
        Some(0x88a8) => "802.1ad".to_owned(),
        Some(n) => format!("0x{n:04x}"),
        None => attr.hex(),
    }
}

fn vlan(fields: &mut Fields, data: &Attr<'_>, at: Citation) {
    const FLAGS: [&str; 5] = ["REORDER_HDR", "GVRP", "LOOSE_BINDING", "MVRP", "BRIDGE_BINDING"];
    for attr in data.attrs() {
        match attr.kind {
            1 => fields.push("vlan_id", attr.number().unwrap_or(0).to_string(), at),
            2 => {
                let bits = attr.u32().unwrap_or(0);
                let set: Vec<&str> =
                    FLAGS.iter().enumerate().filter(|(n, _)| bits & 1 << n != 0).map(|(_, s)| *s).collect();
                fields.push("vlan_flags", set.join(","), at);
            }
            3 | 4 => {
                let key = if attr.kind == 3 { "vlan.egress_qos" } else { "vlan.ingress_qos" };
                let pairs: Vec<String> = attr
                    .attrs()
                    .filter_map(|a| {
                        Some(format!("{}:{}", a.order.u32_at(a.value, 0)?, a.order.u32_at(a.value, 4)?))
                    })
                    .collect();
                fields.push(key, pairs.join(" "), at);
            }
            5 => fields.push("vlan_protocol", vlan_protocol(&attr), at),
            _ => unknown(fields, "vlan.", &attr, at),
        }
    }
}

fn macvlan(kind: &str, fields: &mut Fields, data: &Attr<'_>, at: Citation) {
    for attr in data.attrs() {
        match attr.kind {
            1 => {
                let mode = match attr.u32() {
                    Some(1) => "private",
                    Some(2) => "vepa",
                    Some(4) => "bridge",
                    Some(8) => "passthru",
                    Some(16) => "source",
                    _ => "unknown",
                };
                fields.push(format!("{kind}.mode"), mode, at);
            }
            2 => {
                // MACVLAN_FLAG_NOPROMISC
                if attr.u16().is_some_and(|f| f & 1 != 0) {
                    fields.push(format!("{kind}.nopromisc"), "on", at);
                }
            }
            7 => number(fields, kind, "bcqueuelen", &attr, at),
            8 => number(fields, kind, "usedbcqueuelen", &attr, at),
            _ => unknown(fields, &format!("{kind}."), &attr, at),
        }
    }
}

fn ipvlan(kind: &str, fields: &mut Fields, data: &Attr<'_>, at: Citation) {
    for attr in data.attrs() {
        match attr.kind {
            1 => fields.push(
                format!("{kind}.mode"),
                names::of(&["l2", "l3", "l3s"], attr.number().unwrap_or(0)),
                at,
            ),
            2 => {
                let word = match attr.u16().unwrap_or(0) {
                    0 => "bridge",
                    1 => "private",
                    2 => "vepa",
                    _ => "unknown",
                };
                fields.push(format!("{kind}.{word}"), "on", at);
            }
            _ => unknown(fields, &format!("{kind}."), &attr, at),
        }
    }
}

fn number(fields: &mut Fields, kind: &str, key: &str, attr: &Attr<'_>, at: Citation) {
    match attr.number() {
        Some(n) => fields.push(kind_field(kind, key), n.to_string(), at),
        None => unknown(fields, &format!("{kind}."), attr, at),
    }
}

/// A bridge id: priority, a point, the address.
fn bridge_id(attr: &Attr<'_>) -> String {
    let Some((priority, address)) = attr.value.split_first_chunk::<2>() else { return attr.hex() };
    // `ip` prints the octets of bridge ids without leading zeros.
    let octets: Vec<String> = address.iter().map(|b| format!("{b:x}")).collect();
    format!("{:04x}.{}", u16::from_be_bytes(*priority), octets.join(":"))
}

fn bridge(fields: &mut Fields, data: &Attr<'_>, at: Citation) {
    for attr in data.attrs() {
        let key = match attr.kind {
            1 => "forward_delay",
            2 => "hello_time",
            3 => "max_age",
            4 => "ageing_time",
            5 => "stp_state",
            6 => "priority",
            7 => "vlan_filtering",
            8 => {
                fields.push("bridge.vlan_protocol", vlan_protocol(&attr), at);
                continue;
            }
            9 => {
                fields.push("bridge.group_fwd_mask", mask(&attr), at);
                continue;
            }
            10 => {
                fields.push("bridge.designated_root", bridge_id(&attr), at);
                continue;
            }
            11 => {
                fields.push("bridge.bridge_id", bridge_id(&attr), at);
                continue;
            }
            12 => "root_port",
            13 => "root_path_cost",
            14 => "topology_change",
            15 => "topology_change_detected",
            16 => "hello_timer",
            17 => "tcn_timer",
            18 => "topology_change_timer",
            19 => "gc_timer",
            20 => {
                fields.push("bridge.group_address", attr.lladdr(), at);
                continue;
            }
            22 => "mcast_router",
            23 => "mcast_snooping",
            24 => "mcast_query_use_ifaddr",
            25 => "mcast_querier",
            26 => "mcast_hash_elasticity",
            27 => "mcast_hash_max",
            28 => "mcast_last_member_count",
            29 => "mcast_startup_query_count",
            30 => "mcast_last_member_interval",
            31 => "mcast_membership_interval",
            32 => "mcast_querier_interval",
            33 => "mcast_query_interval",
            34 => "mcast_query_response_interval",
            35 => "mcast_startup_query_interval",
            36 => "nf_call_iptables",
            37 => "nf_call_ip6tables",
            38 => "nf_call_arptables",
            39 => "vlan_default_pvid",
            41 => "vlan_stats_enabled",
            42 => "mcast_stats_enabled",
            43 => "mcast_igmp_version",
            44 => "mcast_mld_version",
            45 => "vlan_stats_per_port",
            48 => "fdb_n_learned",
            49 => "fdb_max_learned",
            46 => {
                options(fields, &attr, at);
                continue;
            }
            _ => {
                unknown(fields, "bridge.", &attr, at);
                continue;
            }
        };
        match (attr.kind, attr.number()) {
            (16..=19, Some(n)) => {
                fields.push(kind_field("bridge", key), format!("{:4}.{:02}", n / 100, n % 100).trim(), at);
            }
            (_, Some(n)) => fields.push(kind_field("bridge", key), n.to_string(), at),
            (_, None) => unknown(fields, "bridge.", &attr, at),
        }
    }
}

/// A mask in hexadecimal without leading zeros, as `print_0xhex()` does.
fn mask(attr: &Attr<'_>) -> String {
    match attr.number() {
        Some(0) => "0".to_owned(),
        Some(n) => format!("0x{n:x}"),
        None => attr.hex(),
    }
}

/// `IFLA_BR_MULTI_BOOLOPT`: values and which of them are known.
fn options(fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    const NAMES: [&str; 5] = [
        "no_linklocal_learn",
        "mcast_vlan_snooping",
        "mst_enabled",
        "mdb_offload_fail_notification",
        "fdb_local_vlan_0",
    ];
    let (Some(values), Some(known)) = (attr.u32(), attr.order.u32_at(attr.value, 4)) else { return };
    for (bit, name) in NAMES.iter().enumerate().filter(|(n, _)| known & 1 << n != 0) {
        fields.push(format!("bridge.{name}"), (values >> bit & 1).to_string(), at);
    }
}

/// `IFLA_INFO_SLAVE_DATA` of a port of a bridge (or `IFLA_PROTINFO` in a message of the bridge family); of other upper
/// devices the octets.
pub(super) fn port(kind: &str, link: &mut Link, data: &Attr<'_>, context: &Context<'_>) {
    const STATES: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];
    let at = context.at;
    let fields = &mut link.fields;
    for attr in data.attrs() {
        let key = match attr.kind {
            _ if kind != "bridge" => "",
            1 => "state",
            2 => "priority",
            3 => "cost",
            4 => "hairpin",
            5 => "guard",
            6 => "root_block",
            7 => "fastleave",
            8 => "learning",
            9 => "flood",
            10 => "proxy_arp",
            12 => "proxy_arp_wifi",
            13 => "designated_root",
            14 => "designated_bridge",
            15 => "designated_port",
            16 => "designated_cost",
            17 => "port_id",
            18 => "port_no",
            19 => "topology_change_ack",
            20 => "config_pending",
            21 => "message_age_timer",
            22 => "forward_delay_timer",
            23 => "hold_timer",
            25 => "mcast_router",
            27 => "mcast_flood",
            28 => "mcast_to_unicast",
            29 => "vlan_tunnel",
            30 => "bcast_flood",
            31 => "group_fwd_mask",
            32 => "neigh_suppress",
            33 => "isolated",
            35 => "mrp_ring_open",
            36 => "mrp_in_open",
            37 => "mcast_eht_hosts_limit",
            38 => "mcast_eht_hosts_cnt",
            39 => "locked",
            40 => "mab",
            41 => "mcast_n_groups",
            42 => "mcast_max_groups",
            43 => "neigh_vlan_suppress",
            // Padding.
            26 => continue,
            _ => "",
        };
        let value = match (attr.kind, attr.number()) {
            _ if key.is_empty() => {
                unknown(fields, &format!("{kind}_slave."), &attr, at);
                continue;
            }
            (1, Some(n)) => names::of(&STATES, n),
            (13 | 14, _) => bridge_id(&attr),
            (17 | 18, Some(n)) => format!("0x{n:x}"),
            (21..=23, Some(n)) => format!("{}.{:02}", n / 100, n % 100),
            (31, _) => mask(&attr),
            (4..=10 | 12 | 27..=30 | 32 | 33 | 35 | 36 | 39 | 40 | 43, Some(n)) => {
                names::of(&["off", "on"], n)
            }
            (_, Some(n)) => n.to_string(),
            (_, None) => attr.hex(),
        };
        if attr.kind == 7 {
            // `ip` prints it under both names.
            fields.push(format!("{kind}_slave.mcast_fast_leave"), value.as_str(), at);
        }
        fields.push(format!("{kind}_slave.{key}"), value, at);
    }
}
