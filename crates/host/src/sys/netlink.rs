//! Netlink sockets: requests, dumps and events, as raw datagrams.
//!
//! Nothing of what comes back is interpreted here beyond what is needed to know that an answer is complete: type,
//! sequence number, errors, and the kernel's own word that a dump was interrupted by a change (`NLM_F_DUMP_INTR`).
//! Layouts: `include/uapi/linux/netlink.h`.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

/// `NETLINK_ROUTE`: links, addresses, neighbours, queueing disciplines.
pub const ROUTE: u16 = 0;
/// `NETLINK_GENERIC`: `ethtool`, `drop_monitor`.
pub const GENERIC: u16 = 16;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_MULTI: u16 = 0x2;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLM_F_DUMP: u16 = 0x300;
const NLMSGERR_ATTR_MSG: u16 = 1;
/// `NLMSG_HDRLEN`.
const HEADER: usize = 16;
/// The kernel fills at most 32 KiB into one datagram of a dump; a single answer may be longer (hundreds of VFs).
const DATAGRAM: usize = 256 * 1024;
/// How often an interrupted dump is asked for.
const TRIES: u32 = 3;

/// A request in the making. Integers are in host byte order.
#[derive(Debug, Clone)]
pub struct Request {
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl Request {
    /// A request for one object. `kind` is the message type (`RTM_GETLINK`, or a generic netlink family).
    #[must_use]
    pub const fn get(kind: u16) -> Self {
        Self { kind, flags: NLM_F_REQUEST, body: Vec::new() }
    }

    /// A request for all objects.
    #[must_use]
    pub const fn dump(kind: u16) -> Self {
        Self { kind, flags: NLM_F_REQUEST | NLM_F_DUMP, body: Vec::new() }
    }

    /// Adds bytes of the family's own header, padded to four.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.body.extend_from_slice(bytes);
        self.pad();
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        self.body.extend(attribute(kind, value));
        self
    }

    /// The family's own header and the attributes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    fn pad(&mut self) {
        self.body.resize(self.body.len().next_multiple_of(4), 0);
    }

    fn bytes(&self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(HEADER + self.body.len()).unwrap_or(u32::MAX);
        let mut out = length.to_ne_bytes().to_vec();
        out.extend(self.kind.to_ne_bytes());
        out.extend(self.flags.to_ne_bytes());
        out.extend(sequence.to_ne_bytes());
        out.extend(0u32.to_ne_bytes());
        out.extend(&self.body);
        out
    }
}

/// One attribute, padded to four bytes.
#[must_use]
pub fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut out = u16::try_from(value.len() + 4).unwrap_or(u16::MAX).to_ne_bytes().to_vec();
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// The answer to a dump.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    /// The datagrams of the last try, as received; the last one ends with `NLMSG_DONE`.
    pub datagrams: Vec<Vec<u8>>,
    /// True if the kernel said, in every try, that something changed while it was listing: entries may be missing or be
    /// there twice.
    pub interrupted: bool,
}

/// What a subscribed socket has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A datagram as received.
    Datagram(Vec<u8>),
    /// The receive buffer was full: an unknown number of messages is missing here (`ENOBUFS`).
    Overrun,
}

/// A netlink socket in the network namespace of the thread that opened it. It never blocks when it receives.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    sequence: u32,
    overruns: u64,
    buffer: Vec<u8>,
}

#[allow(unsafe_code, reason = "the standard library has no netlink sockets")]
impl Socket {
    /// Opens a socket of a protocol ([`ROUTE`], [`GENERIC`]). No privilege is needed.
    ///
    /// Requests are checked strictly where the kernel can (4.20): a filter that it does not know is then an error
    /// instead of an answer that ignores it.
    ///
    /// # Errors
    ///
    /// If the kernel refuses: a sandbox without `AF_NETLINK`, no more descriptors.
    pub fn open(protocol: u16) -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked.
        let raw = unsafe {
            libc::socket(
                libc::AF_NETLINK,
                libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
                i32::from(protocol),
            )
        };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just opened and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        // Zeros from the system: pages that no answer reaches are never touched.
        let socket = Self { fd, sequence: 0, overruns: 0, buffer: vec![0; DATAGRAM] };
        // Both only help: an old kernel without them answers all the same.
        let _ = socket.option(libc::SOL_NETLINK, libc::NETLINK_GET_STRICT_CHK, 1);
        let _ = socket.option(libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, 1);
        Ok(socket)
    }

    /// Joins multicast groups (`RTNLGRP_LINK` is 1) with a receive buffer of 8 MiB, or what the system allows.
    ///
    /// # Errors
    ///
    /// If the kernel refuses one of the groups, or a port for the socket.
    pub fn subscribe(&self, groups: &[u32]) -> io::Result<()> {
        const BYTES: i32 = 8 * 1024 * 1024;
        self.bind()?;
        if self.option(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BYTES).is_err() {
            // Without CAP_NET_ADMIN the kernel cuts it to net.core.rmem_max; overruns are counted either way.
            let _ = self.option(libc::SOL_SOCKET, libc::SO_RCVBUF, BYTES);
        }
        for group in groups {
            let group = i32::try_from(*group).map_err(io::Error::other)?;
            self.option(libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, group)?;
        }
        Ok(())
    }

    /// Lets the kernel choose a port. Without one the socket has port 0, which is also whom a message is not sent to when
    /// nobody is left out (`do_one_broadcast()` in net/netlink/af_netlink.c): it would be a member and hear nothing.
    fn bind(&self) -> io::Result<()> {
        // SAFETY: plain numbers, for which all zero is a valid value.
        let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
        address.nl_family = libc::sa_family_t::try_from(libc::AF_NETLINK).map_err(io::Error::other)?;
        let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_nl>()).unwrap_or_default();
        // SAFETY: the address is live and the length is its size; the kernel only reads it.
        let done = unsafe { libc::bind(self.fd.as_raw_fd(), (&raw const address).cast(), length) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn option(&self, level: i32, name: i32, value: i32) -> io::Result<()> {
        let length = libc::socklen_t::try_from(size_of::<i32>()).unwrap_or_default();
        // SAFETY: the pointer is to a live value and the length is its size; the kernel only reads it.
        let done =
            unsafe { libc::setsockopt(self.fd.as_raw_fd(), level, name, (&raw const value).cast(), length) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// How often the receive buffer was full since the socket was opened.
    #[must_use]
    pub const fn overruns(&self) -> u64 {
        self.overruns
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        // SAFETY: pointer and length are of the same slice, which the kernel only reads. Without an address the kernel
        // is the receiver.
        let sent = unsafe { libc::send(self.fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The next datagram of the kernel, if one is waiting. Datagrams of other processes are thrown away.
    fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            // SAFETY: plain numbers, for which all zero is a valid value.
            let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
            let mut length = libc::socklen_t::try_from(size_of::<libc::sockaddr_nl>()).unwrap_or_default();
            // SAFETY: buffer and address are live, each with its true length.
            let got = unsafe {
                libc::recvfrom(
                    self.fd.as_raw_fd(),
                    self.buffer.as_mut_ptr().cast(),
                    self.buffer.len(),
                    libc::MSG_DONTWAIT | libc::MSG_TRUNC,
                    (&raw mut address).cast(),
                    &raw mut length,
                )
            };
            let Ok(got) = usize::try_from(got) else {
                let error = io::Error::last_os_error();
                return match error.kind() {
                    io::ErrorKind::WouldBlock => Ok(None),
                    io::ErrorKind::Interrupted => continue,
                    _ => {
                        if error.raw_os_error() == Some(libc::ENOBUFS) {
                            self.overruns = self.overruns.saturating_add(1);
                        }
                        Err(error)
                    }
                };
            };
            // Any process may send to this socket; only the kernel has port 0.
            if address.nl_pid != 0 {
                continue;
            }
            return match self.buffer.get(..got) {
                Some(datagram) => Ok(Some(datagram)),
                None => Err(lost(format!("an answer of {got} octets was cut"))),
            };
        }
    }

    /// Waits for something to receive, until `deadline`.
    fn wait(&self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the kernel did not answer in time"));
        }
        let mut polled = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let ms = i32::try_from(left.as_millis()).unwrap_or(i32::MAX).max(1);
        // SAFETY: the pointer is to one live element.
        if unsafe { libc::poll(&raw mut polled, 1, ms) } < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Socket {
    /// The next event, if one is waiting.
    ///
    /// # Errors
    ///
    /// If the kernel reports anything but a full buffer, which is an [`Event`].
    pub fn event(&mut self) -> io::Result<Option<Event>> {
        let before = self.overruns;
        let received = self.receive().map(|d| d.map(<[u8]>::to_vec));
        match received {
            Ok(datagram) => Ok(datagram.map(Event::Datagram)),
            Err(_) if self.overruns > before => Ok(Some(Event::Overrun)),
            Err(e) => Err(e),
        }
    }

    /// Asks for all objects. A dump that was interrupted by a change is asked for again, up to three times.
    ///
    /// Sending waits in the kernel if another holds the RTNL lock, for as long as that takes: where it matters, call
    /// this with a limit from outside.
    ///
    /// # Errors
    ///
    /// What the kernel answered (`Unsupported`: it does not know the request), `TimedOut` if the answer was not
    /// complete in time, `Interrupted` if a part of it was lost in every try.
    pub fn dump(&mut self, request: &Request, limit: Duration) -> io::Result<Dump> {
        let deadline = Instant::now() + limit;
        let mut last = Ok(Dump::default());
        for _ in 0..TRIES {
            let overruns = self.overruns;
            last = self.try_dump(request, deadline);
            match &last {
                Ok(dump) if !dump.interrupted => break,
                Err(_) if self.overruns == overruns => break,
                _ => {}
            }
        }
        last.map_err(|e| if e.raw_os_error() == Some(libc::ENOBUFS) { lost(e.to_string()) } else { e })
    }

    fn try_dump(&mut self, request: &Request, deadline: Instant) -> io::Result<Dump> {
        let sequence = self.next();
        self.send(&request.bytes(sequence))?;
        let mut dump = Dump::default();
        loop {
            let Some(datagram) = self.receive()? else {
                self.wait(deadline)?;
                continue;
            };
            let mut ours = false;
            let mut done = false;
            for message in Messages(datagram) {
                if message.sequence != sequence {
                    continue;
                }
                ours = true;
                dump.interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
                if let Some(error) = message.error() {
                    return Err(error);
                }
                done |= matches!(message.kind, NLMSG_DONE | NLMSG_ERROR);
            }
            if ours {
                dump.datagrams.push(datagram.to_vec());
            }
            if done {
                return Ok(dump);
            }
        }
    }

    /// Asks for several single objects with one system call; the answers come in the order of the requests.
    ///
    /// # Errors
    ///
    /// As a whole if nothing could be sent. Per request: what the kernel answered, or `TimedOut`.
    pub fn ask(
        &mut self,
        requests: &[Request],
        limit: Duration,
    ) -> io::Result<Vec<io::Result<Vec<Vec<u8>>>>> {
        let deadline = Instant::now() + limit;
        let mut answers = Vec::with_capacity(requests.len());
        // Few enough at a time that the answers fit into the default receive buffer.
        for some in requests.chunks(16) {
            self.ask_some(some, deadline, &mut answers)?;
        }
        Ok(answers)
    }

    fn ask_some(
        &mut self,
        requests: &[Request],
        deadline: Instant,
        answers: &mut Vec<io::Result<Vec<Vec<u8>>>>,
    ) -> io::Result<()> {
        let first = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        for request in requests {
            let sequence = self.next();
            bytes.extend(request.bytes(sequence));
        }
        self.send(&bytes)?;
        let mut got: Vec<Option<io::Result<Vec<Vec<u8>>>>> = requests.iter().map(|_| None).collect();
        let mut partial: Vec<Vec<Vec<u8>>> = requests.iter().map(|_| Vec::new()).collect();
        while got.iter().any(Option::is_none) {
            let received = match self.receive() {
                Ok(Some(datagram)) => datagram.to_vec(),
                Ok(None) => match self.wait(deadline) {
                    Ok(()) => continue,
                    Err(e) => {
                        fill(&mut got, &e);
                        break;
                    }
                },
                Err(e) => {
                    fill(&mut got, &lost(e.to_string()));
                    break;
                }
            };
            for message in Messages(&received) {
                let at = message.sequence.wrapping_sub(first) as usize;
                let (Some(slot), Some(parts)) = (got.get_mut(at), partial.get_mut(at)) else { continue };
                if let Some(error) = message.error() {
                    *slot = Some(Err(error));
                    continue;
                }
                if message.kind != NLMSG_ERROR && parts.last() != Some(&received) {
                    parts.push(received.clone());
                }
                if message.flags & NLM_F_MULTI == 0 || message.kind == NLMSG_DONE {
                    *slot = Some(Ok(std::mem::take(parts)));
                }
            }
        }
        answers.extend(got.into_iter().map(|a| a.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))));
        Ok(())
    }

    /// A number that no earlier request of this socket has.
    const fn next(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn fill(got: &mut [Option<io::Result<Vec<Vec<u8>>>>], error: &io::Error) {
    for slot in got.iter_mut().filter(|s| s.is_none()) {
        *slot = Some(Err(io::Error::new(error.kind(), error.to_string())));
    }
}

/// Something was there and is gone.
fn lost(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, why)
}

/// One message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its type.
    pub kind: u16,
    /// Its flags (`NLM_F_*`).
    pub flags: u16,
    /// The sequence number of the request that it answers; 0 for events.
    pub sequence: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

impl Message<'_> {
    /// The error that it carries; none if it is no error or says that all went well.
    fn error(&self) -> Option<io::Error> {
        if !matches!(self.kind, NLMSG_ERROR | NLMSG_DONE) {
            return None;
        }
        let number = u32_at(self.body, 0)?.cast_signed();
        if number >= 0 {
            return None;
        }
        let error = io::Error::from_raw_os_error(number.saturating_neg());
        // Behind the number stands the request that failed, whole or its header only, and then the attributes.
        let at = match self.kind {
            NLMSG_DONE => 4,
            _ if self.flags & NLM_F_CAPPED != 0 => 4 + HEADER,
            _ => 4 + (u32_at(self.body, 4)? as usize).next_multiple_of(4),
        };
        let told = (self.flags & NLM_F_ACK_TLVS != 0)
            .then(|| Attributes(self.body.get(at..).unwrap_or_default()))
            .and_then(|mut all| all.find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG))
            .map(|(_, text)| String::from_utf8_lossy(text).trim_end_matches('\0').to_owned());
        Some(match told {
            Some(text) => io::Error::new(error.kind(), format!("{error}: {text}")),
            None => error,
        })
    }
}

/// The messages of a datagram; what is damaged ends the walk.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let length = u32_at(self.0, 0)? as usize;
        let message = Message {
            kind: u16_at(self.0, 4)?,
            flags: u16_at(self.0, 6)?,
            sequence: u32_at(self.0, 8)?,
            body: self.0.get(HEADER..length)?,
        };
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    }
}

/// Attributes as (type without flags, value); what is damaged ends the walk.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & 0x3fff;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

/// A number of two octets in host byte order.
#[must_use]
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// A number of four octets in host byte order.
#[must_use]
pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTM_GETLINK: u16 = 18;
    const LIMIT: Duration = Duration::from_secs(5);

    fn by_name(name: &str) -> Request {
        Request::get(RTM_GETLINK).raw(&[0; 16]).attribute(3, &[name.as_bytes(), b"\0"].concat())
    }

    #[test]
    fn all_links_and_single_ones() {
        let mut socket = Socket::open(ROUTE).unwrap();
        let dump = socket.dump(&Request::dump(RTM_GETLINK).raw(&[0; 16]), LIMIT).unwrap();
        let names: Vec<String> = dump
            .datagrams
            .iter()
            .flat_map(|d| Messages(d).filter(|m| m.kind == 16))
            .filter_map(|m| Attributes(m.body.get(16..)?).find(|(kind, _)| *kind == 3))
            .map(|(_, name)| String::from_utf8_lossy(name).trim_end_matches('\0').to_owned())
            .collect();
        assert!(names.iter().any(|n| n == "lo"), "{names:?}");
        assert_eq!(Messages(dump.datagrams.last().unwrap()).last().unwrap().kind, NLMSG_DONE);

        // More than fit into one batch, good and bad ones mixed.
        let requests: Vec<Request> =
            (0..40).map(|n| by_name(if n % 2 == 0 { "lo" } else { "no-such-if0" })).collect();
        let answers = socket.ask(&requests, LIMIT).unwrap();
        assert_eq!(answers.len(), 40);
        for (n, answer) in answers.iter().enumerate() {
            match answer {
                Ok(datagrams) => {
                    assert_eq!(n % 2, 0);
                    assert_eq!(Messages(&datagrams[0]).next().unwrap().kind, 16);
                }
                Err(e) => {
                    assert_eq!((n % 2, e.raw_os_error()), (1, Some(libc::ENODEV)), "{e}");
                }
            }
        }
    }

    #[test]
    fn what_the_kernel_refuses_is_an_error_in_its_words() {
        let mut socket = Socket::open(ROUTE).unwrap();
        // RTM_GETSTATS (94) needs a filter; the kernel says so in its extended acknowledgement.
        let error = socket.dump(&Request::dump(94).raw(&[0; 12]), LIMIT).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("ilter mask"), "{error}");
        // No such message type.
        let error = socket.dump(&Request::dump(250).raw(&[0; 16]), LIMIT).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
    }

    #[test]
    fn events_do_not_block() {
        let mut socket = Socket::open(ROUTE).unwrap();
        socket.subscribe(&[1]).unwrap();
        let begin = Instant::now();
        while socket.event().unwrap().is_some() {}
        assert!(begin.elapsed() < Duration::from_secs(1));
        assert_eq!(socket.overruns(), 0);
        assert!(Socket::open(ROUTE).unwrap().subscribe(&[u32::MAX]).is_err());
    }

    #[test]
    fn damaged_messages_end_the_walk() {
        let whole = Request::get(18).attribute(3, b"eno1\0").bytes(7);
        for cut in 0..whole.len() {
            assert_eq!(Messages(&whole[..cut]).count(), 0, "{cut}");
        }
        assert_eq!(Messages(&whole).count(), 1);
        // A length of zero does not loop.
        assert_eq!(Messages(&[0; 64]).count(), 0);
        assert_eq!(Attributes(&[0; 64]).count(), 0);
    }
}
