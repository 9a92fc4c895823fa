//! # Frames of a VLAN are dropped above the bond
//!
//! ## What it shows
//! A VLAN interface over the bond counts dropped transmissions that the bond does not count, or the kernel reports that such frames were freed by an egress hook, a filter or a queue on this host.
//!
//! ## Why it matters
//! Frames that die between the VLAN device and the wire never reach the switch. The pattern "VLAN drops, bond does not, sender gets ENOBUFS" is that of an egress program or filter on the bond or of a full queue of a member; a busy driver under a queue cannot produce it (errata E-01 to E-04).
//!
//! ## How it can be wrong
//! A VLAN counter can be old: a single reading counts only if most of what was sent was dropped. A bond without carrier drops too.
//!
//! ## What would settle it
//! `tc filter show dev BOND egress`, `bpftool net`, `nft list hooks`, `tc -s qdisc`, and the kernel's drop reason for one frame (drop monitor).
//!
//! ## References
//! kernel-facts.md sections 8, 9 and 11.6.

use crate::case::{Case, Subject};
use crate::domain::{FaultDomain as D, Way};
use crate::evidence::{Citation, Meaning, What};
use crate::finding::{Check, Finding, Kind, Outcome, Strength as S};
use crate::series::Series;

/// The check.
pub(super) const CHECK: Check = Check {
    id: "vlan-tx-drop",
    title: "Frames of a VLAN are dropped above the bond",
    requirements: &["S0-10", "S0-11", "S0-13", "S0-16", "S0-17", "S0-27", "E-01", "E-02", "E-03", "E-04"],
    page: include_str!("vlan_tx_drop.rs"),
    run,
};

fn run(case: &Case, subject: &Subject) -> Outcome {
    let mut found = Vec::new();
    // A bond without carrier drops what is above it: that is no fault of the path.
    let down = !subject.members.is_empty()
        && subject.members.iter().all(|m| {
            m.states.iter().any(|s| s.mii.as_deref() == Some("down"))
                || m.wire.as_ref().is_some_and(|w| {
                    w.stories.iter().any(|s| {
                        s.outages.iter().any(|o| o.cause == crate::wire::Cause::LinkDown || o.span.open)
                    })
                })
        });
    if down {
        return Outcome::NotApplicable;
    }
    let vlans: Vec<String> =
        case.counters.keys().filter(|dev| is_vlan_over(case, dev, &subject.name)).cloned().collect();
    for vlan in &vlans {
        let Some(s) = case.series(vlan, Meaning::TxDropped).max_by_key(|s| s.high.0) else { continue };
        let sent = case.series(vlan, Meaning::TxPackets).map(|s| s.high.0).max().unwrap_or(0);
        let bond = case.series(&subject.name, Meaning::TxDropped).max_by_key(|s| s.high.0);
        let grew = s.growth().unwrap_or(0);
        let mostly = s.readings == 1 && s.high.0 >= 100 && s.high.0 > sent;
        let carried = case.series(vlan, Meaning::TxPackets).filter_map(Series::growth).max().unwrap_or(0);
        // A few drops among millions are no path that is broken.
        if (grew < 10 || grew.saturating_mul(1000) < carried) && !mostly {
            continue;
        }
        let below = bond.and_then(Series::growth).unwrap_or(0);
        let n = if grew > 0 { grew } else { s.high.0 };
        let f = Finding::new(
            CHECK.id,
            Kind::Counter,
            s.high.1,
            format!("{vlan}: {n} transmissions were dropped before they reached a member, while {} dropped {below}", subject.name),
        )
        .implicates(D::VlanTxPath, if bond.is_some() && below == 0 { S::Strong } else { S::Moderate })
        .way(Way::HostToSwitch)
        .and(s.low.1);
        found.push(match bond {
            Some(b) => f.and(b.high.1),
            None => f,
        });
    }
    // The VLAN counts frames as sent that no member sends: a queue below the bond swallows them without a word
    // (kernel-facts 11.6, cases V3 and V4).
    for vlan in &vlans {
        let Some(sent) = case
            .series(vlan, Meaning::TxPackets)
            .filter(|s| s.growth().is_some_and(|g| g >= 100))
            .max_by_key(|s| s.growth())
        else {
            continue;
        };
        let members: Vec<&Series> = subject
            .members
            .iter()
            .filter_map(|m| case.series(&m.name, Meaning::TxPackets).find(|s| s.growth().is_some()))
            .collect();
        let below: u64 = members.iter().filter_map(|s| s.growth()).sum();
        let above = sent.growth().unwrap_or(0);
        if members.is_empty() || members.len() < subject.members.len() || below.saturating_mul(10) > above {
            continue;
        }
        // The queue that swallowed them must have counted as many: counters of different moments look the same.
        let queue = case.qdiscs().find(|(_, q)| {
            (q.dev == subject.name || subject.member_names().any(|m| m == q.dev))
                && q.dropped.saturating_mul(10) >= above
        });
        let Some((queue, _)) = queue else { continue };
        let text = format!(
            "{vlan}: {above} frames were counted as sent, the members of {} sent {below}: a queue or filter below the VLAN swallows them",
            subject.name
        );
        found.push(
            Finding::new(CHECK.id, Kind::Counter, sent.high.1, text)
                .implicates(D::VlanTxPath, S::Strong)
                .way(Way::HostToSwitch)
                .and(queue.at)
                .and_all(members.iter().map(|s| s.high.1)),
        );
    }
    // A filter on the bond itself that drops what leaves.
    for (r, h) in case.hooks().filter(|(_, h)| {
        h.dev.as_deref() == Some(subject.name.as_str())
            && h.point == crate::evidence::HookPoint::Egress
            && h.dropped.is_some_and(|n| n >= 100)
    }) {
        let text = format!(
            "{}: {} on its egress dropped {} frames",
            subject.name,
            h.program,
            h.dropped.unwrap_or(0)
        );
        found.push(
            Finding::new(CHECK.id, Kind::Filter, r.at, text)
                .implicates(D::VlanTxPath, S::Moderate)
                .way(Way::HostToSwitch),
        );
    }
    // The kernel's own word for it, where a VLAN over this bond is in play at all.
    let vlan_seen = !vlans.is_empty()
        || case.records.iter().any(|r| matches!(&r.what, What::Drop(d) if d.dev.as_deref().is_some_and(|dev| is_vlan_over(case, dev, &subject.name))));
    if !vlan_seen {
        return Outcome::of(found);
    }
    let mut reasons: std::collections::BTreeMap<&str, (u64, Citation)> = std::collections::BTreeMap::new();
    for r in &case.records {
        if let What::Drop(d) = &r.what
            && matches!(d.reason.as_str(), "TC_EGRESS" | "NETFILTER_DROP" | "QDISC_DROP")
        {
            let e = reasons.entry(d.reason.as_str()).or_insert((0, r.at));
            e.0 += d.count;
        }
    }
    let enobufs = case.records.iter().find(|r| matches!(&r.what, What::Probe(p) if p.errno.as_deref() == Some("ENOBUFS") || p.text.contains("No buffer space")));
    // Reasons are summed over the whole host: the VLAN's own counter, a failed send or a refused transmission on the VLAN
    // must say that frames of the VLAN are among them.
    let refused = case.records.iter().any(|r| {
        matches!(&r.what, What::Drop(d) if d.rc.is_some_and(|rc| rc != 0) && d.dev.as_deref().is_some_and(|dev| is_vlan_over(case, dev, &subject.name)))
    });
    let told = !found.is_empty() || refused || enobufs.is_some();
    for (reason, (n, at)) in reasons {
        if n < 3 || !told {
            continue;
        }
        let place = match reason {
            "TC_EGRESS" => "a tc or BPF egress program",
            "NETFILTER_DROP" => "an nft rule",
            _ => "a queueing discipline",
        };
        let f = Finding::new(
            CHECK.id,
            Kind::Filter,
            at,
            format!("the kernel freed {n} packets with reason {reason}: {place} on this host dropped them"),
        );
        let f = match enobufs {
            Some(r) => f.and(r.at),
            None => f,
        };
        found.push(f.implicates(D::VlanTxPath, S::Strong).way(Way::HostToSwitch));
    }
    if found.is_empty()
        && let Some(r) = enobufs
    {
        found.push(
            Finding::new(
                CHECK.id,
                Kind::Counter,
                r.at,
                "sending fails with ENOBUFS: an egress hook or a full queue on this host refuses the frames",
            )
            .implicates(D::VlanTxPath, S::Moderate)
            .way(Way::HostToSwitch),
        );
    }
    Outcome::of(found)
}

fn is_vlan_over(case: &Case, dev: &str, bond: &str) -> bool {
    dev.strip_prefix(bond)
        .and_then(|r| r.strip_prefix('.'))
        .is_some_and(|v| v.bytes().all(|b| b.is_ascii_digit()) && !v.is_empty())
        || case.links().any(|(_, l)| {
            l.name == dev
                && l.fields.text("kind") == Some("vlan")
                && (l.parent.as_deref() == Some(bond) || l.fields.text("vlan_parent") == Some(bond))
        })
}
