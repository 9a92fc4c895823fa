//! What the kernel says of the host.

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
