//! `bondwitness/verdict/v1`: the JSON of the contract.

use super::{Ids, source};
use crate::case::Mode;
use crate::diagnose::Report;
use crate::domain::{FaultDomain, Side};
use crate::evidence::Place;
use crate::finding::{Bearing, Finding, Need};
use crate::units::rfc3339;
use crate::verdict::{RULESET, Verdict};
use serde_json::{Map, Value, json};

/// The schema's name.
pub const SCHEMA: &str = "bondwitness/verdict/v1";

/// The JSON Schema of [`report`].
pub const JSON_SCHEMA: &str = include_str!("verdict_v1.schema.json");

/// The whole report.
#[must_use]
pub fn report(report: &Report, version: &str) -> Value {
    let ids = Ids::new(report);
    let case = &report.case;
    let window = super::window(report);
    let subjects: Vec<Value> = report
        .subjects
        .iter()
        .enumerate()
        .filter_map(|(i, s)| {
            let subject = case.subjects.get(i)?;
            let findings: Vec<Value> =
                s.judged.findings.iter().enumerate().map(|(n, f)| finding(&ids, i, n, f)).collect();
            let timeline: Vec<Value> = s
                .timeline
                .iter()
                .map(|e| {
                    json!({
                        "t": e.ns.and_then(rfc3339),
                        "member": e.member,
                        "kind": e.kind,
                        "text": match e.stamp {
                            Some(t) if e.ns.is_none() => format!("[{t}] {}", e.text),
                            _ => e.text.clone(),
                        },
                        "evidence": [ids.evidence(e.at)],
                    })
                })
                .collect();
            let episodes: Vec<Value> = s
                .judged
                .episodes
                .iter()
                .map(|e| {
                    json!({
                        "start": rfc3339(e.span.0),
                        "end": rfc3339(e.span.1),
                        "members": e.members,
                        "verdict": verdict(&ids, i, &e.verdict),
                    })
                })
                .collect();
            Some(json!({
                "kind": if subject.bond { "bond" } else { "interface" },
                "name": subject.name,
                "mode": mode(subject),
                "state": s.judged.state.name(),
                "verdict": verdict(&ids, i, &s.judged.verdict),
                "episodes": episodes,
                "findings": findings,
                "timeline": timeline,
            }))
        })
        .collect();
    let worst = match report.worst().and_then(|i| Some((i, report.subjects.get(i)?))) {
        Some((i, s)) => verdict(&ids, i, &s.judged.verdict),
        None => nothing(report),
    };
    let evidence: Vec<Value> = ids
        .all()
        .map(|(id, c)| {
            let file = case.files.get(c.file.0 as usize);
            let kind = match c.place {
                Place::Frame(_) => "lacpdu",
                Place::Lines { .. } | Place::Whole => {
                    file.and_then(|f| f.recognised.first().copied()).unwrap_or("file")
                }
            };
            let mut e = Map::new();
            e.insert("id".into(), json!(id));
            e.insert("kind".into(), json!(kind));
            e.insert("source".into(), json!(source(case, c)));
            if let Place::Lines { start, end, .. } = c.place {
                e.insert("bytes".into(), json!([start, end]));
            }
            e.insert("t".into(), json!(frame_time(report, c).and_then(rfc3339)));
            e.insert("sha256".into(), json!(file.and_then(|f| f.sha256.clone())));
            Value::Object(e)
        })
        .collect();
    let inputs: Vec<Value> = case
        .files
        .iter()
        .map(|f| {
            json!({
                "path": f.path,
                "recognised_as": if f.recognised.is_empty() { Value::Null } else { json!(f.recognised.join("+")) },
                "sha256": f.sha256,
                "lines": { "typed": f.lines.0, "not_understood": f.lines.1, "outside": f.lines.2 },
                "problem": f.problem,
            })
        })
        .collect();
    let gaps: Vec<Value> =
        report.needs.iter().chain(report.subjects.iter().flat_map(|s| &s.judged.needs)).map(gap).collect();
    let clocks: Vec<Value> = report
        .subjects
        .iter()
        .flat_map(|s| &s.alignments)
        .map(|a| json!({"clock": format!("{:?}", a.clock).to_lowercase(), "offset_ns": a.offset, "error_ns": a.error, "pairs": a.pairs}))
        .collect();
    json!({
        "schema": SCHEMA,
        "tool": {"version": version, "ruleset": RULESET},
        "host": {"hostname": case.host.0, "kernel": case.host.1, "boot_id": case.host.2},
        "window": {"start": window.and_then(|w| rfc3339(w.0)), "end": window.and_then(|w| rfc3339(w.1))},
        "verdict": worst,
        "subjects": subjects,
        "evidence": evidence,
        "inputs": inputs,
        "gaps": gaps,
        "clocks": clocks,
    })
}

fn mode(subject: &crate::case::Subject) -> Option<String> {
    if !subject.bond {
        return None;
    }
    match subject.mode {
        Mode::Static | Mode::Adaptive => subject.mode_text.clone(),
        m => m.name().map(str::to_owned).or_else(|| subject.mode_text.clone()),
    }
}

fn frame_time(report: &Report, c: crate::evidence::Citation) -> Option<i64> {
    let Place::Frame(n) = c.place else { return None };
    let capture = report.case.captures.iter().find(|f| f.file == c.file && f.timed)?;
    capture.capture.speakers.iter().find_map(|s| {
        if s.first.1 == n {
            return Some(s.first.0);
        }
        if s.last.1 == n {
            return Some(s.last.0);
        }
        s.changes.iter().find(|c| c.frame == n).map(|c| c.ns).or_else(|| {
            s.gaps.iter().find_map(|g| {
                if g.from_frame == n { Some(g.from_ns) } else { (g.to_frame == n).then_some(g.to_ns) }
            })
        })
    })
}

/// Three decimals: enough for a reader, and the same bytes on every machine.
fn round(x: f64) -> f64 {
    (x * 1000.0).round() / 1000.0
}

fn finding(ids: &Ids, subject: usize, i: usize, f: &Finding) -> Value {
    let (bearing, side, domain) = match &f.bearing {
        Bearing::Implicates(d) => {
            let sides: std::collections::BTreeSet<Side> = d.iter().map(|(x, _)| x.side()).collect();
            let one_side = if sides.len() == 1 {
                sides.first().copied().unwrap_or(Side::Unknown)
            } else {
                Side::Unknown
            };
            let domain = match d.as_slice() {
                [(x, _)] => *x,
                _ if one_side != Side::Unknown => {
                    d.iter().max_by_key(|(_, s)| *s).map_or(FaultDomain::Inconclusive, |(x, _)| *x)
                }
                _ => FaultDomain::Inconclusive,
            };
            ("implicates", Some(one_side), Some(domain))
        }
        Bearing::Exonerates(s) => ("exonerates", Some(*s), None),
        Bearing::RulesOut(d) => ("exonerates", Some(d.side()), Some(*d)),
        Bearing::Context => ("context", None, None),
    };
    let suspects: Vec<&str> = match &f.bearing {
        Bearing::Implicates(d) => d.iter().map(|(x, _)| x.name()).collect(),
        _ => Vec::new(),
    };
    json!({
        "id": ids.finding(subject, i),
        "check": f.check,
        "severity": f.severity.name(),
        "bearing": bearing,
        "side": side.map(Side::name),
        "fault_domain": domain.map(FaultDomain::name),
        "suspects": suspects,
        "member": f.member,
        "direction": f.way.map(crate::domain::Way::name),
        "text": f.text,
        "evidence": f.evidence.iter().map(|c| ids.evidence(*c)).collect::<Vec<_>>(),
    })
}

fn verdict(ids: &Ids, subject: usize, v: &Verdict) -> Value {
    json!({
        "fault_domain": v.domain.name(),
        "side": v.side.name(),
        "members": v.members,
        "grade": v.grade.name(),
        "confidence": round(v.confidence),
        "summary": v.summary,
        "direction": v.way.map(crate::domain::Way::name),
        "suspects": v.suspects.iter().map(|s| json!({"fault_domain": s.domain.name(), "confidence": round(s.confidence)})).collect::<Vec<_>>(),
        "exonerated": v.exonerated.iter().map(|(s, by)| json!({"side": s.name(), "because": by.iter().map(|i| ids.finding(subject, *i)).collect::<Vec<_>>()})).collect::<Vec<_>>(),
        "because": v.because.iter().map(|(i, w)| json!({"finding": ids.finding(subject, *i), "weight": round(*w)})).collect::<Vec<_>>(),
        "against": v.against.iter().map(|i| ids.finding(subject, *i)).collect::<Vec<_>>(),
        "ruled_out": v.ruled_out.iter().map(|(d, by)| json!({"fault_domain": d.name(), "because": by.iter().map(|i| ids.finding(subject, *i)).collect::<Vec<_>>()})).collect::<Vec<_>>(),
        "would_change": v.would_change,
        "next": v.next.iter().map(|n| json!({"run": n.run, "expect": n.expect})).collect::<Vec<_>>(),
    })
}

fn nothing(report: &Report) -> Value {
    let summary = if report.nothing {
        "nothing in the input was recognised as evidence"
    } else {
        "the evidence speaks of no bond and of no interface"
    };
    json!({
        "fault_domain": "inconclusive", "side": "unknown", "members": [], "grade": "insufficient", "confidence": 0.0,
        "summary": summary, "direction": null, "suspects": [], "exonerated": [], "because": [], "against": [], "ruled_out": [],
        "would_change": [],
        "next": [{"run": "bondwitness diagnose --from FOLDER", "expect": "a folder with /proc/net/bonding/*, the kernel log, ethtool -S of the members and LACPDU captures"}],
    })
}

fn gap(n: &Need) -> Value {
    json!({
        "what": n.what,
        "why": n.why,
        "matters_for": n.matters_for.iter().map(|d| d.name()).collect::<Vec<_>>(),
        "fix": n.fix,
    })
}
