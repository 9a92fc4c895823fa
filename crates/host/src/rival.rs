//! Who else manages interfaces here, as far as files tell: NetworkManager, systemd-networkd, Talos, and processes that
//! are known to set interfaces up.

use std::fs;
use std::path::Path;

/// Programs that set interfaces up by themselves, as `/proc/*/comm` names them (15 octets at most).
const PROGRAMS: [(&str, &str); 8] = [
    ("NetworkManager", "NetworkManager"),
    ("systemd-network", "systemd-networkd"),
    ("machined", "Talos machined"),
    ("wickedd", "wicked"),
    ("connmand", "ConnMan"),
    ("dhcpcd", "dhcpcd"),
    ("netifd", "netifd"),
    ("bondwitness", "bondwitness"),
];

/// Who might have changed an interface, each with the reason to think so.
#[must_use]
pub fn suspects(index: Option<u32>) -> Vec<String> {
    suspects_below(Path::new("/"), index)
}

fn suspects_below(root: &Path, index: Option<u32>) -> Vec<String> {
    let mut found = Vec::new();
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    let value = |text: &str, key: &str| {
        text.lines().find_map(|l| {
            l.trim().strip_prefix(key)?.trim_start().strip_prefix('=').map(|v| v.trim().to_owned())
        })
    };
    if let Some(index) = index {
        // networkd's own state file (sd-network, `network_link_get_setup_state`).
        let path = format!("run/systemd/netif/links/{index}");
        let text = read(&path);
        if let Some(admin) = value(&text, "ADMIN_STATE").filter(|a| a != "unmanaged") {
            let file = value(&text, "NETWORK_FILE").map(|f| format!(" by {f}")).unwrap_or_default();
            found.push(format!("systemd-networkd has it as {admin}{file} (/{path})"));
        }
        let path = format!("run/NetworkManager/devices/{index}");
        if value(&read(&path), "managed").is_some_and(|m| m == "true" || m == "1") {
            found.push(format!("NetworkManager manages it (/{path})"));
        }
    }
    let kernel = read("proc/sys/kernel/osrelease");
    if kernel.contains("talos") {
        found.push(format!(
            "this is Talos ({}), whose link controller has set VLANs down that it did not make (siderolabs/talos#12782)",
            kernel.trim()
        ));
    }
    let own = std::process::id().to_string();
    let mut running: Vec<String> = Vec::new();
    for entry in fs::read_dir(root.join("proc")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|b| b.is_ascii_digit()) || name == own {
            continue;
        }
        let comm = read(&format!("proc/{name}/comm"));
        if let Some((_, program)) = PROGRAMS.iter().find(|(c, _)| *c == comm.trim()) {
            running.push(format!("{program} runs here (process {name})"));
        }
    }
    running.sort();
    found.extend(running);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_tell_who_manages_an_interface() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert!(suspects_below(root.path(), Some(12)).is_empty());
        write(
            "run/systemd/netif/links/12",
            "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/all.network\n",
        );
        write("run/systemd/netif/links/13", "ADMIN_STATE=unmanaged\n");
        write("run/NetworkManager/devices/12", "[device]\nmanaged=true\n");
        write("run/NetworkManager/devices/13", "[device]\nmanaged=unmanaged\n");
        write("proc/sys/kernel/osrelease", "6.12.57-talos\n");
        write("proc/77/comm", "NetworkManager\n");
        write("proc/78/comm", "bash\n");
        let found = suspects_below(root.path(), Some(12)).join("\n");
        for part in [
            "by /etc/systemd/network/all.network",
            "NetworkManager manages it",
            "6.12.57-talos",
            "process 77",
        ] {
            assert!(found.contains(part), "{part}: {found}");
        }
        let other = suspects_below(root.path(), Some(13)).join("\n");
        assert!(!other.contains("manages it") && !other.contains("networkd has it"), "{other}");
    }
}
