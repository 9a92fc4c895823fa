//! `tc [-s] filter show dev X ingress|egress`.
//!
//! Printed by `print_filter()` in `tc/tc_filter.c`, the classifiers `tc/f_*.c` and the actions `tc/m_*.c`, iproute2 3.x to
//! 6.x. Each filter becomes a [`What::Hook`] and a record of fields with all its lines. Whether it is ingress or egress
//! is only printed where the command did not say it; otherwise it is taken from the command line or file name.
//!
//! `drops_lacp` is true only where the text shows it: an action `drop` (or `shot`), and a match that a LACPDU fits
//! (protocol `all` or 0x8809; no narrower match, or one on EtherType 0x8809 or 01:80:c2:00:00:02). What a BPF program
//! does is not in the text.

use super::tc_qdisc::{Totals, keep, statistics};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Hook, HookPoint, Line, What};
use crate::units::Mac;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "tc-filter";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| heading(l.trimmed()))
}

fn heading(t: &str) -> bool {
    let t = t.strip_prefix("deleted ").or_else(|| t.strip_prefix("added ")).unwrap_or(t);
    t.strip_prefix("filter ").is_some_and(|r| {
        let next = r.split_whitespace().next().unwrap_or("");
        matches!(next, "protocol" | "parent" | "ingress" | "egress" | "dev" | "block" | "root")
            && r.contains("protocol ")
            && r.contains(" pref ")
    })
}

/// Words that begin the lines below a filter.
const LINES: &[&str] = &[
    "match",
    "dst_mac",
    "src_mac",
    "eth_type",
    "ip_proto",
    "dst_ip",
    "src_ip",
    "dst_port",
    "src_port",
    "vlan_id",
    "vlan_prio",
    "vlan_ethtype",
    "cvlan_id",
    "cvlan_ethtype",
    "not_in_hw",
    "in_hw",
    "in_hw_count",
    "skip_hw",
    "skip_sw",
    "action",
    "random",
    "index",
    "Action",
    "Sent",
    "backlog",
    "mirred",
    "police",
    "rule",
    "key",
    "ref",
    "installed",
    "used_hw_stats",
    "cookie",
    "no_percpu",
    "hw_stats",
    "direct-action",
    "bpf",
    "flow",
    "skbedit",
    "vlan",
    "mark",
    "indev",
    "ct_state",
    "enc_dst_ip",
    "enc_key_id",
    "arp_op",
    "icmp_type",
    "icmp_code",
    "tcp_flags",
    "ip_flags",
    "ip_tos",
    "ip_ttl",
    "ematch",
    "meta",
    "cmp",
    "u32",
    "cgroup",
    "handle",
    "pipe",
    "gact",
    "csum",
    "pedit",
    "connmark",
    "nat",
    "sample",
    "tunnel_key",
    "ife",
    "simple",
    "xt",
    "ct",
    "gate",
    "mpls",
    "skbmod",
    "used",
    "terse",
    "opcode",
    "val",
    "linklayer",
    "overhead",
    "rate",
    "burst",
    "mtu",
    "target",
    "TOS",
    "hw",
    "and",
    "or",
    "not",
    "l2_miss",
    "mpls_label",
    "ppp_proto",
    "pppoe_sid",
    "cfm",
    "spi",
    "erspan_opts",
    "geneve_opts",
    "vxlan_opts",
    "dropped",
    "total",
    "Sent",
    "firstused",
    "expires",
    "chain",
    "map",
    "lookup",
    "Exceed",
    "id",
];

/// How one match relates to a LACPDU.
#[derive(Clone, Copy, PartialEq)]
enum Fit {
    /// A LACPDU fits, or the match says nothing about it.
    Yes,
    /// A LACPDU does not fit, or it cannot be told.
    No,
}

struct Draft {
    at: Citation,
    last: Citation,
    dev: Option<String>,
    point: HookPoint,
    kind: String,
    name: Option<String>,
    protocol: String,
    fits: bool,
    drops: bool,
    counts: Fields,
    fields: Fields,
}

impl Draft {
    fn emit(self, out: &mut Out) {
        let at = self.at.to(self.last);
        let bpf = self.kind == "bpf";
        let slow = matches!(self.protocol.as_str(), "all" | "[34825]" | "0x8809" | "8809" | "slow");
        let drops_lacp = self.drops && slow && self.fits && !bpf;
        let dropped = (self.counts.text("dropped").is_some()).then(|| Totals::of(&self.counts).dropped);
        let program = match self.name {
            Some(name) => format!("{} {name}", self.kind),
            None => self.kind,
        };
        out.record(
            at,
            None,
            What::Hook(Hook { dev: self.dev, point: self.point, program, drops_lacp, dropped }),
        );
        out.record(at, None, What::Fields(self.fields));
    }
}

fn point_of(t: &str, out: &Out) -> HookPoint {
    let words: Vec<&str> = t.split_whitespace().collect();
    let hint = out.hints.command.clone().unwrap_or_default() + " " + &out.hints.path;
    // `ffff:fff3` is the egress of clsact, `ffff:fff2` its ingress and `ffff:` the ingress qdisc.
    let egress = words.contains(&"egress") || words.contains(&"ffff:fff3");
    let ingress = words.contains(&"ingress") || words.iter().any(|w| matches!(*w, "ffff:" | "ffff:fff2"));
    if egress || (!ingress && (hint.contains("egress") || hint.contains("root") || words.contains(&"parent")))
    {
        HookPoint::Egress
    } else {
        HookPoint::Ingress
    }
}

/// A chain of one filter prints a heading without, and one heading per handle; only the latter are filters.
fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut draft: Option<Draft> = None;
    let mut after_blank = false;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            after_blank = true;
            continue;
        }
        let t = line.trimmed();
        if heading(t) {
            let words: Vec<&str> = t.split_whitespace().collect();
            let after =
                |key: &str| words.iter().position(|w| *w == key).and_then(|i| words.get(i + 1)).copied();
            let protocol = after("protocol").unwrap_or("").to_owned();
            let kind = words
                .iter()
                .position(|w| *w == "pref")
                .and_then(|i| words.get(i + 2))
                .map_or_else(String::new, |k| (*k).to_owned());
            let is_filter = ["handle", "fh"].iter().any(|k| words.contains(k)) && !t.contains("ht divisor");
            // `filter ... matchall chain 0` without a handle is the head of its chain: the filter follows.
            let head_of_same = draft.as_ref().is_some_and(|d| {
                d.kind == kind && d.protocol == protocol && d.fields.get("handle").is_none() && d.at == d.last
            });
            if head_of_same {
                draft = None;
            }
            if let Some(d) = draft.take() {
                d.emit(out);
            }
            let dev = after("dev").map(str::to_owned).or_else(|| out.hints.dev.clone());
            let mut fields = Fields::new(ID, dev.clone());
            fields.push("filter", t, line.cite());
            if is_filter {
                let handle = after("handle").or_else(|| after("fh")).unwrap_or("");
                fields.push("handle", handle, line.cite());
            }
            let name = (kind == "bpf")
                .then(|| after("name").or_else(|| words.iter().find(|w| w.contains(":[")).copied()))
                .flatten()
                .or_else(|| {
                    let i = words.iter().position(|w| w.starts_with("0x"))?;
                    words.get(i + 1).filter(|_| kind == "bpf").copied()
                })
                .map(str::to_owned);
            draft = Some(Draft {
                at: line.cite(),
                last: line.cite(),
                dev,
                point: point_of(t, out),
                kind,
                name,
                protocol,
                fits: true,
                drops: false,
                counts: Fields::new(ID, None),
                fields,
            });
            out.typed(line);
        } else if let Some(d) = draft.as_mut() {
            let first = t.split_whitespace().next().unwrap_or("").trim_end_matches([':', ',']);
            let known = LINES.contains(&first) || statistics(line);
            if !known && (after_blank || line.indent() == 0) {
                break;
            }
            d.fields.push(first, t, line.cite());
            d.fits &= fit(first, t, &d.kind) == Fit::Yes;
            let words: Vec<&str> = t.split_whitespace().collect();
            d.drops |= words.windows(2).any(|w| matches!(w, ["action", "drop" | "shot"]))
                || (matches!(first, "gact" | "action" | "police")
                    && words.iter().any(|w| matches!(*w, "drop" | "shot")));
            if t.starts_with("Sent ") || t.starts_with("backlog ") {
                keep(&mut d.counts, t, line.cite());
            }
            d.last = line.cite();
            if known { out.typed(line) } else { out.not_understood(line) }
        } else {
            break;
        }
        after_blank = false;
        cursor.next();
    }
    if let Some(d) = draft {
        d.emit(out);
    }
}

/// True if a LACPDU fits the match of a classifier that a line of the text shows, or the line shows none.
pub(super) fn fits(first: &str, line: &str, kind: &str) -> bool {
    fit(first, line, kind) == Fit::Yes
}

/// Does a LACPDU fit the match on this line?
fn fit(first: &str, t: &str, kind: &str) -> Fit {
    let value = t.split_whitespace().nth(1).unwrap_or("");
    let yes = match first {
        "eth_type" => matches!(value.trim_start_matches("0x"), "8809" | "[34825]" | "34825"),
        "dst_mac" => value.split('/').next().and_then(|m| m.parse::<Mac>().ok()) == Some(Mac::SLOW_PROTOCOLS),
        "match" if kind == "u32" => u32_fits(t),
        "src_mac" | "ip_proto" | "dst_ip" | "src_ip" | "dst_port" | "src_port" | "vlan_id" | "vlan_prio"
        | "vlan_ethtype" | "cvlan_id" | "indev" | "mark" | "ematch" | "meta" | "cmp" | "arp_op"
        | "icmp_type" | "tcp_flags" | "ct_state" | "match" | "enc_dst_ip" | "enc_key_id" => false,
        _ => !matches!(kind, "basic" | "flow" | "fw" | "route" | "cgroup"),
    };
    if yes { Fit::Yes } else { Fit::No }
}

/// `match 00008809/0000ffff at -4`: value, mask and offset from the network header.
fn u32_fits(t: &str) -> bool {
    let mut words = t.split_whitespace().skip(1);
    let Some((value, mask)) = words.next().and_then(|w| w.split_once('/')) else { return false };
    let (Ok(value), Ok(mask)) = (u32::from_str_radix(value, 16), u32::from_str_radix(mask, 16)) else {
        return false;
    };
    if mask == 0 {
        return true;
    }
    let offset = words.nth(1).unwrap_or("");
    // The Ethernet header of a LACPDU in words of four octets, from two octets before the destination.
    let (wire, known) = match offset {
        "-16" => (0x0000_0180_u32, 0x0000_ffff_u32),
        "-14" => (0x0180_c200, 0xffff_ffff),
        "-12" => (0xc200_0002, 0xffff_ffff),
        "-10" => (0x0002_0000, 0xffff_0000),
        "-4" => (0x0000_8809, 0x0000_ffff),
        "-2" => (0x8809_0000, 0xffff_0000),
        _ => return false,
    };
    mask & !known == 0 && (value & mask) == (wire & mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    fn hooks(text: &str) -> Vec<Hook> {
        let parsed = parse_text_with(FileId(0), "x.txt", text.as_bytes(), &[FORMAT]);
        assert!(parsed.not_understood.is_empty(), "{:?}", parsed.not_understood);
        assert!(parsed.unrecognised.is_empty(), "{:?}", parsed.unrecognised);
        parsed
            .records
            .into_iter()
            .filter_map(|r| if let What::Hook(h) = r.what { Some(h) } else { None })
            .collect()
    }

    #[test]
    fn what_drops_a_lacpdu() {
        let actions = "\taction order 1: gact action drop\n\t random type none pass val 0\n\t index 1 ref 1 bind 1 installed 5 sec used 5 sec\n\tAction statistics:\n\tSent 1240 bytes 10 pkt (dropped 10, overlimits 0 requeues 0) \n\tbacklog 0b 0p requeues 0\n\n";
        for (head, want) in [
            ("filter protocol all pref 49152 matchall chain 0 handle 0x1 \n  not_in_hw\n", true),
            (
                "filter protocol [34825] pref 1 flower chain 0 handle 0x1 \n  eth_type 8809\n  not_in_hw\n",
                true,
            ),
            ("filter protocol all pref 1 flower chain 0 handle 0x1 \n  dst_mac 01:80:c2:00:00:02\n", true),
            ("filter protocol ip pref 1 flower chain 0 handle 0x1 \n  eth_type ipv4\n", false),
            (
                "filter protocol all pref 1 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0\n  match 00008809/0000ffff at -4\n",
                true,
            ),
            (
                "filter protocol all pref 1 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0\n  match 0a000001/ffffffff at 16\n",
                false,
            ),
            (
                "filter protocol all pref 1 bpf chain 0 handle 0x1 x.o:[cls] direct-action not_in_hw id 4 tag 00ff jited\n",
                false,
            ),
        ] {
            let got = hooks(&format!("# tc -s filter show dev bond0 egress\n{head}{actions}"));
            let [h] = got.as_slice() else { panic!("{got:?}") };
            assert_eq!(h.drops_lacp, want, "{head}");
            assert_eq!((h.dev.as_deref(), h.point, h.dropped), (Some("bond0"), HookPoint::Egress, Some(10)));
        }
    }

    #[test]
    fn a_filter_without_a_drop() {
        let got = hooks(
            "filter dev eth0 ingress protocol all pref 49152 matchall chain 0 \nfilter dev eth0 ingress protocol all pref 49152 matchall chain 0 handle 0x1 \n  not_in_hw\n\taction order 1: mirred (Egress Redirect to device ifb0) stolen\n\tindex 1 ref 1 bind 1\n",
        );
        let [h] = got.as_slice() else { panic!("{got:?}") };
        assert!(!h.drops_lacp);
        assert_eq!(
            (h.dev.as_deref(), h.point, h.program.as_str()),
            (Some("eth0"), HookPoint::Ingress, "matchall")
        );
    }
}
