//! `ip netconf`: forwarding, reverse path filter and the like per interface.
//!
//! Printed by `print_netconf()` in `ip/ipnetconf.c`. One [`Fields`] record per line with the key `family` and the words
//! of the tool.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ip-netconf";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| read(l.trimmed()).is_some())
}

struct Netconf<'a> {
    family: &'a str,
    dev: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
}

/// `inet eth0 forwarding off rp_filter off mc_forwarding off ...`; `dev` before the name in old versions.
fn read(t: &str) -> Option<Netconf<'_>> {
    let mut words = t.split_whitespace().peekable();
    let family = words.next().filter(|w| matches!(*w, "inet" | "inet6" | "mpls" | "ipv4" | "ipv6"))?;
    let _ = words.next_if(|w| *w == "dev");
    let dev = words.next().filter(|w| is_ifname(w))?;
    let mut pairs = Vec::new();
    while let Some(key) = words.next() {
        let value = words.next()?;
        let known = matches!(
            key,
            "forwarding"
                | "rp_filter"
                | "mc_forwarding"
                | "proxy_neigh"
                | "ignore_routes_with_linkdown"
                | "input"
        );
        if !known {
            return None;
        }
        pairs.push((key, value));
    }
    (!pairs.is_empty()).then_some(Netconf { family, dev, pairs })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some(conf) = read(line.trimmed()) else { return };
        cursor.next();
        out.typed(line);
        let mut fields = Fields::new(ID, Some(conf.dev.to_owned()));
        fields.push("family", conf.family, line.cite());
        for (key, value) in conf.pairs {
            fields.push(key, value, line.cite());
        }
        out.record(line.cite(), None, What::Fields(fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn lines() {
        let text = "inet eno1 forwarding on rp_filter strict mc_forwarding off\ninet6 dev eno1 forwarding off\ninet is a family of protocols\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.unrecognised.len()), (2, 1));
        let What::Fields(f) = &p.records[0].what else { panic!() };
        assert_eq!((f.dev.as_deref(), f.text("rp_filter")), (Some("eno1"), Some("strict")));
    }
}
