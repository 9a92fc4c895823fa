//! `cargo xtask accuracy [--check] [--root DIR]`: how often the verdict is right, measured and written to
//! `docs/accuracy.md`.
//!
//! Two sets, never mixed: recordings of real kernels with injected faults (the truth is in [`crate::truth`]), and real
//! cases from public reports (the label is in the corpus, which is not part of this repository). `DIR` is the folder
//! that holds `kernel-recordings` and `corpus`; where one of them is absent, its committed figures stay and the program
//! says so. With `--check` nothing is written, and a broken floor is an error.

use crate::generated::{self, Generated};
use crate::truth::{Decidable, RECORDINGS, Truth};
use anyhow::{Context, Result, bail};
use bondwitness_core::diagnose::{self, Input};
use bondwitness_core::domain::{FaultDomain as D, Grade, Side, Way};
use bondwitness_core::verdict::Verdict;
use bondwitness_host::load::{self, Limits};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/accuracy.md";

/// Runs the verb.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut check = false;
    let mut root = generated::repository().join("../shared");
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--check" => check = true,
            "--root" => root = PathBuf::from(args.next().context("--root needs a folder")?),
            other => bail!("unknown argument {other:?}; usage: accuracy [--check] [--root DIR]"),
        }
    }
    let mut out = Generated::new(generated::repository(), check);
    let committed = out.committed(PAGE).unwrap_or_default();
    let mut page = format!("{}{INTRO}", generated::banner("accuracy"));
    let mut broken = Vec::new();
    for set in [measure_recordings(&root)?, measure_cases(&root)?] {
        let _ = write!(page, "\n## {}\n\n{}\n", set.title, set.about);
        if set.rows.is_empty() {
            println!("{}: skipped, {} is absent here; the committed figures stay", set.name, set.from);
            let kept =
                generated::kept(&committed, set.name).unwrap_or_else(|| "Not measured yet.".to_owned());
            page.push_str(&generated::section(set.name, &kept));
            continue;
        }
        let figures = Figures::of(&set.rows);
        broken.extend(figures.broken_floors().into_iter().map(|b| format!("{}: {b}", set.name)));
        let text = format!("{}\n{}", figures.table(&set), rows(&set));
        page.push_str(&generated::section(set.name, &text));
    }
    out.file(PAGE, &page)?;
    for b in &broken {
        println!("floor broken: {b}");
    }
    out.finish("accuracy")?;
    if check && !broken.is_empty() {
        bail!("{} floors are broken", broken.len());
    }
    Ok(())
}

const INTRO: &str = "\
# How often the verdict is right

Every figure on this page is measured by running the engine on evidence whose truth is known. The sets are never mixed,
and no row is left out. Neither set is large enough for a rate: read the rows. The verdict of a row is the case verdict
(the subject that is worst off); the verdicts of episodes and of other subjects are counted as parts.

| word | meaning |
|---|---|
| decided | the verdict names a side: host, switch, link or both |
| wrong accusation | a decided side that is not guilty of anything in this evidence |
| wrong exoneration | a guilty side listed under `exonerated` |
| healthy called faulty | a side was named although nothing was wrong |
| fault called healthy | `healthy` or `not-lacp` although there was a fault |
| over-claimed | a side (or `healthy`, `not-lacp`) where the truth says that the evidence cannot decide, or nobody knows the truth; an innocent party that is accused counts as wrong instead |
| abstained | `inconclusive` where something could have been decided |
| files | how many files the engine was given; with 0 it can only abstain |
| ok | the right side, the right exoneration, or `inconclusive` where nothing can be decided; `ok, other domain` has the right side and another domain |

Floors that `--check` holds: no wrong accusation, no wrong exoneration, in either set.
";

/// One set of incidents.
struct Set {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    from: &'static str,
    /// The set names members and directions, and says what can be decided.
    injected: bool,
    rows: Vec<Row>,
}

/// One incident: what was known and what was said.
struct Row {
    id: String,
    what: String,
    truth: Truth,
    /// How many files the engine was given.
    files: usize,
    said: Said,
    /// The verdicts of its episodes and of its other subjects.
    others: Vec<Said>,
}

/// The part of a verdict that is compared.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) domain: D,
    pub(crate) side: Side,
    pub(crate) grade: Grade,
    pub(crate) exonerated: Vec<Side>,
    pub(crate) members: Vec<String>,
    pub(crate) way: Option<Way>,
}

impl Said {
    fn of(v: &Verdict) -> Self {
        Self {
            domain: v.domain,
            side: v.side,
            grade: v.grade,
            exonerated: v.exonerated.iter().map(|(s, _)| *s).collect(),
            members: v.members.clone(),
            way: v.way,
        }
    }

    fn decided(&self) -> bool {
        !matches!(self.side, Side::None | Side::Unknown)
    }
}

/// How a row came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    OtherDomain,
    Abstained,
    OverClaimed,
    Wrong(Vec<&'static str>),
}

const ACCUSATION: &str = "wrong accusation";
const EXONERATION: &str = "wrong exoneration";
const HEALTHY_FAULTY: &str = "healthy called faulty";
const FAULT_HEALTHY: &str = "fault called healthy";
const MIXED_UP: &str = "healthy and not-lacp mixed up";

pub(crate) fn outcome(truth: &Truth, said: &Said) -> Outcome {
    let known = truth.side != Side::Unknown;
    let fault = known && truth.side != Side::None;
    let mut wrong = Vec::new();
    if known && said.decided() && !truth.guilty(said.side) {
        wrong.push(ACCUSATION);
        if truth.domain == D::Healthy {
            wrong.push(HEALTHY_FAULTY);
        }
    }
    if said.exonerated.iter().any(|s| truth.must_not_clear(*s)) {
        wrong.push(EXONERATION);
    }
    let quiet = matches!(said.domain, D::Healthy | D::NotLacp);
    if fault && quiet {
        wrong.push(FAULT_HEALTHY);
    }
    if known && !fault && quiet && said.domain != truth.domain {
        wrong.push(MIXED_UP);
    }
    if !wrong.is_empty() {
        return Outcome::Wrong(wrong);
    }
    let abstains = said.domain == D::Inconclusive;
    match truth.decidable {
        Decidable::Nothing => {
            if abstains {
                Outcome::Ok
            } else {
                Outcome::OverClaimed
            }
        }
        Decidable::Exoneration => match (abstains, said.exonerated.contains(&Side::Host)) {
            (true, true) => Outcome::Ok,
            (true, false) => Outcome::Abstained,
            (false, _) => Outcome::OverClaimed,
        },
        Decidable::Side if abstains => Outcome::Abstained,
        Decidable::Side if said.domain == truth.domain || truth.domain == D::Inconclusive => Outcome::Ok,
        Decidable::Side => Outcome::OtherDomain,
    }
}

/// Does a verdict accuse or clear the wrong side?
fn injures(truth: &Truth, said: &Said) -> bool {
    matches!(outcome(truth, said), Outcome::Wrong(why) if why.contains(&ACCUSATION) || why.contains(&EXONERATION))
}

/// The figures of one set.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    n: usize,
    decided: usize,
    decidable: usize,
    decidable_decided: usize,
    quiet: usize,
    accusation: usize,
    accusation_proven: usize,
    accusation_of: usize,
    exoneration: usize,
    parts: usize,
    parts_wrong: usize,
    healthy_faulty: usize,
    healthy: usize,
    fault_healthy: usize,
    faults: usize,
    over: usize,
    inconclusive: usize,
    abstained: usize,
    domain: (usize, usize),
    cleared: (usize, usize),
    member: (usize, usize),
    way: (usize, usize),
}

impl Figures {
    fn of(rows: &[Row]) -> Self {
        let mut f = Self { n: rows.len(), ..Self::default() };
        for Row { truth, said, others, .. } in rows {
            f.parts += others.len();
            f.parts_wrong += others.iter().filter(|o| injures(truth, o)).count();
            let outcome = outcome(truth, said);
            let is = |w: &str| matches!(&outcome, Outcome::Wrong(reasons) if reasons.contains(&w));
            let known = truth.side != Side::Unknown;
            let fault = known && truth.side != Side::None;
            let could = truth.decidable == Decidable::Side && fault;
            f.decided += usize::from(said.decided());
            f.decidable += usize::from(could);
            f.decidable_decided += usize::from(could && said.decided());
            f.quiet += usize::from(matches!(said.domain, D::Healthy | D::NotLacp));
            f.inconclusive += usize::from(said.domain == D::Inconclusive);
            f.accusation += usize::from(is(ACCUSATION));
            f.accusation_proven += usize::from(is(ACCUSATION) && said.grade == Grade::Proven);
            f.accusation_of += usize::from(known && said.decided());
            f.exoneration += usize::from(is(EXONERATION));
            f.healthy += usize::from(truth.domain == D::Healthy);
            f.healthy_faulty += usize::from(is(HEALTHY_FAULTY));
            f.faults += usize::from(fault);
            f.fault_healthy += usize::from(is(FAULT_HEALTHY));
            f.over += usize::from(outcome == Outcome::OverClaimed);
            f.abstained += usize::from(outcome == Outcome::Abstained);
            if said.decided() && truth.domain != D::Inconclusive {
                f.domain.1 += 1;
                f.domain.0 += usize::from(said.domain == truth.domain);
            }
            if truth.decidable == Decidable::Exoneration {
                f.cleared.1 += 1;
                f.cleared.0 += usize::from(said.exonerated.contains(&Side::Host));
            }
            if !truth.members.is_empty() {
                f.member.1 += 1;
                f.member.0 += usize::from(said.members == truth.members);
            }
            if truth.way.is_some() {
                f.way.1 += 1;
                f.way.0 += usize::from(said.way == truth.way);
            }
        }
        f
    }

    fn broken_floors(&self) -> Vec<String> {
        [(self.accusation, ACCUSATION), (self.exoneration, EXONERATION)]
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} x {what}, the floor is 0"))
            .collect()
    }

    fn table(&self, set: &Set) -> String {
        let mut t = String::from("| figure | value | of |\n|---|---|---|\n");
        let mut line = |what: &str, n: usize, of: usize, whom: &str| {
            let _ = writeln!(t, "| {what} | {n} | {of} {whom} |");
        };
        line("decided", self.decided, self.n, "incidents");
        let whom =
            if set.injected { "whose side the host alone can decide" } else { "with a labelled guilty side" };
        line("decided, of the faults", self.decidable_decided, self.decidable, whom);
        line("`healthy` or `not-lacp`", self.quiet, self.n, "incidents");
        line("`inconclusive`", self.inconclusive, self.n, "incidents");
        line("of these abstained", self.abstained, self.inconclusive, "inconclusive ones");
        line("wrong accusation", self.accusation, self.accusation_of, "decided, with a known side");
        line(
            "wrong accusation at grade `proven`",
            self.accusation_proven,
            self.accusation_of,
            "decided, with a known side",
        );
        line("wrong exoneration", self.exoneration, self.n, "incidents");
        line(
            "wrong accusation or exoneration in a part",
            self.parts_wrong,
            self.parts,
            "verdicts of episodes and other subjects",
        );
        line("healthy called faulty", self.healthy_faulty, self.healthy, "healthy ones");
        line("fault called healthy or not-lacp", self.fault_healthy, self.faults, "faults with a known side");
        line("over-claimed", self.over, self.n, "incidents");
        line("domain right", self.domain.0, self.domain.1, "decided, with a known domain");
        if set.injected {
            line("host cleared", self.cleared.0, self.cleared.1, "where only that can be decided");
            line("member right", self.member.0, self.member.1, "where a member is at fault");
            line("direction right", self.way.0, self.way.1, "where a direction is broken");
        }
        t
    }
}

fn rows(set: &Set) -> String {
    let mut t = String::new();
    if set.injected {
        t.push_str("| recording | what was done | label | decidable | verdict | grade | cleared | member, direction | result |\n|---|---|---|---|---|---|---|---|---|\n");
    } else {
        t.push_str(
            "| case | files | label | verdict | grade | cleared | result |\n|---|---|---|---|---|---|---|\n",
        );
    }
    for row in &set.rows {
        let mut result = match outcome(&row.truth, &row.said) {
            Outcome::Ok => "ok".to_owned(),
            Outcome::OtherDomain => "ok, other domain".to_owned(),
            Outcome::Abstained => "abstained".to_owned(),
            Outcome::OverClaimed => "over-claimed".to_owned(),
            Outcome::Wrong(why) => format!("**wrong: {}**", why.join(", ")),
        };
        if !row.truth.members.is_empty() && row.said.members != row.truth.members {
            result.push_str(", **member not right**");
        }
        if row.truth.way.is_some() && row.said.way != row.truth.way {
            result.push_str(", **direction not right**");
        }
        let mut label = pair(row.truth.domain, row.truth.side);
        for d in row.truth.also {
            let _ = write!(label, ", also {d}");
        }
        let cleared = or_dash(row.said.exonerated.iter().map(|s| s.name().to_owned()).collect());
        let verdict = pair(row.said.domain, row.said.side);
        let grade = row.said.grade.name();
        if set.injected {
            let _ = writeln!(
                t,
                "| {} | {} | {label} | {} | {verdict} | {grade} | {cleared} | {} | {result} |",
                row.id,
                row.what,
                row.truth.decidable.name(),
                place(&row.said)
            );
        } else {
            let _ = writeln!(
                t,
                "| {} | {} | {label} | {verdict} | {grade} | {cleared} | {result} |",
                row.id, row.files
            );
        }
    }
    t
}

/// `domain (side)`; the side is left out where the domain says it.
pub(crate) fn pair(domain: D, side: Side) -> String {
    if domain.side() == side && matches!(side, Side::None | Side::Unknown) {
        domain.name().to_owned()
    } else {
        format!("{domain} ({side})")
    }
}

fn or_dash(words: Vec<String>) -> String {
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

/// What was said of member and direction.
pub(crate) fn place(said: &Said) -> String {
    format!("{}, {}", or_dash(said.members.clone()), said.way.map_or("-", Way::name))
}

/// The folders of recordings below `root`, as `<kernel>/<name>`, sorted; empty if there is no such folder.
pub(crate) fn recordings(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for kernel in folders(root)?.into_iter().filter(|k| k != "scripts") {
        for name in folders(&root.join(&kernel))? {
            found.push(format!("{kernel}/{name}"));
        }
    }
    found.sort();
    Ok(found)
}

fn folders(path: &Path) -> Result<Vec<String>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Does this file of a recording belong to the host? The other end of the wire (`sw-`, and `swB-` where there are two),
/// the list of injected faults, the console of the harness (it names them too) and its marker do not.
pub(crate) fn of_the_host(path: &str) -> bool {
    path.split('/').all(|part| {
        !part.starts_with("sw-")
            && !part.starts_with("swB-")
            && !matches!(part, "events.txt" | "_console.txt" | "_done" | "scripts")
    })
}

/// Does this file of a case belong to the evidence? The truth and the reporter's prose do not.
fn of_the_evidence(path: &str) -> bool {
    path.split('/').all(|part| part != "truth.md" && !part.starts_with("context-"))
}

/// How many files of a folder `keep` lets through, the case verdict on them, and the verdicts of episodes and of other
/// subjects.
pub(crate) fn say(folder: &Path, keep: fn(&str) -> bool) -> Result<(usize, Said, Vec<Said>)> {
    let loaded = load::load(&[folder.to_owned()], &Limits::default())?;
    let inputs: Vec<Input<'_>> = loaded
        .inputs
        .iter()
        .filter(|i| keep(&i.path))
        .map(|i| Input {
            path: &i.path,
            bytes: &i.bytes,
            sha256: None,
            problem: i.problem.as_ref().map(ToString::to_string),
        })
        .collect();
    let report = diagnose::diagnose(&inputs);
    let worst = report.worst();
    let mut case = None;
    let mut others = Vec::new();
    for (i, subject) in report.subjects.iter().enumerate() {
        let said = Said::of(&subject.judged.verdict);
        if worst == Some(i) {
            case = Some(said);
        } else {
            others.push(said);
        }
        others.extend(subject.judged.episodes.iter().map(|e| Said::of(&e.verdict)));
    }
    // Without a subject the contract's case verdict is inconclusive.
    let case = case.unwrap_or_else(|| Said {
        domain: D::Inconclusive,
        side: Side::Unknown,
        grade: Grade::Insufficient,
        exonerated: Vec::new(),
        members: Vec::new(),
        way: None,
    });
    Ok((inputs.len(), case, others))
}

fn measure_recordings(root: &Path) -> Result<Set> {
    let root = root.join("kernel-recordings");
    let mut rows = Vec::new();
    for path in recordings(&root)? {
        let Some(known) = RECORDINGS.iter().find(|r| r.path == path) else {
            bail!("the recording {path} has no truth; add it to xtask/src/truth.rs");
        };
        let (files, said, others) =
            say(&root.join(&path), of_the_host).with_context(|| format!("cannot read {path}"))?;
        rows.push(Row { id: path, what: known.what.to_owned(), truth: known.truth, files, said, others });
    }
    if let (false, Some(gone)) =
        (rows.is_empty(), RECORDINGS.iter().find(|r| !rows.iter().any(|row| row.id == r.path)))
    {
        bail!("the recording {} is in xtask/src/truth.rs and not on disk", gone.path);
    }
    Ok(Set {
        name: "recordings",
        title: "Real kernels, injected faults",
        about: "Debian kernels in a virtual machine, the other end played by a second bond. The engine gets the host's files only:\n\
                no file of the other end, no list of the injected faults. What can be decided from them was written down by hand\n\
                before (`xtask/src/truth.rs`). These recordings were also studied while the checks were written, so they show that\n\
                nothing broke, not how the checks fare on something new.\n",
        from: "kernel-recordings",
        injected: true,
        rows,
    })
}

fn measure_cases(root: &Path) -> Result<Set> {
    let root = root.join("corpus/cases");
    let mut rows = Vec::new();
    if root.is_dir() {
        let labels = std::fs::read_to_string(root.join("LABELS.tsv")).context("cannot read LABELS.tsv")?;
        for line in labels.lines().skip(1).filter(|l| !l.is_empty()) {
            let (id, truth) = label(line).with_context(|| format!("LABELS.tsv: {line}"))?;
            let folder = root.join(&id);
            let notes = std::fs::read_to_string(folder.join("truth.md"))
                .with_context(|| format!("cannot read truth.md of {id}"))?;
            let class = notes
                .lines()
                .find_map(|l| l.strip_prefix("| evidence class |"))
                .map(|c| c.trim_matches([' ', '|']))
                .with_context(|| format!("truth.md of {id} gives no evidence class"))?;
            // Class C has no raw evidence, only facts noted while reading: not an input for a verdict.
            if !matches!(class, "A" | "B") {
                continue;
            }
            let (files, said, others) =
                say(&folder, of_the_evidence).with_context(|| format!("cannot read {id}"))?;
            rows.push(Row { id, what: String::new(), truth, files, said, others });
        }
        rows.sort_by(|a, b| a.id.cmp(&b.id));
    }
    Ok(Set {
        name: "cases",
        title: "Real cases from public reports",
        about: "Raw evidence that people posted, with the cause that was found in the end. The cases are not part of this repository.\n\
                The engine gets every file of a case except the truth and the reporter's prose (`context-*`); cases without raw\n\
                evidence (class C) are left out. The labels say who was guilty, not what the posted files can show, so abstaining\n\
                is often all that can be done. Where the label says `unknown`, `inconclusive` is right. A case with the label\n\
                `not-lacp` counts as side `none`, as the contract has it, whatever the label says of the side.\n",
        from: "corpus/cases",
        injected: false,
        rows,
    })
}

/// One line of LABELS.tsv. The labels use other words: `physical` is the side `link`, `neither` is `none`, the domain
/// `unknown` is `inconclusive`.
fn label(line: &str) -> Result<(String, Truth)> {
    let mut columns = line.split('\t');
    let id = columns.next().filter(|c| !c.is_empty()).context("no case")?;
    let domain = columns.next().context("no domain")?;
    let side = columns.next().context("no side")?;
    let domain = match domain {
        "unknown" => D::Inconclusive,
        word => D::ALL.into_iter().find(|d| d.name() == word).with_context(|| format!("domain {word:?}"))?,
    };
    let side = match (domain, side) {
        (D::NotLacp | D::Healthy, _) | (_, "neither") => Side::None,
        (_, "physical") => Side::Link,
        (_, "host") => Side::Host,
        (_, "switch") => Side::Switch,
        (_, "both") => Side::Both,
        (_, "unknown") => Side::Unknown,
        (_, word) => bail!("side {word:?}"),
    };
    let decidable = if side == Side::Unknown { Decidable::Nothing } else { Decidable::Side };
    Ok((id.to_owned(), Truth { domain, side, also: &[], decidable, members: &[], way: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(domain: D, exonerated: &[Side]) -> Said {
        Said {
            domain,
            side: domain.side(),
            grade: Grade::Strong,
            exonerated: exonerated.to_vec(),
            members: Vec::new(),
            way: None,
        }
    }

    fn known(domain: D, decidable: Decidable) -> Truth {
        Truth { domain, side: domain.side(), also: &[], decidable, members: &[], way: None }
    }

    #[test]
    fn an_innocent_party_accused_is_wrong_whatever_can_be_decided() {
        for decidable in [Decidable::Side, Decidable::Exoneration, Decidable::Nothing] {
            let o = outcome(&known(D::Physical, decidable), &said(D::SwitchConfig, &[]));
            assert_eq!(o, Outcome::Wrong(vec![ACCUSATION]));
        }
        let o = outcome(&known(D::Healthy, Decidable::Side), &said(D::HostConfig, &[]));
        assert_eq!(o, Outcome::Wrong(vec![ACCUSATION, HEALTHY_FAULTY]));
        // One end alone is no answer where both have a part in it.
        let o = outcome(&known(D::ConfigBoth, Decidable::Side), &said(D::HostConfig, &[]));
        assert_eq!(o, Outcome::Wrong(vec![ACCUSATION]));
    }

    #[test]
    fn clearing_the_guilty_is_wrong_even_when_abstaining() {
        let t = known(D::Physical, Decidable::Exoneration);
        assert_eq!(outcome(&t, &said(D::Inconclusive, &[Side::Link])), Outcome::Wrong(vec![EXONERATION]));
        assert_eq!(outcome(&t, &said(D::Inconclusive, &[Side::Host])), Outcome::Ok);
        assert_eq!(outcome(&t, &said(D::Inconclusive, &[])), Outcome::Abstained);
        // Right by luck: link or switch cannot be told.
        assert_eq!(outcome(&t, &said(D::Physical, &[Side::Host])), Outcome::OverClaimed);
        let both = known(D::ConfigBoth, Decidable::Side);
        assert_eq!(outcome(&both, &said(D::ConfigBoth, &[Side::Host])), Outcome::Wrong(vec![EXONERATION]));
    }

    #[test]
    fn faults_called_healthy_and_the_other_way_round() {
        let t = known(D::Mlag, Decidable::Side);
        assert_eq!(outcome(&t, &said(D::Healthy, &[])), Outcome::Wrong(vec![FAULT_HEALTHY]));
        assert_eq!(outcome(&t, &said(D::NotLacp, &[])), Outcome::Wrong(vec![FAULT_HEALTHY]));
        assert_eq!(outcome(&t, &said(D::SwitchConfig, &[])), Outcome::OtherDomain);
        assert_eq!(
            outcome(&known(D::NotLacp, Decidable::Side), &said(D::Healthy, &[])),
            Outcome::Wrong(vec![MIXED_UP])
        );
        assert_eq!(
            outcome(&known(D::Healthy, Decidable::Side), &said(D::Healthy, &[Side::Host])),
            Outcome::Ok
        );
    }

    #[test]
    fn figures_count_every_row_once_and_hold_the_floors() {
        let row = |truth, said| Row {
            id: "x".to_owned(),
            what: String::new(),
            truth,
            files: 1,
            said,
            others: Vec::new(),
        };
        let rows = [
            row(known(D::Physical, Decidable::Exoneration), said(D::Inconclusive, &[Side::Host])),
            row(known(D::Mlag, Decidable::Side), said(D::HostConfig, &[Side::Switch])),
            row(known(D::Healthy, Decidable::Side), said(D::Healthy, &[])),
            row(known(D::HostConfig, Decidable::Side), said(D::HostStarvation, &[])),
        ];
        let f = Figures::of(&rows);
        assert_eq!((f.n, f.decided, f.quiet, f.inconclusive), (4, 2, 1, 1));
        assert_eq!((f.accusation, f.exoneration, f.accusation_of), (1, 1, 2));
        assert_eq!((f.domain, f.cleared, f.decidable_decided), ((0, 2), (1, 1), 2));
        assert_eq!(f.broken_floors().len(), 2);
        assert!(Figures::of(&rows[2..]).broken_floors().is_empty());
    }

    #[test]
    fn a_wrong_part_is_counted() {
        let truth = known(D::Physical, Decidable::Exoneration);
        let row = Row {
            id: "x".to_owned(),
            what: String::new(),
            truth,
            files: 1,
            said: said(D::Inconclusive, &[Side::Host]),
            others: vec![
                said(D::Mlag, &[]),
                said(D::Inconclusive, &[Side::Host]),
                said(D::Inconclusive, &[Side::Link]),
            ],
        };
        let f = Figures::of(&[row]);
        assert_eq!((f.parts, f.parts_wrong, f.accusation), (3, 2, 0));
    }

    #[test]
    fn the_engine_never_sees_the_truth() {
        for hidden in
            ["events.txt", "_done", "sw-s1.pcap", "snap-a/sw-proc-bonding.txt", "snap-a/swB-proc-bonding.txt"]
        {
            assert!(!of_the_host(hidden), "{hidden}");
        }
        assert!(of_the_host("snap-a/host-sysfs.txt") && of_the_host("dmesg.txt"));
        assert!(!of_the_evidence("truth.md") && !of_the_evidence("context-report.txt"));
        assert!(of_the_evidence("switch-cisco-ios.txt"));
    }

    #[test]
    fn labels_are_translated() {
        let (id, t) = label("case-1\tphysical\tphysical\tlow\tA\ts\tf").unwrap();
        assert_eq!((id.as_str(), t.domain, t.side), ("case-1", D::Physical, Side::Link));
        let (_, t) = label("case-2\tunknown\tunknown\tlow\tA\ts\tf").unwrap();
        assert_eq!((t.domain, t.side, t.decidable), (D::Inconclusive, Side::Unknown, Decidable::Nothing));
        let (_, t) = label("case-3\tnot-lacp\thost\thigh\tA\ts\tf").unwrap();
        assert_eq!(t.side, Side::None);
        let (_, t) = label("case-4\tswitch-control-plane\tneither\thigh\tA\ts\tf").unwrap();
        assert_eq!(t.side, Side::None);
        assert!(label("case-5\tgremlins\thost").is_err());
    }
}
