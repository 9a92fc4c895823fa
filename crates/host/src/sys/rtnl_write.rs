//! The one socket that changes the host: rtnetlink, opened by nothing but [`crate::apply`]. Its errors carry the words of
//! the kernel (extended acknowledgements) where the kernel has some.

use bondwitness_core::plan::dump;
use bondwitness_core::plan::rtnetlink::{GROUPS, Message};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::time::Duration;

/// Longest wait for an answer. The kernel answers at once, unless somebody holds its lock on interfaces.
const PATIENCE: Duration = Duration::from_secs(30);
/// What one datagram may bring: the kernel fills dumps up to 32 KiB (`netlink_dump`, 6.12).
const DATAGRAM: usize = 64 * 1024;
/// How often a dump that the kernel calls inconsistent is asked for again.
const AGAIN: u32 = 5;

/// Why the kernel did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It said no.
    #[error("{}{}", io::Error::from_raw_os_error(*.errno), .said.as_ref().map(|s| format!(": {s}")).unwrap_or_default())]
    Kernel {
        /// Its error number.
        errno: i32,
        /// Its words.
        said: Option<String>,
    },
    /// The socket failed.
    #[error("{0}")]
    Socket(#[from] io::Error),
    /// Interfaces kept changing while they were read.
    #[error("the interfaces changed each of {AGAIN} times while they were read")]
    Restless,
}

/// A socket for questions and changes.
#[derive(Debug)]
pub(crate) struct Rtnl {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

/// A socket that tells of changes.
#[derive(Debug)]
pub(crate) struct Events {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

#[allow(unsafe_code, reason = "the standard library has no netlink sockets")]
fn open(flags: libc::c_int, groups: u32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = unsafe {
        libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC | flags, libc::NETLINK_ROUTE)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: plain numbers, for which all zero is a valid value.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::sa_family_t::try_from(libc::AF_NETLINK).map_err(io::Error::other)?;
    address.nl_groups = groups;
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_nl>()).map_err(io::Error::other)?;
    // SAFETY: pointer and length are of the same live local.
    let done = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(fd) }
}

#[allow(unsafe_code, reason = "the standard library has no netlink sockets")]
fn option<T>(fd: &OwnedFd, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: pointer and length are of the same live value.
    let done =
        unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, std::ptr::from_ref(value).cast(), length) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Receives one datagram into `buffer`.
#[allow(unsafe_code, reason = "the standard library has no netlink sockets")]
fn receive(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        // SAFETY: pointer and length are of the same live slice.
        let got =
            unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_TRUNC) };
        let got = match usize::try_from(got) {
            Ok(got) => got,
            Err(_) => match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::Interrupted => continue,
                e => return Err(e),
            },
        };
        return if got <= buffer.len() { Ok(got) } else { Err(io::Error::other("an answer was cut off")) };
    }
}

impl Rtnl {
    /// Opens the socket in the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub(crate) fn open() -> io::Result<Self> {
        let fd = open(0, 0)?;
        option(&fd, libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, &1i32)?;
        // Without it, some dumps of other namespaces would silently be of this one (4.20 and later have it).
        option(&fd, libc::SOL_NETLINK, libc::NETLINK_GET_STRICT_CHK, &1i32)?;
        let patience = libc::timeval {
            tv_sec: libc::time_t::try_from(PATIENCE.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_usec: 0,
        };
        option(&fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, &patience)?;
        Ok(Self { fd, sequence: 0, buffer: vec![0; DATAGRAM] })
    }

    #[allow(unsafe_code, reason = "the standard library has no netlink sockets")]
    fn send(&mut self, message: Message) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = message.bytes(self.sequence);
        // SAFETY: pointer and length are of the same live slice, which the kernel only reads.
        let sent = unsafe { libc::send(self.fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Makes a change and waits for the kernel's word on it.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub(crate) fn change(&mut self, message: Message) -> Result<(), Refused> {
        self.send(message)?;
        loop {
            let got = receive(&self.fd, &mut self.buffer)?;
            for m in dump::messages(self.buffer.get(..got).unwrap_or_default()) {
                if m.sequence == self.sequence && m.kind == ERROR {
                    return dump::error(&m)
                        .map_or(Ok(()), |(errno, said)| Err(Refused::Kernel { errno, said }));
                }
            }
        }
    }

    /// Asks for a dump; the answers, one after another. A dump during which something changed is asked for again.
    ///
    /// # Errors
    ///
    /// What the kernel says, or if it is never consistent.
    pub(crate) fn dump(&mut self, message: &Message) -> Result<Vec<u8>, Refused> {
        for _ in 0..AGAIN {
            if let Some(answers) = self.dump_once(message.clone())? {
                return Ok(answers);
            }
        }
        Err(Refused::Restless)
    }

    fn dump_once(&mut self, message: Message) -> Result<Option<Vec<u8>>, Refused> {
        self.send(message)?;
        let (mut answers, mut consistent) = (Vec::new(), true);
        loop {
            let got = receive(&self.fd, &mut self.buffer)?;
            let bytes = self.buffer.get(..got).unwrap_or_default();
            for m in dump::messages(bytes).filter(|m| m.sequence == self.sequence) {
                consistent &= m.flags & INTERRUPTED == 0;
                if m.kind == DONE || m.kind == ERROR {
                    // A dump ends with the error number of its last part.
                    if let Some((errno, said)) = dump::error(&m) {
                        return Err(Refused::Kernel { errno, said });
                    }
                    return Ok(consistent.then_some(answers));
                }
            }
            answers.extend(bytes);
        }
    }
}

/// `NLMSG_ERROR`, `NLMSG_DONE`, `NLM_F_DUMP_INTR`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
const INTERRUPTED: u16 = 0x10;

impl Events {
    /// Opens a socket that hears of links and qdiscs in the network namespace of the calling thread. It does not block.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub(crate) fn open() -> io::Result<Self> {
        let groups = GROUPS.iter().fold(0, |bits, g| bits | 1 << (g - 1));
        let fd = open(libc::SOCK_NONBLOCK, groups)?;
        // A burst (a node that starts a hundred pods) must not overrun it; what does is answered by looking at everything.
        let _ = option(&fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &(1i32 << 20));
        Ok(Self { fd, buffer: vec![0; DATAGRAM] })
    }

    /// The next events; `None` if there are none for now.
    ///
    /// # Errors
    ///
    /// `ENOBUFS` if events were lost, or whatever else the socket says.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        match receive(&self.fd, &mut self.buffer) {
            Ok(got) => Ok(self.buffer.get(..got)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e),
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
