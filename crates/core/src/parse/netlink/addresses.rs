//! `RTM_NEWADDR`, `RTM_DELADDR` and the multicast memberships (`RTM_NEWMULTICAST`, events since Linux 6.14).
//!
//! Filled by `inet_fill_ifaddr()` in `net/ipv4/devinet.c` and `inet6_fill_ifaddr()` in `net/ipv6/addrconf.c` (Linux 6.12);
//! printed by `print_addrinfo()` in `ip/ipaddress.c` (iproute2 6.15). An address becomes a [`Link`](crate::evidence::Link) that
//! knows nothing but it, as a line of `ip -o addr` does. Memberships that come or go are events; the list of them stands in
//! `/proc/net/dev_mcast`.

use super::{Context, damaged, ip, unknown};
use crate::evidence::{Fields, Record, What};
use crate::netlink::{Attr, Message};
use crate::parse::ip_link::new_link;

/// `AF_INET6`.
const INET6: u8 = 10;

pub(super) fn read(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    // struct ifaddrmsg: family, prefix length, flags, scope, index.
    let &[family, prefix, narrow, scope, ..] = m.payload else { return false };
    let Some(index) = m.u32_at(4) else { return false };
    let at = context.at;
    let attrs = m.attrs(8);
    let mut link = new_link(context.source("ip-link"), &context.interfaces.name(index), None);
    link.deleted = context.deleted;
    let fields = &mut link.fields;
    fields.push("ifindex", index.to_string(), at);
    // Between two points IFA_LOCAL is this end and IFA_ADDRESS the other; IPv6 gives the address alone.
    let address = attrs.find(1).map(|a| ip(a.value));
    let local = attrs.find(2).map(|a| ip(a.value)).or_else(|| address.clone());
    match (local, address) {
        (Some(local), Some(far)) if local != far => {
            fields.push("addr", local, at);
            fields.push("addr.peer", format!("{far}/{prefix}"), at);
        }
        (Some(local), _) => fields.push("addr", format!("{local}/{prefix}"), at),
        (None, _) => return false,
    }
    let name = match scope {
        0 => "global".to_owned(),
        200 => "site".to_owned(),
        253 => "link".to_owned(),
        254 => "host".to_owned(),
        255 => "nowhere".to_owned(),
        n => n.to_string(),
    };
    fields.push("addr.scope", name, at);
    let flags = attrs.find(8).and_then(|a| a.u32()).unwrap_or_else(|| u32::from(narrow));
    for word in words(flags, family) {
        fields.push("addr.flag", word, at);
    }
    for attr in attrs {
        match attr.kind {
            1 | 2 | 8 => {}
            3 => fields.push("addr.label", attr.text(), at),
            4 => fields.push("addr.brd", ip(attr.value), at),
            6 => lifetimes(fields, &attr, context),
            9 => fields.push("addr.metric", attr.u32().unwrap_or(0).to_string(), at),
            11 => {
                const NAMES: [&str; 4] = ["unspec", "kernel_lo", "kernel_ra", "kernel_ll"];
                fields.push("addr.proto", crate::netlink::names::of(&NAMES, attr.number().unwrap_or(0)), at);
            }
            _ => unknown(fields, "addr.", &attr, at),
        }
    }
    damaged(&mut link.fields, attrs, at);
    context.record(out, What::Link(link));
    true
}

/// The flags that `ip` prints; the absence of `IFA_F_PERMANENT` is `dynamic`.
fn words(flags: u32, family: u8) -> Vec<&'static str> {
    const NAMES: [(u32, &str); 10] = [
        (0x02, "nodad"),
        (0x04, "optimistic"),
        (0x08, "dadfailed"),
        (0x10, "home"),
        (0x20, "deprecated"),
        (0x40, "tentative"),
        (0x100, "mngtmpaddr"),
        (0x200, "noprefixroute"),
        (0x400, "autojoin"),
        (0x800, "stable-privacy"),
    ];
    let mut out = Vec::new();
    if flags & 1 != 0 {
        out.push(if family == INET6 { "temporary" } else { "secondary" });
    }
    out.extend(NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name));
    if flags & 0x80 == 0 {
        out.push("dynamic");
    }
    out
}

/// `struct ifa_cacheinfo`: preferred and valid lifetime in seconds.
fn lifetimes(fields: &mut Fields, attr: &Attr<'_>, context: &Context<'_>) {
    for (key, at) in [("addr.preferred_lft", 0), ("addr.valid_lft", 4)] {
        match attr.order.u32_at(attr.value, at) {
            Some(u32::MAX) => fields.push(key, "forever", context.at),
            Some(n) => fields.push(key, format!("{n}sec"), context.at),
            None => {}
        }
    }
}

/// `RTM_NEWMULTICAST`, `RTM_DELMULTICAST`: a group joined or left.
pub(super) fn multicast(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    let Some(index) = m.u32_at(4) else { return false };
    let at = context.at;
    // One group is no list of groups: the source is never that of `ip maddr`.
    let mut fields = Fields::new("ip-monitor", Some(context.interfaces.name(index)));
    for attr in m.attrs(8) {
        match attr.kind {
            7 => fields.push("maddr", ip(attr.value), at),
            6 => {}
            _ => unknown(&mut fields, "", &attr, at),
        }
    }
    if context.deleted {
        fields.push("deleted", "true", at);
    }
    context.record(out, What::Fields(fields));
    true
}
