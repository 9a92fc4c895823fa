//! `ip -j -s -d link`: the same interfaces as in the text form, as one line of JSON (iproute2 6.x).

use super::interface::{self, Interface, Kind, Slave};
use super::ip_link::{clipped, tag};
use super::kernel::Kernel;
use crate::view::HostView;
use serde_json::{Map, Value, json};

/// Renders the listing.
#[must_use]
pub fn render(view: &HostView) -> String {
    let kernel = Kernel::of(&view.kernel);
    let list: Vec<Value> =
        interface::all(view).iter().map(|i| Value::Object(interface_of(i, kernel))).collect();
    format!("{}\n", Value::Array(list))
}

fn interface_of(i: &Interface<'_>, kernel: Kernel) -> Map<String, Value> {
    let mut o = Map::new();
    let mut put = |key: &str, value: Value| {
        o.insert(key.to_owned(), value);
    };
    put("ifindex", json!(i.index));
    if let Some(lower) = i.lower {
        put("link", json!(lower));
    }
    put("ifname", json!(i.name));
    put("flags", json!(i.flags));
    put("mtu", json!(i.mtu));
    if let Some((id, name)) = i.xdp {
        put(
            "xdp",
            json!({"mode": 1, "prog": {"id": id, "name": clipped(name), "tag": format!("{:016x}", tag(name)), "jited": 1}}),
        );
    }
    put("qdisc", json!(i.qdisc));
    if let Some(master) = i.master {
        put("master", json!(master));
    }
    put("operstate", json!(i.state));
    put("linkmode", json!("DEFAULT"));
    put("group", json!("default"));
    put("txqlen", json!(1000));
    put("link_type", json!(i.link_type));
    put("address", json!(i.address.to_string()));
    put("broadcast", json!(i.broadcast.to_string()));
    if let Some(p) = i.permanent {
        put("permaddr", json!(p.to_string()));
    }
    put("promiscuity", json!(0));
    if kernel.since(6, 0) {
        put("allmulti", json!(0));
    }
    put("min_mtu", json!(i.mtu_range.0));
    put("max_mtu", json!(i.mtu_range.1));
    if let Some(info) = link_info(i, kernel) {
        put("linkinfo", Value::Object(info));
    }
    put("inet6_addr_gen_mode", json!("eui64"));
    put("num_tx_queues", json!(i.queues));
    put("num_rx_queues", json!(i.queues));
    put("gso_max_size", json!(65536));
    put("gso_max_segs", json!(65535));
    if kernel.since(6, 0) {
        put("tso_max_size", json!(i.tso_max.0));
        put("tso_max_segs", json!(i.tso_max.1));
        put("gro_max_size", json!(65536));
    }
    if kernel.since(6, 3) {
        put("gso_ipv4_max_size", json!(65536));
        put("gro_ipv4_max_size", json!(65536));
    }
    if !i.bus.is_empty() && kernel.since(5, 14) {
        put("parentbus", json!("pci"));
        put("parentdev", json!(i.bus));
    }
    let c = &i.counters;
    // One `-s`: no list of kinds of errors; what the text calls `missed` has the name of older versions here.
    put(
        "stats64",
        json!({
            "rx": {
                "bytes": c.rx_bytes, "packets": c.rx_packets, "errors": c.rx_errors, "dropped": c.rx_dropped,
                "over_errors": 0, "multicast": c.multicast
            },
            "tx": {
                "bytes": c.tx_bytes, "packets": c.tx_packets, "errors": c.tx_errors, "dropped": c.tx_dropped,
                "carrier_errors": c.tx_carrier_errors, "collisions": 0
            }
        }),
    );
    o
}

fn link_info(i: &Interface<'_>, kernel: Kernel) -> Option<Map<String, Value>> {
    let mut o = Map::new();
    match &i.kind {
        Kind::None => {}
        Kind::Veth => {
            o.insert("info_kind".to_owned(), json!("veth"));
        }
        Kind::Vlan(id) => {
            o.insert("info_kind".to_owned(), json!("vlan"));
            o.insert(
                "info_data".to_owned(),
                json!({"protocol": "802.1Q", "id": id, "flags": ["REORDER_HDR"]}),
            );
        }
        Kind::Bond(view) => {
            o.insert("info_kind".to_owned(), json!("bond"));
            o.insert("info_data".to_owned(), Value::Object(bond(view, kernel)));
        }
    }
    if let Some(s) = &i.member {
        o.insert("info_slave_kind".to_owned(), json!("bond"));
        o.insert("info_slave_data".to_owned(), Value::Object(member(s, kernel)));
    }
    (!o.is_empty()).then_some(o)
}

fn bond(view: &HostView, kernel: Kernel) -> Map<String, Value> {
    let b = &view.bond;
    let mut o = Map::new();
    let mut put = |key: &str, value: Value| {
        o.insert(key.to_owned(), value);
    };
    put("mode", json!(if b.lacp { "802.3ad" } else { "balance-xor" }));
    put("miimon", json!(b.miimon_ms));
    put("updelay", json!(0));
    put("downdelay", json!(0));
    if kernel.since(5, 3) {
        put("peer_notify_delay", json!(0));
    }
    put("use_carrier", json!(1));
    put("arp_interval", json!(0));
    if kernel.since(5, 17) {
        put("arp_missed_max", json!(2));
    }
    put("arp_validate", Value::Null);
    put("arp_all_targets", json!("any"));
    put("primary_reselect", json!("always"));
    put("fail_over_mac", json!("none"));
    put("xmit_hash_policy", json!("layer2"));
    put("resend_igmp", json!(1));
    put("num_peer_notif", json!(1));
    put("all_slaves_active", json!(0));
    put("min_links", json!(b.min_links));
    put("lp_interval", json!(1));
    put("packets_per_slave", json!(1));
    if kernel.since(5, 15) {
        put("ad_lacp_active", json!(if b.active { "on" } else { "off" }));
    }
    put("ad_lacp_rate", json!(if b.fast { "fast" } else { "slow" }));
    if kernel.since(6, 9) {
        put("coupled_control", json!(true));
    }
    put("ad_select", json!("stable"));
    if b.lacp {
        if let Some(a) = b.active_aggregator {
            put(
                "ad_info",
                json!({
                    "aggregator": a.id, "num_ports": a.ports, "actor_key": a.actor_key,
                    "partner_key": a.partner_key, "partner_mac": a.partner.to_string()
                }),
            );
        }
        put("ad_actor_sys_prio", json!(b.system_priority));
        put("ad_user_port_key", json!(0));
        put("ad_actor_system", json!("00:00:00:00:00:00"));
    }
    put("tlb_dynamic_lb", json!(1));
    o
}

fn member(s: &Slave<'_>, kernel: Kernel) -> Map<String, Value> {
    let m = s.member;
    let mut o = Map::new();
    let mut put = |key: String, value: Value| {
        o.insert(key, value);
    };
    put("state".to_owned(), json!(if m.forwarding { "ACTIVE" } else { "BACKUP" }));
    put("mii_status".to_owned(), json!(if m.mii_up { "UP" } else { "DOWN" }));
    put("link_failure_count".to_owned(), json!(m.link_failures));
    put("perm_hwaddr".to_owned(), json!(m.permanent.to_string()));
    put("queue_id".to_owned(), json!(0));
    if kernel.since(6, 0) {
        put("prio".to_owned(), json!(0));
    }
    if s.ad {
        put("ad_aggregator_id".to_owned(), json!(m.aggregator));
        for (who, p) in [("actor", &m.actor), ("partner", &m.partner)] {
            put(format!("ad_{who}_oper_port_state"), json!(p.state.bits()));
            put(format!("ad_{who}_oper_port_state_str"), json!(interface::state_words(p.state)));
        }
    }
    o
}
