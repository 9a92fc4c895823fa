//! `bridge fdb` as text: the forwarding database, and the address filters of ports (`self permanent`); `bridge mdb`.
//!
//! Printed by `print_fdb()` in `bridge/fdb.c`. One [`Fields`] record per line with the key `mac`, the words of the tool
//! (`dst`, `vlan`, `master`, `used`, ...) and one `flag` field per word without a value. `01:80:c2:00:00:02 dev eno1 self
//! permanent` shows that a member's filter passes LACPDUs.

use super::ip_link::is_mac;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "bridge-fdb";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| read(l.trimmed()).is_some())
}

type Pairs<'a> = Vec<(&'a str, &'a str)>;

fn read(t: &str) -> Option<Pairs<'_>> {
    let t = t.strip_prefix("Deleted ").unwrap_or(t);
    let mut words = t.split_whitespace();
    let first = words.next()?;
    let mut pairs = if is_mac(first) {
        vec![("mac", first)]
    } else {
        // `bridge mdb`: `dev br0 port eno1 grp 239.1.1.1 temp`.
        let bridge =
            words.next().filter(|_| first == "dev" && t.contains(" port ") && t.contains(" grp "))?;
        vec![("dev", bridge)]
    };
    while let Some(word) = words.next() {
        match word {
            "dev" | "grp" | "src" | "vid" | "filter_mode" | "source_list" | "proto" | "dst" | "vlan"
            | "vni" | "src_vni" | "port" | "via" | "link-netnsid" | "used" | "updated" | "nhid"
            | "master" | "state" | "activity_notify" | "protocol" => pairs.push((word, words.next()?)),
            "temp" | "self" | "router" | "permanent" | "static" | "stale" | "offload" | "extern_learn"
            | "sticky" | "locked" | "dynamic" | "added_by_user" | "added_by_ext_learn" | "inactive"
            | "notify" | "local" | "blackhole" => {
                pairs.push(("flag", word));
            }
            _ => return None,
        }
    }
    (pairs.len() > 1).then_some(pairs)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some(pairs) = read(line.trimmed()) else { return };
        cursor.next();
        out.typed(line);
        let dev = pairs.iter().find(|(k, _)| *k == "dev").map(|(_, v)| (*v).to_owned());
        let mut fields = Fields::new(ID, dev.or_else(|| out.hints.dev.clone()));
        for (key, value) in pairs {
            fields.push(key, value, line.cite());
        }
        if line.trimmed().starts_with("Deleted ") {
            fields.push("deleted", "true", line.cite());
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
    fn entries() {
        let text = "01:80:c2:00:00:02 dev eno1 self permanent\n02:00:00:00:22:01 dev eno1 vlan 70 used 5/1004 master br0 \n02:00:00:00:22:01 > 02:00:00:00:11:01, ethertype IPv4\n02:00:00:00:22:01 is the switch\ndev br0 port eno1 grp 239.1.1.1 temp vid 70\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.unrecognised.len()), (3, 2));
        let What::Fields(f) = &p.records[1].what else { panic!() };
        assert_eq!(
            (f.text("vlan"), f.text("master"), f.dev.as_deref()),
            (Some("70"), Some("br0"), Some("eno1"))
        );
    }
}
