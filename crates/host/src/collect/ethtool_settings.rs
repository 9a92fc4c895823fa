//! `ethtool-settings`: what `ethtool` shows about each member, by generic netlink: link modes and state, features, rings,
//! coalescing, pause, channels, FEC, energy saving, time stamping, module, standard counters.
//!
//! The file begins with the kernel's answer that gives the number of the family. Bit sets come with names. Most drivers
//! answer only some of the requests; which they do not offer is one reading per member.

use super::dumps::{To, refuse};
use super::{Collector, Pace, Sink, Target};
use crate::bounded;
use crate::netlink::{Attributes, GENERIC, Messages, Request, Socket, attribute, u16_at};
use bondwitness_core::collection::{Form, Reading, Window, v1};
use std::borrow::Cow;
use std::io;
use std::time::Duration;

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Snapshot, run };

const ID: &str = "ethtool-settings";
const LIMIT: Duration = Duration::from_secs(3);
const TO: To = To { collector: ID, file: "state/ethtool.pcapng", protocol: GENERIC };
/// `GENL_ID_CTRL` and `CTRL_CMD_GETFAMILY`.
const CONTROL: u16 = 16;
const GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// `ETHTOOL_A_HEADER_*`.
const HEADER_DEV_NAME: u16 = 2;
const HEADER_FLAGS: u16 = 3;
/// `ETHTOOL_FLAG_STATS`: with the counters that belong to a setting.
const FLAG_STATS: u32 = 4;
const NESTED: u16 = 0x8000;

/// `ETHTOOL_MSG_*_GET` with its number, and whether counters are asked for. Those of time stamps are not:
/// nothing reads them.
const MESSAGES: [(&str, u8, bool); 13] = [
    ("LINKINFO", 2, false),
    ("LINKMODES", 4, false),
    ("LINKSTATE", 6, false),
    ("FEATURES", 11, false),
    ("PRIVFLAGS", 13, false),
    ("RINGS", 15, false),
    ("CHANNELS", 17, false),
    ("COALESCE", 19, false),
    ("PAUSE", 21, true),
    ("EEE", 23, false),
    ("TSINFO", 25, false),
    ("FEC", 29, true),
    ("MODULE", 34, false),
];
/// `ETHTOOL_MSG_STATS_GET`, whose attributes are numbered apart.
const STATS: u8 = 32;

fn run(target: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    if target.members.is_empty() {
        return Ok(());
    }
    let source = "CTRL_CMD_GETFAMILY ethtool";
    let family = match bounded::call(ID, LIMIT, || Family::find("ethtool")) {
        Ok(family) => family,
        Err(e) => return refuse(sink, TO, source, &e),
    };
    take(sink, source, family.window, family.answer)?;
    let id = family.id;
    for (dev, answer) in bounded::each(ID, LIMIT, &target.members, move |dev| settings(id, dev)) {
        let (answers, window) = match answer {
            Ok(answers) => answers,
            Err(e) => {
                refuse(sink, TO, &format!("ETHTOOL_MSG_*_GET {dev}"), &e)?;
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
                Err(e) => refuse(sink, TO, &source, &e)?,
            }
        }
        if !not_offered.is_empty() {
            let detail = format!("not offered by this driver or kernel: {}", not_offered.join(", "));
            let form = Form::Failed { collector: ID.into(), why: v1::Cause::Absent, detail: detail.into() };
            let source = format!("ETHTOOL_MSG_*_GET {dev}");
            sink.take(Reading { file: TO.file.into(), source: source.into(), window, form })?;
        }
    }
    Ok(())
}

fn take(sink: &mut dyn Sink, source: &str, window: Window, datagram: Vec<u8>) -> io::Result<()> {
    sink.take(Reading {
        file: TO.file.into(),
        source: source.into(),
        window,
        form: Form::Netlink { protocol: GENERIC, datagram: Cow::Owned(datagram) },
    })
}

type Answers = Vec<(&'static str, io::Result<Vec<Vec<u8>>>)>;

fn settings(family: u16, dev: &str) -> io::Result<(Answers, Window)> {
    let mut requests: Vec<Request> = MESSAGES
        .iter()
        .map(|(_, number, stats)| {
            let flags = if *stats { FLAG_STATS } else { 0 };
            message(family, *number).attribute(1 | NESTED, &header(dev, flags))
        })
        .collect();
    // eth-phy, eth-mac, eth-ctrl, rmon: the first four bits, as a bit set in its short form.
    let groups = [
        attribute(2, &4u32.to_ne_bytes()),
        attribute(4, &0xfu32.to_ne_bytes()),
        attribute(5, &0xfu32.to_ne_bytes()),
    ]
    .concat();
    requests
        .push(message(family, STATS).attribute(2 | NESTED, &header(dev, 0)).attribute(3 | NESTED, &groups));
    let begun = crate::clock::begin();
    let mut socket = Socket::open(GENERIC)?;
    let mut answers = socket.ask(&requests, LIMIT)?;
    // A kernel that has no counters for a message refuses it for the flag alone (the mask of `ETHTOOL_A_HEADER_FLAGS`).
    let refused = |answer: &io::Result<Vec<Vec<u8>>>| {
        answer
            .as_ref()
            .is_err_and(|e| matches!(e.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput))
    };
    let again: Vec<usize> = (0..)
        .zip(MESSAGES.iter().zip(&answers))
        .filter(|(_, ((.., stats), answer))| *stats && refused(answer))
        .map(|(n, _)| n)
        .collect();
    let plain: Vec<Request> = again
        .iter()
        .filter_map(|n| MESSAGES.get(*n))
        .map(|(_, number, _)| message(family, *number).attribute(1 | NESTED, &header(dev, 0)))
        .collect();
    if !plain.is_empty() {
        for (n, answer) in again.into_iter().zip(socket.ask(&plain, LIMIT)?) {
            if let Some(slot) = answers.get_mut(n) {
                *slot = answer;
            }
        }
    }
    let window = begun.end();
    let names = MESSAGES.iter().map(|(name, ..)| *name).chain(["STATS"]);
    Ok((names.zip(answers).collect(), window))
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
        let mut answers = Socket::open(GENERIC)?.ask(&[request], LIMIT)?;
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
