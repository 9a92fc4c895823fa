//! `RTM_NEWNEIGH`, `RTM_DELNEIGH`: neighbours and forwarding databases, as `ip -s neigh` and `bridge fdb` print them.
//!
//! Filled by `neigh_fill_info()` in `net/core/neighbour.c` and `fdb_fill_info()` in `net/bridge/br_fdb.c` (Linux 6.12);
//! printed by `print_neigh()` in `ip/ipneigh.c`, `print_fdb()` in `bridge/fdb.c` (iproute2 6.15).

use super::{Context, damaged, ip, unknown};
use crate::evidence::{Fields, Record, What};
use crate::netlink::Message;

/// `AF_BRIDGE`.
const BRIDGE: u8 = 7;

/// `NUD_*` in order of their bits.
const STATES: [&str; 8] =
    ["INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT"];

/// Kernel ticks are a hundredth of a second in what it tells user space (`USER_HZ`).
const TICKS: u32 = 100;

pub(super) fn read(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    // struct ndmsg: family, padding (3), index, state, flags, type.
    let (Some(family), Some(index), Some(state), Some(flags)) =
        (m.payload.first().copied(), m.u32_at(4), m.u16_at(8), m.payload.get(10).copied())
    else {
        return false;
    };
    let at = context.at;
    let dev = context.interfaces.name(index);
    let bridge = family == BRIDGE;
    let source = context.source(if bridge { "bridge-fdb" } else { "ip-neigh" });
    let mut fields = Fields::new(source, Some(dev.clone()));
    let attrs = m.attrs(12);
    let first = attrs.find(if bridge { 2 } else { 1 });
    match (first, bridge) {
        (Some(mac), true) => fields.push("mac", mac.lladdr(), at),
        (Some(dst), false) => fields.push("dst", ip(dst.value), at),
        (None, _) => return false,
    }
    if bridge {
        fields.push("dev", dev, at);
    }
    for attr in attrs {
        match attr.kind {
            1 if !bridge => {}
            2 if bridge => {}
            1 => fields.push("dst", ip(attr.value), at),
            2 => fields.push("lladdr", attr.lladdr(), at),
            3 => {
                // struct nda_cacheinfo: confirmed, used, updated, references; printed used first.
                let number = |n: usize| attr.order.u32_at(attr.value, n * 4).unwrap_or(0);
                if !bridge && number(3) != 0 {
                    fields.push("ref", number(3).to_string(), at);
                }
                let ago = |n: usize| number(n) / TICKS;
                let used = if bridge {
                    format!("{}/{}", ago(1), ago(2))
                } else {
                    format!("{}/{}/{}", ago(1), ago(0), ago(2))
                };
                fields.push("used", used, at);
            }
            4 => fields.push("probes", attr.u32().unwrap_or(0).to_string(), at),
            5 => fields.push("vlan", attr.u16().unwrap_or(0).to_string(), at),
            9 => fields.push("master", context.interfaces.name(attr.u32().unwrap_or(0)), at),
            12 => fields.push("proto", attr.number().unwrap_or(0).to_string(), at),
            _ => unknown(&mut fields, "", &attr, at),
        }
    }
    // NTF_SELF, NTF_MASTER, NTF_PROXY, NTF_EXT_LEARNED, NTF_OFFLOADED, NTF_STICKY, NTF_ROUTER
    for (bit, word) in [
        (0x02, "self"),
        (0x08, "proxy"),
        (0x10, "extern_learn"),
        (0x20, "offload"),
        (0x40, "sticky"),
        (0x80, "router"),
    ] {
        if flags & bit != 0 {
            fields.push("flag", word, at);
        }
    }
    if bridge {
        // In the database of a bridge PERMANENT is an address of its own and NOARP one that somebody set.
        if state & 0x80 != 0 {
            fields.push("flag", "permanent", at);
        } else if state & 0x40 != 0 {
            fields.push("flag", "static", at);
        } else if state & 0x04 != 0 {
            fields.push("flag", "stale", at);
        }
    } else if state != 0 {
        for (_, name) in STATES.iter().enumerate().filter(|(n, _)| state & 1 << n != 0) {
            fields.push("state", *name, at);
        }
    }
    if context.deleted {
        fields.push("deleted", "true", at);
    }
    damaged(&mut fields, attrs, at);
    context.record(out, What::Fields(fields));
    true
}
