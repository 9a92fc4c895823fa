//! `ifconfig` of net-tools, old (`Link encap:Ethernet  HWaddr ...`) and new (`flags=4163<UP,...>  mtu 1500`), and the
//! table of `ifconfig -s` and `netstat -i`.
//!
//! Printed by `ife_print_long()`, `ife_print_short()` in `lib/interface.c` of net-tools and by `BusyBox`, from
//! `/proc/net/dev`: see [`super::proc_net_dev`] for what the columns sum up. `overruns` is the FIFO column. Kept: a
//! [`Link`] and a [`Counters`] record per interface. `RUNNING` is what net-tools knows of the carrier.

use super::ip_link::{is_lladdr, is_prefix, new_link};
use super::{Cursor, Format, Out, stats64};
use crate::evidence::{Counter, Counters, Fields, Line, Link, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ifconfig";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(t) = lines.get(i).map(Line::trimmed) else { return false };
    head(t).is_some() || table_head(t).is_some() || t == "Kernel Interface table" || error(t)
}

fn error(t: &str) -> bool {
    t.ends_with(": error fetching interface information: Device not found")
        || t.starts_with("ifconfig: ") && t.contains("Device not found")
        || t.starts_with("Warning: Output of ifconfig is incomplete")
}

enum Head<'a> {
    /// `eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500`.
    New(&'a str, &'a str),
    /// `eth0      Link encap:Ethernet  HWaddr 00:0c:29:00:00:01`.
    Old(&'a str, &'a str),
}

fn head(t: &str) -> Option<Head<'_>> {
    let (name, rest) = t.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    if name.len() > 32 || name.is_empty() {
        return None;
    }
    if rest.starts_with("Link encap:") {
        return Some(Head::Old(name, rest));
    }
    (rest.starts_with("flags=") && rest.contains('<'))
        .then(|| Some(Head::New(name.strip_suffix(':')?, rest)))
        .flatten()
}

/// The columns of `netstat -i` and `ifconfig -s`.
fn table_head(t: &str) -> Option<Vec<&str>> {
    if !t.starts_with("Iface") {
        return None;
    }
    let words: Vec<&str> = t.split_whitespace().collect();
    (words.first() == Some(&"Iface") && words.get(1) == Some(&"MTU") && words.contains(&"RX-OK"))
        .then_some(words)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let t = line.trimmed();
        if let Some(head) = head(t) {
            interface(cursor, out, &head);
        } else if let Some(columns) = table_head(t) {
            table(cursor, out, &columns);
        } else if t == "Kernel Interface table" {
            cursor.next();
            out.typed(line);
        } else if error(t) {
            cursor.next();
            out.typed(line);
            let dev = t.split(": error fetching").next().filter(|d| d.len() < t.len()).map(str::to_owned);
            let mut fields = Fields::new(ID, dev);
            fields.push("error", t, line.cite());
            out.record(line.cite(), None, What::Fields(fields));
        } else {
            return;
        }
    }
}

struct Interface {
    link: Link,
    counters: Vec<Counter>,
    /// `RX` or `TX`, as the line began; the old form breaks lines after it.
    rx: bool,
}

fn interface(cursor: &mut Cursor<'_, '_>, out: &mut Out, head: &Head<'_>) {
    let Some(first) = cursor.next() else { return };
    let (name, rest) = match head {
        Head::New(n, r) | Head::Old(n, r) => (*n, *r),
    };
    let begin = first.cite();
    let mut last = begin;
    let mut it = Interface { link: new_link(ID, name, None), counters: Vec::new(), rx: true };
    it.read(rest, first, out);
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            // A blank line ends an interface; web pages put one after each line.
            let next = (1..=2).find_map(|n| cursor.peek_at(n).filter(|l| !l.is_blank()));
            if next.is_some_and(|l| l.indent() > 0 && known(l.trimmed())) {
                cursor.next();
                continue;
            }
            break;
        }
        if self::head(t).is_some() || table_head(t).is_some() || error(t) {
            break;
        }
        if line.indent() == 0 && !known(t) {
            break;
        }
        cursor.next();
        last = line.cite();
        it.read(t, line, out);
    }
    let at = begin.to(last);
    let dev = Some(name.to_owned());
    out.record(at, None, What::Link(it.link));
    if !it.counters.is_empty() {
        out.record(at, None, What::Counters(Counters { source: ID, dev, entries: it.counters }));
    }
}

/// True if the line begins as lines of `ifconfig` do.
fn known(t: &str) -> bool {
    let first = t.split([' ', ':', '\t']).next().unwrap_or("");
    matches!(
        first,
        "inet"
            | "inet6"
            | "ether"
            | "loop"
            | "unspec"
            | "infiniband"
            | "tunnel"
            | "sit"
            | "ppp"
            | "RX"
            | "TX"
            | "collisions"
            | "device"
            | "Interrupt"
            | "UP"
            | "BROADCAST"
            | "MTU"
            | "errors"
            | "dropped"
            | "txqueuelen"
    )
}

/// Words without a value.
const FLAGS: &[&str] = &[
    "UP",
    "BROADCAST",
    "DEBUG",
    "LOOPBACK",
    "POINTOPOINT",
    "NOTRAILERS",
    "RUNNING",
    "NOARP",
    "PROMISC",
    "ALLMULTI",
    "MASTER",
    "SLAVE",
    "MULTICAST",
    "DYNAMIC",
    "PORTSEL",
    "AUTOMEDIA",
];

impl Interface {
    fn read(&mut self, text: &str, line: &Line<'_>, out: &mut Out) {
        let at = line.cite();
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut unknown = false;
        let mut i = 0;
        while let Some(&raw) = words.get(i) {
            i += 1;
            let mut next = || {
                let word = words.get(i).copied();
                i += 1;
                word.unwrap_or("")
            };
            // The old form glues key and value with a colon, the new one has a blank.
            let (key, glued) = match raw.split_once(':') {
                Some((k, v)) if !k.is_empty() && !is_lladdr(raw) && !is_prefix(raw) => (k, Some(v)),
                _ => (raw, None),
            };
            let mut value = || match glued {
                Some(v) if !v.is_empty() => v.to_owned(),
                _ => next().to_owned(),
            };
            match key {
                "RX" => self.rx = true,
                "TX" => self.rx = false,
                "packets" | "bytes" | "errors" | "dropped" | "overruns" | "frame" | "carrier"
                | "collisions" | "compressed" | "missed" => {
                    let name = match (self.rx, key) {
                        (_, "collisions") => "collisions",
                        (_, "carrier") => "tx_carrier_errors",
                        (true, "frame") => "rx_frame_errors",
                        (true, "packets") => "rx_packets",
                        (true, "bytes") => "rx_bytes",
                        (true, "errors") => "rx_errors",
                        (true, "dropped") => "rx_dropped",
                        (true, "overruns") => "rx_fifo_errors",
                        (true, "compressed") => "rx_compressed",
                        (true, "missed") => "rx_missed_errors",
                        (false, "packets") => "tx_packets",
                        (false, "bytes") => "tx_bytes",
                        (false, "errors") => "tx_errors",
                        (false, "dropped") => "tx_dropped",
                        (false, "overruns") => "tx_fifo_errors",
                        (false, "compressed") => "tx_compressed",
                        _ => "other",
                    };
                    match value().parse() {
                        Ok(value) => self.counters.push(Counter {
                            name: name.to_owned(),
                            value,
                            meaning: stats64::meaning(name),
                            at,
                        }),
                        Err(_) => unknown = true,
                    }
                }
                _ if raw.starts_with('(') => {
                    // `(142.9 MB)`, `(Local Loopback)`: said before in exact words.
                    if !raw.ends_with(')') {
                        while let Some(&w) = words.get(i) {
                            i += 1;
                            if w.ends_with(')') {
                                break;
                            }
                        }
                    }
                }
                "Link" => {}
                "encap" => {
                    let mut kind = value();
                    while let Some(&w) = words.get(i).filter(|w| !matches!(**w, "HWaddr" | "Media")) {
                        kind = format!("{kind} {w}");
                        i += 1;
                    }
                    self.link.fields.push("link_type", kind, at);
                }
                "HWaddr" | "ether" | "infiniband" | "unspec" => {
                    let address = value();
                    if key != "HWaddr" {
                        self.link.fields.push("link_type", key, at);
                    }
                    let key = if is_lladdr(&address) { "mac" } else { "link_addr" };
                    self.link.fields.push(key, address, at);
                }
                "loop" | "tunnel" | "sit" | "ppp" => self.link.fields.push("link_type", key, at),
                "inet" | "inet6" => {
                    // `inet addr:10.0.0.1`, `inet6 addr: fe80::1/64`, `inet 10.0.0.1`.
                    let word = next();
                    let address = match word.split_once("addr:") {
                        Some(("", "")) => words.get(i).copied().inspect(|_| i += 1).unwrap_or(""),
                        Some(("", a)) => a,
                        _ => word,
                    };
                    unknown |= !is_prefix(address);
                    self.link.fields.push("addr", address, at);
                }
                "netmask" | "Mask" => self.link.fields.push("addr.netmask", value(), at),
                "broadcast" | "Bcast" => self.link.fields.push("addr.brd", value(), at),
                "destination" | "P-t-P" => self.link.fields.push("addr.peer", value(), at),
                "prefixlen" => self.link.fields.push("addr.prefixlen", value(), at),
                "scopeid" | "Scope" => self.link.fields.push("addr.scope", value(), at),
                "mtu" | "MTU" => self.link.fields.push("mtu", value(), at),
                "Metric" | "metric" => self.link.fields.push("metric", value(), at),
                "txqueuelen" => self.link.fields.push("txqlen", value(), at),
                "Interrupt" | "interrupt" => self.link.fields.push("interrupt", value(), at),
                "Memory" | "memory" => self.link.fields.push("memory", value(), at),
                "base" => self.link.fields.push("base", value(), at),
                "address" if glued.is_some() => self.link.fields.push("base", value(), at),
                "DMA" | "dma" => {
                    let mut v = value();
                    if let Some(chan) = v.strip_prefix("chan:") {
                        v = chan.to_owned();
                    }
                    self.link.fields.push("dma", v, at);
                }
                "Media" | "media" => self.link.fields.push("media", value(), at),
                "outfill" | "keepalive" => self.link.fields.push(key, value(), at),
                "Base" | "device" => {}
                "[NO" => {
                    self.link.fields.push("flags", "none", at);
                    i += 1;
                }
                w if FLAGS.contains(&w) => self.link.flags.push(w.to_owned()),
                w if w.starts_with("flags=") => {
                    let names = w.split_once('<').map_or("", |(_, n)| n).trim_end_matches('>');
                    self.link.flags = names.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect();
                }
                _ => unknown = true,
            }
        }
        if unknown { out.not_understood(line) } else { out.typed(line) }
    }
}

fn table(cursor: &mut Cursor<'_, '_>, out: &mut Out, columns: &[&str]) {
    if let Some(line) = cursor.next() {
        out.typed(line);
    }
    while let Some(line) = cursor.peek() {
        let words: Vec<&str> = line.text.split_whitespace().collect();
        // Interfaces that are down have `- no statistics available -` instead of numbers.
        let (Some(name), Some(mtu)) = (words.first(), words.get(1).filter(|m| m.parse::<u32>().is_ok()))
        else {
            return;
        };
        let none = line.text.contains("no statistics available");
        if words.len() != columns.len() && !none {
            return;
        }
        cursor.next();
        out.typed(line);
        let at = line.cite();
        let mut link = new_link(ID, name, None);
        link.fields.push("mtu", *mtu, at);
        let mut entries = Vec::new();
        for (column, word) in columns.iter().zip(&words) {
            let name = match *column {
                "RX-OK" => "rx_packets",
                "RX-ERR" => "rx_errors",
                "RX-DRP" => "rx_dropped",
                "RX-OVR" => "rx_fifo_errors",
                "TX-OK" => "tx_packets",
                "TX-ERR" => "tx_errors",
                "TX-DRP" => "tx_dropped",
                "TX-OVR" => "tx_fifo_errors",
                "Flg" => {
                    link.fields.push("flags", *word, at);
                    continue;
                }
                _ => continue,
            };
            if let Ok(value) = word.parse() {
                let meaning = stats64::meaning(name);
                entries.push(Counter { name: name.to_owned(), value, meaning, at });
            }
        }
        out.record(at, None, What::Link(link));
        if !entries.is_empty() {
            let dev = Some((*name).to_owned());
            out.record(at, None, What::Counters(Counters { source: ID, dev, entries }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Meaning};
    use crate::parse::{Parsed, parse_text_with};

    fn read(text: &str) -> Parsed {
        parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT])
    }

    fn get(p: &Parsed, dev: &str, meaning: Meaning) -> Option<u64> {
        p.records.iter().find_map(|r| match &r.what {
            What::Counters(c) if c.dev.as_deref() == Some(dev) => {
                c.entries.iter().find(|e| e.meaning == meaning).map(|e| e.value)
            }
            _ => None,
        })
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
    fn new_style() {
        let p = read(
            "bond0: flags=5187<UP,BROADCAST,RUNNING,MASTER,MULTICAST>  mtu 9000\n        inet 192.0.2.9  netmask 255.255.255.0  broadcast 192.0.2.255\n        inet6 fe80::fc:ff:fe00:1  prefixlen 64  scopeid 0x20<link>\n        ether 02:fc:00:00:00:01  txqueuelen 1000  (Ethernet)\n        RX packets 7763  bytes 142967419 (136.3 MiB)\n        RX errors 3  dropped 4  overruns 5  frame 6\n        TX packets 4899  bytes 521985 (509.7 KiB)\n        TX errors 1  dropped 2 overruns 0  carrier 8  collisions 9\n        device interrupt 16  memory 0xf7c00000-f7c20000\n\nlo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536\n        inet 127.0.0.1  netmask 255.0.0.0\n        loop  txqueuelen 1000  (Local Loopback)\n\nThat is all.\n",
        );
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (12, 0, 1));
        assert_eq!(get(&p, "bond0", Meaning::RxCrc), Some(6));
        assert_eq!(get(&p, "bond0", Meaning::TxCarrier), Some(8));
        assert!(link(&p, "bond0").flag("MASTER"));
        assert_eq!(link(&p, "bond0").fields.int("mtu"), Some(9000));
        assert_eq!(link(&p, "lo").fields.text("link_type"), Some("loop"));
    }

    #[test]
    fn old_style() {
        let p = read(
            "eth0      Link encap:Ethernet  HWaddr 00:0C:29:00:00:01  \n          inet addr:192.0.2.9  Bcast:192.0.2.255  Mask:255.255.255.0\n          inet6 addr: fe80::20c:29ff:fe00:1/64 Scope:Link\n          UP BROADCAST RUNNING SLAVE MULTICAST  MTU:1500  Metric:1\n          RX packets:11 errors:12 dropped:13 overruns:14 frame:15\n          TX packets:21 errors:22 dropped:23 overruns:24 carrier:25\n          collisions:26 txqueuelen:1000 \n          RX bytes:31 (31.0 b)  TX bytes:32 (32.0 b)\n          Interrupt:16 Base address:0x2000 \n\nlo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n",
        );
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (11, 0, 0));
        assert_eq!(get(&p, "eth0", Meaning::TxBytes), Some(32));
        assert_eq!(get(&p, "eth0", Meaning::RxDropped), Some(13));
        assert_eq!(get(&p, "eth0", Meaning::Collisions), Some(26));
        assert!(link(&p, "eth0").flag("SLAVE"));
        assert_eq!(link(&p, "eth0").fields.text("addr"), Some("192.0.2.9"));
        assert_eq!(link(&p, "lo").fields.text("link_type"), Some("Local Loopback"));
    }

    #[test]
    fn short_table() {
        let p = read(
            "Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\neth0             1400     7763      1      2 3          4899      4      5      6 BMRU\n",
        );
        assert_eq!(p.typed, 3);
        assert_eq!(
            (get(&p, "eth0", Meaning::RxMissed), get(&p, "eth0", Meaning::TxDropped)),
            (Some(3), Some(5))
        );
    }
}
