//! # LACPDUs from the host do not reach the switch
//!
//! ## What it shows
//! The host handed its LACPDUs to the NIC in time, and the partner itself says that it does not hear them: its PDUs carry Expired or Defaulted. In snapshots: the partner state that the kernel keeps carries these bits.
//!
//! ## Why it matters
//! The partner is its own witness: what breaks is the direction host to switch, beyond the tap. That clears the host's stack and leaves NIC, wire and switch.
//!
//! ## How it can be wrong
//! The tap sits before the NIC: firmware or a full transmit ring can still eat the frame. After this loss a Linux partner falls silent (one PDU in 31 s once Defaulted): that silence is a consequence and is not counted as a second fault. Expired in a single snapshot can be the tail of a link that just came up.
//!
//! ## What would settle it
//! MAC-level transmit counters of the NIC over the same time (`ethtool -S`), and the receive counters, LACP counters and CPU policer counters of the switch port.
//!
//! ## References
//! verdict.md section 1; kernel-facts.md 11.1 row "loss host→switch" and 11.2 rules 3 and 6; switch-side.md section 3.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::ledger;
use crate::wire::Cause;
use lacp::PortState;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "lacp-lost-towards-switch",
    title: "LACPDUs from the host do not reach the switch",
    requirements: &["S4-59", "S4-61", "S4-70", "S4-116", "E-36", "E-37"],
    page: include_str!("lacp_lost_towards_switch.rs"),
    run,
};

const SUSPECTS: [(D, S); 3] =
    [(D::SwitchControlPlane, S::Moderate), (D::Physical, S::Moderate), (D::HostDriverFirmware, S::Weak)];
const BEYOND_NIC: [(D, S); 2] = [(D::SwitchControlPlane, S::Moderate), (D::Physical, S::Moderate)];

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    for m in &subject.members {
        let cleared = ledger::transmit_accounted(case, &m.name);
        let suspects: &[(D, S)] = if cleared.is_some() { &BEYOND_NIC } else { &SUSPECTS };
        let mut on_wire = false;
        if let Some(w) = &m.wire {
            for (part, story) in w.told() {
                let outages: Vec<_> =
                    story.outages.iter().filter(|o| o.cause == Cause::LostTowardsSwitch).collect();
                let Some(first) = outages.first() else { continue };
                // Without our own frames in the capture nobody can say that they passed the tap.
                if part.host().is_none() {
                    continue;
                }
                on_wire = true;
                let proof = first
                    .proof
                    .iter()
                    .map(|(f, t)| format!("{t} (frame {f})"))
                    .collect::<Vec<_>>()
                    .join("; ");
                let text = format!(
                    "{}: the partner stopped hearing the host {} although the host's LACPDUs passed the tap: {proof}",
                    m.name,
                    times(outages.len())
                );
                let frames = outages.iter().flat_map(|o| o.proof.iter().map(|(f, _)| part.cite(*f))).take(8);
                let mut f = Finding::new(CHECK.id, Kind::Wire, part.cite(first.span.first), text)
                    .suspects(suspects)
                    .member(&m.name)
                    .way(Way::HostToSwitch)
                    .at(first.span.start)
                    .times(outages.iter().map(|o| o.span.start));
                f = f.and_all(frames);
                found.push(f);
            }
        }
        if !on_wire
            && let Some(s) = m.states.iter().find(|s| {
                s.partner.is_some_and(PortState::deaf) && !s.partner_system.is_some_and(|p| p.is_zero())
            })
        {
            // Only the kernel's memory of the partner's last words. Ours may be the first to have failed.
            let partner = s.partner.unwrap_or_default();
            let both = s.actor.is_some_and(PortState::deaf);
            if !both && m.wire.is_none() {
                found.push(
                    Finding::new(
                        CHECK.id,
                        Kind::State,
                        s.at,
                        format!(
                            "{}: the partner says {} (state {}): it does not hear this host",
                            m.name,
                            crate::wire::deaf_words(partner),
                            partner.bits()
                        ),
                    )
                    .suspects(&[
                        (D::SwitchControlPlane, S::Weak),
                        (D::Physical, S::Weak),
                        (D::HostConfig, S::Weak),
                        (D::HostDriverFirmware, S::Weak),
                    ])
                    .member(&m.name)
                    .way(Way::HostToSwitch),
                );
            }
        }
        let others: Vec<&str> = subject
            .members
            .iter()
            .filter(|o| o.name != m.name && super::in_order(o))
            .map(|o| o.name.as_str())
            .collect();
        if on_wire
            && let Some((tried, sent, cited)) = ledger::transmit_swallowed(case, &m.name, &others)
            && let [first, rest @ ..] = cited.as_slice()
        {
            found.push(
                Finding::new(
                    CHECK.id,
                    Kind::Counter,
                    *first,
                    format!("{}: the bond handed {tried} LACPDUs to the NIC and they passed the tap, its MAC sent {sent} multicast frames in that time; the same counter of another member accounts for all of its LACPDUs", m.name),
                )
                .implicates(D::HostDriverFirmware, S::Strong)
                .member(&m.name)
                .way(Way::HostToSwitch)
                .and_all(rest.iter().copied()),
            );
        }
        if on_wire && let Some(cited) = cleared {
            let mut it = cited.into_iter();
            if let Some(first) = it.next() {
                found.push(
                    Finding::new(
                        CHECK.id,
                        Kind::Counter,
                        first,
                        format!("{}: every LACPDU that the bond sent was counted as transmitted by the interface, with no drop or error: the loss lies beyond the host", m.name),
                    )
                    .exonerates(crate::domain::Side::Host)
                    .member(&m.name)
                    .way(Way::HostToSwitch)
                    .and_all(it),
                );
            }
        }
    }
    Outcome::of(found)
}

fn times(n: usize) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}
