//! Taking rights away: from the process that parses, all of them; from the one that collects, all but a few.
//!
//! A defect in a parser that reads frames from the wire must not become a defect of the host. The *judge* (ADR 0007)
//! therefore gives everything up before it reads its first byte: it has standard input, output and error, memory and a
//! clock, and nothing else. Each step stands on its own, so that a kernel that lacks one still has the others; what the
//! kernel offers and does not grant is an error, and the judge must not go on.

use crate::privilege::{self, Capability};
use crate::sys::sandbox::{self, Capabilities, Limit};
use crate::sys::syscall_filter::Program;
use std::fmt;
use std::io;

/// The user and group that the judge becomes where it is root: `nobody`, the id that nothing is owned by.
const NOBODY: u32 = 65534;

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Done; how, in a few words.
    Done(String),
    /// Not to be had here, and why: an old kernel, or a process that had no such right to begin with.
    NotHere(String),
}

/// One step of a lock-down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name in kebab-case, stable: `landlock`.
    pub id: &'static str,
    /// What it takes away, in words.
    pub takes: &'static str,
    /// What came of it.
    pub state: State,
}

/// What was taken away from this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockdown {
    /// The steps in the order they were taken.
    pub steps: Vec<Step>,
}

/// A step that the kernel offers and did not grant.
#[derive(Debug)]
pub struct LockdownError {
    /// [`Step::id`].
    pub step: &'static str,
    /// [`Step::takes`].
    pub takes: &'static str,
    /// What the kernel answered.
    pub source: io::Error,
}

impl LockdownError {
    /// What to do next.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        "run `bondwitness doctor` to see which steps this kernel offers; to read evidence without privileges at all, run \
         `bondwitness collect -o case.tar.zst` here and `bondwitness diagnose --from case.tar.zst` as another user"
    }
}

impl fmt::Display for LockdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot give up rights ({}: {}): {}", self.step, self.takes, self.source)
    }
}

impl std::error::Error for LockdownError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl Lockdown {
    /// The names of the steps that were done: for the record of a collection.
    #[must_use]
    pub fn done(&self) -> Vec<&'static str> {
        self.steps.iter().filter(|s| matches!(s.state, State::Done(_))).map(|s| s.id).collect()
    }
}

/// One step: its name, what it takes away, and how.
type Plan = (&'static str, &'static str, fn() -> io::Result<State>);

/// The judge's steps. Order matters: rights that later steps need go last, and the filter of calls ends the list
/// because most of the calls above it are not allowed under it.
const JUDGE: &[Plan] = &[
    ("single-thread", "rights cannot survive in another thread", one_thread),
    ("close-files", "every open file but standard input, output and error", close_files),
    ("bounding-set", "capabilities that a started program could get", || bounding(0)),
    ("groups", "supplementary groups", groups),
    ("user", "the user root", user),
    ("capabilities", "every capability", no_capabilities),
    ("not-dumpable", "core dumps, and being traced by the same user", || {
        sandbox::undumpable().map(|()| done("set"))
    }),
    ("no-core", "core files", || zero(Limit::Core)),
    ("no-processes", "further processes and threads", || zero(Limit::Processes)),
    ("no-file-growth", "writing into files", file_size),
    ("no-new-privileges", "rights through set-user-id programs", no_new_privileges),
    ("landlock", "files, TCP, Unix sockets, signals to others", landlock),
    // After Landlock, whose ruleset is a descriptor.
    ("no-descriptors", "opening anything", || zero(Limit::Descriptors)),
    ("seccomp", "every system call that reading, computing and writing do not need", seccomp),
];

/// Locks the calling process down as the judge: see the module.
///
/// To be called first thing in the process: before any thread is started, and before anything of Rust holds a
/// descriptor other than the three standard ones, since all others are closed. There is no way back. Afterwards a call
/// that is not needed for reading, computing and writing kills the process (`SIGSYS`); opening a file fails with
/// "permission denied".
///
/// # Errors
///
/// If the kernel offers a step and does not grant it. The process is then half locked and must end.
pub fn judge() -> Result<Lockdown, LockdownError> {
    take(JUDGE, &[])
}

/// What the process that collects keeps: what the functions of `doctor` need, writing the bundle where root wants it, and
/// ending the judge, which is another user by then.
const SENSOR: [Capability; 9] = [
    Capability::NetAdmin,
    Capability::NetRaw,
    Capability::Syslog,
    Capability::Perfmon,
    Capability::Bpf,
    // Listing programs of BPF by their ids needs it on every kernel (`bpf_prog_get_fd_by_id`, Linux 6.12).
    Capability::SysAdmin,
    Capability::DacReadSearch,
    Capability::DacOverride,
    Capability::Kill,
];

/// Leaves the calling process with the capabilities that collecting needs and no others.
///
/// To be called before any thread is started, and after what needs further rights is done (a namespace that is entered, a
/// child that still has to change its user): there is no way back. What a child of this process may hold is bounded by
/// the same list, also where the file or the user would grant more.
///
/// The user is not changed: root without capabilities still owns what root owns.
///
/// # Errors
///
/// If the kernel offers a step and does not grant it.
pub fn sensor() -> Result<Lockdown, LockdownError> {
    let keep = SENSOR;
    let wanted = keep.iter().fold(0, |set, c| set | c.bit());
    let keep_only = || {
        match sandbox::clear_ambient() {
            Err(e) if code(&e) != libc::EINVAL => return Err(e),
            _ => {}
        }
        let held = sandbox::capabilities()?.permitted & wanted;
        let kept = Capabilities { effective: held, permitted: held, inheritable: 0 };
        sandbox::set_capabilities(kept)?;
        if sandbox::capabilities()? != kept {
            return Err(io::Error::other("some are still there"));
        }
        let names = |held_or_not: bool| -> String {
            let of: Vec<&str> =
                keep.iter().filter(|c| (held & c.bit() != 0) == held_or_not).map(|c| c.name()).collect();
            if of.is_empty() { "none".to_owned() } else { of.join(", ") }
        };
        Ok(done(format!("kept: {}; not held: {}", names(true), names(false))))
    };
    #[allow(clippy::type_complexity, reason = "a table that is read right below")]
    let plan: [(&'static str, &'static str, &dyn Fn() -> io::Result<State>); 4] = [
        ("single-thread", "rights cannot survive in another thread", &one_thread),
        ("bounding-set", "capabilities that a started program could get", &|| bounding(wanted)),
        ("capabilities", "every capability that collecting does not need", &keep_only),
        ("no-new-privileges", "rights through set-user-id programs", &no_new_privileges),
    ];
    let mut steps = Vec::with_capacity(plan.len());
    for (id, takes, act) in plan {
        let state = act().map_err(|source| LockdownError { step: id, takes, source })?;
        steps.push(Step { id, takes, state });
    }
    Ok(Lockdown { steps })
}

/// The judge's lock-down without some of its steps: to see each layer hold alone.
#[cfg(test)]
pub(crate) fn judge_without(without: &[&str]) -> Result<Lockdown, LockdownError> {
    take(JUDGE, without)
}

/// Takes the steps of a plan, without those that are named: only tests leave any out, to see each layer hold alone.
fn take(plan: &[Plan], without: &[&str]) -> Result<Lockdown, LockdownError> {
    let mut steps = Vec::with_capacity(plan.len());
    for &(id, takes, act) in plan.iter().filter(|(id, ..)| !without.contains(id)) {
        let state = act().map_err(|source| LockdownError { step: id, takes, source })?;
        steps.push(Step { id, takes, state });
    }
    Ok(Lockdown { steps })
}

fn done(how: impl Into<String>) -> State {
    State::Done(how.into())
}

fn not_here(why: impl Into<String>) -> State {
    State::NotHere(why.into())
}

fn code(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

/// Several of the steps bind the calling thread only.
fn one_thread() -> io::Result<State> {
    match std::fs::read_dir("/proc/self/task") {
        Ok(tasks) => match tasks.count() {
            1 => Ok(done("the only one")),
            n => Err(io::Error::other(format!(
                "the process has {n} threads, and only this one would be locked"
            ))),
        },
        // Without /proc there is no way to count; the filter of calls reaches all threads by itself.
        Err(e) => Ok(not_here(format!("/proc/self/task: {e}"))),
    }
}

fn close_files() -> io::Result<State> {
    sandbox::close_all_but_standard().map(|()| done("closed"))
}

/// A refusal of a step that needs a capability: where the process holds it, in the host's own user namespace, the
/// kernel should have granted it.
fn refused(error: io::Error, capability: Capability) -> io::Result<State> {
    if !privilege::holds(capability) {
        return Ok(not_here(format!("the process does not hold {}", capability.name())));
    }
    // In a user namespace of its own, a process may hold the capability to change its ids and have none to change to.
    if privilege::initial_user_namespace() {
        return Err(error);
    }
    Ok(not_here(format!("this user namespace does not allow it: {error}")))
}

fn bounding(keep: u64) -> io::Result<State> {
    match sandbox::bound(keep) {
        Ok(left) => Ok(done(if left == 0 { "empty".to_owned() } else { format!("{left} left") })),
        Err(e) => refused(e, Capability::SetPcap),
    }
}

fn groups() -> io::Result<State> {
    match sandbox::supplementary_groups()? {
        0 => Ok(done("none")),
        n => match sandbox::drop_groups() {
            Ok(()) => Ok(done(format!("{n} dropped"))),
            Err(e) => refused(e, Capability::SetGid),
        },
    }
}

fn user() -> io::Result<State> {
    let (user, group) = sandbox::effective_ids();
    if user != 0 && group != 0 {
        return Ok(done(format!("uid {user}, not root to begin with")));
    }
    if user != 0 && !privilege::holds(Capability::SetGid) {
        return Ok(not_here(format!("uid {user} in group 0, without CAP_SETGID")));
    }
    let next = if user == 0 { NOBODY } else { user };
    match sandbox::become_user(next, NOBODY) {
        Ok(()) => Ok(done(format!("uid {next}, gid {NOBODY}"))),
        Err(e) if !privilege::holds(Capability::SetGid) => refused(e, Capability::SetGid),
        Err(e) => refused(e, Capability::SetUid),
    }
}

fn no_capabilities() -> io::Result<State> {
    match sandbox::clear_ambient() {
        Ok(()) => {}
        // Before Linux 4.3 there is no ambient set.
        Err(e) if code(&e) == libc::EINVAL => {}
        Err(e) => return Err(e),
    }
    sandbox::set_capabilities(Capabilities::default())?;
    if sandbox::capabilities()? == Capabilities::default() {
        Ok(done("none left"))
    } else {
        Err(io::Error::other("some are still there"))
    }
}

fn zero(limit: Limit) -> io::Result<State> {
    sandbox::limit_to_zero(limit)?;
    if limit == Limit::Processes && sandbox::effective_ids().0 == 0 {
        return Ok(not_here("the limit does not bind root"));
    }
    Ok(done("limit 0"))
}

/// A message to a standard error that is redirected into a file would raise `SIGXFSZ`.
fn file_size() -> io::Result<State> {
    if sandbox::a_standard_stream_is_a_file() {
        return Ok(not_here("a standard stream is a regular file"));
    }
    zero(Limit::FileSize)
}

fn no_new_privileges() -> io::Result<State> {
    match sandbox::no_new_privileges() {
        Ok(()) => Ok(done("set")),
        Err(e) if code(&e) == libc::EINVAL => Ok(not_here("needs Linux 3.5")),
        Err(e) => Err(e),
    }
}

fn landlock() -> io::Result<State> {
    let offered = match sandbox::landlock_version() {
        Ok(version) => version,
        Err(e) => {
            return Ok(not_here(match code(&e) {
                libc::ENOSYS => "this kernel has none (Linux 5.13 brought it)".to_owned(),
                libc::EOPNOTSUPP => "switched off at boot (the kernel's `lsm=` does not name it)".to_owned(),
                _ => format!("the call is refused here: {e}"),
            }));
        }
    };
    let used = sandbox::landlock_deny_all(offered)?;
    Ok(done(if used == offered {
        format!("version {offered}")
    } else {
        format!("version {offered}, with the rights of version {used}")
    }))
}

fn seccomp() -> io::Result<State> {
    let Some(kill) = sandbox::seccomp_kill() else {
        return Ok(not_here("this kernel filters no system calls"));
    };
    let Some(mut program) = Program::judge(std::process::id(), kill) else {
        return Ok(not_here("no filter is written for this machine"));
    };
    sandbox::filter_calls(&mut program)?;
    Ok(done(if kill == libc::SECCOMP_RET_KILL_PROCESS { "kills the process" } else { "kills the thread" }))
}
