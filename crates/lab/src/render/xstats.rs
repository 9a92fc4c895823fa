//! LACPDU counters of each member: `ip -j stats show group xstats_slave subgroup bond suite 802.3ad` (iproute2 6.0 and
//! later), `ip link xstats type bond_slave` before. The kernel has the counters since 5.0 (`bond_3ad_stats_fill()`).

use super::interface;
use crate::view::HostView;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Renders the old text: members only, the name on a line of its own (`bond_print_stats_attr()` in
/// `ip/iplink_bond.c`).
#[must_use]
pub fn text(view: &HostView) -> String {
    const REST: [&str; 7] = [
        "LACPDU Unknown type Rx",
        "LACPDU Illegal Rx",
        "Marker Rx",
        "Marker Tx",
        "Marker response Rx",
        "Marker response Tx",
        "Marker unknown type Rx",
    ];
    let mut out = String::new();
    for m in view.members.iter().filter(|m| m.enslaved && view.bond.lacp) {
        let (rx, tx) = m.lacpdus;
        let _ = writeln!(out, "{:<16}", m.name);
        let _ = write!(out, "{0:16}    LACPDU Rx {rx}\n{0:16}    LACPDU Tx {tx}\n", "");
        for label in REST {
            let _ = writeln!(out, "{:16}    {label} 0", "");
        }
    }
    out
}

/// Renders the JSON: every interface is listed, with counters if it is a member of an 802.3ad bond.
#[must_use]
pub fn render(view: &HostView) -> String {
    let list: Vec<Value> = interface::all(view)
        .iter()
        .map(|i| {
            let mut entry = Map::new();
            entry.insert("ifindex".to_owned(), json!(i.index));
            entry.insert("ifname".to_owned(), json!(i.name));
            entry.insert("group".to_owned(), json!("xstats_slave"));
            entry.insert("subgroup".to_owned(), json!("bond"));
            entry.insert("suite".to_owned(), json!("802.3ad"));
            if let Some(s) = i.member.as_ref().filter(|_| view.bond.lacp) {
                let (rx, tx) = s.member.lacpdus;
                entry.insert(
                    "802.3ad".to_owned(),
                    json!({
                        "lacpdu_rx": rx,
                        "lacpdu_tx": tx,
                        "lacpdu_unknown_rx": 0,
                        "lacpdu_illegal_rx": 0,
                        "marker_rx": 0,
                        "marker_tx": 0,
                        "marker_response_rx": 0,
                        "marker_response_tx": 0,
                        "marker_unknown_rx": 0
                    }),
                );
            }
            Value::Object(entry)
        })
        .collect();
    format!("{}\n", Value::Array(list))
}
