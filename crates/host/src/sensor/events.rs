//! What the kernel tells by itself while the window is open: changes of links and addresses, as they happen.
//!
//! Not a full account of LACP: the kernel sends one message when a partner expires and none for what follows
//! (`ecosystem.md` section 1, probe 4). The samples stay what state is read from; an event asks for one at once.

use crate::clock;
use crate::collect::{self, Sink};
use crate::netlink::{Event, Socket};
use bondwitness_core::collection::{Form, Reading, v1};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

/// `NETLINK_ROUTE`.
const ROUTE: u16 = 0;
/// `RTNLGRP_LINK`, `RTNLGRP_IPV4_IFADDR`, `RTNLGRP_IPV6_IFADDR` of linux/rtnetlink.h.
const GROUPS: [u32; 3] = [1, 5, 9];
/// The file of the case.
const FILE: &str = "state/events.pcapng";
/// Events taken at once, so that a storm of them does not keep frames waiting.
const BURST: usize = 256;

/// The subscription; none where the kernel refused it, which is a reading then.
pub struct Events {
    socket: Option<Socket>,
    overruns: u64,
}

impl Events {
    /// Subscribes in the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// If the sink is gone.
    pub fn open(sink: &mut dyn Sink) -> io::Result<Self> {
        let begun = clock::begin();
        let socket = match Socket::open(ROUTE).and_then(|s| s.subscribe(&GROUPS).map(|()| s)) {
            Ok(socket) => Some(socket),
            Err(e) => {
                sink.take(Reading {
                    file: FILE.into(),
                    source: "rtnetlink events".into(),
                    window: begun.end(),
                    form: collect::failed("events", &e),
                })?;
                None
            }
        };
        Ok(Self { socket, overruns: 0 })
    }

    /// What can be waited for.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(Socket::as_fd)
    }

    /// Takes what has come in; true if there was anything, or if something was lost.
    ///
    /// # Errors
    ///
    /// If the sink is gone.
    pub fn drain(&mut self, sink: &mut dyn Sink) -> io::Result<bool> {
        let Some(socket) = &mut self.socket else { return Ok(false) };
        let mut any = false;
        for _ in 0..BURST {
            let begun = clock::begin();
            match socket.event() {
                Ok(Some(Event::Datagram(datagram))) => {
                    any = true;
                    sink.take(Reading {
                        file: FILE.into(),
                        source: "rtnetlink event".into(),
                        window: begun.end(),
                        form: Form::Netlink { protocol: ROUTE, datagram: datagram.into() },
                    })?;
                }
                Ok(Some(Event::Overrun)) => {
                    any = true;
                    self.overruns += 1;
                }
                Ok(None) => break,
                Err(_) => {
                    self.socket = None;
                    break;
                }
            }
        }
        Ok(any)
    }

    /// What was lost, if anything was.
    #[must_use]
    pub fn losses(&self) -> Option<v1::Loss> {
        (self.overruns > 0).then(|| v1::Loss {
            stream: "rtnetlink events".to_owned(),
            count: None,
            detail: format!("the receive buffer was full {} time(s)", self.overruns),
        })
    }
}
