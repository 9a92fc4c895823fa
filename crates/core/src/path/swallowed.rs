//! What discards without anybody counting above it (rows a, l, m, o, s).

use super::beyond::tag;
use super::candidates::{main_queue, queue_remedy, queue_rows, settle_queue};
use super::decide::{PlaceFound, Settle, Standing};
use super::stack::{Layer, Role};
use super::tally::Tally;
use super::{PathReport, Place, Queue};
use crate::evidence::Citation;

/// What discards without an error: a queue or filter of the topmost interface, a queue that takes frames and loses them,
/// a driver that does not take them.
pub(super) fn find(report: &mut PathReport) {
    let vlan = tag(report);
    let Some(top) = report.layers.first() else { return };
    let mut places: Vec<PlaceFound> = Vec::new();
    let mut settle = Vec::new();
    let mut notes = Vec::new();
    // What the upper interfaces' own queues and filters drop was sent by them and by nobody else.
    for layer in report
        .layers
        .iter()
        .filter(|l| !matches!(l.role, Role::Member | Role::Nic | Role::Bond | Role::Bridge))
    {
        if let Some(drops) = layer.ledger.queue_drops()
            && let Some(q) = main_queue(layer)
            && let Some(n) = drops.growth().filter(|n| *n >= 3 && n.saturating_mul(1000) >= q.sent.count())
        {
            places.push(swallower(layer, q, n, drops.cited(), Standing::Shown));
        }
        for f in layer.ledger.filters.iter().filter(|f| f.egress && f.may_match(vlan)) {
            // Below an interface above, its counter has the frames: they were found already.
            if report.places.iter().any(|p| p.device == f.dev && p.what == f.program) {
                continue;
            }
            if let Some(t) = &f.dropped
                && let Some(n) = t.growth().filter(|n| *n >= 3)
            {
                places.push(PlaceFound {
                    place: Place::Filter,
                    device: f.dev.clone(),
                    what: f.program.clone(),
                    rows: "a",
                    standing: Standing::Shown,
                    frames: Some(n),
                    text: format!(
                        "{} on {} dropped {n} frames before the interface counted them",
                        f.program, f.dev
                    ),
                    evidence: t.cited(),
                    owner: Some(f.owner),
                    remedy: f.owner.remedy(&f.dev, &f.program, vlan),
                });
            }
        }
    }
    places.retain(|p| !report.places.iter().any(|r| r.device == p.device && r.place == p.place));
    // The topmost interface counts frames as sent that the members did not send.
    let passed = top.ledger.passed.as_ref().and_then(Tally::growth);
    let members: Vec<&Layer> =
        report.layers.iter().filter(|l| matches!(l.role, Role::Member | Role::Nic)).collect();
    let left = members
        .iter()
        .map(|m| m.ledger.passed.as_ref().and_then(Tally::growth))
        .try_fold(0_u64, |s, n| Some(s.saturating_add(n?)))
        .filter(|_| !members.is_empty());
    if let (Some(passed), Some(left)) = (passed, left)
        && passed.saturating_sub(left) >= 5
        && passed.saturating_sub(left).saturating_mul(50) >= passed
    {
        let gap = passed - left;
        let mut shown = 0_u64;
        let mut inside = Vec::new();
        for layer in report
            .layers
            .iter()
            .filter(|l| matches!(l.role, Role::Member | Role::Nic | Role::Bond | Role::Bridge))
        {
            let Some(q) = main_queue(layer) else {
                if !layer.ledger.queues_read {
                    settle.push(settle_queue(&layer.name));
                }
                continue;
            };
            let n = layer.ledger.queue_drops().and_then(|t| t.growth()).unwrap_or(0);
            if n >= 3 && n.saturating_mul(10) >= gap {
                let cited = layer.ledger.queue_drops().map(|t| t.cited()).unwrap_or_default();
                shown = shown.saturating_add(n);
                inside.push(swallower(layer, q, n, cited, Standing::Shown));
            } else if q.backlog.saturating_mul(2) >= gap {
                shown = shown.saturating_add(q.backlog);
                inside.push(waits(report, layer, q));
            }
        }
        let enough = shown.saturating_mul(2) >= gap;
        for p in &mut inside {
            if !enough {
                p.standing = Standing::Possible;
            }
        }
        inside.retain(|p| !report.places.iter().any(|r| r.device == p.device && r.place == p.place));
        if inside.is_empty() && report.places.is_empty() && places.is_empty() {
            notes.push((
                format!("{} counts {passed} frames as sent, the members {left}: {gap} are missing below, and no counter has them", report.iface),
                top.ledger.passed.as_ref().map(Tally::cited).unwrap_or_default(),
            ));
            places.push(PlaceFound {
                place: Place::Queue,
                device: members.first().map(|m| m.name.clone()).unwrap_or_default(),
                what: "a queue that takes frames and loses them".to_owned(),
                rows: "l, m, o, s, t",
                standing: Standing::Possible,
                frames: Some(gap),
                text: format!(
                    "{gap} frames that {} counts as sent were not sent by any member",
                    report.iface
                ),
                evidence: top.ledger.passed.as_ref().map(Tally::cited).unwrap_or_default(),
                owner: None,
                remedy: String::new(),
            });
            if settle.is_empty() {
                settle.extend(members.iter().map(|m| settle_queue(&m.name)));
            }
        }
        places.extend(inside);
    }
    // Hidden in other traffic: a queue that swallows, and dropped about as many as the topmost interface sent.
    if report.places.is_empty() && places.is_empty() {
        for layer in report
            .layers
            .iter()
            .filter(|l| matches!(l.role, Role::Member | Role::Nic | Role::Bond | Role::Bridge))
        {
            let Some(drops) = layer.ledger.queue_drops() else { continue };
            let (Some(q), Some(n), Some(passed)) = (main_queue(layer), drops.growth(), passed) else {
                continue;
            };
            if n >= 3 && n.saturating_mul(10) >= passed && !q.refuses() {
                places.push(swallower(layer, q, n, drops.cited(), Standing::Possible));
                settle.push(Settle {
                    run: format!(
                        "tc -s qdisc show dev {}, twice, with traffic of this VLAN only",
                        layer.name
                    ),
                    expect: "whether the frames that it drops are those of this VLAN".to_owned(),
                });
            }
        }
    }
    report.places.extend(places);
    report.settle.extend(settle);
    report.notes.extend(notes);
}

fn swallower(layer: &Layer, q: &Queue, n: u64, evidence: Vec<Citation>, standing: Standing) -> PlaceFound {
    let how = if q.refuses() { "dropped" } else { "took and discarded" };
    PlaceFound {
        place: Place::Queue,
        device: layer.name.clone(),
        what: format!("{} {}", q.kind, q.handle).trim_end().to_owned(),
        rows: queue_rows(&q.kind, layer),
        standing,
        frames: Some(n),
        text: format!(
            "the queue of {} ({}) {how} {n} frames; no counter of an interface has them",
            layer.name, q.kind
        ),
        evidence,
        owner: None,
        remedy: queue_remedy(&layer.name, q),
    }
}

fn waits(report: &PathReport, layer: &Layer, q: &Queue) -> PlaceFound {
    let hang = report.signs.hangs.iter().find(|(d, _)| *d == layer.name);
    let mut evidence = vec![q.at];
    evidence.extend(hang.map(|(_, at)| *at));
    PlaceFound {
        place: Place::Busy,
        device: layer.name.clone(),
        what: format!("{} {}", q.kind, q.handle).trim_end().to_owned(),
        rows: if hang.is_some() { "s" } else { "o" },
        standing: Standing::Shown,
        frames: Some(q.backlog),
        text: format!(
            "{} frames wait in the queue of {} ({}): its driver takes none{}",
            q.backlog,
            layer.name,
            q.kind,
            if hang.is_some() { ", and the kernel logged a hang" } else { "" }
        ),
        evidence,
        owner: None,
        remedy: format!(
            "the driver of {0} does not take frames: `ethtool -S {0}` (pause frames, queue stops), the kernel log, `ethtool -i {0}`",
            layer.name
        ),
    }
}
