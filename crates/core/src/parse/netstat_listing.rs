//! Socket tables: `netstat` (net-tools, BusyBox) and `ss` (iproute2).
//!
//! They have no bearing on a bond, but pastes and support archives are full of them. Each socket is one field: its protocol as
//! key, the rest of the row as value. What `ss -i`, `-m` or `-o` print below a socket is appended to its field.

use super::{Cursor, Format, Out};
use crate::evidence::{Citation, Fields, Line, What};

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "netstat-listing";

const PROTOCOLS: &[&str] = &[
    "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "udpl", "udplite", "udplite6", "raw", "raw6", "unix",
    "icmp", "icmp6", "sctp", "sctp6", "dccp", "l2cap", "rfcomm", "u_str", "u_dgr", "u_seq", "nl", "p_raw",
    "p_dgr", "icmp6", "v_str", "v_dgr", "ti_rd", "ti_sq", "ti_st", "xdp", "mptcp", "tipc", "???",
];

const STATES: &[&str] = &[
    "ESTAB",
    "LISTEN",
    "UNCONN",
    "TIME-WAIT",
    "CLOSE-WAIT",
    "SYN-SENT",
    "SYN-RECV",
    "FIN-WAIT-1",
    "FIN-WAIT-2",
    "LAST-ACK",
    "CLOSING",
    "UNKNOWN",
];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    lines.get(i).is_some_and(|l| is_head(l.trimmed()))
}

fn is_head(t: &str) -> bool {
    let mut words = t.split_whitespace();
    let three = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
    t.starts_with("Active Internet connections")
        || t.starts_with("Active UNIX domain sockets")
        || t.starts_with("Active Bluetooth ")
        || t.starts_with("Active X.25 ")
        || t.starts_with("Active IPX sockets")
        || matches!(
            three,
            ("Proto", "Recv-Q", "Send-Q")
                | ("Proto", "RefCnt", "Flags")
                | ("Proto", "RefCnt", _)
                | ("Netid", "State", _)
                | ("Netid", "Recv-Q", _)
                | ("State", "Recv-Q", "Send-Q")
                | ("Recv-Q", "Send-Q", "Local")
        )
}

fn is_note(t: &str) -> bool {
    t.starts_with("(Not all processes could be identified")
        || t.starts_with("will not be shown, you would have to be root")
        || t.starts_with("(No info could be read for \"-p\"")
}

/// Protocol and rest of a row.
fn row(t: &str) -> Option<(&str, &str)> {
    let (word, rest) = t.split_once([' ', '\t'])?;
    let rest = rest.trim();
    if PROTOCOLS.contains(&word) {
        return Some((word, rest));
    }
    // `ss -t` has no column for the protocol.
    (STATES.contains(&word) && rest.bytes().next().is_some_and(|b| b.is_ascii_digit()))
        .then_some((word, rest))
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    let mut f = Fields::new(ID, None);
    let mut cited: Option<Citation> = None;
    while let Some(line) = cursor.peek() {
        let t = line.trimmed();
        if line.is_blank() {
            cursor.next();
            continue;
        }
        if is_head(t) || is_note(t) {
            f.push("head", t, line.cite());
        } else if let Some((key, rest)) = row(t) {
            f.push(key, rest, line.cite());
        } else if line.indent() > 0
            && let Some(last) = f.entries.last_mut()
        {
            // Details of the socket above, or a row that a mailer broke.
            last.value.push(' ');
            last.value.push_str(t);
            last.at = last.at.to(line.cite());
        } else {
            break;
        }
        cursor.next();
        out.typed(line);
        cited = Some(cited.map_or_else(|| line.cite(), |a| a.to(line.cite())));
    }
    if let Some(at) = cited {
        out.record(at, None, What::Fields(f));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::FileId;
    use crate::parse::parse_text_with;

    #[test]
    fn netstat_and_ss() {
        let text = "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State\ntcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN\nActive UNIX domain sockets (only servers)\nProto RefCnt Flags       Type       State         I-Node   Path\nunix  2      [ ACC ]     STREAM     LISTENING     20812    /run/udev/control\n\nState    Recv-Q   Send-Q     Local Address:Port     Peer Address:Port\nESTAB    0        0          192.0.2.1:22           192.0.2.2:50000\n\t cubic wscale:7,7 rto:204 retrans:0/3\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        assert_eq!((p.typed, p.not_understood.len(), p.unrecognised.len(), p.records.len()), (9, 0, 0, 1));
        let What::Fields(f) = &p.records[0].what else { panic!() };
        assert!(f.text("ESTAB").is_some_and(|v| v.ends_with("retrans:0/3")));
    }
}
