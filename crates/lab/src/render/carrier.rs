//! Carrier and its changes, as `grep -H . /sys/class/net/<dev>/{carrier,carrier_changes,...,operstate}` prints them.

use crate::view::HostView;
use std::fmt::Write as _;

/// Renders members and bond. The bond's own counts of changes are not modelled, so only its state is shown.
#[must_use]
pub fn render(view: &HostView) -> String {
    let mut out = String::new();
    for m in &view.members {
        let dev = format!("/sys/class/net/{}", m.name);
        if m.admin_up {
            let _ = writeln!(out, "{dev}/carrier:{}", u8::from(m.carrier));
        } else {
            // netdev `carrier_show()` refuses while the interface is down.
            let _ = writeln!(out, "grep: {dev}/carrier: Invalid argument");
        }
        let (up, down) = m.carrier_counts;
        let _ = write!(
            out,
            "{dev}/carrier_changes:{}\n{dev}/carrier_up_count:{up}\n{dev}/carrier_down_count:{down}\n\
             {dev}/operstate:{}\n",
            up.saturating_add(down),
            if m.admin_up && m.carrier { "up" } else { "down" }
        );
    }
    let dev = format!("/sys/class/net/{}", view.bond.name);
    let up = view.bond.carrier;
    let _ =
        write!(out, "{dev}/carrier:{}\n{dev}/operstate:{}\n", u8::from(up), if up { "up" } else { "down" });
    out
}
