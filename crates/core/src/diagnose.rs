//! The pipeline: files in, report out.

use crate::capture;
use crate::case::{self, Case, File, Piece};
use crate::collection::{self, facts};
use crate::domain::FaultDomain;
use crate::evidence::{FileId, lines};
use crate::finding::Need;
use crate::parse;
use crate::parse::netlink::{self, Interfaces};
use crate::timeline::{self, Alignment, Event};
use crate::verdict::{self, Judged};
use std::collections::BTreeMap;

/// Text beyond this is not parsed (a log of gigabytes): it is said so.
pub const MAX_TEXT: usize = 64 * 1024 * 1024;

/// A file as it comes in.
pub struct Input<'a> {
    /// Path relative to the case.
    pub path: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// SHA-256 in hex, if it was computed.
    pub sha256: Option<String>,
    /// What was wrong with it when it was read.
    pub problem: Option<String>,
}

/// A subject with its verdict and timeline.
pub struct SubjectReport {
    /// What was judged.
    pub judged: Judged,
    /// The timeline.
    pub timeline: Vec<Event>,
    /// How clocks were tied together.
    pub alignments: Vec<Alignment>,
}

/// The result of a diagnosis. `subjects` has the order of `case.subjects`.
pub struct Report {
    /// The evidence.
    pub case: Case,
    /// The subjects.
    pub subjects: Vec<SubjectReport>,
    /// What is missing for the whole case (unrecognised files, damaged files).
    pub needs: Vec<Need>,
    /// True if nothing at all was recognised.
    pub nothing: bool,
}

impl Report {
    /// The subject that is worst off, in the order of the contract.
    #[must_use]
    pub fn worst(&self) -> Option<usize> {
        let rank = |i: &usize| {
            let s = self.subjects.get(*i)?;
            let quiet =
                s.judged.verdict.because.is_empty() && s.judged.verdict.domain == FaultDomain::Inconclusive;
            // A bond without members that nothing speaks about (`modprobe bonding` leaves one) is nobody's trouble.
            let empty = self.case.subjects.get(*i).is_some_and(|s| s.bond && s.members.is_empty()) && quiet;
            let domain = if empty { FaultDomain::Healthy } else { s.judged.verdict.domain };
            // Among equals a bond goes before an interface, and one with findings before one without.
            Some((
                domain.rank(),
                empty,
                quiet,
                self.case.subjects.get(*i).is_none_or(|s| !s.bond),
                std::cmp::Reverse(s.judged.verdict.because.len()),
            ))
        };
        (0..self.subjects.len()).min_by_key(|i| (rank(i), *i))
    }

    /// Keeps only the subjects whose name passes.
    pub fn keep(&mut self, pass: impl Fn(&str) -> bool) {
        let keep: Vec<bool> = self.case.subjects.iter().map(|s| pass(&s.name)).collect();
        let mut it = keep.iter();
        self.case.subjects.retain(|_| *it.next().unwrap_or(&true));
        let mut it = keep.iter();
        self.subjects.retain(|_| *it.next().unwrap_or(&true));
    }

    /// The exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.nothing {
            return 3;
        }
        match self.worst().and_then(|i| self.subjects.get(i)) {
            Some(s) => s.judged.verdict.domain.exit_code(),
            None => 3,
        }
    }
}

/// SHA-256 in hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.hex()
}

/// SHA-256, piece by piece.
#[derive(Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.0, bytes);
    }
    /// The hash in hex.
    #[must_use]
    pub fn hex(self) -> String {
        sha2::Digest::finalize(self.0).iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Judges a set of files. The result does not depend on their order.
#[must_use]
pub fn diagnose(inputs: &[Input<'_>]) -> Report {
    let mut order: Vec<&Input<'_>> = inputs.iter().collect();
    order.sort_by(|a, b| {
        a.path.cmp(b.path).then(a.bytes.len().cmp(&b.bytes.len())).then_with(|| a.bytes.cmp(b.bytes))
    });
    let mut needs = Vec::new();
    let interfaces = interfaces(&order);
    let pieces: Vec<Piece> = order
        .iter()
        .enumerate()
        .map(|(i, input)| {
            let id = FileId(u32::try_from(i).unwrap_or(u32::MAX));
            piece(id, input, &interfaces, &mut needs)
        })
        .collect();
    let nothing = pieces.iter().all(|p| p.file.recognised.is_empty());
    let mut case = case::build(pieces);
    forget_foreign_bonds(&mut case);
    if !case.subjects.iter().any(|s| s.bond) {
        keep_telling(&mut case);
    }
    let mut subjects: Vec<SubjectReport> = case
        .subjects
        .iter()
        .map(|s| SubjectReport {
            judged: verdict::judge(&case, s),
            timeline: timeline::of(&case, s),
            alignments: timeline::alignments(&case, s),
        })
        .collect();
    // Without a bond only the interfaces that something was found about are worth a line, if there are any.
    if !case.subjects.iter().any(|s| s.bond) {
        let telling: Vec<bool> = subjects
            .iter()
            .map(|s| s.judged.findings.iter().any(|f| !matches!(f.bearing, crate::finding::Bearing::Context)))
            .collect();
        if telling.iter().any(|t| *t) {
            let mut keep = telling.iter();
            subjects.retain(|_| *keep.next().unwrap_or(&true));
            let mut keep = telling.iter();
            case.subjects.retain(|_| *keep.next().unwrap_or(&true));
        }
    }
    needs.extend(crate::hosts::needs(&case));
    needs.extend(facts::needs(&case));
    needs.sort();
    needs.dedup();
    Report { case, subjects, needs, nothing }
}

/// The evidence ordered, without a verdict: for questions about one thing (`txpath`). The result does not depend on the
/// order of the inputs.
#[must_use]
pub fn case_of(inputs: &[Input<'_>]) -> Case {
    let mut order: Vec<&Input<'_>> = inputs.iter().collect();
    order.sort_by(|a, b| {
        a.path.cmp(b.path).then(a.bytes.len().cmp(&b.bytes.len())).then_with(|| a.bytes.cmp(b.bytes))
    });
    let mut needs = Vec::new();
    let interfaces = interfaces(&order);
    let number = |i: usize| FileId(u32::try_from(i).unwrap_or(u32::MAX));
    case::build(
        order.iter().enumerate().map(|(i, input)| piece(number(i), input, &interfaces, &mut needs)).collect(),
    )
}

/// The kernel log is that of all network namespaces of a host. A collection names the bonds of its own one: of a bond
/// that only the log speaks of there is nothing to be known.
fn forget_foreign_bonds(case: &mut Case) {
    let own: Vec<&str> =
        case.collections.iter().flat_map(|(_, c)| c.bonds.iter().map(|b| b.name.as_str())).collect();
    if own.is_empty() {
        return;
    }
    let keep: Vec<bool> = case
        .subjects
        .iter()
        .map(|s| !s.bond || !s.states.is_empty() || own.contains(&s.name.as_str()))
        .collect();
    let mut keep = keep.iter();
    case.subjects.retain(|_| *keep.next().unwrap_or(&true));
}

/// A whole host has dozens of interfaces; without a bond those with a driver, a log line or a counter are kept.
fn keep_telling(case: &mut Case) {
    if case.subjects.len() <= 64 {
        return;
    }
    let keep: Vec<bool> = case
        .subjects
        .iter()
        .map(|s| case.kernel_of(&s.name).next().is_some() || case.driver(&s.name).is_some())
        .collect();
    let mut it = keep.iter();
    case.subjects.retain(|_| *it.next().unwrap_or(&true));
    case.subjects.truncate(256);
}

/// The interfaces of each collection, by the folder that its readings lie in: all files of one folder are of one host and one
/// boot, where an index means one interface.
fn interfaces<'a>(inputs: &[&Input<'a>]) -> BTreeMap<&'a str, Interfaces> {
    inputs
        .iter()
        .filter_map(|i| {
            let folder = i.path.strip_suffix(collection::LINKS)?;
            let whole = folder.is_empty() || folder.ends_with('/');
            whole.then(|| (folder, netlink::interfaces(i.bytes)))
        })
        .collect()
}

fn piece(
    id: FileId,
    input: &Input<'_>,
    interfaces: &BTreeMap<&str, Interfaces>,
    needs: &mut Vec<Need>,
) -> Piece {
    let mut file = File {
        path: input.path.to_owned(),
        sha256: input.sha256.clone(),
        recognised: Vec::new(),
        problem: input.problem.clone(),
        lines: (0, 0, 0),
        far_end: case::far_end_hint(input.path),
    };
    if let Some(p) = &input.problem {
        needs.push(Need {
            what: input.path.to_owned(),
            why: "lost",
            matters_for: Vec::new(),
            fix: p.clone(),
        });
    }
    if let Some(format) = capture::format_id(input.bytes) {
        let folded = capture::fold::fold(input.bytes);
        file.recognised.push(format);
        if let Some(d) = &folded.totals.damage {
            file.problem.get_or_insert_with(|| d.to_string());
            needs.push(Need {
                what: format!("the rest of {}", input.path),
                why: "lost",
                matters_for: Vec::new(),
                fix: d.to_string(),
            });
        }
        let is_netlink = folded.totals.interfaces.iter().any(|i| i.link == capture::LinkType::Netlink);
        let parsed = is_netlink.then(|| {
            let folder = input.path.rsplit_once(collection::STATE).map(|(folder, _)| folder);
            match folder.and_then(|f| interfaces.get(f)) {
                Some(known) => netlink::read_among(id, input.bytes, known),
                None => netlink::read(id, input.bytes),
            }
        });
        if let Some(p) = &parsed {
            file.recognised.extend(&p.recognised);
            file.lines = (p.typed, p.not_understood.len() as u64, p.unrecognised.len() as u64);
        }
        return Piece { file, parsed, capture: Some(folded), collection: None };
    }
    if input.bytes.is_empty() || !lines::looks_like_text(input.bytes) {
        if input.problem.is_none() {
            needs.push(Need {
                what: input.path.to_owned(),
                why: "not recognised",
                matters_for: Vec::new(),
                fix: if input.bytes.is_empty() {
                    "the file is empty".to_owned()
                } else {
                    "neither a capture nor text".to_owned()
                },
            });
        }
        return Piece { file, parsed: None, capture: None, collection: None };
    }
    if let Some((parsed, collection)) = facts::read(id, input.bytes) {
        file.recognised.clone_from(&parsed.recognised);
        file.lines.0 = parsed.typed;
        return Piece { file, parsed: Some(parsed), capture: None, collection };
    }
    let text = match input.bytes.get(..MAX_TEXT) {
        Some(head) if input.bytes.len() > MAX_TEXT => {
            needs.push(Need {
                what: format!("{} beyond its first {} MiB", input.path, MAX_TEXT / 1024 / 1024),
                why: "lost",
                matters_for: Vec::new(),
                fix: format!(
                    "cut it to the time of the trouble: grep, or split -C {}m",
                    MAX_TEXT / 1024 / 1024
                ),
            });
            head
        }
        _ => input.bytes,
    };
    let parsed = parse::parse_text(id, input.path, text);
    file.recognised.clone_from(&parsed.recognised);
    file.lines = (parsed.typed, parsed.not_understood.len() as u64, parsed.unrecognised.len() as u64);
    if parsed.recognised.is_empty() {
        needs.push(Need {
            what: input.path.to_owned(),
            why: "not recognised",
            matters_for: Vec::new(),
            fix: "no known format in it; if it is evidence, send the raw output of the command".to_owned(),
        });
    }
    Piece { file, parsed: Some(parsed), capture: None, collection: None }
}
