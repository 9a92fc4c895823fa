//! `ip -ts -d monitor link`: one message for each change of a member that the kernel announced.

use super::civil::Civil;
use super::interface;
use super::ip_link;
use super::kernel::Kernel;
use crate::view::LinkEvent;
use lacp::Mac;

/// What the messages say of the bond, which a link event does not carry.
#[derive(Debug, Clone, Copy)]
pub struct Bond<'a> {
    /// Its name.
    pub name: &'a str,
    /// `uname -r`.
    pub kernel: &'a str,
    /// 802.3ad.
    pub lacp: bool,
}

/// Renders the stream. `wall0_ns`: Unix time at the bond's opening.
#[must_use]
pub fn render(events: &[LinkEvent], bond: Bond<'_>, wall0_ns: i64) -> String {
    let kernel = Kernel::of(bond.kernel);
    let mut ordered: Vec<&LinkEvent> = events.iter().collect();
    ordered.sort_by_key(|e| e.at);
    let mut out = String::new();
    for e in ordered {
        let m = &e.member_view;
        // The Actor_System of a port is the bond's address.
        let mac = if m.actor.system == Mac::ZERO { m.permanent } else { m.actor.system };
        let i = interface::member(m, bond.name, mac, bond.lacp);
        out.push('[');
        out.push_str(&Civil::of(super::wall(wall0_ns, e.at)).iso_micros());
        out.push_str("] ");
        ip_link::head(&mut out, &i, false);
        ip_link::details(&mut out, &i, kernel, false);
        out.push('\n');
    }
    out
}
