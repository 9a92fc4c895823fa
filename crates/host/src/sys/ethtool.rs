//! The `SIOCETHTOOL` call: what drivers tell only that way, or told that way before netlink.
//!
//! Every command takes the kernel's RTNL lock and may wait for a driver's firmware: call from `bounded`. Layouts:
//! `include/uapi/linux/ethtool.h`. Replies have no textual form of their own; they are printed as `ethtool` prints them.

use super::netlink::u32_at;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GSTRINGS: u32 = 0x1b;
const ETHTOOL_GSTATS: u32 = 0x1d;
const ETHTOOL_GPFLAGS: u32 = 0x27;
const ETHTOOL_GPERMADDR: u32 = 0x20;
const ETHTOOL_GSSET_INFO: u32 = 0x37;
const ETHTOOL_GMODULEINFO: u32 = 0x42;
const ETHTOOL_GMODULEEEPROM: u32 = 0x43;
const ETHTOOL_GPHYSTATS: u32 = 0x4a;
/// `ETH_GSTRING_LEN`.
const NAME: usize = 32;
/// No driver has more counters or names than fit in here.
const AREA: usize = 4 * 1024 * 1024;

/// Whose counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counters {
    /// Those of driver and adapter (`ETH_SS_STATS`, `ETHTOOL_GSTATS`).
    Adapter,
    /// Those of the PHY driver (`ETH_SS_PHY_STATS`, `ETHTOOL_GPHYSTATS`).
    Phy,
}

impl Counters {
    const fn numbers(self) -> (u32, u32) {
        match self {
            Self::Adapter => (1, ETHTOOL_GSTATS),
            Self::Phy => (8, ETHTOOL_GPHYSTATS),
        }
    }
}

/// `struct ethtool_drvinfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Driver {
    /// Name of the driver.
    pub driver: String,
    /// Its version; of drivers in the kernel's tree, the kernel's.
    pub version: String,
    /// Firmware of the adapter, in the driver's words.
    pub firmware: String,
    /// Version of the expansion ROM.
    pub rom: String,
    /// Address on its bus.
    pub bus: String,
    /// How many counters it has.
    pub counters: u32,
    /// How many results a self test has.
    pub tests: u32,
    /// Octets of EEPROM.
    pub eeprom: u32,
    /// Octets of registers.
    pub registers: u32,
    /// How many private flags.
    pub flags: u32,
}

/// A socket for the calls, and memory for their replies. The interfaces are those of the network namespace of the thread
/// that opened it.
#[derive(Debug)]
pub struct Ethtool {
    fd: OwnedFd,
    area: Area,
}

impl Ethtool {
    /// Opens a socket. No privilege is needed for what is read here, except for modules.
    ///
    /// # Errors
    ///
    /// If the kernel refuses.
    #[allow(unsafe_code, reason = "the standard library has no call for devices")]
    pub fn open() -> io::Result<Self> {
        let mut raw = -1;
        // A sandbox may allow only one of the families.
        for (family, protocol) in [(libc::AF_INET, 0), (libc::AF_NETLINK, libc::NETLINK_GENERIC)] {
            // SAFETY: no pointers; the result is checked.
            raw = unsafe { libc::socket(family, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, protocol) };
            if raw >= 0 {
                break;
            }
        }
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just opened and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(Self { fd, area: Area::new()? })
    }

    /// Driver, firmware and bus address.
    ///
    /// # Errors
    ///
    /// If there is no such interface (`NoDevice`), or its driver tells nothing (`Unsupported`).
    pub fn driver(&mut self, dev: &str) -> io::Result<Driver> {
        let reply = self.call(dev, &[ETHTOOL_GDRVINFO])?;
        let text = |at: usize| string(reply.get(at..at + NAME).unwrap_or_default());
        let number = |at: usize| u32_at(reply, at).unwrap_or(0);
        Ok(Driver {
            driver: text(4),
            version: text(36),
            firmware: text(68),
            bus: text(100),
            rom: text(132),
            flags: number(176),
            counters: number(180),
            tests: number(184),
            eeprom: number(188),
            registers: number(192),
        })
    }

    /// Names and values of counters, in the driver's order. Names are cleaned of control characters.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the driver has none; `Interrupted` if their number changed during every try (queues were being
    /// set up).
    pub fn counters(&mut self, dev: &str, of: Counters) -> io::Result<Vec<(String, u64)>> {
        let (set, command) = of.numbers();
        for _ in 0..3 {
            // The mask of sets has 64 bits and stands at 8; the count follows it.
            let reply = self.call(dev, &[ETHTOOL_GSSET_INFO, 0, 1 << set, 0, 0])?;
            let known = u32_at(reply, 8).is_some_and(|mask| mask & (1 << set) != 0);
            let count = u32_at(reply, 16).filter(|n| known && *n > 0);
            let Some(count) = count else {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "no stats available"));
            };
            let reply = self.call(dev, &[ETHTOOL_GSTRINGS, set, count])?;
            if u32_at(reply, 8) != Some(count) {
                continue;
            }
            let names: Vec<String> =
                reply.get(12..).unwrap_or_default().chunks(NAME).take(count as usize).map(string).collect();
            // Kernels that compare the number (6.19) answer none if it is another one by now.
            let reply = self.call(dev, &[command, count])?;
            if u32_at(reply, 4) != Some(count) {
                continue;
            }
            let values = reply.get(8..).unwrap_or_default().chunks_exact(8).take(count as usize);
            let values = values.map(|v| v.try_into().map_or(0, u64::from_ne_bytes));
            return Ok(names.into_iter().zip(values).collect());
        }
        Err(io::Error::new(io::ErrorKind::Interrupted, "the number of counters kept changing"))
    }

    /// Names of the driver's private flags, and whether each is on. Names are cleaned of control characters.
    ///
    /// # Errors
    ///
    /// As for [`Ethtool::driver`].
    pub fn private_flags(&mut self, dev: &str) -> io::Result<Vec<(String, bool)>> {
        const ETH_SS_PRIV_FLAGS: u32 = 2;
        // The flags are the bits of one number.
        let count = self.driver(dev)?.flags.min(32);
        if count == 0 {
            return Ok(Vec::new());
        }
        let reply = self.call(dev, &[ETHTOOL_GSTRINGS, ETH_SS_PRIV_FLAGS, count])?;
        let told = u32_at(reply, 8).unwrap_or(0).min(count) as usize;
        let names: Vec<String> =
            reply.get(12..).unwrap_or_default().chunks(NAME).take(told).map(string).collect();
        let reply = self.call(dev, &[ETHTOOL_GPFLAGS])?;
        let bits = u32_at(reply, 4).unwrap_or(0);
        Ok(names.into_iter().zip(0u32..).map(|(name, i)| (name, bits & (1 << i) != 0)).collect())
    }

    /// The permanent hardware address.
    ///
    /// # Errors
    ///
    /// As for [`Ethtool::driver`].
    pub fn permanent_address(&mut self, dev: &str) -> io::Result<Vec<u8>> {
        let reply = self.call(dev, &[ETHTOOL_GPERMADDR, 32])?;
        let length = u32_at(reply, 4).unwrap_or(0).min(32) as usize;
        Ok(reply.get(8..8 + length).unwrap_or_default().to_vec())
    }

    /// Type (`ETH_MODULE_SFF_*`) and size of the memory of a pluggable module. Needs `CAP_NET_ADMIN`.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the port has no module or its driver cannot read it.
    pub fn module(&mut self, dev: &str) -> io::Result<(u32, u32)> {
        let reply = self.call(dev, &[ETHTOOL_GMODULEINFO])?;
        Ok((u32_at(reply, 4).unwrap_or(0), u32_at(reply, 8).unwrap_or(0)))
    }

    /// Octets of the memory of a pluggable module, at most 1024. Needs `CAP_NET_ADMIN`. Over a two-wire bus: slow.
    ///
    /// # Errors
    ///
    /// As for [`Ethtool::module`].
    pub fn module_memory(&mut self, dev: &str, offset: u32, length: u32) -> io::Result<Vec<u8>> {
        let length = length.min(1024);
        let reply = self.call(dev, &[ETHTOOL_GMODULEEEPROM, 0, offset, length])?;
        let told = u32_at(reply, 12).unwrap_or(0).min(length) as usize;
        Ok(reply.get(16..16 + told).unwrap_or_default().to_vec())
    }

    #[allow(unsafe_code, reason = "the standard library has no call for devices")]
    fn call(&mut self, dev: &str, request: &[u32]) -> io::Result<&[u8]> {
        // SAFETY: plain numbers and a union of them, for which all zero is a valid value.
        let mut argument: libc::ifreq = unsafe { std::mem::zeroed() };
        if dev.len() >= argument.ifr_name.len() || dev.is_empty() || dev.contains('\0') {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for (to, from) in argument.ifr_name.iter_mut().zip(dev.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        self.area.begin(request);
        argument.ifr_ifru.ifru_data = self.area.start.cast();
        // SAFETY: `argument` is a live local whose pointer leads to memory of this process alone, which lives as long as
        // `self`. How much the kernel writes depends on the driver, not on what was asked; it is far less than the
        // area, and behind the area lies a page that cannot be written: the kernel would then return EFAULT.
        let done =
            unsafe { libc::ioctl(self.fd.as_raw_fd(), libc::SIOCETHTOOL as libc::Ioctl, &raw mut argument) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(self.area.bytes()) }
    }
}

/// Memory for replies, with a page behind it that nobody can write.
#[derive(Debug)]
struct Area {
    start: *mut u8,
    mapped: usize,
}

#[allow(unsafe_code, reason = "the guard page needs a mapping of its own")]
impl Area {
    fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(65536);
        let mapped = AREA.next_multiple_of(page) + page;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new anonymous mapping, wherever the kernel puts it.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), mapped, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let area = Self { start: start.cast(), mapped };
        // SAFETY: the last page of the mapping just made, which nothing points into.
        let done = unsafe { libc::mprotect(area.start.add(mapped - page).cast(), page, libc::PROT_NONE) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(area) }
    }

    /// Puts a request at the begin. The longest reply with a fixed size is shorter than 512 octets: those are cleared.
    fn begin(&mut self, request: &[u32]) {
        let mut head = [0u8; 512];
        for (to, from) in head.chunks_exact_mut(4).zip(request) {
            to.copy_from_slice(&from.to_ne_bytes());
        }
        // SAFETY: 512 octets lie within the area, which is writable and does not overlap with the local array.
        unsafe { std::ptr::copy_nonoverlapping(head.as_ptr(), self.start, head.len()) };
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the first AREA octets are readable, start as zero and live as long as `self`; whoever writes them needs
        // `&mut self`.
        unsafe { std::slice::from_raw_parts(self.start, AREA) }
    }
}

#[allow(unsafe_code, reason = "see `Area`")]
impl Drop for Area {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, whole, and nothing borrows from it any more.
        unsafe { libc::munmap(self.start.cast(), self.mapped) };
    }
}

/// Up to the first zero, without control characters: names come from drivers and go into lines.
fn string(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(bytes)
        && !bytes.iter().any(|b| *b < b' ' || *b >= 0x7f)
    {
        return text.to_owned();
    }
    String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_that_are_not_there_or_have_no_driver() {
        let mut ethtool = Ethtool::open().unwrap();
        assert_eq!(ethtool.driver("no-such-if0").unwrap_err().raw_os_error(), Some(libc::ENODEV));
        for name in ["", "a-name-that-is-too-long", "a\0b"] {
            assert_eq!(ethtool.driver(name).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
        // The loopback device has no counters of its own.
        let error = ethtool.counters("lo", Counters::Adapter).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
        let error = ethtool.counters("lo", Counters::Phy).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
        assert!(ethtool.module("lo").is_err());
    }

    #[test]
    fn names_are_cleaned() {
        assert_eq!(string(b"rx_\x1b[31m\n\0tail"), "rx_?[31m?");
        assert_eq!(string(&[b'a'; 32]), "a".repeat(32));
    }

    #[test]
    fn behind_the_area_nobody_can_write() {
        let area = Area::new().unwrap();
        let page = area.mapped - AREA;
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let guard = format!("{:x}-{:x} ---p", area.start as usize + AREA, area.start as usize + AREA + page);
        assert!(maps.lines().any(|l| l.starts_with(&guard)), "{guard}\n{maps}");
    }
}
