//! Which bonds there are, and who their members are, in the network namespace of the calling thread.

use crate::collect::Target;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Where the bonding driver lists its bonds; of the calling thread's namespace, whatever is mounted at `/sys`.
const BONDS: &str = "/proc/thread-self/net/bonding";
/// Between two LACPDUs of a partner at the slow rate (802.1AX `Slow_Periodic_Time`).
const SLOW_PERIOD: Duration = Duration::from_secs(30);
/// The shortest window that is worth its name.
const SHORTEST: Duration = Duration::from_secs(60);

/// The bonds of the namespace, by name, sorted. Empty where the driver is not loaded.
///
/// # Errors
///
/// If `/proc` cannot be read.
pub fn all() -> io::Result<Vec<String>> {
    all_in(Path::new(BONDS))
}

fn all_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// The bonds with those names (all, if none is named) and their members. A bond that is gone is left out.
///
/// # Errors
///
/// If `/proc` cannot be read.
pub fn target(bonds: &[String]) -> io::Result<Target> {
    let bonds = if bonds.is_empty() { all()? } else { bonds.to_vec() };
    let mut target = Target::default();
    for bond in bonds {
        // The name is the user's: it must be one name, not a path.
        if bond.contains('/') || bond.starts_with('.') {
            continue;
        }
        let Ok(text) = std::fs::read(Path::new(BONDS).join(&bond)) else { continue };
        for member in members(&text) {
            if !target.members.contains(&member) {
                target.members.push(member);
            }
        }
        target.bonds.push(bond);
    }
    Ok(target)
}

/// The members of one bond, in the kernel's order.
#[must_use]
pub fn members_of(bond: &str) -> Vec<String> {
    std::fs::read(Path::new(BONDS).join(bond)).map(|text| members(&text)).unwrap_or_default()
}

/// True if the bond speaks LACP, or cannot be read.
#[must_use]
pub fn speaks_lacp(bond: &str) -> bool {
    std::fs::read_to_string(Path::new(BONDS).join(bond)).map_or(true, |text| text.contains("802.3ad"))
}

/// The lines `Slave Interface: NAME`, which the kernel prints at the begin of a line.
fn members(text: &[u8]) -> Vec<String> {
    text.split(|b| *b == b'\n')
        .filter_map(|line| line.strip_prefix(b"Slave Interface: "))
        .filter_map(|name| std::str::from_utf8(name).ok())
        .map(str::to_owned)
        .collect()
}

/// How long to look if the user does not say: a minute, or four times the longest time between two LACPDUs that is to be
/// expected. The host asks its partners for a rate (`lacp_rate`), and sends itself at the rate that they ask for.
#[must_use]
pub fn window(target: &Target) -> Duration {
    let slow = target.bonds.iter().any(|bond| {
        let Ok(text) = std::fs::read_to_string(Path::new(BONDS).join(bond)) else { return false };
        is_slow(&text)
    });
    if slow { (SLOW_PERIOD * 4).max(SHORTEST) } else { SHORTEST }
}

/// True for an LACP bond of which one end asks for the slow rate, or of which that cannot be told.
fn is_slow(text: &str) -> bool {
    if !text.contains("802.3ad") {
        return false;
    }
    if text.lines().any(|l| l.trim() == "LACP rate: slow") {
        return true;
    }
    // Bit 1 of a port state is LACP_Timeout: set for short. Without privilege the states are not printed.
    let mut partner = false;
    let mut told = false;
    for line in text.lines().map(str::trim) {
        match line {
            "details partner lacp pdu:" => partner = true,
            "details actor lacp pdu:" => partner = false,
            _ => {
                if let Some(state) = line.strip_prefix("port state: ").and_then(|s| s.parse::<u8>().ok()) {
                    told = true;
                    // A state of a partner that was never heard (1 or 0) says nothing about its rate.
                    if partner && state & 2 == 0 && state > 1 {
                        return true;
                    }
                }
            }
        }
    }
    !told
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOND: &str = "Ethernet Channel Bonding Driver: v6.12\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\n\
        \n802.3ad info\nLACP rate: fast\n\nSlave Interface: eno1\nMII Status: up\ndetails actor lacp pdu:\n    port state: 63\n\
        details partner lacp pdu:\n    port state: 63\n\nSlave Interface: eno2\n";

    #[test]
    fn members_are_read_in_order() {
        assert_eq!(members(BOND.as_bytes()), ["eno1", "eno2"]);
        assert_eq!(members(b""), Vec::<String>::new());
    }

    #[test]
    fn the_slowest_end_sets_the_window() {
        assert!(!is_slow(BOND));
        assert!(is_slow(&BOND.replace("rate: fast", "rate: slow")));
        // A partner that asks for the slow rate: the host sends once in 30 s.
        assert!(is_slow(
            &BOND.replace("partner lacp pdu:\n    port state: 63", "partner lacp pdu:\n    port state: 61")
        ));
        // Without privilege the states are missing.
        assert!(is_slow(&BOND.replace("    port state: 63\n", "")));
        assert!(!is_slow("Bonding Mode: fault-tolerance (active-backup)\n"));
    }

    #[test]
    fn a_name_that_is_a_path_is_no_bond() {
        let target = target(&["../../version".to_owned(), "no-such-bond0".to_owned()]).unwrap();
        assert_eq!(target, Target::default());
    }
}
