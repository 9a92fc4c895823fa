//! What the kernel says of the host and of this process.

use bondwitness_core::collection::v1;

fn line(path: &str) -> String {
    std::fs::read_to_string(path).map(|s| s.trim_end().to_owned()).unwrap_or_default()
}

/// The host. What cannot be read is empty.
pub(super) fn host() -> v1::Host {
    v1::Host {
        hostname: line("/proc/sys/kernel/hostname"),
        kernel: line("/proc/sys/kernel/osrelease"),
        version: line("/proc/sys/kernel/version"),
        machine: std::env::consts::ARCH.to_owned(),
        boot_id: line("/proc/sys/kernel/random/boot_id"),
        netns: std::fs::read_link("/proc/thread-self/ns/net")
            .map(|p| p.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

/// Those capabilities of this process that reading evidence asks for, in the kernel's names. Numbers: linux/capability.h.
pub(super) fn capabilities() -> Vec<String> {
    const ASKED_FOR: [(u32, &str); 8] = [
        (1, "CAP_DAC_OVERRIDE"),
        (2, "CAP_DAC_READ_SEARCH"),
        (12, "CAP_NET_ADMIN"),
        (13, "CAP_NET_RAW"),
        (21, "CAP_SYS_ADMIN"),
        (34, "CAP_SYSLOG"),
        (38, "CAP_PERFMON"),
        (39, "CAP_BPF"),
    ];
    let status = line("/proc/self/status");
    let effective = status
        .lines()
        .find_map(|l| l.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    ASKED_FOR
        .iter()
        .filter(|(bit, _)| effective >> bit & 1 == 1)
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_host_has_a_name_and_a_boot() {
        let host = super::host();
        assert!(!host.kernel.is_empty());
        assert_eq!(host.boot_id.len(), 36);
        assert!(host.netns.starts_with("net:["), "{}", host.netns);
    }
}
