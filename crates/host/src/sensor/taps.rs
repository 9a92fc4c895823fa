//! Captures on the members: opened, followed through renames and re-creation, counted, closed.

use crate::clock;
use crate::collect::{self, Sink};
use crate::packet::{self, Direction, PacketSocket, Tap};
use bondwitness_core::collection::{Form, Reading, Window, spool, v1};
use bondwitness_core::evidence;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

/// Where a frame is cut. A LACPDU has 124 octets, with the longest version 2 TLVs below 200; LLDP names come first.
pub const SNAPLEN: usize = 512;
/// Frames that are taken from one socket before the others have their turn.
const BURST: usize = 4096;
/// More frames than this from one socket at a time are a storm: a bond in order sends and hears one in a second.
const STORM: u64 = 256;

/// A capture of one interface.
struct Open {
    socket: PacketSocket,
    counts: v1::Capture,
    gone: bool,
}

/// The captures of a session.
pub struct Taps {
    open: BTreeMap<(String, u32), Open>,
    closed: Vec<v1::Capture>,
    failed: BTreeMap<String, String>,
    outgoing: bool,
    busy: bool,
    buffer: Vec<u8>,
}

/// The file of the case that an interface's frames go to.
#[must_use]
pub fn file(dev: &str) -> String {
    format!("capture/{}.pcapng", spool::safe_name(dev))
}

impl Taps {
    /// No capture yet. With `outgoing`, sent frames are captured too.
    #[must_use]
    pub fn new(outgoing: bool) -> Self {
        Self {
            open: BTreeMap::new(),
            closed: Vec::new(),
            failed: BTreeMap::new(),
            outgoing,
            busy: false,
            // One octet more than is kept, for a tag that is put back.
            buffer: vec![0; SNAPLEN],
        }
    }

    /// Opens captures on the members that have none, and closes those on interfaces that are members no more. Returns
    /// the captures that were opened: file and interface.
    ///
    /// # Errors
    ///
    /// If the sink is gone. An interface that cannot be captured on is a reading that failed, said once.
    pub fn follow(&mut self, members: &[String], sink: &mut dyn Sink) -> io::Result<Vec<(String, String)>> {
        let mut opened = Vec::new();
        let mut wanted = Vec::new();
        for dev in members {
            let begun = clock::begin();
            let attempt = packet::ifindex(dev).and_then(|index| {
                wanted.push((dev.clone(), index));
                if self.open.contains_key(&(dev.clone(), index)) {
                    return Ok(None);
                }
                PacketSocket::tap(index, Tap { outgoing: self.outgoing, lldp: true })
                    .map(|s| Some((index, s)))
            });
            match attempt {
                Ok(None) => {}
                Ok(Some((ifindex, socket))) => {
                    let counts = v1::Capture {
                        dev: dev.clone(),
                        ifindex,
                        file: file(dev),
                        from_ns: clock::real_ns(),
                        outgoing: self.outgoing,
                        ..v1::Capture::default()
                    };
                    opened.push((counts.file.clone(), dev.clone()));
                    self.failed.remove(dev);
                    self.open.insert((dev.clone(), ifindex), Open { socket, counts, gone: false });
                }
                Err(e) => {
                    let words = e.to_string();
                    if self.failed.get(dev) != Some(&words) {
                        self.failed.insert(dev.clone(), words);
                        sink.take(Reading {
                            file: file(dev).into(),
                            source: format!("capture of LACPDUs on {dev}").into(),
                            window: begun.end(),
                            form: collect::failed("capture", &e),
                        })?;
                    }
                }
            }
        }
        let left: Vec<(String, u32)> = self.open.keys().filter(|k| !wanted.contains(k)).cloned().collect();
        for key in left {
            if let Some(open) = self.open.get_mut(&key) {
                Self::drain_one(&key, open, &mut self.buffer, sink)?;
            }
            self.close(&key);
        }
        Ok(opened)
    }

    /// Receives the slow protocols' group address where nothing else does: on members of bonds without LACP. To be
    /// called after the list of addresses was recorded.
    pub fn join(&mut self, devs: &[String]) {
        for ((dev, _), open) in &mut self.open {
            if devs.contains(dev) && !open.counts.joined {
                open.counts.joined = open.socket.join_slow_protocols().is_ok();
            }
        }
    }

    /// What can be waited for.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        // A socket whose interface is gone is always ready and never has anything.
        self.open.values().filter(|o| !o.gone).map(|o| o.socket.as_fd())
    }

    /// Takes what has come in. Returns true if there may be more.
    ///
    /// # Errors
    ///
    /// If the sink is gone.
    pub fn drain(&mut self, sink: &mut dyn Sink) -> io::Result<bool> {
        let mut more = false;
        self.busy = false;
        for (key, open) in &mut self.open {
            let before = open.counts.stored;
            more |= Self::drain_one(key, open, &mut self.buffer, sink)?;
            self.busy |= open.counts.stored - before > STORM;
        }
        Ok(more)
    }

    /// True if the last [`Taps::drain`] took so many frames that the next ones should not wait long.
    #[must_use]
    pub const fn busy(&self) -> bool {
        self.busy
    }

    fn drain_one(
        key: &(String, u32),
        open: &mut Open,
        buffer: &mut [u8],
        sink: &mut dyn Sink,
    ) -> io::Result<bool> {
        let mut errors = 0;
        for _ in 0..BURST {
            let frame = match open.socket.receive(buffer) {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(false),
                // The socket says once that its interface went down; frames may come again when it is up.
                Err(e) => {
                    open.gone = e.raw_os_error() == Some(libc::ENODEV);
                    errors += 1;
                    if errors > 3 || open.gone {
                        return Ok(false);
                    }
                    continue;
                }
            };
            let bytes = buffer.get(..frame.captured).unwrap_or_default();
            let (bytes, extra): (Cow<'_, [u8]>, usize) = match (frame.vlan, bytes.split_at_checked(12)) {
                (Some((tpid, tci)), Some((addresses, rest))) => {
                    let tag: Vec<u8> = tpid.to_be_bytes().into_iter().chain(tci.to_be_bytes()).collect();
                    ([addresses, &tag, rest].concat().into(), 4)
                }
                _ => (bytes.into(), 0),
            };
            let direction = match frame.direction {
                Direction::In => evidence::Direction::In,
                Direction::Out => evidence::Direction::Out,
            };
            let reading = Reading {
                file: Cow::Borrowed(&open.counts.file),
                source: Cow::Borrowed(&key.0),
                window: Window { begin_ns: 0, end_ns: 0, real_ns: frame.ns },
                form: Form::Frame {
                    dev: Cow::Borrowed(&key.0),
                    direction,
                    length: u32::try_from(frame.length + extra).unwrap_or(u32::MAX),
                    bytes,
                },
            };
            open.counts.stored += 1;
            sink.take(reading)?;
        }
        Ok(true)
    }

    fn close(&mut self, key: &(String, u32)) {
        if let Some(mut open) = self.open.remove(key) {
            // The kernel forgets its counters as it tells them: this is the only call.
            if let Ok(counted) = open.socket.counted() {
                open.counts.seen = u64::from(counted.seen);
                open.counts.lost = u64::from(counted.dropped);
            }
            open.counts.to_ns = clock::real_ns();
            self.closed.push(open.counts);
        }
    }

    /// Takes what is still there, closes every capture, and returns what each one counted.
    ///
    /// # Errors
    ///
    /// If the sink is gone.
    pub fn finish(&mut self, sink: &mut dyn Sink) -> io::Result<Vec<v1::Capture>> {
        let keys: Vec<(String, u32)> = self.open.keys().cloned().collect();
        // All at one moment, and before anything is taken: what was counted is then what is stored and what was lost.
        for open in self.open.values() {
            let _ = open.socket.shut();
        }
        for key in &keys {
            // Bounded, should the kernel have refused.
            for _ in 0..64 {
                let Some(open) = self.open.get_mut(key) else { break };
                if !Self::drain_one(key, open, &mut self.buffer, sink)? {
                    break;
                }
            }
            self.close(key);
        }
        Ok(std::mem::take(&mut self.closed))
    }
}
