//! `ip -j stats show group xstats_slave subgroup bond suite 802.3ad`: LACPDU counters of each member.
//!
//! Every interface is listed; only members of an 802.3ad bond have counters (`bond_3ad_stats_fill()`).

use super::interface;
use crate::view::HostView;
use serde_json::{Map, Value, json};

/// Renders the listing.
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
