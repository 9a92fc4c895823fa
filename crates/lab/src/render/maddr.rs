//! `ip maddr`: which multicast addresses each interface takes (`ip/ipmaddr.c`).

use super::interface::{self, Kind};
use crate::view::HostView;
use std::fmt::Write as _;

/// Renders the listing.
#[must_use]
pub fn render(view: &HostView) -> String {
    let mut out = String::new();
    for i in interface::all(view) {
        let _ = writeln!(out, "{}:\t{}", i.index, i.name);
        let member = view.members.iter().find(|m| m.name == i.name);
        if i.link_type == "ether" {
            // All nodes and all hosts; the bond's own are added to its members too, which makes two users there.
            let users = if i.member.is_some() { " users 2" } else { "" };
            let _ = write!(out, "\tlink  33:33:00:00:00:01{users}\n\tlink  01:00:5e:00:00:01{users}\n");
        }
        if member.is_some_and(|m| m.slow_protocols_joined) {
            out.push_str("\tlink  01:80:c2:00:00:02\n");
        }
        if matches!(i.kind, Kind::Bond(_)) && view.vlan.is_some() {
            out.push_str("\tlink  01:80:c2:00:00:21\n");
        }
        out.push_str("\tinet  224.0.0.1\n\tinet6 ff02::1\n\tinet6 ff01::1\n");
    }
    out
}
