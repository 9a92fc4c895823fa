//! `/proc/net/dev_mcast`: the link layer multicast addresses of each interface.
//!
//! Printed by `dev_mc_seq_show()` in `net/core/dev_addr_lists.c` (Linux 6.12): index, name, users, users of `IFF_UP` kind (once
//! `dmi_gusers`), address in hexadecimal; an interface without addresses has no line. The records are those of `ip maddr`,
//! which reads this file: one per interface with one `link` field per address. A member of an 802.3ad bond must list
//! `01:80:c2:00:00:02`.

use super::prompt::is_ifname;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-net-dev-mcast";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| entry(l.trimmed()).is_some())
}

struct Entry<'a> {
    index: &'a str,
    name: &'a str,
    users: &'a str,
    address: String,
}

/// `4    h1              1     0     0180c2000002`.
fn entry(t: &str) -> Option<Entry<'_>> {
    let words: Vec<&str> = t.split_whitespace().collect();
    let [index, name, users, group, address] = words.as_slice() else { return None };
    let number = |w: &str| !w.is_empty() && w.len() <= 9 && w.bytes().all(|b| b.is_ascii_digit());
    let plausible = number(index)
        && number(users)
        && number(group)
        && is_ifname(name)
        // Ethernet has 12 digits, InfiniBand 40.
        && matches!(address.len(), 12 | 16 | 40)
        && address.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !plausible {
        return None;
    }
    let mut spelled = String::new();
    for (n, c) in address.chars().enumerate() {
        if n > 0 && n.is_multiple_of(2) {
            spelled.push(':');
        }
        spelled.push(c);
    }
    Some(Entry { index, name, users, address: spelled })
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut open: Option<(String, Fields)> = None;
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some(e) = entry(line.trimmed()) else { break };
        cursor.next();
        out.typed(line);
        // The same interface again after others, or the same address again, is a second reading.
        let again = open.as_ref().is_some_and(|(index, f)| {
            index != e.index || f.entries.iter().any(|x| x.key == "link" && x.value == e.address)
        });
        if again && let Some((_, fields)) = open.take() {
            out.fields(fields);
        }
        let (_, fields) = open
            .get_or_insert_with(|| (e.index.to_owned(), Fields::new("ip-maddr", Some(e.name.to_owned()))));
        fields.push("link", e.address, line.cite());
        fields.push("users", e.users, line.cite());
    }
    if let Some((_, fields)) = open {
        out.fields(fields);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    #[test]
    fn one_list_per_interface() {
        let text = "4    h1              2     0     333300000001\n4    h1              1     0     0180c2000002\n6    bond0           4     0     0180c2000021\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (3, 0, 0));
        let got: Vec<_> = p
            .records
            .iter()
            .map(|r| {
                let What::Fields(f) = &r.what else { panic!("{r:?}") };
                assert_eq!(f.source, "ip-maddr");
                let lacp = f.entries.iter().any(|e| e.key == "link" && e.value == "01:80:c2:00:00:02");
                (f.dev.clone().unwrap_or_default(), lacp)
            })
            .collect();
        assert_eq!(got, [("h1".to_owned(), true), ("bond0".to_owned(), false)]);
    }

    #[test]
    fn other_tables_are_left_alone() {
        let text = "1 2 3 4 5\n4 h1 1 0 0180c200\nh1: 100 200 300 400\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.unrecognised.len()), (0, 3));
    }
}
