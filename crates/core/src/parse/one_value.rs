//! One-value files below `/proc/sys`, and below `/sys` outside of `/sys/class/net`, behind the line that names them:
//! `==> /proc/sys/kernel/hostname <==` as `head`, `tail` and live evidence write it, or `cat` after a prompt.
//!
//! The value is kept as a field whose key is the path; those of `/proc/sys/kernel` that say which host and which boot it is
//! have the names that `uname` and the journal use.

use super::{Cursor, Format, Out, prompt};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "one-value";
/// More words than the widest of these files has (`net.ipv4.tcp_mem`, `kernel.sem`).
const MAX_WORDS: usize = 8;

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let named = i
        .checked_sub(1)
        .and_then(|p| lines.get(p))
        .and_then(|l| prompt::find(&l.text))
        .and_then(|p| p.command)
        .is_some_and(|c| path(&c).is_some());
    named && prompt::find(&line.text).is_none() && line.trimmed().split_whitespace().count() <= MAX_WORDS
}

/// The file that a divider or a `cat` names.
fn path(command: &str) -> Option<&str> {
    let mut words = command.split_whitespace().filter(|w| *w != "sudo");
    let first = words.next()?;
    let path = if first == "cat" { words.next()? } else { first };
    // The attributes of interfaces have a format of their own.
    let below = path.starts_with("/proc/sys/") || (path.starts_with("/sys/") && !path.contains("/net/"));
    (words.next().is_none() && below && !path.contains(['*', '?', '|'])).then_some(path)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let command = out.hints.command.clone().unwrap_or_default();
    let (Some(path), Some(line)) = (path(&command), cursor.next()) else { return };
    let key = match path {
        "/proc/sys/kernel/hostname" => "hostname",
        "/proc/sys/kernel/osrelease" => "release",
        "/proc/sys/kernel/random/boot_id" => "boot_id",
        other => other,
    };
    let mut fields = Fields::new(ID, None);
    fields.push(key, line.trimmed(), line.cite());
    out.typed(line);
    out.record(line.cite(), None, What::Fields(fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::{Parsed, parse_text};
    use crate::units::Stamp;

    fn read(text: &str) -> Parsed {
        parse_text(FileId(0), "host/facts.txt", text.as_bytes())
    }

    fn value(p: &Parsed, key: &str) -> Option<String> {
        p.records.iter().find_map(|r| match &r.what {
            What::Fields(f) => f.text(key).map(str::to_owned),
            _ => None,
        })
    }

    #[test]
    fn values_behind_dividers_with_their_time() {
        let p = read(
            "@@ 1795313330.000000000\n==> /proc/sys/kernel/hostname <==\ndb01\n@@ 1795313331.000000000\n==> /sys/module/bonding/parameters/miimon <==\n0\n$ cat /proc/sys/net/core/netdev_budget\n300\n",
        );
        assert_eq!((p.unrecognised.len(), p.not_understood.len(), p.typed), (0, 0, 8));
        assert_eq!(p.recognised, ["one-value"]);
        assert_eq!(value(&p, "hostname").as_deref(), Some("db01"));
        assert_eq!(value(&p, "/sys/module/bonding/parameters/miimon").as_deref(), Some("0"));
        assert_eq!(value(&p, "/proc/sys/net/core/netdev_budget").as_deref(), Some("300"));
        assert_eq!(p.records[0].time, Some(Stamp::wall(1_795_313_330_000_000_000)));
    }

    #[test]
    fn sysfs_of_interfaces_is_read_by_its_own_format() {
        let p = read("@@ 1795313330.000000000\n==> /sys/class/net/eno1/carrier_changes <==\n7\n");
        assert_eq!((p.unrecognised.len(), p.not_understood.len()), (0, 0));
        assert_eq!(p.recognised, ["sysfs-net"]);
        let What::Link(link) = &p.records[0].what else { panic!("{:?}", p.records) };
        assert_eq!((link.name.as_str(), link.fields.int("carrier_changes")), ("eno1", Some(7)));
        assert_eq!(p.records[0].time, Some(Stamp::wall(1_795_313_330_000_000_000)));
    }

    #[test]
    fn prose_and_other_files_are_not_taken() {
        for text in [
            "==> notes.txt <==\ndb01\n",
            "==> /proc/sys/kernel/hostname <==\nit is not quite clear which of the two hosts that was\n",
            "db01\n",
        ] {
            assert!(read(text).recognised.is_empty(), "{text}");
        }
    }
}
