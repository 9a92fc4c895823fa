//! `ip -s -d link`, as `print_linkinfo()` in `ip/ipaddress.c` and `bond_print_opt()` in `ip/iplink_bond*.c` print it
//! (iproute2 6.15; the forms of iproute2 5.10 and 4.x where the kernel is as old).

use super::interface::{self, Interface, Kind, Slave};
use super::kernel::Kernel;
use crate::view::{HostView, NetCounters};
use std::fmt::Write as _;

/// Renders all interfaces. `stats`: how often `-s` was given.
#[must_use]
pub fn render(view: &HostView, stats: u8) -> String {
    let kernel = Kernel::of(&view.kernel);
    let mut out = String::new();
    for i in interface::all(view) {
        head(&mut out, &i, true);
        details(&mut out, &i, kernel, true);
        out.push('\n');
        if stats > 0 {
            if kernel.since(6, 0) {
                statistics(&mut out, &i, stats > 1);
            } else {
                old_statistics(&mut out, &i.counters, kernel, stats > 1);
            }
        }
    }
    out
}

/// The first line. `link`: of `ip link`, not of `ip monitor`.
pub(super) fn head(out: &mut String, i: &Interface<'_>, link: bool) {
    let _ = write!(out, "{}: {}: <{}> mtu {} ", i.index, interface::full_name(i), i.flags.join(","), i.mtu);
    if i.xdp.is_some() {
        out.push_str("xdp ");
    }
    let _ = write!(out, "qdisc {} ", i.qdisc);
    if let Some(master) = i.master {
        let _ = write!(out, "master {master} ");
    }
    let _ = write!(out, "state {} ", i.state);
    out.push_str(if link { "mode DEFAULT group default qlen 1000\n" } else { "group default \n" });
}

/// The lines of `-d`, without the end of the last one.
pub(super) fn details(out: &mut String, i: &Interface<'_>, kernel: Kernel, link: bool) {
    let _ = write!(out, "    link/{} {} brd {}", i.link_type, i.address, i.broadcast);
    if let Some(p) = i.permanent.filter(|_| kernel.since(5, 6)) {
        let _ = write!(out, " permaddr {p}");
    }
    out.push_str(" promiscuity 0 ");
    if kernel.since(6, 0) {
        out.push_str("allmulti 0 ");
    }
    if kernel.since(4, 18) {
        let _ = write!(out, "minmtu {} maxmtu {} ", i.mtu_range.0, i.mtu_range.1);
    }
    match &i.kind {
        Kind::None => {}
        Kind::Veth => out.push_str("\n    veth "),
        Kind::Vlan(id) => {
            let _ = write!(out, "\n    vlan protocol 802.1Q id {id} <REORDER_HDR> ");
        }
        Kind::Bond(view) => bond(out, view, kernel),
    }
    if let Some(s) = &i.member {
        member(out, s, kernel);
    }
    if link {
        out.push_str("addrgenmode eui64 ");
    }
    let _ = write!(out, "numtxqueues {0} numrxqueues {0} gso_max_size 65536 gso_max_segs 65535 ", i.queues);
    if kernel.since(6, 0) {
        let _ = write!(out, "tso_max_size {} tso_max_segs {} gro_max_size 65536 ", i.tso_max.0, i.tso_max.1);
    }
    if kernel.since(6, 3) {
        out.push_str("gso_ipv4_max_size 65536 gro_ipv4_max_size 65536 ");
    }
    if !i.bus.is_empty() && kernel.since(5, 14) {
        let _ = write!(out, "parentbus pci parentdev {} ", i.bus);
    }
    if let Some((id, name)) = i.xdp {
        let _ = write!(out, "\n    prog/xdp id {id} ");
        if kernel.since(6, 0) {
            let _ = write!(out, "name {} ", clipped(name));
        }
        let _ = write!(out, "tag {:016x} jited ", tag(name));
    }
}

/// Program names have at most 15 characters (`BPF_OBJ_NAME_LEN`).
pub(super) fn clipped(name: &str) -> String {
    name.chars().take(15).collect()
}

/// A stand-in for the program's tag, which is a hash of its instructions: the same name, the same tag.
pub(super) fn tag(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

fn bond(out: &mut String, view: &HostView, kernel: Kernel) {
    let b = &view.bond;
    let _ = write!(
        out,
        "\n    bond mode {} miimon {} updelay 0 downdelay 0 ",
        if b.lacp { "802.3ad" } else { "balance-xor" },
        b.miimon_ms
    );
    if kernel.since(5, 3) {
        out.push_str("peer_notify_delay 0 ");
    }
    out.push_str("use_carrier 1 arp_interval 0 ");
    if kernel.since(5, 17) {
        out.push_str("arp_missed_max 2 ");
    }
    let _ = write!(
        out,
        "arp_validate none arp_all_targets any primary_reselect always fail_over_mac none \
         xmit_hash_policy layer2 resend_igmp 1 num_grat_arp 1 all_slaves_active 0 min_links {} lp_interval 1 \
         packets_per_slave 1 ",
        b.min_links
    );
    if kernel.since(5, 15) {
        let _ = write!(out, "lacp_active {} ", if b.active { "on" } else { "off" });
    }
    let _ = write!(out, "lacp_rate {} ", if b.fast { "fast" } else { "slow" });
    if kernel.since(6, 9) {
        out.push_str("coupled_control on ");
    }
    out.push_str("ad_select stable ");
    if b.lacp {
        if let Some(a) = b.active_aggregator {
            let _ = write!(
                out,
                "ad_aggregator {} ad_num_ports {} ad_actor_key {} ad_partner_key {} ad_partner_mac {} ",
                a.id, a.ports, a.actor_key, a.partner_key, a.partner
            );
        }
        let _ = write!(
            out,
            "ad_actor_sys_prio {} ad_user_port_key 0 ad_actor_system 00:00:00:00:00:00 ",
            b.system_priority
        );
    }
    out.push_str("tlb_dynamic_lb 1 ");
}

fn member(out: &mut String, s: &Slave<'_>, kernel: Kernel) {
    let m = s.member;
    let _ = write!(
        out,
        "\n    bond_slave state {} mii_status {} link_failure_count {} perm_hwaddr {} queue_id 0 ",
        if m.forwarding { "ACTIVE" } else { "BACKUP" },
        if m.mii_up { "UP" } else { "DOWN" },
        m.link_failures,
        m.permanent
    );
    if kernel.since(6, 0) {
        out.push_str("prio 0 ");
    }
    if s.ad {
        let _ = write!(out, "ad_aggregator_id {} ", m.aggregator);
        for (who, p) in [("actor", &m.actor), ("partner", &m.partner)] {
            let _ = write!(out, "ad_{who}_oper_port_state {} ", p.state.bits());
            if kernel.since(4, 18) {
                let words = interface::state_words(p.state).join(",");
                let _ = write!(out, "ad_{who}_oper_port_state_str <{words}> ");
            }
        }
    }
}

/// `print_stats64()`: every column as wide as its widest number.
fn statistics(out: &mut String, i: &Interface<'_>, twice: bool) {
    let c = &i.counters;
    let rx = [c.rx_bytes, c.rx_packets, c.rx_errors, c.rx_dropped, c.rx_missed_errors, c.multicast];
    let tx = [c.tx_bytes, c.tx_packets, c.tx_errors, c.tx_dropped, c.tx_carrier_errors, 0];
    let rx_errors = [0, c.rx_crc_errors, 0, 0, 0];
    let tx_errors = [0, 0, 0, 0, u64::from(i.carrier_changes)];
    let mut width: [usize; 6] = [10, 7, 6, 7, 7, 7];
    let mut fit = |first: usize, numbers: &[u64]| {
        for (w, n) in width.iter_mut().skip(first).zip(numbers) {
            *w = (*w).max(n.to_string().len());
        }
    };
    fit(0, &rx);
    fit(0, &tx);
    if twice {
        fit(1, &rx_errors);
        fit(1, &tx_errors);
    }
    let [w0, w1, w2, w3, w4, w5] = width;
    let row = |out: &mut String, numbers: &[u64], widths: &[usize]| {
        for (n, w) in numbers.iter().zip(widths) {
            let _ = write!(out, "{n:>w$} ");
        }
        out.push('\n');
    };
    for (way, words, numbers, errors) in [
        ("RX", ["bytes", "packets", "errors", "dropped", "missed", "mcast"], rx, rx_errors),
        ("TX", ["bytes", "packets", "errors", "dropped", "carrier", "collsns"], tx, tx_errors),
    ] {
        let [a, b, c, d, e, f] = words;
        let first = w0 - 4;
        let _ =
            writeln!(out, "    {way}: {a:>first$} {b:>w1$} {c:>w2$} {d:>w3$} {e:>w4$} {f:>w5$} {:10}", "");
        out.push_str("    ");
        row(out, &numbers, &width);
        if twice {
            let [a, b, c, d, e] = if way == "RX" {
                ["length", "crc", "frame", "fifo", "overrun"]
            } else {
                ["aborted", "fifo", "window", "heartbt", "transns"]
            };
            let _ = writeln!(
                out,
                "    {way} errors:{:1$} {a:>w1$} {b:>w2$} {c:>w3$} {d:>w4$} {e:>w5$}",
                "",
                w0 - 10
            );
            let _ = write!(out, "{:1$}", "", w0 + 5);
            row(out, &errors, width.get(1..).unwrap_or_default());
        }
    }
}

/// The fixed columns of iproute2 before 5.16.
fn old_statistics(out: &mut String, c: &NetCounters, kernel: Kernel, errors: bool) {
    let (missed, over) = if kernel.since(5, 0) { ("missed ", "overrun") } else { ("overrun", "missed") };
    let fifth = if kernel.since(5, 0) { c.rx_missed_errors } else { 0 };
    let _ = write!(
        out,
        "    RX: bytes  packets  errors  dropped {missed} mcast   \n    \
         {:<10} {:<8} {:<7} {:<7} {:<7} {:<7} \n",
        c.rx_bytes, c.rx_packets, c.rx_errors, c.rx_dropped, fifth, c.multicast
    );
    if errors {
        let last = c.rx_missed_errors.saturating_sub(fifth);
        let _ = write!(
            out,
            "    RX errors: length   crc     frame   fifo    {over}\n               \
             {:<8} {:<7} {:<7} {:<7} {:<7} \n",
            0, c.rx_crc_errors, 0, 0, last
        );
    }
    let _ = write!(
        out,
        "    TX: bytes  packets  errors  dropped carrier collsns \n    \
         {:<10} {:<8} {:<7} {:<7} {:<7} {:<7} \n",
        c.tx_bytes, c.tx_packets, c.tx_errors, c.tx_dropped, c.tx_carrier_errors, 0
    );
    if errors {
        let _ = write!(
            out,
            "    TX errors: aborted  fifo   window heartbeat transns\n               \
             {:<8} {:<7} {:<7} {:<8} {:<7} \n",
            0, 0, 0, 0, 2
        );
    }
}
