//! Attributes below `/sys/class/net`: `grep -H . /sys/class/net/*/...`, loops that print path and value, `head`/`tail`
//! with `==> path <==`, and `cat` of one file after a prompt.
//!
//! The attributes are those of `net/core/net-sysfs.c`, `drivers/net/bonding/bond_sysfs.c` and `bond_sysfs_slave.c`.
//! Kept: a [`Link`] per interface (`operstate` is `state`, `address` is `mac`, `tx_queue_len` is `txqlen`), a
//! [`Counters`] record per interface for `statistics/`, a [`Fields`] record with the source `sysfs-bonding` for the
//! files of `bonding/` (values as the file has them: `802.3ad 4`), and a [`Link`] per member for `bonding_slave/`.

use super::prompt::{self, is_ifname};
use super::{Cursor, Format, Out, stats64};
use crate::evidence::{Citation, Counter, Counters, Fields, Line, Link, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "sysfs-net";
/// The source of records about the files of `bonding/` and `bonding_slave/`.
pub(super) const BONDING: &str = "sysfs-bonding";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    begins(lines, i) && lines.get(i).is_some_and(|l| !about_bonding(l.trimmed()))
}

/// True if a block of sysfs attributes begins here; a block goes on through all of them, so only the first fires.
pub(super) fn begins(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    let before = i.checked_sub(1).and_then(|p| lines.get(p));
    if read(t).is_some() || error(t).is_some() {
        return !before.is_some_and(|l| read(l.trimmed()).is_some() || error(l.trimmed()).is_some());
    }
    if let Some(path) = divider(t) {
        // Each of them, or the walk over the file would take the next one for a prompt.
        return path_of(path).is_some();
    }
    // The value that `cat` printed.
    !line.is_blank()
        && t.split_whitespace().count() <= 4
        && before
            .is_some_and(|l| prompt::find(&l.text).and_then(|p| p.command).is_some_and(|c| cat(&c).is_some()))
}

/// True if the line is about a file of `bonding/` or `bonding_slave/`.
pub(super) fn about_bonding(t: &str) -> bool {
    let path = divider(t).unwrap_or(t);
    path.contains("bonding/") || path.contains("bonding_slave/")
}

/// The one file that a `cat` prints.
fn cat(command: &str) -> Option<Path<'_>> {
    let mut words = command.split_whitespace().filter(|w| *w != "sudo");
    let program = words.next()?;
    if !matches!(program, "cat" | "more" | "head" | "tail") {
        return None;
    }
    let path = words.next()?;
    if words.next().is_some() { None } else { path_of(path) }
}

/// The path in `==> /sys/class/net/bond0/bonding/mode <==`.
fn divider(t: &str) -> Option<&str> {
    let path = t.strip_prefix("==> ")?.strip_suffix(" <==")?;
    path.contains("/net/").then_some(path)
}

/// `cat: /sys/class/net/eno1/carrier: Invalid argument`.
fn error(t: &str) -> Option<(Path<'_>, &str)> {
    let rest = ["cat: ", "grep: ", "head: ", "tail: "].iter().find_map(|p| t.strip_prefix(p))?;
    let rest = rest.strip_prefix("error reading ").unwrap_or(rest);
    let (path, message) = rest.split_once(": ")?;
    let path = path.trim_matches(['\'', '"', '‘', '’']);
    Some((path_of(path).or_else(|| directory(path))?, message))
}

/// A directory below an interface, which `grep` complains about.
fn directory(path: &str) -> Option<Path<'_>> {
    let (_, rest) = path.split_once("/net/")?;
    let (dev, rest) = rest.split_once('/')?;
    is_ifname(dev).then_some(Path { dev: Some(dev), member: None, place: Place::Own, file: rest })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Own,
    Statistics,
    Bonding,
    Member,
}

/// What a path says.
#[derive(Clone, Copy)]
struct Path<'a> {
    dev: Option<&'a str>,
    /// The member below a bond: `lower_eno1/`, `slave_eno1/`.
    member: Option<&'a str>,
    place: Place,
    file: &'a str,
}

fn path_of(path: &str) -> Option<Path<'_>> {
    let absolute = path.rfind("/net/").filter(|_| path.starts_with("/sys/") || path.starts_with("sys/"));
    let mut rest = match absolute {
        Some(at) => path.get(at + 5..)?,
        None => path.strip_prefix("./").unwrap_or(path),
    };
    let mut dev = None;
    let mut member = None;
    let mut place = Place::Own;
    for _ in 0..6 {
        let Some((first, after)) = rest.split_once('/') else { break };
        if first == "bonding" {
            place = Place::Bonding;
        } else if first == "bonding_slave" {
            place = Place::Member;
        } else if first == "statistics" {
            place = Place::Statistics;
        } else if let Some(name) = first.strip_prefix("lower_").or_else(|| first.strip_prefix("slave_")) {
            member = Some(name).filter(|n| is_ifname(n));
        } else if first == "master" && dev.is_some() && after.starts_with("bonding/") {
            // `eno1/master/bonding/mode` is a file of the bond, whose name is not told.
            dev = None;
        } else if first.starts_with("upper_") {
            dev = first.strip_prefix("upper_");
        } else if dev.is_none() && place == Place::Own && member.is_none() && is_ifname(first) {
            dev = Some(first);
        } else {
            // `device/`, `queues/rx-0/`, `brport/`: kept under their path.
            if absolute.is_none() || dev.is_none() {
                return None;
            }
            break;
        }
        rest = after;
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b':' | b'@');
    if rest.is_empty() || !rest.bytes().all(plain) {
        return None;
    }
    if absolute.is_some() && dev.is_none() && rest == "bonding_masters" {
        return Some(Path { dev, member, place: Place::Bonding, file: rest });
    }
    let known = match place {
        Place::Own => OWN.contains(&rest) || (absolute.is_some() && dev.is_some()),
        Place::Statistics => {
            rest.starts_with("rx_") || rest.starts_with("tx_") || matches!(rest, "multicast" | "collisions")
        }
        Place::Bonding => OPTIONS.contains(&rest) || absolute.is_some(),
        Place::Member => PORT.contains(&rest) || absolute.is_some(),
    };
    if !known || place == Place::Own && dev.is_none() && member.is_none() {
        return None;
    }
    Some(Path { dev, member, place, file: rest })
}

/// A path and its value on one line.
fn read(t: &str) -> Option<(Path<'_>, &str)> {
    if !t.contains('/') {
        return None;
    }
    // The first separator after the last `/` of the path: names of VLAN aliases may hold a colon.
    // (`/sys/devices/pci0000:00/.../net/eno1/speed` has colons before that.)
    let from = if t.starts_with("/sys/") { t.find("/net/")? } else { 0 };
    let end = from + t.get(from..)?.find([':', ' ', '=', '\t'])?;
    let (path, value) = t.split_at_checked(end)?;
    let slash = path.rfind('/')?;
    if slash + 1 == path.len() {
        return None;
    }
    let value = value.trim_start_matches(['=', ':', ' ', '\t']).trim();
    let path = path_of(path)?;
    // A sentence may begin with a path.
    if t.get(end..)?.starts_with(' ') && value.split(' ').count() > 6 {
        return None;
    }
    Some((path, value))
}

#[derive(Default)]
struct Found {
    links: Vec<Link>,
    counters: Vec<Counters>,
    bonds: Vec<Fields>,
    first: Option<Citation>,
    last: Option<Citation>,
    /// Where in the lists above an interface stands: listings of large hosts have thousands.
    index: std::collections::BTreeMap<(u8, String), usize>,
}

/// Reads all attributes that stand together.
pub(super) fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut found = Found::default();
    let command = out.hints.command.clone();
    // `cat` of one file: the value stands alone.
    if let Some(path) = command.as_deref().and_then(cat)
        && let Some(line) = cursor.peek()
        && read(line.trimmed()).is_none()
        && error(line.trimmed()).is_none()
        && divider(line.trimmed()).is_none()
    {
        cursor.next();
        found.add(path, line.trimmed(), line.cite(), None);
        out.typed(line);
        found.finish(out);
        return;
    }
    let hint = out.hints.dev.clone();
    let mut under: Option<Path<'_>> = None;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if let Some(path) = divider(t) {
            cursor.next();
            under = path_of(path);
            if under.is_some() {
                out.typed(line);
            } else {
                out.not_understood(line);
            }
        } else if let Some(path) = under.take() {
            cursor.next();
            found.add(path, t, line.cite(), hint.as_deref());
            out.typed(line);
        } else if let Some((path, value)) = read(t) {
            cursor.next();
            found.add(path, value, line.cite(), hint.as_deref());
            out.typed(line);
        } else if let Some((path, message)) = error(t) {
            cursor.next();
            out.typed(line);
            let mut fields = Fields::new(ID, path.member.or(path.dev).map(str::to_owned));
            fields.push("error", format!("{}: {message}", path.file), line.cite());
            out.record(line.cite(), None, What::Fields(fields));
        } else {
            break;
        }
    }
    found.finish(out);
}

impl Found {
    fn add(&mut self, path: Path<'_>, value: &str, at: Citation, hint: Option<&str>) {
        self.first = self.first.or(Some(at));
        self.last = Some(at);
        match path.place {
            Place::Bonding => {
                let dev = path.dev.or(hint).map(str::to_owned);
                let next = self.bonds.len();
                let i = *self.index.entry((3, dev.clone().unwrap_or_default())).or_insert(next);
                if i == next {
                    self.bonds.push(Fields::new(BONDING, dev));
                }
                if let Some(fields) = self.bonds.get_mut(i) {
                    fields.push(path.file, value, at);
                }
            }
            Place::Member => {
                let Some(name) = path.member.or(path.dev).or(hint) else { return };
                let Some(link) = self.link(BONDING, name) else { return };
                if let Some(bond) = path.member.and(path.dev)
                    && link.fields.get("master").is_none()
                {
                    link.fields.push("master", bond, at);
                }
                let key = super::ip_link::bond_port_field(path.file);
                link.fields.push(key, value, at);
            }
            Place::Statistics => {
                let dev = path.member.or(path.dev).or(hint).map(str::to_owned);
                let next = self.counters.len();
                let i = *self.index.entry((2, dev.clone().unwrap_or_default())).or_insert(next);
                if i == next {
                    self.counters.push(Counters { source: ID, dev, entries: Vec::new() });
                }
                if let (Some(counters), Ok(value)) = (self.counters.get_mut(i), value.parse()) {
                    let meaning = stats64::meaning(path.file);
                    counters.entries.push(Counter { name: path.file.to_owned(), value, meaning, at });
                }
            }
            Place::Own => {
                let Some(name) = path.member.or(path.dev).or(hint) else { return };
                let Some(link) = self.link(ID, name) else { return };
                let (key, value) = match path.file {
                    "operstate" => ("state", value.to_ascii_uppercase()),
                    "address" => ("mac", value.to_owned()),
                    "tx_queue_len" => ("txqlen", value.to_owned()),
                    file => (file, value.to_owned()),
                };
                link.fields.push(key, value, at);
            }
        }
    }

    fn link(&mut self, source: &'static str, name: &str) -> Option<&mut Link> {
        let next = self.links.len();
        let i = *self.index.entry((u8::from(source == BONDING), name.to_owned())).or_insert(next);
        if i == next {
            self.links.push(super::ip_link::new_link(source, name, None));
        }
        self.links.get_mut(i)
    }

    fn finish(self, out: &mut Out) {
        let (Some(first), Some(last)) = (self.first, self.last) else { return };
        let at = first.to(last);
        let span = |fields: &Fields| match (fields.entries.first(), fields.entries.last()) {
            (Some(a), Some(b)) => a.at.to(b.at),
            _ => at,
        };
        for fields in self.bonds {
            out.record(span(&fields), None, What::Fields(fields));
        }
        for link in self.links {
            out.record(span(&link.fields), None, What::Link(link));
        }
        for counters in self.counters {
            out.record(at, None, What::Counters(counters));
        }
    }
}

/// Attributes of an interface, for paths that do not begin at `/sys`.
const OWN: &[&str] = &[
    "addr_assign_type",
    "addr_len",
    "address",
    "broadcast",
    "carrier",
    "carrier_changes",
    "carrier_down_count",
    "carrier_up_count",
    "dev_id",
    "dev_port",
    "dormant",
    "duplex",
    "flags",
    "gro_flush_timeout",
    "ifalias",
    "ifindex",
    "iflink",
    "link_mode",
    "mtu",
    "name_assign_type",
    "napi_defer_hard_irqs",
    "netdev_group",
    "operstate",
    "phys_port_id",
    "phys_port_name",
    "phys_switch_id",
    "proto_down",
    "speed",
    "testing",
    "threaded",
    "tx_queue_len",
    "type",
    "uevent",
];

/// Files of `bonding/`.
const OPTIONS: &[&str] = &[
    "active_slave",
    "ad_actor_key",
    "ad_actor_sys_prio",
    "ad_actor_system",
    "ad_aggregator",
    "ad_num_ports",
    "ad_partner_key",
    "ad_partner_mac",
    "ad_select",
    "ad_user_port_key",
    "all_slaves_active",
    "arp_all_targets",
    "arp_interval",
    "arp_ip_target",
    "arp_missed_max",
    "arp_validate",
    "coupled_control",
    "broadcast_neighbor",
    "downdelay",
    "fail_over_mac",
    "lacp_active",
    "lacp_rate",
    "lacp_strict",
    "lp_interval",
    "mii_status",
    "miimon",
    "min_links",
    "mode",
    "ns_ip6_target",
    "num_grat_arp",
    "num_unsol_na",
    "packets_per_slave",
    "peer_notif_delay",
    "primary",
    "primary_reselect",
    "queue_id",
    "resend_igmp",
    "slaves",
    "tlb_dynamic_lb",
    "updelay",
    "use_carrier",
    "xmit_hash_policy",
];

/// Files of `bonding_slave/`.
const PORT: &[&str] = &[
    "ad_actor_oper_port_state",
    "ad_aggregator_id",
    "ad_partner_oper_port_state",
    "link_failure_count",
    "mii_status",
    "perm_hwaddr",
    "prio",
    "queue_id",
    "state",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Meaning};
    use crate::parse::{Parsed, parse_text_with, sysfs_bonding};

    fn read_all(text: &str) -> Parsed {
        parse_text_with(FileId(0), "host-sysfs.txt", text.as_bytes(), &[sysfs_bonding::FORMAT, FORMAT])
    }

    fn link<'a>(p: &'a Parsed, name: &str) -> &'a Link {
        p.records
            .iter()
            .find_map(|r| match &r.what {
                What::Link(l) if l.name == name => Some(l),
                _ => None,
            })
            .expect(name)
    }

    #[test]
    fn carrier_loop() {
        let p = read_all(
            "/sys/class/net/h1/carrier 1\n/sys/class/net/h1/carrier_changes 4\n/sys/class/net/h1/operstate up\n/sys/class/net/h2/carrier 0\n/sys/class/net/h2/statistics/rx_crc_errors:17\n/sys/class/net/bond0/ is empty today and nobody knows why\n",
        );
        assert_eq!((p.typed, p.unrecognised.len()), (5, 1));
        assert_eq!(link(&p, "h1").fields.int("carrier_changes"), Some(4));
        assert_eq!(link(&p, "h1").fields.text("state"), Some("UP"));
        let crc = p.records.iter().find_map(|r| match &r.what {
            What::Counters(c) if c.dev.as_deref() == Some("h2") => {
                c.entries.iter().find(|e| e.meaning == Meaning::RxCrc).map(|e| e.value)
            }
            _ => None,
        });
        assert_eq!(crc, Some(17));
    }

    #[test]
    fn relative_listing_of_a_bond() {
        let p = read_all(
            "bonding/lacp_rate:fast 1\nbonding/mode:802.3ad 4\nbonding/slaves:h1 h2\nlower_h1/bonding_slave/ad_actor_oper_port_state:63\nlower_h1/bonding_slave/ad_partner_oper_port_state:55\nlower_h1/bonding_slave/mii_status:up\n",
        );
        assert_eq!((p.typed, p.unrecognised.len(), p.not_understood.len()), (6, 0, 0));
        assert_eq!(p.recognised, ["sysfs-bonding"]);
        let bond = p.records.iter().find_map(|r| if let What::Fields(f) = &r.what { Some(f) } else { None });
        assert_eq!(bond.and_then(|f| f.text("mode")), Some("802.3ad 4"));
        assert_eq!(bond.map(|f| f.source), Some("sysfs-bonding"));
        assert_eq!(link(&p, "h1").fields.int("partner_state"), Some(55));
    }

    #[test]
    fn absolute_paths_of_all_kinds() {
        let p = read_all(
            "/sys/class/net/bond0/bonding/mode: 802.3ad 4\n/sys/class/net/bond0/slave_eth0/bonding_slave/mii_status:up\n/sys/class/net/bond0/address:02:00:00:00:11:01\n/sys/devices/pci0000:00/0000:00:1f.6/net/eno1/speed:1000\ngrep: /sys/class/net/eno1/queues: Is a directory\ncat: /sys/class/net/eno2/carrier: Invalid argument\n",
        );
        assert_eq!((p.typed, p.unrecognised.len(), p.not_understood.len()), (6, 0, 0));
        assert_eq!(link(&p, "bond0").fields.text("mac"), Some("02:00:00:00:11:01"));
        assert_eq!(link(&p, "eth0").fields.text("master"), Some("bond0"));
        assert_eq!(link(&p, "eno1").fields.int("speed"), Some(1000));
        let errors =
            p.records.iter().filter(|r| matches!(&r.what, What::Fields(f) if f.get("error").is_some()));
        assert_eq!(errors.count(), 2);
    }

    #[test]
    fn cat_and_head() {
        let p = read_all(
            "$ cat /sys/class/net/eno1/carrier_changes\n7\n$ head /sys/class/net/bond0/bonding/*\n==> /sys/class/net/bond0/bonding/miimon <==\n100\n\n==> /sys/class/net/bond0/bonding/mode <==\n802.3ad 4\n",
        );
        assert_eq!((p.unrecognised.len(), p.not_understood.len()), (0, 0));
        assert_eq!(link(&p, "eno1").fields.int("carrier_changes"), Some(7));
        let bond = p.records.iter().find_map(|r| if let What::Fields(f) = &r.what { Some(f) } else { None });
        assert_eq!(bond.and_then(|f| f.text("mode")), Some("802.3ad 4"));
    }
}
