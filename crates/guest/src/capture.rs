//! Captures of slow-protocol frames on the members and on the far end's ports.

use crate::pcapng::Pcapng;
use anyhow::{Context, Result};
use bondwitness_host::namespace::Namespace;
use bondwitness_host::packet::{self, Direction, PacketSocket};

/// A running capture of one interface.
pub(crate) struct Capture {
    name: String,
    socket: PacketSocket,
    file: Pcapng,
    /// Frames by direction, in and out.
    seen: (u64, u64),
}

impl Capture {
    /// Starts capturing an interface of a namespace.
    pub(crate) fn start(namespace: &Namespace, name: &str) -> Result<Self> {
        let socket = namespace
            .with(|| PacketSocket::open(packet::ifindex(name)?))?
            .with_context(|| format!("cannot capture on {name}"))?;
        Ok(Self { name: name.to_owned(), socket, file: Pcapng::new(name), seen: (0, 0) })
    }

    /// Takes what has come in.
    pub(crate) fn drain(&mut self) {
        let mut buffer = [0; 256];
        // A socket tells once that its interface went down or away; what was captured stays, and more may come.
        let mut errors = 0;
        while errors < 4 {
            match self.socket.receive(&mut buffer) {
                Ok(Some(frame)) => {
                    let bytes = buffer.get(..frame.captured).unwrap_or_default();
                    self.file.frame(frame.ns, frame.direction, frame.length, bytes);
                    match frame.direction {
                        Direction::In => self.seen.0 += 1,
                        Direction::Out => self.seen.1 += 1,
                    }
                }
                Ok(None) => return,
                Err(_) => errors += 1,
            }
        }
    }

    /// The interface.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The file so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.file.bytes()
    }

    /// Frames received, sent, and lost to a full buffer.
    pub(crate) fn counts(&self) -> (u64, u64, u32) {
        (self.seen.0, self.seen.1, self.socket.counted().map_or(0, |c| c.dropped))
    }
}
