//! System calls that take rights away from the calling process, for good.
//!
//! Thin: each function is one step and tells what the kernel answered. Which steps are taken, in which order, and what
//! a refusal means is decided in [`crate::lockdown`].

#![allow(unsafe_code, reason = "the standard library takes no rights away")]

use super::syscall_filter::Program;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// Sets of capabilities, one bit each, in the order of `uapi/linux/capability.h`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// What the kernel checks.
    pub(crate) effective: u64,
    /// What may be made effective.
    pub(crate) permitted: u64,
    /// What a started program with inheritable file capabilities may get.
    pub(crate) inheritable: u64,
}

/// The header of capget and capset (`cap_user_header_t`), third version: 64 bits in two halves.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

const HEADER: Header = Header { version: 0x2008_0522, pid: 0 };

/// One half (`cap_user_data_t`).
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

fn done(result: i64) -> io::Result<()> {
    if result < 0 { Err(last()) } else { Ok(()) }
}

/// The capabilities of the calling thread.
///
/// # Errors
///
/// If the kernel has no 64-bit capabilities (before 2.6.26).
pub(crate) fn capabilities() -> io::Result<Capabilities> {
    let mut header = HEADER;
    let mut halves = [Half::default(); 2];
    // SAFETY: both pointers are to live locals of the layout that version 3 has; the kernel writes two halves.
    done(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, halves.as_mut_ptr()) })?;
    let [low, high] = halves;
    let join = |low: u32, high: u32| u64::from(low) | (u64::from(high) << 32);
    Ok(Capabilities {
        effective: join(low.effective, high.effective),
        permitted: join(low.permitted, high.permitted),
        inheritable: join(low.inheritable, high.inheritable),
    })
}

/// Sets the capabilities of the calling thread.
///
/// # Errors
///
/// If one is asked for that is not permitted.
pub(crate) fn set_capabilities(set: Capabilities) -> io::Result<()> {
    let half = |shift: u32| {
        #[allow(clippy::cast_possible_truncation, reason = "the half that is wanted")]
        let cut = |set: u64| (set >> shift) as u32;
        Half {
            effective: cut(set.effective),
            permitted: cut(set.permitted),
            inheritable: cut(set.inheritable),
        }
    };
    let (mut header, halves) = (HEADER, [half(0), half(32)]);
    // SAFETY: both pointers are to live locals of the layout that version 3 has; the kernel reads two halves.
    done(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, halves.as_ptr()) })
}

fn prctl(option: i32, a: libc::c_ulong, b: libc::c_ulong) -> io::Result<i32> {
    let zero: libc::c_ulong = 0;
    // SAFETY: only options without pointers are passed by the functions below.
    let answer = unsafe { libc::prctl(option, a, b, zero, zero) };
    if answer < 0 { Err(last()) } else { Ok(answer) }
}

/// Empties the ambient set: what a started program without file capabilities would get.
///
/// # Errors
///
/// `EINVAL` before Linux 4.3, which has no such set.
pub(crate) fn clear_ambient() -> io::Result<()> {
    let clear = libc::c_ulong::from(libc::PR_CAP_AMBIENT_CLEAR_ALL.cast_unsigned());
    prctl(libc::PR_CAP_AMBIENT, clear, 0).map(drop)
}

/// Takes all but the capabilities of `keep` out of the bounding set, and returns how many are left in it.
///
/// # Errors
///
/// `EPERM` without `CAP_SETPCAP` (`cap_prctl_drop`, `security/commoncap.c`).
pub(crate) fn bound(keep: u64) -> io::Result<u32> {
    let mut left = 0;
    for capability in 0..64u32 {
        let number = libc::c_ulong::from(capability);
        match prctl(libc::PR_CAPBSET_READ, number, 0) {
            Ok(0) => {}
            Ok(_) if keep & (1 << capability) != 0 => left += 1,
            Ok(_) => prctl(libc::PR_CAPBSET_DROP, number, 0).map(drop)?,
            // Past the last one that this kernel knows.
            Err(e) if e.raw_os_error() == Some(libc::EINVAL) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(left)
}

/// The effective user and group.
pub(crate) fn effective_ids() -> (u32, u32) {
    // SAFETY: no arguments, and these calls cannot fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// How many supplementary groups the process has.
///
/// # Errors
///
/// Never in practice.
pub(crate) fn supplementary_groups() -> io::Result<usize> {
    // SAFETY: with size 0 nothing is written through the pointer.
    let count = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
    usize::try_from(count).map_err(|_| last())
}

/// Drops the supplementary groups.
///
/// # Errors
///
/// `EPERM` without `CAP_SETGID`, or where a user namespace forbids it.
pub(crate) fn drop_groups() -> io::Result<()> {
    // SAFETY: with size 0 nothing is read through the pointer.
    done(i64::from(unsafe { libc::setgroups(0, std::ptr::null()) }))
}

/// Becomes another user and group, for good: the real, effective and saved ids.
///
/// # Errors
///
/// `EPERM` without the capability, `EINVAL` where the user namespace does not map the id.
pub(crate) fn become_user(user: u32, group: u32) -> io::Result<()> {
    // SAFETY: plain numbers. The C library passes the change to every thread.
    done(i64::from(unsafe { libc::setresgid(group, group, group) }))?;
    // SAFETY: as above.
    done(i64::from(unsafe { libc::setresuid(user, user, user) }))
}

/// No program that is started from now on gets more rights than this process has.
///
/// # Errors
///
/// `EINVAL` before Linux 3.5.
pub(crate) fn no_new_privileges() -> io::Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0).map(drop)
}

/// Forbids core dumps and being traced by processes without `CAP_SYS_PTRACE`.
///
/// # Errors
///
/// Never in practice.
pub(crate) fn undumpable() -> io::Result<()> {
    prctl(libc::PR_SET_DUMPABLE, 0, 0).map(drop)
}

/// A limit that can be set to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// No new descriptor.
    Descriptors,
    /// No core file.
    Core,
    /// Not a byte into a regular file.
    FileSize,
    /// No further process or thread (does not bind uid 0).
    Processes,
}

/// Sets a limit to zero, now and for good.
///
/// # Errors
///
/// Never in practice: a limit may always be lowered.
pub(crate) fn limit_to_zero(limit: Limit) -> io::Result<()> {
    let zero = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let resource = match limit {
        Limit::Descriptors => libc::RLIMIT_NOFILE,
        Limit::Core => libc::RLIMIT_CORE,
        Limit::FileSize => libc::RLIMIT_FSIZE,
        Limit::Processes => libc::RLIMIT_NPROC,
    };
    // SAFETY: the pointer is to a live local that the kernel only reads.
    done(i64::from(unsafe { libc::setrlimit(resource, &raw const zero) }))
}

/// Whether standard input, output or error is a regular file.
pub(crate) fn a_standard_stream_is_a_file() -> bool {
    (0..3).any(|fd| {
        // SAFETY: plain numbers, for which all zero is a valid value.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a live local of the right type.
        let answer = unsafe { libc::fstat(fd, &raw mut stat) };
        answer == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFREG
    })
}

/// Closes every descriptor but standard input, output and error.
///
/// To be called where nothing of Rust holds a descriptor: what does would close or use a number that is not its own.
///
/// # Errors
///
/// If the kernel has no `close_range` (before 5.9) and `/proc` is not there either.
pub(crate) fn close_all_but_standard() -> io::Result<()> {
    // SAFETY: plain numbers; that nothing of Rust holds a descriptor is the caller's promise, and a broken one gives
    // EBADF, not undefined memory.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32) };
    if answer == 0 {
        return Ok(());
    }
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&fd| fd > 2)
        .collect();
    for fd in open {
        // The listing's own descriptor is closed already: EBADF.
        // SAFETY: as above.
        let _ = unsafe { libc::close(fd) };
    }
    Ok(())
}

/// What a Landlock ruleset forbids (`struct landlock_ruleset_attr`).
#[repr(C)]
struct Ruleset {
    /// On files and folders.
    files: u64,
    /// On sockets.
    network: u64,
    /// Towards processes outside.
    scoped: u64,
}

/// The rights that each version of Landlock added, newest first: version, all rights, size of the structure.
/// 1: 13 rights on files (Linux 5.13); 2: rename into another folder (5.19); 3: truncate (6.2); 4: TCP bind and connect
/// (6.7); 5: ioctl on devices (6.10); 6: abstract Unix sockets and signals (6.12); 9: Unix sockets by path.
const LANDLOCK: [(i64, Ruleset, usize); 7] = [
    (9, Ruleset { files: 0x1_ffff, network: 3, scoped: 3 }, 24),
    (6, Ruleset { files: 0xffff, network: 3, scoped: 3 }, 24),
    (5, Ruleset { files: 0xffff, network: 3, scoped: 0 }, 16),
    (4, Ruleset { files: 0x7fff, network: 3, scoped: 0 }, 16),
    (3, Ruleset { files: 0x7fff, network: 0, scoped: 0 }, 8),
    (2, Ruleset { files: 0x3fff, network: 0, scoped: 0 }, 8),
    (1, Ruleset { files: 0x1fff, network: 0, scoped: 0 }, 8),
];

/// The version of Landlock that the kernel offers.
///
/// # Errors
///
/// `ENOSYS` where the kernel has none, `EOPNOTSUPP` where it is switched off, `EPERM` where a container's filter
/// refuses the call.
pub(crate) fn landlock_version() -> io::Result<i64> {
    let nothing: *const Ruleset = std::ptr::null();
    // SAFETY: with the version flag (1), pointer and size must be zero and are not used.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0usize, 1u32) };
    if version < 0 { Err(last()) } else { Ok(version) }
}

/// Forbids everything that Landlock can forbid, and returns the version whose rights were used. Needs
/// [`no_new_privileges`] before.
///
/// # Errors
///
/// What the kernel answers.
pub(crate) fn landlock_deny_all(offered: i64) -> io::Result<i64> {
    for (version, rules, size) in LANDLOCK.iter().filter(|(version, ..)| *version <= offered) {
        // SAFETY: the pointer is to a live constant, and `size` is at most its size; the kernel only reads it.
        let fd = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::from_ref(rules), *size, 0u32)
        };
        let Ok(raw @ 0..) = i32::try_from(fd) else {
            let error = last();
            // A right that this kernel does not know: the next older set.
            if error.raw_os_error() == Some(libc::EINVAL) {
                continue;
            }
            return Err(error);
        };
        // SAFETY: the descriptor was just opened and nobody else has it.
        let ruleset = unsafe { OwnedFd::from_raw_fd(raw) };
        // No rule is added: what a ruleset handles and no rule allows is denied.
        // SAFETY: plain numbers; the descriptor is ours and open.
        done(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0u32) })?;
        return Ok(*version);
    }
    Err(io::Error::from_raw_os_error(libc::EINVAL))
}

/// What the kernel does with a call that is not allowed: kills the process, or before Linux 4.14 the thread.
/// None where it filters no calls at all.
pub(crate) fn seccomp_kill() -> Option<u32> {
    // EINVAL: built without it. EFAULT (a null program) proves that filters are there.
    // SAFETY: the null pointer makes the call fail before anything changes.
    let answer = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::c_ulong::from(libc::SECCOMP_MODE_FILTER),
            std::ptr::null::<libc::sock_fprog>(),
        )
    };
    if answer == 0 || last().raw_os_error() != Some(libc::EFAULT) {
        return None;
    }
    let process = libc::SECCOMP_RET_KILL_PROCESS;
    // SAFETY: the pointer is to a live local that the kernel only reads.
    let known =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0u32, &raw const process) }
            == 0;
    Some(if known { process } else { libc::SECCOMP_RET_KILL_THREAD })
}

/// Puts a filter on the system calls of every thread of this process. Needs
/// [`no_new_privileges`] before.
///
/// # Errors
///
/// What the kernel answers.
pub(crate) fn filter_calls(program: &mut Program) -> io::Result<()> {
    let filter = program.instructions()?;
    // SAFETY: `filter` is a live local that points to the live program with its true length; the kernel copies it.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_TSYNC,
            &raw const filter,
        )
    };
    match answer {
        0 => Ok(()),
        // The number of a thread that could not follow.
        1.. => Err(io::Error::other("another thread of this process has a filter of its own")),
        _ if last().raw_os_error() == Some(libc::ENOSYS) => {
            // Before Linux 3.17 there is only this way, for the calling thread alone.
            // SAFETY: as above.
            let answer = unsafe {
                libc::prctl(
                    libc::PR_SET_SECCOMP,
                    libc::c_ulong::from(libc::SECCOMP_MODE_FILTER),
                    &raw const filter,
                )
            };
            done(i64::from(answer))
        }
        _ => Err(last()),
    }
}

fn last() -> io::Error {
    io::Error::last_os_error()
}

#[cfg(test)]
mod forbidden;
