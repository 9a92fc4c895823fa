//! The system calls that the judge may make, as a seccomp program.
//!
//! The judge reads standard input, computes, writes standard output and error, and ends. Everything else kills the
//! process at once. A few calls are refused with an error instead, because the standard library makes them while it
//! reports a panic (it looks for its own executable to name the functions of a backtrace): killing it there would
//! hide the message. They are refused all the same.
//!
//! The program is a straight line of blocks, one per call: compare the number, decide, return. No jump leaves its block,
//! so that each can be read alone. Numbers are those of the machine that this was built for; a call through another
//! table (32-bit, x32) is killed before any number is compared.

use std::io;

/// The machine in the kernel's words (`uapi/linux/audit.h`), or none where no program is written for it.
#[cfg(target_arch = "x86_64")]
const MACHINE: Option<u32> = Some(0xc000_003e);
#[cfg(target_arch = "aarch64")]
const MACHINE: Option<u32> = Some(0xc000_00b7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const MACHINE: Option<u32> = None;

/// Allowed whatever their arguments are.
const ALLOWED: &[libc::c_long] = &[
    // Input and output on descriptors that are open already.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    // Memory. mmap and mprotect are below: nothing may become executable.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Where the vDSO cannot answer (a clock source that user space cannot read).
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    // Locks of the allocator and of standard output; the keys of hash maps.
    libc::SYS_futex,
    libc::SYS_getrandom,
    // Handlers of the standard library, the report of a panic, abort().
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    // The end.
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Refused with an error: see the module.
const REFUSED: &[(libc::c_long, i32)] = &[
    (libc::SYS_openat, libc::EACCES),
    (libc::SYS_newfstatat, libc::EACCES),
    (libc::SYS_readlinkat, libc::EACCES),
    (libc::SYS_getcwd, libc::EACCES),
    // The standard library asks this first, and then falls back on fstat.
    (libc::SYS_statx, libc::ENOSYS),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, libc::EACCES),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_readlink, libc::EACCES),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_stat, libc::EACCES),
];

/// Where `struct seccomp_data` (`uapi/linux/seccomp.h`) keeps what the program loads.
const NUMBER_AT: u32 = 0;
const MACHINE_AT: u32 = 4;
/// The low half of argument `i`: both machines are little-endian.
const fn argument_at(i: u32) -> u32 {
    16 + 8 * i
}

/// A program, ready for the kernel.
#[derive(Debug, Clone)]
pub(crate) struct Program(Vec<libc::sock_filter>);

impl Program {
    /// The judge's program, or none for a machine without one. `pid` is the process itself, which may signal nobody
    /// but itself; `kill` is what is done with everything that is not allowed.
    pub(crate) fn judge(pid: u32, kill: u32) -> Option<Self> {
        let machine = MACHINE?;
        let mut p = Self(Vec::with_capacity(160));
        p.load(MACHINE_AT);
        p.jump(libc::BPF_JEQ, machine, 1, 0);
        p.answer(kill);
        p.load(NUMBER_AT);
        if cfg!(target_arch = "x86_64") {
            // The x32 table shares the machine's number and is told by this bit.
            p.jump(libc::BPF_JGE, 0x4000_0000, 0, 1);
            p.answer(kill);
        }
        for &call in ALLOWED {
            p.call(call, 1);
            p.answer(libc::SECCOMP_RET_ALLOW);
        }
        for &(call, errno) in REFUSED {
            p.call(call, 1);
            p.answer(libc::SECCOMP_RET_ERRNO | u32::try_from(errno).unwrap_or(1));
        }
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            p.call(call, 4);
            p.load(argument_at(2));
            p.jump(libc::BPF_JSET, libc::PROT_EXEC.cast_unsigned(), 0, 1);
            p.answer(kill);
            p.answer(libc::SECCOMP_RET_ALLOW);
        }
        // Debug builds ask whether a descriptor is open before they close it. Nothing is duplicated or changed.
        p.call(libc::SYS_fcntl, 5);
        p.load(argument_at(1));
        p.jump(libc::BPF_JEQ, libc::F_GETFD.cast_unsigned(), 1, 0);
        p.jump(libc::BPF_JEQ, libc::F_GETFL.cast_unsigned(), 0, 1);
        p.answer(libc::SECCOMP_RET_ALLOW);
        p.answer(kill);
        // abort() signals its own thread.
        p.call(libc::SYS_tgkill, 4);
        p.load(argument_at(0));
        p.jump(libc::BPF_JEQ, pid, 0, 1);
        p.answer(libc::SECCOMP_RET_ALLOW);
        p.answer(kill);
        p.answer(kill);
        Some(p)
    }

    /// For the kernel, which copies it.
    ///
    /// # Errors
    ///
    /// If it is longer than a program may be.
    pub(crate) fn instructions(&mut self) -> io::Result<libc::sock_fprog> {
        let len = u16::try_from(self.0.len()).map_err(io::Error::other)?;
        Ok(libc::sock_fprog { len, filter: self.0.as_mut_ptr() })
    }

    fn push(&mut self, code: u32, jt: u8, jf: u8, k: u32) {
        self.0.push(libc::sock_filter { code: u16::try_from(code).unwrap_or(u16::MAX), jt, jf, k });
    }

    fn load(&mut self, at: u32) {
        self.push(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, at);
    }

    fn jump(&mut self, how: u32, k: u32, if_so: u8, if_not: u8) {
        self.push(libc::BPF_JMP | how | libc::BPF_K, if_so, if_not, k);
    }

    /// Begins the block of one call; `block` is the number of instructions that follow in it.
    fn call(&mut self, number: libc::c_long, block: u8) {
        // A number that does not fit would be a defect of libc; the block then never matches.
        self.jump(libc::BPF_JEQ, u32::try_from(number).unwrap_or(u32::MAX), 0, block);
    }

    fn answer(&mut self, answer: u32) {
        self.push(libc::BPF_RET | libc::BPF_K, 0, 0, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

    /// Runs a program the way the kernel does.
    fn run(program: &Program, machine: u32, number: libc::c_long, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(u32::try_from(number).unwrap().to_le_bytes());
        data.extend(machine.to_le_bytes());
        data.extend([0; 8]);
        data.extend(arguments.iter().flat_map(|a| a.to_le_bytes()));
        let (mut at, mut a) = (0usize, 0u32);
        loop {
            let i = program.0[at];
            at += 1;
            let code = u32::from(i.code);
            let jump = |yes: bool| usize::from(if yes { i.jt } else { i.jf });
            match code & 7 {
                libc::BPF_LD => {
                    let k = usize::try_from(i.k).unwrap();
                    a = u32::from_le_bytes(data[k..k + 4].try_into().unwrap());
                }
                libc::BPF_RET => return i.k,
                libc::BPF_JMP => {
                    at += match code & 0xf0 {
                        libc::BPF_JEQ => jump(a == i.k),
                        libc::BPF_JGE => jump(a >= i.k),
                        libc::BPF_JSET => jump(a & i.k != 0),
                        other => panic!("{other:#x}"),
                    }
                }
                other => panic!("{other:#x}"),
            }
        }
    }

    fn ask(number: libc::c_long, arguments: &[u64]) -> u32 {
        let program = Program::judge(4711, KILL).unwrap();
        let mut six = [0; 6];
        six[..arguments.len()].copy_from_slice(arguments);
        run(&program, MACHINE.unwrap(), number, six)
    }

    #[test]
    fn what_the_judge_needs_is_allowed_and_nothing_is_allowed_by_accident() {
        for number in 0..600 {
            let own = [libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_fcntl, libc::SYS_tgkill];
            let refused = REFUSED.iter().find(|(n, _)| *n == number);
            let expected = if ALLOWED.contains(&number) {
                libc::SECCOMP_RET_ALLOW
            } else if let Some((_, errno)) = refused {
                libc::SECCOMP_RET_ERRNO | errno.cast_unsigned()
            } else {
                KILL
            };
            if !own.contains(&number) {
                assert_eq!(ask(number, &[]), expected, "call {number}");
            }
        }
    }

    #[test]
    fn arguments_decide_where_they_must() {
        let prot = |p: i32| [0, 4096, u64::from(p.cast_unsigned())];
        for call in [libc::SYS_mmap, libc::SYS_mprotect] {
            assert_eq!(ask(call, &prot(libc::PROT_READ | libc::PROT_WRITE)), libc::SECCOMP_RET_ALLOW);
            assert_eq!(ask(call, &prot(libc::PROT_READ | libc::PROT_EXEC)), KILL);
        }
        let command = |c: i32| [1, u64::from(c.cast_unsigned())];
        assert_eq!(ask(libc::SYS_fcntl, &command(libc::F_GETFD)), libc::SECCOMP_RET_ALLOW);
        assert_eq!(ask(libc::SYS_fcntl, &command(libc::F_GETFL)), libc::SECCOMP_RET_ALLOW);
        assert_eq!(ask(libc::SYS_fcntl, &command(libc::F_DUPFD_CLOEXEC)), KILL);
        assert_eq!(ask(libc::SYS_fcntl, &command(libc::F_SETFL)), KILL);
        assert_eq!(ask(libc::SYS_tgkill, &[4711, 4711, 6]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(ask(libc::SYS_tgkill, &[1, 1, 9]), KILL);
    }

    #[test]
    fn another_table_of_calls_is_killed_whatever_the_number() {
        let program = Program::judge(1, KILL).unwrap();
        // 32-bit x86 and 32-bit Arm.
        for machine in [0x4000_0003, 0x4000_0028] {
            assert_eq!(run(&program, machine, libc::SYS_read, [0; 6]), KILL);
        }
        if cfg!(target_arch = "x86_64") {
            assert_eq!(run(&program, MACHINE.unwrap(), libc::SYS_read | 0x4000_0000, [0; 6]), KILL);
        }
        assert!(program.0.len() < 4096, "the kernel's limit for classic programs");
    }
}
