//! `ip maddr show`: the multicast addresses an interface listens to, link layer and network layer.
//!
//! Printed by `print_mlist()` in `ip/ipmaddr.c` from `/proc/net/dev_mcast`, `igmp` and `igmp6`. One [`Fields`] record per
//! interface with one `link`, `inet` or `inet6` field per address (the address alone); `users` and `static` follow
//! their address as fields of their own. A member of an 802.3ad bond must list `01:80:c2:00:00:02`.

use super::ip_link::{is_lladdr, is_prefix};
use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ip-maddr";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(line) = lines.get(i) else { return false };
    let t = line.trimmed();
    if let Some((_, rest)) = head(t) {
        return !rest.is_empty() && entry(rest).is_some()
            || lines.get(i + 1).is_some_and(|l| entry(l.trimmed()).is_some());
    }
    // The head was cut off or filtered away.
    entry(t).is_some()
}

/// `4: h1` and what follows the name in one-line output.
fn head(t: &str) -> Option<(&str, &str)> {
    let (index, rest) = t.split_once(':')?;
    if index.is_empty() || !index.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    // One-line output has a backslash in the place of each line end.
    let (name, rest) = rest.split_once([' ', '\t', '\\']).unwrap_or((rest, ""));
    is_ifname(name).then_some((name, rest.trim_start_matches(['\\', ' ', '\t'])))
}

struct Entry<'a> {
    family: &'a str,
    address: &'a str,
    users: Option<&'a str>,
    fixed: bool,
}

fn entry(t: &str) -> Option<Entry<'_>> {
    let mut words = t.split_whitespace();
    let family = words.next().filter(|w| matches!(*w, "link" | "inet" | "inet6"))?;
    let address = words.next()?;
    let fits = match family {
        "link" => is_lladdr(address),
        _ => is_prefix(address) && !address.contains('/') && multicast(address),
    };
    if !fits {
        return None;
    }
    let mut e = Entry { family, address, users: None, fixed: false };
    while let Some(word) = words.next() {
        match word {
            "users" => e.users = Some(words.next()?),
            "static" => e.fixed = true,
            _ => return None,
        }
    }
    Some(e)
}

fn multicast(address: &str) -> bool {
    address.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_multicast())
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(first) = cursor.peek() {
        if first.is_blank() {
            cursor.next();
            continue;
        }
        let mut at = first.cite();
        let (dev, rest) = match head(first.trimmed()) {
            Some((name, rest)) => (Some(name.to_owned()), rest),
            None if entry(first.trimmed()).is_some() => (out.hints.dev.clone(), first.trimmed()),
            None => return,
        };
        let mut fields = Fields::new(ID, dev);
        let mut next = Some((first, rest));
        while let Some((line, text)) = next {
            let entry = entry(text);
            if let Some(e) = &entry {
                fields.push(e.family, e.address, line.cite());
                if let Some(users) = e.users {
                    fields.push("users", users, line.cite());
                }
                if e.fixed {
                    fields.push("static", "true", line.cite());
                }
            } else if !text.is_empty() {
                out.not_understood(line);
            }
            if entry.is_some() || text.is_empty() {
                out.typed(line);
            }
            at = at.to(line.cite());
            cursor.next();
            next = cursor.peek().filter(|l| self::entry(l.trimmed()).is_some()).map(|l| (l, l.trimmed()));
        }
        out.record(at, None, What::Fields(fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn blocks_and_one_line_output() {
        let text = "4:\th1\n\tlink  33:33:00:00:00:01 users 2\n\tlink  01:80:c2:00:00:02\n\tinet  224.0.0.1\n\tinet6 ff02::1\n8:\th2\n\tlink  01:80:c2:00:00:02 static\n9:\th3\\\tlink  01:80:c2:00:00:02\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (8, 0, 0));
        let got: Vec<_> = p
            .records
            .iter()
            .map(|r| {
                let What::Fields(f) = &r.what else { panic!() };
                let lacp = f.entries.iter().any(|e| e.key == "link" && e.value == "01:80:c2:00:00:02");
                (f.dev.clone().unwrap_or_default(), lacp)
            })
            .collect();
        assert_eq!(got, [("h1".to_owned(), true), ("h2".to_owned(), true), ("h3".to_owned(), true)]);
    }
}
