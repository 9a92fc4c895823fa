//! What could have eaten the frames: the filters and queues below the interface that counts them (rows c, d, e, j, k).

use super::beyond::tag;
use super::decide::{Loss, PlaceFound, Ruled, Settle, Standing};
use super::filters::Filter;
use super::stack::{Layer, Role};
use super::tally::{Amount, Tally, amount};
use super::{Owner, PathReport, Place};
use crate::evidence::Citation;

/// Which kind of thing a candidate is; the kernel's drop reasons tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// tc or BPF on the egress hook: `TC_EGRESS`.
    Tc,
    /// nft on the egress hook: `NETFILTER_DROP`.
    Nft,
    /// A queueing discipline: `QDISC_DROP`, `QDISC_OVERLIMIT`.
    Queue,
}

/// How a candidate stands.
enum State {
    /// It counted so many.
    Counted(u64),
    /// It may be it.
    Open,
    /// It is not.
    Out(String),
}

struct Candidate {
    kind: Kind,
    member: bool,
    device: String,
    what: String,
    rows: &'static str,
    state: State,
    evidence: Vec<Citation>,
    owner: Option<Owner>,
    remedy: String,
    /// What would tell, if it is open.
    settle: Option<Settle>,
    /// False for what nobody has seen and nobody has excluded.
    seen: bool,
    /// The kernel's reason is that of its kind.
    named: bool,
    /// Its text leaves no doubt that it takes the frames in question.
    certain: bool,
}

const REASONS: [(Kind, &[&str]); 3] = [
    (Kind::Tc, &["TC_EGRESS"]),
    (Kind::Nft, &["NETFILTER_DROP"]),
    (Kind::Queue, &["QDISC_DROP", "QDISC_OVERLIMIT", "QDISC_CONGESTED", "FQ_BAND_LIMIT", "FQ_FLOW_LIMIT"]),
];

/// The layer at `above` counts `loss`: what below it dropped them?
pub(super) fn below(report: &mut PathReport, above: usize, loss: &Loss) {
    let vlan = tag(report);
    let mut list = Vec::new();
    for layer in report.layers.iter().skip(above + 1) {
        hooks(report, layer, vlan, loss, &mut list);
        queue(layer, loss, &mut list);
    }
    by_refusal(report, above, &mut list);
    by_reason(report, loss, &mut list);
    conclude(report, loss, list);
}

/// A counter of a candidate beside the frames that are missing.
fn compare(tally: Option<&Tally>, loss: &Loss) -> Option<State> {
    Some(match amount(tally) {
        Amount::Unread => return None,
        Amount::Still(_) => State::Out("it counted nothing in the window".to_owned()),
        Amount::Since(0, _) => State::Out("it never dropped anything".to_owned()),
        Amount::Grew(n, _) => State::Counted(n),
        Amount::Since(n, _) if loss.since => State::Counted(n),
        Amount::Since(n, _) if n.saturating_mul(2) < loss.frames => {
            State::Out(format!("it dropped {n} since it exists, fewer than are missing"))
        }
        Amount::Since(_, _) => State::Open,
    })
}

fn hooks(report: &PathReport, layer: &Layer, vlan: Option<u16>, loss: &Loss, list: &mut Vec<Candidate>) {
    let dev = &layer.name;
    let member = matches!(layer.role, Role::Member | Role::Nic);
    let filters: Vec<&Filter> = layer.ledger.filters.iter().filter(|f| f.egress).collect();
    // On the VLAN itself, and above it, frames have no tag yet.
    let tagged = vlan.is_some() && matches!(layer.role, Role::Bond | Role::Member | Role::Nic);
    let counted = |f: &&&Filter| f.dropped.is_some() && !f.program.starts_with("nft ");
    // What `clsact` counts and no filter accounts for is the work of a program that does not count.
    let by_filters: u64 = filters
        .iter()
        .filter(counted)
        .filter_map(|f| f.dropped.as_ref())
        .map(Tally::count)
        .fold(0, u64::saturating_add);
    let opaque = filters.iter().filter(|f| f.opaque && f.dropped.is_none()).count();
    let (mut tc_seen, mut nft_seen) = (false, false);
    for f in &filters {
        let nft = f.program.starts_with("nft ");
        let rows = match (member, nft, f.opaque) {
            (true, _, _) => "j",
            (_, true, _) => "c",
            (_, _, true) => "d, e",
            _ => "d",
        };
        let mut evidence = vec![f.at];
        let state = if !f.may_match(vlan) {
            State::Out(format!("it names other VLANs only ({})", join(&f.vlans)))
        } else if tagged && !f.may_take_tagged() {
            State::Out("it takes one protocol of untagged frames only".to_owned())
        } else if let Some(state) = compare(f.dropped.as_ref(), loss) {
            evidence = f.dropped.as_ref().map_or(evidence, Tally::cited);
            state
        } else if f.opaque {
            match amount(layer.ledger.clsact.as_ref()) {
                Amount::Grew(n, at) if n > by_filters && opaque == 1 && !f.program.starts_with("tcx") => {
                    evidence.extend(at);
                    State::Counted(n - by_filters)
                }
                _ => State::Open,
            }
        } else if f.drops {
            State::Open
        } else {
            State::Out("nothing in its text drops".to_owned())
        };
        tc_seen |= !nft;
        nft_seen |= nft;
        evidence.dedup();
        list.push(Candidate {
            kind: if nft { Kind::Nft } else { Kind::Tc },
            member,
            device: dev.clone(),
            what: f.program.clone(),
            rows,
            state,
            evidence,
            owner: Some(f.owner),
            remedy: f.owner.remedy(dev, &f.program, vlan),
            settle: Some(settle_hook(dev, nft)),
            seen: true,
            named: false,
            certain: f.takes(vlan),
        });
    }
    let mut unseen = |kind: Kind, rows: &'static str, what: &str, settle: Settle| {
        list.push(Candidate {
            kind,
            member,
            device: dev.clone(),
            what: what.to_owned(),
            rows,
            state: State::Open,
            evidence: Vec::new(),
            owner: None,
            remedy: String::new(),
            settle: Some(settle),
            seen: false,
            named: false,
            certain: false,
        });
    };
    // A list of queues without `clsact` excludes classic filters; a tcx program is in no list but that of bpftool.
    if !report.signs.bpf_read || (!tc_seen && !layer.ledger.no_clsact) {
        let what = if layer.ledger.no_clsact { "a tcx program" } else { "a tc filter or BPF program" };
        let rows = match (member, layer.ledger.no_clsact) {
            (true, _) => "j",
            (_, true) => "e",
            _ => "d, e",
        };
        unseen(Kind::Tc, rows, what, settle_hook(dev, false));
    }
    if !report.signs.nft_read && !nft_seen {
        unseen(Kind::Nft, if member { "j" } else { "c" }, "an nft rule", settle_hook(dev, true));
    }
}

fn settle_hook(dev: &str, nft: bool) -> Settle {
    if nft {
        Settle {
            run: format!("nft list hooks device {dev}; nft list ruleset"),
            expect: format!(
                "a chain on the egress of {dev}: its counters, read twice under traffic, tell; none: no nft rule is there"
            ),
        }
    } else {
        Settle {
            run: format!("bpftool net show dev {dev}; tc -s filter show dev {dev} egress"),
            expect: format!(
                "a program on the egress of {dev}: it, and its owner, are suspects; none: no filter of tc and no BPF program is there"
            ),
        }
    }
}

pub(super) fn settle_queue(dev: &str) -> Settle {
    Settle {
        run: format!("tc -s qdisc show dev {dev}"),
        expect: "twice under traffic: `dropped` that rises with the VLAN's drops is the place; if it stands still, the queue is not it".to_owned(),
    }
}

pub(super) fn queue_rows(kind: &str, layer: &Layer) -> &'static str {
    match (&layer.role, kind) {
        (Role::Member | Role::Nic | Role::Bond, "netem") => "m",
        (Role::Member | Role::Nic | Role::Bond, "fq_codel" | "cake" | "codel" | "fq_pie") => "l",
        (Role::Member | Role::Nic | Role::Bond, _) => "k",
        _ => "a",
    }
}

/// The queue of the layer that dropped most.
pub(super) fn main_queue(layer: &Layer) -> Option<&super::Queue> {
    layer.ledger.queues.iter().max_by_key(|q| (q.dropped.count(), !q.root))
}

pub(super) fn queue_remedy(dev: &str, q: &super::Queue) -> String {
    let limit = q.limit.as_deref().map_or(String::new(), |l| format!(", limit {l}"));
    match q.kind.as_str() {
        "netem" => {
            format!("netem is a test tool: find who left it on {dev}, and `tc qdisc del dev {dev} root`")
        }
        "pfifo" | "bfifo" => format!(
            "give the queue room ({}{limit} on {dev}): `ip link set {dev} txqueuelen 1000`, or `tc qdisc replace dev {dev} root fq_codel`; who set it will set it again",
            q.kind
        ),
        "tbf" | "htb" | "hfsc" => format!(
            "{} on {dev} limits the rate{limit}: raise it or remove it where it is configured (bandwidth plugin, networkd, a script)",
            q.kind
        ),
        _ => format!(
            "{} on {dev} is full{limit}: the member sends slower than is offered; look at its rate, pauses and backlog",
            q.kind
        ),
    }
}

fn queue(layer: &Layer, loss: &Loss, list: &mut Vec<Candidate>) {
    let member = matches!(layer.role, Role::Member | Role::Nic);
    let drops = layer.ledger.queue_drops();
    let main = main_queue(layer);
    let state = match compare(drops.as_ref(), loss) {
        Some(State::Out(why)) => State::Out(why),
        Some(state) => state,
        None if layer.ledger.queues_read => State::Out("it has no queue".to_owned()),
        // Bonds and VLANs have none unless somebody puts one there: that is still not known.
        None => State::Open,
    };
    let mut evidence = drops.as_ref().map(Tally::cited).unwrap_or_default();
    evidence.extend(main.map(|q| q.at).filter(|at| drops.as_ref().is_none_or(|d| d.last.1 != *at)));
    list.push(Candidate {
        kind: Kind::Queue,
        member,
        device: layer.name.clone(),
        what: main.map_or_else(
            || "a queue".to_owned(),
            |q| format!("{} {}", q.kind, q.handle).trim_end().to_owned(),
        ),
        rows: queue_rows(main.map_or("", |q| q.kind.as_str()), layer),
        state,
        evidence,
        owner: None,
        remedy: main.map(|q| queue_remedy(&layer.name, q)).unwrap_or_default(),
        settle: Some(settle_queue(&layer.name)),
        seen: main.is_some(),
        named: false,
        certain: false,
    });
}

/// The lowest interface whose transmission was refused sits right above the loss.
fn by_refusal(report: &PathReport, above: usize, list: &mut [Candidate]) {
    let Some(lowest) = report
        .layers
        .iter()
        .enumerate()
        .rev()
        .find_map(|(i, l)| Some((i, report.signs.refused.get(&l.name).filter(|(n, _)| *n >= 3)?.1)))
    else {
        return;
    };
    let (i, at) = lowest;
    let Some(named) = report.layers.get(i).map(|l| l.name.clone()) else { return };
    if i < above {
        return;
    }
    let bond = report.layers.get(i).is_some_and(|l| l.role == Role::Bond);
    let next = report.layers.get(i + 1).map(|l| l.name.clone()).unwrap_or_default();
    for c in list.iter_mut() {
        let fits = if bond { c.member } else { c.device == next };
        if !fits && !matches!(c.state, State::Out(_)) {
            c.state = State::Out(format!(
                "the lowest interface whose transmission was refused is {named}: the loss is right below it"
            ));
            c.evidence.push(at);
        }
    }
}

/// The kernel's own word for the frames it freed.
fn by_reason(report: &PathReport, loss: &Loss, list: &mut [Candidate]) {
    let freed = |kind: Kind| -> (u64, Option<Citation>) {
        let names = REASONS.iter().find(|(k, _)| *k == kind).map_or(&[][..], |(_, n)| *n);
        let found = names.iter().filter_map(|n| report.signs.reasons.get(*n));
        found.fold((0_u64, None), |(sum, at), (n, c)| (sum.saturating_add(*n), at.or(Some(*c))))
    };
    let total: u64 = REASONS.iter().map(|(k, _)| freed(*k).0).fold(0, u64::saturating_add);
    // A report of a few frames, or of something else, says nothing of those that are missing.
    if total < 3 || total.saturating_mul(4) < loss.frames.min(400) {
        return;
    }
    for kind in [Kind::Tc, Kind::Nft, Kind::Queue] {
        let (n, at) = freed(kind);
        let named = n.saturating_mul(2) >= total;
        let alive: Vec<usize> = list
            .iter()
            .enumerate()
            .filter(|(_, c)| c.kind == kind && !matches!(c.state, State::Out(_)))
            .map(|(i, _)| i)
            .collect();
        let only = alive.len() == 1;
        for i in alive {
            let Some(c) = list.get_mut(i) else { continue };
            if n < 3 {
                c.state = State::Out("the kernel gave other reasons for the frames it freed".to_owned());
                c.evidence.extend(REASONS.iter().filter_map(|(k, _)| freed(*k).1));
            } else if named && !c.seen {
                // Nobody listed it: it can be the one that is left, it cannot be shown.
                c.named = true;
                c.evidence.extend(at);
            } else if named && only && matches!(c.state, State::Open) {
                c.state = State::Counted(n.min(loss.frames));
                c.evidence.extend(at);
            }
        }
    }
}

fn conclude(report: &mut PathReport, loss: &Loss, list: Vec<Candidate>) {
    // Members share the load: what they counted of one kind is one place with several devices.
    let sum = |kind: Kind, member: bool| -> u64 {
        list.iter()
            .filter(|c| c.kind == kind && c.member == member)
            .map(|c| if let State::Counted(n) = c.state { n } else { 0 })
            .fold(0, u64::saturating_add)
    };
    let enough = |c: &Candidate| match c.state {
        State::Counted(n) => {
            let whole = if c.member { sum(c.kind, true) } else { n };
            n >= 3 && n.saturating_mul(20) >= loss.frames && whole.saturating_mul(2) >= loss.frames
        }
        _ => false,
    };
    let shown: u64 = list
        .iter()
        .filter(|c| enough(c))
        .map(|c| if let State::Counted(n) = c.state { n } else { 0 })
        .fold(0, u64::saturating_add);
    let any_counted = list.iter().any(enough);
    // More was counted than is missing, at several places: some of it was other traffic.
    let places = list
        .iter()
        .filter(|c| enough(c))
        .map(|c| (c.kind, c.member))
        .collect::<std::collections::BTreeSet<_>>();
    let overcounted = places.len() > 1 && shown.saturating_mul(10) > loss.frames.saturating_mul(13);
    let open = list.iter().filter(|c| matches!(c.state, State::Open)).count();
    let is_enough: Vec<bool> = list.iter().map(enough).collect();
    // One place that counted far more than is missing dropped other traffic for sure, and these frames perhaps: enough
    // only if nothing else is left.
    let doubtful = open > 0
        && !list.iter().any(|c| enough(c) && c.certain)
        && shown.saturating_mul(10) > loss.frames.saturating_mul(13);
    let overcounted = overcounted || doubtful;
    let any_shown = any_counted && !overcounted;
    let since = if loss.since { " since the interface exists" } else { "" };
    let upper = report
        .layers
        .iter()
        .find(|l| l.ledger.dropped.as_ref().is_some_and(|t| loss.cited.contains(&t.last.1)))
        .map_or_else(|| report.iface.clone(), |l| l.name.clone());
    for (c, enough) in list.into_iter().zip(is_enough) {
        let standing = match &c.state {
            State::Out(because) => {
                report.ruled_out.push(Ruled {
                    what: format!("{} on {}", c.what, c.device),
                    because: because.clone(),
                    evidence: c.evidence,
                });
                continue;
            }
            State::Counted(_) if enough && !overcounted => Standing::Shown,
            State::Counted(n) if !enough => {
                report.ruled_out.push(Ruled {
                    what: format!("{} on {}", c.what, c.device),
                    because: format!("it dropped {n} in the window, {} are missing", loss.frames),
                    evidence: c.evidence,
                });
                continue;
            }
            // What is shown leaves no room for what nobody has seen.
            State::Open if any_shown => continue,
            State::Open if open == 1 && (c.seen || c.named) && !any_shown => Standing::Left,
            State::Open | State::Counted(_) => Standing::Possible,
        };
        let frames = if let State::Counted(n) = c.state { Some(n) } else { None };
        let place = if c.kind == Kind::Queue { Place::Queue } else { Place::Filter };
        let text = match (frames, standing) {
            (Some(n), Standing::Shown) => format!(
                "{upper} counts {} drops{since}, and {} on {} dropped {n}",
                loss.frames, c.what, c.device
            ),
            (Some(n), _) => format!(
                "{} on {} dropped {n}: whose frames these were is not told, and something else may have dropped ours",
                c.what, c.device
            ),
            (None, Standing::Left) if c.named => format!(
                "{upper} counts {} drops{since}; the kernel's reason and what was read leave only {} on {}",
                loss.frames, c.what, c.device
            ),
            (None, Standing::Left) => format!(
                "{upper} counts {} drops{since}; of all that could drop them only {} on {} is left",
                loss.frames, c.what, c.device
            ),
            (None, _) if c.seen => {
                "it stands there, and what it dropped in the window is not told".to_owned()
            }
            (None, _) => "nobody looked whether one is there".to_owned(),
        };
        if standing == Standing::Possible {
            report.settle.extend(c.settle);
        }
        let mut evidence = loss.cited.clone();
        evidence.extend(c.evidence);
        let remedy = if standing == Standing::Possible && !c.seen { String::new() } else { c.remedy };
        report.places.push(PlaceFound {
            place,
            device: c.device,
            what: c.what,
            rows: c.rows,
            standing,
            frames,
            text,
            evidence,
            owner: c.owner,
            remedy,
        });
    }
    if !any_shown && !report.signs.drops_read {
        report.settle.push(Settle {
            run: "perf trace -e skb:kfree_skb -a sleep 5   (or dropwatch -l kas)".to_owned(),
            expect: "the reason of the freed frames: TC_EGRESS is a tc or BPF program, NETFILTER_DROP an nft rule, QDISC_DROP a queue".to_owned(),
        });
    }
}

fn join(vlans: &[u16]) -> String {
    vlans.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}
