//! Which right each function needs, how that is tried, and what stays blind without it.
//!
//! One table for `doctor`, for `docs/privileges.md` and for whoever decides what to grant. A row says what the kernel
//! checks, with the function that checks it; each row has a probe that does the same as the collector would, changes
//! nothing and leaves nothing open.

mod probes;

use crate::sys::sandbox;
use bondwitness_core::domain::FaultDomain;
pub use probes::{Access, Scene};

/// A capability that some function of this program needs or that the lock-down takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Write files whatever their permissions.
    DacOverride,
    /// Send signals to processes of other users.
    Kill,
    /// Change group ids.
    SetGid,
    /// Change user ids.
    SetUid,
    /// Change the bounding set.
    SetPcap,
    /// Read files whatever their permissions.
    DacReadSearch,
    /// Configure the network, see settings that only administrators may see.
    NetAdmin,
    /// Packet sockets.
    NetRaw,
    /// Enter namespaces, and what has no capability of its own.
    SysAdmin,
    /// Read the kernel log.
    Syslog,
    /// Trace the kernel (Linux 5.8).
    Perfmon,
    /// Load and list BPF programs (Linux 5.8).
    Bpf,
}

impl Capability {
    /// Its number in `uapi/linux/capability.h`.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::DacOverride => 1,
            Self::DacReadSearch => 2,
            Self::Kill => 5,
            Self::SetGid => 6,
            Self::SetUid => 7,
            Self::SetPcap => 8,
            Self::NetAdmin => 12,
            Self::NetRaw => 13,
            Self::SysAdmin => 21,
            Self::Syslog => 34,
            Self::Perfmon => 38,
            Self::Bpf => 39,
        }
    }

    /// Its bit in a set.
    #[must_use]
    pub const fn bit(self) -> u64 {
        1 << self.number()
    }

    /// The kernel's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DacOverride => "CAP_DAC_OVERRIDE",
            Self::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Self::Kill => "CAP_KILL",
            Self::SetGid => "CAP_SETGID",
            Self::SetUid => "CAP_SETUID",
            Self::SetPcap => "CAP_SETPCAP",
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::NetRaw => "CAP_NET_RAW",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::Syslog => "CAP_SYSLOG",
            Self::Perfmon => "CAP_PERFMON",
            Self::Bpf => "CAP_BPF",
        }
    }
}

/// Whether this process is in the user namespace that the host booted with: its ids are mapped one to one, all of them.
/// Some rights (the LACP partner's details, the kernel log) count there only.
#[must_use]
pub fn initial_user_namespace() -> bool {
    std::fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]))
}

/// Whether the capability is in effect in the calling thread.
#[must_use]
pub fn holds(capability: Capability) -> bool {
    sandbox::capabilities().is_ok_and(|c| c.effective & capability.bit() != 0)
}

/// The capabilities in effect in the calling thread, in the kernel's names; those without a name here as `CAP_<number>`.
#[must_use]
pub fn held() -> Vec<String> {
    let effective = sandbox::capabilities().map_or(0, |c| c.effective);
    (0..64)
        .filter(|n| effective & (1 << n) != 0)
        .map(|n| NAMES.get(n).map_or_else(|| format!("CAP_{n}"), |name| format!("CAP_{name}")))
        .collect()
}

/// Names by number (`uapi/linux/capability.h`, Linux 6.12), without `CAP_`.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// How a right is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Nothing to grant.
    Everyone,
    /// A capability that a service may hold for good.
    Capability(Capability),
    /// A capability that amounts to root: for one command, not for a service.
    Root(Capability),
    /// Membership of a group.
    Group(&'static str),
}

/// Something that the program does and that needs a right.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name in kebab-case, stable.
    pub id: &'static str,
    /// What it does, as the end of "this user can/cannot ...".
    pub does: &'static str,
    /// What grants it.
    pub grant: Grant,
    /// What grants it as well, in words; empty if nothing does.
    pub or: &'static str,
    /// What the kernel checks and where: function, file, version.
    pub checked_by: &'static str,
    /// How it is tried.
    pub tried_by: &'static str,
    /// What is not seen without it.
    pub blind: &'static str,
    /// Which verdicts cannot be given without it, or only weaker; empty if none suffers.
    pub verdicts: &'static str,
    /// The fault domains that the lack of it narrows.
    pub narrows: &'static [FaultDomain],
    probe: fn(&Scene<'_>) -> Access,
}

impl Function {
    /// Tries it in the calling thread's network namespace.
    #[must_use]
    pub fn try_it(&self, scene: &Scene<'_>) -> Access {
        (self.probe)(scene)
    }
}

use FaultDomain::{
    HostConfig, HostDriverFirmware, HostStarvation, Mlag, Physical, SwitchConfig, SwitchControlPlane,
    VlanTxPath,
};

/// All functions, those that decide most first.
pub const FUNCTIONS: &[Function] = &[
    Function {
        id: "capture",
        does: "capture LACPDUs on the members",
        grant: Grant::Capability(Capability::NetRaw),
        or: "",
        checked_by: "packet_create: ns_capable(net->user_ns, CAP_NET_RAW), net/packet/af_packet.c, Linux 6.12",
        tried_by: "a packet socket that is bound to no protocol is opened and closed",
        blind: "which LACPDUs were sent and heard, when, and in which direction they were lost",
        verdicts: "nothing is proven from the wire: neither that the switch stopped sending nor that the host sent in time",
        narrows: &[SwitchControlPlane, SwitchConfig, Mlag, Physical, HostStarvation],
        probe: probes::capture,
    },
    Function {
        id: "partner-details",
        does: "see the LACP partner in /proc/net/bonding and sysfs",
        grant: Grant::Capability(Capability::NetAdmin),
        or: "",
        checked_by: "bond_info_show_master and bond_info_show_slave: capable(CAP_NET_ADMIN), \
                     drivers/net/bonding/bond_procfs.c; bonding_show_ad_partner_mac, bond_sysfs.c, Linux 6.12. Only in the \
                     host's own user namespace; without it the file is shorter and nothing says so",
        tried_by: "the file of an 802.3ad bond is read and searched for the part that only administrators get; without \
                   such a bond, the capability and the user namespace are looked at",
        blind: "system, key, port and state of the partner on each member",
        verdicts: "members at two switches, a partner that changed, and a key mismatch are seen by capture only",
        narrows: &[Mlag, SwitchConfig, Physical],
        probe: probes::partner_details,
    },
    Function {
        id: "kernel-log",
        does: "read the kernel log",
        grant: Grant::Capability(Capability::Syslog),
        or: "sysctl kernel.dmesg_restrict=0",
        checked_by: "devkmsg_open and check_syslog_permissions: capable(CAP_SYSLOG) if dmesg_restrict, \
                     kernel/printk/printk.c, Linux 6.12",
        tried_by: "/dev/kmsg is opened and one record is read",
        blind: "carrier changes with their time, resets and hangs of the NIC, bus errors, what bonding reported",
        verdicts: "a NIC that resets or hangs looks like a dead link; carrier loss has no time of its own",
        narrows: &[HostDriverFirmware, Physical],
        probe: probes::kernel_log,
    },
    Function {
        id: "journal",
        does: "read the journal of past hours and boots",
        grant: Grant::Group("systemd-journal"),
        or: "group adm",
        checked_by: "file permissions 0640 root:systemd-journal (systemd-journald.service(8))",
        tried_by: "the files system.journal are opened for reading",
        blind: "what the kernel log had said before its ring was full, and what network managers did",
        verdicts: "an incident of last night has no log",
        narrows: &[HostDriverFirmware, HostConfig],
        probe: probes::journal,
    },
    Function {
        id: "module-eeprom",
        does: "read the optics (light, temperature, identity of the module)",
        grant: Grant::Capability(Capability::NetAdmin),
        or: "",
        checked_by: "dev_ethtool: ns_capable(net->user_ns, CAP_NET_ADMIN), net/ethtool/ioctl.c; GENL_UNS_ADMIN_PERM of \
                     ETHTOOL_MSG_MODULE_EEPROM_GET, net/ethtool/netlink.c, Linux 6.12",
        tried_by: "the loopback device, which has no module, is asked for it",
        blind: "received light, temperature and type of the module",
        verdicts: "a dirty fibre and a dying module cannot be told apart; both stay `physical`",
        narrows: &[Physical],
        probe: probes::network_administrator,
    },
    Function {
        id: "packet-filters",
        does: "list nftables rules",
        grant: Grant::Capability(Capability::NetAdmin),
        or: "",
        checked_by: "nfnetlink_rcv: netlink_net_capable(skb, CAP_NET_ADMIN), net/netfilter/nfnetlink.c, Linux 6.12",
        tried_by: "as for the optics: the check is the same, and asking nftables could load a module",
        blind: "rules of the netdev family that eat LACPDUs before bonding sees them",
        verdicts: "a host that filters its own LACPDUs looks like a switch that is silent to bonding; only capture beside the \
                   bond's counters tells",
        narrows: &[HostConfig],
        probe: probes::network_administrator,
    },
    Function {
        id: "bpf-attachments",
        does: "see BPF programs attached to interfaces (tcx)",
        grant: Grant::Capability(Capability::NetAdmin),
        or: "",
        checked_by: "bpf_prog_query: bpf_net_capable (CAP_NET_ADMIN or CAP_SYS_ADMIN), kernel/bpf/syscall.c, Linux 6.12",
        tried_by: "the loopback device is asked how many programs it has",
        blind: "BPF programs that `tc` does not list",
        verdicts: "a program that eats LACPDUs looks like a silent switch, as with packet filters",
        narrows: &[HostConfig, VlanTxPath],
        probe: probes::bpf_attachments,
    },
    Function {
        id: "drop-reasons",
        does: "trace why the kernel drops frames",
        grant: Grant::Capability(Capability::Perfmon),
        or: "CAP_NET_ADMIN in the host's own user namespace (drop monitor)",
        checked_by: "perf_allow_cpu and perf_allow_kernel: perfmon_capable() unless perf_event_paranoid allows it, \
                     include/linux/perf_event.h; GENL_ADMIN_PERM of NET_DM_CMD_START, net/core/drop_monitor.c, Linux 6.12",
        tried_by: "a software counter that never starts is opened and closed",
        blind: "at which place and for which reason frames are lost inside the host",
        verdicts: "loss inside the host is seen as a difference of counters, without the place",
        narrows: &[VlanTxPath, HostStarvation, HostConfig],
        probe: probes::drop_reasons,
    },
    Function {
        id: "network-configuration",
        does: "read the network configuration files",
        grant: Grant::Root(Capability::DacReadSearch),
        or: "read permission on the files",
        checked_by: "generic_permission: CAP_DAC_READ_SEARCH, fs/namei.c, Linux 6.12 (netplan and NetworkManager keep theirs at 0600)",
        tried_by: "the files of netplan, NetworkManager, ifupdown, network-scripts and systemd-networkd are opened",
        blind: "what the bond is configured to be, and which managers own it",
        verdicts: "configuration that differs from the running state, and two managers that fight, are not seen",
        narrows: &[HostConfig],
        probe: probes::configuration,
    },
    Function {
        id: "bpf-program-names",
        does: "name BPF programs by their id",
        grant: Grant::Root(Capability::SysAdmin),
        or: "",
        checked_by: "bpf_obj_get_next_id and bpf_prog_get_fd_by_id: capable(CAP_SYS_ADMIN), kernel/bpf/syscall.c, Linux 6.12; \
                     CAP_BPF is not enough",
        tried_by: "the program after the last possible id is asked for",
        blind: "names of BPF programs; that they are attached is seen without",
        verdicts: "",
        narrows: &[],
        probe: probes::bpf_names,
    },
    Function {
        id: "other-namespaces",
        does: "look into other network namespaces (--netns)",
        grant: Grant::Root(Capability::SysAdmin),
        or: "nsenter before the command",
        checked_by: "netns_install: ns_capable(CAP_SYS_ADMIN) over both user namespaces, net/core/net_namespace.c, Linux 6.12",
        tried_by: "the thread enters the network namespace that it is in",
        blind: "bonds that live in another network namespace",
        verdicts: "",
        narrows: &[],
        probe: probes::other_namespaces,
    },
    Function {
        id: "change-links",
        does: "change links (drill, bypass)",
        grant: Grant::Capability(Capability::NetAdmin),
        or: "",
        checked_by: "rtnetlink_rcv_msg: netlink_net_capable(skb, CAP_NET_ADMIN) for every message but GET, \
                     net/core/rtnetlink.c, Linux 6.12",
        tried_by: "as for the optics: nothing is changed to try it",
        blind: "nothing",
        verdicts: "",
        narrows: &[],
        probe: probes::network_administrator,
    },
    Function {
        id: "states-and-counters",
        does: "read states and counters of bonds, members and the kernel",
        grant: Grant::Everyone,
        or: "",
        checked_by: "rtnetlink GET, the ethtool commands that dev_ethtool lets pass for anyone, 0444 files of /proc and /sys",
        tried_by: "the loopback device is asked for over rtnetlink",
        blind: "everything",
        verdicts: "nothing can be said",
        narrows: &FaultDomain::ALL,
        probe: probes::states,
    },
];

/// The function of this id.
#[must_use]
pub fn function(id: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_belong_together() {
        use Capability::{
            Bpf, DacReadSearch, NetAdmin, NetRaw, Perfmon, SetGid, SetPcap, SetUid, SysAdmin, Syslog,
        };
        for c in [SetGid, SetUid, SetPcap, DacReadSearch, NetAdmin, NetRaw, SysAdmin, Syslog, Perfmon, Bpf] {
            let name = NAMES[usize::try_from(c.number()).unwrap()];
            assert_eq!(c.name(), format!("CAP_{name}"));
        }
    }

    #[test]
    fn what_narrows_a_verdict_says_which() {
        let mut ids = std::collections::BTreeSet::new();
        for f in FUNCTIONS {
            assert!(ids.insert(f.id), "{} twice", f.id);
            assert_eq!(f.narrows.is_empty(), f.verdicts.is_empty(), "{}", f.id);
            assert!(!f.checked_by.is_empty() && !f.tried_by.is_empty() && !f.blind.is_empty(), "{}", f.id);
        }
    }

    /// The table of `docs/privileges.md`.
    fn page() -> String {
        let mut t = String::from(
            "| function | needs | without it | verdicts that narrow | checked by | tried by |\n|---|---|---|---|---|---|\n",
        );
        for f in FUNCTIONS {
            let needs = match f.grant {
                Grant::Everyone => "nothing".to_owned(),
                Grant::Capability(c) => format!("`{}`", c.name()),
                Grant::Root(c) => format!("root (`{}`)", c.name()),
                Grant::Group(g) => format!("group `{g}`"),
            };
            let or = if f.or.is_empty() { String::new() } else { format!(", or {}", f.or) };
            let narrows: Vec<&str> = f.narrows.iter().map(|d| d.name()).collect();
            let narrows = match narrows.len() {
                0 => "none".to_owned(),
                12 => "all".to_owned(),
                _ => narrows.join(", "),
            };
            let blind = if f.verdicts.is_empty() {
                format!("not seen: {}", f.blind)
            } else {
                format!("not seen: {}. {}", f.blind, f.verdicts)
            };
            let row = [&format!("`{}`: {}", f.id, f.does), &format!("{needs}{or}"), &blind, &narrows];
            let row: Vec<&str> =
                row.into_iter().map(String::as_str).chain([f.checked_by, f.tried_by]).collect();
            t.push_str(&format!("| {} |\n", row.join(" | ")));
        }
        t
    }

    /// `UPDATE=1` writes it.
    #[test]
    fn the_page_shows_the_table() {
        const BEGIN: &str = "<!-- table -->\n";
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/privileges.md");
        let text = std::fs::read_to_string(&path).unwrap();
        let from = text.find(BEGIN).unwrap() + BEGIN.len();
        let to = text.find("<!-- end of table -->").unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, format!("{}{}{}", &text[..from], page(), &text[to..])).unwrap();
        } else {
            assert_eq!(
                text[from..to],
                page(),
                "UPDATE=1 cargo test -p bondwitness-host the_page_shows_the_table"
            );
        }
    }

    /// Trying may not depend on what was tried before, and must leave no descriptor behind.
    #[test]
    fn trying_leaves_nothing_open() {
        let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let scene = Scene::default();
        let once: Vec<Access> = FUNCTIONS.iter().map(|f| f.try_it(&scene)).collect();
        // Other tests of this program open and close files meanwhile: a leak would show in every round.
        let grew = (0..20).all(|_| {
            let before = open();
            for (f, first) in FUNCTIONS.iter().zip(&once) {
                assert_eq!(f.try_it(&scene).allowed(), first.allowed(), "{}", f.id);
            }
            open() > before
        });
        assert!(!grew);
        assert!(function("states-and-counters").unwrap().try_it(&scene).allowed() == Some(true));
    }
}
