//! A trial of the transmit path: a VLAN over a bond on a real kernel, something on the way that eats its frames (or
//! nothing), a burst of frames, and what was read before and after it.
//!
//! Written by `cargo xtask vm --paths`, read by the guest; the truth stays with the former.

use serde::{Deserialize, Serialize};

/// One trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PathTrial {
    /// The name of its folder: the name of the catalogue's entry and the bond's mode.
    pub name: String,
    /// The bond's mode: `active-backup` (one member) or `802.3ad` (two).
    #[serde(default)]
    pub mode: String,
    /// Commands in the host's namespace before the first reading, without a shell: the first word is `ip`, `tc` or `nft`.
    /// A line with `{member}` is run once for each member.
    #[serde(default)]
    pub setup: Vec<String>,
    /// Commands in the switch's namespace, likewise; `{port}` is each of its ports.
    #[serde(default)]
    pub far: Vec<String>,
    /// The interface that the burst is sent on.
    #[serde(default = "vlan")]
    pub on: String,
    /// Octets of payload in each frame.
    #[serde(default = "payload")]
    pub payload: usize,
    /// Another interface that gets a burst of its own.
    #[serde(default)]
    pub also: Option<String>,
    /// False: the neighbour is left to ARP.
    #[serde(default = "yes")]
    pub neighbour: bool,
    /// Is the frames' death recorded too (tracefs: `kfree_skb`, `net_dev_xmit`)?
    #[serde(default)]
    pub trace: bool,
}

fn vlan() -> String {
    "bond0.70".to_owned()
}

const fn payload() -> usize {
    100
}

const fn yes() -> bool {
    true
}

impl PathTrial {
    /// The names of the bond's members.
    #[must_use]
    pub fn members(&self) -> &'static [&'static str] {
        if self.mode == "802.3ad" { &["eno1", "eno2"] } else { &["eno1"] }
    }

    /// The names of the switch's ports.
    #[must_use]
    pub fn ports(&self) -> &'static [&'static str] {
        if self.mode == "802.3ad" { &["swp1", "swp2"] } else { &["swp1"] }
    }
}
