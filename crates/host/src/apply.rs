//! The only place that changes the host: it carries out the steps of a plan over rtnetlink. Everything else here is
//! reading the host for plans, and the files that let only one of us work and the next one know what was done.

use crate::sys::rtnl_write::{Refused, Rtnl};
use bondwitness_core::plan::Action;
use bondwitness_core::plan::dump;
use bondwitness_core::plan::execute::Hand;
use bondwitness_core::plan::rtnetlink as rt;
use bondwitness_core::plan::state::State;
use bondwitness_core::plan::world::{Mark, World};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What failed, on what.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The kernel refused.
    #[error("cannot {what}: {source}")]
    Kernel {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: Refused,
    },
    /// The system refused.
    #[error("cannot {what} {path}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others may write to the folder of the state.
    #[error("cannot trust {0}: others than its owner may write there")]
    Open(PathBuf),
    /// Another instance works.
    #[error("cannot work on this host: {0} holds the lock")]
    Locked(String),
}

impl ApplyError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Kernel { .. } => "run as root, or with the capability CAP_NET_ADMIN".to_owned(),
            Self::System { .. } => "run as root, or name a folder that you own with --state".to_owned(),
            Self::Open(path) => {
                format!("`chmod 700 {}`, or name another folder with --state", path.display())
            }
            Self::Locked(_) => {
                "one reconciler per host: stop that one first, or let it do the work".to_owned()
            }
        }
    }
}

fn system(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ApplyError {
    move |source| ApplyError::System { what, path: path.to_owned(), source }
}

/// Reads the interfaces of the calling thread's network namespace, and what stands on them in others.
///
/// # Errors
///
/// If the kernel does not tell.
pub fn look() -> Result<World, ApplyError> {
    let mut rtnl =
        Rtnl::open().map_err(|e| ApplyError::Kernel { what: "open a netlink socket", source: e.into() })?;
    world(&mut rtnl).map_err(|source| ApplyError::Kernel { what: "read the interfaces", source })
}

fn world(rtnl: &mut Rtnl) -> Result<World, Refused> {
    let mut answers = rtnl.dump(&rt::links())?;
    answers.extend(rtnl.dump(&rt::addresses())?);
    // Filters are only told to the user.
    answers.extend(rtnl.dump(&rt::qdiscs()).unwrap_or_default());
    let mut world = World::read(&answers);
    for id in dump::namespaces(&rtnl.dump(&rt::namespaces())?) {
        match rtnl.dump(&rt::links_of(id)) {
            Ok(answers) => world.read_elsewhere(&answers),
            // A namespace that is gone by now holds nothing.
            Err(Refused::Kernel { errno: libc::EINVAL, .. }) => {}
            Err(Refused::Kernel { .. } | Refused::Socket(_) | Refused::Restless) => {
                world.unseen_namespaces = world.unseen_namespaces.saturating_add(1);
            }
        }
    }
    Ok(world)
}

/// The boot and the network namespace that interface indices belong to.
#[must_use]
pub fn place() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let net = fs::metadata("/proc/thread-self/ns/net").map(|m| m.ino()).unwrap_or_default();
    format!("{} net:{net}", boot.trim())
}

/// A new mark, from the kernel's random numbers.
///
/// # Errors
///
/// If there are none.
pub fn fresh_mark() -> Result<Mark, ApplyError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    let read = File::open(path).and_then(|mut f| f.read_exact(&mut bytes));
    read.map_err(system("read", path))?;
    Ok(Mark::new(u128::from_ne_bytes(bytes)))
}

/// The folder of the state file, locked: as long as it lives, nobody else changes the host.
#[derive(Debug)]
pub struct Keeper {
    folder: PathBuf,
    lock: File,
}

const STATE: &str = "bypass.json";
const LOCK: &str = "bypass.lock";

impl Keeper {
    /// Takes the lock; `who` is written there for others to read.
    ///
    /// # Errors
    ///
    /// [`ApplyError::Locked`] if another instance has it, others if the folder cannot be used.
    pub fn lock(folder: &Path, who: &str) -> Result<Self, ApplyError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(system("create", folder))?;
        let meta = fs::metadata(folder).map_err(system("look at", folder))?;
        if meta.mode() & 0o022 != 0 {
            return Err(ApplyError::Open(folder.to_owned()));
        }
        let path = folder.join(LOCK);
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW);
        let mut lock = options.open(&path).map_err(system("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = (&lock).take(200).read_to_string(&mut holder);
                let holder = holder.lines().next().unwrap_or_default().trim().to_owned();
                let holder = if holder.is_empty() { "another instance".to_owned() } else { holder };
                return Err(ApplyError::Locked(holder));
            }
            Err(fs::TryLockError::Error(e)) => return Err(system("lock", &path)(e)),
        }
        let written = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| writeln!(lock, "{who}"));
        written.map_err(system("write", &path))?;
        Ok(Self { folder: folder.to_owned(), lock })
    }

    /// Reads the state; an empty one if there is none or if it is damaged.
    ///
    /// # Errors
    ///
    /// If it is there and cannot be read.
    pub fn state(&self) -> Result<State, ApplyError> {
        state(&self.folder)
    }

    /// Writes the state: the file is always whole, the old one or the new one.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn keep(&self, state: &State) -> Result<(), ApplyError> {
        let (path, new) = (self.folder.join(STATE), self.folder.join(".bypass.json.new"));
        // A leftover of ours, or something in the way: either goes.
        let _ = fs::remove_file(&new);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let written = options.open(&new).and_then(|mut f| f.write_all(state.write().as_bytes()));
        written.map_err(system("write", &new))?;
        // No fsync: the file is of use only as long as this boot, and what was renamed outlives this process.
        fs::rename(&new, &path).map_err(system("write", &path))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Closing would do it too; a reader of the file shall not see a holder that is gone.
        let _ = self.lock.set_len(0);
        let _ = self.lock.unlock();
    }
}

/// Reads the state of a folder without the lock, to show what a plan would be.
///
/// # Errors
///
/// If it is there and cannot be read.
pub fn state(folder: &Path) -> Result<State, ApplyError> {
    let (path, place) = (folder.join(STATE), place());
    match fs::read_to_string(&path) {
        Ok(text) => Ok(State::read(&text, &place).unwrap_or_else(|| State::new(&place))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(State::new(&place)),
        // Bytes that are no text are damage too.
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Ok(State::new(&place)),
        Err(e) => Err(system("read", &path)(e)),
    }
}

/// The real hand: rtnetlink and the state file.
#[derive(Debug)]
pub struct Host<'k> {
    rtnl: Rtnl,
    keeper: &'k Keeper,
}

impl<'k> Host<'k> {
    /// A hand for the network namespace of the calling thread; whoever has it has the lock.
    ///
    /// # Errors
    ///
    /// If the kernel gives no socket.
    pub fn new(keeper: &'k Keeper) -> Result<Self, ApplyError> {
        let rtnl = Rtnl::open()
            .map_err(|e| ApplyError::Kernel { what: "open a netlink socket", source: e.into() })?;
        Ok(Self { rtnl, keeper })
    }
}

impl Hand for Host<'_> {
    fn look(&mut self) -> Result<World, String> {
        world(&mut self.rtnl).map_err(|e| format!("cannot read the interfaces: {e}"))
    }

    fn act(&mut self, action: &Action, index: u32) -> Result<(), String> {
        self.rtnl.change(rt::change(action, index)).map_err(|e| e.to_string())
    }

    fn keep(&mut self, state: &State) -> Result<(), String> {
        self.keeper.keep(state).map_err(|e| e.to_string())
    }
}
