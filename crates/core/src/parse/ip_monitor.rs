//! `ip monitor`: with `-ts` (`[2026-11-22T02:34:40.035001] `), with `-t` (`Timestamp: ... usec`), with the labels of
//! `monitor all` (`[LINK]`, `[NEIGH]`, ...) and `Deleted`.
//!
//! Printed by `accept_msg()` in `ip/ipmonitor.c` and `print_timestamp()` in `lib/utils.c`. The time has no zone, so it
//! is a [`Clock::Local`](crate::units::Clock::Local) one. Links and addresses are read as `ip link` prints them;
//! neighbours and routes become [`Fields`] as from `ip neigh` and `ip route`. Streams without times, labels and
//! `Deleted` look like `ip link` and are read by that parser.

use super::ip_link::{self, Header};
use super::{Cursor, Format, Out, ip_neigh, ip_route, ip_rule};
use crate::evidence::{Fields, Line, What};
use crate::units::{Stamp, civil_ns, month};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ip-monitor";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if long_time(t).is_some() {
        return true;
    }
    let message = Message::of(t);
    if message.marked() {
        return message.kind().is_some();
    }
    // The message that belongs to a `Timestamp:` line.
    message.kind().is_some()
        && i.checked_sub(1).and_then(|p| lines.get(p)).is_some_and(|l| long_time(l.trimmed()).is_some())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Link,
    Neighbour,
    Route,
    Other,
}

struct Message<'a> {
    time: Option<Stamp>,
    label: Option<&'a str>,
    deleted: bool,
    /// Without time and labels, with `Deleted`.
    rest: &'a str,
}

impl<'a> Message<'a> {
    fn of(t: &'a str) -> Self {
        let (time, mut rest) = short_time(t).map_or((None, t), |(s, r)| (Some(s), r.trim_start()));
        let mut label = None;
        // `[nsid 0][LINK]` or `[LINK]`.
        for _ in 0..3 {
            let Some((inside, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) else { break };
            let known = LABELS.contains(&inside)
                || inside.starts_with("nsid ")
                || inside.starts_with("netns ")
                || inside.starts_with("netnsid ");
            if !known {
                break;
            }
            label = Some(inside);
            rest = after.trim_start();
        }
        let deleted = rest.starts_with("Deleted ") || rest.starts_with("delete ");
        Self { time, label, deleted, rest }
    }

    /// True if the line cannot be one of `ip link` or `ip route`.
    const fn marked(&self) -> bool {
        self.time.is_some() || self.label.is_some() || self.deleted
    }

    fn body(&self) -> &'a str {
        self.rest
            .strip_prefix("Deleted ")
            .or_else(|| self.rest.strip_prefix("delete "))
            .unwrap_or(self.rest)
            .trim_start()
    }

    fn kind(&self) -> Option<Kind> {
        if Header::find(self.rest).is_some() {
            return Some(Kind::Link);
        }
        let body = self.body();
        if ip_neigh::read(body).is_some() {
            return Some(Kind::Neighbour);
        }
        if ip_route::begins(body) {
            return Some(Kind::Route);
        }
        let other = matches!(
            body.split_whitespace().next(),
            Some(
                "nsid" | "netconf" | "prefix" | "inet" | "inet6" | "ipv4" | "ipv6" | "mpls" | "all" | "miss"
            )
        ) || ip_rule::rule(body).is_some()
            || self.label.is_some() && !body.is_empty();
        other.then_some(Kind::Other)
    }
}

const LABELS: &[&str] = &[
    "LINK",
    "ADDR",
    "ROUTE",
    "NEIGH",
    "PREFIX",
    "RULE",
    "NETCONF",
    "NSID",
    "NEXTHOP",
    "MROUTE",
    "ADDRLABEL",
    "STATS",
    "MADDR",
    "ACADDR",
];

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut announced = None;
    let mut first = true;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if let Some(stamp) = long_time(t) {
            announced = Some(stamp);
            cursor.next();
            out.typed(line);
            first = false;
            continue;
        }
        let message = Message::of(t);
        let Some(kind) = message.kind() else {
            // Nothing of the monitor's: somebody else may know it. (The first line is one, by the anchor.)
            if first {
                cursor.next();
                out.not_understood(line);
            }
            return;
        };
        if !message.marked() && announced.is_none() {
            return;
        }
        first = false;
        let time = message.time.or(announced);
        match kind {
            Kind::Link => {
                let header = Header::find(message.rest);
                ip_link::stanza(cursor, out, ID, header, time);
            }
            Kind::Neighbour => {
                cursor.next();
                out.typed(line);
                if let Some(entry) = ip_neigh::read(message.body()) {
                    let mut fields = entry.fields(ID, line.cite(), out.hints.dev.as_deref());
                    if message.deleted {
                        fields.push("deleted", "true", line.cite());
                    }
                    out.record(line.cite(), time, What::Fields(fields));
                }
            }
            Kind::Route => ip_route::route(cursor, out, ID, message.body(), message.deleted, time),
            Kind::Other => {
                cursor.next();
                out.typed(line);
                let mut fields = Fields::new(ID, None);
                let mut words = message.body().splitn(2, char::is_whitespace);
                let key = match message.label {
                    Some(label) => label.to_ascii_lowercase(),
                    None if ip_rule::rule(message.body()).is_some() => "rule".to_owned(),
                    None => words.next().unwrap_or("message").to_owned(),
                };
                fields.push(key, message.body(), line.cite());
                out.record(line.cite(), time, What::Fields(fields));
            }
        }
    }
}

/// `[2026-11-22T02:34:40.035001] rest`.
fn short_time(t: &str) -> Option<(Stamp, &str)> {
    let (inside, rest) = t.strip_prefix('[')?.split_once(']')?;
    Some((iso_local(inside)?, rest))
}

/// `2026-11-22T02:34:40.035001`, a civil time without a zone.
pub(super) fn iso_local(text: &str) -> Option<Stamp> {
    let (date, clock) = text.split_once('T')?;
    let mut d = date.splitn(3, '-');
    let (year, month, day) = (d.next()?, d.next()?, d.next()?);
    let (hms, frac) = clock.split_once('.').unwrap_or((clock, ""));
    civil(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?, hms, frac)
}

/// `Timestamp: Sun Nov 22 02:34:40 2026 035001 usec`.
fn long_time(t: &str) -> Option<Stamp> {
    let rest = t.strip_prefix("Timestamp: ")?.strip_suffix(" usec")?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [_weekday, mon, day, hms, year, usec] = words.as_slice() else { return None };
    // `%lu`: microseconds without leading zeros.
    let usec: u32 = usec.parse().ok().filter(|u| *u < 1_000_000)?;
    civil(year.parse().ok()?, month(mon)?, day.parse().ok()?, hms, &format!("{usec:06}"))
}

fn civil(year: i32, month: u8, day: u8, hms: &str, frac: &str) -> Option<Stamp> {
    let mut c = hms.splitn(3, ':');
    let (h, m, s) = (c.next()?.parse().ok()?, c.next()?.parse().ok()?, c.next()?.parse().ok()?);
    if !frac.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nano = format!("{frac:0<9}").get(..9)?.parse().ok()?;
    civil_ns(year, month, day, h, m, s, nano).map(Stamp::local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Link, Record};
    use crate::parse::{Parsed, ip_link, parse_text_with};

    fn read(text: &str) -> Parsed {
        let formats = [FORMAT, ip_link::FORMAT, ip_neigh::FORMAT, ip_route::FORMAT];
        parse_text_with(FileId(0), "monitor.txt", text.as_bytes(), &formats)
    }

    fn link(r: &Record) -> &Link {
        let What::Link(l) = &r.what else { panic!("{:?}", r.what) };
        l
    }

    #[test]
    fn short_times_with_details() {
        let p = read(
            "[2026-11-22T02:08:51.174897] 13: h1@if12: <NO-CARRIER,BROADCAST,MULTICAST,SLAVE,UP> mtu 1500 qdisc noqueue master bond0 state DOWN group default \n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff link-netns wire promiscuity 1 allmulti 0 minmtu 68 maxmtu 65535 \n    veth \n    bond_slave state BACKUP mii_status DOWN link_failure_count 1 perm_hwaddr 02:00:00:00:11:01 queue_id 0 prio 0 ad_aggregator_id 1 ad_actor_oper_port_state 63 ad_actor_oper_port_state_str <active,short_timeout> ad_partner_oper_port_state 55 numtxqueues 1 \n[2026-11-22T02:08:53.000001] Deleted 13: h1: <BROADCAST> mtu 1500 qdisc noop state DOWN group default \n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\n",
        );
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (6, 0, 0));
        assert_eq!(p.recognised, ["ip-monitor"]);
        let [a, b] = p.records.as_slice() else { panic!("{:?}", p.records) };
        assert_eq!(a.time.map(|t| t.to_string()).as_deref(), Some("2026-11-22T02:08:51.174"));
        assert_eq!(a.time.map(|t| t.ns % 1_000_000_000), Some(174_897_000));
        let l = link(a);
        assert_eq!(l.fields.text("mii_status"), Some("DOWN"));
        assert_eq!(l.fields.text("state"), Some("DOWN"));
        assert_eq!(l.fields.int("partner_state"), Some(55));
        assert!(l.flag("NO-CARRIER") && !l.deleted);
        assert!(link(b).deleted);
    }

    #[test]
    fn long_times_and_labels() {
        let p = read(
            "Timestamp: Sun Nov 22 02:34:40 2026 35001 usec\n[LINK]2: eno1: <BROADCAST,MULTICAST,SLAVE,UP,LOWER_UP> mtu 1500 qdisc mq master bond0 state UP group default\n    link/ether 02:00:00:00:11:01 brd ff:ff:ff:ff:ff:ff\nTimestamp: Sun Nov 22 02:34:41 2026 999999 usec\n2: eno1    inet 192.168.70.99/24 scope global eno1\n       valid_lft forever preferred_lft forever\nTimestamp: Sun Nov 22 02:34:42 2026 1 usec\n[NEIGH]192.168.70.1 dev bond0 lladdr 02:00:00:00:22:01 REACHABLE\nTimestamp: Sun Nov 22 02:34:43 2026 1 usec\n[ROUTE]Deleted default via 192.168.70.1 dev bond0 proto static metric 100\n",
        );
        assert_eq!((p.not_understood.len(), p.unrecognised.len()), (0, 0));
        assert_eq!(p.typed, 10);
        assert_eq!(p.records[0].time.map(|t| t.ns % 1_000_000_000), Some(35_001_000));
        assert_eq!(link(&p.records[1]).fields.text("addr"), Some("192.168.70.99/24"));
        let What::Fields(f) = &p.records[3].what else { panic!() };
        assert_eq!((f.text("via"), f.text("deleted")), (Some("192.168.70.1"), Some("true")));
    }

    #[test]
    fn a_journal_line_is_not_one() {
        let p = read("[2026-11-22T02:08:51.174897] kernel: bond0: (slave h1): link status definitely down\n");
        assert_eq!(p.typed, 0);
    }
}
