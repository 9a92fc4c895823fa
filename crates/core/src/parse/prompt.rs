//! Shell prompts, dividers and file names: lines that announce what follows, and what they hint at.
//!
//! They never decide what a block is (content does); they give an interface, a command or a time to blocks
//! that do not name one themselves.

use super::Hints;
use crate::units::Stamp;

/// A line that is not evidence itself but announces some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The command after a shell prompt, or the path in `==> path <==`.
    pub command: Option<String>,
    /// A time announced for what follows.
    pub time: Option<Stamp>,
}

impl Prompt {
    /// The hints for the block after this line: the file's own, overridden by what this line says.
    #[must_use]
    pub fn hints(&self, base: &Hints) -> Hints {
        let mut hints = base.clone();
        if let Some(command) = &self.command {
            hints.dev = dev_of_command(command);
            hints.command = Some(command.clone());
        }
        if self.time.is_some() {
            hints.time = self.time;
        }
        hints
    }
}

/// Commands whose output this program reads or that often stand between: a bare `$ ` or `# ` counts as a
/// prompt only before one of these, so that comments are not mistaken for prompts.
const COMMANDS: &[&str] = &[
    "arp",
    "bpftool",
    "bridge",
    "cat",
    "chronyc",
    "curl",
    "date",
    "dmesg",
    "dpkg",
    "echo",
    "ethtool",
    "export",
    "for",
    "grep",
    "head",
    "hostname",
    "ifconfig",
    "ifdown",
    "ifup",
    "ip",
    "iperf",
    "iperf3",
    "journalctl",
    "kubectl",
    "ls",
    "lsmod",
    "lspci",
    "modinfo",
    "modprobe",
    "more",
    "mlxlink",
    "netplan",
    "netstat",
    "networkctl",
    "nft",
    "nmcli",
    "nstat",
    "ovs-appctl",
    "ovs-vsctl",
    "perf",
    "ping",
    "rmmod",
    "sar",
    "ss",
    "sudo",
    "sysctl",
    "systemctl",
    "tail",
    "talosctl",
    "tc",
    "tcpdump",
    "teamdctl",
    "timeout",
    "tshark",
    "uname",
    "uptime",
    "vtysh",
    "watch",
    "xdp-loader",
];

/// Recognises a prompt or divider line.
#[must_use]
pub fn find(text: &str) -> Option<Prompt> {
    let t = text.trim();
    if t.is_empty() {
        return None;
    }
    if let Some(rest) = t.strip_prefix("@@ ") {
        let (secs, frac) = rest.split_once('.').unwrap_or((rest, ""));
        if secs.len() >= 9
            && secs.bytes().all(|b| b.is_ascii_digit())
            && frac.bytes().all(|b| b.is_ascii_digit())
        {
            return Some(Prompt { command: None, time: epoch(secs, frac) });
        }
    }
    if let Some(path) = t.strip_prefix("==> ").and_then(|r| r.strip_suffix(" <==")) {
        return Some(Prompt { command: Some(path.to_owned()), time: None });
    }
    if let Some(command) = shell(t) {
        return Some(Prompt { command: Some(command), time: None });
    }
    let dividers = ["====", "----", "####", "****", "~~~~", "```"];
    if dividers.iter().any(|d| t.starts_with(d)) {
        let inner = t.trim_matches(|c| matches!(c, '=' | '-' | '#' | '*' | '~' | '`' | ' '));
        // `--- 10.0.0.1 ping statistics ---` has three dashes and is no divider; four or more are.
        let words = inner.split_whitespace().count();
        if words <= 8 {
            let command = (!inner.is_empty()).then(|| inner.to_owned());
            return Some(Prompt { command, time: None });
        }
    }
    None
}

/// Seconds and decimal fraction as an instant.
#[must_use]
pub fn epoch(secs: &str, frac: &str) -> Option<Stamp> {
    let secs: i64 = secs.parse().ok()?;
    let digits = frac.get(..frac.len().min(9)).unwrap_or("");
    let frac = if digits.is_empty() {
        0
    } else {
        digits.parse::<i64>().ok()? * 10_i64.pow(9 - u32::try_from(digits.len()).ok()?)
    };
    Some(Stamp::wall(secs.checked_mul(1_000_000_000)?.checked_add(frac)?))
}

fn known(command: &str) -> bool {
    let first = command.split_whitespace().next().unwrap_or("");
    let base = first.rsplit('/').next().unwrap_or(first);
    COMMANDS.contains(&base)
}

fn shell(t: &str) -> Option<String> {
    // [user@host dir]# command
    if let Some(rest) = t.strip_prefix('[')
        && let Some((inside, after)) = rest.split_once(']')
        && inside.contains('@')
        && let Some(command) = after.strip_prefix(['#', '$'])
    {
        return Some(command.trim().to_owned());
    }
    // user@host:dir# command
    if let Some(at) = t.find('@')
        && at > 0
        && t.get(..at)
            .is_some_and(|u| u.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')))
    {
        let after = t.get(at + 1..)?;
        let end = after.find(['#', '$', '%', '>'])?;
        let host = after.get(..end)?;
        let command = after.get(end + 1..)?;
        if !host.is_empty()
            && !host.contains(['=', ',', '(', '<'])
            && host.split_whitespace().count() <= 2
            && (command.is_empty() || command.starts_with(' ') || known(command))
        {
            return Some(command.trim().to_owned());
        }
    }
    for p in ["$ ", "# ", "+ ", "% ", "~# ", "~$ "] {
        if let Some(command) = t.strip_prefix(p)
            && known(command.trim())
        {
            return Some(command.trim().to_owned());
        }
    }
    None
}

/// True for a name Linux would accept for an interface, and that looks like one.
#[must_use]
pub fn is_ifname(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 15
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
}

/// True if the name follows one of the usual patterns of interface names.
#[must_use]
pub fn looks_like_ifname(name: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "bond", "team", "eth", "eno", "ens", "enp", "enx", "em", "net", "ib", "br", "veth", "tap", "swp",
        "vlan", "lan", "wan", "dummy", "vpn", "wl", "port", "enP",
    ];
    is_ifname(name)
        && name.bytes().any(|b| b.is_ascii_digit())
        && PREFIXES.iter().any(|p| name.starts_with(p))
}

/// The interface that a command line names, if any.
#[must_use]
pub fn dev_of_command(command: &str) -> Option<String> {
    for marker in ["/proc/net/bonding/", "/sys/class/net/", "proc/net/bonding/"] {
        if let Some(pos) = command.find(marker) {
            let name: String = command
                .get(pos + marker.len()..)?
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
                .collect();
            return is_ifname(&name).then_some(name);
        }
    }
    let words: Vec<&str> = command.split(['|', ';', '>']).next().unwrap_or("").split_whitespace().collect();
    if let Some(i) = words.iter().position(|w| *w == "dev" || *w == "-i") {
        return words.get(i + 1).filter(|w| is_ifname(w)).map(|w| (*w).to_owned());
    }
    let first = words.iter().position(|w| !matches!(*w, "sudo" | "timeout"))?;
    let program = words.get(first)?.rsplit('/').next()?;
    if program == "ethtool" || program.starts_with("ethtool_") || program == "teamdctl" {
        return words
            .iter()
            .skip(first + 1)
            .rev()
            .find(|w| !w.starts_with('-') && is_ifname(w))
            .map(|w| (*w).to_owned());
    }
    words.iter().rev().find(|w| looks_like_ifname(w)).map(|w| (*w).to_owned())
}

/// Hints from a path: the interface that a file such as `ethtool_-S_eth0` or `proc/net/bonding/bond0` names.
#[must_use]
pub fn hints_from_path(path: &str) -> Hints {
    let mut hints = Hints { path: path.to_owned(), ..Hints::default() };
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.contains("net/bonding/") {
        hints.dev = dev_of_command(path);
        return hints;
    }
    let stem = name
        .strip_suffix(".txt")
        .or_else(|| name.strip_suffix(".log"))
        .or_else(|| name.strip_suffix(".json"))
        .or_else(|| name.strip_suffix(".out"))
        .unwrap_or(name);
    if stem.contains("ethtool") {
        hints.command = Some(stem.replace('_', " "));
    }
    hints.dev = stem
        .rsplit(['_', '-', ' '])
        .find(|t| looks_like_ifname(t))
        .or_else(|| looks_like_ifname(stem).then_some(stem))
        .map(str::to_owned);
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Option<String> {
        find(line).and_then(|p| p.command)
    }

    #[test]
    fn prompts_of_many_shells() {
        assert_eq!(
            command("root@h1:~# cat /proc/net/bonding/bond0").as_deref(),
            Some("cat /proc/net/bonding/bond0")
        );
        assert_eq!(command("[root@h1 ~]# ethtool -S eno1").as_deref(), Some("ethtool -S eno1"));
        assert_eq!(command("$ ip -d link").as_deref(), Some("ip -d link"));
        assert_eq!(command("==> /proc/net/bonding/bond0 <==").as_deref(), Some("/proc/net/bonding/bond0"));
        assert_eq!(command("# this file describes the network interfaces"), None);
        assert_eq!(command("MII Status: up"), None);
        assert_eq!(command("--- 192.168.70.1 ping statistics ---"), None);
    }

    #[test]
    fn devices_from_commands_and_paths() {
        assert_eq!(dev_of_command("ethtool -S eno1 | grep -i err").as_deref(), Some("eno1"));
        assert_eq!(dev_of_command("cat /proc/net/bonding/bond7").as_deref(), Some("bond7"));
        assert_eq!(dev_of_command("tc -s qdisc show dev bond0").as_deref(), Some("bond0"));
        assert_eq!(
            hints_from_path("sos_commands/networking/ethtool_-S_ens3f0").dev.as_deref(),
            Some("ens3f0")
        );
        assert_eq!(hints_from_path("proc/net/bonding/bond0").dev.as_deref(), Some("bond0"));
        assert_eq!(hints_from_path("x/ethtool-S-eno1.txt").dev.as_deref(), Some("eno1"));
        assert_eq!(hints_from_path("dmesg.txt").dev, None);
    }

    #[test]
    fn time_markers() {
        assert_eq!(
            find("@@ 1795313330.05").and_then(|p| p.time),
            Some(Stamp::wall(1_795_313_330_050_000_000))
        );
    }
}
