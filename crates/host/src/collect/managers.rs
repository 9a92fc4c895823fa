//! `managers`: who configures the network, and how: configuration and run-time state of NetworkManager, systemd-networkd,
//! ifupdown, netplan and the distributions' scripts, and the options of the bonding module.
//!
//! Files only; nobody is asked. A file that holds a secret (a pre-shared key, a password) is not saved, and that is said.

use super::{Collector, Pace, Sink, Target, text};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The collector.
pub(super) const COLLECTOR: Collector = Collector { id: ID, pace: Pace::Once, run };

const ID: &str = "managers";
/// Longer files are no configuration.
const OCTETS: u64 = 256 * 1024;
/// Hosts of containers have a run-time file per interface; those of this host's bonds are among the first.
const FILES: usize = 300;

/// Folders, how the names in them must end (any, if empty), and whether only files that speak of bonding are wanted.
const PLACES: &[(&str, &[&str], bool)] = &[
    ("/etc/network", &["interfaces"], false),
    ("/etc/network/interfaces.d", &[], false),
    ("/run/network", &[], false),
    ("/etc/netplan", &[".yaml"], false),
    ("/run/netplan", &[".yaml"], false),
    ("/etc/systemd/network", &[".network", ".netdev", ".link", ".conf"], false),
    ("/run/systemd/network", &[".network", ".netdev", ".link", ".conf"], false),
    ("/run/systemd/netif", &["state"], false),
    ("/run/systemd/netif/links", &[], false),
    ("/etc/NetworkManager", &["NetworkManager.conf"], false),
    ("/etc/NetworkManager/conf.d", &[".conf"], false),
    ("/etc/NetworkManager/system-connections", &[], false),
    ("/run/NetworkManager/system-connections", &[], false),
    ("/run/NetworkManager/devices", &[], false),
    ("/etc/sysconfig/network-scripts", &[], false),
    ("/etc/sysconfig/network", &[], false),
    ("/etc/modprobe.d", &[".conf"], true),
    ("/run/modprobe.d", &[".conf"], true),
    ("/usr/lib/modprobe.d", &[".conf"], true),
];
/// Names that begin so are wanted from the folders of Red Hat and SUSE, nothing else.
const SCRIPTS: [&str; 4] = ["ifcfg-", "route-", "config", "ifroute-"];

/// What says that a line holds a secret, in lower case.
const SECRETS: [&str; 9] =
    ["psk", "password", "passwd", "secret", "private-key", "privatekey", "wep-key", "wpa-key", "auth-key"];

fn run(_: &Target, sink: &mut dyn Sink) -> io::Result<()> {
    for path in paths(PLACES) {
        let name = path.to_string_lossy().into_owned();
        let begun = crate::clock::begin();
        let read = read(&path);
        let window = begun.end();
        let only_bonding = PLACES.iter().any(|(folder, _, b)| *b && path.parent() == Some(Path::new(folder)));
        if only_bonding && read.as_ref().is_ok_and(|bytes| !lower(bytes).contains("bond")) {
            continue;
        }
        let read = read.and_then(|bytes| {
            if holds_secret(&bytes) {
                return Err(io::Error::new(io::ErrorKind::NotFound, "not saved: it holds a secret"));
            }
            Ok(bytes)
        });
        text(sink, ID, &format!("config{name}"), &name, window, read)?;
    }
    if let Some(why) = talos() {
        let now = crate::clock::begin().end();
        text(sink, ID, "config/talos.txt", "/system/state/config.yaml", now, Err(why))?;
    }
    Ok(())
}

/// The files of all places that are there, each once, in the order of places.
fn paths(places: &[(&str, &[&str], bool)]) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (folder, ends, _) in places {
        let mut here: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
        here.sort();
        for path in here {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let wanted = if folder.starts_with("/etc/sysconfig") {
                SCRIPTS.iter().any(|s| name.starts_with(s))
            } else {
                ends.is_empty() || ends.iter().any(|e| name.ends_with(e))
            };
            // Links are followed: `/etc/network/interfaces` may be one. A device or a pipe is never opened.
            if wanted && path.is_file() && all.len() < FILES && seen.insert(path.clone()) {
                all.push(path);
            }
        }
    }
    all
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(OCTETS).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

/// True if a line that is no comment names a secret and gives it a value.
fn holds_secret(bytes: &[u8]) -> bool {
    lower(bytes).lines().map(str::trim).filter(|l| !l.starts_with(['#', ';'])).any(|line| {
        let Some((key, value)) = line.split_once(['=', ':', ' ']) else { return false };
        let key = key.trim_start_matches("- ").trim();
        // `psk-flags=0` and `password-raw-flags` say how a secret is kept, not what it is.
        !value.trim().is_empty()
            && !key.ends_with("-flags")
            && SECRETS.iter().any(|s| key.contains(s) || key.replace('_', "-").contains(s))
    })
}

/// On Talos Linux: why there is no configuration to read.
fn talos() -> Option<io::Error> {
    let version = std::fs::read_to_string("/proc/version").unwrap_or_default();
    version.split_whitespace().nth(2).filter(|release| release.contains("talos")).map(|_| {
        io::Error::new(
            io::ErrorKind::PermissionDenied,
            "Talos keeps the machine configuration where no container can read it: add the output of \
             'talosctl get mc v1alpha1 -o yaml' and 'talosctl get linkspecs -o yaml' to the evidence",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_secrets_are_told_from_others() {
        for text in [
            "[wifi-security]\nkey-mgmt=wpa-psk\npsk=abcdefgh\n",
            "    password: \"x y\"\n",
            "iface wlan0 inet dhcp\n    wpa-psk hunter22\n",
            "[802-1x]\nprivate-key-password=x\n",
            "[WireGuard]\nPrivateKey=AAAA\n",
            "WPA_PSK='x'\n",
        ] {
            assert!(holds_secret(text.as_bytes()), "{text}");
        }
        for text in [
            "[bond]\nmode=802.3ad\nmiimon=100\n",
            "# password: none\nauto bond0\niface bond0 inet static\n    bond-mode 802.3ad\n",
            "[wifi-security]\npsk-flags=1\n",
            "psk=\n",
            "options bonding mode=4\n",
        ] {
            assert!(!holds_secret(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn each_file_once_and_only_those_that_are_wanted() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.network", "a.netdev", "readme", "c.network~"] {
            std::fs::write(folder.path().join(name), "[Match]\n").unwrap();
        }
        std::fs::create_dir(folder.path().join("d.network")).unwrap();
        let place = folder.path().to_string_lossy().into_owned();
        let found = paths(&[(&place, &[".network", ".netdev"], false), (&place, &[".network"], false)]);
        let names: Vec<_> = found.iter().filter_map(|p| p.file_name()).collect();
        assert_eq!(names, ["a.netdev", "b.network"]);
    }
}
