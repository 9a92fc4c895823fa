//! The bonds of a host and their members, gathered from every source that names them.

use super::{BondState, Case, Member, MemberState, Mode, Subject};
use crate::evidence::{Aggregator, Bond, Fields, Link, Record, What};
use crate::units::Stamp;
use lacp::PortState;
use std::collections::{BTreeMap, BTreeSet};

fn state_of(member: &crate::evidence::BondMember, time: Option<Stamp>, source: &'static str) -> MemberState {
    let octet =
        |f: &Fields| f.int("port state").and_then(|v| u8::try_from(v).ok()).map(PortState::from_bits_retain);
    let m = &member.fields;
    let churn = |k: &str| m.text(k).map(str::to_owned);
    MemberState {
        at: member.at,
        time,
        source,
        mii: m.text("MII Status").map(str::to_owned),
        speed: m.int("Speed"),
        duplex: m.text("Duplex").map(str::to_ascii_lowercase),
        failures: m.int("Link Failure Count"),
        aggregator: m.int("Aggregator ID"),
        actor: octet(&member.actor),
        partner: octet(&member.partner),
        partner_system: member.partner.mac("system mac address"),
        partner_key: member.partner.int("oper key"),
        actor_system: member.actor.mac("system mac address"),
        actor_key: member.actor.int("port key"),
        churn: (
            churn("Actor Churn State"),
            churn("Partner Churn State"),
            m.int("Actor Churned Count"),
            m.int("Partner Churned Count"),
        ),
    }
}

/// Finds the bonds and their members from every source that names them.
pub(super) fn bonds(case: &mut Case) {
    let mut subjects: Vec<Subject> = Vec::new();
    // Names of bonds that other sources give: an unnamed dump belongs to the only one, or to the one whose members it has.
    let mut masters: BTreeMap<String, String> = BTreeMap::new();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for r in &case.records {
        match &r.what {
            What::Link(l) => {
                let kind = l.fields.text("kind");
                if matches!(kind, Some("bond" | "team")) {
                    named.insert(l.name.clone());
                }
                let slave = l.flag("SLAVE")
                    || l.fields.text("slave_kind") == Some("bond")
                    || l.fields.text("slave_kind") == Some("team")
                    || l.fields.text("bond_state").is_some();
                if let Some(master) = l.fields.text("master")
                    && slave
                {
                    named.insert(master.to_owned());
                    masters.insert(l.name.clone(), master.to_owned());
                }
            }
            What::Kernel(k) => {
                if let Some(b) = &k.bond {
                    named.insert(b.clone());
                    if let Some(d) = &k.dev {
                        masters.entry(d.clone()).or_insert_with(|| b.clone());
                    }
                }
            }
            What::Fields(f) if f.source == "sysfs-bonding" => {
                if let Some(d) = &f.dev {
                    named.insert(d.clone());
                }
            }
            What::Bond(b) => {
                if let Some(n) = &b.name {
                    named.insert(n.clone());
                }
            }
            _ => {}
        }
    }
    let name_of = |b: &Bond| -> Option<String> {
        b.name.clone().or_else(|| b.members.iter().find_map(|m| masters.get(&m.name).cloned()))
    };
    for r in &case.records {
        let What::Bond(b) = &r.what else { continue };
        let name = name_of(b);
        let full = !b.source.ends_with("-change");
        let at = subjects.iter().position(|s| match &name {
            Some(n) => s.name == *n || (s.name.is_empty() && overlaps(s, b)),
            None => overlaps(s, b) || (b.members.is_empty() && s.name.is_empty()),
        });
        let at = match (at, &name) {
            (Some(at), _) => at,
            // Change lines and cut heads without a name belong to the only bond.
            (None, None) if subjects.len() == 1 && (!full || b.members.is_empty()) => 0,
            (None, _) => {
                subjects.push(subject(name.clone().unwrap_or_default(), b.aggregator));
                subjects.len() - 1
            }
        };
        let Some(s) = subjects.get_mut(at) else { continue };
        if s.name.is_empty()
            && let Some(n) = name
        {
            s.name = n;
        }
        if let Some(mode) = b.fields.get("Bonding Mode") {
            s.mode = Mode::from_text(&mode.value);
            s.mode_text = Some(mode.value.clone());
            s.mode_at = Some(mode.at);
        } else if b.aggregator != Aggregator::Bonding
            && b.members.iter().any(|m| m.actor.text("port state").is_some())
        {
            s.mode = Mode::Lacp;
        }
        if s.system.is_none() {
            s.system = b
                .fields
                .mac("System MAC address")
                .or_else(|| b.members.iter().find_map(|m| m.actor.mac("system mac address")));
        }
        s.states.push(BondState {
            at: r.at,
            time: r.time,
            source: b.source,
            fields: b.fields.clone(),
            members: b.members.iter().map(|m| m.name.clone()).collect(),
            full,
        });
        for m in &b.members {
            let member = member_mut(s, &m.name);
            if let Some(mac) = m.fields.mac("Permanent HW addr") {
                member.perm = Some(mac);
            }
            if let Some(port) = m.actor.int("port number").and_then(|p| u16::try_from(p).ok()) {
                member.port = Some(port);
            }
            member.states.push(state_of(m, r.time, b.source));
        }
    }
    // Bonds that only other sources show.
    let one_unnamed = subjects.len() == 1 && subjects.first().is_some_and(|s| s.name.is_empty());
    if one_unnamed && named.len() == 1 {
        if let (Some(s), Some(n)) = (subjects.first_mut(), named.first()) {
            s.name.clone_from(n);
        }
    } else {
        for n in &named {
            if !(subjects.iter().any(|s| s.name == *n) || one_unnamed && named.len() == 1) {
                subjects.push(subject(n.clone(), Aggregator::Bonding));
            }
        }
    }
    for r in &case.records {
        match &r.what {
            What::Link(l) => from_link(&mut subjects, r, l),
            What::Fields(f) if f.source == "sysfs-bonding" => from_sysfs(&mut subjects, r, f),
            What::Kernel(k) => {
                if let (Some(b), Some(d)) = (&k.bond, &k.dev)
                    && b != d
                    && let Some(s) = subjects.iter_mut().find(|s| s.name == *b)
                    && matches!(
                        k.kind,
                        crate::evidence::KernelKind::MemberUp
                            | crate::evidence::KernelKind::MemberDown
                            | crate::evidence::KernelKind::Enslaved
                            | crate::evidence::KernelKind::NewActive
                            | crate::evidence::KernelKind::Loopback
                            | crate::evidence::KernelKind::BondError
                    )
                {
                    // A bond of the other end in the same kernel log (lab) is known by its own members only.
                    let closed = s.states.iter().any(|st| st.full && !st.members.is_empty());
                    if !closed {
                        member_mut(s, d);
                    }
                }
            }
            _ => {}
        }
    }
    // A name that only a kernel line gave, without a member, is no subject.
    subjects.retain(|s| !s.members.is_empty() || !s.states.is_empty());
    for s in &mut subjects {
        if s.name.is_empty() {
            s.name = "bond".to_owned();
        }
        for m in &mut s.members {
            m.states.sort_by_key(|st| (st.time.is_none(), st.time.map(|t| (t.clock, t.ns))));
        }
        s.states.sort_by_key(|st| (st.time.is_none(), st.time.map(|t| (t.clock, t.ns))));
        s.members.sort_by(|a, b| a.name.cmp(&b.name));
    }
    subjects.sort_by(|a, b| a.name.cmp(&b.name));
    case.subjects = subjects;
}

fn overlaps(s: &Subject, b: &Bond) -> bool {
    b.members.iter().any(|m| s.members.iter().any(|o| o.name == m.name))
}

pub(super) fn subject(name: String, aggregator: Aggregator) -> Subject {
    Subject {
        name,
        bond: true,
        aggregator,
        mode: Mode::Unknown,
        mode_text: None,
        mode_at: None,
        states: Vec::new(),
        members: Vec::new(),
        system: None,
        two_hosts: None,
    }
}

fn member_mut<'a>(s: &'a mut Subject, name: &str) -> &'a mut Member {
    let at = match s.members.iter().position(|m| m.name == name) {
        Some(at) => at,
        None => {
            s.members.push(Member { name: name.to_owned(), ..Member::default() });
            s.members.len() - 1
        }
    };
    // `at` was just found or pushed.
    &mut s.members[at]
}

fn from_link(subjects: &mut [Subject], r: &Record, l: &Link) {
    let octet = |k: &str| l.fields.int(k).and_then(|v| u8::try_from(v).ok()).map(PortState::from_bits_retain);
    if let Some(s) = subjects.iter_mut().find(|s| s.name == l.name) {
        if let Some(mode) = l.fields.get("bond.mode") {
            if s.mode == Mode::Unknown {
                s.mode = Mode::from_text(&mode.value);
                s.mode_text = Some(mode.value.clone());
                s.mode_at = Some(mode.at);
            }
            let mut fields = Fields::new(l.source, Some(l.name.clone()));
            for (from, to) in [
                ("bond.mode", "Bonding Mode"),
                ("bond.miimon", "MII Polling Interval (ms)"),
                ("bond.lacp_rate", "LACP rate"),
                ("bond.ad_lacp_rate", "LACP rate"),
                ("bond.lacp_active", "LACP active"),
                ("bond.ad_lacp_active", "LACP active"),
                ("bond.ad_num_ports", "Number of ports"),
                ("bond.ad_actor_key", "Actor Key"),
                ("bond.ad_partner_key", "Partner Key"),
                ("bond.ad_partner_mac", "Partner Mac Address"),
                ("bond.ad_aggregator", "Aggregator ID"),
                ("bond.min_links", "Min links"),
                ("bond.xmit_hash_policy", "Transmit Hash Policy"),
            ] {
                if let Some(f) = l.fields.get(from) {
                    fields.push(to, f.value.clone(), f.at);
                }
            }
            s.states.push(BondState {
                at: r.at,
                time: r.time,
                source: l.source,
                fields,
                members: Vec::new(),
                full: false,
            });
        }
        return;
    }
    let Some(master) = l.fields.text("master") else {
        // sysfs readings of a member do not name the bond: they belong to the bond that has the member.
        if l.fields.get("actor_state").is_some()
            && let Some(s) = subjects.iter_mut().find(|s| s.members.iter().any(|m| m.name == l.name))
        {
            let state = link_state(r, l, &octet);
            member_mut(s, &l.name).states.push(state);
        }
        return;
    };
    let Some(s) = subjects.iter_mut().find(|s| s.name == master) else { return };
    if l.flag("SLAVE") || l.fields.get("bond_state").is_some() || l.fields.get("slave_kind").is_some() {
        let state = link_state(r, l, &octet);
        let member = member_mut(s, &l.name);
        if let Some(mac) = l.fields.mac("permaddr").or_else(|| l.fields.mac("perm_hwaddr")) {
            member.perm.get_or_insert(mac);
        }
        member.states.push(state);
    }
}

pub(super) fn link_state(r: &Record, l: &Link, octet: &dyn Fn(&str) -> Option<PortState>) -> MemberState {
    let mii = l.fields.text("mii_status").map(str::to_ascii_lowercase).or_else(|| {
        // NO-CARRIER is what `ip` prints for an interface that is up without carrier.
        (!l.flags.is_empty()).then(|| if l.flag("LOWER_UP") { "up" } else { "down" }.to_owned())
    });
    MemberState {
        at: r.at,
        time: r.time,
        source: l.source,
        mii,
        speed: None,
        duplex: None,
        failures: l.fields.int("link_failure_count"),
        aggregator: l.fields.int("aggregator_id"),
        actor: octet("actor_state"),
        partner: octet("partner_state"),
        partner_system: None,
        partner_key: None,
        actor_system: None,
        actor_key: None,
        churn: (None, None, None, None),
    }
}

fn from_sysfs(subjects: &mut Vec<Subject>, r: &Record, f: &Fields) {
    let at = match &f.dev {
        Some(d) => subjects.iter().position(|s| s.name == *d),
        None if subjects.len() == 1 => Some(0),
        None => None,
    };
    let at = match at {
        Some(at) => at,
        None if f.dev.is_none() && subjects.is_empty() => {
            subjects.push(subject(String::new(), Aggregator::Bonding));
            0
        }
        None => return,
    };
    let Some(s) = subjects.get_mut(at) else { return };
    let mut fields = Fields::new(f.source, f.dev.clone());
    for e in &f.entries {
        let to = match e.key.as_str() {
            "mode" => "Bonding Mode",
            "miimon" => "MII Polling Interval (ms)",
            "lacp_rate" => "LACP rate",
            "lacp_active" => "LACP active",
            "ad_num_ports" => "Number of ports",
            "ad_actor_key" => "Actor Key",
            "ad_partner_key" => "Partner Key",
            "ad_partner_mac" => "Partner Mac Address",
            "ad_aggregator" => "Aggregator ID",
            "min_links" => "Min links",
            "arp_interval" => "ARP Polling Interval (ms)",
            "fail_over_mac" => "fail_over_mac",
            "ad_select" => "Aggregator selection policy (ad_select)",
            "xmit_hash_policy" => "Transmit Hash Policy",
            "slaves" => {
                for m in e.value.split_whitespace() {
                    member_mut(s, m);
                }
                continue;
            }
            other => other,
        };
        fields.push(to, e.value.clone(), e.at);
        if to == "Bonding Mode" && s.mode == Mode::Unknown {
            s.mode = Mode::from_text(&e.value);
            s.mode_text = Some(e.value.clone());
            s.mode_at = Some(e.at);
        }
    }
    s.states.push(BondState {
        at: r.at,
        time: r.time,
        source: f.source,
        fields,
        members: Vec::new(),
        full: false,
    });
}
