//! Filters and programs: `tc -s filter show dev X egress|ingress`, `nft list ruleset`, `bpftool net`.
//!
//! What each tool cannot see it does not show: tcx links only stand in `bpftool net`, nft rules only in nft.

use super::interface::program_id;
use super::ip_link::clipped;
use super::kernel::Kernel;
use crate::fault::Hook;
use crate::view::{HookView, HostView};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Octets of a LACPDU with its Ethernet header.
const LACPDU: u64 = 124;
/// Octets of a small frame with a VLAN tag, for the byte counts of rules on VLANs.
const TAGGED: u64 = 102;

fn octets(h: &HookView) -> u64 {
    h.dropped.saturating_mul(if h.vlan.is_some() { TAGGED } else { LACPDU })
}

/// The devices that can have hooks, with theirs: members and the bond, in the order of their index.
pub(super) fn devices(view: &HostView) -> Vec<(u32, &str, &[HookView])> {
    let mut list: Vec<(u32, &str, &[HookView])> =
        view.members.iter().map(|m| (m.ifindex, m.name.as_str(), m.hooks.as_slice())).collect();
    list.push((view.bond.ifindex, view.bond.name.as_str(), view.bond.hooks.as_slice()));
    list.sort_by_key(|d| d.0);
    list
}

/// Classic tc filters of one device and direction. `seconds`: how long they have been installed.
#[must_use]
pub fn tc(hooks: &[HookView], egress: bool, seconds: u64) -> String {
    let want = if egress { Hook::TcEgress } else { Hook::TcIngress };
    let mut out = String::new();
    for (n, h) in hooks.iter().filter(|h| h.hook == want && !h.tcx).enumerate() {
        let pref = n + 1;
        match h.vlan {
            Some(vlan) => {
                let head = format!("filter protocol 802.1Q pref {pref} flower chain 0 ");
                let _ = write!(out, "{head}\n{head}handle 0x1 \n  vlan_id {vlan}\n  not_in_hw\n");
            }
            None => {
                // tc knows no name for the EtherType 0x8809 and prints it in decimal.
                let head = format!("filter protocol [34825] pref {pref} matchall chain 0 ");
                let _ = write!(out, "{head}\n{head}handle 0x1 \n  not_in_hw\n");
            }
        }
        let _ = write!(
            out,
            "\taction order 1: gact action drop\n\t random type none pass val 0\n\t index {pref} ref 1 bind 1 \
             installed {seconds} sec used 0 sec\n\tAction statistics:\n\tSent {} bytes {} pkt (dropped {}, \
             overlimits 0 requeues 0) \n\tbacklog 0b 0p requeues 0\n\n",
            octets(h),
            h.dropped,
            h.dropped
        );
    }
    out
}

/// `nft list ruleset`: tables of the netdev family, a chain for each device.
#[must_use]
pub fn nft(view: &HostView) -> String {
    let mut tables: BTreeMap<&str, Vec<(&str, &HookView)>> = BTreeMap::new();
    for (_, dev, hooks) in devices(view) {
        for h in hooks.iter().filter(|h| matches!(h.hook, Hook::NftEgress | Hook::NftIngress)) {
            tables.entry(h.name.as_str()).or_default().push((dev, h));
        }
    }
    let mut out = String::new();
    for (name, rules) in tables {
        let name = if name.is_empty() { "filter" } else { name };
        let _ = writeln!(out, "table netdev {name} {{");
        for (n, (dev, h)) in rules.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            let (chain, hook) = if h.hook == Hook::NftEgress { ("out", "egress") } else { ("in", "ingress") };
            let matched = h.vlan.map_or_else(|| "ether type 0x8809".to_owned(), |v| format!("vlan id {v}"));
            let _ = write!(
                out,
                "\tchain {chain}_{} {{\n\t\ttype filter hook {hook} device \"{dev}\" priority filter; \
                 policy accept;\n\t\t{matched} counter packets {} bytes {} drop\n\t}}\n",
                dev.replace(['.', '-'], "_"),
                h.dropped,
                octets(h)
            );
        }
        out.push_str("}\n");
    }
    out
}

/// `bpftool net`: XDP programs and tcx links, and the sections that are empty here.
#[must_use]
pub fn bpftool(view: &HostView) -> String {
    let mut out = "xdp:\n".to_owned();
    for (index, dev, hooks) in devices(view) {
        for (n, _) in hooks.iter().enumerate().filter(|(_, h)| h.hook == Hook::Xdp) {
            let _ = writeln!(out, "{dev}({index}) driver id {}", program_id(index, n));
        }
    }
    out.push_str("\ntc:\n");
    for (index, dev, hooks) in devices(view) {
        for (n, h) in hooks.iter().enumerate().filter(|(_, h)| h.tcx && h.hook != Hook::Xdp) {
            let way = if matches!(h.hook, Hook::TcEgress | Hook::NftEgress) { "egress" } else { "ingress" };
            let id = program_id(index, n);
            let _ = writeln!(
                out,
                "{dev}({index}) tcx/{way} {} prog_id {id} link_id {}",
                clipped(&h.name),
                id.saturating_sub(31)
            );
        }
    }
    out.push_str("\nflow_dissector:\n\n");
    if Kernel::of(&view.kernel).since(6, 4) {
        out.push_str("netfilter:\n\n");
    }
    out
}
