//! `hostname -I`: all addresses of the host in one line.
//!
//! Printed by `hostname` of net-tools (Debian) and of Red Hat's package. One [`Fields`] record with an `addr` field per
//! address. A single address is not enough to be told from anything else.

use super::ip_link::is_prefix;
use super::{Cursor, Format, Out};
use crate::evidence::{Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "hostname-addresses";

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    let Some(t) = lines.get(i).map(Line::trimmed) else { return false };
    let mut n = 0;
    for word in t.split_whitespace() {
        if word.contains('/') || !is_prefix(word) {
            return false;
        }
        n += 1;
    }
    n >= 2
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let Some(line) = cursor.next() else { return };
    out.typed(line);
    let mut fields = Fields::new(ID, None);
    for word in line.text.split_whitespace() {
        fields.push("addr", word, line.cite());
    }
    out.record(line.cite(), None, What::Fields(fields));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn addresses_only() {
        let text = "192.0.2.9 198.51.100.7 2001:db8::1\n192.0.2.9\n192.0.2.9 is the gateway\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.unrecognised.len()), (1, 2));
    }
}
