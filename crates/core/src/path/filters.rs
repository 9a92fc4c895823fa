//! Filters and programs on an interface's hooks, and what they dropped between readings.

use super::owner::Owner;
use super::tally::{self, Tally};
use crate::case::Case;
use crate::evidence::{Citation, Fields, Hook, HookPoint, Record, What};
use std::collections::BTreeMap;

/// A filter or program over the window.
#[derive(Debug, Clone)]
pub struct Filter {
    /// The interface it is attached to.
    pub dev: String,
    /// True on egress, false on ingress.
    pub egress: bool,
    /// What the tool called it.
    pub program: String,
    /// What it dropped, if it counts.
    pub dropped: Option<Tally>,
    /// True if a BPF program decides: what it does cannot be read from the text.
    pub opaque: bool,
    /// True if its text shows that it drops something.
    pub drops: bool,
    /// The VLAN tags that its text names; empty: any.
    pub vlans: Vec<u16>,
    /// True for a filter of tc that takes one protocol, and not that of tagged frames.
    pub untagged_only: bool,
    /// Who put it there, as far as the name tells.
    pub owner: Owner,
    /// Where it was read last.
    pub at: Citation,
}

impl Filter {
    /// False if its text says that it is about other VLANs only.
    #[must_use]
    pub fn may_match(&self, vlan: Option<u16>) -> bool {
        self.vlans.is_empty() || vlan.is_none_or(|v| self.vlans.contains(&v))
    }

    /// False for a filter below the VLAN that takes untagged frames only. To tc the protocol of a tagged frame is that of its
    /// tag, wherever the tag is kept (`skb_protocol()` in `__tcf_classify()`, net/sched/cls_api.c).
    #[must_use]
    pub const fn may_take_tagged(&self) -> bool {
        !self.untagged_only
    }

    /// True if its text leaves no doubt that it takes the frames of this VLAN.
    #[must_use]
    pub fn takes(&self, vlan: Option<u16>) -> bool {
        self.program == "matchall" && !self.untagged_only || vlan.is_some_and(|v| self.vlans.contains(&v))
    }
}

struct Seen<'a> {
    hook: &'a Hook,
    at: Citation,
    text: Option<&'a Fields>,
}

/// The filters of an interface.
pub(super) fn of(case: &Case, dev: &str) -> Vec<Filter> {
    // Several filters of one reading may have the same name: the n-th of a reading is the n-th of the other.
    let mut by: BTreeMap<(HookPoint, String, usize), Vec<(tally::Moment, Seen<'_>)>> = BTreeMap::new();
    let mut nth: BTreeMap<(u32, HookPoint, String), usize> = BTreeMap::new();
    for (i, r) in case.records.iter().enumerate() {
        let What::Hook(hook) = &r.what else { continue };
        if hook.dev.as_deref() != Some(dev) || hook.point == HookPoint::Xdp {
            continue;
        }
        let name = hook.program.clone();
        let n = nth.entry((r.at.file.0, hook.point, name.clone())).or_insert(0);
        let seen = Seen { hook, at: r.at, text: text_of(&case.records, i, r) };
        by.entry((hook.point, name, *n)).or_default().push((tally::moment(case, r), seen));
        *n += 1;
    }
    let mut filters = Vec::new();
    for ((point, program, _), mut readings) in by {
        tally::order(&mut readings, |s| s.hook.dropped.unwrap_or(0));
        let dropped = tally::over(readings.iter().filter_map(|(_, s)| Some((s.hook.dropped?, s.at))));
        let Some((_, last)) = readings.last() else { continue };
        let (drops, vlans) = said(&program, last.text);
        let owner = Owner::of(&program);
        let untagged_only = !program.starts_with("nft ") && last.text.is_some_and(untagged);
        let opaque = program.starts_with("bpf")
            || matches!(owner, Owner::Bpf | Owner::Cilium | Owner::Calico) && !program.starts_with("nft ");
        filters.push(Filter {
            dev: dev.to_owned(),
            egress: point == HookPoint::Egress,
            dropped,
            opaque,
            drops,
            vlans,
            untagged_only,
            owner,
            at: last.at,
            program,
        });
    }
    filters
}

/// The lines of a filter: parsers put them beside the hook.
fn text_of<'a>(records: &'a [Record], i: usize, r: &Record) -> Option<&'a Fields> {
    records.iter().skip(i + 1).take(64).take_while(|n| n.at.file == r.at.file).find_map(|n| match &n.what {
        // tc: the lines of this very filter.
        What::Fields(f) if f.source == "tc-filter" => (n.at == r.at).then_some(f),
        // nft: the whole ruleset comes last.
        What::Fields(f) if f.source == "nft-ruleset" => Some(f),
        _ => None,
    })
}

/// Does a filter of tc take one protocol that is not that of a tag?
fn untagged(text: &Fields) -> bool {
    let protocol = text.text("filter").and_then(|head| {
        let mut words = head.split_whitespace().skip_while(|w| *w != "protocol");
        words.nth(1)
    });
    let protocol = protocol.or_else(|| text.text("protocol").map(|p| p.trim_start_matches("protocol ")));
    protocol.is_some_and(|p| !matches!(p.to_ascii_lowercase().as_str(), "all" | "802.1q" | "802.1ad"))
}

/// Whether a filter's text drops, and which VLAN tags it names.
fn said(program: &str, text: Option<&Fields>) -> (bool, Vec<u16>) {
    let Some(text) = text else { return (false, Vec::new()) };
    let mut vlans = Vec::new();
    let mut drops = false;
    if let Some(chain) = program.strip_prefix("nft ") {
        for e in text.entries.iter().filter(|e| e.key == chain) {
            let words: Vec<&str> = e
                .value
                .split(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | ';'))
                .filter(|w| !w.is_empty())
                .collect();
            if !words.iter().any(|w| matches!(*w, "drop" | "reject")) {
                continue;
            }
            drops = true;
            // A rule without a tag takes any: then the chain's tags say nothing.
            match words.windows(3).position(|w| matches!(w, ["vlan", "id", _])) {
                Some(i) => vlans.extend(words.iter().skip(i + 2).map_while(|w| w.parse::<u16>().ok())),
                None => return (true, Vec::new()),
            }
        }
        return (drops, vlans);
    }
    for e in &text.entries {
        if e.key == "vlan_id" {
            vlans.extend(e.value.split_whitespace().nth(1).and_then(|w| w.parse::<u16>().ok()));
        }
        let words: Vec<&str> = e.value.split_whitespace().collect();
        drops |= words.windows(2).any(|w| matches!(w, ["action", "drop" | "shot"]));
    }
    (drops, vlans)
}
