//! Which pseudonym stands for which value: the same one everywhere, and not to be guessed without the key.

use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Kinds of values, as the manifest counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A MAC address.
    Mac,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// The name of a host or switch.
    Host,
    /// The name of a user.
    User,
    /// A password, key or token.
    Secret,
    /// Other text of LLDP frames.
    Lldp,
}

impl Kind {
    /// Its name in the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mac => "mac",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Host => "host-name",
            Self::User => "user-name",
            Self::Secret => "secret",
            Self::Lldp => "lldp-text",
        }
    }
}

/// Names that are words of the evidence itself: as host or user names they stay.
const WORDS: &[&str] = &[
    "active",
    "actor",
    "admin",
    "backup",
    "bond",
    "bonding",
    "daemon",
    "debian",
    "default",
    "device",
    "down",
    "error",
    "eth",
    "ethernet",
    "fast",
    "full",
    "half",
    "host",
    "hostname",
    "info",
    "interface",
    "kernel",
    "lab",
    "lacp",
    "link",
    "linux",
    "localhost",
    "local",
    "mac",
    "member",
    "mode",
    "network",
    "nobody",
    "node",
    "none",
    "partner",
    "passive",
    "port",
    "root",
    "server",
    "slave",
    "slow",
    "status",
    "switch",
    "system",
    "systemd",
    "test",
    "ubuntu",
    "unknown",
    "user",
    "vlan",
    "warning",
    "yes",
    "null",
    "true",
    "false",
    "the",
    "for",
    "from",
];

/// The tables.
#[derive(Clone)]
pub struct Mapper {
    key: [u8; 32],
    macs: BTreeMap<[u8; 6], [u8; 6]>,
    given: BTreeSet<[u8; 6]>,
    addresses: BTreeMap<IpAddr, IpAddr>,
    names: BTreeMap<String, (Kind, String)>,
    values: BTreeMap<(Kind, String), String>,
}

impl std::fmt::Debug for Mapper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is what keeps the pseudonyms from being guessed.
        f.debug_struct("Mapper").field("values", &self.values.len()).finish_non_exhaustive()
    }
}

impl Mapper {
    /// Empty tables. `key` must be random, and stay with the owner of the evidence.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            macs: BTreeMap::new(),
            given: BTreeSet::new(),
            addresses: BTreeMap::new(),
            names: BTreeMap::new(),
            values: BTreeMap::new(),
        }
    }

    fn hash(&self, kind: &str, value: &[u8]) -> [u8; 32] {
        // The key goes first and has a fixed length, and so has the outer message: no value can imitate another's.
        let inner =
            Sha256::new().chain_update(self.key).chain_update(kind).chain_update([0]).chain_update(value);
        Sha256::new()
            .chain_update(self.key)
            .chain_update([1])
            .chain_update(inner.finalize())
            .finalize()
            .into()
    }

    fn note(&mut self, kind: Kind, from: String, to: &str) {
        self.values.entry((kind, from)).or_insert_with(|| to.to_owned());
    }

    /// The pseudonym of a MAC address. The vendor's half, and with it the bits for groups and for local administration,
    /// stays; so do addresses that belong to nobody: all zero, broadcast, and groups of protocols.
    pub fn mac(&mut self, mac: [u8; 6]) -> [u8; 6] {
        let [a, b, c, d, e, f] = mac;
        // 33:33:ff holds the end of an IPv6 address, and other groups may; those that protocols define stay.
        let private_group =
            (a == 0x33 && b == 0x33 && c == 0xff) || (a == 0x01 && b == 0 && c == 0x5e && d != 0);
        if mac == [0; 6] || (a & 1 == 1 && !private_group) {
            return mac;
        }
        if let Some(known) = self.macs.get(&mac) {
            return *known;
        }
        let mut to = mac;
        for round in 0_u8..=255 {
            let [x, y, z, ..] = self.hash("mac", &[a, b, c, d, e, f, round]);
            to = [a, b, c, x, y, z];
            // Two addresses must not become one, and none stays as it is.
            if to != mac && !self.given.contains(&to) {
                break;
            }
        }
        self.macs.insert(mac, to);
        self.given.insert(to);
        self.note(Kind::Mac, show_mac(mac), &show_mac(to));
        to
    }

    /// The pseudonym of a MAC address that was met before.
    #[must_use]
    pub fn known_mac(&self, mac: &[u8]) -> Option<[u8; 6]> {
        let mac: [u8; 6] = mac.try_into().ok()?;
        self.macs.get(&mac).copied()
    }

    /// The pseudonym of an IPv4 address. Addresses of one network stay in one network, private ones private; loopback,
    /// groups, masks and the unspecified address stay.
    pub fn ipv4(&mut self, from: Ipv4Addr) -> Ipv4Addr {
        let [a, b, ..] = from.octets();
        let keep = match (a, b) {
            (0 | 127 | 224..=255, _) => return from,
            (172, 16..=31) => 12,
            (192, 168) | (169, 254) => 16,
            (100, 64..=127) => 10,
            (10, _) => 8,
            _ => 4,
        };
        if let Some(IpAddr::V4(to)) = self.addresses.get(&IpAddr::V4(from)) {
            return *to;
        }
        let to = Ipv4Addr::from(self.prefixed("ipv4", u128::from(u32::from(from)) << 96, keep, 32).0);
        self.addresses.insert(from.into(), to.into());
        self.note(Kind::Ipv4, from.to_string(), &to.to_string());
        to
    }

    /// The pseudonym of an IPv6 address, as for [`Self::ipv4`].
    pub fn ipv6(&mut self, from: Ipv6Addr) -> Ipv6Addr {
        if from.is_unspecified() || from.is_loopback() {
            return from;
        }
        let bits = u128::from(from);
        let keep = match bits >> 112 {
            0xfe80..=0xfebf => 64,
            // Solicited-node groups hold the end of an address; other groups are those of protocols.
            0xff00..=0xffff if bits >> 24 == 0xff02_0000_0000_0000_0000_0001_ff => 104,
            0xff00..=0xffff => return from,
            _ => 16,
        };
        if let Some(IpAddr::V6(to)) = self.addresses.get(&IpAddr::V6(from)) {
            return *to;
        }
        let to = Ipv6Addr::from(self.prefixed("ipv6", bits, keep, 128).1);
        self.addresses.insert(from.into(), to.into());
        self.note(Kind::Ipv6, from.to_string(), &to.to_string());
        to
    }

    /// Turns each bit behind the first `keep` by what the bits before it say: equal prefixes stay equal. The value stands
    /// at the left. Returns the first 32 bits, and all.
    fn prefixed(&self, kind: &str, value: u128, keep: u32, width: u32) -> (u32, u128) {
        let mut out = value;
        for bit in keep..width {
            let prefix = if bit == 0 { 0 } else { value >> (128 - bit) };
            let mut message = prefix.to_be_bytes().to_vec();
            message.extend(bit.to_be_bytes());
            let [first, ..] = self.hash(kind, &message);
            out ^= u128::from(first & 1) << (127 - bit);
        }
        (u32::try_from(out >> 96).unwrap_or(0), out)
    }

    /// Takes note of a name that is to be replaced wherever it stands. A name that is a word of the evidence, an
    /// interface, or shorter than three letters is left.
    pub fn learn(&mut self, kind: Kind, name: &str) {
        let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let label = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if label.len() < 3
            || !plain
            || label.bytes().all(|b| b.is_ascii_digit())
            || WORDS.contains(&label.as_str())
            || crate::parse::prompt::looks_like_ifname(&label)
            || name.parse::<std::net::IpAddr>().is_ok()
        {
            return;
        }
        if !self.names.contains_key(&label) {
            let to = self.pseudonym(kind, &label);
            self.note(kind, label.clone(), &to);
            self.names.insert(label, (kind, to));
        }
    }

    /// The names to be replaced, longest first, in lower case.
    #[must_use]
    pub fn names(&self) -> Vec<(String, String)> {
        let mut names: Vec<(String, String)> =
            self.names.iter().map(|(n, (_, to))| (n.clone(), to.clone())).collect();
        names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.0.cmp(&b.0)));
        names
    }

    /// What stands for a secret or a text that nothing is known of.
    pub fn opaque(&mut self, kind: Kind, value: &str) -> String {
        let to = self.pseudonym(kind, value);
        self.note(kind, value.to_owned(), &to);
        to
    }

    fn pseudonym(&self, kind: Kind, value: &str) -> String {
        let [a, b, c, d, ..] = self.hash(kind.name(), value.as_bytes());
        let word = match kind {
            Kind::Host => "host",
            Kind::User => "user",
            Kind::Secret => "secret",
            Kind::Lldp => "text",
            Kind::Mac | Kind::Ipv4 | Kind::Ipv6 => "value",
        };
        // Letters only: a pseudonym must not look like a number, an address or an interface.
        let letters: String = [a, b, c, d]
            .iter()
            .flat_map(|o| [o >> 4, o & 15])
            .map(|n| char::from(b'g'.saturating_add(n)))
            .collect();
        format!("{word}-{letters}")
    }

    /// How many different values of each kind were replaced.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (kind, _) in self.values.keys() {
            *counts.entry(kind.name().to_owned()).or_default() += 1;
        }
        counts
    }

    /// The mapping, for its owner alone: one JSON object with the key and every value.
    #[must_use]
    pub fn mapping(&self) -> Vec<u8> {
        let rows: Vec<serde_json::Value> = self
            .values
            .iter()
            .map(|((kind, from), to)| serde_json::json!({"kind": kind.name(), "from": from, "to": to}))
            .collect();
        let key: String = self.key.iter().map(|b| format!("{b:02x}")).collect();
        let value = serde_json::json!({"schema": "bondwitness/redaction-map/v1", "key": key, "values": rows});
        format!("{value:#}\n").into_bytes()
    }
}

fn show_mac(mac: [u8; 6]) -> String {
    lacp::Mac(mac).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_stay_and_values_go() {
        let mut m = Mapper::new([7; 32]);
        let a = m.mac([0x00, 0x1b, 0x21, 1, 2, 3]);
        assert_eq!(a, m.mac([0x00, 0x1b, 0x21, 1, 2, 3]));
        assert_eq!(&a[..3], &[0x00, 0x1b, 0x21]);
        assert_ne!(a, [0x00, 0x1b, 0x21, 1, 2, 3]);
        assert_ne!(a, m.mac([0x00, 0x1b, 0x21, 1, 2, 4]));
        for kept in [[0; 6], [0xff; 6], [1, 0x80, 0xc2, 0, 0, 2], [0x33, 0x33, 0, 0, 0, 1]] {
            assert_eq!(m.mac(kept), kept);
        }
        let (x, y, z) = (Ipv4Addr::new(10, 1, 2, 3), Ipv4Addr::new(10, 1, 2, 77), Ipv4Addr::new(10, 9, 2, 3));
        let (p, q, r) = (m.ipv4(x).octets(), m.ipv4(y).octets(), m.ipv4(z).octets());
        assert_eq!(p[..3], q[..3], "one network stays one");
        assert_ne!(p[..2], r[..2], "and two stay two");
        assert_eq!(p[0], 10);
        assert_ne!(p, x.octets());
        let other = Mapper::new([8; 32]).mac([0x00, 0x1b, 0x21, 1, 2, 3]);
        assert_ne!(a, other, "without the key it cannot be guessed");
    }

    #[test]
    fn words_of_the_evidence_are_no_names() {
        let mut m = Mapper::new([7; 32]);
        for word in ["bond", "eno1", "bond0", "host", "10.1.2.3", "12345", "a", "localhost"] {
            m.learn(Kind::Host, word);
        }
        assert!(m.names().is_empty(), "{:?}", m.names());
        m.learn(Kind::Host, "DB01.corp.example");
        assert_eq!(m.names().len(), 1);
        assert_eq!(m.names()[0].0, "db01");
    }
}
