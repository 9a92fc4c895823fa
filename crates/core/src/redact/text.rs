//! Text: addresses in every spelling, names that were learned, secrets by what stands before them.
//!
//! The walk looks at places where a word begins. Values are replaced by values of the same spelling, so that whoever
//! parses the text finds the same facts in it.

use super::mapper::{Kind, Mapper};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Replaces what is to be replaced in a text.
pub(super) fn redact(text: &str, mapper: &mut Mapper) -> String {
    let names = mapper.names();
    let mut out = String::with_capacity(text.len());
    let mut pem = false;
    for line in text.split_inclusive('\n') {
        // A private key: every line of it.
        if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY") {
            pem = true;
        } else if line.contains("-----END ") {
            pem = false;
        } else if pem {
            out.push_str(&mapper.opaque(Kind::Secret, line.trim()));
            out.push('\n');
            continue;
        }
        let line = super::secrets::redact(line, mapper);
        walk(&line, &names, mapper, &mut out);
    }
    out
}

fn walk(line: &str, names: &[(String, String)], mapper: &mut Mapper, out: &mut String) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(first) = bytes.get(at) {
        let begins = at == 0 || !bytes.get(at - 1).is_some_and(u8::is_ascii_alphanumeric);
        if begins && (first.is_ascii_alphanumeric() || *first == b':') {
            let rest = line.get(at..).unwrap_or_default();
            let joined = at.checked_sub(1).and_then(|i| bytes.get(i)) == Some(&b'-');
            if let Some((length, to)) = value(rest, joined, names, mapper) {
                out.push_str(&to);
                at += length;
                continue;
            }
        }
        let next = (at + 1..=bytes.len()).find(|i| line.is_char_boundary(*i)).unwrap_or(bytes.len());
        out.push_str(line.get(at..next).unwrap_or_default());
        at = next;
    }
}

/// The value that a text begins with: how long it is, and what stands for it. `joined`: a dash stands before it.
fn value(
    text: &str,
    joined: bool,
    names: &[(String, String)],
    mapper: &mut Mapper,
) -> Option<(usize, String)> {
    groups(text, ':', mapper)
        .or_else(|| groups(text, '-', mapper))
        .or_else(|| wide_groups(text, '.', mapper))
        // The middle of a UUID is no address.
        .or_else(|| (!joined).then(|| wide_groups(text, '-', mapper)).flatten())
        .or_else(|| ipv6(text, mapper))
        .or_else(|| ipv4(text, mapper))
        .or_else(|| bare(text, mapper))
        .or_else(|| name(text, names))
        .or_else(|| domain(text, mapper))
}

fn ends(text: &str, at: usize) -> bool {
    !text.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric)
}

/// The groups of hex digits, at most `width` each, that a text begins with: their places.
fn hex_groups(text: &str, separator: u8, width: usize) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let length = bytes.iter().skip(at).take_while(|b| b.is_ascii_hexdigit()).count();
        if length == 0 || length > width {
            // A separator behind the last group belongs to what follows.
            return found;
        }
        found.push((at, at + length));
        at += length;
        if bytes.get(at) != Some(&separator) || found.len() > 64 {
            return found;
        }
        at += 1;
    }
}

fn octet(text: &str) -> Option<u8> {
    u8::from_str_radix(text, 16).ok()
}

/// A hex digit's case, as the text has it.
fn spell(octet: u8, like: &str) -> String {
    let upper = like.bytes().any(|b| b.is_ascii_uppercase());
    match (like.len() < 2 && octet < 16, upper) {
        (true, true) => format!("{octet:X}"),
        (true, false) => format!("{octet:x}"),
        (false, true) => format!("{octet:02X}"),
        (false, false) => format!("{octet:02x}"),
    }
}

/// `00:1b:21:01:02:03`, `00-1B-21-01-02-03`, `0:1b:21:1:2:3`, with a priority before it (`8000-00-1b-...`), as the EUI-64 that
/// was made of it, and known addresses in longer rows of octets.
fn groups(text: &str, separator: char, mapper: &mut Mapper) -> Option<(usize, String)> {
    let places = hex_groups(text, u8::try_from(separator).ok()?, 5);
    let part = |i: usize| places.get(i).and_then(|(a, b)| text.get(*a..*b));
    let n = places.len();
    let end = places.last()?.1;
    if n < 6 || !ends(text, end) {
        return None;
    }
    let narrow = (0..n).all(|i| part(i).is_some_and(|p| p.len() <= 2));
    let first = match n {
        6 if narrow => 0,
        7 if part(0).is_some_and(|p| p.len() > 2) => 1,
        _ => 0,
    };
    let octets: Vec<u8> = (first..n).map_while(|i| part(i).and_then(octet)).collect();
    if octets.len() != n - first {
        return None;
    }
    let mut to = octets.clone();
    if let Ok(mac) = <[u8; 6]>::try_from(octets.as_slice()) {
        // Six small numbers with single digits are a date or a version as often as an address.
        let wide = (first..n).filter(|i| part(*i).is_some_and(|p| p.len() == 2)).count();
        let letters = text.get(..end)?.bytes().any(|b| b.is_ascii_alphabetic());
        if wide < 3 && !letters {
            return None;
        }
        to = mapper.mac(mac).to_vec();
    } else if let ([a, b, c, 0xff, 0xfe, d, e, f], true) = (octets.as_slice(), narrow) {
        let [a, b, c, d, e, f] = mapper.mac([*a, *b, *c, *d, *e, *f]);
        to = vec![a, b, c, 0xff, 0xfe, d, e, f];
    } else if narrow && n > 8 {
        for i in 0..n.saturating_sub(5) {
            if let Some(known) = octets.get(i..i + 6).and_then(|m| mapper.known_mac(m)) {
                for (slot, new) in to.iter_mut().skip(i).zip(known) {
                    *slot = new;
                }
            }
        }
    } else {
        return None;
    }
    let mut out = String::new();
    for i in 0..n {
        if i > 0 {
            out.push(separator);
        }
        let like = part(i)?;
        match i.checked_sub(first).and_then(|k| Some((octets.get(k)?, to.get(k)?))) {
            Some((old, new)) if old != new => {
                let whole = text.get(places.get(first)?.0..end)?;
                let case = if whole.bytes().any(|b| b.is_ascii_uppercase()) {
                    like.to_ascii_uppercase()
                } else {
                    like.to_owned()
                };
                let mut spelled = spell(*new, &case);
                if whole.bytes().any(|b| b.is_ascii_uppercase()) {
                    spelled.make_ascii_uppercase();
                }
                out.push_str(&spelled);
            }
            _ => out.push_str(like),
        }
    }
    Some((end, out))
}

/// `001b.2101.0203` and `001b-2101-0203`, with a priority before it (`8000.001b.2101.0203`).
fn wide_groups(text: &str, separator: char, mapper: &mut Mapper) -> Option<(usize, String)> {
    let places = hex_groups(text, u8::try_from(separator).ok()?, 5);
    let end = places.last()?.1;
    let part = |i: usize| places.get(i).and_then(|(a, b)| text.get(*a..*b));
    let first = match places.len() {
        3 => 0,
        4 => 1,
        _ => return None,
    };
    let goes_on = text.as_bytes().get(end) == Some(&b'-');
    if goes_on || !ends(text, end) || !(first..first + 3).all(|i| part(i).is_some_and(|p| p.len() == 4)) {
        return None;
    }
    let digits: String = (first..first + 3).filter_map(part).collect();
    let to = hex12(&digits, mapper)?;
    let separator = separator.to_string();
    let groups: Vec<&str> = [0, 4, 8].iter().filter_map(|i| to.get(*i..*i + 4)).collect();
    let start = places.get(first)?.0;
    Some((end, format!("{}{}", text.get(..start)?, groups.join(&separator))))
}

/// Twelve hex digits as an address: the pseudonym in the same case.
fn hex12(digits: &str, mapper: &mut Mapper) -> Option<String> {
    let mut mac = [0_u8; 6];
    for (i, slot) in mac.iter_mut().enumerate() {
        *slot = octet(digits.get(2 * i..2 * i + 2)?)?;
    }
    let to: String = mapper.mac(mac).iter().map(|b| format!("{b:02x}")).collect();
    Some(if digits.bytes().any(|b| b.is_ascii_uppercase()) { to.to_ascii_uppercase() } else { to })
}

/// `001b21010203`, also as `0x001b21010203` and in names of interfaces that are made of it (`enx001b21010203`). Twelve decimal
/// digits are a counter as often: they count only with a leading zero, or if the address is known.
fn bare(text: &str, mapper: &mut Mapper) -> Option<(usize, String)> {
    let prefix = ["0x", "enx", "wlx"].into_iter().find(|p| text.starts_with(p)).unwrap_or("");
    let digits =
        text.get(prefix.len()..prefix.len() + 12).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let end = prefix.len() + 12;
    if !ends(text, end) {
        return None;
    }
    let letters = digits.bytes().any(|b| b.is_ascii_alphabetic());
    let known = || {
        let octets: Vec<u8> = (0..6).filter_map(|i| digits.get(2 * i..2 * i + 2).and_then(octet)).collect();
        mapper.known_mac(&octets).is_some()
    };
    if !letters && prefix.is_empty() && !digits.starts_with('0') && !known() {
        return None;
    }
    Some((end, format!("{prefix}{}", hex12(digits, mapper)?)))
}

fn ipv6(text: &str, mapper: &mut Mapper) -> Option<(usize, String)> {
    let length = text.bytes().take_while(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')).count();
    // What follows may be a dot or colon of the sentence.
    let word = text.get(..length)?.trim_end_matches(['.', ':']);
    let word = if text.get(..length)?.ends_with("::") { text.get(..length)? } else { word };
    if word.bytes().filter(|b| *b == b':').count() < 2 || !ends(text, word.len()) {
        return None;
    }
    let from: Ipv6Addr = word.parse().ok()?;
    let to = mapper.ipv6(from);
    // Unchanged ones keep their spelling.
    Some((word.len(), if to == from { word.to_owned() } else { to.to_string() }))
}

fn ipv4(text: &str, mapper: &mut Mapper) -> Option<(usize, String)> {
    let length = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let word = text.get(..length)?.trim_end_matches('.');
    if !ends(text, word.len()) {
        return None;
    }
    let from: Ipv4Addr = word.parse().ok()?;
    let to = mapper.ipv4(from);
    Some((word.len(), to.to_string()))
}

fn name(text: &str, names: &[(String, String)]) -> Option<(usize, String)> {
    names.iter().find_map(|(from, to)| {
        let head = text.get(..from.len())?;
        (head.eq_ignore_ascii_case(from) && ends(text, from.len())).then(|| (from.len(), to.clone()))
    })
}

/// Endings that show a name of the domain name system; those of files and units are not among them.
const ENDINGS: &[&str] = &[
    "com", "net", "org", "io", "local", "lan", "internal", "intra", "corp", "home", "example", "invalid",
    "test", "edu", "gov", "mil", "info", "cloud", "dev", "de", "uk", "fr", "eu", "ch", "nl", "at", "us",
    "ca", "jp", "cn", "ru", "br", "au",
];

/// Projects and vendors whose addresses stand in kernel messages and in `os-release`: nobody's secret.
const PUBLIC: &[&str] = &[
    "kernel.org",
    "freedesktop.org",
    "debian.org",
    "ubuntu.com",
    "fedoraproject.org",
    "redhat.com",
    "centos.org",
    "rockylinux.org",
    "almalinux.org",
    "suse.com",
    "opensuse.org",
    "archlinux.org",
    "talos.dev",
    "intel.com",
];

/// `db01.rack3.example.com`: every label but the last becomes a pseudonym.
fn domain(text: &str, mapper: &mut Mapper) -> Option<(usize, String)> {
    let length = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')).count();
    let word = text.get(..length)?.trim_end_matches(['.', '-']);
    let labels: Vec<&str> = word.split('.').collect();
    let (last, rest) = labels.split_last()?;
    let known = ENDINGS.iter().any(|e| last.eq_ignore_ascii_case(e));
    let public = PUBLIC
        .iter()
        .any(|p| word.strip_suffix(p).is_some_and(|host| host.is_empty() || host.ends_with('.')));
    if !known || rest.is_empty() || public || rest.iter().any(|l| l.is_empty()) || !ends(text, word.len()) {
        return None;
    }
    let mut out = String::new();
    for label in rest {
        let label = label.to_ascii_lowercase();
        mapper.learn(Kind::Host, &label);
        let names = mapper.names();
        let to = names.iter().find(|(n, _)| *n == label).map(|(_, to)| to.clone());
        out.push_str(&to.unwrap_or_else(|| mapper.opaque(Kind::Host, &label)));
        out.push('.');
    }
    out.push_str(last);
    Some((word.len(), out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> String {
        redact(text, &mut Mapper::new([7; 32]))
    }

    #[test]
    fn an_address_has_one_pseudonym_in_every_spelling() {
        let octets = Mapper::new([7; 32]).mac([0, 0x1b, 0x21, 0xab, 2, 3]);
        let plain: String = octets.iter().map(|b| format!("{b:02x}")).collect();
        for text in [
            "00:1b:21:ab:02:03",
            "00-1B-21-AB-02-03",
            "001b.21ab.0203",
            "001B-21AB-0203",
            "001b21ab0203",
            "0x001b21ab0203",
            "enx001b21ab0203",
            "8000.001b.21ab.0203",
            "8000.001b21ab0203",
            "8000,00-1b-21-ab-02-03",
            "32768-00-1b-21-ab-02-03",
            "(0:1b:21:ab:2:3)",
        ] {
            let got = map(text);
            let digits: String = match text.contains("0:1b:21:ab:2:3") {
                true => got
                    .trim_matches(['(', ')'])
                    .split(':')
                    .map(|g| format!("{:02x}", u8::from_str_radix(g, 16).unwrap()))
                    .collect(),
                false => got.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase(),
            };
            assert!(digits.ends_with(&plain), "{text} became {got}, not {plain}");
            let spelled = |t: &str| t.bytes().filter(|b| b.is_ascii_punctuation()).collect::<Vec<_>>();
            assert_eq!(spelled(text), spelled(&got), "{text} became {got}");
        }
        let eui = map("00:1b:21:ff:fe:ab:02:03");
        assert!(eui.contains(":ff:fe:") && !eui.ends_with("ab:02:03"), "{eui}");
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "@@ 1795313330.050000000\n",
            "Mon Nov 23 21:23:52 2026 123456789012 counters 00000000 000003ff",
            "i40e 0000:02:00.0: version 6.12 2026-11-23T21:23:52 rx_bytes: 987654321098",
            "01:80:c2:00:00:02 ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 127.0.0.1 255.255.255.0 ::1 fe:dc",
            "Actor key: 15, port state: 61, token bucket, link/ether, brd, bond0.100, systemd-networkd.service",
            "550e8400-e29b-41d4-a716-4466",
            "BUG_REPORT_URL=\"bugs.debian.org\" www.debian.org kernel.org",
        ] {
            assert_eq!(map(text), text);
        }
    }

    #[test]
    fn addresses_of_the_internet_protocols_and_names_go() {
        let got = map(
            "inet 10.20.30.40/24 via 192.0.2.9. inet6 2001:db8::5/64 fe80::21b:21ff:feab:203%eno1 at db7.example.com notdebian.org\n",
        );
        for gone in [
            "10.20.30.40",
            "192.0.2.9",
            "2001:db8::5",
            "21b:21ff:feab:203",
            "db7",
            "example.com",
            "notdebian.org",
        ] {
            assert!(!got.contains(gone), "{gone} in {got}");
        }
        assert!(
            got.starts_with("inet 10.") && got.contains("/24 via ") && got.contains("%eno1 at host-"),
            "{got}"
        );
    }
}
