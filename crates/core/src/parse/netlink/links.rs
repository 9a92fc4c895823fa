//! `RTM_NEWLINK`, `RTM_DELLINK`: interfaces, as `ip -d -s link` prints them.
//!
//! Numbers of attributes: `include/uapi/linux/if_link.h` (Linux 6.18); what is printed and under which name:
//! `print_linkinfo()` in `ip/ipaddress.c` (iproute2 6.15). `IFLA_STATS` and `IFLA_MAP` repeat others and are left out.

use super::{Context, bond, damaged, kinds, statistics, unknown};
use crate::evidence::{Citation, Counters, Fields, Link, Record, What};
use crate::netlink::{Attr, Message, names};
use crate::parse::ip_link::new_link;

/// `RTM_NEWLINK`.
pub(super) const NEW: u16 = 16;
/// `RTM_DELLINK`.
pub(super) const DELETE: u16 = 17;
/// `IFLA_IFNAME`.
pub(super) const IFNAME: u16 = 3;

/// `AF_BRIDGE`: the message is about the interface as a port of a bridge.
const BRIDGE: u8 = 7;

pub(super) fn read(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    // struct ifinfomsg: family, padding, hardware type, index, flags, change mask.
    let (Some(family), Some(hardware), Some(index), Some(flags)) =
        (m.payload.first().copied(), m.u16_at(2), m.u32_at(4), m.u32_at(8))
    else {
        return false;
    };
    let at = context.at;
    let attrs = m.attrs(16);
    let name = attrs.find(IFNAME).map_or_else(|| context.interfaces.name(index), |a| a.text());
    let source = context.source("ip-link");
    let mut link = new_link(source, &name, None);
    link.deleted = context.deleted;
    link.flags = names::interface_flags(flags);
    link.fields.push("ifindex", index.to_string(), at);
    link.fields.push("link_type", names::hardware(hardware), at);
    if let Some(lower) = attrs.find(5).and_then(|a| a.u32()) {
        parent(&mut link, lower, attrs.find(37).is_some(), context);
    }
    // `IFF_POINTOPOINT`
    let far = if flags & 0x10 == 0 { "brd" } else { "peer" };
    let own = attrs.find(1).map(|a| a.value);
    let mut counters = Vec::new();
    for attr in attrs {
        match attr.kind {
            1 => address(&mut link.fields, "mac", &attr, at),
            2 => link.fields.push(far, attr.lladdr(), at),
            // The permanent address is printed where it is not the one in use.
            54 if own == Some(attr.value) => {}
            54 => link.fields.push("permaddr", attr.lladdr(), at),
            12 if family == BRIDGE => kinds::port("bridge", &mut link, &attr, context),
            18 => link_info(&mut link, &attr, context),
            22 => functions(&mut link.fields, &attr, at),
            23 => {
                counters = statistics::stats64(&attr, "", at);
            }
            26 if family != BRIDGE => af_spec(&mut link.fields, &attr, at),
            43 => xdp(&mut link.fields, &attr, at),
            52 => {
                for name in attr.attrs().filter(|a| a.kind == 53) {
                    link.fields.push("altname", name.text(), at);
                }
            }
            _ => plain(&mut link, &attr, context),
        }
    }
    if link.fields.text("kind") == Some("vlan")
        && let Some(parent) = link.parent.clone().filter(|p| !p.starts_with("if"))
    {
        link.fields.push("vlan_parent", parent, at);
    }
    damaged(&mut link.fields, attrs, at);
    if let Some(changes) = attrs.find(35).and_then(|a| a.u32()).filter(|_| !counters.is_empty()) {
        counters.push(statistics::carrier_changes(u64::from(changes), at));
    }
    context.record(out, What::Link(link));
    if !counters.is_empty() {
        context.record(out, What::Counters(Counters { source, dev: Some(name), entries: counters }));
    }
    true
}

/// What stands behind `@`: a name, or an index where the other end is in another namespace.
fn parent(link: &mut Link, lower: u32, elsewhere: bool, context: &Context<'_>) {
    link.parent = Some(match (lower, elsewhere) {
        (0, _) => "NONE".to_owned(),
        (n, true) => format!("if{n}"),
        (n, false) => context.interfaces.name(n),
    });
    if !elsewhere && context.interfaces.flags(lower).is_some_and(|f| f & names::UP == 0) {
        link.flags.push("M-DOWN".to_owned());
    }
}

/// A link layer address; those of tunnels are IP addresses.
fn address(fields: &mut Fields, key: &str, attr: &Attr<'_>, at: Citation) {
    if matches!(attr.value.len(), 4 | 16) {
        fields.push("link_addr", super::ip(attr.value), at);
    } else {
        fields.push(key, attr.lladdr(), at);
    }
}

/// Attributes with one value.
fn plain(link: &mut Link, attr: &Attr<'_>, context: &Context<'_>) {
    let at = context.at;
    let fields = &mut link.fields;
    let number = |fields: &mut Fields, key: &str| match attr.number() {
        Some(n) => fields.push(key, n.to_string(), at),
        None => unknown(fields, "", attr, at),
    };
    match attr.kind {
        // IFNAME, LINK, STATS (32 bits wide), MAP, padding; the AF_SPEC of a bridge is read as VLANs.
        3 | 5 | 7 | 14 | 26 | 42 => {}
        4 => number(fields, "mtu"),
        6 => fields.push("qdisc", attr.text(), at),
        10 => {
            if let Some(n) = attr.u32() {
                fields.push("master", context.interfaces.name(n), at);
            }
        }
        13 => {
            // A queue of length 0 is not printed.
            if attr.u32() != Some(0) {
                number(fields, "txqlen");
            }
        }
        16 => fields.push("state", names::of(&names::OPERSTATE, attr.number().unwrap_or(0)), at),
        17 => fields.push("linkmode", names::of(&["DEFAULT", "DORMANT"], attr.number().unwrap_or(0)), at),
        20 => fields.push("alias", attr.text(), at),
        21 => number(fields, "vf_count"),
        27 => match attr.u32() {
            Some(0) => fields.push("group", "default", at),
            _ => number(fields, "group"),
        },
        30 => number(fields, "promiscuity"),
        31 => number(fields, "numtxqueues"),
        32 => number(fields, "numrxqueues"),
        33 => number(fields, "carrier"),
        34 => fields.push("portid", attr.hex(), at),
        35 => number(fields, "carrier_changes"),
        36 => fields.push("switchid", attr.hex(), at),
        37 => match attr.i32() {
            Some(n) if n >= 0 => fields.push("link-netnsid", n.to_string(), at),
            _ => fields.push("link-netnsid", "unknown", at),
        },
        38 => fields.push("portname", attr.text(), at),
        39 => {
            if attr.u8() != Some(0) {
                fields.push("protodown", "on", at);
            }
        }
        40 => number(fields, "gso_max_segs"),
        41 => number(fields, "gso_max_size"),
        44 => {
            const EVENTS: [&str; 7] = [
                "",
                "REBOOT",
                "FEATURE CHANGE",
                "BONDING FAILOVER",
                "NOTIFY PEERS",
                "RESEND IGMP",
                "BONDING OPTION",
            ];
            if attr.u32() != Some(0) {
                fields.push("event", names::of(&EVENTS, attr.number().unwrap_or(0)), at);
            }
        }
        45 => number(fields, "new-netnsid"),
        47 => number(fields, "carrier_up_count"),
        48 => number(fields, "carrier_down_count"),
        49 => number(fields, "new-ifindex"),
        50 => number(fields, "minmtu"),
        51 => number(fields, "maxmtu"),
        55 => protodown_reason(fields, attr, at),
        56 => fields.push("parentdev", attr.text(), at),
        57 => fields.push("parentbus", attr.text(), at),
        58 => number(fields, "gro_max_size"),
        59 => number(fields, "tso_max_size"),
        60 => number(fields, "tso_max_segs"),
        61 => number(fields, "allmulti"),
        63 => number(fields, "gso_ipv4_max_size"),
        64 => number(fields, "gro_ipv4_max_size"),
        66 => number(fields, "max_pacing_offload_horizon"),
        67 => {
            if attr.u8() != Some(0) {
                fields.push("netns-immutable", "on", at);
            }
        }
        68 => number(fields, "headroom"),
        69 => number(fields, "tailroom"),
        _ => unknown(fields, "", attr, at),
    }
}

/// `IFLA_PROTO_DOWN_REASON`: mask and value; reasons have no names but those of the administrator.
fn protodown_reason(fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    let Some(value) = attr.attrs().find(2).and_then(|a| a.u32()).filter(|v| *v != 0) else { return };
    let bits: Vec<String> = (0..32).filter(|n| value & 1 << n != 0).map(|n| n.to_string()).collect();
    fields.push("protodown_reason", format!("<{}>", bits.join(",")), at);
}

/// `IFLA_AF_SPEC`: of all the settings of IPv4 and IPv6 only the one that `ip` prints.
fn af_spec(fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    const MODES: [&str; 4] = ["eui64", "none", "stable_secret", "random"];
    // AF_INET6 (10), IFLA_INET6_ADDR_GEN_MODE (8)
    if let Some(mode) = attr.attrs().find(10).and_then(|a| a.attrs().find(8)).and_then(|a| a.u8()) {
        fields.push("addrgenmode", names::of(&MODES, u64::from(mode)), at);
    }
}

/// `IFLA_LINKINFO`: kind, its data, and the data of the port of an upper device.
fn link_info(link: &mut Link, attr: &Attr<'_>, context: &Context<'_>) {
    let at = context.at;
    let kind = attr.attrs().find(1).map(|a| a.text()).unwrap_or_default();
    let port = attr.attrs().find(4).map(|a| a.text()).unwrap_or_default();
    if !kind.is_empty() {
        link.fields.push("kind", kind.as_str(), at);
    }
    if !port.is_empty() {
        link.fields.push("slave_kind", port.as_str(), at);
    }
    for inner in attr.attrs() {
        match inner.kind {
            // The statistics of a kind (3) are those of an old interface of VLANs and bridges.
            1 | 3 | 4 => {}
            2 if kind == "bond" => bond::bond(&mut link.fields, &inner, context),
            2 => kinds::data(&kind, link, &inner, context),
            5 if port == "bond" => bond::member(&mut link.fields, &inner, at),
            5 => kinds::port(&port, link, &inner, context),
            _ => unknown(&mut link.fields, "linkinfo.", &inner, at),
        }
    }
    damaged(&mut link.fields, attr.attrs(), at);
}

/// `IFLA_XDP`: the mode as the head of `ip link` shows it, the program as its last line.
fn xdp(fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    let inside = attr.attrs();
    let mode = match inside.find(2).and_then(|a| a.u8()) {
        None | Some(0) => return,
        Some(2) => "xdpgeneric",
        Some(3) => "xdpoffload",
        Some(4) => "xdpmulti",
        Some(_) => "xdp",
    };
    match inside.find(4).and_then(|a| a.u32()) {
        Some(id) => fields.push("xdp", format!("{mode}/id:{id}"), at),
        None => fields.push("xdp", mode, at),
    }
    for (kind, word) in [(4, ""), (5, "xdpdrv "), (6, "xdpgeneric "), (7, "xdpoffload ")] {
        if let Some(id) = inside.find(kind).and_then(|a| a.u32()) {
            fields.push("xdp.prog", format!("{word}id {id}"), at);
        }
    }
}

/// `IFLA_VFINFO_LIST`: address, VLAN and link state of each virtual function.
fn functions(fields: &mut Fields, attr: &Attr<'_>, at: Citation) {
    for info in attr.attrs().filter(|a| a.kind == 1) {
        let (mut number, mut words) = (0, Vec::new());
        for a in info.attrs() {
            let Some(vf) = a.u32() else { continue };
            let second = a.order.u32_at(a.value, 4);
            match a.kind {
                1 => {
                    number = vf;
                    let mac = a.value.get(4..10).unwrap_or_default();
                    let octets: Vec<String> = mac.iter().map(|b| format!("{b:02x}")).collect();
                    words.push(format!("link/ether {}", octets.join(":")));
                }
                2 if second != Some(0) => words.push(format!("vlan {}", second.unwrap_or(0))),
                4 => words.push(format!("spoof checking {}", if second == Some(0) { "off" } else { "on" })),
                5 => {
                    const STATES: [&str; 3] = ["auto", "enable", "disable"];
                    words.push(format!("link-state {}", names::of(&STATES, u64::from(second.unwrap_or(0)))));
                }
                9 => words.push(format!("trust {}", if second == Some(0) { "off" } else { "on" })),
                _ => {}
            }
        }
        fields.push(format!("vf{number}"), words.join(", "), at);
    }
}
