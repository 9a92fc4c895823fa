//! Reads a recording: captures, the log of `/proc/net/bonding`, the kernel log and the list of injected events.

use bondwitness_lacp::machine::{Pdu, Time};
use bondwitness_lacp::{Mac, wire};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Times are nanoseconds since this moment, so that they fit the machines' clock with room before the first frame.
const BASE: u64 = 1_795_000_000_000_000_000;

/// A LACPDU in a capture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) at: Time,
    pub(crate) source: Mac,
    pub(crate) pdu: Pdu,
}

/// Every recording in `dir`: folders that hold the captures of both ends.
pub(crate) fn all(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for kernel in folders(dir) {
        for recording in folders(&kernel) {
            if recording.join("host-h1.pcap").is_file() && recording.join("sw-s1.pcap").is_file() {
                found.push(recording);
            }
        }
    }
    found
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .map(|entries| entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect())
        .unwrap_or_default();
    found.sort();
    found
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// LACPDUs of a classic pcap with Ethernet frames, little endian: what `tcpdump` wrote.
pub(crate) fn frames(path: &Path) -> Vec<Frame> {
    let bytes = std::fs::read(path).expect("the capture is readable");
    let unit = match word(&bytes, 0).expect("a pcap header") {
        0xa1b2_c3d4 => 1000,
        0xa1b2_3c4d => 1,
        other => panic!("{} is no pcap: {other:08x}", path.display()),
    };
    assert_eq!(word(&bytes, 20), Some(1), "Ethernet");
    let (mut at, mut frames) = (24, Vec::new());
    while let (Some(seconds), Some(fraction), Some(length)) =
        (word(&bytes, at), word(&bytes, at + 4), word(&bytes, at + 8))
    {
        let Some(frame) = bytes.get(at + 16..at + 16 + length as usize) else { break };
        at += 16 + length as usize;
        if frame.get(12..15) == Some(&[0x88, 0x09, 1])
            && let Some((actor, partner)) = wire::fixed(&frame[14..])
        {
            let mut source = [0; 6];
            source.copy_from_slice(&frame[6..12]);
            frames.push(Frame {
                at: epoch(u64::from(seconds), u64::from(fraction) * unit),
                source: Mac(source),
                pdu: Pdu { actor, partner },
            });
        }
    }
    frames
}

fn epoch(seconds: u64, nanoseconds: u64) -> Time {
    Time(seconds * 1_000_000_000 + nanoseconds - BASE)
}

fn decimal(text: &str) -> Option<Time> {
    let (seconds, fraction) = text.split_once('.')?;
    let digits = u32::try_from(fraction.len()).ok()?;
    Some(epoch(seconds.parse().ok()?, fraction.parse::<u64>().ok()? * 10_u64.pow(9_u32.checked_sub(digits)?)))
}

fn text(path: &Path) -> String {
    std::fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
}

/// The injected events: when the line was written, shortly before or after the deed.
pub(crate) fn events(dir: &Path) -> Vec<(Time, String)> {
    text(&dir.join("events.txt"))
        .lines()
        .filter_map(|l| l.split_once(' ').and_then(|(t, what)| Some((decimal(t)?, what.to_owned()))))
        .collect()
}

/// When the bond took notice of a member's link: the kernel log's lines, put on the wall clock by the messages of
/// `ip monitor` that the same changes caused.
pub(crate) fn link_changes(dir: &Path) -> Vec<(Time, String, bool)> {
    let lines: Vec<(u64, String, bool)> = text(&dir.join("dmesg.txt"))
        .lines()
        .filter_map(|l| {
            let (uptime, rest) = l.strip_prefix('[')?.split_once("] bond0: (slave ")?;
            let (member, rest) = rest.split_once("): link status definitely ")?;
            let (seconds, micros) = uptime.trim().split_once('.')?;
            let at = seconds.parse::<u64>().ok()? * 1_000_000_000 + micros.parse::<u64>().ok()? * 1000;
            Some((at, member.to_owned(), rest.starts_with("up")))
        })
        .collect();
    let Some(first) = lines.first() else { return Vec::new() };
    let seen: Vec<u64> = text(&dir.join("host-ip-monitor-link.txt"))
        .lines()
        .filter_map(|l| iso(l.strip_prefix('[')?.split_once(']')?.0))
        .map(|t| t.0)
        .collect();
    // The offset that explains the most lines within 5 ms; a message is read after the change, never before it.
    let explained = |offset: u64| {
        lines
            .iter()
            .filter(|l| seen.iter().any(|&m| (l.0 + offset..l.0 + offset + 5_000_000).contains(&m)))
            .count()
    };
    let offset = seen
        .iter()
        .filter_map(|&m| m.checked_sub(first.0))
        .max_by_key(|&o| explained(o))
        .expect("ip monitor saw the changes");
    assert!(explained(offset) * 3 >= lines.len() * 2, "{}: the clocks do not meet", dir.display());
    lines.into_iter().map(|(at, member, up)| (Time(at + offset), member, up)).collect()
}

/// `2026-11-22T02:08:36.175108`, UTC.
fn iso(stamp: &str) -> Option<Time> {
    let (date, time) = stamp.split_once('T')?;
    let mut date = date.split('-').map(|n| n.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, micros) = time.split_once('.')?;
    let seconds = clock.split(':').try_fold(0, |s, n| Some(s * 60 + n.parse::<i64>().ok()?))?;
    // Days from civil, for years after 2000.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(epoch(u64::try_from(days * 86_400 + seconds).ok()?, micros.parse::<u64>().ok()? * 1000))
}

/// What `/proc/net/bonding` said of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Member {
    /// Actor and Partner state. The log leaves open which of the two changed where both were equal.
    pub(crate) states: Vec<(u8, u8)>,
    pub(crate) facts: BTreeMap<&'static str, String>,
}

/// One reading of `/proc/net/bonding`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    pub(crate) at: Time,
    pub(crate) members: BTreeMap<String, Member>,
}

/// What is compared besides the states. "bond" stands for what precedes the members.
const FACTS: [&str; 6] = [
    "Aggregator ID",
    "Number of ports",
    "Actor Churn State",
    "Partner Churn State",
    "Actor Churned Count",
    "Partner Churned Count",
];

/// The log of `/proc/net/bonding`: one full reading, then the lines that changed.
pub(crate) fn timeline(path: &Path) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for block in text(path).split("@@ ").skip(1) {
        let Some((at, body)) = block.split_once('\n') else { continue };
        let Some(at) = decimal(at.trim()) else { continue };
        let mut now = readings.last().cloned().unwrap_or_default();
        now.at = at;
        if readings.is_empty() {
            full(body, &mut now);
        } else {
            changes(body, &mut now);
        }
        readings.push(now);
    }
    readings
}

fn note(member: &mut Member, line: &str) {
    if let Some((key, value)) = line.trim().split_once(": ")
        && let Some(fact) = FACTS.iter().find(|f| **f == key)
    {
        member.facts.insert(fact, value.trim().to_owned());
    }
}

fn full(body: &str, now: &mut Reading) {
    let mut section = "bond".to_owned();
    let mut actor = 0;
    for line in body.lines() {
        if let Some(name) = line.strip_prefix("Slave Interface: ") {
            section = name.to_owned();
        }
        let member = now.members.entry(section.clone()).or_default();
        note(member, line);
        if let Some(state) = line.trim().strip_prefix("port state: ").and_then(|s| s.parse().ok()) {
            // The actor's comes first; the second one completes the pair.
            if member.states.is_empty() && actor == 0 {
                actor = state;
            } else {
                member.states = vec![(std::mem::take(&mut actor), state)];
            }
        }
    }
}

fn changes(body: &str, now: &mut Reading) {
    let mut states: BTreeMap<String, (Vec<u8>, Vec<u8>)> = BTreeMap::new();
    for line in body.lines() {
        let (sign, rest) = line.split_at(line.len().min(1));
        let Some((section, text)) = rest.strip_prefix('[').and_then(|r| r.split_once("] ")) else { continue };
        if let Some(state) = text.strip_prefix("port state: ").and_then(|s| s.parse().ok()) {
            let (gone, come) = states.entry(section.to_owned()).or_default();
            if sign == "-" { gone.push(state) } else { come.push(state) }
        } else if sign == "+" {
            note(now.members.entry(section.to_owned()).or_default(), text);
        }
    }
    for (section, (gone, come)) in states {
        let known = &mut now.members.entry(section).or_default().states;
        *known = match (gone.as_slice(), come.as_slice()) {
            ([_, _], [actor, partner]) => vec![(*actor, *partner)],
            ([old], [new]) => {
                let mut open: Vec<(u8, u8)> = Vec::new();
                for &(actor, partner) in known.iter() {
                    open.extend((actor == *old).then_some((*new, partner)));
                    open.extend((partner == *old).then_some((actor, *new)));
                }
                open
            }
            // The lines do not tell; nothing is compared until they do.
            _ => Vec::new(),
        };
    }
}
