//! Packages: `dpkg -l` (`ii  ifupdown  0.8.41  amd64  ...`) and `rpm -qa` of network software.
//!
//! One record for the block; the key is the name of the package, the value its version with dpkg's state in front.

use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "dpkg-list";

/// Names that `rpm -qa` may print alone on a line; any other word with dashes could be anything.
const RPMS: &[&str] = &[
    "NetworkManager-",
    "kernel-",
    "ethtool-",
    "iproute-",
    "teamd-",
    "libteam-",
    "network-scripts-",
    "initscripts-",
    "openvswitch",
    "systemd-networkd-",
    "linux-firmware-",
    "kmod-",
    "wicked-",
    "irqbalance-",
    "lldpd-",
    "lldpad-",
    "tuned-",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| {
        let t = l.trimmed();
        dpkg(t).is_some() || rpm(t).is_some() || heading(t)
    })
}

fn heading(t: &str) -> bool {
    t.starts_with("Desired=Unknown/Install/Remove")
        || t.starts_with("| Status=Not/Inst/Conf")
        || t.starts_with("|/ Err?=(none)")
        || t.starts_with("||/ Name ")
        || t.starts_with("+++-====")
}

/// `ii  ifupdown  0.8.41  amd64  high level tools`.
fn dpkg(t: &str) -> Option<(&str, String)> {
    let (state, rest) = t.split_once(' ')?;
    let mut chars = state.chars();
    let (a, b) = (chars.next()?, chars.next()?);
    if !(2..=3).contains(&state.len()) || !"uihrp".contains(a) || !"ncHUFWti".contains(b) {
        return None;
    }
    let mut words = rest.split_whitespace();
    let (name, version) = (words.next()?, words.next()?);
    let plain =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b':');
    if !name.bytes().all(plain)
        || name.len() < 2
        || !version.bytes().any(|b| b.is_ascii_digit())
        || !rest.starts_with(' ')
    {
        return None;
    }
    Some((name, format!("{state} {version}")))
}

fn rpm(t: &str) -> Option<(&str, String)> {
    if t.contains(char::is_whitespace) || !RPMS.iter().any(|p| t.starts_with(p)) {
        return None;
    }
    let arch = t.rsplit('.').next()?;
    if !matches!(arch, "x86_64" | "noarch" | "aarch64" | "ppc64le" | "s390x" | "i686") {
        return None;
    }
    // name-version-release.arch
    let release = t.rfind('-')?;
    let version = t.get(..release)?.rfind('-')?;
    Some((t.get(..version)?, t.get(version + 1..)?.to_owned()))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut fields = Fields::new(ID, None);
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if let Some((name, value)) = dpkg(t).or_else(|| rpm(t)) {
            fields.push(name, value, line.cite());
        } else if heading(t) {
            fields.push("heading", t, line.cite());
        } else {
            break;
        }
        out.typed(line);
        cursor.next();
    }
    out.fields(fields);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    #[test]
    fn both_package_managers() {
        let text = "||/ Name           Version      Architecture Description\n+++-==============-============-============-=====\nii  ifupdown       0.8.41       amd64        high level tools\nrc  network-manager 1.42.4-1 amd64 network management\nNetworkManager-team-1.44.0-3.el9.x86_64\n";
        let parsed = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert!(parsed.unrecognised.is_empty(), "{parsed:?}");
        let Some(What::Fields(f)) = parsed.records.first().map(|r| r.what.clone()) else { panic!() };
        assert_eq!((f.text("ifupdown"), f.text("network-manager")), (Some("ii 0.8.41"), Some("rc 1.42.4-1")));
        assert_eq!(f.text("NetworkManager-team"), Some("1.44.0-3.el9.x86_64"));
    }
}
