//! A BPF program on the tcx egress hook of an interface, as a container network puts one there: for the lab, which needs a
//! program that drops and that no tool counts (row e of docs/txpath.md).
//!
//! bpf(2), `include/uapi/linux/bpf.h`; tcx came with Linux 6.6.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
/// `BPF_PROG_TYPE_SCHED_CLS`.
const SCHED_CLS: u32 = 3;
/// `BPF_TCX_EGRESS`.
const TCX_EGRESS: u32 = 47;

/// One instruction (`struct bpf_insn`).
#[repr(C)]
struct Instruction {
    code: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

/// The first members of `union bpf_attr` for `BPF_PROG_LOAD`; the kernel takes the rest as zero.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel: u32,
    flags: u32,
    name: [u8; 16],
}

/// Those for `BPF_PROG_ATTACH`.
#[repr(C)]
struct Attach {
    ifindex: u32,
    program: u32,
    kind: u32,
    flags: u32,
    replace: u32,
    relative: u32,
    revision: u64,
}

#[allow(unsafe_code, reason = "the standard library does not know bpf(2)")]
fn bpf<T>(command: libc::c_int, attributes: &T) -> io::Result<libc::c_long> {
    // SAFETY: the pointer is to a live value of as many bytes as are told; what it points to in turn lives as long as the
    // call, which the two callers below see to. The kernel only reads it.
    let got = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), std::mem::size_of::<T>())
    };
    if got < 0 { Err(io::Error::last_os_error()) } else { Ok(got) }
}

/// Puts a program on the tcx egress of the interface that drops frames of this VLAN tag and lets others pass. It stays
/// until the interface goes.
///
/// # Errors
///
/// If the kernel refuses: before 6.6, or without `CAP_BPF` and `CAP_NET_ADMIN`.
pub fn drop_vlan_at_tcx_egress(ifindex: u32, vlan: u16) -> io::Result<()> {
    let i = |code, registers, offset, immediate| Instruction { code, registers, offset, immediate };
    let program = [
        // r2 = skb->vlan_tci & 0xfff (struct __sk_buff: 24)
        i(0x61, 0x12, 24, 0),
        i(0x57, 0x02, 0, 0xfff),
        // r0 = TCX_NEXT; if it is ours, r0 = TCX_DROP
        i(0xb7, 0x00, 0, -1),
        i(0x55, 0x02, 1, i32::from(vlan)),
        i(0xb7, 0x00, 0, 2),
        i(0x95, 0x00, 0, 0),
    ];
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(b"vlan_filter") {
        *to = *from;
    }
    let load = Load {
        kind: SCHED_CLS,
        count: u32::try_from(program.len()).map_err(io::Error::other)?,
        instructions: program.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel: 0,
        flags: 0,
        name,
    };
    let raw = i32::try_from(bpf(PROG_LOAD, &load)?).map_err(io::Error::other)?;
    #[allow(unsafe_code, reason = "a new descriptor comes as a number")]
    // SAFETY: the kernel just returned it, and nobody else has it.
    let fd = unsafe { OwnedFd::from_raw_fd(raw) };
    let program = u32::try_from(fd.as_raw_fd()).map_err(io::Error::other)?;
    let attach =
        Attach { ifindex, program, kind: TCX_EGRESS, flags: 0, replace: 0, relative: 0, revision: 0 };
    bpf(PROG_ATTACH, &attach).map(drop)
}
