//! The frame that most `ethtool` listings share: `<title> <dev>:`, then `key: value` lines, sections, items and
//! errors. Each format is a [`Listing`] of its own; this file reads it.
//!
//! Source: `ethtool.c` and `netlink/*.c` of ethtool 2.6 to 6.14. Errors come from `perror()` (`Cannot get device
//! ring settings: Operation not supported`) or from the netlink code (`netlink error: Operation not supported`);
//! they are kept as a field `error`. A line that only says that lines were left out (`...`, `[snip]`) is kept as
//! a field `elided`.

use super::counter_meaning::meaning;
use super::{Cursor, Out};
use crate::evidence::{Citation, Counter, Counters, Fields, Line, Meaning, What};

/// What a section line changes.
#[derive(Clone, Copy)]
pub(super) enum Section {
    /// Keys of the following lines are kept with this in front.
    Prefix(&'static str),
    /// Keys of the following lines are kept as they are.
    Plain,
    /// The following lines are counters.
    Counters,
}

/// One kind of listing.
pub(super) struct Listing {
    /// The format's id, which is the source of the records too.
    pub id: &'static str,
    /// What stands before the name of the interface.
    pub titles: &'static [&'static str],
    /// How errors begin that belong to this listing and no other.
    pub errors: &'static [&'static str],
    /// Is this a key (with its value) of this listing?
    pub known: fn(&str, &str) -> bool,
    /// Lines that begin a section, without the colon.
    pub sections: &'static [(&'static str, Section)],
    /// Is this line an item of the list that the last key began?
    pub item: fn(&str) -> bool,
    /// Does this key begin a listing whose title was cut off? (The line and those after it.)
    pub head: fn(&[Line<'_>], usize) -> bool,
}

/// No line is an item.
pub(super) fn no_item(_: &str) -> bool {
    false
}

/// Does the listing begin here?
pub(super) fn begins(listing: &Listing, lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    title(listing, t).is_some() || listing.errors.iter().any(|e| t.starts_with(e)) || (listing.head)(lines, i)
}

/// The interface in `<title> <dev>:`, and what follows the colon.
pub(super) fn title<'t>(listing: &Listing, t: &'t str) -> Option<&'t str> {
    listing.titles.iter().find_map(|p| dev_after(p, t))
}

/// The interface in `<prefix><dev>:`. Names are what the kernel accepts: no blank, at most 15 bytes (tools cut
/// longer ones never; alternative names may be longer).
pub(super) fn dev_after<'t>(prefix: &str, t: &'t str) -> Option<&'t str> {
    let head = t.get(..prefix.len())?;
    // `EEE Settings for` (old) and `EEE settings for` (new).
    if !head.eq_ignore_ascii_case(prefix) {
        return None;
    }
    let rest = t.get(prefix.len()..)?.trim();
    let dev = rest.strip_suffix(':').or_else(|| rest.split_once(": ").map(|(d, _)| d))?;
    (!dev.is_empty() && dev.len() <= 64 && !dev.contains(char::is_whitespace)).then_some(dev)
}

/// Splits `key: value` at the first colon; both parts without blanks around them.
pub(super) fn colon(t: &str) -> Option<(&str, &str)> {
    let (key, value) = t.split_once(':')?;
    let key = key.trim();
    (!key.is_empty() && key.len() <= 64).then(|| (key, value.trim()))
}

/// Errors that any call of `ethtool` may print.
pub(super) fn is_common_error(t: &str) -> bool {
    const STARTS: &[&str] = &[
        "netlink error: ",
        "netlink error ",
        "netlink warning: ",
        "Cannot get control socket",
        "ethtool: bad command line argument",
        "For more information run ethtool -h",
        "ethtool: unexpected parameter",
        "subcommand not supported by ioctl",
        "offset & length out of bounds",
    ];
    STARTS.iter().any(|s| t.starts_with(s))
        || (t.starts_with("netlink") && t.ends_with("subcommand not supported by ioctl"))
        || not_run(t)
}

/// `-bash: /sbin/ethtool: No such file or directory`, `sh: 1: ethtool: not found`: the tool was not run at all.
fn not_run(t: &str) -> bool {
    (t.contains("ethtool: ") || t.contains("ethtool'") || t.contains("ethtool’"))
        && t.split_whitespace().count() <= 10
        && ["command not found", "No such file or directory", "not found", "Permission denied"]
            .iter()
            .any(|e| t.ends_with(e))
}

/// A line by which the author says that lines were left out.
pub(super) fn is_elision(t: &str) -> bool {
    matches!(
        t,
        "..."
            | "…"
            | "...."
            | "....."
            | "[...]"
            | "[…]"
            | "(...)"
            | "<...>"
            | "[snip]"
            | "<snip>"
            | "[..]"
            | ".."
    ) || t.eq_ignore_ascii_case("-- snip --")
        || t.eq_ignore_ascii_case("<cut>")
}

/// The format that a command line such as `ethtool -g eth0` prints.
pub(super) fn source_of_command(command: Option<&str>) -> Option<&'static str> {
    const OPTIONS: &[(&str, &str)] = &[
        ("-S", "ethtool-s"),
        ("--statistics", "ethtool-s"),
        ("-i", "ethtool-i"),
        ("--driver", "ethtool-i"),
        ("-k", "ethtool-k"),
        ("--show-features", "ethtool-k"),
        ("--show-offload", "ethtool-k"),
        ("-K", "ethtool-k"),
        ("-m", "ethtool-m"),
        ("--module-info", "ethtool-m"),
        ("--dump-module-eeprom", "ethtool-m"),
        ("-a", "ethtool-a"),
        ("--show-pause", "ethtool-a"),
        ("-g", "ethtool-g"),
        ("--show-ring", "ethtool-g"),
        ("-l", "ethtool-l"),
        ("--show-channels", "ethtool-l"),
        ("-c", "ethtool-c"),
        ("--show-coalesce", "ethtool-c"),
        ("-T", "ethtool-t"),
        ("--show-time-stamping", "ethtool-t"),
        ("-P", "ethtool-p"),
        ("--show-permaddr", "ethtool-p"),
        ("--show-eee", "ethtool-eee"),
        ("--show-fec", "ethtool-fec"),
        ("--phy-statistics", "ethtool-phy-statistics"),
        ("--show-phys", "ethtool-phy-statistics"),
        ("--show-priv-flags", "ethtool-priv-flags"),
        ("-n", "ethtool-n"),
        ("-u", "ethtool-n"),
        ("-x", "ethtool-n"),
        ("--show-rxfh-indir", "ethtool-n"),
        ("--show-rxfh", "ethtool-n"),
        ("--show-nfc", "ethtool-n"),
        ("-d", "ethtool-d"),
        ("--register-dump", "ethtool-d"),
        ("-e", "ethtool-d"),
        ("--eeprom-dump", "ethtool-d"),
    ];
    let command = command?;
    let at = command.find("ethtool")?;
    command
        .get(at..)?
        .split_whitespace()
        .find_map(|w| OPTIONS.iter().find(|(o, _)| *o == w).map(|(_, id)| *id))
}

/// The number if the value is one and nothing else.
pub(super) fn number(value: &str) -> Option<u64> {
    (!value.is_empty() && value.bytes().all(|b| b.is_ascii_digit())).then(|| value.parse().ok()).flatten()
}

/// Appends to the last value, separated by a blank.
pub(super) fn append(fields: &mut Fields, value: &str) {
    if let Some(last) = fields.entries.last_mut() {
        if !last.value.is_empty() {
            last.value.push(' ');
        }
        last.value.push_str(value.trim());
    }
}

/// Collects what one listing says and makes its records.
struct Collector {
    fields: Fields,
    counters: Counters,
    span: Option<(Citation, Citation)>,
    titled: bool,
}

impl Collector {
    fn new(id: &'static str, dev: Option<String>) -> Self {
        Self {
            fields: Fields::new(id, dev.clone()),
            counters: Counters { source: id, dev, entries: Vec::new() },
            span: None,
            titled: false,
        }
    }
    fn saw(&mut self, line: &Line<'_>) {
        let at = line.cite();
        self.span = Some(self.span.map_or((at, at), |(first, _)| (first, at)));
    }
    fn flush(self, out: &mut Out) {
        let Some((first, last)) = self.span else { return };
        let at = first.to(last);
        if !self.counters.entries.is_empty() {
            out.record(at, None, What::Counters(self.counters));
        }
        // A title alone says that there was nothing to show.
        if !self.fields.entries.is_empty() || self.titled {
            out.record(at, None, What::Fields(self.fields));
        }
    }
}

/// Reads one block of the listing: one record per title, and counters apart.
pub(super) fn read(listing: &Listing, cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let hint = out.hints.dev.clone();
    let mut got = Collector::new(listing.id, hint.clone());
    let mut prefix = "";
    let mut counting = false;
    let mut first = true;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if let Some(dev) = title(listing, t) {
            if got.titled {
                std::mem::replace(&mut got, Collector::new(listing.id, hint.clone())).flush(out);
            }
            got.fields.dev = Some(dev.to_owned());
            got.counters.dev = Some(dev.to_owned());
            got.titled = true;
            (prefix, counting) = ("", false);
        } else if listing.errors.iter().any(|e| t.starts_with(e)) || is_common_error(t) {
            got.fields.push("error", t, line.cite());
        } else if let Some(rest) = t.strip_prefix(": ") {
            // `perror("Cannot get device channel parameters\n")` breaks its own message.
            if got.fields.entries.last().is_none_or(|f| f.key != "error") {
                break;
            }
            append(&mut got.fields, rest);
            if let Some(last) = got.fields.entries.last_mut() {
                last.at = last.at.to(line.cite());
            }
        } else if is_elision(t) {
            got.fields.push("elided", t, line.cite());
        } else if let Some((_, section)) = section(listing, t) {
            match section {
                Section::Prefix(p) => (prefix, counting) = (*p, false),
                Section::Plain => (prefix, counting) = ("", false),
                Section::Counters => counting = true,
            }
        } else if counting && count(&mut got, t, line) {
        } else if let Some((key, value)) = colon(t).filter(|(k, v)| (listing.known)(k, v)) {
            counting = false;
            pair(&mut got.fields, prefix, key, value, line);
        } else if !got.fields.entries.is_empty() && (listing.item)(t) {
            append(&mut got.fields, t);
        } else {
            // A line that is not of this listing ends it, unless the listing goes on below.
            if first || !goes_on(listing, cursor) {
                break;
            }
            cursor.next();
            out.not_understood(line);
            got.saw(line);
            continue;
        }
        first = false;
        cursor.next();
        got.saw(line);
        out.typed(line);
    }
    got.flush(out);
}

fn section<'l>(listing: &'l Listing, t: &str) -> Option<&'l (&'static str, Section)> {
    let bare = t.strip_suffix(':').unwrap_or(t);
    listing.sections.iter().find(|(name, _)| *name == bare)
}

fn count(got: &mut Collector, t: &str, line: &Line<'_>) -> bool {
    let Some((name, value)) = colon(t) else { return false };
    let Some(value) = number(value) else { return false };
    let lane = name.strip_prefix("Lane ");
    let (name, meaning) = match (lane, got.counters.entries.last()) {
        // The lanes add up to the total printed above them: no meaning of their own.
        (Some(n), Some(last)) => {
            let base = last.name.split(" lane ").next().unwrap_or(&last.name);
            (format!("{base} lane {n}"), Meaning::Other)
        }
        _ => (name.to_owned(), meaning(None, name)),
    };
    got.counters.entries.push(Counter { name, value, meaning, at: line.cite() });
    true
}

/// `Adaptive RX: off  TX: on` is two fields; everything else one.
fn pair(fields: &mut Fields, prefix: &str, key: &str, value: &str, line: &Line<'_>) {
    if let Some(stem) = key.strip_suffix(" RX")
        && let Some((rx, tx)) = value.split_once("TX:")
    {
        fields.push(format!("{prefix}{key}"), rx.trim(), line.cite());
        fields.push(format!("{prefix}{stem} TX"), tx.trim(), line.cite());
        return;
    }
    fields.push(format!("{prefix}{key}"), value, line.cite());
}

fn goes_on(listing: &Listing, cursor: &Cursor<'_, '_>) -> bool {
    (1..=2).filter_map(|n| cursor.peek_at(n)).any(|l| {
        let t = l.trimmed();
        section(listing, t).is_some() || colon(t).is_some_and(|(k, v)| (listing.known)(k, v))
    })
}

/// Does one of the three lines after `i` begin with this?
pub(super) fn follows(lines: &[Line<'_>], i: usize, prefix: &str) -> bool {
    (1..=3)
        .any(|n| i.checked_add(n).and_then(|j| lines.get(j)).is_some_and(|l| l.trimmed().starts_with(prefix)))
}

/// Does line `i` begin with this?
pub(super) fn starts(lines: &[Line<'_>], i: usize, prefix: &str) -> bool {
    lines.get(i).is_some_and(|l| l.trimmed().starts_with(prefix))
}

/// Reads a text of which every line must be understood: for the tests of the formats that share this reader.
#[cfg(test)]
pub(super) fn read_whole(format: super::Format, path: &str, text: &str) -> Vec<crate::evidence::What> {
    let parsed = super::parse_text_with(crate::evidence::FileId(0), path, text.as_bytes(), &[format]);
    assert!(parsed.not_understood.is_empty(), "{:?}", parsed.not_understood);
    assert!(parsed.unrecognised.is_empty(), "{:?}", parsed.unrecognised);
    parsed.records.into_iter().map(|r| r.what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        assert_eq!(dev_after("Ring parameters for ", "Ring parameters for br-int:"), Some("br-int"));
        assert_eq!(dev_after("EEE settings for ", "EEE Settings for eth0:"), Some("eth0"));
        assert_eq!(dev_after("Settings for ", "Settings for the whole network: see below"), None);
        assert_eq!(dev_after("Settings for ", "Settings for"), None);
    }

    #[test]
    fn not_run_at_all() {
        assert!(is_common_error("-bash: /sbin/ethtool: No such file or directory"));
        assert!(is_common_error("sh: 1: ethtool: not found"));
        assert!(is_common_error("netlink error: Operation not supported"));
        assert!(!is_common_error("I ran ethtool and the option was not found"));
    }

    #[test]
    fn commands() {
        assert_eq!(source_of_command(Some("sudo ethtool -g eth0")), Some("ethtool-g"));
        assert_eq!(source_of_command(Some("ethtool eth0")), None);
        assert_eq!(source_of_command(Some("ls -l")), None);
        assert_eq!(source_of_command(Some("ethtool --show-fec ens1")), Some("ethtool-fec"));
    }
}
