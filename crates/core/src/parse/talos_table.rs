//! Tables of `talosctl get <resource>`, of which that of `links` is read as links.
//!
//! Source: `cmd/talosctl/cmd/talos/output/table.go` of siderolabs/talos: Go's `tabwriter` with three blanks between
//! columns. `NODE`, with `-w` an unnamed column of events (`*`), `NAMESPACE`, `TYPE`, `ID`, `VERSION`, then the
//! `PrintColumns` of the resource, which differ between versions (`ALIAS` of links is new). A cell may be empty, so the
//! columns of the heading tell where a cell stands; where a paste has moved them, rows without empty cells are read.

use super::ip_link::new_link;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "talos-table";

/// More columns than any resource prints.
const COLUMNS: usize = 32;
/// Columns that every table has.
const FIXED: [&str; 4] = ["NAMESPACE", "TYPE", "ID", "VERSION"];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| heading(&l.text).is_some())
}

struct Column {
    name: String,
    /// In characters, as Go counts them.
    at: usize,
}

/// The columns of a heading.
fn heading(text: &str) -> Option<Vec<Column>> {
    if !text.trim_start().starts_with("NODE ") {
        return None;
    }
    let columns: Vec<Column> =
        cells(text).take(COLUMNS).map(|(at, name)| Column { name: name.to_owned(), at }).collect();
    let names = columns.iter().map(|c| c.name.as_str());
    let mut rest = names.skip(1).skip_while(|name| *name == "*");
    FIXED.iter().all(|fixed| rest.next() == Some(fixed)).then_some(columns)
}

/// The cells of a line and where they begin: separated by two blanks or more.
fn cells(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split("  ")
        .scan(0, |chars, part| {
            // An odd number of blanks leaves one in front of the next cell.
            let lead = part.chars().take_while(|c| c.is_whitespace()).count();
            let at = *chars + lead;
            *chars += part.chars().count() + 2;
            Some((at, part.trim()))
        })
        .filter(|(_, cell)| !cell.is_empty())
}

/// The values of a row, one for each column.
fn row<'t>(columns: &[Column], text: &'t str) -> Option<Vec<&'t str>> {
    // Byte offsets of the characters, for columns are counted in characters.
    let offset = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(i, _)| i);
    let mut starts: Vec<usize> = columns.iter().map(|c| offset(c.at)).collect();
    if let Some(first) = starts.first_mut() {
        *first = 0;
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let aligned: Option<Vec<&str>> = starts.iter().zip(ends).map(|(from, to)| text.get(*from..to)).collect();
    // A cell that reaches into the next column was not written below this heading.
    let fits = |cells: &Vec<&str>| {
        let last = cells.len().saturating_sub(1);
        cells.iter().take(last).all(|c| c.is_empty() || c.ends_with(' '))
    };
    let values: Vec<&str> = match aligned.filter(fits) {
        Some(aligned) => aligned.into_iter().map(str::trim).collect(),
        None => {
            let split: Vec<&str> = cells(text).map(|(_, cell)| cell).collect();
            if split.len() != columns.len() {
                return None;
            }
            split
        }
    };
    let of = |name: &str| columns.iter().position(|c| c.name == name).and_then(|i| values.get(i).copied());
    let word = |name: &str| of(name).is_some_and(|v| !v.is_empty() && !v.contains(' '));
    let version = of("VERSION")
        .is_some_and(|v| v == "undefined" || !v.is_empty() && v.bytes().all(|b| b.is_ascii_digit()));
    (version && word("NODE") && word("NAMESPACE") && word("TYPE") && word("ID")).then_some(values)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(columns) = cursor.peek().and_then(|l| heading(&l.text)) else { return };
    if let Some(line) = cursor.next() {
        out.typed(line);
    }
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some(values) = row(&columns, &line.text) else { return };
        cursor.next();
        out.typed(line);
        record(&columns, &values, line, out);
    }
}

fn record(columns: &[Column], values: &[&str], line: &Line<'_>, out: &mut Out) {
    // `TYPE` stands twice in the table of links: of the resource, and of the link.
    let mut cells: Vec<(&str, &str)> = Vec::with_capacity(columns.len());
    for (column, value) in columns.iter().zip(values) {
        let again = column.name == "TYPE" && cells.iter().any(|(name, _)| *name == "TYPE");
        cells.push((if again { "LINK TYPE" } else { &column.name }, value));
    }
    let of = |name: &str| cells.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| *v);
    let id = of("ID");
    if of("TYPE") != "LinkStatus" {
        let mut fields = Fields::new(ID, Some(id.to_owned()));
        for (name, value) in cells.iter().filter(|(_, v)| !v.is_empty()) {
            fields.push(name.to_ascii_lowercase(), *value, line.cite());
        }
        out.record(line.cite(), None, What::Fields(fields));
        return;
    }
    let mut link = new_link(ID, id, None);
    link.deleted = of("*") == "-";
    for (name, value) in cells.iter().filter(|(_, v)| !v.is_empty()) {
        let (key, value) = match *name {
            "HW ADDR" => ("mac", (*value).to_owned()),
            "OPER STATE" => ("state", value.to_ascii_uppercase()),
            "KIND" => ("kind", (*value).to_owned()),
            "LINK STATE" => ("carrier", if *value == "true" { "1" } else { "0" }.to_owned()),
            "LINK TYPE" => ("type", (*value).to_owned()),
            "ALIAS" => ("alias", (*value).to_owned()),
            "NODE" => ("node", (*value).to_owned()),
            "VERSION" => ("version", (*value).to_owned()),
            _ => continue,
        };
        link.fields.push(key, value, line.cite());
    }
    out.record(line.cite(), None, What::Link(link));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, Link};
    use crate::parse::parse_text;

    fn links(text: &str) -> Vec<Link> {
        let parsed = parse_text(FileId(0), "x", text.as_bytes());
        assert_eq!(parsed.recognised, [ID], "{parsed:?}");
        assert!(parsed.unrecognised.is_empty() && parsed.not_understood.is_empty(), "{parsed:?}");
        parsed
            .records
            .into_iter()
            .filter_map(|r| if let What::Link(l) = r.what { Some(l) } else { None })
            .collect()
    }

    #[test]
    fn links_with_empty_cells() {
        let text = "NODE         NAMESPACE   TYPE         ID         VERSION   ALIAS   TYPE       KIND   HW ADDR             OPER STATE   LINK STATE\n192.0.2.10   network     LinkStatus   bond0      3                 ether      bond   02:00:5e:00:00:01   up           true\n192.0.2.10   network     LinkStatus   enp1s0f0   7                 ether             02:00:5e:00:00:01   down         false\n192.0.2.10   network     LinkStatus   lo         2                 loopback          00:00:00:00:00:00   unknown      false\n";
        let got = links(text);
        let [bond, member, _lo] = got.as_slice() else { panic!("{got:?}") };
        let of = |l: &Link, key: &str| l.fields.text(key).map(str::to_owned);
        assert_eq!((bond.name.as_str(), of(bond, "kind").as_deref()), ("bond0", Some("bond")));
        assert_eq!((of(member, "kind"), of(member, "type").as_deref()), (None, Some("ether")));
        assert_eq!(
            (of(member, "state").as_deref(), of(member, "carrier").as_deref()),
            (Some("DOWN"), Some("0"))
        );
        assert_eq!(of(member, "mac").as_deref(), Some("02:00:5e:00:00:01"));
    }

    #[test]
    fn watched_moved_and_other_tables() {
        let text = "NODE         *   NAMESPACE   TYPE         ID      VERSION   TYPE    KIND   HW ADDR             OPER STATE   LINK STATE\n192.0.2.10   -   network     LinkStatus   bond0   3         ether   bond   02:00:5e:00:00:01   up           true\n192.0.2.10  +  network  LinkStatus  bond1  1  ether  bond  02:00:5e:00:00:02  down  false\n";
        let got = links(text);
        assert_eq!(
            got.iter().map(|l| (l.name.as_str(), l.deleted)).collect::<Vec<_>>(),
            [("bond0", true), ("bond1", false)]
        );
        let text = "NODE         NAMESPACE   TYPE            ID                    VERSION   ADDRESS         LINK\n192.0.2.10   network     AddressStatus   bond0/192.0.2.10/24   1         192.0.2.10/24   bond0\nand then prose follows\n";
        let parsed = parse_text(FileId(0), "x", text.as_bytes());
        let Some(What::Fields(f)) = parsed.records.first().map(|r| &r.what) else { panic!("{parsed:?}") };
        assert_eq!((f.text("link"), f.text("address")), (Some("bond0"), Some("192.0.2.10/24")));
        assert_eq!(parsed.unrecognised.len(), 1);
    }
}
