//! What a process can still do after it locked itself down: tried, each in a process of its own.
//!
//! The child is this test program again, with the one test that is ignored otherwise. It forks, because a test runs in
//! a second thread and a lock-down wants the only one. The forked process locks itself down, tries one thing, and says
//! what came of it; a call that the filter does not allow ends it with `SIGSYS`, which the child passes on.

use crate::lockdown;
use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{FromRawFd as _, IntoRawFd as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Output, Stdio};

const ACTION: &str = "LOCKDOWN_TEST_ACTION";
/// The action that is not the judge's.
const SENSOR: &str = "collecting";
const WITHOUT: &str = "LOCKDOWN_TEST_WITHOUT";

/// What the full lock-down makes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denied {
    /// The process is killed.
    Killed,
    /// The call fails.
    Fails(i32),
}

type Attempt = (&'static str, Denied, fn() -> io::Result<()>);

fn call(answer: libc::c_long) -> io::Result<()> {
    super::done(answer)
}

/// Forbidden things. Each would succeed or fail for another reason without the lock-down.
const FORBIDDEN: &[Attempt] = &[
    ("open-passwd", Denied::Fails(libc::EACCES), || std::fs::File::open("/etc/passwd").map(drop)),
    ("list-root", Denied::Fails(libc::EACCES), || std::fs::read_dir("/").map(drop)),
    ("create-file", Denied::Fails(libc::EACCES), || {
        std::fs::File::create(std::env::temp_dir().join("lockdown-test-must-not-be")).map(drop)
    }),
    ("open-device", Denied::Fails(libc::EACCES), || std::fs::File::open("/dev/null").map(drop)),
    ("socket-tcp", Denied::Killed, || socket(libc::AF_INET, libc::SOCK_STREAM)),
    ("socket-unix", Denied::Killed, || socket(libc::AF_UNIX, libc::SOCK_STREAM)),
    ("socket-packet", Denied::Killed, || socket(libc::AF_PACKET, libc::SOCK_RAW)),
    ("socket-netlink", Denied::Killed, || socket(libc::AF_NETLINK, libc::SOCK_RAW)),
    // SAFETY: the pointers are null with length 0; the kernel refuses them.
    ("connect", Denied::Killed, || call(unsafe { libc::syscall(libc::SYS_connect, 0, 0usize, 0) })),
    // SAFETY: a child of a single-threaded process that ends at once.
    ("fork", Denied::Killed, || match unsafe { libc::fork() } {
        // SAFETY: in the child; nothing is run on the way out.
        0 => unsafe { libc::_exit(0) },
        answer => call(answer.into()),
    }),
    ("thread", Denied::Killed, || std::thread::Builder::new().spawn(|| ()).map(drop)),
    ("exec", Denied::Killed, || Err(Command::new("/bin/true").exec())),
    // SAFETY: only asks to be traced.
    ("ptrace", Denied::Killed, || call(unsafe { libc::syscall(libc::SYS_ptrace, 0, 0, 0, 0) })),
    ("mount", Denied::Killed, || {
        let name = c"none".as_ptr();
        // SAFETY: live strings that end in zero.
        call(unsafe { libc::mount(name, c"/mnt".as_ptr(), c"tmpfs".as_ptr(), 0, std::ptr::null()) }.into())
    }),
    // SAFETY: signal 0 only asks whether it may be sent.
    ("signal-parent", Denied::Killed, || call(unsafe { libc::kill(libc::getppid(), 0) }.into())),
    ("thread-signal-parent", Denied::Killed, || {
        let parent = std::os::unix::process::parent_id();
        // SAFETY: signal 0 only asks whether it may be sent.
        call(unsafe { libc::syscall(libc::SYS_tgkill, parent, parent, 0) })
    }),
    // SAFETY: no pointers.
    ("unshare-net", Denied::Killed, || call(unsafe { libc::unshare(libc::CLONE_NEWNET) }.into())),
    // SAFETY: no pointers.
    ("unshare-user", Denied::Killed, || call(unsafe { libc::unshare(libc::CLONE_NEWUSER) }.into())),
    ("ioctl", Denied::Killed, || {
        let mut waiting = 0i32;
        // SAFETY: FIONREAD writes one number into a live local.
        call(unsafe { libc::ioctl(0, libc::FIONREAD, &raw mut waiting) }.into())
    }),
    ("io-uring", Denied::Killed, || {
        let mut parameters = [0u64; 15];
        // SAFETY: the kernel's structure has 120 bytes.
        call(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()) })
    }),
    // SAFETY: no pointers.
    ("become-root", Denied::Killed, || call(unsafe { libc::setuid(0) }.into())),
    // SAFETY: the name is a live string that ends in zero.
    ("memory-file", Denied::Killed, || call(unsafe { libc::memfd_create(c"x".as_ptr(), 0) }.into())),
    ("executable-memory", Denied::Killed, || {
        let (read, exec) = (libc::PROT_READ, libc::PROT_EXEC);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping that nothing else uses.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), 4096, read | exec, flags, -1, 0) };
        if at == libc::MAP_FAILED { Err(super::last()) } else { Ok(()) }
    }),
    ("bpf", Denied::Killed, || {
        let attributes = [0u64; 16];
        // SAFETY: live memory of the length that is named. Command 11 asks for the first program's id.
        call(unsafe { libc::syscall(libc::SYS_bpf, 11, attributes.as_ptr(), 16) })
    }),
    // SAFETY: no pointers.
    ("keep-descriptor", Denied::Killed, || call(unsafe { libc::dup(0) }.into())),
    // SAFETY: the path is a live string that ends in zero.
    ("remove-file", Denied::Killed, || call(unsafe { libc::unlink(c"/no-such-file".as_ptr()) }.into())),
    // SAFETY: this option has no arguments.
    ("prctl", Denied::Killed, || call(unsafe { libc::prctl(libc::PR_GET_DUMPABLE) }.into())),
    ("read-parent-memory", Denied::Killed, || {
        let parent = std::os::unix::process::parent_id();
        let nothing: *const libc::iovec = std::ptr::null();
        // SAFETY: no vectors are passed.
        call(unsafe { libc::syscall(libc::SYS_process_vm_readv, parent, nothing, 0, nothing, 0, 0) })
    }),
];

fn socket(family: i32, kind: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    call(unsafe { libc::socket(family, kind, 0) }.into())
}

/// What the judge does: it must still work.
#[allow(clippy::type_complexity, reason = "a table that is read right below")]
const NEEDED: &[(&str, fn() -> io::Result<()>)] = &[
    ("nothing", || Ok(())),
    ("diagnose", || {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        io::stdout().write_all(verdict(&bytes).as_bytes())
    }),
    ("allocate", || {
        let mut kept = HashMap::new();
        for round in 0..50usize {
            let mut grows = Vec::new();
            grows.resize(round * 300_000, 1u8);
            grows.shrink_to(round * 1000);
            kept.insert(round, grows);
        }
        kept.retain(|round, _| round % 2 == 0);
        let sum: usize = kept.values().map(Vec::len).sum();
        println!("{sum} {:?} {:?}", std::time::Instant::now(), std::time::SystemTime::now());
        Ok(())
    }),
    ("standard-file", || {
        // What the standard library asks of a descriptor that is read as a file.
        // SAFETY: standard input is open, and is not closed here.
        let file = unsafe { std::fs::File::from_raw_fd(0) };
        let mut file = std::mem::ManuallyDrop::new(file);
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        assert!(bytes.starts_with(b"Ethernet Channel Bonding Driver"), "{bytes:?}");
        Ok(())
    }),
];

fn verdict(bytes: &[u8]) -> String {
    let input = bondwitness_core::diagnose::Input { path: "proc.txt", bytes, sha256: None, problem: None };
    let report = bondwitness_core::diagnose::diagnose(&[input]);
    let options = bondwitness_core::report::text::Options { color: false, width: 80, verbose: true };
    bondwitness_core::report::text::report(&report, options)
}

#[test]
#[ignore = "a process of its own, started by the other tests"]
fn child() {
    let Ok(action) = std::env::var(ACTION) else { return };
    // SAFETY: the other thread of this process waits for this test to end, so that no lock is held.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "{}", super::last());
    if pid == 0 {
        let code = std::panic::catch_unwind(|| locked(&action)).map_or(101, |()| 0);
        io::stdout().flush().unwrap();
        // SAFETY: the test program's own way out is the other process's.
        unsafe { libc::_exit(code) }
    }
    let mut status = 0;
    // SAFETY: the pointer is to a live local, and the child is ours.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    let status = std::process::ExitStatus::from_raw(status);
    if let Some(signal) = status.signal() {
        println!("\noutcome: signal {signal}");
    }
}

fn locked(action: &str) {
    if action == SENSOR {
        return sensor();
    }
    let without = std::env::var(WITHOUT).unwrap_or_default();
    let without: Vec<&str> = without.split(',').filter(|w| !w.is_empty()).collect();
    // A descriptor that was forgotten.
    let forgotten = std::fs::File::open("/dev/zero").unwrap().into_raw_fd();
    match lockdown::judge_without(&without) {
        Ok(_) => {}
        Err(e) => panic!("{e}"),
    }
    let attempt = FORBIDDEN.iter().find(|(name, ..)| *name == action).map(|(.., f)| *f);
    let needed = NEEDED.iter().find(|(name, _)| *name == action).map(|(_, f)| *f);
    let outcome = match (attempt.or(needed), action) {
        (Some(f), _) => f(),
        (None, "panic") => panic!("told before the end"),
        (None, "abort") => std::process::abort(),
        (None, "read-forgotten") => {
            let mut byte = 0u8;
            // SAFETY: one byte into a live local.
            call(i64::try_from(unsafe { libc::read(forgotten, (&raw mut byte).cast(), 1) }).unwrap())
        }
        (None, other) => panic!("no such action: {other}"),
    };
    let answer = match outcome {
        Ok(()) => "it went well".to_owned(),
        Err(e) => format!("errno {}", e.raw_os_error().unwrap_or(-1)),
    };
    println!("\noutcome: {answer}");
}

/// What is left to the process that collects.
fn sensor() {
    let before = super::capabilities().unwrap();
    lockdown::sensor().unwrap();
    let after = super::capabilities().unwrap();
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let bounding = status.lines().find_map(|l| l.strip_prefix("CapBnd:")).unwrap().trim();
    println!("\nleft: {:x} {:x} {:x} {bounding}", before.permitted, after.permitted, after.effective);
}

/// Runs the child as this user, or without any rights.
fn run(action: &str, without: &[&str], unprivileged: bool, input: &[u8]) -> Output {
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["sys::sandbox::forbidden::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env_clear()
        .env(ACTION, action)
        .env(WITHOUT, without.join(","))
        .env("RUST_BACKTRACE", "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if unprivileged {
        command.uid(65534).gid(65534);
    }
    let mut child = command.spawn().unwrap();
    // A child that is killed before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// What came of an attempt: the errno, or none if it went well; or the signal.
fn outcome(output: &Output) -> Result<Option<i32>, i32> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|l| l.strip_prefix("outcome: "));
    let Some(line) = line else {
        panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    if let Some(signal) = line.strip_prefix("signal ") {
        return Err(signal.parse().unwrap());
    }
    Ok(line.strip_prefix("errno ").map(|e| e.parse().unwrap()))
}

/// As the user of the tests, and, where that is root, as nobody too.
fn as_whom() -> Vec<bool> {
    if super::effective_ids().0 == 0 { vec![false, true] } else { vec![false] }
}

#[test]
fn the_collecting_process_keeps_what_collecting_needs_only() {
    for unprivileged in as_whom() {
        let output = run(SENSOR, &[], unprivileged, b"");
        let text = String::from_utf8_lossy(&output.stdout);
        let left =
            text.lines().find_map(|l| l.strip_prefix("left: ")).unwrap_or_else(|| panic!("{output:?}"));
        let sets: Vec<u64> = left
            .split(' ')
            .map(|set| u64::from_str_radix(set, 16).unwrap_or_else(|e| panic!("{e}: {left}")))
            .collect();
        let [before, permitted, effective, bounding] = sets[..] else { panic!("{left}") };
        assert_eq!(permitted, effective, "{left}");
        assert_eq!(permitted & !before, 0, "nothing is gained: {left}");
        // CAP_CHOWN, CAP_SETUID, CAP_SYS_MODULE, CAP_SYS_PTRACE, CAP_SYS_BOOT.
        for taken in [0, 7, 16, 19, 22] {
            assert_eq!(permitted & (1 << taken), 0, "{taken}: {left}");
            assert!(before & (1 << 8) == 0 || bounding & (1 << taken) == 0, "{taken}: {left}");
        }
        // CAP_DAC_OVERRIDE, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYSLOG.
        for kept in [1, 12, 13, 34] {
            assert_eq!(permitted & (1 << kept), before & (1 << kept), "{kept}: {left}");
        }
    }
}

#[test]
fn everything_that_is_not_needed_is_denied() {
    if super::seccomp_kill().is_none() {
        eprintln!("skipped: this kernel filters no system calls");
        return;
    }
    for unprivileged in as_whom() {
        for (name, denied, _) in FORBIDDEN {
            let output = run(name, &[], unprivileged, b"");
            let expected = match denied {
                Denied::Killed => Err(libc::SIGSYS),
                Denied::Fails(errno) => Ok(Some(*errno)),
            };
            assert_eq!(outcome(&output), expected, "{name}, unprivileged: {unprivileged}, {output:?}");
        }
    }
    assert!(!std::env::temp_dir().join("lockdown-test-must-not-be").exists());
}

#[test]
fn without_the_filter_the_other_layers_still_hold() {
    // Landlock alone keeps files away: the limit on descriptors would refuse them first.
    if super::landlock_version().is_ok() {
        for unprivileged in as_whom() {
            for name in ["open-passwd", "list-root", "create-file", "open-device"] {
                let output = run(name, &["seccomp", "no-descriptors", "user"], unprivileged, b"");
                assert_eq!(outcome(&output), Ok(Some(libc::EACCES)), "{name}: {output:?}");
            }
        }
        if super::landlock_version().unwrap() >= 6 {
            let output = run("signal-parent", &["seccomp", "user", "capabilities"], false, b"");
            assert_eq!(outcome(&output), Ok(Some(libc::EPERM)), "{output:?}");
        }
    }
    // The limits alone.
    for unprivileged in as_whom() {
        let without = ["seccomp", "landlock"];
        for name in ["open-passwd", "socket-tcp", "socket-unix", "memory-file", "keep-descriptor"] {
            let output = run(name, &without, unprivileged, b"");
            assert_eq!(outcome(&output), Ok(Some(libc::EMFILE)), "{name}: {output:?}");
        }
        for name in ["fork", "thread"] {
            let output = run(name, &without, unprivileged, b"");
            assert_eq!(outcome(&output), Ok(Some(libc::EAGAIN)), "{name}: {output:?}");
        }
        // Without capabilities and user.
        for name in ["mount", "become-root", "unshare-net"] {
            let output = run(name, &without, unprivileged, b"");
            assert_eq!(outcome(&output), Ok(Some(libc::EPERM)), "{name}: {output:?}");
        }
    }
}

#[test]
fn a_forgotten_descriptor_is_closed() {
    assert_eq!(outcome(&run("read-forgotten", &[], false, b"")), Ok(Some(libc::EBADF)));
    assert_eq!(outcome(&run("read-forgotten", &["close-files"], false, b"")), Ok(None));
}

#[test]
fn what_the_judge_does_still_works() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let fixture = std::fs::read(root.join("loss-h2s/snap-after/host-proc-bonding.txt")).unwrap();
    for unprivileged in as_whom() {
        for (name, _) in NEEDED {
            let output = run(name, &[], unprivileged, &fixture);
            assert_eq!(outcome(&output), Ok(None), "{name}: {output:?}");
            if *name == "diagnose" {
                let printed = String::from_utf8_lossy(&output.stdout);
                let expected = verdict(&fixture);
                assert!(expected.contains("802.3ad") && printed.contains(&expected), "{printed}\n{expected}");
            }
        }
    }
}

#[test]
fn a_panic_and_an_abort_are_still_told() {
    let output = run("panic", &[], false, b"");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("outcome"), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("told before the end"), "{output:?}");
    assert_eq!(outcome(&run("abort", &[], false, b"")), Err(libc::SIGABRT));
}
