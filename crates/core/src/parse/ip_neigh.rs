//! `ip neigh` as text, also with `-s`: one neighbour per line.
//!
//! Printed by `print_neigh()` in `ip/ipneigh.c`. One [`Fields`] record per line with the keys `dst`, `lladdr`, `state`,
//! and `used`, `probes`, `ref`, ... under their own names; the interface is missing where the command named it.
//! `NOARP`, `PERMANENT` and the rest are `state`; `router`, `proxy`, `offload` and `extern_learn` are `flag`.

use super::ip_link::{is_lladdr, is_prefix};
use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "ip-neigh";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| read(l.trimmed()).is_some())
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some(entry) = read(line.trimmed()) else { return };
        cursor.next();
        out.typed(line);
        let fields = entry.fields(ID, line.cite(), out.hints.dev.as_deref());
        out.record(line.cite(), None, What::Fields(fields));
    }
}

/// One neighbour.
pub(super) struct Neighbour<'a> {
    dev: Option<&'a str>,
    pairs: Vec<(&'a str, &'a str)>,
}

impl Neighbour<'_> {
    /// As a record's fields.
    pub(super) fn fields(&self, source: &'static str, at: Citation, hint: Option<&str>) -> Fields {
        let mut fields = Fields::new(source, self.dev.or(hint).map(str::to_owned));
        for (key, value) in &self.pairs {
            fields.push(*key, *value, at);
        }
        fields
    }
}

const STATES: &[&str] =
    &["REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "INCOMPLETE", "NOARP", "PERMANENT", "NONE"];

/// Reads a line (without leading blanks); `None` if it is not one of a neighbour table.
pub(super) fn read(t: &str) -> Option<Neighbour<'_>> {
    if !t.bytes().next().is_some_and(|b| b.is_ascii_hexdigit() || b == b':') {
        return None;
    }
    let mut words = t.split_whitespace();
    let dst = words.next().filter(|w| !w.contains('/') && is_prefix(w))?;
    let mut n = Neighbour { dev: None, pairs: vec![("dst", dst)] };
    let (mut state, mut proxy) = (false, false);
    while let Some(word) = words.next() {
        match word {
            "dev" => n.dev = Some(words.next()?),
            "lladdr" => n.pairs.push(("lladdr", words.next().filter(|a| is_lladdr(a) || is_prefix(a))?)),
            "used" => {
                // iproute2 6.15 leaves out the blank before the next word: `used 12/12/12probes 4`.
                let value = words.next()?;
                match value.strip_suffix("probes") {
                    Some(value) => n.pairs.extend([("used", value), ("probes", words.next()?)]),
                    None => n.pairs.push(("used", value)),
                }
            }
            "ref" | "probes" | "proto" | "protocol" | "vlan" | "nhid" | "nomaster" => {
                n.pairs.push((word, words.next()?));
            }
            "router" | "offload" | "extern_learn" | "managed" | "extern_valid" | "unres" => {
                n.pairs.push(("flag", word));
            }
            "proxy" => {
                n.pairs.push(("flag", word));
                proxy = true;
            }
            w if STATES.contains(&w) => {
                n.pairs.push(("state", w));
                state = true;
            }
            _ => return None,
        }
    }
    (state || proxy && n.dev.is_some()).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn neighbours_with_and_without_interface() {
        let text = "root@h1:~# ip neigh show dev bond0.70\n192.168.70.1 lladdr 02:00:00:00:22:01 REACHABLE \nfe80::1 dev eno1 lladdr 02:00:00:00:22:01 router used 12/10/8 probes 1 STALE\n192.168.70.9 dev bond0 used 12/12/12probes 6 FAILED\n192.168.70.9 is down since yesterday\n192.168.23.0/24 dev bond0 scope link\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        let got: Vec<_> = p
            .records
            .iter()
            .map(|r| {
                let What::Fields(f) = &r.what else { panic!() };
                (f.dev.clone().unwrap_or_default(), f.text("state").unwrap_or("").to_owned())
            })
            .collect();
        let want = [("bond0.70", "REACHABLE"), ("eno1", "STALE"), ("bond0", "FAILED")];
        assert_eq!(got.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>(), want);
        assert_eq!(p.unrecognised.len(), 2);
    }
}
