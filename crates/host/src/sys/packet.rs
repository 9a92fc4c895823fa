//! Capturing and sending slow-protocol frames on one interface with AF_PACKET.
//!
//! Where the tap sits: a frame that is sent passes it after the queueing discipline and the egress hooks, right before
//! the driver; a frame that is received passes it before the ingress hooks and before bonding. The direction is the
//! kernel's own packet type, never the source address: Linux bonding sends from each member's permanent address.
//!
//! The interface is not made promiscuous. That would put the address filter out of service, and hide that the address
//! of the slow protocols is missing from it.

use super::namespace;
use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::time::Duration;

/// Ethertype of the slow protocols.
const SLOW_PROTOCOLS: u16 = 0x8809;
/// Ethertype of LLDP.
const LLDP: u16 = 0x88cc;
/// Receive buffer of a tap, octets of kernel memory (a short frame takes about 770 of them).
const RECEIVE_BUFFER: i32 = 8 * 1024 * 1024;
/// `PACKET_IGNORE_OUTGOING` of linux/if_packet.h, since Linux 4.20.
const PACKET_IGNORE_OUTGOING: i32 = 23;
/// The group address that LACPDUs are sent to.
const SLOW_PROTOCOLS_GROUP: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x02];

/// Which way a frame passed the tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Received by the interface.
    In,
    /// Sent by this host.
    Out,
}

/// A captured frame; its bytes are in the buffer that was passed to [`PacketSocket::receive`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// How many bytes of the buffer it fills.
    pub captured: usize,
    /// How long it was on the wire, without its check sequence.
    pub length: usize,
    /// Which way it went.
    pub direction: Direction,
    /// When the kernel saw it: nanoseconds since 1970 on the host's wall clock.
    pub ns: i64,
    /// The VLAN tag (TPID, TCI) that the kernel or the NIC took off, if there was one: slow protocols are never tagged by
    /// the standard, so one is worth knowing.
    pub vlan: Option<(u16, u16)>,
}

/// What a tap is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tap {
    /// Sent frames too. Every frame that the host sends then runs through the filter, which costs about a fifth of the
    /// instructions of sending it (`performance.md` section 4).
    pub outgoing: bool,
    /// LLDP frames (0x88cc) too: they name the switch and its port.
    pub lldp: bool,
}

/// What a socket counted since it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Frames that passed the filter, dropped ones included.
    pub seen: u32,
    /// Frames that found the socket's buffer full.
    pub dropped: u32,
}

/// A socket that receives the slow-protocol frames of one interface, and can send on it.
#[derive(Debug)]
pub struct PacketSocket {
    fd: OwnedFd,
    ifindex: i32,
}

#[allow(unsafe_code, reason = "the standard library has no packet sockets")]
impl PacketSocket {
    /// Opens a socket on an interface of the calling thread's network namespace. It does not block.
    ///
    /// # Errors
    ///
    /// If the kernel refuses: without `CAP_NET_RAW`, or for an interface that is not there.
    pub fn open(ifindex: u32) -> io::Result<Self> {
        Self::tap(ifindex, Tap { outgoing: true, lldp: false })
    }

    /// As [`PacketSocket::open`], with a choice of what is shown.
    ///
    /// # Errors
    ///
    /// As for [`PacketSocket::open`]; also if sent frames are to be left out and the kernel is older than 4.20.
    pub fn tap(ifindex: u32, tap: Tap) -> io::Result<Self> {
        let socket = Self::unbound(ifindex)?;
        socket.filter(tap.lldp)?;
        socket.option(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1i32)?;
        socket.option(libc::SOL_PACKET, libc::PACKET_AUXDATA, &1i32)?;
        if !tap.outgoing {
            socket.option(libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, &1i32)?;
        }
        // Room for a storm. Beyond `rmem_max` only with CAP_NET_ADMIN; what does not fit is counted.
        if socket.option(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &RECEIVE_BUFFER).is_err() {
            let _ = socket.option(libc::SOL_SOCKET, libc::SO_RCVBUF, &RECEIVE_BUFFER);
        }
        // Sent frames are shown only to sockets that ask for every protocol; the filter picks ours.
        socket.bind(u16::try_from(libc::ETH_P_ALL).unwrap_or_default())?;
        Ok(socket)
    }

    /// Opens a socket that only sends, frames of any protocol.
    ///
    /// # Errors
    ///
    /// As for [`PacketSocket::open`].
    pub fn sender(ifindex: u32) -> io::Result<Self> {
        let socket = Self::unbound(ifindex)?;
        socket.bind(0)?;
        Ok(socket)
    }

    fn unbound(ifindex: u32) -> io::Result<Self> {
        let ifindex = i32::try_from(ifindex).map_err(io::Error::other)?;
        // Protocol 0: nothing is received until `bind`, so no frame of another interface slips in.
        // SAFETY: no pointers; the result is checked.
        let raw = unsafe {
            libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0)
        };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just opened and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(Self { fd, ifindex })
    }

    fn bind(&self, protocol: u16) -> io::Result<()> {
        // SAFETY: `sockaddr_ll` is plain numbers, for which all zero is a valid value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
        address.sll_protocol = protocol.to_be();
        address.sll_ifindex = self.ifindex;
        // SAFETY: the pointer is to a live local, and the length is its size.
        let done = unsafe {
            libc::bind(self.fd.as_raw_fd(), (&raw const address).cast(), length_of::<libc::sockaddr_ll>())
        };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Lets only slow-protocol frames through, and LLDP where it is wished.
    fn filter(&self, lldp: bool) -> io::Result<()> {
        let also = if lldp { LLDP } else { SLOW_PROTOCOLS };
        let op = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter {
            code: u16::try_from(code).unwrap_or_default(),
            jt,
            jf,
            k,
        };
        let mut program = [
            op(libc::BPF_LD | libc::BPF_H | libc::BPF_ABS, 0, 0, 12),
            op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, u32::from(SLOW_PROTOCOLS)),
            op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, u32::from(also)),
            op(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
            op(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
        ];
        let filter = libc::sock_fprog {
            len: u16::try_from(program.len()).unwrap_or_default(),
            filter: program.as_mut_ptr(),
        };
        // The kernel copies the program during the call, so it may end with this function.
        self.option(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter)
    }

    /// Lets nothing more through: what waits can still be received, and [`PacketSocket::counted`] then counts exactly that
    /// and what was received before.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn shut(&self) -> io::Result<()> {
        let mut program = [libc::sock_filter {
            code: u16::try_from(libc::BPF_RET | libc::BPF_K).unwrap_or_default(),
            jt: 0,
            jf: 0,
            k: 0,
        }];
        let filter = libc::sock_fprog { len: 1, filter: program.as_mut_ptr() };
        // The kernel copies the program during the call, so it may end with this function.
        self.option(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter)
    }

    fn option<T>(&self, level: i32, name: i32, value: &T) -> io::Result<()> {
        // SAFETY: the pointer is to a live value and the length is its size; the kernel only reads it.
        let done = unsafe {
            libc::setsockopt(
                self.fd.as_raw_fd(),
                level,
                name,
                std::ptr::from_ref(value).cast(),
                length_of::<T>(),
            )
        };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Receives the group address of the slow protocols, as long as the socket is open. For an interface without a
    /// bond: a bond has it entered already, and entering it again would hide that it was not.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn join_slow_protocols(&self) -> io::Result<()> {
        let mut address = [0; 8];
        for (to, from) in address.iter_mut().zip(SLOW_PROTOCOLS_GROUP) {
            *to = from;
        }
        let request = libc::packet_mreq {
            mr_ifindex: self.ifindex,
            mr_type: u16::try_from(libc::PACKET_MR_MULTICAST).unwrap_or_default(),
            mr_alen: 6,
            mr_address: address,
        };
        self.option(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
    }

    /// The next frame, if one is waiting. Frames longer than `buffer` are cut.
    ///
    /// # Errors
    ///
    /// If the kernel reports an error, for instance that the interface went down (`ENETDOWN`, once per change).
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<Frame>> {
        // SAFETY: plain numbers and null pointers, for which all zero is a valid value.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        // Aligned for `cmsghdr`; room for the time stamp and its header.
        let mut control = [0u64; 16];
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // SAFETY: as above.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_name = (&raw mut address).cast();
        message.msg_namelen = length_of::<libc::sockaddr_ll>();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        // SAFETY: every pointer in `message` is to a live local or to the caller's buffer, each with its true length.
        let got = unsafe { libc::recvmsg(self.fd.as_raw_fd(), &raw mut message, libc::MSG_TRUNC) };
        let Ok(length) = usize::try_from(got) else {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(None) } else { Err(error) };
        };
        let mut ns = 0;
        let mut vlan = None;
        // SAFETY: `message` was filled by the kernel and still points to `control`; the macros stay within the
        // length that the kernel set, and the time stamp is read without assuming its alignment.
        unsafe {
            let mut header = libc::CMSG_FIRSTHDR(&raw const message);
            while !header.is_null() {
                if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_TIMESTAMPNS {
                    let stamp: libc::timespec =
                        std::ptr::read_unaligned(libc::CMSG_DATA(header).cast::<libc::timespec>());
                    ns = stamp.tv_sec.saturating_mul(1_000_000_000).saturating_add(stamp.tv_nsec);
                }
                if (*header).cmsg_level == libc::SOL_PACKET && (*header).cmsg_type == libc::PACKET_AUXDATA {
                    let aux: libc::tpacket_auxdata =
                        std::ptr::read_unaligned(libc::CMSG_DATA(header).cast::<libc::tpacket_auxdata>());
                    if aux.tp_status & libc::TP_STATUS_VLAN_VALID != 0 {
                        let tpid = if aux.tp_status & libc::TP_STATUS_VLAN_TPID_VALID != 0 {
                            aux.tp_vlan_tpid
                        } else {
                            0x8100
                        };
                        vlan = Some((tpid, aux.tp_vlan_tci));
                    }
                }
                header = libc::CMSG_NXTHDR(&raw const message, header);
            }
        }
        let direction =
            if address.sll_pkttype == libc::PACKET_OUTGOING { Direction::Out } else { Direction::In };
        Ok(Some(Frame { captured: length.min(buffer.len()), length, direction, ns, vlan }))
    }

    /// Sends a whole Ethernet frame.
    ///
    /// # Errors
    ///
    /// If the kernel refuses it, for instance because the interface is down.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        // SAFETY: pointer and length are of the same slice, which the kernel only reads.
        let sent = unsafe { libc::send(self.fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// What passed and what was lost since the last call.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    pub fn counted(&self) -> io::Result<Counted> {
        // SAFETY: plain numbers, for which all zero is a valid value.
        let mut stats: libc::tpacket_stats = unsafe { std::mem::zeroed() };
        let mut length = length_of::<libc::tpacket_stats>();
        // SAFETY: pointer and length are of the same live local.
        let done = unsafe {
            libc::getsockopt(
                self.fd.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut stats).cast(),
                &raw mut length,
            )
        };
        if done < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Counted { seen: stats.tp_packets, dropped: stats.tp_drops })
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits until one of the sockets has a frame, or until the time is over.
///
/// # Errors
///
/// If the kernel refuses; an interrupted wait is no error.
pub fn wait(sockets: &[&PacketSocket], at_most: Duration) -> io::Result<()> {
    let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().map(|s| s.as_fd()).collect();
    super::poll::readable(&descriptors, at_most).map(|_| ())
}

thread_local! {
    /// A socket for questions by name, and [`namespace::entered`] when it was opened: it belongs to that namespace.
    static ASKING: RefCell<Option<(u64, OwnedFd)>> = const { RefCell::new(None) };
}

/// The index of an interface in the calling thread's network namespace (`SIOCGIFINDEX`).
///
/// # Errors
///
/// If there is no such interface.
#[allow(unsafe_code, reason = "the standard library does not know interfaces")]
pub fn ifindex(name: &str) -> io::Result<u32> {
    // SAFETY: plain numbers and a union of them, for which all zero is a valid value.
    let mut argument: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= argument.ifr_name.len() || name.is_empty() || name.contains('\0') {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in argument.ifr_name.iter_mut().zip(name.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    ASKING.with_borrow_mut(|kept| {
        let entered = namespace::entered();
        let fd = match kept {
            Some((when, fd)) if *when == entered => fd,
            _ => &mut kept.insert((entered, asking()?)).1,
        };
        // SAFETY: `argument` is a live local of the type that this call reads and fills.
        let done =
            unsafe { libc::ioctl(fd.as_raw_fd(), libc::SIOCGIFINDEX as libc::Ioctl, &raw mut argument) };
        if done < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has filled the index.
        let index = unsafe { argument.ifr_ifru.ifru_ifindex };
        u32::try_from(index).map_err(io::Error::other)
    })
}

/// A socket that can be asked about interfaces; a sandbox may allow only one of the families.
#[allow(unsafe_code, reason = "the standard library opens no such sockets")]
fn asking() -> io::Result<OwnedFd> {
    for (family, protocol) in [(libc::AF_INET, 0), (libc::AF_NETLINK, libc::NETLINK_GENERIC)] {
        // SAFETY: no pointers; the result is checked.
        let raw = unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, protocol) };
        if raw >= 0 {
            // SAFETY: the descriptor was just opened and nobody else has it.
            return Ok(unsafe { OwnedFd::from_raw_fd(raw) });
        }
    }
    Err(io::Error::last_os_error())
}

/// The size of a type as the socket calls want it.
fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet socket on the loopback device, or nothing where the tests may not open one.
    fn loopback() -> Option<PacketSocket> {
        match PacketSocket::open(ifindex("lo").unwrap()) {
            Ok(socket) => Some(socket),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                eprintln!("skipped: packet sockets need CAP_NET_RAW");
                None
            }
            Err(e) => panic!("{e}"),
        }
    }

    #[test]
    fn a_frame_is_seen_with_its_direction_and_others_are_not() {
        let Some(tap) = loopback() else { return };
        let sender = PacketSocket::sender(ifindex("lo").unwrap()).unwrap();
        let mut frame = vec![0u8; 124];
        frame[..6].copy_from_slice(&SLOW_PROTOCOLS_GROUP);
        frame[12..14].copy_from_slice(&SLOW_PROTOCOLS.to_be_bytes());
        // A source that no other test sends from.
        frame[6..12].copy_from_slice(&[2, 0, 0, 0xab, 0xcd, 1]);
        let mut other = frame.clone();
        other[12..14].copy_from_slice(&0x88b5u16.to_be_bytes());
        sender.send(&other).unwrap();
        sender.send(&frame).unwrap();
        let mut buffer = [0; 60];
        let mut seen = Vec::new();
        for _ in 0..50 {
            wait(&[&tap], Duration::from_millis(20)).unwrap();
            while let Some(f) = tap.receive(&mut buffer).unwrap() {
                assert_eq!(buffer[12..14], SLOW_PROTOCOLS.to_be_bytes());
                if buffer[6..12] == frame[6..12] {
                    assert_eq!((f.captured, f.length), (60, 124));
                    assert!(f.ns > 1_600_000_000_000_000_000);
                    seen.push(f.direction);
                }
            }
            if seen.len() >= 2 {
                break;
            }
        }
        // The loopback device receives what is sent on it.
        assert_eq!(seen, [Direction::Out, Direction::In]);
        assert!(tap.counted().unwrap().seen >= 2);
        // What waits when it is shut is still there, what comes later is not, and is not counted either.
        sender.send(&frame).unwrap();
        wait(&[&tap], Duration::from_secs(2)).unwrap();
        tap.shut().unwrap();
        sender.send(&frame).unwrap();
        let mut left = 0;
        while tap.receive(&mut buffer).unwrap().is_some() {
            left += 1;
        }
        assert!(left >= 1);
        assert_eq!(tap.counted().unwrap(), Counted { seen: left, dropped: 0 });
        assert_eq!(sender.counted().unwrap(), Counted::default());
        assert_eq!(tap.counted().unwrap(), Counted::default());
    }

    #[test]
    fn an_interface_that_is_not_there_is_an_error() {
        assert!(ifindex("no-such-if0").is_err());
        assert!(ifindex("a\0b").is_err());
        if loopback().is_some() {
            assert!(PacketSocket::open(0x7fff_fff0).is_err());
        }
    }
}
