//! The table of checks: one file each, named after the observed fact.

use crate::case::{Member, MemberState};
use crate::finding::Check;

mod admin_down;
mod arp_monitor;
mod bond_discards_itself;
mod bond_without_members;
mod both_passive;
mod carrier_flap;
mod churn_history;
mod coding_errors;
mod config_drift;
mod congestion;
mod egress_filter_drops;
mod egress_program_unaccounted;
mod ends_not_told;
mod fail_over_mac;
mod far_port_errors;
mod half_duplex;
mod host_rebooted;
mod host_released;
mod host_starved;
mod lacp_active_off;
mod lacp_in_order;
mod lacp_lost_both_ways;
mod lacp_lost_towards_host;
mod lacp_lost_towards_switch;
mod lacpdu_ignored_by_switch;
mod lacpdu_lost_before_tap;
mod lacpdu_lost_between_taps;
mod lacpdu_lost_inside_host;
mod lacpdu_not_sent_by_switch;
mod lacpdu_rx_late;
mod lacpdu_tx_late;
mod lacpdu_tx_silent;
mod link_down_now;
mod link_modes_withheld;
mod managers_fighting;
mod member_asymmetry;
mod member_discards_on_transmit;
mod member_queue_stopped;
mod monitoring_missing;
mod mtu_shrinks_on_path;
mod multicast_filter;
mod nic_fault;
mod optics_alarm;
mod outage_unexplained;
mod own_key_differs;
mod own_system_received;
mod partner_differs;
mod partner_identity_changed;
mod partner_not_heard;
mod partner_restarted;
mod partner_withdrew;
mod pcie_correctable;
mod rate_asymmetric;
mod requested_rate_ignored;
mod sent_not_answered;
mod single_member;
mod slow_protocol_filter;
mod static_against_lacp;
mod transition_illegal;
mod transition_late;
mod two_speakers;
mod vlan_down;
mod vlan_queue_drops;
mod vlan_tx_drop;

pub(crate) use carrier_flap::ends_down;

/// All checks, in the order of their ids.
pub const CHECKS: &[Check] = &[
    admin_down::CHECK,
    arp_monitor::CHECK,
    bond_discards_itself::CHECK,
    bond_without_members::CHECK,
    both_passive::CHECK,
    carrier_flap::CHECK,
    churn_history::CHECK,
    coding_errors::CHECK,
    config_drift::CHECK,
    congestion::CHECK,
    egress_filter_drops::CHECK,
    egress_program_unaccounted::CHECK,
    ends_not_told::CHECK,
    fail_over_mac::CHECK,
    far_port_errors::CHECK,
    half_duplex::CHECK,
    host_rebooted::CHECK,
    host_released::CHECK,
    host_starved::CHECK,
    lacp_active_off::CHECK,
    lacp_in_order::CHECK,
    lacp_lost_both_ways::CHECK,
    lacp_lost_towards_host::CHECK,
    lacp_lost_towards_switch::CHECK,
    lacpdu_ignored_by_switch::CHECK,
    lacpdu_lost_before_tap::CHECK,
    lacpdu_lost_between_taps::CHECK,
    lacpdu_lost_inside_host::CHECK,
    lacpdu_not_sent_by_switch::CHECK,
    lacpdu_rx_late::CHECK,
    lacpdu_tx_late::CHECK,
    lacpdu_tx_silent::CHECK,
    link_down_now::CHECK,
    link_modes_withheld::CHECK,
    managers_fighting::CHECK,
    member_asymmetry::CHECK,
    member_discards_on_transmit::CHECK,
    member_queue_stopped::CHECK,
    monitoring_missing::CHECK,
    mtu_shrinks_on_path::CHECK,
    multicast_filter::CHECK,
    nic_fault::CHECK,
    optics_alarm::CHECK,
    outage_unexplained::CHECK,
    own_key_differs::CHECK,
    own_system_received::CHECK,
    partner_differs::CHECK,
    partner_identity_changed::CHECK,
    partner_not_heard::CHECK,
    partner_restarted::CHECK,
    partner_withdrew::CHECK,
    pcie_correctable::CHECK,
    rate_asymmetric::CHECK,
    requested_rate_ignored::CHECK,
    sent_not_answered::CHECK,
    single_member::CHECK,
    slow_protocol_filter::CHECK,
    static_against_lacp::CHECK,
    transition_illegal::CHECK,
    transition_late::CHECK,
    two_speakers::CHECK,
    vlan_down::CHECK,
    vlan_queue_drops::CHECK,
    vlan_tx_drop::CHECK,
];

/// True if a member was seen in order and never otherwise: captured without an outage, or, where there is no capture,
/// carrying in every reading, with a link that did not fail since it joined.
fn in_order(m: &Member) -> bool {
    if let Some(w) = &m.wire {
        return w.stories.iter().all(|s| s.carries_at_end && s.outages.is_empty());
    }
    let carries = |s: &MemberState| {
        s.actor.is_none_or(lacp::PortState::carries_traffic)
            && s.partner.is_none_or(|p| p.carries_traffic() && !p.deaf())
            && s.mii.as_deref().is_none_or(|v| v == "up")
            && s.failures.is_none_or(|n| n == 0)
            && s.churn.2.unwrap_or(0) + s.churn.3.unwrap_or(0) == 0
    };
    m.states.iter().any(|s| s.actor.is_some()) && m.states.iter().all(carries)
}

/// The check with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|c| c.id == id)
}

/// The page of a check: its module documentation as Markdown.
#[must_use]
pub fn page(check: &Check) -> String {
    let mut out = String::new();
    for line in check.page.lines().map_while(|l| l.strip_prefix("//!")) {
        out.push_str(line.strip_prefix(' ').unwrap_or(line));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_headings() {
        for check in CHECKS {
            let page = page(check);
            for heading in [
                "# ",
                "## What it shows",
                "## Why it matters",
                "## How it can be wrong",
                "## What would settle it",
                "## References",
            ] {
                assert!(page.lines().any(|l| l.starts_with(heading)), "{}: no heading {heading:?}", check.id);
            }
            assert!(!check.requirements.is_empty(), "{}: meets no requirement", check.id);
        }
    }

    #[test]
    fn ids_are_sorted_and_unique() {
        assert!(CHECKS.windows(2).all(|p| p[0].id < p[1].id));
    }
}
