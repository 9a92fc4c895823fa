//! `/proc/net/netstat`: the extended TCP, IP and MPTCP counters, laid out as `/proc/net/snmp`.
//!
//! Format: `net/ipv4/proc.c`, `netstat_seq_show()`, and `net/mptcp/mib.c`.

use super::{Cursor, Format, Out, proc_net_snmp};
use crate::evidence::Line;

/// The format.
pub const FORMAT: Format = Format { id: ID, anchor, parse };

const ID: &str = "proc-net-netstat";
const PROTOCOLS: &[&str] = &["TcpExt", "IpExt", "MPTcpExt"];

fn anchor(lines: &[Line<'_>], i: usize) -> bool {
    proc_net_snmp::begins(lines, i, PROTOCOLS)
}

fn parse(cursor: &mut Cursor<'_, '_>, out: &mut Out) {
    proc_net_snmp::pairs(cursor, out, ID, PROTOCOLS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{FileId, What};
    use crate::parse::parse_text_with;

    #[test]
    fn extended_counters() {
        let text = "TcpExt: SyncookiesSent TCPLostRetransmit\nTcpExt: 0 12\nIpExt: InNoRoutes\nIpExt: 4\n";
        let p = parse_text_with(FileId(0), "x", text.as_bytes(), &[FORMAT]);
        let What::Counters(c) = &p.records[0].what else { panic!() };
        let got: Vec<_> = c.entries.iter().map(|e| (e.name.as_str(), e.value)).collect();
        assert_eq!(
            got,
            [("TcpExtSyncookiesSent", 0), ("TcpExtTCPLostRetransmit", 12), ("IpExtInNoRoutes", 4)]
        );
        assert_eq!(p.typed, 4);
    }
}
