//! Which BPF programs hang at an interface where neither `ip` nor `tc` lists them (`tcx`, netkit), and what they are
//! called. No program is loaded, attached or read.
//!
//! Layouts: `union bpf_attr` and `struct bpf_prog_info` in `include/uapi/linux/bpf.h`; `tcx` is there since 6.6, netkit
//! since 6.7.

use super::netlink::u32_at;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

const BPF_PROG_GET_FD_BY_ID: i32 = 13;
const BPF_OBJ_GET_INFO_BY_FD: i32 = 15;
const BPF_PROG_QUERY: i32 = 16;
/// More programs than one hook ever has (`BPF_MPROG_MAX` is 64).
const MOST: usize = 64;

/// A hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// `BPF_TCX_INGRESS`.
    TcxIngress,
    /// `BPF_TCX_EGRESS`.
    TcxEgress,
    /// `BPF_NETKIT_PRIMARY`.
    NetkitPrimary,
    /// `BPF_NETKIT_PEER`.
    NetkitPeer,
}

impl Hook {
    /// All hooks.
    pub const ALL: [Self; 4] = [Self::TcxIngress, Self::TcxEgress, Self::NetkitPrimary, Self::NetkitPeer];

    /// As `bpftool net` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TcxIngress => "tcx/ingress",
            Self::TcxEgress => "tcx/egress",
            Self::NetkitPrimary => "netkit/primary",
            Self::NetkitPeer => "netkit/peer",
        }
    }

    /// `enum bpf_attach_type`.
    const fn number(self) -> u32 {
        match self {
            Self::TcxIngress => 46,
            Self::TcxEgress => 47,
            Self::NetkitPrimary => 54,
            Self::NetkitPeer => 55,
        }
    }
}

/// The part of `union bpf_attr` for `BPF_PROG_QUERY`.
#[repr(C)]
#[derive(Default)]
struct Query {
    ifindex: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    padding: u32,
    program_flags: u64,
    link_ids: u64,
    link_flags: u64,
    revision: u64,
}

/// The part for `BPF_PROG_GET_FD_BY_ID`.
#[repr(C)]
#[derive(Default)]
struct ById {
    id: u32,
    next: u32,
    flags: u32,
}

/// The part for `BPF_OBJ_GET_INFO_BY_FD`.
#[repr(C)]
#[derive(Default)]
struct Info {
    fd: u32,
    length: u32,
    info: u64,
}

/// The ids of the programs at a hook of an interface of the calling thread's network namespace, in the order in which
/// they run. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// `InvalidInput` if the kernel does not know the hook, or the interface cannot have it; `PermissionDenied`.
#[allow(unsafe_code, reason = "the standard library does not know BPF")]
pub fn programs(ifindex: u32, hook: Hook) -> io::Result<Vec<u32>> {
    let mut ids = [0u32; MOST];
    let mut query = Query {
        ifindex,
        attach_type: hook.number(),
        ids: ids.as_mut_ptr() as u64,
        count: u32::try_from(MOST).unwrap_or_default(),
        ..Query::default()
    };
    // SAFETY: `query` is laid out as the kernel's, its only pointer is to `count` live numbers, and both are written by
    // the kernel during the call only.
    unsafe { call(BPF_PROG_QUERY, &raw mut query) }?;
    Ok(ids.iter().copied().take(query.count as usize).collect())
}

/// The name of a program, up to 15 characters. Needs `CAP_SYS_ADMIN`.
///
/// # Errors
///
/// `PermissionDenied`, or `NotFound` if it is gone.
#[allow(unsafe_code, reason = "the standard library does not know BPF")]
pub fn name(id: u32) -> io::Result<String> {
    let mut by_id = ById { id, ..ById::default() };
    // SAFETY: laid out as the kernel's, without pointers.
    let raw = unsafe { call(BPF_PROG_GET_FD_BY_ID, &raw mut by_id) }?;
    // SAFETY: the descriptor was just opened and nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(raw) };
    // `struct bpf_prog_info` up to its name and some more; with pointers and counts of zero the kernel fills in numbers.
    let mut info = [0u64; 32];
    let mut ask = Info {
        fd: fd.as_raw_fd().cast_unsigned(),
        length: u32::try_from(size_of_val(&info)).unwrap_or_default(),
        info: info.as_mut_ptr() as u64,
    };
    // SAFETY: laid out as the kernel's; its pointer is to a live buffer of the given length.
    unsafe { call(BPF_OBJ_GET_INFO_BY_FD, &raw mut ask) }?;
    let bytes: Vec<u8> = info.iter().flat_map(|w| w.to_ne_bytes()).collect();
    if u32_at(&bytes, 4) != Some(id) {
        return Err(io::Error::other("the kernel answered for another program"));
    }
    let name: Vec<u8> = bytes.iter().skip(64).take(16).copied().take_while(|b| *b != 0).collect();
    Ok(String::from_utf8_lossy(&name).chars().filter(|c| !c.is_control() && *c != ' ').collect())
}

/// # Safety
///
/// `attributes` must be laid out as the kernel's for the command, and what it points to must be live and of the lengths
/// that it names.
#[allow(unsafe_code, reason = "the standard library does not know BPF")]
unsafe fn call<T>(command: i32, attributes: *mut T) -> io::Result<i32> {
    // SAFETY: the caller's.
    let done = unsafe { libc::syscall(libc::SYS_bpf, command, attributes, size_of::<T>()) };
    if done < 0 { Err(io::Error::last_os_error()) } else { i32::try_from(done).map_err(io::Error::other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_of_the_kernel() {
        assert_eq!((size_of::<Query>(), size_of::<ById>(), size_of::<Info>()), (64, 12, 16));
        assert_eq!(std::mem::offset_of!(Query, ids), 16);
        assert_eq!(std::mem::offset_of!(Query, revision), 56);
    }

    #[test]
    fn a_kernel_without_programs_says_so() {
        // Sandboxes forbid the call, kernels may be built without it.
        match programs(1, Hook::TcxEgress) {
            Ok(ids) => assert!(ids.len() <= MOST, "{ids:?}"),
            Err(e) => assert!(
                matches!(
                    e.kind(),
                    io::ErrorKind::PermissionDenied
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::Unsupported
                ),
                "{e}"
            ),
        }
        assert!(programs(0x7fff_fff0, Hook::TcxIngress).is_err());
        assert!(name(u32::MAX).is_err());
    }
}
