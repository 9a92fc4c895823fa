//! `ethtool-settings` and `ethtool-more`: what `ethtool` shows about each member, by generic netlink: link modes and state,
//! features; rings, coalescing, pause, channels, FEC, energy saving, time stamping, module, standard counters.
//!
//! The file begins with the kernel's answer that gives the number of the family. The bit sets of features come as words, and the names of
//! their bits once beside them; other bit sets come with names. Most drivers
//! answer only some of the requests; which they do not offer is one reading per member.

use super::dumps::{To, refuse, with_socket};
use super::{Collector, Pace, Sink, Target};
use crate::bounded;
use crate::netlink::{Attributes, GENERIC, Messages, Request, attribute, u16_at};
use bondwitness_core::collection::{Form, Reading, Window, v1};
use std::borrow::Cow;
use std::io;
use std::time::Duration;

/// The collector of what `ethtool DEV` and `ethtool -k DEV` show.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Snapshot, run };
/// The collector of everything else.
pub(super) const MORE: Collector = Collector { id: ID_MORE, pace: Pace::Snapshot, run: run_more };

const ID: &str = "ethtool-settings";
const ID_MORE: &str = "ethtool-more";
const LIMIT: Duration = Duration::from_secs(3);
const FILE: &str = "state/ethtool.pcapng";
/// `GENL_ID_CTRL` and `CTRL_CMD_GETFAMILY`.
const CONTROL: u16 = 16;
const GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// `ETHTOOL_A_HEADER_*`.
const HEADER_DEV_NAME: u16 = 2;
const HEADER_FLAGS: u16 = 3;
/// `ETHTOOL_FLAG_COMPACT_BITSETS`: bit sets as words, without names.
const FLAG_COMPACT: u32 = 1;
/// `ETHTOOL_FLAG_STATS`: with the counters that belong to a setting.
const FLAG_STATS: u32 = 4;
/// `ETHTOOL_MSG_STRSET_GET`, and the set of names that belongs to `FEATURES` (`ETH_SS_FEATURES`).
const STRSET: u8 = 1;
const FEATURES: u32 = 4;
const NESTED: u16 = 0x8000;

/// `ETHTOOL_MSG_*_GET` with its number and flags.
type Message = (&'static str, u8, u32);
const FIRST: &[Message] = &[
    ("LINKINFO", 2, 0),
    ("LINKMODES", 4, 0),
    ("LINKSTATE", 6, 0),
    // Some sixty names in each of four sets: they are asked for once, not for each member.
    ("FEATURES", 11, FLAG_COMPACT),
];
const REST: &[Message] = &[
    ("PRIVFLAGS", 13, 0),
    ("RINGS", 15, 0),
    ("CHANNELS", 17, 0),
    ("COALESCE", 19, 0),
    ("PAUSE", 21, FLAG_STATS),
    ("EEE", 23, 0),
    // Its counters are asked for by nobody: nothing reads them.
    ("TSINFO", 25, 0),
    ("FEC", 29, FLAG_STATS),
    ("MODULE", 34, 0),
];
/// `ETHTOOL_MSG_STATS_GET`, whose attributes are numbered apart.
const STATS: u8 = 32;

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    ask(target, sink, To { collector: ID, file: FILE, protocol: GENERIC }, FIRST)
}

fn run_more(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    ask(target, sink, To { collector: ID_MORE, file: FILE, protocol: GENERIC }, REST)
}

fn ask(target: &Target, sink: &mut dyn Sink, to: To, messages: &'static [Message]) -> io::Result<()> {
    if target.members.is_empty() {
        return Ok(());
    }
    let source = "CTRL_CMD_GETFAMILY ethtool";
    let family = match bounded::call(to.collector, LIMIT, || Family::find("ethtool")) {
        Ok(family) => family,
        Err(e) => return refuse(sink, to, source, &e),
    };
    take(sink, source, family.window, family.answer)?;
    let id = family.id;
    if messages.iter().any(|(_, _, flags)| flags & FLAG_COMPACT != 0) {
        let source = "ETHTOOL_MSG_STRSET_GET";
        match bounded::call(to.collector, LIMIT, move || names(id)) {
            Ok((answer, window)) => take(sink, source, window, answer)?,
            Err(e) => refuse(sink, to, source, &e)?,
        }
    }
    for (dev, answer) in
        bounded::each(to.collector, LIMIT, &target.members, move |dev| settings(id, dev, messages))
    {
        let (answers, window) = match answer {
            Ok(answers) => answers,
            Err(e) => {
                refuse(sink, to, &format!("ETHTOOL_MSG_*_GET {dev}"), &e)?;
                continue;
            }
        };
        let mut not_offered = Vec::new();
        for (name, answer) in answers {
            let source = format!("ETHTOOL_MSG_{name}_GET {dev}");
            match answer {
                Ok(datagrams) => {
                    for datagram in datagrams {
                        take(sink, &source, window, datagram)?;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Unsupported => not_offered.push(name),
                Err(e) => refuse(sink, to, &source, &e)?,
            }
        }
        if !not_offered.is_empty() {
            let detail = format!("not offered by this driver or kernel: {}", not_offered.join(", "));
            let form = Form::Failed {
                collector: to.collector.into(),
                why: v1::Cause::Absent,
                detail: detail.into(),
            };
            let source = format!("ETHTOOL_MSG_*_GET {dev}");
            sink.take(Reading { file: FILE.into(), source: source.into(), window, form })?;
        }
    }
    Ok(())
}

fn take(sink: &mut dyn Sink, source: &str, window: Window, datagram: Vec<u8>) -> io::Result<()> {
    sink.take(Reading {
        file: FILE.into(),
        source: source.into(),
        window,
        form: Form::Netlink { protocol: GENERIC, datagram: Cow::Owned(datagram) },
    })
}

type Answers = Vec<(&'static str, io::Result<Vec<Vec<u8>>>)>;

fn settings(family: u16, dev: &str, messages: &'static [Message]) -> io::Result<(Answers, Window)> {
    let mut requests: Vec<Request> = messages
        .iter()
        .map(|(_, number, flags)| message(family, *number).attribute(1 | NESTED, &header(dev, *flags)))
        .collect();
    let counters = messages.iter().any(|(_, _, flags)| flags & FLAG_STATS != 0);
    // eth-phy, eth-mac, eth-ctrl, rmon: the first four bits, as a bit set in its short form.
    let groups = [
        attribute(2, &4u32.to_ne_bytes()),
        attribute(4, &0xfu32.to_ne_bytes()),
        attribute(5, &0xfu32.to_ne_bytes()),
    ]
    .concat();
    if counters {
        requests.push(
            message(family, STATS).attribute(2 | NESTED, &header(dev, 0)).attribute(3 | NESTED, &groups),
        );
    }
    let begun = crate::clock::begin();
    let answers = with_socket(GENERIC, |socket| {
        let mut answers = socket.ask(&requests, LIMIT)?;
        // A kernel that has no counters for a message refuses it for the flag alone (the mask of `ETHTOOL_A_HEADER_FLAGS`).
        let refused = |answer: &io::Result<Vec<Vec<u8>>>| {
            answer
                .as_ref()
                .is_err_and(|e| matches!(e.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput))
        };
        let again: Vec<(usize, u8)> = (0..)
            .zip(messages.iter().zip(&answers))
            .filter(|(_, ((.., flags), answer))| flags & FLAG_STATS != 0 && refused(answer))
            .map(|(n, ((_, number, _), _))| (n, *number))
            .collect();
        if !again.is_empty() {
            let plain: Vec<Request> = again
                .iter()
                .map(|(_, number)| message(family, *number).attribute(1 | NESTED, &header(dev, 0)))
                .collect();
            for ((n, _), answer) in again.into_iter().zip(socket.ask(&plain, LIMIT)?) {
                if let Some(slot) = answers.get_mut(n) {
                    *slot = answer;
                }
            }
        }
        Ok(answers)
    })?;
    let window = begun.end();
    let names = messages.iter().map(|(name, ..)| *name).chain(["STATS"]);
    Ok((names.zip(answers).collect(), window))
}

/// The names of all features.
fn names(family: u16) -> io::Result<(Vec<u8>, Window)> {
    let set = attribute(1 | NESTED, &attribute(1, &FEATURES.to_ne_bytes()));
    let request = message(family, STRSET).attribute(2 | NESTED, &set);
    let begun = crate::clock::begin();
    let mut answers = with_socket(GENERIC, |socket| socket.ask(&[request], LIMIT))?;
    let answer = answers.pop().ok_or(io::ErrorKind::NotFound)??.pop().ok_or(io::ErrorKind::NotFound)?;
    Ok((answer, begun.end()))
}

/// A request of generic netlink: command, version, reserved.
pub(super) fn message(family: u16, command: u8) -> Request {
    Request::get(family).raw(&[command, 1, 0, 0])
}

/// `ETHTOOL_A_*_HEADER`.
pub(super) fn header(dev: &str, flags: u32) -> Vec<u8> {
    let mut header = attribute(HEADER_DEV_NAME, &[dev.as_bytes(), b"\0"].concat());
    if flags != 0 {
        header.extend(attribute(HEADER_FLAGS, &flags.to_ne_bytes()));
    }
    header
}

/// A family of generic netlink: its number is another one after each boot.
pub(super) struct Family {
    /// Its number.
    pub id: u16,
    /// The answer that said so.
    pub answer: Vec<u8>,
    /// When.
    pub window: Window,
}

impl Family {
    /// Asks for a family by its name.
    ///
    /// # Errors
    ///
    /// `NotFound` if the kernel has none with this name (`ethtool` is there since 5.6).
    pub(super) fn find(name: &str) -> io::Result<Self> {
        let request =
            message(CONTROL, GETFAMILY).attribute(CTRL_ATTR_FAMILY_NAME, &[name.as_bytes(), b"\0"].concat());
        let begun = crate::clock::begin();
        let mut answers = with_socket(GENERIC, |socket| socket.ask(&[request], LIMIT))?;
        let window = begun.end();
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no netlink family {name}"));
        let answer = answers.pop().ok_or_else(missing)??.pop().ok_or_else(missing)?;
        let id = Messages(&answer)
            .find_map(|m| {
                let (_, value) =
                    Attributes(m.body.get(4..)?).find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_ID)?;
                u16_at(value, 0)
            })
            .ok_or_else(missing)?;
        Ok(Self { id, answer, window })
    }
}
