//! `/proc/net/igmp` and `/proc/net/igmp6`: the network layer multicast groups of each interface.
//!
//! Printed by `igmp_mc_seq_show()` in `net/ipv4/igmp.c` and `igmp6_mc_seq_show()` in `net/ipv6/mcast.c` (Linux 6.12). IPv4 groups
//! are printed as the number that the processor sees, so the octets of most machines stand reversed. The records have a
//! source of their own, not that of `ip maddr`: without the link layer's addresses they say nothing of what a member
//! listens to.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-net-igmp";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    is_title(line.trimmed()) || six(line.trimmed()).is_some()
}

fn is_title(t: &str) -> bool {
    t.split_whitespace().eq(["Idx", "Device", ":", "Count", "Querier", "Group", "Users", "Timer", "Reporter"])
}

/// `2  eth0      :     1      V3`: the interface.
fn device(t: &str) -> Option<&str> {
    let (left, right) = t.split_once(':')?;
    let mut words = left.split_whitespace();
    let index = words.next()?;
    let name = words.next().filter(|n| is_ifname(n))?;
    let mut rest = right.split_whitespace();
    let fits = index.bytes().all(|b| b.is_ascii_digit())
        && rest.next().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        && rest.next().is_some_and(|v| v.starts_with('V'));
    fits.then_some(name)
}

/// `010000E0     1 0:00000000    0`: a group of IPv4.
fn four(t: &str) -> Option<Ipv4Addr> {
    let mut words = t.split_whitespace();
    let group = words.next().filter(|w| w.len() == 8)?;
    let number = u32::from_str_radix(group, 16).ok()?;
    words.nth(1).filter(|w| w.contains(':'))?;
    // Multicast in whichever order.
    [number.swap_bytes(), number].map(Ipv4Addr::from).into_iter().find(Ipv4Addr::is_multicast)
}

/// `2    eth0            ff020000000000000000000000000001     1 0000000C 0`: a group of IPv6.
fn six(t: &str) -> Option<(&str, Ipv6Addr)> {
    let mut words = t.split_whitespace();
    words.next().filter(|w| w.bytes().all(|b| b.is_ascii_digit()))?;
    let name = words.next().filter(|n| is_ifname(n))?;
    let group = words.next().filter(|w| w.len() == 32)?;
    let address = Ipv6Addr::from(u128::from_str_radix(group, 16).ok()?);
    (words.count() == 3 && address.is_multicast()).then_some((name, address))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut open: Option<Fields> = None;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if let Some((name, group)) = six(t) {
            if open.as_ref().is_none_or(|f| f.dev.as_deref() != Some(name))
                && let Some(done) = open.replace(Fields::new(ID, Some(name.to_owned())))
            {
                out.fields(done);
            }
            if let Some(f) = open.as_mut() {
                f.push("inet6", group.to_string(), line.cite());
            }
        } else if let Some(name) = device(t) {
            if let Some(done) = open.replace(Fields::new(ID, Some(name.to_owned()))) {
                out.fields(done);
            }
        } else if let (Some(group), Some(f)) = (four(t), open.as_mut()) {
            f.push("inet", group.to_string(), line.cite());
        } else if !is_title(t) {
            break;
        }
        cursor.next();
        out.typed(line);
    }
    if let Some(done) = open {
        out.fields(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    #[test]
    fn groups_of_both_protocols() {
        let text = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n8\tbr0       :     2      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\t\t\t\t6A0000E0     1 0:00000000\t\t0\n8    br0             ff02000000000000000000000000006a     1 00000004 0\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (7, 0, 0));
        let got: Vec<_> = p
            .records
            .iter()
            .flat_map(|r| {
                let What::Fields(f) = &r.what else { panic!("{r:?}") };
                assert_eq!(f.source, "proc-net-igmp");
                f.entries.iter().map(|e| format!("{} {}", f.dev.as_deref().unwrap_or(""), e.value))
            })
            .collect();
        assert_eq!(got, ["lo 224.0.0.1", "br0 224.0.0.1", "br0 224.0.0.106", "br0 ff02::6a"]);
    }
}
