//! `RTM_NEWTFILTER`, `RTM_DELTFILTER`: filters with their actions, as `tc -s filter show` prints them.
//!
//! Filled by `tcf_fill_node()` in `net/sched/cls_api.c` and the `dump` of each classifier (Linux 6.12); printed by
//! `print_filter()` in `tc/tc_filter.c`, `tc/f_flower.c`, `f_u32.c`, `f_matchall.c`, `f_bpf.c` (iproute2 6.15). What a filter
//! matches is written in the words of `tc`, one field per line, and judged by the rules of the text
//! ([`crate::parse::tc_filter`]). A match that is not known here narrows the filter: then nothing is said to be dropped.

use super::{Context, actions, ip};
use crate::evidence::{Fields, Hook, HookPoint, Record, What};
use crate::netlink::{Attr, Message, Order};
use crate::parse::tc_filter;

const ID: &str = "tc-filter";

/// What is known of one filter.
pub(super) struct Filter {
    /// The lines of `tc`, each under its first word.
    pub(super) fields: Fields,
    /// A LACPDU fits every match.
    pub(super) fits: bool,
    /// An action drops.
    pub(super) drops: bool,
    /// Packets that an action dropped.
    pub(super) dropped: Option<u64>,
}

impl Filter {
    /// A line of the text, under its first word.
    pub(super) fn line(&mut self, line: String, context: &Context<'_>) {
        let first = line.split_whitespace().next().unwrap_or("").trim_end_matches([':', ',']).to_owned();
        self.fields.push(first, line, context.at);
    }
    /// A line that says what the filter matches.
    fn matches(&mut self, line: String, kind: &str, context: &Context<'_>) {
        let first = line.split_whitespace().next().unwrap_or("");
        self.fits &= tc_filter::fits(first, &line, kind);
        self.line(line, context);
    }
    /// A match in octets: nobody can tell what fits it.
    fn unread(&mut self, attr: &Attr<'_>, context: &Context<'_>) {
        self.fits = false;
        super::unknown(&mut self.fields, "", attr, context.at);
    }
}

pub(super) fn read(m: &Message<'_>, context: &Context<'_>, out: &mut Vec<Record>) -> bool {
    // struct tcmsg: family, padding, index, handle, parent, priority and protocol.
    let (Some(index), Some(handle), Some(parent), Some(info)) =
        (m.u32_at(4), m.u32_at(8), m.u32_at(12), m.u32_at(16))
    else {
        return false;
    };
    let attrs = m.attrs(20);
    let kind = attrs.find(1).map(|a| a.text()).unwrap_or_default();
    let options = attrs.find(2);
    // The head of a chain, and the hash table of u32, are no filters.
    let table = kind == "u32" && options.is_some_and(|o| o.attrs().find(5).is_none());
    if (handle == 0 || table) && !context.deleted {
        return true;
    }
    // TCM_IFINDEX_MAGIC_BLOCK: filters of a block that interfaces share.
    let dev = (index != u32::MAX).then(|| context.interfaces.name(index));
    let chain = attrs.find(11).and_then(|a| a.u32()).unwrap_or(0);
    // The protocol is big endian in a number of the host.
    let low = u16::try_from(info & 0xffff).unwrap_or(0);
    let protocol = if m.order == Order::Little { low.swap_bytes() } else { low };
    let id = if kind == "u32" { u32_handle(handle) } else { format!("0x{handle:x}") };
    let word = if kind == "u32" { "fh" } else { "handle" };
    let mut head = format!(
        "filter protocol {} pref {} {kind} chain {chain} {word} {id}",
        protocol_name(protocol),
        info >> 16
    );
    let at = context.at;
    let mut filter = Filter { fields: Fields::new(ID, dev.clone()), fits: true, drops: false, dropped: None };
    let mut program = kind.clone();
    if kind == "bpf"
        && let Some(name) = options.and_then(|o| o.attrs().find(7))
    {
        program = format!("bpf {}", name.text());
        head = format!("{head} {}", name.text());
    }
    filter.fields.push("filter", head, at);
    filter.fields.push("handle", id, at);
    if context.deleted {
        filter.fields.push("deleted", "", at);
    }
    if let Some(options) = options {
        match kind.as_str() {
            "flower" => flower(&mut filter, &options, context),
            "u32" => u32_match(&mut filter, &options, context),
            "matchall" => matchall(&mut filter, &options, context),
            "bpf" => bpf(&mut filter, &options, context),
            _ => {
                for attr in options.attrs() {
                    filter.unread(&attr, context);
                }
            }
        }
        super::damaged(&mut filter.fields, options.attrs(), at);
    }
    let point = point(parent);
    // Filters of another chain than 0 are reached by a jump only; whether there is one is not told here.
    let slow = matches!(protocol, 0x8809 | ALL) && chain == 0;
    let drops_lacp = filter.drops && filter.fits && slow && kind != "bpf" && !context.deleted;
    let hook = Hook { dev, point, program, drops_lacp, dropped: filter.dropped };
    // What is gone does nothing any more.
    if !context.deleted {
        context.record(out, What::Hook(hook));
    }
    context.record(out, What::Fields(filter.fields));
    true
}

/// `ETH_P_ALL`.
const ALL: u16 = 3;

/// A protocol as `tc` prints it (`ll_proto_n2a()`).
fn protocol_name(protocol: u16) -> String {
    match protocol {
        ALL => "all",
        0x0800 => "ip",
        0x0806 => "arp",
        0x8035 => "rarp",
        0x86dd => "ipv6",
        0x8100 => "802.1Q",
        0x88a8 => "802.1ad",
        0x88cc => "LLDP",
        n => return format!("[{n}]"),
    }
    .to_owned()
}

/// Where a filter stands: `clsact` has a parent for each direction, the `ingress` qdisc one of its own; all other parents are
/// qdiscs of transmission.
const fn point(parent: u32) -> HookPoint {
    match parent {
        0xffff_fff2 | 0xffff_0000 | 0xffff_fff1 => HookPoint::Ingress,
        _ => HookPoint::Egress,
    }
}

/// Table, bucket and node of a filter of `u32`: `800::800`.
fn u32_handle(handle: u32) -> String {
    let (table, bucket, node) = (handle >> 20, handle >> 12 & 0xff, handle & 0xfff);
    let part = |n: u32| if n == 0 { String::new() } else { format!("{n:x}") };
    format!("{}:{}:{}", part(table), part(bucket), part(node))
}

/// `TCA_CLS_FLAGS_*`.
fn hardware(filter: &mut Filter, attr: &Attr<'_>, hits: &str, context: &Context<'_>) {
    let flags = attr.u32().unwrap_or(0);
    for (bit, word) in [(1, "skip_hw"), (2, "skip_sw"), (4, "in_hw"), (8, "not_in_hw")] {
        if flags & bit != 0 {
            filter.line(format!("{word}{hits}"), context);
        }
    }
}

/// An address with a mask that is not all ones.
fn masked_mac(value: &Attr<'_>, mask: Option<Attr<'_>>) -> String {
    match mask.filter(|m| m.value != [0xff; 6]) {
        Some(mask) => {
            let bits = prefix(mask.value).map_or_else(|| mask.lladdr(), |bits| bits.to_string());
            format!("{}/{bits}", value.lladdr())
        }
        None => value.lladdr(),
    }
}

/// How many bits a mask has, if they are the first ones (`__mask_bits()` of iproute2).
fn prefix(mask: &[u8]) -> Option<u32> {
    let ones = mask.iter().map(|b| b.count_ones()).sum();
    let mut leading = 0;
    for octet in mask {
        leading += octet.leading_ones();
        if *octet != 0xff {
            break;
        }
    }
    (leading == ones).then_some(ones)
}

fn masked_ip(value: &Attr<'_>, mask: Option<Attr<'_>>) -> String {
    match mask.filter(|m| m.value.iter().any(|b| *b != 0xff)) {
        Some(mask) => {
            let bits = prefix(mask.value).map_or_else(|| ip(mask.value), |bits| bits.to_string());
            format!("{}/{bits}", ip(value.value))
        }
        None => ip(value.value),
    }
}

fn flower(filter: &mut Filter, options: &Attr<'_>, context: &Context<'_>) {
    let all = options.attrs();
    for attr in all {
        let mask = all.find(attr.kind.saturating_add(1));
        let port = |word: &str| attr.be16().map(|n| format!("{word} {n}"));
        let line = match attr.kind {
            // The class; masks, which are read with their value; how many devices hold it.
            1 | 5 | 7 | 11 | 13 | 15 | 17 | 86 => continue,
            2 => Some(format!("indev {}", attr.text())),
            3 => {
                actions::read(filter, &attr, context);
                continue;
            }
            4 => {
                let mac = masked_mac(&attr, mask);
                // A mask on the address may still let LACPDUs in: what fits is told by the octets.
                if mac.contains('/') {
                    filter.fits &= fits_masked(attr.value, mask.map_or(&[], |m| m.value));
                    filter.line(format!("dst_mac {mac}"), context);
                    continue;
                }
                Some(format!("dst_mac {mac}"))
            }
            6 => Some(format!("src_mac {}", masked_mac(&attr, mask))),
            8 => attr.be16().map(|t| match t {
                0x0800 => "eth_type ipv4".to_owned(),
                0x86dd => "eth_type ipv6".to_owned(),
                0x0806 => "eth_type arp".to_owned(),
                0x8035 => "eth_type rarp".to_owned(),
                n => format!("eth_type {n:04x}"),
            }),
            9 => attr.u8().map(|p| match p {
                1 => "ip_proto icmp".to_owned(),
                6 => "ip_proto tcp".to_owned(),
                17 => "ip_proto udp".to_owned(),
                58 => "ip_proto icmpv6".to_owned(),
                132 => "ip_proto sctp".to_owned(),
                n => format!("ip_proto {n:02x}"),
            }),
            10 | 14 => Some(format!("src_ip {}", masked_ip(&attr, mask))),
            12 | 16 => Some(format!("dst_ip {}", masked_ip(&attr, mask))),
            18 | 20 | 41 => port("src_port"),
            19 | 21 | 42 => port("dst_port"),
            22 => {
                hardware(filter, &attr, "", context);
                continue;
            }
            // In the order of the host, unlike the ports (`fl_dump_key_vlan()`).
            23 => attr.u16().map(|n| format!("vlan_id {n}")),
            24 => attr.u8().map(|n| format!("vlan_prio {n}")),
            25 => attr.be16().map(|n| format!("vlan_ethtype {}", protocol_name(n))),
            77 => attr.u16().map(|n| format!("cvlan_id {n}")),
            78 => attr.u8().map(|n| format!("cvlan_prio {n}")),
            79 => attr.be16().map(|n| format!("cvlan_ethtype {}", protocol_name(n))),
            // Masks of ports, of which the value tells enough: there is a match.
            35..=40 => continue,
            _ => None,
        };
        match line {
            Some(line) => filter.matches(line, "flower", context),
            None => filter.unread(&attr, context),
        }
    }
}

/// Does the address of slow protocols fit an address with a mask?
fn fits_masked(value: &[u8], mask: &[u8]) -> bool {
    let slow = crate::units::Mac::SLOW_PROTOCOLS.0;
    value.len() == 6 && mask.len() == 6 && slow.iter().zip(value).zip(mask).all(|((s, v), m)| s & m == v & m)
}

fn u32_match(filter: &mut Filter, options: &Attr<'_>, context: &Context<'_>) {
    // struct tc_u32_pcnt: how often the filter was tried and fitted, and then each key.
    let hits = options.attrs().find(9);
    let tried = hits
        .and_then(|h| Some((h.order.u64_at(h.value, 0)?, h.order.u64_at(h.value, 8)?)))
        .map_or_else(String::new, |(tried, hit)| format!(" (rule hit {tried} success {hit})"));
    for attr in options.attrs() {
        match attr.kind {
            // Class, hash table, counters, padding.
            1 | 2 | 9 | 12 => {}
            5 => {
                let keys = attr.value.get(2).copied().map_or(0, usize::from);
                for n in 0..keys {
                    let at = 16 + n * 16;
                    let (Some(mask), Some(value), Some(offset), Some(offset_mask)) = (
                        Order::Big.u32_at(attr.value, at),
                        Order::Big.u32_at(attr.value, at + 4),
                        attr.order.i32_at(attr.value, at + 8),
                        attr.order.i32_at(attr.value, at + 12),
                    ) else {
                        filter.fits = false;
                        break;
                    };
                    let next = if offset_mask == 0 { "" } else { "nexthdr+" };
                    let count = hits
                        .and_then(|h| h.order.u64_at(h.value, 16 + n * 8))
                        .map_or_else(String::new, |c| format!(" (success {c} )"));
                    let line = format!("match {value:08x}/{mask:08x} at {next}{offset}{count}");
                    filter.matches(line, "u32", context);
                }
            }
            7 => actions::read(filter, &attr, context),
            8 => filter.matches(format!("indev {}", attr.text()), "u32", context),
            11 => hardware(filter, &attr, &tried, context),
            // A link to another table, a mark: what fits is decided there as well.
            _ => filter.unread(&attr, context),
        }
    }
}

fn matchall(filter: &mut Filter, options: &Attr<'_>, context: &Context<'_>) {
    // struct tc_matchall_pcnt
    let hits = options.attrs().find(4).and_then(|a| a.u64());
    let hits = hits.map_or_else(String::new, |n| format!(" (rule hit {n})"));
    for attr in options.attrs() {
        match attr.kind {
            1 | 4 | 5 => {}
            2 => actions::read(filter, &attr, context),
            3 => hardware(filter, &attr, &hits, context),
            _ => filter.unread(&attr, context),
        }
    }
}

fn bpf(filter: &mut Filter, options: &Attr<'_>, context: &Context<'_>) {
    for attr in options.attrs() {
        match attr.kind {
            3 | 7 => {}
            1 => actions::read(filter, &attr, context),
            8 => {
                if attr.u32().is_some_and(|f| f & 1 != 0) {
                    filter.line("direct-action".to_owned(), context);
                }
            }
            9 => hardware(filter, &attr, "", context),
            10 => filter.line(format!("tag {}", attr.hex()), context),
            11 => filter.line(format!("id {}", attr.u32().unwrap_or(0)), context),
            _ => filter.unread(&attr, context),
        }
    }
}
