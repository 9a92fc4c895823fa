//! Which right each function needs.

use crate::sys::sandbox;

/// A capability that some function of this program needs or that the lock-down takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Change group ids.
    SetGid,
    /// Change user ids.
    SetUid,
    /// Change the bounding set.
    SetPcap,
    /// Read files whatever their permissions.
    DacReadSearch,
    /// Configure the network, see settings that only administrators may see.
    NetAdmin,
    /// Packet sockets.
    NetRaw,
    /// Enter namespaces, and what has no capability of its own.
    SysAdmin,
    /// Read the kernel log.
    Syslog,
    /// Trace the kernel (Linux 5.8).
    Perfmon,
    /// Load and list BPF programs (Linux 5.8).
    Bpf,
}

impl Capability {
    /// Its number in `uapi/linux/capability.h`.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::DacReadSearch => 2,
            Self::SetGid => 6,
            Self::SetUid => 7,
            Self::SetPcap => 8,
            Self::NetAdmin => 12,
            Self::NetRaw => 13,
            Self::SysAdmin => 21,
            Self::Syslog => 34,
            Self::Perfmon => 38,
            Self::Bpf => 39,
        }
    }

    /// Its bit in a set.
    #[must_use]
    pub const fn bit(self) -> u64 {
        1 << self.number()
    }

    /// The kernel's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Self::SetGid => "CAP_SETGID",
            Self::SetUid => "CAP_SETUID",
            Self::SetPcap => "CAP_SETPCAP",
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::Syslog => "CAP_SYSLOG",
            Self::Perfmon => "CAP_PERFMON",
            Self::Bpf => "CAP_BPF",
        }
    }
}

/// Whether this process is in the user namespace that the host booted with: its ids are mapped one to one, all of them.
/// Some rights (the LACP partner's details, the kernel log) count there only.
#[must_use]
pub fn initial_user_namespace() -> bool {
    std::fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]))
}

/// Whether the capability is in effect in the calling thread.
#[must_use]
pub fn holds(capability: Capability) -> bool {
    sandbox::capabilities().is_ok_and(|c| c.effective & capability.bit() != 0)
}
