//! What is read beside the counters of the layers: what the senders were told, whether anybody answered, why the kernel
//! freed frames, and what it said in its log.

use super::stack::{Layer, Role};
use crate::case::Case;
use crate::evidence::{Citation, KernelKind, What};
use std::collections::BTreeMap;

/// Everything of that kind.
#[derive(Debug, Clone, Default)]
pub struct Signs {
    /// Errors of send calls: `ENOBUFS`, ...
    pub errors: BTreeMap<String, Citation>,
    /// A test sender had no error at all.
    pub sent_well: Option<Citation>,
    /// Pings: requests sent, and answers.
    pub answered: Option<(u64, u64, Citation)>,
    /// Why frames were freed: how many, and where it was read.
    pub reasons: BTreeMap<String, (u64, Citation)>,
    /// Symbols in which frames were freed for no stated reason.
    pub symbols: BTreeMap<String, (u64, Citation)>,
    /// Interfaces whose transmission was refused (`net_dev_xmit` with another code than 0 and 2).
    pub refused: BTreeMap<String, (u64, Citation)>,
    /// `Virtual device ... asks to queue packet!`: the interface.
    pub asks: Vec<(String, Citation)>,
    /// `NETDEV WATCHDOG`, hangs of the transmit unit: the interface.
    pub hangs: Vec<(String, Citation)>,
    /// Neighbours of the upper layers that did not answer: address and interface.
    pub unanswered: Vec<(String, String, Citation)>,
    /// True if some report of dropped frames (drop monitor, trace) is among the evidence.
    pub drops_read: bool,
    /// True if a list of BPF programs on interfaces (`bpftool net`) is among the evidence.
    pub bpf_read: bool,
    /// True if a ruleset of nft or a list of its hooks is among the evidence.
    pub nft_read: bool,
}

impl Signs {
    /// How many frames were freed for this reason.
    #[must_use]
    pub fn reason(&self, name: &str) -> u64 {
        self.reasons.get(name).map_or(0, |(n, _)| *n)
    }
}

/// Reads the signs.
pub(super) fn of(case: &Case, layers: &[Layer]) -> Signs {
    let mut s = Signs {
        bpf_read: case.has("xdp-status") || case.has("bpftool-net-json"),
        nft_read: case.has("nft-ruleset"),
        ..Signs::default()
    };
    let upper: Vec<&str> = layers
        .iter()
        .filter(|l| matches!(l.role, Role::Upper(_) | Role::Vlan(_) | Role::Bridge))
        .map(|l| l.name.as_str())
        .collect();
    let path: Vec<&str> = layers.iter().map(|l| l.name.as_str()).collect();
    for r in &case.records {
        match &r.what {
            What::Probe(p) => {
                if let Some(e) = &p.errno {
                    s.errors.entry(e.clone()).or_insert(r.at);
                } else if p.received.is_none() && p.sent.is_some_and(|n| n > 0) {
                    s.sent_well.get_or_insert(r.at);
                }
                if let (Some(sent), Some(got)) = (p.sent, p.received) {
                    let (n, g, at) = s.answered.unwrap_or((0, 0, r.at));
                    s.answered = Some((n.saturating_add(sent), g.saturating_add(got), at));
                }
            }
            What::Drop(d) => {
                s.drops_read = true;
                if d.reason == "xmit" {
                    if d.rc.is_some_and(|rc| rc != 0 && rc != 2)
                        && let Some(dev) = &d.dev
                    {
                        add(&mut s.refused.entry(dev.clone()).or_insert((0, r.at)).0, d.count);
                    }
                } else if d.reason == "NOT_SPECIFIED" || d.reason == "not told" {
                    let symbol = d.symbol.clone().unwrap_or_default();
                    add(&mut s.symbols.entry(symbol).or_insert((0, r.at)).0, d.count);
                } else {
                    add(&mut s.reasons.entry(d.reason.clone()).or_insert((0, r.at)).0, d.count);
                }
            }
            What::Kernel(k) => match k.kind {
                KernelKind::AsksToQueue => {
                    let named = path.iter().find(|p| {
                        k.dev.as_deref() == Some(**p) || k.text.split([' ', ',', '!']).any(|w| w == **p)
                    });
                    if let Some(dev) = named {
                        s.asks.push(((*dev).to_owned(), r.at));
                    }
                }
                KernelKind::TxTimeout | KernelKind::TxHang => {
                    if let Some(dev) = k.dev.as_deref().filter(|d| path.contains(d)) {
                        s.hangs.push((dev.to_owned(), r.at));
                    }
                }
                _ => {}
            },
            What::Fields(f) if f.source == "ip-neigh" => {
                if let (Some(dev), Some(state)) = (f.dev.as_deref(), f.text("state"))
                    && upper.contains(&dev)
                    && matches!(state, "FAILED" | "INCOMPLETE")
                    && !s.unanswered.iter().any(|(a, d, _)| d == dev && Some(a.as_str()) == f.text("dst"))
                {
                    s.unanswered.push((f.text("dst").unwrap_or("").to_owned(), dev.to_owned(), r.at));
                }
            }
            _ => {}
        }
    }
    s
}

/// Counts are read from files that anybody may have written.
fn add(to: &mut u64, n: u64) {
    *to = to.saturating_add(n);
}
