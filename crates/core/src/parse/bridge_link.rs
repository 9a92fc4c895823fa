//! `bridge link` as text, also with `-d`: the ports of bridges.
//!
//! Printed by `print_linkinfo()` in `bridge/link.c`: the head of `ip link` without `qdisc`, and the state of the port in
//! lower case (`state forwarding`). It is read with the words of `ip link`; the port's options get the prefix
//! `bridge_slave.`.

use super::ip_link::{self, Header};
use super::{Cursor, Format, Out};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "bridge-link";

const STATES: &[&str] = &[
    "state disabled",
    "state listening",
    "state learning",
    "state forwarding",
    "state blocking",
    "state unknown (",
];

fn header(t: &str) -> Option<Header<'_>> {
    Header::find(t)
        .filter(|h| !h.deleted && !h.rest.contains(" qdisc ") && STATES.iter().any(|s| h.rest.contains(s)))
}

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| header(l.trimmed()).is_some())
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    while let Some(line) = cursor.peek() {
        if line.is_blank() {
            cursor.next();
            continue;
        }
        let Some(header) = header(line.trimmed()) else { return };
        ip_link::stanza(cursor, out, ID, Some(header), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    #[test]
    fn ports() {
        let text = "3: eno1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state forwarding priority 32 cost 4 \n    hairpin off guard off root_block off fastleave off learning on flood on mcast_flood on\n4: tap0 state UP : <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state blocking priority 32 cost 100 \n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT, ip_link::FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len()), (3, 0, 0));
        let What::Link(l) = &p.records[0].what else { panic!() };
        assert_eq!((l.source, l.fields.text("master")), ("bridge-link", Some("br0")));
        assert_eq!(l.fields.text("bridge_slave.state"), Some("forwarding"));
        assert_eq!(l.fields.int("bridge_slave.cost"), Some(4));
        assert_eq!(l.fields.text("state"), None);
        let What::Link(l) = &p.records[1].what else { panic!() };
        assert_eq!(
            (l.fields.text("state"), l.fields.text("bridge_slave.state")),
            (Some("UP"), Some("blocking"))
        );
    }
}
