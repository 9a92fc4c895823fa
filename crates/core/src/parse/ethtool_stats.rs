//! `ethtool -S <dev>`: the counters of driver and adapter, also `--groups` (`Standard stats for`).
//!
//! Source: `do_gstats()` in `ethtool.c` (`NIC statistics:`), `netlink/stats.c`. `ethtool -S` prints no interface and no
//! driver: the interface comes from the prompt or the file name, the driver from names that only one driver has
//! ([`driver_of`]); what each counter counts is decided in [`super::counter_meaning`].
//!
//! People paste counters without their title (`ethtool -S eno1 | grep err`): lines that begin with `rx` or `tx` (or
//! another prefix of counters) and end in a number are read as well. Values that are not numbers are kept as
//! fields; lines that say that something was left out as a field `elided`.

use super::counter_meaning::{driver_of, meaning};
use super::ethtool_listing::{dev_after, is_elision, number};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Counter, Counters, Fields, Line, Meaning, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ethtool-s";

const ERRORS: &[&str] = &[
    "no stats available",
    "Cannot get stats strings information",
    "Cannot get stats information",
    "Cannot get stats",
];

fn is_title(t: &str) -> bool {
    t == "NIC statistics:" || t == "NIC statistics"
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if is_title(t)
        || dev_after("NIC statistics for ", t).is_some()
        || dev_after("Standard stats for ", t).is_some()
        || ERRORS.iter().any(|e| t.starts_with(e))
    {
        return true;
    }
    // `Statistics:` of `ethtool -I -a` and `-T` has names of the same shape: that block keeps them.
    is_bare(t) && !(1..=3).any(|n| i.checked_sub(n).and_then(|j| lines.get(j)).is_some_and(|l| section(l)))
}

fn section(line: &Line<'_>) -> bool {
    matches!(line.trimmed(), "Statistics:" | "PHY statistics:")
}

/// A counter that says by its name that it is one of a network adapter.
fn is_bare(t: &str) -> bool {
    let Some((name, value)) = split(t) else { return false };
    number(value).is_some() && is_counter_name(name)
}

fn is_counter_name(name: &str) -> bool {
    let plain = |n: &str| {
        n.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'#'))
            && n.contains(['_', '.'])
    };
    let lower = name.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix('[') {
        // `[0]: rx_ucast_packets`
        return rest.split_once("]: ").is_some_and(|(n, r)| number(n).is_some() && plain(r));
    }
    if let Some((queue, rest)) = lower.split_once(": ") {
        // `rxq0: rx_pkts`
        return (queue.starts_with("rxq") || queue.starts_with("txq")) && plain(rest);
    }
    if let Some(rest) = lower.strip_prefix("queue[") {
        return rest.split_once("] ").is_some_and(|(n, _)| number(n).is_some());
    }
    if !plain(&lower) {
        return false;
    }
    const STARTS: &[&str] = &[
        "rx_", "tx_", "port.", "port_rx", "port_tx", "veb.", "mac_rx", "mac_tx", "mmc_", "queue_", "rxq",
        "txq", "hc_tx_", "hc_rx_", "vport_", "vf_rx", "vf_tx", "eth-mac-", "rx-rmon-", "tx-rmon-",
    ];
    STARTS.iter().any(|s| lower.starts_with(s))
        || ["rx", "tx"].iter().any(|d| {
            // `rx0_packets`, `rx-0.packets`; not `rx-usecs`, which is a setting.
            lower
                .strip_prefix(d)
                .map(|r| r.trim_start_matches('-'))
                .is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()) && r.contains(['_', '.']))
        })
        || meaning(None, name) != Meaning::Other
}

/// Splits at the last `: `: names may contain colons themselves (`[0]: rx_drops: 5`).
fn split(t: &str) -> Option<(&str, &str)> {
    let (name, value) = t.rsplit_once(':')?;
    let (name, value) = (name.trim_end(), value.trim());
    // ETH_GSTRING_LEN is 32; out-of-tree drivers do not exceed it either. Groups have longer names.
    (!name.is_empty() && name.len() <= 64).then_some((name, value))
}

/// Is this, below the title, a counter? There every name is one, as long as it is not prose.
fn is_titled(name: &str, value: &str) -> bool {
    number(value).is_some()
        || name.split_whitespace().count() <= 4
            && !value.is_empty()
            && value.split_whitespace().count() <= 2
            && is_counter_name(name)
}

struct Block {
    counters: Counters,
    others: Fields,
    span: Option<(Citation, Citation)>,
    titled: bool,
}

impl Block {
    fn new(dev: Option<String>) -> Self {
        Self {
            counters: Counters { source: ID, dev: dev.clone(), entries: Vec::new() },
            others: Fields::new(ID, dev),
            span: None,
            titled: false,
        }
    }
    fn flush(mut self, out: &mut Out) {
        let Some((first, last)) = self.span else { return };
        let at = first.to(last);
        let driver = driver_of(self.counters.entries.iter().map(|c| c.name.as_str()));
        for c in &mut self.counters.entries {
            c.meaning = meaning(driver, &c.name);
        }
        let empty = self.counters.entries.is_empty();
        if !empty {
            out.record(at, None, What::Counters(self.counters));
        }
        if !self.others.entries.is_empty() || empty {
            out.record(at, None, What::Fields(self.others));
        }
    }
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let hint = out.hints.dev.clone();
    let mut block = Block::new(hint.clone());
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let named = dev_after("NIC statistics for ", t).or_else(|| dev_after("Standard stats for ", t));
        if is_title(t) || named.is_some() {
            if block.span.is_some() && (block.titled || !block.counters.entries.is_empty()) {
                std::mem::replace(&mut block, Block::new(hint.clone())).flush(out);
            }
            if let Some(dev) = named {
                block.counters.dev = Some(dev.to_owned());
                block.others.dev = Some(dev.to_owned());
            }
            block.titled = true;
        } else if ERRORS.iter().any(|e| t.starts_with(e)) {
            block.others.push("error", t, line.cite());
        } else if is_elision(t) && block.span.is_some() {
            block.others.push("elided", t, line.cite());
        } else if let Some((name, value)) =
            split(t).filter(|(n, v)| is_bare(t) || block.titled && is_titled(n, v))
        {
            // The same list again without a title between: a second reading.
            if block.counters.entries.first().is_some_and(|c| c.name == name) {
                let titled = block.titled;
                std::mem::replace(&mut block, Block::new(hint.clone())).flush(out);
                block.titled = titled;
            }
            match number(value) {
                Some(value) => block.counters.entries.push(Counter {
                    name: name.to_owned(),
                    value,
                    meaning: Meaning::Other,
                    at: line.cite(),
                }),
                None => block.others.push(name, value, line.cite()),
            }
        } else {
            break;
        }
        let at = line.cite();
        block.span = Some(block.span.map_or((at, at), |(first, _)| (first, at)));
        cursor.next();
        out.typed(line);
    }
    block.flush(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::{Parsed, parse_text_with};

    fn read(path: &str, text: &str) -> Parsed {
        parse_text_with(FileId(0), path, text.as_bytes(), &[FORMAT])
    }

    fn counters(parsed: &Parsed) -> Vec<&Counters> {
        parsed
            .records
            .iter()
            .filter_map(|r| if let What::Counters(c) = &r.what { Some(c) } else { None })
            .collect()
    }

    #[test]
    fn the_driver_is_told_by_its_names() {
        let p = read(
            "ethtool_-S_ens3f0",
            "NIC statistics:\n     rx_dropped: 4\n     tx_multicast: 9\n     rx_dropped.nic: 7\n     mac_local_faults.nic: 2\n     tx_queue_0_tx_packets: 5\n",
        );
        let [c] = counters(&p)[..] else { panic!() };
        assert_eq!(c.dev.as_deref(), Some("ens3f0"));
        // ice's rx_dropped counts frames without a descriptor.
        assert_eq!(c.entries[0].meaning, Meaning::RxMissed);
        assert_eq!(c.entries[3].meaning, Meaning::LocalFault);
        assert_eq!((p.typed, p.unrecognised.len()), (6, 0));
    }

    #[test]
    fn names_with_blanks_and_colons() {
        let p = read(
            "x",
            "NIC statistics:\n     [0]: rx_discards: 3\n     rxq0: rx_drops_no_frags: 2\n     Queue[0] InPackets: 1\n     Rx Packets Total: 44\n     fw_version: 1.2.3\n     ...\n",
        );
        let [c] = counters(&p)[..] else { panic!() };
        assert_eq!(
            c.entries.iter().map(|e| (e.name.as_str(), e.value)).collect::<Vec<_>>()[..3],
            [("[0]: rx_discards", 3), ("rxq0: rx_drops_no_frags", 2), ("Queue[0] InPackets", 1)]
        );
        assert_eq!(c.entries[0].meaning, Meaning::RxMissed);
    }

    #[test]
    fn grepped_lines_without_title() {
        let p = read("x", "     rx_crc_errors: 187\n     rx_missed_errors: 0\n\nThe errors grow: 12\n");
        let [c] = counters(&p)[..] else { panic!() };
        assert_eq!(c.entries.len(), 2);
        assert_eq!(p.unrecognised.len(), 1);
        for other in ["rx-usecs: 20\n", "MII Status: up\n", "Number of ports: 2\n", "total: 5\n"] {
            assert!(read("x", other).recognised.is_empty(), "{other}");
        }
    }

    #[test]
    fn two_readings_and_none() {
        let one = "     rx_packets: 1\n     rx_bytes: 2\n";
        assert_eq!(counters(&read("x", &format!("{one}{one}"))).len(), 2);
        assert_eq!(counters(&read("x", &format!("NIC statistics:\n{one}NIC statistics:\n{one}"))).len(), 2);
        let p = read("ethtool_-S_bond0", "no stats available\n");
        assert!(matches!(&p.records[0].what, What::Fields(f) if f.text("error").is_some()));
    }

    #[test]
    fn groups() {
        let p = read(
            "x",
            "Standard stats for eno1:\neth-mac-FramesTransmittedOK: 902\neth-phy-SymbolErrorDuringCarrier: 3\nrx-rmon-etherStatsPkts64to64Octets: 1\n",
        );
        let [c] = counters(&p)[..] else { panic!() };
        assert_eq!((c.dev.as_deref(), c.entries[1].meaning), (Some("eno1"), Meaning::RxSymbol));
    }
}
