//! How each right is tried: the same way in which the collector will need it.

use super::{Capability, holds, initial_user_namespace};
use crate::sys::ethtool::Ethtool;
use crate::sys::kmsg::KernelLog;
use crate::sys::namespace::Namespace;
use crate::sys::probe;
use std::io;
use std::path::{Path, PathBuf};

/// What came of trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It works; what was seen.
    Yes(String),
    /// This process may not; the system's words.
    No(String),
    /// There is nothing to try it on here, whatever the rights; what is missing.
    NotHere(String),
}

impl Access {
    /// Whether it works, if that can be told.
    #[must_use]
    pub const fn allowed(&self) -> Option<bool> {
        match self {
            Self::Yes(_) => Some(true),
            Self::No(_) => Some(false),
            Self::NotHere(_) => None,
        }
    }
}

/// What the probes look at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scene<'a> {
    /// The text of `/proc/net/bonding/<bond>` of one 802.3ad bond with members, as this process reads it.
    pub lacp_bond: Option<&'a str>,
}

fn yes(seen: &str) -> Access {
    Access::Yes(seen.to_owned())
}

/// A refusal is a missing right if the system calls it one; everything else is something that is not there.
fn judge(error: &io::Error) -> Access {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => Access::No(words(error)),
        _ => Access::NotHere(words(error)),
    }
}

/// The system's words without Rust's "(os error 1)", as errors are printed: in lower case.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

pub(super) fn capture(_: &Scene<'_>) -> Access {
    match probe::packet_socket() {
        Ok(()) => yes("a packet socket opens"),
        Err(e) => judge(&e),
    }
}

/// What only administrators get: the part of the bond, and that of each member (see `bond_procfs.c`).
const FOR_ADMINISTRATORS: [&str; 2] = ["\nSystem priority:", "\ndetails partner lacp pdu:"];

pub(super) fn partner_details(scene: &Scene<'_>) -> Access {
    if let Some(text) = scene.lacp_bond {
        return if FOR_ADMINISTRATORS.iter().any(|part| text.contains(part)) {
            yes("/proc/net/bonding shows them")
        } else if holds(Capability::NetAdmin) && !initial_user_namespace() {
            Access::No("CAP_NET_ADMIN of a user namespace of its own does not count here".to_owned())
        } else {
            Access::No("/proc/net/bonding leaves them out".to_owned())
        };
    }
    if !holds(Capability::NetAdmin) {
        Access::No("without CAP_NET_ADMIN (no 802.3ad bond here to try it on)".to_owned())
    } else if initial_user_namespace() {
        yes("CAP_NET_ADMIN is held (no 802.3ad bond here to try it on)")
    } else {
        Access::No("CAP_NET_ADMIN of a user namespace of its own does not count".to_owned())
    }
}

pub(super) fn kernel_log(_: &Scene<'_>) -> Access {
    match KernelLog::open().and_then(|mut log| log.take(1)) {
        Ok(_) => yes("/dev/kmsg is read"),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Access::NotHere("no /dev/kmsg (a container gets it with --device /dev/kmsg)".to_owned())
        }
        Err(e) => judge(&e),
    }
}

pub(super) fn journal(_: &Scene<'_>) -> Access {
    let mut found = 0;
    let mut refused = None;
    for root in ["/var/log/journal", "/run/log/journal"] {
        match files(Path::new(root), 2) {
            Ok(all) => {
                for file in all.iter().filter(|f| f.file_name().is_some_and(|n| n == "system.journal")) {
                    match std::fs::File::open(file) {
                        Ok(_) => found += 1,
                        Err(e) => refused = Some(e),
                    }
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => refused = Some(e),
        }
    }
    match (found, refused) {
        (1.., _) => yes("system.journal is read"),
        (_, Some(e)) => judge(&e),
        _ => Access::NotHere("no journal files on this host".to_owned()),
    }
}

/// The files below a folder, down to `depth`, at most some hundred.
fn files(folder: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)?.take(300).flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            if depth > 1 {
                found.extend(files(&path, depth - 1)?);
            }
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// A command of `ethtool` that is for administrators only, on the device that has nothing it could touch.
pub(super) fn network_administrator(_: &Scene<'_>) -> Access {
    match Ethtool::open().and_then(|mut ethtool| ethtool.module("lo")) {
        Ok(_) => yes("the kernel answers an administrator's question"),
        Err(e) if e.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            yes("the kernel answers an administrator's question")
        }
        Err(e) => judge(&e),
    }
}

pub(super) fn bpf_attachments(_: &Scene<'_>) -> Access {
    match probe::query_bpf_attachments() {
        Ok(()) => yes("the kernel lists them"),
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => {
            Access::NotHere("this kernel has no tcx programs (Linux 6.6 brought them)".to_owned())
        }
        Err(e) => judge(&e),
    }
}

pub(super) fn bpf_names(_: &Scene<'_>) -> Access {
    match probe::list_bpf_programs() {
        Ok(()) => yes("the kernel lists them"),
        Err(e) if e.raw_os_error() == Some(libc::ENOENT) => yes("the kernel lists them"),
        Err(e) => judge(&e),
    }
}

pub(super) fn drop_reasons(_: &Scene<'_>) -> Access {
    match probe::trace() {
        Ok(()) => yes("a trace counter opens"),
        Err(_) if holds(Capability::NetAdmin) && initial_user_namespace() => {
            yes("through the drop monitor, with CAP_NET_ADMIN")
        }
        Err(e) => judge(&e),
    }
}

/// Where the network managers of the distributions keep their files.
const CONFIGURATION: [&str; 7] = [
    "/etc/netplan",
    "/etc/NetworkManager/system-connections",
    "/run/NetworkManager/system-connections",
    "/etc/sysconfig/network-scripts",
    "/etc/network/interfaces.d",
    "/etc/systemd/network",
    "/run/systemd/network",
];

pub(super) fn configuration(_: &Scene<'_>) -> Access {
    let mut read = 0;
    let mut refused: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for folder in CONFIGURATION {
        match files(Path::new(folder), 1) {
            Ok(found) => all.extend(found),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => refused.push(folder.to_owned()),
            Err(_) => {}
        }
    }
    all.extend(["/etc/network/interfaces"].map(PathBuf::from).into_iter().filter(|f| f.exists()));
    for file in all {
        match std::fs::File::open(&file) {
            Ok(_) => read += 1,
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => refused.push(file.display().to_string()),
            Err(_) => {}
        }
    }
    match (read, refused.first()) {
        (0, None) => Access::NotHere("no network manager keeps files here".to_owned()),
        (_, None) => Access::Yes(format!("{read} files")),
        (_, Some(first)) => {
            let more = refused.len() - 1;
            let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
            Access::No(format!("{first}{rest}: permission denied"))
        }
    }
}

pub(super) fn other_namespaces(_: &Scene<'_>) -> Access {
    match Namespace::current().and_then(|here| here.with(|| ())) {
        Ok(()) => yes("entering works"),
        Err(e) => judge(&e),
    }
}

pub(super) fn states(_: &Scene<'_>) -> Access {
    match crate::doctor::link::exists("lo") {
        Ok(()) => yes("rtnetlink answers"),
        Err(e) => judge(&e),
    }
}
