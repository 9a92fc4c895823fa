//! `nstat -a`: protocol counters since boot; those that are zero are left out (`misc/nstat.c`).

use crate::view::HostView;
use std::fmt::Write as _;

/// Renders the listing.
#[must_use]
pub fn render(view: &HostView) -> String {
    let mut out = "#kernel\n".to_owned();
    for (name, value) in view.protocol.iter().filter(|(_, v)| *v != 0) {
        let _ = writeln!(out, "{name:<32}{value:<16}{:>6}", "0.0");
    }
    out
}
