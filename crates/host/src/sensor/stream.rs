//! The two pipes between sensor and judge: readings one way, what is to be printed and stored the other way.
//!
//! A message is one octet of kind, the length of its body (32 bits), and the body; numbers are little endian. Both ends
//! are the same program, so the form may change with every version. The reader still trusts nothing: the side that parses
//! frames from the wire is the other end of one of the pipes.

use bondwitness_core::collection::{Form, Reading, Window, v1};
use bondwitness_core::evidence::Direction;
use std::borrow::Cow;
use std::io::{self, Read, Write};

/// Largest body that is believed.
pub const MAX_BODY: usize = 256 * 1024 * 1024;

/// From the sensor to the judge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one at a time, never stored")]
pub enum Told {
    /// What is wanted, as the program's own JSON.
    Begin(Vec<u8>),
    /// A reading.
    Reading(Reading<'static>),
    /// A capture was opened: its file and interface.
    Opened(String, String),
    /// A capture was closed: its counters.
    Closed(v1::Capture),
    /// A second went by.
    Tick,
    /// A signature over what [`Said::Sign`] asked for; empty if there is none.
    Signed(Vec<u8>),
    /// Everything was read. What no reading says, without failures.
    End(v1::Collection),
}

/// From the judge to the sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The state of things, for a terminal.
    Progress(String),
    /// A flap was seen.
    Flap(String),
    /// Octets for standard output.
    Out(Vec<u8>),
    /// Octets for standard error.
    Err(Vec<u8>),
    /// A file to be written under the name that the user gave for its kind (`bundle`, `mapping`).
    File(String, Vec<u8>),
    /// Octets to be signed with the user's key.
    Sign(Vec<u8>),
    /// The end, with the exit code.
    Exit(u8),
}

fn send(out: &mut impl Write, kind: u8, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let [a, b, c, d] = length.to_le_bytes();
    out.write_all(&[kind, a, b, c, d])?;
    out.write_all(body)
}

/// The next message, or none at the end.
fn receive(from: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0u8; 5];
    let mut got = 0;
    while got < head.len() {
        match from.read(head.get_mut(got..).unwrap_or_default()) {
            Ok(0) if got == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let [kind, a, b, c, d] = head;
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length > MAX_BODY {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "message too long"));
    }
    let mut body = Vec::new();
    // Memory grows with what really comes.
    from.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((kind, body)))
}

impl Told {
    /// Writes the message.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    pub fn send(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Begin(json) => send(out, 1, json),
            Self::Reading(reading) => send_reading(out, reading),
            Self::Opened(file, dev) => {
                let mut body = Body::default();
                body.bytes(file.as_bytes());
                body.bytes(dev.as_bytes());
                send(out, 3, &body.0)
            }
            Self::Closed(capture) => send(out, 4, &json(capture)),
            Self::Tick => send(out, 5, &[]),
            Self::Signed(signature) => send(out, 6, signature),
            Self::End(collection) => send(out, 7, &json(collection)),
        }
    }

    /// Reads a message; none at the end of the stream.
    ///
    /// # Errors
    ///
    /// If the stream ends within a message or is none of ours.
    pub fn receive(from: &mut impl Read) -> io::Result<Option<Self>> {
        let Some((kind, body)) = receive(from)? else { return Ok(None) };
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "damaged message");
        Ok(Some(match kind {
            1 => Self::Begin(body),
            2 => Self::Reading(reading(&body).ok_or_else(bad)?),
            3 => {
                let mut parts = Parts(&body);
                let (file, dev) = (parts.text().ok_or_else(bad)?, parts.text().ok_or_else(bad)?);
                Self::Opened(file, dev)
            }
            4 => Self::Closed(serde_json::from_slice(&body)?),
            5 => Self::Tick,
            6 => Self::Signed(body),
            7 => Self::End(serde_json::from_slice(&body)?),
            _ => return Err(bad()),
        }))
    }
}

impl Said {
    /// Writes the message.
    ///
    /// # Errors
    ///
    /// If the other end is gone.
    pub fn send(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Progress(text) => send(out, 33, text.as_bytes()),
            Self::Flap(text) => send(out, 34, text.as_bytes()),
            Self::Out(bytes) => send(out, 35, bytes),
            Self::Err(bytes) => send(out, 36, bytes),
            Self::File(kind, bytes) => {
                let mut body = Body::default();
                body.bytes(kind.as_bytes());
                body.bytes(bytes);
                send(out, 37, &body.0)
            }
            Self::Sign(bytes) => send(out, 38, bytes),
            Self::Exit(code) => send(out, 39, &[*code]),
        }
    }

    /// Reads a message; none at the end of the stream.
    ///
    /// # Errors
    ///
    /// If the stream ends within a message or is none of ours.
    pub fn receive(from: &mut impl Read) -> io::Result<Option<Self>> {
        let Some((kind, body)) = receive(from)? else { return Ok(None) };
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "damaged message");
        let text = |body: Vec<u8>| String::from_utf8(body).map_err(|_| bad());
        Ok(Some(match kind {
            33 => Self::Progress(text(body)?),
            34 => Self::Flap(text(body)?),
            35 => Self::Out(body),
            36 => Self::Err(body),
            37 => {
                let mut parts = Parts(&body);
                let kind = parts.text().ok_or_else(bad)?;
                Self::File(kind, parts.bytes().ok_or_else(bad)?.to_vec())
            }
            38 => Self::Sign(body),
            39 => Self::Exit(body.first().copied().ok_or_else(bad)?),
            _ => return Err(bad()),
        }))
    }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Plain strings and numbers: this cannot fail; the other end refuses an empty body.
    serde_json::to_vec(value).unwrap_or_default()
}

#[derive(Default)]
struct Body(Vec<u8>);

impl Body {
    fn number(&mut self, n: i64) {
        self.0.extend(n.to_le_bytes());
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.0.extend(bytes);
    }
}

struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn number(&mut self) -> Option<i64> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i64::from_le_bytes(*head))
    }
    fn octet(&mut self) -> Option<u8> {
        let (head, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*head)
    }
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*head)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
    fn text(&mut self) -> Option<String> {
        self.bytes().map(|b| String::from_utf8_lossy(b).into_owned())
    }
}

/// Writes a reading without copying it into a [`Told`].
///
/// # Errors
///
/// If the other end is gone.
pub fn send_reading(out: &mut impl Write, reading: &Reading<'_>) -> io::Result<()> {
    let mut body = Body::default();
    body.bytes(reading.file.as_bytes());
    body.bytes(reading.source.as_bytes());
    body.number(reading.window.begin_ns);
    body.number(reading.window.end_ns);
    body.number(reading.window.real_ns);
    match &reading.form {
        Form::Text(bytes) => {
            body.0.push(0);
            body.bytes(bytes);
        }
        Form::Netlink { protocol, datagram } => {
            body.0.push(1);
            body.number(i64::from(*protocol));
            body.bytes(datagram);
        }
        Form::Frame { dev, direction, length, bytes } => {
            body.0.push(if *direction == Direction::Out { 3 } else { 2 });
            body.bytes(dev.as_bytes());
            body.number(i64::from(*length));
            body.bytes(bytes);
        }
        Form::Failed { collector, why, detail } => {
            body.0.push(4);
            body.bytes(collector.as_bytes());
            body.bytes(why.words().as_bytes());
            body.bytes(detail.as_bytes());
        }
    }
    send(out, 2, &body.0)
}

fn reading(body: &[u8]) -> Option<Reading<'static>> {
    let mut parts = Parts(body);
    let (file, source) = (parts.text()?, parts.text()?);
    let window = Window { begin_ns: parts.number()?, end_ns: parts.number()?, real_ns: parts.number()? };
    let form = match parts.octet()? {
        0 => Form::Text(Cow::Owned(parts.bytes()?.to_vec())),
        1 => Form::Netlink {
            protocol: u16::try_from(parts.number()?).ok()?,
            datagram: Cow::Owned(parts.bytes()?.to_vec()),
        },
        way @ (2 | 3) => Form::Frame {
            dev: parts.text()?.into(),
            direction: if way == 3 { Direction::Out } else { Direction::In },
            length: u32::try_from(parts.number()?).ok()?,
            bytes: Cow::Owned(parts.bytes()?.to_vec()),
        },
        4 => Form::Failed {
            collector: parts.text()?.into(),
            why: cause(&parts.text()?)?,
            detail: parts.text()?.into(),
        },
        _ => return None,
    };
    Some(Reading { file: file.into(), source: source.into(), window, form })
}

fn cause(words: &str) -> Option<v1::Cause> {
    [v1::Cause::NoPrivilege, v1::Cause::Absent, v1::Cause::Timeout, v1::Cause::Lost]
        .into_iter()
        .find(|c| c.words() == words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings() -> Vec<Told> {
        let window = Window { begin_ns: 1, end_ns: -2, real_ns: i64::MAX };
        let forms = [
            Form::Text(Cow::Borrowed(b"a\0b\xff".as_slice())),
            Form::Netlink { protocol: 16, datagram: Cow::Borrowed(&[]) },
            Form::Frame {
                dev: "eno1".into(),
                direction: Direction::Out,
                length: 124,
                bytes: Cow::Borrowed(&[7; 60]),
            },
            Form::Frame {
                dev: "\x1b".into(),
                direction: Direction::In,
                length: 0,
                bytes: Cow::Borrowed(&[]),
            },
            Form::Failed { collector: "kernel-log".into(), why: v1::Cause::Timeout, detail: "-".into() },
        ];
        let mut told = vec![
            Told::Begin(b"{}".to_vec()),
            Told::Opened("capture/eno1.pcapng".into(), "eno1".into()),
            Told::Tick,
            Told::Signed(Vec::new()),
            Told::Closed(v1::Capture { dev: "eno1".into(), seen: 3, ..Default::default() }),
            Told::End(v1::Collection { tool: "x".into(), ..Default::default() }),
        ];
        told.extend(
            forms.map(|form| Told::Reading(Reading { file: "f".into(), source: "s".into(), window, form })),
        );
        told
    }

    #[test]
    fn every_message_arrives_as_it_was_sent() {
        let mut pipe = Vec::new();
        for message in readings() {
            message.send(&mut pipe).unwrap();
        }
        let mut from = pipe.as_slice();
        for message in readings() {
            assert_eq!(Told::receive(&mut from).unwrap(), Some(message));
        }
        assert_eq!(Told::receive(&mut from).unwrap(), None);

        let said = [
            Said::Progress("a".into()),
            Said::Flap("b".into()),
            Said::Out(vec![1, 2]),
            Said::Err(vec![3]),
            Said::File("bundle".into(), vec![4; 1000]),
            Said::Sign(vec![5]),
            Said::Exit(12),
        ];
        let mut pipe = Vec::new();
        for message in &said {
            message.send(&mut pipe).unwrap();
        }
        let mut from = pipe.as_slice();
        for message in said {
            assert_eq!(Said::receive(&mut from).unwrap(), Some(message));
        }
    }

    #[test]
    fn what_is_cut_off_or_foreign_is_an_error_and_no_panic() {
        let mut whole = Vec::new();
        for message in readings() {
            message.send(&mut whole).unwrap();
        }
        for cut in 1..whole.len() {
            let mut from = whole.get(..cut).unwrap();
            while let Ok(Some(_)) = Told::receive(&mut from) {}
        }
        assert!(Told::receive(&mut [9u8, 0, 0, 0, 0].as_slice()).is_err());
        assert!(Told::receive(&mut [2u8, 255, 255, 255, 255].as_slice()).is_err());
        assert!(Said::receive(&mut [39u8, 0, 0, 0, 0].as_slice()).is_err());
    }
}
