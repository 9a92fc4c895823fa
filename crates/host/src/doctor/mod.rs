//! The facts that `doctor` tells: who asks, on which kernel, which bonds are there, and what this process may do.
//!
//! Collected from the calling thread's network namespace, and apart from how they are told. Nothing is changed, nothing is
//! kept open, and no question is asked that a driver is known to hang on.

mod clock;
mod driver;
pub(crate) mod link;
mod place;
mod traps;

pub use clock::{Clock, KernelLog};
pub use driver::{Driver, Flag};
pub use link::Exports;
pub use place::{Kernel, Module, Place, User};
pub use traps::Trap;

use crate::privilege::{Access, FUNCTIONS, Function, Scene};
use std::io::Read as _;
use std::path::Path;

/// A member of a bond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its driver, where the kernel tells.
    pub driver: Option<Driver>,
    /// What is known to go wrong with this driver, and what the host shows of it.
    pub traps: Vec<Trap>,
    /// What this kernel tells about it over netlink; none if it did not answer.
    pub exports: Option<Exports>,
}

/// A bond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bond {
    /// Its name.
    pub name: String,
    /// Its mode in the words of `/proc/net/bonding`.
    pub mode: String,
    /// Its members in the kernel's order.
    pub members: Vec<Member>,
}

impl Bond {
    /// Whether it speaks LACP.
    #[must_use]
    pub fn speaks_lacp(&self) -> bool {
        self.mode.contains("802.3ad")
    }
}

/// A function, and what came of trying it.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The row of the table.
    pub function: &'static Function,
    /// What came of it.
    pub access: Access,
}

/// Everything that `doctor` tells.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Who asks.
    pub user: User,
    /// The kernel.
    pub kernel: Kernel,
    /// Where the process runs.
    pub place: Place,
    /// The bonds of this network namespace, by name.
    pub bonds: Vec<Bond>,
    /// What this process may do.
    pub functions: Vec<Tried>,
    /// The bonding module; none where it is not loaded.
    pub module: Option<Module>,
    /// The clocks.
    pub clock: Clock,
    /// The kernel log.
    pub log: KernelLog,
}

/// Collects the facts of the calling thread's network namespace.
#[must_use]
pub fn facts() -> Facts {
    let mut bonds = Vec::new();
    let mut lacp_bond = None;
    for name in bond_names() {
        let Some(text) = text(format!("{BONDING}/{name}")) else { continue };
        let bond = bond(name, &text);
        if bond.speaks_lacp() && !bond.members.is_empty() {
            lacp_bond = Some(text);
        }
        bonds.push(bond);
    }
    let scene = Scene { lacp_bond: lacp_bond.as_deref() };
    let functions = FUNCTIONS.iter().map(|f| Tried { function: f, access: f.try_it(&scene) }).collect();
    Facts {
        user: place::user(),
        kernel: place::kernel(),
        place: place::place(),
        bonds,
        functions,
        module: place::module(),
        clock: clock::clock(),
        log: clock::kernel_log(),
    }
}

/// The folder of the calling thread's network namespace.
const BONDING: &str = "/proc/thread-self/net/bonding";

fn bond_names() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(BONDING) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn bond(name: String, text: &str) -> Bond {
    let value = |line: &str, key: &str| line.strip_prefix(key).map(|v| v.trim().to_owned());
    let mode = text.lines().find_map(|l| value(l, "Bonding Mode:")).unwrap_or_default();
    let members = text.lines().filter_map(|l| value(l, "Slave Interface:")).map(member).collect();
    Bond { name, mode, members }
}

fn member(name: String) -> Member {
    let driver = driver::driver(&name).ok();
    let traps = driver.as_ref().map(traps::of).unwrap_or_default();
    let exports = link::exports(&name).ok();
    Member { name, driver, traps, exports }
}

/// The begin of a small text file of the kernel or the system, at most a megabyte.
pub(crate) fn text(path: impl AsRef<Path>) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(1 << 20).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first line of a small text file, without white space around it; none if it is empty.
pub(crate) fn line(path: impl AsRef<Path>) -> Option<String> {
    let text = text(path)?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_and_members_are_found_in_what_the_kernel_prints() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        let printed = text(root.join("loss-h2s/snap-before/host-proc-bonding.txt")).unwrap();
        let bond = bond("bond0".to_owned(), &printed);
        assert!(bond.speaks_lacp(), "{}", bond.mode);
        let names: Vec<&str> = bond.members.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["h1", "h2"]);
    }

    #[test]
    fn facts_are_collected_on_any_host() {
        let facts = facts();
        assert_eq!(facts.functions.len(), FUNCTIONS.len());
        assert!(!facts.kernel.release.is_empty());
        assert!(facts.clock.now.real_ns > 1_600_000_000_000_000_000);
        assert!(facts.place.netns.starts_with("net:["), "{}", facts.place.netns);
    }
}
