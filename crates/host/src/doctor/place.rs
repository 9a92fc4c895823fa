//! Who asks and where: user, kernel, container, virtual machine, network namespace, the bonding module.

use super::{line, text};
use crate::privilege;
use crate::sys::sandbox;
use std::path::Path;

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// Effective user.
    pub uid: u32,
    /// Effective group.
    pub gid: u32,
    /// Effective capabilities in the kernel's names.
    pub capabilities: Vec<String>,
    /// Whether capabilities count for the whole host: false in a rootless container.
    pub initial_user_namespace: bool,
    /// Whether file capabilities and set-user-id programs have no effect for this process.
    pub no_new_privileges: bool,
}

/// The kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kernel {
    /// The host's name.
    pub hostname: String,
    /// `uname -r`.
    pub release: String,
    /// `uname -v`.
    pub version: String,
    /// `uname -m`.
    pub machine: String,
    /// The lockdown mode (`integrity`, `confidentiality`), none where it is off or unknown. Confidentiality refuses
    /// tracing even to root.
    pub lockdown: Option<String>,
}

/// Where the process runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Which kind of container, if one is recognised.
    pub container: Option<String>,
    /// Which hypervisor, if one is recognised: a bond of virtual devices tests the hypervisor's switch, not a cable.
    pub virtual_machine: Option<String>,
    /// Whether the host is Talos Linux, which has no shell.
    pub talos: bool,
    /// The network namespace, as `net:[inode]`.
    pub netns: String,
    /// Whether that is the one of the host's first process; none if it cannot be told.
    pub host_netns: Option<bool>,
}

/// The bonding module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Module {
    /// What `modinfo` calls its version, where it has one.
    pub version: Option<String>,
    /// Parameters that are set to something else than the kernel's default, by name.
    pub changed: Vec<(String, String)>,
}

pub(super) fn user() -> User {
    let (uid, gid) = sandbox::effective_ids();
    let status = text("/proc/thread-self/status").unwrap_or_default();
    User {
        uid,
        gid,
        capabilities: privilege::held(),
        initial_user_namespace: privilege::initial_user_namespace(),
        no_new_privileges: status.lines().any(|l| l.split_whitespace().eq(["NoNewPrivs:", "1"])),
    }
}

pub(super) fn kernel() -> Kernel {
    let of = |name: &str| line(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    let lockdown = line("/sys/kernel/security/lockdown").and_then(|modes| {
        let mode = modes.split_once('[')?.1.split_once(']')?.0.to_owned();
        (mode != "none").then_some(mode)
    });
    let machine = line("/proc/sys/kernel/arch").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    Kernel { hostname: of("hostname"), release: of("osrelease"), version: of("version"), machine, lockdown }
}

pub(super) fn place() -> Place {
    let namespace = |of: &str, kind: &str| {
        std::fs::read_link(format!("/proc/{of}/ns/{kind}")).ok().map(|l| l.to_string_lossy().into_owned())
    };
    let netns = namespace("thread-self", "net").unwrap_or_default();
    // The first PID namespace has this number on every kernel (PROC_PID_INIT_INO, linux/proc_ns.h): only there is
    // process 1 the host's.
    let hosts_processes = namespace("self", "pid").is_some_and(|p| p == "pid:[4026531836]");
    let host_netns = hosts_processes.then(|| namespace("1", "net")).flatten().map(|first| first == netns);
    let release = line("/proc/sys/kernel/osrelease").unwrap_or_default();
    let os = text("/etc/os-release").unwrap_or_default();
    Place {
        container: container(),
        virtual_machine: virtual_machine(),
        talos: release.contains("talos") || os.lines().any(|l| l == "ID=talos"),
        netns,
        host_netns,
    }
}

fn container() -> Option<String> {
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Some("a Kubernetes pod".to_owned());
    }
    if Path::new("/run/.containerenv").exists() {
        return Some("podman".to_owned());
    }
    if Path::new("/.dockerenv").exists() {
        return Some("docker".to_owned());
    }
    line("/run/systemd/container")
}

fn virtual_machine() -> Option<String> {
    let dmi = |name: &str| line(format!("/sys/class/dmi/id/{name}")).unwrap_or_default();
    let (vendor, product) = (dmi("sys_vendor"), dmi("product_name"));
    let known = [
        ("QEMU", "QEMU"),
        ("VMware", "VMware"),
        ("Xen", "Xen"),
        ("innotek", "VirtualBox"),
        ("Google", "Google Compute Engine"),
        ("Amazon EC2", "Amazon EC2"),
    ];
    let named = known.iter().find(|(prefix, _)| vendor.starts_with(prefix)).map(|(_, name)| *name);
    if let Some(name) = named.filter(|_| !product.contains("metal")) {
        return Some(name.to_owned());
    }
    if vendor == "Microsoft Corporation" && product == "Virtual Machine" {
        return Some("Hyper-V".to_owned());
    }
    let cpu = text("/proc/cpuinfo").unwrap_or_default();
    let flags = cpu.lines().find(|l| l.starts_with("flags"))?;
    flags.split_whitespace().any(|f| f == "hypervisor").then(|| "a hypervisor".to_owned())
}

/// The defaults of `drivers/net/bonding/bond_main.c`, Linux 6.12, as `/sys/module/bonding/parameters` prints them.
const DEFAULTS: &[(&str, &str)] = &[
    ("all_slaves_active", "0"),
    ("arp_interval", "0"),
    ("downdelay", "0"),
    ("fail_over_mac", "(null)"),
    ("lp_interval", "1"),
    ("max_bonds", "1"),
    ("miimon", "0"),
    ("min_links", "0"),
    ("num_grat_arp", "1"),
    ("num_unsol_na", "1"),
    ("packets_per_slave", "1"),
    ("peer_notif_delay", "0"),
    ("resend_igmp", "1"),
    ("tx_queues", "16"),
    ("updelay", "0"),
    ("use_carrier", "1"),
];

pub(super) fn module() -> Option<Module> {
    let folder = Path::new("/sys/module/bonding");
    if !folder.exists() {
        return None;
    }
    let mut changed = Vec::new();
    for entry in std::fs::read_dir(folder.join("parameters")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(value) = line(entry.path()) else { continue };
        let default = DEFAULTS.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        // What is not in the list is text, and unset text is printed this way; lists of addresses are empty.
        if value != default.unwrap_or("(null)") && value.trim_matches(',') != "(null)" {
            changed.push((name, value));
        }
    }
    changed.sort();
    Some(Module { version: line(folder.join("version")), changed })
}
